#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

class Responding : public ::testing::Test {
 protected:
  Responding() {
    bench.add<Hello>("hello");
    bench.add<LoopEcho>("loop-echo");
    bench.add<BlockingEcho>("blocking-echo", 2);
    bench.add<ThreadEcho>("thread-echo", 2);
    bench.add<Pour>("pour");
    bench.add<Head>("head");
    bench.route("hello", "/hello").respond = "hello";
    for (const char* name : {"loop-echo", "blocking-echo", "thread-echo", "pour", "head"}) {
      bench.route(name, "/" + std::string(name)).respond = name;
    }
    auto& posts = bench.route("posts", "/posts");
    posts.respond = "hello";
    posts.methods = {"POST", "GET"};
    auto& guarded = bench.route("no-source", "/no-source");
    guarded.authorize.emplace_back().plugin = "allow";
  }

  Answer ask(const std::string& uri, const Ask& with = {}) {
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    wire.wait(with.id);
    return wire.answer(with.id);
  }

  Bench bench;
};

TEST_F(Responding, C53_C55_AnAnswerIsOneHeadABodyAnEndAndOneEndRequest) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello"));
  const Answer answer = wire.answer();
  EXPECT_EQ(answer.out,
            "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n\r\nhello\n");
  EXPECT_TRUE(answer.out_ended);
  EXPECT_EQ(answer.ends, 1);
  EXPECT_EQ(answer.app_status, 0U);
  EXPECT_EQ(answer.protocol_status, 0);
  EXPECT_FALSE(wire.closed());
}

TEST_F(Responding, EveryCutOfTheInputGivesTheSameAnswer) {
  bench.open();
  const std::string whole = request("/loop-echo", {.body = "some body"});
  Bench::Wire& plain = bench.connect();
  plain.send(whole);
  Bench::Wire& slow = bench.connect();
  slow.send_one_by_one(whole);
  bench.loop.advance(std::chrono::milliseconds(30));
  EXPECT_EQ(plain.answer().body(), "some body");
  EXPECT_EQ(slow.answer().body(), "some body");
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    Bench::Wire& wire = bench.connect();
    wire.send(std::string_view(whole).substr(0, cut));
    wire.send(std::string_view(whole).substr(cut));
    ASSERT_EQ(wire.answer().out, plain.answer().out) << cut;
    ASSERT_EQ(wire.answer().ends, 1) << cut;
  }
}

TEST_F(Responding, C30_WithoutKeepConnTheConnectionIsClosedAfterTheAnswer) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello", {.keep = false}));
  EXPECT_EQ(wire.answer().status(), 200);
  EXPECT_TRUE(wire.closed());
}

TEST_F(Responding, BehindAnAnswerThatWasCutNothingIsServed) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.take(0);
  wire.send(request("/head", {.params = {{"QUERY_STRING", "throw-late"}}}));
  // No END_REQUEST was sent: what a request with the same id is answered would belong to the first.
  wire.send(request("/hello") + request("/hello", {.id = 2}));
  wire.send(request("/hello", {.id = 3}));
  wire.take(SIZE_MAX);
  EXPECT_EQ(wire.answer().body(), "body\n");
  EXPECT_EQ(wire.answer().ends + wire.answer(2).ends + wire.answer(3).ends, 0);
  EXPECT_TRUE(wire.closed());
}

TEST_F(Responding, BehindAnAnswerThatWasCutThePeerFinishesWriting) {
  bench.limits.drain_bytes = 1000000;
  bench.open();
  for (const std::size_t surplus : {std::size_t{0}, std::size_t{600000}}) {
    Bench::Wire& wire = bench.connect();
    wire.take(0);  // It writes everything before it reads.
    wire.send(request("/head", {.params = {{"QUERY_STRING", "throw-late"}, {"CONTENT_LENGTH", "500000"}},
                                .end_body = false}));
    wire.send(std::string(500000 + surplus, 'b'));
    EXPECT_EQ(wire.closed(), surplus != 0);
    if (surplus != 0) continue;
    EXPECT_EQ(wire.pipe.to_host.size(), 0U);
    wire.take(SIZE_MAX);
    EXPECT_EQ(wire.answer().body(), "body\n");
    EXPECT_EQ(wire.answer().ends, 0);
  }
}

