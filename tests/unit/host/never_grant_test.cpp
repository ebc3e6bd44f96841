#include <gtest/gtest.h>

#include "runtime/protocol/record.hpp"
#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

config::Guard guard(const std::string& name) {
  config::Guard made;
  made.plugin = name;
  return made;
}

const trivet_host* host_of_c_plugin = nullptr;

trivet_status create_c(const trivet_host* host, const trivet_settings*, void** self) {
  host_of_c_plugin = host;
  *self = nullptr;
  return TRIVET_OK;
}
void destroy_c(void*) {}

/// An authorizer without the SDK, which would always say something.
constexpr trivet_plugin c_plugin(const trivet_authorizer* authorizer) {
  return {TRIVET_ABI_MAGIC,    sizeof(trivet_plugin),
          TRIVET_ABI_MAJOR,    TRIVET_ABI_MINOR,
          TRIVET_NEVER_BLOCKS, {"test", 4},
          {"1.0.0", 5},        create_c,
          destroy_c,           nullptr,
          authorizer,          nullptr};
}

constexpr trivet_authorizer mute_hooks = {sizeof(trivet_authorizer),
                                          [](void*, trivet_request*) -> trivet_status { return TRIVET_OK; }};
constexpr trivet_authorizer yes_but_hooks = {sizeof(trivet_authorizer),
                                             [](void*, trivet_request* request) -> trivet_status {
                                               host_of_c_plugin->allow(request);
                                               return TRIVET_E_FAILED;
                                             }};
constexpr trivet_authorizer both_ways_hooks = {sizeof(trivet_authorizer),
                                               [](void*, trivet_request* request) -> trivet_status {
                                                 host_of_c_plugin->deny(request, 403, {nullptr, 0});
                                                 host_of_c_plugin->allow(request);
                                                 return TRIVET_OK;
                                               }};
std::atomic<bool> early_holds{true};
std::atomic<bool> early_allowed{false};
/// Allows, goes on working, and fails in the end.
constexpr trivet_authorizer early_hooks = {sizeof(trivet_authorizer),
                                           [](void*, trivet_request* request) -> trivet_status {
                                             host_of_c_plugin->allow(request);
                                             early_allowed = true;
                                             while (early_holds) std::this_thread::yield();
                                             return TRIVET_E_FAILED;
                                           }};
constexpr trivet_plugin early{TRIVET_ABI_MAGIC,
                              sizeof(trivet_plugin),
                              TRIVET_ABI_MAJOR,
                              TRIVET_ABI_MINOR,
                              0,
                              {"test", 4},
                              {"1.0.0", 5},
                              create_c,
                              destroy_c,
                              nullptr,
                              &early_hooks,
                              nullptr};
constexpr trivet_plugin mute = c_plugin(&mute_hooks);
constexpr trivet_plugin yes_but = c_plugin(&yes_but_hooks);
constexpr trivet_plugin both_ways = c_plugin(&both_ways_hooks);

/// A host with a route of each kind.
class Verdicts : public ::testing::Test {
 protected:
  Verdicts() {
    bench.add<Gate>("gate");
    bench.add<SlowGate>("slow", 1, std::chrono::milliseconds(500), 1);
    bench.add<WhoAmI>("who");
    bench.add<Upper>("upper");
    auto& secret = bench.route("secret", "/secret/**");
    secret.authorize = {guard("gate")};
    secret.variables = {"REMOTE_USER", "AUTH_GROUPS"};
    secret.respond = "who";
    secret.filter = {};
    auto& slow = bench.route("slow", "/slow/**");
    slow.authorize = {guard("slow")};
    slow.respond = "who";
    auto& open = bench.route("open", "/open/**");
    open.respond = "who";
    auto& closed = bench.route("closed", "/closed/**");
    closed.authorize = {guard("deny")};
    auto& both = bench.route("both", "/both/**");
    both.authorize = {guard("allow"), guard("gate")};
    both.respond = "who";
    auto& methods = bench.route("methods", "/methods");
    methods.authorize = {guard("allow")};
    methods.methods = {"POST"};
    methods.respond = "who";
    auto& partly = bench.route("partly", "/partly");
    partly.authorize = {guard("gate")};
    partly.authorize_on = {config::Slice::responder};
    partly.respond = "who";
    bench.add_entry("mute", mute, 0, std::nullopt, 1);
    bench.add_entry("yes-but", yes_but, 0, std::nullopt, 1);
    bench.add_entry("both-ways", both_ways, 0, std::nullopt, 1);
    bench.add_entry("early", early, 1, std::nullopt, 1);
    bench.add_entry("mute-on-a-thread", mute, 1, std::nullopt, 1);
    bench.add_entry("yes-but-on-a-thread", yes_but, 1, std::nullopt, 1);
    for (const char* name :
         {"mute", "yes-but", "both-ways", "early", "mute-on-a-thread", "yes-but-on-a-thread"}) {
      bench.route(name, "/" + std::string(name) + "/**").authorize = {guard(name)};
    }
    bench.limits.params_bytes = 4096;
    bench.limits.params_count = 40;
    SlowGate::hold = false;
    SlowGate::entered = 0;
  }

