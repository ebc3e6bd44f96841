#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

/// A file with one plugin `app`, `keys` its keys, looked for in FOLDER/one, then FOLDER/two.
class PluginFiles : public testing::Test {
 protected:
  [[nodiscard]] std::string text(const std::string& keys) const {
    return "[server]\nplugin_path = [\"" + folder_.path() + "/one\", \"" + folder_.path() + "/two\"]\n" +
           std::string(a_listener) + "[plugin.app]\n" + keys + "[[route]]\nrespond = \"app\"\n";
  }
  [[nodiscard]] Loaded load(const std::string& keys, const std::string& path) const {
    return load_text(text(keys), path);
  }
  [[nodiscard]] Loaded load(const std::string& keys) const {
    return load(keys, folder_.path() + "/conf/t.toml");
  }
  [[nodiscard]] std::string found(const std::string& keys) const {
    const Loaded loaded = load(keys);
    return loaded.config ? loaded.config->plugins.at(0).path : render_all(loaded);
  }
  [[nodiscard]] std::string hint(const std::string& keys) const {
    const Loaded loaded = load(keys);
    return loaded.diagnostics.size() == 1 ? loaded.diagnostics[0].hint : render_all(loaded);
  }

  Folder folder_;
};

TEST_F(PluginFiles, AreLookedForInThePluginPathInOrder) {
  const std::string last = folder_.write("conf/app.so");
  EXPECT_EQ(found(""), last);
  const std::string second = folder_.write("two/app.so");
  EXPECT_EQ(found(""), second);
  const std::string first = folder_.write("one/app.so");
  EXPECT_EQ(found(""), first);
  EXPECT_EQ(found("file = \"app.so\"\n"), first);
}

TEST_F(PluginFiles, WithASlashAreLookedForBesideTheConfigurationOnly) {
  folder_.write("one/x/app.so");
  const std::string file = folder_.write("conf/x/app.so");
  EXPECT_EQ(found("file = \"x/app.so\"\n"), file);
  EXPECT_EQ(found("file = \"../conf/./x/app.so\"\n"), file);
  EXPECT_EQ(found("file = \"" + file + "\"\n"), file);
}

TEST_F(PluginFiles, HaveAnAbsolutePathWhereTheConfigurationIsNamedByARelativeOne) {
  const std::filesystem::path before = std::filesystem::current_path();
  const std::string file = folder_.write("conf/app.so");
  std::filesystem::current_path(folder_.path());
  const Loaded loaded = load("", "conf/t.toml");
  std::filesystem::current_path(folder_.path() + "/conf");
  const Loaded beside = load("", "t.toml");
  std::filesystem::current_path(before);
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_EQ(std::filesystem::canonical(loaded.config->plugins[0].path), std::filesystem::canonical(file));
  ASSERT_TRUE(beside.config) << render_all(beside);
  EXPECT_EQ(beside.config->plugins[0].path.front(), '/');
}

TEST_F(PluginFiles, ThatAreMissingAreToldWithEveryPlace) {
  const std::string at = folder_.path();
  EXPECT_EQ(hint(""), "looked at " + at + "/one/app.so, " + at + "/two/app.so, " + at + "/conf/app.so");
  EXPECT_EQ(hint("file = \"./app.so\"\n"), "looked at " + at + "/conf/app.so");
  EXPECT_EQ(hint("file = \"/none/app.so\"\n"), "looked at /none/app.so");
}

TEST_F(PluginFiles, ThatAreNoFilesAreToldWithTheReason) {
  std::filesystem::create_directories(folder_.path() + "/one/app.so");
  EXPECT_EQ(hint("file = \"" + folder_.path() + "/one/app.so\"\n"),
            "looked at " + folder_.path() + "/one/app.so (Is a directory)");
  EXPECT_EQ(hint("file = \"/dev/null\"\n"), "looked at /dev/null (not a file)");
  const std::string plain = folder_.write("plain");
  EXPECT_EQ(hint("file = \"" + plain + "/app.so\"\n"), "looked at " + plain + "/app.so (Not a directory)");
}

TEST_F(PluginFiles, MayBeReachedThroughALink) {
  folder_.write("two/app-1.2.so");
  std::filesystem::create_symlink("app-1.2.so", folder_.path() + "/two/app.so");
  EXPECT_EQ(found(""), folder_.path() + "/two/app.so");
}

}  // namespace
}  // namespace trivet::config
