#include <gtest/gtest.h>

#include <trivet/testing.hpp>

namespace {

trivet::Ask ask_with(std::vector<std::string> body) {
  return {.params = {{"REQUEST_METHOD", "POST"}, {"REQUEST_URI", "/a%20b?x=1"}, {"QUERY_STRING", "x=1"}},
          .body = std::move(body),
          .may_wait = false};
}

using namespace std::string_literals;

constexpr std::string_view head =
    "trivet-echo\nPOST\n/a%20b\nQUERY_STRING=x=1\nREQUEST_METHOD=POST\nREQUEST_URI=/a%20b?x=1\n\n";

TEST(Echo, GivesBackTheBodyInWhateverPiecesItComes) {
  const std::string body("two\r\nlines\0and a NUL"s);
  for (const auto& pieces : trivet::every_cut(body)) {
    trivet::FakeHost host;
    const trivet::Answer answer = host.respond(ask_with(pieces));
    EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.header("Content-Type"), "text/plain");
    EXPECT_EQ(answer.body, std::string(head) + body);
  }
}

TEST(Echo, WithoutABodyEndsAfterTheEmptyLine) {
  trivet::FakeHost host;
  EXPECT_EQ(host.respond(ask_with({})).body, head);
}

TEST(Echo, KeepsALineForEachParameterWhateverItContains) {
  trivet::FakeHost host;
  const trivet::Answer answer = host.respond({.params = {{"HTTP_B", "one\r\ntwo\n"},
                                                         {"HTTP_A", ""},
                                                         {"REQUEST_METHOD", "GET"},
                                                         {"SCRIPT_NAME", "/x"}},
                                              .body = {}});
  EXPECT_EQ(
      answer.body,
      "trivet-echo\nGET\n/x\nHTTP_A=\nHTTP_B=one\\x0D\\x0Atwo\\x0A\nREQUEST_METHOD=GET\nSCRIPT_NAME=/x\n\n");
}

TEST(Echo, WritesNoMoreAtOnceThanItWasGiven) {
  trivet::FakeHost host;
  const std::vector<std::string> pieces(1000, std::string(4096, 'x'));
  const trivet::Answer answer = host.respond(ask_with(pieces));
  EXPECT_EQ(answer.body.size(), head.size() + 4096000);
  EXPECT_EQ(answer.largest_write, 4096U);
}

TEST(Echo, StopsQuietlyWhenTheClientGoes) {
  trivet::FakeHost host;
  trivet::Ask ask = ask_with({"abc", "def"});
  ask.cancel_after = 20;
  const trivet::Answer answer = host.respond(ask);
  EXPECT_EQ(answer.failure, "");
}

}  // namespace
