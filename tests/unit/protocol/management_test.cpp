#include "runtime/protocol/management.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <ostream>
#include <string>

#include "tests/unit/protocol/recorder.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using namespace std::literals;

constexpr Capacity largest = {std::numeric_limits<std::size_t>::max(),
                              std::numeric_limits<std::size_t>::max()};

const std::string connections = wire::pair("FCGI_MAX_CONNS", "100");
const std::string requests = wire::pair("FCGI_MAX_REQS", "20");
const std::string multiplexes = wire::pair("FCGI_MPXS_CONNS", "1");

std::string ask(std::string_view name, std::string_view value = "") { return wire::pair(name, value); }

std::string repeated(const std::string& what, int times) {
  std::string all;
  while (times-- > 0) all += what;
  return all;
}

struct QueryCase {
  std::string_view name;
  std::string query;
  std::string answer;  ///< The content of the result.

  friend void PrintTo(const QueryCase& each, std::ostream* to) { *to << each.name; }
};

const QueryCase query_cases[] = {
    {"C38_AllNames", ask("FCGI_MAX_CONNS") + ask("FCGI_MAX_REQS") + ask("FCGI_MPXS_CONNS"),
     connections + requests + multiplexes},
    {"C38_OneName", ask("FCGI_MAX_REQS"), requests},
    {"C38_InTheOrderAsked", ask("FCGI_MPXS_CONNS") + ask("FCGI_MAX_CONNS"), multiplexes + connections},
    {"C38_UnknownNamesAreLeftOut", ask("FCGI_WHAT") + ask("FCGI_MAX_CONNS") + ask("fcgi_max_reqs"),
     connections},
    {"C38_NoneKnownGivesAnEmptyResult", ask("A") + ask("FCGI_MAX_CONN") + ask("FCGI_MAX_CONNSS"), ""},
    {"C38_EmptyQueryGivesAnEmptyResult", "", ""},
    {"C38_EmptyNameIsUnknown", ask(""), ""},
    {"C39_MultiplexingIsSaidToWork", ask("FCGI_MPXS_CONNS"), multiplexes},
    {"C40_ValuesAreIgnored", ask("FCGI_MAX_REQS", "9999") + ask("FCGI_MPXS_CONNS", std::string(500, 'x')),
     requests + multiplexes},
    {"C40_RepeatedNamesAreAnsweredOnce", repeated(ask("FCGI_MAX_CONNS"), 1000) + ask("FCGI_MAX_REQS"),
     connections + requests},
    {"C40_ManyUnknownNames", repeated(ask("X_UNKNOWN"), 1000), ""},
    {"C24_LongLengths", wire::long_length(13) + wire::long_length(0) + "FCGI_MAX_REQS", requests},
};

class GetValues : public testing::TestWithParam<QueryCase> {};

TEST_P(GetValues, AreAnsweredWithOneRecord) {
  base::Buffer out;
  out.append("before"sv);
  EXPECT_TRUE(append_get_values_result(out, wire::bytes(GetParam().query), recorder_capacity));
  EXPECT_EQ(wire::text(out.bytes()), "before" + wire::padded(wire::get_values_result, 0, GetParam().answer));
}

/// The last byte of the content is enough for the answer: neither padding nor a next record is waited for.
TEST_P(GetValues, C37_AreAnsweredAtOnceHoweverTheRecordIsCut) {
  const std::string answer = wire::padded(wire::get_values_result, 0, GetParam().answer);
  const std::string record = wire::record(wire::get_values, 0, GetParam().query, {"pad"});
  const std::string_view without_padding = std::string_view(record).substr(0, record.size() - 3);
  EXPECT_EQ(Recorder().outcome().out, "");
  Recorder recorder;
  for (const char& byte : without_padding) recorder.feed(std::string_view(&byte, 1));
  EXPECT_EQ(recorder.outcome().out, answer);
  if (record.size() > 1000) return;  // Every cut of long records would take long and show nothing new.
  EXPECT_EQ(however_cut(record), (Outcome{{}, answer, "", 0, 0, true}));
}

