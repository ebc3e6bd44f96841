#!/bin/sh
# Counts the system calls that one small request costs on a kept connection: one read, one write, one epoll_wait, and at
# most one epoll_ctl. Anything more is a regression of the event loop.
#
#     sh tests/bench/syscalls.sh [BUILD_FOLDER] [REQUESTS]
#
# Needs strace. Exits with 1 when a count is above its bound (2 % are allowed for starting and stopping).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-${TRIVET_BUILD:-$here/../../build/release}}
command -v strace >/dev/null || { echo "syscalls: strace is not installed (apt-get install strace)" >&2; exit 1; }
exec /usr/bin/python3 "$here/syscalls.py" "$build" "${2:-5000}"
