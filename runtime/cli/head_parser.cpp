#include "runtime/cli/head_parser.hpp"

#include <string_view>
#include <utility>

#include "runtime/cgi/text.hpp"
#include "runtime/cli/trace.hpp"

namespace trivet::cli {
namespace {

constexpr std::size_t longest_head = 65536;

/// `404` or `404 Not Found`: three digits from 100 up, then a space or nothing.
std::optional<int> status_code(std::string_view value) {
  if (value.size() < 3 || (value.size() > 3 && value[3] != ' ')) return std::nullopt;
  int code = 0;
  for (const char c : value.substr(0, 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    code = code * 10 + (c - '0');
  }
  return code >= 100 ? std::optional(code) : std::nullopt;
}

}  // namespace

void HeadParser::fail(std::string problem) {
  state_ = State::malformed;
  problem_ = std::move(problem);
}

void HeadParser::take_status(std::string_view value) {
  const auto code = status_code(value);
  if (!code) {
    fail("the Status does not begin with a code of three digits: \"" + escaped(value.substr(0, 40)) + "\"");
  } else if (status_ && *status_ != *code) {
    fail("the head has two Status fields: " + std::to_string(*status_) + " and " + std::to_string(*code));
  } else {
    status_ = code;
  }
}

void HeadParser::end_line() {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_.empty()) {
    state_ = State::complete;
    return;
  }
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !cgi::is_token(line.substr(0, colon))) {
    fail("the head has a line that is no field: \"" + escaped(line.substr(0, 80)) + "\"");
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::size_t at = line.find_first_not_of(" \t", colon + 1);
  if (cgi::equals_ignoring_case(name, "Status")) {
    take_status(at == std::string_view::npos ? std::string_view() : line.substr(at));
  }
  if (cgi::equals_ignoring_case(name, "Location")) has_location_ = true;
  text_ += line_;
  text_ += '\n';
  line_.clear();
}

base::Bytes HeadParser::feed(base::Bytes bytes) {
  while (state_ == State::reading && !bytes.empty()) {
    begun_ = true;
    const char c = static_cast<char>(bytes.front());
    bytes = bytes.subspan(1);
    if (c == '\n') {
      end_line();
    } else {
      line_ += c;
    }
    if (text_.size() + line_.size() > longest_head) fail("the head is larger than 64 KiB");
  }
  return state_ == State::complete ? bytes : base::Bytes();
}

}  // namespace trivet::cli
