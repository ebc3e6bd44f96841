#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/broken_files.hpp"
#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

using testing::ElementsAre;

constexpr BrokenFile filter_files[] = {
    {"FilterWithNothing", section,
     R"([[route]]
filter = []
)",
     R"({}/t.toml:4:10: error: `filter` is an empty list
    4 | filter = []
      |          ^^ leave it out
)"},
    {"FilterWithANumber", section,
     R"([[route]]
filter = 5
)",
     R"({}/t.toml:4:10: error: `filter` expects names and tables, found the integer 5
    4 | filter = 5
      |          ^ the name of a filter plugin, { plugin = "NAME", ... }, or a list of these
)"},
    {"FilterWithANumberInAList", section,
     R"([[route]]
filter = ["app", true]
)",
     R"({}/t.toml:4:18: error: `filter` expects names and tables, found the boolean true
    4 | filter = ["app", true]
      |                  ^^^^ the name of a filter plugin, { plugin = "NAME", ... }, or a list of these
)"},
    {"FilterWithoutItsPlugin", section,
     R"([[route]]
filter = [{ types = ["text/*"] }]
)",
     R"({}/t.toml:4:11: error: a table in `filter` needs `plugin`
    4 | filter = [{ types = ["text/*"] }]
      |           ^^^^^^^^^^^^^^^^^^^^^^ plugin = "NAME"
)"},
    {"FilterWithAnUnknownPlugin", section,
     R"([[route]]
filter = { plugin = "ap" }
)",
     R"({}/t.toml:4:21: error: no plugin "ap"
    4 | filter = { plugin = "ap" }
      |                     ^^^^ did you mean "app"?
)"},
    {"FilterWithAnUnknownKey", section,
     R"([[route]]
filter = [{ plugin = "app", type = ["text/*"] }]
)",
     R"({}/t.toml:4:29: error: unknown key `type` in `filter`
    4 | filter = [{ plugin = "app", type = ["text/*"] }]
      |                             ^^^^ did you mean `types`?
)"},
    {"FilterTypesAreAText", section,
     R"([[route]]
filter = { plugin = "app", types = "text/*" }
)",
     R"({}/t.toml:4:36: error: `types` expects a list of texts, found the text "text/*"
    4 | filter = { plugin = "app", types = "text/*" }
      |                                    ^^^^^^^^ write ["text/*"]
)"},
    {"FilterTypesAreEmpty", section,
     R"([[route]]
filter = { plugin = "app", types = [] }
)",
     R"({}/t.toml:4:36: error: `types` is an empty list
    4 | filter = { plugin = "app", types = [] }
      |                                    ^^ leave it out for the default
)"},
    {"FilterTypeIsEvery", section,
     R"([[route]]
filter = { plugin = "app", types = ["*/*"] }
)",
     R"({}/t.toml:4:37: error: "*/*" is every type
    4 | filter = { plugin = "app", types = ["*/*"] }
      |                                     ^^^^^ leave `types` out
)"},
    {"FilterTypeHasParameters", section,
     R"([[route]]
filter = { plugin = "app", types = ["text/HTML; charset=utf-8"] }
)",
     R"({}/t.toml:4:37: error: "text/HTML; charset=utf-8" has parameters: types are compared without
    4 | filter = { plugin = "app", types = ["text/HTML; charset=utf-8"] }
      |                                     ^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean "text/html"?
)"},
    {"FilterTypeIsNone", section,
     R"([[route]]
filter = { plugin = "app", types = ["html", "text/", "*/html", "text/a*"] }
)",
     R"({}/t.toml:4:37: error: "html" is not a media type
    4 | filter = { plugin = "app", types = ["html", "text/", "*/html", "text/a*"] }
      |                                     ^^^^^^ such as "text/html" or "text/*"
{}/t.toml:4:45: error: "text/" is not a media type
    4 | filter = { plugin = "app", types = ["html", "text/", "*/html", "text/a*"] }
      |                                             ^^^^^^^ such as "text/html" or "text/*"
{}/t.toml:4:54: error: "*/html" is not a media type
    4 | filter = { plugin = "app", types = ["html", "text/", "*/html", "text/a*"] }
      |                                                      ^^^^^^^^ such as "text/html" or "text/*"
{}/t.toml:4:64: error: "text/a*" is not a media type
    4 | filter = { plugin = "app", types = ["html", "text/", "*/html", "text/a*"] }
      |                                                                ^^^^^^^^^ such as "text/html" or "text/*"
)"},
    {"FilterTypeTwice", section,
     R"([[route]]
filter = { plugin = "app", types = ["text/html", "Text/HTML"] }
)",
     R"({}/t.toml:4:50: error: `types` holds "text/html" twice
    4 | filter = { plugin = "app", types = ["text/html", "Text/HTML"] }
      |                                                  ^^^^^^^^^^^
)"},
    {"FilterMethod", section,
     R"([[route]]
filter = { plugin = "app", methods = ["get"] }
)",
     R"({}/t.toml:4:39: error: methods are case-sensitive: "get" never arrives
    4 | filter = { plugin = "app", methods = ["get"] }
      |                                       ^^^^^ did you mean "GET"?
)"},
    {"FilterStatusIsANumber", section,
     R"([[route]]
filter = { plugin = "app", status = 200 }
)",
     R"({}/t.toml:4:37: error: `status` expects a list of whole numbers, found the integer 200
    4 | filter = { plugin = "app", status = 200 }
      |                                     ^^^ write [200]
)"},
    {"FilterStatusIsEmpty", section,
     R"([[route]]
filter = { plugin = "app", status = [] }
)",
     R"({}/t.toml:4:37: error: `status` is an empty list
    4 | filter = { plugin = "app", status = [] }
      |                                     ^^ leave it out for the default
)"},
    {"FilterStatusIsNone", section,
     R"([[route]]
filter = { plugin = "app", status = [199, 600, "ok", 200, 200 ] }
)",
     R"({}/t.toml:4:38: error: `status` holds 199, outside 200 to 599
    4 | filter = { plugin = "app", status = [199, 600, "ok", 200, 200 ] }
      |                                      ^^^
{}/t.toml:4:43: error: `status` holds 600, outside 200 to 599
    4 | filter = { plugin = "app", status = [199, 600, "ok", 200, 200 ] }
      |                                           ^^^
{}/t.toml:4:48: error: `status` expects whole numbers, found the text "ok"
    4 | filter = { plugin = "app", status = [199, 600, "ok", 200, 200 ] }
      |                                                ^^^^
{}/t.toml:4:59: error: `status` holds 200 twice
    4 | filter = { plugin = "app", status = [199, 600, "ok", 200, 200 ] }
      |                                                           ^^^
)"},
    {"FilterMinSizeWithoutUnit", section,
     R"([[route]]
filter = { plugin = "app", min_size = 1024 }
)",
     R"({}/t.toml:4:39: error: `min_size` expects a size with its unit, found the integer 1024
    4 | filter = { plugin = "app", min_size = 1024 }
      |                                       ^^^^ write "1KiB"
)"},
    {"FilterMinSizeOutside", section,
     R"([[route]]
filter = { plugin = "app", min_size = "2GiB" }
)",
     R"({}/t.toml:4:39: error: `min_size` is "2GiB", outside 1B to 1GiB
    4 | filter = { plugin = "app", min_size = "2GiB" }
      |                                       ^^^^^^
)"},
    {"FilterOnEncoded", section,
     R"([[route]]
filter = { plugin = "app", on_encoded = "skp" }
)",
     R"({}/t.toml:4:41: error: `on_encoded` cannot be "skp"
    4 | filter = { plugin = "app", on_encoded = "skp" }
      |                                         ^^^^^ did you mean "skip"?
)"},
};

