// What a FastCGI application costs when it is nothing but its system calls: one thread, level-triggered
// epoll, one read and one write per request. It walks over all records and pairs, and knows no route, no
// limit and no fault. What compare.py holds the others against.
//
//   raw PATH
//
// Answers as tests/bench/trivet.toml does: /bench/hello, /bench/sink, /bench/download/BYTES, and in the role
// of a filter the data. One request at a time on each connection.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum Type : std::uint8_t { begin = 1, end = 3, params = 4, body = 5, output = 6, data = 8 };
enum Role : std::uint8_t { responder = 1, authorizer = 2, filter = 3 };

constexpr std::string_view head = "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n";

struct Connection {
  int descriptor = -1;
  std::vector<std::uint8_t> cut;  ///< The beginning of a record that is not there yet.
  std::string pairs;
  std::string out;
  std::size_t sent = 0;       ///< Of `out`.
  std::uint64_t to_pour = 0;  ///< Bytes of a download that are not in `out` yet.
  bool pouring = false;
  bool head_sent = false;
  bool keep = false;
  bool watches_writing = false;
  std::uint8_t role = responder;
  std::uint16_t id = 0;
};

void append_record(std::string& out, Type type, std::uint16_t id, std::string_view content) {
  const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xffU); };
  const std::size_t padding = (8 - content.size() % 8) % 8;
  const char header[8] = {1,
                          static_cast<char>(type),
                          byte(id >> 8U),
                          byte(id),
                          byte(content.size() >> 8U),
                          byte(content.size()),
                          byte(padding),
                          0};
  out.append(header, sizeof header).append(content).append(padding, '\0');
}

void append_end(Connection& of) {
  append_record(of.out, output, of.id, {});
  append_record(of.out, end, of.id, std::string_view("\0\0\0\0\0\0\0\0", 8));
}

std::size_t length_at(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t of) { return static_cast<std::uint8_t>(text[of]); };
  if (at >= text.size()) return 0;
  if (byte(at) < 0x80) return byte(at++);
  if (text.size() - at < 4) return at = text.size(), 0;
  const std::size_t value =
      (byte(at) & 0x7fU) << 24U | byte(at + 1) << 16U | byte(at + 2) << 8U | byte(at + 3);
  at += 4;
  return value;
}

/// Every pair is looked at; gives REQUEST_URI.
std::string_view uri_of(std::string_view pairs) {
  std::string_view uri;
  for (std::size_t at = 0; at < pairs.size();) {
    const std::size_t name = length_at(pairs, at);
    const std::size_t value = length_at(pairs, at);
    if (at + name + value > pairs.size()) break;
    if (pairs.substr(at, name) == "REQUEST_URI") uri = pairs.substr(at + name, value);
    at += name + value;
  }
  return uri;
}

void hello(Connection& of) {
  std::string answer(head);
  if (of.role != authorizer) answer += "hello";
  append_record(of.out, output, of.id, answer);
  append_end(of);
}

void answer(Connection& of) {
  constexpr std::string_view download = "/bench/download/";
  const std::string_view uri = uri_of(of.pairs);
  if (of.role == responder && uri.substr(0, download.size()) == download) {
    append_record(of.out, output, of.id, head);
    of.to_pour = std::strtoull(std::string(uri.substr(download.size())).c_str(), nullptr, 10);
    of.pouring = true;
  } else {
    hello(of);
  }
}

void take(Connection& of, const std::uint8_t* header, std::string_view content) {
  switch (header[1]) {
    case begin:
      of.id = static_cast<std::uint16_t>(header[2] << 8U | header[3]);
      of.role = static_cast<std::uint8_t>(content[1]);
      of.keep = (content[2] & 1) != 0;
      of.head_sent = false;
      of.pairs.clear();
      break;
    case params:
      of.pairs.append(content);
      if (content.empty() && of.role == authorizer) hello(of);
      break;
    case body:
      if (content.empty() && of.role == responder) answer(of);
      break;
    case data:
      if (!of.head_sent) append_record(of.out, output, of.id, head);
      of.head_sent = true;
      if (content.empty())
        append_end(of);
      else
        append_record(of.out, output, of.id, content);
      break;
    default:
      break;
  }
}

