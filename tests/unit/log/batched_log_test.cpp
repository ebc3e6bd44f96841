#include "runtime/log/batched_log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace trivet::log {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;

class FakeLoop final : public base::Loop {
 public:
  [[nodiscard]] base::TimePoint now() const noexcept override { return now_; }
  base::TimerQueue& timers() noexcept override { return timers_; }
  void post(base::Task& /*task*/) noexcept override {}
  void advance(base::Duration time) {
    now_ += time;
    timers_.run(now_);
  }

 private:
  base::TimePoint now_ = base::Clock::now();
  base::TimerQueue timers_;
};

std::vector<std::string> cut_at_ends(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) lines.push_back(line);
  return lines;
}

class Batches : public testing::Test {
 protected:
  Batches() {
    std::string name = testing::TempDir() + "trivet-batches-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~Batches() override {
    log.reset();
    if (reader >= 0) ::close(reader);
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string path(const std::string& name = "access") const { return folder_ + "/" + name; }
  void open(const std::string& target, milliseconds wait = milliseconds(1000),
            Settings::Format format = Settings::Format::text) {
    Settings settings;
    settings.target = target;
    settings.format = format;
    auto opened = BatchedLog::open(settings, "access", wait);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    log = std::move(opened).value();
    log->start(loop);
  }
  void open_file() { open("file:" + path()); }
  void open_pipe() {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
    open_file();
  }
  void write(std::string_view uri) {
    LineBuilder line = log->begin(loop.now());
    line.fields(Text<"uri">{uri});
    log->end(line);
  }
  /// Numbered, so that none is like another.
  void write_many(std::size_t count, std::size_t length) {
    for (std::size_t i = 0; i < count; ++i) write(std::to_string(written++) + std::string(length, 'x'));
  }
  [[nodiscard]] std::vector<std::string> lines(const std::string& name = "access") const {
    std::ostringstream all;
    all << std::ifstream(path(name)).rdbuf();
    return cut_at_ends(all.str());
  }
  std::string read_all() const {
    std::string all;
    std::string some(1 << 20, '\0');
    for (ssize_t n = 0; (n = ::read(reader, some.data(), some.size())) > 0;)
      all.append(some, 0, static_cast<std::size_t>(n));
    return all;
  }

  FakeLoop loop;
  std::unique_ptr<BatchedLog> log;
  std::size_t written = 0;
  int reader = -1;

 private:
  std::string folder_;
};

TEST_F(Batches, AreWrittenWhenTheOldestLineHasWaitedLongEnough) {
  open_file();
  write("/first");
  loop.advance(milliseconds(999));
  write("/second");
  EXPECT_THAT(lines(), IsEmpty());
  loop.advance(milliseconds(1));
  EXPECT_THAT(lines(), ElementsAre(EndsWith("Z info  access uri=/first"), EndsWith(" access uri=/second")));
  write("/third");
  loop.advance(milliseconds(999));
  EXPECT_THAT(lines(), SizeIs(2));
  loop.advance(milliseconds(1));
  EXPECT_THAT(lines(), SizeIs(3));
}

TEST_F(Batches, NeedNoTimerWhileNoLineWaits) {
  open_file();
  EXPECT_TRUE(loop.timers().empty());
  write("/");
  EXPECT_FALSE(loop.timers().empty());
  loop.advance(milliseconds(1000));
  EXPECT_TRUE(loop.timers().empty());
  write("/");
  log->flush();
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(Batches, AreWrittenWhenTheyAreFull) {
  open_file();
  constexpr std::size_t length = 1000;
  while (lines().empty()) {
    write_many(1, length);
    ASSERT_LE(written, LineFile::most_at_once / length);
  }
  EXPECT_THAT(lines(), SizeIs(written));
  EXPECT_GT(std::filesystem::file_size(path()), LineFile::most_at_once);
  EXPECT_TRUE(loop.timers().empty());
  EXPECT_EQ(log->lost(), 0U);
}

// A line that fills them is their last; one that goes a byte beyond is still of them.
TEST_F(Batches, AreFullWithMoreThan256KiBToTheByte) {
  for (const std::size_t more : {0, 1, 2}) {
    open_file();
    write("x");
    log->flush();
    const std::size_t around = std::filesystem::file_size(path()) - 1;
    std::filesystem::resize_file(path(), 0);
    std::size_t left = LineFile::most_at_once + more;
    for (; left > 4096; left -= 1024) write(std::string(1024 - around, 'x'));
    write(std::string(left - around, 'x'));
    EXPECT_EQ(std::filesystem::file_size(path()), more == 0 ? 0 : LineFile::most_at_once + more);
    log->flush();
    EXPECT_EQ(std::filesystem::file_size(path()), LineFile::most_at_once + more);
    EXPECT_EQ(log->lost(), 0U);
    log.reset();
    std::filesystem::remove(path());
  }
}

TEST_F(Batches, HoldLinesOfAnyLength) {
  open_file();
  for (std::size_t length = 0; length < 3 * LineBuilder::capacity; length += 97) write_many(1, length);
  log->flush();
  EXPECT_THAT(lines(), SizeIs(written));
  EXPECT_THAT(lines().back(), EndsWith("x [cut]"));
  EXPECT_EQ(log->lost(), 0U);
}

TEST_F(Batches, OfJsonAreAnObjectALine) {
  open("file:" + path(), milliseconds(1000), Settings::Format::json);
  write("/a b\"");
  write("/c");
  log->flush();
  EXPECT_THAT(lines(), ElementsAre(EndsWith(R"(Z","level":"info","text":"access","uri":"/a b\""})"),
                                   EndsWith(R"(Z","level":"info","text":"access","uri":"/c"})")));
  EXPECT_EQ(lines()[1].substr(0, 9), R"({"time":")");
}

TEST_F(Batches, AreOfOneLineWhereNoneIsToWait) {
  open("file:" + path(), milliseconds(0));
  write("/first");
  EXPECT_THAT(lines(), SizeIs(1));
  write("/second");
  EXPECT_THAT(lines(), SizeIs(2));
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(Batches, AreWrittenAtTheEndAndWhatComesLaterAtOnce) {
  open_file();
  write("/before");
  log->stop();
  EXPECT_THAT(lines(), SizeIs(1));
  write("/after");
  EXPECT_THAT(lines(), SizeIs(2));
}

TEST_F(Batches, AreWrittenByTheDestructor) {
  open_file();
  write("/");
  log->stop();
  log.reset();
  EXPECT_THAT(lines(), SizeIs(1));
}

TEST_F(Batches, GoToTheFileThatWasOpenWhenTheyCame) {
  open_file();
  write("/before");
  std::filesystem::rename(path(), path("access.1"));
  write("/between");
  log->reopen();
  write("/after");
  log->flush();
  EXPECT_THAT(lines("access.1"), ElementsAre(EndsWith("/before"), EndsWith("/between")));
  EXPECT_THAT(lines(), ElementsAre(EndsWith("/after")));
}

TEST_F(Batches, AreSavedOnceWhateverFollows) {
  open_file();
  write("/first");
  log->save();
  EXPECT_THAT(lines(), SizeIs(1));
  write("/second");
  log->save();
  log->save();
  EXPECT_THAT(lines(), SizeIs(2));
  write("/third");
  loop.advance(milliseconds(1000));
  write("/fourth");
  log->flush();
  EXPECT_THAT(lines(),
              ElementsAre(EndsWith("/first"), EndsWith("/second"), EndsWith("/third"), EndsWith("/fourth")));
}

// As where one thread of a plugin crashes while another one does.
TEST_F(Batches, AreSavedWholeThoughAnotherThreadSavesThem) {
  open_file();
  std::atomic<bool> over{false};
  std::thread other([&] {
    for (; !over; std::this_thread::yield()) log->save();
  });
  constexpr std::size_t most = 5000;
  std::size_t count = 0;
  std::uintmax_t before = 0;
  std::uintmax_t size = 0;
  do {
    before = size;
    write_many(1, 50);
    log->save();
    size = std::filesystem::file_size(path());
    ++count;
  } while (count < most && size > before);
  over = true;
  other.join();
  EXPECT_EQ(count, most) << "a line was not written when save() was over";
  log->flush();
  EXPECT_THAT(lines(), SizeIs(count));
  EXPECT_EQ(log->lost(), 0U);
}

// What does not fit into it would wait for its reader, who may be gone by then.
TEST_F(Batches, ForAPipeAreNotLargerThanItIs) {
  open_pipe();
  constexpr std::size_t length = 777;
  constexpr std::size_t fitting = LineFile::a_pipe / (length + 100);
  write_many(fitting, length);
  EXPECT_EQ(read_all(), "");
  write_many(LineFile::a_pipe / length - fitting, length);
  EXPECT_GT(read_all().size(), LineFile::a_pipe / 2);
}

TEST_F(Batches, AreAsLargeAsWhatWasOpenedLast) {
  constexpr std::size_t length = 777;
  constexpr std::size_t more_than_a_pipe = LineFile::a_pipe / length;
  open_file();
  std::filesystem::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
  log->reopen();
  write_many(more_than_a_pipe, length);
  EXPECT_NE(read_all(), "");
  std::filesystem::remove(path());
  log->reopen();
  write_many(more_than_a_pipe, length);
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(Batches, GoIntoAPipeInPiecesOfWholeLinesThatItKeepsTogether) {
  open_pipe();
  // An odd length, so that lines do not end where pieces would.
  write_many(40, 777);
  log->flush();
  const std::string all = read_all();
  EXPECT_THAT(cut_at_ends(all), SizeIs(40));
  EXPECT_TRUE(all.ends_with('\n'));
  EXPECT_EQ(log->lost(), 0U);
}

TEST_F(Batches, WaitForASlowReaderAndLoseTheLinesThatCameLastWhenTheyAreFull) {
  open_pipe();
  write_many(400, 1000);
  const std::uint64_t lost = log->lost();
  EXPECT_GT(lost, 0U);
  std::string all = read_all();
  EXPECT_TRUE(all.ends_with('\n')) << "a line was torn";
  loop.advance(milliseconds(1000));
  all += read_all();
  loop.advance(milliseconds(1000));
  all += read_all();
  EXPECT_TRUE(loop.timers().empty());
  const auto kept = cut_at_ends(all);
  EXPECT_EQ(kept.size() + lost, 400U);
  EXPECT_GT(kept.size(), LineFile::a_pipe / 1100) << "what did not fit at once was not kept";
  for (std::size_t i = 0; i < kept.size(); ++i)
    ASSERT_THAT(kept[i], EndsWith(" uri=" + std::to_string(i) + std::string(1000, 'x')));
}

TEST_F(Batches, LoseAtTheEndWhatNobodyReads) {
  open_pipe();
  write_many(100, 1000);
  EXPECT_EQ(log->lost(), 0U);
  log->flush();
  EXPECT_GT(log->lost(), 0U);
  EXPECT_EQ(cut_at_ends(read_all()).size() + log->lost(), 100U);
}

TEST_F(Batches, WithoutAReaderLoseEveryLineAndRaiseNoSignal) {
  open_pipe();
  ::close(std::exchange(reader, -1));
  write_many(3, 10);
  loop.advance(milliseconds(1000));  // SIGPIPE has its default action here.
  EXPECT_EQ(log->lost(), 3U);
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(Batches, OnAFullDiskLoseAndCountEveryLine) {
  open("file:/dev/full");
  write_many(300, 1000);
  log->flush();
  EXPECT_EQ(log->lost(), 300U);
}

TEST_F(Batches, OnADiskThatIsFullInTheirMiddleTearOneLineAndNoneThatFollows) {
  // A file size limit stops a write in its middle, as a full disk does.
  const auto attempt = [this] {
    ::signal(SIGXFSZ, SIG_IGN);
    open_file();
    write("/first");
    log->flush();
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const auto size = std::filesystem::file_size(path());
    const rlimit small{size + size + 10, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    for (const char* each : {"/whole", "/torn1", "/lost1", "/lost2"}) write(each);
    loop.advance(milliseconds(1000));
    if (log->lost() != 3) std::_Exit(1);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    write("/last");
    log->flush();
    const auto all = lines();
    if (all.size() != 4 || !all[1].ends_with("/whole") || all[2].size() != 10 || !all[3].ends_with("/last"))
      std::_Exit(2);
    std::_Exit(log->lost() == 3 ? 0 : 3);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

TEST_F(Batches, TellTheTimeOfEachLine) {
  open_file();
  const auto before = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  for (int i = 0; i < 100; ++i) {
    write("/");
    loop.advance(milliseconds(33));
  }
  log->flush();
  std::string last;
  for (const std::string& line : lines()) {
    EXPECT_GT(line.substr(0, 24), last);
    last = line.substr(0, 24);
  }
  EXPECT_THAT(lines(), SizeIs(100));
  std::tm time{};
  ASSERT_NE(::strptime(last.c_str(), "%Y-%m-%dT%H:%M:%S", &time), nullptr);
  const auto told =
      std::chrono::system_clock::from_time_t(::timegm(&time)) + milliseconds(std::stoi(last.substr(20)));
  EXPECT_LT(std::chrono::abs(told - (before + milliseconds(99 * 33))), std::chrono::seconds(1));
}

TEST_F(Batches, CannotBeOpenedWhereTheirFileCannot) {
  for (const char* target : {"syslog", "file:", "file:/nonexistent/folder/access"}) {
    Settings settings;
    settings.target = target;
    EXPECT_FALSE(BatchedLog::open(settings, "access", milliseconds(0)).ok()) << target;
  }
}

}  // namespace
}  // namespace trivet::log
