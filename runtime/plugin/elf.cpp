#include "runtime/plugin/elf.hpp"

#include <elf.h>
#include <link.h>
#include <trivet/abi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

/// The linker puts the header of this very program here: what the host itself was built for.
extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));  // NOLINT: the linker's name

namespace trivet::plugin {

namespace {

using base::Error;
using base::ErrorCode;
using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Dynamic = ElfW(Dyn);

constexpr std::uint64_t max_segments = 512;
constexpr std::uint64_t max_note_bytes = 64 * 1024;
constexpr std::uint64_t max_text_bytes = 4096;
constexpr std::uint64_t max_dynamic_entries = 4096;

constexpr std::string_view cut_off = "is cut off: copy the whole file again";

Error rejected(std::string what) { return {ErrorCode::plugin_rejected, std::move(what)}; }

/// Whether `length` bytes at `offset` are within `size`, without overflow.
constexpr bool within(std::uint64_t offset, std::uint64_t length, std::uint64_t size) noexcept {
  return offset <= size && length <= size - offset;
}

template <class T>
std::optional<T> read_struct(const ElfFile& file, std::uint64_t offset) {
  if (!within(offset, sizeof(T), file.size)) return std::nullopt;
  std::array<std::uint8_t, sizeof(T)> bytes{};
  if (!file.read(offset, bytes)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);  // ELF structures are in the machine's own byte order.
  return value;
}

std::string describe_machine(unsigned elf_class, unsigned machine) {
  const std::string bits = elf_class == ELFCLASS64   ? "64-bit"
                           : elf_class == ELFCLASS32 ? "32-bit"
                                                     : "unknown";
  switch (machine) {
    case EM_X86_64:
      return bits + " x86-64";
    case EM_386:
      return bits + " x86";
    case EM_AARCH64:
      return bits + " ARM64";
    case EM_ARM:
      return bits + " ARM";
    case EM_RISCV:
      return bits + " RISC-V";
    case EM_PPC64:
      return bits + " POWER";
    case EM_S390:
      return bits + " S/390";
    default:
      return bits + " (ELF machine " + std::to_string(machine) + ")";
  }
}

/// The header, checked to be that of a shared object for this machine.
base::Result<Header> read_header(const ElfFile& file) {
  if (file.size == 0) return rejected("is empty: copy the file again");
  std::array<std::uint8_t, EI_NIDENT> identity{};
  const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(file.size, identity.size()));
  if (!file.read(0, std::span(identity).first(known)))
    return rejected("cannot be read: " + std::string(cut_off));
  if (!std::equal(identity.begin(),
                  identity.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(known, SELFMAG)),
                  ELFMAG)) {
    return rejected("is no ELF file: a plugin is a shared object, built with trivet_add_plugin()");
  }
  if (known < identity.size()) return rejected(std::string(cut_off));

  const auto header =
      read_struct<Header>(file, 0);  // Type and machine stand at the same place in both classes.
  const unsigned machine = header ? header->e_machine : 0U;
  if (identity[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
      identity[EI_DATA] != __ehdr_start.e_ident[EI_DATA] || (header && machine != __ehdr_start.e_machine)) {
    return rejected("was built for " + describe_machine(identity[EI_CLASS], machine) + ", this host is " +
                    describe_machine(__ehdr_start.e_ident[EI_CLASS], __ehdr_start.e_machine) +
                    ": build it for this machine");
  }
  if (!header) return rejected(std::string(cut_off));
  if (header->e_type != ET_DYN) {
    return rejected("is an ELF file but no shared object: build it with trivet_add_plugin()");
  }
  // The section headers stand at the end: where they reach past it, so did something else.
  if (header->e_shoff != 0 &&
      !within(header->e_shoff, std::uint64_t{header->e_shnum} * header->e_shentsize, file.size)) {
    return rejected(std::string(cut_off));
  }
  return *header;
}

base::Result<std::vector<Segment>> read_segments(const ElfFile& file, const Header& header) {
  if (header.e_phentsize != sizeof(Segment) || header.e_phnum == 0 || header.e_phnum > max_segments) {
    return rejected("has broken program headers: build it again");
  }
  std::vector<Segment> segments;
  segments.reserve(header.e_phnum);
  for (std::uint64_t at = 0; at < header.e_phnum; ++at) {
    const std::uint64_t offset = at * sizeof(Segment);
    if (!within(header.e_phoff, offset, file.size)) return rejected(std::string(cut_off));
    const auto segment = read_struct<Segment>(file, header.e_phoff + offset);
    if (!segment) return rejected(std::string(cut_off));
    // The dynamic linker maps what a segment claims; past the end of the file that would be a SIGBUS.
    if (segment->p_type == PT_LOAD && !within(segment->p_offset, segment->p_filesz, file.size)) {
      return rejected(std::string(cut_off));
    }
    segments.push_back(*segment);
  }
  return segments;
}

std::uint32_t u32(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, &bytes[at], sizeof value);
  return value;
}

