#include "runtime/log/descriptor_sink.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "runtime/log/line.hpp"

namespace trivet::log {

namespace {

/// A description of its own for the pipe behind stderr, so that it can be non-blocking without making it so
/// for everybody who shares stderr. Else a copy, which write_now() uses with care.
int copy_of_stderr(bool pipe) noexcept {
  if (pipe) {
    const int own = ::open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0) return own;
  }
  return ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

}  // namespace

base::Result<std::shared_ptr<DescriptorSink>> DescriptorSink::open(const std::string& path,
                                                                   std::optional<std::uint32_t> owner,
                                                                   std::atomic<std::uint64_t>& lost) {
  std::shared_ptr<DescriptorSink> sink(new DescriptorSink(path, owner, lost));
  if (base::Result<> opened = sink->open_target(); !opened) return opened.error();
  return sink;
}

DescriptorSink::~DescriptorSink() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int DescriptorSink::open_file() const noexcept {
  // O_NONBLOCK: a named pipe without a reader is an error, not a wait; it means nothing to a file.
  constexpr int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  constexpr mode_t mode = 0640;
  if (!owner_ || *owner_ == ::geteuid()) return ::open(path_.c_str(), flags | O_CREAT, mode);
  const int made = ::open(path_.c_str(), flags | O_CREAT | O_EXCL, mode);
  if (made < 0) return errno == EEXIST ? ::open(path_.c_str(), flags | O_NOFOLLOW) : -1;
  static_cast<void>(::fchown(made, *owner_, static_cast<gid_t>(-1)));  // Who opens it again will tell.
  return made;
}

base::Result<> DescriptorSink::open_target() {
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

void DescriptorSink::reopen() noexcept {
  if (path_.empty()) return;
  const std::lock_guard lock(mutex_);
  try {
    const base::Result<> opened = open_target();
    if (opened) return;
    const Line line(Settings::Format::text, Line::Time::present, Level::error, opened.error().message, {});
    sink_it_(
        spdlog::details::log_msg({}, spdlog::level::err, {line.with_end().data(), line.with_end().size()}));
  } catch (...) {  // no memory for the name or the message
    ++lost_;
  }
}

void DescriptorSink::sink_it_(const spdlog::details::log_msg& message) {
  const std::string_view line(message.payload.data(), message.payload.size());
  if (torn_ && write_now("\n") == 1) torn_ = false;
  const std::size_t written = torn_ ? 0 : write_now(line);
  if (written == line.size()) return;
  if (written != 0) torn_ = true;
  ++lost_;
}

std::size_t DescriptorSink::write_now(std::string_view bytes) const noexcept {
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
      case Kind::stream:
        // A pipe that takes a byte takes PIPE_BUF of them: even a blocking one does not block for those. One
        // without a reader is not written to, which would raise SIGPIPE.
        if (!takes_bytes()) return done;
        n = ::write(descriptor_, left.data(), std::min<std::size_t>(left.size(), PIPE_BUF));
        break;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return done;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

bool DescriptorSink::takes_bytes() const noexcept {
  pollfd one{descriptor_, POLLOUT, 0};
  return ::poll(&one, 1, 0) > 0 && (one.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

}  // namespace trivet::log
