#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// Lines of the FastCGI checklist that no other test of the host carries (tests/checks/spec_lines.txt).
namespace trivet::host::testing {
namespace {

/// Works until it is cancelled.
struct Patient {
  static inline std::atomic<int> entered{0};
  static inline std::atomic<int> cancelled{0};
  void handle(trivet::Request& request, trivet::Response&) {
    ++entered;
    while (!request.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++cancelled;
    throw trivet::Cancelled();
  }
};

/// Counts how often it was asked.
struct Counted {
  static constexpr bool never_blocks = true;
  static inline int asked = 0;
  void handle(trivet::Request&, trivet::Response& out) {
    ++asked;
    out << "counted\n";
  }
};

struct AllowWithLocation {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request&) { return trivet::allow().header("Location", "/elsewhere"); }
};

/// Says all it has to say with the first piece, and takes no notice of the rest.
struct Prompt {
  static constexpr bool never_blocks = true;
  void data(std::string_view, trivet::Output& out, bool) {
    if (!said) out << "cached";
    said = true;
  }
  bool said = false;
};

config::Guard guard(const std::string& name) {
  config::Guard made;
  made.plugin = name;
  return made;
}

class Specification : public ::testing::Test {
 protected:
  Specification() {
    bench.add<Hello>("hello");
    bench.add<Counted>("counted");
    bench.add<LoopEcho>("loop-echo");
    bench.add<BlockingEcho>("blocking-echo", 1);
    bench.add<Patient>("patient", 1);
    bench.add<Head>("head");
    bench.add<Gate>("gate");
    bench.add<AllowWithLocation>("located");
    bench.add<Upper>("upper");
    bench.add<Prompt>("prompt");
    for (const char* name : {"hello", "counted", "loop-echo", "blocking-echo", "patient", "head"}) {
      bench.route(name, "/" + std::string(name)).respond = name;
    }
    auto& secret = bench.route("secret", "/secret");
    secret.authorize = {guard("gate")};
    secret.variables = {"REMOTE_USER"};
    bench.route("located", "/located").authorize = {guard("located")};
    bench.route("upper", "/upper").filter = {{.plugin = "upper"}};
    bench.route("prompt", "/prompt").filter = {{.plugin = "prompt"}};
    Patient::entered = 0;
    Patient::cancelled = 0;
    Counted::asked = 0;
  }

  Answer ask(const std::string& uri, const Ask& with = {}) {
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    wire.wait(with.id);
    return wire.answer(with.id);
  }

  Bench bench;
};

struct RawRecord {
  int type;
  int id;
  std::string content;
};

/// What the host sent, read by rules of its own.
std::vector<RawRecord> records(const std::string& bytes) {
  std::vector<RawRecord> found;
  const auto byte = [&](std::size_t at) { return static_cast<int>(static_cast<unsigned char>(bytes[at])); };
  for (std::size_t at = 0; at + 8 <= bytes.size();) {
    const std::size_t length =
        static_cast<std::size_t>(byte(at + 4)) * 256 + static_cast<std::size_t>(byte(at + 5));
    const auto padding = static_cast<std::size_t>(byte(at + 6));
    EXPECT_EQ(byte(at), 1);
    EXPECT_EQ(byte(at + 7), 0);
    found.push_back({byte(at + 1), byte(at + 2) * 256 + byte(at + 3), bytes.substr(at + 8, length)});
    at += 8 + length + padding;
  }
  return found;
}

constexpr int end_request = 3;
constexpr int standard_out = 6;
constexpr int get_values_result = 10;

TEST_F(Specification, C21_C55_C56_C57_StandardOutputEndsOnceBeforeTheEndAndNothingIsSaidOnStandardError) {
  bench.open();
  const std::pair<std::string, Ask> conversations[] = {
      {"/hello", {}},
      {"/head", {.params = {{"QUERY_STRING", "none"}}}},
      {"/head", {.params = {{"QUERY_STRING", "204"}}}},
      {"/head", {.params = {{"QUERY_STRING", "throw"}}}},
      {"/loop-echo", {.body = std::string(200000, 'b')}},
      {"/nowhere", {}},
      {"/secret", {.role = 2}},
      {"/secret", {.role = 2, .params = {{"HTTP_X_KEY", "good"}}}},
      {"/upper", {.role = 3, .data = "data"}},
      {"/hello", {.role = 3, .data = "data"}},
  };
  for (const auto& [uri, with] : conversations) {
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    ASSERT_TRUE(wire.wait()) << uri;
    const std::vector<RawRecord> sent = records(wire.pipe.from_host);
    ASSERT_GE(sent.size(), 3U) << uri;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const bool is_last = i + 1 == sent.size();
      const bool is_end_of_stream = i + 2 == sent.size();
      EXPECT_EQ(sent[i].type, is_last ? end_request : standard_out) << uri << ' ' << i;
      EXPECT_EQ(sent[i].id, 1);
      if (!is_last) {
        EXPECT_EQ(sent[i].content.empty(), is_end_of_stream) << uri << ' ' << i;
      }
    }
  }
}

TEST_F(Specification, C9_C39_GetValuesTellsTheLimitsInForce) {
  bench.limits.connections = 123;
  bench.limits.concurrent_per_connection = 45;
  bench.open();
  Bench::Wire& wire = bench.connect();
  std::string names;
  for (const std::string_view name : {"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"}) {
    names += static_cast<char>(name.size());
    names += '\0';
    names += name;
  }
  wire.send(stream(0, 9, names));
  const std::vector<RawRecord> sent = records(wire.pipe.from_host);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].type, get_values_result);
  EXPECT_NE(sent[0].content.find("FCGI_MAX_CONNS123"), std::string::npos) << sent[0].content;
  EXPECT_NE(sent[0].content.find("FCGI_MAX_REQS45"), std::string::npos) << sent[0].content;
  EXPECT_NE(sent[0].content.find("FCGI_MPXS_CONNS1"), std::string::npos) << sent[0].content;
}

