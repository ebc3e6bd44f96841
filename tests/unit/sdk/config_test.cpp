#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <trivet/plugin.hpp>
#include <trivet/testing.hpp>
#include <vector>

namespace {

using trivet::FakeHost;

struct User {
  std::string name;
  double weight = 0.5;
  static constexpr auto settings = trivet::settings(trivet::setting("name", &User::name).required(),
                                                    trivet::setting("weight", &User::weight).between(0, 1));
};

struct Reads {
  struct Config {
    std::string key = "none";
    std::string mode = "strict";
    std::uint8_t tries = 3;
    std::int64_t offset = -1;
    bool loud = false;
    std::optional<std::int64_t> port;
    std::vector<std::string> names;
    std::vector<User> users;
    std::map<std::string, std::uint16_t> ports;
    User owner;
    static constexpr auto settings = trivet::settings(
        trivet::setting("key", &Config::key).required().length(2, 4),
        trivet::setting("mode", &Config::mode).one_of("strict", "lax"),
        trivet::setting("tries", &Config::tries), trivet::setting("offset", &Config::offset).between(-5, 5),
        trivet::setting("loud", &Config::loud), trivet::setting("port", &Config::port),
        trivet::setting("names", &Config::names).length(1, 2), trivet::setting("users", &Config::users),
        trivet::setting("ports", &Config::ports), trivet::setting("owner", &Config::owner));
  };

  explicit Reads(const Config& config);
  void handle(trivet::Request&, trivet::Response&) {}
};
Reads::Config last;
Reads::Reads(const Config& config) { last = config; }
constexpr trivet_plugin reads = trivet::sdk::entry<Reads>("reads", "1");

TEST(Config, IsFilledInBeforeThePluginIsConstructed) {
  FakeHost host(reads);
  host.set("key", "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4").set("mode", "lax").set("tries", 255).set("offset", -5);
  host.set("loud", true).set("port", 80).set("names.0", "a").set("names.1", "b");
  host.set("users.0.name", "ann").set("users.0.weight", 1).set("users.1.name", "bob");
  host.set("ports.http", 80).set("ports.https", 65535).set("owner.name", "eve");
  ASSERT_TRUE(host.start()) << host.errors().front();
  const Reads::Config& config = last;
  EXPECT_EQ(config.key, "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4");  // Four characters.
  EXPECT_EQ(config.mode, "lax");
  EXPECT_EQ(config.tries, 255);
  EXPECT_EQ(config.offset, -5);
  EXPECT_TRUE(config.loud);
  EXPECT_EQ(config.port, 80);
  EXPECT_EQ(config.names, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(config.users.size(), 2U);
  EXPECT_EQ(config.users[0].name, "ann");
  EXPECT_EQ(config.users[0].weight, 1.0);
  EXPECT_EQ(config.users[1].weight, 0.5);
  EXPECT_EQ(config.ports, (std::map<std::string, std::uint16_t>{{"http", 80}, {"https", 65535}}));
  EXPECT_EQ(config.owner.name, "eve");
}

TEST(Config, KeepsItsDefaultsWhereNothingIsSet) {
  FakeHost host(reads);
  host.set("key", "key");
  ASSERT_TRUE(host.start()) << host.errors().front();
  EXPECT_EQ(last.mode, "strict");
  EXPECT_EQ(last.tries, 3);
  EXPECT_EQ(last.offset, -1);
  EXPECT_FALSE(last.port.has_value());
  EXPECT_TRUE(last.names.empty());
  EXPECT_EQ(last.owner.weight, 0.5);
}

TEST(Config, TellsEverythingThatIsWrongAtOnce) {
  FakeHost host(reads);
  host.set("mode", "lux")
      .set("tries", 256)
      .set("users.0.weight", 2)
      .set("users.1.name", 1)
      .set("loud", "yes");
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), (std::vector<std::string>{
                               "key: is missing", "mode: has to be one of strict, lax",
                               "tries: has to be between 0 and 255", "loud: has to be true or false",
                               "users.0.name: is missing", "users.0.weight: has to be between 0 and 1"}));
}

