#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <trivet/testing.hpp>
#include <vector>

namespace {

trivet::Answer ask(trivet::FakeHost& host, const std::string& address, const std::string& forwarded = "") {
  trivet::Ask ask;
  ask.params = {{"REMOTE_ADDR", address}};
  if (!forwarded.empty()) ask.params["HTTP_X_FORWARDED_FOR"] = forwarded;
  return host.check(ask);
}

struct Case {
  const char* name;
  const char* address;
  const char* reason;  ///< Empty: allowed.
};
class CidrLists : public testing::TestWithParam<Case> {};

TEST_P(CidrLists, LetInWhoIsAllowedAndNotDenied) {
  trivet::FakeHost host;
  host.set("allow.0", "10.0.0.0/8").set("allow.1", "2001:db8::/32").set("allow.2", "192.0.2.1");
  host.set("deny.0", "10.1.0.0/16").set("deny.1", "198.51.100.0/24");
  const trivet::Answer answer = ask(host, GetParam().address);
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  EXPECT_EQ(answer.allowed, *GetParam().reason == '\0');
  EXPECT_EQ(answer.reason, GetParam().reason);
  if (answer.allowed == true) {
    EXPECT_TRUE(answer.variables.empty());
    return;
  }
  EXPECT_EQ(answer.status, 403U);
  EXPECT_EQ(answer.body, "this address may not come in\n");
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, CidrLists,
    testing::Values(Case{"Allowed", "10.2.3.4", ""}, Case{"Mapped", "::ffff:10.2.3.4", ""},
                    Case{"Six", "2001:db8::9", ""}, Case{"TheOne", "192.0.2.1", ""},
                    Case{"Denied", "10.1.2.3", "10.1.2.3 is in deny"},
                    Case{"DeniedMapped", "::ffff:10.1.2.3", "::ffff:10.1.2.3 is in deny"},
                    Case{"Neither", "192.0.2.2", "192.0.2.2 is in no list of those who may"},
                    Case{"OtherSix", "::1", "::1 is in no list of those who may"},
                    Case{"Zone", "fe80::1%eth0", "REMOTE_ADDR has a zone: \"fe80::1%eth0\""},
                    Case{"Port", "10.2.3.4:80", "REMOTE_ADDR has a port: \"10.2.3.4:80\""},
                    Case{"Socket", "unix:", "REMOTE_ADDR is a unix socket: \"unix:\""},
                    Case{"Odd", "10.2.3.4, 10.2.3.4", "REMOTE_ADDR is no address: \"10.2.3.4, 10.2.3.4\""},
                    Case{"Empty", "", "REMOTE_ADDR is empty: \"\""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Cidr, AllowsAllOthersWhereItOnlyDenies) {
  trivet::FakeHost host;
  host.set("deny.0", "10.1.0.0/16");
  EXPECT_EQ(ask(host, "192.0.2.1").allowed, true);
  EXPECT_EQ(ask(host, "2001:db8::1").allowed, true);
  EXPECT_EQ(ask(host, "10.1.0.0").allowed, false);
  EXPECT_EQ(ask(host, "nonsense").allowed, false) << "who is nobody is not everybody else";
  EXPECT_EQ(host.check({}).allowed, false);
}

TEST(Cidr, ShowsNoMoreThanTheBeginningOfAnOddText) {
  trivet::FakeHost host;
  host.set("deny.0", "10.1.0.0/16");
  EXPECT_EQ(ask(host, std::string(5000, 'x')).reason,
            "REMOTE_ADDR is no address: \"" + std::string(60, 'x') + "\"");
}

TEST(Cidr, LooksAtTheParameterAndDeniesWithTheStatusThatAreConfigured) {
  trivet::FakeHost host;
  host.set("allow.0", "10.0.0.0/8").set("parameter", "REAL_CLIENT").set("status", 404);
  EXPECT_EQ(host.check({.params = {{"REAL_CLIENT", "10.0.0.1"}, {"REMOTE_ADDR", "192.0.2.1"}}}).allowed,
            true);
  const trivet::Answer denied = host.check({.params = {{"REMOTE_ADDR", "10.0.0.1"}}});
  EXPECT_EQ(denied.status, 404U);
  EXPECT_EQ(denied.reason, "REAL_CLIENT is empty: \"\"");
}

struct Hops {
  const char* name;
  const char* address;
  const char* forwarded;
  const char* reason;
};
class CidrForwarded : public testing::TestWithParam<Hops> {};

TEST_P(CidrForwarded, BelievesOnlyWhatTrustedProxiesSay) {
  trivet::FakeHost host;
  host.set("allow.0", "203.0.113.0/24").set("allow.1", "10.0.0.9");
  host.set("forwarded", "HTTP_X_FORWARDED_FOR")
      .set("trusted.0", "10.0.0.0/8")
      .set("trusted.1", "2001:db8::/32");
  const trivet::Answer answer = ask(host, GetParam().address, GetParam().forwarded);
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  EXPECT_EQ(answer.reason, GetParam().reason);
  EXPECT_EQ(answer.allowed, *GetParam().reason == '\0');
}

constexpr const char* not_allowed = "198.51.100.1 is in no list of those who may";
INSTANTIATE_TEST_SUITE_P(
    Hops, CidrForwarded,
    testing::Values(
        Hops{"OneProxy", "10.0.0.1", "203.0.113.5", ""},
        Hops{"TwoProxies", "10.0.0.1", "203.0.113.5, 10.0.0.2", ""},
        Hops{"ProxiesOfBothKinds", "2001:db8::1", "203.0.113.5,2001:db8::2 ,\t10.0.0.2", ""},
        Hops{"MappedProxy", "::ffff:10.0.0.1", "203.0.113.5", ""},
        Hops{"NoProxy", "203.0.113.5", "198.51.100.1", ""},
        // The client wrote the first ones.
        Hops{"Claimed", "10.0.0.1", "203.0.113.5, 198.51.100.1", not_allowed},
        Hops{"ClaimedBeforeProxies", "10.0.0.1", "203.0.113.5, 198.51.100.1, 10.0.0.2", not_allowed},
        Hops{"ClaimedByAStranger", "198.51.100.1", "203.0.113.5", not_allowed},
        Hops{"ClaimedNonsense", "10.0.0.1", "nonsense, 203.0.113.5", ""},
        Hops{"Nonsense", "10.0.0.1", "203.0.113.5, nonsense",
             "HTTP_X_FORWARDED_FOR is no address: \"nonsense\""},
        Hops{"Unknown", "10.0.0.1", "unknown", "HTTP_X_FORWARDED_FOR is no address: \"unknown\""},
        Hops{"Port", "10.0.0.1", "203.0.113.5:4711", "HTTP_X_FORWARDED_FOR has a port: \"203.0.113.5:4711\""},
        Hops{"EmptyHop", "10.0.0.1", "203.0.113.5,", "HTTP_X_FORWARDED_FOR is empty: \"\""},
        Hops{"OnlyBlanks", "10.0.0.1", "  ", "HTTP_X_FORWARDED_FOR is empty: \"\""},
        // The proxy itself asks.
        Hops{"NoHops", "10.0.0.1", "", "10.0.0.1 is in no list of those who may"},
        Hops{"OnlyProxies", "10.0.0.1", "10.0.0.9, 10.0.0.2", ""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CidrForwardedHeader, IsNothingWithoutTheSetting) {
  trivet::FakeHost host;
  host.set("allow.0", "203.0.113.0/24");
  EXPECT_EQ(ask(host, "10.0.0.1", "203.0.113.5").allowed, false);
}

class CidrFiles : public testing::Test {
 protected:
  CidrFiles() : folder_(testing::TempDir() + "/cidr-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    host_ = std::make_unique<trivet::FakeHost>();
    host_->set("recheck_ms", 100);
  }
  ~CidrFiles() override {
    host_.reset();
    std::filesystem::remove_all(folder_);
  }
  CidrFiles(const CidrFiles&) = delete;
  CidrFiles& operator=(const CidrFiles&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/next") << text;
    std::filesystem::rename(folder_ + "/next", folder_ + "/" + name);
    return folder_ + "/" + name;
  }
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

TEST_F(CidrFiles, AreFollowed) {
  host_->set("allow_file", write("allow", "10.0.0.0/8\n")).set("deny_file", write("deny", "10.1.0.0/16\n"));
  EXPECT_EQ(ask(*host_, "10.0.0.1").allowed, true);
  EXPECT_EQ(ask(*host_, "10.1.0.1").reason, "10.1.0.1 is in deny_file");
  EXPECT_EQ(ask(*host_, "192.0.2.1").reason, "192.0.2.1 is in no list of those who may");
  write("deny", "10.0.0.1\n");
  EXPECT_TRUE(eventually([&] { return ask(*host_, "10.0.0.1").allowed == false; }));
  EXPECT_EQ(ask(*host_, "10.1.0.1").allowed, true);
}

TEST_F(CidrFiles, AddToTheLists) {
  host_->set("allow.0", "192.0.2.0/24").set("allow_file", write("allow", "10.0.0.0/8\n"));
  for (const char* address : {"192.0.2.1", "10.0.0.1"})
    EXPECT_EQ(ask(*host_, address).allowed, true) << address;
}

TEST_F(CidrFiles, AllowNobodyWhenEmpty) {
  host_->set("allow_file", write("allow", ""));
  EXPECT_EQ(ask(*host_, "10.0.0.1").allowed, false);
}

TEST_F(CidrFiles, FailForEverybodyWhileTheyAreAway) {
  host_->set("deny_file", write("deny", "10.1.0.0/16\n"));
  EXPECT_EQ(ask(*host_, "10.0.0.1").allowed, true);
  std::filesystem::remove(folder_ + "/deny");
  EXPECT_TRUE(eventually([&] { return ask(*host_, "10.0.0.1").result == TRIVET_E_FAILED; }));
  EXPECT_EQ(ask(*host_, "10.0.0.1").failure, folder_ + "/deny: No such file or directory");
  write("deny", "10.1.0.0/16\n");
  EXPECT_TRUE(eventually([&] { return ask(*host_, "10.0.0.1").allowed == true; }));
}

TEST_F(CidrFiles, OfWhomToDenyHaveToBeRightAtTheStart) {
  host_->set("deny_file", write("deny", "10.0.0.1/8\n"));
  EXPECT_FALSE(host_->start());
  EXPECT_EQ(host_->errors(), std::vector<std::string>{"deny_file: " + folder_ +
                                                      "/deny: line 1 has more bits than its length says: "
                                                      "10.0.0.0/8 or the address alone is meant"});
}

TEST_F(CidrFiles, MayHaveAHundredThousandPrefixes) {
  std::string text;
  for (int at = 0; at < 100'000; ++at)
    text += "10." + std::to_string(at / 1000) + "." + std::to_string(at / 4 % 250) + "." +
            std::to_string(at % 4 * 2) + "\n";
  host_->set("deny_file", write("deny", text));
  EXPECT_EQ(ask(*host_, "10.99.249.6").allowed, false);
  EXPECT_EQ(ask(*host_, "10.99.249.7").allowed, true);
}

struct Wrong {
  const char* name;
  std::vector<std::pair<const char*, const char*>> settings;
  const char* error;
};
void PrintTo(const Wrong& it, std::ostream* out) { *out << it.name; }
class CidrSettings : public testing::TestWithParam<Wrong> {};

TEST_P(CidrSettings, AreRefusedWithACure) {
  trivet::FakeHost host;
  for (const auto& [key, value] : GetParam().settings) host.set(key, value);
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    Settings, CidrSettings,
    testing::Values(
        Wrong{"None", {}, "needs one of allow, deny, allow_file, deny_file"},
        Wrong{"NoAddress",
              {{"allow.0", "10.0.0.0/8"}, {"allow.1", "example.org"}},
              "allow.1: is no address and no prefix such as 192.0.2.0/24 or 2001:db8::/32"},
        Wrong{"MoreBits",
              {{"deny.0", "10.0.0.1/8"}},
              "deny.0: has more bits than its length says: 10.0.0.0/8 or the address alone is meant"},
        Wrong{"AHeader",
              {{"allow.0", "10.0.0.0/8"}, {"parameter", "HTTP_X_REAL_IP"}},
              "parameter: is the client's own word: name it in forwarded, with the proxies in trusted"},
        Wrong{"ForwardedByAnybody",
              {{"allow.0", "10.0.0.0/8"}, {"forwarded", "HTTP_X_FORWARDED_FOR"}},
              "forwarded: needs the proxies in trusted"},
        Wrong{"TrustedForNothing",
              {{"allow.0", "10.0.0.0/8"}, {"trusted.0", "10.0.0.1"}},
              "trusted: is of no use without forwarded"},
        Wrong{"NoFile",
              {{"allow_file", "/nowhere/list"}},
              "allow_file: /nowhere/list: No such file or directory"},
        Wrong{"RelativeFile", {{"deny_file", "list"}}, "deny_file: has to be an absolute path"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
