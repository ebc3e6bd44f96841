#include "runtime/plugin/elf.hpp"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/plugin/note.hpp"
#include "runtime/plugin/private_copy.hpp"
#include "tests/unit/plugin/files.hpp"

namespace trivet::plugin {
namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes& plugin_bytes() {
  static const Bytes bytes = read_file(test_plugin("cplain"));
  return bytes;
}

/// A file of exactly these bytes, in memory of exactly that size: reading past it is found by the address
/// sanitizer.
base::Result<ElfFacts> facts_of(const Bytes& bytes) {
  const Bytes exact(bytes);
  return read_elf(ElfFile::of(base::Bytes(exact)));
}

template <class T>
T get(const Bytes& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// Where the first program header of that type stands.
std::size_t segment_at(const Bytes& bytes, std::uint32_t type) {
  const auto header = get<Elf64_Ehdr>(bytes, 0);
  for (std::size_t number = 0; number < header.e_phnum; ++number) {
    const std::size_t at = header.e_phoff + number * sizeof(Elf64_Phdr);
    if (get<Elf64_Phdr>(bytes, at).p_type == type) return at;
  }
  ADD_FAILURE() << "no segment of type " << type;
  return 0;
}

TEST(Elf, FindsTheNoteInBytesAndInAFile) {
  const auto facts = facts_of(plugin_bytes());
  ASSERT_TRUE(facts.ok()) << facts.error().message;
  EXPECT_TRUE(facts.value().note.starts_with("{\"name\":\"cplain\""));
  EXPECT_EQ(facts.value().runpath, "");

  const auto file = open_regular(test_plugin("cplain"));
  ASSERT_TRUE(file.ok());
  const auto same = read_elf(ElfFile::of(file.value().descriptor.get(), file.value().size));
  ASSERT_TRUE(same.ok()) << same.error().message;
  EXPECT_EQ(same.value().note, facts.value().note);
}

TEST(Elf, NeedsNoSectionHeaders) {
  Bytes bytes = plugin_bytes();
  auto header = get<Elf64_Ehdr>(bytes, 0);
  bytes.resize(header.e_shoff);  // They stand at the end.
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  put(bytes, 0, header);
  EXPECT_TRUE(facts_of(bytes).ok());
}

TEST(Elf, ReadsTheRunpath) {
  const auto facts = facts_of(read_file(test_plugin("origin")));
  ASSERT_TRUE(facts.ok()) << facts.error().message;
  EXPECT_EQ(facts.value().runpath, "$ORIGIN/lib");
}

TEST(Elf, RefusesEveryFileThatIsCutOff) {
  const Bytes& whole = plugin_bytes();
  for (std::size_t size = 0; size < whole.size(); size += size < 4096 ? 1 : 97) {
    const auto facts = facts_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_FALSE(facts.ok()) << "of " << size << " bytes";
    if (size < EI_NIDENT) continue;
    EXPECT_EQ(facts.error().message, "is cut off: copy the whole file again") << size;
  }
}

TEST(Elf, SurvivesAnyByteOfItsHeadersBeingAnyOther) {
  const Bytes& whole = plugin_bytes();
  const auto header = get<Elf64_Ehdr>(whole, 0);
  const std::size_t end = header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
  for (std::size_t at = 0; at < end; ++at) {
    for (const int flip : {0x01, 0x10, 0x7f, 0x80, 0xff}) {
      Bytes bytes = whole;
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ flip);
      const auto note = inspect(ElfFile::of(base::Bytes(bytes)));
      EXPECT_TRUE(note.ok() || !note.error().message.empty());
    }
  }
}

TEST(Elf, SurvivesTwoThousandRandomMutations) {
  const unsigned seed = std::random_device()();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const Bytes& whole = plugin_bytes();
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes = whole;
    for (unsigned changes = 1 + random() % 16; changes > 0; --changes) {
      const std::size_t span = random() % 2 == 0 ? 1024 : bytes.size();  // Mostly where the headers are.
      bytes[random() % span] = static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const auto note = inspect(ElfFile::of(base::Bytes(bytes)));
    if (note.ok()) continue;
    ++refused;
    EXPECT_FALSE(note.error().message.empty());
    EXPECT_EQ(note.error().code, base::ErrorCode::plugin_rejected);
  }
  EXPECT_GT(refused, 500);  // At least every fourth was cut.
}

/// What somebody who wants the host to read beyond the file would write.
struct Lie {
  const char* name;
  void (*tell)(Bytes&);
  const char* error;
};

class ElfThatLies : public testing::TestWithParam<Lie> {};

TEST_P(ElfThatLies, IsRefused) {
  Bytes bytes = plugin_bytes();
  GetParam().tell(bytes);
  const auto facts = facts_of(bytes);
  ASSERT_FALSE(facts.ok());
  EXPECT_EQ(facts.error().message, GetParam().error);
}

constexpr const char* cut_off = "is cut off: copy the whole file again";
constexpr const char* no_note =
    "is a shared object without a Trivet note: build it with trivet_add_plugin() and name its class in "
    "TRIVET_PLUGIN()";

template <class Change>
void change_note_segment(Bytes& bytes, Change change) {
  const std::size_t at = segment_at(bytes, PT_NOTE);
  auto segment = get<Elf64_Phdr>(bytes, at);
  change(segment);
  put(bytes, at, segment);
}

/// All notes' segments but those of the Trivet note are renamed, so that what happens to that one shows.
std::size_t note_at(const Bytes& bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());  // NOLINT
  return text.find(std::string_view("Trivet\0\0{", 9)) - 12;
}

