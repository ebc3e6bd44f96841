#include "runtime/source/script.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace trivet::source {
namespace {

namespace fs = std::filesystem;

struct ScriptPath : ::testing::Test {
  ScriptPath() {
    std::string name = (fs::temp_directory_path() / "trivet-script-XXXXXX").string();
    top = ::mkdtemp(name.data());
    root = top / "site";
    for (const char* folder :
         {"site/sub", "site/empty", "site/dir.php", "site/upload", "site/a b", "site/.git"})
      fs::create_directories(top / folder);
    for (const char* file :
         {"site/index.php", "site/sub/index.php", "site/x.php", "site/upload/cat.jpg", "site/dir.php/in.php",
          "site/a b/c.php", "outside.php", "site/.git/x.php", "site/.hidden.php", "site/.php"})
      std::ofstream(top / file) << "x";
    fs::create_symlink(top / "outside.php", root / "leak.php");
    fs::create_symlink("x.php", root / "inside.php");
    fs::create_symlink("loop.php", root / "loop.php");
    EXPECT_EQ(::mkfifo((root / "fifo.php").c_str(), 0600), 0);
  }
  ~ScriptPath() override { fs::remove_all(top); }

  [[nodiscard]] Script find(std::string_view path, std::string_view pattern = "/**") const {
    cgi::RequestPath parsed;
    EXPECT_EQ(parsed.parse(path, cgi::RequestPath::Form::uri), "") << path;
    return ScriptFinder(root.string(), {"index.php"}, pattern).find(&parsed);
  }

  fs::path top;
  fs::path root;
};

TEST_F(ScriptPath, IsTheFirstSegmentThatEndsLikeAScriptAndIsAFile) {
  struct Case {
    std::string_view path, pattern, file, name, info;
  };
  const Case cases[] = {
      {"/x.php", "/**", "/x.php", "/x.php", ""},
      {"/x.php/", "/**", "/x.php", "/x.php", "/"},
      {"/x.php/a/b.php", "/**", "/x.php", "/x.php", "/a/b.php"},
      {"/x.php/a//b", "/**", "/x.php", "/x.php", "/a//b"},
      {"/", "/**", "/index.php", "/index.php", ""},
      {"/sub/", "/**", "/sub/index.php", "/sub/index.php", ""},
      {"/dir.php/in.php", "/**", "/dir.php/in.php", "/dir.php/in.php", ""},
      {"/a%20b/c.php", "/**", "/a b/c.php", "/a b/c.php", ""},
      {"/inside.php", "/**", "/inside.php", "/inside.php", ""},
      {"/app/x.php/i", "/app/**", "/x.php", "/app/x.php", "/i"},
      {"/app/", "/app/**", "/index.php", "/app/index.php", ""},
      {"/app/v1/sub/", "/app/*/**", "/sub/index.php", "/app/v1/sub/index.php", ""},
      {"/sub/index.php", "/sub/index.php", "/sub/index.php", "/sub/index.php", ""},
  };
  for (const Case& each : cases) {
    const Script script = find(each.path, each.pattern);
    EXPECT_EQ(script.kind, Script::Kind::found) << each.path;
    EXPECT_EQ(script.file, root.string() + std::string(each.file)) << each.path;
    EXPECT_EQ(script.name, each.name) << each.path;
    EXPECT_EQ(script.info, each.info) << each.path;
  }
}

TEST_F(ScriptPath, NothingElseIsAScript) {
  for (const std::string_view path : {"/upload/cat.jpg",
                                      "/upload/cat.jpg/x.php",
                                      "/upload/cat.jpg/index.php",
                                      "/nowhere.php",
                                      "/nowhere/x.php",
                                      "/empty/",
                                      "/leak.php",
                                      "/loop.php",
                                      "/fifo.php",
                                      "/dir.php/",
                                      "/sub%2Findex.php",
                                      "/x.php%2Fa",
                                      "//x.php",
                                      "/sub//index.php",
                                      "/.php",
                                      "/X.PHP",
                                      "/x.php.bak",
                                      "/nowhere",
                                      "/.git/x.php",
                                      "/.hidden.php"}) {
    const Script script = find(path);
    EXPECT_EQ(script.kind, Script::Kind::absent) << path << " " << script.file;
  }
}

TEST_F(ScriptPath, AFolderWithoutItsSlashIsToldApart) {
  EXPECT_EQ(find("/sub").kind, Script::Kind::folder);
  EXPECT_EQ(find("/dir.php").kind, Script::Kind::folder);
  EXPECT_EQ(find("/app", "/app/**").kind, Script::Kind::folder);
}

TEST_F(ScriptPath, APathThatIsNoneOrDoesNotFitTheRouteMeansNone) {
  EXPECT_EQ(find("/x.php", "/app/**").kind, Script::Kind::absent);
  EXPECT_EQ(ScriptFinder(root.string(), {"index.php"}, "/**").find(nullptr).kind, Script::Kind::absent);
}

TEST_F(ScriptPath, ARootThatIsNotThereIsSaid) {
  cgi::RequestPath path;
  ASSERT_EQ(path.parse("/x.php", cgi::RequestPath::Form::uri), "");
  const Script script = ScriptFinder("/nonexistent/site", {"index.php"}, "/**").find(&path);
  EXPECT_EQ(script.kind, Script::Kind::broken);
  EXPECT_EQ(script.why, "/nonexistent/site cannot be opened: No such file or directory");
}

TEST_F(ScriptPath, EndsLikeAnyOfTheIndex) {
  std::ofstream(root / "y.phtml") << "x";
  cgi::RequestPath path;
  ASSERT_EQ(path.parse("/y.phtml/z", cgi::RequestPath::Form::uri), "");
  EXPECT_EQ(ScriptFinder(root.string() + "/", {"index.php", "index.phtml"}, "/**").find(&path).file,
            root.string() + "/y.phtml");
  EXPECT_EQ(find("/y.phtml").kind, Script::Kind::absent);
}

}  // namespace
}  // namespace trivet::source
