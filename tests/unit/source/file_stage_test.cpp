#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/source/file_stage_fixture.hpp"

/// What is answered.
namespace trivet::source {
namespace {

using testing::FileStageTest;
using testing::Sink;

TEST_F(FileStageTest, SendsAFile) {
  tree_.write("a.html", "<p>hello</p>");
  get("/a.html");
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(value("Content-Length"), "12");
  EXPECT_EQ(sink_->body, "<p>hello</p>");
  EXPECT_EQ(sink_->done, 1);
  EXPECT_FALSE(stage_->busy());
}

TEST_F(FileStageTest, AsksTheDiskFirstAndThenNeverAgainForWhatIsInMemory) {
  tree_.write("a", std::string(300'000, 'x'));
  begin("/a");
  EXPECT_EQ(workers_->waiting.size(), 1U);
  EXPECT_TRUE(stage_->busy());
  run_all();
  EXPECT_EQ(sink_->body.size(), 300'000U);
  if (!FileRoot(*route_.files).look_up("a", Reach::anywhere()).local_device)
    GTEST_SKIP() << "no local file system";
  workers_->most = 0;
  get("/a");
  EXPECT_EQ(sink_->body.size(), 300'000U);
  EXPECT_EQ(sink_->done, 1);
}

TEST_F(FileStageTest, SaysTheCharsetOfTextAlone) {
  route_.files->charset = "iso-8859-1";
  tree_.write("a.css");
  tree_.write("a.png");
  get("/a.css");
  EXPECT_EQ(value("Content-Type"), "text/css; charset=iso-8859-1");
  get("/a.png");
  EXPECT_EQ(value("Content-Type"), "image/png");
}

TEST_F(FileStageTest, SaysNoCharsetWhereThereIsNone) {
  route_.files->charset = "";
  tree_.write("a.css");
  get("/a.css");
  EXPECT_EQ(value("Content-Type"), "text/css");
}

TEST_F(FileStageTest, SendsAnEmptyFile) {
  tree_.write("empty", "");
  get("/empty");
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(value("Content-Length"), "0");
  EXPECT_EQ(sink_->body, "");
  EXPECT_EQ(sink_->done, 1);
}

TEST_F(FileStageTest, SendsAnIndexFile) {
  tree_.write("a/index.html", "index");
  get("/a/");
  EXPECT_EQ(sink_->body, "index");
  EXPECT_EQ(value("Content-Type"), "text/html; charset=utf-8");
}

struct StatusCase {
  std::string_view name;
  std::string_view method;
  std::string_view uri;
  int status;
  std::string_view field = {};
  std::string_view value = {};
};

constexpr StatusCase status_cases[] = {
    {"AFolderWithoutItsSlash", "GET", "/folder?q=1", 301, "Location", "/folder/?q=1"},
    {"AFolderWithoutItsSlashForHead", "HEAD", "/folder", 301, "Location", "/folder/"},
    {"AFolderWithoutAnIndex", "GET", "/folder/", 403},
    {"Nothing", "GET", "/nothing", 404},
    {"NothingForHead", "HEAD", "/nothing", 404},
    {"AHiddenFile", "GET", "/.hidden", 404},
    {"BelowAFile", "GET", "/file/x", 404},
    {"AFileWithASlash", "GET", "/file/", 404},
    {"AnEmptySegment", "GET", "/folder//x", 404},
    {"ALinkOut", "GET", "/out", 403},
    {"AFifo", "GET", "/fifo", 404},
    {"Post", "POST", "/file", 405, "Allow", "GET, HEAD, OPTIONS"},
    {"Put", "PUT", "/nothing", 405, "Allow", "GET, HEAD, OPTIONS"},
    {"LowerCase", "get", "/file", 405, "Allow", "GET, HEAD, OPTIONS"},
    {"Options", "OPTIONS", "/file", 204, "Allow", "GET, HEAD, OPTIONS"},
    {"OptionsOfNothing", "OPTIONS", "/nothing", 204, "Allow", "GET, HEAD, OPTIONS"},
    {"Head", "HEAD", "/file", 200, "Content-Length", "7"},
};

class FileStageStatus : public FileStageTest, public ::testing::WithParamInterface<StatusCase> {};

TEST_P(FileStageStatus, IsThatOfAWebServer) {
  const StatusCase& param = GetParam();
  tree_.write("file");
  tree_.write(".hidden");
  tree_.folder("folder");
  tree_.link("out", "/etc/passwd");
  ASSERT_EQ(::mkfifo((tree_.path() + "/fifo").c_str(), 0666), 0);
  for (int twice = 0; twice < 2; ++twice) {  // From the disk, then from memory.
    params_.set("REQUEST_METHOD", param.method);
    get(std::string(param.uri));
    EXPECT_EQ(status(), param.status);
    if (!param.field.empty()) {
      EXPECT_EQ(value(param.field), param.value);
    }
    EXPECT_EQ(sink_->done, 1);
    EXPECT_TRUE(sink_->failures.empty());
    if (param.status >= 300) {
      EXPECT_EQ(sink_->body.substr(0, 4), std::to_string(param.status) + " ");
      EXPECT_EQ(value("Content-Type"), "text/plain; charset=utf-8");
      EXPECT_EQ(value("ETag"), "none");
    } else {
      EXPECT_EQ(sink_->body, "");
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Requests, FileStageStatus, ::testing::ValuesIn(status_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_F(FileStageTest, IsNotSteeredByAPathThatIsNone) {
  tree_.write("index.html", "index");
  make();
  sink_ = std::make_unique<Sink>();
  facts_.path = nullptr;
  stage_ = files_->open(*sink_, facts_);
  stage_->start();
  run_all();
  EXPECT_EQ(status(), 404);
}

TEST_F(FileStageTest, SendsAPart) {
  tree_.write("a", "0123456789");
  params_.set("HTTP_RANGE", "bytes=3-5");
  get("/a");
  EXPECT_EQ(status(), 206);
  EXPECT_EQ(value("Content-Range"), "bytes 3-5/10");
  EXPECT_EQ(value("Content-Length"), "3");
  EXPECT_EQ(sink_->body, "345");
}

TEST_F(FileStageTest, SendsSeveralParts) {
  tree_.write("a.txt", "0123456789");
  params_.set("HTTP_RANGE", "bytes=8-,0-0");
  get("/a.txt");
  EXPECT_EQ(status(), 206);
  const std::string type = value("Content-Type");
  const std::string prefix = "multipart/byteranges; boundary=";
  ASSERT_EQ(type.substr(0, prefix.size()), prefix);
  const std::string boundary = type.substr(prefix.size());
  EXPECT_EQ(sink_->body,
            "--" + boundary +
                "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
                "\r\n--" +
                boundary +
                "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-0/10\r\n\r\n0"
                "\r\n--" +
                boundary + "--\r\n");
  EXPECT_EQ(value("Content-Length"), std::to_string(sink_->body.size()));
  EXPECT_EQ(sink_->done, 1);
  get("/a.txt");
  EXPECT_NE(value("Content-Type"), type);  // Nobody knows the next boundary.
}

TEST_F(FileStageTest, RefusesARangeOutside) {
  tree_.write("a", "0123456789");
  params_.set("HTTP_RANGE", "bytes=10-");
  get("/a");
  EXPECT_EQ(status(), 416);
  EXPECT_EQ(value("Content-Range"), "bytes */10");
}

TEST_F(FileStageTest, TellsThatAFileHasNotChanged) {
  const std::string path = tree_.write("a", "0123456789");
  const timespec times[2] = {{5, 6}, {1'600'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  get("/a");
  const std::string tag = value("ETag");
  EXPECT_EQ(tag.front(), '"');
  params_.set("HTTP_IF_NONE_MATCH", tag);
  get("/a");
  EXPECT_EQ(status(), 304);
  EXPECT_EQ(value("ETag"), tag);
  EXPECT_EQ(sink_->body, "");
  EXPECT_EQ(sink_->done, 1);
  params_.set("HTTP_IF_NONE_MATCH", "");
  params_.set("HTTP_IF_MATCH", "\"x\"");
  get("/a");
  EXPECT_EQ(status(), 412);
  params_.set("HTTP_IF_MATCH", "");
  params_.set("HTTP_IF_MODIFIED_SINCE",
              value("Last-Modified") == "none" ? "Sun, 13 Sep 2020 12:26:40 GMT" : "");
  get("/a");
  EXPECT_EQ(status(), 304);
}

TEST_F(FileStageTest, TellsWhatAnOperatorWouldWantToKnow) {
  tree_.link("out", "/etc/passwd");
  get("/out");
  const std::string start = "a file is not served route=files file=" + tree_.path();
  EXPECT_TRUE(
      log_.contains("warn  " + start + "/out reason=\"a symbolic link leads out of the folder\" request=id"));
  get("/nothing");
  EXPECT_TRUE(log_.contains("debug " + start + "/nothing reason=\"No such file or directory\" request=id"));
}

TEST_F(FileStageTest, TellsNothingThatIsToBeRedacted) {
  journal_.redact = {cgi::ParamName("HTTP_COOKIE")};
  params_.set("HTTP_COOKIE", "secret-value");
  get("/secret-value");
  EXPECT_EQ(log_.count("a file is not served"), 1U);
  EXPECT_FALSE(log_.contains("secret-value"));
}

}  // namespace
}  // namespace trivet::source
