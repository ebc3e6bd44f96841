#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/name_index.hpp"
#include "runtime/base/pair.hpp"
#include "runtime/cgi/known_param.hpp"

namespace trivet::cgi {

using Param = base::Pair;

/// Of the parameters by which a web server's configuration steers.
inline constexpr std::string_view steering_prefix = "TRIVET_";

/// Why a request is refused before any route is looked at: the status it gets and a text for the log (and,
/// for a person who set the web server up, the cure). Never sent to the client.
struct Refusal {
  int status = 400;
  std::string reason;
};

/// What CONTENT_LENGTH or FCGI_DATA_LENGTH claims: a hint to compare with, never what a stream ends by.
/// Absent, empty, negative, not a number or above 2^63-1: nothing.
[[nodiscard]] std::optional<std::uint64_t> parse_length(std::string_view value) noexcept;

/// The CGI variables of one request, in the order they came, each name once.
///
/// A client can only create names that begin with HTTP_; any other name that comes twice is the operator's
/// override (a web server's include followed by a line of its own), so the last wins. Differing
/// CONTENT_LENGTH counts as absent; differing REQUEST_METHOD or TRIVET_* refuse the request, naming parameter
/// and cure. Of HTTP_*, differing HTTP_AUTHORIZATION or HTTP_HOST refuse, HTTP_COOKIE joins with "; ", the
/// rest with ", ". HTTP_PROXY is dropped. A NUL in a name or value, and an empty name, refuse the request.
///
/// Thread    One at a time; [any] for reading while nobody writes.
/// Lifetime  add() keeps views: the block they point into outlives this, or reset() comes first. set()
///           copies.
/// Memory    Nothing is allocated in steady state: reset() keeps what was grown.
class Params {
 public:
  Params() = default;
  Params(const Params&) = delete;
  Params& operator=(const Params&) = delete;
  ~Params() = default;

  void reset() noexcept;
  /// One pair as it arrived.
  void add(std::string_view name, std::string_view value);
  /// Many: room for `n` more; took() says how many of them were filled. The caller looks for NUL bytes in all
  /// of them at once, and tells of one by note_nul().
  [[nodiscard]] std::span<Param> room(std::size_t n) {
    is_indexed_ = false;
    steering_ = 0;
    if (list_.size() - count_ < n) list_.resize(count_ + n);
    return {list_.data() + count_, n};
  }
  void took(std::size_t n) noexcept { count_ += n; }
  void note_nul() noexcept { has_nul_ = true; }
  /// The names of the list that was settled before, as many as are known: for whoever reads the next one.
  [[nodiscard]] const base::KeptNames& names_before() const noexcept { return index_.names(); }
  /// After the last add(): settles duplicates, and drops HTTP_PROXY. The list begins with the first `same` of
  /// names_before().
  [[nodiscard]] std::optional<Refusal> settle(std::uint32_t same = 0);
  /// Those whose names begin with TRIVET_ are among these; after settle() mostly none are.
  [[nodiscard]] std::span<const Param> steering() const noexcept {
    return all().subspan(std::min(steering_, count_));
  }

  /// Null when absent. Names are case-sensitive.
  [[nodiscard]] const Param* find(std::string_view name) const noexcept {
    // Here, so that the hash of a name that is written down is a constant.
    return is_indexed_ ? find_indexed(name, base::NameIndex::hash(name)) : find_without_index(name);
  }
  [[nodiscard]] const Param* find(KnownParam known) const noexcept {
    if (!is_indexed_) return find_without_index(known_params[known.number]);
    const std::uint32_t number = known_numbers_[known.number];
    return number == 0 ? nullptr : list_.data() + number - 1;
  }
  [[nodiscard]] std::string_view get(KnownParam known) const noexcept {
    const Param* const found = find(known);
    return found == nullptr ? std::string_view() : found->value;
  }
  [[nodiscard]] std::string_view get(const ParamName& name) const noexcept {
    return name.known() ? get(*name.known()) : get(name.text());
  }
  /// Empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept {
    const Param* const found = find(name);
    return found == nullptr ? std::string_view() : found->value;
  }
  [[nodiscard]] std::span<const Param> all() const noexcept { return {list_.data(), count_}; }

  /// The same as `other` has them now; the values stay where they are, so `other` outlives this or is not
  /// reset before it.
  void borrow(const Params& other);

  /// Sets one to a copy of `value`, in place if present: what a guard decided, or the host.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name) noexcept;

 private:
  [[nodiscard]] bool build_index(std::uint32_t same);
  [[nodiscard]] bool look_at_new_names() noexcept;
  [[nodiscard]] const Param* find_indexed(std::string_view name, std::uint32_t hash) const noexcept;
  [[nodiscard]] const Param* find_without_index(std::string_view name) const noexcept;
  [[nodiscard]] Param* find_mutable(std::string_view name) noexcept;
  void append(const Param& param) {
    room(1).front() = param;
    took(1);
  }
  [[nodiscard]] std::span<Param> list() noexcept { return {list_.data(), count_}; }
  template <class Condition>
  void remove_if(Condition&& condition) {
    count_ = static_cast<std::size_t>(std::ranges::remove_if(list(), condition).begin() - list().begin());
    is_indexed_ = false;
    steering_ = 0;
  }
  [[nodiscard]] std::optional<Refusal> settle_repeats(const std::vector<std::uint32_t>& order);
  [[nodiscard]] std::optional<Refusal> merge(Param& into, std::string_view later, bool& ambiguous_length);
  /// A copy that stays where it is until reset().
  [[nodiscard]] std::string_view keep(std::string_view first, std::string_view between = {},
                                      std::string_view second = {});

  std::vector<Param> list_;  ///< The first count_ are in use: what was grown stays as it is.
  std::size_t count_ = 0;
  std::size_t steering_ = 0;               ///< None before it begins with TRIVET_.
  std::size_t known_steering_ = SIZE_MAX;  ///< The first that does, of the names that the index knows.
  base::NameIndex index_;
  /// Of each known name the place in the list that was indexed last, counted from 1; 0: it is not there.
  std::array<std::uint32_t, known_params.size()> known_numbers_{};
  std::size_t looked_at_ = 0;         ///< How many names the index had then.
  std::vector<std::uint32_t> order_;  ///< For settle(): indices, sorted by name.
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t blocks_used_ = 0;
  std::size_t left_in_block_ = 0;
  std::vector<std::unique_ptr<char[]>> large_;
  bool has_nul_ = false;
  bool is_indexed_ = false;
};

}  // namespace trivet::cgi
