#include "runtime/cgi/params.hpp"

#include <algorithm>
#include <cstring>

namespace trivet::cgi {
namespace {

constexpr std::size_t block_size = 4096;

std::uint64_t eight_bytes(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Eight bytes at a time: most names and values are shorter than a call of memchr takes.
bool contains_nul(std::string_view text) noexcept {
  constexpr std::uint64_t lows = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t word) { return ((word - lows) & ~word & highs) != 0; };
  constexpr std::size_t width = sizeof(std::uint64_t);
  if (text.size() < width) {
    for (const char c : text) {
      if (c == '\0') return true;
    }
    return false;
  }
  const char* const last = text.data() + text.size() - width;
  for (const char* at = text.data(); at < last; at += width) {
    if (has_zero(eight_bytes(at))) return true;
  }
  return has_zero(eight_bytes(last));
}

/// Of the ends and the length of a name: whoever makes names that differ in the middle makes them collide.
std::uint32_t hash_of(std::string_view name) noexcept {
  constexpr std::size_t width = sizeof(std::uint64_t);
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (name.size() >= width) {
    first = eight_bytes(name.data());
    last = eight_bytes(name.data() + name.size() - width);
  } else {
    for (const char c : name) first = first << 8U | static_cast<unsigned char>(c);
  }
  const std::uint64_t mixed = (first ^ (last * 0x9e3779b97f4a7c15) ^ name.size()) * 0xff51afd7ed558ccd;
  return static_cast<std::uint32_t>(mixed >> 32U);
}

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

std::optional<std::uint64_t> parse_length(std::string_view value) noexcept {
  if (value.empty()) return std::nullopt;
  constexpr std::uint64_t largest = UINT64_MAX / 2;  // 2^63-1
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (largest - digit) / 10) return std::nullopt;
    length = length * 10 + digit;
  }
  return length;
}

void Params::reset() noexcept {
  list_.clear();
  places_.clear();
  blocks_used_ = 0;
  left_in_block_ = 0;
  large_.clear();
  bad_name_ = has_nul_ = false;
}

void Params::borrow(const Params& other) {
  reset();
  list_.assign(other.list_.begin(), other.list_.end());
}

void Params::add(std::string_view name, std::string_view value) {
  if (name.empty()) bad_name_ = true;
  // As they arrive, a value lies behind its name.
  const bool adjacent = !value.empty() && name.data() + name.size() == value.data();
  if (adjacent ? contains_nul({name.data(), name.size() + value.size()})
               : contains_nul(name) || contains_nul(value)) {
    has_nul_ = true;
  }
  places_.clear();
  if (name == "HTTP_PROXY") return;  // A client's Proxy header; programs take it for their proxy setting.
  list_.push_back({name, value});
}

std::string_view Params::keep(std::string_view first, std::string_view between, std::string_view second) {
  const std::size_t size = first.size() + between.size() + second.size();
  char* at = nullptr;
  if (size > block_size) {
    large_.push_back(std::unique_ptr<char[]>(new char[size]));
    at = large_.back().get();
  } else {
    if (size > left_in_block_) {
      if (blocks_used_ == blocks_.size()) blocks_.push_back(std::unique_ptr<char[]>(new char[block_size]));
      ++blocks_used_;
      left_in_block_ = block_size;
    }
    at = blocks_used_ == 0 ? nullptr : blocks_[blocks_used_ - 1].get() + (block_size - left_in_block_);
    left_in_block_ -= size;
  }
  if (size == 0) return {};
  std::size_t used = 0;
  for (const std::string_view piece : {first, between, second}) {
    if (!piece.empty()) std::memcpy(at + used, piece.data(), piece.size());
    used += piece.size();
  }
  return {at, size};
}