TEST_F(Responding, C31_TheConnectionClosesOnlyWhenTheOthersAreDone) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.id = 7, .params = {{"REQUEST_METHOD", "POST"}}, .end_body = false}));
  wire.send(request("/hello", {.id = 9, .keep = false}));
  EXPECT_EQ(wire.answer(9).ends, 1);
  EXPECT_FALSE(wire.closed());
  wire.send(stream(7, 5, "late") + stream_end(7, 5));
  EXPECT_EQ(wire.answer(7).body(), "late");
  EXPECT_TRUE(wire.closed());
}

struct Refused {
  const char* name;
  const char* uri;
  Names params;
  int status;
};

class Refusing : public Responding, public ::testing::WithParamInterface<Refused> {};

TEST_P(Refusing, AnswersWithACompleteHeadAndKeepsTheConnection) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request(GetParam().uri, {.params = GetParam().params}));
  const Answer answer = wire.answer();
  EXPECT_EQ(answer.status(), GetParam().status);
  EXPECT_EQ(answer.first_record.rfind("Status: ", 0), 0U);
  EXPECT_EQ(answer.ends, 1);
  EXPECT_EQ(answer.app_status, 0U);
  EXPECT_FALSE(wire.closed());
  wire.send(request("/hello", {.id = 2}));
  EXPECT_EQ(wire.answer(2).status(), 200);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Refusing,
    ::testing::Values(Refused{"NoRoute", "/nowhere", {}, 404},
                      Refused{"MethodDoesNotFit", "/posts", {{"REQUEST_METHOD", "PUT"}}, 405},
                      Refused{"NoSourceAfterItsGuards", "/no-source", {}, 404},
                      Refused{"DotSegment", "/a/../hello", {}, 400},
                      Refused{"Backslash", "/a%5chello", {}, 400}, Refused{"NulInThePath", "/a%00", {}, 400},
                      Refused{"NulInAParameter", "/hello", {{"HTTP_X", std::string("a\0b", 3)}}, 400},
                      Refused{"MethodIsNoToken", "/hello", {{"REQUEST_METHOD", "GE T"}}, 400},
                      Refused{"UnknownSteeredRole", "/hello", {{"TRIVET_ROLE", "x"}}, 500},
                      Refused{"UnknownSteeredRoute", "/hello", {{"TRIVET_ROUTE", "x"}}, 500},
                      Refused{
                          "FilterRoleOnARouteWithoutFilters", "/hello", {{"TRIVET_ROLE", "filter"}}, 500}),
    [](const auto& test) { return test.param.name; });

TEST_F(Responding, AWindowSmallerThanWhatIsGatheredHoldsNoAnswerUp) {
  bench.limits.window = 4096;
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.take(100);
  wire.send(request("/pour", {.params = {{"QUERY_STRING", "30000"}}}));
  for (int i = 0; i < 4; ++i) wire.take(4000);
  wire.take(SIZE_MAX);
  bench.loop.advance(std::chrono::seconds(1));
  wire.settle();
  EXPECT_EQ(wire.answer().body().size(), 30000U);
  EXPECT_EQ(wire.answer().ends, 1);
}

TEST_F(Responding, A405SaysWhatWouldBeAllowed) {
  bench.open();
  EXPECT_EQ(ask("/posts", {.params = {{"REQUEST_METHOD", "PUT"}}}).header("Allow"), "POST, GET, HEAD");
}

struct HeadCase {
  const char* name;
  const char* what;
  const char* method;
  int status;
  const char* length;
  const char* body;
};

