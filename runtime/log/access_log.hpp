#pragma once

#include "runtime/base/clock.hpp"

namespace trivet::log {

class LineBuilder;

/// Where requests are told: a line for each, put together where it is to stand.
///
/// Thread  [loop].
class AccessLog {
 public:
  AccessLog() = default;
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  virtual ~AccessLog() = default;

  /// The next line, of the time `now`; its fields are for the caller to add, before end().
  [[nodiscard]] virtual LineBuilder begin(base::TimePoint now) noexcept = 0;
  virtual void end(LineBuilder& line) noexcept = 0;
};

}  // namespace trivet::log
