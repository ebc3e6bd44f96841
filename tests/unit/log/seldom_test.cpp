#include "runtime/log/seldom.hpp"

#include <gtest/gtest.h>

namespace trivet::log {
namespace {

TEST(Seldom, IsDueOnceASecondAndSaysHowOftenItWasNot) {
  using std::chrono::milliseconds;
  Seldom seldom;
  const base::TimePoint start{};
  EXPECT_EQ(seldom.due(start), 0U);
  EXPECT_EQ(seldom.due(start), std::nullopt);
  EXPECT_EQ(seldom.due(start + milliseconds(999)), std::nullopt);
  EXPECT_EQ(seldom.due(start + milliseconds(1000)), 2U);
  EXPECT_EQ(seldom.due(start + milliseconds(1999)), std::nullopt);
  EXPECT_EQ(seldom.due(start + milliseconds(5000)), 1U);
  EXPECT_EQ(seldom.due(start + milliseconds(9000)), 0U);
}

}  // namespace
}  // namespace trivet::log
