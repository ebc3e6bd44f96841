#include <gtest/gtest.h>

#include <string>

#include "runtime/cgi/media_type.hpp"
#include "runtime/cgi/response_head.hpp"
#include "runtime/cgi/verdict.hpp"

namespace trivet::cgi {
namespace {

std::string text(const base::Buffer& buffer) { return std::string(base::as_text(buffer.bytes())); }

std::string emitted(const ResponseHead& head, const HeadRules& rules = {}) {
  base::Buffer out;
  const std::string_view wrong = emit(head, rules, out);
  return wrong.empty() ? text(out) : "refused: " + std::string(wrong);
}

TEST(Head, C58_BeginsWithAnExplicitStatusAndEndsWithAnEmptyLine) {
  ResponseHead head;
  EXPECT_EQ(emitted(head), "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
  EXPECT_EQ(head.add("X-A", "1"), "");
  EXPECT_TRUE(head.set_status(404));
  EXPECT_EQ(emitted(head),
            "Status: 404 Not Found\r\nX-A: 1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
}

TEST(Head, KnowsWhatTheHostKnows) {
  ResponseHead head;
  EXPECT_EQ(head.set("content-type", "text/html"), "");
  EXPECT_EQ(head.add("Content-Length", "7"), "");
  HeadRules rules;
  rules.content_length = 9;
  EXPECT_EQ(emitted(head, rules), "Status: 200 OK\r\ncontent-type: text/html\r\nContent-Length: 9\r\n\r\n");
  EXPECT_TRUE(head.set_status(204));
  EXPECT_EQ(emitted(head, rules), "Status: 204 No Content\r\n\r\n");
  EXPECT_TRUE(head.set_status(304));
  EXPECT_EQ(emitted(head, rules), "Status: 304 Not Modified\r\n\r\n");
}

TEST(Head, APathAsLocationOfA200IsLeftOutBecauseApacheWouldGoThere) {
  struct Case {
    int status;
    std::string_view location;
    bool goes_out;
  };
  static constexpr Case cases[] = {
      {200, "/private/x", false}, {200, "/", false},         {200, "//host/x", false},
      {200, " \t/x", false},      {200, "http://a/x", true}, {201, "/new", true},
      {302, "/x", true},          {204, "/x", true},         {404, "/x", true}};
  for (const Case& each : cases) {
    ResponseHead head;
    ASSERT_TRUE(head.set_status(each.status));
    ASSERT_EQ(head.add("location", each.location), "");
    base::Buffer out;
    ASSERT_EQ(emit(head, {}, out), "");
    EXPECT_EQ(base::as_text(out.bytes()).find("location") != std::string_view::npos, each.goes_out)
        << each.status << " " << each.location;
  }
}

TEST(Head, ALocationNeverGoesWithoutAStatus) {
  ResponseHead head;
  EXPECT_EQ(head.add("Location", "/x"), "");
  EXPECT_EQ(emitted(head).substr(0, 19), "Status: 302 Found\r\n");
  EXPECT_TRUE(head.set_status(201));
  EXPECT_EQ(emitted(head).substr(0, 21), "Status: 201 Created\r\n");
}

TEST(Head, StatusesAre200To599) {
  ResponseHead head;
  for (const int wrong : {-1, 0, 99, 100, 101, 199, 600, 1000}) EXPECT_FALSE(head.set_status(wrong)) << wrong;
  for (const int right : {200, 299, 418, 599}) EXPECT_TRUE(head.set_status(right)) << right;
}

TEST(Head, FieldsThatAreNotThePluginsAreRefused) {
  for (const char* name : {"Status", "status", "Connection", "Keep-Alive", "Proxy-Connection", "TE",
                           "Trailer", "Transfer-Encoding", "Upgrade", "Variable-REMOTE_USER", "variable-x",
                           "", "a b", "a:b", "a\r\nb", "\xc3\xa4"}) {
    EXPECT_NE(refuse_field(name, "x"), "") << name;
  }
  for (const std::string_view value :
       {std::string_view("a\rb"), std::string_view("a\nb"), std::string_view("a\r\nSet-Cookie: x"),
        std::string_view("a\0b", 3), std::string_view("a\x7f"), std::string_view("a\x1b")}) {
    EXPECT_NE(refuse_field("X", value), "") << value;
  }
  for (const char* length : {"", "-1", "1x", "1, 1"})
    EXPECT_NE(refuse_field("Content-Length", length), "") << length;
  EXPECT_EQ(refuse_field("X-Good_1", "tab\tand \xc3\xa4"), "");
  EXPECT_EQ(refuse_field("Content-Length", "0"), "");
}

TEST(Head, AControlByteIsRefusedWhereverItStandsInAValue) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string value(size, at % 2 == 0 ? '\t' : '~');
        value[at] = static_cast<char>(byte);
        const bool refused = (byte < 0x20 && byte != '\t') || byte == 0x7f;
        EXPECT_EQ(!refuse_field("X", value).empty(), refused) << size << " " << at << " " << byte;
        value.assign(size, '\x80');
        value[at] = static_cast<char>(byte);
        EXPECT_EQ(!refuse_field("X", value).empty(), refused) << size << " " << at << " " << byte;
      }
    }
  }
}

