#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace trivet::base {

/// Values as bytes for another process of this program: each text behind its length, each list behind its
/// count, numbers in decimal with a colon.
class Packer {
 public:
  void number(std::size_t value) { bytes_ += std::to_string(value) + ":"; }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void maybe(const std::optional<std::string>& value) {
    number(value ? 1 : 0);
    if (value) text(*value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads them back, in the same order. After the first that is not there everything is empty.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  std::size_t number() {
    std::size_t value = 0;
    const char* const begin =
        rest_.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): with its end
    const char* const end = begin + rest_.size();
    const auto read = std::from_chars(begin, end, value);
    failed_ = failed_ || read.ec != std::errc() || read.ptr == end || *read.ptr != ':';
    if (failed_) return 0;
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - begin) + 1);
    return value;
  }
  std::string text() {
    const std::size_t size = number();
    failed_ = failed_ || size > rest_.size();
    if (failed_) return {};
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::optional<std::string> maybe() {
    if (number() == 0) return std::nullopt;
    return text();
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace trivet::base
