// What a FastCGI application costs when it is nothing but its system calls: one thread, level-triggered
// epoll, one read and one write per request. It walks over all records and pairs, and knows no route, no
// limit and no fault. What compare.py holds the others against.
//
//   raw PATH [--processes N] [--worker]
//
// Answers as tests/bench/trivet.toml does: /bench/hello, /bench/sink, /bench/download/BYTES, and in the role
// of a filter the data. Requests may share a connection; a download may not. --worker: another thread makes
// each answer, and the loop sends it, as a host does for a plugin that may block.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

enum Type : std::uint8_t { begin = 1, end = 3, params = 4, body = 5, output = 6, data = 8 };
enum Role : std::uint8_t { responder = 1, authorizer = 2, filter = 3 };

constexpr std::string_view head = "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n";

struct Request {
  std::string pairs;
  std::uint8_t role = responder;
  bool head_sent = false;
};

struct Connection {
  int descriptor = -1;
  std::vector<std::uint8_t> cut;  ///< The beginning of a record that is not there yet.
  std::vector<Request> requests;  ///< By id.
  std::string out;
  std::size_t sent = 0;       ///< Of `out`.
  std::uint64_t to_pour = 0;  ///< Bytes of a download that are not in `out` yet.
  std::uint16_t poured = 0;   ///< The id of that.
  std::size_t away = 0;       ///< Requests that the worker has.
  bool pouring = false;
  bool keep = false;
  bool watches_writing = false;
  bool gone = false;     ///< Closed, but the worker has something of it.
  bool touched = false;  ///< The worker's answers are in `out`.
};

/// What goes to the worker: the id and role of a request; and what comes back: its answer.
struct Errand {
  Connection* of;
  std::uint16_t id;
  std::uint8_t role;
  std::string answer;
};

/// The thread that makes answers. Each side is told only when it sleeps, and takes all there is.
class Worker {
 public:
  explicit Worker(int told) : told_(told), thread_([this] { run(); }) { thread_.detach(); }

  void give(Errand errand) {
    bool sleeps = false;
    {
      const std::lock_guard lock(mutex_);
      todo_.push_back(std::move(errand));
      sleeps = std::exchange(sleeps_, false);
    }
    if (sleeps) wake_.notify_one();  // Who is woken wants the mutex.
  }
  /// What is done, in the place of `before`.
  void take(std::vector<Errand>& before) {
    before.clear();
    const std::lock_guard lock(mutex_);
    before.swap(done_);
  }

 private:
  void run();

  int told_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Errand> todo_;
  std::vector<Errand> done_;
  bool sleeps_ = false;
  std::thread thread_;
};

Worker* worker = nullptr;  ///< Null: answers are made on the loop.

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

