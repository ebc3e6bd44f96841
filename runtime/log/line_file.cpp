#include "runtime/log/line_file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/log/line.hpp"

namespace trivet::log {

namespace {

/// A description of its own for the pipe behind stderr, so that it can be non-blocking without making it so
/// for everybody who shares stderr. Else a copy, which send() uses with care.
int copy_of_stderr(bool pipe) noexcept {
  if (pipe) {
    const int own = ::open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0) return own;
  }
  return ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

}  // namespace

base::Result<std::unique_ptr<LineFile>> LineFile::open(const std::string& target,
                                                       std::optional<std::uint32_t> owner,
                                                       std::atomic<std::uint64_t>& lost) {
  constexpr std::string_view file_prefix = "file:";
  std::string path;
  if (target.starts_with(file_prefix) && target.size() > file_prefix.size()) {
    path = target.substr(file_prefix.size());
  } else if (target != "stderr") {
    return base::Error{base::ErrorCode::config_invalid,
                       "the log target \"" + target + "\" is none of stderr, syslog, file:PATH"};
  }
  std::unique_ptr<LineFile> file(new LineFile(std::move(path), owner, lost));
  if (base::Result<> opened = file->open_target(); !opened) return opened.error();
  return file;
}

LineFile::~LineFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int LineFile::open_file() const noexcept {
  // O_NONBLOCK: a named pipe without a reader is an error, not a wait; it means nothing to a file.
  constexpr int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  constexpr mode_t mode = 0640;
  if (!owner_ || *owner_ == ::geteuid()) return ::open(path_.c_str(), flags | O_CREAT, mode);
  const int made = ::open(path_.c_str(), flags | O_CREAT | O_EXCL, mode);
  if (made < 0) return errno == EEXIST ? ::open(path_.c_str(), flags | O_NOFOLLOW) : -1;
  static_cast<void>(::fchown(made, *owner_, static_cast<gid_t>(-1)));  // Who opens it again will tell.
  return made;
}

base::Result<> LineFile::open_target() {
  struct stat found{};
  int opened = -1;
  if (path_.empty()) {
    const bool pipe = ::fstat(STDERR_FILENO, &found) == 0 && S_ISFIFO(found.st_mode);
    opened = copy_of_stderr(pipe);
  } else {
    opened = open_file();
  }
  if (opened < 0 || ::fstat(opened, &found) != 0) {
    const base::Error error = base::system_error(
        path_.empty() ? "cannot log to stderr"
                      : "cannot open the log \"" + path_ + "\"" +
                            (owner_ && errno == ELOOP ? " (with `user` it is no symbolic link)" : ""),
        errno);
    if (opened >= 0) ::close(opened);
    return error;
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = opened;
  kind_ = S_ISREG(found.st_mode) ? Kind::regular : S_ISSOCK(found.st_mode) ? Kind::socket : Kind::stream;
  torn_ = false;
  return base::success();
}

void LineFile::reopen() noexcept {
  if (path_.empty()) return;
  try {
    const base::Result<> opened = open_target();
    if (opened) return;
    const Line line(Settings::Format::text, Line::Time::present, Level::error, opened.error().message, {});
    if (write(line.with_end()) == 0) ++lost_;
  } catch (...) {  // no memory for the name or the message
    ++lost_;
  }
}

std::size_t LineFile::write(std::string_view lines) noexcept {
  if (torn_) {
    const Sent end = send("\n");
    torn_ = end.bytes == 0;
    if (torn_ && end.is_full) return 0;
    if (torn_) {
      lose(lines);
      return lines.size();
    }
  }
  std::size_t at = 0;
  while (at < lines.size()) {
    const std::string_view piece = first_piece(lines.substr(at));
    const Sent sent = send(piece);
    at += sent.bytes;
    if (sent.bytes == piece.size()) continue;
    if (at != 0 && lines[at - 1] != '\n') {
      torn_ = true;
      const std::size_t end = lines.find('\n', at) + 1;
      lose(lines.substr(at, end - at));
      at = end;
    }
    if (sent.is_full) return at;
    lose(lines.substr(at));
    return lines.size();
  }
  return at;
}

void LineFile::lose(std::string_view lines) noexcept {
  lost_ += static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
}

std::string_view LineFile::first_piece(std::string_view lines) const noexcept {
  if (kind_ == Kind::regular || lines.size() <= PIPE_BUF) return lines;
  const std::size_t last = lines.rfind('\n', PIPE_BUF - 1);
  return lines.substr(0, (last != std::string_view::npos ? last : lines.find('\n', PIPE_BUF)) + 1);
}

LineFile::Sent LineFile::send(std::string_view bytes) const noexcept {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::string_view left = bytes.substr(done);
    ssize_t n = 0;
    switch (kind_) {
      case Kind::regular:
        n = ::write(descriptor_, left.data(), left.size());
        break;
      case Kind::socket:
        n = ::send(descriptor_, left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        break;
      case Kind::stream: {
        // A pipe that takes a byte takes PIPE_BUF of them: even a blocking one does not block for those. One
        // without a reader is not written to, which would raise SIGPIPE.
        pollfd one{descriptor_, POLLOUT, 0};
        const int ready = ::poll(&one, 1, 0);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return {done, true};
        if ((one.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return {done, false};
        n = ::write(descriptor_, left.data(), std::min<std::size_t>(left.size(), PIPE_BUF));
        break;
      }
    }
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {done, n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)};
    done += static_cast<std::size_t>(n);
  }
  return {done, false};
}

}  // namespace trivet::log
