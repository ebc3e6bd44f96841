#include "runtime/host/attachments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace trivet::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A worker that writes down what it is told.
class Scribe final : public Partner {
 public:
  explicit Scribe(std::int64_t pid) : pid_(pid) {}

  bool tell(Word word, std::string_view text, std::span<const int> descriptors) override {
    if (deaf) return false;
    if (word == Word::attach) {
      EXPECT_EQ(descriptors.size(), 1U);
      heard.push_back("attach " + std::string(text) + " " + std::to_string(descriptors.front()));
    } else {
      EXPECT_EQ(word, Word::detach);
      EXPECT_TRUE(descriptors.empty());
      heard.push_back("detach " + std::string(text));
    }
    return true;
  }
  void kill(int /*signal*/) const noexcept override {}
  [[nodiscard]] std::int64_t pid() const noexcept override { return pid_; }
  [[nodiscard]] std::uint32_t slot() const noexcept override { return 0; }
  std::vector<std::string> take() { return std::exchange(heard, {}); }

  std::vector<std::string> heard;
  bool deaf = false;

 private:
  std::int64_t pid_;
};

class AttachmentsTest : public testing::Test {
 protected:
  Scribe one_{1};
  Scribe two_{2};
  Scribe three_{3};
  Attachments attachments_;
};

TEST_F(AttachmentsTest, EachSocketIsGivenToOneWorkerInTurn) {
  attachments_.set_takers({&one_, &two_});
  for (std::uint32_t id = 1; id <= 4; ++id) attachments_.on_attached(id, static_cast<int>(10 + id));
  EXPECT_THAT(one_.take(), ElementsAre("attach 1 11", "attach 3 13"));
  EXPECT_THAT(two_.take(), ElementsAre("attach 2 12", "attach 4 14"));
  attachments_.on_detached(3);
  EXPECT_THAT(one_.take(), ElementsAre("detach 3"));
  EXPECT_THAT(two_.take(), IsEmpty());
}

TEST_F(AttachmentsTest, WhereNobodyServesTheyWait) {
  attachments_.on_attached(1, 11);
  attachments_.on_attached(2, 12);
  attachments_.on_detached(1);
  attachments_.set_takers({&one_});
  EXPECT_THAT(one_.take(), ElementsAre("attach 2 12"));
}

TEST_F(AttachmentsTest, ThoseOfAWorkerThatServesNoMoreGoToOthersAndAllElseStays) {
  attachments_.set_takers({&one_, &two_});
  for (std::uint32_t id = 1; id <= 4; ++id) attachments_.on_attached(id, static_cast<int>(10 + id));
  one_.take();
  two_.take();
  attachments_.set_takers({&two_, &three_});
  EXPECT_THAT(one_.take(), IsEmpty()) << "it may be gone";
  EXPECT_EQ(two_.take().size() + three_.take().size(), 2U);
  attachments_.set_takers({&two_, &three_});
  EXPECT_THAT(two_.take(), IsEmpty());
  EXPECT_THAT(three_.take(), IsEmpty());
}

TEST_F(AttachmentsTest, OneThatDoesNotListenIsPassedOver) {
  one_.deaf = true;
  attachments_.set_takers({&one_, &two_});
  attachments_.on_attached(1, 11);
  attachments_.on_attached(2, 12);
  EXPECT_THAT(two_.take(), ElementsAre("attach 1 11", "attach 2 12"));
  two_.deaf = true;
  attachments_.on_attached(3, 13);
  two_.deaf = false;
  attachments_.set_takers({&two_});
  EXPECT_THAT(two_.take(), ElementsAre("attach 3 13"));
}

TEST_F(AttachmentsTest, WhatWasNeverAttachedIsNotDetached) {
  attachments_.set_takers({&one_});
  attachments_.on_detached(7);
  EXPECT_THAT(one_.take(), IsEmpty());
}

}  // namespace
}  // namespace trivet::host
