#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "runtime/config/load.hpp"

namespace trivet::config {
namespace {

Snapshot full_snapshot() {
  Snapshot snapshot;
  snapshot.path = "/etc/trivet.toml";
  snapshot.text = std::string("[server]\0 not even TOML", 23);
  snapshot.included = {{"/etc/a.toml", "a"}, {"/etc/b.toml", ""}};
  snapshot.overrides.listen = {"unix:/run/x", "tcp:127.0.0.1:1"};
  snapshot.overrides.processes = 0;
  snapshot.overrides.spawned = true;
  snapshot.overrides.web_servers = "127.0.0.1";
  snapshot.plugin_files = {{"one", {"/a.so", "/copies/a", false}}, {"two", {"/b.so", "/copies/b", false}}};
  snapshot.account = {"worker", 4000000000U, 7, {7, 8}, {}};
  return snapshot;
}

TEST(Snapshots, ComeBackAsTheyWerePacked) {
  const Snapshot snapshot = full_snapshot();
  const std::string bytes = pack(snapshot);
  const auto back = unpack(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(pack(*back), bytes);
  EXPECT_EQ(back->text, snapshot.text);
  ASSERT_EQ(back->included.size(), 2U);
  EXPECT_EQ(back->included[1].path, "/etc/b.toml");
  EXPECT_EQ(back->overrides.listen, snapshot.overrides.listen);
  EXPECT_EQ(back->overrides.processes, snapshot.overrides.processes);
  EXPECT_TRUE(back->overrides.spawned);
  EXPECT_EQ(back->overrides.web_servers, snapshot.overrides.web_servers);
  EXPECT_EQ(back->plugin_files.at("two").copy, "/copies/b");
  ASSERT_TRUE(back->account.has_value());
  EXPECT_EQ(back->account->name, "worker");
  EXPECT_EQ(back->account->user, 4000000000U);
  EXPECT_EQ(back->account->group, 7U);
  EXPECT_EQ(back->account->groups, (std::vector<std::uint32_t>{7, 8}));
  EXPECT_EQ(pack(*unpack(pack(Snapshot()))), pack(Snapshot()));
}

TEST(Snapshots, KnowWhichPluginsAreExclusiveWithoutTheirFiles) {
  Snapshot snapshot = full_snapshot();
  snapshot.plugin_files["two"].exclusive = true;
  const auto back = unpack(pack(snapshot));
  ASSERT_TRUE(back.has_value());
  EXPECT_FALSE(back->plugin_files.at("one").exclusive);
  EXPECT_TRUE(back->plugin_files.at("two").exclusive);
  EXPECT_FALSE(unpack(pack(snapshot) + "5:three").has_value());
  EXPECT_FALSE(unpack(pack(snapshot) + "3:t").has_value());

  snapshot = {};
  snapshot.path = "/etc/trivet.toml";
  snapshot.text = "[[listen]]\naddress = 'unix:/run/t.sock'\n[plugin.app]\n[[route]]\nrespond = 'app'\n";
  snapshot.plugin_files["app"] = {"/a.so", "/copies/a", true};
  const Loaded loaded = load_snapshot(*unpack(pack(snapshot)));
  ASSERT_TRUE(loaded.config.has_value()) << render_all(loaded);
  EXPECT_TRUE(has_exclusive(*loaded.config));
  EXPECT_EQ(loaded.config->server.processes, 1U) << "as the supervisor read it";
}

TEST(Snapshots, ThatAreCutOrLongerAreNone) {
  const std::string bytes = pack(full_snapshot());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(unpack(std::string_view(bytes).substr(0, size)).has_value()) << size;
  EXPECT_FALSE(unpack(bytes + "0").has_value());
  EXPECT_FALSE(unpack("99999999999999999999999999:x").has_value());
  EXPECT_FALSE(unpack("4:text").has_value());
}

TEST(Snapshots, MakeTheSameConfigurationWhateverBecameOfTheFiles) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("trivet-snapshot-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  };
  write("app.so", "not looked into");
  write("routes.toml", "[[route]]\nname = 'included'\npath = '/i/**'\nrespond = 'app'\n");
  const std::string file =
      write("trivet.toml",
            "include = ['*utes.toml']\n[server]\nprocesses = 7\nuser = 'nobody'\n"
            "[[listen]]\naddress = 'unix:/run/t.sock'\n[plugin.app]\nfile = 'app.so'\n"
            "config = { n = 3 }\n[[route]]\nname = 'own'\npath = '/**'\nrespond = 'app'\n");
  Overrides overrides;
  overrides.processes = 3;
  const Loaded loaded = load_file(file, overrides);
  ASSERT_TRUE(loaded.config.has_value()) << render_all(loaded);
  Snapshot snapshot{file, loaded.text, loaded.included, overrides, {}, loaded.config->server.account};
  ASSERT_TRUE(snapshot.account.has_value());
  snapshot.account->user = 12345;  // As if another user had the name by now.
  snapshot.plugin_files["app"] = {loaded.config->plugins.at(0).path, "/copies/app", false};
  std::filesystem::remove_all(folder);

  const Loaded again = load_snapshot(*unpack(pack(snapshot)));
  ASSERT_TRUE(again.config.has_value()) << render_all(again);
  EXPECT_EQ(again.config->server.processes, 3U);
  ASSERT_TRUE(again.config->server.account.has_value());
  EXPECT_EQ(again.config->server.account->user, 12345U);
  EXPECT_EQ(again.config->server.account->place.line, 4U);
  ASSERT_EQ(again.config->routes.size(), 2U);
  EXPECT_EQ(again.config->routes[0].name, "own");
  EXPECT_EQ(again.config->routes[1].name, "included");
  EXPECT_EQ(again.config->routes[1].place.file, loaded.config->routes[1].place.file);
  EXPECT_EQ(again.config->plugins.at(0).path, loaded.config->plugins.at(0).path);
  EXPECT_EQ(again.config->plugins.at(0).copy, "/copies/app");
  EXPECT_EQ(again.config->plugins.at(0).settings.size(), 1U);
}

}  // namespace
}  // namespace trivet::config
