#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/log/memory_log.hpp"
#include "runtime/source/files.hpp"
#include "tests/unit/source/by_hand.hpp"
#include "tests/unit/source/tree.hpp"

namespace trivet::source {
namespace {

using testing::LoopByHand;
using testing::Tree;
using testing::WorkersByHand;

/// What comes after the source: takes as much as the test says.
class Sink final : public roles::StageSink {
 public:
  cgi::ResponseHead* head(std::size_t /*index*/) noexcept override {
    return outputs == 0 ? &response : nullptr;
  }
  void on_output(std::size_t /*index*/, base::Bytes bytes) override {
    ++outputs;
    largest = std::max(largest, bytes.size());
    body += base::as_text(bytes);
    room -= std::min(room, bytes.size());
    if (cancel_at != 0 && body.size() >= cancel_at) stage->cancel();
  }
  void on_flush(std::size_t /*index*/) override {}
  void on_done(std::size_t /*index*/) override { ++done; }
  void on_failed(std::size_t /*index*/, roles::StageFailure failure) override {
    failures.push_back(std::move(failure));
  }
  [[nodiscard]] bool has_room_after(std::size_t /*index*/) const noexcept override { return room > 0; }
  void on_progress(std::size_t /*index*/) override { ++progress; }

  cgi::ResponseHead response;
  std::string body;
  std::size_t room = SIZE_MAX;
  std::size_t largest = 0;
  std::size_t cancel_at = 0;
  int outputs = 0;
  int done = 0;
  int progress = 0;
  std::vector<roles::StageFailure> failures;
  roles::Stage* stage = nullptr;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

class FileStageTest : public ::testing::Test {
 protected:
  FileStageTest() {
    route_.name = "files";
    route_.path = "/**";
    route_.files.emplace();
    route_.files->root = tree_.path();
    auto workers = std::make_unique<WorkersByHand>();
    workers_ = workers.get();
    disk_ = std::make_unique<Disk>(std::move(workers), 2, 2);
    facts_.params = &params_;
    facts_.log = &log_;
    facts_.journal = &journal_;
    facts_.route = "files";
    facts_.request_id = "id";
    facts_.loop = &loop_;
    facts_.window = 65536;
    params_.set("REQUEST_METHOD", "GET");
  }

  void make() {
    files_ = std::make_unique<Files>(route_, *disk_, std::make_shared<MediaTypes>(MediaTypes::parse("")));
  }
  /// Starts a request; nothing of it that needs a disk has happened yet.
  void begin(const std::string& uri) {
    if (files_ == nullptr) make();
    ASSERT_EQ(path_.parse(uri, cgi::RequestPath::Form::uri), "");
    facts_.path = &path_;
    params_.set("REQUEST_URI", uri);
    sink_ = std::make_unique<Sink>();
    sink_->room = room_;
    stage_ = files_->open(*sink_, facts_);
    sink_->stage = stage_.get();
    stage_->start();
  }
  void run_all() {
    while (workers_->run_one() || loop_.turn()) {
    }
  }
  /// A whole request.
  void get(const std::string& uri) {
    begin(uri);
    run_all();
  }
  [[nodiscard]] int status() const { return sink_->response.status(); }
  [[nodiscard]] std::string value(std::string_view name) const {
    return std::string(sink_->response.find(name).value_or("none"));
  }

