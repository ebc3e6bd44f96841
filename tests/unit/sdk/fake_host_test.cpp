#include <gtest/gtest.h>

#include <string>
#include <trivet/plugin.hpp>
#include <trivet/testing.hpp>
#include <vector>

namespace {

TEST(FakeHost, CutsATextAtEveryPlace) {
  const auto ways = trivet::every_cut("abc");
  const std::vector<std::vector<std::string>> expected = {{"abc"}, {"a", "bc"}, {"ab", "c"}, {"a", "b", "c"}};
  EXPECT_EQ(ways, expected);
}

struct Logs {
  void handle(trivet::Request& request, trivet::Response& out) {
    request.log(trivet::Level::info, "a line");
    out.flush();
  }
};
constexpr trivet_plugin logs = trivet::sdk::entry<Logs>("logs", "1");

TEST(FakeHost, KeepsTheLinesOfARequestAndCountsFlushes) {
  const trivet::Answer answer = trivet::FakeHost(logs).respond({});
  EXPECT_EQ(answer.log, std::vector<std::string>{"a line"});
  EXPECT_EQ(answer.flushes, 1);
}

TEST(FakeHost, RefusesARoleThePluginHasNot) {
  trivet::FakeHost host(logs);
  EXPECT_EQ(host.check({}).result, TRIVET_E_STATE);
  EXPECT_EQ(host.filter({}).result, TRIVET_E_STATE);
}

struct Lives {
  int* alive;
  explicit Lives(trivet::Settings&) : alive(&count) { ++*alive; }
  Lives(const Lives& other) : alive(other.alive) { ++*alive; }
  Lives& operator=(const Lives&) = delete;
  ~Lives() { --*alive; }
  void data(std::string_view, trivet::Output& out, bool) { out << count; }
  static inline int count = 0;
};
constexpr trivet_plugin lives = trivet::sdk::entry<Lives>("lives", "1");

TEST(FakeHost, DestroysWhatItMade) {
  {
    trivet::FakeHost host(lives);
    EXPECT_EQ(host.filter({}).body, "2");  // The plugin and the one of the request.
    EXPECT_EQ(Lives::count, 1);
  }
  EXPECT_EQ(Lives::count, 0);
}

}  // namespace
