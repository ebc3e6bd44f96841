#pragma once

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <trivet/file_reader.hpp>
#include <trivet/settings.hpp>
#include <utility>
#include <vector>

/// A text file that a plugin reads at its start and again whenever it changes: a password file, a list of
/// addresses. Not part of <trivet/plugin.hpp>; include it beside that.
namespace trivet {

/// What there is to say of lines that are wrong: the first of them, and how many more. For the operator's
/// log.
class Remarks {
 public:
  static constexpr std::size_t most_told = 10;

  explicit Remarks(std::string path) : path_(std::move(path)) {}

  /// Do not quote what may be a secret.
  void wrong(std::size_t line, std::string_view what) {
    if (count_ == 0) first_ = "line " + std::to_string(line) + " " + std::string(what);
    if (++count_ > most_told) return;
    lines_.push_back(path_ + ":" + std::to_string(line) + ": " + std::string(what));
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Of the first of them, without the path: for what `Read` throws.
  [[nodiscard]] const std::string& first() const noexcept { return first_; }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all = lines_;
    if (count_ > most_told)
      all.push_back(path_ + ": " + std::to_string(count_ - most_told) + " more lines are wrong");
    return all;
  }

 private:
  std::string path_;
  std::string first_;
  std::vector<std::string> lines_;
  std::size_t count_ = 0;
};

/// Calls `each(number, line)` with all lines, from 1 on, without spaces and line ends around them, and
/// `each(number, line, whole)` where it takes that too: whether the line had its end, which the last line of
/// a file that is not written to its end has not.
template <class Each>
void for_each_line(std::string_view text, const Each& each) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const bool whole = end != std::string_view::npos;
    std::string_view line = text.substr(0, end);
    text = whole ? text.substr(end + 1) : std::string_view();
    constexpr std::string_view blank = " \t\r";
    const std::size_t first = line.find_first_not_of(blank);
    line = first == std::string_view::npos ? std::string_view()
                                           : line.substr(first, line.find_last_not_of(blank) - first + 1);
    if constexpr (requires { each(number, line, whole); }) {
      each(number, line, whole);
    } else {
      each(number, line);
    }
  }
}

/// The content of a file that is followed, as `Content`, which `Read` makes of its text. A thread of its own
/// looks at the file, so content() never waits for a disk and is for the event loop too.
///
/// A change counts `every` + `rest` after it was made at the latest; one that goes on, `every` + `patience`.
/// Replacing the file (write another, rename it) leaves no gap, nor does writing it in place within `rest`.
///
/// Thread    content() [any hook], by several at once. `Read` runs in the constructor, then on the file's
///           thread.
/// Memory    The file's text while it is read; two contents while they change.
/// Errors    A file that cannot be read at the start is a wrong setting. Later content() throws: what is not
///           there any more grants nothing. It comes back by itself. So it is when `Read` throws.
template <class Content>
class FollowedFile {
 public:
  /// `before` is the last content there was, or null.
  using Read = std::function<Content(std::string_view text, const Content* before, Remarks& remarks)>;

  /// `key` is the setting that the path comes from; it has to be absolute.
  FollowedFile(const Settings& settings, std::string_view key, const std::string& path,
               std::size_t most_bytes, FilePace pace, Read read)
      : path_(path),
        log_(settings.log()),
        pace_(pace),
        read_(std::move(read)),
        reader_(path, most_bytes, pace) {
    if (!path.starts_with('/')) settings.fail(key, "has to be an absolute path");
    look();
    if (!error_.empty()) {  // Perhaps it is just being replaced.
      std::this_thread::sleep_for(pace_.rest);
      news_.clear();
      const std::string first = std::exchange(error_, {});
      look();
      if (content_ == nullptr && error_.empty()) error_ = first;
    }
    if (!error_.empty()) settings.fail(key, error_);
    tell();
    thread_ = start();
  }
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;
  ~FollowedFile() {
    {
      const std::scoped_lock lock(mutex_);
      stops_ = true;
    }
    waker_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] std::shared_ptr<const Content> content() {
    const std::int64_t began = looking_since_.load(std::memory_order_relaxed);
    if (began != 0 && ticks() - began > std::chrono::nanoseconds(pace_.stall).count()) [[unlikely]]
      throw std::runtime_error(path_ + ": cannot be read: its disk or server does not answer");
    if (has_news_.load(std::memory_order_acquire)) [[unlikely]]
      tell();
    const std::scoped_lock lock(mutex_);
    if (!error_.empty()) throw std::runtime_error(error_);
    return content_;
  }

