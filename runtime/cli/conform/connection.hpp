#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cli/conform/wire.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::cli::conform {

/// What came back for one request id.
struct Answer {
  std::string out;
  std::string err;
  int ends = 0;  ///< END_REQUEST records.
  std::uint8_t protocol_status = 0;
  std::uint32_t app_status = 0;
  bool late = false;  ///< Something of this id came after its END_REQUEST.

  [[nodiscard]] bool ended() const noexcept { return ends > 0; }
  /// Of the CGI head (RFC 3875, 6): 200 without one, 302 with a Location and no Status.
  [[nodiscard]] int status() const;
  [[nodiscard]] bool has_status() const;
  [[nodiscard]] std::string_view head() const;
  [[nodiscard]] std::string_view body() const;
  /// The exchange ended well, with a status of 2xx or 3xx.
  [[nodiscard]] bool clean() const {
    return ended() && protocol_status == 0 && app_status == 0 && status() < 400;
  }
};

/// What was seen on any connection.
struct Seen {
  std::uint64_t records = 0;
  std::uint64_t unset = 0;  ///< Records whose reserved byte or padding was not zero.
};

/// A client of the application under test that may do everything wrong. It reads while it writes, so that
/// neither side waits for the other.
///
/// Thread  One.
class Connection {
 public:
  using Milliseconds = std::chrono::milliseconds;

  Connection(process::FileDescriptor socket, Seen& seen) : socket_(std::move(socket)), seen_(&seen) {}

  /// Writes all of `bytes`; false when the peer closed, or took nothing for `patience`.
  bool send(std::string_view bytes, Milliseconds patience);
  /// The same without reading anything.
  bool push(std::string_view bytes, Milliseconds patience);
  /// Reads until `done`, the end of the connection, or `patience` is over; gives done().
  bool wait(Milliseconds patience, const std::function<bool()>& done);
  bool wait_end(Milliseconds patience, std::uint16_t id = 1);
  bool wait_closed(Milliseconds patience);
  void half_close();
  /// Closes with a reset where the transport has one.
  void vanish();

  [[nodiscard]] Answer& answer(std::uint16_t id = 1) { return answers_[id]; }
  [[nodiscard]] const std::map<std::uint16_t, Answer>& answers() const noexcept { return answers_; }
  [[nodiscard]] const std::vector<std::string>& values() const noexcept { return values_; }
  [[nodiscard]] const std::string& unknown() const noexcept { return unknown_; }
  [[nodiscard]] std::size_t ends() const noexcept { return ends_; }
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  /// What came is no FastCGI, or nothing an application sends: says what.
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

 private:
  bool write(std::string_view bytes, Milliseconds patience, bool reading);
  void read_some();
  void take();
  void take(const Record& record);

  process::FileDescriptor socket_;
  Seen* seen_;
  std::string buffer_;
  std::map<std::uint16_t, Answer> answers_;
  std::vector<std::string> values_;  ///< The content of each GET_VALUES_RESULT.
  std::string unknown_;              ///< The type that each UNKNOWN_TYPE names.
  std::string broken_;
  std::size_t ends_ = 0;
  std::uint64_t received_ = 0;
  bool closed_ = false;  ///< Nothing more comes.
  bool gone_ = false;    ///< And nothing can be written.
};

}  // namespace trivet::cli::conform
