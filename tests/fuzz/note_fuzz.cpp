// A plugin file, read before any of its code runs: nothing in it is trusted.

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "runtime/plugin/elf.hpp"
#include "runtime/plugin/note.hpp"
#include "tests/fuzz/property.hpp"

namespace trivet::fuzz {
namespace {

using base::Bytes;

/// A file in memory, opened once: the same bytes as the host reads them.
class Descriptor {
 public:
  Descriptor() : file_(memfd_create("note_fuzz", 0)) { require(file_ >= 0, "a file in memory can be made"); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(file_); }

  [[nodiscard]] plugin::ElfFile holding(Bytes bytes) const {
    require(ftruncate(file_, 0) == 0, "the file can be emptied");
    const ssize_t written = pwrite(file_, bytes.data(), bytes.size(), 0);
    require(written == static_cast<ssize_t>(bytes.size()), "the file can be written");
    return plugin::ElfFile::of(file_, bytes.size());
  }

 private:
  int file_;
};

/// A reader that sees whether it is asked for anything beyond the end.
plugin::ElfFile strict(Bytes bytes) {
  const plugin::ElfFile plain = plugin::ElfFile::of(bytes);
  const auto read = [plain](std::uint64_t offset, std::span<std::uint8_t> into) {
    require(offset <= plain.size && into.size() <= plain.size - offset,
            "nothing beyond the file is asked for");
    return plain.read(offset, into);
  };
  return {read, plain.size};
}

/// What the dynamic linker will map of an accepted file is there: else touching it is a SIGBUS.
void check_segments(Bytes bytes) {
  Elf64_Ehdr header;
  require(bytes.size() >= sizeof header, "an accepted file has a header");
  std::memcpy(&header, bytes.data(), sizeof header);
  require(header.e_type == ET_DYN && header.e_phentsize == sizeof(Elf64_Phdr),
          "an accepted file is a shared object");
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const std::uint64_t at = header.e_phoff + i * sizeof segment;
    require(at + sizeof segment <= bytes.size(), "program headers of an accepted file are in it");
    std::memcpy(&segment, bytes.data() + at, sizeof segment);
    require(segment.p_type != PT_LOAD ||
                (segment.p_filesz <= bytes.size() && segment.p_offset <= bytes.size() - segment.p_filesz),
            "segments of an accepted file are in it");
  }
}

void check_file(Bytes bytes) {
  static const Descriptor descriptor;
  auto facts = plugin::read_elf(strict(bytes));
  auto from_file = plugin::read_elf(descriptor.holding(bytes));
  require(facts.ok() == from_file.ok(), "bytes and a file of these bytes are judged the same");
  if (!facts) {
    require(!facts.error().message.empty() && facts.error().message == from_file.error().message,
            "a refusal says why, and the same each time");
    return;
  }
  require(facts->note == from_file->note && facts->runpath == from_file->runpath, "both ways read the same");
  require(facts->note.size() <= 4096 && facts->runpath.size() <= 4096, "what is read is bounded");
  require(base::as_text(bytes).find(facts->note) != std::string_view::npos, "the note is in the file");
  require(base::as_text(bytes).find(facts->runpath) != std::string_view::npos, "the runpath is in the file");
  require(facts->runpath.find('\0') == std::string::npos, "the runpath ends with its NUL");
  if constexpr (sizeof(void*) == 8) check_segments(bytes);
}

void check_note(std::string_view text) {
  auto note = plugin::parse_note(text);
  if (!note) {
    require(!note.error().message.empty(), "a refusal says why");
    return;
  }
  require(!note->name.empty() && !note->version.empty(), "an accepted note has a name and a version");
  require(plugin::parse_note(text).value() == note.value(), "a note is read the same again");
}

void check_inspect(Bytes bytes) {
  auto note = plugin::inspect(plugin::ElfFile::of(bytes));
  if (!note) return;
  require(plugin::refuse_abi(note->abi_major, note->abi_minor).empty(),
          "only what this host speaks is accepted");
  auto facts = plugin::read_elf(plugin::ElfFile::of(bytes));
  require(facts && facts->runpath.find("$ORIGIN") == std::string::npos,
          "nothing is looked for beside the file");
}

}  // namespace
}  // namespace trivet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const trivet::base::Bytes input(data, size);
  trivet::fuzz::check_file(input);
  trivet::fuzz::check_inspect(input);
  trivet::fuzz::check_note(trivet::base::as_text(input));
  return 0;
}
