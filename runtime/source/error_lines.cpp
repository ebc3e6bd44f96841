#include "runtime/source/error_lines.hpp"

#include <algorithm>

namespace trivet::source {
namespace {
constexpr std::size_t longest_line = 2000;
constexpr std::size_t most_lines = 100;
constexpr std::size_t most_bytes = 65536;
}  // namespace

void ErrorLines::end_line(const Tell& tell) {
  while (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_.empty()) return;
  ++lines_;
  told_ += line_.size();
  tell(line_);
  line_.clear();
}

void ErrorLines::feed(base::Bytes bytes, const Tell& tell) {
  std::string_view text = base::as_text(bytes);
  while (!text.empty()) {
    if (lines_ >= most_lines || told_ >= most_bytes) {
      left_out_ += text.size();
      return;
    }
    const std::size_t end = text.find('\n');
    const std::size_t piece = std::min({end, text.size(), longest_line - line_.size()});
    line_ += text.substr(0, piece);
    if (piece == end) {
      end_line(tell);
      text.remove_prefix(piece + 1);
    } else {
      if (line_.size() == longest_line) end_line(tell);
      text.remove_prefix(piece);
    }
  }
}

void ErrorLines::finish(const Tell& tell) {
  end_line(tell);
  if (left_out_ != 0) tell("[" + std::to_string(left_out_) + " bytes more are left out]");
  left_out_ = 0;
}

}  // namespace trivet::source