std::optional<Refusal> Params::merge(Param& into, std::string_view later, bool& ambiguous_length) {
  if (into.value == later) return std::nullopt;
  const std::string_view name = into.name;
  if (starts_with(name, "HTTP_")) {
    if (name == "HTTP_AUTHORIZATION" || name == "HTTP_HOST") {
      return Refusal{
          400, std::string(name) + " comes twice with different values: the client sent the header twice"};
    }
    into.value = keep(into.value, name == "HTTP_COOKIE" ? "; " : ", ", later);
    return std::nullopt;
  }
  if (name == "REQUEST_METHOD" || starts_with(name, "TRIVET_")) {
    return Refusal{400, std::string(name) +
                            " comes twice with different values: the web server's configuration sets it "
                            "in two places; remove one of them"};
  }
  if (name == "CONTENT_LENGTH") ambiguous_length = true;
  into.value = later;
  return std::nullopt;
}

/// Whether one name may come twice: false is certain. Gives up, with true, on names that were made to
/// collide.
bool Params::may_repeat() {
  std::size_t size = 16;
  while (size < 2 * list_.size()) size *= 2;
  places_.assign(size, 0);  // The number of a parameter, counted from 1.
  std::size_t steps_left = 2 * list_.size();
  for (std::uint32_t i = 0; i < list_.size(); ++i) {
    const std::string_view name = list_[i].name;
    std::size_t at = hash_of(name) & (size - 1);
    for (; places_[at] != 0; at = (at + 1) & (size - 1)) {
      if (steps_left-- == 0 || list_[places_[at] - 1].name == name) {
        places_.clear();
        return true;
      }
    }
    places_[at] = i + 1;
  }
  return false;
}

std::optional<Refusal> Params::settle_repeats(const std::vector<std::uint32_t>& order) {
  bool ambiguous_length = false;
  bool removed = false;
  for (std::size_t at = 0; at < order.size();) {
    Param& first = list_[order[at]];
    std::size_t next = at + 1;
    for (; next < order.size() && list_[order[next]].name == first.name; ++next) {
      if (auto refusal = merge(first, list_[order[next]].value, ambiguous_length)) return refusal;
      list_[order[next]].name = {};
      removed = true;
    }
    at = next;
  }
  if (removed) std::erase_if(list_, [](const Param& param) { return param.name.empty(); });
  if (ambiguous_length) remove("CONTENT_LENGTH");
  return std::nullopt;
}

std::optional<Refusal> Params::settle() {
  if (bad_name_) return Refusal{400, "a parameter has an empty name"};
  if (has_nul_) return Refusal{400, "a parameter has a NUL byte in it"};
  if (!may_repeat()) return std::nullopt;
  order_.clear();
  for (std::uint32_t i = 0; i < list_.size(); ++i) order_.push_back(i);
  // By length first: most names differ in it. Equal names stay in the order they came in.
  std::sort(order_.begin(), order_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const std::string_view left = list_[a].name;
    const std::string_view right = list_[b].name;
    if (left.size() != right.size()) return left.size() < right.size();
    const int compared = std::memcmp(left.data(), right.data(), left.size());
    return compared != 0 ? compared < 0 : a < b;
  });
  return settle_repeats(order_);
}

const Param* Params::find(std::string_view name) const noexcept {
  if (!places_.empty()) {
    const std::size_t last = places_.size() - 1;
    for (std::size_t at = hash_of(name) & last; places_[at] != 0; at = (at + 1) & last) {
      const Param& param = list_[places_[at] - 1];
      if (param.name == name) return &param;
    }
    return nullptr;
  }
  for (const Param& param : list_) {
    if (param.name == name) return &param;
  }
  return nullptr;
}

Param* Params::find_mutable(std::string_view name) noexcept {
  const Param* const found = find(name);
  return found == nullptr ? nullptr : list_.data() + (found - list_.data());
}

std::string_view Params::get(std::string_view name) const noexcept {
  const Param* found = find(name);
  return found == nullptr ? std::string_view() : found->value;
}

std::span<const Param> Params::all() const noexcept { return list_; }

void Params::set(std::string_view name, std::string_view value) {
  const std::string_view kept = keep(value);
  if (Param* found = find_mutable(name)) {
    found->value = kept;
  } else {
    list_.push_back({keep(name), kept});
    places_.clear();
  }
}

void Params::remove(std::string_view name) noexcept {
  if (Param* found = find_mutable(name)) {
    list_.erase(list_.begin() + (found - list_.data()));
    places_.clear();
  }
}

}  // namespace trivet::cgi
