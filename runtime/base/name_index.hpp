#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "runtime/base/kept_names.hpp"

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
/// Lists that follow each other begin alike: only from the first name that is not that of the list before are
/// they taken out of the table and put into it.
///
/// A hash is made of a name's ends and its length, so whoever chooses the names can make them collide. What
/// that costs is bounded: a list that brings too many new ones that do is not indexed, and of those that stay
/// from the lists before there are at most 96.
///
/// Thread  One at a time; [any] for find() while nobody writes.
/// Memory  Nothing in steady state: what was grown is kept.
class NameIndex {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  [[nodiscard]] static std::uint32_t hash(std::string_view name) noexcept {
    return ends_of(name).hash(name.size());
  }

  /// Those of the list that was built last, as many as are known: for whoever reads the next one.
  [[nodiscard]] const KeptNames& names() const noexcept { return names_; }

  /// Of a list of `count` names, `name_at(0)` and on, which begins with the first `same` of names(). False:
  /// some name may be there twice, and nothing can be found.
  template <class NameAt>
  [[nodiscard]] bool build(std::uint32_t count, std::uint32_t same, NameAt&& name_at) {
    make_room(count);
    std::uint32_t number = unchanged_ = std::min(same, names_.size());
    drop_from(number);
    Place* const places = places_.data();
    std::uint32_t steps_left = 2 * count;
    for (; number < count; ++number) {
      const std::string_view name = name_at(number);
      const std::uint32_t hash_of_it = hash(name);
      std::uint32_t at = hash_of_it >> shift_;
      for (; places[at].number != 0; at = (at + 1) & mask_) {
        if (steps_left-- == 0 ||
            (places[at].hash == hash_of_it && same_name(name_at(places[at].number - 1), name)))
          return false;
      }
      places[at] = {hash_of_it, number + 1};
      keep(name, at);
    }
    return true;
  }

  /// How many names at the beginning of the list that was built last stayed in the table.
  [[nodiscard]] std::uint32_t unchanged() const noexcept { return unchanged_; }

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

  /// The next list is the first.
  void forget() noexcept {
    names_.truncate(0);
    is_forgotten_ = true;
  }

 private:
  struct Place {
    std::uint32_t hash;
    std::uint32_t number;  ///< Counted from 1; 0: none.
  };

  /// The first and the last bytes of a name, which overlap in a short one; with its length, all of 16 bytes.
  struct Ends {
    std::uint64_t first;
    std::uint64_t last;

    [[nodiscard]] std::uint32_t hash(std::size_t size) const noexcept {
      const std::uint64_t mixed = (first ^ (last * 0xff51afd7ed558ccd) ^ size) * 0x9e3779b97f4a7c15;
      return static_cast<std::uint32_t>(mixed >> 32U);
    }
  };

  [[nodiscard]] static Ends ends_of(std::string_view name) noexcept {
    constexpr std::size_t width = sizeof(std::uint64_t);
    constexpr std::size_t half = sizeof(std::uint32_t);
    Ends ends{0, 0};
    if (name.size() >= width) {
      std::memcpy(&ends.first, name.data(), width);
      std::memcpy(&ends.last, name.data() + name.size() - width, width);
    } else if (name.size() >= half) {
      std::memcpy(&ends.first, name.data(), half);
      std::memcpy(&ends.last, name.data() + name.size() - half, half);
    } else {
      for (const char c : name) ends.first = ends.first << 8U | static_cast<unsigned char>(c);
    }
    return ends;
  }

  /// Places for at least twice as many as names; without any name in them where those before cannot stay.
  void make_room(std::uint32_t count);
  /// Takes the names from `number` on out.
  void drop_from(std::uint32_t number) noexcept {
    for (std::uint32_t each = number; each < names_.size(); ++each) places_[place_of_[each]].number = 0;
    names_.truncate(number);
  }
  void keep(std::string_view name, std::uint32_t place);

  std::vector<Place> places_;
  std::uint32_t mask_ = 0;  ///< What is used of places_, less one.
  /// A name's first place is made of the high bits of its hash: the low ones do not depend on its last bytes.
  std::uint32_t shift_ = 0;
  KeptNames names_;  ///< Those in places_, unless is_forgotten_.
  std::vector<std::uint32_t> place_of_;
  std::uint32_t unchanged_ = 0;
  bool is_forgotten_ = true;  ///< places_ is to be emptied first.
};

}  // namespace trivet::base