TEST_F(Specification, C33_AnIdleConnectionThatClosesIsNoErrorAndOneWithRequestsAbortsThem) {
  bench.open();
  Bench::Wire& idle = bench.connect();
  idle.send(request("/hello"));
  const std::size_t lines = bench.log.lines().size();
  idle.end(true);
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(bench.log.lines().size(), lines);

  Bench::Wire& busy = bench.connect();
  busy.send(request("/patient", {.id = 1}) + request("/loop-echo", {.id = 2, .end_body = false}));
  while (Patient::entered == 0) std::this_thread::yield();
  busy.end(true);
  EXPECT_TRUE(busy.closed());
  EXPECT_TRUE(
      bench.loop.wait_until([&] { return Patient::cancelled == 1 && bench.environment().in_use() == 0; }));
}

TEST_F(Specification, C48_ARefusalObeysKeepConn) {
  bench.limits.concurrent_per_connection = 1;
  bench.open();
  for (const bool keep : {true, false}) {
    const std::string cases[] = {
        request("/nowhere", {.keep = keep}),
        request("/secret", {.role = 2, .keep = keep}),
        begin(1, 9, keep),
        request("/hello", {.keep = keep, .params = {{"HTTP_X", std::string(300000, 'x')}}}),
    };
    for (const std::string& each : cases) {
      Bench::Wire& wire = bench.connect();
      wire.send(each);
      EXPECT_EQ(wire.answer().ends, 1);
      EXPECT_EQ(!wire.closed() && !wire.pipe.shut, keep);
    }
    Bench::Wire& shared = bench.connect();
    shared.send(request("/loop-echo", {.id = 1, .end_body = false}) +
                request("/hello", {.id = 2, .keep = keep}));
    EXPECT_EQ(shared.answer(2).protocol_status, 2);
    shared.send(stream_end(1, 5));
    EXPECT_EQ(shared.answer(1).status(), 200);
    EXPECT_EQ(!shared.closed() && !shared.pipe.shut, keep);
  }
}

TEST_F(Specification, C49_AnAbortReachesThePluginWhichEndsSoon) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/patient"));
  while (Patient::entered == 0) std::this_thread::yield();
  wire.send(abort(1));
  EXPECT_TRUE(bench.loop.wait_until([] { return Patient::cancelled == 1; }));
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(wire.answer().protocol_status, 0);
}

TEST_F(Specification, C62_NoPluginIsAskedAndNothingSaidBeforeTheParametersHaveEnded) {
  bench.open();
  const std::string whole = request("/counted", {.end_params = false});
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    Bench::Wire& wire = bench.connect();
    wire.send(std::string_view(whole).substr(0, cut));
    EXPECT_EQ(wire.pipe.from_host, "") << cut;
    EXPECT_EQ(Counted::asked, 0) << cut;
  }
  EXPECT_EQ(ask("/counted").body(), "counted\n");
}

TEST_F(Specification, C73_VerdictsAreIndependentOfEachOther) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  std::string all;
  for (std::uint16_t id = 1; id <= 20; ++id) {
    all +=
        request("/secret", {.id = id, .role = 2, .params = {{"HTTP_X_KEY", id % 2 == 0 ? "good" : "bad"}}});
  }
  wire.send(all);
  for (std::uint16_t id = 1; id <= 20; ++id) {
    EXPECT_EQ(wire.answer(id).status(), id % 2 == 0 ? 200 : 403) << id;
    EXPECT_EQ(wire.answer(id).out.find("REMOTE_USER") != std::string::npos, id % 2 == 0) << id;
  }
}

TEST_F(Specification, C74_AVerdictEndsLikeAnyAnswerWithAppStatusZero) {
  bench.open();
  for (const char* key : {"good", "plain", "bad", "challenge", "redirect", "throw"}) {
    const Answer answer = ask("/secret", {.role = 2, .params = {{"HTTP_X_KEY", key}}});
    EXPECT_TRUE(answer.out_ended) << key;
    EXPECT_EQ(answer.ends, 1) << key;
    EXPECT_EQ(answer.app_status, 0U) << key;
    EXPECT_EQ(answer.protocol_status, 0) << key;
  }
}