/// Takes whole records off the front; gives how many bytes.
std::size_t take_records(Connection& of, const std::uint8_t* bytes, std::size_t size) {
  std::size_t at = 0;
  while (size - at >= 8) {
    const std::uint8_t* const header = bytes + at;
    const std::size_t content = static_cast<std::size_t>(header[4] << 8U | header[5]);
    if (size - at < 8 + content + header[6]) break;
    take(of, header, {reinterpret_cast<const char*>(header) + 8, content});
    at += 8 + content + header[6];
  }
  return at;
}

class Server {
 public:
  explicit Server(int listener) : listener_(listener), epoll_(::epoll_create1(EPOLL_CLOEXEC)), read_(262144) {
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  }

  void run() {
    std::array<epoll_event, 128> ready;
    for (;;) {
      const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), -1);
      for (int at = 0; at < count; ++at) {
        if (ready[at].data.ptr == nullptr)
          accept();
        else
          on_event(*static_cast<Connection*>(ready[at].data.ptr), ready[at].events);
      }
    }
  }

 private:
  void accept() {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    auto* const made = new Connection;  // Freed in close().
    made->descriptor = descriptor;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = made;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    on_event(*made, EPOLLIN);
  }

  void on_event(Connection& of, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !send(of)) return;
    if ((events & ~std::uint32_t{EPOLLOUT}) == 0 || of.watches_writing) return;
    const ssize_t got = ::recv(of.descriptor, read_.data(), read_.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return close(of);
    if (got < 0) return;
    const std::uint8_t* bytes = read_.data();
    auto size = static_cast<std::size_t>(got);
    if (!of.cut.empty()) {
      of.cut.insert(of.cut.end(), bytes, bytes + size);
      of.cut.erase(of.cut.begin(), of.cut.begin() + static_cast<std::ptrdiff_t>(
                                                        take_records(of, of.cut.data(), of.cut.size())));
    } else {
      const std::size_t taken = take_records(of, bytes, size);
      of.cut.assign(bytes + taken, bytes + size);
    }
    send(of);
  }

  /// False when the connection is gone.
  bool send(Connection& of) {
    while (!of.out.empty() || of.pouring) {
      while (of.out.size() < 131072 && of.pouring) pour(of);
      const ssize_t sent =
          ::send(of.descriptor, of.out.data() + of.sent, of.out.size() - of.sent, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return close(of), false;
      if (sent < 0) return watch(of, true), true;
      of.sent += static_cast<std::size_t>(sent);
      if (of.sent < of.out.size()) continue;
      of.out.clear();
      of.sent = 0;
      if (of.out.empty() && !of.pouring && !of.keep) return close(of), false;
    }
    if (of.watches_writing) watch(of, false);
    return true;
  }

  static void pour(Connection& of) {
    static const std::string piece(65528, 'x');
    const std::size_t now = of.to_pour < piece.size() ? static_cast<std::size_t>(of.to_pour) : piece.size();
    if (now != 0) append_record(of.out, output, of.id, std::string_view(piece).substr(0, now));
    of.to_pour -= now;
    if (of.to_pour != 0) return;
    of.pouring = false;
    append_end(of);
  }

  void watch(Connection& of, bool writing) const {
    epoll_event event{};
    event.events = writing ? EPOLLOUT : EPOLLIN;
    event.data.ptr = &of;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, of.descriptor, &event);
    of.watches_writing = writing;
  }

  static void close(Connection& of) {
    ::close(of.descriptor);
    delete &of;
  }

  int listener_;
  int epoll_;
  std::vector<std::uint8_t> read_;
};

}  // namespace

int main(int argc, char** argv) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (argc != 2 || std::strlen(argv[1]) >= sizeof name.sun_path) {
    std::cerr << "usage: raw PATH\n";
    return 64;
  }
  std::strcpy(name.sun_path, argv[1]);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(listener, 4096) != 0) {
    std::cerr << "raw: " << std::strerror(errno) << '\n';
    return 1;
  }
  Server(listener).run();
}