TEST(Head, AFieldMayBecomeWhatAnotherIs) {
  for (std::size_t size = 1; size < 1000; ++size) {
    const std::string tag(size, 'e');
    ResponseHead head;
    ASSERT_EQ(head.add("ETag", tag), "");
    ASSERT_EQ(head.add("X-Tag", *head.find("ETag")), "");
    ASSERT_EQ(head.set("ETag", *head.find("ETag")), "");
    ASSERT_EQ(head.find("X-Tag"), tag) << size;
    ASSERT_EQ(head.find("ETag"), tag) << size;
  }
}

TEST(Head, NothingOfWhatWasClearedOrGivenAwayIsLeft) {
  ResponseHead head;
  const std::string untouched = emitted(head);
  ASSERT_EQ(head.add("Content-Type", "a/b"), "");
  head.clear();
  EXPECT_EQ(emitted(head), untouched);
  ASSERT_EQ(head.add("Content-Type", "a/b"), "");
  ASSERT_EQ(head.add("Content-Type", "c/d"), "");
  ResponseHead other;
  other.swap(head);
  EXPECT_EQ(emitted(other).find("c/d"), std::string::npos);
  EXPECT_NE(emitted(other).find("a/b"), std::string::npos);
  EXPECT_EQ(emitted(head), untouched);
}

TEST(Head, AnAnswerThatNeverHasABodyHasNeitherATypeNorALengthAlone) {
  for (const int status : {204, 304}) {
    ResponseHead bare;
    ASSERT_TRUE(bare.set_status(status));
    for (const auto& [name, value] : {std::pair("Content-Type", "a/b"), std::pair("Content-Length", "5")}) {
      ResponseHead head;
      ASSERT_TRUE(head.set_status(status));
      ASSERT_EQ(head.add(name, value), "");
      EXPECT_EQ(emitted(head), emitted(bare)) << status << name;
    }
  }
}

TEST(Head, EachStatusHasItsLine) {
  for (int status = 200; status < 600; ++status) {
    ResponseHead head;
    ASSERT_TRUE(head.set_status(status));
    const std::string line =
        "Status: " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
    EXPECT_EQ(emitted(head).substr(0, line.size()), line);
  }
}

TEST(Head, BytesAndFieldsHaveBoundsThatAreMetFromBothSides) {
  HeadRules rules;
  rules.max_bytes = 100;
  ResponseHead head;
  const std::size_t without = emitted(head, rules).size() + std::string_view("X: \r\n").size();
  ASSERT_EQ(head.set("X", std::string(100 - without, 'x')), "");
  EXPECT_EQ(emitted(head, rules).size(), 100U);
  ASSERT_EQ(head.set("X", std::string(101 - without, 'x')), "");
  EXPECT_EQ(emitted(head, rules), "refused: the head is larger than head_bytes");
  rules = {};
  rules.max_fields = 4;
  head.clear();
  ASSERT_EQ(head.add("A", "1"), "");
  ASSERT_EQ(head.add("A", "2"), "");
  EXPECT_EQ(emitted(head, rules).find("refused"), std::string::npos);
  ASSERT_EQ(head.add("A", "3"), "");
  EXPECT_EQ(emitted(head, rules), "refused: the head has more fields than head_fields");
}

