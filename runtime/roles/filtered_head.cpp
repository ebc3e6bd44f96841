#include "runtime/roles/filtered_head.hpp"

#include <algorithm>

#include "runtime/base/siphash.hpp"
#include "runtime/cgi/text.hpp"

namespace trivet::roles {
namespace {

constexpr std::array<std::string_view, 8> body_fields = {"Content-Length", "ETag",        "Last-Modified",
                                                         "Accept-Ranges",  "Content-MD5", "Digest",
                                                         "Content-Digest", "Repr-Digest"};
constexpr std::string_view sends_file[] = {
    "X-Accel-Redirect",         "X-Sendfile",   "X-Sendfile2", "X-Sendfile-Temporary", "X-LIGHTTPD-send-file",
    "X-LIGHTTPD-send-tempfile", "X-Reproxy-URL"};
constexpr std::string_view hidden_always[] = {"HTTP_ACCEPT_ENCODING", "HTTP_RANGE", "HTTP_IF_RANGE"};
constexpr std::string_view hidden_conditions[] = {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH",
                                                  "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"};

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// `wanted` is in lower case, and may end in "/*".
bool is_type(std::string_view wanted, std::string_view type) noexcept {
  if (!wanted.ends_with("/*")) return cgi::equals_ignoring_case(type, wanted);
  const std::string_view tree = wanted.substr(0, wanted.size() - 1);
  return cgi::equals_ignoring_case(type.substr(0, tree.size()), tree);
}

}  // namespace

std::string_view matched_method(const cgi::Params& params) noexcept {
  const std::string_view steered = params.get(cgi::KnownParam("TRIVET_METHOD"));
  return steered.empty() ? params.get(cgi::KnownParam("REQUEST_METHOD")) : steered;
}

bool takes_method(const config::FilterStage& stage, std::string_view method) noexcept {
  return stage.methods.empty() ||
         std::any_of(stage.methods.begin(), stage.methods.end(), [&](const std::string& each) {
           return each == method || (each == "GET" && method == "HEAD");
         });
}

bool has_filters_for(const config::Route& route, const cgi::Params& params) noexcept {
  if (route.filter.empty()) return false;
  const std::string_view method = matched_method(params);
  return std::any_of(route.filter.begin(), route.filter.end(),
                     [&](const config::FilterStage& stage) { return takes_method(stage, method); });
}

bool is_hidden_from_source(std::string_view name, bool reads) noexcept {
  if (!name.starts_with("HTTP_")) return false;
  const auto is_name = [&](std::string_view each) { return each == name; };
  return std::any_of(std::begin(hidden_always), std::end(hidden_always), is_name) ||
         (reads && std::any_of(std::begin(hidden_conditions), std::end(hidden_conditions), is_name));
}

int status_of(const cgi::ResponseHead& head) noexcept {
  return !head.has_status() && head.find("Location") ? 302 : head.status();
}

std::string_view coding_of(const cgi::ResponseHead& head) noexcept {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const cgi::ResponseHead::Field field = head.at(i);
    if (!cgi::equals_ignoring_case(field.name, "Content-Encoding")) continue;
    const std::string_view coding = trimmed(field.value);
    if (!coding.empty() && !cgi::equals_ignoring_case(coding, "identity")) return coding;
  }
  return {};
}

std::string_view file_sent_by(const cgi::ResponseHead& head) noexcept {
  for (const std::string_view name : sends_file) {
    if (head.find(name)) return name;
  }
  return {};
}

bool fits(const config::FilterStage& stage, const cgi::ResponseHead& head) noexcept {
  if (!stage.status.empty() && std::find(stage.status.begin(), stage.status.end(),
                                         static_cast<std::uint32_t>(status_of(head))) == stage.status.end())
    return false;
  if (!stage.types.empty()) {
    // Without one it goes out as plain text.
    std::string_view type = head.find("Content-Type").value_or("text/plain");
    type = trimmed(type.substr(0, type.find(';')));
    if (std::none_of(stage.types.begin(), stage.types.end(),
                     [&](const std::string& wanted) { return is_type(wanted, type); }))
      return false;
  }
  if (stage.min_size == 0) return true;
  const auto length = head.find("Content-Length");
  return !length || cgi::parse_length(*length).value_or(UINT64_MAX) >= stage.min_size;
}

PureTag::PureTag(const cgi::ResponseHead& head) noexcept {
  if (const auto etag = head.find("ETag"); etag && !etag->empty()) {
    has_validator_ = true;
    mix("etag");
    mix(*etag);
    return;
  }
  const auto modified = head.find("Last-Modified");
  const auto length = head.find("Content-Length");
  if (!modified || modified->empty() || !length || length->empty()) return;
  has_validator_ = true;
  mix("date");
  mix(*modified);
  mix(*length);
}

void PureTag::mix(std::string_view text) noexcept {
  const std::uint64_t first = base::siphash({hash_[0], text.size()}, text);
  hash_ = {first, base::siphash({hash_[1], first}, text)};
}

void PureTag::add(std::uint64_t edition) noexcept {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(edition >> (8 * i) & 0xffU);
  mix({bytes.data(), bytes.size()});
}

void PureTag::write(std::string& out) const {
  constexpr std::string_view digits = "0123456789abcdef";
  out.clear();
  if (!has_validator_) return;
  out = "W/\"";
  for (const std::uint64_t half : hash_) {
    for (unsigned shift = 64; shift > 0; shift -= 4) out.push_back(digits[half >> (shift - 4) & 0xfU]);
  }
  out.push_back('"');
}

void BodyFields::remember(const cgi::ResponseHead& head) {
  for (std::size_t i = 0; i < body_fields.size(); ++i) {
    const auto found = head.find(body_fields[i]);
    fields_[i].is_there = found.has_value();
    fields_[i].value.assign(found.value_or(std::string_view()));
  }
}

void BodyFields::remove_unchanged(cgi::ResponseHead& head) const noexcept {
  for (std::size_t i = 0; i < body_fields.size(); ++i) {
    const auto found = head.find(body_fields[i]);
    if (found && fields_[i].is_there && *found == fields_[i].value) head.remove(body_fields[i]);
  }
}

void BodyFields::remove_validators(cgi::ResponseHead& head) noexcept {
  for (const std::string_view name : body_fields) {
    if (name != "Content-Length") head.remove(name);
  }
}

void BodyFields::remove_for_not_modified(cgi::ResponseHead& head) noexcept {
  for (const std::string_view name :
       {"Content-Length", "Content-Encoding", "Content-Language", "Content-Range", "Accept-Ranges",
        "Content-MD5", "Digest", "Content-Digest", "Repr-Digest"})
    head.remove(name);
}

}  // namespace trivet::roles
