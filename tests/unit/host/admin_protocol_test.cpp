#include "runtime/host/admin_protocol.hpp"

#include <gtest/gtest.h>

#include <random>

namespace trivet::host {
namespace {

using Command = AdminRequest::Command;
using State = AdminAnswerReader::State;

struct RequestCase {
  const char* line;
  AdminRequest request;
};

constexpr auto of = [](Command command, bool json = false, bool now = false, bool wait = true,
                       const char* level = "") { return AdminRequest{command, json, now, wait, level}; };

const RequestCase requests[] = {
    {"trivet/1 reload\n", of(Command::reload)},
    {"trivet/1 upgrade\n", of(Command::upgrade)},
    {"trivet/1 status text\n", of(Command::status)},
    {"trivet/1 status json\n", of(Command::status, true)},
    {"trivet/1 stop\n", of(Command::stop)},
    {"trivet/1 stop now\n", of(Command::stop, false, true)},
    {"trivet/1 stop no-wait\n", of(Command::stop, false, false, false)},
    {"trivet/1 stop now no-wait\n", of(Command::stop, false, true, false)},
    {"trivet/1 drain\n", of(Command::drain)},
    {"trivet/1 drain no-wait\n", of(Command::drain, false, false, false)},
    {"trivet/1 log-level debug\n", of(Command::log_level, false, false, true, "debug")},
};

TEST(AdminRequests, AreReadAsTheyWereWritten) {
  for (const RequestCase& each : requests) {
    EXPECT_EQ(pack(each.request), each.line);
    std::string_view line = each.line;
    line.remove_suffix(1);
    const auto read = read_admin_request(line);
    ASSERT_TRUE(read) << line;
    EXPECT_EQ(read.value(), each.request) << line;
    EXPECT_LE(line.size(), AdminRequest::longest_line);
  }
}

struct BadRequest {
  const char* line;
  const char* said;
};

constexpr BadRequest bad_requests[] = {
    {"", "speaks to it"},
    {"GET / HTTP/1.1\r", "speaks to it"},
    {"\x01\x01\x02", "speaks to it"},
    {"trivet/1 reload\r", "speaks to it"},
    {"trivet/2 reload", "speaks trivet/1, not trivet/2"},
    {"trivet/1", "does not know the command \"\""},
    {"trivet/1 ", "does not know the command \"\""},
    {"trivet/1  reload", "does not know the command \"\""},
    {"trivet/1 Reload", "does not know the command \"Reload\""},
    {"trivet/1 reload ", "\"\" is nothing that reload takes"},
    {"trivet/1 reload now", "\"now\" is nothing that reload takes"},
    {"trivet/1 status xml", "\"xml\" is nothing that status takes"},
    {"trivet/1 stop now now", "\"now\" is nothing that stop takes"},
    {"trivet/1 stop no-wait no-wait", "\"no-wait\" is nothing"},
    {"trivet/1 drain now", "\"now\" is nothing that drain takes"},
    {"trivet/1 log-level", "takes the name of a level"},
    {"trivet/1 log-level ", "\"\" is nothing that log-level takes"},
    {"trivet/1 log-level a b", "\"b\" is nothing that log-level takes"},
};

TEST(AdminRequests, ThatAreNoneAreRefusedWithTheReason) {
  for (const BadRequest& each : bad_requests) {
    const auto read = read_admin_request(each.line);
    ASSERT_FALSE(read) << each.line;
    EXPECT_NE(read.error().message.find(each.said), std::string::npos)
        << each.line << ": " << read.error().message;
  }
}

TEST(AdminRequests, OfRandomBytesAreRefusedAndNothingThatCannotBeShownIsRepeated) {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
  for (int run = 0; run < 20'000; ++run) {
    std::string line = run % 2 == 0 ? "trivet/1 " : "";
    for (auto left = random() % 40; left > 0; --left) line += static_cast<char>(random());
    const auto read = read_admin_request(line);
    ASSERT_FALSE(read) << line;
    for (const char each : read.error().message) ASSERT_TRUE(each >= ' ' && each <= '~');
  }
}

const AdminAnswer answers[] = {
    {0, "", ""}, {78, "t.toml:1:1: error\n", ""}, {0, "", "{}\n"}, {255, "a\nb\n", std::string("\0\n1", 3)}};

TEST(AdminAnswers, AreReadAsTheyWereWrittenHoweverTheyAreCut) {
  for (const AdminAnswer& each : answers) {
    const std::string bytes = pack(each);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      AdminAnswerReader reader;
      const State half = reader.take(std::string_view(bytes).substr(0, cut));
      EXPECT_EQ(half, cut < bytes.size() ? State::reading : State::done) << cut;
      EXPECT_EQ(reader.take(std::string_view(bytes).substr(cut)), State::done) << cut;
      EXPECT_EQ(reader.answer(), each);
    }
    AdminAnswerReader one_by_one;
    for (const char byte : bytes) one_by_one.take({&byte, 1});
    EXPECT_EQ(one_by_one.state(), State::done);
    EXPECT_EQ(one_by_one.answer(), each);
  }
}

TEST(AdminAnswers, ThatAreNoneAreBroken) {
  for (const char* bytes :
       {"\n", "trivet/1 0 0\n", "trivet/1 0 0 0 0\n", "trivet/2 0 0 0\n", "trivet/1 -1 0 0\n",
        "trivet/1 256 0 0\n", "trivet/1 0 x 0\n", "trivet/1 0 0 99999999999999999999\n",
        "trivet/1 0 67108865 0\n", "trivet/1 0 0 67108865\n", "trivet/1 0 0 0\nmore", "trivet/1 0 1 1\nabc",
        "HTTP/1.1 400 Bad Request\r\n"}) {
    AdminAnswerReader reader;
    EXPECT_EQ(reader.take(bytes), State::broken) << bytes;
    EXPECT_EQ(reader.take("trivet/1 0 0 0\n"), State::broken) << bytes;
  }
  AdminAnswerReader endless;
  EXPECT_EQ(endless.take(std::string(AdminAnswer::longest_head - 1, 'x')), State::reading);
  EXPECT_EQ(endless.take("x"), State::broken);
}

}  // namespace
}  // namespace trivet::host