TEST(Head, ARefusedHeadLeavesTheBufferAsItWas) {
  base::Buffer out;
  out.append("before");
  HeadRules rules;
  rules.max_bytes = 10;
  EXPECT_NE(emit(ResponseHead(), rules, out), "");
  EXPECT_EQ(text(out), "before");
}

TEST(Head, FieldsAreReplacedRemovedAndFoundWithoutCase) {
  ResponseHead head;
  EXPECT_EQ(head.add("X-A", "1"), "");
  EXPECT_EQ(head.add("x-a", "2"), "");
  EXPECT_EQ(head.find("X-a"), "1");
  EXPECT_EQ(head.set("X-A", "3"), "");
  EXPECT_EQ(head.size(), 1U);
  head.remove("x-A");
  EXPECT_EQ(head.find("X-A"), std::nullopt);
}

TEST(Head, WhatWasTakenAwayDoesNotGoOut) {
  ResponseHead head;
  const auto add = [&](std::string_view name, std::string_view value) {
    EXPECT_EQ(head.add(name, value), "");
  };
  constexpr std::string_view own_type = "Content-Type: text/plain; charset=utf-8\r\n\r\n";
  const auto with_own_type = [&](std::string_view fields) {
    return "Status: 200 OK\r\n" + std::string(fields) + std::string(own_type);
  };
  add("X-A", "1");
  add("Content-Type", "text/html");
  add("X-B", "");
  EXPECT_EQ(emitted(head), "Status: 200 OK\r\nX-A: 1\r\nContent-Type: text/html\r\nX-B: \r\n\r\n");
  head.remove("content-type");
  EXPECT_EQ(emitted(head), with_own_type("X-A: 1\r\nX-B: \r\n"));
  base::Buffer alone;
  EXPECT_EQ(append_fields(head, alone), 2U);
  EXPECT_EQ(text(alone), "X-A: 1\r\nX-B: \r\n");
  EXPECT_EQ(head.set("X-A", "2"), "");
  EXPECT_EQ(emitted(head), with_own_type("X-B: \r\nX-A: 2\r\n"));
  head.clear();
  add("X-A", "1");
  add("Content-Type", "text/html");
  head.keep(1);
  EXPECT_EQ(emitted(head), with_own_type("X-A: 1\r\n"));
  ResponseHead other;
  other.swap(head);
  EXPECT_EQ(emitted(other), with_own_type("X-A: 1\r\n"));
  EXPECT_EQ(emitted(head), with_own_type(""));
}

TEST(Head, OfTwoTypesAndTwoLengthsTheFirstGoesOut) {
  ResponseHead head;
  for (const std::string_view type : {"text/html", "text/css"}) EXPECT_EQ(head.add("Content-Type", type), "");
  EXPECT_EQ(emitted(head), "Status: 200 OK\r\nContent-Type: text/html\r\n\r\n");
  for (const std::string_view length : {"1", "2"}) EXPECT_EQ(head.add("CONTENT-LENGTH", length), "");
  EXPECT_EQ(emitted(head), "Status: 200 OK\r\nContent-Type: text/html\r\nCONTENT-LENGTH: 1\r\n\r\n");
}

TEST(Plain, IsACompleteAnswer) {
  base::Buffer out;
  std::size_t head_end = 0;
  emit_plain(405, "GET, HEAD", 0, false, nullptr, out, head_end);
  EXPECT_EQ(
      text(out),
      "Status: 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\nAllow: GET, HEAD\r\n"
      "Content-Length: 23\r\n\r\n405 Method Not Allowed\n");
  EXPECT_EQ(text(out).substr(head_end), "405 Method Not Allowed\n");
  out.clear();
  emit_plain(503, {}, 1, true, nullptr, out, head_end);
  EXPECT_EQ(text(out),
            "Status: 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
            "Content-Length: 24\r\n\r\n");
}

