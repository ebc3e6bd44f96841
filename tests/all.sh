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

# Each fuzz target for a few minutes, over its corpus.
fuzz() {
  cmake --preset fuzz -DTRIVET_TESTS=OFF >/dev/null && cmake --build build/fuzz || return 1
  bad=0
  for target in build/fuzz/bin/*_fuzz; do
    [ -x "$target" ] || continue
    work=build/fuzz/work/$(basename "$target")
    mkdir -p "$work/new"
    corpus=tests/fuzz/corpus/$(basename "$target" _fuzz)
    [ -d "$corpus" ] || corpus=
    # shellcheck disable=SC2086 # no corpus is no argument
    "$target" -max_total_time=180 -timeout=10 -artifact_prefix="$work/" "$work/new" $corpus || bad=1
  done
  return "$bad"
}

part "run.sh --full" sh tests/run.sh --full
part "clang-tidy" sh tests/checks/tidy.sh --all
part "mutants" sh tests/checks/mutants.sh
if ls tests/fuzz/*.cpp >/dev/null 2>&1; then part "fuzz" fuzz; fi
part "quickstart" sh conf/quickstart.sh --once

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
