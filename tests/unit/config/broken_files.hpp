#pragma once

#include <gtest/gtest.h>

#include <string_view>

namespace trivet::config {

/// A configuration with mistakes, and everything that a person reads of them but the count at the end.
struct BrokenFile {
  enum class Kind {
    section,  ///< `text` stands between a good listener, on lines 1 and 2, and a good route.
    whole,    ///< `text` is the file.
  };
  std::string_view name;
  Kind kind;
  std::string_view text;
  std::string_view told;  ///< `{}` stands for the folder.
};

inline constexpr auto section = BrokenFile::Kind::section;
inline constexpr auto whole_file = BrokenFile::Kind::whole;

/// Its test is in broken_files_test.cpp, its cases in the files around.
class BrokenFiles : public testing::TestWithParam<BrokenFile> {};

inline std::string broken_file_name(const testing::TestParamInfo<BrokenFile>& info) {
  return std::string(info.param.name);
}

}  // namespace trivet::config
