#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// TRIVET_TEST is set to `value` for the time of a test.
class Environment : public testing::Test {
 protected:
  ~Environment() override { ::unsetenv("TRIVET_TEST"); }
  static void set(const char* value) { ::setenv("TRIVET_TEST", value, 1); }

  Loader loader_;
};

TEST_F(Environment, AVariableStandsInTextsWhereverTheyAre) {
  set("5");
  const Loaded loaded =
      loader_.load(whole("[server]\nruntime_dir = \"/run/${env:TRIVET_TEST}/x${env:TRIVET_TEST}\"\n"
                         "[limits]\nwindow = \"${env:TRIVET_TEST}MiB\"\n[plugin.guard.config]\n"
                         "a = [{ b = \"${env:TRIVET_TEST}\" }]\n[[route]]\nauthorize = [\"guard\"]\npath = "
                         "\"/${env:TRIVET_TEST}\"\n"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_EQ(loaded.config->server.runtime_dir, "/run/5/x5");
  EXPECT_EQ(loaded.config->limits.window, 5U << 20U);
  EXPECT_EQ(loaded.config->routes[0].path, "/5");
}

TEST_F(Environment, AnEmptyVariableIsAnEmptyText) {
  set("");
  EXPECT_THAT(loader_.told(whole("[server]\nruntime_dir = \"${env:TRIVET_TEST}\"\n")),
              HasSubstr("`runtime_dir` is empty"));
  EXPECT_TRUE(loader_.load(whole("[server]\nruntime_dir = \"/run${env:TRIVET_TEST}\"\n")).config);
}

TEST_F(Environment, AValueIsNotLookedThroughForVariables) {
  set("${env:HOME}");
  EXPECT_THAT(loader_.told(whole("[server]\nruntime_dir = \"/${env:TRIVET_TEST}\"\n")),
              HasSubstr("holds what no text of this file may hold"));
}

TEST_F(Environment, AValueThatIsNoUtf8IsRefused) {
  set("\xff");
  EXPECT_THAT(loader_.told(whole("[server]\nruntime_dir = \"/${env:TRIVET_TEST}\"\n")),
              HasSubstr("holds what no text of this file may hold"));
}

TEST_F(Environment, NoMessageShowsAValue) {
  for (const char* text :
       {"[log]\nlevel = \"${env:TRIVET_TEST}\"\n", "[log]\nlevel = \"x${env:TRIVET_TEST}y\"\n",
        "[log]\ntarget = \"${env:TRIVET_TEST}\"\n", "[limits]\nwindow = \"${env:TRIVET_TEST}\"\n",
        "[plugin.guard]\nfile = \"${env:TRIVET_TEST}\"\n", "[[listen]]\naddress = \"${env:TRIVET_TEST}\"\n",
        "[[route]]\nrespond = \"${env:TRIVET_TEST}\"\n",
        "[server]\nruntime_dir = \"${env:TRIVET_TEST}\\u0000\"\n"}) {
    for (const char* value : {"s3cr3t", "s3\"cr3t\\s3\tcr3t"}) {
      set(value);
      const std::string told = loader_.told(whole(text));
      EXPECT_THAT(told, Not(HasSubstr("cr3t"))) << text;
      EXPECT_THAT(told, HasSubstr("error: ")) << text;
      EXPECT_THAT(told, HasSubstr("${env:TRIVET_TEST}")) << text;
    }
  }
}

}  // namespace
}  // namespace trivet::config
