// The input of one request: order of its streams, their ends, aborts, what is ignored.

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "runtime/protocol/demultiplexer.hpp"
#include "runtime/protocol/name_value.hpp"
#include "tests/unit/protocol/recorder.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using namespace std::literals;

/// Records of request 1 after its BEGIN: one letter and content each. A letter in upper case is a stream:
/// P params, S standard in, D data (`P` alone is its end); `a` is an abort.
struct Sent {
  char what;
  std::string_view content = {};  // NOLINT(readability-redundant-member-init): gcc asks for it
};

std::string wire_of(unsigned role, const std::vector<Sent>& records) {
  std::string made = wire::begin(1, role);
  for (const auto& [what, content] : records) {
    const unsigned type = what == 'P'   ? wire::params
                          : what == 'S' ? wire::standard_in
                          : what == 'D' ? wire::data
                                        : wire::abort_request;
    made += wire::record(type, 1, content, {"padding"});
  }
  return made;
}

struct InputCase {
  std::string_view name;
  unsigned role;
  std::vector<Sent> sent;
  std::vector<std::string> expected;  ///< After `begin`, without the id.
  std::uint64_t ignored = 0;

  friend void PrintTo(const InputCase& each, std::ostream* to) { *to << each.name; }
};

const std::string params_late = "violation FCGI_PARAMS after the end of FCGI_PARAMS";
const std::string body_early = "violation FCGI_STDIN before the end of FCGI_PARAMS";
const std::string body_late = "violation FCGI_STDIN after the end of FCGI_STDIN";
const std::string data_early = "violation FCGI_DATA before the end of FCGI_STDIN";

constexpr unsigned responder = wire::responder, authorizer = wire::authorizer, filter = wire::filter;

