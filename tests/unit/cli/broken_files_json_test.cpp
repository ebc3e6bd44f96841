#include <boost/json.hpp>  // Its sources are compiled in the plugin floor.
#include <fstream>
#include <regex>

#include "runtime/cli/check_command.hpp"
#include "tests/unit/config/broken_files.hpp"
#include "tests/unit/config/folder.hpp"

/// The broken configurations of tests/unit/config, told as JSON: what they are told as text says what to
/// expect.
namespace trivet::config {
namespace {

struct Expected {
  std::string severity;
  std::string file;
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::string message;
  std::string hint;
};

/// Reads a text as render_all() writes it: a line with the place and the message, the line of the file, and
/// under it the carets and the hint.
std::vector<Expected> read_text(const std::string& text) {
  static const std::regex placed("^([^ ].*?):([0-9]+):([0-9]+): (error|warning): (.*)$");
  static const std::regex whole("^([^ ].*?): (error|warning): (.*)$");
  static const std::regex carets("^ +\\| [ \t]*\\^+ ?(.*)$");
  static const std::regex alone("^ +=( .*)$");
  std::vector<Expected> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_match(line, found, placed)) {
      all.push_back({found[4], found[1], std::stol(found[2]), std::stol(found[3]), found[5], {}});
    } else if (std::regex_match(line, found, whole)) {
      all.push_back({found[2], found[1], 0, 0, found[3], {}});
    } else if (!all.empty() && std::regex_match(line, found, carets)) {
      all.back().hint = found[1];
    } else if (!all.empty() && std::regex_match(line, found, alone)) {
      all.back().hint = found[1].str().substr(1);
    }
  }
  return all;
}

TEST_P(BrokenFiles, AreToldAsJsonAsTheyAreAsText) {
  const BrokenFile& param = GetParam();
  const Loader loader;
  const std::string file = loader.folder().write(
      "t.toml", param.kind == section ? config::whole(param.text) : std::string(param.text));
  testing::internal::CaptureStdout();
  EXPECT_EQ(cli::run_check({file, true}), cli::exit_configuration);
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_EQ(out.find('\n'), out.size() - 1) << "one line";
  const boost::json::array told = boost::json::parse(out).as_array();
  const std::vector<Expected> expected = read_text(std::string(param.told));
  ASSERT_EQ(told.size(), expected.size()) << out;
  for (std::size_t index = 0; index < told.size(); ++index) {
    const boost::json::object& is = told[index].as_object();
    const Expected& wanted = expected[index];
    const auto text = [&](const char* key) {
      return loader.without_folder(std::string(is.at(key).as_string()));
    };
    EXPECT_EQ(text("severity"), wanted.severity);
    EXPECT_EQ(text("file"), wanted.file);
    EXPECT_EQ(is.at("line").to_number<std::int64_t>(), wanted.line);
    EXPECT_EQ(is.at("column").to_number<std::int64_t>(), wanted.column);
    EXPECT_EQ(text("message"), wanted.message);
    EXPECT_EQ(text("hint"), wanted.hint);
  }
}

}  // namespace
}  // namespace trivet::config
