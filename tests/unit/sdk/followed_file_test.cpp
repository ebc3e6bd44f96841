#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <trivet/followed_file.hpp>
#include <vector>

namespace trivet {
namespace {

using std::chrono::milliseconds;

struct Said {
  std::vector<std::string> log;
  std::vector<std::string> errors;
};
Said* said = nullptr;

/// A host that notes what is said to it.
constexpr trivet_host host = [] {
  trivet_host table{};
  table.size = sizeof table;
  table.log = [](trivet_request*, trivet_level, trivet_text line) {
    said->log.emplace_back(sdk::view(line));
  };
  table.setting_error = [](const trivet_settings*, trivet_text path, trivet_text what) {
    said->errors.push_back(std::string(sdk::view(path)) + ": " + std::string(sdk::view(what)));
  };
  return table;
}();

/// A file of which each line is one of "good", "bad" and "broken".
class FollowedFiles : public testing::Test {
 protected:
  FollowedFiles() : folder_(testing::TempDir() + "/followed-XXXXXX") {
    said = &said_;
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/file";
    replace("good\n");
  }
  ~FollowedFiles() override {
    file_.reset();
    std::filesystem::remove_all(folder_);
    said = nullptr;
  }
  FollowedFiles(const FollowedFiles&) = delete;
  FollowedFiles& operator=(const FollowedFiles&) = delete;

  void replace(const std::string& text) const {
    std::ofstream(folder_ + "/next") << text;
    std::filesystem::rename(folder_ + "/next", path_);
  }
  static std::string read(std::string_view text, const std::string* before, Remarks& remarks) {
    std::string good = before == nullptr ? std::string() : *before + "|";
    for_each_line(text, [&](std::size_t number, std::string_view line) {
      if (line == "broken") throw std::runtime_error("is broken");
      if (line == "bad") return remarks.wrong(number, "is bad");
      good += std::string(line) + ",";
    });
    return good;
  }
  void follow(FollowedFile<std::string>::Read reader = &FollowedFiles::read) {
    const FilePace quick{milliseconds(1), milliseconds(1), milliseconds(1000), milliseconds(200)};
    file_.emplace(settings_, "file", path_, 1000, quick, std::move(reader));
  }
  /// The content, or what it throws.
  std::string content() {
    try {
      return *file_->content();
    } catch (const std::exception& error) {
      return error.what();
    }
  }
  bool becomes(const std::string& expected) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (content() != expected) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    // A content may be there a moment before what is to be said of it: that comes with the next look.
    return content() == expected;
  }

