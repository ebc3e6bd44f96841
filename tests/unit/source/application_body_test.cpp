#include <gtest/gtest.h>

#include "tests/unit/source/scripted_application.hpp"

namespace trivet::source::testing {
namespace {

namespace wire = protocol::wire;

constexpr std::string_view hello = "Content-Type: text/html\r\n\r\nhello";

struct ApplicationBody : ::testing::Test {
  Stageplay bench;
};

TEST_F(ApplicationBody, GoesOutAsItComesWhereItsLengthIsKnown) {
  bench.open();
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "6"}});
  play.start();
  play.body("abc");
  EXPECT_EQ(bench.wire().body(), "abc");
  EXPECT_FALSE(bench.wire().body_ended());
  play.body("def");
  play.end_body();
  EXPECT_EQ(bench.wire().body(), "abcdef");
  EXPECT_TRUE(bench.wire().body_ended());
  bench.say(answer(hello));
  EXPECT_EQ(play.sink.done, 1);
  EXPECT_EQ(bench.pool().idle(), 1U);
}

TEST_F(ApplicationBody, IsCollectedAndGetsALengthWhereItHasNone) {
  bench.open();
  bench.limits.spool_memory = 1000;
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", ""}});
  play.start();
  EXPECT_TRUE(bench.dialer().wires.empty()) << "nothing is asked of the application before the end";
  EXPECT_TRUE(play.stage->waits_for_peer());
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(play.stage->has_room(roles::StageInput::body));
    const std::string piece(3001, static_cast<char>('a' + i % 26));
    play.body(piece);
    sent += piece;
  }
  EXPECT_EQ(play.stage->kept(), 0U) << "or the connection would not go on reading";
  bench.loop.advance(std::chrono::minutes(10));
  EXPECT_EQ(play.sink.failed, 0) << "the clock stands still while the web server owes the body";
  play.end_body();
  EXPECT_EQ(bench.wire().body(), sent);
  EXPECT_TRUE(bench.wire().body_ended());
  EXPECT_EQ(bench.wire().params(), "REQUEST_METHOD=POST\nCONTENT_LENGTH=300100\n");
  EXPECT_EQ(bench.spools.files, 1U);
  EXPECT_EQ(bench.spools.used, 0U);
  bench.say(answer(hello));
  EXPECT_EQ(play.sink.done, 1);
}

TEST_F(ApplicationBody, ThatIsEmptyAndHasNoLengthGetsNone) {
  bench.open();
  Play play(bench, {{"CONTENT_LENGTH", ""}});
  play.start();
  play.end_body();
  EXPECT_EQ(bench.wire().params(), "CONTENT_LENGTH=\nREQUEST_METHOD=GET\n");
  EXPECT_TRUE(bench.wire().body_ended());
}

TEST_F(ApplicationBody, WhoseLengthIsNoNumberIsToldOfWithoutIt) {
  for (const bool streams : {false, true}) {
    bench.config.stream = streams;
    for (const std::string length : {"-1", "x", "99999999999999999999"}) {
      bench.open();
      Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", length}});
      play.start();
      play.end_body();
      EXPECT_EQ(bench.wire().params(), "REQUEST_METHOD=POST\n") << length << ", stream " << streams;
    }
  }
}

TEST_F(ApplicationBody, WithoutALengthGoesOutAsItComesWithStream) {
  bench.config.stream = true;
  bench.open();
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", ""}});
  play.start();
  play.body("abc");
  EXPECT_EQ(bench.wire().body(), "abc");
  EXPECT_EQ(bench.wire().params(), "REQUEST_METHOD=POST\nCONTENT_LENGTH=\n");
}

