#include "runtime/plugin/edition.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "runtime/config/config.hpp"
#include "tests/unit/plugin/files.hpp"

namespace trivet::plugin {
namespace {

config::Setting setting(auto value) { return {.value = std::move(value), .place = {}}; }

config::Plugin plugin_with(config::SettingTable settings) {
  config::Plugin plugin;
  plugin.settings = std::move(settings);
  return plugin;
}

TEST(Edition, IsTheSameWhereverAndWheneverTheSameIsLoaded) {
  const TemporaryFolder folder;
  write_file(folder / "one.so", "code");
  write_file(folder / "two.so", "code");
  const config::Plugin plugin = plugin_with({{"a", setting(std::int64_t{1})}});
  EXPECT_EQ(edition_of(plugin, folder / "one.so", "1.0"), edition_of(plugin, folder / "two.so", "1.0"));
}

TEST(Edition, ChangesWithTheCodeTheVersionAndEachSetting) {
  const TemporaryFolder folder;
  write_file(folder / "one.so", "code");
  write_file(folder / "two.so", "cods");
  write_file(folder / "long.so", std::string(200000, 'x'));
  write_file(folder / "longer.so", std::string(200000, 'x') + "y");
  std::set<std::uint64_t> editions;
  const auto is_new = [&](config::SettingTable settings, const std::string& code = {},
                          std::string_view version = "1.0") {
    return editions.insert(edition_of(plugin_with(std::move(settings)), code, version)).second;
  };
  EXPECT_TRUE(is_new({}));
  EXPECT_FALSE(is_new({}));
  EXPECT_TRUE(is_new({}, {}, "1.1"));
  for (const char* code : {"one.so", "two.so", "long.so", "longer.so"})
    EXPECT_TRUE(is_new({}, folder / code));
  EXPECT_TRUE(is_new({{"a", setting(std::string("1"))}}));
  EXPECT_TRUE(is_new({{"b", setting(std::string("1"))}}));
  EXPECT_TRUE(is_new({{"a", setting(std::string("1"))}, {"b", setting(std::string("1"))}}));
  EXPECT_TRUE(is_new({{"a", setting(std::int64_t{1})}}));
  EXPECT_TRUE(is_new({{"a", setting(std::int64_t{-1})}}));
  EXPECT_TRUE(is_new({{"a", setting(1.0)}}));
  EXPECT_TRUE(is_new({{"a", setting(true)}}));
  EXPECT_TRUE(is_new({{"a", setting(false)}}));
  EXPECT_TRUE(is_new({{"a", setting(config::SettingList{setting(std::string("1"))})}}));
  EXPECT_TRUE(
      is_new({{"a", setting(config::SettingList{setting(std::string("1")), setting(std::string("1"))})}}));
  EXPECT_TRUE(is_new({{"a", setting(config::SettingTable{{"1", setting(std::string("1"))}})}}));
  EXPECT_TRUE(is_new({{"a", setting(config::SettingTable{})}}));
}

TEST(Edition, ChangesWithTheContentOfAFileThatASettingNames) {
  const TemporaryFolder folder;
  const std::string path = folder / "template.html";
  const config::Plugin plugin = plugin_with(
      {{"deep", setting(config::SettingList{setting(config::SettingTable{{"page", setting(path)}})})}});
  std::set<std::uint64_t> editions = {edition_of(plugin, {}, "1.0")};
  for (const std::string& content : {std::string(), std::string("a"), std::string("b"), std::string("aa")}) {
    write_file(path, content);
    EXPECT_TRUE(editions.insert(edition_of(plugin, {}, "1.0")).second) << content;
  }
  write_file(path, "b");
  EXPECT_FALSE(editions.insert(edition_of(plugin, {}, "1.0")).second);
}

TEST(Edition, DoesNotWaitForWhatIsNoFile) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, folder.path(), folder / "none", std::string("a/\0b", 4)})
    EXPECT_NE(edition_of(plugin_with({{"a", setting(path)}}), {}, "1.0"), 0U) << path;
}

}  // namespace
}  // namespace trivet::plugin
