#!/bin/sh
# Installs what is missing, builds, runs the tests; ends with "N passed, N failed".
#
#   sh tests/run.sh          the quick tier: checks, unit and plugin tests, web servers; under 10 minutes on 2 cores
#   sh tests/run.sh --full   also with the address, undefined-behaviour and thread sanitizers; a skipped test is a failed one
#
# Each check script and each build counts as one. What ran is in build/tests/log/, one file per part.
set -u
cd "$(dirname "$0")/.." || exit 1

full=no
for argument in "$@"; do
  case $argument in
    --full) full=yes ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "usage: sh tests/run.sh [--full]" >&2; exit 64 ;;
  esac
done

# shellcheck source=conf/packages.sh
. conf/packages.sh
trivet_install build test || exit 1

jobs=$(nproc 2>/dev/null || echo 2)
python=/usr/bin/python3
logs=build/tests/log
mkdir -p "$logs"
passed=0
failed=0
skipped=0
started=$(date +%s)

# say NAME RESULT SECONDS
say() { printf '%-34s %s  (%ss)\n' "$1" "$2" "$3"; }

# The end of a log, indented.
show_tail() { tail -n "${2:-40}" "$1" | sed 's/^/    /'; }

# part NAME TIMEOUT COMMAND...: runs a command into its log; gives the command's exit code.
part() {
  name=$1
  limit=$2
  shift 2
  log=$logs/$(printf '%s' "$name" | tr ' /' '--').log
  began=$(date +%s)
  timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null
  code=$?
  took=$(($(date +%s) - began))
  [ "$code" -ne 124 ] || echo "stopped after $limit seconds" >>"$log"
  return "$code"
}

# one NAME TIMEOUT COMMAND...: a part that counts as one test.
one() {
  if part "$@"; then
    passed=$((passed + 1))
    say "$name" ok "$took"
  else
    failed=$((failed + 1))
    say "$name" "FAILED, exit code $code; $log ends with:" "$took"
    show_tail "$log"
  fi
}

build() {
  part "configure $1" 300 cmake --preset "$1" -DTRIVET_TESTS=ON || {
    failed=$((failed + 1))
    say "configure $1" "FAILED; $log ends with:" "$took"
    show_tail "$log"
    return
  }
  # Goes on after an error: the tests of what was built still run, the others are reported as not built.
  part "build $1" 2400 cmake --build "build/$1" -j "$jobs" -- -k 0 && {
    passed=$((passed + 1))
    say "build $1" ok "$took"
    return
  }
  failed=$((failed + 1))
  say "build $1" "FAILED; the errors in $log:" "$took"
  grep -E 'error:|undefined reference|FAILED:' "$log" | head -n 20 | sed 's/^/    /'
}

# Unit and plugin tests of one preset, counted from CTest's summary: it counts what was not built as failed, what was
# skipped as passed, and leaves out what is disabled.
unit_tests() {
  part "unit tests $1" 1200 ctest --test-dir "build/$1" -j "$jobs" --timeout 120 --output-on-failure
  sums=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log" | tail -n 1)
  bad=${sums% *}
  all=${sums#* }
  if [ "${all:-0}" -eq 0 ]; then
    failed=$((failed + 1))
    say "unit tests $1" "FAILED: no test ran; $log ends with:" "$took"
    show_tail "$log"
    return
  fi
  skips=$(grep -cE '^[[:space:]]+[0-9]+ - .* \(Skipped\)$' "$log")
  disabled=$(grep -cE '^[[:space:]]+[0-9]+ - .* \(Disabled\)$' "$log")
  count "unit tests $1" $((all - bad - skips)) "$bad" $((skips + disabled))
}

# driven FOLDER PRESET: what drives a real host from outside, counted from the last line of its output.
driven() {
  name="$1 $2"
  [ -f "tests/$1/run.py" ] || { say "$name" "FAILED: tests/$1/run.py is missing" 0; failed=$((failed + 1)); return; }
  set -- "$name" 1200 "$python" "tests/$1/run.py" --build "build/$2"
  [ "$full" = no ] || set -- "$@" --no-skip
  # Suites of interop share nothing; those of faults fill disks and stop processes, and measure beside it.
  case $name in interop*) set -- "$@" --jobs "$jobs" ;; esac
  part "$@"
  sums=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
  if [ -z "$sums" ]; then
    failed=$((failed + 1))
    say "$name" "FAILED, exit code $code; $log ends with:" "$took"
    show_tail "$log"
    return
  fi
  # shellcheck disable=SC2086 # three numbers
  count "$name" $sums
}

# count NAME PASSED FAILED SKIPPED: adds up a part with many tests. A non-zero exit code without a failed test is one.
count() {
  ok=$2
  bad=$3
  if [ "$full" = yes ]; then bad=$((bad + $4)); else skipped=$((skipped + $4)); fi
  [ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  passed=$((passed + ok))
  failed=$((failed + bad))
  if [ "$bad" -eq 0 ]; then
    say "$1" "ok, $ok passed, $4 skipped" "$took"
  else
    say "$1" "FAILED: $bad of $((ok + bad)); $log:" "$took"
    grep -aE '\*\*\*|\[  FAILED  \]|: Failure|^(FAIL|SKIP)|ERROR: |SUMMARY: |Not Run' "$log" | head -n 40 | sed 's/^/    /'
    show_tail "$log" 30
  fi
}

build release

for check in tests/checks/*.py tests/checks/*.sh; do
  case $check in
    */tidy.sh | */mutants.sh) continue ;; # slow: tests/all.sh
    *.py) one "check $(basename "$check" .py)" 600 env TRIVET_BUILD=build/release "$python" "$check" ;;
    *) one "check $(basename "$check" .sh)" 600 env TRIVET_BUILD=build/release sh "$check" ;;
  esac
done

unit_tests release
driven interop release
one "instructions release" 300 sh tests/bench/instructions.sh build/release

if [ "$full" = yes ]; then
  driven faults release
  # A failed assertion of a sanitizer ends the program at once, so that it cannot pass for an answer of the host.
  ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
  for preset in asan tsan; do
    build "$preset"
    unit_tests "$preset"
    driven interop "$preset"
  done
fi

seconds=$(($(date +%s) - started))
[ "$skipped" -eq 0 ] || echo "skipped: $skipped (sh tests/run.sh --full counts these as failed)"
echo "took $((seconds / 60)) min $((seconds % 60)) s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