TEST_F(ApplicationBody, ThatTheSpoolHasNoPlaceForIsRefused) {
  bench.open();
  bench.limits.spool_memory = 10;
  bench.limits.spool_bytes = bench.spools.bound = 1000;
  Play large(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", ""}});
  large.start();
  large.body(std::string(1001, 'x'));
  EXPECT_EQ(large.sink.failure.status, 413);
  Play other(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", ""}});
  other.start();
  other.body(std::string(600, 'x'));
  Play late(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", ""}});
  late.start();
  late.body(std::string(600, 'x'));
  EXPECT_EQ(late.sink.failure.status, 503) << "others have the place";
  bench.spools.disk_full = true;
  other.body(std::string(100, 'x'));
  EXPECT_EQ(other.sink.failure.status, 503);
  EXPECT_EQ(bench.spools.used, 0U);
}

TEST_F(ApplicationBody, PausesWhenTheApplicationTakesNothing) {
  bench.open();
  bench.dialer().plain.accepts = 100;
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "1000000"}});
  play.start();
  std::size_t given = 0;
  while (play.stage->has_room(roles::StageInput::body) && given < 1'000'000) {
    play.body(std::string(1000, 'x'));
    given += 1000;
  }
  EXPECT_GE(given, bench.limits.window - 1000);
  EXPECT_LE(given, bench.limits.window + 1000);
  EXPECT_FALSE(play.stage->waits_for_peer());
  bench.wire().accepts = SIZE_MAX;
  bench.settle();
  EXPECT_TRUE(play.stage->has_room(roles::StageInput::body));
  EXPECT_EQ(bench.wire().body().size(), given);
}

TEST_F(ApplicationBody, AnApplicationThatNeverReadsIsTimedOut) {
  bench.open();
  bench.dialer().plain.accepts = 300;
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "100000"}});
  play.start();
  play.body(std::string(70000, 'x'));
  bench.loop.advance(std::chrono::seconds(61));
  EXPECT_EQ(play.sink.failure.status, 504);
}

TEST_F(ApplicationBody, AnEarlyAnswerIsTakenAndTheConnectionIsNotKept) {
  bench.open();
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "1000000"}});
  play.start();
  play.body("the beginning");
  bench.say(answer("Status: 413\r\n\r\ntoo much"));
  EXPECT_EQ(play.sink.answer.status(), 413);
  EXPECT_EQ(play.sink.output, "too much");
  EXPECT_EQ(play.sink.done, 1);
  EXPECT_TRUE(bench.wire().closed);
  play.body("what still comes is dropped");
  play.end_body();
  EXPECT_EQ(play.sink.failed, 0);
}

TEST_F(ApplicationBody, AnAnswerIsReadAlthoughTheApplicationClosedTheWayIn) {
  bench.open();
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "1000000"}});
  play.start();
  bench.wire().to_host = answer("Status: 413\r\n\r\ntoo much");
  bench.wire().write_error = EPIPE;
  bench.wire().read_error = ECONNRESET;
  play.body("the beginning");
  EXPECT_EQ(play.sink.answer.status(), 413);
  EXPECT_EQ(play.sink.done, 1);
  EXPECT_EQ(play.sink.failed, 0);
}

TEST_F(ApplicationBody, TheClockStandsStillWhileTheWebServerOwesTheBody) {
  bench.open();
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "10"}});
  play.start();
  EXPECT_TRUE(play.stage->waits_for_peer());
  bench.loop.advance(std::chrono::minutes(10));
  EXPECT_EQ(play.sink.failed, 0);
  play.body("0123456789");
  play.end_body();
  bench.loop.advance(std::chrono::seconds(61));
  EXPECT_EQ(play.sink.failure.status, 504);
}

TEST_F(ApplicationBody, IsDroppedWhereAPartOfTheStageFailed) {
  bench.open();
  Play play(bench, {{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "10"}});
  play.start();
  bench.hang_up();
  EXPECT_EQ(play.sink.failure.status, 502);
  play.body("01234");
  play.end_body();
  EXPECT_EQ(play.sink.failed, 1) << "told once";
}

}  // namespace
}  // namespace trivet::source::testing
