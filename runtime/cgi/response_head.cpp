#include "runtime/cgi/response_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>

#include "runtime/base/name_index.hpp"
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

constexpr int lowest_status = 200;
constexpr int highest_status = 599;

/// By status, from the lowest: the place in `reasons`, from 1; 0 is no place.
constexpr auto places_of_reasons = [] {
  std::array<std::uint8_t, highest_status - lowest_status + 1> places{};
  for (std::size_t at = 0; at < std::size(reasons); ++at)
    places[static_cast<std::size_t>(reasons[at].status - lowest_status)] = static_cast<std::uint8_t>(at + 1);
  return places;
}();

/// From 1; 0: it has no reason.
constexpr std::size_t place_of_reason(int status) noexcept {
  if (status < lowest_status || status > highest_status) return 0;
  return places_of_reasons[static_cast<std::size_t>(status - lowest_status)];
}

constexpr std::string_view status_name = "Status: ";

/// Put together beforehand, and of one size, so that copying one takes no call.
struct StatusLine {
  std::array<char, 48> text{};
  std::size_t size = 0;

  constexpr void put(std::string_view more) {
    for (const char c : more) text[size++] = c;
  }
};
constexpr auto status_lines = [] {
  std::array<StatusLine, std::size(reasons)> lines{};
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const int status = reasons[at].status;
    lines[at].put(status_name);
    for (const int digit : {status / 100, status / 10 % 10, status % 10})
      lines[at].text[lines[at].size++] = static_cast<char>('0' + digit);
    lines[at].put(" ");
    lines[at].put(reasons[at].phrase);
    lines[at].put("\r\n");
  }
  return lines;
}();

/// These belong to the connection between client and web server (RFC 9110, 7.6.1), or are the host's own.
constexpr std::string_view not_the_plugins[] = {
    "status", "connection", "keep-alive",        "proxy-connection",
    "te",     "trailer",    "transfer-encoding", "upgrade"};

/// Lengths differ nearly always, and then no text is compared; where they do not, the case is mostly the
/// usual.
bool is_named(std::string_view name, std::string_view wanted) noexcept {
  return base::same_name(name, wanted) || equals_ignoring_case(name, wanted);
}

/// A value of Location that names no host.
bool is_path(std::string_view value) noexcept {
  const std::size_t begin = value.find_first_not_of(" \t");
  return begin != std::string_view::npos && value[begin] == '/';
}

constexpr std::string_view own_type = "text/plain; charset=utf-8";

/// What the host's own lines take at most: Status, Content-Type, Retry-After, Content-Length, the empty line.
constexpr std::size_t own_lines = 256;

/// Writes lines of a head behind what is in a buffer, into room that was made for all of them at once. They
/// are there from commit() on.
class LineWriter {
 public:
  LineWriter(base::Buffer& out, std::size_t most)
      : out_(out), begin_(out.prepare(most).data()), end_(begin_ + most), at_(begin_) {}