class Heads : public Responding, public ::testing::WithParamInterface<HeadCase> {};

TEST_P(Heads, AreTheHostsToWrite) {
  bench.open();
  const Answer answer =
      ask("/head", {.params = {{"QUERY_STRING", GetParam().what}, {"REQUEST_METHOD", GetParam().method}}});
  EXPECT_EQ(answer.status(), GetParam().status);
  EXPECT_EQ(answer.header("Content-Length"), GetParam().length);
  EXPECT_EQ(answer.body(), GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Heads,
    ::testing::Values(
        HeadCase{"Plain", "", "GET", 200, "5", "body\n"},
        HeadCase{"HeadCountsAndSendsNothing", "", "HEAD", 200, "5", ""},
        HeadCase{"HeadWithNothingWrittenHasNoLength", "none", "HEAD", 200, "", ""},
        HeadCase{"NothingWritten", "none", "GET", 200, "0", ""},
        HeadCase{"NoBodyFor204", "204", "GET", 204, "", ""},
        HeadCase{"NoBodyFor304", "304", "GET", 304, "", ""},
        HeadCase{"LocationGetsAStatus", "location", "GET", 302, "5", "body\n"},
        HeadCase{"ALongerBodyIsCut", "long", "GET", 200, "2", "bo"},
        HeadCase{"AShorterBodyIsAFailure", "short", "GET", 500, "26", "500 Internal Server Error\n"},
        HeadCase{"ALargeHeadIsAFailure", "huge", "GET", 500, "26", "500 Internal Server Error\n"},
        HeadCase{"AThrowBeforeAnythingWentOut", "throw", "GET", 500, "26", "500 Internal Server Error\n"}),
    [](const auto& test) { return test.param.name; });

TEST_F(Responding, C83_AFailureAfterTheHeadClosesTheConnectionWithoutAnEnd) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/head", {.params = {{"QUERY_STRING", "throw-late"}}}));
  EXPECT_EQ(wire.answer().status(), 200);
  EXPECT_EQ(wire.answer().body(), "body\n");
  EXPECT_FALSE(wire.answer().out_ended);
  EXPECT_EQ(wire.answer().ends, 0);
  EXPECT_TRUE(wire.closed());
}

TEST_F(Responding, C54_AFailureAfterTheHeadOnASharedConnectionEndsWithAppStatusOne) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.id = 3, .end_body = false}));
  wire.send(request("/head", {.id = 4, .params = {{"QUERY_STRING", "throw-late"}}}));
  EXPECT_EQ(wire.answer(4).ends, 1);
  EXPECT_EQ(wire.answer(4).app_status, 1U);
  EXPECT_FALSE(wire.answer(4).out_ended);
  wire.send(stream_end(3, 5));
  EXPECT_EQ(wire.answer(3).status(), 200);
  EXPECT_FALSE(wire.closed());
}