 private:
  [[nodiscard]] static std::int64_t ticks() noexcept {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  /// Signals are for the host's threads, but those that a fault raises have to reach the thread that made it.
  [[nodiscard]] std::thread start() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
      sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const auto restore = [&] { pthread_sigmask(SIG_SETMASK, &before, nullptr); };
    try {
      std::thread thread([this] { follow(); });
      restore();
      return thread;
    } catch (...) {
      restore();
      throw;
    }
  }
  void follow() {
    while (true) {
      const auto pause = reader_.is_waiting() ? std::min(pace_.rest, pace_.every) : pace_.every;
      {
        std::unique_lock lock(mutex_);
        if (waker_.wait_for(lock, pause, [this] { return stops_; })) return;
      }
      look();
    }
  }

  void look() {
    looking_since_.store(ticks(), std::memory_order_relaxed);
    try {
      const auto outcome = reader_.look(std::chrono::steady_clock::now(), std::chrono::system_clock::now());
      if (outcome == sdk::FileReader::Outcome::changed) take();
      if (outcome == sdk::FileReader::Outcome::failed) fail(reader_.error());
    } catch (const std::exception& failed) {  // No memory for it, say.
      reader_.read_again();
      fail(path_ + ": " + failed.what());
    }
    looking_since_.store(0, std::memory_order_relaxed);
  }
  void take() {
    Remarks remarks(path_);
    std::shared_ptr<const Content> content;
    std::string error;
    try {
      content = std::make_shared<const Content>(read_(reader_.text(), content_.get(), remarks));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& failed) {
      error = path_ + ": " + failed.what();
    }
    reader_.forget_text();
    std::vector<std::string> news = remarks.lines();
    if (reader_.is_anybodys()) news.push_back(path_ + ": every user of this machine may write it");
    if (!error.empty()) news.push_back(error);
    const std::scoped_lock lock(mutex_);
    if (!error_.empty() && error.empty()) news.push_back(path_ + ": can be read again");
    if (content != nullptr) content_.swap(content);  // What was there goes after the lock, if nobody has it.
    error_ = std::move(error);
    add(std::move(news));
  }
  void fail(const std::string& error) {
    const std::scoped_lock lock(mutex_);
    if (error_ != error) add({error});
    error_ = error;
  }
  void add(std::vector<std::string> news) {
    constexpr std::size_t most = 64;  // Where no request comes that could tell them.
    for (std::string& line : news) {
      if (news_.size() < most) news_.push_back(std::move(line));
    }
    has_news_.store(!news_.empty(), std::memory_order_release);
  }
  /// On a thread of the host's, which knows whose line it is.
  void tell() {
    std::vector<std::string> news;
    {
      const std::scoped_lock lock(mutex_);
      news.swap(news_);
      has_news_.store(false, std::memory_order_relaxed);
    }
    for (const std::string& line : news) log_.warn(line);
  }

  const std::string path_;
  const Log log_;
  const FilePace pace_;
  const Read read_;
  sdk::FileReader reader_;  ///< The constructor's, then the thread's.
  std::atomic<std::int64_t> looking_since_ = 0;
  std::atomic<bool> has_news_ = false;
  std::mutex mutex_;  ///< For what is below; held for moments only.
  std::shared_ptr<const Content>
      content_;  ///< Only the thread changes it, so it may read it without the lock.
  std::string error_;
  std::vector<std::string> news_;
  bool stops_ = false;
  std::condition_variable waker_;
  std::thread thread_;
};

}  // namespace trivet
