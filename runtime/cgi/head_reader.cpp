#include "runtime/cgi/head_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/cgi/text.hpp"

namespace trivet::cgi {
namespace {

constexpr std::size_t quoted = 80;

constexpr std::array<std::string_view, 7> of_the_connection = {
    "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"};

bool is_of_the_connection(std::string_view name) noexcept {
  return std::any_of(of_the_connection.begin(), of_the_connection.end(),
                     [&](std::string_view each) { return equals_ignoring_case(name, each); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// `404` or `404 Not Found`: three digits, then a space or nothing.
std::optional<int> status_code(std::string_view value) noexcept {
  if (value.size() < 3 || (value.size() > 3 && value[3] != ' ')) return std::nullopt;
  int code = 0;
  for (const char c : value.substr(0, 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    code = code * 10 + (c - '0');
  }
  return code;
}

std::string in_quotes(std::string_view text) { return '"' + std::string(text.substr(0, quoted)) + '"'; }

}  // namespace

void HeadReader::fail(std::string problem) {
  state_ = State::malformed;
  problem_ = std::move(problem);
}

void HeadReader::take_status(std::string_view value) {
  const auto code = status_code(value);
  if (!code) {
    fail("the Status does not begin with a code of three digits: " + in_quotes(value));
  } else if (head_.has_status() && head_.status() != *code) {
    fail("the head has two Status fields that differ: " + std::to_string(head_.status()) + " and " +
         std::to_string(*code));
  } else if (!head_.set_status(*code)) {
    fail("the Status is outside 200 to 599: " + std::to_string(*code));
  }
}

void HeadReader::end_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) {
    if (has_lines_) {
      state_ = State::complete;
    } else {
      fail("the head is empty");
    }
    return;
  }
  has_lines_ = true;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    fail("the head has a line that is no field: " + in_quotes(line));
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (equals_ignoring_case(name, "Status")) {
    take_status(value);
    return;
  }
  if (is_of_the_connection(name)) return;
  if (equals_ignoring_case(name, "Content-Length")) {
    const auto before = head_.find(name);
    if (before && *before != value) {
      fail("the head has two lengths: " + in_quotes(*before) + " and " + in_quotes(value));
      return;
    }
    if (before) return;
  }
  if (head_.size() >= max_fields_) {
    fail("the head has more than " + std::to_string(max_fields_) + " fields");
  } else if (const std::string_view wrong = head_.add(name, value); !wrong.empty()) {
    fail("the head has a field that is refused: " + in_quotes(line) + ": " + std::string(wrong));
  }
}

base::Bytes HeadReader::feed(base::Bytes bytes) {
  while (state_ == State::reading && !bytes.empty()) {
    const auto end = std::find(bytes.begin(), bytes.end(), static_cast<std::uint8_t>('\n'));
    const auto size = static_cast<std::size_t>(end - bytes.begin());
    const bool whole = end != bytes.end();
    taken_ += size + 1;
    if (taken_ > max_bytes_) {
      fail("the head is larger than " + std::to_string(max_bytes_) + " bytes");
      break;
    }
    const std::string_view piece = base::as_text(bytes.first(size));
    bytes = bytes.subspan(whole ? size + 1 : size);
    if (!whole) {
      --taken_;
      line_ += piece;
    } else if (line_.empty()) {
      end_line(piece);
    } else {
      line_ += piece;
      end_line(line_);
      line_.clear();
    }
  }
  return state_ == State::complete ? bytes : base::Bytes();
}

}  // namespace trivet::cgi
