#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "runtime/base/loop.hpp"

namespace trivet::base {
namespace {

struct Nothing final : Task {
  void run() override {}
};

std::vector<Task*> drained(TaskList& list) {
  std::vector<Task*> tasks;
  while (Task* task = list.pop()) tasks.push_back(task);
  return tasks;
}

TEST(TaskList, GivesTasksInTheOrderTheyCame) {
  std::array<Nothing, 3> tasks;
  TaskList list;
  for (Task& task : tasks) list.push(task);
  EXPECT_EQ(drained(list), (std::vector<Task*>{&tasks[0], &tasks[1], &tasks[2]}));
  EXPECT_TRUE(list.empty());
}

TEST(TaskList, TakesATaskAgainOnceItIsOut) {
  std::array<Nothing, 2> tasks;
  TaskList list;
  list.push(tasks[0]);
  list.push(tasks[1]);
  EXPECT_EQ(list.pop(), &tasks[0]);
  list.push(tasks[0]);
  EXPECT_EQ(drained(list), (std::vector<Task*>{&tasks[1], &tasks[0]}));
  list.push(tasks[0]);
  EXPECT_EQ(drained(list), (std::vector<Task*>{&tasks[0]}));
}

TEST(TaskList, SwapsWithAnEmptyListAndBothStayUsable) {
  std::array<Nothing, 3> tasks;
  TaskList full;
  TaskList empty;
  full.push(tasks[0]);
  full.swap(empty);
  EXPECT_TRUE(full.empty());
  full.push(tasks[1]);
  empty.push(tasks[2]);
  EXPECT_EQ(drained(full), (std::vector<Task*>{&tasks[1]}));
  EXPECT_EQ(drained(empty), (std::vector<Task*>{&tasks[0], &tasks[2]}));
}

TEST(TaskList, SwapsTwoThatHoldTasks) {
  std::array<Nothing, 4> tasks;
  TaskList left;
  TaskList right;
  left.push(tasks[0]);
  right.push(tasks[1]);
  left.swap(right);
  left.push(tasks[2]);
  right.push(tasks[3]);
  EXPECT_EQ(drained(left), (std::vector<Task*>{&tasks[1], &tasks[2]}));
  EXPECT_EQ(drained(right), (std::vector<Task*>{&tasks[0], &tasks[3]}));
}

}  // namespace
}  // namespace trivet::base
