#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace trivet::source {

/// Some bytes of a file: at least one.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;

  [[nodiscard]] std::uint64_t last() const noexcept { return first + length - 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// What a Range header asks of a file of some size (RFC 9110, 14.2).
///
/// A header is as good as absent where it is no list of byte ranges, where it asks for more than `most`
/// parts, and where two parts overlap: whoever asks so wants to make the answer larger than the file.
class ByteRanges {
 public:
  static constexpr std::size_t most = 16;

  enum class Kind : std::uint8_t {
    whole,          ///< As without the header: 200.
    parts,          ///< 206.
    unsatisfiable,  ///< 416: nothing of it is in the file.
  };

  /// `header` may be empty.
  [[nodiscard]] static ByteRanges read(std::string_view header, std::uint64_t size) noexcept;

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// Of Kind::parts, in the order they were asked for: one or more.
  [[nodiscard]] std::span<const ByteRange> parts() const noexcept { return {parts_.data(), count_}; }

 private:
  enum class Spec : std::uint8_t { wrong, outside, inside };
  static Spec read_one(std::string_view text, std::uint64_t size, ByteRange& out) noexcept;
  bool overlaps(const ByteRange& range) const noexcept;

  Kind kind_ = Kind::whole;
  std::size_t count_ = 0;
  std::array<ByteRange, most> parts_{};
};

}  // namespace trivet::source
