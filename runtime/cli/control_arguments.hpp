#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// The commands for a host that runs: those of the admin socket, and attach.
///
/// Lifetime  The program's arguments, which it is added to, outlive it; it stays where it is.
class ControlArguments {
 public:
  ControlArguments() = default;
  ControlArguments(const ControlArguments&) = delete;
  ControlArguments& operator=(const ControlArguments&) = delete;
  ~ControlArguments() = default;

  void add_to(CLI::App& app);

  /// Whether one of them was read.
  [[nodiscard]] bool parsed() const;
  [[nodiscard]] Command finish();

 private:
  CLI::App& add(CLI::App& app, const std::string& name, const std::string& about, const std::string& footer);

  std::vector<CLI::App*> commands_;
  CLI::App* attach_ = nullptr;
  AdminCommand asking_;
  AttachCommand attaching_;
  std::string format_ = "text";
  bool json_ = false;
  bool no_wait_ = false;
};

}  // namespace trivet::cli
