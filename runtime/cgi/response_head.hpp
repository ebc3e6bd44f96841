#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/base/buffer.hpp"

namespace trivet::cgi {

/// Whether a CGI response may carry this: what is wrong as a static text, or empty. Names are tokens (RFC
/// 9110, 5.6.2); values hold no CR, LF, NUL or other control byte but TAB. `Status`, hop-by-hop fields
/// (Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade) and names beginning
/// with `Variable-` belong to the host and are refused.
[[nodiscard]] std::string_view refuse_field(std::string_view name, std::string_view value) noexcept;

/// The reason phrase of a status, "Unknown" for those without one.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// The status and fields of a response, kept in order, before they are written. Every field in it passed
/// refuse_field(); names compare without case.
///
/// Thread    One at a time.
/// Lifetime  Views last until the next change.
/// Memory    Nothing is allocated in steady state: clear() keeps what was grown.
class ResponseHead {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  void clear() noexcept;
  [[nodiscard]] int status() const noexcept { return status_; }
  /// 200..599; false leaves it as it was.
  bool set_status(int status) noexcept;
  /// Whether set_status was called since clear().
  [[nodiscard]] bool has_status() const noexcept { return has_status_; }

  /// What is wrong with the field, or empty when it was taken.
  std::string_view add(std::string_view name, std::string_view value);
  std::string_view set(std::string_view name, std::string_view value);  ///< Replaces all of that name.
  void remove(std::string_view name) noexcept;
  void keep(std::size_t count) noexcept;  ///< Forgets those after the first `count`.
  /// The first of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept {
    return has_name_as_long(name) ? look_for(name) : std::nullopt;
  }
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] Field at(std::size_t index) const noexcept {
    const PlaceInText& place = places_[index];
    const char* const name = base::as_text(lines_.bytes()).data() + place.begin;
    return {{name, place.name_size}, {name + place.name_size + between.size(), place.value_size}};
  }
  /// No less than the bytes of all fields as lines.
  [[nodiscard]] std::size_t lines_size() const noexcept { return lines_.size(); }
  /// All fields as lines, where nothing was taken away since clear().
  [[nodiscard]] std::optional<std::string_view> lines() const noexcept {
    if (was_cut_) return std::nullopt;
    return base::as_text(lines_.bytes());
  }

  void swap(ResponseHead& other) noexcept;

  /// The fields that decide how a head is written.
  enum class Known : std::uint8_t { other = 0, location = 1, type = 2, length = 4 };
  [[nodiscard]] static Known known(std::string_view name) noexcept;
  /// Whether one of those was added since clear(); it may be gone again.
  [[nodiscard]] bool ever_had(Known field) const noexcept {
    return (known_ & static_cast<std::uint8_t>(field)) != 0;
  }
  /// Whether one of them was added when it was there already.
  [[nodiscard]] bool repeats_known() const noexcept { return repeats_known_; }

 private:
  std::string_view append(Known known, std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string_view> look_for(std::string_view name) const noexcept;

  static constexpr std::uint64_t bit_of_length(std::string_view name) noexcept {
    return std::uint64_t{1} << name.size() % 64;
  }
  /// Most questions end here: without a look at any name.
  [[nodiscard]] bool has_name_as_long(std::string_view name) const noexcept {
    return (lengths_ & bit_of_length(name)) != 0;
  }

  static constexpr std::string_view between = ": ";
  static constexpr std::string_view line_end = "\r\n";

  /// Where a field stands in lines_.
  struct PlaceInText {
    std::uint32_t begin;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };

  int status_ = 200;
  bool has_status_ = false;
  bool was_cut_ = false;  ///< Something was taken away since clear(): lines_ may have more than the fields.
  bool repeats_known_ = false;
  std::uint8_t known_ = 0;  ///< Bits of those that were added since clear().
  base::Buffer lines_;      ///< The fields as they go out: mostly all of them do.
  std::vector<PlaceInText> places_;
  std::uint64_t lengths_ = 0;  ///< A bit for each length, modulo 64, of the names added since clear().
};

/// How a head is written.
struct HeadRules {
  std::size_t max_bytes = 7000;
  std::size_t max_fields = 90;
  bool body_may_follow = true;                  ///< False for HEAD, 204, 304.
  std::optional<std::uint64_t> content_length;  ///< What the host knows of the length; replaces the plugin's.
  const ResponseHead* more = nullptr;           ///< Fields that go out behind its own: cookies of guards.
};

/// Appends the fields, one a line, and gives their number.
std::size_t append_fields(const ResponseHead& head, base::Buffer& out);

/// Appends the complete CGI header block: `Status: CODE reason` first, the fields, `more`, a Content-Type
/// where a body may follow and none was set (text/plain; charset=utf-8), a Content-Length if known, CRLF
/// everywhere, the empty line. 204 and 304 get neither length nor type. Location never goes out without its
/// explicit Status: a Location with no status set becomes 302, and one that is a path is left out of a 200,
/// which Apache's CGI modules would take for an internal redirect. Gives what is wrong (too many bytes or
/// fields: `out` is unchanged), or empty.
[[nodiscard]] std::string_view emit(const ResponseHead& head, const HeadRules& rules, base::Buffer& out);

/// A complete small response of the host's own, head and body ("404 Not Found\n", text/plain), for `status`;
/// `allow` fills an Allow field (405), `retry_after` seconds a Retry-After (503) when above 0. HEAD: no body
/// is appended, the length is that of the body. `head_end` gets the size of the head. The fields in `more` go
/// out too, where there are any; whether all of it fits is for the caller to see.
void emit_plain(int status, std::string_view allow, int retry_after, bool head_method,
                const ResponseHead* more, base::Buffer& out, std::size_t& head_end);

}  // namespace trivet::cgi
