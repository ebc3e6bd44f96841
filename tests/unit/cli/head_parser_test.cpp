#include "runtime/cli/head_parser.hpp"

#include <gtest/gtest.h>

namespace trivet::cli {
namespace {

using State = HeadParser::State;

/// Feeds in two pieces cut at `cut`; gives the body.
std::string feed(HeadParser& parser, std::string_view all, std::size_t cut) {
  std::string body(base::as_text(parser.feed(base::as_bytes(all.substr(0, cut)))));
  body += base::as_text(parser.feed(base::as_bytes(all.substr(cut))));
  return body;
}

TEST(HeadParser, C95_TakesTheHeadOffAtEveryCutWhateverEndsItsLines) {
  constexpr std::string_view all = "Status: 404 Not Found\r\nX-A:  b\n\r\nthe\r\nbody";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    HeadParser parser;
    EXPECT_EQ(feed(parser, all, cut), "the\r\nbody") << cut;
    ASSERT_EQ(parser.state(), State::complete) << cut;
    EXPECT_EQ(parser.status(), 404);
    EXPECT_EQ(parser.text(), "Status: 404 Not Found\nX-A:  b\n");
    EXPECT_FALSE(parser.has_location());
  }
}

struct StatusCase {
  std::string_view head;
  std::optional<int> status;
  bool has_location;
};

TEST(HeadParser, TellsStatusAndLocation) {
  const StatusCase cases[] = {
      {"Status: 200\n\n", 200, false},
      {"status:200 OK\r\n\r\n", 200, false},
      {"Content-Type: text/plain\n\n", std::nullopt, false},
      {"LOCATION: /x\n\n", std::nullopt, true},
      {"Status: 302 Found\nLocation: /x\n\n", 302, true},
      {"Status: 200\nStatus: 200 OK\n\n", 200, false},
      {"\n", std::nullopt, false},
  };
  for (const StatusCase& each : cases) {
    HeadParser parser;
    static_cast<void>(feed(parser, each.head, each.head.size()));
    ASSERT_EQ(parser.state(), State::complete) << each.head;
    EXPECT_EQ(parser.status(), each.status) << each.head;
    EXPECT_EQ(parser.has_location(), each.has_location) << each.head;
  }
}

TEST(HeadParser, WhatIsNoHeadIsMalformedAtEveryCut) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"no colon\n\n", "the head has a line that is no field: \"no colon\""},
      {": nameless\n\n", "the head has a line that is no field: \": nameless\""},
      {"a b: c\n\n", "the head has a line that is no field: \"a b: c\""},
      {" folded: c\n\n", "the head has a line that is no field: \" folded: c\""},
      {"Status: OK\n\n", "the Status does not begin with a code of three digits: \"OK\""},
      {"Status: 20\n\n", "the Status does not begin with a code of three digits: \"20\""},
      {"Status: 2000\n\n", "the Status does not begin with a code of three digits: \"2000\""},
      {"Status: 099\n\n", "the Status does not begin with a code of three digits: \"099\""},
      {"Status:\n\n", "the Status does not begin with a code of three digits: \"\""},
      {"Status: 200\nStatus: 403\n\n", "the head has two Status fields: 200 and 403"},
  };
  for (const auto& [head, problem] : cases) {
    for (std::size_t cut = 0; cut <= head.size(); ++cut) {
      HeadParser parser;
      EXPECT_EQ(feed(parser, head, cut), "");
      EXPECT_EQ(parser.state(), State::malformed) << head;
      EXPECT_EQ(parser.problem(), problem);
    }
  }
}

TEST(HeadParser, AHeadWithoutAnEndIsBounded) {
  HeadParser parser;
  const std::string line = "X-A: " + std::string(1000, 'a') + "\n";
  for (int i = 0; i < 100 && parser.state() == State::reading; ++i) {
    static_cast<void>(parser.feed(base::as_bytes(line)));
  }
  EXPECT_EQ(parser.state(), State::malformed);
  EXPECT_EQ(parser.problem(), "the head is larger than 64 KiB");
  EXPECT_LE(parser.text().size(), 65536U + line.size());
}

}  // namespace
}  // namespace trivet::cli