const InputCase input_cases[] = {
    // In order.
    {"C20_ResponderStreams",
     responder,
     {{'P', "ab"}, {'P', "c"}, {'P'}, {'S', "x"}, {'S', "yz"}, {'S'}},
     {"params abc", "params_end", "body xyz", "body_end"}},
    {"C20_ResponderWithoutParamsAndBody", responder, {{'P'}, {'S'}}, {"params_end", "body_end"}},
    {"C20_FilterStreams",
     filter,
     {{'P', "p"}, {'P'}, {'S', "b"}, {'S'}, {'D', "d"}, {'D', "e"}, {'D'}},
     {"params p", "params_end", "body b", "body_end", "data de", "data_end"}},
    {"C20_FilterWithEmptyStreams", filter, {{'P'}, {'S'}, {'D'}}, {"params_end", "body_end", "data_end"}},
    {"C68_AuthorizerIsCompleteWithItsParams", authorizer, {{'P', "p"}, {'P'}}, {"params p", "params_end"}},
    {"C61_AuthorizerWithEmptyBody", authorizer, {{'P'}, {'S'}}, {"params_end"}, 0},
    {"C61_AuthorizerWithWholeBody",
     authorizer,
     {{'P'}, {'S', "body"}, {'S', "more"}, {'S'}},
     {"params_end"},
     2},
    {"C27_ParamsWithoutTheirEndNeverEnd", authorizer, {{'P', "ab"}}, {"params ab"}},
    // Out of order.
    {"C60_BodyBeforeParams", responder, {{'S', "b"}, {'P'}, {'S'}}, {body_early}, 2},
    {"C60_BodyWithinParams", responder, {{'P', "p"}, {'S', "b"}, {'P'}, {'S'}}, {"params p", body_early}, 2},
    {"C60_EmptyBodyWithinParamsDoesNotEndThem",
     responder,
     {{'P', "p"}, {'S'}, {'P'}},
     {"params p", body_early},
     1},
    {"C60_BodyWithinParamsOfAnAuthorizer",
     authorizer,
     {{'P', "p"}, {'S', "b"}, {'P'}},
     {"params p", body_early},
     1},
    {"C60_ParamsAfterTheirEnd",
     responder,
     {{'P'}, {'P', "late"}, {'S', "b"}, {'S'}},
     {"params_end", params_late},
     2},
    {"C22_SecondEndOfParams", responder, {{'P'}, {'P'}, {'S'}}, {"params_end", params_late}, 1},
    {"C22_ParamsWithinBody",
     filter,
     {{'P'}, {'S', "b"}, {'P', "late"}, {'S'}},
     {"params_end", "body b", params_late},
     1},
    {"C22_ParamsWithinData",
     filter,
     {{'P'}, {'S'}, {'D', "d"}, {'P', "late"}, {'D'}},
     {"params_end", "body_end", "data d", params_late},
     1},
    {"C22_BodyAfterItsEndBeforeData",
     filter,
     {{'P'}, {'S'}, {'S', "late"}, {'D'}},
     {"params_end", "body_end", body_late},
     1},
    {"C22_SecondEndOfBodyWithinData",
     filter,
     {{'P'}, {'S'}, {'D', "d"}, {'S'}, {'D'}},
     {"params_end", "body_end", "data d", body_late},
     1},
    {"C85_DataBeforeTheEndOfBody",
     filter,
     {{'P'}, {'S', "b"}, {'D', "d"}, {'S'}, {'D'}},
     {"params_end", "body b", data_early},
     2},
    {"C85_EmptyDataBeforeTheEndOfBody", filter, {{'P'}, {'D'}, {'S'}}, {"params_end", data_early}, 1},
    {"C60_DataWithinParams", filter, {{'P', "p"}, {'D', "d"}, {'P'}}, {"params p", data_early}, 1},
    {"C60_OneViolationIsToldOnce",
     filter,
     {{'S', "b"}, {'D', "d"}, {'S'}, {'P'}, {'a'}, {'S'}},
     {body_early},
     5},
    // Streams that the role lacks.
    {"C61_DataToAResponder",
     responder,
     {{'D', "0"}, {'P'}, {'D', "1"}, {'S', "b"}, {'D'}, {'S'}, {'D', "2"}},
     {"params_end", "body b", "body_end"},
     4},
    {"C61_DataToAnAuthorizer",
     authorizer,
     {{'D', "0"}, {'P', "p"}, {'D'}, {'P'}, {'D', "1"}},
     {"params p", "params_end"},
     3},
    // After complete input.
    {"C22_ResponderGetsNothingAfterItsBody",
     responder,
     {{'P'}, {'S'}, {'S', "x"}, {'S'}, {'P', "y"}, {'P'}},
     {"params_end", "body_end"},
     4},
    {"C22_AuthorizerGetsNothingAfterItsParams", authorizer, {{'P'}, {'P', "late"}, {'P'}}, {"params_end"}, 2},
    {"C22_FilterGetsNothingAfterItsData",
     filter,
     {{'P'}, {'S'}, {'D'}, {'D', "x"}, {'D'}, {'S'}, {'P'}},
     {"params_end", "body_end", "data_end"},
     4},
    // Aborts.
    {"C50_AbortBeforeParams", authorizer, {{'a'}, {'P', "p"}, {'P'}}, {"aborted"}, 2},
    {"C50_AbortWithinParamsNeverEndsThem",
     authorizer,
     {{'P', "p"}, {'a'}, {'P'}},
     {"params p", "aborted"},
     1},
    {"C51_AbortWithinBody",
     responder,
     {{'P'}, {'S', "b"}, {'a'}, {'S', "c"}, {'S'}},
     {"params_end", "body b", "aborted"},
     2},
    {"C51_AbortWithinData",
     filter,
     {{'P'}, {'S'}, {'D', "d"}, {'a'}, {'D'}},
     {"params_end", "body_end", "data d", "aborted"},
     1},
    {"C51_AbortAfterCompleteInput", authorizer, {{'P'}, {'a'}}, {"params_end", "aborted"}},
    {"C51_AbortIsToldOnce", responder, {{'a'}, {'a'}, {'P'}}, {"aborted"}, 2},
    {"C49_AbortWithContent", responder, {{'P'}, {'a', "content"}}, {"params_end", "aborted"}},
};

class Input : public testing::TestWithParam<InputCase> {};

TEST_P(Input, ArrivesInTheOrderOfTheRole) {
  constexpr std::string_view roles[] = {"", "responder", "authorizer", "filter"};
  Outcome expected;
  expected.events.push_back("1 begin " + std::string(roles[GetParam().role]) + " keep");
  for (const std::string& event : GetParam().expected) expected.events.push_back("1 " + event);
  expected.open = 1;
  expected.ignored = GetParam().ignored;
  expected.at_boundary = true;
  EXPECT_EQ(however_cut(wire_of(GetParam().role, GetParam().sent)), expected);
}

