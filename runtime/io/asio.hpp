#pragma once

// Private to this floor: nobody else includes Asio.

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include "runtime/io/event_loop.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

namespace asio = boost::asio;
using boost::system::error_code;

/// Concrete, so that no call goes through a type-erased executor.
using Executor = asio::io_context::executor_type;
/// Only waits go through Asio, reads and writes are plain system calls: Asio may read before a handler runs,
/// which in a buffer shared by connections mixes their bytes.
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
using SteadyTimer = asio::basic_waitable_timer<base::Clock, asio::wait_traits<base::Clock>, Executor>;

/// Memory for one pending operation, inside whoever waits: waiting allocates nothing.
struct OperationSlot {
  static constexpr std::size_t size = 144;  ///< Asio 1.26 needs 112 for a wait whose handler is two words.
  alignas(std::max_align_t) std::array<std::byte, size> bytes;
  bool used = false;
};

/// Hands the slot to Asio, and takes from the heap what does not fit.
template <class T>
class SlotAllocator {
 public:
  using value_type = T;
  explicit SlotAllocator(OperationSlot& slot) noexcept : slot_(&slot) {}
  template <class U>
  SlotAllocator(const SlotAllocator<U>& other) noexcept : slot_(other.slot_) {}  // NOLINT: a rebind

  [[nodiscard]] T* allocate(std::size_t n) {
    if (sizeof(T) * n <= OperationSlot::size && !slot_->used) {
      slot_->used = true;
      return reinterpret_cast<T*>(slot_->bytes.data());  // NOLINT: raw storage
    }
    return static_cast<T*>(::operator new(sizeof(T) * n));
  }
  void deallocate(T* memory, std::size_t) noexcept {
    if (static_cast<void*>(memory) == static_cast<void*>(slot_->bytes.data())) {
      slot_->used = false;
    } else {
      ::operator delete(memory);
    }
  }
  template <class U>
  bool operator==(const SlotAllocator<U>& other) const noexcept {
    return slot_ == other.slot_;
  }

 private:
  template <class>
  friend class SlotAllocator;
  OperationSlot* slot_;
};

struct EventLoop::Impl {
  Impl();

  /// Every handler of this floor runs its body in here.
  template <class Body>
  void turn(Body&& body) {
    begin_turn();
    std::forward<Body>(body)();
    end_turn();
  }
  [[nodiscard]] base::TimePoint now() const noexcept {
    if (!time_known) {
      time = base::Clock::now();
      time_known = in_turn;
    }
    return time;
  }
  void begin_turn() noexcept {
    in_turn = true;
    time_known = false;
  }
  void end_turn();
  void run_tasks();
  void set_wakeup();
  void on_wakeup(std::uint64_t serial);
  void await_posts();
  void take_posts() noexcept;

  // One thread uses it, and says so: no locks in Asio. Hence nobody else may touch it, not even to post.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  SteadyTimer wakeup{context.get_executor()};
  Descriptor posted{context.get_executor()};  // an eventfd
  int posted_descriptor = -1;                 // the same, for other threads

  base::TimerQueue timers;
  base::TimePoint wakeup_at = base::TimePoint::max();  // what the kernel's timer is set to
  std::uint64_t wakeup_serial = 0;

  base::TaskList local;  // [loop]
  bool local_scheduled = false;
  std::mutex remote_mutex;
  base::TaskList remote;  // guarded by remote_mutex

  bool in_turn = false;
  mutable bool time_known = false;
  mutable base::TimePoint time{};
  std::array<std::uint8_t, EventLoop::read_buffer_size> read_buffer;
};

}  // namespace trivet::io
