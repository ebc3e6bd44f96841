#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream.hpp"

/// A text that is found as it is written; with `ignores_case` the letters a to z in any case.
struct Literal {
  Literal(std::string text, std::string replacement, bool any_case, bool only_first)
      : find(std::move(text)),
        with(std::move(replacement)),
        ignores_case(any_case),
        once(only_first),
        borders(find.size()) {
    for (char& c : find) c = folded(c);
    // Knuth, Morris, Pratt: how long the longest beginning of `find` is that ends its first at + 1 bytes.
    for (std::size_t at = 1, length = 0; at < find.size(); ++at) {
      while (length > 0 && find[at] != find[length]) length = borders[length - 1];
      if (find[at] == find[length]) ++length;
      borders[at] = length;
    }
  }

  [[nodiscard]] char folded(char c) const noexcept {
    return ignores_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }

  std::string find;
  std::string with;
  bool ignores_case;
  bool once;
  std::vector<std::size_t> borders;
};

/// Memory    What is held back is the beginning of a match: less than the text that is looked for.
class LiteralStream final : public Stream {
 public:
  explicit LiteralStream(const Literal& rule) : rule_(rule) {}

  void feed(std::string_view piece, bool last, Sink& sink) override {
    // Positions count from the first byte that is held back.
    const std::size_t before = held_.size();
    const std::size_t size = before + piece.size();
    std::size_t passed = 0;
    std::size_t at = before;
    while (!done_ && at < size) {
      if (matched_ == 0 && !rule_.ignores_case) {
        const std::size_t next = piece.find(rule_.find.front(), at - before);
        if (next == std::string_view::npos) break;
        at = before + next;
      }
      const char c = rule_.folded(piece[at - before]);
      while (matched_ > 0 && c != rule_.find[matched_]) matched_ = rule_.borders[matched_ - 1];
      if (c == rule_.find[matched_]) ++matched_;
      ++at;
      if (matched_ != rule_.find.size()) continue;
      pass(passed, at - matched_, piece, sink);
      sink.write(rule_.with);
      passed = at;
      matched_ = 0;
      done_ = rule_.once;
    }
    const std::size_t keep = last || done_ ? 0 : matched_;
    pass(passed, size - keep, piece, sink);
    std::string kept;
    if (keep > piece.size()) kept = held_.substr(held_.size() - (keep - piece.size()));
    kept += piece.substr(piece.size() - std::min(keep, piece.size()));
    held_.swap(kept);
  }

 private:
  void pass(std::size_t from, std::size_t to, std::string_view piece, Sink& sink) const {
    const std::size_t held = held_.size();
    if (from < held && from < to) sink.write(std::string_view(held_).substr(from, std::min(to, held) - from));
    if (to > held && from < to) {
      const std::size_t begin = from > held ? from - held : 0;
      sink.write(piece.substr(begin, to - held - begin));
    }
  }

  const Literal& rule_;
  std::string held_;  ///< The `matched_` bytes of the text that may begin a match.
  std::size_t matched_ = 0;
  bool done_ = false;
};