  /// The answer to an authorizer request, over a connection of its own.
  Answer authorize(const std::string& uri, Ask ask = {}) {
    ask.role = 2;
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, ask));
    wire.wait(ask.id);
    return wire.answer(ask.id);
  }

  Bench bench;
};

TEST_F(Verdicts, C69_AnAuthorizerThatAllowsSendsStatus200AndTheDeclaredVariablesAndNothingElse) {
  bench.open();
  const Answer answer = authorize("/secret/x", {.params = {{"HTTP_X_KEY", "good"}}});
  EXPECT_EQ(answer.out, "Status: 200 OK\r\nVariable-REMOTE_USER: ann\r\nVariable-AUTH_GROUPS: staff\r\n\r\n");
  EXPECT_EQ(answer.ends, 1);
  EXPECT_EQ(answer.app_status, 0U);
  EXPECT_EQ(answer.protocol_status, 0);
  EXPECT_TRUE(answer.out_ended);
  EXPECT_EQ(answer.records, 1U);
}

TEST_F(Verdicts, DeclaredVariablesThatWereNotSetAreSentEmpty) {
  bench.open();
  EXPECT_EQ(authorize("/secret/x", {.params = {{"HTTP_X_KEY", "plain"}}}).out,
            "Status: 200 OK\r\nVariable-REMOTE_USER: \r\nVariable-AUTH_GROUPS: \r\n\r\n");
}

struct Denied {
  const char* name;
  const char* uri;
  Names params;
  int status;
  std::vector<std::string> without = {};
};

class NeverGranted : public Verdicts, public ::testing::WithParamInterface<Denied> {};

