#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/cli/bench/histogram.hpp"

namespace trivet::cli::bench {

/// Why a request failed. Each counts once.
enum class Failure : std::uint8_t {
  connect,     ///< No connection was to be had.
  closed,      ///< The connection ended before the answer did.
  timeout,     ///< No end of the answer within --timeout.
  protocol,    ///< What came is not FastCGI, or nothing that answers what was asked.
  refused,     ///< Another protocol status than REQUEST_COMPLETE.
  app_status,  ///< Another application status than 0.
  head,        ///< The head of the answer is cut, malformed or missing.
  status,      ///< Another Status than is wanted.
  body,        ///< Another body than that of the first answer.
  unsent,      ///< Open loop: its time came, and no connection was free until the end.
};

inline constexpr std::array<std::string_view, 10> failure_names = {
    "connect", "closed", "timeout", "protocol", "refused", "app_status", "head", "status", "body", "unsent"};

/// What was counted.
struct Tally {
  std::uint64_t good = 0;
  std::array<std::uint64_t, failure_names.size()> failures{};
  Histogram latency;  ///< Of the good ones, in nanoseconds.
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t error_output = 0;  ///< Bytes of FCGI_STDERR.
  std::uint64_t connections = 0;   ///< That were opened.
  std::uint64_t repeated = 0;      ///< Requests sent again, on a new connection.
  std::string first_problem;       ///< Of the first that failed, for a person.
  std::string first_error_output;  ///< The first bytes of FCGI_STDERR.

  [[nodiscard]] std::uint64_t failed() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t each : failures) sum += each;
    return sum;
  }
  [[nodiscard]] std::uint64_t answered() const noexcept { return good + failed(); }

  /// `problem` is made only of the first one.
  template <class Problem>
  void fail(Failure kind, const Problem& problem, std::uint64_t times = 1) {
    if (failed() == 0) first_problem = problem();
    failures[static_cast<std::size_t>(kind)] += times;
  }
};

}  // namespace trivet::cli::bench
