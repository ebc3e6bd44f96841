#include "tests/unit/config/broken_files.hpp"
#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile respond_files[] = {
    {"RespondWithTwoSources", section,
     R"([[route]]
respond = { files = "/", fastcgi = "unix:/run/x.sock" }
)",
     R"({}/t.toml:4:26: error: `respond` has both `files` and `fastcgi`
    4 | respond = { files = "/", fastcgi = "unix:/run/x.sock" }
      |                          ^^^^^^^ one source answers: give the other a route of its own
)"},
    {"RespondWithAnEmptyTable", section,
     R"([[route]]
respond = {}
)",
     R"({}/t.toml:4:11: error: `respond` has neither `files` nor `fastcgi`
    4 | respond = {}
      |           ^^ the name of a responder plugin, or { files = "/srv/www" }, say
)"},
    {"RespondWithAnIndexAlone", section,
     R"([[route]]
respond = { index = ["a"] }
)",
     R"({}/t.toml:4:11: error: `respond` has neither `files` nor `fastcgi`
    4 | respond = { index = ["a"] }
      |           ^^^^^^^^^^^^^^^^^ the name of a responder plugin, or { files = "/srv/www" }, say
)"},
    {"RespondWithAKeyMistyped", section,
     R"([[route]]
respond = { file = "/srv" }
)",
     R"({}/t.toml:4:11: error: `respond` has neither `files` nor `fastcgi`
    4 | respond = { file = "/srv" }
      |           ^^^^^^^^^^^^^^^^^ did you mean `files`?
)"},
    {"FilesWithAnUnknownKey", section,
     R"([[route]]
respond = { files = "/", indexes = ["a"] }
)",
     R"({}/t.toml:4:26: error: unknown key `indexes` in `respond`
    4 | respond = { files = "/", indexes = ["a"] }
      |                          ^^^^^^^ did you mean `index`?
)"},
    {"FilesThatAreNoText", section,
     R"([[route]]
respond = { files = ["/"] }
)",
     R"({}/t.toml:4:21: error: `files` expects a text in quotes, found a list
    4 | respond = { files = ["/"] }
      |                     ^^^^^
)"},
    {"FilesBelowARelativeFolder", section,
     R"([[route]]
respond = { files = "www" }
)",
     R"({}/t.toml:4:21: error: `files` has to be an absolute path, found "www"
    4 | respond = { files = "www" }
      |                     ^^^^^ start it with /
)"},
    {"FilesBelowNoFolder", section,
     R"([[route]]
respond = { files = "/nonexistent/www" }
)",
     R"({}/t.toml:4:21: error: cannot serve "/nonexistent/www": No such file or directory
    4 | respond = { files = "/nonexistent/www" }
      |                     ^^^^^^^^^^^^^^^^^^
)"},
    {"FilesBelowAFile", section,
     R"([[route]]
respond = { files = "/etc/passwd" }
)",
     R"({}/t.toml:4:21: error: "/etc/passwd" is not a folder
    4 | respond = { files = "/etc/passwd" }
      |                     ^^^^^^^^^^^^^ for one file write a `path` without `*`
)"},
    {"FilesBelowADevice", section,
     R"([[route]]
respond = { files = "/dev/null" }
)",
     R"({}/t.toml:4:21: error: "/dev/null" is not a folder
    4 | respond = { files = "/dev/null" }
      |                     ^^^^^^^^^^^
)"},
    {"AFolderForOneFile", section,
     R"([[route]]
path = "/robots.txt"
respond = { files = "/" }
)",
     R"({}/t.toml:5:21: error: "/" is not a file, and the route's `path` names one
    5 | respond = { files = "/" }
      |                     ^^^ end the path in `/**` for a folder
)"},
    {"ADeviceForOneFile", section,
     R"([[route]]
path = "/robots.txt"
respond = { files = "/dev/null" }
)",
     R"({}/t.toml:5:21: error: "/dev/null" is not a file, and the route's `path` names one
    5 | respond = { files = "/dev/null" }
      |                     ^^^^^^^^^^^
)"},
    {"FilesForAPathThatNamesAFolder", section,
     R"([[route]]
path = "/docs/"
respond = { files = "/etc/passwd" }
)",
     R"({}/t.toml:4:8: error: `files` cannot answer for "/docs/", which names no file
    4 | path = "/docs/"
      |        ^^^^^^^^ end it in `/**` for a folder, or in a name
)"},
    {"FilesWithoutTwoStarsAtTheEnd", section,
     R"([[route]]
path = "/img/*.png"
respond = { files = "/" }
)",
     R"({}/t.toml:4:8: error: `files` needs a `path` in which the last segment and no other is `**`
    4 | path = "/img/*.png"
      |        ^^^^^^^^^^^^ what `**` stands for is the file's place below the folder; or a path without `*`, for one file
)"},
    {"FilesWithTwoStarsTwice", section,
     R"([[route]]
path = "/**/img/**"
respond = { files = "/" }
)",
     R"({}/t.toml:4:8: error: `files` needs a `path` in which the last segment and no other is `**`
    4 | path = "/**/img/**"
      |        ^^^^^^^^^^^^ what `**` stands for is the file's place below the folder; or a path without `*`, for one file
)"},
    {"IndexThatIsAPath", section,
     R"([[route]]
respond = { files = "/", index = ["index.html", "/x", "..", "a/b"] }
)",
     R"({}/t.toml:4:49: error: "/x" is not the name of a file in a folder
    4 | respond = { files = "/", index = ["index.html", "/x", "..", "a/b"] }
      |                                                 ^^^^ such as "index.html"
{}/t.toml:4:55: error: ".." is not the name of a file in a folder
    4 | respond = { files = "/", index = ["index.html", "/x", "..", "a/b"] }
      |                                                       ^^^^ such as "index.html"
{}/t.toml:4:61: error: "a/b" is not the name of a file in a folder
    4 | respond = { files = "/", index = ["index.html", "/x", "..", "a/b"] }
      |                                                             ^^^^^ such as "index.html"
)"},
    {"IndexForOneFile", section,
     R"([[route]]
path = "/passwd"
respond = { files = "/etc/passwd", index = ["a"] }
)",
     R"({}/t.toml:5:36: error: `index` on a route whose `path` names one file
    5 | respond = { files = "/etc/passwd", index = ["a"] }
      |                                    ^^^^^ it is for folders: end the path in `/**`
)"},
    {"HiddenThatIsNoWord", section,
     R"([[route]]
respond = { files = "/", hidden = "serv" }
)",
     R"({}/t.toml:4:35: error: `hidden` cannot be "serv"
    4 | respond = { files = "/", hidden = "serv" }
      |                                   ^^^^^^ did you mean "serve"?
)"},
    {"ACharsetThatIsNone", section,
     R"([[route]]
respond = { files = "/", charset = "utf 8" }
)",
     R"({}/t.toml:4:36: error: "utf 8" is not a charset
    4 | respond = { files = "/", charset = "utf 8" }
      |                                    ^^^^^^^ such as "utf-8", or "off"
)"},
};
INSTANTIATE_TEST_SUITE_P(Respond, BrokenFiles, testing::ValuesIn(respond_files), broken_file_name);