TEST_P(NeverGranted, EverythingButAPluginsYesIsADenialWithAnExplicitStatus) {
  bench.open();
  Ask ask{.params = GetParam().params, .without = GetParam().without};
  const Answer answer = authorize(GetParam().uri, ask);
  EXPECT_EQ(answer.status(), GetParam().status) << answer.out;
  EXPECT_EQ(answer.first_record.rfind("Status: ", 0), 0U);
  EXPECT_EQ(answer.ends, 1);
  // Its twin, on the same host: a host that denies everything is no good either.
  EXPECT_EQ(authorize("/secret/x", {.params = {{"HTTP_X_KEY", "good"}}}).status(), 200);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NeverGranted,
    ::testing::Values(
        Denied{"NoRoute", "/nowhere", {}, 403}, Denied{"RouteWithoutGuards", "/open/x", {}, 403},
        Denied{"GuardsLeftOutByAuthorizeOn", "/partly", {{"HTTP_X_KEY", "good"}}, 403},
        Denied{"BuiltInDeny", "/closed/x", {}, 403}, Denied{"NoKey", "/secret/x", {}, 403},
        Denied{"Throws", "/secret/x", {{"HTTP_X_KEY", "throw"}}, 500},
        Denied{"ReturnsAnEmptyVerdict", "/secret/x", {{"HTTP_X_KEY", "nothing"}}, 403},
        Denied{"SaysNothing", "/mute/x", {}, 500}, Denied{"AllowsAndFails", "/yes-but/x", {}, 500},
        Denied{"AllowsAndDenies", "/both-ways/x", {}, 500},
        Denied{"SaysNothingOnAThread", "/mute-on-a-thread/x", {}, 500},
        Denied{"AllowsAndFailsOnAThread", "/yes-but-on-a-thread/x", {}, 500},
        Denied{"DenyWithStatus200", "/secret/x", {{"HTTP_X_KEY", "deny200"}}, 500},
        Denied{"ForbiddenVariable", "/secret/x", {{"HTTP_X_KEY", "forbidden"}}, 500},
        Denied{"VariableWithLineBreak", "/secret/x", {{"HTTP_X_KEY", "crlf"}}, 500},
        Denied{"SecondGuardDenies", "/both/x", {}, 403}, Denied{"MethodDoesNotFit", "/methods", {}, 403},
        Denied{"UnknownRouteName", "/secret/x", {{"HTTP_X_KEY", "good"}, {"TRIVET_ROUTE", "nope"}}, 500},
        Denied{"UnknownRoleName", "/secret/x", {{"HTTP_X_KEY", "good"}, {"TRIVET_ROLE", "god"}}, 500},
        Denied{"OtherRoleOnRole2", "/secret/x", {{"HTTP_X_KEY", "good"}, {"TRIVET_ROLE", "responder"}}, 500},
        Denied{"FilterRoleOnRole2", "/secret/x", {{"HTTP_X_KEY", "good"}, {"TRIVET_ROLE", "filter"}}, 500},
        Denied{"UnknownSteering", "/secret/x", {{"HTTP_X_KEY", "good"}, {"TRIVET_NEW", "1"}}, 500},
        Denied{"EmptySteeredRoute", "/secret/x", {{"HTTP_X_KEY", "good"}, {"TRIVET_ROUTE", ""}}, 500},
        Denied{"EmptySteeredRole", "/secret/x", {{"HTTP_X_KEY", "good"}, {"TRIVET_ROLE", ""}}, 500},
        Denied{"DotSegment", "/secret/../open/x", {{"HTTP_X_KEY", "good"}}, 403},
        Denied{"EncodedDotSegment", "/open/%2e%2E/secret/x", {{"HTTP_X_KEY", "good"}}, 403},
        Denied{"DoubleSlash", "/secret//x", {{"HTTP_X_KEY", "good"}}, 403},
        Denied{"NotUtf8", "/secret/%ff", {{"HTTP_X_KEY", "good"}}, 403},
        Denied{"NoPathAtAll", "/", {}, 403, {"REQUEST_URI"}},
        Denied{"ScriptNameMatchesAnotherGuardedRoute",
               "/both/x",
               {{"HTTP_X_KEY", "good"}, {"SCRIPT_NAME", "/closed/y"}},
               403},
        Denied{"ScriptNameWithADotSegment",
               "/secret/x",
               {{"HTTP_X_KEY", "good"}, {"SCRIPT_NAME", "/closed/../open/y"}},
               403},
        Denied{"OddScriptNameOfAGuardedRoute",
               "/secret/x",
               {{"HTTP_X_KEY", "good"}, {"SCRIPT_NAME", "/both//y"}},
               403},
        Denied{"TooManyParameters", "/secret/x",
               [] {
                 Names many = {{"HTTP_X_KEY", "good"}};
                 for (int i = 0; i < 40; ++i) many.emplace_back("HTTP_X_" + std::to_string(i), "v");
                 return many;
               }(),
               431},
        Denied{"TooLargeParameters",
               "/secret/x",
               {{"HTTP_X_KEY", "good"}, {"HTTP_BIG", std::string(5000, 'b')}},
               431}),
    [](const auto& test) { return test.param.name; });

TEST_F(Verdicts, ADenialCarriesStatusHeadersAndBody) {
  bench.open();
  const Answer answer = authorize("/secret/x", {.params = {{"HTTP_X_KEY", "challenge"}}});
  EXPECT_EQ(answer.status(), 401);
  EXPECT_EQ(answer.header("WWW-Authenticate"), "Basic");
  EXPECT_EQ(answer.header("Content-Length"), "13");
  EXPECT_EQ(answer.body(), "who are you?\n");
  EXPECT_EQ(answer.app_status, 0U);
  EXPECT_EQ(authorize("/secret/x", {.params = {{"HTTP_X_KEY", "redirect"}}}).header("Location"),
            "https://login.example/");
  EXPECT_EQ(authorize("/closed/x").body(), "403 Forbidden\n");
  EXPECT_TRUE(bench.log.contains("denied"));
}

