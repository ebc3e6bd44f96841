#include "tests/unit/config/broken_files.hpp"
#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile application_files[] = {
    {"ApplicationThatIsNoText", section,
     R"([[route]]
respond = { fastcgi = 9000 }
)",
     R"({}/t.toml:4:23: error: `fastcgi` expects a text in quotes, found the integer 9000
    4 | respond = { fastcgi = 9000 }
      |                       ^^^^
)"},
    {"ApplicationThatIsNoAddress", section,
     R"([[route]]
respond = { fastcgi = "/run/php.sock" }
)",
     R"({}/t.toml:4:23: error: "/run/php.sock" is not an address
    4 | respond = { fastcgi = "/run/php.sock" }
      |                       ^^^^^^^^^^^^^^^ did you mean "unix:/run/php.sock"?
)"},
    {"ApplicationWithANameToLookUp", section,
     R"([[route]]
respond = { fastcgi = "tcp:localhost:9000" }
)",
     R"({}/t.toml:4:23: error: "tcp:localhost:9000": "localhost" is not a numeric address
    4 | respond = { fastcgi = "tcp:localhost:9000" }
      |                       ^^^^^^^^^^^^^^^^^^^^ did you mean "tcp:127.0.0.1:9000"?
)"},
    {"ApplicationWhereAHostListens", section,
     R"([[route]]
respond = { fastcgi = "systemd:php" }
)",
     R"({}/t.toml:4:23: error: "systemd:php" is where a host listens, not where an application does
    4 | respond = { fastcgi = "systemd:php" }
      |                       ^^^^^^^^^^^^^ unix:/run/php/php-fpm.sock or tcp:127.0.0.1:9000, say
)"},
    {"ApplicationWithARelativeRoot", section,
     R"([[route]]
respond = { fastcgi = "unix:/run/a.sock", root = "www" }
)",
     R"({}/t.toml:4:50: error: `root` has to be an absolute path, found "www"
    4 | respond = { fastcgi = "unix:/run/a.sock", root = "www" }
      |                                                  ^^^^^ start it with /
)"},
    {"ApplicationWithAnIndexAlone", section,
     R"([[route]]
respond = { fastcgi = "unix:/run/a.sock", index = ["x.php"] }
)",
     R"({}/t.toml:4:43: error: `index` without `root`: the web server says which script runs
    4 | respond = { fastcgi = "unix:/run/a.sock", index = ["x.php"] }
      |                                           ^^^^^
)"},
    {"ApplicationWithAnIndexWithoutEnding", section,
     R"([[route]]
respond = { fastcgi = "unix:/run/a.sock", root = "/", index = ["index", "a/b.php", ".php"] }
)",
     R"({}/t.toml:4:64: error: "index" is not the name of a script with an ending
    4 | respond = { fastcgi = "unix:/run/a.sock", root = "/", index = ["index", "a/b.php", ".php"] }
      |                                                                ^^^^^^^ such as "index.php": only what ends like it is a script
{}/t.toml:4:73: error: "a/b.php" is not the name of a script with an ending
    4 | respond = { fastcgi = "unix:/run/a.sock", root = "/", index = ["index", "a/b.php", ".php"] }
      |                                                                         ^^^^^^^^^ such as "index.php": only what ends like it is a script
{}/t.toml:4:84: error: ".php" is not the name of a script with an ending
    4 | respond = { fastcgi = "unix:/run/a.sock", root = "/", index = ["index", "a/b.php", ".php"] }
      |                                                                                    ^^^^^^ such as "index.php": only what ends like it is a script
)"},
    {"ApplicationWithNoIndex", section,
     R"([[route]]
respond = { fastcgi = "unix:/run/a.sock", root = "/", index = [] }
)",
     R"({}/t.toml:4:63: error: `index` is an empty list
    4 | respond = { fastcgi = "unix:/run/a.sock", root = "/", index = [] }
      |                                                               ^^ leave it out for the default
)"},
    {"ApplicationWithWrongKinds", section,
     R"([[route]]
respond = { fastcgi = "unix:/run/a.sock", connections = "64", stream = 1 }
)",
     R"({}/t.toml:4:57: error: `connections` expects a whole number, found the text "64"
    4 | respond = { fastcgi = "unix:/run/a.sock", connections = "64", stream = 1 }
      |                                                         ^^^^ write 64 without quotes
{}/t.toml:4:72: error: `stream` expects true or false, found the integer 1
    4 | respond = { fastcgi = "unix:/run/a.sock", connections = "64", stream = 1 }
      |                                                                        ^
)"},
    {"ApplicationWithAnUnknownKey", section,
     R"([[route]]
respond = { fastcgi = "unix:/run/a.sock", time_out = "5s" }
)",
     R"({}/t.toml:4:43: error: unknown key `time_out` in `respond`
    4 | respond = { fastcgi = "unix:/run/a.sock", time_out = "5s" }
      |                                           ^^^^^^^^ did you mean `timeout`?
)"},
};

INSTANTIATE_TEST_SUITE_P(Application, BrokenFiles, testing::ValuesIn(application_files), broken_file_name);

TEST(Application, IsReadWithItsDefaults) {
  const Loader loader;
  const Loaded loaded = loader.load(whole(R"([[route]]
name = "php"
respond = { fastcgi = "tcp:[::1]:9000" }
)"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  const Route* php = nullptr;
  for (const Route& each : loaded.config->routes) {
    if (each.name == "php") php = &each;
  }
  ASSERT_NE(php, nullptr);
  ASSERT_TRUE(php->fastcgi);
  EXPECT_TRUE(php->has_source());
  EXPECT_EQ(php->fastcgi->text, "tcp:[::1]:9000");
  EXPECT_EQ(std::get<TcpAddress>(php->fastcgi->address).port, 9000);
  EXPECT_EQ(php->fastcgi->root, "");
  EXPECT_EQ(php->fastcgi->connections, 64U);
  EXPECT_EQ(php->fastcgi->connect_timeout, std::chrono::seconds(5));
  EXPECT_EQ(php->fastcgi->timeout, std::chrono::seconds(60));
  EXPECT_EQ(php->fastcgi->idle_time, std::chrono::seconds(1));
  EXPECT_FALSE(php->fastcgi->stream);
}

TEST(Application, IsReadWithEverything) {
  const Loader loader;
  const Loaded loaded = loader.load(whole(R"([[route]]
name = "php"
[route.respond]
fastcgi = "unix:/run/php.sock"
root = "/srv/www"
index = ["index.php", "index.phtml"]
connections = 5
connect_timeout = "1s"
timeout = "off"
idle_time = "10s"
stream = true
)"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  for (const Route& each : loaded.config->routes) {
    if (each.name != "php") continue;
    ASSERT_TRUE(each.fastcgi);
    EXPECT_EQ(std::get<UnixAddress>(each.fastcgi->address).path, "/run/php.sock");
    EXPECT_EQ(each.fastcgi->root, "/srv/www");
    EXPECT_EQ(each.fastcgi->index, (std::vector<std::string>{"index.php", "index.phtml"}));
    EXPECT_EQ(each.fastcgi->connections, 5U);
    EXPECT_EQ(each.fastcgi->connect_timeout, std::chrono::seconds(1));
    EXPECT_FALSE(each.fastcgi->timeout);
    EXPECT_EQ(each.fastcgi->idle_time, std::chrono::seconds(10));
    EXPECT_TRUE(each.fastcgi->stream);
  }
}

}  // namespace
}  // namespace trivet::config