class Echoing : public Responding, public ::testing::WithParamInterface<const char*> {
 protected:
  std::string uri() const { return "/" + std::string(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Table, Echoing, ::testing::Values("loop-echo", "blocking-echo", "thread-echo"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(Echoing, C63_FourMebibytesComeBackThoughThePeerWritesAllBeforeItReads) {
  bench.limits.spool_memory = 65536;
  bench.spools.bound = 8U << 20U;
  bench.open();
  std::string body(4U << 20U, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761U >> 13U);
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 100000;  // As much as a socket would hold.
  wire.send(request(uri(), {.body = body}));
  ASSERT_TRUE(bench.loop.wait_until([&] {
    if (wire.pipe.paused) bench.loop.advance(std::chrono::milliseconds(1));
    wire.settle();
    return wire.pipe.to_host.empty();
  })) << "closed "
      << wire.closed() << " paused " << wire.pipe.paused << " unread " << wire.pipe.to_host.size() << " "
      << ::testing::PrintToString(bench.log.lines());
  wire.take(SIZE_MAX);
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), body);
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(bench.spools.used, 0U);
}

TEST_F(Responding, C63_OnlyAPeerThatTakesNothingForAMomentIsReadFromWhileItsAnswerIsBlocked) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  const std::string body(1U << 20U, 'x');
  const std::string whole = request("/loop-echo", {.body = body});
  const auto come = [&] { return whole.size() - wire.pipe.to_host.size(); };
  const auto after = [&](std::chrono::microseconds time) {
    bench.loop.advance(time);
    wire.settle();
    return come();
  };
  wire.pipe.accepts = 100000;
  wire.send(whole);
  const std::size_t first = come();
  EXPECT_GT(first, 100000U);
  EXPECT_LT(first, 100000U + bench.limits.window);
  EXPECT_EQ(after(std::chrono::microseconds(999)), first);
  wire.take(100000);  // It reads: it is waited for anew.
  const std::size_t second = come();
  EXPECT_GT(second, 200000U);
  EXPECT_LT(second, 200000U + bench.limits.window);
  EXPECT_EQ(after(std::chrono::microseconds(999)), second);
  EXPECT_GT(after(std::chrono::microseconds(1)), second);
  wire.take(100000);
  const std::size_t third = come();
  EXPECT_EQ(after(std::chrono::microseconds(999)), third)
      << "it has read, and is still taken for one that does not";
  wire.take(SIZE_MAX);
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), body);
}

TEST_F(Responding, AnAbortIsObeyedWhereAnAnswerIsBlocked) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 100000;
  wire.send(request("/loop-echo", {.body = std::string(300000, 'x'), .end_body = false}));
  wire.send(abort(1));
  for (int i = 0; i < 10; ++i) {
    bench.loop.advance(std::chrono::milliseconds(1));
    wire.settle();
  }
  EXPECT_TRUE(wire.pipe.to_host.empty());
  wire.take(SIZE_MAX);
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(wire.answer().app_status, 1U);
}

TEST_P(Echoing, C65_AShortBodyIsNotACleanAnswer) {
  bench.open();
  const Answer answer = ask(uri(), {.params = {{"CONTENT_LENGTH", "100"}}, .body = "only this"});
  EXPECT_FALSE(answer.status() == 200 && answer.ends == 1 && answer.app_status == 0) << answer.out;
}

TEST_P(Echoing, C64_ALongBodyIsCutAtItsLengthAndTold) {
  bench.open();
  const Answer answer = ask(uri(), {.params = {{"CONTENT_LENGTH", "4"}}, .body = "fourmore"});
  EXPECT_EQ(answer.body(), "four");
  EXPECT_EQ(answer.ends, 1);
  EXPECT_TRUE(bench.log.contains("surplus"));
}

TEST_P(Echoing, C52_AVanishedPeerCancelsAndNothingIsLeft) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request(uri(), {.body = "begun", .end_body = false}));
  wire.end(true);
  EXPECT_TRUE(wire.closed());
  EXPECT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; }));
}

TEST_P(Echoing, C51_AnAbortInTheBodyEndsTheRequestOnceAndKeepsTheConnection) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request(uri(), {.body = "begun", .end_body = false}));
  wire.send(abort(1));
  EXPECT_EQ(wire.answer().ends, 1);
  wire.send(stream(1, 5, "late") + stream_end(1, 5) + abort(1));
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_TRUE(bench.loop.wait_until(
      [&] { return bench.environment().in_use() == 1 || bench.environment().in_use() == 0; }));
  wire.send(request("/hello", {.id = 1}));
  EXPECT_EQ(wire.answer().status(), 200);
  EXPECT_EQ(wire.answer().ends, 2);
}

