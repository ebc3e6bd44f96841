#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream.hpp"

/// A regular expression and what stands in place of what it matches.
///
/// Thread    [any]: RE2 locks what it remembers.
/// Memory    RE2 takes up to `memory` bytes for each, shared by all texts.
struct Pattern {
  static constexpr std::int64_t memory = 4 << 20;
  enum class Case : bool { matters, ignored };
  enum class Reach : bool { one_line, across_lines };

  Pattern(const std::string& text, std::string rewrite, Case letters, Reach reach, bool only_first,
          std::size_t longest)
      : expression(reach == Reach::one_line ? "(?m)" + text : text, options(letters, reach)),
        with(std::move(rewrite)),
        crosses_lines(reach == Reach::across_lines),
        once(only_first),
        window(longest) {}

  [[nodiscard]] static RE2::Options options(Case letters, Reach reach) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(letters == Case::matters);
    options.set_never_nl(reach == Reach::one_line);
    options.set_max_mem(memory);
    return options;
  }

  RE2 expression;
  std::string with;
  bool crosses_lines;
  bool once;
  std::size_t window;  ///< The longest match.
};

/// Finds what one search over the whole text would find, however the text is cut: a place is decided once all
/// bytes that a match from there can have, and the one after them, are there; or the end of its line is,
/// where no match goes beyond.
///
///   given away | one byte before | not decided yet ...
///
/// Memory    The text that is not decided: at most two windows and a piece of 16 KiB.
class PatternStream final : public Stream {
 public:
  explicit PatternStream(const Pattern& rule)
      : rule_(rule), groups_(1 + static_cast<std::size_t>(RE2::MaxSubmatch(rule.with))) {}

  void feed(std::string_view bytes, bool last, Sink& sink) override {
    constexpr std::size_t most = 16384;
    do {
      if (done_) {
        sink.write(bytes);
        return;
      }
      const std::string_view piece = bytes.substr(0, most);
      bytes.remove_prefix(piece.size());
      const std::size_t line = piece.rfind('\n');
      const std::size_t lines_end = line == std::string_view::npos ? 0 : text_.size() + line + 1;
      text_ += piece;
      decide(last && bytes.empty(), rule_.crosses_lines ? 0 : lines_end, sink);
    } while (!bytes.empty());
  }

 private:
  /// `lines_end`: behind the last line break.
  void decide(bool last, std::size_t lines_end, Sink& sink) {
    std::size_t limit = 0;  // Places before this one are decided.
    std::size_t end = 0;    // Of what is searched.
    if (last) {
      limit = text_.size() + 1;
      end = text_.size();
    } else if (text_.size() - at_ > 2 * rule_.window && text_.size() - rule_.window > lines_end) {
      limit = text_.size() - rule_.window;
      end = text_.size() - 1;
    } else if (lines_end > at_) {
      limit = lines_end;
      end = lines_end - 1;
    } else {
      return;
    }
    while (at_ < limit && !done_ && find(end, limit, sink)) replace(sink);
    const std::size_t stop = done_ ? text_.size() : std::min(limit, text_.size());
    if (stop > at_) pass(stop, sink);
    if (at_ > 1) {
      const std::size_t drop = std::min(at_, text_.size()) - 1;
      text_.erase(0, drop);
      at_ -= drop;
    }
    if (done_) std::string().swap(text_);
  }

  /// The first match from here on that is no longer than the window, in groups_.
  bool find(std::size_t end, std::size_t limit, Sink& sink) {
    const int count = static_cast<int>(groups_.size());
    for (std::size_t from = at_; from <= end;) {
      if (++searches_ % 64 == 0) sink.check();
      if (!rule_.expression.Match(text_, from, end, RE2::UNANCHORED, groups_.data(), count)) return false;
      const auto start = static_cast<std::size_t>(groups_[0].data() - text_.data());
      if (start >= limit) return false;
      if (groups_[0].size() <= rule_.window) return true;
      // As if the text could be seen for one window only.
      if (rule_.expression.Match(text_, start, start + rule_.window, RE2::ANCHOR_START, groups_.data(),
                                 count))
        return true;
      from = start + 1;
    }
    return false;
  }

  void replace(Sink& sink) {
    const auto start = static_cast<std::size_t>(groups_[0].data() - text_.data());
    const std::size_t length = groups_[0].size();
    if (start > at_) pass(start, sink);
    if (length == 0 && behind_match_) {
      // Nothing right behind a match is no match of its own, as in RE2::GlobalReplace: on with the next
      // character.
      pass(start + character_at(start), sink);
      return;
    }
    std::string with;
    rule_.expression.Rewrite(&with, rule_.with, groups_.data(), static_cast<int>(groups_.size()));
    sink.write(with);
    at_ = start + length;
    behind_match_ = true;
    done_ = rule_.once;
  }

  void pass(std::size_t to, Sink& sink) {
    if (at_ < text_.size()) sink.write(std::string_view(text_).substr(at_, to - at_));
    at_ = to;
    behind_match_ = false;
  }

  /// How long the character there is: 1 for a byte that begins none.
  [[nodiscard]] std::size_t character_at(std::size_t at) const {
    const auto byte = [&](std::size_t index) {
      return index < text_.size() ? static_cast<unsigned char>(text_[index]) : 0U;
    };
    const auto follows = [&](std::size_t index) { return (byte(index) & 0xC0U) == 0x80U; };
    const unsigned first = byte(at);
    if (first >= 0xC2 && first <= 0xDF && follows(at + 1)) return 2;
    if ((first & 0xF0U) == 0xE0 && follows(at + 1) && follows(at + 2))
      return first != 0xE0 || byte(at + 1) >= 0xA0 ? 3 : 1;
    if (first >= 0xF0 && first <= 0xF4 && follows(at + 1) && follows(at + 2) && follows(at + 3)) {
      const bool is_short = first == 0xF0 && byte(at + 1) < 0x90;
      const bool is_beyond = first == 0xF4 && byte(at + 1) >= 0x90;
      return is_short || is_beyond ? 1 : 4;
    }
    return 1;
  }

  const Pattern& rule_;
  std::vector<re2::StringPiece> groups_;
  std::string text_;
  std::size_t at_ = 0;         ///< The first place in `text_` that is not decided.
  bool behind_match_ = false;  ///< A match ended at `at_`.
  bool done_ = false;
  unsigned searches_ = 0;
};