TEST_F(Verdicts, C68_AnAuthorizerAnswersBeforeAnyBodyCameAndDrainsABodyThatComes) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(
      request("/secret/x", {.role = 2, .params = {{"HTTP_X_KEY", "good"}, {"CONTENT_LENGTH", "100000"}}}));
  EXPECT_EQ(wire.answer().status(), 200);
  wire.send(stream(1, 5, std::string(100000, 'b')) + stream_end(1, 5));
  wire.send(request("/secret/x", {.id = 1, .role = 2, .params = {{"HTTP_X_KEY", "bad"}}}));
  EXPECT_EQ(wire.answer().status(), 403);
  EXPECT_EQ(wire.answer().ends, 2);
}

TEST_F(Verdicts, ParametersThatAreCutAtAnyByteAreNeverAskedAbout) {
  bench.open();
  const std::string whole = request("/secret/x", {.role = 2, .params = {{"HTTP_X_KEY", "good"}}});
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    Bench::Wire& wire = bench.connect();
    wire.send(std::string_view(whole).substr(0, cut));
    wire.end(false);
    EXPECT_NE(wire.answer().status(), 200) << cut;
    EXPECT_TRUE(wire.closed()) << cut;
  }
  Bench::Wire& wire = bench.connect();
  wire.send(whole);
  wire.end(false);
  EXPECT_EQ(wire.answer().status(), 200);
}

TEST_F(Verdicts, C50_AnAbortWithinTheParametersIsADenial) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/secret/x", {.role = 2, .params = {{"HTTP_X_KEY", "good"}}, .end_params = false}));
  wire.send(abort(1));
  EXPECT_EQ(wire.answer().status(), 403);
  EXPECT_EQ(wire.answer().ends, 1);
  wire.send(stream_end(1, 4));
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_FALSE(wire.closed());
}

TEST_F(Verdicts, C27_ACutPairIsADenial) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(begin(1, 2, true) + stream(1, 4, std::string_view("\x0e\x05REQUEST_ME", 12)) + stream_end(1, 4));
  EXPECT_EQ(wire.answer().status(), 403);
}

TEST_F(Verdicts, AGuardOnAThreadIsAskedAndItsTimeoutIsADenialThatComesOnce) {
  bench.open();
  EXPECT_EQ(authorize("/slow/x").status(), 200);
  SlowGate::hold = true;
  Bench::Wire& wire = bench.connect();
  wire.send(request("/slow/x", {.role = 2}));
  while (SlowGate::entered < 2) std::this_thread::yield();  // In its hands, so that it cannot be taken back.
  bench.loop.advance(std::chrono::milliseconds(499));
  EXPECT_EQ(wire.answer().ends, 0);
  bench.loop.advance(std::chrono::milliseconds(2));
  EXPECT_EQ(wire.answer().status(), 504);
  SlowGate::hold = false;
  ASSERT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; }));
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(authorize("/slow/x").status(), 200);
}

TEST_F(Verdicts, AnAllowCountsOnlyWhenThePluginHasReturned) {
  bench.open();
  early_holds = true;
  early_allowed = false;
  Bench::Wire& wire = bench.connect();
  wire.send(request("/early/x", {.role = 2}));
  while (!early_allowed) std::this_thread::yield();
  bench.loop.run_posted();
  bench.loop.advance(std::chrono::seconds(1));
  EXPECT_EQ(wire.pipe.from_host, "");
  early_holds = false;
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().status(), 500);
}

TEST_F(Verdicts, AFullQueueIsADenial) {
  bench.open();
  SlowGate::hold = true;
  Bench::Wire& first = bench.connect();
  first.send(request("/slow/x", {.role = 2}));
  while (SlowGate::entered == 0) std::this_thread::yield();
  Bench::Wire& second = bench.connect();
  second.send(request("/slow/x", {.role = 2}));
  Bench::Wire& third = bench.connect();
  third.send(request("/slow/x", {.role = 2}));
  EXPECT_EQ(third.answer().status(), 503);
  SlowGate::hold = false;
  EXPECT_TRUE(first.wait());
  EXPECT_TRUE(second.wait());
  EXPECT_EQ(first.answer().status(), 200);
  EXPECT_EQ(second.answer().status(), 200);
}

