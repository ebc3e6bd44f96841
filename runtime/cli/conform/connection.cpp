#include "runtime/cli/conform/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace trivet::cli::conform {

namespace {

using Clock = std::chrono::steady_clock;

int left(Clock::time_point until) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(rest, 0, 3'600'000));
}

/// Where the head ends, and how long the empty line is.
std::pair<std::size_t, std::size_t> end_of_head(std::string_view out) {
  const std::size_t lf = out.find("\n\n");
  const std::size_t crlf = out.find("\r\n\r\n");
  if (crlf != std::string_view::npos && (lf == std::string_view::npos || crlf < lf)) return {crlf + 2, 2};
  return lf == std::string_view::npos ? std::pair{out.size(), std::size_t{0}}
                                      : std::pair{lf + 1, std::size_t{1}};
}

/// The value of a field of the head, nothing when it is absent.
std::string_view field(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 1, head.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    const bool same = std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    });
    if (!same) continue;
    line.remove_prefix(name.size() + 1);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    return line.empty() ? " " : line;
  }
  return {};
}

}  // namespace

std::string_view Answer::head() const { return std::string_view(out).substr(0, end_of_head(out).first); }
std::string_view Answer::body() const {
  const auto [end, line] = end_of_head(out);
  return std::string_view(out).substr(end + line);
}
bool Answer::has_status() const { return !field(head(), "Status").empty(); }
int Answer::status() const {
  if (const std::string status(field(head(), "Status")); !status.empty()) return std::atoi(status.c_str());
  return field(head(), "Location").empty() ? 200 : 302;
}

bool Connection::send(std::string_view bytes, Milliseconds patience) { return write(bytes, patience, true); }
bool Connection::push(std::string_view bytes, Milliseconds patience) { return write(bytes, patience, false); }

bool Connection::write(std::string_view bytes, Milliseconds patience, bool reading) {
  auto until = Clock::now() + patience;
  // A peer that has answered and closed its side may still take the rest.
  while (!bytes.empty() && !gone_) {
    pollfd waiting{socket_.get(), static_cast<short>(POLLOUT | (reading && !closed_ ? POLLIN : 0)), 0};
    if (::poll(&waiting, 1, left(until)) == 0) return false;
    if (reading && !closed_ && (waiting.revents & (POLLIN | POLLHUP)) != 0) read_some();
    if ((waiting.revents & (POLLOUT | POLLERR | POLLHUP)) == 0) continue;
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      until = Clock::now() + patience;
    } else if (errno != EAGAIN && errno != EINTR) {
      gone_ = true;
      // What it said before it closed may still be there.
      while (!closed_) read_some();
    }
  }
  return bytes.empty();
}

bool Connection::wait(Milliseconds patience, const std::function<bool()>& done) {
  const auto until = Clock::now() + patience;
  while (!done() && !closed_) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, left(until)) == 0) break;
    read_some();
  }
  return done();
}

bool Connection::wait_end(Milliseconds patience, std::uint16_t id) {
  return wait(patience, [&] { return answers_[id].ended(); });
}

bool Connection::wait_closed(Milliseconds patience) {
  return wait(patience, [&] { return closed_; });
}

void Connection::half_close() { static_cast<void>(::shutdown(socket_.get(), SHUT_WR)); }

void Connection::vanish() {
  const linger now{1, 0};
  static_cast<void>(::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now));
  socket_.reset();
  closed_ = true;
}

void Connection::read_some() {
  std::array<char, 65536> block;
  const ssize_t got = ::recv(socket_.get(), block.data(), block.size(), MSG_DONTWAIT);
  if (got > 0) {
    received_ += static_cast<std::uint64_t>(got);
    buffer_.append(block.data(), static_cast<std::size_t>(got));
    take();
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    closed_ = true;
  }
}

void Connection::take() {
  std::size_t offset = 0;
  Record record;
  Taken taken = Taken::partial;
  while (broken_.empty() && (taken = take_record(buffer_, offset, record)) == Taken::whole) take(record);
  if (taken == Taken::broken && broken_.empty()) broken_ = "a record of a version that is not 1 came";
  buffer_.erase(0, offset);
  if (!broken_.empty()) {
    buffer_.clear();
    closed_ = true;
  }
}

void Connection::take(const Record& record) {
  ++seen_->records;
  if (record.unset) ++seen_->unset;
  if (record.kind == kind_get_values_result) {
    values_.emplace_back(record.content);
    return;
  }
  if (record.kind == kind_unknown) {
    unknown_ += record.content.empty() ? '\0' : record.content[0];
    return;
  }
  Answer& answer = answers_[record.id];
  answer.late = answer.late || answer.ended();
  if (record.kind == kind_stdout) {
    answer.out += record.content;
  } else if (record.kind == kind_stderr) {
    answer.err += record.content;
  } else if (record.kind == kind_end && record.content.size() == 8) {
    ++answer.ends;
    ++ends_;
    answer.app_status = number(record.content.substr(0, 4));
    answer.protocol_status = static_cast<std::uint8_t>(record.content[4]);
    if (record.content.substr(5) != std::string_view("\0\0\0", 3)) ++seen_->unset;
  } else {
    broken_ = "a record of type " + std::to_string(record.kind) + " came, which no application sends";
  }
}

}  // namespace trivet::cli::conform
