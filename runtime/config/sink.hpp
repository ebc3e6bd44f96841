#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/config/load.hpp"
#include "runtime/config/node.hpp"

namespace trivet::config {

/// Collects what there is to tell about one file and those it includes.
class Sink {
 public:
  explicit Sink(std::string file) { files_.push_back(std::move(file)); }

  /// The number of an included file, for Span::file.
  [[nodiscard]] std::uint16_t add_file(std::string file) {
    files_.push_back(std::move(file));
    return static_cast<std::uint16_t>(files_.size() - 1);
  }
  /// From now on messages and hints show `instead` where they would show `value`, which may be a secret.
  void hide(std::string value, std::string instead);

  void error(const Span& span, std::string message, std::string hint = {}) {
    failed_ = true;
    add(Diagnostic::Severity::error, span, std::move(message), std::move(hint));
  }
  void warning(const Span& span, std::string message, std::string hint = {}) {
    add(Diagnostic::Severity::warning, span, std::move(message), std::move(hint));
  }
  /// A mistake on the command line: `option` stands where the file's name stands otherwise.
  void option_error(std::string option, std::string message, std::string hint = {}) {
    failed_ = true;
    diagnostics_.push_back(
        {0,
         {Diagnostic::Severity::error, {std::move(option), 0, 0}, 0, std::move(message), std::move(hint)}});
  }

  [[nodiscard]] Place place(const Span& span) const { return {files_[span.file], span.line, span.column}; }
  /// Where something stands, told in file number `from`: `line 5`, or `FILE:5`.
  [[nodiscard]] std::string where(const Span& span, std::uint16_t from) const;
  /// The file itself.
  [[nodiscard]] const std::string& file() const noexcept { return files_.front(); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

  /// Everything so far, by place.
  [[nodiscard]] std::vector<Diagnostic> take();

 private:
  struct Told {
    std::uint16_t file;
    Diagnostic diagnostic;
  };
  struct Hidden {
    std::string value;
    std::string instead;
  };

  void add(Diagnostic::Severity severity, const Span& span, std::string message, std::string hint);
  [[nodiscard]] std::string without_hidden(std::string text) const;

  std::vector<std::string> files_;
  std::vector<Hidden> hidden_;
  std::vector<Told> diagnostics_;
  bool failed_ = false;
};

}  // namespace trivet::config