  void put(std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void number(std::uint64_t number) noexcept {
    char* const at = reinterpret_cast<char*>(at_);                             // NOLINT: bytes as text
    at_ += std::to_chars(at, reinterpret_cast<char*>(end_), number).ptr - at;  // NOLINT: likewise
  }
  void field(std::string_view name, std::string_view value) noexcept {
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }
  /// There is room for own_lines.
  void status(int status) noexcept {
    if (const std::size_t place = place_of_reason(status); place != 0) {
      const StatusLine& line = status_lines[place - 1];
      static_assert(sizeof line.text <= own_lines);
      std::memcpy(at_, line.text.data(), sizeof line.text);
      at_ += line.size;
      return;
    }
    put(status_name);
    for (const int digit : {status / 100, status / 10 % 10, status % 10})
      *at_++ = static_cast<std::uint8_t>('0' + digit);
    put(" ");
    put(reason_phrase(status));
    put("\r\n");
  }
  void length(std::uint64_t length) noexcept {
    put("Content-Length: ");
    number(length);
    put("\r\n");
  }
  std::size_t fields(const ResponseHead& head) noexcept {
    if (const auto lines = head.lines()) {
      put(*lines);
    } else {
      for (std::size_t i = 0; i < head.size(); ++i) field(head.at(i).name, head.at(i).value);
    }
    return head.size();
  }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  void commit() noexcept { out_.commit(size()); }

 private:
  base::Buffer& out_;
  std::uint8_t* begin_;
  std::uint8_t* end_;
  std::uint8_t* at_;
};

std::size_t room_for(const ResponseHead* head) noexcept { return head == nullptr ? 0 : head->lines_size(); }

using Known = ResponseHead::Known;

std::string_view refuse_value(Known known, std::string_view value) noexcept {
  if (has_control(value)) return "a header value holds no control bytes";
  if (known == Known::length && !parse_length(value)) return "Content-Length is a decimal number";
  return {};
}

std::string_view refuse_name(std::string_view name) noexcept {
  if (!is_token(name)) return "a header name is a token: letters, digits and !#$%&'*+-.^_`|~";
  for (const std::string_view reserved : not_the_plugins) {
    if (is_named(name, reserved)) return "this header is the host's to write";
  }
  constexpr std::string_view variable = "Variable-";
  if (name.size() >= variable.size() && lower(name.front()) == 'v' &&
      equals_ignoring_case(name.substr(0, variable.size()), variable)) {
    return "variables are set as variables, not as headers";
  }
  return {};
}

/// The names that are known are nobody else's.
std::string_view refuse(Known known, std::string_view name, std::string_view value) noexcept {
  if (known == Known::other) {
    if (const std::string_view wrong = refuse_name(name); !wrong.empty()) return wrong;
  }
  return refuse_value(known, value);
}

struct Written {
  std::size_t fields = 0;
  bool type = false;
};

/// One by one, without what does not go out.
Written write_some(LineWriter& lines, const ResponseHead& head, int status, bool never_a_body,
                   bool has_length) {
  Written written;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const ResponseHead::Field field = head.at(i);
    const Known known = ResponseHead::known(field.name);
    const bool is_type = known == Known::type;
    const bool is_length = known == Known::length;
    if (never_a_body && (is_type || is_length)) continue;
    // Apache's CGI modules would answer with what they find at that path, past every filter.
    if (status == 200 && known == Known::location && is_path(field.value)) continue;
    if ((is_type && written.type) || (is_length && has_length)) continue;
    written.type = written.type || is_type;
    has_length = has_length || is_length;
    lines.field(field.name, field.value);
    ++written.fields;
  }
  return written;
}

/// Nothing of the head has to be left out.
bool goes_out_whole(const ResponseHead& head, int status, bool never_a_body, bool has_length) noexcept {
  const bool type_stays = !never_a_body || !head.ever_had(Known::type);
  const bool length_stays = (!never_a_body && !has_length) || !head.ever_had(Known::length);
  const bool location_stays = status != 200 || !head.ever_had(Known::location);
  return head.lines() && !head.repeats_known() && type_stays && length_stays && location_stays;
}

}  // namespace

std::string_view refuse_field(std::string_view name, std::string_view value) noexcept {
  return refuse(ResponseHead::known(name), name, value);
}

std::string_view reason_phrase(int status) noexcept {
  const std::size_t place = place_of_reason(status);
  return place == 0 ? "Unknown" : reasons[place - 1].phrase;
}

void ResponseHead::clear() noexcept {
  status_ = 200;
  has_status_ = false;
  was_cut_ = repeats_known_ = false;
  known_ = 0;
  lines_.clear();
  places_.clear();
  lengths_ = 0;
}

ResponseHead::Known ResponseHead::known(std::string_view name) noexcept {
  constexpr std::string_view location = "Location";
  constexpr std::string_view type = "Content-Type";
  constexpr std::string_view length = "Content-Length";
  switch (name.size()) {
    case location.size():
      return is_named(name, location) ? Known::location : Known::other;
    case type.size():
      return is_named(name, type) ? Known::type : Known::other;
    case length.size():
      return is_named(name, length) ? Known::length : Known::other;
    default:
      return Known::other;
  }
}

bool ResponseHead::set_status(int status) noexcept {
  if (status < lowest_status || status > highest_status) return false;
  status_ = status;
  has_status_ = true;
  return true;
}

std::string_view ResponseHead::add(std::string_view name, std::string_view value) {
  const Known known_name = known(name);
  if (const std::string_view wrong = refuse(known_name, name, value); !wrong.empty()) return wrong;
  return append(known_name, name, value);
}

