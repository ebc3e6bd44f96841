#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

/// Texts for other processes of this program, in files that are memory (memfd_create(2)) and close on exec.
namespace trivet::process {

enum class Sealed : bool { no, yes };

/// Holds exactly these bytes; sealed, nobody can change them any more. `name` is what /proc shows.
///
/// Errors  The kernel gives no memory or descriptor: `what` and the reason.
[[nodiscard]] base::Result<FileDescriptor> make_memory_file(const char* name, std::string_view bytes,
                                                            Sealed sealed, const char* what);
/// All that is in one. Nothing where it is no file, or grows shorter meanwhile.
[[nodiscard]] std::optional<std::string> read_memory_file(int descriptor);

}  // namespace trivet::process
