#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// What the logs say of requests.
namespace trivet::host::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Tells everything it should not.
struct Blabber {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) {
    const std::string secret(request.param("HTTP_AUTHORIZATION"));
    request.log(trivet::Level::warn, "it is " + secret);
    if (request.query() == "fail") throw std::runtime_error("I know " + secret);
    out << request.id();
  }
};

/// Answers on a plugin thread, after a while.
struct SlowHello {
  static inline std::atomic<int> entered{0};
  static inline std::atomic<bool> hold{true};
  void handle(trivet::Request&, trivet::Response& out) {
    ++entered;
    while (hold.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    out << "hello";
  }
};

class Journal : public ::testing::Test {
 protected:
  Journal() {
    bench.add<Hello>("hello");
    bench.add<Gate>("gate");
    bench.add<Head>("head");
    bench.add<BlockingEcho>("echo", 1);
    bench.add<Upper>("upper");
    bench.add<Pour>("pour");
    bench.add<Blabber>("blabber");
    bench.add<SlowGate>("slow-gate", 1);
    bench.add<SlowHello>("slow-hello", 1);
    for (const char* each : {"hello", "head", "echo", "pour", "blabber"}) {
      bench.route(each, std::string("/") + each).respond = each;
    }
    config::Route& guarded = bench.route("guarded", "/guarded");
    guarded.respond = "hello";
    config::Guard guard;
    guard.kind = config::Guard::Kind::plugin;
    guard.plugin = "gate";
    guarded.authorize.push_back(guard);
    config::Route& slow = bench.route("slow", "/slow");
    slow.respond = "slow-hello";
    slow.variables = {"REMOTE_USER"};
    guard.plugin = "slow-gate";
    slow.authorize.push_back(guard);
    bench.route("two \"words\"", "/words").respond = "hello";
    bench.route("shout", "/shout").filter = {{.plugin = "upper"}};
    bench.open();
    bench.environment().journal = {
        &access, {cgi::ParamName("HTTP_AUTHORIZATION"), cgi::ParamName("QUERY_STRING")}, {}};
  }

  /// The access lines of one request.
  std::vector<std::string> lines(const std::string& uri, Ask with = {}) {
    access.clear();
    with.params.emplace_back("QUERY_STRING", uri.substr(std::min(uri.find('?'), uri.size() - 1) + 1));
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    wire.wait();
    return access.lines();
  }