TEST_F(Specification, C75_AnAllowCarriesNoLocation) {
  bench.open();
  EXPECT_EQ(ask("/located", {.role = 2}).out, "Status: 200 OK\r\n\r\n");
}

TEST_F(Specification, C76_EveryAnswerOfEveryRoleBeginsWithItsStatus) {
  bench.limits.params_bytes = 4096;
  bench.open();
  const Names large = {{"HTTP_X", std::string(5000, 'x')}};
  for (const std::uint16_t role : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}}) {
    const std::pair<const char*, Ask> failures[] = {
        {"/nowhere", {.role = role}},
        {"/secret", {.role = role, .params = {{"HTTP_X_KEY", "throw"}}}},
        {"/secret", {.role = role, .params = {{"HTTP_X_KEY", "bad"}}}},
        {"/secret", {.role = role, .params = {{"TRIVET_ROUTE", "none"}}}},
        {"/secret", {.role = role, .params = large}},
        {"/a/../b", {.role = role}},
        {"/hello", {.role = role, .params = {{"TRIVET_ROLE", "none"}}}},
    };
    for (const auto& [uri, with] : failures) {
      const Answer answer = ask(uri, with);
      EXPECT_TRUE(answer.first_record.starts_with("Status: "))
          << uri << " in role " << role << ": " << answer.out;
      EXPECT_GE(answer.status(), 400) << uri << " in role " << role;
    }
  }
}

TEST_F(Specification, C80_AFilterMayAnswerWithoutTheDataWhichIsDrained) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/prompt", {.role = 3, .data = std::string(500000, 'd')}));
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), "cached");
  wire.send(request("/hello", {.id = 2}));
  EXPECT_EQ(wire.answer(2).status(), 200);
  // A denial answers without any of it.
  Bench::Wire& denied = bench.connect();
  denied.send(request("/secret", {.role = 3, .data = std::string(500000, 'd')}));
  EXPECT_GE(denied.answer().status(), 400);
  denied.send(request("/hello", {.id = 2}));
  EXPECT_EQ(denied.answer(2).status(), 200);
}

struct DataVariables {
  const char* name;
  Names params;
  std::vector<std::string> without;
  int status;
};

TEST_F(Specification, C77_C84_WhatTheVariablesOfTheDataSayWrongHarmsNothing) {
  bench.open();
  const DataVariables cases[] = {
      {"Right", {{"FCGI_DATA_LENGTH", "4"}, {"FCGI_DATA_LAST_MOD", "1700000000"}}, {}, 200},
      {"BothAbsent", {}, {"FCGI_DATA_LENGTH", "FCGI_DATA_LAST_MOD"}, 200},
      {"Empty", {{"FCGI_DATA_LENGTH", ""}, {"FCGI_DATA_LAST_MOD", ""}}, {}, 200},
      {"NoNumbers", {{"FCGI_DATA_LENGTH", "four"}, {"FCGI_DATA_LAST_MOD", "today"}}, {}, 200},
      {"Negative", {{"FCGI_DATA_LENGTH", "-4"}, {"FCGI_DATA_LAST_MOD", "-1"}}, {}, 200},
      {"Future", {{"FCGI_DATA_LENGTH", "4"}, {"FCGI_DATA_LAST_MOD", "99999999999"}}, {}, 200},
      {"Huge", {{"FCGI_DATA_LENGTH", "99999999999999999999"}}, {}, 200},
      {"Longer", {{"FCGI_DATA_LENGTH", "5"}}, {}, 400},
  };
  for (const DataVariables& each : cases) {
    const Answer answer =
        ask("/upper", {.role = 3, .params = each.params, .without = each.without, .data = "data"});
    EXPECT_EQ(answer.status(), each.status) << each.name << ": " << answer.out;
    EXPECT_EQ(answer.ends, 1) << each.name;
    if (each.status == 200) {
      EXPECT_EQ(answer.body(), "DATA") << each.name;
    }
  }
  const Answer nothing = ask("/upper", {.role = 3, .params = {{"FCGI_DATA_LENGTH", "0"}}});
  EXPECT_EQ(nothing.status(), 200);
  EXPECT_EQ(nothing.body(), "");
}

TEST_F(Specification, C86_AFilterEndsLikeAResponder) {
  bench.open();
  const Answer answer = ask("/upper", {.role = 3, .data = "data"});
  EXPECT_TRUE(answer.out_ended);
  EXPECT_EQ(answer.ends, 1);
  EXPECT_EQ(answer.app_status, 0U);
  EXPECT_EQ(answer.protocol_status, 0);
}

TEST_F(Specification, C97_KeptConnectionsHoldNoPluginThread) {
  bench.open();
  for (int i = 0; i < 50; ++i) {
    Bench::Wire& kept = bench.connect();
    kept.send(request("/blocking-echo", {.body = "b"}));
    ASSERT_TRUE(kept.wait()) << i;
    EXPECT_EQ(kept.answer().body(), "b");
    EXPECT_FALSE(kept.closed());
  }
}

}  // namespace
}  // namespace trivet::host::testing
