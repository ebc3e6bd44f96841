#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace trivet::base {

/// Equality of short texts: most names are shorter than what a call of memcmp costs.
[[nodiscard]] inline bool same_name(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  const auto differ = [&]<class Word>(std::size_t at, Word left) {
    Word right = 0;
    std::memcpy(&left, a.data() + at, sizeof left);
    std::memcpy(&right, b.data() + at, sizeof right);
    return left != right;
  };
  using Word = std::uint64_t;
  using Half = std::uint32_t;
  if (size >= sizeof(Word)) {
    for (std::size_t at = 0; at < size - sizeof(Word); at += sizeof(Word)) {
      if (differ(at, Word{0})) return false;
    }
    return !differ(size - sizeof(Word), Word{0});
  }
  if (size >= sizeof(Half)) return !differ(0, Half{0}) && !differ(size - sizeof(Half), Half{0});
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

/// Finds names in a list that its owner keeps: an open hash table of the places in it.
///
/// A hash is made of a name's ends and its length, so whoever chooses the names can make them collide. What
/// that costs is bounded: a list with too many that do is not indexed.
///
/// Thread  One at a time; [any] for find() while nobody writes.
/// Memory  Nothing in steady state: what was grown is kept.
class NameIndex {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  [[nodiscard]] static std::uint32_t hash(std::string_view name) noexcept {
    constexpr std::size_t width = sizeof(std::uint64_t);
    constexpr std::size_t half = sizeof(std::uint32_t);
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (name.size() >= width) {
      std::memcpy(&first, name.data(), width);
      std::memcpy(&last, name.data() + name.size() - width, width);
    } else if (name.size() >= half) {
      std::memcpy(&first, name.data(), half);
      std::memcpy(&last, name.data() + name.size() - half, half);
    } else {
      for (const char c : name) first = first << 8U | static_cast<unsigned char>(c);
    }
    const std::uint64_t mixed = (first ^ (last * 0x9e3779b97f4a7c15) ^ name.size()) * 0xff51afd7ed558ccd;
    return static_cast<std::uint32_t>(mixed >> 32U);
  }

  /// Of a list of `count` names, `name_at(0)` and on. False: some name may be there twice, and nothing can be
  /// found.
  template <class NameAt>
  [[nodiscard]] bool build(std::uint32_t count, NameAt&& name_at) {
    Place* const places = prepare(count);
    const std::uint32_t mask = mask_;
    const std::uint32_t shift = shift_;
    std::uint32_t steps_left = 2 * count;
    for (std::uint32_t number = 0; number < count; ++number) {
      const std::string_view name = name_at(number);
      const std::uint32_t hash_of_it = hash(name);
      std::uint32_t at = hash_of_it >> shift;
      for (; places[at].number != 0; at = (at + 1) & mask) {
        if (steps_left-- == 0 ||
            (places[at].hash == hash_of_it && same_name(name_at(places[at].number - 1), name)))
          return false;
      }
      places[at] = {hash_of_it, number + 1};
    }
    return true;
  }

  /// Where in the list that was built last `name` is, or `none`.
  template <class NameAt>
  [[nodiscard]] std::uint32_t find(std::string_view name, std::uint32_t hash, NameAt&& name_at) const {
    const Place* const places = places_.data();
    for (std::uint32_t at = hash >> shift_; places[at].number != 0; at = (at + 1) & mask_) {
      if (places[at].hash == hash && same_name(name_at(places[at].number - 1), name))
        return places[at].number - 1;
    }
    return none;
  }

 private:
  struct Place {
    std::uint32_t hash;
    std::uint32_t number;  ///< Counted from 1; 0: none.
  };

  /// Empty places, at least twice as many as names.
  [[nodiscard]] Place* prepare(std::uint32_t count);

  std::vector<Place> places_;
  std::uint32_t mask_ = 0;  ///< What is used of places_, less one.
  /// A name's first place is made of the high bits of its hash: the low ones do not depend on its last bytes.
  std::uint32_t shift_ = 0;
};

}  // namespace trivet::base
