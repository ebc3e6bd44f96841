#include "runtime/process/attach_stub.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>

#include "runtime/process/spawner.hpp"

namespace trivet::process {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_usage = 64;
constexpr int exit_unreachable = 69;
constexpr long retry_ms = 100;
constexpr long patience_ms = 30'000;

volatile std::sig_atomic_t asked_to_end = 0;
void on_signal(int /*number*/) { asked_to_end = 1; }

void say(const char* text, const char* more = "", const char* end = "") {
  std::array<char, 512> line{};
  const int length = std::snprintf(line.data(), line.size(), "trivet: attach: %s%s%s\n", text, more, end);
  if (length > 0) static_cast<void>(!::write(STDERR_FILENO, line.data(), std::strlen(line.data())));
}

long now_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

/// Signals end a wait, and nothing else. `open` is what they are let through by.
void hold_signals(sigset_t& open) {
  constexpr std::array ends = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1};
  // lighttpd sends it to all of its group when logs are to be opened anew.
  static_cast<void>(std::signal(SIGHUP, SIG_IGN));
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigset_t all;
  ::sigemptyset(&all);
  for (const int each : ends) {
    ::sigaction(each, &action, nullptr);
    ::sigaddset(&all, each);
  }
  ::sigprocmask(SIG_BLOCK, &all, &open);
  for (const int each : ends) ::sigdelset(&open, each);
}

/// Waits for the other end to say or end something; without one (-1) for as long as told. 0: a time or a
/// signal ended it.
int wait_on(int socket, long milliseconds, const sigset_t& open) {
  timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  pollfd one{socket, POLLIN, 0};
  return ::ppoll(&one, socket < 0 ? 0 : 1, milliseconds < 0 ? nullptr : &time, &open);
}

/// A connection over which descriptor 0 was sent, or which the host has ended already: it may have said why.
/// -1 with errno.
int hand_over(const sockaddr_un& host) {
  const int link = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (link < 0) return -1;
  std::array<char, sizeof attach_greeting - 1> greeting{};
  std::memcpy(greeting.data(), attach_greeting, greeting.size());
  iovec piece{greeting.data(), greeting.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const about = CMSG_FIRSTHDR(&message);
  about->cmsg_level = SOL_SOCKET;
  about->cmsg_type = SCM_RIGHTS;
  about->cmsg_len = CMSG_LEN(sizeof(int));
  const int socket = STDIN_FILENO;
  std::memcpy(CMSG_DATA(about), &socket, sizeof socket);
  if (::connect(link, reinterpret_cast<const sockaddr*>(&host), sizeof host) == 0) {  // NOLINT
    const ssize_t sent = ::sendmsg(link, &message, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(greeting.size()) || errno == EPIPE || errno == ECONNRESET) return link;
  }
  const int error = errno;
  ::close(link);
  errno = error;
  return -1;
}

bool is_unix_listener() noexcept {
  int family = 0;
  socklen_t size = sizeof family;
  return is_spawned() && ::getsockopt(STDIN_FILENO, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
         family == AF_UNIX;
}

const char* cure_of(int error) noexcept {
  switch (error) {
    case ENOENT:
      return ": start the host first; its `attach` names this socket";
    case ECONNREFUSED:
      return ": the host has ended; start it";
    case EACCES:
    case EPERM:
      return ": let this user in, by `attach = { group = ... }` of the host's configuration";
    default:
      return "";
  }
}

/// A web server may have closed them: no connection may take their place.
void open_standard_streams() noexcept {
  for (const int each : {STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(each, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

class Stub {
 public:
  Stub(const sockaddr_un& host, const sigset_t& open) noexcept : host_(host), open_(open) {}

  /// To the exit code.
  int stay() {
    long since = now_ms();  // Nobody has the socket.
    for (bool first = true; asked_to_end == 0; first = false) {
      const int link = hand_over(host_);
      if (link < 0 && first) {
        std::array<char, 256> why{};
        const int error = errno;
        std::snprintf(why.data(), why.size(), ": %s%s", std::strerror(error), cure_of(error));  // NOLINT
        say("no host at unix:", host_.sun_path, why.data());
        return exit_unreachable;
      }
      if (link >= 0 && was_attached(link)) since = now_ms();
      if (link >= 0) ::close(link);
      if (refused_ || asked_to_end != 0) break;
      if (now_ms() - since > patience_ms) {
        say("the host did not come back within 30 seconds: unix:", host_.sun_path);
        return exit_unreachable;
      }
      static_cast<void>(wait_on(-1, retry_ms, open_));
    }
    return refused_ ? exit_unreachable : exit_ok;
  }

 private:
  /// To the end of the connection, or to a signal. Whether the host had taken the socket.
  bool was_attached(int link) {
    bool attached = false;
    while (asked_to_end == 0) {
      if (wait_on(link, -1, open_) <= 0) continue;
      std::array<char, 200> said{};
      const ssize_t got = ::recv(link, said.data(), said.size() - 1, 0);
      if (got <= 0) break;
      // What follows it, why the socket is wanted no more, may have come with it.
      if (!attached && !std::string_view(said.data()).starts_with(attach_answer)) {
        refused_ = true;
        said[static_cast<std::size_t>(got) - 1] = '\0';  // Its line's end.
        say("the host does not take the socket: ", said.data());
        break;
      }
      attached = true;
    }
    return attached;
  }

  const sockaddr_un& host_;
  const sigset_t& open_;
  bool refused_ = false;
};

}  // namespace

int attach(const char* address) {
  open_standard_streams();
  constexpr std::string_view kind = "unix:";
  const std::string_view written = address;
  const std::string_view path = written.starts_with(kind) ? written.substr(kind.size()) : written;
  sockaddr_un host{};
  host.sun_family = AF_UNIX;
  if (!path.starts_with('/') || path.size() >= sizeof host.sun_path) {
    say("the host's socket is unix:/PATH, of at most 107 bytes, not ", address);
    return exit_usage;
  }
  std::memcpy(host.sun_path, path.data(), path.size());
  if (!is_unix_listener()) {
    say("descriptor 0 is no listening unix socket: a web server starts this (mod_fcgid, lighttpd's "
        "bin-path)");
    return exit_usage;
  }
  close_leaked_descriptors();
  sigset_t open;
  hold_signals(open);
  return Stub(host, open).stay();
}

}  // namespace trivet::process