INSTANTIATE_TEST_SUITE_P(Table, GetValues, testing::ValuesIn(query_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(GetValuesAnswer, C39_GivesDecimalNumbersUpToTheLargest) {
  base::Buffer out;
  ASSERT_TRUE(append_get_values_result(out, wire::bytes(query_cases[0].query), largest));
  EXPECT_EQ(wire::text(out.bytes()),
            wire::padded(wire::get_values_result, 0,
                         wire::pair("FCGI_MAX_CONNS", "18446744073709551615") +
                             wire::pair("FCGI_MAX_REQS", "18446744073709551615") + multiplexes));
  EXPECT_EQ(out.size(), 104U) << "the largest answer there is";
}

const std::string_view broken_queries[] = {
    "\1",                                  // a length and nothing else
    "\16\0FCGI_MAX_CONN"sv,                // one byte of the name is missing
    "\16\1FCGI_MAX_CONNS"sv,               // the value is missing
    "\16\0FCGI_MAX_CONNS\xff\xff\xff"sv,   // a good pair, then half a length
    "\xff\xff\xff\xff\xff\xff\xff\xff"sv,  // lengths whose sum wraps
};

TEST(GetValuesAnswer, C41_IsNotGivenToBrokenPairs) {
  for (const std::string_view query : broken_queries) {
    SCOPED_TRACE(testing::PrintToString(query));
    base::Buffer out;
    EXPECT_FALSE(append_get_values_result(out, wire::bytes(query), recorder_capacity));
    EXPECT_TRUE(out.empty());
  }
}

TEST(GetValuesAnswer, C41_BrokenPairsEndTheConnectionEvenIfTheNextRecordGoesOn) {
  for (const std::string_view query : broken_queries) {
    SCOPED_TRACE(testing::PrintToString(query));
    const std::string bytes =
        wire::record(wire::get_values, 0, query) + wire::record(wire::get_values, 0, std::string(8, '\0'));
    EXPECT_EQ(however_cut(bytes),
              (Outcome{{}, "", "FCGI_GET_VALUES with broken name-value pairs", 0, 0, false}));
  }
}

TEST(GetValuesAnswer, C36_ComesInsideEveryStreamOfARequest) {
  const std::string values = wire::record(wire::get_values, 0, ask("FCGI_MAX_REQS"), {"12"});
  const std::string answer = wire::padded(wire::get_values_result, 0, requests);
  const std::string bytes =
      values + wire::begin(1, wire::filter) + values + wire::record(wire::params, 1, "par") + values +
      wire::record(wire::params, 1, "ams") + wire::record(wire::params, 1, "") + values +
      wire::record(wire::standard_in, 1, "bo") + values + wire::record(wire::standard_in, 1, "dy") +
      wire::record(wire::standard_in, 1, "") + wire::record(wire::data, 1, "da") + values +
      wire::record(wire::data, 1, "ta") + wire::record(wire::data, 1, "") + values;
  EXPECT_EQ(however_cut(bytes), (Outcome{{"1 begin filter keep", "1 params params", "1 params_end",
                                          "1 body body", "1 body_end", "1 data data", "1 data_end"},
                                         repeated(answer, 7),
                                         "",
                                         1,
                                         0,
                                         true}));
}

TEST(GetValuesAnswer, C15_IsNotGivenToARequestId) {
  EXPECT_EQ(however_cut(wire::record(wire::get_values, 1, ask("FCGI_MAX_REQS"))),
            (Outcome{{}, "", "", 0, 1, true}));
}

struct UnknownCase {
  unsigned type;
  std::string content;
};

const UnknownCase unknown_cases[] = {
    {0, ""},
    {12, ""},
    {12, wire::pair("SCRIPT_NAME", "/evil")},
    {100, wire::begin(3, 1)},
    {255, std::string(300, '\xff')},
};

TEST(UnknownTypes, C42_AreNamedAndTheConnectionGoesOn) {
  for (const auto& [type, content] : unknown_cases) {
    SCOPED_TRACE(type);
    const std::string bytes = wire::record(type, 0, content, {"\1\2\3"}) + wire::request(1, wire::authorizer);
    const std::string answer =
        wire::record(wire::unknown_type, 0, std::string(1, static_cast<char>(type)) + std::string(7, '\0'));
    EXPECT_EQ(
        however_cut(bytes),
        (Outcome{{"1 begin authorizer keep", "1 params \1\1Ab", "1 params_end"}, answer, "", 1, 0, true}));
  }
}

TEST(UnknownTypes, C43_OfARequestAreIgnoredOpenOrNot) {
  for (const auto& [type, content] : unknown_cases) {
    SCOPED_TRACE(type);
    const std::string bytes = wire::record(type, 2, content) + wire::begin(1, wire::authorizer) +
                              wire::record(type, 1, content, {"\1\2\3"}) + wire::record(wire::params, 1, "");
    EXPECT_EQ(however_cut(bytes), (Outcome{{"1 begin authorizer keep", "1 params_end"}, "", "", 1, 2, true}));
  }
}

}  // namespace
}  // namespace trivet::protocol
