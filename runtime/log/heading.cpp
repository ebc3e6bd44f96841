#include "runtime/log/heading.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "runtime/log/digits.hpp"
#include "runtime/log/time_text.hpp"

namespace trivet::log {

namespace {
constexpr std::string_view before_time = R"({"time":")";  // In JSON.
}  // namespace

LineBuilder Heading::begin(char* room, base::TimePoint now) noexcept {
  if (size_ == 0 || now < second_ || now >= second_ + std::chrono::seconds(1)) renew(now);
  std::memcpy(room, bytes_.data(), copied);
  if (size_ > copied) std::memcpy(room + copied, bytes_.data() + copied, longest - copied);
  const auto passed = static_cast<std::uint32_t>((now - second_).count());  // Less than a second.
  constexpr std::uint32_t millisecond = base::Duration(std::chrono::milliseconds(1)).count();
  write_three_digits(room + milliseconds_at + (format_ == Settings::Format::json ? before_time.size() : 0),
                     passed / millisecond);
  return {room, format_, size_};
}

/// Nobody sets this clock within a second and notices.
void Heading::renew(base::TimePoint now) noexcept {
  const auto age = base::Clock::now() - now;
  const auto wall =
      std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(age);
  const auto second = std::chrono::floor<std::chrono::seconds>(wall);
  second_ = now - std::chrono::duration_cast<base::Duration>(wall - second);
  const TimeText time = time_text(second);
  std::array<char, LineBuilder::capacity> room;
  const LineBuilder line(room.data(), format_, {time.data(), time.size()}, Level::info, text_);
  size_ = line.size();
  assert(size_ <= longest);
  std::copy_n(room.begin(), longest, bytes_.begin());
}

}  // namespace trivet::log
