#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "runtime/base/error.hpp"

namespace trivet::base {
namespace {

TEST(Result, HoldsAValue) {
  Result<int> result = 7;
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 7);
}

TEST(Result, HoldsAnError) {
  const Result<int> result = Error{ErrorCode::config_invalid, "line 3"};
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::config_invalid);
  EXPECT_EQ(result.error().message, "line 3");
}

TEST(Result, GivesAMoveOnlyValueAway) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, TellsAValueFromAnErrorWhateverTheValueConvertsTo) {
  struct Convertible {
    operator Error() const { return {ErrorCode::system_failure, "converted"}; }  // NOLINT
  };
  EXPECT_TRUE(Result<Convertible>(Convertible{}).ok());
  EXPECT_TRUE(Result<ErrorCode>(ErrorCode::system_failure).ok());
}

TEST(Result, WithoutAValueWorksToo) {
  EXPECT_TRUE(success().ok());
  EXPECT_FALSE(Result<>(Error{ErrorCode::limit_exceeded, ""}).ok());
}

TEST(SystemError, EndsWithTheTextOfErrno) {
  const Error error = system_error("cannot open x", ENOENT);
  EXPECT_EQ(error.code, ErrorCode::system_failure);
  EXPECT_EQ(error.message, "cannot open x: No such file or directory");
}

}  // namespace
}  // namespace trivet::base
