#pragma once

#include <chrono>
#include <string>

#include "runtime/cli/bench/answer.hpp"
#include "runtime/cli/bench/load.hpp"
#include "runtime/cli/bench/tally.hpp"
#include "runtime/cli/options.hpp"

namespace trivet::cli::bench {

/// What came of a load, for a person.
[[nodiscard]] std::string text_report(const BenchCommand& command, const LoadResult& result,
                                      const Tally& tally, const Expected& expected);
/// The same on one line, for a program.
[[nodiscard]] std::string json_report(const BenchCommand& command, const LoadResult& result,
                                      const Tally& tally, const Expected& expected);
/// One line: how it goes, `good` and `failed` being those of the second that is over.
[[nodiscard]] std::string progress_line(std::chrono::nanoseconds passed, std::uint64_t good,
                                        const Tally& tally);

}  // namespace trivet::cli::bench
