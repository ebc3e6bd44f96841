#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/cgi/params.hpp"
#include "runtime/cgi/response_head.hpp"
#include "runtime/config/config.hpp"

/// What filters mean for the head of a response.
///
/// Thread  [loop]; nothing is kept but in BodyFields.
namespace trivet::roles {

/// The method that the conditions of filters are compared with: TRIVET_METHOD, else REQUEST_METHOD.
[[nodiscard]] std::string_view matched_method(const cgi::Params& params) noexcept;
/// Whether a filter is for requests with this method: GET includes HEAD.
[[nodiscard]] bool takes_method(const config::FilterStage& stage, std::string_view method) noexcept;
/// Whether the route has filters for this request: then it is they who own the head.
[[nodiscard]] bool has_filters_for(const config::Route& route, const cgi::Params& params) noexcept;
/// Whether a source behind filters must not see this parameter: it would answer for bytes that are not the
/// ones that the client gets (a coding that filters cannot read, a part, "not modified" by its own
/// validators). Conditions of a request that changes something stay the source's: only it can refuse before
/// it acts.
[[nodiscard]] bool is_hidden_from_source(std::string_view name, bool reads) noexcept;

/// The status that goes out: 302 for a Location without one.
[[nodiscard]] int status_of(const cgi::ResponseHead& head) noexcept;
/// A Content-Encoding other than identity; empty: there is none.
[[nodiscard]] std::string_view coding_of(const cgi::ResponseHead& head) noexcept;
/// A field that makes web servers send a file of theirs in place of the body; empty: there is none.
[[nodiscard]] std::string_view file_sent_by(const cgi::ResponseHead& head) noexcept;
/// Whether a filter's `types`, `status` and `min_size` fit. A length that is not known is large enough.
[[nodiscard]] bool fits(const config::FilterStage& stage, const cgi::ResponseHead& head) noexcept;

/// The ETag of what pure filters make of a version of a body, as they are configured now.
class PureTag {
 public:
  /// By the validators of the unfiltered body: its ETag, else Last-Modified with its length.
  explicit PureTag(const cgi::ResponseHead& head) noexcept;
  /// A filter it goes through; in order.
  void add(std::uint64_t edition) noexcept;
  /// Weak, whole; empty where the body has no validator.
  void write(std::string& out) const;

 private:
  void mix(std::string_view text) noexcept;

  std::array<std::uint64_t, 2> hash_{};
  bool has_validator_ = false;
};

/// The fields that are true of one version of a body's bytes only: length, validators, digests, parts.
///
/// Memory  As much as the largest head needed; nothing is allocated in steady state.
class BodyFields {
 public:
  void remember(const cgi::ResponseHead& head);
  /// Removes those that are as they were: what was set since is true of the new bytes.
  void remove_unchanged(cgi::ResponseHead& head) const noexcept;
  /// Removes all but the length.
  static void remove_validators(cgi::ResponseHead& head) noexcept;
  /// Removes what a 304 does not say (RFC 9110, 15.4.5).
  static void remove_for_not_modified(cgi::ResponseHead& head) noexcept;

 private:
  struct Field {
    std::string value;
    bool is_there = false;
  };
  std::array<Field, 8> fields_;
};

}  // namespace trivet::roles
