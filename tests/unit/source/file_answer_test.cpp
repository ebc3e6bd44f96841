#include "runtime/source/file_answer.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace trivet::source {
namespace {

constexpr cgi::UnixSeconds now = 1'700'000'000;
/// Sun, 06 Nov 1994 08:49:37 GMT
constexpr FileFacts file{1000, 784'111'777, 500, 42};
constexpr std::string_view tag = "\"2ebc98a1-1f4-3e8-2a\"";
constexpr std::string_view modified = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view later = "Sun, 06 Nov 1994 08:49:38 GMT";

struct AnswerCase {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string_view>> params;
  int status;
  std::string_view method = "GET";
  std::vector<ByteRange> parts = {};
};

const AnswerCase answer_cases[] = {
    {"Plain", {}, 200},
    {"HeadPlain", {}, 200, "HEAD"},
    {"NoneMatch", {{"HTTP_IF_NONE_MATCH", tag}}, 304},
    {"NoneMatchOfAList", {{"HTTP_IF_NONE_MATCH", "\"x\", \"2ebc98a1-1f4-3e8-2a\""}}, 304},
    {"NoneMatchWeakly", {{"HTTP_IF_NONE_MATCH", "W/\"2ebc98a1-1f4-3e8-2a\""}}, 304},
    {"NoneMatchStar", {{"HTTP_IF_NONE_MATCH", "*"}}, 304},
    {"NoneMatchHead", {{"HTTP_IF_NONE_MATCH", tag}}, 304, "HEAD"},
    {"NoneMatchOfAnother", {{"HTTP_IF_NONE_MATCH", "\"x\""}}, 200},
    {"NoneMatchBeforeTheDate", {{"HTTP_IF_NONE_MATCH", "\"x\""}, {"HTTP_IF_MODIFIED_SINCE", modified}}, 200},
    {"NotModifiedSince", {{"HTTP_IF_MODIFIED_SINCE", modified}}, 304},
    {"NotModifiedSinceLater", {{"HTTP_IF_MODIFIED_SINCE", later}}, 304},
    {"ModifiedSince", {{"HTTP_IF_MODIFIED_SINCE", earlier}}, 200},
    {"ModifiedSinceNoDate", {{"HTTP_IF_MODIFIED_SINCE", "yesterday"}}, 200},
    {"Match", {{"HTTP_IF_MATCH", tag}}, 200},
    {"MatchStar", {{"HTTP_IF_MATCH", "*"}}, 200},
    {"MatchOfAnother", {{"HTTP_IF_MATCH", "\"x\""}}, 412},
    {"MatchWeakly", {{"HTTP_IF_MATCH", "W/\"2ebc98a1-1f4-3e8-2a\""}}, 412},
    {"MatchBeforeTheDate", {{"HTTP_IF_MATCH", tag}, {"HTTP_IF_UNMODIFIED_SINCE", earlier}}, 200},
    {"UnmodifiedSince", {{"HTTP_IF_UNMODIFIED_SINCE", modified}}, 200},
    {"NotUnmodifiedSince", {{"HTTP_IF_UNMODIFIED_SINCE", earlier}}, 412},
    {"MatchThenNoneMatch", {{"HTTP_IF_MATCH", tag}, {"HTTP_IF_NONE_MATCH", tag}}, 304},
    {"EmptyHeadersAreAbsent",
     {{"HTTP_IF_MATCH", ""}, {"HTTP_IF_NONE_MATCH", ""}, {"HTTP_RANGE", ""}, {"HTTP_IF_RANGE", ""}},
     200},
    {"Range", {{"HTTP_RANGE", "bytes=0-9"}}, 206, "GET", {{0, 10}}},
    {"RangeOfHead", {{"HTTP_RANGE", "bytes=0-9"}}, 200, "HEAD"},
    {"RangeOutside", {{"HTTP_RANGE", "bytes=1000-"}}, 416},
    {"RangeOutsideOfHead", {{"HTTP_RANGE", "bytes=1000-"}}, 200, "HEAD"},
    {"RangeThatIsNone", {{"HTTP_RANGE", "bytes=x"}}, 200},
    {"Ranges", {{"HTTP_RANGE", "bytes=0-9,-10"}}, 206, "GET", {{0, 10}, {990, 10}}},
    {"RangeIfTheTagIs", {{"HTTP_RANGE", "bytes=0-9"}, {"HTTP_IF_RANGE", tag}}, 206, "GET", {{0, 10}}},
    {"RangeIfTheTagIsAnother", {{"HTTP_RANGE", "bytes=0-9"}, {"HTTP_IF_RANGE", "\"x\""}}, 200},
    {"RangeIfTheTagIsWeak",
     {{"HTTP_RANGE", "bytes=0-9"}, {"HTTP_IF_RANGE", "W/\"2ebc98a1-1f4-3e8-2a\""}},
     200},
    {"RangeIfTheDateIs", {{"HTTP_RANGE", "bytes=0-9"}, {"HTTP_IF_RANGE", modified}}, 206, "GET", {{0, 10}}},
    {"RangeIfTheDateIsLater", {{"HTTP_RANGE", "bytes=0-9"}, {"HTTP_IF_RANGE", later}}, 200},
    {"RangeOutsideIfTheTagIsAnother", {{"HTTP_RANGE", "bytes=1000-"}, {"HTTP_IF_RANGE", "\"x\""}}, 200},
    {"NotModifiedBeforeRange", {{"HTTP_RANGE", "bytes=0-9"}, {"HTTP_IF_NONE_MATCH", tag}}, 304},
    {"FailedBeforeRange", {{"HTTP_RANGE", "bytes=1000-"}, {"HTTP_IF_MATCH", "\"x\""}}, 412},
};

class FileAnswerOf : public testing::TestWithParam<AnswerCase> {};

TEST_P(FileAnswerOf, ARequest) {
  cgi::Params params;
  for (const auto& [name, value] : GetParam().params) params.set(name, value);
  const FileAnswer answer = answer_for(file, params, GetParam().method, now);
  EXPECT_EQ(answer.status, GetParam().status);
  const auto parts = answer.ranges.parts();
  EXPECT_EQ(std::vector<ByteRange>(parts.begin(), parts.end()), GetParam().parts);
}
INSTANTIATE_TEST_SUITE_P(Requests, FileAnswerOf, testing::ValuesIn(answer_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(FileTag, IsOfTimeSizeAndInode) {
  EXPECT_EQ(FileTag(file, now).view(), tag);
  for (const FileFacts& other :
       {FileFacts{1001, 784'111'777, 500, 42}, FileFacts{1000, 784'111'778, 500, 42},
        FileFacts{1000, 784'111'777, 501, 42}, FileFacts{1000, 784'111'777, 500, 43}}) {
    EXPECT_NE(FileTag(other, now).view(), tag);
  }
}

/// Within the tick of the kernel's clock it may change again and keep its time.
TEST(FileTag, IsWeakWhileTheFileIsYoung) {
  const auto tag_of = [](std::int64_t age) { return std::string(FileTag({1, now - age, 0, 1}, now).view()); };
  EXPECT_EQ(tag_of(0).substr(0, 3), "W/\"");
  EXPECT_EQ(tag_of(1).substr(0, 3), "W/\"");
  EXPECT_EQ(tag_of(2).substr(0, 1), "\"");
  EXPECT_EQ(tag_of(-1).substr(0, 3), "W/\"");
  EXPECT_EQ(tag_of(-2).substr(0, 1), "\"");
}

TEST(FileTag, IsATagForTheOldestAndTheLargest) {
  constexpr std::uint64_t most = UINT64_MAX;
  const FileTag largest({most, INT64_MIN, UINT32_MAX, most}, 0);
  EXPECT_TRUE(cgi::is_entity_tag(largest.view())) << largest.view();
}

class FileHead : public testing::Test {
 protected:
  std::string value(std::string_view name) { return std::string(head_.find(name).value_or("none")); }
  cgi::ResponseHead head_;
};

TEST_F(FileHead, OfAWholeFile) {
  fill_head(head_, {}, file, "text/plain; charset=utf-8", {}, now);
  EXPECT_EQ(head_.status(), 200);
  EXPECT_EQ(value("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(value("Content-Length"), "1000");
  EXPECT_EQ(value("ETag"), tag);
  EXPECT_EQ(value("Last-Modified"), modified);
  EXPECT_EQ(value("Accept-Ranges"), "bytes");
  EXPECT_EQ(value("Content-Range"), "none");
}

TEST_F(FileHead, OfOnePart) {
  fill_head(head_, {206, ByteRanges::read("bytes=-1", 1000)}, file, "image/png", {}, now);
  EXPECT_EQ(head_.status(), 206);
  EXPECT_EQ(value("Content-Type"), "image/png");
  EXPECT_EQ(value("Content-Length"), "1");
  EXPECT_EQ(value("Content-Range"), "bytes 999-999/1000");
}

TEST_F(FileHead, OfSeveralParts) {
  const auto ranges = ByteRanges::read("bytes=0-1,5-9", 1000);
  const Multipart multipart("B", "image/png", 1000);
  fill_head(head_, {206, ranges}, file, "image/png", multipart, now);
  EXPECT_EQ(value("Content-Type"), "multipart/byteranges; boundary=B");
  EXPECT_EQ(value("Content-Range"), "none");
  const std::string body = multipart.before(ranges.parts()[0], true) + "ab" +
                           multipart.before(ranges.parts()[1], false) + "fghij" + multipart.end();
  EXPECT_EQ(body,
            "--B\r\nContent-Type: image/png\r\nContent-Range: bytes 0-1/1000\r\n\r\nab"
            "\r\n--B\r\nContent-Type: image/png\r\nContent-Range: bytes 5-9/1000\r\n\r\nfghij"
            "\r\n--B--\r\n");
  EXPECT_EQ(value("Content-Length"), std::to_string(body.size()));
}

TEST_F(FileHead, OfWhatHasNotChanged) {
  fill_head(head_, {304, {}}, file, "text/plain", {}, now);
  EXPECT_EQ(head_.status(), 304);
  EXPECT_EQ(value("ETag"), tag);
  EXPECT_EQ(value("Content-Length"), "none");
  EXPECT_EQ(value("Content-Type"), "none");
}

TEST_F(FileHead, IsNeverOfTheFuture) {
  fill_head(head_, {}, {1, now + 100, 0, 1}, "text/plain", {}, now);
  EXPECT_EQ(value("Last-Modified"), cgi::HttpDate(now).view());
}

TEST_F(FileHead, HasNoDateThatNobodyCanWrite) {
  fill_head(head_, {}, {1, INT64_MIN, 0, 1}, "text/plain", {}, now);
  EXPECT_EQ(value("Last-Modified"), "none");
}

}  // namespace
}  // namespace trivet::source
