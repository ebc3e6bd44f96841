#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

/// When a file is read again; a plugin's author uses <trivet/followed_file.hpp>.
namespace trivet {

/// How a file is followed.
struct FilePace {
  std::chrono::milliseconds every{1000};     ///< Between two looks at a file at rest.
  std::chrono::milliseconds rest{100};       ///< A file that was written this lately is still being written.
  std::chrono::milliseconds patience{1000};  ///< After that long a change counts, at rest or not.
  std::chrono::milliseconds stall{
      30'000};  ///< A look that takes longer (a file server is away) is a failure.
};

namespace sdk {

/// Looks at a file and reads it when it is another one than before, or changed: by device, inode, size and
/// both times. A file that is being written is left until it is at rest, so that half of one counts as little
/// as the moment in which a file is replaced.
///
/// Thread  One at a time. No clock of its own.
class FileReader {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  using Wall = std::chrono::system_clock::time_point;
  enum class Outcome : std::uint8_t { same, changed, failed };

  FileReader(std::string path, std::size_t most_bytes, FilePace pace)
      : path_(std::move(path)), most_bytes_(most_bytes), pace_(pace) {}

  /// `failed`: error() says why; once for each failure, then `same`.
  Outcome look(Steady now, Wall wall) {
    const Opened file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    std::string error;
    const std::optional<Mark> mark = mark_of(file.number, error);
    return mark ? read(file.number, *mark, now, wall) : fail(std::move(error), now);
  }

  /// What it read, after `changed`.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  void forget_text() {
    text_.clear();
    text_.shrink_to_fit();
  }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  /// Whether every user may write the file that was read.
  [[nodiscard]] bool is_anybodys() const noexcept { return mark_ && (mark_->mode & S_IWOTH) != 0; }
  /// The next look reads it, changed or not.
  void read_again() noexcept {
    was_at_rest_ = false;
    last_.clear();
  }
  /// There is a change that does not count yet: look again after `rest`.
  [[nodiscard]] bool is_waiting() const noexcept { return unrest_since_.has_value(); }

 private:
  struct Opened {
    explicit Opened(int opened) noexcept : number(opened) {}
    ~Opened() {
      if (number >= 0) ::close(number);
    }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
    const int number;
  };
  struct Mark {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t written;  ///< Nanoseconds.
    std::int64_t changed;
    mode_t mode;
    friend bool operator==(const Mark&, const Mark&) = default;
  };

  [[nodiscard]] static std::int64_t nanoseconds(const timespec& time) noexcept {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  }
  [[nodiscard]] std::optional<Mark> mark_of(int file, std::string& error) const {
    struct stat about{};
    if (file < 0 || ::fstat(file, &about) != 0) {
      error = path_ + ": " + std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): glibc's is
    } else if (!S_ISREG(about.st_mode)) {
      error = path_ + ": is no regular file";
    } else if (static_cast<std::uint64_t>(about.st_size) > most_bytes_) {
      error = path_ + ": is larger than " + std::to_string(most_bytes_) + " bytes";
    } else {
      return Mark{
          about.st_dev, about.st_ino, about.st_size, nanoseconds(about.st_mtim), nanoseconds(about.st_ctim),
          about.st_mode};
    }
    return std::nullopt;
  }

  Outcome read(int file, const Mark& mark, Steady now, Wall wall) {
    // What was read when it was just written may have been written again in the same tick of its clock.
    if (mark_ && *mark_ == mark && was_at_rest_ && error_.empty()) {
      unrest_since_.reset();
      return Outcome::same;
    }
    const bool is_first = !mark_;
    const auto age = wall.time_since_epoch() - std::chrono::nanoseconds(mark.written);
    const bool at_rest = age >= pace_.rest || age < std::chrono::nanoseconds(0);
    if (!is_first && !at_rest && !is_overdue(now, pace_.patience)) return Outcome::same;
    std::string text;
    std::string error;
    if (!read_all(file, mark, text, error)) {
      if (!is_first && !is_overdue(now, pace_.patience)) return Outcome::same;
      return fail(std::move(error), now, true);
    }
    const bool is_same = mark_ && *mark_ == mark && text == last_ && error_.empty();
    mark_ = mark;
    was_at_rest_ = at_rest;
    unrest_since_.reset();
    error_.clear();
    last_ = at_rest ? std::string() : text;  // To be compared with what it is once at rest.
    if (is_same) return Outcome::same;
    text_ = std::move(text);
    return Outcome::changed;
  }

  bool read_all(int file, const Mark& mark, std::string& text, std::string& error) const {
    text.resize(static_cast<std::size_t>(mark.size) + 1);  // One more, to see whether it grew.
    std::size_t got = 0;
    while (got < text.size()) {
      const ssize_t more = ::read(file, text.data() + got, text.size() - got);
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) {
        error = path_ + ": " + std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): glibc's is
        return false;
      }
      if (more == 0) break;
      got += static_cast<std::size_t>(more);
    }
    text.resize(got);
    const std::optional<Mark> after = mark_of(file, error);
    if (!after) return false;
    if (*after == mark && got == static_cast<std::size_t>(mark.size)) return true;
    error = path_ + ": changes while it is read";
    return false;
  }

  /// Whether what is not as it was has been so for `long_enough`.
  bool is_overdue(Steady now, std::chrono::milliseconds long_enough) {
    if (!unrest_since_) unrest_since_ = now;
    return now - *unrest_since_ >= long_enough;
  }
  Outcome fail(std::string error, Steady now, bool is_sure = false) {
    if (!is_sure && mark_ && error_.empty() && !is_overdue(now, pace_.rest)) return Outcome::same;
    unrest_since_.reset();
    if (error == error_) return Outcome::same;
    error_ = std::move(error);
    return Outcome::failed;
  }

  std::string path_;
  std::size_t most_bytes_;
  FilePace pace_;
  std::optional<Mark> mark_;
  bool was_at_rest_ = false;
  std::optional<Steady> unrest_since_;
  std::string text_;
  std::string last_;
  std::string error_;
};

}  // namespace sdk

}  // namespace trivet
