#include <gtest/gtest.h>

#include "runtime/protocol/name_value.hpp"
#include "runtime/protocol/record_decoder.hpp"
#include "tests/unit/source/scripted_application.hpp"

namespace trivet::source::testing {
namespace {

namespace wire = protocol::wire;

constexpr std::string_view hello = "Content-Type: text/html\r\n\r\nhello";

struct Application : ::testing::Test {
  Stageplay bench;
};

/// A request that was sent whole.
struct Asked : Application {
  Asked() { bench.open(); }
  Play& ask(std::vector<std::pair<std::string, std::string>> params = {}) {
    plays.push_back(std::make_unique<Play>(bench, std::move(params)));
    plays.back()->start();
    plays.back()->end_body();
    return *plays.back();
  }
  std::vector<std::unique_ptr<Play>> plays;
};

TEST_F(Asked, GetsTheAnswerAndTheConnectionIsKept) {
  Play& play = ask();
  EXPECT_TRUE(bench.wire().body_ended());
  bench.say(answer(hello));
  EXPECT_EQ(play.sink.output, "hello");
  EXPECT_EQ(play.sink.answer.find("content-type"), "text/html");
  EXPECT_EQ(play.sink.done, 1);
  EXPECT_EQ(play.sink.flushes, 0) << "it ended at once, so it gets a length";
  EXPECT_EQ(bench.pool().idle(), 1U);
  Play& second = ask();
  EXPECT_EQ(bench.dialer().wires.size(), 1U) << "the kept one is used";
  bench.say(answer(hello));
  EXPECT_EQ(second.sink.done, 1);
}

TEST_F(Asked, GetsTheSameAnswerCutAtEveryByteAndByteByByte) {
  const std::string whole = out("Status: 404 Not Found\nX: y\n\nab") + err("warning\n") + answer("cd");
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    plays.clear();
    bench.open();  // A new connection, for the id 1.
    Play& play = ask();
    bench.say(whole.substr(0, cut));
    EXPECT_EQ(play.sink.done, 0);
    bench.say(whole.substr(cut));
    EXPECT_EQ(play.sink.output, "abcd") << cut;
    EXPECT_EQ(play.sink.done, 1) << cut;
    EXPECT_EQ(bench.wire().closed, false) << cut;
  }
  Play& play = ask();
  bench.wire().read_at_most = 1;
  bench.say(whole);
  EXPECT_EQ(play.sink.output, "abcd");
  EXPECT_EQ(bench.dialer().wires.size(), 1U);
}

TEST_F(Asked, PassesOutputOnAtOnce) {
  Play& play = ask();
  bench.say(out("Content-Type: text/event-stream\n\n"));
  EXPECT_EQ(play.sink.flushes, 1) << "the head alone";
  bench.say(out("data: 1\n\n"));
  EXPECT_EQ(play.sink.output, "data: 1\n\n");
  EXPECT_EQ(play.sink.flushes, 2);
}

TEST_F(Asked, WaitsWithReadingWhileThereIsNoRoom) {
  Play& play = ask();
  bench.say(out(hello));
  play.sink.room = false;
  bench.say(out("more"));
  bench.say(out("and more") + end());
  EXPECT_EQ(play.sink.output, "hello") << "nothing is read while the reader is slow";
  bench.loop.advance(std::chrono::minutes(10));
  EXPECT_EQ(play.sink.failed, 0) << "the application owes nothing meanwhile";
  play.sink.room = true;
  play.stage->resume();
  bench.settle();
  EXPECT_EQ(play.sink.output, "hellomoreand more");
  EXPECT_EQ(play.sink.done, 1);
}

struct HostileCase {
  std::string_view name;
  std::string bytes;
  bool hangs_up;
  int status;
  std::string_view reason;
};

TEST_F(Asked, WhatIsNoAnswerIsAFailureThatSaysWhy) {
  const std::string big(7000, 'x');
  const HostileCase cases[] = {
      {"Version", std::string("\2\6\0\1\0\0\0\0", 8), false, 502, "it does not speak FastCGI 1"},
      {"Http", "HTTP/1.1 200 OK\r\n\r\n", false, 502, "it does not speak FastCGI 1"},
      {"OtherId", wire::record(wire::standard_out, 2, "a: b\n\n"), false, 502,
       "it sent a record of type 6 with id 2, which is no answer to its request"},
      {"IdZero", wire::record(wire::standard_out, 0, "a: b\n\n"), false, 502,
       "it sent a record of type 6 with id 0"},
      {"WrongType", wire::record(wire::standard_in, 1, "a"), false, 502,
       "it sent a record of type 5 with id 1"},
      {"UnknownType", wire::record(77, 1, "a"), false, 502, "it sent a record of type 77 with id 1"},
      {"ShortEnd", wire::record(wire::end_request, 1, "1234"), false, 502,
       "its END_REQUEST has 4 bytes instead of 8"},
      {"LongEnd", wire::record(wire::end_request, 1, "123456789"), false, 502,
       "its END_REQUEST has 9 bytes instead of 8"},
      {"EndBeforeHead", end(), false, 502, "its answer ended before its head did, with appStatus 0"},
      {"EndWithinHead", out("a: b\n") + end(255), false, 502,
       "its answer ended before its head did, with appStatus 255"},
      {"Overloaded", end(0, 2), false, 503, "it is overloaded (FCGI_OVERLOADED)"},
      {"NoMultiplexing", end(0, 1), false, 502, "it refused the request with protocolStatus 1"},
      {"UnknownRole", end(0, 3), false, 502, "it refused the request with protocolStatus 3"},
      {"Closed", "", true, 502, "it closed the connection before its answer was complete"},
      {"ClosedWithinHead", out("a: b\n"), true, 502,
       "it closed the connection before its answer was complete"},
      {"HeadTooLarge", out("a: " + big + "\n\n"), false, 502, "the head is larger than 6800 bytes"},
      {"HeadWithoutFields", out("\r\nbody"), false, 502, "the head is empty"},
      {"HeadWithoutColon", out("hello, world\n\n"), false, 502,
       "the head has a line that is no field: \"hello, world\""},
      {"Informational", out("Status: 103 Early Hints\n\n"), false, 502,
       "the Status is outside 200 to 599: 103"},
      {"SwitchingProtocols", out("Status: 101\n\n"), false, 502, "the Status is outside 200 to 599: 101"},
      {"ControlByte", out(std::string("a: b\0c\n\n", 8)), false, 502,
       "a header value holds no control bytes"},
      {"Variable", out("Variable-REMOTE_USER: root\n\n"), false, 502, "variables are set as variables"},
      {"OutputAfterItsEnd", out("a: b\n") + wire::record(wire::standard_out, 1, {}) + out("c: d\n\n"), false,
       502, "it sent output after the end of its output"},
  };
  for (const HostileCase& each : cases) {
    Play& play = ask();
    const std::size_t number = bench.dialer().wires.size() - 1;
    bench.say(each.bytes, number);
    if (each.hangs_up) bench.hang_up(number);
    EXPECT_EQ(play.sink.failed, 1) << each.name;
    EXPECT_EQ(play.sink.failure.status, each.status) << each.name;
    EXPECT_NE(play.sink.failure.text.find("unix:/run/app.sock: "), std::string::npos) << each.name;
    EXPECT_NE(play.sink.failure.text.find(each.reason), std::string::npos)
        << each.name << ": " << play.sink.failure.text;
    EXPECT_EQ(play.sink.done, 0) << each.name;
    EXPECT_TRUE(bench.wire(number).closed) << each.name;
    EXPECT_EQ(bench.pool().open(), 0U) << each.name;
  }
}

TEST_F(Asked, AnAnswerThatIsCutIsNeverComplete) {
  for (const std::string& rest : {std::string(), end(1), wire::record(9, 1, {}), std::string("\7")}) {
    Play& play = ask();
    const std::size_t number = bench.dialer().wires.size() - 1;
    bench.say(out(hello) + rest, number);
    bench.hang_up(number);
    EXPECT_EQ(play.sink.output, "hello");
    EXPECT_EQ(play.sink.done, 0);
    EXPECT_EQ(play.sink.failed, 1);
    EXPECT_TRUE(bench.wire(number).closed);
  }
}

TEST_F(Asked, AStatusOfTheApplicationIsLoggedAndItsAnswerStands) {
  Play& play = ask();
  bench.say(out(hello) + wire::record(wire::standard_out, 1, {}) + end(3));
  EXPECT_EQ(play.sink.done, 1);
  EXPECT_TRUE(bench.log.contains("appStatus 3"));
}

TEST_F(Asked, ABodyShorterThanItsLengthIsAFailureUnlessNoneFollows) {
  Play& cut = ask();
  bench.say(answer("Content-Length: 7\n\nhello"));
  EXPECT_EQ(cut.sink.failure.status, 502);
  EXPECT_NE(cut.sink.failure.text.find("its body is 2 bytes shorter than its Content-Length"),
            std::string::npos);
  Play& head = ask({{"REQUEST_METHOD", "HEAD"}});
  bench.say(answer("Content-Length: 7\n\n"), 1);
  EXPECT_EQ(head.sink.done, 1);
  Play& unchanged = ask();
  bench.say(answer("Status: 304\nContent-Length: 7\n\n"), 1);
  EXPECT_EQ(unchanged.sink.done, 1);
  Play& whole = ask();
  bench.say(out("Content-Length: 7\n\nhe") + answer("llo!!"), 1);
  EXPECT_EQ(whole.sink.done, 1);
}

TEST_F(Asked, ManagementRecordsThatNobodyAskedForAreSkipped) {
  Play& play = ask();
  bench.say(wire::record(wire::unknown_type, 0, std::string(8, '\0')) +
            wire::record(wire::get_values_result, 0, {}) + answer(hello));
  EXPECT_EQ(play.sink.done, 1);
}

TEST_F(Asked, AConnectionWithBytesAfterTheAnswerIsNotKept) {
  ask();
  bench.say(answer(hello) + out("more"));
  EXPECT_EQ(plays.back()->sink.done, 1) << "the answer stands";
  EXPECT_TRUE(bench.wire(0).closed);
}

TEST_F(Asked, ALateRecordOfTheRequestBeforeIsNoAnswerToTheNext) {
  ask();
  bench.say(answer(hello));
  Play& second = ask();
  EXPECT_EQ(bench.dialer().wires.size(), 1U);
  bench.wire().to_host = answer("Content-Type: text/html\r\n\r\nfor somebody else");  // With the id 1.
  bench.settle();
  EXPECT_EQ(second.sink.output, "");
  EXPECT_EQ(second.sink.failure.status, 502);
  EXPECT_TRUE(bench.wire().closed);
  Play& third = ask();
  bench.say(answer(hello), 1);
  EXPECT_EQ(third.sink.output, "hello");
}

TEST_F(Asked, FieldsOfAConnectionAreLeftOut) {
  Play& play = ask();
  bench.say(answer("Connection: close\nTransfer-Encoding: chunked\nKeep-Alive: x\nUpgrade: h2c\nX: y\n\n"));
  EXPECT_EQ(play.sink.answer.size(), 1U);
  EXPECT_EQ(play.sink.answer.find("X"), "y");
}

TEST_F(Asked, ErrorOutputIsLoggedLineByLineAndBounded) {
  ask();
  bench.say(err("PHP Warning:  a\r\nin b") + err("\n\n") + err("last"));
  EXPECT_TRUE(bench.log.contains(
      "the application says route=php application=unix:/run/app.sock text=\"PHP Warning:  a\""));
  EXPECT_TRUE(bench.log.contains("text=\"in b\""));
  EXPECT_FALSE(bench.log.contains("text=last"));
  bench.say(answer(hello));
  EXPECT_TRUE(bench.log.contains("text=last"));

  bench.log.clear();
  ask();
  for (int i = 0; i < 300; ++i) bench.say(err("noise\n"));
  bench.say(err(std::string(60000, 'x')) + answer(hello));
  EXPECT_EQ(plays.back()->sink.done, 1);
  EXPECT_EQ(bench.log.count("text=noise"), 100U);
  EXPECT_TRUE(bench.log.contains("[61200 bytes more are left out]"));
}

TEST_F(Asked, ValuesThatNoLineMayShowAreNotShown) {
  bench.journal.redact = {cgi::ParamName("HTTP_COOKIE")};
  ask({{"HTTP_COOKIE", "session=secret"}});
  bench.say(err("bad cookie session=secret\n"));
  EXPECT_TRUE(bench.log.contains("bad cookie [redacted]"));
}

TEST_F(Asked, NothingWithinTheTimeoutIs504) {
  Play& play = ask();
  bench.loop.advance(std::chrono::seconds(59));
  EXPECT_EQ(play.sink.failed, 0);
  for (int i = 0; i < 50; ++i) bench.say(err("still alive\n"));
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_EQ(play.sink.failure.status, 504);
  EXPECT_NE(play.sink.failure.text.find("no head of an answer came within its timeout"), std::string::npos);
  EXPECT_TRUE(bench.wire().closed) << "that is how the application learns of it";
}

TEST_F(Asked, SilenceAfterTheHeadCutsTheAnswer) {
  Play& play = ask();
  bench.say(out(hello));
  for (int i = 0; i < 5; ++i) {
    bench.loop.advance(std::chrono::seconds(59));
    bench.say(out("."));
  }
  EXPECT_EQ(play.sink.failed, 0);
  bench.loop.advance(std::chrono::seconds(61));
  EXPECT_EQ(play.sink.failed, 1);
  EXPECT_NE(play.sink.failure.text.find("stall_time"), std::string::npos);
}

TEST_F(Asked, AClientThatIsGoneClosesTheConnectionToTheApplication) {
  Play& play = ask();
  play.stage->cancel();
  EXPECT_TRUE(bench.wire().closed);
  EXPECT_EQ(bench.pool().open(), 0U);
  EXPECT_EQ(play.sink.failed + play.sink.done, 0);
}

TEST_F(Asked, ParametersForTheHostAreNotPassedOn) {
  ask({{"TRIVET_ROUTE", "php"},
       {"TRIVET_ROLE", "x"},
       {"HTTP_PROXY", "evil"},
       {"REMOTE_USER", "ann"},
       {"EMPTY", ""}});
  EXPECT_EQ(bench.wire().params(), "REMOTE_USER=ann\nEMPTY=\nREQUEST_METHOD=GET\nCONTENT_LENGTH=0\n");
}

TEST_F(Asked, NoPairIsCutByTheEndOfARecord) {
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 40; ++i) many.emplace_back("HTTP_X" + std::to_string(i), std::string(5000, 'v'));
  ask(many);
  // Each record is read by itself, as PHP does.
  protocol::RecordDecoder decoder;
  const std::string& received = bench.wire().received;
  base::Bytes rest = base::as_bytes(received);
  std::string content;
  std::size_t pairs = 0;
  for (protocol::RecordStep step = decoder.next(rest); step.kind != protocol::RecordStep::Kind::more;
       step = decoder.next(rest)) {
    if (decoder.header().type != wire::params) continue;
    if (step.kind == protocol::RecordStep::Kind::content) content += base::as_text(step.content);
    if (step.kind != protocol::RecordStep::Kind::end) continue;
    protocol::PairReader reader(base::as_bytes(content));
    while (reader.next()) ++pairs;
    EXPECT_FALSE(reader.broken());
    content.clear();
  }
  EXPECT_EQ(pairs, many.size() + 2);
}

}  // namespace
}  // namespace trivet::source::testing
