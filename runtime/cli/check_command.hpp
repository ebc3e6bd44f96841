#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// `trivet check`: every diagnostic, as text on standard error, or on standard output as a JSON array of
///
///   {"severity":"error","file":"trivet.toml","line":3,"column":1,"end":6,"message":"...","hint":"..."}
///
/// where line 0 means the whole file, and bytes that are not UTF-8 are written as \xNN. An invalid
/// configuration ends it with 78, plugins that cannot run with 1, as they would end `serve`.
[[nodiscard]] int run_check(const CheckCommand& command);

}  // namespace trivet::cli
