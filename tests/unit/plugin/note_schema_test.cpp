#include "runtime/plugin/note_schema.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>  // Its sources are compiled in the plugin floor.
#include <limits>

#include "runtime/plugin/note.hpp"
#include "tests/unit/plugin/files.hpp"

namespace trivet::plugin {
namespace {

using config::SettingSchema;
using Type = SettingSchema::Type;

TEST(Schema, IsReadWhole) {
  std::string broken;
  const auto schema = parse_schema(
      boost::json::parse(
          R"({"type":"object","properties":{"a":{"type":"string","minLength":1,"maxLength":9,"enum":["x","y"]},)"
          R"("b":{"type":"integer","minimum":-5},"c":{"type":"number","maximum":0.5},"d":{"type":"boolean"},)"
          R"("e":{"type":"array","minItems":1,"items":{"type":"string"}},)"
          R"("f":{"type":"object","additionalProperties":{"type":"integer"}},"g":{"description":"anything"}},)"
          R"("required":["a","e"],"additionalProperties":false,"$comment":"more"})"),
      broken);
  ASSERT_TRUE(schema.has_value()) << broken;
  EXPECT_EQ(schema->type, Type::table);
  EXPECT_TRUE(schema->entries.empty());
  ASSERT_EQ(schema->keys.size(), 7U);
  const auto& keys = schema->keys;
  EXPECT_EQ(keys.at("a").choices, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(keys.at("a").least, 1.0);
  EXPECT_EQ(keys.at("a").most, 9.0);
  EXPECT_TRUE(keys.at("a").required);
  EXPECT_EQ(keys.at("b").type, Type::integer);
  EXPECT_EQ(keys.at("b").least, -5.0);
  EXPECT_EQ(keys.at("b").most, std::numeric_limits<double>::infinity());
  EXPECT_FALSE(keys.at("b").required);
  EXPECT_EQ(keys.at("c").most, 0.5);
  EXPECT_EQ(keys.at("d").type, Type::boolean);
  EXPECT_EQ(keys.at("e").entries.at(0).type, Type::text);
  EXPECT_TRUE(keys.at("e").required);
  EXPECT_EQ(keys.at("f").entries.at(0).type, Type::integer);
  EXPECT_EQ(keys.at("g").type, Type::any);
}

TEST(Schema, AllowsOtherKeysWhereItSaysNothingOfThem) {
  std::string broken;
  EXPECT_EQ(parse_schema(boost::json::parse(R"({"type":"object"})"), broken)->entries.size(), 1U);
  EXPECT_EQ(parse_schema(boost::json::parse(R"({"type":"object","additionalProperties":true})"), broken)
                ->entries.size(),
            1U);
}

struct BrokenCase {
  const char* name;
  const char* text;
  const char* what;
};
class BrokenSchemas : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenSchemas, MakeABrokenNote) {
  const auto note = parse_note(R"({"name":"n","version":"1","abi":"0.1","roles":[],"settings":)" +
                               std::string(GetParam().text) + "}");
  ASSERT_FALSE(note.ok());
  EXPECT_EQ(note.error().message, "carries a broken Trivet note (its schema of settings " +
                                      std::string(GetParam().what) + "): build it again");
}

INSTANTIATE_TEST_SUITE_P(
    Each, BrokenSchemas,
    testing::Values(
        BrokenCase{"NoObject", "[]", "is no object"},
        BrokenCase{"OfText", R"({"type":"string"})", "is not of type object"},
        BrokenCase{"OfNoType", "{}", "is not of type object"},
        BrokenCase{"OddType", R"({"type":"null"})",
                   "has a type that is none of string, integer, number, boolean, array, object"},
        BrokenCase{"NumberAsType", R"({"type":1})",
                   "has a type that is none of string, integer, number, boolean, array, object"},
        BrokenCase{"OddProperties", R"({"type":"object","properties":[]})",
                   "has properties that are no object"},
        BrokenCase{"OddProperty", R"({"type":"object","properties":{"a":1}})", "is no object"},
        BrokenCase{"OddRequired", R"({"type":"object","required":{}})", "requires what is no list of keys"},
        BrokenCase{"RequiredNumber", R"({"type":"object","required":[1]})",
                   "requires a key that is not among its properties"},
        BrokenCase{"RequiredStranger", R"({"type":"object","required":["a"]})",
                   "requires a key that is not among its properties"},
        BrokenCase{"OddAdditional", R"({"type":"object","additionalProperties":1})", "is no object"},
        BrokenCase{"OddBound", R"({"type":"object","properties":{"a":{"type":"integer","minimum":"1"}}})",
                   "has a bound that is no number"},
        BrokenCase{"TurnedBounds",
                   R"({"type":"object","properties":{"a":{"type":"string","minLength":2,"maxLength":1}}})",
                   "has a smallest value above its largest"},
        BrokenCase{"OddEnum", R"({"type":"object","properties":{"a":{"type":"string","enum":"x"}}})",
                   "has an enum that is no list of texts"},
        BrokenCase{"EmptyEnum", R"({"type":"object","properties":{"a":{"type":"string","enum":[]}}})",
                   "has an enum that is no list of texts"},
        BrokenCase{"NumberInEnum", R"({"type":"object","properties":{"a":{"type":"string","enum":[1]}}})",
                   "has an enum that is no list of texts"},
        BrokenCase{"OddItems", R"({"type":"object","properties":{"a":{"type":"array","items":[]}}})",
                   "is no object"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Schema, OfARealPluginIsWhatItsClassDeclares) {
  const auto facts = look_at(test_plugin("example_pages"));
  ASSERT_TRUE(facts.has_value());
  EXPECT_TRUE(facts->responder);
  EXPECT_FALSE(facts->authorizer);
  EXPECT_TRUE(facts->never_blocks);
  ASSERT_TRUE(facts->settings.has_value());
  const SettingSchema& pages = facts->settings->keys.at("pages");
  EXPECT_EQ(pages.type, Type::list);
  EXPECT_TRUE(pages.entries.at(0).keys.at("path").required);
}

TEST(Schema, OfAFileThatIsNoPluginIsNone) {
  EXPECT_FALSE(look_at("/nonexistent.so").has_value());
  EXPECT_FALSE(look_at(test_plugin("broken_note")).has_value());
}

}  // namespace
}  // namespace trivet::plugin
