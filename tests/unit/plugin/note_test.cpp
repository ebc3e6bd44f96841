#include "runtime/plugin/note.hpp"

#include <gtest/gtest.h>

#include <string>

#include "runtime/plugin/private_copy.hpp"
#include "tests/unit/plugin/files.hpp"

namespace trivet::plugin {
namespace {

TEST(Note, IsReadWhole) {
  const auto note = parse_note(
      R"({"name":"n","version":"1.2","abi":"3.14","roles":["responder","authorizer","filter"],)"
      R"("flags":["never_blocks","shared_instance","wants_short","exclusive","pure","any_encoding","of_the_future"],"sdk":"0.1.0","more":{"a":[1]}})");
  ASSERT_TRUE(note.ok()) << note.error().message;
  EXPECT_EQ(note.value(), (Note{"n", "1.2", 3, 14, "0.1.0", true, true, true, true, true, true, true, true,
                                true, std::nullopt}));
}

TEST(Note, NeedsNoFlagsAndNoSdk) {
  const auto note = parse_note(R"({"name":"n","version":"1","abi":"0.1","roles":["filter"]})");
  ASSERT_TRUE(note.ok()) << note.error().message;
  EXPECT_EQ(note.value(), (Note{"n", "1", 0, 1, "", false, false, true, false, false, false, false, false,
                                false, std::nullopt}));
}

TEST(Note, CutAnywhereIsRefused) {
  const std::string whole = R"({"name":"n","version":"1","abi":"0.1","roles":["filter"],"flags":[]})";
  ASSERT_TRUE(parse_note(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_note(whole.substr(0, size)).ok()) << size;
}

struct BrokenCase {
  const char* name;
  const char* text;
  const char* what;
};
class BrokenNotes : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenNotes, SayWhatIsBroken) {
  const auto note = parse_note(GetParam().text);
  ASSERT_FALSE(note.ok());
  EXPECT_EQ(note.error().message,
            "carries a broken Trivet note (" + std::string(GetParam().what) + "): build it again");
}

INSTANTIATE_TEST_SUITE_P(
    Each, BrokenNotes,
    testing::Values(BrokenCase{"List", "[]", "it is no JSON object"},
                    BrokenCase{"NoName", R"({"version":"1","abi":"0.1","roles":[]})", "no name"},
                    BrokenCase{"EmptyName", R"({"name":"","version":"1","abi":"0.1","roles":[]})", "no name"},
                    BrokenCase{"NumberAsName", R"({"name":1,"version":"1","abi":"0.1","roles":[]})",
                               "no name"},
                    BrokenCase{"NoVersion", R"({"name":"n","abi":"0.1","roles":[]})", "no version"},
                    BrokenCase{"NoAbi", R"({"name":"n","version":"1","roles":[]})", "no abi such as \"0.1\""},
                    BrokenCase{"OddAbi", R"({"name":"n","version":"1","abi":"0.1.2","roles":[]})",
                               "no abi such as \"0.1\""},
                    BrokenCase{"HalfAbi", R"({"name":"n","version":"1","abi":"0.","roles":[]})",
                               "no abi such as \"0.1\""},
                    BrokenCase{"LargeAbi", R"({"name":"n","version":"1","abi":"0.65536","roles":[]})",
                               "no abi such as \"0.1\""},
                    BrokenCase{"NegativeAbi", R"({"name":"n","version":"1","abi":"-1.0","roles":[]})",
                               "no abi such as \"0.1\""},
                    BrokenCase{"NoRoles", R"({"name":"n","version":"1","abi":"0.1"})", "no list of roles"},
                    BrokenCase{"OtherRole", R"({"name":"n","version":"1","abi":"0.1","roles":["handler"]})",
                               "a role it names is none of responder, authorizer, filter"},
                    BrokenCase{"NumberAsRole", R"({"name":"n","version":"1","abi":"0.1","roles":[1]})",
                               "a role it names is none of responder, authorizer, filter"},
                    BrokenCase{"OddFlags", R"({"name":"n","version":"1","abi":"0.1","roles":[],"flags":1})",
                               "flags is no list"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Note, OfDeeplyNestedJsonIsRefused) { EXPECT_FALSE(parse_note(std::string(4000, '[')).ok()); }

struct AbiCase {
  std::uint16_t major;
  std::uint16_t minor;
  bool runs;
};
class Abi : public testing::TestWithParam<AbiCase> {};

TEST_P(Abi, RunsOnlyWhereItIsSpoken) {
  const auto [major, minor, runs] = GetParam();
  const std::string refused = refuse_abi(major, minor);
  EXPECT_EQ(refused.empty(), runs);
  if (runs) return;
  EXPECT_EQ(refused, "was built for plugin ABI " + std::to_string(major) + "." + std::to_string(minor) +
                         ", this host speaks 0.3: rebuild it with this host's SDK");
}

INSTANTIATE_TEST_SUITE_P(Versions, Abi,
                         testing::Values(AbiCase{0, 1, true}, AbiCase{0, 2, true}, AbiCase{0, 3, true},
                                         AbiCase{0, 0, false}, AbiCase{0, 4, false}, AbiCase{1, 0, false},
                                         AbiCase{1, 1, false}, AbiCase{65535, 65535, false}));

TEST(Note, OfARealPluginSaysWhatItIs) {
  const auto file = open_regular(test_plugin("example_gate"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto note = inspect(ElfFile::of(file.value().descriptor.get(), file.value().size));
  ASSERT_TRUE(note.ok()) << note.error().message;
  EXPECT_EQ(note.value(), (Note{"gate", "1.0.0", 0, 3, "0.1.0", false, true, false, false, false, false,
                                false, false, false, std::nullopt}));
}

}  // namespace
}  // namespace trivet::plugin