INSTANTIATE_TEST_SUITE_P(
    Places, ElfThatLies,
    testing::Values(
        Lie{"Class32", [](Bytes& b) { b[EI_CLASS] = ELFCLASS32; },
            "was built for 32-bit x86-64, this host is 64-bit x86-64: build it for this machine"},
        Lie{"OtherMachine", [](Bytes& b) { put<std::uint16_t>(b, 18, EM_AARCH64); },
            "was built for 64-bit ARM64, this host is 64-bit x86-64: build it for this machine"},
        Lie{"UnknownMachine", [](Bytes& b) { put<std::uint16_t>(b, 18, 4711); },
            "was built for 64-bit (ELF machine 4711), this host is 64-bit x86-64: build it for this machine"},
        Lie{"OtherByteOrder", [](Bytes& b) { b[EI_DATA] = ELFDATA2MSB; },
            "was built for 64-bit x86-64, this host is 64-bit x86-64: build it for this machine"},
        Lie{"Program", [](Bytes& b) { put<std::uint16_t>(b, 16, ET_EXEC); },
            "is an ELF file but no shared object: build it with trivet_add_plugin()"},
        Lie{"Object", [](Bytes& b) { put<std::uint16_t>(b, 16, ET_REL); },
            "is an ELF file but no shared object: build it with trivet_add_plugin()"},
        Lie{"SectionsBeyond", [](Bytes& b) { put<std::uint64_t>(b, 40, ~std::uint64_t{0} - 4); }, cut_off},
        Lie{"SegmentsBeyond", [](Bytes& b) { put<std::uint64_t>(b, 32, ~std::uint64_t{0} - 4); }, cut_off},
        Lie{"NoSegments", [](Bytes& b) { put<std::uint16_t>(b, 56, 0); },
            "has broken program headers: build it again"},
        Lie{"TooManySegments", [](Bytes& b) { put<std::uint16_t>(b, 56, 0xffff); },
            "has broken program headers: build it again"},
        Lie{"SmallSegmentHeaders", [](Bytes& b) { put<std::uint16_t>(b, 54, 1); },
            "has broken program headers: build it again"},
        Lie{"LoadBeyond",
            [](Bytes& b) { put<std::uint64_t>(b, segment_at(b, PT_LOAD) + 32, std::uint64_t{1} << 40U); },
            cut_off},
        Lie{"NoteBeyond",
            [](Bytes& b) { change_note_segment(b, [](Elf64_Phdr& s) { s.p_offset = ~std::uint64_t{0}; }); },
            cut_off},
        Lie{"NoteEndsBeyond",
            [](Bytes& b) {
              change_note_segment(b, [](Elf64_Phdr& s) { s.p_filesz = ~std::uint64_t{0} - s.p_offset; });
            },
            cut_off},
        Lie{"OwnerOfFourGigabytes", [](Bytes& b) { put<std::uint32_t>(b, note_at(b), 0xffffffff); }, no_note},
        Lie{"TextOfFourGigabytes", [](Bytes& b) { put<std::uint32_t>(b, note_at(b) + 4, 0xffffffff); },
            no_note},
        Lie{"TextOneTooLong", [](Bytes& b) { put<std::uint32_t>(b, note_at(b) + 4, 0x1000); }, no_note},
        Lie{"OtherOwner", [](Bytes& b) { b[note_at(b) + 12] = 'X'; }, no_note},
        Lie{"OtherType", [](Bytes& b) { put<std::uint32_t>(b, note_at(b) + 8, 1); }, no_note}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace trivet::plugin
