#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/base/loop.hpp"
#include "runtime/plugin/threads.hpp"

namespace trivet::source {

/// A few threads for what may wait for a disk, so that the loop never does.
///
/// Every source has a share of them: where there are several, one whose disk hangs keeps half of the threads
/// at most. What does not run waits in its share; the shares that wait take turns.
///
/// Thread    [loop], but for Work::on_disk.
/// Lifetime  Outlives its shares, they outlive their work.
/// Memory    A buffer for each piece of work that a thread has or the loop has not yet looked at: as many as
///           there are threads.
class Disk {
 public:
  static constexpr std::size_t buffer_size = 65536;

  class Work;

  /// The part that one source has.
  class Share {
   public:
    explicit Share(Disk& disk) : disk_(disk) { ++disk.shares_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { --disk_.shares_; }

    [[nodiscard]] Disk& disk() const noexcept { return disk_; }

   private:
    friend class Disk;
    Disk& disk_;
    std::size_t out_ = 0;  ///< Its work that threads have.
    Work* first_ = nullptr;
    Work* last_ = nullptr;
    Share* next_ = nullptr;  ///< After this one it is its turn.
    bool in_line_ = false;
  };

  /// `at_once`: how many threads they are. `queue`: how many requests may wait that have not begun.
  Disk(std::unique_ptr<plugin::Workers> threads, std::size_t at_once, std::size_t queue);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk();

  /// Threads as many as `at_once`. Throws std::system_error when the system gives no more. [startup]
  [[nodiscard]] static std::unique_ptr<Disk> start(std::size_t at_once, std::size_t queue);

  /// For what the loop reads itself, and passes on before it reads again.
  [[nodiscard]] std::span<std::uint8_t> loop_buffer();

  /// As plugin::Workers.
  [[nodiscard]] plugin::Workers::Load load(base::TimePoint now, base::Duration patience) const {
    return threads_->load(now, patience);
  }
  [[nodiscard]] bool abandon(std::chrono::milliseconds patience) { return threads_->abandon(patience); }

 private:
  using Block = std::unique_ptr<std::uint8_t[]>;

  [[nodiscard]] std::size_t most_of_a_share() const noexcept;
  void line_up(Share& share) noexcept;
  void start_work(Work& work);
  void start_next();
  void end_work(Share& share, Block block);

  std::unique_ptr<plugin::Workers> threads_;
  std::size_t at_once_;
  std::size_t queue_;
  std::size_t out_ = 0;
  std::size_t waiting_ = 0;  ///< Work that begins a request, in all shares.
  std::size_t shares_ = 0;
  Share* first_in_line_ = nullptr;
  Share* last_in_line_ = nullptr;
  std::vector<Block> blocks_;
  Block loop_block_;
};

/// One thing to do on a disk. Intrusive: submitting allocates nothing.
///
/// Lifetime  Not destroyed while is_out().
class Disk::Work : private plugin::Job, private base::Task {
 public:
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() override = default;

  /// It waits, runs, or is on its way back.
  [[nodiscard]] bool is_out() const noexcept { return state_ != State::idle; }

 protected:
  enum class Kind : bool {
    first,      ///< It begins a request: refused where the queue is full.
    following,  ///< The request has begun.
  };
  /// False when the queue is full.
  [[nodiscard]] bool submit(Share& share, base::Loop& loop, Kind kind);
  /// True when it had not begun and now will not; else it runs, and comes back.
  [[nodiscard]] bool withdraw();

  virtual void on_disk(std::span<std::uint8_t> buffer) = 0;  ///< [disk thread]
  /// Back on the loop. It may be submitted again, and destroyed, inside.
  virtual void on_back(std::span<const std::uint8_t> buffer) = 0;

 private:
  friend class Disk;
  enum class State : std::uint8_t { idle, waiting, out };

  void run(void* instance, std::uint32_t thread) override;
  void run() override;
  void unlink() noexcept;

  Share* share_ = nullptr;
  base::Loop* loop_ = nullptr;
  Work* next_ = nullptr;
  Work* previous_ = nullptr;
  Block block_;
  Kind kind_ = Kind::first;
  State state_ = State::idle;
};

}  // namespace trivet::source
