#include "runtime/roles/filtered_head.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <set>
#include <string>
#include <utility>

namespace trivet::roles {
namespace {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void fill(cgi::ResponseHead& head, const Fields& fields) {
  for (const auto& [name, value] : fields) EXPECT_EQ(head.add(name, value), "");
}

std::string tag_of(const Fields& fields, std::initializer_list<std::uint64_t> editions) {
  cgi::ResponseHead head;
  fill(head, fields);
  PureTag tag(head);
  for (const std::uint64_t edition : editions) tag.add(edition);
  std::string text = "left from before";
  tag.write(text);
  return text;
}

TEST(PureTag, ChangesWithWhateverMakesTheBytes) {
  constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
  std::set<std::string> tags;
  for (const std::string& tag : {
           tag_of({{"ETag", "\"1\""}}, {1}),
           tag_of({{"ETag", "\"1\""}}, {2}),
           tag_of({{"ETag", "W/\"1\""}}, {1}),
           tag_of({{"ETag", "\"2\""}}, {1}),
           tag_of({{"ETag", "\"1\""}}, {1, 2}),
           tag_of({{"ETag", "\"1\""}}, {2, 1}),
           tag_of({{"ETag", "\"1\""}}, {1, 1}),
           tag_of({{"ETag", "\"1\""}}, {}),
           tag_of({{"Last-Modified", date}, {"Content-Length", "11"}}, {1}),
           tag_of({{"Last-Modified", date}, {"Content-Length", "1"}}, {1}),
           tag_of({{"Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT"}, {"Content-Length", "11"}}, {1}),
           tag_of({{"ETag", date}, {"Content-Length", "11"}}, {1}),
       }) {
    EXPECT_EQ(tag.size(), 36U) << tag;
    EXPECT_TRUE(tag.starts_with("W/\"") && tag.ends_with("\"")) << tag;
    EXPECT_TRUE(tags.insert(tag).second) << tag << " comes twice";
  }
  // A tag beats the rest; what else the head says does not count.
  EXPECT_EQ(tag_of({{"ETag", "\"1\""}, {"Last-Modified", date}, {"X-A", "b"}}, {1}),
            tag_of({{"ETag", "\"1\""}, {"Content-Length", "7"}}, {1}));
}

TEST(PureTag, NeedsAValidator) {
  constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(tag_of({}, {1}), "");
  EXPECT_EQ(tag_of({{"Last-Modified", date}}, {1}), "");
  EXPECT_EQ(tag_of({{"Content-Length", "1"}}, {1}), "");
  EXPECT_EQ(tag_of({{"ETag", ""}, {"Content-Length", "1"}}, {1}), "");
}

TEST(BodyFields, GoUnlessTheyWereSetSince) {
  cgi::ResponseHead head;
  fill(head, {{"content-length", "4"}, {"ETAG", "\"1\""}, {"Digest", "x"}, {"X-Other", "stays"}});
  BodyFields fields;
  fields.remember(head);
  EXPECT_EQ(head.set("ETag", "\"2\""), "");
  EXPECT_EQ(head.set("Last-Modified", "now"), "");
  fields.remove_unchanged(head);
  EXPECT_FALSE(head.find("Content-Length"));
  EXPECT_FALSE(head.find("Digest"));
  EXPECT_EQ(head.find("ETag"), "\"2\"");
  EXPECT_EQ(head.find("Last-Modified"), "now");
  EXPECT_EQ(head.find("X-Other"), "stays");
  fields.remember(head);
  fields.remove_unchanged(head);
  EXPECT_FALSE(head.find("ETag"));
}

TEST(FilteredHead, KnowsACodingInAnyField) {
  cgi::ResponseHead head;
  EXPECT_EQ(coding_of(head), "");
  fill(head, {{"Content-Encoding", "identity"}, {"Content-Encoding", ""}});
  EXPECT_EQ(coding_of(head), "");
  fill(head, {{"content-encoding", " br"}});
  EXPECT_EQ(coding_of(head), "br");
}

TEST(FilteredHead, ALocationWithoutAStatusIs302) {
  cgi::ResponseHead head;
  EXPECT_EQ(status_of(head), 200);
  fill(head, {{"Location", "/x"}});
  EXPECT_EQ(status_of(head), 302);
  EXPECT_TRUE(fits({.plugin = "x", .status = {302}}, head));
  EXPECT_TRUE(head.set_status(201));
  EXPECT_EQ(status_of(head), 201);
}

TEST(FilteredHead, GetIncludesHeadAndMethodsAreSteered) {
  const config::FilterStage reads{.plugin = "x", .methods = {"GET"}};
  EXPECT_TRUE(takes_method(reads, "GET"));
  EXPECT_TRUE(takes_method(reads, "HEAD"));
  EXPECT_FALSE(takes_method(reads, "POST"));
  EXPECT_FALSE(takes_method({.plugin = "x", .methods = {"HEAD"}}, "GET"));
  EXPECT_TRUE(takes_method({.plugin = "x"}, "BREW"));
  config::Route route;
  cgi::Params params;
  params.add("REQUEST_METHOD", "POST");
  EXPECT_FALSE(has_filters_for(route, params));
  route.filter = {reads};
  EXPECT_FALSE(has_filters_for(route, params));
  params.add("TRIVET_METHOD", "GET");
  EXPECT_TRUE(has_filters_for(route, params));
}

TEST(FilteredHead, ConditionsAreHiddenOnlyWhereTheHostDecidesThem) {
  for (const std::string_view name : {"HTTP_ACCEPT_ENCODING", "HTTP_RANGE", "HTTP_IF_RANGE"}) {
    EXPECT_TRUE(is_hidden_from_source(name, true)) << name;
    EXPECT_TRUE(is_hidden_from_source(name, false)) << name;
  }
  for (const std::string_view name :
       {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"}) {
    EXPECT_TRUE(is_hidden_from_source(name, true)) << name;
    EXPECT_FALSE(is_hidden_from_source(name, false)) << name;
  }
  EXPECT_FALSE(is_hidden_from_source("HTTP_ACCEPT", true));
  EXPECT_FALSE(is_hidden_from_source("REQUEST_URI", true));
}

}  // namespace
}  // namespace trivet::roles
