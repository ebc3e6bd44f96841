#include <gtest/gtest.h>

#include <string>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

using Type = SettingSchema::Type;

SettingSchema of(Type type) {
  SettingSchema schema;
  schema.type = type;
  return schema;
}

SettingSchema bounded(Type type, double least, double most) {
  SettingSchema schema = of(type);
  schema.least = least;
  schema.most = most;
  return schema;
}

/// The settings that every plugin declares here.
SettingSchema schema() {
  SettingSchema all = of(Type::table);
  all.keys["key"] = bounded(Type::text, 2, 4);
  all.keys["key"].required = true;
  all.keys["mode"] = of(Type::text);
  all.keys["mode"].choices = {"strict", "lax"};
  all.keys["tries"] = bounded(Type::integer, 1, 10);
  all.keys["least"] = of(Type::integer);
  all.keys["least"].least = 5;
  all.keys["most"] = of(Type::real);
  all.keys["most"].most = 0.5;
  all.keys["loud"] = of(Type::boolean);
  all.keys["names"] = bounded(Type::list, 1, 2);
  all.keys["names"].entries = {of(Type::text)};
  all.keys["ports"] = of(Type::table);
  all.keys["ports"].entries = {of(Type::integer)};
  all.keys["owner"] = of(Type::table);
  all.keys["owner"].keys["name"] = of(Type::text);
  all.keys["owner"].keys["name"].required = true;
  all.keys["any"] = of(Type::any);
  return all;
}

/// `app` is a responder and `guard` an authorizer; `other` declares nothing, `wrap` cannot be looked at.
std::optional<PluginFacts> look(const std::string& path) {
  PluginFacts facts;
  if (path.ends_with("/app.so")) {
    facts.responder = true;
    facts.settings = schema();
    return facts;
  }
  if (path.ends_with("/guard.so")) {
    facts.authorizer = true;
    facts.never_blocks = true;
    facts.settings = of(Type::table);
    return facts;
  }
  if (path.ends_with("/other.so")) {
    facts.responder = facts.filter = true;
    return facts;
  }
  return std::nullopt;
}

/// What is told of a file whose plugins are these.
std::string told(const std::string& plugins, const std::string& route = "respond = \"app\"\n") {
  const Loader loader;
  const Loaded loaded = load_text(std::string(a_listener) + plugins + "[[route]]\n" + route,
                                  loader.folder().path() + "/t.toml", {}, look);
  EXPECT_EQ(loaded.config.has_value(), loaded.diagnostics.empty());
  std::string text;
  for (const Diagnostic& each : loaded.diagnostics) {
    text += std::to_string(each.place.line) + ":" + std::to_string(each.place.column) + "-" +
            std::to_string(each.end_column) + " " + each.message + (each.hint.empty() ? "" : " | ") +
            each.hint + "\n";
  }
  return text;
}

struct Case {
  const char* name;
  const char* setting;  ///< Begins in column 12 of line 4, after `config = { `, before `key`.
  const char* told;     ///< Without the place.
};
class WrongSettings : public testing::TestWithParam<Case> {};