  Said said_;
  Settings settings_{&host, nullptr};
  std::string folder_;
  std::string path_;
  std::optional<FollowedFile<std::string>> file_;
};

using Lines = std::vector<std::string>;

TEST_F(FollowedFiles, HaveTheirContentAtOnceAndAgainWhenTheyChange) {
  follow();
  EXPECT_EQ(content(), "good,");
  replace("other\n");
  EXPECT_TRUE(becomes("good,|other,")) << content();
  EXPECT_EQ(said_.log, Lines{});
}

TEST_F(FollowedFiles, KeepAContentAsLongAsSomebodyHasIt) {
  follow();
  const auto held = file_->content();
  replace("other\n");
  EXPECT_TRUE(becomes("good,|other,"));
  file_.reset();
  EXPECT_EQ(*held, "good,");
}

TEST_F(FollowedFiles, TellWrongLinesAtTheStart) {
  replace("bad\ngood\nbad\n");
  follow();
  EXPECT_EQ(content(), "good,");
  EXPECT_EQ(said_.log, (Lines{path_ + ":1: is bad", path_ + ":3: is bad"}));
}

TEST_F(FollowedFiles, TellWrongLinesOfAChangeOnceAndOnAThreadOfTheHost) {
  follow();
  replace("good\nbad\n");
  EXPECT_TRUE(becomes("good,|good,"));
  for (int time = 0; time < 100; ++time) EXPECT_EQ(content(), "good,|good,");
  EXPECT_EQ(said_.log, Lines{path_ + ":2: is bad"});
}

TEST_F(FollowedFiles, TellTheFirstTenWrongLinesAndHowManyMore) {
  std::string text;
  for (int line = 0; line < 25; ++line) text += "bad\n";
  replace(text);
  follow();
  ASSERT_EQ(said_.log.size(), Remarks::most_told + 1);
  EXPECT_EQ(said_.log.back(), path_ + ": 15 more lines are wrong");
}

TEST_F(FollowedFiles, GiveNothingWhileTheyAreAwayOrBrokenAndComeBack) {
  follow();
  std::filesystem::remove(path_);
  ASSERT_TRUE(becomes(path_ + ": No such file or directory")) << content();
  replace("broken\n");
  ASSERT_TRUE(becomes(path_ + ": is broken")) << content();
  replace("other\n");
  EXPECT_TRUE(becomes("good,|other,")) << "what was there before is known: " << content();
  EXPECT_EQ(said_.log, (Lines{path_ + ": No such file or directory", path_ + ": is broken",
                              path_ + ": can be read again"}));
}

TEST_F(FollowedFiles, AreAWrongSettingWhereTheyCannotBeReadAtTheStart) {
  std::filesystem::remove(path_);
  EXPECT_THROW(follow(), WrongSetting);
  replace("broken\n");
  EXPECT_THROW(follow(), WrongSetting);
  path_ = "file";
  EXPECT_THROW(follow(), WrongSetting);
  EXPECT_EQ(said_.errors,
            (Lines{"file: " + folder_ + "/file: No such file or directory",
                   "file: " + folder_ + "/file: is broken", "file: has to be an absolute path"}));
  EXPECT_EQ(said_.log, Lines{});
}

TEST_F(FollowedFiles, GiveNothingWhenALookDoesNotEnd) {
  std::latch may_go_on(1);
  std::atomic<bool> is_first = true;
  follow([&](std::string_view text, const std::string*, Remarks&) {
    if (!is_first.exchange(false)) may_go_on.wait();
    return std::string(text);
  });
  replace("other\n");
  const std::string stuck = path_ + ": cannot be read: its disk or server does not answer";
  EXPECT_TRUE(becomes(stuck));
  may_go_on.count_down();
  EXPECT_TRUE(becomes("other\n"));
}

TEST_F(FollowedFiles, AreReadAgainAfterAMomentWithoutMemory) {
  std::atomic<int> reads = 0;
  follow([&](std::string_view text, const std::string*, Remarks&) {
    if (++reads == 2) throw std::bad_alloc();
    return std::string(text);
  });
  replace("other\n");
  EXPECT_TRUE(becomes("other\n"));
  EXPECT_GE(reads, 3);
}

TEST_F(FollowedFiles, SayWhenEverybodyMayWriteThem) {
  std::filesystem::permissions(path_, std::filesystem::perms(0666));
  follow();
  EXPECT_EQ(said_.log, Lines{path_ + ": every user of this machine may write it"});
}

TEST_F(FollowedFiles, EndAtOnce) {
  const FilePace slow{std::chrono::hours(1), milliseconds(1), milliseconds(1), milliseconds(1)};
  const auto began = std::chrono::steady_clock::now();
  {
    const FollowedFile<std::string> file(settings_, "file", path_, 1000, slow, &FollowedFiles::read);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
}

TEST(Lines, AreTakenWithoutWhatIsAroundThem) {
  std::vector<std::string> seen;
  const auto take = [&](std::size_t number, std::string_view line, bool is_whole) {
    seen.push_back(std::to_string(number) + "[" + std::string(line) + "]" + (is_whole ? "" : "..."));
  };
  for_each_line("a\n\n \tb c\t \r\n\r\nd", take);
  EXPECT_EQ(seen, (Lines{"1[a]", "2[]", "3[b c]", "4[]", "5[d]..."}));
  seen.clear();
  for_each_line("", take);
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace trivet