  Bench bench{log::Level::trace};
  log::MemoryAccessLog access;
};

struct AccessCase {
  const char* name;
  const char* uri;
  Ask ask;
  const char* before;  ///< The times.
  const char* after;
};

class AccessOf : public Journal, public ::testing::WithParamInterface<AccessCase> {};

TEST_P(AccessOf, IsOneLineThatSaysHowItEnded) {
  const AccessCase& each = GetParam();
  const std::string begin = "info  access " + std::string(each.before);
  EXPECT_THAT(lines(each.uri, each.ask),
              ElementsAre(AllOf(AnyOf(StartsWith(begin + "head_us="), StartsWith(begin + "guards_us=")),
                                EndsWith(each.after))));
}

INSTANTIATE_TEST_SUITE_P(
    Table, AccessOf,
    ::testing::Values(
        AccessCase{"Responder", "/hello", {}, "route=hello status=200 sent=6 ", " method=GET uri=/hello"},
        AccessCase{"Body",
                   "/echo",
                   {.body = "0123456789"},
                   "route=echo status=200 received=10 sent=10 ",
                   " method=POST uri=/echo"},
        AccessCase{"Head",
                   "/hello",
                   {.params = {{"REQUEST_METHOD", "HEAD"}}},
                   "route=hello status=200 sent=0 ",
                   " method=HEAD uri=/hello"},
        AccessCase{"Large",
                   "/pour?200000",
                   {},
                   "route=pour status=200 sent=200000 ",
                   " method=GET uri=\"/pour?[redacted]\""},
        AccessCase{"Filter",
                   "/shout",
                   {.role = 3, .data = "abc"},
                   "route=shout role=filter status=200 received=3 sent=3 ",
                   " method=GET uri=/shout"},
        AccessCase{"Granted",
                   "/guarded",
                   {.role = 2, .params = {{"HTTP_X_KEY", "good"}}},
                   "route=guarded role=authorizer status=200 sent=0 ",
                   " method=GET uri=/guarded"},
        AccessCase{"Denied",
                   "/guarded",
                   {.role = 2},
                   "route=guarded role=authorizer status=403 sent=3 ",
                   " method=GET uri=/guarded"},
        AccessCase{"RouteNameThatIsNotBare",
                   "/words",
                   {},
                   "route=\"two \\\"words\\\"\" status=200 sent=6 ",
                   " method=GET uri=/words"},
        AccessCase{"NoRoute", "/nowhere", {}, "status=404 sent=14 ", " method=GET uri=/nowhere"},
        AccessCase{"Failed",
                   "/head?throw",
                   {},
                   "route=head status=500 sent=26 ",
                   " method=GET uri=\"/head?[redacted]\""},
        AccessCase{"Cut",
                   "/head?throw-late",
                   {},
                   "route=head status=200 end=cut sent=5 ",
                   " method=GET uri=\"/head?[redacted]\""}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(Journal, ALineHasTheSameFieldsInBothFormats) {
  log::MemoryAccessLog json(log::Settings::Format::json);
  const auto ask = [this](log::AccessLog& to, const std::string& uri, const Names& params) {
    bench.environment().journal.access = &to;
    const std::string whole = request(uri, {.params = params, .body = "12345"});
    Bench::Wire& wire = bench.connect();
    wire.send(whole.substr(0, 40));
    bench.loop.advance(std::chrono::microseconds(1'234'567));
    wire.send(whole.substr(40));
    wire.wait();
  };
  const Names plain = {{"REMOTE_ADDR", "2001:db8::1"}, {"REMOTE_USER", "ann b"}};
  const Names odd = {{"REMOTE_ADDR", "\xff"}, {"REMOTE_USER", "a\"b\\c\n"}};
  for (log::MemoryAccessLog* to : {&access, &json}) {
    ask(*to, "/hello?a=b", plain);
    ask(*to, "/nowhere?\x1b[31m", odd);
  }
  EXPECT_THAT(access.lines(),
              ElementsAre("info  access route=hello status=200 sent=6 "
                          "params_us=1234567 head_us=0 total_us=1234567 "
                          "request=0000000000000001 client=2001:db8::1 user=\"ann b\" method=POST "
                          "uri=\"/hello?a=b\"",
                          "info  access status=404 sent=14 "
                          "params_us=1234567 head_us=0 total_us=1234567 "
                          "request=0000000000000002 client=\"\\xff\" user=\"a\\\"b\\\\c\\x0a\" method=POST "
                          "uri=\"/nowhere?\\x1b[31m\""));
  EXPECT_THAT(
      json.lines(),
      ElementsAre(R"({"level":"info","text":"access","route":"hello","status":"200",)"
                  R"("sent":"6","params_us":"1234567","head_us":"0","total_us":"1234567",)"
                  R"("request":"0000000000000003","client":"2001:db8::1","user":"ann b","method":"POST",)"
                  R"("uri":"/hello?a=b"})",
                  R"({"level":"info","text":"access","status":"404",)"
                  R"("sent":"14","params_us":"1234567","head_us":"0",)"
                  R"("total_us":"1234567",)"
                  R"("request":"0000000000000004","client":"\\xff","user":"a\"b\\c\\x0a","method":"POST",)"
                  R"("uri":"/nowhere?\\x1b[31m"})"));
}

TEST_F(Journal, ARequestWhoseConnectionGoesIsGone) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello", {.end_params = false}));
  wire.end(true);
  EXPECT_THAT(access.lines(), ElementsAre(HasSubstr(" end=gone ")));
}

TEST_F(Journal, AnAbortIsSaid) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/echo", {.params = {{"CONTENT_LENGTH", "5"}}, .end_body = false}));
  wire.send(abort(1));
  wire.wait();
  EXPECT_THAT(access.lines(), ElementsAre(HasSubstr(" end=aborted ")));
}

TEST_F(Journal, EachStageHasItsTime) {
  const std::string whole = request("/guarded", {.params = {{"HTTP_X_KEY", "good"}}, .end_params = false});
  Bench::Wire& wire = bench.connect();
  wire.send(whole);
  bench.loop.advance(std::chrono::milliseconds(5));
  wire.send(stream_end(1, 4) + stream_end(1, 5));
  EXPECT_THAT(access.lines(),
              ElementsAre(HasSubstr(" params_us=5000 guards_us=0 head_us=0 total_us=5000 request=")));
}

TEST_F(Journal, GuardsAndWhatAnswersHaveTimesOfTheirOwn) {
  SlowGate::hold = SlowHello::hold = true;
  SlowGate::entered = SlowHello::entered = 0;
  Bench::Wire& wire = bench.connect();
  wire.send(request("/slow"));
  while (SlowGate::entered == 0) std::this_thread::yield();
  bench.loop.advance(std::chrono::milliseconds(3));
  SlowGate::hold = false;
  ASSERT_TRUE(bench.loop.wait_until([] { return SlowHello::entered != 0; }));
  bench.loop.advance(std::chrono::milliseconds(4));
  SlowHello::hold = false;
  wire.wait();
  EXPECT_THAT(access.lines(), ElementsAre(HasSubstr(" sent=5 guards_us=3000 head_us=4000 total_us=7000 ")));
}

TEST_F(Journal, ABodysTimeBeginsWithItsHead) {
  const std::string whole = request("/pour", {.params = {{"QUERY_STRING", "200000"}}});
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 1000;
  wire.send(whole.substr(0, 40));
  bench.loop.advance(std::chrono::milliseconds(2));
  wire.send(whole.substr(40));
  bench.loop.advance(std::chrono::milliseconds(7));
  wire.take(SIZE_MAX);
  wire.wait();
  EXPECT_THAT(access.lines(),
              ElementsAre(HasSubstr(" params_us=2000 head_us=0 body_us=7000 total_us=9000 ")));
}

TEST_F(Journal, OnlyStagesThatThereWereHaveATime) {
  const Ask good{.params = {{"HTTP_X_KEY", "good"}}};
  EXPECT_THAT(lines("/hello"), ElementsAre(HasSubstr(" sent=6 head_us=0 total_us=0 ")));
  EXPECT_THAT(lines("/guarded", good), ElementsAre(HasSubstr(" sent=6 guards_us=0 head_us=0 total_us=0 ")));
  EXPECT_THAT(lines("/guarded"), ElementsAre(HasSubstr(" sent=3 guards_us=0 total_us=0 ")));
  EXPECT_THAT(lines("/nowhere"), ElementsAre(HasSubstr(" sent=14 head_us=0 total_us=0 ")));
  EXPECT_THAT(lines("/pour?200000"), ElementsAre(HasSubstr(" sent=200000 head_us=0 body_us=0 total_us=0 ")));
  bench.limits.body_bytes = 9;
  EXPECT_THAT(
      lines("/guarded", {.body = "0123456789"}),
      ElementsAre(AllOf(HasSubstr(" status=413 "), ContainsRegex(" sent=[0-9]+ head_us=0 total_us=0 "))));
  Bench::Wire& wire = bench.connect();
  access.clear();
  wire.send(request("/hello", {.end_params = false}));
  wire.end(true);
  EXPECT_THAT(access.lines(), ElementsAre(HasSubstr(" end=gone sent=0 total_us=0 ")));
}

TEST_F(Journal, OfAnAuthorizersRequestTheGuardSaysWhoItIs) {
  EXPECT_THAT(lines("/guarded", {.role = 2, .params = {{"HTTP_X_KEY", "good"}}}),
              ElementsAre(HasSubstr(" user=ann ")));
  EXPECT_THAT(lines("/guarded", {.role = 2, .params = {{"REMOTE_USER", "mallory"}}}),
              ElementsAre(Not(HasSubstr(" user="))));
}

TEST_F(Journal, WithoutAnAccessLogThereIsNoLine) {
  bench.environment().journal.access = nullptr;
  EXPECT_THAT(lines("/hello"), IsEmpty());
}

TEST_F(Journal, WhatIsRedactedStandsInNoLine) {
  const Ask with{.params = {{"HTTP_AUTHORIZATION", "Bearer s3cr3t-t0ken"}}};
  lines("/blabber?fail", with);
  lines("/blabber?s3cr3t-t0ken", with);
  EXPECT_TRUE(bench.log.contains("says=\"it is [redacted]\""));
  EXPECT_TRUE(bench.log.contains("I know [redacted]"));
  EXPECT_TRUE(bench.log.contains("parameters"));
  EXPECT_EQ(bench.log.count("s3cr3t"), 0U);
  for (const std::string& line : access.lines()) EXPECT_THAT(line, Not(HasSubstr("s3cr3t")));
}

// Whichever text of the line it is in.
TEST_F(Journal, WhatIsRedactedStandsInNoFieldOfALine) {
  bench.environment().journal = {&access, {cgi::ParamName("HTTP_X_SECRET")}, "HTTP_X_REQUEST_ID"};
  for (const char* each : {"REMOTE_ADDR", "REMOTE_USER", "REQUEST_METHOD", "HTTP_X_REQUEST_ID"}) {
    EXPECT_THAT(lines("/hello", {.params = {{"HTTP_X_SECRET", "s3cr3t"}, {each, "a-s3cr3t"}}}),
                ElementsAre(AllOf(HasSubstr("=\"a-[redacted]\""), Not(HasSubstr("s3cr3t")))))
        << each;
  }
  bench.environment().journal.redact = {cgi::ParamName("HTTP_X_GUESS")};
  EXPECT_THAT(lines("/slow", {.role = 2, .params = {{"HTTP_X_GUESS", "slow"}}}),
              ElementsAre(HasSubstr(" user=\"[redacted]\" ")))
      << "what a guard says";
}

struct IdCase {
  const char* name;
  const char* configured;
  Names params;
  const char* expected;
};

class IdOf : public Journal, public ::testing::WithParamInterface<IdCase> {};

TEST_P(IdOf, IsTheSameForThePluginAndInTheLog) {
  const IdCase& each = GetParam();
  bench.environment().journal.request_id = each.configured;
  Bench::Wire& wire = bench.connect();
  wire.send(request("/blabber", {.params = each.params}));
  EXPECT_EQ(wire.answer().body(), each.expected);
  const std::string expected = each.expected;
  const std::string shown = expected.find('=') == std::string::npos ? expected : '"' + expected + '"';
  EXPECT_THAT(access.lines(), ElementsAre(HasSubstr(" request=" + shown + " ")));
  EXPECT_TRUE(bench.log.contains("says=\"it is \" request=" + shown));
}

const Names both = {{"REQUEST_ID", "web-1"}, {"HTTP_X_REQUEST_ID", "client-1"}};
constexpr const char* own = "0000000000000001";

INSTANTIATE_TEST_SUITE_P(
    Table, IdOf,
    ::testing::Values(
        IdCase{"MadeByTheHostUnlessConfigured", "", both, own},
        IdCase{"OfTheWebServer", "REQUEST_ID", both, "web-1"},
        IdCase{"OfTheClient", "HTTP_X_REQUEST_ID", both, "client-1"},
        IdCase{"OfTheWebServerInQuotes", "REQUEST_ID", {{"REQUEST_ID", "a=b~c"}}, "a=b~c"},
        IdCase{"MadeWhereThereIsNone", "REQUEST_ID", {}, own},
        IdCase{"MadeWhereItIsEmpty", "REQUEST_ID", {{"REQUEST_ID", ""}}, own},
        IdCase{"MadeWhereItWouldNotStandInALine",
               "HTTP_X_REQUEST_ID",
               {{"HTTP_X_REQUEST_ID", "a b\" status=200"}},
               own},
        IdCase{"MadeWhereItIsTooLong", "REQUEST_ID", {{"REQUEST_ID", std::string(129, 'x')}}, own}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace trivet::host::testing
