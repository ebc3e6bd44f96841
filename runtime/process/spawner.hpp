#pragma once

namespace trivet::process {

/// Whether a web server started this process: then descriptor 0 is a stream socket that listens
/// (FastCGI 1.0, 2.2).
///
/// Thread  [startup]
[[nodiscard]] bool is_spawned() noexcept;

/// Closes every descriptor above 2. mod_fcgid leaks the pipes of its own process manager: kept, they would
/// tell it that somebody still holds them, and every program that a plugin starts would inherit them.
///
/// Thread  [startup], before anything is opened.
void close_leaked_descriptors() noexcept;

}  // namespace trivet::process
