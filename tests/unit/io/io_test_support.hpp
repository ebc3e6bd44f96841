#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/io/event_loop.hpp"
#include "runtime/io/socket.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

/// A folder that goes with its test. In /tmp: the path of a unix socket must be short.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = "/tmp/trivet-io-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestTimer final : public base::Timer {
 public:
  explicit TestTimer(std::function<void(base::TimePoint)> fired) : fired_(std::move(fired)) {}

 private:
  void on_timer(base::TimePoint now) override { fired_(now); }
  std::function<void(base::TimePoint)> fired_;
};

class TestTask final : public base::Task {
 public:
  explicit TestTask(std::function<void()> body) : body_(std::move(body)) {}
  void run() override { body_(); }

 private:
  std::function<void()> body_;
};

/// Runs the loop until `done` says so, which is asked every millisecond; false after ten seconds.
inline bool run_until(EventLoop& loop, const std::function<bool()>& done) {
  const base::TimePoint limit = base::Clock::now() + std::chrono::seconds(10);
  bool reached = false;
  TestTimer* again = nullptr;
  TestTimer look([&](base::TimePoint now) {
    reached = done();
    if (reached || now > limit) {
      loop.stop();
    } else {
      loop.timers().arm(*again, now + std::chrono::milliseconds(1));
    }
  });
  again = &look;
  loop.timers().arm(look, loop.now());
  loop.run();
  return reached;
}

inline void run_for(EventLoop& loop, std::chrono::milliseconds time) {
  TestTimer over([&](base::TimePoint) { loop.stop(); });
  loop.timers().arm(over, loop.now() + time);
  loop.run();
}

inline std::chrono::nanoseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

/// Two connected descriptors: the host's and the peer's.
struct Pair {
  int host = -1;
  process::FileDescriptor peer;

  static Pair unix_sockets() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {ends[0], process::FileDescriptor(ends[1])};
  }
  static Pair tcp();
};

/// Notes every event; what a test wants to happen inside one it puts into the hooks.
class RecordingEvents : public TransportEvents {
 public:
  void on_readable() override {
    ++readable;
    if (when_readable) when_readable();
  }
  void on_writable() override {
    ++writable;
    if (when_writable) when_writable();
  }
  void on_hangup() override {
    ++hangup;
    if (when_hangup) when_hangup();
  }

  int readable = 0;
  int writable = 0;
  int hangup = 0;
  std::function<void()> when_readable;
  std::function<void()> when_writable;
  std::function<void()> when_hangup;
};

}  // namespace trivet::io
