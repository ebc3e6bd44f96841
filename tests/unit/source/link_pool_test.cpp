#include <gtest/gtest.h>

#include "tests/unit/source/scripted_application.hpp"

namespace trivet::source::testing {
namespace {

constexpr std::string_view hello = "Content-Type: text/html\r\n\r\nhello";
using Texts = std::vector<std::pair<std::string, std::string>>;

struct ApplicationLinks : ::testing::Test {
  Play& ask(const std::string& method = "GET") {
    plays.push_back(std::make_unique<Play>(bench, Texts{{"REQUEST_METHOD", method}}));
    plays.back()->start();
    plays.back()->end_body();
    return *plays.back();
  }
  /// One connection, the next, that carried a request and is kept.
  void warm_up() { warm_up_on(bench.dialer().wires.size()); }
  void warm_up_on(std::size_t number) {
    ask();
    ASSERT_EQ(bench.dialer().wires.size(), number + 1);
    bench.say(answer(hello), number);
    ASSERT_EQ(bench.pool().idle(), 1U);
  }

  Stageplay bench;
  std::vector<std::unique_ptr<Play>> plays;
};

TEST_F(ApplicationLinks, NoMoreThanConnectionsAreOpenAndWhoWaitsIsServedInOrder) {
  bench.config.connections = 2;
  bench.open();
  for (int i = 0; i < 5; ++i) ask();
  EXPECT_EQ(bench.dialer().wires.size(), 2U);
  EXPECT_EQ(bench.pool().waiting(), 3U);
  EXPECT_FALSE(plays[2]->stage->has_room(roles::StageInput::body)) << "its body stays where it is";
  bench.say(answer("A: 0\n\n"), 0);
  EXPECT_EQ(bench.pool().waiting(), 2U);
  bench.say(answer("A: 2\n\n"), 0);
  EXPECT_EQ(plays[2]->sink.answer.find("A"), "2");
  bench.say(answer("A: 3\n\n"), 0);
  EXPECT_EQ(plays[3]->sink.answer.find("A"), "3");
  bench.say(answer("A: 1\n\n"), 1);
  bench.say(answer("A: 4\n\n"), 0);
  EXPECT_EQ(plays[4]->sink.answer.find("A"), "4");
  EXPECT_EQ(bench.dialer().wires.size(), 2U);
  for (const auto& each : plays) EXPECT_EQ(each->sink.done, 1);
}

TEST_F(ApplicationLinks, WhoComesLaterDoesNotOvertakeWhoWaits) {
  bench.config.connections = 1;
  bench.open();
  ask();
  ask();
  // The first is over, and before the turn of who waits another one comes.
  bench.wire().to_host = answer(hello);
  bench.wire().wants_read = false;
  bench.wire().events->on_readable();
  Play late(bench);
  late.stage->start();
  EXPECT_EQ(bench.pool().waiting(), 2U);
  bench.settle();
  bench.say(answer(hello));
  EXPECT_EQ(plays[1]->sink.done, 1);
  EXPECT_EQ(late.sink.done, 0);
}

TEST_F(ApplicationLinks, WaitingForAConnectionEndsWith503AndLeavesTheQueue) {
  bench.config.connections = 1;
  bench.open();
  ask();
  ask();
  bench.loop.advance(std::chrono::seconds(6));
  EXPECT_EQ(plays[1]->sink.failure.status, 503);
  EXPECT_EQ(bench.pool().waiting(), 0U);
  ask();
  plays[2]->stage->cancel();
  EXPECT_EQ(bench.pool().waiting(), 0U);
  bench.say(answer(hello));
  EXPECT_EQ(plays[0]->sink.done, 1);
}

TEST_F(ApplicationLinks, AFailedConnectionGivesItsPlaceToWhoWaits) {
  bench.config.connections = 1;
  bench.open();
  ask();
  ask();
  bench.hang_up(0);
  EXPECT_EQ(plays[0]->sink.failure.status, 502);
  ASSERT_EQ(bench.dialer().wires.size(), 2U);
  bench.say(answer(hello), 1);
  EXPECT_EQ(plays[1]->sink.done, 1);
}

TEST_F(ApplicationLinks, NobodyThereIs502AndSaysWhy) {
  bench.open();
  bench.dialer().errors = {ENOENT, ECONNREFUSED};
  EXPECT_EQ(ask().sink.failure.text, "unix:/run/app.sock: it cannot be reached: No such file or directory");
  EXPECT_EQ(ask().sink.failure.text, "unix:/run/app.sock: it cannot be reached: Connection refused");
  EXPECT_EQ(plays[0]->sink.failure.status, 502);
  ask();
  bench.say(answer(hello));
  EXPECT_EQ(plays[2]->sink.done, 1) << "one that is there again works at once";
}

TEST_F(ApplicationLinks, ATcpConnectionThatIsRefusedLaterIs502AndOneThatHangsIs504) {
  bench.open();
  bench.dialer().plain.accepts = 0;
  Play& refused = ask();
  bench.wire(0).write_error = ECONNREFUSED;
  bench.settle();
  EXPECT_EQ(refused.sink.failure.status, 502);
  Play& hanging = ask();
  bench.loop.advance(std::chrono::seconds(4));
  EXPECT_EQ(hanging.sink.failed, 0);
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_EQ(hanging.sink.failure.status, 504);
  EXPECT_NE(hanging.sink.failure.text.find("connect_timeout"), std::string::npos);
  Play& unreachable = ask();
  bench.wire(2).read_error = EHOSTUNREACH;
  bench.settle();
  EXPECT_EQ(unreachable.sink.failure.status, 502);
}

TEST_F(ApplicationLinks, AFullBacklogIsTriedAgainUntilConnectTimeout) {
  bench.open();
  bench.dialer().errors = {EAGAIN, EAGAIN, EAGAIN, 0};
  Play& play = ask();
  EXPECT_EQ(play.sink.failed, 0);
  bench.loop.advance(std::chrono::milliseconds(40));
  ASSERT_EQ(bench.dialer().wires.size(), 1U);
  bench.settle();
  bench.say(answer(hello));
  EXPECT_EQ(play.sink.done, 1);

  bench.loop.advance(std::chrono::seconds(2));  // The kept one is gone.
  bench.dialer().errors.assign(1000, EAGAIN);
  Play& late = ask();
  bench.loop.advance(std::chrono::seconds(6));
  EXPECT_EQ(late.sink.failure.status, 504);
}

TEST_F(ApplicationLinks, AKeptConnectionClosesAfterIdleTimeAndAnOldOneAfterItsRequest) {
  bench.config.idle_time = std::chrono::seconds(10);
  bench.open();
  warm_up();
  bench.loop.advance(std::chrono::seconds(9));
  EXPECT_FALSE(bench.wire().closed);
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_TRUE(bench.wire().closed);
  EXPECT_EQ(bench.pool().open(), 0U);

  warm_up_on(1);
  for (int i = 0; i < 7; ++i) {
    bench.loop.advance(std::chrono::seconds(7));
    ask();
    bench.say(answer(hello), 1);
    EXPECT_FALSE(bench.wire(1).closed) << i;
  }
  bench.loop.advance(std::chrono::seconds(7));
  ask();
  bench.say(answer(hello), 1);
  EXPECT_TRUE(bench.wire(1).closed) << "56 s old: others get their turn";
}

TEST_F(ApplicationLinks, AKeptConnectionThatTheApplicationClosesIsForgotten) {
  bench.open();
  warm_up();
  bench.hang_up();
  EXPECT_EQ(bench.pool().open(), 0U);
  warm_up_on(1);
  bench.say("junk", 1);
  EXPECT_EQ(bench.pool().open(), 0U) << "and one that says what nobody asked for";
}

TEST_F(ApplicationLinks, OneThatWasClosedUnseenIsNotUsed) {
  bench.open();
  warm_up();
  bench.wire().ends = true;  // The loop has not told yet.
  Play& play = ask("POST");
  ASSERT_EQ(bench.dialer().wires.size(), 2U);
  bench.say(answer(hello), 1);
  EXPECT_EQ(play.sink.done, 1);
}

struct RepeatCase {
  std::string_view method;
  bool again;
};
constexpr RepeatCase repeat_cases[] = {{"GET", true},    {"HEAD", true},  {"OPTIONS", true}, {"PUT", true},
                                       {"DELETE", true}, {"POST", false}, {"PATCH", false},  {"LOCK", false}};

TEST_F(ApplicationLinks, ARequestIsSentAgainOnceIfAKeptConnectionClosedBeforeTheFirstByteAndItIsIdempotent) {
  bench.open();
  for (const RepeatCase& each : repeat_cases) {
    warm_up();
    const std::size_t kept = bench.dialer().wires.size() - 1;
    Play& play = ask(std::string(each.method));
    ASSERT_EQ(bench.dialer().wires.size(), kept + 1);
    bench.wire(kept).read_error = ECONNRESET;
    bench.settle();
    EXPECT_EQ(play.sink.failed, each.again ? 0 : 1) << each.method;
    EXPECT_EQ(bench.dialer().wires.size(), kept + (each.again ? 2 : 1)) << each.method;
    if (!each.again) continue;
    EXPECT_EQ(bench.wire(kept + 1).params(), bench.wire(kept).params());
    EXPECT_TRUE(bench.wire(kept + 1).body_ended());
    bench.hang_up(kept + 1);
    EXPECT_EQ(play.sink.failure.status, 502) << "once, not for ever";
    EXPECT_EQ(bench.dialer().wires.size(), kept + 2);
  }
}

TEST_F(ApplicationLinks, ARequestOfWhichNothingWasTakenIsSentAgainWhateverItsMethod) {
  bench.open();
  warm_up();
  bench.wire().write_error = EPIPE;
  Play& play = ask("POST");
  ASSERT_EQ(bench.dialer().wires.size(), 2U);
  bench.say(answer(hello), 1);
  EXPECT_EQ(play.sink.done, 1);
}

TEST_F(ApplicationLinks, AfterTheFirstByteOfAnAnswerNothingIsSentAgain) {
  bench.open();
  warm_up();
  Play& play = ask();
  bench.say(std::string("\1", 1));
  bench.hang_up();
  EXPECT_EQ(play.sink.failure.status, 502);
  EXPECT_EQ(bench.dialer().wires.size(), 1U);
}

TEST_F(ApplicationLinks, ABodyIsSentAgainWholeIfItIsStillThere) {
  bench.open();
  for (const std::size_t size : {std::size_t{50'000}, std::size_t{200'000}}) {
    bench.loop.advance(std::chrono::seconds(2));  // What was kept is gone.
    warm_up();
    const std::size_t kept = bench.dialer().wires.size() - 1;
    Play play(bench, {{"REQUEST_METHOD", "PUT"}, {"CONTENT_LENGTH", "300000"}});
    play.start();
    std::string body;
    for (std::size_t i = 0; i < size / 1000; ++i) {
      body += std::string(1000, static_cast<char>('a' + i % 26));
      play.body(std::string_view(body).substr(body.size() - 1000));
    }
    bench.hang_up(kept);
    const bool again = size < bench.limits.window;
    EXPECT_EQ(play.sink.failed, again ? 0 : 1) << size;
    if (!again) continue;
    play.body("the rest");
    play.end_body();
    EXPECT_EQ(bench.wire(kept + 1).body(), body + "the rest");
    EXPECT_TRUE(bench.wire(kept + 1).body_ended());
    bench.say(answer(hello), kept + 1);
    EXPECT_EQ(play.sink.done, 1);
  }
}

TEST_F(ApplicationLinks, ABodyThatComesWhileTheWayInIsClosedIsNotLost) {
  bench.open();
  warm_up();
  Play play(bench, {{"REQUEST_METHOD", "PUT"}, {"CONTENT_LENGTH", "9"}});
  play.start();
  play.body("one");
  bench.wire().write_error = EPIPE;
  play.stage->input(roles::StageInput::body, base::as_bytes("two"));
  play.stage->input(roles::StageInput::body, base::as_bytes("six"));
  bench.hang_up();
  play.end_body();
  ASSERT_EQ(bench.dialer().wires.size(), 2U);
  EXPECT_EQ(bench.wire(1).body(), "onetwosix");
  bench.say(answer(hello), 1);
  EXPECT_EQ(play.sink.done, 1);
}

TEST_F(ApplicationLinks, AThousandRequestsUseOneConnection) {
  bench.open();
  for (int i = 0; i < 1000; ++i) {
    Play play(bench);
    play.start();
    play.end_body();
    bench.say(answer(hello));
    ASSERT_EQ(play.sink.done, 1);
    bench.wire().received.clear();
  }
  EXPECT_EQ(bench.dialer().wires.size(), 1U);
}

}  // namespace
}  // namespace trivet::source::testing