INSTANTIATE_TEST_SUITE_P(Filter, BrokenFiles, testing::ValuesIn(filter_files), broken_file_name);

TEST(FilterSection, TakesNamesAndTablesInTheirOrder) {
  const Loader loader;
  const Loaded loaded = loader.load(whole(R"([plugin.wrap]
[[route]]
path = "/f"
filter = [
  "wrap",
  { plugin = "app", types = ["Text/*", "application/xhtml+xml"], methods = ["GET"], status = [200, 404], min_size = "1KiB", on_encoded = "skip" },
  { plugin = "wrap", on_encoded = "fail" },
]
)"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  const std::vector<FilterStage>& filter = loaded.config->routes[0].filter;
  ASSERT_EQ(filter.size(), 3U);
  EXPECT_EQ(filter[0].plugin, "wrap");
  EXPECT_EQ(filter[0].place.line, 7U);
  EXPECT_TRUE(filter[0].types.empty() && filter[0].methods.empty() && filter[0].status.empty());
  EXPECT_EQ(filter[0].min_size, 0U);
  EXPECT_EQ(filter[0].on_encoded, FilterStage::OnEncoded::fail);
  EXPECT_EQ(filter[1].plugin, "app");
  EXPECT_EQ(filter[1].place.line, 8U);
  EXPECT_THAT(filter[1].types, ElementsAre("text/*", "application/xhtml+xml"));
  EXPECT_THAT(filter[1].methods, ElementsAre("GET"));
  EXPECT_THAT(filter[1].status, ElementsAre(200U, 404U));
  EXPECT_EQ(filter[1].min_size, 1024U);
  EXPECT_EQ(filter[1].on_encoded, FilterStage::OnEncoded::skip);
  EXPECT_EQ(filter[2].plugin, "wrap");
  EXPECT_EQ(filter[2].on_encoded, FilterStage::OnEncoded::fail);
}

TEST(FilterSection, TakesOneTableAlone) {
  const Loader loader;
  const Loaded loaded = loader.load(whole(
      "[plugin.wrap]\n[[route]]\npath = \"/f\"\n[route.filter]\nplugin = \"wrap\"\ntypes = [\"text/*\"]\n"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  ASSERT_EQ(loaded.config->routes[0].filter.size(), 1U);
  EXPECT_THAT(loaded.config->routes[0].filter[0].types, ElementsAre("text/*"));
}

}  // namespace
}  // namespace trivet::config
