#include "runtime/config/units.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace trivet::config {
namespace {

constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array sizes = {Unit{"GiB", 1ULL << 30U}, Unit{"MiB", 1ULL << 20U}, Unit{"KiB", 1ULL << 10U},
                              Unit{"B", 1}};
constexpr std::array durations = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}, Unit{"ms", 1}};

struct Spelling {
  std::string_view written;  ///< Lower case.
  std::string_view meant;
};

constexpr std::array size_spellings = {
    Spelling{"b", "B"},     Spelling{"byte", "B"},  Spelling{"bytes", "B"}, Spelling{"k", "KiB"},
    Spelling{"kb", "KiB"},  Spelling{"kib", "KiB"}, Spelling{"m", "MiB"},   Spelling{"mb", "MiB"},
    Spelling{"mib", "MiB"}, Spelling{"g", "GiB"},   Spelling{"gb", "GiB"},  Spelling{"gib", "GiB"},
};
constexpr std::array duration_spellings = {
    Spelling{"ms", "ms"},  Spelling{"msec", "ms"},  Spelling{"s", "s"},       Spelling{"sec", "s"},
    Spelling{"secs", "s"}, Spelling{"second", "s"}, Spelling{"seconds", "s"}, Spelling{"m", "m"},
    Spelling{"min", "m"},  Spelling{"mins", "m"},   Spelling{"minute", "m"},  Spelling{"minutes", "m"},
    Spelling{"h", "h"},    Spelling{"hour", "h"},   Spelling{"hours", "h"},
};

bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }

std::string_view digits_of(std::string_view text) noexcept {
  const auto* end = std::find_if_not(text.begin(), text.end(), is_digit);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

template <std::size_t N>
std::optional<std::uint64_t> parse(std::string_view text, const std::array<Unit, N>& units) noexcept {
  const std::string_view digits = digits_of(text);
  const auto unit =
      std::find_if(units.begin(), units.end(),
                   [name = text.substr(digits.size())](const Unit& each) { return each.name == name; });
  if (digits.empty() || unit == units.end()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char each : digits) {
    const auto digit = static_cast<std::uint64_t>(each - '0');
    if (number > (largest - digit) / 10) return largest;
    number = number * 10 + digit;
  }
  return number > largest / unit->factor ? largest : number * unit->factor;
}

template <std::size_t N>
std::string format(std::uint64_t number, const std::array<Unit, N>& units) {
  // Ordered from the largest to a factor of one, so that one always divides.
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [number](const Unit& each) { return number % each.factor == 0; });
  return std::to_string(number / unit->factor) + std::string(unit->name);
}

template <std::size_t N>
std::optional<std::string> guess(std::string_view text, const std::array<Spelling, N>& spellings) {
  const std::string_view digits = digits_of(text);
  if (digits.empty()) return std::nullopt;
  std::string unit;
  for (const char each : text.substr(digits.size())) {
    if (each != ' ') unit += each >= 'A' && each <= 'Z' ? static_cast<char>(each + 32) : each;
  }
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [&](const Spelling& each) { return each.written == unit; });
  if (found == spellings.end()) return std::nullopt;
  return std::string(digits) + std::string(found->meant);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept { return parse(text, sizes); }

std::string format_size(std::uint64_t bytes) { return bytes == 0 ? "0B" : format(bytes, sizes); }

std::optional<std::string> guess_size(std::string_view text) { return guess(text, size_spellings); }

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
  const auto number = parse(text, durations);
  if (!number) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::string format_duration(std::chrono::milliseconds time) {
  if (time.count() == 0) return "0s";
  return format(static_cast<std::uint64_t>(time.count()), durations);
}

std::optional<std::string> guess_duration(std::string_view text) { return guess(text, duration_spellings); }

std::optional<std::uint32_t> parse_mode(std::string_view text) noexcept {
  if (text.size() == 4 && text.front() == '0') text.remove_prefix(1);
  if (text.size() != 3) return std::nullopt;
  std::uint32_t mode = 0;
  for (const char each : text) {
    if (each < '0' || each > '7') return std::nullopt;
    mode = mode << 3U | static_cast<std::uint32_t>(each - '0');
  }
  return mode;
}

}  // namespace trivet::config
