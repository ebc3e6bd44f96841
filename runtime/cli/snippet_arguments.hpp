#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// The command snippet.
///
/// Lifetime  The program's arguments, which it is added to, outlive it; it stays where it is.
class SnippetArguments {
 public:
  SnippetArguments() = default;
  SnippetArguments(const SnippetArguments&) = delete;
  SnippetArguments& operator=(const SnippetArguments&) = delete;
  ~SnippetArguments() = default;

  void add_to(CLI::App& app);

  [[nodiscard]] bool parsed() const { return command_->parsed(); }
  [[nodiscard]] Command finish();

 private:
  CLI::App* command_ = nullptr;
  SnippetCommand taken_;
};

}  // namespace trivet::cli
