#include "runtime/log/memory_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>

namespace trivet::log {
namespace {

TEST(MemoryLog, KeepsLinesAsTheTextFormatWritesThem) {
  MemoryLog log;
  log.warn("request refused", {{"route", "docs"}, {"reason", "no match"}});
  log.info("ready");
  EXPECT_THAT(log.lines(),
              testing::ElementsAre("warn  request refused route=docs reason=\"no match\"", "info  ready"));
  EXPECT_TRUE(log.contains("reason="));
  EXPECT_EQ(log.count("e"), 2U);
  EXPECT_FALSE(log.contains("absent"));
  log.clear();
  EXPECT_TRUE(log.lines().empty());
}

TEST(MemoryLog, LeavesOutWhatIsBelowItsLevel) {
  MemoryLog log(Level::warn);
  log.info("quiet");
  log.error("loud");
  EXPECT_THAT(log.lines(), testing::ElementsAre("error loud"));
  log.set_level(Level::off);
  log.error("nothing");
  EXPECT_EQ(log.lines().size(), 1U);
}

TEST(MemoryAccessLog, KeepsLinesWithoutTheTimeInBothFormats) {
  for (const auto& [format, expected] :
       {std::pair(Settings::Format::text, "info  access uri=/"),
        std::pair(Settings::Format::json, R"({"level":"info","text":"access","uri":"/"})")}) {
    MemoryAccessLog log(format);
    for (const int seconds : {1, 1, 70}) {
      LineBuilder line = log.begin(base::TimePoint(std::chrono::seconds(seconds)));
      line.fields(Text<"uri">{"/"});
      log.end(line);
    }
    EXPECT_THAT(log.lines(), testing::ElementsAre(expected, expected, expected));
  }
}

}  // namespace
}  // namespace trivet::log