class FilesSection : public testing::Test {
 protected:
  [[nodiscard]] Loaded load(const std::string& route) const {
    return loader_.load(whole("[[route]]\npath = \"/x/**\"\n" + route + "\n"));
  }

  Loader loader_;
};

TEST_F(FilesSection, HasDefaults) {
  const Loaded loaded = load("respond = { files = \"/\" }");
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  const Route& route = loaded.config->routes.at(0);
  ASSERT_TRUE(route.files);
  EXPECT_TRUE(route.has_source());
  EXPECT_FALSE(route.respond);
  EXPECT_EQ(route.files->root, "/");
  EXPECT_FALSE(route.files->one_file);
  EXPECT_EQ(route.files->index, std::vector<std::string>{"index.html"});
  EXPECT_FALSE(route.files->serve_hidden);
  EXPECT_EQ(route.files->charset, "utf-8");
  EXPECT_EQ(route.files->place.line, 5U);
}

TEST_F(FilesSection, IsReadWhole) {
  const Loaded loaded = load(
      "respond = { files = \"/etc\", index = [\"a.html\", \"b.md\"], hidden = \"serve\", charset = "
      "\"ISO-8859-1\" }");
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  const Files& files = *loaded.config->routes.at(0).files;
  EXPECT_EQ(files.root, "/etc");
  EXPECT_EQ(files.index, (std::vector<std::string>{"a.html", "b.md"}));
  EXPECT_TRUE(files.serve_hidden);
  EXPECT_EQ(files.charset, "ISO-8859-1");
}

TEST_F(FilesSection, MayTurnIndexAndCharsetOff) {
  const Loaded loaded = load("respond = { files = \"/\", index = [], charset = \"off\" }");
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_TRUE(loaded.config->routes.at(0).files->index.empty());
  EXPECT_TRUE(loaded.config->routes.at(0).files->charset.empty());
}

TEST_F(FilesSection, IsOneFileWhereThePathIsASingleOne) {
  const Loaded loaded = loader_.load(whole("[[route]]\npath = \"/robots.txt\"\nrespond = { files = \"" +
                                           loader_.folder().write("r.txt") + "\" }\n"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_TRUE(loaded.config->routes.at(0).files->one_file);
}

/// A folder that is away for a moment must not keep a worker that is started again from serving the rest.
TEST_F(FilesSection, IsNotLookedForAgainInASnapshot) {
  const Snapshot snapshot{
      "t.toml",
      "[[listen]]\naddress = \"fd:3\"\n[[route]]\nrespond = { files = \"/nonexistent\" }\n",
      {},
      {},
      {}};
  const Loaded loaded = load_snapshot(snapshot);
  EXPECT_TRUE(loaded.config) << render_all(loaded);
}

}  // namespace
}  // namespace trivet::config
