#pragma once

#include "runtime/config/sink.hpp"

namespace trivet::config {

/// Reads the files that `include` names, in the order of its patterns, those of one pattern in byte order,
/// and puts what they hold behind what `document` holds: [[listen]], [plugin.NAME] and [[route]]. A pattern
/// is relative to the including file; one without a wildcard names a file that has to be there.
///
/// Environment variables in them are filled in.
///
/// Errors  In `sink`, each with the file it is in. An included file includes nothing.
/// Memory  Each file up to 16 MiB, at most 1,000 of them.
void include_files(Sink& sink, Table& document, std::vector<Source>& sources);
/// The same with files that were read before: `sources` in the order they came.
void include_again(Sink& sink, Table& document, const std::vector<Source>& sources);

/// Appends the file to `text`, up to one byte more than 16 MiB; gives an errno, or 0.
[[nodiscard]] int read_file(const std::string& path, std::string& text);
inline constexpr std::size_t largest_file = std::size_t{16} << 20U;
/// What to do about an errno of read_file(); may be empty.
[[nodiscard]] std::string cure_of(int error);

}  // namespace trivet::config
