#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace load {

using Clock = std::chrono::steady_clock;

/// What happened since the last report.
struct Counts {
  std::uint64_t answered = 0;     ///< Whole and right.
  std::uint64_t wrong = 0;        ///< An answer to another request, another Status, records that cannot be.
  std::uint64_t failed = 0;       ///< Requests whose connection ended before their answer was whole.
  std::uint64_t closed = 0;       ///< Connections that were to stay, and that the other side closed.
  std::uint64_t refused = 0;      ///< Connects that failed.
  Clock::duration slowest_gap{};  ///< Between one answer and the next, whoever asked.
  Clock::duration slowest_answer{};  ///< From a request to its answer.
  std::map<std::string, std::uint64_t> editions;
  std::map<std::string, std::uint64_t> pids;
  std::string first_wrong;

  void right(std::string_view edition, std::string_view pid, Clock::duration took) {
    ++answered;
    ++editions[std::string(edition)];
    ++pids[std::string(pid)];
    slowest_answer = std::max(slowest_answer, took);
  }
  void bad(std::string_view what) {
    if (wrong++ == 0) first_wrong = what.substr(0, 200);
  }
};

/// One line of JSON.
std::string render(const Counts& counts, std::size_t idle_open);

}  // namespace load
