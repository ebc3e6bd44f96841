#include "runtime/cgi/params.hpp"

#include <algorithm>
#include <cstring>

namespace trivet::cgi {
namespace {

constexpr std::size_t block_size = 4096;
constexpr std::string_view proxy = "HTTP_PROXY";

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
  count_ = steering_ = 0;
  blocks_used_ = 0;
  left_in_block_ = 0;
  large_.clear();
  has_nul_ = is_indexed_ = false;
}

void Params::borrow(const Params& other) {
  reset();
  std::ranges::copy(other.all(), room(other.count_).begin());
  took(other.count_);
}

void Params::add(std::string_view name, std::string_view value) {
  if (name.find('\0') != std::string_view::npos || value.find('\0') != std::string_view::npos) note_nul();
  append({name, value});
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
  if (name == "REQUEST_METHOD" || starts_with(name, steering_prefix)) {
    return Refusal{400, std::string(name) +
                            " comes twice with different values: the web server's configuration sets it "
                            "in two places; remove one of them"};
  }
  if (name == "CONTENT_LENGTH") ambiguous_length = true;
  into.value = later;
  return std::nullopt;
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
  if (removed) remove_if([](const Param& param) { return param.name.empty(); });
  if (ambiguous_length) remove("CONTENT_LENGTH");
  return std::nullopt;
}

/// False: some name is empty or HTTP_PROXY.
bool Params::build_index(std::uint32_t same) {
  const Param* const list = list_.data();
  is_indexed_ = index_.build(static_cast<std::uint32_t>(count_), same,
                             [list](std::uint32_t number) { return list[number].name; });
  const bool usual = (index_.unchanged() == count_ && looked_at_ == count_) || look_at_new_names();
  steering_ = known_steering_;
  return usual;
}

/// The names that the index knows from the list before were looked at then.
bool Params::look_at_new_names() noexcept {
  const std::uint32_t unchanged = index_.unchanged();
  if (known_steering_ >= unchanged) known_steering_ = SIZE_MAX;
  for (std::uint32_t& number : known_numbers_) number = number > unchanged ? 0 : number;
  bool usual = true;
  for (std::uint32_t number = unchanged; number < count_; ++number) {
    const std::string_view name = list_[number].name;
    usual = usual && !name.empty() && name != proxy;
    if (known_steering_ == SIZE_MAX && starts_with(name, steering_prefix)) known_steering_ = number;
    if (name.size() + 1 >= known_params_of_length.size()) continue;
    for (std::size_t at = known_params_of_length[name.size()]; at != known_params_of_length[name.size() + 1];
         ++at) {
      if (base::same_name(known_params[at], name)) known_numbers_[at] = number + 1;
    }
  }
  looked_at_ = count_;
  return usual;
}

std::optional<Refusal> Params::settle(std::uint32_t same) {
  const bool usual = build_index(same);
  if (usual && is_indexed_ && !has_nul_) return std::nullopt;
  index_.forget();
  steering_ = 0;
  for (const Param& each : list()) {
    if (each.name.empty()) return Refusal{400, "a parameter has an empty name"};
  }
  if (has_nul_) return Refusal{400, "a parameter has a NUL byte in it"};
  // A client's header Proxy: programs take it for their proxy setting.
  remove_if([&](const Param& param) { return param.name == proxy; });
  static_cast<void>(build_index(0));
  if (is_indexed_) return std::nullopt;
  index_.forget();
  steering_ = 0;
  order_.clear();
  for (std::uint32_t i = 0; i < count_; ++i) order_.push_back(i);
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

const Param* Params::find_indexed(std::string_view name, std::uint32_t hash) const noexcept {
  const Param* const list = list_.data();
  const std::uint32_t number =
      index_.find(name, hash, [list](std::uint32_t place) { return list[place].name; });
  return number == base::NameIndex::none ? nullptr : list + number;
}

const Param* Params::find_without_index(std::string_view name) const noexcept {
  for (const Param& param : all()) {
    if (base::same_name(param.name, name)) return &param;
  }
  return nullptr;
}

Param* Params::find_mutable(std::string_view name) noexcept {
  const Param* const found = find(name);
  return found == nullptr ? nullptr : list_.data() + (found - list_.data());
}

void Params::set(std::string_view name, std::string_view value) {
  const std::string_view kept = keep(value);
  if (Param* found = find_mutable(name)) {
    found->value = kept;
  } else {
    append({keep(name), kept});
  }
}

void Params::remove(std::string_view name) noexcept {
  if (Param* found = find_mutable(name)) {
    std::ranges::move(found + 1, list_.data() + count_, found);
    --count_;
    is_indexed_ = false;
    steering_ = 0;
  }
}

}  // namespace trivet::cgi
