#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// What guards pass on to the web server and to the source, and what they do not.
namespace trivet::host::testing {
namespace {

/// Says who the user is, and not what Gate says.
struct OtherUser {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request&) { return trivet::allow().set("REMOTE_USER", "bob"); }
};

/// Works until it is cancelled, which `cancelled` counts.
struct UntilCancelled {
  static inline std::atomic<int> entered{0};
  static inline std::atomic<int> cancelled{0};
  trivet::Verdict check(trivet::Request& request) {
    ++entered;
    // Not for ever: a test that fails has to end.
    for (int i = 0; i < 8000 && !request.cancelled(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (request.cancelled()) ++cancelled;
    return trivet::allow();
  }
};

/// Without the SDK: denies, and then says as status what QUERY_STRING says.
const trivet_host* host_of_turncoat = nullptr;
trivet_status turncoat_check(void*, trivet_request* request) {
  trivet_text said{};
  host_of_turncoat->param(request, {"QUERY_STRING", 12}, &said);
  const auto status = static_cast<std::uint32_t>(std::stoul(std::string(said.ptr, said.len)));
  host_of_turncoat->deny(request, 401, {"no session", 10});
  return host_of_turncoat->set_status(request, status);
}
constexpr trivet_authorizer turncoat_hooks = {sizeof(trivet_authorizer), turncoat_check};
constexpr trivet_plugin turncoat = {
    TRIVET_ABI_MAGIC,
    sizeof(trivet_plugin),
    TRIVET_ABI_MAJOR,
    TRIVET_ABI_MINOR,
    TRIVET_NEVER_BLOCKS,
    {"turncoat", 8},
    {"1", 1},
    [](const trivet_host* host, const trivet_settings*, void** self) -> trivet_status {
      host_of_turncoat = host;
      *self = nullptr;
      return TRIVET_OK;
    },
    [](void*) {},
    nullptr,
    &turncoat_hooks,
    nullptr};

class Guards : public ::testing::Test {
 protected:
  Guards() {
    bench.add<Gate>("gate");
    bench.add<OtherUser>("other");
    bench.add<UntilCancelled>("endless", 1, std::nullopt);
    bench.add<ShowParams>("params");
    add("one", {"gate"}).respond = "params";
    add("twice", {"gate", "gate"}).respond = "params";
    add("disagree", {"gate", "other"}).respond = "params";
    add("no-source", {"gate"});
    add("endless", {"endless"}).respond = "params";
    UntilCancelled::entered = 0;
    UntilCancelled::cancelled = 0;
  }

  config::Route& add(const std::string& name, const std::vector<std::string>& guards) {
    auto& route = bench.route(name, "/" + name);
    for (const std::string& each : guards) {
      config::Guard guard;
      guard.plugin = each;
      route.authorize.push_back(guard);
    }
    route.variables = {"REMOTE_USER", "AUTH_GROUPS"};
    return route;
  }

  Answer ask(const std::string& uri, const Ask& with) {
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    wire.wait(with.id);
    return wire.answer(with.id);
  }

  Bench bench;
};

const Ask good{.params = {{"HTTP_X_KEY", "good"}}};
const Ask good_in_role_2{.role = 2, .params = {{"HTTP_X_KEY", "good"}}};

TEST_F(Guards, AloneSayWhoItIsToWhatStandsBehindThem) {
  // Yaws makes AUTH_USER and LOGON_USER of what a client says, as IIS names them.
  add("open", {}).respond = "params";
  bench.open();
  Ask claims = good;
  for (const std::string name : {"REMOTE_USER", "AUTH_TYPE", "AUTH_USER", "LOGON_USER"})
    claims.params.emplace_back(name, "forged");
  const std::string seen = ask("/one", claims).body();
  EXPECT_EQ(seen.find("forged"), std::string::npos) << seen;
  EXPECT_NE(seen.find("REMOTE_USER=ann\n"), std::string::npos) << seen;
  EXPECT_NE(ask("/open", claims).body().find("AUTH_USER=forged\n"), std::string::npos);
}

TEST_F(Guards, ThatSetOneVariableToDifferentValuesAreAnError) {
  bench.open();
  EXPECT_EQ(ask("/twice", good_in_role_2).status(), 200);
  EXPECT_EQ(ask("/twice", good).status(), 200);
  EXPECT_EQ(ask("/disagree", good_in_role_2).status(), 500);
  EXPECT_EQ(ask("/disagree", good).status(), 500);
  EXPECT_TRUE(bench.log.contains("REMOTE_USER"));
}

TEST_F(Guards, ADenyWhoseStatusIsChangedToThatOfAGrantIsAFailure) {
  bench.add_entry("turncoat", turncoat, 0, std::nullopt, 1);
  add("turncoat", {"turncoat"}).respond = "params";
  add("remembered", {"turncoat"}).authorize.front().cache.emplace();
  bench.open();
  for (const char* uri : {"/turncoat", "/remembered"}) {
    for (const char* status : {"200", "204", "300", "304", "403"}) {
      const Names said = {{"QUERY_STRING", status}};
      const int expected = std::string_view(status) == "403" ? 403 : 500;
      for (int time = 0; time < 2; ++time) {
        EXPECT_EQ(ask(uri, {.role = 2, .params = said}).status(), expected) << uri << ' ' << status;
        EXPECT_EQ(ask(uri, {.params = said}).status(), expected) << uri << ' ' << status;
      }
    }
  }
}

TEST_F(Guards, HeadFieldsOfAnAllowDoNotReachTheWebServer) {
  bench.open();
  EXPECT_EQ(ask("/one", {.role = 2, .params = {{"HTTP_X_KEY", "good-with-head"}}}).out,
            "Status: 200 OK\r\nVariable-REMOTE_USER: ann\r\nVariable-AUTH_GROUPS: \r\n\r\n");
}

TEST_F(Guards, AnUndeclaredVariableReachesNoSource) {
  bench.open();
  const Answer answer = ask("/one", {.params = {{"HTTP_X_KEY", "undeclared"}}});
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body().find("SECRET_THING"), std::string::npos) << answer.body();
  EXPECT_NE(ask("/one", good).body().find("AUTH_GROUPS=staff\n"), std::string::npos);
}

TEST_F(Guards, OnlyWhomTheyLetInLearnsThatThereIsNoSource) {
  bench.open();
  EXPECT_EQ(ask("/no-source", {}).status(), 403);
  EXPECT_EQ(ask("/no-source", good).status(), 404);
}

TEST_F(Guards, AreAskedWhateverTheOriginalRequestAnnounced) {
  bench.limits.body_bytes = 1000;
  bench.open();
  Ask with = good_in_role_2;
  with.params.emplace_back("CONTENT_LENGTH", "99999999999");
  EXPECT_EQ(ask("/one", with).status(), 200);
  // The same where the web server's configuration makes an authorizer of it.
  with.role = 1;
  with.params.emplace_back("TRIVET_ROLE", "authorizer");
  EXPECT_EQ(ask("/one", with).status(), 200);
}

TEST_F(Guards, ThatAreSuspendedDenyAndAreNotAsked) {
  bench.open();
  bench.find("gate")->suspend(true);
  EXPECT_EQ(ask("/one", good_in_role_2).status(), 500);
  EXPECT_EQ(ask("/one", good).status(), 500);
  EXPECT_TRUE(bench.log.contains("is not called for a while"));
  bench.find("gate")->suspend(false);
  EXPECT_EQ(ask("/one", good_in_role_2).status(), 200);
}

TEST_F(Guards, AreCancelledWhenThePeerOfACompleteRequestIsGone) {
  bench.open();
  for (const std::uint16_t role : {std::uint16_t{1}, std::uint16_t{2}}) {
    UntilCancelled::entered = UntilCancelled::cancelled = 0;
    Bench::Wire& wire = bench.connect();
    wire.send(request("/endless", {.role = role}));
    while (UntilCancelled::entered == 0) std::this_thread::yield();
    wire.end(true);
    EXPECT_TRUE(wire.closed());
    EXPECT_TRUE(bench.loop.wait_until(
        [&] { return UntilCancelled::cancelled == 1 && bench.environment().in_use() == 0; }));
  }
}

}  // namespace
}  // namespace trivet::host::testing
