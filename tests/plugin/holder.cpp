#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <trivet/plugin.hpp>

/// Holds what one process alone can: a lock on a file, and a port. Compiled as two editions, for reloads. One
/// that finds them held does not start; with `then` it does what it says once it has them.
struct Holder {
  static constexpr bool never_blocks = true;
  static constexpr bool exclusive = true;
  struct Config {
    std::string lock;
    std::int64_t port = 0;
    std::string then = "serve";
    static constexpr auto settings =
        trivet::settings(trivet::setting("lock", &Config::lock).required(),
                         trivet::setting("port", &Config::port).required().between(1, 65535),
                         trivet::setting("then", &Config::then).one_of("serve", "throw", "abort", "hang"));
  };

  explicit Holder(const Config& config) {
    lock_.descriptor = ::open(config.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    check(lock_.descriptor >= 0, "the lock's file");
    check(::flock(lock_.descriptor, LOCK_EX | LOCK_NB) == 0, "the lock is held");
    port_.descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(port_.descriptor >= 0, "a socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(config.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::bind(port_.descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          "the port is held");
    check(::listen(port_.descriptor, 1) == 0, "the port");
    if (config.then == "throw") throw std::runtime_error("thrown on purpose, with the lock and the port");
    if (config.then == "abort") std::abort();
    if (config.then == "hang") {
      for (;;) ::pause();
    }
  }

  /// `EDITION PID QUERY_STRING`
  void handle(trivet::Request& request, trivet::Response& out) {
    out << std::to_string(EDITION) << ' ' << std::to_string(::getpid()) << ' ' << request.query();
  }

  struct Descriptor {
    Descriptor() = default;
    ~Descriptor() { ::close(descriptor); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int descriptor = -1;
  };
  static void check(bool is_well, const char* what) {
    if (!is_well) throw std::system_error(errno, std::generic_category(), what);
  }

  Descriptor lock_;
  Descriptor port_;
};

TRIVET_PLUGIN(Holder, "holder", "1.0.0")
