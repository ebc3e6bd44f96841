#include "tests/faults/load/client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace load {
namespace {

constexpr std::uint8_t end_request = 3;
constexpr std::uint8_t standard_output = 6;
constexpr std::uint8_t standard_error = 7;

int connect_to(const Target& target) {
  const int made = ::socket(target.is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return -1;
  sockaddr_un local{};
  sockaddr_in remote{};
  const sockaddr* address = reinterpret_cast<const sockaddr*>(&local);  // NOLINT: what sockets want
  socklen_t size = sizeof local;
  if (target.is_unix) {
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, target.place.data(),
                std::min(target.place.size(), sizeof local.sun_path - 1));
  } else {
    remote.sin_family = AF_INET;
    remote.sin_port = htons(target.port);
    ::inet_pton(AF_INET, target.place.c_str(), &remote.sin_addr);
    address = reinterpret_cast<const sockaddr*>(&remote);  // NOLINT: what sockets want
    size = sizeof remote;
    const int on = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(made, address, size) == 0) return made;
  ::close(made);
  return -1;
}

}  // namespace

bool read_target(std::string_view text, Target& target) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  target.speaks_http = scheme == "http";
  target.is_unix = scheme == "unix";
  if (target.is_unix) {
    target.place = text;
    return true;
  }
  const std::size_t port = text.rfind(':');
  if ((scheme != "tcp" && scheme != "http") || port == std::string_view::npos) return false;
  target.place = text.substr(0, port);
  return std::from_chars(text.data() + port + 1, text.data() + text.size(), target.port).ec == std::errc();
}

Client::~Client() { close(); }

bool Client::open() {
  socket_ = connect_to(target_);
  if (socket_ < 0) {
    ++counts_.refused;
    return false;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event);
  return true;
}

void Client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  waits_for_room_ = false;
  in_.clear();
  out_.clear();
}

bool Client::ask(std::uint16_t id, std::uint64_t number) {
  if (socket_ < 0 && !open()) return false;
  const std::string query = "n=" + std::to_string(number);
  out_ += target_.speaks_http ? http_request(target_.uri, query)
                              : fastcgi_request(target_.uri, query, id, kind_ != Kind::once);
  asked_[id] = Asked{number, Clock::now(), {}};
  send_out();
  return true;
}

void Client::send_out() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;  // No room, or an end that reading tells as well.
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  watch(!out_.empty() && errno == EAGAIN);
}

void Client::watch(bool wants_room) {
  if (wants_room == std::exchange(waits_for_room_, wants_room)) return;
  epoll_event event{};
  event.events = wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = this;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &event);
}

void Client::on_event(bool is_readable, Clock::time_point now, std::vector<std::uint16_t>& done) {
  if (waits_for_room_) send_out();
  if (!is_readable) return;
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    lose(done);
    return;
  }
  in_.append(buffer.data(), static_cast<std::size_t>(got));
  if (!(target_.speaks_http ? take_http(now, done) : take_fastcgi(now, done))) lose(done);
}

/// What was asked has no answer any more.
void Client::lose(std::vector<std::uint16_t>& done) {
  counts_.failed += asked_.size();
  if (kind_ != Kind::once) ++counts_.closed;
  for (const auto& [id, asked] : asked_) done.push_back(id);
  asked_.clear();
  close();
}

/// False when the connection is of no more use.
bool Client::take_fastcgi(Clock::time_point now, std::vector<std::uint16_t>& done) {
  bool is_broken = false;
  while (auto record = take_record(in_, is_broken)) {
    const auto found = asked_.find(record->id);
    if (found == asked_.end()) {
      counts_.bad("a record for an id that is not open, type " + std::to_string(record->type));
      return false;
    }
    Asked& asked = found->second;
    if (record->type == standard_output) {
      if (asked.answer.is_out_ended) counts_.bad("output after its end");
      asked.answer.is_out_ended = record->content.empty();
      asked.answer.bytes += record->content;
    } else if (record->type == end_request) {
      const bool is_whole = asked.answer.is_out_ended && record->content == std::string(8, '\0');
      judge(asked, is_whole ? body_of(asked.answer.bytes).value_or(asked.answer.bytes) : "a cut answer", now);
      done.push_back(record->id);
      asked_.erase(found);
      if (kind_ == Kind::once) close();
    } else if (record->type != standard_error) {
      counts_.bad("a record of type " + std::to_string(record->type));
    }
  }
  if (is_broken) counts_.bad("bytes that are no record");
  return !is_broken;
}

bool Client::take_http(Clock::time_point now, std::vector<std::uint16_t>& done) {
  auto answer = take_http_answer(in_);
  if (!answer) return true;
  if (asked_.empty()) {
    counts_.bad("an answer to nothing: " + answer->body);
    return false;
  }
  judge(asked_.begin()->second, answer->body, now);
  done.push_back(asked_.begin()->first);
  asked_.clear();
  if (answer->closes || kind_ == Kind::once) close();  // As web servers do after so many requests.
  return true;
}

void Client::judge(const Asked& asked, std::string_view body, Clock::time_point now) {
  const std::size_t first = body.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : body.find(' ', first + 1);
  if (second == std::string_view::npos || body.substr(second + 1) != "n=" + std::to_string(asked.number) ||
      body.front() == '-') {
    counts_.bad("to n=" + std::to_string(asked.number) + ": " + std::string(body));
    return;
  }
  counts_.right(body.substr(0, first), body.substr(first + 1, second - first - 1), now - asked.since);
}

}  // namespace load
