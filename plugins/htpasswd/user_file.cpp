#include "user_file.hpp"

#include <apr_sha1.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace htpasswd {
namespace {

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

std::string_view name_of(Scheme scheme) noexcept {
  switch (scheme) {
    case Scheme::des:
      return "des";
    case Scheme::md5:
      return "md5";
    case Scheme::plain:
      return "plain";
    case Scheme::bcrypt:
    case Scheme::yescrypt:
    case Scheme::sha512:
    case Scheme::sha256:
    case Scheme::apr1:
    case Scheme::sha1:
      break;
  }
  return {};
}

bool is_skipped(std::string_view line) noexcept { return line.empty() || line.front() == '#'; }

/// 32 bits that nobody can tell who does not know the salt.
std::uint32_t scatter(std::string_view salt, std::string_view name) noexcept {
  apr_sha1_ctx_t sha1;
  std::array<unsigned char, APR_SHA1_DIGESTSIZE> digest{};
  ::apr_sha1_init(&sha1);
  ::apr_sha1_update(&sha1, salt.data(), static_cast<unsigned>(salt.size()));
  ::apr_sha1_update(&sha1, name.data(), static_cast<unsigned>(name.size()));
  ::apr_sha1_final(digest.data(), &sha1);
  return static_cast<std::uint32_t>(digest[0]) << 24U | static_cast<std::uint32_t>(digest[1]) << 16U |
         static_cast<std::uint32_t>(digest[2]) << 8U | static_cast<std::uint32_t>(digest[3]);
}

/// What is wrong with a user's line; nothing if all is well. Quotes nothing: a line may be a password.
std::string wrong_with(std::string_view name, std::string_view rest, bool is_whole,
                       const std::set<Scheme>& weak) {
  const std::string_view field = rest.substr(0, rest.find(':'));
  if (name.empty()) return "has no name";
  if (name.size() > most_name) return "has a name of more than " + std::to_string(most_name) + " bytes";
  if (has_control(name)) return "has control characters in its name";
  const std::optional<Scheme> scheme = scheme_of(field);
  if (!scheme) return "is no hash of a known scheme, or not a whole one";
  const std::string_view is_weak = name_of(*scheme);
  if (!is_weak.empty() && weak.count(*scheme) == 0)
    return "is of a scheme that protects nobody; weak = [\"" + std::string(is_weak) + "\"] would allow it";
  if (*scheme == Scheme::plain && field.size() != rest.size()) return "has a colon in its password";
  if (*scheme == Scheme::plain && !is_whole) return "has no end: a password may be cut off there";
  return {};
}

}  // namespace

UserFile UserFile::read(std::string_view text, const std::set<Scheme>& weak, trivet::Remarks& remarks) {
  UserFile file;
  trivet::for_each_line(text, [&](std::size_t number, std::string_view line, bool is_whole) {
    if (is_skipped(line)) return;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return remarks.wrong(number, "has no colon: a line is name:hash");
    const std::string_view name = line.substr(0, colon);
    const std::string_view rest = line.substr(colon + 1);
    const std::string_view field = rest.substr(0, rest.find(':'));
    if (const std::string wrong = wrong_with(name, rest, is_whole, weak); !wrong.empty())
      return remarks.wrong(number, wrong);
    if (!file.users_.try_emplace(std::string(name), field).second)
      return remarks.wrong(number, "has a name that was there before; the first line counts");
    if (file.salt_.empty()) file.salt_ = field;
  });
  for (const auto& [name, field] : file.users_) file.by_kind_.push_back(&field);
  std::stable_sort(file.by_kind_.begin(), file.by_kind_.end(),
                   [](const std::string* a, const std::string* b) { return kind_of(*a) < kind_of(*b); });
  return file;
}

/// Where a file has hashes of several kinds, names that it has not take the times of all of them in the same
/// proportion, each name always the same: so no time tells that a name is known.
const std::string& UserFile::stand_in(std::string_view name) const {
  const std::uint64_t place = static_cast<std::uint64_t>(scatter(salt_, name)) * by_kind_.size();
  return *by_kind_[place >> 32U];
}

bool UserFile::accepts(std::string_view name, const Secret& password) const {
  if (users_.empty()) return false;
  const std::string* field = &stand_in(name);
  const auto user = users_.find(name);
  const bool is_known = user != users_.end();
  if (is_known) field = &user->second;
  const bool fits = matches(password, *field);
  return is_known && fits;
}

GroupFile GroupFile::read(std::string_view text, trivet::Remarks& remarks) {
  GroupFile file;
  trivet::for_each_line(text, [&](std::size_t number, std::string_view line, bool is_whole) {
    if (is_skipped(line)) return;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return remarks.wrong(number, "has no group: a line is group: name name");
    if (!is_whole) return remarks.wrong(number, "has no end: a name may be cut off there");
    auto& members = file.groups_[std::string(line.substr(0, colon))];
    std::string_view rest = line.substr(colon + 1);
    constexpr std::string_view blank = " \t";
    for (std::size_t at = 0; (at = rest.find_first_not_of(blank)) != std::string_view::npos;) {
      rest.remove_prefix(at);
      const std::string_view name = rest.substr(0, rest.find_first_of(blank));
      members.emplace(name);
      rest.remove_prefix(name.size());
    }
  });
  return file;
}

bool GroupFile::has(std::string_view group, std::string_view name) const {
  const auto found = groups_.find(group);
  return found != groups_.end() && found->second.find(name) != found->second.end();
}

}  // namespace htpasswd
