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

Checked check(const std::string& file, bool json, bool load = false) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_check({file, json, load});
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

/// A configuration whose plugin is a real one; its table begins on line 3.
std::string with_plugin(const std::string& file, const std::string& keys, const std::string& use) {
  return "[[listen]]\naddress = \"unix:/run/x\"\n[plugin.it]\nfile = \"" TEST_PLUGINS "/" + file + ".so\"\n" +
         keys + "[[route]]\n" + use + "\n";
}

TEST(Check, SettingsAreCheckedAgainstWhatThePluginDeclares) {
  const ScratchFile file(with_plugin("example_pages", "config = { pages = [{ path = \"/\", txet = 1 }] }\n",
                                     "respond = \"it\""));
  const Checked text = check(file.path(), false);
  EXPECT_EQ(text.code, exit_configuration);
  EXPECT_NE(text.err.find(":5:35: error: the plugin \"it\" has no setting `pages.0.txet`"), std::string::npos)
      << text.err;
  EXPECT_NE(text.err.find("the plugin \"it\" needs the setting `pages.0.text`"), std::string::npos)
      << text.err;
}

TEST(Check, APluginThatCannotRunGives1) {
  const ScratchFile file(with_plugin("broken_note", "", "respond = \"it\""));
  const Checked text = check(file.path(), false);
  EXPECT_EQ(text.code, exit_failed);
  EXPECT_NE(text.err.find(file.path() + ":3:1: error: plugin \"it\" (" TEST_PLUGINS
                                        "/broken_note.so): carries a broken Trivet note"),
            std::string::npos)
      << text.err;
}

TEST(Check, OnlyLoadingRunsThePluginsCode) {
  const ScratchFile file(with_plugin("throws", "config = { when = \"create\" }\n", "respond = \"it\""));
  EXPECT_EQ(check(file.path(), false).code, exit_ok);
  const Checked text = check(file.path(), false, true);
  EXPECT_EQ(text.code, exit_failed);
  EXPECT_NE(text.err.find(file.path() + ":3:1: error: plugin \"it\": thrown on purpose"), std::string::npos)
      << text.err;
}

TEST(Check, LoadingTellsSettingsThatThePluginDoesNotReadWithTheirPlace) {
  const ScratchFile file(with_plugin("throws", "config = { whn = \"x\", wht = 1 }\n", "respond = \"it\""));
  const Checked json = check(file.path(), true, true);
  EXPECT_EQ(json.code, exit_failed);
  EXPECT_EQ(json.out,
            R"([{"severity":"error","file":")" + file.path() +
                R"(","line":5,"column":18,"end":0,"message":"plugin \"it\": setting \"whn\": the plugin has )"
                R"(no such setting: correct its name or remove it","hint":""},{"severity":"error","file":")" +
                file.path() +
                R"(","line":5,"column":29,"end":0,"message":"plugin \"it\": setting \"wht\": the plugin has )"
                R"(no such setting: correct its name or remove it","hint":""}])"
                "\n");
}

TEST(Check, APluginThatEndsTheProcessIsToldByNameAndTheOthersAreStillLookedAt) {
  for (const auto& [how, told] : {std::pair("abort", "killed by SIGABRT"), {"exit", "exit status 3"}}) {
    const ScratchFile file(with_plugin("crashes",
                                       "config = { how = \"" + std::string(how) +
                                           "\" }\n[plugin.next]\nfile = \"" TEST_PLUGINS
                                           "/throws.so\"\nconfig = { when = \"create\" }\n",
                                       "respond = \"it\"\nauthorize = [\"next\"]"));
    const Checked text = check(file.path(), false, true);
    EXPECT_EQ(text.code, exit_failed);
    EXPECT_NE(text.err.find("plugin \"it\" (" TEST_PLUGINS "/crashes.so): ends the process that loads it: " +
                            std::string(told)),
              std::string::npos)
        << text.err;
    EXPECT_NE(text.err.find("plugin \"next\": thrown on purpose"), std::string::npos) << text.err;
  }
}

TEST(Check, AGoodPluginLoads) {
  const ScratchFile file(with_plugin(
      "example_pages", "config = { pages = [{ path = \"/\", text = \"x\" }] }\n", "respond = \"it\""));
  const Checked text = check(file.path(), false, true);
  EXPECT_EQ(text.code, exit_ok) << text.err;
  EXPECT_EQ(text.err, file.path() + ": ok\n");
}

}  // namespace
}  // namespace trivet::cli
