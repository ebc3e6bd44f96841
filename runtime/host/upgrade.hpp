#pragma once

#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/base/timer_queue.hpp"
#include "runtime/config/load.hpp"
#include "runtime/host/inheritance.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/watch.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

/// Where the program that runs now was started from; a package may have put another one there since.
[[nodiscard]] std::string executable_path();

/// Another version of the program, asked whether it could take this host over: `trivet probe`, which reads
/// what it would inherit and checks the configuration, in a process of its own that is killed after ten
/// seconds.
///
/// Thread    [loop]
/// Lifetime  Destroying it kills the process.
class Probe {
 public:
  /// Empty: it can. Else why not, a line each.
  using OnAnswer = std::function<void(const std::string& why_not)>;

  static base::Result<std::unique_ptr<Probe>> start(io::EventLoop& loop, const std::string& program,
                                                    const Inheritance& inheritance, OnAnswer on_answer);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

 private:
  Probe(io::EventLoop& loop, OnAnswer on_answer) : loop_(loop), on_answer_(std::move(on_answer)) {}
  void on_end();
  void on_late(base::TimePoint now);

  io::EventLoop& loop_;
  OnAnswer on_answer_;
  pid_t pid_ = -1;
  bool late_ = false;
  process::FileDescriptor pidfd_;
  process::FileDescriptor said_;  ///< Its standard error, in memory.
  std::unique_ptr<io::Watch> watch_;
  base::MemberTimer<Probe, &Probe::on_late> timer_{*this};
};

/// `trivet probe`: what it was started with is on descriptor 3. Gives the exit code.
int probe(const std::string& config_file, const config::Overrides& overrides);

/// The file of a program, held so that what is run is what was asked: a file that is only half there when it
/// is run ends the process, and with it the host.
///
/// Thread  [loop]
class ProgramFile {
 public:
  static base::Result<ProgramFile> open(std::string path);

  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  /// Why not, where another file is in its place now, or this one was written to or may not be run any more.
  [[nodiscard]] base::Result<> expect_unchanged() const;

 private:
  ProgramFile() = default;

  std::string path_;
  process::FileDescriptor file_;  ///< O_PATH: keeps its number from being another file's.
  struct stat about_{};
};

/// Replaces this image of the program by another one, which inherits. Comes back only where that fails; then
/// nothing has changed.
[[nodiscard]] base::Error become(int program, const Inheritance& inheritance);

}  // namespace trivet::host
