#include "runtime/cgi/conditional.hpp"

namespace trivet::cgi {
namespace {

constexpr std::string_view weak_mark = "W/";

enum class Comparison : std::uint8_t { strong, weak };

bool is_weak(std::string_view tag) noexcept { return tag.substr(0, weak_mark.size()) == weak_mark; }

std::string_view opaque(std::string_view tag) noexcept {
  return is_weak(tag) ? tag.substr(weak_mark.size()) : tag;
}

/// (RFC 9110, 8.8.3.2)
bool same(std::string_view a, std::string_view b, Comparison comparison) noexcept {
  if (comparison == Comparison::strong && (is_weak(a) || is_weak(b))) return false;
  return opaque(a) == opaque(b);
}

/// The entity tag that `text` begins with; empty if it does not.
std::string_view leading_tag(std::string_view text) noexcept {
  std::size_t at = is_weak(text) ? weak_mark.size() : 0;
  if (at >= text.size() || text[at] != '"') return {};
  for (++at; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte == '"') return text.substr(0, at + 1);
    if (byte <= 0x20 || byte == 0x7f) return {};
  }
  return {};
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether a list of tags, or `*`, names `etag`. Empty elements are allowed (RFC 9110, 5.6.1.2).
bool names(std::string_view list, std::string_view etag, Comparison comparison) noexcept {
  list = trimmed(list);
  if (list == "*") return true;
  if (!is_entity_tag(etag)) return false;
  while (!list.empty()) {
    if (list.front() != ',') {
      const std::string_view tag = leading_tag(list);
      if (tag.empty()) return false;
      list = trimmed(list.substr(tag.size()));
      if (!list.empty() && list.front() != ',') return false;
      if (same(tag, etag, comparison)) return true;
      if (list.empty()) return false;
    }
    list = trimmed(list.substr(1));
  }
  return false;
}

/// Whether it changed after the date; nothing where that cannot be said.
std::optional<bool> changed_since(std::string_view date, const Validators& validators,
                                  UnixSeconds now) noexcept {
  if (date.empty() || !validators.last_modified) return std::nullopt;
  const auto since = parse_http_date(date, now);
  if (!since) return std::nullopt;
  return *validators.last_modified > *since;
}

}  // namespace

Preconditions Preconditions::from(const Params& params) noexcept {
  Preconditions conditions;
  for (const Param& param : params.all()) {
    constexpr std::string_view prefix = "HTTP_IF_";
    if (param.name.substr(0, prefix.size()) != prefix) continue;
    const std::string_view which = param.name.substr(prefix.size());
    if (which == "MATCH") conditions.if_match = trimmed(param.value);
    if (which == "NONE_MATCH") conditions.if_none_match = trimmed(param.value);
    if (which == "MODIFIED_SINCE") conditions.if_modified_since = trimmed(param.value);
    if (which == "UNMODIFIED_SINCE") conditions.if_unmodified_since = trimmed(param.value);
  }
  return conditions;
}

Condition evaluate(const Preconditions& conditions, const Validators& validators, std::string_view method,
                   UnixSeconds now) noexcept {
  if (method == "CONNECT" || method == "OPTIONS" || method == "TRACE") return Condition::proceed;
  const bool reads = method == "GET" || method == "HEAD";
  if (!conditions.if_match.empty()) {
    if (!names(conditions.if_match, validators.etag, Comparison::strong)) return Condition::failed;
  } else if (changed_since(conditions.if_unmodified_since, validators, now).value_or(false)) {
    return Condition::failed;
  }
  if (!conditions.if_none_match.empty()) {
    if (!names(conditions.if_none_match, validators.etag, Comparison::weak)) return Condition::proceed;
    return reads ? Condition::not_modified : Condition::failed;
  }
  if (reads && !changed_since(conditions.if_modified_since, validators, now).value_or(true))
    return Condition::not_modified;
  return Condition::proceed;
}

bool if_range_holds(std::string_view if_range, const Validators& validators, UnixSeconds now) noexcept {
  if_range = trimmed(if_range);
  if (if_range.empty()) return true;
  if (is_entity_tag(if_range))
    return is_entity_tag(validators.etag) && same(if_range, validators.etag, Comparison::strong);
  const auto date = parse_http_date(if_range, now);
  // Within the second it was changed in it may change again, and keep its date (RFC 9110, 8.8.2.2).
  return date && validators.last_modified == date && *date < now;
}

bool is_entity_tag(std::string_view text) noexcept {
  return !text.empty() && leading_tag(text).size() == text.size();
}

}  // namespace trivet::cgi