/// The description of the Trivet note among the notes of one segment. Each note is three words (length of
/// owner, of description, type), then owner and description, both padded to four bytes.
std::optional<std::string> find_note(std::span<const std::uint8_t> notes) {
  constexpr std::string_view owner(TRIVET_NOTE_OWNER, sizeof(TRIVET_NOTE_OWNER));  // It counts its NUL.
  std::size_t at = 0;
  while (notes.size() - at >= 12) {
    const std::uint64_t owner_size = u32(notes, at);
    const std::uint64_t text_size = u32(notes, at + 4);
    const std::uint32_t type = u32(notes, at + 8);
    const std::uint64_t text_at = at + 12 + (owner_size + 3) / 4 * 4;
    const std::uint64_t next = text_at + (text_size + 3) / 4 * 4;
    if (!within(text_at, text_size, notes.size())) return std::nullopt;
    if (type == TRIVET_NOTE_TYPE && owner_size == owner.size() && text_size <= max_text_bytes &&
        base::as_text(notes.subspan(at + 12, owner.size())) == owner) {
      return std::string(base::as_text(
          notes.subspan(static_cast<std::size_t>(text_at), static_cast<std::size_t>(text_size))));
    }
    if (next >= notes.size()) return std::nullopt;
    at = static_cast<std::size_t>(next);
  }
  return std::nullopt;
}

/// Where in the file the byte stands that will be loaded at `address`.
std::optional<std::uint64_t> file_offset(const std::vector<Segment>& segments, std::uint64_t address) {
  for (const Segment& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
        address - segment.p_vaddr >= segment.p_filesz)
      continue;
    return segment.p_offset + (address - segment.p_vaddr);
  }
  return std::nullopt;
}

/// The text at `offset`, up to its NUL; cut at 4096 bytes.
std::string text_at(const ElfFile& file, std::uint64_t offset) {
  if (offset >= file.size) return {};
  std::vector<std::uint8_t> bytes(
      static_cast<std::size_t>(std::min<std::uint64_t>(4096, file.size - offset)));
  if (!file.read(offset, bytes)) return {};
  bytes.erase(std::find(bytes.begin(), bytes.end(), std::uint8_t{0}), bytes.end());
  return std::string(base::as_text(bytes));
}

/// DT_RUNPATH or DT_RPATH. A dynamic section too broken to follow has none; the dynamic linker will refuse
/// it.
std::string read_runpath(const ElfFile& file, const std::vector<Segment>& segments, const Segment& dynamic) {
  std::optional<std::uint64_t> strings;
  std::optional<std::uint64_t> runpath;
  std::optional<std::uint64_t> rpath;
  const std::uint64_t count =
      std::min<std::uint64_t>(dynamic.p_filesz / sizeof(Dynamic), max_dynamic_entries);
  for (std::uint64_t at = 0; at < count; ++at) {
    if (!within(dynamic.p_offset, at * sizeof(Dynamic), file.size)) break;
    const auto entry = read_struct<Dynamic>(file, dynamic.p_offset + at * sizeof(Dynamic));
    if (!entry || entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) strings = file_offset(segments, entry->d_un.d_ptr);
    if (entry->d_tag == DT_RUNPATH) runpath = entry->d_un.d_val;
    if (entry->d_tag == DT_RPATH) rpath = entry->d_un.d_val;
  }
  if (!runpath) runpath = rpath;
  if (!strings || !runpath || !within(*strings, *runpath, file.size)) return {};
  return text_at(file, *strings + *runpath);
}

}  // namespace

ElfFile ElfFile::of(base::Bytes bytes) {
  const auto read = [bytes](std::uint64_t offset, std::span<std::uint8_t> into) {
    if (!within(offset, into.size(), bytes.size())) return false;
    const base::Bytes from = bytes.subspan(static_cast<std::size_t>(offset), into.size());
    std::copy(from.begin(), from.end(), into.begin());  // Nothing may be asked for: then `into` is nowhere.
    return true;
  };
  return {read, bytes.size()};
}

ElfFile ElfFile::of(int descriptor, std::uint64_t size) {
  const auto read = [descriptor](std::uint64_t offset, std::span<std::uint8_t> into) {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          pread(descriptor, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      done += static_cast<std::size_t>(got);
    }
    return true;
  };
  return {read, size};
}

base::Result<ElfFacts> read_elf(const ElfFile& file) {
  const auto header = read_header(file);
  if (!header) return header.error();
  const auto segments = read_segments(file, header.value());
  if (!segments) return segments.error();

  ElfFacts facts;
  bool has_note = false;
  for (const Segment& segment : segments.value()) {
    if (segment.p_type == PT_DYNAMIC) facts.runpath = read_runpath(file, segments.value(), segment);
    if (segment.p_type != PT_NOTE || has_note) continue;
    if (!within(segment.p_offset, segment.p_filesz, file.size)) return rejected(std::string(cut_off));
    if (segment.p_filesz > max_note_bytes) continue;
    std::vector<std::uint8_t> notes(static_cast<std::size_t>(segment.p_filesz));
    if (!file.read(segment.p_offset, notes)) return rejected(std::string(cut_off));
    if (std::optional<std::string> text = find_note(notes)) {
      facts.note = std::move(*text);
      has_note = true;
    }
  }
  if (!has_note) {
    return rejected(
        "is a shared object without a Trivet note: build it with trivet_add_plugin() and name its class in "
        "TRIVET_PLUGIN()");
  }
  return facts;
}

}  // namespace trivet::plugin
