#include "runtime/cli/head_parser.hpp"

#include "runtime/cgi/text.hpp"
#include "runtime/cli/trace.hpp"

namespace trivet::cli {
namespace {
constexpr std::size_t longest_head = 65536;
}

void HeadParser::fail(std::string problem) {
  state_ = State::malformed;
  problem_ = std::move(problem);
}

void HeadParser::end_line() {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_.empty()) {
    state_ = State::complete;
    return;
  }
  const std::size_t colon = line_.find(':');
  if (colon == std::string::npos || !cgi::is_token(std::string_view(line_).substr(0, colon))) {
    fail("the head has a line that is no field: \"" + escaped(std::string_view(line_).substr(0, 80)) + "\"");
    return;
  }
  if (cgi::equals_ignoring_case(std::string_view(line_).substr(0, colon), "Status")) {
    const std::size_t at = line_.find_first_not_of(" \t", colon + 1);
    const std::string_view value =
        at == std::string::npos ? std::string_view() : std::string_view(line_).substr(at);
    const bool digits = value.size() >= 3 && value.find_first_not_of("0123456789") >= 3 &&
                        (value.size() == 3 || value[3] == ' ');
    if (!digits) {
      fail("the Status is not a number of three digits: \"" + escaped(value.substr(0, 40)) + "\"");
      return;
    }
    status_ = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
  }
  text_ += line_;
  text_ += '\n';
  line_.clear();
}

base::Bytes HeadParser::feed(base::Bytes bytes) {
  while (state_ == State::reading && !bytes.empty()) {
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
