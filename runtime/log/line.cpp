#include "runtime/log/line.hpp"

#include <cassert>
#include <chrono>

#include "runtime/log/time_text.hpp"

namespace trivet::log {

Line::Line(Settings::Format format, Time time, Level level, std::string_view text,
           std::initializer_list<Field> fields) noexcept {
  assert(fields.size() <= 16);
  TimeText now{};
  if (time == Time::present) now = time_text(std::chrono::system_clock::now());
  LineBuilder builder(bytes_.data(), format, {now.data(), time == Time::present ? now.size() : 0}, level,
                      text);
  for (const Field& field : fields) builder.field(field.name, field.value);
  size_ = builder.finish().size();
}

}  // namespace trivet::log