TEST_F(Responding, C54_AnAbortAfterTheHeadEndsWithAppStatusOneAndTheConnectionGoesOn) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.body = "tick", .end_body = false}));
  bench.loop.advance(std::chrono::milliseconds(30));
  ASSERT_EQ(wire.answer().body(), "tick");
  wire.send(abort(1));
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(wire.answer().app_status, 1U);
  EXPECT_EQ(wire.answer().protocol_status, 0);
  wire.send(request("/hello", {.id = 2}));
  EXPECT_EQ(wire.answer(2).status(), 200);
}

TEST_F(Responding, AHalfClosedPeerGetsItsAnswerWhenItsRequestWasComplete) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.pipe.input_ends = true;
  wire.send(request("/blocking-echo", {.body = "all of it"}));
  EXPECT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), "all of it");
  EXPECT_TRUE(wire.closed());
}

TEST_F(Responding, TheWindowIsHeldWhileThePeerDoesNotRead) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 0;
  Pour::poured = 0;
  wire.send(request("/pour", {.params = {{"QUERY_STRING", "3000000"}}}));
  constexpr std::size_t one_piece_more = 1000;
  EXPECT_LE(Pour::poured, bench.limits.window + one_piece_more);
  wire.take(65536);
  EXPECT_LE(Pour::poured, 65536 + 2 * bench.limits.window);  // Small pieces are gathered besides.
  for (int i = 0; i < 1000 && wire.answer().ends == 0; ++i) wire.take(50000);
  EXPECT_EQ(wire.answer().body().size(), 3000000U);
  EXPECT_EQ(wire.answer().ends, 1);
}

TEST_F(Responding, ReadingPausesWhenTheWindowIsFullAndThePeerReads) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  // The plugin thread is busy elsewhere: both threads read from connections that send nothing.
  Bench::Wire& first = bench.connect();
  Bench::Wire& second = bench.connect();
  first.send(request("/blocking-echo", {.end_body = false}));
  second.send(request("/blocking-echo", {.end_body = false}));
  wire.send(request("/blocking-echo", {.body = std::string(1U << 20U, 'b'), .end_body = false}));
  EXPECT_TRUE(wire.pipe.paused);
  EXPECT_GT(wire.pipe.to_host.size(), 700000U);
  EXPECT_EQ(bench.spools.files, 0U);
  first.send(stream_end(1, 5));
  ASSERT_TRUE(bench.loop.wait_until([&] {
    wire.settle();
    return wire.pipe.to_host.empty();
  }));
  wire.send(stream_end(1, 5));
  EXPECT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body().size(), 1U << 20U);
  second.send(stream_end(1, 5));
  EXPECT_TRUE(second.wait());
}

TEST_F(Responding, C36_ManagementIsAnsweredWhileARequestWaits) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/blocking-echo", {.end_body = false}));
  wire.send(std::string("\x01\x09\0\0\0\x10\0\0\x0e\0FCGI_MAX_CONNS", 24));
  EXPECT_NE(wire.answer(0).out.find("FCGI_MAX_CONNS"), std::string::npos);
  wire.send(stream_end(1, 5));
  EXPECT_TRUE(wire.wait());
}

TEST_F(Responding, C46_C47_C94_MoreRequestsThanTheConnectionMayHaveAreOverload) {
  bench.limits.concurrent_per_connection = 2;
  bench.open();
  Bench::Wire& wire = bench.connect();
  for (std::uint16_t id = 1; id <= 3; ++id) wire.send(request("/loop-echo", {.id = id, .end_body = false}));
  EXPECT_EQ(wire.answer(3).status(), 503);
  EXPECT_EQ(wire.answer(3).protocol_status, 2);
  wire.send(stream_end(1, 5));
  EXPECT_EQ(wire.answer(1).status(), 200);
  wire.send(request("/hello", {.id = 3}));
  EXPECT_EQ(wire.answer(3).status(), 200);
}

