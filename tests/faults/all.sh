#!/bin/sh
# Every case of this folder in its long form, on a release build: half an hour or less. Ends with "N passed, N failed, N skipped".
#
#   sh tests/faults/all.sh [--only SUBSTRING]...
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=conf/packages.sh
. conf/packages.sh
trivet_install build test || exit 1

cmake --preset release -DTRIVET_TESTS=ON >/dev/null && cmake --build build/release -j "$(nproc 2>/dev/null || echo 2)" || exit 1
exec /usr/bin/python3 tests/faults/run.py --build build/release --long --no-skip "$@"
