#include "runtime/cgi/params.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/cgi/request_info.hpp"

namespace trivet::cgi {
namespace {

using Pairs = std::vector<Param>;

struct Repeats {
  const char* name;
  Pairs given;
  Pairs kept;
  bool refused = false;
};

class Settling : public testing::TestWithParam<Repeats> {};

TEST_P(Settling, C28_RepeatedNamesAreSettledByOneRule) {
  Params params;
  for (const Param& each : GetParam().given) params.add(each.name, each.value);
  const auto refusal = params.settle();
  ASSERT_EQ(refusal.has_value(), GetParam().refused);
  if (refusal) {
    EXPECT_EQ(refusal->status, 400);
    EXPECT_NE(refusal->reason, "");
    return;
  }
  EXPECT_EQ(Pairs(params.all().begin(), params.all().end()), GetParam().kept);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Settling,
    testing::Values(
        Repeats{"None", {{"A", "1"}, {"B", "2"}}, {{"A", "1"}, {"B", "2"}}},
        Repeats{
            "OrderIsKept", {{"ZZZ", "1"}, {"A", "2"}, {"MM", "3"}}, {{"ZZZ", "1"}, {"A", "2"}, {"MM", "3"}}},
        Repeats{"TheLastWins",
                {{"SCRIPT_NAME", "/a"}, {"X", ""}, {"SCRIPT_NAME", "/b"}},
                {{"SCRIPT_NAME", "/b"}, {"X", ""}}},
        Repeats{"EqualOnesCollapse",
                {{"REQUEST_METHOD", "GET"}, {"REQUEST_METHOD", "GET"}},
                {{"REQUEST_METHOD", "GET"}}},
        Repeats{"DifferingMethods", {{"REQUEST_METHOD", "GET"}, {"REQUEST_METHOD", "POST"}}, {}, true},
        Repeats{"DifferingSteering", {{"TRIVET_ROUTE", "a"}, {"TRIVET_ROUTE", "b"}}, {}, true},
        Repeats{
            "DifferingLengths", {{"CONTENT_LENGTH", "1"}, {"A", ""}, {"CONTENT_LENGTH", "2"}}, {{"A", ""}}},
        Repeats{
            "EqualLengths", {{"CONTENT_LENGTH", "1"}, {"CONTENT_LENGTH", "1"}}, {{"CONTENT_LENGTH", "1"}}},
        Repeats{
            "C98_HeadersJoin", {{"HTTP_X", "1"}, {"HTTP_X", "2"}, {"HTTP_X", "3"}}, {{"HTTP_X", "1, 2, 3"}}},
        Repeats{
            "CookiesJoin", {{"HTTP_COOKIE", "a=1"}, {"HTTP_COOKIE", "b=2"}}, {{"HTTP_COOKIE", "a=1; b=2"}}},
        Repeats{"DifferingHosts", {{"HTTP_HOST", "a"}, {"HTTP_HOST", "b"}}, {}, true},
        Repeats{
            "DifferingAuthorizations", {{"HTTP_AUTHORIZATION", "a"}, {"HTTP_AUTHORIZATION", "b"}}, {}, true},
        Repeats{"C98_ProxyIsDropped", {{"HTTP_PROXY", "http://evil"}, {"A", "1"}}, {{"A", "1"}}},
        Repeats{"C29_NulInAValue", {{"A", std::string_view("1\0", 2)}}, {}, true},
        Repeats{"NulInAName", {{std::string_view("A\0", 2), "1"}}, {}, true},
        Repeats{"EmptyName", {{"", "1"}}, {}, true}, Repeats{"EmptyValue", {{"A", ""}}, {{"A", ""}}}),
    [](const auto& test) { return test.param.name; });

TEST(Params, AreFoundByTheirWholeNameAndCase) {
  Params params;
  params.add("HTTP_HOST", "a");
  params.add("HTTP_HOSTS", "b");
  ASSERT_FALSE(params.settle());
  EXPECT_EQ(params.get("HTTP_HOST"), "a");
  EXPECT_EQ(params.get("http_host"), "");
  EXPECT_EQ(params.find("HTTP_HOS"), nullptr);
}

TEST(Params, SettingReplacesInPlaceAndCopies) {
  Params params;
  params.add("A", "1");
  params.add("B", "2");
  ASSERT_FALSE(params.settle());
  {
    std::string value(5000, 'v');
    params.set("A", value);
    params.set("C", "3");
  }
  EXPECT_EQ(params.get("A"), std::string(5000, 'v'));
  EXPECT_EQ(params.all()[0].name, "A");
  EXPECT_EQ(params.get("C"), "3");
  params.remove("B");
  params.remove("NONE");
  EXPECT_EQ(params.all().size(), 2U);
  params.reset();
  EXPECT_TRUE(params.all().empty());
}

/// Adds each, settles, and looks each up.
void expect_found(const std::vector<std::string>& names) {
  Params params;
  for (const std::string& name : names) params.add(name, name);
  ASSERT_FALSE(params.settle().has_value());
  ASSERT_EQ(params.all().size(), names.size());
  for (const std::string& name : names) {
    ASSERT_NE(params.find(name), nullptr) << name;
    EXPECT_EQ(params.get(name), name);
    EXPECT_EQ(params.find(name + "X"), nullptr) << name;
  }
}

TEST(Params, AreFoundAlsoWhereTheyAgreeInLengthAndEnds) {
  std::vector<std::string> alike;
  std::vector<std::string> any;
  for (int each = 0; each < 1000; ++each) {
    const std::string number = std::to_string(1000 + each);
    alike.push_back("HTTP_X_A" + number + "_SAMEEND");
    any.push_back(number);
    any.push_back("HTTP_" + number);
  }
  expect_found(alike);
  expect_found(any);
}

TEST(Params, ThatAreSetAndRemovedAfterSettlingAreFoundOrNot) {
  Params params;
  params.add("A", "1");
  params.add("B", "2");
  params.add("HTTP_LONG_NAME", "3");
  ASSERT_FALSE(params.settle().has_value());
  params.set("C", "4");
  EXPECT_EQ(params.get("C"), "4");
  params.set("B", "5");
  params.remove("A");
  EXPECT_EQ(params.find("A"), nullptr);
  EXPECT_EQ(params.get("B"), "5");
  EXPECT_EQ(params.get("HTTP_LONG_NAME"), "3");
  params.add("A", "6");
  EXPECT_EQ(params.get("A"), "6");
  params.reset();
  EXPECT_EQ(params.find("B"), nullptr);
}

TEST(Params, ANulIsSeenWhereverItIs) {
  for (std::size_t size = 1; size < 30; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      // One text, as pairs arrive: the value begins where the name ends, at every place.
      std::string text(size, '\x80');
      text[at] = '\0';
      const std::string value = text;
      for (std::size_t cut = 1; cut <= size; ++cut) {
        Params params;
        params.add(std::string_view(text).substr(0, cut), std::string_view(text).substr(cut));
        ASSERT_TRUE(params.settle().has_value()) << size << " at " << at << " cut at " << cut;
      }
      Params apart;
      apart.add("NAME", value);
      ASSERT_TRUE(apart.settle().has_value()) << size << " at " << at;
      text[at] = '\x01';
      Params good;
      good.add("NAME", text);
      ASSERT_FALSE(good.settle().has_value()) << size << " at " << at;
    }
  }
}

TEST(Params, WhatRequestsBeforeBroughtChangesNothingForThoseThatFollow) {
  using List = std::vector<std::pair<std::string, std::string>>;
  const std::vector<List> lists = {
      {{"A", "1"}, {"HTTP_PROXY", "p"}, {"TRIVET_ROUTE", "r"}},
      {{"A", "1"}, {"TRIVET_ROUTE", "r"}, {"B", "2"}},
      {{"A", "1"}, {"TRIVET_ROUTE", "r"}, {"HTTP_PROXY", "p"}},
      {{"A", "1"}, {"B", "2"}, {"TRIVET_ROUTE", "r"}},
      {{"A", "1"}, {"B", "2"}},
      {{"A", "1"}, {"B", "2"}, {"A", "3"}},
      {{"A", "1"}, {"B", "2"}, {"TRIVET_ROUTE", "r"}, {"A", "3"}},
      {{"A", "1"}, {"", "2"}, {"TRIVET_ROUTE", "r"}},
      {{"A", std::string("\0", 1)}, {"B", "2"}, {"TRIVET_ROUTE", "r"}},
      {{"TRIVET_ROUTE", "r"}},
      {{"HTTP_PROXY", "p"}, {"TRIVET_ROUTE", "r"}},
      {},
  };
  const auto settled = [](Params& params, const List& list) {
    params.reset();
    for (const auto& [name, value] : list) params.add(name, value);
    if (const auto refusal = params.settle()) return refusal->reason;
    std::string text;
    for (const Param& each : params.all()) {
      text += std::string(each.name) + "=" + std::string(each.value) + " ";
      EXPECT_EQ(params.get(each.name), each.value);
    }
    return text + "route " + std::string(read_steering(params).route);
  };
  for (const List& before : lists) {
    for (const List& between : lists) {
      for (const List& list : lists) {
        Params fresh;
        Params used;
        settled(used, before);
        settled(used, between);
        EXPECT_EQ(settled(used, list), settled(fresh, list));
      }
    }
  }
}

TEST(Params, ManyRepeatsAreSettledInGoodTime) {
  std::vector<std::string> names;
  for (int i = 0; i < 50000; ++i) names.push_back("HTTP_X_" + std::to_string(i % 25000));
  Params params;
  for (const std::string& name : names) params.add(name, "v");
  ASSERT_FALSE(params.settle());
  EXPECT_EQ(params.all().size(), 25000U);
}

struct Length {
  const char* text;
  std::optional<std::uint64_t> expected;
};

class Lengths : public testing::TestWithParam<Length> {};

TEST_P(Lengths, C66_AreDecimalNumbersBelowTwoToThe63OrAbsent) {
  EXPECT_EQ(parse_length(GetParam().text), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Table, Lengths,
                         testing::Values(Length{"0", 0}, Length{"17", 17}, Length{"007", 7}, Length{"", {}},
                                         Length{"-1", {}}, Length{"+1", {}}, Length{" 1", {}},
                                         Length{"1 ", {}}, Length{"1x", {}}, Length{"0x10", {}},
                                         Length{"9223372036854775807", 9223372036854775807U},
                                         Length{"9223372036854775808", {}},
                                         Length{"99999999999999999999", {}}));

TEST(Steering, IsReadAndWhatIsUnknownOrEmptyIsNamed) {
  Params params;
  params.add("TRIVET_ROLE", "authorizer");
  params.add("TRIVET_ROUTE", "docs");
  ASSERT_FALSE(params.settle());
  const Steering good = read_steering(params);
  EXPECT_TRUE(good.any);
  EXPECT_EQ(good.role, "authorizer");
  EXPECT_EQ(good.route, "docs");
  EXPECT_EQ(good.unknown, "");
  EXPECT_EQ(good.empty, "");
  params.set("TRIVET_HOST", "");
  params.set("TRIVET_NEW", "1");
  const Steering bad = read_steering(params);
  EXPECT_EQ(bad.empty, "TRIVET_HOST");
  EXPECT_EQ(bad.unknown, "TRIVET_NEW");
}

TEST(Steering, IsReadAlsoAfterTheParametersChanged) {
  Params params;
  params.add("A", "1");
  params.add("TRIVET_ROUTE", "r");
  ASSERT_FALSE(params.settle());
  params.remove("A");
  EXPECT_EQ(read_steering(params).route, "r");
  params.reset();
  params.add("A", "1");
  ASSERT_FALSE(params.settle());
  params.set("TRIVET_ROLE", "x");
  EXPECT_EQ(read_steering(params).role, "x");
}

TEST(Hosts, AreMatchedWithoutPortAndFinalDot) {
  EXPECT_EQ(host_for_matching("example.org"), "example.org");
  EXPECT_EQ(host_for_matching("example.org:8080"), "example.org");
  EXPECT_EQ(host_for_matching("example.org."), "example.org");
  EXPECT_EQ(host_for_matching("example.org.:80"), "example.org");
  EXPECT_EQ(host_for_matching("[::1]:80"), "[::1]");
  EXPECT_EQ(host_for_matching("[::1]"), "[::1]");
  EXPECT_TRUE(equals_lower("EXAMPLE.org", "example.org"));
  EXPECT_FALSE(equals_lower("example.or", "example.org"));
}

}  // namespace
}  // namespace trivet::cgi
