#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/config/load.hpp"
#include "runtime/config/node.hpp"

namespace trivet::config {

/// Collects what there is to tell about one file.
class Sink {
 public:
  explicit Sink(std::string file) : file_(std::move(file)) {}

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
        {Diagnostic::Severity::error, {std::move(option), 0, 0}, 0, std::move(message), std::move(hint)});
  }

  [[nodiscard]] Place place(const Span& span) const { return {file_, span.line, span.column}; }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

  /// Everything so far, by place.
  [[nodiscard]] std::vector<Diagnostic> take() {
    std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                     [](const Diagnostic& left, const Diagnostic& right) {
                       return std::tie(left.place.line, left.place.column) <
                              std::tie(right.place.line, right.place.column);
                     });
    return std::move(diagnostics_);
  }

 private:
  void add(Diagnostic::Severity severity, const Span& span, std::string message, std::string hint) {
    const std::uint32_t end = span.end_line == span.line ? span.end_column : 0;
    diagnostics_.push_back({severity, place(span), end, std::move(message), std::move(hint)});
  }

  std::string file_;
  std::vector<Diagnostic> diagnostics_;
  bool failed_ = false;
};

}  // namespace trivet::config
