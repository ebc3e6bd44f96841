#include <string>
#include <trivet/plugin.hpp>
#include <utility>
#include <vector>

/// Allows with the variables of its settings, e.g. config = { set = { REMOTE_USER = "eve", X = "1" } }.
struct Variables {
  static constexpr bool never_blocks = true;

  explicit Variables(trivet::Settings& settings) {
    const trivet::Settings table = settings.table("set");
    for (const std::string& name : table.keys()) variables.emplace_back(name, table.text(name));
  }

  trivet::Verdict check(trivet::Request&) {
    trivet::Verdict verdict = trivet::allow();
    for (const auto& [name, value] : variables) verdict.set(name, value);
    return verdict;
  }

  std::vector<std::pair<std::string, std::string>> variables;
};

TRIVET_PLUGIN(Variables, "variables", "1.0.0")
