#pragma once

#include <cstdint>

namespace trivet::host {

/// What supervisor and worker say to each other over their channel. Append only.
enum class Word : std::uint32_t {
  start = 1,  ///< to the worker, first: the number of its slot; the packed config::Snapshot as a descriptor
  ready,      ///< from the worker: every plugin is loaded
  failed,     ///< from the worker, which ends: what is wrong, a line each
  listen,     ///< to the worker: indices of [[listen]] with a blank between them, a descriptor for each
  stop,       ///< to the worker: finish what runs, then end
  reopen,     ///< to the worker: the log files
};

}  // namespace trivet::host
