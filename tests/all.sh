#!/bin/sh
# Everything: the full tier of tests/run.sh and what is too slow for it. Takes more than an hour on 2 cores.
#
#   sh tests/all.sh          ends with "N passed, N failed": run.sh --full counts as one here, so does each other part
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=conf/packages.sh
. conf/packages.sh
trivet_install build test tidy fuzz || exit 1

passed=0
failed=0
part() {
  name=$1
  shift
  echo "== $name"
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "== $name FAILED"; fi
}
# It says so, with 77, where this machine cannot.
systemd() {
  sh tests/faults/systemd.sh build/release
  code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 77 ]
}

# The build by a profile, which is what is installed.
packaged() {
  TRIVET_CMAKE=-DTRIVET_TESTS=ON sh conf/package/build.sh build/package &&
    ctest --test-dir build/package -j "$(nproc)" --timeout 120 --output-on-failure &&
    /usr/bin/python3 tests/interop/run.py --build build/package --no-skip --jobs "$(nproc)"
}

part "run.sh --full" sh tests/run.sh --full
part "clang-tidy" sh tests/checks/tidy.sh --all
part "mutants" sh tests/checks/mutants.sh
part "fuzz" sh tests/fuzz/run.sh 180
part "simulation" sh tests/simulation/run.sh 100000
part "faults" sh tests/faults/all.sh
part "systemd" systemd
part "streams" /usr/bin/python3 tests/bench/streams.py build/release
part "as packaged" packaged
part "quickstart" sh conf/quickstart.sh --once

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
