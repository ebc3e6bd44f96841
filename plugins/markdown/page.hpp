#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A page that a document is put into: a text in which {{title}} and {{body}} stand for what comes there.
class Page {
 public:
  explicit Page(std::string_view text) {
    constexpr std::string_view title = "{{title}}";
    constexpr std::string_view body = "{{body}}";
    std::string plain;
    while (!text.empty()) {
      const std::size_t braces = text.find("{{");
      plain += text.substr(0, braces);
      if (braces == std::string_view::npos) break;
      text.remove_prefix(braces);
      const bool is_title = text.starts_with(title);
      if (!is_title && !text.starts_with(body)) {  // Somebody else's.
        plain += text.front();
        text.remove_prefix(1);
        continue;
      }
      parts_.push_back({Part::Kind::text, std::exchange(plain, {})});
      parts_.push_back({is_title ? Part::Kind::title : Part::Kind::body, {}});
      has_body_ = has_body_ || !is_title;
      text.remove_prefix(is_title ? title.size() : body.size());
    }
    parts_.push_back({Part::Kind::text, std::move(plain)});
  }

  [[nodiscard]] bool has_body() const noexcept { return has_body_; }

  /// `title` is escaped here; `body` is HTML already.
  template <class Out>
  void write(Out& out, std::string_view title, std::string_view body) const {
    for (const Part& part : parts_) {
      switch (part.kind) {
        case Part::Kind::text:
          out << std::string_view(part.text);
          break;
        case Part::Kind::title:
          out << std::string_view(escaped(title));
          break;
        case Part::Kind::body:
          out << body;
          break;
      }
    }
  }

  [[nodiscard]] static std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : text) {
      switch (c) {
        case '&':
          html += "&amp;";
          break;
        case '<':
          html += "&lt;";
          break;
        case '>':
          html += "&gt;";
          break;
        case '"':
          html += "&quot;";
          break;
        case '\'':
          html += "&#39;";
          break;
        default:
          html += c;
      }
    }
    return html;
  }

 private:
  struct Part {
    enum class Kind : std::uint8_t { text, title, body };
    Kind kind;
    std::string text;
  };
  std::vector<Part> parts_;
  bool has_body_ = false;
};
