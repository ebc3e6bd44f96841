#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "runtime/cli/bench/answer.hpp"

namespace trivet::cli::bench {
namespace {

using protocol::Role;

constexpr std::string_view hello = "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello";

/// What an answer is judged as; empty when it is good. The output comes in pieces of `size`.
std::string judged(Expected& expected, std::string_view output, std::size_t size = 1000,
                   std::uint32_t app_status = 0, std::uint8_t protocol_status = 0) {
  Answer answer;
  answer.begin();
  for (std::size_t at = 0; at < output.size(); at += size) {
    answer.on_output(base::as_bytes(output.substr(at, size)), expected);
  }
  const auto problem = answer.judge(app_status, protocol_status, expected);
  if (!problem) return {};
  return std::string(failure_names[static_cast<std::size_t>(problem->kind)]) + ": " + problem->text;
}

struct JudgeCase {
  const char* output;
  Role role;
  std::optional<int> status;
  const char* told;
};

TEST(BenchAnswer, IsJudgedByItsHeadAndStatus) {
  const JudgeCase cases[] = {
      {"Status: 200 OK\r\n\r\n", Role::responder, {}, ""},
      {"Content-Type: text/plain\n\nx", Role::responder, {}, ""},
      {"Location: /x\r\n\r\n", Role::responder, 302, ""},
      {"Status: 404 Not Found\r\n\r\n", Role::responder, {}, "status: status 404"},
      {"Status: 404 Not Found\r\n\r\n", Role::responder, 404, ""},
      {"Status: 200 OK\r\n\r\n", Role::responder, 404, "status: status 200"},
      {"Status: 302 Found\r\n\r\n", Role::responder, {}, ""},
      {"Status: 302 Found\r\n\r\n", Role::authorizer, {}, "status: status 302"},
      {"Status: 200 OK\r\n\r\n", Role::authorizer, {}, ""},
      {"", Role::responder, {}, "head: an answer without output"},
      {"Status: 200 OK\r\n", Role::responder, {}, "head: an answer that ends within its head"},
      {"no field\r\n\r\n", Role::responder, {}, "head: the head has a line that is no field: \"no field\""},
      {"Status: OK\r\n\r\n",
       Role::responder,
       {},
       "head: the Status does not begin with a code of three digits: \"OK\""},
  };
  for (const JudgeCase& each : cases) {
    for (const std::size_t size : {1U, 3U, 1000U}) {
      Expected expected;
      expected.role = each.role;
      expected.status = each.status;
      EXPECT_EQ(judged(expected, each.output, size), each.told) << each.output << " in pieces of " << size;
    }
  }
}

TEST(BenchAnswer, StatusOfTheProtocolComesBeforeWhatWasSaid) {
  Expected expected;
  EXPECT_EQ(judged(expected, hello, 1000, 7, 2), "refused: protocol status OVERLOADED");
  EXPECT_EQ(judged(expected, hello, 1000, 7, 0), "app_status: application status 7");
}

TEST(BenchAnswer, BodyHasToBeThatOfTheFirstGoodOneHoweverItIsCut) {
  Expected expected;
  EXPECT_EQ(judged(expected, "Status: 500 No\r\n\r\nsorry"), "status: status 500") << "is no example";
  EXPECT_EQ(judged(expected, hello), "");
  for (std::size_t size = 1; size < hello.size(); ++size)
    EXPECT_EQ(judged(expected, hello, size), "") << size;
  EXPECT_EQ(judged(expected, "Status: 200 OK\r\n\r\nhello"), "") << "another head";
  EXPECT_TRUE(
      judged(expected, "Status: 200 OK\r\n\r\nhellO").starts_with("body: a body of 5 bytes with checksum "));
  EXPECT_TRUE(judged(expected, "Status: 200 OK\r\n\r\nhell").starts_with("body: a body of 4 bytes"));
  EXPECT_TRUE(judged(expected, "Status: 200 OK\r\n\r\n").starts_with("body: a body of 0 bytes"));
  expected.any_body = true;
  EXPECT_EQ(judged(expected, "Status: 200 OK\r\n\r\nhellO"), "");
}

TEST(BenchAnswer, AHeadThatBeginsAsTheLastOneIsReadWhereItGoesOn) {
  Expected expected;
  expected.any_body = true;
  EXPECT_EQ(judged(expected, "A: b\n\n"), "");
  EXPECT_EQ(judged(expected, "A: b\nStatus: 503 Busy\n\n"), "status: status 503");
  EXPECT_EQ(judged(expected, "A: b\n\n"), "");
  EXPECT_EQ(judged(expected, "Status: 503 Busy\n\n"), "status: status 503");
  EXPECT_EQ(judged(expected, "Status: 503 Busy\n\n"), "status: status 503") << "also once it is known";
}

TEST(BenchAnswer, BeginsAnew) {
  Expected expected;
  Answer answer;
  answer.begin();
  answer.on_output(base::as_bytes("Status: 5"), expected);
  EXPECT_TRUE(answer.begun());
  answer.begin();
  EXPECT_FALSE(answer.begun());
  answer.on_output(base::as_bytes(hello), expected);
  EXPECT_FALSE(answer.judge(0, 0, expected).has_value());
  EXPECT_EQ(expected.body->size, 5U);
}

}  // namespace
}  // namespace trivet::cli::bench
