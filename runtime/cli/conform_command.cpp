#include "runtime/cli/conform_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>

#include "runtime/base/error.hpp"
#include "runtime/cli/call_address.hpp"
#include "runtime/cli/conform/lab.hpp"
#include "runtime/cli/output.hpp"

namespace trivet::cli {

namespace {

using conform::Case;
using conform::Section;

std::vector<Section> catalogue() {
  return {conform::shapes(),      conform::management(), conform::violations(), conform::resources(),
          conform::authorizing(), conform::filtering(),  conform::leaks()};
}

struct Totals {
  int passed = 0;
  int failed = 0;
  int skipped = 0;

  void operator+=(const Totals& more) {
    passed += more.passed;
    failed += more.failed;
    skipped += more.skipped;
  }
  [[nodiscard]] std::string text() const {
    return std::to_string(passed) + " passed, " + std::to_string(failed) + " failed, " +
           std::to_string(skipped) + " skipped";
  }
};

class Run {
 public:
  Run(conform::Lab& lab, const ConformCommand& command) : lab_(lab), command_(command) {}

  /// False when nobody reads the lines.
  bool section(const Section& section) {
    Totals totals;
    for (const Case& each : section.cases) {
      if (!wanted(each)) continue;
      const auto [word, what] = judge(section, each);
      (word == "pass" ? totals.passed : word == "skip" ? totals.skipped : totals.failed) += 1;
      std::string line =
          word + " " + each.id + " " + each.sentence + (what.empty() ? "\n" : "\n     " + what + "\n");
      if (!write_all(STDOUT_FILENO, line)) return false;
    }
    all_ += totals;
    const int count = totals.passed + totals.failed + totals.skipped;
    if (count > 0) summary_ += std::string(section.name) + ": " + totals.text() + "\n";
    return true;
  }

  [[nodiscard]] std::string summary() const { return "\n" + summary_ + "all: " + all_.text() + "\n"; }
  [[nodiscard]] bool failed() const noexcept { return all_.failed > 0; }

 private:
  [[nodiscard]] bool wanted(const Case& one) const {
    return command_.only.empty() ||
           std::find(command_.only.begin(), command_.only.end(), one.id) != command_.only.end();
  }

  std::pair<std::string, std::string> judge(const Section& section, const Case& one) {
    if (section.role == conform::role_authorizer && command_.authorizer.empty())
      return {"skip", "no --authorizer"};
    if (section.role == conform::role_filter && command_.filter.empty()) return {"skip", "no --filter"};
    try {
      one.run(lab_);
      // Whatever was done to it, it has to be there for others.
      lab_.serves();
      return {"pass", ""};
    } catch (const conform::Failed& failed) {
      constexpr std::string_view skip = "skip: ";
      if (failed.what.starts_with(skip)) return {"skip", failed.what.substr(skip.size())};
      return {"FAIL", failed.what};
    }
  }

  conform::Lab& lab_;
  const ConformCommand& command_;
  Totals all_;
  std::string summary_;
};

int list() {
  std::string text;
  for (const Section& section : catalogue()) {
    for (const Case& each : section.cases) text += std::string(each.id) + " " + each.sentence + "\n";
  }
  return write_all(STDOUT_FILENO, text) ? exit_ok : exit_failed;
}

/// The first of --only that names no case.
std::string unknown_case(const ConformCommand& command) {
  const auto sections = catalogue();
  for (const std::string& name : command.only) {
    const bool known = std::any_of(sections.begin(), sections.end(), [&](const Section& section) {
      return std::any_of(section.cases.begin(), section.cases.end(),
                         [&](const Case& each) { return each.id == name; });
    });
    if (!known) return name;
  }
  return {};
}

}  // namespace

int run_conform(const ConformCommand& command) {
  if (command.list) return list();
  if (const std::string name = unknown_case(command); !name.empty()) {
    say("conform: there is no case \"" + name + "\": --list shows them");
    return exit_usage;
  }
  const auto address = call_address(command.address);
  if (const auto* wrong = std::get_if<std::string>(&address)) {
    say("conform: " + *wrong);
    return exit_usage;
  }
  conform::Target target;
  target.address = std::get<config::Address>(address);
  target.responder = command.responder;
  target.authorizer = command.authorizer;
  target.grant = command.grant;
  target.filter = command.filter;
  target.params = command.params;
  target.without = command.without;
  target.idle_timeout = command.idle_timeout;
  target.timeout = command.timeout;
  target.process = command.process;
  conform::Lab lab(target);
  if (std::string problem; !lab.reachable(problem)) {
    say(problem);
    return exit_unreachable;
  }
  if (!command.look_at_memory) lab.forget_process();
  Run run(lab, command);
  for (const Section& each : catalogue()) {
    if (!run.section(each)) return exit_failed;
  }
  if (!write_all(STDOUT_FILENO, run.summary())) return exit_failed;
  return run.failed() ? exit_failed : exit_ok;
}

}  // namespace trivet::cli