struct WrongCase {
  const char* name;
  void (*set)(FakeHost&);
  const char* error;
};
class WrongConfig : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongConfig, KeepsThePluginFromStarting) {
  FakeHost host(reads);
  host.set("key", "key");
  GetParam().set(host);
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongConfig,
    testing::Values(
        WrongCase{"ShortText", [](FakeHost& h) { h.set("key", "\xC3\xA4"); },
                  "key: has 1 characters, needs at least 2"},
        WrongCase{"LongText", [](FakeHost& h) { h.set("key", "12345"); },
                  "key: has 5 characters, takes at most 4"},
        WrongCase{"TextForNumber", [](FakeHost& h) { h.set("port", "80"); },
                  "port: has to be a whole number"},
        WrongCase{"Negative", [](FakeHost& h) { h.set("tries", -1); }, "tries: has to be between 0 and 255"},
        WrongCase{"BelowTheBounds", [](FakeHost& h) { h.set("offset", -6); },
                  "offset: has to be between -5 and 5"},
        WrongCase{"LongList",
                  [](FakeHost& h) { h.set("names.0", "a").set("names.1", "b").set("names.2", "c"); },
                  "names: has 3 entries, takes at most 2"},
        WrongCase{"NoList", [](FakeHost& h) { h.set("names", "a"); }, "names: has to be a list"},
        WrongCase{"EntryOfAnotherType", [](FakeHost& h) { h.set("names.0", 1); },
                  "names.0: has to be a text"},
        WrongCase{"NoTable", [](FakeHost& h) { h.set("owner", "eve"); }, "owner: has to be a table"},
        WrongCase{"IncompleteTable", [](FakeHost& h) { h.set("owner.weight", 0.5); },
                  "owner.name: is missing"},
        WrongCase{"EntryOfATable", [](FakeHost& h) { h.set("ports.http", 65536); },
                  "ports.http: has to be between 0 and 65535"}),
    [](const auto& test) { return std::string(test.param.name); });

struct Checks {
  struct Config {
    std::string first = "a";
    std::string second = "b";
    static constexpr auto settings = trivet::settings(trivet::setting("first", &Config::first),
                                                      trivet::setting("second", &Config::second));
  };
  Checks(Config config, const trivet::Settings& settings) {
    if (config.first == config.second) settings.fail("second", "has to differ from first");
  }
  void handle(trivet::Request&, trivet::Response&) {}
};

TEST(Config, MayBeCheckedByThePluginItself) {
  constexpr trivet_plugin checks = trivet::sdk::entry<Checks>("checks", "1");
  FakeHost good(checks);
  EXPECT_TRUE(good.start());
  FakeHost wrong(checks);
  wrong.set("second", "a");
  EXPECT_FALSE(wrong.start());
  EXPECT_EQ(wrong.errors(), std::vector<std::string>{"second: has to differ from first"});
}

struct Dynamic {
  explicit Dynamic(trivet::Settings&) {}
  void handle(trivet::Request&, trivet::Response&) {}
};
struct Plain {
  void handle(trivet::Request&, trivet::Response&) {}
};
struct Extremes {
  struct Config {
    std::int64_t all = 0;
    std::uint64_t positive = 0;
    std::int64_t lowest = 0;
    static constexpr auto settings =
        trivet::settings(trivet::setting("all", &Config::all), trivet::setting("positive", &Config::positive),
                         trivet::setting("lowest", &Config::lowest).between(INT64_MIN, INT64_MAX));
  };
  explicit Extremes(const Config&) {}
  void handle(trivet::Request&, trivet::Response&) {}
};

template <class T>
std::string settings_of_note() {
  constexpr auto note = trivet::sdk::note_text<T>("n", "1");
  const std::string text(note.chars.data(), note.length);
  const std::size_t at = text.find(R"("settings":)");
  return at == std::string::npos ? "" : text.substr(at + 11, text.size() - at - 12);
}

TEST(Config, StandsInTheNoteAsJsonSchema) {
  EXPECT_EQ(
      settings_of_note<Reads>(),
      R"({"type":"object","properties":{"key":{"type":"string","minLength":2,"maxLength":4},)"
      R"("mode":{"type":"string","enum":["strict","lax"]},)"
      R"("tries":{"type":"integer","minimum":0,"maximum":255},)"
      R"("offset":{"type":"integer","minimum":-5,"maximum":5},"loud":{"type":"boolean"},)"
      R"("port":{"type":"integer"},)"
      R"("names":{"type":"array","minItems":1,"maxItems":2,"items":{"type":"string"}},)"
      R"("users":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},)"
      R"("weight":{"type":"number","minimum":0,"maximum":1}},"required":["name"],"additionalProperties":false}},)"
      R"("ports":{"type":"object","additionalProperties":{"type":"integer","minimum":0,"maximum":65535}},)"
      R"("owner":{"type":"object","properties":{"name":{"type":"string"},)"
      R"("weight":{"type":"number","minimum":0,"maximum":1}},"required":["name"],"additionalProperties":false}},)"
      R"("required":["key"],"additionalProperties":false})");
  EXPECT_EQ(
      settings_of_note<Extremes>(),
      R"({"type":"object","properties":{"all":{"type":"integer"},"positive":{"type":"integer","minimum":0},)"
      R"("lowest":{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}},)"
      R"("required":[],"additionalProperties":false})");
}

TEST(Config, OfAPluginThatTakesNoneIsEmptyAndOfOneThatReadsThemItselfUnknown) {
  EXPECT_EQ(settings_of_note<Plain>(), R"({"type":"object","additionalProperties":false})");
  EXPECT_EQ(settings_of_note<Dynamic>(), "");
}

}  // namespace
