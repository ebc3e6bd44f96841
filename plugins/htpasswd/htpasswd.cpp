#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <trivet/followed_file.hpp>
#include <trivet/plugin.hpp>
#include <vector>

#include "credentials.hpp"
#include "user_file.hpp"

namespace htpasswd {

/// HTTP's scheme Basic (RFC 7617) with a password file of Apache's, read again when it changes.
///
///     config = { file = "/etc/trivet/users", realm = "Staff" }
///
/// A password takes its time by design, so this blocks: it runs on plugin threads, which share one object.
class Htpasswd {
 public:
  static constexpr bool shared_instance = true;  // What changes is in the files, which lock.

  struct Config {
    std::string file;
    std::string realm = "restricted";
    std::vector<std::string> users;
    std::string group_file;
    std::vector<std::string> require_groups;
    std::vector<std::string> weak;
    std::int64_t password_bytes = 256;
    std::int64_t file_bytes = 16 << 20;
    std::int64_t recheck_ms = 1000;
    static constexpr auto settings =
        trivet::settings(trivet::setting("file", &Config::file).required().length(1, 4096),
                         trivet::setting("realm", &Config::realm).length(1, 200),
                         trivet::setting("users", &Config::users).length(1, 10'000),
                         trivet::setting("group_file", &Config::group_file).length(1, 4096),
                         trivet::setting("require_groups", &Config::require_groups).length(1, 1000),
                         trivet::setting("weak", &Config::weak).length(1, 3),
                         trivet::setting("password_bytes", &Config::password_bytes).between(8, Secret::most),
                         trivet::setting("file_bytes", &Config::file_bytes).between(1024, 1 << 30),
                         trivet::setting("recheck_ms", &Config::recheck_ms).between(100, 60'000));
  };

  Htpasswd(const Config& config, const trivet::Settings& settings)
      : challenge_(challenge_of(config.realm, settings)),
        users_(config.users.begin(), config.users.end()),
        groups_(config.require_groups),
        most_password_(static_cast<std::size_t>(config.password_bytes)) {
    if (config.group_file.empty() != config.require_groups.empty()) {
      settings.fail(config.group_file.empty() ? "require_groups" : "group_file",
                    config.group_file.empty() ? "needs a group_file" : "is of no use without require_groups");
    }
    const auto weak = weak_of(config.weak, settings);
    trivet::FilePace pace;
    pace.every = std::chrono::milliseconds(config.recheck_ms);
    const auto most = static_cast<std::size_t>(config.file_bytes);
    passwords_ = std::make_unique<trivet::FollowedFile<UserFile>>(
        settings, "file", config.file, most, pace,
        [weak](std::string_view text, const UserFile*, trivet::Remarks& remarks) {
          return UserFile::read(text, weak, remarks);
        });
    if (config.group_file.empty()) return;
    group_file_ = std::make_unique<trivet::FollowedFile<GroupFile>>(
        settings, "group_file", config.group_file, most, pace,
        [](std::string_view text, const GroupFile*, trivet::Remarks& remarks) {
          return GroupFile::read(text, remarks);
        });
  }

  trivet::Verdict check(trivet::Request& request) const {
    // Whose file is away may not come in, and neither may all others: these throw.
    const std::shared_ptr<const UserFile> passwords = passwords_->content();
    const std::shared_ptr<const GroupFile> groups = group_file_ ? group_file_->content() : nullptr;
    const trivet::Phase phase = request.phase();
    if (phase == trivet::Phase::authorizer) {
      const std::string_view name = request.param("REMOTE_USER");
      if (!passwords->knows(name)) return refuse("a user whom the file has not");
      return admit(name, groups.get());
    }
    Credentials given;
    const std::string_view wrong =
        phase == trivet::Phase::authenticator
            ? given.read_parts(request.param("REMOTE_USER"), request.param("REMOTE_PASSWD"), most_password_)
            : given.read_header(request.param("HTTP_AUTHORIZATION"), most_password_);
    if (!wrong.empty()) return challenge(wrong);
    if (!passwords->accepts(given.name, given.password)) {
      // Not the name of who is unknown: people write their password there.
      return challenge(passwords->knows(given.name) ? "wrong password of \"" + given.name + "\""
                                                    : "unknown user");
    }
    return admit(given.name, groups.get());
  }

 private:
  static std::string challenge_of(std::string_view realm, const trivet::Settings& settings) {
    std::string text = "Basic realm=\"";
    for (const char c : realm) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7F) settings.fail("realm", "has to be without control characters");
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    return text + "\", charset=\"UTF-8\"";
  }
  static std::set<Scheme> weak_of(const std::vector<std::string>& words, const trivet::Settings& settings) {
    std::set<Scheme> schemes;
    for (std::size_t at = 0; at < words.size(); ++at) {
      if (words[at] == "des") {
        schemes.insert(Scheme::des);
      } else if (words[at] == "md5") {
        schemes.insert(Scheme::md5);
      } else if (words[at] == "plain") {
        schemes.insert(Scheme::plain);
      } else {
        settings.fail("weak." + std::to_string(at), "has to be one of des, md5, plain");
      }
    }
    return schemes;
  }

  /// Somebody whose password was right, or whom Apache knows.
  [[nodiscard]] trivet::Verdict admit(std::string_view name, const GroupFile* groups) const {
    if (!users_.empty() && users_.find(name) == users_.end()) return refuse("a user who is not in users");
    const auto is_in = [&](const std::string& group) { return groups->has(group, name); };
    if (groups != nullptr && std::none_of(groups_.begin(), groups_.end(), is_in))
      return refuse("a user who is in none of require_groups");
    return trivet::allow().set("REMOTE_USER", name).set("AUTH_TYPE", "Basic");
  }
  [[nodiscard]] trivet::Verdict challenge(std::string_view reason) const {
    return trivet::deny(401)
        .header("WWW-Authenticate", challenge_)
        .header("Content-Type", "text/plain")
        .body("a name and a password are needed\n")
        .reason(reason);
  }
  [[nodiscard]] static trivet::Verdict refuse(std::string_view reason) {
    return trivet::deny(403)
        .header("Content-Type", "text/plain")
        .body("this user may not come in\n")
        .reason(reason);
  }

  std::string challenge_;
  std::set<std::string, std::less<>> users_;
  std::vector<std::string> groups_;
  std::size_t most_password_;
  std::unique_ptr<trivet::FollowedFile<UserFile>> passwords_;
  std::unique_ptr<trivet::FollowedFile<GroupFile>> group_file_;
};

}  // namespace htpasswd

using htpasswd::Htpasswd;
TRIVET_PLUGIN(Htpasswd, "htpasswd", "1.0.0")
