#include "runtime/config/suggest.hpp"

#include <gtest/gtest.h>

namespace trivet::config {
namespace {

struct ClosestCase {
  std::string_view name;
  std::string_view word;
  std::optional<std::string_view> found;
};

constexpr ClosestCase closest_cases[] = {
    {"OneLetterMissing", "adress", "address"},
    {"TwoLettersWrong", "bakclug", "backlog"},
    {"NeighboursSwapped", "bcaklog", "backlog"},
    {"ThreeLettersWrongIsSomethingElse", "bxxxlog", std::nullopt},
    {"OtherCase", "Backlog", "backlog"},
    {"Beginning", "back", "backlog"},
    {"Longer", "backlogsize", "backlog"},
    {"ShortWordsNeedToBeNearer", "mo", std::nullopt},
    {"ShortWordOneAway", "mde", "mode"},
    {"Unrelated", "colour", std::nullopt},
    {"Empty", "", std::nullopt},
    {"TheNearestWins", "modes", "mode"},
};

class Closest : public testing::TestWithParam<ClosestCase> {};

TEST_P(Closest, IsWhatWasProbablyMeant) {
  EXPECT_EQ(closest(GetParam().word, {"address", "backlog", "nodesy", "mode", ""}), GetParam().found);
}

INSTANTIATE_TEST_SUITE_P(Cases, Closest, testing::ValuesIn(closest_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Closest, VeryLongWordsHaveNoNeighbours) {
  const std::string word(64, 'a');
  EXPECT_EQ(closest(word, {word}), word);
  EXPECT_EQ(closest(word + "a", {word}), std::nullopt);
  const std::string longer = "b" + word;
  EXPECT_EQ(closest(word, {longer}), std::nullopt);
}

TEST(DidYouMean, ListsWhatIsKnownWhereNothingIsNear) {
  EXPECT_EQ(did_you_mean("tokne", {"token", "echo"}), "did you mean \"token\"?");
  EXPECT_EQ(did_you_mean("x", {"token", "echo"}), "known: \"token\", \"echo\"");
  EXPECT_EQ(did_you_mean("tokne", {"token"}, "`"), "did you mean `token`?");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(DidYouMean, ListsTwelveAtMost) {
  const std::vector<std::string_view> many = {"aa", "bb", "cc", "dd", "ee", "ff", "gg",
                                              "hh", "ii", "jj", "kk", "ll", "mm", "nn"};
  EXPECT_EQ(did_you_mean("x", many, ""), "known: aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll and 2 more");
}

}  // namespace
}  // namespace trivet::config
