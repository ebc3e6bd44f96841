#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/faults/load/counts.hpp"
#include "tests/faults/load/wire.hpp"

namespace load {

/// Where to, and what.
struct Target {
  bool speaks_http = false;
  bool is_unix = false;
  std::string place;  ///< A path, or a host.
  std::uint16_t port = 0;
  std::string uri = "/";
};

/// `unix:PATH`, `tcp:HOST:PORT`, `http:HOST:PORT`, HOST an IPv4 address. False where it is none.
bool read_target(std::string_view text, Target& target);

/// One connection that asks, checks, and asks again when it is told to; it is opened anew when it was closed.
///
/// A request's query is `n=NUMBER`, its answer has to be `EDITION PID n=NUMBER`.
class Client {
 public:
  enum class Kind : std::uint8_t { once, kept, idle };

  /// `epoll` tells of this by its address.
  Client(const Target& target, Counts& counts, int epoll, Kind kind)
      : target_(target), counts_(counts), epoll_(epoll), kind_(kind) {}
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Asks under this id. False when no connection could be made.
  bool ask(std::uint16_t id, std::uint64_t number);
  /// Something happened to its connection; `done` gets the ids that are free again, answered or lost.
  void on_event(bool is_readable, Clock::time_point now, std::vector<std::uint16_t>& done);
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_open() const noexcept { return socket_ >= 0; }
  [[nodiscard]] std::size_t asked() const noexcept { return asked_.size(); }

 private:
  struct Asked {
    std::uint64_t number = 0;
    Clock::time_point since;
    Answer answer;
  };

  bool open();
  void close();
  void lose(std::vector<std::uint16_t>& done);
  void send_out();
  void watch(bool wants_room);
  bool take_fastcgi(Clock::time_point now, std::vector<std::uint16_t>& done);
  bool take_http(Clock::time_point now, std::vector<std::uint16_t>& done);
  void judge(const Asked& asked, std::string_view body, Clock::time_point now);

  const Target& target_;
  Counts& counts_;
  int epoll_;
  Kind kind_;
  int socket_ = -1;
  bool waits_for_room_ = false;
  std::string in_;
  std::string out_;
  std::map<std::uint16_t, Asked> asked_;
};

}  // namespace load