TEST_F(Responding, AnIdThatWasRefusedMayBeUsedAgainAtOnce) {
  bench.limits.concurrent_per_connection = 1;
  bench.open();
  Bench::Wire& wire = bench.connect();
  const std::string again = request("/hello");
  const std::size_t begin_record = 16;
  wire.send(begin(7, 1, true) + begin(1, 1, true) + stream_end(7, 4) + stream_end(7, 5) +
            again.substr(0, begin_record));
  wire.send(again.substr(begin_record));
  EXPECT_EQ(wire.answer(7).ends, 1);
  EXPECT_EQ(wire.answer(1).ends, 2);
  EXPECT_EQ(wire.answer(1).status(), 200);
}

TEST_F(Responding, ARequestStuckInItsQueueHoldsNoOtherUp) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  for (std::uint16_t id = 1; id <= 4; ++id) {
    wire.send(request("/blocking-echo", {.id = id, .body = std::string(300000, 'b'), .end_body = false}));
  }
  wire.send(request("/hello", {.id = 99}));
  EXPECT_TRUE(wire.wait(99));
  EXPECT_EQ(wire.answer(99).status(), 200);
  for (std::uint16_t id = 1; id <= 4; ++id) wire.send(stream_end(id, 5));
  for (std::uint16_t id = 1; id <= 4; ++id) {
    EXPECT_TRUE(wire.wait(id));
    EXPECT_EQ(wire.answer(id).body().size(), 300000U);
  }
}

TEST_F(Responding, AFullSpoolIs413Or503AndTheConnectionGoesOn) {
  bench.spools.bound = 100000;
  bench.limits.spool_bytes = 100000;
  bench.limits.spool_memory = 65536;
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.id = 7, .end_body = false}));  // Shared: reading does not pause.
  BlockingEcho::hold = true;  // Or it might read as fast as the bodies come.
  for (std::uint16_t id = 1; id <= 3; ++id) {
    wire.send(request("/blocking-echo", {.id = id, .body = std::string(1000000, 'b')}));
  }
  BlockingEcho::hold = false;
  int refused = 0;
  for (std::uint16_t id = 1; id <= 3; ++id) {
    ASSERT_TRUE(wire.wait(id));
    const int status = wire.answer(id).status();
    if (status == 413 || status == 503 || wire.answer(id).app_status == 1) ++refused;
  }
  EXPECT_GT(refused, 0);
  wire.send(stream_end(7, 5));
  EXPECT_EQ(wire.answer(7).status(), 200);
  EXPECT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; }));
  EXPECT_EQ(bench.spools.used, 0U);
}

TEST_F(Responding, ABodyOverItsLimitIs413) {
  bench.limits.body_bytes = 1000;
  bench.open();
  EXPECT_EQ(ask("/loop-echo", {.body = std::string(1000, 'b')}).status(), 200);
  EXPECT_EQ(ask("/loop-echo", {.body = std::string(1001, 'b')}).status(), 413);
  const Answer unannounced =
      ask("/blocking-echo", {.params = {{"CONTENT_LENGTH", ""}}, .body = std::string(1001, 'b')});
  EXPECT_TRUE(unannounced.status() == 413 || unannounced.ends == 0 || unannounced.app_status == 1);
}

TEST_F(Responding, HeldOutputGoesOutAfterTwentyMilliseconds) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.body = "tick", .end_body = false, .end_data = false}));
  EXPECT_EQ(wire.answer().out, "");
  bench.loop.advance(std::chrono::milliseconds(19));
  EXPECT_EQ(wire.answer().out, "");
  bench.loop.advance(std::chrono::milliseconds(2));
  EXPECT_EQ(wire.answer().body(), "tick");
  EXPECT_EQ(wire.answer().header("Content-Length"), "");
  wire.send(stream_end(1, 5));
  EXPECT_EQ(wire.answer().ends, 1);
}

