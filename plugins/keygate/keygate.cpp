#include <string>
#include <trivet/plugin.hpp>

/// Lets a request pass that brings the right key in a header.
///
///     config = { header = "X-Api-Key", key = "...", user = "..." }
struct KeyGate {
  static constexpr bool never_blocks = true;

  struct Config {
    std::string key;
    std::string user = "api";
    std::string header = "X-Api-Key";
    // An empty key would fit every request without one.
    static constexpr auto settings =
        trivet::settings(trivet::setting("key", &Config::key).required().length(1, 4096),
                         trivet::setting("user", &Config::user).length(1, 256),
                         trivet::setting("header", &Config::header).length(1, 128));
  };

  KeyGate(const Config& config, const trivet::Settings& settings)
      : variable("HTTP_"), key(config.key), user(config.user) {
    for (const char c : config.header) {
      const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      if (!letter && !(c >= '0' && c <= '9') && c != '-') {
        settings.fail("header", "has to be the name of a header: letters, digits and -");
      }
      // As web servers make variables of headers (RFC 3875, 4.1.18).
      variable += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }

  trivet::Verdict check(trivet::Request& request) {
    const std::string_view given = request.param(variable);
    if (given.empty()) {
      return trivet::deny(401)
          .header("WWW-Authenticate", "ApiKey realm=\"trivet\"")
          .header("Content-Type", "text/plain")
          .body("a key is needed\n")
          .reason("no key");
    }
    if (!trivet::same_secret(given, key)) {
      return trivet::deny(403)
          .header("Content-Type", "text/plain")
          .body("this key does not open the door\n")
          .reason("wrong key");
    }
    return trivet::allow().set("REMOTE_USER", user);
  }

  std::string variable;
  std::string key;
  std::string user;
};

TRIVET_PLUGIN(KeyGate, "keygate", "1.0.0")
