#include <string>
#include <trivet/plugin.hpp>

/// Lets a request pass that brings the right key in a header.
///
///     config = { header = "X-Api-Key", key = "...", user = "..." }
struct KeyGate {
  static constexpr bool never_blocks = true;

  explicit KeyGate(trivet::Settings& settings)
      : variable("HTTP_"), key(settings.text("key")), user(settings.text("user", "api")) {
    if (key.empty()) settings.fail("key", "must not be empty: every request without a key would fit");
    if (user.empty()) settings.fail("user", "must not be empty");
    const std::string header = settings.text("header", "X-Api-Key");
    if (header.empty()) settings.fail("header", "must not be empty");
    for (const char c : header) {
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
