#include "runtime/cgi/head_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace trivet::cgi {
namespace {

using State = HeadReader::State;

/// Feeds in two pieces cut at `cut`; gives the body.
std::string feed(HeadReader& reader, std::string_view all, std::size_t cut) {
  std::string body(base::as_text(reader.feed(base::as_bytes(all.substr(0, cut)))));
  body += base::as_text(reader.feed(base::as_bytes(all.substr(cut))));
  return body;
}

TEST(HeadReader, C95_TakesTheHeadOffAtEveryCutWhateverEndsItsLines) {
  constexpr std::string_view all = "Status: 404 Not Found\r\nX-A:  b \t\nX-Empty:\n\r\nthe\r\nbody";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    HeadReader reader(200, 10);
    EXPECT_EQ(feed(reader, all, cut), "the\r\nbody") << cut;
    ASSERT_EQ(reader.state(), State::complete) << cut;
    EXPECT_EQ(reader.head().status(), 404);
    ASSERT_EQ(reader.head().size(), 2U);
    EXPECT_EQ(reader.head().find("x-a"), "b");
    EXPECT_EQ(reader.head().find("X-Empty"), "");
  }
}

TEST(HeadReader, NoStatusIsNotMadeUp) {
  HeadReader reader(200, 10);
  (void)feed(reader, "Location: /x\n\n", 3);
  ASSERT_EQ(reader.state(), State::complete);
  EXPECT_FALSE(reader.head().has_status());
}

TEST(HeadReader, RepeatedFieldsStayApartAndInOrder) {
  HeadReader reader(200, 10);
  (void)feed(reader, "Set-Cookie: a\nX: y\nset-cookie: b\nContent-Length: 3\ncontent-length: 3\n\n", 0);
  ASSERT_EQ(reader.state(), State::complete) << reader.problem();
  ASSERT_EQ(reader.head().size(), 4U);
  EXPECT_EQ(reader.head().at(0).value, "a");
  EXPECT_EQ(reader.head().at(2).value, "b");
  EXPECT_EQ(reader.head().find("Content-Length"), "3");
}

TEST(HeadReader, FieldsOfAConnectionAreLeftOut) {
  HeadReader reader(400, 10);
  (void)feed(
      reader,
      "Connection: close\nKEEP-ALIVE: 1\nProxy-Connection: x\nTE: x\nTrailer: x\nTransfer-Encoding: chunked\n"
      "Upgrade: x\nX: y\n\n",
      5);
  ASSERT_EQ(reader.state(), State::complete) << reader.problem();
  EXPECT_EQ(reader.head().size(), 1U);
}

TEST(HeadReader, WhatIsNoHeadIsMalformedAtEveryCut) {
  const std::pair<std::string, std::string> cases[] = {
      {"\n", "the head is empty"},
      {"\r\n\r\n", "the head is empty"},
      {"no colon\n\n", "the head has a line that is no field: \"no colon\""},
      {": nameless\n\n", "the head has a line that is no field: \": nameless\""},
      {"a b: c\n\n", "the head has a line that is no field: \"a b: c\""},
      {"A: b\n folded: c\n\n", "the head has a line that is no field: \" folded: c\""},
      {"HTTP/1.1 200 OK\r\n\r\n", "the head has a line that is no field: \"HTTP/1.1 200 OK\""},
      {"Status: OK\n\n", "the Status does not begin with a code of three digits: \"OK\""},
      {"Status:\n\n", "the Status does not begin with a code of three digits: \"\""},
      {"Status: 2000\n\n", "the Status does not begin with a code of three digits: \"2000\""},
      {"Status: -20\n\n", "the Status does not begin with a code of three digits: \"-20\""},
      {"Status: 100 Continue\n\n", "the Status is outside 200 to 599: 100"},
      {"Status: 600\n\n", "the Status is outside 200 to 599: 600"},
      {"Status: 200\nStatus: 404\n\n", "the head has two Status fields that differ: 200 and 404"},
      {"Content-Length: 1\nContent-Length: 2\n\n", "the head has two lengths: \"1\" and \"2\""},
      {"Content-Length: x\n\n",
       "the head has a field that is refused: \"Content-Length: x\": Content-Length is a decimal number"},
      {"A: b\x01 c\n\n",
       "the head has a field that is refused: \"A: b\x01 c\": a header value holds no control bytes"},
      {"A: b\rB: c\n\n",
       "the head has a field that is refused: \"A: b\rB: c\": a header value holds no control bytes"},
      {"Variable-USER: root\n\n",
       "the head has a field that is refused: \"Variable-USER: root\": variables are set as variables, not "
       "as headers"},
      {"A: 1\nB: 2\nC: 3\nD: 4\n\n", "the head has more than 3 fields"},
      {"A: " + std::string(120, 'x') + "\n\n", "the head is larger than 100 bytes"},
      {std::string(150, 'x'), "the head is larger than 100 bytes"},
  };
  for (const auto& [head, problem] : cases) {
    for (std::size_t cut = 0; cut <= head.size(); ++cut) {
      HeadReader reader(100, 3);
      EXPECT_EQ(feed(reader, head, cut), "") << head;
      ASSERT_EQ(reader.state(), State::malformed) << head << " cut at " << cut;
      EXPECT_EQ(reader.problem(), problem) << head;
    }
  }
}

TEST(HeadReader, AHeadOfExactlyTheBoundFits) {
  const std::string head = "A: " + std::string(95, 'x') + "\n\n";
  ASSERT_EQ(head.size(), 100U);
  for (std::size_t cut = 0; cut <= head.size(); ++cut) {
    HeadReader fits(100, 1);
    (void)feed(fits, head, cut);
    EXPECT_EQ(fits.state(), State::complete) << cut;
    HeadReader small(99, 1);
    (void)feed(small, head, cut);
    EXPECT_EQ(small.state(), State::malformed) << cut;
  }
}

}  // namespace
}  // namespace trivet::cgi
