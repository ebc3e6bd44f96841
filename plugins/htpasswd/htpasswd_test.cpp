#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <trivet/testing.hpp>
#include <vector>

namespace {

using Params = std::map<std::string, std::string, std::less<>>;

constexpr const char* ann_open = "Basic YW5uOm9wZW4=";
constexpr const char* ann_sesame = "Basic YW5uOnNlc2FtZQ==";
constexpr const char* bob_sesame = "Basic Ym9iOnNlc2FtZQ==";
constexpr const char* eve_open = "Basic ZXZlOm9wZW4=";

/// ann, whose password is `open`, and bob, whose is `sesame`; ann and cid are of the group staff.
class HtpasswdChecks : public testing::Test {
 protected:
  HtpasswdChecks() : folder_(testing::TempDir() + "/htpasswd-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    write("users", ann_line() + "bob:{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=\n");
    write("groups", "staff: ann cid\nothers: bob\n");
    host_ = std::make_unique<trivet::FakeHost>();
    host_->set("file", folder_ + "/users");
  }
  ~HtpasswdChecks() override {
    host_.reset();
    std::filesystem::remove_all(folder_);
  }
  HtpasswdChecks(const HtpasswdChecks&) = delete;
  HtpasswdChecks& operator=(const HtpasswdChecks&) = delete;

  static std::string ann_line() { return "ann:{SHA}X8fji//gDKRq3YkUVGSi6vdZ1cI=\n"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/next") << text;
    std::filesystem::rename(folder_ + "/next", folder_ + "/" + name);
  }
  trivet::Answer ask(Params params) { return host_->check({.params = std::move(params)}); }
  trivet::Answer basic(const char* header) { return ask({{"HTTP_AUTHORIZATION", header}}); }
  /// Until `is_so`, which another thread sees to.
  template <class Condition>
  static bool eventually(const Condition& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::string folder_;
  std::unique_ptr<trivet::FakeHost> host_;
};

TEST_F(HtpasswdChecks, LetAUserInWithHisPasswordAndSayWhoItIs) {
  const trivet::Answer answer = basic(ann_open);
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  EXPECT_EQ(answer.allowed, true);
  EXPECT_EQ(answer.variables.at("REMOTE_USER"), "ann");
  EXPECT_EQ(answer.variables.at("AUTH_TYPE"), "Basic");
  EXPECT_EQ(answer.variables.size(), 2U);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.log, std::vector<std::string>{});
}

struct Refused {
  const char* name;
  Params params;
  const char* reason;
};
class HtpasswdRefuses : public HtpasswdChecks, public testing::WithParamInterface<Refused> {};

TEST_P(HtpasswdRefuses, WithAChallengeAndAReasonWithoutSecrets) {
  const trivet::Answer answer = ask(GetParam().params);
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  EXPECT_EQ(answer.allowed, false);
  EXPECT_EQ(answer.status, 401U);
  EXPECT_EQ(answer.header("WWW-Authenticate"), "Basic realm=\"restricted\", charset=\"UTF-8\"");
  EXPECT_EQ(answer.reason, GetParam().reason);
  EXPECT_TRUE(answer.variables.empty());
  EXPECT_EQ(answer.log, std::vector<std::string>{});
}

const char* const authenticator = "AUTHENTICATOR";
INSTANTIATE_TEST_SUITE_P(
    Requests, HtpasswdRefuses,
    testing::Values(
        Refused{"Nothing", {}, "no credentials"},
        Refused{"WrongPassword", {{"HTTP_AUTHORIZATION", ann_sesame}}, "wrong password of \"ann\""},
        Refused{"UnknownUser", {{"HTTP_AUTHORIZATION", eve_open}}, "unknown user"},
        Refused{"NoBase64", {{"HTTP_AUTHORIZATION", "Basic !"}}, "credentials that are no base64"},
        Refused{"Bearer",
                {{"HTTP_AUTHORIZATION", "Bearer YW5uOm9wZW4="}},
                "credentials of another scheme than Basic"},
        // What a web server says of a user whom nobody has verified is worth nothing.
        Refused{"RemoteUser", {{"REMOTE_USER", "ann"}, {"AUTH_TYPE", "Basic"}}, "no credentials"},
        Refused{"RemotePassword", {{"REMOTE_USER", "ann"}, {"REMOTE_PASSWD", "open"}}, "no credentials"},
        Refused{"AccessChecker",
                {{"FCGI_APACHE_ROLE", "ACCESS_CHECKER"}, {"REMOTE_USER", "ann"}, {"REMOTE_PASSWD", "open"}},
                "no credentials"},
        Refused{
            "UnknownPhase", {{"FCGI_APACHE_ROLE", "authorizer"}, {"REMOTE_USER", "ann"}}, "no credentials"},
        Refused{"AuthenticatorWithoutPassword",
                {{"FCGI_APACHE_ROLE", authenticator}, {"REMOTE_USER", "ann"}},
                "an empty password"},
        Refused{"AuthenticatorWithTheHeaderAlone",
                {{"FCGI_APACHE_ROLE", authenticator}, {"HTTP_AUTHORIZATION", ann_open}},
                "a user without a name"},
        Refused{"AuthenticatorWithAWrongPassword",
                {{"FCGI_APACHE_ROLE", authenticator},
                 {"REMOTE_USER", "ann"},
                 {"REMOTE_PASSWD", "sesame"},
                 {"HTTP_AUTHORIZATION", ann_open}},
                "wrong password of \"ann\""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(HtpasswdChecks, AnswerEachOfApachesQuestions) {
  EXPECT_EQ(ask({{"FCGI_APACHE_ROLE", "ACCESS_CHECKER"}, {"HTTP_AUTHORIZATION", ann_open}}).allowed, true);
  const trivet::Answer authenticated =
      ask({{"FCGI_APACHE_ROLE", authenticator}, {"REMOTE_USER", "ann"}, {"REMOTE_PASSWD", "open"}});
  EXPECT_EQ(authenticated.allowed, true);
  EXPECT_EQ(authenticated.variables.at("REMOTE_USER"), "ann");
  EXPECT_EQ(ask({{"FCGI_APACHE_ROLE", "AUTHORIZER"}, {"REMOTE_USER", "ann"}}).allowed, true);
  for (const char* name : {"eve", "", "ann "}) {
    const trivet::Answer refused = ask({{"FCGI_APACHE_ROLE", "AUTHORIZER"}, {"REMOTE_USER", name}});
    EXPECT_EQ(refused.allowed, false) << name;
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(refused.reason, "a user whom the file has not");
  }
}

TEST_F(HtpasswdChecks, LetOnlyTheListedUsersIn) {
  host_->set("users.0", "ann").set("users.1", "eve");
  EXPECT_EQ(basic(ann_open).allowed, true);
  EXPECT_EQ(basic(eve_open).status, 401U) << "a list gives nobody a password";
  const trivet::Answer refused = basic(bob_sesame);
  EXPECT_EQ(refused.allowed, false);
  EXPECT_EQ(refused.status, 403U);
  EXPECT_EQ(refused.reason, "a user who is not in users");
  EXPECT_EQ(refused.header("WWW-Authenticate"), std::nullopt);
  EXPECT_EQ(ask({{"FCGI_APACHE_ROLE", "AUTHORIZER"}, {"REMOTE_USER", "bob"}}).status, 403U);
}

TEST_F(HtpasswdChecks, LetOnlyMembersOfTheGroupsIn) {
  host_->set("group_file", folder_ + "/groups")
      .set("require_groups.0", "staff")
      .set("require_groups.1", "nobody");
  EXPECT_EQ(basic(ann_open).allowed, true);
  const trivet::Answer refused = basic(bob_sesame);
  EXPECT_EQ(refused.status, 403U);
  EXPECT_EQ(refused.reason, "a user who is in none of require_groups");
  EXPECT_EQ(ask({{"FCGI_APACHE_ROLE", "AUTHORIZER"}, {"REMOTE_USER", "ann"}}).allowed, true);
  EXPECT_EQ(ask({{"FCGI_APACHE_ROLE", "AUTHORIZER"}, {"REMOTE_USER", "cid"}}).allowed, false)
      << "a member without a password";
}

TEST_F(HtpasswdChecks, WantBothListsToAgree) {
  host_->set("group_file", folder_ + "/groups").set("require_groups.0", "others").set("users.0", "ann");
  EXPECT_EQ(basic(ann_open).status, 403U);
  EXPECT_EQ(basic(bob_sesame).status, 403U);
}

TEST_F(HtpasswdChecks, EscapeTheRealm) {
  host_->set("realm", "Ann's \"own\" \\ B\xC3\xBCro");
  EXPECT_EQ(ask({}).header("WWW-Authenticate"),
            "Basic realm=\"Ann's \\\"own\\\" \\\\ B\xC3\xBCro\", charset=\"UTF-8\"");
}

TEST_F(HtpasswdChecks, BoundThePassword) {
  host_->set("password_bytes", 8);
  EXPECT_EQ(basic("Basic YW5uOjEyMzQ1Njc4").reason, "wrong password of \"ann\"");
  EXPECT_EQ(basic("Basic YW5uOjEyMzQ1Njc4OQ==").reason, "the password is too long");
}

TEST_F(HtpasswdChecks, TakeWeakSchemesOnlyWhereTheyAreTold) {
  write("users", "ann:{PLAIN}open\n");
  EXPECT_EQ(basic(ann_open).status, 401U);
  trivet::FakeHost other;
  other.set("file", folder_ + "/users").set("weak.0", "plain");
  EXPECT_EQ(other.check({.params = {{"HTTP_AUTHORIZATION", ann_open}}}).allowed, true);
}

TEST_F(HtpasswdChecks, FollowTheFile) {
  host_->set("recheck_ms", 100);
  EXPECT_EQ(basic(bob_sesame).allowed, true);
  write("users", ann_line());
  EXPECT_TRUE(eventually([&] { return basic(bob_sesame).allowed == false; }));
  EXPECT_EQ(basic(ann_open).allowed, true);
  EXPECT_EQ(basic(bob_sesame).status, 401U);
}

TEST_F(HtpasswdChecks, FailForEverybodyWhileTheFileIsAwayAndComeBackByThemselves) {
  host_->set("recheck_ms", 100);
  EXPECT_EQ(basic(ann_open).allowed, true);
  std::filesystem::remove(folder_ + "/users");
  EXPECT_TRUE(eventually([&] { return basic(ann_open).result == TRIVET_E_FAILED; }));
  const trivet::Answer failed = basic(ann_open);
  EXPECT_EQ(failed.allowed, std::nullopt);
  EXPECT_EQ(failed.failure, folder_ + "/users: No such file or directory");
  write("users", ann_line());
  EXPECT_TRUE(eventually([&] { return basic(ann_open).allowed == true; }));
}

TEST_F(HtpasswdChecks, FailForEverybodyWhileTheGroupsAreAway) {
  host_->set("recheck_ms", 100).set("group_file", folder_ + "/groups").set("require_groups.0", "staff");
  EXPECT_EQ(basic(ann_open).allowed, true);
  std::filesystem::remove(folder_ + "/groups");
  EXPECT_TRUE(eventually([&] { return basic(ann_open).result == TRIVET_E_FAILED; }));
}

struct Wrong {
  const char* name;
  const char* key;
  const char* value;
  const char* error;
};
class HtpasswdSettings : public HtpasswdChecks, public testing::WithParamInterface<Wrong> {};

TEST_P(HtpasswdSettings, AreRefusedWhereTheyWouldOpenOrCloseTheDoor) {
  host_->set(GetParam().key, GetParam().value);
  EXPECT_FALSE(host_->start());
  EXPECT_EQ(host_->errors(), std::vector<std::string>{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    Settings, HtpasswdSettings,
    testing::Values(
        Wrong{"NoFile", "file", "/nowhere/users", "file: /nowhere/users: No such file or directory"},
        Wrong{"Relative", "file", "users", "file: has to be an absolute path"},
        Wrong{"AFolder", "file", "/", "file: /: is no regular file"},
        Wrong{"ADevice", "file", "/dev/zero", "file: /dev/zero: is no regular file"},
        Wrong{"ControlInRealm", "realm", "a\nb", "realm: has to be without control characters"},
        Wrong{"OtherWeak", "weak.0", "crypt", "weak.0: has to be one of des, md5, plain"},
        Wrong{"GroupsWithoutFile", "require_groups.0", "staff", "require_groups: needs a group_file"},
        Wrong{"FileWithoutGroups", "group_file", "/etc/group",
              "group_file: is of no use without require_groups"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(HtpasswdChecks, RefuseAFileThatIsLargerThanTheBound) {
  write("users", std::string(1025, '\n'));
  host_->set("file_bytes", 1024);
  EXPECT_FALSE(host_->start());
  EXPECT_EQ(host_->errors(),
            std::vector<std::string>{"file: " + folder_ + "/users: is larger than 1024 bytes"});
}

TEST_F(HtpasswdChecks, StartWithAFileOfWhichALineIsWrong) {
  write("users", ann_line() + "bob\n");
  EXPECT_TRUE(host_->start());
  EXPECT_EQ(basic(ann_open).allowed, true);
}

TEST(Htpasswd, NeedsAFile) {
  trivet::FakeHost host;
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{"file: is missing"});
}

}  // namespace
