#pragma once

#include <cmark-gfm.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "memory.hpp"

/// How documents are read and written: GitHub's extensions of CommonMark by their names, and options.
///
/// Thread    [any] once it is made.
class Dialect {
 public:
  static constexpr std::array<std::string_view, 5> known = {"table", "strikethrough", "autolink", "tasklist",
                                                            "tagfilter"};
  struct Options {
    bool unsafe = false;
    bool smart = false;
    bool footnotes = false;
    bool hard_breaks = false;
  };

  /// `extensions` are among `known`.
  Dialect(const std::vector<std::string>& extensions, Options options);

 private:
  friend class Document;

  std::mutex* finishing_;
  int options_ = 0;
  std::vector<cmark_syntax_extension*> extensions_;
  cmark_syntax_extension* autolink_ = nullptr;  ///< Not among the others.
};

/// A text as HTML.
///
/// Memory    Up to `most` bytes, until it is destroyed.
/// Errors    end() says that it was left in the middle; then there is nothing in it.
class Document {
 public:
  Document(const Dialect& dialect, std::string_view text, std::size_t most, bool (*is_wanted)(void*) noexcept,
           void* asker);

  [[nodiscard]] DocumentMemory::End end() const noexcept { return end_; }
  [[nodiscard]] std::string_view html() const noexcept { return {html_, html_length_}; }
  /// The text of the first heading, at most 1024 bytes of it; not escaped.
  [[nodiscard]] std::string_view title() const noexcept { return {title_.data(), title_length_}; }
  /// Links that nobody marked as such were left text: to find them would have taken too long.
  [[nodiscard]] bool without_autolinks() const noexcept { return without_autolinks_; }
  [[nodiscard]] std::size_t memory() const noexcept { return memory_.most_taken(); }

 private:
  static void make(void* self);
  void take_title(cmark_node* root);
  void add_to_title(const char* text);

  const Dialect& dialect_;
  std::string_view text_;
  DocumentMemory memory_;
  const char* html_ = "";
  std::size_t html_length_ = 0;
  std::array<char, 1024> title_{};
  std::size_t title_length_ = 0;
  bool without_autolinks_ = false;
  bool is_finishing_ = false;
  DocumentMemory::End end_ = DocumentMemory::End::done;
};