void append_end(std::string& out, std::uint16_t id) {
  append_record(out, output, id, {});
  append_record(out, end, id, std::string_view("\0\0\0\0\0\0\0\0", 8));
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

void hello(std::string& out, std::uint16_t id, std::uint8_t role) {
  std::string answer(head);
  if (role != authorizer) answer += "hello";
  append_record(out, output, id, answer);
  append_end(out, id);
}

void Worker::run() {
  std::vector<Errand> errands;
  std::unique_lock lock(mutex_);
  for (;;) {
    sleeps_ = todo_.empty();
    wake_.wait(lock, [this] { return !todo_.empty(); });
    sleeps_ = false;
    errands.swap(todo_);
    for (Errand& each : errands) {
      lock.unlock();
      hello(each.answer, each.id, each.role);
      lock.lock();
      const bool is_first = done_.empty();
      done_.push_back(std::move(each));
      lock.unlock();
      constexpr std::uint64_t one = 1;
      if (is_first && ::write(told_, &one, sizeof one) < 0) std::abort();
      lock.lock();
    }
    errands.clear();
  }
}

void hello(Connection& of, std::uint16_t id, std::uint8_t role) {
  if (worker == nullptr) return hello(of.out, id, role);
  ++of.away;
  worker->give({&of, id, role, {}});
}

void answer(Connection& of, std::uint16_t id, const Request& request) {
  constexpr std::string_view download = "/bench/download/";
  const std::string_view uri = uri_of(request.pairs);
  if (uri.substr(0, download.size()) == download) {
    append_record(of.out, output, id, head);
    of.to_pour = std::strtoull(std::string(uri.substr(download.size())).c_str(), nullptr, 10);
    of.poured = id;
    of.pouring = true;
  } else {
    hello(of, id, request.role);
  }
}

void take(Connection& of, const std::uint8_t* header, std::string_view content) {
  const auto id = static_cast<std::uint16_t>(header[2] << 8U | header[3]);
  if (of.requests.size() <= id) of.requests.resize(std::size_t{id} + 1);
  Request& request = of.requests[id];
  switch (header[1]) {
    case begin:
      request.role = static_cast<std::uint8_t>(content[1]);
      request.head_sent = false;
      request.pairs.clear();
      of.keep = (content[2] & 1) != 0;
      break;
    case params:
      request.pairs.append(content);
      if (content.empty() && request.role == authorizer) hello(of, id, authorizer);
      break;
    case body:
      if (content.empty() && request.role == responder) answer(of, id, request);
      break;
    case data:
      if (!request.head_sent) append_record(of.out, output, id, head);
      request.head_sent = true;
      if (content.empty())
        append_end(of.out, id);
      else
        append_record(of.out, output, id, content);
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
  /// `told`: an eventfd that says that the worker has done something, or -1.
  Server(int listener, int told)
      : listener_(listener), told_(told), epoll_(::epoll_create1(EPOLL_CLOEXEC)), read_(262144) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLEXCLUSIVE;  // Of several processes one is woken.
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
    event.events = EPOLLIN;
    event.data.ptr = this;
    if (told_ >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_ADD, told_, &event);
  }

  void run() {
    std::array<epoll_event, 128> ready;
    for (;;) {
      const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), -1);
      bool answers = false;
      for (int at = 0; at < count; ++at) {
        if (ready[at].data.ptr == nullptr)
          accept();
        else if (ready[at].data.ptr == this)
          answers = true;
        else
          on_event(*static_cast<Connection*>(ready[at].data.ptr), ready[at].events);
      }
      if (answers) take_answers();  // Last: it may free connections.
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

  void take_answers() {
    std::uint64_t times = 0;
    if (::read(told_, &times, sizeof times) < 0) return;
    worker->take(done_);
    for (Errand& each : done_) {
      each.of->out += each.answer;
      --each.of->away;
      if (!std::exchange(each.of->touched, true)) touched_.push_back(each.of);
    }
    for (Connection* const each : touched_) {
      each->touched = false;
      if (!each->gone)
        send(*each);
      else if (each->away == 0)
        delete each;
    }
    touched_.clear();
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
      if (!of.pouring && !of.keep) return close(of), false;
    }
    if (of.watches_writing) watch(of, false);
    return true;
  }

  static void pour(Connection& of) {
    static const std::string piece(65528, 'x');
    const std::size_t now = of.to_pour < piece.size() ? static_cast<std::size_t>(of.to_pour) : piece.size();
    if (now != 0) append_record(of.out, output, of.poured, std::string_view(piece).substr(0, now));
    of.to_pour -= now;
    if (of.to_pour != 0) return;
    of.pouring = false;
    append_end(of.out, of.poured);
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
    of.gone = true;
    if (of.away == 0) delete &of;
  }

  int listener_;
  int told_;
  int epoll_;
  std::vector<std::uint8_t> read_;
  std::vector<Errand> done_;
  std::vector<Connection*> touched_;
};

}  // namespace

int main(int argc, char** argv) {
  bool with_worker = false;
  int processes = 1;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  for (int at = 2; at < argc; ++at) {
    const std::string_view word = argv[at];
    if (word == "--worker")
      with_worker = true;
    else
      processes = word == "--processes" && at + 1 < argc ? std::atoi(argv[++at]) : 0;
  }
  if (argc < 2 || std::strlen(argv[1]) >= sizeof name.sun_path || processes < 1) {
    std::cerr << "usage: raw PATH [--processes N] [--worker]\n";
    return 64;
  }
  std::strcpy(name.sun_path, argv[1]);
  // One process of several must not wait in accept() for what another took.
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(listener, 4096) != 0) {
    std::cerr << "raw: " << std::strerror(errno) << '\n';
    return 1;
  }
  while (--processes > 0) {
    if (::fork() != 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    break;
  }
  const int told = with_worker ? ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
  if (with_worker) worker = new Worker(told);  // To the end of the process.
  Server(listener, told).run();
}