  Tree tree_;
  std::size_t room_ = SIZE_MAX;  ///< Of the next sink, at first.
  config::Route route_;
  LoopByHand loop_;
  log::MemoryLog log_{log::Level::debug};
  roles::Journal journal_;
  cgi::Params params_;
  cgi::RequestPath path_;
  roles::CallFacts facts_;
  WorkersByHand* workers_ = nullptr;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Files> files_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<roles::Stage> stage_;
};

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

TEST_F(FileStageTest, ReadsOnlyWhereThereIsRoom) {
  tree_.write("a", std::string(500'000, 'x'));
  room_ = 0;
  get("/a");
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(sink_->body, "");
  for (int i = 0; i < 100 && sink_->done == 0; ++i) {
    sink_->room = 1;
    stage_->resume();
    run_all();
  }
  EXPECT_EQ(sink_->body.size(), 500'000U);
  EXPECT_EQ(sink_->done, 1);
  EXPECT_LE(sink_->largest, 65536U);
}

TEST_F(FileStageTest, ReadsPiecesNoLargerThanTheWindow) {
  facts_.window = 10'000;
  tree_.write("a", std::string(100'000, 'x'));
  get("/a");
  EXPECT_EQ(sink_->body.size(), 100'000U);
  EXPECT_EQ(sink_->largest, 10'000U);
}

/// The file goes on growing: what was announced is what is sent.
TEST_F(FileStageTest, SendsAFileThatGrowsWithTheLengthItHad) {
  const std::string path = tree_.write("a", std::string(200'000, 'x'));
  room_ = 1;
  get("/a");
  ASSERT_EQ(sink_->done, 0);
  std::ofstream(path, std::ios::app) << std::string(100'000, 'y');
  sink_->room = SIZE_MAX;
  stage_->resume();
  run_all();
  EXPECT_EQ(sink_->body, std::string(200'000, 'x'));
  EXPECT_EQ(sink_->done, 1);
}

TEST_F(FileStageTest, FailsWhereTheFileBecomesShorter) {
  const std::string path = tree_.write("a", std::string(200'000, 'x'));
  room_ = 1;
  get("/a");
  ASSERT_EQ(sink_->done, 0);
  ASSERT_EQ(::truncate(path.c_str(), 100'000), 0);
  sink_->room = SIZE_MAX;
  stage_->resume();
  run_all();
  EXPECT_EQ(sink_->body.size(), 100'000U);
  EXPECT_EQ(sink_->done, 0);
  ASSERT_EQ(sink_->failures.size(), 1U);
  EXPECT_EQ(sink_->failures[0].status, 500);
  EXPECT_EQ(sink_->failures[0].text, path + " became shorter while it was sent");
}

TEST_F(FileStageTest, AnswersWith503WhenTheQueueIsFull) {
  tree_.write("a");
  make();
  std::vector<std::unique_ptr<Sink>> sinks;
  std::vector<std::unique_ptr<roles::Stage>> stages;
  ASSERT_EQ(path_.parse("/a", cgi::RequestPath::Form::uri), "");
  facts_.path = &path_;
  for (int i = 0; i < 5; ++i) {  // Two threads, and two that wait.
    sinks.push_back(std::make_unique<Sink>());
    stages.push_back(files_->open(*sinks.back(), facts_));
    stages.back()->start();
  }
  ASSERT_EQ(sinks[4]->failures.size(), 1U);
  EXPECT_EQ(sinks[4]->failures[0].status, 503);
  EXPECT_EQ(sinks[4]->failures[0].text, "disk_queue is full");
  run_all();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(sinks[static_cast<std::size_t>(i)]->done, 1);
}

TEST_F(FileStageTest, AnswersWith503WhereTheRootIsAway) {
  route_.files->root = tree_.path() + "/away";
  get("/a");
  ASSERT_EQ(sink_->failures.size(), 1U);
  EXPECT_EQ(sink_->failures[0].status, 503);
  EXPECT_EQ(sink_->failures[0].text, "cannot open " + tree_.path() + "/away/a: No such file or directory");
}

TEST_F(FileStageTest, AnswersWith503WithoutDescriptors) {
  tree_.write("a");
  make();
  const auto attempt = [&] {
    std::vector<int> held;
    rlimit limit{64, 64};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) std::_Exit(10);
    begin("/a");
    for (int each = ::dup(0); each >= 0; each = ::dup(0)) held.push_back(each);
    run_all();
    if (sink_->failures.size() != 1 || sink_->failures[0].status != 503) std::_Exit(11);
    std::_Exit(0);
  };
  EXPECT_EXIT(attempt(), ::testing::ExitedWithCode(0), "");
}

TEST_F(FileStageTest, FreesItsDescriptorWhenItIsCancelled) {
  tree_.write("a", std::string(200'000, 'x'));
  room_ = 1;
  const std::size_t before = open_descriptors();
  get("/a");
  EXPECT_EQ(open_descriptors(), before + 1);
  stage_->cancel();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(stage_->busy());
  EXPECT_EQ(sink_->done, 0);
}

TEST_F(FileStageTest, FreesItsDescriptorWhenAllWasSent) {
  tree_.write("a", std::string(200'000, 'x'));
  const std::size_t before = open_descriptors();
  get("/a");
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(FileStageTest, MayBeCancelledWhileItWaitsForAThread) {
  tree_.write("a");
  begin("/a");
  stage_->cancel();
  EXPECT_FALSE(stage_->busy());
  run_all();
  EXPECT_EQ(sink_->progress, 0);
  EXPECT_EQ(sink_->done, 0);
}

TEST_F(FileStageTest, MayBeCancelledWhileAThreadLooks) {
  tree_.write("a");
  const std::size_t before = open_descriptors();
  begin("/a");
  workers_->run_one();
  stage_->cancel();
  EXPECT_TRUE(stage_->busy());
  EXPECT_EQ(sink_->progress, 0);
  loop_.turn();
  EXPECT_FALSE(stage_->busy());
  EXPECT_EQ(sink_->progress, 1);  // So that the request can go.
  EXPECT_EQ(sink_->done, 0);
  EXPECT_EQ(sink_->outputs, 0);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(FileStageTest, MayBeCancelledByItsOwnOutput) {
  tree_.write("a", std::string(300'000, 'x'));
  const std::size_t before = open_descriptors();
  begin("/a");
  sink_->cancel_at = 100'000;
  run_all();
  EXPECT_EQ(sink_->done, 0);
  EXPECT_LT(sink_->body.size(), 200'000U);
  EXPECT_EQ(open_descriptors(), before);
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
  journal_.redact = {"HTTP_COOKIE"};
  params_.set("HTTP_COOKIE", "secret-value");
  get("/secret-value");
  EXPECT_EQ(log_.count("a file is not served"), 1U);
  EXPECT_FALSE(log_.contains("secret-value"));
}

}  // namespace
}  // namespace trivet::source
