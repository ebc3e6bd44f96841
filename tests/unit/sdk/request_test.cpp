#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <trivet/plugin.hpp>
#include <trivet/testing.hpp>

namespace {

using trivet::Ask;
using trivet::Request;

/// Runs `what` with a request, inside handle.
void with(const Ask& ask, const std::function<void(Request&)>& what) {
  static const std::function<void(Request&)>* running = nullptr;
  struct Runs {
    void handle(Request& request, trivet::Response&) { (*running)(request); }
  };
  static constexpr trivet_plugin plugin = trivet::sdk::entry<Runs>("runs", "1");
  running = &what;
  trivet::FakeHost host(plugin);
  const trivet::Answer answer = host.respond(ask);
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
}

TEST(Request, TellsAbsentFromEmpty) {
  with({.params = {{"A", ""}, {"B", "b"}}}, [](Request& request) {
    EXPECT_EQ(request.param("A"), "");
    EXPECT_EQ(request.param("C"), "");
    EXPECT_EQ(request.find("A"), "");
    EXPECT_EQ(request.find("B"), "b");
    EXPECT_EQ(request.find("C"), std::nullopt);
  });
}

TEST(Request, ListsItsParameters) {
  with({.params = {{"A", "1"}, {"B", "2"}}}, [](Request& request) {
    std::map<std::string, std::string> seen;
    for (const trivet::Param& param : request.params()) seen.emplace(param.name, param.value);
    EXPECT_EQ(seen, (std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}}));
    EXPECT_EQ(request.params().size(), 2U);
  });
  with({}, [](Request& request) { EXPECT_EQ(request.params().begin(), request.params().end()); });
}

TEST(Request, ReadsAHeaderByItsUsualName) {
  with({.params = {{"HTTP_X_API_KEY2", "k"}}}, [](Request& request) {
    EXPECT_EQ(request.header("X-Api-Key2"), "k");
    EXPECT_EQ(request.header("Api-Key2"), "");
  });
}

struct PathCase {
  std::map<std::string, std::string, std::less<>> params;
  const char* path;
};
class RequestPath : public testing::TestWithParam<PathCase> {};

TEST_P(RequestPath, IsWhatTheClientSentWithoutItsQuery) {
  with({.params = GetParam().params}, [](Request& request) { EXPECT_EQ(request.path(), GetParam().path); });
}

INSTANTIATE_TEST_SUITE_P(
    Forms, RequestPath,
    testing::Values(PathCase{{{"REQUEST_URI", "/a%2Fb/?x=/y"}, {"SCRIPT_NAME", "/other"}}, "/a%2Fb/"},
                    PathCase{{{"REQUEST_URI", "http://h:1/a/b?x"}}, "/a/b"},
                    PathCase{{{"REQUEST_URI", "http://h"}}, "/"}, PathCase{{{"REQUEST_URI", "*"}}, "*"},
                    PathCase{{{"REQUEST_URI", "/x?u=http://h/"}}, "/x"},
                    PathCase{{{"SCRIPT_NAME", "/s"}, {"PATH_INFO", "/p"}}, "/s/p"}, PathCase{{}, ""}));

TEST(Request, ReadsTheBodyPieceByPiece) {
  with({.body = {"one", "", "two"}, .ends = trivet::End::cut_short}, [](Request& request) {
    EXPECT_EQ(request.read(), "one");
    EXPECT_EQ(request.end(), trivet::End::not_yet);
    EXPECT_EQ(request.read(), "two");
    EXPECT_EQ(request.read(), std::nullopt);
    EXPECT_EQ(request.end(), trivet::End::cut_short);
    EXPECT_EQ(request.read(), std::nullopt);
  });
}

TEST(Request, ReadsAWholeBodyUpToALimit) {
  for (const auto& pieces : trivet::every_cut("abcdef")) {
    with({.body = pieces}, [](Request& request) { EXPECT_EQ(request.read_all(6), "abcdef"); });
    with({.body = pieces}, [](Request& request) { EXPECT_EQ(request.read_all(5), std::nullopt); });
  }
  with({}, [](Request& request) { EXPECT_EQ(request.read_all(0), ""); });
}

TEST(Request, KnowsItsFacts) {
  with({.body = {"12345"}}, [](Request& request) {
    EXPECT_EQ(request.role(), trivet_role{TRIVET_ROLE_RESPONDER});
    EXPECT_EQ(request.route(), "test");
    EXPECT_EQ(request.id(), "test-1");
    EXPECT_EQ(request.content_length(), 5U);
    EXPECT_EQ(request.data_length(), std::nullopt);
    EXPECT_FALSE(request.cancelled());
  });
}

TEST(Request, HasAPhaseOnlyAsAnAuthorizerBehindApache) {
  with({.params = {{"FCGI_APACHE_ROLE", "AUTHORIZER"}}},
       [](Request& request) { EXPECT_EQ(request.phase(), trivet::Phase::none); });
  static trivet::Phase seen{};
  struct Sees {
    trivet::Verdict check(Request& request) {
      seen = request.phase();
      return trivet::allow();
    }
  };
  static constexpr trivet_plugin plugin = trivet::sdk::entry<Sees>("sees", "1");
  const std::pair<const char*, trivet::Phase> cases[] = {
      {"ACCESS_CHECKER", trivet::Phase::access_checker},
      {"AUTHENTICATOR", trivet::Phase::authenticator},
      {"AUTHORIZER", trivet::Phase::authorizer},
      {"RESPONDER", trivet::Phase::none},
  };
  for (const auto& [role, phase] : cases) {
    Ask ask;
    ask.params["FCGI_APACHE_ROLE"] = role;
    EXPECT_EQ(trivet::FakeHost(plugin).check(ask).allowed, true);
    EXPECT_EQ(seen, phase) << role;
  }
}

struct SecretCase {
  std::string_view given;
  std::string_view expected;
  bool same;
};
class Secrets : public testing::TestWithParam<SecretCase> {};

TEST_P(Secrets, AreEqualOnlyWhenEveryByteIs) {
  EXPECT_EQ(trivet::same_secret(GetParam().given, GetParam().expected), GetParam().same);
}

INSTANTIATE_TEST_SUITE_P(Pairs, Secrets,
                         testing::Values(SecretCase{"abc", "abc", true}, SecretCase{"abd", "abc", false},
                                         SecretCase{"ab", "abc", false}, SecretCase{"abcabc", "abc", false},
                                         SecretCase{"", "abc", false}, SecretCase{"", "", false},
                                         SecretCase{"a", "", false},
                                         SecretCase{std::string_view("abc\0", 4), "abc", false}));

}  // namespace
