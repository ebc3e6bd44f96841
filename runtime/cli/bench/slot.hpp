#pragma once

#include <cstdint>
#include <vector>

#include "runtime/cli/bench/answer.hpp"
#include "runtime/cli/bench/schedule.hpp"

namespace trivet::cli::bench {

/// A place for one request: an id on a connection.
///
///   idle -> live -> idle                     it was answered, or failed
///           live -> answered -> idle         it was answered before all of it was sent: the rest follows
///           live -> given_up -> idle         it timed out: its id is free when its END_REQUEST comes
///           answered -> given_up             the rest is not taken
struct Slot {
  enum class State : std::uint8_t { idle, live, answered, given_up };

  State state = State::idle;
  bool sending = false;      ///< Something of it has still to be sent.
  bool begun = false;        ///< Its BEGIN_REQUEST was sent: nothing answers it before.
  std::uint32_t before = 0;  ///< In Flights.
  std::uint32_t after = 0;
  Clock::time_point intended;   ///< Latency counts from here.
  Clock::time_point given;      ///< The timeout counts from here: it was given to a connection.
  std::uint64_t bulk_sent = 0;  ///< Of its image's bulk.
  Answer answer;
};

/// The requests that are live or answered, in the order in which they were given to a connection: the first
/// is the next to time out.
///
/// Lifetime  `slots` outlives it and stays where it is.
class Flights {
 public:
  explicit Flights(std::vector<Slot>& slots) noexcept : slots_(slots) {}

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::uint32_t first() const noexcept { return first_; }

  void add(std::uint32_t slot) noexcept {
    if (count_++ == 0) {
      first_ = slot;
    } else {
      slots_[last_].after = slot;
      slots_[slot].before = last_;
    }
    last_ = slot;
  }
  void remove(std::uint32_t slot) noexcept {
    const Slot& gone = slots_[slot];
    if (slot == first_)
      first_ = gone.after;
    else
      slots_[gone.before].after = gone.after;
    if (slot == last_)
      last_ = gone.before;
    else
      slots_[gone.after].before = gone.before;
    --count_;
  }

 private:
  std::vector<Slot>& slots_;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace trivet::cli::bench