// nginx sends no more of a body once it has passed the head of the response on.
TEST_P(Echoing, NginxGetsNothingOfAnUnfinishedAnswerBeforeItHasSentTheBody) {
  bench.limits.spool_memory = 65536;
  bench.spools.bound = 8U << 20U;
  bench.open();
  const std::string body(1U << 20U, 'n');
  Bench::Wire& wire = bench.connect();
  wire.send(
      request(uri(), {.params = {{"SERVER_SOFTWARE", "nginx/1.22.1"}}, .body = body, .end_body = false}));
  ASSERT_TRUE(bench.loop.wait_until([&] {
    wire.settle();
    return wire.pipe.to_host.empty();
  }));
  bench.loop.advance(std::chrono::seconds(1));
  EXPECT_EQ(wire.pipe.from_host, "");
  wire.send(stream_end(1, 5));
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), body);
  EXPECT_EQ(bench.spools.used, 0U);
}

TEST_F(Responding, NginxGetsACompleteAnswerAtOnce) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello", {.params = {{"SERVER_SOFTWARE", "nginx/1.22.1"}, {"CONTENT_LENGTH", "9"}},
                               .end_body = false}));
  EXPECT_EQ(wire.answer().status(), 200);
  EXPECT_EQ(wire.answer().ends, 1);
}

TEST_F(Responding, C94_SlowParametersAreDroppedAfterHeaderTime) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello", {.end_params = false}));
  bench.loop.advance(std::chrono::milliseconds(4900));
  EXPECT_EQ(wire.answer().ends, 0);
  bench.loop.advance(std::chrono::milliseconds(200));
  EXPECT_EQ(wire.answer().status(), 408);
  Bench::Wire& half = bench.connect();
  half.send(std::string_view("\x01\x01\0", 3));
  bench.loop.advance(std::chrono::milliseconds(4900));
  EXPECT_FALSE(half.closed());
  bench.loop.advance(std::chrono::milliseconds(200));
  EXPECT_TRUE(half.closed());
}

TEST_F(Responding, AStalledBodyIs408AndAPeerThatDoesNotReadIsClosed) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.params = {{"CONTENT_LENGTH", "9"}}, .end_body = false}));
  bench.loop.advance(std::chrono::seconds(59));
  EXPECT_EQ(wire.answer().ends, 0);
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_EQ(wire.answer().status(), 408);
  Bench::Wire& deaf = bench.connect();
  deaf.pipe.accepts = 0;
  deaf.send(request("/hello"));
  bench.loop.advance(std::chrono::seconds(59));
  EXPECT_FALSE(deaf.closed());
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_TRUE(deaf.closed());
}

TEST_F(Responding, C94_IdleConnectionsStayUnlessIdleTimeSaysOtherwise) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello"));
  bench.loop.advance(std::chrono::hours(24));
  EXPECT_FALSE(wire.closed());
  Bench other;
  other.limits.idle_time = std::chrono::seconds(10);
  other.open();
  Bench::Wire& timed = other.connect();
  other.loop.advance(std::chrono::milliseconds(9900));
  EXPECT_FALSE(timed.closed());
  other.loop.advance(std::chrono::milliseconds(200));
  EXPECT_TRUE(timed.closed());
}

TEST_F(Responding, C34_AnEarlyAnswerOnAConnectionToBeClosedLetsThePeerFinishWriting) {
  bench.limits.drain_bytes = 1000000;
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello", {.keep = false, .params = {{"CONTENT_LENGTH", "500000"}}, .end_body = false}));
  EXPECT_EQ(wire.answer().status(), 200);
  EXPECT_FALSE(wire.closed());
  EXPECT_TRUE(wire.pipe.shut);
  wire.send(std::string(500000, 'b'));
  EXPECT_FALSE(wire.closed());
  wire.end(false);
  EXPECT_TRUE(wire.closed());
  Bench::Wire& endless = bench.connect();
  endless.send(request("/hello", {.keep = false, .params = {{"CONTENT_LENGTH", "5"}}, .end_body = false}));
  endless.send(std::string(1100000, 'b'));
  EXPECT_TRUE(endless.closed());
}

