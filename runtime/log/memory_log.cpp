#include "runtime/log/memory_log.hpp"

#include <algorithm>

#include "runtime/log/line.hpp"

namespace trivet::log {

void MemoryLog::write(Level level, std::string_view text, std::initializer_list<Field> fields) noexcept {
  const Line line(Settings::Format::text, Line::Time::absent, level, text, fields);
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(line.without_end());
}

std::vector<std::string> MemoryLog::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::size_t MemoryLog::count(std::string_view part) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(),
                    [part](const std::string& line) { return line.find(part) != std::string::npos; }));
}

void MemoryLog::clear() {
  const std::lock_guard lock(mutex_);
  lines_.clear();
}

}  // namespace trivet::log
