#include <string>
#include <string_view>
#include <trivet/plugin.hpp>

/// Answers each of Apache's three questions in its own way, by the typed phase, and says which it was in a
/// variable. Whoever asks with `redirect` in the query is sent elsewhere; requests in no phase are refused.
///
///     config = { user = "...", password = "..." }
struct Phases {
  static constexpr bool never_blocks = true;

  explicit Phases(trivet::Settings& settings)
      : user(settings.text("user")), password(settings.text("password")) {}

  trivet::Verdict check(trivet::Request& request) const {
    if (request.query() == "redirect") return trivet::deny(302).header("Location", "https://login.example/");
    const std::string_view who = request.param("REMOTE_USER");
    switch (request.phase()) {
      case trivet::Phase::access_checker:
        if (!who.empty()) return trivet::deny(500).reason("there is a user before anybody was asked");
        if (request.header("X-Blocked") == "yes") return trivet::deny(403).reason("blocked");
        return trivet::allow().set("SEEN_ACCESS_CHECKER", "yes");
      case trivet::Phase::authenticator:
        if (who.empty() || !trivet::same_secret(request.param("REMOTE_PASSWD"), password)) {
          return trivet::deny(401).reason("wrong password");
        }
        return trivet::allow().set("SEEN_AUTHENTICATOR", std::string(who));
      case trivet::Phase::authorizer:
        if (who != user) return trivet::deny(403).reason("not this user");
        return trivet::allow().set("SEEN_AUTHORIZER", std::string(who));
      case trivet::Phase::none:
        break;
    }
    return trivet::deny(403).reason("no phase");
  }

  std::string user;
  std::string password;
};

TRIVET_PLUGIN(Phases, "phases", "1.0.0")
