#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <trivet/plugin.hpp>
#include <trivet/testing.hpp>
#include <vector>

namespace {

using trivet::FakeHost;
using trivet::Settings;
using Reading = std::function<void(Settings&)>;

const Reading* reading = nullptr;

struct Reads {
  explicit Reads(Settings& settings) { (*reading)(settings); }
  void handle(trivet::Request&, trivet::Response&) {}
};
constexpr trivet_plugin reads = trivet::sdk::entry<Reads>("reads", "1");

/// The errors of a plugin whose constructor is `what`.
std::vector<std::string> errors(FakeHost& host, const Reading& what) {
  reading = &what;
  const bool started = host.start();
  EXPECT_EQ(started, host.errors().empty());
  return host.errors();
}

TEST(Settings, AreReadByTheirTypes) {
  FakeHost host(reads);
  host.set("text", "words")
      .set("number", 7)
      .set("real", 0.5)
      .set("truth", true)
      .set("list.0", "a")
      .set("list.1", "b");
  host.set("users.0.name", "ann").set("users.0.age", 3).set("users.1.name", "bob").set("table.key", "value");
  const auto wrong = errors(host, [](Settings& settings) {
    EXPECT_EQ(settings.text("text"), "words");
    EXPECT_EQ(settings.integer("number"), 7);
    EXPECT_EQ(settings.integer("number", {7, 7}), 7);
    EXPECT_EQ(settings.real("real"), 0.5);
    EXPECT_EQ(settings.real("number"), 7.0);
    EXPECT_TRUE(settings.boolean("truth"));
    EXPECT_EQ(settings.list("list"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(settings.text("users.1.name"), "bob");
    const std::vector<Settings> users = settings.tables("users");
    ASSERT_EQ(users.size(), 2U);
    EXPECT_EQ(users[0].text("name"), "ann");
    EXPECT_EQ(users[0].integer("age"), 3);
    EXPECT_EQ(users[0].keys(), (std::vector<std::string>{"age", "name"}));
    EXPECT_FALSE(users[1].has("age"));
    EXPECT_EQ(settings.table("table").text("key"), "value");
    EXPECT_EQ(settings.keys(),
              (std::vector<std::string>{"list", "number", "real", "table", "text", "truth", "users"}));
  });
  EXPECT_EQ(wrong, std::vector<std::string>{});
}

TEST(Settings, HaveDefaultsWhereThePluginGivesThem) {
  FakeHost host(reads);
  const auto wrong = errors(host, [](Settings& settings) {
    EXPECT_EQ(settings.text("a", "b"), "b");
    EXPECT_EQ(settings.integer("a", 5), 5);
    EXPECT_EQ(settings.integer("a", 5, {0, 9}), 5);
    EXPECT_EQ(settings.real("a", 1.5), 1.5);
    EXPECT_TRUE(settings.boolean("a", true));
    EXPECT_TRUE(settings.list("a").empty());
    EXPECT_TRUE(settings.tables("a").empty());
    EXPECT_EQ(settings.table("a").text("b", "c"), "c");
    EXPECT_TRUE(settings.keys().empty());
  });
  EXPECT_EQ(wrong, std::vector<std::string>{});
}

struct WrongCase {
  const char* name;
  Reading reading;
  const char* error;
};
class WrongSettings : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongSettings, KeepThePluginFromStarting) {
  FakeHost host(reads);
  host.set("text", "words").set("number", 7).set("table.key", "value").set("list.0", 1);
  EXPECT_EQ(errors(host, GetParam().reading), std::vector<std::string>{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongSettings,
    testing::Values(
        WrongCase{"Missing", [](Settings& s) { static_cast<void>(s.text("gone")); }, "gone: is missing"},
        WrongCase{"NoText", [](Settings& s) { static_cast<void>(s.text("number")); },
                  "number: has to be a text"},
        WrongCase{"NoTextWithDefault", [](Settings& s) { static_cast<void>(s.text("number", "")); },
                  "number: has to be a text"},
        WrongCase{"NoInteger", [](Settings& s) { static_cast<void>(s.integer("text")); },
                  "text: has to be a whole number"},
        WrongCase{"TooSmall", [](Settings& s) { static_cast<void>(s.integer("number", {8, 9})); },
                  "number: has to be between 8 and 9"},
        WrongCase{"TooLarge", [](Settings& s) { static_cast<void>(s.integer("number", 1, {1, 6})); },
                  "number: has to be between 1 and 6"},
        WrongCase{"NoReal", [](Settings& s) { static_cast<void>(s.real("text")); },
                  "text: has to be a number"},
        WrongCase{"NoBoolean", [](Settings& s) { static_cast<void>(s.boolean("number")); },
                  "number: has to be true or false"},
        WrongCase{"NoList", [](Settings& s) { static_cast<void>(s.list("text")); }, "text: has to be a list"},
        WrongCase{"NoTextInList", [](Settings& s) { static_cast<void>(s.list("list")); },
                  "list.0: has to be a text"},
        WrongCase{"NoTable", [](Settings& s) { static_cast<void>(s.table("text")); },
                  "text: has to be a table"},
        WrongCase{"InTable", [](Settings& s) { static_cast<void>(s.table("table").text("gone")); },
                  "table.gone: is missing"},
        WrongCase{"Own", [](Settings& s) { s.table("table").fail("key", "is odd"); }, "table.key: is odd"},
        WrongCase{"OwnOfAll", [](Settings& s) { s.fail("", "do not fit together"); }, "do not fit together"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
