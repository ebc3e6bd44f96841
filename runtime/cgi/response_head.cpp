#include "runtime/cgi/response_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "runtime/cgi/params.hpp"
#include "runtime/cgi/text.hpp"

namespace trivet::cgi {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr Reason reasons[] = {{200, "OK"},
                              {201, "Created"},
                              {202, "Accepted"},
                              {203, "Non-Authoritative Information"},
                              {204, "No Content"},
                              {205, "Reset Content"},
                              {206, "Partial Content"},
                              {207, "Multi-Status"},
                              {208, "Already Reported"},
                              {226, "IM Used"},
                              {300, "Multiple Choices"},
                              {301, "Moved Permanently"},
                              {302, "Found"},
                              {303, "See Other"},
                              {304, "Not Modified"},
                              {305, "Use Proxy"},
                              {307, "Temporary Redirect"},
                              {308, "Permanent Redirect"},
                              {400, "Bad Request"},
                              {401, "Unauthorized"},
                              {402, "Payment Required"},
                              {403, "Forbidden"},
                              {404, "Not Found"},
                              {405, "Method Not Allowed"},
                              {406, "Not Acceptable"},
                              {407, "Proxy Authentication Required"},
                              {408, "Request Timeout"},
                              {409, "Conflict"},
                              {410, "Gone"},
                              {411, "Length Required"},
                              {412, "Precondition Failed"},
                              {413, "Content Too Large"},
                              {414, "URI Too Long"},
                              {415, "Unsupported Media Type"},
                              {416, "Range Not Satisfiable"},
                              {417, "Expectation Failed"},
                              {418, "I'm a Teapot"},
                              {421, "Misdirected Request"},
                              {422, "Unprocessable Content"},
                              {423, "Locked"},
                              {424, "Failed Dependency"},
                              {425, "Too Early"},
                              {426, "Upgrade Required"},
                              {428, "Precondition Required"},
                              {429, "Too Many Requests"},
                              {431, "Request Header Fields Too Large"},
                              {451, "Unavailable For Legal Reasons"},
                              {500, "Internal Server Error"},
                              {501, "Not Implemented"},
                              {502, "Bad Gateway"},
                              {503, "Service Unavailable"},
                              {504, "Gateway Timeout"},
                              {505, "HTTP Version Not Supported"},
                              {506, "Variant Also Negotiates"},
                              {507, "Insufficient Storage"},
                              {508, "Loop Detected"},
                              {510, "Not Extended"},
                              {511, "Network Authentication Required"}};

/// These belong to the connection between client and web server (RFC 9110, 7.6.1), or are the host's own.
constexpr std::string_view not_the_plugins[] = {
    "status", "connection", "keep-alive",        "proxy-connection",
    "te",     "trailer",    "transfer-encoding", "upgrade"};

void append_number(base::Buffer& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

void append_field(base::Buffer& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(": ");
  out.append(value);
  out.append("\r\n");
}

void append_status(base::Buffer& out, int status) {
  out.append("Status: ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ");
  out.append(reason_phrase(status));
  out.append("\r\n");
}

void append_length(base::Buffer& out, std::uint64_t length) {
  out.append("Content-Length: ");
  append_number(out, length);
  out.append("\r\n");
}

}  // namespace

std::string_view refuse_field(std::string_view name, std::string_view value) noexcept {
  if (!is_token(name)) return "a header name is a token: letters, digits and !#$%&'*+-.^_`|~";
  for (const std::string_view reserved : not_the_plugins) {
    if (equals_ignoring_case(name, reserved)) return "this header is the host's to write";
  }
  constexpr std::string_view variable = "Variable-";
  if (equals_ignoring_case(name.substr(0, variable.size()), variable)) {
    return "variables are set as variables, not as headers";
  }
  if (has_control(value)) return "a header value holds no control bytes";
  if (equals_ignoring_case(name, "Content-Length") && !parse_length(value))
    return "Content-Length is a decimal number";
  return {};
}

std::string_view reason_phrase(int status) noexcept {
  const auto* found =
      std::lower_bound(std::begin(reasons), std::end(reasons), status,
                       [](const Reason& reason, int wanted) { return reason.status < wanted; });
  return found != std::end(reasons) && found->status == status ? found->phrase : "Unknown";
}

void ResponseHead::clear() noexcept {
  status_ = 200;
  has_status_ = false;
  text_.clear();
  places_.clear();
}

bool ResponseHead::set_status(int status) noexcept {
  if (status < 200 || status > 599) return false;
  status_ = status;
  has_status_ = true;
  return true;
}

std::string_view ResponseHead::add(std::string_view name, std::string_view value) {
  if (const std::string_view wrong = refuse_field(name, value); !wrong.empty()) return wrong;
  constexpr std::size_t most = 1U << 20U;
  if (text_.size() + name.size() + value.size() > most) return "the head is too large";
  places_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name);
  text_.append(value);
  return {};
}

