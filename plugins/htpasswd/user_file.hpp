#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <trivet/followed_file.hpp>
#include <vector>

#include "password_hash.hpp"

namespace htpasswd {

/// A user's name is at most this long.
inline constexpr std::size_t most_name = 255;

/// The passwords of a file of Apache's: a line is `name:hash`; what a further colon sets off is ignored, as
/// are empty lines and those that begin with `#`.
class UserFile {
 public:
  UserFile() = default;
  UserFile(UserFile&&) = default;  // What by_kind_ points to stays where it is.
  UserFile& operator=(UserFile&&) = default;
  UserFile(const UserFile&) = delete;
  UserFile& operator=(const UserFile&) = delete;
  ~UserFile() = default;

  /// `weak` are the schemes that are taken although they protect nobody any more.
  static UserFile read(std::string_view text, const std::set<Scheme>& weak, trivet::Remarks& remarks);

  [[nodiscard]] bool knows(std::string_view name) const { return users_.find(name) != users_.end(); }
  /// Whether this is the user's password. Of a name that the file has not, the password is compared with that
  /// of another one, whom the name picks, and it is no: so it takes as long as if it had.
  [[nodiscard]] bool accepts(std::string_view name, const Secret& password) const;
  /// The hash that stands in for that of a name which the file has not; the file has some.
  [[nodiscard]] const std::string& stand_in(std::string_view name) const;
  [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }

 private:
  using Users = std::map<std::string, std::string, std::less<>>;
  Users users_;
  std::vector<const std::string*> by_kind_;  ///< All hashes, those of one kind together.
  std::string salt_;                         ///< Nobody knows it who does not know the file.
};

/// The groups of a file of Apache's: a line is `group: name name...`; a group may have several.
class GroupFile {
 public:
  static GroupFile read(std::string_view text, trivet::Remarks& remarks);
  [[nodiscard]] bool has(std::string_view group, std::string_view name) const;

 private:
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> groups_;
};

}  // namespace htpasswd
