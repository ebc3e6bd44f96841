#include <stdexcept>
#include <string>
#include <trivet/plugin.hpp>

/// An authorizer that answers what the request's header X-Verdict says: whatever a guard can say.
struct Says {
  static constexpr bool never_blocks = true;

  trivet::Verdict check(trivet::Request& request) {
    const std::string what(request.header("X-Verdict"));
    if (what == "allow") return allowed();
    if (what == "cookie")
      return allowed().header("Set-Cookie", "one=1; Path=/; Expires=Fri, 31 Dec 2100 23:59:59 GMT");
    if (what == "cookies")
      return allowed()
          .header("Set-Cookie", "one=1; Path=/")
          .header("Set-Cookie", "two=2; Path=/")
          .header("X-Inner", "x");
    if (what == "nobody") return trivet::allow();
    if (what == "401")
      return trivet::deny(401).header("WWW-Authenticate", "Basic realm=\"says\"").body("who are you?\n");
    if (what == "challenges")
      return trivet::deny(401)
          .header("WWW-Authenticate", "Bearer")
          .header("WWW-Authenticate", "Basic realm=\"says\"");
    if (what == "403") return trivet::deny(403).header("Content-Type", "text/html").body("<p>not you</p>\n");
    if (what == "302")
      return trivet::deny(302)
          .header("Location", "https://login.example/in?to=%2Fprivate&n=1")
          .header("Set-Cookie", "state=1; Path=/")
          .header("Set-Cookie", "nonce=2; Path=/");
    if (what == "303") return trivet::deny(303).header("Location", "/login?to=x");
    if (what == "404") return trivet::deny(404);
    if (what == "429") return trivet::deny(429).header("Retry-After", "7").body("later\n");
    if (what == "503") return trivet::deny(503).header("Retry-After", "7");
    if (what.starts_with("body "))
      return trivet::deny(403).body(std::string(std::stoul(what.substr(5)), 'b'));
    if (what.starts_with("head "))
      return trivet::deny(302).header("Location", "/" + std::string(std::stoul(what.substr(5)), 'l'));
    if (what.starts_with("user "))
      return trivet::allow().set("REMOTE_USER", std::string(std::stoul(what.substr(5)), 'u'));
    if (what == "seen") {
      std::string seen;
      for (const auto& [name, value] : request.params())
        seen += std::string(name) + "=" + std::string(value) + "\n";
      return trivet::deny(403).body(seen);
    }
    throw std::runtime_error("on purpose");
  }

 private:
  static trivet::Verdict allowed() {
    return trivet::allow().set("REMOTE_USER", "ann").set("AUTH_GROUPS", "staff, ops");
  }
};

TRIVET_PLUGIN(Says, "says", "1.0.0")
