// A connection leaves one worker and another takes it over: the web server sees one connection.

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "runtime/host/parcel.hpp"
#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

/// Answers when the test says so: holds its requests on a plugin thread until then.
class Moving : public ::testing::Test {
 protected:
  Moving() {
    SlowGate::entered = 0;
    SlowGate::hold = false;
    bench_.add<Hello>("hello");
    bench_.add<LoopEcho>("echo");
    bench_.add<SlowGate>("slow", 2);
    bench_.add<WhoAmI>("who");
    bench_.route("hello", "/hello/**").respond = "hello";
    bench_.route("echo", "/echo").respond = "echo";
    auto& slow = bench_.route("slow", "/slow");
    slow.authorize.emplace_back().plugin = "slow";
    slow.variables = {"REMOTE_USER"};
    slow.respond = "who";
    bench_.limits.header_time = std::chrono::seconds(5);
    bench_.open();
  }
  ~Moving() override { SlowGate::hold = false; }

  /// A connection with request `id` at work until release().
  Bench::Wire& with_one_at_work(std::uint16_t id = 1) {
    SlowGate::hold = true;
    Bench::Wire& wire = bench_.connect();
    wire.send(request("/slow", {.id = id}));
    wait_for_slow_gate();
    return wire;
  }
  static Bench::Wire& moved(Bench::Wire& wire) {
    EXPECT_TRUE(wire.move());
    return wire;
  }
  static void wait_for_slow_gate() {
    while (SlowGate::entered.load() == 0) std::this_thread::yield();
  }
  static void expect_hello(const Bench::Wire& wire, std::uint16_t id) {
    EXPECT_EQ(wire.answer(id).status(), 200);
    EXPECT_EQ(wire.answer(id).body(), "hello\n");
    EXPECT_EQ(wire.answer(id).ends, 1);
  }
  /// Of ids from 2 on.
  static void expect_hellos(const Bench::Wire& wire, std::size_t count) {
    std::size_t found = 0;
    for (const auto& [id, answer] : wire.answers()) {
      if (id > 1 && answer.ends == 1 && answer.status() == 200 && answer.body() == "hello\n") ++found;
    }
    EXPECT_EQ(found, count);
  }

  Bench bench_;
};

TEST_F(Moving, AConnectionAtRestLeavesAndServesOn) {
  Bench::Wire& before = bench_.connect();
  EXPECT_TRUE(before.connection->can_leave()) << "nothing was asked yet";
  before.send(request("/hello/x"));
  Bench::Wire& after = moved(before);
  EXPECT_FALSE(before.pipe.closed);
  after.send(request("/hello/x", {.id = 2}));
  expect_hello(after, 1);
  expect_hello(after, 2);
}

// Decided upon, not yet released: what comes now is for whoever takes the descriptor over.
TEST_F(Moving, BytesThatArriveBetweenTheDecisionAndTheReleaseAreNotLost) {
  Bench::Wire& before = bench_.connect();
  before.send(request("/hello/x"));
  ASSERT_TRUE(before.connection->can_leave());
  before.pipe.to_host += request("/hello/x", {.id = 2});
  ASSERT_TRUE(before.pipe.wants_read);
  Bench::Wire& after = moved(before);
  expect_hello(after, 2);
}

TEST_F(Moving, ItStaysWhileAnythingOfItIsOpen) {
  Bench::Wire& at_work = with_one_at_work();
  EXPECT_FALSE(at_work.connection->can_leave());
  SlowGate::hold = false;
  at_work.pipe.accepts = 0;
  ASSERT_TRUE(bench_.loop.wait_until([&] { return at_work.pipe.wants_write; }));
  EXPECT_FALSE(at_work.connection->can_leave()) << "its answer is not sent";
  at_work.take(SIZE_MAX);
  EXPECT_TRUE(at_work.connection->can_leave());

  Bench::Wire& half = bench_.connect();
  half.send(begin(1, 1, true).substr(0, 12));
  EXPECT_FALSE(half.connection->can_leave()) << "in the middle of a record";
  Bench::Wire& begun = bench_.connect();
  begun.send(begin(1, 1, true));
  EXPECT_FALSE(begun.connection->can_leave());
  Bench::Wire& closing = bench_.connect();
  closing.pipe.accepts = 0;
  closing.send(request("/hello/x", {.keep = false}));
  EXPECT_FALSE(closing.connection->can_leave());
}

