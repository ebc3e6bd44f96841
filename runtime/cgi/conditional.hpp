#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/cgi/http_date.hpp"
#include "runtime/cgi/params.hpp"

namespace trivet::cgi {

/// What a response says of the version of its content: its ETag as in the header, quotes and W/ included, and
/// its Last-Modified. Empty, nothing: not known.
struct Validators {
  std::string_view etag = {};
  std::optional<UnixSeconds> last_modified = {};
};

/// The conditions of a request (RFC 9110, 13.1). Views into the Params; empty = absent: web servers pass the
/// headers that a client did not send as empty parameters.
struct Preconditions {
  std::string_view if_match = {};
  std::string_view if_none_match = {};
  std::string_view if_modified_since = {};
  std::string_view if_unmodified_since = {};

  [[nodiscard]] static Preconditions from(const Params& params) noexcept;
  [[nodiscard]] bool any() const noexcept {
    return !if_match.empty() || !if_none_match.empty() || !if_modified_since.empty() ||
           !if_unmodified_since.empty();
  }
};

enum class Condition : std::uint8_t {
  proceed,       ///< They hold, or there is none.
  not_modified,  ///< 304: the client has it.
  failed,        ///< 412: it is not what the client takes it for.
};

/// Decides in the order of RFC 9110, 13.2.2, for something that exists and would be answered with 2xx:
/// anything else is answered as if there were no conditions (13.2.1). CONNECT, OPTIONS and TRACE have none. A
/// date that is none is ignored, and so are dates where `validators` has none; a list of tags is read up to
/// where it is no list any more, so a broken If-Match fails and a broken If-None-Match lets pass. `now`: the
/// time of day.
[[nodiscard]] Condition evaluate(const Preconditions& conditions, const Validators& validators,
                                 std::string_view method, UnixSeconds now) noexcept;

/// Whether a Range may be answered with a part: If-Range is absent (empty), or names this very version by a
/// strong tag, or by a date that is this Last-Modified and at least a second ago (RFC 9110, 13.1.5).
[[nodiscard]] bool if_range_holds(std::string_view if_range, const Validators& validators,
                                  UnixSeconds now) noexcept;

/// An entity tag as in a header: `"..."` or `W/"..."` (RFC 9110, 8.8.3).
[[nodiscard]] bool is_entity_tag(std::string_view text) noexcept;

}  // namespace trivet::cgi
