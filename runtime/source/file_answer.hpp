#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/cgi/conditional.hpp"
#include "runtime/cgi/params.hpp"
#include "runtime/cgi/response_head.hpp"
#include "runtime/source/byte_ranges.hpp"
#include "runtime/source/file_root.hpp"

namespace trivet::source {

/// The entity tag of a file: its time, size and inode, so that also a file that came with its old time and
/// size has another.
///
/// Weak while the file is younger than two seconds: it may change again and keep its time, which the kernel
/// counts in ticks.
class FileTag {
 public:
  FileTag(const FileFacts& file, cgi::UnixSeconds now) noexcept;
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 64> text_{};
  std::size_t size_ = 0;
};

/// How a request for a file that is there is answered: 200, 206, 304, 412 or 416.
struct FileAnswer {
  int status = 200;
  ByteRanges ranges;  ///< Of 206.
};

/// `method`: GET or HEAD. Range is for GET alone (RFC 9110, 14.2).
[[nodiscard]] FileAnswer answer_for(const FileFacts& file, const cgi::Params& params, std::string_view method,
                                    cgi::UnixSeconds now) noexcept;

/// The multipart body of a 206 of several parts (RFC 9110, 14.6): what stands around the bytes.
class Multipart {
 public:
  Multipart() = default;
  /// `boundary`: up to 70 letters and digits that the file does not hold.
  Multipart(std::string_view boundary, std::string_view type, std::uint64_t file_size);

  [[nodiscard]] std::string content_type() const;
  /// What comes before a part.
  [[nodiscard]] std::string before(const ByteRange& part, bool first) const;
  [[nodiscard]] std::string end() const;
  /// Of the whole body.
  [[nodiscard]] std::uint64_t length(std::span<const ByteRange> parts) const;

 private:
  std::string boundary_;
  std::string type_;
  std::uint64_t file_size_ = 0;
};

/// The fields of an answer with content, or with the news that it has not changed. `type` with its
/// parameters.
void fill_head(cgi::ResponseHead& head, const FileAnswer& answer, const FileFacts& file,
               std::string_view type, const Multipart& multipart, cgi::UnixSeconds now);

/// `bytes 0-99/1234`; without a part `bytes */1234`.
[[nodiscard]] std::string content_range(const ByteRange* part, std::uint64_t size);

}  // namespace trivet::source
