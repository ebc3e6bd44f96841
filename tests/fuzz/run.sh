#!/bin/sh
# Builds the fuzz targets with clang and libFuzzer, and fuzzes each for SECONDS, one after the other.
#
#   sh tests/fuzz/run.sh SECONDS [TARGET...]     all targets, or those that are named; exit code 1 on a finding
#
# Prints what each did, and the processor time that was spent on it since its code last changed: the target and the
# floors it runs through. That sum and what the fuzzer found on its way are kept below build/fuzz/.
set -u
cd "$(dirname "$0")/../.." || exit 1

usage() { sed -n '2,7s/^# \{0,1\}//p' tests/fuzz/run.sh >&2; exit 64; }
case ${1:-} in '' | 0 | *[!0-9]*) usage ;; esac
seconds=$1
shift

# What a target runs through, beside its own files: what its findings would be about.
code_of() {
  case $1 in
    framing) echo "runtime/base runtime/protocol" ;;
    pairs) echo "runtime/base runtime/protocol runtime/cgi" ;;
    connection) echo "runtime/base runtime/protocol runtime/cgi runtime/roles runtime/plugin runtime/host sdk/include
      tests/unit/host tests/model tests/fuzz/scenario.hpp tests/fuzz/scenario.cpp" ;;
    config) echo "runtime/base runtime/config" ;;
    head) echo "runtime/base runtime/cgi runtime/cli/head_parser.hpp runtime/cli/head_parser.cpp" ;;
    path) echo "runtime/base runtime/cgi runtime/config/pattern.cpp tests/fuzz/path_reference.hpp tests/fuzz/path_reference.cpp" ;;
    note) echo "runtime/base runtime/plugin/elf.cpp runtime/plugin/note.cpp runtime/plugin/note_schema.cpp sdk/include/trivet/abi.h" ;;
    *) return 1 ;;
  esac
}
# The longest input a target is given, and how its bytes are made up.
options_of() {
  case $1 in
    connection) echo "-max_len=1024" ;;
    config) echo "-max_len=4096 -dict=tests/fuzz/config.dict" ;;
    path) echo "-max_len=512 -dict=tests/fuzz/path.dict" ;;
    *) echo "-max_len=2048" ;;
  esac
}

targets=$*
[ -n "$targets" ] || targets="framing pairs connection config head path note"
for target in $targets; do
  code_of "$target" >/dev/null || { echo "no such target: $target" >&2; exit 64; }
done

# shellcheck source=conf/packages.sh
. conf/packages.sh
trivet_install build fuzz || exit 1
work=build/fuzz/work
mkdir -p "$work"
if ! { cmake --preset fuzz -DTRIVET_TESTS=OFF && cmake --build build/fuzz --target fuzz_targets; } >"$work/build.log" 2>&1; then
  echo "the fuzz targets do not build; $work/build.log ends with:" >&2
  tail -n 30 "$work/build.log" >&2
  exit 1
fi

# Sets `spent` to the processor time of the programs that this shell ran, in seconds. A subshell would see only its own.
look_at_clock() {
  times >"$work/times"
  spent=$(sed -n 2p "$work/times" | tr 'ms' '  ' | awk '{ printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }')
}

hash_of() {
  # shellcheck disable=SC2046 # a list of words
  find $(code_of "$1") "tests/fuzz/$1_fuzz.cpp" tests/fuzz/property.hpp tests/model/require.hpp -type f | LC_ALL=C sort | xargs cat |
    sha256sum | cut -c 1-16
}

findings=0
for target in $targets; do
  folder=$work/$target
  mkdir -p "$folder/found"
  hash=$(hash_of "$target")
  look_at_clock
  before=$spent
  # shellcheck disable=SC2046 # a list of words
  "build/fuzz/bin/${target}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 \
    -print_final_stats=1 -artifact_prefix="$folder/finding-" $(options_of "$target") \
    "$folder/found" "tests/fuzz/corpus/$target" >"$folder/log" 2>&1
  code=$?
  look_at_clock
  took=$((spent - before))
  sums=$(awk -v target="$target" -v hash="$hash" '$1 == target && $2 == hash { print $3 }' "$work/cpu_seconds" 2>/dev/null)
  total=$((${sums:-0} + took))
  { grep -v "^$target " "$work/cpu_seconds" 2>/dev/null; echo "$target $hash $total"; } >"$work/cpu_seconds.new"
  mv "$work/cpu_seconds.new" "$work/cpu_seconds"
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log")
  coverage=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges, \2 features/p' "$folder/log" | tail -n 1)
  printf '%-11s %s runs, %s, %s CPU-seconds, %s since the code changed\n' "$target" "${runs:-?}" "${coverage:-no coverage}" \
    "$took" "$total"
  if [ "$code" -ne 0 ]; then
    findings=$((findings + 1))
    echo "FINDING, exit code $code; $folder/log ends with:"
    grep -avE '^(#[0-9]+|    #[0-9]+)' "$folder/log" | tail -n 20 | sed 's/^/    /'
  fi
done
[ "$findings" -eq 0 ]
