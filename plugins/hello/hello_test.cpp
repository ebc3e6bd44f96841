#include <gtest/gtest.h>

#include <trivet/testing.hpp>

namespace {

TEST(Hello, AnswersWithOneLineOfText) {
  trivet::FakeHost host;
  const trivet::Answer answer = host.respond({.params = {{"REQUEST_METHOD", "GET"}}, .may_wait = false});
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.header("content-type"), "text/plain");
  EXPECT_EQ(answer.body, "hello from Trivet\n");
}

TEST(Hello, NeverBlocks) { EXPECT_EQ(trivet_plugin_v0.flags, trivet_flags{TRIVET_NEVER_BLOCKS}); }

}  // namespace