std::string_view ResponseHead::append(Known known, std::string_view name, std::string_view value) {
  constexpr std::size_t most = 1U << 20U;
  if (lines_.size() + name.size() + value.size() > most) return "the head is too large";
  const std::size_t size = name.size() + between.size() + value.size() + line_end.size();
  base::Buffer before;  // Where `name` and `value` may lie, which find() has given: until they are written.
  if (lines_.capacity() - lines_.size() < size) {
    static_cast<void>(before.prepare(2 * lines_.capacity() + size));
    before.append(lines_.bytes());
    lines_.swap(before);
  }
  places_.push_back({static_cast<std::uint32_t>(lines_.size()), static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  lengths_ |= bit_of_length(name);
  repeats_known_ = repeats_known_ || ever_had(known);
  known_ |= static_cast<std::uint8_t>(known);
  LineWriter line(lines_, size);
  line.field(name, value);
  line.commit();
  return {};
}

std::string_view ResponseHead::set(std::string_view name, std::string_view value) {
  const Known known_name = known(name);
  if (const std::string_view wrong = refuse(known_name, name, value); !wrong.empty()) return wrong;
  remove(name);
  return append(known_name, name, value);
}

void ResponseHead::keep(std::size_t count) noexcept {
  if (count >= places_.size()) return;
  lines_.truncate(places_[count].begin);
  places_.resize(count);
  was_cut_ = true;
}

void ResponseHead::remove(std::string_view name) noexcept {
  if (!has_name_as_long(name)) return;
  const auto removed = std::erase_if(places_, [&](const PlaceInText& place) {
    return is_named(base::as_text(lines_.bytes()).substr(place.begin, place.name_size), name);
  });
  was_cut_ = was_cut_ || removed != 0;
}

std::optional<std::string_view> ResponseHead::look_for(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Field field = at(i);
    if (is_named(field.name, name)) return field.value;
  }
  return std::nullopt;
}

void ResponseHead::swap(ResponseHead& other) noexcept {
  std::swap(status_, other.status_);
  std::swap(has_status_, other.has_status_);
  std::swap(was_cut_, other.was_cut_);
  std::swap(repeats_known_, other.repeats_known_);
  std::swap(known_, other.known_);
  lines_.swap(other.lines_);
  places_.swap(other.places_);
  std::swap(lengths_, other.lengths_);
}

std::size_t append_fields(const ResponseHead& head, base::Buffer& out) {
  LineWriter lines(out, room_for(&head));
  lines.fields(head);
  lines.commit();
  return head.size();
}

std::string_view emit(const ResponseHead& head, const HeadRules& rules, base::Buffer& out) {
  const int status = !head.has_status() && head.find("Location") ? 302 : head.status();
  const bool never_a_body = status == 204 || status == 304;
  const bool has_length = rules.content_length.has_value();
  LineWriter lines(out, own_lines + room_for(&head) + room_for(rules.more));
  lines.status(status);
  Written written;
  if (goes_out_whole(head, status, never_a_body, has_length)) {
    written = {lines.fields(head), head.ever_had(Known::type)};
  } else {
    written = write_some(lines, head, status, never_a_body, has_length);
  }
  std::size_t fields = 1 + written.fields;
  if (rules.more != nullptr) fields += lines.fields(*rules.more);
  if (!never_a_body) {
    if (!written.type && rules.body_may_follow) {
      lines.field("Content-Type", own_type);
      ++fields;
    }
    if (rules.content_length) {
      lines.length(*rules.content_length);
      ++fields;
    }
  }
  lines.put("\r\n");
  if (fields > rules.max_fields) return "the head has more fields than head_fields";
  if (lines.size() > rules.max_bytes) return "the head is larger than head_bytes";
  lines.commit();
  return {};
}

void emit_plain(int status, std::string_view allow, int retry_after, bool head_method,
                const ResponseHead* more, base::Buffer& out, std::size_t& head_end) {
  const std::string_view phrase = reason_phrase(status);
  constexpr std::string_view allow_name = "Allow";
  LineWriter lines(out, own_lines + allow_name.size() + allow.size() + room_for(more));
  lines.status(status);
  lines.field("Content-Type", own_type);
  if (!allow.empty()) lines.field(allow_name, allow);
  if (retry_after > 0) {
    lines.put("Retry-After: ");
    lines.number(static_cast<std::uint64_t>(retry_after));
    lines.put("\r\n");
  }
  if (more != nullptr) lines.fields(*more);
  lines.length(phrase.size() + 5);  // "404 ", the phrase, a line end.
  lines.put("\r\n");
  head_end = lines.size();
  if (!head_method) {
    lines.number(static_cast<std::uint64_t>(status));
    lines.put(" ");
    lines.put(phrase);
    lines.put("\n");
  }
  lines.commit();
}

}  // namespace trivet::cgi
