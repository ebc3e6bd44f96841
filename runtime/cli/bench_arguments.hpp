#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// What `trivet bench` takes, but for --role and -p.
///
/// Lifetime  The program's arguments, which it is added to, outlive it; it stays where it is.
class BenchArguments {
 public:
  BenchArguments() = default;
  BenchArguments(const BenchArguments&) = delete;
  BenchArguments& operator=(const BenchArguments&) = delete;
  ~BenchArguments() = default;

  void add_to(CLI::App& app);

  [[nodiscard]] CLI::App& command() const noexcept { return *bench_; }
  [[nodiscard]] BenchCommand& taken() noexcept { return benching_; }
  [[nodiscard]] Command finish();

 private:
  [[nodiscard]] std::string read_amounts();
  [[nodiscard]] std::string read_sizes();
  [[nodiscard]] std::string read_times();

  CLI::App* bench_ = nullptr;
  BenchCommand benching_;
  std::string duration_;
  std::string rate_;
  std::string body_;
  std::string data_;
  std::string timeout_ = "10s";
  std::uint64_t requests_ = 0;
  int status_ = 0;
};

}  // namespace trivet::cli