TEST_P(WrongSettings, AreToldBeforeThePluginIsLoaded) {
  const std::string text =
      told("[plugin.app]\nconfig = { " + std::string(GetParam().setting) + ", key = \"key\" }\n");
  ASSERT_NE(text, "");
  EXPECT_EQ(text.substr(text.find(' ') + 1), std::string(GetParam().told) + "\n");
  EXPECT_EQ(text.substr(0, 2), "4:");
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongSettings,
    testing::Values(
        Case{"Unknown", "tires = 1", "the plugin \"app\" has no setting `tires` | did you mean `tries`?"},
        Case{"Type", "tries = \"1\"",
             "`tries` of the plugin \"app\" expects a whole number, found the text \"1\""},
        Case{"RealForInteger", "tries = 1.5",
             "`tries` of the plugin \"app\" expects a whole number, found the number 1.5"},
        Case{"TextForBoolean", "loud = \"true\"",
             "`loud` of the plugin \"app\" expects true or false, found the text \"true\""},
        Case{"TextForReal", "most = \"x\"",
             "`most` of the plugin \"app\" expects a number, found the text \"x\""},
        Case{"TextForList", "names = \"a\"",
             "`names` of the plugin \"app\" expects a list, found the text \"a\""},
        Case{"TextForTable", "owner = \"a\"",
             "`owner` of the plugin \"app\" expects a table, found the text \"a\""},
        Case{"TableForText", "mode = {}",
             "`mode` of the plugin \"app\" expects a text in quotes, found a table"},
        Case{"Above", "tries = 11", "`tries` of the plugin \"app\" is 11, outside 1 to 10"},
        Case{"Below", "tries = 0", "`tries` of the plugin \"app\" is 0, outside 1 to 10"},
        Case{"BelowAlone", "least = 4", "`least` of the plugin \"app\" is 4, less than 5"},
        Case{"AboveAlone", "most = 0.75", "`most` of the plugin \"app\" is 0.75, more than 0.5"},
        Case{"NotANumber", "most = nan", "`most` of the plugin \"app\" is nan, more than 0.5"},
        Case{"Choice", "mode = \"strct\"",
             "`mode` of the plugin \"app\" cannot be \"strct\" | did you mean \"strict\"?"},
        Case{"EmptyList", "names = []", "`names` of the plugin \"app\" has 0 entries, needs at least 1"},
        Case{"LongList", "names = [\"a\", \"b\", \"c\"]",
             "`names` of the plugin \"app\" has 3 entries, takes at most 2"},
        Case{"Entry", "names = [\"a\", 2]",
             "`names.1` of the plugin \"app\" expects a text in quotes, found the integer 2"},
        Case{"EntryOfATable", "ports = { http = \"80\" }",
             "`ports.http` of the plugin \"app\" expects a whole number, found the text \"80\""},
        Case{"MissingBelow", "owner = {}",
             "the plugin \"app\" needs the setting `owner.name` | a text in quotes"},
        Case{"UnknownBelow", "owner = { name = \"x\", nam = 1 }",
             "the plugin \"app\" has no setting `owner.nam` | did you mean `name`?"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(PluginFacts, GoodSettingsAreTaken) {
  EXPECT_EQ(
      told(
          "[plugin.app]\nconfig = { key = \"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\", tries = 10, most = 0, loud = "
          "true, "
          "names = [\"a\"], ports = { http = 80, https = 443 }, owner = { name = \"x\" }, any = [1, {}] }\n"),
      "");
}

TEST(PluginFacts, AMissingSettingIsToldAtItsTable) {
  EXPECT_EQ(told("[plugin.app]\n"), "3:1-13 the plugin \"app\" needs the setting `key` | a text in quotes\n");
  EXPECT_EQ(told("[plugin.app]\nconfig = {}\n"),
            "4:1-7 the plugin \"app\" needs the setting `key` | a text in quotes\n");
}

TEST(PluginFacts, LengthsAreCountedInCharactersAndTheTextIsNotShown) {
  EXPECT_EQ(told("[plugin.app]\nconfig = { key = \"\xC3\xA4\" }\n"),
            "4:18-21 `key` of the plugin \"app\" has 1 characters, needs at least 2\n");
  EXPECT_EQ(told("[plugin.app]\nconfig = { key = \"12345\" }\n"),
            "4:18-25 `key` of the plugin \"app\" has 5 characters, takes at most 4\n");
}

TEST(PluginFacts, APluginWithoutSettingsTakesNone) {
  EXPECT_EQ(told("[plugin.guard]\nconfig = { a = 1 }\n", "authorize = [\"guard\"]\n"),
            "4:12-13 the plugin \"guard\" has no setting `a` | remove it\n");
}

TEST(PluginFacts, SettingsThatAreNotDeclaredAreLeftToThePlugin) {
  EXPECT_EQ(told("[plugin.other]\nconfig = { a = 1 }\n", "respond = \"other\"\n"), "");
  EXPECT_EQ(told("[plugin.wrap]\nconfig = { a = 1 }\n", "filter = [\"wrap\"]\n"), "");
}

TEST(PluginFacts, APluginCanOnlyFillAPlaceOfItsRoles) {
  const std::string app = "[plugin.app]\nconfig = { key = \"key\" }\n";
  EXPECT_EQ(told(app, "authorize = [\"app\"]\n"),
            "6:14-19 `authorize` needs an authorizer, which the plugin \"app\" is not | it is a responder\n");
  EXPECT_EQ(told("[plugin.guard]\n", "respond = \"guard\"\n"),
            "5:11-18 `respond` needs a responder, which the plugin \"guard\" is not | it is an authorizer\n");
  EXPECT_EQ(
      told("[plugin.other]\n", "authorize = [\"other\"]\n"),
      "5:14-21 `authorize` needs an authorizer, which the plugin \"other\" is not | it is a responder and a "
      "filter\n");
  EXPECT_EQ(told(app, "filter = [\"app\"]\n"),
            "6:11-16 `filter` needs a filter, which the plugin \"app\" is not | it is a responder\n");
}

TEST(PluginFacts, OnlyAPluginThatNeverBlocksRunsOnTheLoop) {
  EXPECT_EQ(told("[plugin.other]\nthreads = 0\n", "respond = \"other\"\n"),
            "4:11-12 `threads` = 0 would run the plugin \"other\" on the event loop, but it does not declare "
            "that it "
            "never blocks | set it to 1 or more\n");
  EXPECT_EQ(told("[plugin.guard]\nthreads = 0\n", "authorize = [\"guard\"]\n"), "");
}

/// As look(), but `guard` is exclusive.
std::optional<PluginFacts> look_exclusive(const std::string& path) {
  auto facts = look(path);
  if (facts) facts->exclusive = path.ends_with("/guard.so");
  return facts;
}

Loaded load_exclusive(const std::string& server, const Overrides& overrides = {},
                      const char* plugin = "guard") {
  const Loader loader;
  return load_text(server + std::string(a_listener) + "[plugin." + plugin + "]\n[plugin.other]\n[[route]]\n" +
                       "respond = \"other\"\n" +
                       (plugin == std::string("guard") ? "authorize = [\"guard\"]\n" : ""),
                   loader.folder().path() + "/t.toml", overrides, look_exclusive);
}

TEST(ExclusivePlugins, HaveOneProcessUnlessMoreAreAskedFor) {
  for (const auto& [processes, expected] :
       {std::pair("", 1U), {"processes = 1\n", 1U}, {"processes = 0\n", 0U}}) {
    const Loaded loaded = load_exclusive("[server]\n" + std::string(processes));
    ASSERT_TRUE(loaded.config) << render_all(loaded);
    EXPECT_EQ(loaded.config->server.processes, expected) << processes;
    EXPECT_TRUE(loaded.diagnostics.empty());
    EXPECT_TRUE(has_exclusive(*loaded.config));
  }
  EXPECT_EQ(load_exclusive("").config->server.processes, 1U) << "without [server]";
  Overrides overrides;
  overrides.processes = 1;
  EXPECT_EQ(load_exclusive("[server]\nprocesses = 5\n", overrides).config->server.processes, 1U);
  const Loaded without = load_exclusive("[server]\nprocesses = 5\n", {}, "wrap");
  EXPECT_FALSE(has_exclusive(*without.config));
  EXPECT_EQ(without.config->server.processes, 5U);
}

TEST(ExclusivePlugins, WithMoreProcessesAreRefusedWithPlaceAndCure) {
  const Loaded loaded = load_exclusive("[server]\nprocesses = 5\n");
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  const Diagnostic& told = loaded.diagnostics.front();
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(std::pair(told.place.line, told.place.column), std::pair(2U, 13U));
  EXPECT_EQ(told.message,
            "5 processes cannot all have the plugin \"guard\": it is exclusive, what it uses one process has "
            "at a time");
  EXPECT_EQ(told.hint, "set it to 1, or leave it out");

  Overrides overrides;
  overrides.processes = 2;
  const Loaded by_option = load_exclusive("[server]\nprocesses = 1\n", overrides);
  ASSERT_EQ(by_option.diagnostics.size(), 1U);
  EXPECT_EQ(by_option.diagnostics.front().place.file, "--processes");
  EXPECT_EQ(by_option.diagnostics.front().message.substr(0, 37), "2 processes cannot all have the plugi");
  EXPECT_EQ(by_option.diagnostics.front().hint, "give 1, or leave it out");
}

}  // namespace
}  // namespace trivet::config
