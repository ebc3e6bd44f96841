#include "runtime/source/media_types.hpp"

#include <gtest/gtest.h>

namespace trivet::source {
namespace {

constexpr std::string_view table =
    "# comment\n"
    "text/html\t\t\thtml htm\n"
    "application/x-empty\n"
    "application/gzip gz # trailing\n"
    "text/x-second html\n"
    "no-type foo\n"
    "bad\x01/type bar\n"
    "two/slash/es baz\n"
    "image/X-Odd  ODD\r\n"
    "application/last last";

struct TypeCase {
  std::string_view name;
  std::string_view file;
  std::string_view type;
};

constexpr TypeCase type_cases[] = {
    {"Known", "index.html", "text/html"},
    {"InAnyCase", "INDEX.HtM", "text/html"},
    {"TheLastExtensionCounts", "a.html.gz", "application/gzip"},
    {"AHiddenNameHasNone", ".html", "application/octet-stream"},
    {"AHiddenNameMayHaveOne", ".a.html", "text/html"},
    {"OfTheNameAlone", "a.html/b", "application/octet-stream"},
    {"AfterFolders", "/x.gz/y.html", "text/html"},
    {"NoExtension", "README", "application/octet-stream"},
    {"AnEmptyExtension", "a.", "application/octet-stream"},
    {"ALineThatIsNoType", "a.foo", "application/octet-stream"},
    {"AControlByteIsNoType", "a.bar", "application/octet-stream"},
    {"TwoSlashesAreNoType", "a.baz", "application/octet-stream"},
    {"CapitalsInTheTable", "a.odd", "image/X-Odd"},
    {"TheLastLineWithoutItsEnd", "a.last", "application/last"},
    {"OurOwnTableBehind", "a.svg", "image/svg+xml"},
    {"OurOwnTableWithoutParameters", "a.css", "text/css"},
    {"Empty", "", "application/octet-stream"},
};

class MediaTypesOf : public testing::TestWithParam<TypeCase> {};

TEST_P(MediaTypesOf, IsWhatTheTableSays) {
  EXPECT_EQ(MediaTypes::parse(table).of(GetParam().file), GetParam().type);
}
INSTANTIATE_TEST_SUITE_P(Names, MediaTypesOf, testing::ValuesIn(type_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(MediaTypes, AVeryLongExtensionIsUnknown) {
  const std::string name = "a." + std::string(5000, 'x');
  EXPECT_EQ(MediaTypes::parse("text/plain " + std::string(5000, 'x')).of(name), "application/octet-stream");
}

TEST(MediaTypes, AreOurOwnWhereThereIsNoTable) {
  EXPECT_EQ(MediaTypes::read("/nonexistent/mime.types").of("a.html"), "text/html");
}

TEST(MediaTypes, OfAFolderAreOurOwn) { EXPECT_EQ(MediaTypes::read("/").of("a.png"), "image/png"); }

}  // namespace
}  // namespace trivet::source
