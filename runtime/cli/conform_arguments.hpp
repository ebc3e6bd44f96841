#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// What `trivet conform` takes, but for -p.
///
/// Lifetime  The program's arguments, which it is added to, outlive it; it stays where it is.
class ConformArguments {
 public:
  ConformArguments() = default;
  ConformArguments(const ConformArguments&) = delete;
  ConformArguments& operator=(const ConformArguments&) = delete;
  ~ConformArguments() = default;

  void add_to(CLI::App& app);

  [[nodiscard]] CLI::App& command() const noexcept { return *conform_; }
  [[nodiscard]] ConformCommand& taken() noexcept { return conforming_; }
  [[nodiscard]] Command finish();

 private:
  CLI::App* conform_ = nullptr;
  ConformCommand conforming_;
  std::vector<std::string> grant_;
  std::string patience_ = "3s";
  std::string idle_timeout_;
};

}  // namespace trivet::cli
