#include "runtime/config/account.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>

#include <charconv>
#include <string_view>
#include <vector>

#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

// See the header's Thread.
// NOLINTBEGIN(concurrency-mt-unsafe)

/// -1 means "leave it" to the kernel, and so is nobody's number.
std::optional<std::uint32_t> number_in(std::string_view text) noexcept {
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();  // NOLINT(bugprone-suspicious-stringview-data-usage)
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value == static_cast<std::uint32_t>(-1))
    return std::nullopt;
  return value;
}

std::string cure(const std::string& wrong, const std::vector<std::string>& names, std::string_view what) {
  const std::vector<std::string_view> known(names.begin(), names.end());
  if (const auto meant = closest(wrong, known)) return "did you mean " + in_quotes(*meant) + "?";
  return "make it first, or name another " + std::string(what);
}

std::vector<std::string> names_of_users() {
  std::vector<std::string> names;
  ::setpwent();
  while (const passwd* const each = ::getpwent()) names.emplace_back(each->pw_name);
  ::endpwent();
  return names;
}

std::vector<std::string> names_of_groups() {
  std::vector<std::string> names;
  ::setgrent();
  while (const ::group* const each = ::getgrent()) names.emplace_back(each->gr_name);
  ::endgrent();
  return names;
}

/// All groups of a user, `group` among them.
std::vector<std::uint32_t> groups_of(const char* user, std::uint32_t group) {
  std::vector<gid_t> groups(64);
  for (;;) {
    int count = static_cast<int>(groups.size());
    const bool fits = ::getgrouplist(user, group, groups.data(), &count) >= 0;
    const std::size_t needed = static_cast<std::size_t>(count);
    if (!fits && needed <= groups.size()) return {group};
    groups.resize(needed);
    if (fits) return {groups.begin(), groups.end()};
  }
}

std::optional<std::uint32_t> find_group(Sink& sink, const std::string& text, const Span& span) {
  if (const ::group* const found = ::getgrnam(text.c_str())) return found->gr_gid;
  if (const auto number = number_in(text)) return number;
  sink.error(span, "there is no group " + in_quotes(text), cure(text, names_of_groups(), "group"));
  return std::nullopt;
}

std::optional<Account> find_account(Sink& sink, const std::string& text, const Span& span,
                                    std::optional<std::uint32_t> group) {
  const passwd* found = ::getpwnam(text.c_str());
  const std::optional<std::uint32_t> number = number_in(text);
  if (found == nullptr && number) found = ::getpwuid(*number);
  Account account;
  account.name = text;
  account.place = sink.place(span);
  if (found != nullptr) {
    account.user = found->pw_uid;
    account.group = group.value_or(found->pw_gid);
    const std::string name = found->pw_name;  // What follows overwrites `found`.
    account.groups = groups_of(name.c_str(), account.group);
    return account;
  }
  if (!number) {
    sink.error(span, "there is no user " + in_quotes(text), cure(text, names_of_users(), "user"));
    return std::nullopt;
  }
  if (!group) {
    sink.error(span, "no user has the number " + text + ": it is not known which group is its own",
               "write `group` too");
    return std::nullopt;
  }
  account.user = number.value();
  account.group = *group;
  account.groups = {*group};
  return account;
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace

std::optional<Account> read_account(TableReader& reader, const Account* known) {
  std::string user;
  std::string group;
  const Entry* const user_entry = reader.text("user", user);
  const Entry* const group_entry = reader.text("group", group);
  if (known != nullptr) {
    Account account = *known;
    if (user_entry != nullptr) account.place = reader.sink().place(user_entry->value.span);
    return account;
  }
  std::optional<std::uint32_t> group_number;
  if (group_entry != nullptr) {
    group_number = find_group(reader.sink(), group, group_entry->value.span);
    if (reader.find("user") == nullptr) {
      reader.sink().error(group_entry->key_span, "`group` is the group of `user`, which is not there",
                          "write `user` too, or leave `group` out");
    }
    if (!group_number) return std::nullopt;
  }
  if (user_entry == nullptr) return std::nullopt;
  return find_account(reader.sink(), user, user_entry->value.span, group_number);
}

}  // namespace trivet::config