TEST_F(Responding, AnEarlyAnswerThatIsNotSentYetLetsThePeerFinishWriting) {
  for (const bool keep : {true, false}) {
    Bench other;
    other.add<Burst>("burst");
    other.route("burst", "/burst").respond = "burst";
    other.open();
    Bench::Wire& wire = other.connect();
    wire.pipe.accepts = 0;
    wire.send(request("/burst", {.keep = keep, .params = {{"CONTENT_LENGTH", "900000"}}, .end_body = false}));
    wire.send(stream(1, 5, std::string(900000, 'b')) + stream_end(1, 5));
    EXPECT_EQ(wire.pipe.to_host.size(), 0U) << keep;
    wire.take(SIZE_MAX);
    EXPECT_EQ(wire.answer().body().size(), 200000U) << keep;
    EXPECT_EQ(wire.answer().ends, 1) << keep;
  }
}

TEST_F(Responding, C11_GarbageAfterACompleteRequestDoesNotCostItsAnswer) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/blocking-echo", {.body = "complete"}) + std::string(16, '\0'));
  wire.wait();
  EXPECT_EQ(wire.answer().body(), "complete");
  EXPECT_EQ(wire.answer().ends, 1);
  wire.end(false);
  EXPECT_TRUE(wire.closed());
}

TEST_F(Responding, APeerThatReadsNoAnswersCannotFillTheMemory) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 0;
  std::string flood;
  for (int i = 0; i < 20000; ++i)
    flood += request("/hello", {.id = static_cast<std::uint16_t>(1 + i % 60000)});
  wire.send(flood);
  EXPECT_TRUE(wire.closed() || !wire.pipe.to_host.empty() || bench.environment().in_use() <= 1024);
  EXPECT_LE(bench.environment().in_use(), 1024U);
}

TEST_F(Responding, AnIdIsFreeOnceItsEndWentOutAlsoWhereTheNextRequestBeganInTheSameTurn) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/hello") + begin(2, 1, true));
  EXPECT_EQ(wire.answer(1).ends, 1);
  wire.send(request("/hello"));
  EXPECT_EQ(wire.answer(1).ends, 2);
  EXPECT_FALSE(wire.closed());
}

/// The second waits for room in the connection before its CONTENT_LENGTH is looked at; its body is in memory,
/// or in part in a file, by then.
TEST_F(Responding, C64_SurplusOfARequestThatWaitedForRoomIsDroppedToo) {
  bench.limits.window = 8192;
  bench.limits.spool_memory = 2000;
  bench.open();
  for (const char* uri : {"/loop-echo", "/thread-echo"}) {
    for (const std::size_t announced : {0, 4, 2500}) {
      for (const std::size_t more : {4, 3000, 200000}) {
        Bench::Wire& wire = bench.connect();
        wire.pipe.accepts = 0;
        wire.send(request("/pour", {.params = {{"QUERY_STRING", "100000"}}}));
        const std::string body(announced, 'a');
        wire.send(request(uri, {.id = 2,
                                .params = {{"CONTENT_LENGTH", std::to_string(announced)}},
                                .body = body + std::string(more, 'b')}));
        wire.take(1U << 20U);
        wire.wait(2);
        EXPECT_EQ(wire.answer(2).body(), body) << uri << announced << " " << more;
        EXPECT_EQ(bench.spools.used, 0U);
      }
    }
  }
  EXPECT_TRUE(bench.log.contains("surplus"));
}

TEST_F(Responding, TwoHundredThousandRequestsReuseOneIdWithoutAStall) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  const std::string one = request("/hello");
  for (int i = 0; i < 200000; ++i) {
    wire.pipe.from_host.clear();
    wire.send(one);
    ASSERT_FALSE(wire.pipe.from_host.empty()) << i;
  }
  EXPECT_EQ(bench.tally.responses[200], 200000);
  EXPECT_LE(bench.environment().in_use(), 0U);
}

}  // namespace
}  // namespace trivet::host::testing
