#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/cli/bench/request_image.hpp"
#include "runtime/cli/bench/slot.hpp"
#include "runtime/process/file_descriptor.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::cli::bench {

/// What a lane tells of the answers that it reads. Ids are those of slots that are not idle.
class LaneEvents {
 public:
  LaneEvents() = default;
  LaneEvents(const LaneEvents&) = delete;
  LaneEvents& operator=(const LaneEvents&) = delete;
  virtual ~LaneEvents() = default;

  virtual void on_output(std::uint32_t lane, std::uint16_t id, base::Bytes bytes) = 0;
  virtual void on_error_output(base::Bytes bytes) = 0;
  virtual void on_end(std::uint32_t lane, std::uint16_t id, std::uint32_t app_status,
                      std::uint8_t protocol_status) = 0;
  /// All of this request is sent.
  virtual void on_sent(std::uint32_t lane, std::uint16_t id) = 0;
};

/// One connection to the application, that one after the other takes the place of: what waits to be sent on
/// it, and the records that come back. Ids are 1 to the number of its slots.
///
/// Thread    The one of the load.
/// Lifetime  `slots` and `image` outlive it.
/// Memory    The starts of requests that the socket does not take yet: 64 KiB, and one request.
class Lane {
 public:
  Lane(std::uint32_t number, std::span<Slot> slots, const RequestImage& image);

  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  [[nodiscard]] std::span<Slot> slots() noexcept { return slots_; }
  [[nodiscard]] Slot& slot(std::uint16_t id) noexcept { return slots_[id - 1U]; }

  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  void open(process::FileDescriptor socket) noexcept;
  /// Forgets what was to be sent and what was half received; the slots are the caller's to settle.
  void close() noexcept;

  /// Ids that are idle. The one that was last in use is the next.
  [[nodiscard]] bool has_idle() const noexcept { return !idle_.empty(); }
  [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
  [[nodiscard]] std::uint16_t take_idle() noexcept;
  void give_back(std::uint16_t id);

  /// The request of this id is to be sent, after those that wait.
  void queue(std::uint16_t id) noexcept;
  [[nodiscard]] bool has_to_send() const noexcept { return waiting_ != 0 || !out_.empty(); }

  enum class Sent : std::uint8_t { all, blocked, broken };
  /// Sends what the socket takes. Broken: reading tells why. Adds to `bytes` what was sent.
  [[nodiscard]] Sent send(std::uint64_t& bytes, LaneEvents& events);

  /// What was read. Gives what is wrong with it, and is then not to be given more. Stops early where close()
  /// was called.
  [[nodiscard]] std::string take(base::Bytes bytes, LaneEvents& events);

 private:
  void fill(LaneEvents& events);
  void pop() noexcept;
  [[nodiscard]] std::uint16_t front() const noexcept { return queue_[first_]; }
  void count(std::size_t sent, LaneEvents& events);
  [[nodiscard]] std::string begin_record();

  std::uint32_t number_;
  std::span<Slot> slots_;
  const RequestImage& image_;
  process::FileDescriptor socket_;

  std::vector<std::uint16_t> idle_;
  std::vector<std::uint16_t> queue_;  ///< A ring of ids whose request has still to be sent.
  std::size_t first_ = 0;
  std::size_t waiting_ = 0;
  bool in_bulk_ = false;  ///< The start of the first of the queue is in out_ or sent.
  base::Buffer out_;

  protocol::RecordDecoder decoder_;
  std::size_t end_taken_ = 0;
  std::array<std::uint8_t, 8> end_{};
};

}  // namespace trivet::cli::bench
