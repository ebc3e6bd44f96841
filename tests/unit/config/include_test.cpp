#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

using ::testing::ElementsAre;

using Files = std::map<std::string, std::string>;

/// Loads main.toml: `include` and what every file needs, with these files beside it.
class Including : public testing::Test {
 protected:
  Loaded load(const std::string& patterns, const Files& files, const std::string& more = {}) {
    for (const auto& [name, text] : files) (void)loader_.folder().write(name, text);
    const std::string main =
        loader_.folder().write("main.toml", "include = [" + patterns + "]\n" + std::string(a_listener) +
                                                more + std::string(a_route));
    return load_file(main);
  }
  std::string told(const std::string& patterns, const Files& files, const std::string& more = {}) {
    return loader_.without_folder(render_all(load(patterns, files, more)));
  }

  Loader loader_;
};

std::vector<std::string> names(const Config& config) {
  std::vector<std::string> all;
  for (const Route& each : config.routes) all.push_back(each.name);
  return all;
}

std::string route(const std::string& name) {
  return "[[route]]\nname = \"" + name + "\"\npath = \"/" + name + "\"\nrespond = \"app\"\n";
}

TEST_F(Including, RoutesFollowTheIncludingFilesInTheOrderOfPatternsAndNames) {
  const Loaded loaded = load(R"("z/*.toml", "a.toml")", {{"a.toml", route("a")},
                                                         {"z/b.toml", route("b1") + route("b2")},
                                                         {"z/B.toml", route("B")},
                                                         {"z/10.toml", route("ten")},
                                                         {"z/9.toml", route("nine")},
                                                         {"z/.hidden.toml", route("hidden")},
                                                         {"z/c.toml~", "not TOML"}});
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_THAT(names(*loaded.config), ElementsAre("route-1", "ten", "nine", "B", "b1", "b2", "a"));
}

TEST_F(Including, ListenersAndPluginsOfAllFilesAreThere) {
  const Loaded loaded = load(R"("more.toml")",
                             {{"more.toml",
                               "[[listen]]\naddress = \"unix:/run/y.sock\"\n[plugin.guard]\n"
                               "[[route]]\nname = \"g\"\nauthorize = \"guard\"\n"}},
                             "[plugin.other]\n");
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_EQ(loaded.config->listen.size(), 2U);
  EXPECT_EQ(loaded.config->plugins.size(), 3U);
  EXPECT_EQ(loaded.config->routes[1].place.file, loader_.folder().path() + "/more.toml");
}

TEST_F(Including, ThePluginsFilesAreLookedForBesideTheIncludingFile) {
  const Loaded loaded =
      load(R"("deep/er.toml")", {{"deep/er.toml", "[plugin.guard]\nfile = \"./guard.so\"\n"}});
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_EQ(loaded.config->plugins.back().path, loader_.folder().path() + "/guard.so");
}

TEST_F(Including, AWildcardMayFindNothing) {
  const Loaded loaded = load(R"("conf.d/*.toml")", {});
  EXPECT_TRUE(loaded.config) << render_all(loaded);
}

struct WrongInclude {
  const char* what;
  const char* patterns;
  Files files;
  const char* told;
};

TEST_F(Including, MistakesAreToldInTheFileTheyAreIn) {
  const WrongInclude cases[] = {
      {"a mistake in an included file",
       R"("a.toml")",
       {{"a.toml", "\n[[route]]\nrespond = \"ap\"\n"}},
       "{}/a.toml:3:11: error: no plugin \"ap\"\n"
       "    3 | respond = \"ap\"\n"
       "      |           ^^^^ did you mean \"app\"?\n"},
      {"no TOML",
       R"("a.toml")",
       {{"a.toml", "[[route]\n"}},
       "{}/a.toml:1:9: error: not valid TOML: table header: expected ']', saw '\\n'\n"
       "    1 | [[route]\n"
       "      |         ^\n"},
      {"a section of the main file",
       R"("a.toml")",
       {{"a.toml", "[server]\nprocesses = 0\n"}},
       "{}/a.toml:1:2: error: an included file holds [[listen]], [plugin.NAME] and [[route]], not `server`\n"
       "    1 | [server]\n"
       "      |  ^^^^^^ write it in {}/main.toml\n"},
      {"a zone",
       R"("a.toml")",
       {{"a.toml", "[zone.z]\n"}},
       "{}/a.toml:1:2: error: an included file holds [[listen]], [plugin.NAME] and [[route]], not `zone`\n"
       "    1 | [zone.z]\n"
       "      |  ^^^^ write it in {}/main.toml\n"},
      {"includes of its own",
       R"("a.toml")",
       {{"a.toml", "include = [\"a.toml\"]\n"}},
       "{}/a.toml:1:1: error: an included file holds [[listen]], [plugin.NAME] and [[route]], not `include`\n"
       "    1 | include = [\"a.toml\"]\n"
       "      | ^^^^^^^ write it in {}/main.toml\n"},
      {"a plugin twice",
       R"("a.toml")",
       {{"a.toml", "\n[plugin.app]\n"}},
       "{}/a.toml:2:9: error: two plugins are named \"app\", the other at {}/main.toml:4\n"
       "    2 | [plugin.app]\n"
       "      |         ^^^\n"},
      {"a route twice",
       R"("a.toml")",
       {{"a.toml", "[[route]]\nname = \"route-1\"\nrespond = \"app\"\n"}},
       "{}/a.toml:2:8: error: two routes are named \"route-1\", the other at {}/main.toml:5\n"
       "    2 | name = \"route-1\"\n"
       "      |        ^^^^^^^^^\n"},
      {"a file twice",
       R"("a.toml", "a.*")",
       {{"a.toml", ""}},
       "{}/main.toml:1:22: error: \"{}/a.toml\" would be read a second time\n"
       "    1 | include = [\"a.toml\", \"a.*\"]\n"
       "      |                      ^^^^^ include it once\n"},
      {"itself",
       R"("main.*")",
       {},
       "{}/main.toml:1:12: error: \"{}/main.toml\" would be read a second time\n"
       "    1 | include = [\"main.*\"]\n"
       "      |            ^^^^^^^^ include it once\n"},
      {"a device",
       R"("/dev/null")",
       {},
       "{}/main.toml:1:12: error: \"/dev/null\" is not a file\n"
       "    1 | include = [\"/dev/null\"]\n"
       "      |            ^^^^^^^^^^^ a pipe or device cannot be included\n"},
      {"a folder",
       R"("d")",
       {{"d/a.toml", ""}},
       "{}/main.toml:1:12: error: cannot read the file \"{}/d\": Is a directory\n"
       "    1 | include = [\"d\"]\n"
       "      |            ^^^ name the file in it\n"},
  };
  for (const WrongInclude& each : cases) {
    const std::string all = told(each.patterns, each.files);
    EXPECT_EQ(all, std::string(each.told) + "1 error, 0 warnings\n") << each.what;
  }
}

TEST_F(Including, MistakesComeInTheOrderOfTheFiles) {
  const std::string all = told(R"("b.toml", "a.toml")", {{"a.toml", "x = 1\n"}, {"b.toml", "\n\ny = 1\n"}},
                               "[plugin.app.oops]\n");
  const std::size_t main = all.find("{}/main.toml:");
  const std::size_t first = all.find("{}/b.toml:3");
  const std::size_t second = all.find("{}/a.toml:1");
  EXPECT_TRUE(main < first && first < second && second != std::string::npos) << all;
}

}  // namespace
}  // namespace trivet::config
