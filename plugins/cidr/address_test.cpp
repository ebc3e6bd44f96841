#include "address.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace cidr {
namespace {

struct Text {
  const char* name;
  std::string text;
  std::optional<Address> address;
  const char* why = "";
};
void PrintTo(const Text& it, std::ostream* out) { *out << it.name; }
class Addresses : public testing::TestWithParam<Text> {};

TEST_P(Addresses, AreReadStrictly) {
  EXPECT_EQ(Address::read(GetParam().text), GetParam().address);
  if (GetParam().address) return;
  EXPECT_EQ(why_no_address(GetParam().text), GetParam().why);
}

constexpr Address documentation{false, 0, 0xC0000201};
INSTANTIATE_TEST_SUITE_P(
    Texts, Addresses,
    testing::Values(
        Text{"Four", "192.0.2.1", documentation}, Text{"FourZero", "0.0.0.0", Address{false, 0, 0}},
        Text{"FourOnes", "255.255.255.255", Address{false, 0, 0xFFFFFFFF}},
        Text{"Six", "2001:db8::1", Address{true, 0x20010DB800000000, 1}},
        Text{"SixInFull", "2001:0DB8:0:0:0:0:0:1", Address{true, 0x20010DB800000000, 1}},
        Text{"SixZero", "::", Address{true, 0, 0}}, Text{"Mapped", "::ffff:192.0.2.1", documentation},
        Text{"MappedInHex", "::FFFF:c000:201", documentation},
        Text{"Compatible", "::192.0.2.1", Address{true, 0, 0xC0000201}},
        Text{"Empty", "", std::nullopt, "is empty"}, Text{"Zone", "fe80::1%eth0", std::nullopt, "has a zone"},
        Text{"Port", "192.0.2.1:80", std::nullopt, "has a port"},
        Text{"BracketsAndPort", "[2001:db8::1]:80", std::nullopt, "has brackets or a port"},
        Text{"Brackets", "[2001:db8::1]", std::nullopt, "has brackets or a port"},
        Text{"Unix", "unix:", std::nullopt, "is a unix socket"},
        Text{"Name", "localhost", std::nullopt, "is no address"},
        Text{"Unknown", "unknown", std::nullopt, "is no address"},
        Text{"Octal", "192.0.02.1", std::nullopt, "is no address"},
        Text{"Hex", "0xC0000201", std::nullopt, "is no address"},
        Text{"ANumber", "3221225985", std::nullopt, "is no address"},
        Text{"Three", "192.0.2", std::nullopt, "is no address"},
        Text{"Five", "192.0.2.1.1", std::nullopt, "is no address"},
        Text{"TooLarge", "192.0.2.256", std::nullopt, "is no address"},
        Text{"Prefix", "192.0.2.0/24", std::nullopt, "is no address"},
        Text{"BlankBefore", " 192.0.2.1", std::nullopt, "is no address"},
        Text{"BlankBehind", "192.0.2.1 ", std::nullopt, "is no address"},
        Text{"NulBehind", std::string("192.0.2.1\0", 10), std::nullopt, "is no address"},
        Text{"TwoGaps", "1::2::3", std::nullopt, "is no address"},
        Text{"NineParts", "1:2:3:4:5:6:7:8:9", std::nullopt, "is no address"},
        Text{"VeryLong", std::string(5000, '1'), std::nullopt, "is no address"},
        Text{"NotAscii", "\xEF\xBC\x91.1.1.1", std::nullopt, "is no address"}),
    [](const auto& test) { return std::string(test.param.name); });

struct Prefix {
  const char* name;
  const char* text;
  const char* first;
  const char* last;
};
void PrintTo(const Prefix& it, std::ostream* out) { *out << it.name; }
class Prefixes : public testing::TestWithParam<Prefix> {};

TEST_P(Prefixes, CoverWhatTheirLengthSays) {
  const auto read = Range::read(GetParam().text);
  ASSERT_TRUE(std::holds_alternative<Range>(read)) << std::get<std::string>(read);
  EXPECT_EQ(std::get<Range>(read).first, Address::read(GetParam().first));
  EXPECT_EQ(std::get<Range>(read).last, Address::read(GetParam().last));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, Prefixes,
    testing::Values(Prefix{"Address", "192.0.2.7", "192.0.2.7", "192.0.2.7"},
                    Prefix{"All", "0.0.0.0/0", "0.0.0.0", "255.255.255.255"},
                    Prefix{"One", "128.0.0.0/1", "128.0.0.0", "255.255.255.255"},
                    Prefix{"Odd", "192.0.2.128/25", "192.0.2.128", "192.0.2.255"},
                    Prefix{"Whole", "192.0.2.7/32", "192.0.2.7", "192.0.2.7"},
                    Prefix{"SixAll", "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
                    Prefix{"SixUpper", "2001:db8::/33",
                           "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"},
                    Prefix{"SixHalf", "2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"},
                    Prefix{"SixLower", "2001:db8::/65", "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff"},
                    Prefix{"SixWhole", "2001:db8::1/128", "2001:db8::1", "2001:db8::1"},
                    Prefix{"Mapped", "::ffff:192.0.2.0/120", "192.0.2.0", "192.0.2.255"},
                    Prefix{"MappedAll", "::ffff:0:0/96", "0.0.0.0", "255.255.255.255"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Prefix, IsRefusedWithACureWhereItIsWrong) {
  const auto wrong = [](std::string_view text) {
    const auto read = Range::read(text);
    return std::holds_alternative<Range>(read) ? std::string("is taken") : std::get<std::string>(read);
  };
  EXPECT_EQ(wrong("192.0.2.1/24"),
            "has more bits than its length says: 192.0.2.0/24 or the address alone is meant");
  EXPECT_EQ(wrong("2001:db8::1/32"),
            "has more bits than its length says: 2001:db8::/32 or the address alone is meant");
  EXPECT_EQ(wrong("::ffff:192.0.2.1/120"),
            "has more bits than its length says: 192.0.2.0/24 or the address alone is meant");
  EXPECT_EQ(wrong("::ffff:0:0/95"), "covers IPv4 and more: write the IPv4 prefix and the IPv6 prefix");
  for (const char* text :
       {"192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/08", "192.0.2.0/8x",
        "192.0.2.0/255.255.255.0", "192.0.2.0/24/24", "192.0.2.0/4294967320"})
    EXPECT_EQ(wrong(text), "has no length from 0 to 32 after its /") << text;
  EXPECT_EQ(wrong("2001:db8::/129"), "has no length from 0 to 128 after its /");
  for (const char* text :
       {"", "/", "/8", "10/8", "10.0.0.0-10.0.0.9", "example.org", "fe80::1%eth0/64", "all"})
    EXPECT_EQ(wrong(text), "is no address and no prefix such as 192.0.2.0/24 or 2001:db8::/32") << text;
}

Ranges ranges(const std::vector<const char*>& texts) {
  std::vector<Range> all;
  for (const char* text : texts) all.push_back(std::get<Range>(Range::read(text)));
  return Ranges(std::move(all));
}

TEST(Ranges, HaveWhatIsBetweenTheirEndsAndNothingElse) {
  const Ranges some = ranges({"192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32", "10.1.0.0/16", "192.0.2.9"});
  EXPECT_EQ(some.all().size(), 3U) << "what lies in another one is not kept";
  for (const char* in : {"10.0.0.0", "10.255.255.255", "192.0.2.0", "192.0.2.255",
                         "2001:db8::", "::ffff:10.1.2.3", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_TRUE(some.has(*Address::read(in))) << in;
  for (const char* out : {"9.255.255.255", "11.0.0.0", "192.0.1.255", "192.0.3.0", "2001:db9::", "0.0.0.0",
                          "255.255.255.255", "::", "::10.0.0.1", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_FALSE(some.has(*Address::read(out))) << out;
  EXPECT_FALSE(Ranges().has(documentation));
}

TEST(Ranges, OfIpv6HaveNoIpv4Address) {
  const Ranges six = ranges({"::/0"});
  EXPECT_FALSE(six.has(*Address::read("192.0.2.1")));
  EXPECT_FALSE(six.has(*Address::read("::ffff:192.0.2.1")));
  EXPECT_TRUE(six.has(*Address::read("::192.0.2.1")));
  EXPECT_FALSE(ranges({"0.0.0.0/0"}).has(*Address::read("::1")));
}

TEST(Ranges, AgreeWithALookAtEachOne) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    std::vector<Range> all;
    for (int count = 0; count < 40; ++count) {
      // Close together, so that they touch, overlap and contain each other.
      const std::uint64_t first = random() % 1000;
      const bool six = random() % 2 == 0;
      all.push_back({Address{six, 0, first}, Address{six, 0, first + random() % 40}});
    }
    const Ranges some(all);
    for (std::uint64_t low = 0; low < 1100; ++low) {
      for (const bool six : {false, true}) {
        const Address address{six, 0, low};
        bool found = false;
        for (const Range& range : all) found = found || (range.first <= address && address <= range.last);
        ASSERT_EQ(some.has(address), found) << six << " " << low;
      }
    }
  }
}

using Lines = std::vector<std::string>;

TEST(ListFile, TakesPrefixesWithCommentsAndTellsWhatIsWrong) {
  trivet::Remarks remarks("/f");
  const ListFile file = ListFile::read_allowed(
      "# office\n\n10.0.0.0/8\r\n  192.0.2.0/24 ; SBL1\n2001:db8::/32# six\nexample.org\n10.0.0.1/8\n",
      remarks);
  EXPECT_EQ(remarks.lines(),
            (Lines{"/f:6: is no address and no prefix such as 192.0.2.0/24 or 2001:db8::/32",
                   "/f:7: has more bits than its length says: 10.0.0.0/8 or the address alone is meant"}));
  EXPECT_EQ(file.last_good.all().size(), 3U);
  EXPECT_TRUE(file.has(*Address::read("192.0.2.255")));
}

TEST(ListFile, NeverAllowsMoreThanTheWholeWhereverItIsCut) {
  const std::string whole = "10.20.0.0/16\n192.0.2.128/25\n2001:db8::/32\n";
  trivet::Remarks none("/f");
  const Ranges all = ListFile::read_allowed(whole, none).last_good;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    trivet::Remarks remarks("/f");
    const ListFile cut = ListFile::read_allowed(whole.substr(0, size), remarks);
    for (const Range& range : cut.last_good.all()) {
      EXPECT_TRUE(all.has(range.first) && all.has(range.last)) << size;
      EXPECT_TRUE(!all.has(Address{range.last.six, range.last.high, range.last.low + 1})) << size;
    }
  }
}

TEST(ListFile, OfTheDeniedGoesOnDenyingWhileLinesAreWrong) {
  const auto read = [](const std::string& text, const ListFile* before) {
    trivet::Remarks remarks("/f");
    return ListFile::read_denied(text, before, remarks);
  };
  const auto denies = [](const ListFile& file, const char* text) { return file.has(*Address::read(text)); };
  const ListFile good = read("10.0.0.0/8\n", nullptr);
  EXPECT_TRUE(denies(good, "10.0.0.1"));
  const ListFile broken = read("192.0.2.0/24\nnonsense\n", &good);
  EXPECT_TRUE(denies(broken, "10.0.0.1")) << "perhaps the wrong line meant it";
  EXPECT_TRUE(denies(broken, "192.0.2.1")) << "what is right counts";
  const ListFile still = read("nonsense\n", &broken);
  EXPECT_TRUE(denies(still, "10.0.0.1"));
  EXPECT_FALSE(denies(still, "192.0.2.1")) << "only what a whole file said is remembered";
  const ListFile mended = read("192.0.2.0/24\n", &still);
  EXPECT_FALSE(denies(mended, "10.0.0.1"));
  EXPECT_TRUE(denies(mended, "192.0.2.1"));
  EXPECT_THROW(read("nonsense\n", nullptr), std::runtime_error);
  EXPECT_THROW(read("10.0.0.0/8", nullptr), std::runtime_error) << "the end is missing";
}

}  // namespace
}  // namespace cidr
