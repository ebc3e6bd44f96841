#pragma once

#include <memory>

#include "runtime/io/event_loop.hpp"
#include "runtime/io/transport.hpp"

namespace trivet::io {

/// A connected stream socket (unix or TCP) as a Transport. Takes the descriptor over, sets TCP_NODELAY.
///
/// The kernel is asked to watch it at the first await or pause, not here: a connection whose request is
/// already there and whose answer fits into the socket costs no epoll_ctl at all. So try read() first.
/// Awaiting costs at most one epoll_ctl, and none where the same was awaited before. on_readable() may come
/// without bytes (`would_block`): await again.
///
/// While paused, on_hangup() comes exactly when the kernel reports POLLHUP or POLLERR, once per
/// pause_reading(): a unix peer that closed, a TCP reset, a TCP connection closed in both directions. A peer
/// that only shut down its sending side (a FIN on TCP, shutdown(SHUT_WR) on unix) is not gone: it may still
/// want its answer, and bytes may be unread; read() tells `end` when reading goes on. A close() on TCP is
/// such a FIN until something is sent to the peer. Urgent (out-of-band) bytes are dropped. So are descriptors
/// that a unix peer passes; what it sent behind them may be told with the next bytes only.
///
/// Thread    [loop].
/// Lifetime  `loop` and `events` outlive it. Destroying it inside any of its events is fine.
/// Memory    About 150 bytes; waiting allocates nothing.
/// Errors    A descriptor that cannot be watched tells readable (paused: hang-up), and then read() and
///           write() fail with the kernel's reason.
std::unique_ptr<Transport> adopt(EventLoop& loop, int fd, TransportEvents& events);

}  // namespace trivet::io
