#pragma once

#include <cstdint>

namespace trivet::host {

/// What supervisor and worker say to each other over their channel. Append only.
enum class Word : std::uint32_t {
  start = 1,  ///< to the worker, first: a packed host::Start, with its descriptors
  ready,      ///< from the worker: every plugin is loaded
  failed,     ///< from the worker, which ends: what is wrong, a line each
  listen,     ///< to the worker: indices of [[listen]] with a blank between them, a descriptor for each
  stop,       ///< to the worker: finish what runs, then end; text "drain": however long that takes
  reopen,     ///< to the worker: the log files
  level,      ///< to the worker: the log's level from now on, by name
  retire,     ///< to the worker: accept no more, hand connections over as they become idle, then end. Text:
              ///< indices of [[listen]] whose backlog has to be emptied first, nobody else will
  deaf,       ///< from the worker: it accepts no more
  hand,       ///< from the worker: connections, as packed Parcels, a descriptor for each. It keeps its own
              ///< until `placed`, and sends no more before that
  placed,     ///< to the worker: how many of those it handed arrived; the rest are still its own
  take,       ///< to the worker: connections, as for `hand`; one unanswered at a time
  taken,      ///< from the worker: how many of those it was given it serves; the rest did not arrive
  suspend,    ///< to the worker: names of plugins that are not called for now, a line each; all others are
  attach,     ///< to the worker: the number of an attached socket, with its descriptor
  detach,     ///< to the worker: its number; whoever waits in it is still accepted
  hurry,      ///< to the worker, after `retire`: others can only begin when it has ended
};

}  // namespace trivet::host
