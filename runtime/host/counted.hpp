#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/process/statistics.hpp"
#include "runtime/process/totals.hpp"

namespace trivet::host {

/// What a host has counted, and since when, beside what its workers hold: for the image of the program that
/// takes its place.
///
/// As bytes every count stands below the name of its column. So another version, older or newer, takes those
/// that it has as well and starts the others from zero.
struct Counted {
  base::TimePoint started{};
  process::WorkerTotals ended;     ///< By workers that have ended.
  process::StatisticsTotals gone;  ///< By teams that are gone.
  process::StatisticsTotals
      seen;  ///< Also by the team that serves: for a reader to whom its memory is strange.
};

/// What is of the moment only is left out.
[[nodiscard]] std::string pack(const Counted& counted);
/// Nothing where it is cut, or of a version that cannot be read.
[[nodiscard]] std::optional<Counted> unpack_counted(std::string_view bytes);

}  // namespace trivet::host
