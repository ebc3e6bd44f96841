#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trivet::cgi {

/// A path as routes match it: decoded once, cut into segments.
///
///   "/docs//a%2Fb/"  ->  "docs", "", "a/b", ""      (a trailing slash gives an empty last segment)
///
/// Thread    One at a time.
/// Lifetime  segments() last until the next parse, and no longer than the text that was parsed.
/// Memory    Nothing is allocated in steady state.
class RequestPath {
 public:
  enum class Form : unsigned char {
    uri,      ///< REQUEST_URI: absolute form cut to its path, query cut, percent-decoded once
    decoded,  ///< TRIVET_PATH, SCRIPT_NAME+PATH_INFO: taken as they are, never decoded again
  };

  /// Empty when the path can be used; otherwise why it is refused always (400, an authorizer 403): dot
  /// segments in any encoding (encoded more than once, behind an encoded slash), also before `;`, backslash,
  /// NUL, control bytes, broken percent escapes, not starting with '/'. A static text for the log.
  [[nodiscard]] std::string_view parse(std::string_view text, Form form);

  /// `//` or bytes that are not UTF-8: refused on guarded routes unless the route allows odd paths.
  [[nodiscard]] bool odd() const noexcept { return odd_; }
  [[nodiscard]] const std::vector<std::string_view>& segments() const noexcept { return segments_; }
  /// Last parsed was `target`, as a URI: whether it has no path but the two texts as one, byte for byte, so
  /// that they parsed as decoded would be the same again. False where it is not worth finding out.
  [[nodiscard]] bool is_spelling_of(std::string_view target, std::string_view script_name,
                                    std::string_view path_info) const noexcept;
  /// Nobody takes it for another path: no byte had to be decoded or looked at closely, and no segment but the
  /// last is empty.
  [[nodiscard]] bool is_plain() const noexcept { return as_spelled_ && !odd_; }
  /// Same segments.
  [[nodiscard]] bool same(const RequestPath& other) const noexcept;

 private:
  [[nodiscard]] bool parse_as_spelled(std::string_view text, Form form);
  [[nodiscard]] std::string_view parse_closely(std::string_view text, Form form);
  [[nodiscard]] std::string_view cut(std::string_view path, Form form);
  [[nodiscard]] std::string_view judge(std::string_view segment);

  std::string text_;           ///< Where not as_spelled_: the decoded segments, one after the other.
  std::string decoded_fully_;  ///< For judge().
  std::vector<std::size_t> ends_;
  std::vector<std::string_view> segments_;
  bool odd_ = false;
  std::size_t size_ = 0;     ///< Of the path as it was spelled, where as_spelled_.
  bool as_spelled_ = false;  ///< No byte of it had to be decoded or looked at closely.
};

/// A route's `path`: matched segment by segment, case-sensitive, against decoded segments. `*` stands for any
/// characters within one segment, `**` as a whole segment for any number of segments: `/p/**` matches /p, /p/
/// and everything below.
class PathPattern {
 public:
  /// `text` was checked by the configuration; anything matches literally that is not a wildcard.
  explicit PathPattern(std::string_view text);

  /// `known` segments at the beginning, without wildcards, are the same: they are not looked at again.
  [[nodiscard]] bool matches(const RequestPath& path, std::size_t known = 0) const noexcept {
    return (known == segments_.size() && known == path.segments().size()) || matches_from(path, known);
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::vector<std::string>& segments() const noexcept { return segments_; }

 private:
  [[nodiscard]] bool matches_from(const RequestPath& path, std::size_t known) const noexcept;

  std::string text_;
  std::vector<std::string> segments_;
};

}  // namespace trivet::cgi