TEST_F(Verdicts, AnAbortWhileTheGuardIsAskedIsADenialWithAppStatusZero) {
  bench.open();
  SlowGate::hold = true;
  Bench::Wire& wire = bench.connect();
  wire.send(request("/slow/x", {.role = 2}));
  while (SlowGate::entered == 0) std::this_thread::yield();
  wire.send(abort(1));
  EXPECT_EQ(wire.answer().status(), 403);
  EXPECT_EQ(wire.answer().app_status, 0U);
  SlowGate::hold = false;
  ASSERT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; }));
  EXPECT_EQ(wire.answer().ends, 1);
}

TEST_F(Verdicts, AHostThatIsStoppingDeniesWhatHasNotBegun) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  bench.environment().stopping = true;
  wire.send(request("/secret/x", {.role = 2, .params = {{"HTTP_X_KEY", "good"}}}));
  EXPECT_EQ(wire.answer().status(), 503);
}

TEST_F(Verdicts, SteeringMakesAnAuthorizerOfAResponderRequest) {
  bench.open();
  const auto steered = [&](Names names) {
    names.emplace_back("TRIVET_ROLE", "authorizer");
    Bench::Wire& wire = bench.connect();
    wire.send(request("/anything", {.params = std::move(names)}));
    return wire.answer();
  };
  EXPECT_EQ(steered({{"TRIVET_ROUTE", "secret"}, {"HTTP_X_KEY", "good"}}).out,
            "Status: 200 OK\r\nVariable-REMOTE_USER: ann\r\nVariable-AUTH_GROUPS: staff\r\n\r\n");
  EXPECT_EQ(steered({{"TRIVET_ROUTE", "secret"}}).status(), 403);
  EXPECT_EQ(steered({{"TRIVET_PATH", "/secret/y"}, {"HTTP_X_KEY", "good"}}).status(), 200);
  EXPECT_EQ(steered({}).status(), 403);
  EXPECT_EQ(steered({{"TRIVET_ROUTE", "open"}}).status(), 403);
}

TEST_F(Verdicts, AListenerThatAcceptsNoSteeringRefusesIt) {
  bench.open();
  Bench::Wire& wire = bench.connect(false);
  wire.send(
      request("/secret/x", {.role = 2, .params = {{"HTTP_X_KEY", "good"}, {"TRIVET_ROUTE", "secret"}}}));
  EXPECT_EQ(wire.answer().status(), 500);
  wire.send(request("/secret/x", {.role = 2, .params = {{"HTTP_X_KEY", "good"}}}));
  EXPECT_EQ(wire.answer().status(), 200);
}

TEST_F(Verdicts, AResponderIsReachedOnlyPastItsGuardsAndSeesOnlyTheirVariables) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/secret/x", {.params = {{"REMOTE_USER", "forged"}, {"AUTH_TYPE", "forged"}}}));
  EXPECT_EQ(wire.answer().status(), 403);
  wire.send(request("/secret/x", {.params = {{"HTTP_X_KEY", "good"},
                                             {"REMOTE_USER", "forged"},
                                             {"AUTH_TYPE", "forged"},
                                             {"AUTH_GROUPS", "forged"}}}));
  EXPECT_EQ(wire.answer().body(), "user=ann type= groups=staff coding=\n");
  wire.send(
      request("/secret/x",
              {.params = {{"HTTP_X_KEY", "plain"}, {"REMOTE_USER", "forged"}, {"AUTH_GROUPS", "forged"}}}));
  EXPECT_EQ(wire.answer().body(), "user= type= groups= coding=\n");
  wire.send(request("/open/x", {.params = {{"REMOTE_USER", "server"}}}));
  EXPECT_EQ(wire.answer().body(), "user=server type= groups= coding=\n");
}

TEST_F(Verdicts, GuardsSeeTheServersUserOnlyInApachesAuthorizerRequests) {
  bench.open();
  EXPECT_EQ(authorize("/secret/x", {.params = {{"HTTP_X_KEY", "server-user"}, {"REMOTE_USER", "u"}}}).body(),
            "|");
  EXPECT_EQ(authorize("/secret/x", {.params = {{"HTTP_X_KEY", "server-user"},
                                               {"REMOTE_USER", "u"},
                                               {"FCGI_APACHE_ROLE", "AUTHORIZER"}}})
                .body(),
            "u|");
}

