#include "runtime/plugin/trust.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace trivet::plugin {
namespace {

// All of this is [startup]: the functions of the user database are used without their locks.
// NOLINTBEGIN(concurrency-mt-unsafe)

std::string name_of_user(uid_t user) {
  const passwd* const entry = ::getpwuid(user);
  return entry == nullptr ? "number " + std::to_string(user) : "\"" + std::string(entry->pw_name) + "\"";
}

class Judge {
 public:
  explicit Judge(uid_t also) noexcept : trusted_{0, ::geteuid(), also} {}

  /// Empty, or why `what` is not fit. In a sticky folder names belong to their owners.
  [[nodiscard]] std::string refuse(const std::string& what, const struct stat& about) const {
    const bool sticky = S_ISDIR(about.st_mode) && (about.st_mode & S_ISVTX) != 0;
    const std::string quoted = "\"" + what + "\"";
    if (!is_trusted(about.st_uid)) {
      return "could be replaced by the user " + name_of_user(about.st_uid) + ", who owns " + quoted +
             ": give it to root or to the host's user (chown)";
    }
    if ((about.st_mode & S_IWOTH) != 0 && !sticky)
      return "could be replaced by everybody, who may write " + quoted + ": chmod o-w it";
    if ((about.st_mode & S_IWGRP) != 0 && !sticky && !is_own_group(about.st_gid))
      return "could be replaced by the group " + name_of_group(about.st_gid) + ", which may write " + quoted +
             ": chmod g-w it";
    return {};
  }

 private:
  [[nodiscard]] bool is_trusted(uid_t user) const noexcept {
    return std::find(trusted_.begin(), trusted_.end(), user) != trusted_.end();
  }

  static std::string name_of_group(gid_t group) {
    const struct group* const entry = ::getgrgid(group);
    return entry == nullptr ? "number " + std::to_string(group) : "\"" + std::string(entry->gr_name) + "\"";
  }

  /// A group of one: named as its user, or root's, with no other members.
  [[nodiscard]] bool is_own_group(gid_t group) const {
    const struct group* const entry = ::getgrgid(group);
    if (entry == nullptr) return false;
    const std::string name = entry->gr_name;
    for (char** member = entry->gr_mem; *member != nullptr; ++member) {
      const passwd* const user = ::getpwnam(*member);
      if (user == nullptr || !is_trusted(user->pw_uid)) return false;
    }
    const passwd* const user = ::getpwnam(name.c_str());
    return user != nullptr && user->pw_gid == group && is_trusted(user->pw_uid);
  }

  std::array<uid_t, 3> trusted_;
};

// NOLINTEND(concurrency-mt-unsafe)

/// Each folder above `path`, the root included, but those above this program: who could change those could
/// change the program.
std::string refuse_folders(const Judge& judge, std::filesystem::path path) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  while (path.has_relative_path()) {
    path = path.parent_path();
    const auto [end, rest] = std::mismatch(path.begin(), path.end(), program.begin(), program.end());
    if (end == path.end()) return {};  // As are all that follow.
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) continue;  // Gone: the file was opened before.
    if (std::string refused = judge.refuse(path.string(), about); !refused.empty()) return refused;
  }
  return {};
}

}  // namespace

std::string refuse_writers(const std::string& path, int descriptor, uid_t also) {
  const Judge judge(also);
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) return "cannot be looked at";
  if (std::string refused = judge.refuse(path, about); !refused.empty()) return refused;
  if (std::string refused = refuse_folders(judge, path); !refused.empty()) return refused;
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error || real == path) return {};
  return refuse_folders(judge, real);
}

uid_t owner_of(const std::string& path) noexcept {
  struct stat about{};
  return ::stat(path.c_str(), &about) == 0 ? about.st_uid : 0;
}

}  // namespace trivet::plugin
