#include "runtime/cli/admin_command.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "runtime/cli/call_address.hpp"
#include "runtime/cli/connect.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/config/load.hpp"

namespace trivet::cli {
namespace {

using Clock = std::chrono::steady_clock;
using host::AdminAnswerReader;
using Request = host::AdminRequest::Command;

constexpr const char* default_socket = "/run/trivet/admin.sock";
constexpr std::chrono::milliseconds patience = std::chrono::seconds(10);

std::string_view cure_of_admin(int error) {
  switch (error) {
    case ENOENT:
      return "there is no such socket: is the host running, with `processes`, and is this its `admin`? -c "
             "FILE "
             "finds the one of a configuration";
    case ECONNREFUSED:
      return "nobody listens there any more: the host has ended without removing it";
    case EACCES:
    case EPERM:
      return "only root and the user of the host may ask it";
    case EPROTOTYPE:
      return "this is not an admin socket";
    case EAGAIN:
    case EINPROGRESS:
    case ETIMEDOUT:
      return "the host did not accept the connection in time";
    default:
      return "is the host running?";
  }
}

/// Waits until the socket is ready; false when the time is over.
bool wait_for(int socket, short events, std::optional<Clock::time_point> limit) {
  for (;;) {
    int left = -1;
    if (limit) {
      left = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*limit - Clock::now()).count());
      if (left <= 0) return false;
    }
    pollfd one{socket, events, 0};
    const int ready = ::poll(&one, 1, left);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

/// What the host says, to the end of the connection where that is the process's.
AdminAnswerReader ask(int socket, const host::AdminRequest& request, bool& in_time) {
  std::optional<Clock::time_point> limit;
  if (request.command == Request::status || request.command == Request::log_level)
    limit = Clock::now() + patience;
  const bool to_the_end =
      request.wait && (request.command == Request::stop || request.command == Request::drain);
  AdminAnswerReader reader;
  // As short as it is, it fits into the socket at once. Who is refused cannot send, but may be told why.
  const std::string line = pack(request);
  static_cast<void>(::send(socket, line.data(), line.size(), MSG_NOSIGNAL));
  std::array<char, 64 * 1024> bytes{};
  while (reader.state() == AdminAnswerReader::State::reading ||
         (to_the_end && reader.state() == AdminAnswerReader::State::done)) {
    in_time = wait_for(socket, POLLIN, limit);
    if (!in_time) break;
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (got > 0) {
      reader.take({bytes.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      break;
    }
  }
  return reader;
}

int tell(const host::AdminAnswer& answer) {
  if (!write_all(STDOUT_FILENO, answer.data)) {
    say(base::system_error("the answer cannot be written", errno).message);
    return exit_failed;
  }
  static_cast<void>(write_all(STDERR_FILENO, answer.messages));
  return answer.code;
}

}  // namespace

int run_admin(const AdminCommand& command) {
  config::Address address = config::UnixAddress{default_socket};
  if (!command.address.empty()) {
    address = std::get<config::Address>(call_address(command.address));
  } else if (!command.config_file.empty()) {
    auto path = config::find_admin_socket(command.config_file);
    if (!path) {
      static_cast<void>(write_all(STDERR_FILENO, path.error().message));
      return exit_configuration;
    }
    if (path->empty()) {
      say(command.config_file + ": `admin` is \"off\": a host of this configuration cannot be asked");
      return exit_unreachable;
    }
    address = config::UnixAddress{std::move(path).value()};
  }
  const std::string where = "unix:" + std::get<config::UnixAddress>(address).path;
  const auto connected = connect_to(address, patience, cure_of_admin);
  if (!connected) {
    say(connected.error().message);
    return exit_unreachable;
  }
  bool in_time = true;
  const AdminAnswerReader reader = ask(connected.value().get(), command.request, in_time);
  switch (reader.state()) {
    case AdminAnswerReader::State::done:
      return tell(reader.answer());
    case AdminAnswerReader::State::broken:
      say(where + ": this is no admin socket of a Trivet host, or one of another version");
      return exit_failed;
    case AdminAnswerReader::State::reading:
      break;
  }
  if (!in_time) {
    say(where + ": the host does not answer");
    return exit_unreachable;
  }
  say(where + ": the host ended the connection without an answer (root and its own user may ask it)");
  return exit_failed;
}

}  // namespace trivet::cli