struct PhaseCase {
  std::string_view apache_role;
  std::string_view seen;  ///< By the guard: TRIVET_PHASE_...
  bool of_route;          ///< Whether a route for authenticators and authorizers takes it.
};
constexpr PhaseCase phase_cases[] = {
    {"ACCESS_CHECKER", "1", false}, {"AUTHENTICATOR", "2", true}, {"AUTHORIZER", "3", true},
    {"authorizer", "0", false},     {"RESPONDER", "0", false},    {"", "0", false},
};

TEST_F(Verdicts, APhaseIsWhatApacheSaysOfItsAuthorizerRequestAndLeadsToItsRoutesAlone) {
  auto& phased = bench.route("phased", "/phased");
  phased.authorize = {guard("gate")};
  phased.phases = {config::Phase::authenticator, config::Phase::authorizer};
  bench.open();
  for (const PhaseCase& each : phase_cases) {
    const std::pair<std::string, std::string> role{"FCGI_APACHE_ROLE", each.apache_role};
    EXPECT_EQ(authorize("/secret/x", {.params = {{"HTTP_X_KEY", "phase"}, role}}).body(), each.seen)
        << each.apache_role;
    const int expected = each.of_route ? 200 : 403;
    EXPECT_EQ(authorize("/phased", {.params = {{"HTTP_X_KEY", "good"}, role}}).status(), expected)
        << each.apache_role;
    EXPECT_EQ(
        authorize("/x", {.params = {{"HTTP_X_KEY", "good"}, role, {"TRIVET_ROUTE", "phased"}}}).status(),
        expected)
        << each.apache_role;
  }
  EXPECT_EQ(authorize("/phased", {.params = {{"HTTP_X_KEY", "good"}}}).status(), 403);
  EXPECT_TRUE(bench.log.contains("for another phase"));
}

TEST_F(Verdicts, OnlyTheRoleAuthorizerHasPhases) {
  auto& phased = bench.route("phased", "/phased");
  phased.authorize = {guard("gate")};
  phased.phases = {config::Phase::authorizer};
  bench.open();
  const Names params = {{"HTTP_X_KEY", "good"}, {"FCGI_APACHE_ROLE", "AUTHORIZER"}};
  Names steered = params;
  steered.emplace_back("TRIVET_ROLE", "authorizer");
  Bench::Wire& wire = bench.connect();
  wire.send(request("/phased", {.params = params}));
  EXPECT_EQ(wire.answer().status(), 404);
  wire.send(request("/phased", {.params = steered}));
  EXPECT_EQ(wire.answer().status(), 403);
  EXPECT_EQ(authorize("/phased", {.params = params}).status(), 200);
  wire.send(request("/secret/x", {.params = {{"HTTP_X_KEY", "phase"}, {"FCGI_APACHE_ROLE", "AUTHORIZER"}}}));
  EXPECT_EQ(wire.answer().body(), "0");
}

TEST_F(Verdicts, AnUndeclaredVariableIsNotPassedOnAndToldOnce) {
  bench.open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(authorize("/secret/x", {.params = {{"HTTP_X_KEY", "undeclared"}}}).out,
              "Status: 200 OK\r\nVariable-REMOTE_USER: \r\nVariable-AUTH_GROUPS: \r\n\r\n");
  }
  EXPECT_EQ(bench.log.count("does not declare"), 1U);
}

TEST_F(Verdicts, C67_AnAuthorizerNeedsNoMethodAResponderDoes) {
  bench.open();
  EXPECT_EQ(
      authorize("/secret/x", {.params = {{"HTTP_X_KEY", "good"}}, .without = {"REQUEST_METHOD"}}).status(),
      200);
  Bench::Wire& wire = bench.connect();
  wire.send(request("/open/x", {.without = {"REQUEST_METHOD"}}));
  EXPECT_EQ(wire.answer().status(), 400);
  EXPECT_TRUE(bench.log.contains("fastcgi_param"));
}

}  // namespace
}  // namespace trivet::host::testing
