#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/source/file_stage_fixture.hpp"

/// How it is read, and what ends it early.
namespace trivet::source {
namespace {

using testing::FileStageTest;
using testing::Sink;

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
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

}  // namespace
}  // namespace trivet::source
