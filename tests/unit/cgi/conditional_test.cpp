#include "runtime/cgi/conditional.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace trivet::cgi {

void PrintTo(Condition condition, std::ostream* out) {
  *out << (condition == Condition::proceed        ? "proceed"
           : condition == Condition::not_modified ? "not_modified"
                                                  : "failed");
}

namespace {

constexpr UnixSeconds now = 1795737600;  // Fri, 27 Nov 2026 00:00:00 GMT
constexpr std::string_view that_day = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view after = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr Validators strong{R"("a")", 784111777};
constexpr Validators weak{R"(W/"a")", 784111777};
constexpr Validators tag_only{R"("a")", {}};
constexpr Validators date_only{{}, 784111777};
constexpr Validators none{};

constexpr Condition proceed = Condition::proceed;
constexpr Condition not_modified = Condition::not_modified;
constexpr Condition failed = Condition::failed;

struct TagCase {
  std::string_view list;
  Validators validators;
  bool strongly;
  bool weakly;
};

constexpr TagCase tag_cases[] = {
    {R"("a")", strong, true, true},
    {R"(W/"a")", strong, false, true},
    {R"("a")", weak, false, true},
    {R"(W/"a")", weak, false, true},
    {R"("b")", strong, false, false},
    {R"("A")", strong, false, false},
    {R"(w/"a")", strong, false, false},
    {"*", strong, true, true},
    {"*", none, true, true},
    {R"("a")", date_only, false, false},
    {R"("b", "a")", strong, true, true},
    {R"("b","a")", strong, true, true},
    {"\"b\"\t,\t\"a\" , \"c\"", strong, true, true},
    {R"(,, "b", , "a",)", strong, true, true},
    {R"(, ,)", strong, false, false},
    {R"("b, "a")", strong, false, false},
    {R"("b" "a")", strong, false, false},
    {R"("b"; "a")", strong, false, false},
    {R"("a)", strong, false, false},
    {R"(a)", strong, false, false},
    {R"("a" x)", strong, false, false},
    {R"(*, "b")", strong, false, false},
    {R"("b", *)", strong, false, false},
    {R"("a,b")", Validators{R"("a,b")", {}}, true, true},
    {R"("a", "b)", strong, true, true},
    {R"("")", Validators{R"("")", {}}, true, true},
    {"\"\xc3\xa4\"", Validators{"\"\xc3\xa4\"", {}}, true, true},
    {"a", Validators{"a", {}}, false, false},
    {R"("a b")", Validators{R"("a b")", {}}, false, false},
};

TEST(Conditional, ListsOfTagsAreComparedAsTheirHeaderSays) {
  for (const TagCase& each : tag_cases) {
    const Preconditions match{.if_match = each.list};
    EXPECT_EQ(evaluate(match, each.validators, "GET", now), each.strongly ? proceed : failed)
        << "If-Match: " << each.list;
    const Preconditions none_match{.if_none_match = each.list};
    EXPECT_EQ(evaluate(none_match, each.validators, "GET", now), each.weakly ? not_modified : proceed)
        << "If-None-Match: " << each.list;
    EXPECT_EQ(evaluate(none_match, each.validators, "PUT", now), each.weakly ? failed : proceed)
        << "If-None-Match: " << each.list;
  }
}

struct DateCase {
  std::string_view date;
  Validators validators;
  Condition modified_since;
  Condition unmodified_since;
};

constexpr DateCase date_cases[] = {
    {that_day, strong, not_modified, proceed},
    {after, strong, not_modified, proceed},
    {before, strong, proceed, failed},
    {"Sunday, 06-Nov-94 08:49:37 GMT", strong, not_modified, proceed},
    {"Sun Nov  6 08:49:37 1994", strong, not_modified, proceed},
    {"Sunday, 06-Nov-94 08:49:36 GMT", strong, proceed, failed},
    {"yesterday", strong, proceed, proceed},
    {"0", strong, proceed, proceed},
    {"Sun, 06 Nov 1994 08:49:37 GMT; length=3", strong, proceed, proceed},
    {before, tag_only, proceed, proceed},
    {after, none, proceed, proceed},
    {"Thu, 01 Jan 2099 00:00:00 GMT", strong, not_modified, proceed},
};

TEST(Conditional, DatesAreComparedAndBrokenOnesIgnored) {
  for (const DateCase& each : date_cases) {
    EXPECT_EQ(evaluate({.if_modified_since = each.date}, each.validators, "GET", now), each.modified_since)
        << each.date;
    EXPECT_EQ(evaluate({.if_modified_since = each.date}, each.validators, "POST", now), proceed) << each.date;
    EXPECT_EQ(evaluate({.if_unmodified_since = each.date}, each.validators, "GET", now),
              each.unmodified_since)
        << each.date;
    EXPECT_EQ(evaluate({.if_unmodified_since = each.date}, each.validators, "DELETE", now),
              each.unmodified_since)
        << each.date;
  }
}

TEST(Conditional, TheOrderIsThatOfTheSpecification) {
  // A tag beats a date, on either side; what is about the state before comes before what is about the cache.
  EXPECT_EQ(evaluate({.if_match = R"("a")", .if_unmodified_since = before}, strong, "GET", now), proceed);
  EXPECT_EQ(evaluate({.if_match = R"("b")", .if_unmodified_since = after}, strong, "GET", now), failed);
  EXPECT_EQ(evaluate({.if_none_match = R"("b")", .if_modified_since = after}, strong, "GET", now), proceed);
  EXPECT_EQ(evaluate({.if_none_match = R"("a")", .if_modified_since = before}, strong, "GET", now),
            not_modified);
  EXPECT_EQ(evaluate({.if_none_match = "broken", .if_modified_since = after}, strong, "GET", now), proceed);
  EXPECT_EQ(evaluate({.if_match = R"("b")", .if_none_match = R"("a")"}, strong, "GET", now), failed);
  EXPECT_EQ(evaluate({.if_match = R"("a")", .if_none_match = R"("a")"}, strong, "GET", now), not_modified);
  EXPECT_EQ(evaluate({.if_modified_since = after, .if_unmodified_since = before}, strong, "GET", now),
            failed);
  EXPECT_EQ(evaluate({.if_modified_since = after, .if_unmodified_since = after}, strong, "HEAD", now),
            not_modified);
}

TEST(Conditional, MethodsThatSelectNothingHaveNone) {
  const Preconditions all{R"("b")", "*", after, before};
  for (const std::string_view method : {"OPTIONS", "TRACE", "CONNECT"})
    EXPECT_EQ(evaluate(all, strong, method, now), proceed) << method;
  EXPECT_EQ(evaluate({}, strong, "GET", now), proceed);
}

TEST(Conditional, AreReadFromTheParameters) {
  Params params;
  params.add("HTTP_IF_MATCH", R"("x")");
  params.add("HTTP_IF_MATCH", R"("y")");
  params.add("HTTP_IF_NONE_MATCH", " \t* ");
  params.add("HTTP_IF_MODIFIED_SINCE", "");
  params.add("HTTP_IF_RANGE", "\"z\"");
  ASSERT_FALSE(params.settle());
  const Preconditions read = Preconditions::from(params);
  EXPECT_EQ(read.if_match, R"("x", "y")");
  EXPECT_EQ(read.if_none_match, "*");
  EXPECT_EQ(read.if_modified_since, "");
  EXPECT_EQ(read.if_unmodified_since, "");
  EXPECT_TRUE(read.any());
  Params empty;
  empty.add("HTTP_IF_NONE_MATCH", "");
  EXPECT_FALSE(Preconditions::from(empty).any());
}

struct RangeCase {
  std::string_view if_range;
  Validators validators;
  UnixSeconds now;
  bool holds;
};

constexpr RangeCase range_cases[] = {
    {"", none, now, true},
    {R"("a")", strong, now, true},
    {R"("b")", strong, now, false},
    {R"(W/"a")", strong, now, false},
    {R"("a")", weak, now, false},
    {R"("a", "b")", strong, now, false},
    {"*", strong, now, false},
    {that_day, strong, now, true},
    {before, strong, now, false},
    {after, strong, now, false},
    {that_day, tag_only, now, false},
    {that_day, strong, 784111777, false},
    {that_day, strong, 784111778, true},
    {"broken", strong, now, false},
};

TEST(Conditional, APartIsGivenOnlyOfThatVeryVersion) {
  for (const RangeCase& each : range_cases)
    EXPECT_EQ(if_range_holds(each.if_range, each.validators, each.now), each.holds) << each.if_range;
}

}  // namespace
}  // namespace trivet::cgi