TEST(Verdicts, SayNothingUntilSomethingIsSaid) {
  Verdict verdict;
  EXPECT_EQ(verdict.decision(), Verdict::Decision::none);
  EXPECT_EQ(verdict.allow(), "");
  EXPECT_EQ(verdict.decision(), Verdict::Decision::allow);
  EXPECT_NE(verdict.deny(403), "");
  EXPECT_EQ(verdict.decision(), Verdict::Decision::none);
  verdict.clear();
  EXPECT_EQ(verdict.deny(403), "");
  EXPECT_NE(verdict.allow(), "");
  EXPECT_EQ(verdict.decision(), Verdict::Decision::deny);
}

TEST(Verdicts, WhoeverContradictedHimselfCannotAllowAnyMore) {
  Verdict both;
  EXPECT_EQ(both.allow(), "");
  EXPECT_NE(both.deny(403), "");
  EXPECT_NE(both.allow(), "");
  EXPECT_EQ(both.decision(), Verdict::Decision::none);
  Verdict wrong;
  EXPECT_NE(wrong.deny(200), "");
  EXPECT_NE(wrong.allow(), "");
  EXPECT_NE(wrong.deny(403), "");
  EXPECT_EQ(wrong.decision(), Verdict::Decision::none);
  wrong.clear();
  EXPECT_EQ(wrong.allow(), "");
  EXPECT_EQ(wrong.decision(), Verdict::Decision::allow);
}

TEST(Verdicts, C69_ADenialHasTheStatusOfOne) {
  for (int status = 0; status < 1000; ++status) {
    const bool fits = (status >= 301 && status <= 303) || status == 307 || status == 308 ||
                      (status >= 400 && status <= 599);
    Verdict verdict;
    EXPECT_EQ(verdict.deny(status).empty(), fits) << status;
    EXPECT_EQ(verdict.decision(), fits ? Verdict::Decision::deny : Verdict::Decision::none) << status;
  }
}

TEST(Verdicts, C71_C72_VariablesHaveNamesAndValuesThatNoServerMistakes) {
  for (const char* name : {"REMOTE_USER", "AUTH_TYPE", "GROUPS", "X1", "_"})
    EXPECT_EQ(refuse_variable(name), "") << name;
  for (const char* name :
       {"", "a", "A-B", "A B", "HTTP_X", "CONTENT_LENGTH", "SCRIPT_NAME", "PATH", "PATH_INFO",
        "REQUEST_METHOD", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE", "A\r\n"}) {
    EXPECT_NE(refuse_variable(name), "") << name;
  }
  Verdict verdict;
  EXPECT_NE(verdict.set_variable("A", "x\r\nStatus: 200"), "");
  EXPECT_NE(verdict.set_variable("A", std::string_view("\0", 1)), "");
  EXPECT_EQ(verdict.set_variable("A", "1"), "");
  EXPECT_EQ(verdict.set_variable("A", "2"), "");
  EXPECT_EQ(verdict.variables(), 1U);
  EXPECT_EQ(verdict.find_variable("A")->value, "2");
}

TEST(Verdicts, C70_C75_AnAllowIsStatusAndVariablesAndNothingElse) {
  Verdict verdict;
  ASSERT_EQ(verdict.set_variable("B", "2"), "");
  base::Buffer out;
  const auto find = [&](const std::string& name) { return verdict.find_variable(name); };
  EXPECT_EQ(emit_allow({"A", "B"}, find, {}, out), "");
  EXPECT_EQ(text(out), "Status: 200 OK\r\nVariable-A: \r\nVariable-B: 2\r\n\r\n");
  out.clear();
  HeadRules small;
  small.max_bytes = 20;
  EXPECT_NE(emit_allow({"A", "B"}, find, small, out), "");
  EXPECT_TRUE(out.empty());
}

TEST(MediaTypes, AreToldByTheExtension) {
  EXPECT_EQ(media_type("/srv/a.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type("a.tar.json"), "application/json");
  for (const char* name : {"", "a", "/x.html/a", ".html", "a.unknown", "a."})
    EXPECT_EQ(media_type(name), "application/octet-stream") << name;
}

}  // namespace
}  // namespace trivet::cgi
