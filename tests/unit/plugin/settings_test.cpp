#include "runtime/plugin/settings.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/plugin/call.hpp"

namespace trivet::plugin {
namespace {

using config::Setting;
using config::SettingList;
using config::SettingTable;

Setting at(std::uint32_t line, decltype(Setting::value) value) {
  return {std::move(value), {"t.toml", line, 5}};
}

/// text = "words"; number = 7; real = 0.5; truth = true; list = ["a", ["b"]]; table = { key = 1, "dotted.key"
/// = 2 }; "a.b" = 1; a = { b = 2, c = 3 }
config::Plugin plugin_with_settings() {
  config::Plugin plugin;
  plugin.name = "it";
  plugin.place = {"t.toml", 1, 1};
  plugin.settings["text"] = at(2, std::string("words"));
  plugin.settings["number"] = at(3, std::int64_t{7});
  plugin.settings["real"] = at(4, 0.5);
  plugin.settings["truth"] = at(5, true);
  plugin.settings["list"] =
      at(6, SettingList{at(6, std::string("a")), at(7, SettingList{at(7, std::string("b"))})});
  plugin.settings["table"] =
      at(8, SettingTable{{"key", at(9, std::int64_t{1})}, {"dotted.key", at(10, std::int64_t{2})}});
  plugin.settings["a.b"] = at(11, std::int64_t{1});
  plugin.settings["a"] = at(12, SettingTable{{"b", at(13, std::int64_t{2})}, {"c", at(14, std::int64_t{3})}});
  return plugin;
}

class SettingsReading : public testing::Test {
 protected:
  trivet_value value(std::string_view path) {
    trivet_value value{};
    EXPECT_EQ(reader_.find(path, value), TRIVET_OK) << path;
    return value;
  }
  bool absent(std::string_view path) {
    trivet_value value{};
    return reader_.find(path, value) == TRIVET_E_ABSENT;
  }
  std::string key(std::string_view path, std::uint64_t index) {
    trivet_text key{};
    return reader_.key(path, index, key) == TRIVET_OK ? std::string(view(key)) : "(absent)";
  }

  config::Plugin plugin_ = plugin_with_settings();
  SettingsReader reader_{plugin_};
};

TEST_F(SettingsReading, GivesEachTypeAsWhatItIs) {
  EXPECT_EQ(value("text").type, trivet_type{TRIVET_TYPE_TEXT});
  EXPECT_EQ(view(value("text").text), "words");
  EXPECT_EQ(value("number").type, trivet_type{TRIVET_TYPE_INTEGER});
  EXPECT_EQ(value("number").integer, 7);
  EXPECT_EQ(value("real").type, trivet_type{TRIVET_TYPE_REAL});
  EXPECT_EQ(value("real").real, 0.5);
  EXPECT_EQ(value("truth").type, trivet_type{TRIVET_TYPE_BOOLEAN});
  EXPECT_EQ(value("truth").boolean, 1U);
  EXPECT_EQ(value("list").type, trivet_type{TRIVET_TYPE_LIST});
  EXPECT_EQ(value("list").count, 2U);
  EXPECT_EQ(value("table").type, trivet_type{TRIVET_TYPE_TABLE});
  EXPECT_EQ(value("table").count, 2U);
  EXPECT_EQ(value("").type, trivet_type{TRIVET_TYPE_TABLE});
  EXPECT_EQ(value("").count, 8U);
}

TEST_F(SettingsReading, FollowsAPathThroughTablesAndLists) {
  EXPECT_EQ(view(value("list.0").text), "a");
  EXPECT_EQ(view(value("list.1.0").text), "b");
  EXPECT_EQ(value("table.key").integer, 1);
}

TEST_F(SettingsReading, FindsKeysThatThemselvesContainDots) {
  EXPECT_EQ(value("table.dotted.key").integer, 2);
  EXPECT_EQ(value("a.b").integer, 1);  // The longest key that fits.
  EXPECT_EQ(value("a.c").integer, 3);
}

TEST_F(SettingsReading, FindsNothingWhereThereIsNothing) {
  for (const char* path : {"gone", "text.more", "list.2", "list.x", "list.0.0", "list.-1", "list.", "list.0x",
                           ".", "..", "table.", ".text", "table.key.more", "list.99999999999999999999"}) {
    EXPECT_TRUE(absent(path)) << path;
  }
}

TEST_F(SettingsReading, EnumeratesTheKeysOfATable) {
  EXPECT_EQ(key("table", 0), "dotted.key");
  EXPECT_EQ(key("table", 1), "key");
  EXPECT_EQ(key("table", 2), "(absent)");
  EXPECT_EQ(key("", 0), "a");
  EXPECT_EQ(key("text", 0), "(absent)");
  EXPECT_EQ(key("gone", 0), "(absent)");
}

TEST_F(SettingsReading, ErrorsNameTheNearestPlace) {
  reader_.report("number", "is odd");
  reader_.report("table.gone", "is missing");
  reader_.report("list.1.7", "is missing");
  reader_.report("gone", "is missing");
  reader_.report("", "do not fit together");
  EXPECT_EQ(reader_.errors(), (std::vector<std::string>{
                                  "t.toml:3:5: plugin \"it\": setting \"number\": is odd",
                                  "t.toml:8:5: plugin \"it\": setting \"table.gone\": is missing",
                                  "t.toml:7:5: plugin \"it\": setting \"list.1.7\": is missing",
                                  "t.toml:1:1: plugin \"it\": setting \"gone\": is missing",
                                  "t.toml:1:1: plugin \"it\": do not fit together",
                              }));
}

TEST_F(SettingsReading, WhatNobodyReadIsAnError) {
  for (const char* path : {"text", "number", "real", "truth", "list", "list.0", "a.c", "a.b"}) value(path);
  reader_.report_unread();
  const std::string cure = ": the plugin has no such setting: correct its name or remove it";
  EXPECT_EQ(reader_.errors(), (std::vector<std::string>{
                                  "t.toml:13:5: plugin \"it\": setting \"a.b\"" + cure,
                                  "t.toml:7:5: plugin \"it\": setting \"list.1\"" + cure,
                                  "t.toml:8:5: plugin \"it\": setting \"table\"" + cure,
                              }));
}

TEST(Settings, APlaceThatIsUnknownIsLeftOut) {
  EXPECT_EQ(at_place({}), "");
  EXPECT_EQ(at_place({"f", 0, 0}), "f: ");
  EXPECT_EQ(at_place({"f", 3, 0}), "f:3: ");
  EXPECT_EQ(at_place({"f", 3, 9}), "f:3:9: ");
}

}  // namespace
}  // namespace trivet::plugin
