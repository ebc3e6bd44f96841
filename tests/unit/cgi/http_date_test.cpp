#include "runtime/cgi/http_date.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace trivet::cgi {
namespace {

constexpr UnixSeconds example = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr UnixSeconds now = 1795737600;     // Fri, 27 Nov 2026 00:00:00 GMT

TEST(HttpDate, IsWrittenAsTheSpecificationWritesIt) {
  EXPECT_EQ(HttpDate(example).view(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(0).view(), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(HttpDate(-1).view(), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(HttpDate(951782400).view(), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(HttpDate(4107542400).view(), "Mon, 01 Mar 2100 00:00:00 GMT");
  EXPECT_EQ(HttpDate(253402300799).view(), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(HttpDate(-62167219200).view(), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(HttpDate, WhatHasNoFourDigitsOfAYearIsNotWritten) {
  for (const UnixSeconds time : {UnixSeconds{253402300800}, UnixSeconds{-62167219201}, INT64_MAX, INT64_MIN})
    EXPECT_EQ(HttpDate(time).view(), "") << time;
}

TEST(HttpDate, AllThreeFormsAreRead) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), example);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), example);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", now), example);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", now), example + 10 * 86400);
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now), 1483228800);
}

TEST(HttpDate, EveryDayOfFourHundredYearsComesBack) {
  for (UnixSeconds day = -135140; day < -135140 + 146097; ++day) {
    const UnixSeconds time = day * 86400 + (day * day) % 86400;
    ASSERT_EQ(parse_http_date(HttpDate(time).view(), now), time) << HttpDate(time).view();
  }
}

TEST(HttpDate, TwoDigitsOfAYearAreNeverMoreThanFiftyYearsAhead) {
  struct Case {
    const char* year;
    UnixSeconds now;
    const char* expected;
  };
  constexpr UnixSeconds in_1999 = 946684799;
  for (const Case& each : {Case{"76", now, "2076"}, Case{"77", now, "1977"}, Case{"26", now, "2026"},
                           Case{"00", now, "2000"}, Case{"99", now, "1999"}, Case{"49", in_1999, "2049"},
                           Case{"50", in_1999, "1950"}, Case{"99", in_1999, "1999"}}) {
    // The same day of the week or not: it is not compared.
    const auto read = parse_http_date("Monday, 01-Jun-" + std::string(each.year) + " 00:00:00 GMT", each.now);
    ASSERT_TRUE(read) << each.year;
    EXPECT_EQ(std::string(HttpDate(*read).view()).substr(12, 4), each.expected) << each.year;
  }
}

TEST(HttpDate, WhatIsNoneIsNotRead) {
  for (const char* text : {"",
                           "Sun",
                           "now",
                           "784111777",
                           "1994-11-06T08:49:37Z",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           " Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 29 Feb 2100 08:49:37 GMT",
                           "Sun, 32 Dec 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 19941 08:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT",
                           "Sunday, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 1994 GMT",
                           "Sun Nov  6 08:49:37 94",
                           "Sun Nov    6 08:49:37 1994"}) {
    EXPECT_FALSE(parse_http_date(text, now)) << text;
  }
}

TEST(HttpDate, CutAnywhereItIsNoDate) {
  for (const std::string text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    for (std::size_t at = 0; at < text.size(); ++at)
      EXPECT_FALSE(parse_http_date(text.substr(0, at), now)) << text << " at " << at;
  }
}

}  // namespace
}  // namespace trivet::cgi
