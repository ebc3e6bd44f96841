#pragma once

#include <trivet/abi.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trivet {

inline constexpr std::string_view sdk_version = "0.1.0";

/// Something the host refused: a header with a line break, a status out of range, a read that could not wait.
/// Left uncaught, it fails the hook: 500, or a cut response if the head went out.
class Error : public std::runtime_error {
 public:
  Error(trivet_status status, const std::string& what) : std::runtime_error(what), status_(status) {}
  [[nodiscard]] trivet_status status() const noexcept { return status_; }

 private:
  trivet_status status_;
};

/// The client is gone, or the request was aborted or timed out. Thrown by reads and writes so that a hook
/// returns soon; leave it uncaught. It is no failure and is not logged as one.
class Cancelled : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "the request was cancelled"; }
};

/// How a stream of input ended.
enum class End : std::uint32_t {
  not_yet = TRIVET_END_NOT_YET,
  complete = TRIVET_END_COMPLETE,
  cut_short = TRIVET_END_SHORT,  ///< Fewer bytes than announced; only with `wants_short`.
  too_long = TRIVET_END_LONG,    ///< More bytes than announced: the surplus was dropped.
};

/// Which of its three questions Apache asks an authorizer (FCGI_APACHE_ROLE): its directives
/// FcgidAccessChecker, FcgidAuthenticator and FcgidAuthorizer.
enum class Phase : std::uint32_t {
  none = TRIVET_PHASE_NONE,                      ///< Any other request, of any web server.
  access_checker = TRIVET_PHASE_ACCESS_CHECKER,  ///< May anybody come in? Nobody is known yet.
  authenticator = TRIVET_PHASE_AUTHENTICATOR,    ///< Is this REMOTE_USER's password REMOTE_PASSWD?
  authorizer = TRIVET_PHASE_AUTHORIZER,          ///< May REMOTE_USER, who is verified, come in?
};

enum class Level : std::uint32_t {
  debug = TRIVET_LEVEL_DEBUG,
  info = TRIVET_LEVEL_INFO,
  warn = TRIVET_LEVEL_WARN,
  error = TRIVET_LEVEL_ERROR,
};

/// One CGI variable.
struct Param {
  std::string_view name;
  std::string_view value;
};

/// Whether a secret that came with a request is the expected one, in a time that depends only on the length
/// of what came, so that answering times tell nothing about the secret. An empty secret equals nothing.
[[nodiscard]] inline bool same_secret(std::string_view given, std::string_view expected) noexcept {
  if (expected.empty()) return false;
  volatile unsigned difference = given.size() == expected.size() ? 0U : 1U;
  for (std::size_t at = 0; at < given.size(); ++at) {
    const auto a = static_cast<unsigned char>(given[at]);
    const auto b = static_cast<unsigned char>(expected[at % expected.size()]);
    difference = difference | static_cast<unsigned>(a ^ b);
  }
  return difference == 0;
}

/// What stands between the classes an author sees and <trivet/abi.h>.
namespace sdk {

[[nodiscard]] constexpr trivet_text text(std::string_view from) noexcept {
  return {from.data(), from.size()};
}
[[nodiscard]] constexpr std::string_view view(trivet_text from) noexcept {
  return from.len == 0 ? std::string_view() : std::string_view(from.ptr, from.len);
}

[[noreturn]] inline void raise(trivet_status status, std::string_view doing, std::string_view with) {
  if (status == TRIVET_E_CANCELLED) throw Cancelled();
  std::string what(doing);
  if (!with.empty()) what.append(" \"").append(with.substr(0, 80)).append("\"");
  switch (status) {
    case TRIVET_E_ABSENT:
      what += ": there is none";
      break;
    case TRIVET_E_ARGUMENT:
      what += ": the value is not allowed";
      break;
    case TRIVET_E_STATE:
      what += ": not at this time";
      break;
    case TRIVET_E_LIMIT:
      what += ": a limit of the host was met";
      break;
    default:
      what += ": the host failed";
      break;
  }
  throw Error(status, what);
}

inline void require(trivet_status status, std::string_view doing, std::string_view with = {}) {
  if (status != TRIVET_OK) [[unlikely]]
    raise(status, doing, with);
}

}  // namespace sdk
}  // namespace trivet
