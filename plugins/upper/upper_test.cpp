#include <gtest/gtest.h>

#include <trivet/testing.hpp>

namespace {

TEST(Upper, RaisesLettersInWhateverPiecesTheyCome) {
  const std::string text = std::string("az AZ 09 @[`{ \0 ", 16) + "gr\xC3\xBC\xC3\x9F\xFF";
  const std::string expected = std::string("AZ AZ 09 @[`{ \0 ", 16) + "GR\xC3\xBC\xC3\x9F\xFF";
  for (const auto& pieces : trivet::every_cut(text)) {
    trivet::FakeHost host;
    const trivet::Answer answer = host.filter({.params = {}, .body = {}, .data = pieces});
    EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
    EXPECT_EQ(answer.body, expected);
  }
}

TEST(Upper, LeavesTheHeadAlone) {
  trivet::FakeHost host;
  const trivet::Answer answer =
      host.filter({.params = {},
                   .body = {},
                   .data = {"x"},
                   .status = 404,
                   .headers = {{"Content-Type", "text/html"}, {"Content-Length", "1"}}});
  EXPECT_EQ(answer.status, 404U);
  EXPECT_EQ(answer.header("Content-Type"), "text/html");
  EXPECT_EQ(answer.header("Content-Length"), "1");
}

TEST(Upper, WritesInPiecesOfBoundedSize) {
  trivet::FakeHost host;
  const trivet::Answer answer = host.filter({.params = {}, .body = {}, .data = {std::string(1000000, 'x')}});
  EXPECT_EQ(answer.body, std::string(1000000, 'X'));
  EXPECT_EQ(answer.largest_write, 4096U);
}

TEST(Upper, TakesNoDataAtAll) {
  trivet::FakeHost host;
  const trivet::Answer answer = host.filter({});
  EXPECT_EQ(answer.result, TRIVET_OK);
  EXPECT_EQ(answer.body, "");
}

}  // namespace