std::string_view ResponseHead::set(std::string_view name, std::string_view value) {
  if (const std::string_view wrong = refuse_field(name, value); !wrong.empty()) return wrong;
  remove(name);
  return add(name, value);
}

void ResponseHead::keep(std::size_t count) noexcept {
  if (count >= places_.size()) return;
  text_.resize(places_[count].begin);
  places_.resize(count);
}

void ResponseHead::remove(std::string_view name) noexcept {
  std::erase_if(places_, [&](const PlaceInText& place) {
    return equals_ignoring_case(std::string_view(text_).substr(place.begin, place.name_size), name);
  });
}

std::optional<std::string_view> ResponseHead::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Field field = at(i);
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

ResponseHead::Field ResponseHead::at(std::size_t index) const noexcept {
  const PlaceInText& place = places_[index];
  const std::string_view text = text_;
  return {text.substr(place.begin, place.name_size),
          text.substr(place.begin + place.name_size, place.value_size)};
}

void ResponseHead::swap(ResponseHead& other) noexcept {
  std::swap(status_, other.status_);
  std::swap(has_status_, other.has_status_);
  text_.swap(other.text_);
  places_.swap(other.places_);
}

std::size_t append_fields(const ResponseHead& head, base::Buffer& out) {
  for (std::size_t i = 0; i < head.size(); ++i) append_field(out, head.at(i).name, head.at(i).value);
  return head.size();
}

std::string_view emit(const ResponseHead& head, const HeadRules& rules, base::Buffer& out) {
  const std::size_t start = out.size();
  const bool moved = head.find("Location").has_value();
  const int status = !head.has_status() && moved ? 302 : head.status();
  const bool never_a_body = status == 204 || status == 304;
  std::size_t fields = 1;
  bool has_type = false;
  bool has_length = false;
  append_status(out, status);
  for (std::size_t i = 0; i < head.size(); ++i) {
    const ResponseHead::Field field = head.at(i);
    const bool is_type = equals_ignoring_case(field.name, "Content-Type");
    const bool is_length = equals_ignoring_case(field.name, "Content-Length");
    if (never_a_body && (is_type || is_length)) continue;
    // Apache's CGI modules would answer with what they find at that path, past every filter.
    const std::size_t begin = field.value.find_first_not_of(" \t");
    if (status == 200 && begin != std::string_view::npos && field.value[begin] == '/' &&
        equals_ignoring_case(field.name, "Location"))
      continue;
    if ((is_type && has_type) || (is_length && (has_length || rules.content_length))) continue;
    has_type = has_type || is_type;
    has_length = has_length || is_length;
    append_field(out, field.name, field.value);
    ++fields;
  }
  if (rules.more != nullptr) fields += append_fields(*rules.more, out);
  if (!never_a_body) {
    if (!has_type && rules.body_may_follow) {
      append_field(out, "Content-Type", "text/plain; charset=utf-8");
      ++fields;
    }
    if (rules.content_length) {
      append_length(out, *rules.content_length);
      ++fields;
    }
  }
  out.append("\r\n");
  if (fields > rules.max_fields || out.size() - start > rules.max_bytes) {
    out.truncate(start);
    return fields > rules.max_fields ? "the head has more fields than head_fields"
                                     : "the head is larger than head_bytes";
  }
  return {};
}

void emit_plain(int status, std::string_view allow, int retry_after, bool head_method,
                const ResponseHead* more, base::Buffer& out, std::size_t& head_end) {
  const std::size_t start = out.size();
  const std::string_view phrase = reason_phrase(status);
  append_status(out, status);
  append_field(out, "Content-Type", "text/plain; charset=utf-8");
  if (!allow.empty()) append_field(out, "Allow", allow);
  if (retry_after > 0) {
    out.append("Retry-After: ");
    append_number(out, static_cast<std::uint64_t>(retry_after));
    out.append("\r\n");
  }
  if (more != nullptr) append_fields(*more, out);
  append_length(out, phrase.size() + 5);  // "404 ", the phrase, a line end.
  out.append("\r\n");
  head_end = out.size() - start;
  if (head_method) return;
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ");
  out.append(phrase);
  out.append("\n");
}

}  // namespace trivet::cgi