TEST_F(Moving, ACutHeaderTravelsAlong) {
  Bench::Wire& before = bench_.connect();
  const std::string whole = request("/hello/x");
  before.send(whole.substr(0, 5));
  Bench::Wire& after = moved(before);
  after.send(whole.substr(5));
  expect_hello(after, 1);
}

TEST_F(Moving, AConnectionIsToldOfOnceWhenItFirstComesToRestAfterARequest) {
  Bench::Wire& wire = bench_.connect();
  EXPECT_EQ(wire.rests, 0) << "nothing was asked yet";
  wire.send(request("/hello/x"));
  EXPECT_EQ(wire.rests, 1);
  wire.send(request("/hello/x"));
  EXPECT_EQ(wire.rests, 1);
  Bench::Wire& after = moved(wire);
  after.send(request("/hello/x"));
  EXPECT_EQ(after.rests, 1) << "it would go round in circles";
}

TEST_F(Moving, ARetiringWorkerIsToldWheneverOneComesToRest) {
  Bench::Wire& wire = with_one_at_work();
  bench_.retire();
  EXPECT_EQ(wire.rests, 0);
  SlowGate::hold = false;
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.rests, 1);
  wire.send(request("/hello/x", {.id = 2}));
  EXPECT_EQ(wire.rests, 2);
}

TEST_F(Moving, AFrozenConnectionComesToRestAndWhatWaitsIsAnsweredElsewhere) {
  Bench::Wire& before = with_one_at_work();
  bench_.retire();
  before.connection->freeze();
  const std::string next = request("/hello/x", {.id = 2}) + request("/echo", {.id = 3, .body = "body"});
  before.send(next.substr(0, next.size() - 11));
  EXPECT_EQ(before.answer(2).ends, 0);
  EXPECT_FALSE(before.connection->can_leave());
  SlowGate::hold = false;
  ASSERT_TRUE(before.wait());
  EXPECT_EQ(before.rests, 1);
  Bench::Wire& after = moved(before);
  expect_hello(after, 2);
  after.send(next.substr(next.size() - 11));
  EXPECT_EQ(after.answer(3).body(), "body");
  EXPECT_EQ(after.answer(1).ends, 1);
}

TEST_F(Moving, AFrozenConnectionReadsNoMoreThanAParcelTakes) {
  Bench::Wire& before = with_one_at_work();
  before.connection->freeze();
  std::string sent;
  std::uint16_t id = 2;
  while (sent.size() < 3 * Parcel::most_payload) sent += request("/hello/x", {.id = id++});
  before.send(sent);
  EXPECT_EQ(sent.size() - before.pipe.to_host.size(), Parcel::most_payload);
  EXPECT_TRUE(before.pipe.paused) << "the socket keeps the rest";
  SlowGate::hold = false;
  ASSERT_TRUE(before.wait());
  ASSERT_TRUE(before.connection->can_leave());
  const std::size_t unread = before.pipe.to_host.size();
  Bench::Wire& after = moved(before);
  EXPECT_LT(after.pipe.to_host.size(), unread);
  expect_hellos(after, id - 2U);
}

TEST_F(Moving, AFrozenConnectionThawsWhereAnOpenRequestNeedsMoreThanThat) {
  Bench::Wire& wire = bench_.connect();
  wire.send(request("/echo", {.params = {{"CONTENT_LENGTH", "11"}}, .body = "first", .end_body = false}));
  wire.connection->freeze();
  std::string sent;
  std::uint16_t id = 2;
  while (sent.size() < 2 * Parcel::most_payload) sent += request("/hello/x", {.id = id++});
  wire.send(sent);
  expect_hellos(wire, id - 2U);
  wire.connection->freeze();
  wire.send(stream(1, 5, "second") + stream_end(1, 5));
  EXPECT_EQ(wire.answer(1).body(), "firstsecond");
  EXPECT_TRUE(wire.connection->can_leave());
}

