#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"

namespace trivet::source {

/// What an application writes to FCGI_STDERR for one request, line by line.
///
/// Thread    One at a time.
/// Memory    One line: a longer one is told in pieces of 2,000 bytes. Of one request at most 100 lines and 64
///           KiB are told, then once how much more there was.
class ErrorLines {
 public:
  using Tell = std::function<void(std::string_view line)>;

  void feed(base::Bytes bytes, const Tell& tell);
  /// After the last byte.
  void finish(const Tell& tell);

 private:
  void end_line(const Tell& tell);

  std::string line_;
  std::size_t lines_ = 0;
  std::size_t told_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace trivet::source
