#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/base/error.hpp"

namespace trivet::plugin {

/// A file as something to read pieces of, so that only what is needed of a large plugin is read.
struct ElfFile {
  /// Fills all of `into` from `offset`, or says false. Never asked for anything beyond `size`.
  std::function<bool(std::uint64_t offset, std::span<std::uint8_t> into)> read;
  std::uint64_t size = 0;

  /// Both views must outlive what is returned.
  static ElfFile of(base::Bytes bytes);
  static ElfFile of(int descriptor, std::uint64_t size);
};

/// What is in a shared object that matters before its code may run.
struct ElfFacts {
  std::string note;     ///< The description of the Trivet note.
  std::string runpath;  ///< DT_RUNPATH, or DT_RPATH where there is none; empty when there is neither.
};

/// Reads those facts. No length or offset of the file is trusted; section headers are not needed (strip may
/// have removed them).
///
/// Errors  What is wrong with the file and what would cure it, without its name: not ELF, another machine,
/// not a
///         shared object, cut off, without a note.
[[nodiscard]] base::Result<ElfFacts> read_elf(const ElfFile& file);

}  // namespace trivet::plugin
