#include "runtime/log/time_text.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace trivet::log {

TimeText time_text(std::chrono::system_clock::time_point time) noexcept {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch() % 1000;
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 72> written{};  // as long as the compiler thinks that seven ints may get
  std::snprintf(written.data(), written.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(milliseconds.count()));
  TimeText text;
  std::copy_n(written.begin(), text.size(), text.begin());
  return text;
}

}  // namespace trivet::log
