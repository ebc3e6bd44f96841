#include "runtime/host/culprit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace trivet::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Culprits : public testing::Test {
 protected:
  Culprits() {
    for (const char* name : {"gate", "pages"}) config_.plugins.emplace_back().name = name;
    for (const char* name : {"private", "public", "files"}) config_.routes.emplace_back().name = name;
  }
  void runs(std::size_t thread, std::uint32_t plugin, std::uint32_t route) {
    slot_->running.at(thread).plugin = plugin;
    slot_->running.at(thread).route = route;
  }
  Culprit of(const process::End& end, std::string_view last_words = {}) {
    return culprit_of(*slot_, end, last_words, config_);
  }

  std::unique_ptr<process::WorkerSlot> slot_ = std::make_unique<process::WorkerSlot>();
  config::Config config_;
  const process::End exit_{false, 3, "exit code 3"};
  const process::End signal_{true, 9, "signal 9"};
};

TEST_F(Culprits, AreNamedByTheirNoteWhateverElseRuns) {
  runs(0, 1, 1);
  slot_->crash.write("pages", "public");
  for (const auto& end : {exit_, signal_}) {
    EXPECT_EQ(of(end).plugin, "pages");
    EXPECT_EQ(of(end).route, "public");
    EXPECT_THAT(of(end).candidates, IsEmpty());
  }
}

TEST_F(Culprits, AreWhoRanWhereAProcessExitsWithoutAWord) {
  runs(5, 2, 3);
  runs(6, 1, 0);  // A thread that waits for work.
  EXPECT_EQ(of(exit_).plugin, "pages");
  EXPECT_EQ(of(exit_).route, "files");
  EXPECT_THAT(of(exit_).candidates, IsEmpty());
}

TEST_F(Culprits, AreNotWhoRanWhenASignalCameFromOutside) {
  runs(0, 2, 3);
  EXPECT_EQ(of(signal_).plugin, "");
  EXPECT_THAT(of(signal_).candidates, IsEmpty());
}

TEST_F(Culprits, AreNotWhoRanWhenTheWorkerSaidWhyItEnds) {
  runs(0, 2, 3);
  EXPECT_EQ(of(exit_, "no memory").plugin, "");
}

TEST_F(Culprits, AreOneOfSeveralWhereSeveralRan) {
  runs(0, 1, 1);
  runs(7, 2, 2);
  runs(8, 2, 2);
  EXPECT_EQ(of(exit_).plugin, "");
  EXPECT_EQ(of(exit_).route, "");
  EXPECT_THAT(of(exit_).candidates, ElementsAre("gate for private", "pages for public"));
}

TEST_F(Culprits, AreNamedWithoutARouteWhileAPluginIsLoaded) {
  runs(0, 2, 0);
  EXPECT_EQ(of(exit_).plugin, "pages");
  EXPECT_EQ(of(exit_).route, "");
}

TEST_F(Culprits, AreNobodyWhereTheWorkerWroteWhatCannotBe) {
  runs(0, 3, 1);
  runs(1, 0, 2);
  runs(2, 0xffffffff, 0xffffffff);
  EXPECT_EQ(of(exit_).plugin, "");
  EXPECT_THAT(of(exit_).candidates, IsEmpty());
  runs(3, 1, 99);
  EXPECT_EQ(of(exit_).plugin, "gate");
  EXPECT_EQ(of(exit_).route, "");
}

}  // namespace
}  // namespace trivet::host
