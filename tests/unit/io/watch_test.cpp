#include "runtime/io/watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {
namespace {

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    out_.reset(ends[0]);
    in_.reset(ends[1]);
  }
  void fill() const { EXPECT_EQ(::write(in_.get(), "x", 1), 1); }
  [[nodiscard]] int descriptor() const { return out_.get(); }

 private:
  process::FileDescriptor out_;
  process::FileDescriptor in_;
};

class Watching : public testing::Test {
 protected:
  std::unique_ptr<Watch> watch(const Pipe& pipe, Watch::OnReadable on_readable) {
    auto opened = Watch::open(*loop_, pipe.descriptor(), std::move(on_readable));
    EXPECT_TRUE(opened);
    return std::move(opened).value();
  }

  std::unique_ptr<EventLoop> loop_ = EventLoop::open().value();
};

TEST_F(Watching, TellsAgainAsLongAsThereIsSomethingToRead) {
  const Pipe pipe;
  pipe.fill();
  int times = 0;
  const auto watched = watch(pipe, [&] {
    if (++times == 3) loop_->stop();
  });
  loop_->run();
  EXPECT_EQ(times, 3);
}

/// A supervisor that takes this for the end of a worker would wait for one that lives.
TEST_F(Watching, OneThatTakesThePlaceOfAReadableOneIsNotToldWhatThatWouldHaveBeen) {
  const std::array<Pipe, 2> readable;
  const std::array<Pipe, 2> empty;
  std::array<std::unique_ptr<Watch>, 2> before;
  std::vector<std::unique_ptr<Watch>> after;
  int told = 0;
  // Both are ready in the same turn of the loop; whoever comes first puts others in the place of both.
  for (std::size_t i = 0; i < before.size(); ++i) {
    before[i] = watch(readable[i], [&] {
      for (auto& each : before) each.reset();
      for (const Pipe& each : empty) after.push_back(watch(each, [&told] { ++told; }));
    });
    readable[i].fill();
  }
  const Pipe last;
  const auto end = watch(last, [this] { loop_->stop(); });
  base::TimePoint until = loop_->now() + std::chrono::milliseconds(50);
  struct Ender {
    void on_time(base::TimePoint /*now*/) { pipe.fill(); }
    const Pipe& pipe;
    base::MemberTimer<Ender, &Ender::on_time> timer{*this};
  } ender{last};
  loop_->timers().arm(ender.timer, until);
  loop_->run();
  EXPECT_EQ(after.size(), empty.size());
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace trivet::io
