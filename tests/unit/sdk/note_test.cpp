#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <trivet/plugin.hpp>

namespace {

struct Many {
  static constexpr bool never_blocks = true;
  static constexpr bool shared_instance = true;
  static constexpr bool wants_short = true;
  void handle(trivet::Request&, trivet::Response&) {}
  trivet::Verdict check(trivet::Request&) { return {}; }
  void data(std::string_view, trivet::Output&, bool) {}
};
struct One {
  trivet::Verdict check(trivet::Request&) { return {}; }
};

template <class Note>
std::string_view text_of(const Note& note) {
  return {note.text.data(), note.text_size};
}

TEST(Note, SaysWhatTheClassCan) {
  constexpr auto many = trivet::sdk::make_note<Many, "many", "1.2.3-rc.1+x">();
  EXPECT_EQ(
      text_of(many),
      R"({"name":"many","version":"1.2.3-rc.1+x","abi":"0.3","roles":["responder","authorizer","filter"],)"
      R"("flags":["never_blocks","shared_instance","wants_short"],"sdk":"0.1.0",)"
      R"("settings":{"type":"object","additionalProperties":false}})");
  constexpr auto one = trivet::sdk::make_note<One, "one", "1">();
  EXPECT_EQ(text_of(one),
            R"({"name":"one","version":"1","abi":"0.3","roles":["authorizer"],"flags":[],"sdk":"0.1.0",)"
            R"("settings":{"type":"object","additionalProperties":false}})");
}

TEST(Note, IsLaidOutAsElfWantsIt) {
  constexpr auto note = trivet::sdk::make_note<One, "one", "1">();
  static_assert(alignof(decltype(note)) == 4 && sizeof(note) % 4 == 0);
  EXPECT_EQ(note.owner_size, 7U);
  EXPECT_EQ(std::memcmp(note.owner.data(), "Trivet\0", 8), 0);
  EXPECT_EQ(note.type, 0x54520001U);
  EXPECT_LT(sizeof(note) - 20 - note.text_size, 4U);
}

struct Name {
  std::string_view text;
  bool plain;
};
class NamesOfPlugins : public testing::TestWithParam<Name> {};

TEST_P(NamesOfPlugins, StandInJsonAsTheyAre) {
  EXPECT_EQ(trivet::sdk::is_plain(GetParam().text), GetParam().plain);
}

constexpr std::string_view longest = "0123456789012345678901234567890123456789012345678901234567890123";
INSTANTIATE_TEST_SUITE_P(
    Words, NamesOfPlugins,
    testing::Values(Name{"a", true}, Name{"key-gate_2.0+b~1", true}, Name{longest, true}, Name{"", false},
                    Name{"a b", false}, Name{"a\"b", false}, Name{"a/b", false}, Name{"a\n", false},
                    Name{"\xC3\xA4", false}, Name{std::string_view("a\0b", 3), false},
                    Name{"01234567890123456789012345678901234567890123456789012345678901234", false}));

}  // namespace
