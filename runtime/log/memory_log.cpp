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

void MemoryAccessLog::on_line(std::size_t length) noexcept {
  std::string line(room_.data(), length - 1);
  set_size(0);
  constexpr std::string_view in_text = "2026-11-23T09:15:27.123Z ";
  constexpr std::string_view in_json = R"("time":"2026-11-23T09:15:27.123Z",)";
  const bool is_json = format_ == Settings::Format::json;
  lines_.push_back(line.erase(is_json ? 1 : 0, is_json ? in_json.size() : in_text.size()));
}

}  // namespace trivet::log
