#include <trivet/plugin.hpp>

struct Gate {
  std::string key;
  explicit Gate(trivet::Settings& settings) : key(settings.text("key")) {}
  trivet::Verdict check(trivet::Request& request) {
    if (!trivet::same_secret(request.header("X-Api-Key"), key)) return trivet::deny(403).body("no key\n");
    return trivet::allow().set("REMOTE_USER", "api");
  }
};

TRIVET_PLUGIN(Gate, "gate", "1.0.0")
