#include "runtime/log/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace trivet::log {
namespace {

using testing::EndsWith;

class LogFile : public testing::Test {
 protected:
  LogFile() {
    std::string name = testing::TempDir() + "trivet-log-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~LogFile() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ + "/host.log"; }
  [[nodiscard]] Settings settings() const {
    Settings settings;
    settings.target = "file:" + path();
    return settings;
  }
  static std::string content_of(const std::string& file) {
    std::ostringstream all;
    all << std::ifstream(file).rdbuf();
    return all.str();
  }
  static std::vector<std::string> lines_of(const std::string& file) {
    std::vector<std::string> lines;
    std::istringstream all(content_of(file));
    for (std::string line; std::getline(all, line);) lines.push_back(line);
    return lines;
  }

 private:
  std::string folder_;
};

std::unique_ptr<Log> opened(const Settings& settings) {
  auto log = Log::open(settings);
  EXPECT_TRUE(log.ok()) << (log.ok() ? "" : log.error().message);
  return std::move(log).value();
}

TEST_F(LogFile, HoldsEachLineAsSoonAsItIsWritten) {
  const auto log = opened(settings());
  log->info("ready", {{"listen", "web"}});
  EXPECT_THAT(lines_of(path()), testing::ElementsAre(EndsWith(" info  ready listen=web")));
  log->error("failed", {{"reason", "a\nb"}});
  EXPECT_THAT(lines_of(path()), testing::ElementsAre(EndsWith("ready listen=web"),
                                                     EndsWith(R"( error failed reason="a\x0ab")")));
  EXPECT_EQ(log->lost(), 0U);
}

TEST_F(LogFile, IsAppendedToAndReadableByItsGroupOnly) {
  std::ofstream(path()) << "before\n";
  opened(settings())->info("after");
  EXPECT_THAT(lines_of(path()), testing::ElementsAre("before", EndsWith("after")));
  std::filesystem::remove(path());
  const auto log = opened(settings());
  const auto permissions = std::filesystem::status(path()).permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST_F(LogFile, LeavesOutWhatIsBelowTheLevel) {
  Settings quiet = settings();
  quiet.level = Level::warn;
  const auto log = opened(quiet);
  EXPECT_FALSE(log->enabled(Level::info));
  EXPECT_FALSE(log->enabled(Level::off));
  log->info("quiet");
  log->warn("loud");
  EXPECT_THAT(lines_of(path()), testing::ElementsAre(EndsWith("loud")));
  quiet.level = Level::off;
  EXPECT_FALSE(opened(quiet)->enabled(Level::error));
}

TEST_F(LogFile, ChangesItsLevelWhileItIsOpen) {
  const auto log = opened(settings());
  log->set_level(Level::error);
  log->warn("quiet");
  log->set_level(Level::debug);
  log->debug("loud");
  EXPECT_THAT(lines_of(path()), testing::ElementsAre(EndsWith("loud")));
}

TEST(LogLevel, IsFoundByItsName) {
  EXPECT_EQ(level_named("trace"), Level::trace);
  EXPECT_EQ(level_named("warn"), Level::warn);
  EXPECT_EQ(level_named("off"), Level::off);
  EXPECT_EQ(level_named("WARN"), std::nullopt);
  EXPECT_EQ(level_named(""), std::nullopt);
}

TEST_F(LogFile, WritesOneJsonObjectPerLine) {
  Settings json = settings();
  json.format = Settings::Format::json;
  const auto log = opened(json);
  log->info("a \"b\"", {{"key", "\n"}});
  EXPECT_THAT(lines_of(path()), testing::ElementsAre(EndsWith(R"(,"text":"a \"b\"","key":"\\x0a"})")));
}

TEST_F(LogFile, IsOpenedAnewAfterARotation) {
  const auto log = opened(settings());
  log->info("first");
  std::filesystem::rename(path(), path() + ".1");
  log->info("second");
  log->reopen();
  log->info("third");
  EXPECT_THAT(lines_of(path() + ".1"), testing::ElementsAre(EndsWith("first"), EndsWith("second")));
  EXPECT_THAT(lines_of(path()), testing::ElementsAre(EndsWith("third")));
}

TEST_F(LogFile, StaysInUseWhereItCannotBeOpenedAnewAndSaysWhy) {
  const auto log = opened(settings());
  std::filesystem::rename(path(), path() + ".1");
  std::filesystem::create_directory(path());
  log->reopen();
  log->info("still here");
  const auto lines = lines_of(path() + ".1");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0],
              testing::AllOf(testing::HasSubstr("cannot open the log"), EndsWith("Is a directory")));
  EXPECT_THAT(lines[1], EndsWith("still here"));
}

TEST_F(LogFile, LosesAndCountsLinesOnAFullDiskAndNeverTearsThoseThatFollow) {
  // A file size limit stops a write in its middle, as a full disk does.
  const auto attempt = [this] {
    ::signal(SIGXFSZ, SIG_IGN);
    const auto log = opened(settings());
    log->info("first");
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{std::filesystem::file_size(path()) + 10, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    log->info("torn");
    log->info("lost");
    if (log->lost() != 2) std::_Exit(1);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    log->info("last");
    const auto lines = lines_of(path());
    if (lines.size() != 3 || !lines[0].ends_with("first") || lines[1].size() != 10 ||
        !lines[2].ends_with("last")) {
      std::_Exit(2);
    }
    std::_Exit(log->lost() == 2 ? 0 : 3);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

TEST_F(LogFile, TakesLinesFromManyThreadsWhole) {
  const auto log = opened(settings());
  const std::string value(300, 'v');
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) log->info("line", {{"value", value}});
    });
  }
  for (auto& thread : threads) thread.join();
  const auto lines = lines_of(path());
  EXPECT_EQ(lines.size(), 800U);
  EXPECT_THAT(lines, testing::Each(EndsWith(" info  line value=" + value)));
}

TEST(LogTarget, ThatTakesNothingLosesLinesOnly) {
  Settings full;
  full.target = "file:/dev/full";
  const auto log = opened(full);
  log->info("one");
  log->info("two");
  EXPECT_EQ(log->lost(), 2U);
}

TEST(LogTarget, ThatIsUnknownOrCannotBeOpenedIsAnError) {
  for (const char* target : {"stdout", "file:", "", "file:/nonexistent/folder/log"}) {
    Settings settings;
    settings.target = target;
    EXPECT_FALSE(Log::open(settings).ok()) << target;
  }
}

TEST(LogTarget, MayBeSyslog) {
  Settings settings;
  settings.target = "syslog";
  const auto log = opened(settings);
  log->info("unit test of the log");
  log->flush();
  log->reopen();
  EXPECT_EQ(log->lost(), 0U);
}

/// Puts something else behind stderr.
class StandardError : public testing::Test {
 protected:
  StandardError() : saved_(::dup(STDERR_FILENO)) {}
  ~StandardError() override {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    for (const int fd : ends_) {
      if (fd >= 0) ::close(fd);
    }
  }
  void use_pipe() {
    ASSERT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  void use_socket() {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  void close_reader() { ::close(std::exchange(ends_[0], -1)); }
  std::string read_some() {
    std::string bytes(1 << 20, '\0');
    const ssize_t n = ::read(ends_[0], bytes.data(), bytes.size());
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  void fill(Log& log) {
    // Enough for any pipe or socket buffer; the test would hang here if writing ever waited.
    for (int i = 0; i < 2000; ++i) log.info("filling", {{"value", std::string(4000, 'x')}});
  }

  std::array<int, 2> ends_{-1, -1};

 private:
  int saved_;
};

TEST_F(StandardError, TakesLines) {
  use_pipe();
  opened({})->info("through a pipe");
  EXPECT_THAT(read_some(), EndsWith(" info  through a pipe\n"));
}

TEST_F(StandardError, KeepsItsOwnFlags) {
  use_pipe();
  opened({})->info("x");
  EXPECT_EQ(::fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(StandardError, OnAStalledPipeNeverWaitsAndGoesOnOnceItIsRead) {
  use_pipe();
  const auto log = opened({});
  fill(*log);
  const std::uint64_t lost = log->lost();
  EXPECT_GT(lost, 0U);
  while (read_some().size() == 1U << 20U) {
  }
  log->info("again");
  EXPECT_EQ(log->lost(), lost);
  EXPECT_THAT(read_some(), EndsWith("Z info  again\n"));
}

TEST_F(StandardError, OnAStalledSocketNeverWaits) {
  use_socket();
  const auto log = opened({});
  fill(*log);
  EXPECT_GT(log->lost(), 0U);
}

TEST_F(StandardError, WithoutAReaderLosesLinesAndRaisesNoSignal) {
  use_pipe();
  const auto on_pipe = opened({});
  close_reader();
  on_pipe->info("nobody reads");  // SIGPIPE has its default action here
  EXPECT_EQ(on_pipe->lost(), 1U);
  use_socket();
  const auto on_socket = opened({});
  close_reader();
  on_socket->info("nobody reads");
  EXPECT_EQ(on_socket->lost(), 1U);
}

TEST_F(StandardError, MayBeAPipeWithoutAReaderFromTheStart) {
  use_pipe();
  close_reader();
  const auto log = opened({});
  log->info("nobody reads");
  EXPECT_EQ(log->lost(), 1U);
}

}  // namespace
}  // namespace trivet::log
