#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace {

std::string content(const std::string& path) {
  std::ifstream file(std::string(TRIVET_SOURCE) + "/sdk/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Examples : public testing::TestWithParam<std::string> {};

TEST_P(Examples, AreShownInTheReadmeAsTheyAreBuilt) {
  const std::string example = content(GetParam() + ".cpp");
  ASSERT_NE(example, "");
  EXPECT_NE(content("README.md").find("```cpp\n" + example + "```"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Files, Examples,
                         testing::Values("examples/hello", "examples/gate", "examples/upper",
                                         "examples/guests", "examples/pages", "examples/stamp",
                                         "examples/visits", "template/my_plugin_test"));

class HelloWorlds : public testing::TestWithParam<std::string> {};

TEST_P(HelloWorlds, FitIntoTwelveLines) {
  const std::string example = content("examples/" + GetParam() + ".cpp");
  ASSERT_NE(example, "");
  EXPECT_LE(std::count(example.begin(), example.end(), '\n'), 12);
}

INSTANTIATE_TEST_SUITE_P(Files, HelloWorlds, testing::Values("hello", "gate", "upper"),
                         [](const auto& test) { return test.param; });

}  // namespace
