#include "runtime/cli/check_command.hpp"

#include <gtest/gtest.h>

#include "tests/unit/cli/scratch_file.hpp"

namespace trivet::cli {
namespace {

struct Checked {
  int code;
  std::string out;
  std::string err;
};

Checked check(const std::string& file, bool json) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_check({file, json});
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

constexpr std::string_view good =
    "[[listen]]\naddress = \"unix:/run/x\"\n[[route]]\nname = \"all\"\nauthorize = [\"deny\"]\n";

TEST(Check, AGoodFileIsOk) {
  const ScratchFile file(good);
  const Checked text = check(file.path(), false);
  EXPECT_EQ(text.code, exit_ok) << text.err;
  EXPECT_EQ(text.out, "");
  EXPECT_EQ(text.err, file.path() + ": ok\n");
  const Checked json = check(file.path(), true);
  EXPECT_EQ(json.code, exit_ok);
  EXPECT_EQ(json.out, "[]\n");
  EXPECT_EQ(json.err, "");
}

TEST(Check, AllErrorsAreToldAsTextOrAsJson) {
  const ScratchFile file(std::string(good) + "[log]\nlevle = \"info\"\nformat = \"xml\"\n");
  const Checked text = check(file.path(), false);
  EXPECT_EQ(text.code, exit_configuration);
  EXPECT_EQ(text.out, "");
  EXPECT_NE(text.err.find(file.path() + ":7:1: error: unknown key `levle` in [log]"), std::string::npos)
      << text.err;
  EXPECT_NE(text.err.find("2 errors, 0 warnings"), std::string::npos) << text.err;
  const Checked json = check(file.path(), true);
  EXPECT_EQ(json.code, exit_configuration);
  EXPECT_EQ(json.err, "");
  EXPECT_EQ(
      json.out,
      R"([{"severity":"error","file":")" + file.path() +
          R"(","line":7,"column":1,"end":6,"message":"unknown key `levle` in [log]","hint":"did you mean `level`?"},)"
          R"({"severity":"error","file":")" +
          file.path() +
          R"(","line":8,"column":10,"end":15,"message":"`format` cannot be \"xml\"","hint":"known: \"text\", \"json\""}])"
          "\n");
}

TEST(Check, AnAbsentFileIsAnInvalidConfiguration) {
  const Checked text = check("/nonexistent/trivet.toml", false);
  EXPECT_EQ(text.code, exit_configuration);
  EXPECT_NE(text.err.find("/nonexistent/trivet.toml"), std::string::npos);
  EXPECT_EQ(check("/nonexistent/trivet.toml", true).out.find("[{\"severity\":\"error\""), 0U);
}

TEST(Check, BytesThatAreNotUtf8DoNotBreakTheJson) {
  const Checked json = check("/nonexistent/\xff.toml", true);
  EXPECT_EQ(json.code, exit_configuration);
  EXPECT_NE(json.out.find("\\\\xff.toml"), std::string::npos) << json.out;
}

}  // namespace
}  // namespace trivet::cli