TEST_F(Moving, AnUploadOnAFrozenConnectionGoesOn) {
  Bench::Wire& wire = bench_.connect();
  wire.send(request("/echo", {.params = {{"CONTENT_LENGTH", "100001"}}, .body = "x", .end_body = false}));
  wire.connection->freeze();
  const std::string body(100000, 'b');
  wire.send(stream(1, 5, body) + request("/hello/x", {.id = 2}) + stream_end(1, 5));
  EXPECT_TRUE(wire.answer(1).body() == "x" + body);
  expect_hello(moved(wire), 2);
}

TEST_F(Moving, WhatWasKeptIsAnsweredHereWhereTheConnectionHasToClose) {
  SlowGate::hold = true;
  Bench::Wire& wire = bench_.connect();
  wire.send(request("/slow", {.keep = false}));
  wait_for_slow_gate();
  wire.connection->freeze();
  wire.send(request("/hello/x", {.id = 2}));
  EXPECT_EQ(wire.answer(2).ends, 0);
  SlowGate::hold = false;
  ASSERT_TRUE(bench_.loop.wait_until([&] { return wire.closed(); }));
  EXPECT_EQ(wire.answer(1).status(), 200);
  expect_hello(wire, 2);
}

TEST_F(Moving, WhatWasKeptIsAnsweredHereWhereThePeerSendsNoMore) {
  Bench::Wire& wire = with_one_at_work();
  wire.connection->freeze();
  wire.send(request("/hello/x", {.id = 2}));
  wire.end(false);
  expect_hello(wire, 2);
  SlowGate::hold = false;
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer(1).status(), 200);
}

TEST_F(Moving, WhatWasKeptIsRefusedWhereTheHostStops) {
  Bench::Wire& wire = with_one_at_work();
  wire.connection->freeze();
  wire.send(request("/hello/x", {.id = 2}) + begin(3, 1, true));
  bench_.environment().stopping = true;
  wire.connection->stop();
  EXPECT_EQ(wire.answer(2).status(), 503);
  EXPECT_EQ(wire.answer(3).status(), 503);
  SlowGate::hold = false;
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer(1).status(), 200);
}

// However long nobody takes it: no clock of a request runs that has not begun.
TEST_F(Moving, WhatWasKeptWaitsAsLongAsItHasTo) {
  Bench::Wire& wire = with_one_at_work();
  wire.connection->freeze();
  wire.send(request("/hello/x", {.id = 2}) + begin(3, 1, true));
  SlowGate::hold = false;
  ASSERT_TRUE(wire.wait());
  bench_.loop.advance(std::chrono::hours(1));
  wire.settle();
  ASSERT_FALSE(wire.closed());
  expect_hello(moved(wire), 2);
}

TEST_F(Moving, AnIdleTimeStartsAnewWithTheOtherWorker) {
  bench_.limits.idle_time = std::chrono::seconds(10);
  Bench::Wire& before = bench_.connect();
  before.send(request("/hello/x"));
  bench_.loop.advance(std::chrono::seconds(7));
  Bench::Wire& after = moved(before);
  bench_.loop.advance(std::chrono::seconds(7));
  after.settle();
  EXPECT_FALSE(after.closed());
  bench_.loop.advance(std::chrono::seconds(4));
  EXPECT_TRUE(after.closed());
}

TEST_F(Moving, AConnectionWithoutANextRequestIsNotFrozen) {
  Bench::Wire& wire = bench_.connect();
  wire.send(request("/hello/x"));
  wire.connection->freeze();
  wire.send(request("/hello/x", {.id = 2}));
  expect_hello(wire, 2);
}

}  // namespace
}  // namespace trivet::host::testing
