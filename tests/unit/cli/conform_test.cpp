#include <gtest/gtest.h>

#include <map>
#include <set>

#include "runtime/cli/conform/lab.hpp"

namespace trivet::cli::conform {
namespace {

TEST(Conform, HasNinetyThreeCasesEachWithItsOwnName) {
  const std::map<char, std::size_t> wanted = {{'G', 14}, {'M', 10}, {'P', 30}, {'R', 14},
                                              {'A', 15}, {'F', 9},  {'L', 1}};
  std::map<char, std::size_t> counts;
  std::set<std::string> names;
  std::set<std::string> sentences;
  for (const Section& section :
       {shapes(), management(), violations(), resources(), authorizing(), filtering(), leaks()}) {
    for (const Case& each : section.cases) {
      EXPECT_TRUE(names.insert(each.id).second) << each.id;
      EXPECT_TRUE(sentences.insert(each.sentence).second) << each.sentence;
      EXPECT_NE(each.run, nullptr) << each.id;
      ++counts[each.id[0]];
    }
  }
  EXPECT_EQ(counts, wanted);
  EXPECT_EQ(names.size(), 93U);
}

TEST(ConformWire, WritesRecordsAsTheSpecificationDrawsThem) {
  EXPECT_EQ(record(kind_stdin, "ab", 0x1234, {3, 7, 1, 9}), std::string("\1\5\x12\x34\0\2\3\x09"
                                                                        "ab\7\7\7",
                                                                        13));
  EXPECT_EQ(begin(role_filter, true, 5), std::string("\1\1\0\5\0\x08\0\0\0\3\1\0\0\0\0\0", 16));
  EXPECT_EQ(pair("A", "bc"),
            "\1\2"
            "Abc");
  EXPECT_EQ(pair("A", "", true), std::string("\x80\0\0\1\x80\0\0\0"
                                             "A",
                                             9));
  EXPECT_EQ(pair(std::string(128, 'n'), "").substr(0, 5), std::string("\x80\0\0\x80\0", 5));
  EXPECT_EQ(stream(kind_params, "abc", 1, 2),
            record(kind_params, "ab") + record(kind_params, "c") + record(kind_params, ""));
}

TEST(ConformWire, TakesRecordsWholeAtEveryCut) {
  const std::string bytes =
      record(kind_stdout, "content", 7, {5}) + record(kind_end, std::string(8, '\0'), 7);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::size_t offset = 0;
    Record taken;
    const bool first = size >= 20;
    EXPECT_EQ(take_record(std::string_view(bytes).substr(0, size), offset, taken),
              first ? Taken::whole : Taken::partial);
    EXPECT_EQ(offset, first ? 20U : 0U);
  }
  std::size_t offset = 0;
  Record taken;
  ASSERT_EQ(take_record(bytes, offset, taken), Taken::whole);
  EXPECT_EQ(taken.content, "content");
  EXPECT_EQ(taken.id, 7);
  EXPECT_FALSE(taken.unset);
  ASSERT_EQ(take_record(bytes, offset, taken), Taken::whole);
  EXPECT_EQ(taken.kind, kind_end);
  EXPECT_EQ(offset, bytes.size());
}

TEST(ConformWire, SeesUnsetBytesAndOtherVersions) {
  std::size_t offset = 0;
  Record taken;
  ASSERT_EQ(take_record(record(kind_stdout, "", 1, {1, 1}), offset, taken), Taken::whole);
  EXPECT_TRUE(taken.unset);
  offset = 0;
  ASSERT_EQ(take_record(record(kind_stdout, "", 1, {0, 0, 1, 1}), offset, taken), Taken::whole);
  EXPECT_TRUE(taken.unset);
  offset = 0;
  EXPECT_EQ(take_record("H", offset, taken), Taken::broken);
}

TEST(ConformWire, ReadsPairsAndSeesCutOnes) {
  const Params params = {{"A", "b"}, {std::string(200, 'n'), std::string(300, 'v')}, {"", ""}};
  const std::string bytes = pairs(params);
  Params read;
  ASSERT_TRUE(read_pairs(bytes, read));
  EXPECT_EQ(read, params);
  Params whole;
  std::set<std::size_t> boundaries = {0};
  for (const auto& each : params)
    boundaries.insert(*boundaries.rbegin() + pair(each.first, each.second).size());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(read_pairs(std::string_view(bytes).substr(0, size), whole), boundaries.contains(size)) << size;
}

struct HeadCase {
  const char* out;
  int status;
  bool said;
  const char* body;
};

TEST(ConformAnswer, HasTheStatusThatAWebServerWouldTake) {
  const HeadCase cases[] = {{"Status: 403 No\r\n\r\nbody", 403, true, "body"},
                            {"status:404\n\nx", 404, true, "x"},
                            {"Content-Type: text/plain\r\n\r\nStatus: 500", 200, false, "Status: 500"},
                            {"Location: /x\r\n\r\n", 302, false, ""},
                            {"Status: 200\r\nLocation: /x\r\n\r\n", 200, true, ""},
                            {"X-Status: 500\r\n\r\n", 200, false, ""},
                            {"", 200, false, ""}};
  for (const HeadCase& each : cases) {
    Answer answer;
    answer.out = each.out;
    EXPECT_EQ(answer.status(), each.status) << each.out;
    EXPECT_EQ(answer.has_status(), each.said) << each.out;
    EXPECT_EQ(answer.body(), each.body) << each.out;
  }
}

}  // namespace
}  // namespace trivet::cli::conform