/// With another request in the middle of its body on either side of each record.
TEST_P(Input, DoesNotMixWithAnotherRequest) {
  std::string bytes =
      wire::begin(2, filter) + wire::record(wire::params, 2, "") + wire::begin(1, GetParam().role);
  std::string other;
  char next = 'a';
  for (const Sent& sent : GetParam().sent) {
    other.push_back(next++);
    bytes += wire_of(GetParam().role, {sent}).substr(16) +
             wire::record(wire::standard_in, 2, other.substr(other.size() - 1));
  }
  Recorder recorder;
  recorder.feed(bytes);
  std::string got;
  std::vector<std::string> events;
  for (const std::string& event : recorder.outcome().events) {
    if (event.starts_with("2 body ")) got += event.substr(7);
    if (event.starts_with("1 ") && !event.starts_with("1 begin")) events.push_back(event.substr(2));
  }
  EXPECT_EQ(got, other);
  // Payload of one stream is in more than one event now.
  std::string joined_events, joined_expected;
  for (const std::string& event : GetParam().expected) joined_expected += event;
  std::string last;
  for (const std::string& event : events) {
    const std::string stream = event.substr(0, event.find(' '));
    const bool continues = stream == last && event.find(' ') != std::string::npos;
    joined_events += continues ? event.substr(event.find(' ') + 1) : event;
    last = stream;
  }
  EXPECT_EQ(joined_events, joined_expected);
}

INSTANTIATE_TEST_SUITE_P(Table, Input, testing::ValuesIn(input_cases),
                         [](const auto& each) { return std::string(each.param.name); });

/// The value of a stream does not depend on its records: pairs may be cut anywhere, inside a length too.
TEST(Params, C25_AreTheSameWhereverRecordsCutThem) {
  const std::string pairs = wire::pair("SHORT", "value") + wire::pair("LONG", std::string(200, 'v')) +
                            wire::pair(std::string(130, 'N'), "") + wire::pair("LAST", "x");
  for (std::size_t first = 1; first < pairs.size(); ++first) {
    Recorder recorder;
    recorder.feed(wire::begin(1, authorizer) + wire::record(wire::params, 1, pairs.substr(0, first)) +
                  wire::record(wire::params, 1, pairs.substr(first)) + wire::record(wire::params, 1, ""));
    ASSERT_EQ(recorder.outcome().events,
              (std::vector<std::string>{"1 begin authorizer keep", "1 params " + pairs, "1 params_end"}))
        << first;
  }
  std::string one_byte_each = wire::begin(1, authorizer);
  for (const char& byte : pairs) {
    one_byte_each += wire::record(wire::params, 1, std::string_view(&byte, 1), {std::string(255, '\2')});
  }
  Recorder recorder;
  recorder.feed(one_byte_each);
  const auto events = recorder.outcome().events;
  ASSERT_EQ(events.size(), 2U);
  PairReader reader(wire::bytes(std::string_view(events[1]).substr("1 params "sv.size())));
  int count = 0;
  while (reader.next()) ++count;
  EXPECT_EQ(count, 4);
  EXPECT_FALSE(reader.broken());
}

TEST(Params, C12_ThePaddingOfTheirEndIsNotContent) {
  const std::string bytes = wire::begin(1, responder) +
                            wire::record(wire::params, 1, "", {std::string(255, '\1')}) +
                            wire::record(wire::standard_in, 1, "body", {wire::record(5, 1, "more")}) +
                            wire::record(wire::standard_in, 1, "", {"\1\5\0\1"s});
  EXPECT_EQ(
      however_cut(bytes),
      (Outcome{{"1 begin responder keep", "1 params_end", "1 body body", "1 body_end"}, "", "", 1, 0, true}));
}

TEST(Params, C17_AnEmptyRecordOfAnotherIdLosesNothing) {
  const std::string bytes = wire::begin(1, responder) + wire::record(wire::params, 1, "") +
                            wire::record(wire::standard_in, 2, "") +
                            wire::record(wire::standard_in, 1, "body");
  EXPECT_EQ(however_cut(bytes),
            (Outcome{{"1 begin responder keep", "1 params_end", "1 body body"}, "", "", 1, 1, true}));
}

}  // namespace
}  // namespace trivet::protocol
