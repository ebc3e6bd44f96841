#include "runtime/process/privileges.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace trivet::process {
namespace {

// What changes the process runs in a child of its own, whose exit code is the answer.

constexpr uid_t somebody = 54321;  // No user of this machine has to have the number.
constexpr gid_t some_group = 54322;
constexpr gid_t other_group = 54323;

std::string status(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(field + ":")) continue;
    line.erase(0, line.find_first_not_of(" \t", field.size() + 1));
    while (line.ends_with(' ')) line.pop_back();
    return line;
  }
  return "no such field";
}

[[noreturn]] void end_with(const std::string& wrong) {
  if (!wrong.empty()) std::fprintf(stderr, "%s\n", wrong.c_str());
  std::_Exit(wrong.empty() ? 0 : 1);
}

std::string expect(const std::string& field, const std::string& expected) {
  const std::string found = status(field);
  return found == expected ? "" : field + " is " + found + ", not " + expected + "\n";
}

constexpr const char* none = "0000000000000000";

std::string no_capabilities() {
  return expect("CapInh", none) + expect("CapPrm", none) + expect("CapEff", none) + expect("CapAmb", none);
}

std::string attempt_to_become_somebody() {
  const Account account{somebody, some_group, {some_group, other_group}};
  if (is_current(account)) return "somebody already";
  if (const auto dropped = drop_privileges(account); !dropped) return dropped.error().message;
  if (!is_current(account)) return "not somebody";
  if (can_change_user()) return "can change its user again";
  if (::setuid(0) == 0 || ::setgid(0) == 0 || ::setgroups(0, nullptr) == 0) return "the way back is open";
  if (::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1) return "others may look into it";
  const std::string user = std::to_string(somebody);
  const std::string group = std::to_string(some_group);
  const auto four = [](const std::string& id) { return id + "\t" + id + "\t" + id + "\t" + id; };
  return expect("Uid", four(user)) + expect("Gid", four(group)) +
         expect("Groups", group + " " + std::to_string(other_group)) + no_capabilities() +
         expect("CapBnd", none) + expect("NoNewPrivs", "1");
}

TEST(Privileges, AreGivenUpWithTheUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root becomes somebody else";
  EXPECT_EXIT(end_with(attempt_to_become_somebody()), testing::ExitedWithCode(0), "");
}

TEST(Privileges, OfAUserWhoIsNotRootAreNoneEvenWithoutAChange) {
  const auto attempt = []() -> std::string {
    if (::geteuid() == 0) {
      // A user with capabilities, as a service manager gives them.
      ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
      if (::setresuid(somebody, somebody, somebody) != 0) return "setresuid";
      if (status("CapPrm") == none) return "nothing to give up: nothing is shown";
    }
    if (const auto dropped = drop_privileges({}); !dropped) return dropped.error().message;
    return no_capabilities() + expect("NoNewPrivs", "1");
  };
  EXPECT_EXIT(end_with(attempt()), testing::ExitedWithCode(0), "");
}

TEST(Privileges, OfRootThatStaysRootAreKeptButForNewOnes) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const auto attempt = []() -> std::string {
    const std::string before = status("CapEff");
    if (const auto dropped = drop_privileges({}); !dropped) return dropped.error().message;
    if (!can_change_user()) return "lost its capabilities";
    return expect("CapEff", before) + expect("NoNewPrivs", "1");
  };
  EXPECT_EXIT(end_with(attempt()), testing::ExitedWithCode(0), "");
}

TEST(Privileges, StayWhereTheAccountIsTheCurrentOne) {
  const Account own{::getuid(), ::getgid(), {}};
  const auto attempt = [&]() -> std::string {
    const std::string before = status("Groups");
    if (!is_current(own)) return "not current";
    if (const auto dropped = drop_privileges(own); !dropped) return dropped.error().message;
    if (::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1) return "a debugger of the user cannot look into it";
    return expect("Groups", before);
  };
  EXPECT_EXIT(end_with(attempt()), testing::ExitedWithCode(0), "");
}

TEST(Privileges, ThatAreMissingAreToldBeforeAnythingChanges) {
  const auto attempt = []() -> std::string {
    if (::geteuid() == 0 && ::setresuid(somebody, somebody, somebody) != 0) return "setresuid";
    if (can_change_user()) return "says that it could change its user";
    const auto dropped = drop_privileges(Account{somebody + 1, some_group, {some_group}});
    if (dropped) return "changed its user";
    const std::string& told = dropped.error().message;
    return told == "cannot become the user 54322 (setgroups): Operation not permitted" ? "" : told;
  };
  EXPECT_EXIT(end_with(attempt()), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trivet::process
