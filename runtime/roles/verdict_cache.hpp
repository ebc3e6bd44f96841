#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/loop.hpp"
#include "runtime/cgi/verdict.hpp"
#include "runtime/config/config.hpp"
#include "runtime/roles/guard_reads.hpp"
#include "runtime/roles/stage.hpp"

namespace trivet::roles {

/// The verdicts of one guard of one route, remembered for requests that are alike in all that the guard read.
///
/// What a guard reads is seen while it runs. The names make a *shape*; guards that read more of some requests
/// than of others have several. A verdict is kept under its shape and what the names of that shape meant in
/// its request, absent being a meaning of its own, so it answers only a request in which all of them mean the
/// same. Whoever decides by what he reads would decide the same again; whoever reads by chance gets no wrong
/// answer either, only fewer. What a guard knows from elsewhere (time, files, zones) is what the times to
/// live are for.
///
/// Requests that are alike in everything that the guard was ever seen to read wait for the first of them, and
/// then look again: what is remembered by then may be for them or not. While nothing was seen yet, all wait
/// for the first call, once.
///
/// Values are never kept, they may be passwords: 128 bits stand for them, by two SipHashes with keys that
/// nobody knows. A guess meets one of 20,000 entries with a probability of one in 10^34: as good as none in a
/// million guesses a second for a century.
///
/// Thread    [loop].
/// Lifetime  Part of its Guard; callers leave before they end. A task of its loop while it has some to call.
/// Memory    Up to `entries` allows and as many denies, of 1 KiB on average (but 16 KiB of each kind in any
///           case); the one that was not used for longest goes. A verdict of more than 16 KiB is not kept.
class VerdictCache final : private base::Task {
 public:
  using Seed = std::array<std::uint64_t, 4>;
  struct Digest {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    friend bool operator==(const Digest&, const Digest&) = default;
  };
  static constexpr std::size_t most_shapes = 8;
  static constexpr std::size_t largest_verdict = 16384;
  static constexpr std::size_t average_verdict = 1024;
  /// What a guard may read and be remembered for, in bytes: looking must not cost more than asking.
  static constexpr std::size_t most_read = 65536;

  /// One request, under each shape. Made by find().
  struct Keys {
    std::array<std::optional<Digest>, most_shapes> of = {};  ///< Nothing: it says too much there.
    Digest all = {};                                         ///< Under all of them.
    bool is_comparable = true;                               ///< False: under some shape it says too much.
  };

  /// How a call that others may wait for ended.
  enum class Fate : std::uint8_t {
    remembered,
    not_remembered,  ///< There is a verdict, but not for others.
    failed,
    cancelled,
  };

  /// Somebody who asks the guard, or waits for who does.
  class Caller {
   public:
    Caller() = default;
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    virtual ~Caller() = default;
    /// It waits no more: look again. `may_join`: and wait again where that is of use.
    virtual void on_call_over(bool may_join) = 0;

   private:
    friend class VerdictCache;
    struct Queue {
      Caller* first = nullptr;
      Caller* last = nullptr;
    };
    Queue* waits_in_ = nullptr;
    Caller* previous_ = nullptr;
    Caller* next_ = nullptr;
    bool may_join_ = true;
    std::optional<Digest> leads_;  ///< The key of what it was the first to ask.
  };

  VerdictCache(const config::VerdictCache& settings, const Seed& seed);
  ~VerdictCache() override;
  VerdictCache(const VerdictCache&) = delete;
  VerdictCache& operator=(const VerdictCache&) = delete;

  /// Whether a verdict for this request is remembered: then it is in `verdict` and `reason`.
  [[nodiscard]] bool find(const CallFacts& facts, Keys& keys, cgi::Verdict& verdict, std::string& reason);
  /// Keeps a verdict for at most `lifetime` nanoseconds after the guard was asked; false if it is not to be
  /// kept.
  [[nodiscard]] bool remember(const GuardReads& reads, const CallFacts& facts, const cgi::Verdict& verdict,
                              std::string_view reason, std::uint64_t lifetime, base::TimePoint asked);

  /// Whether the caller waits now for one that asks the same; on_call_over() follows. `is_bounded`: a call
  /// ends in any case.
  [[nodiscard]] bool join(const Keys& keys, Caller& caller, bool is_bounded);
  /// The caller asks; others may wait for it until end().
  void lead(const Keys& keys, Caller& caller);
  void end(Caller& caller, Fate fate, base::Loop& loop);
  /// It waits no more, and is not called.
  static void leave(Caller& caller) noexcept;

  [[nodiscard]] std::size_t allows() const noexcept { return allows_.count; }
  [[nodiscard]] std::size_t denies() const noexcept { return denies_.count; }
  [[nodiscard]] std::size_t bytes() const noexcept { return allows_.bytes + denies_.bytes; }

 private:
  struct Shape {
    std::vector<std::string> names;  ///< Sorted.
    bool has_info = false;
    Digest digest;  ///< Of the names.
    std::uint64_t used = 0;
  };
  struct Entry {
    base::TimePoint until;
    std::string packed;
    bool is_allow = false;
    Digest key;
    Entry* newer = nullptr;
    Entry* older = nullptr;
  };
  struct Kept {
    std::uint32_t most = 0;
    std::size_t count = 0;
    std::size_t bytes = 0;
    Entry* newest = nullptr;
    Entry* oldest = nullptr;
  };
  struct Hash {
    std::size_t operator()(const Digest& digest) const noexcept {
      return static_cast<std::size_t>(digest.low);
    }
  };

  void run() override;  // base::Task
  [[nodiscard]] Digest digest(std::string_view text) const noexcept;
  [[nodiscard]] std::optional<Digest> key_of(const Shape& shape, const CallFacts& facts);
  void append_info(const CallFacts& facts);
  [[nodiscard]] Shape& shape_of(const GuardReads& reads);
  [[nodiscard]] std::chrono::nanoseconds lifetime_of(const cgi::Verdict& verdict, std::uint64_t wanted) const;
  [[nodiscard]] Kept& kind_of(const Entry& entry) noexcept { return entry.is_allow ? allows_ : denies_; }
  void link(Entry& entry) noexcept;
  void unlink(Entry& entry) noexcept;
  void erase(Entry& entry);
  static void push(Caller::Queue& queue, Caller& caller) noexcept;

  const config::VerdictCache settings_;
  const Seed seed_;
  std::vector<Shape> shapes_;
  std::uint64_t looks_ = 0;
  std::unordered_map<Digest, Entry, Hash> entries_;
  Kept allows_;
  Kept denies_;
  std::unordered_map<Digest, Caller::Queue, Hash> calls_;  ///< Those who wait, by what they wait for.
  Caller::Queue called_;                                   ///< Those who are to be told.
  bool is_posted_ = false;
  bool was_asked_ = false;
  std::string block_;  ///< Room for key_of().
};

}  // namespace trivet::roles
