#!/bin/sh
# Runs many seeds of the simulation, on every processor; what is too long for each test run.
#
#   sh tests/simulation/run.sh [SEEDS] [FROM]      100000 seeds from 1 if not given; exit code 1 on a finding
set -u
cd "$(dirname "$0")/../.." || exit 1

seeds=${1:-100000}
from=${2:-1}
case $seeds$from in *[!0-9]* | '') sed -n '2,5s/^# \{0,1\}//p' tests/simulation/run.sh >&2; exit 64 ;; esac

# shellcheck source=conf/packages.sh
. conf/packages.sh
trivet_install build test || exit 1
work=build/simulation
mkdir -p "$work"
if ! { cmake --preset release && cmake --build --preset release --target simulation; } >"$work/build.log" 2>&1; then
  echo "the simulation does not build; $work/build.log ends with:" >&2
  tail -n 30 "$work/build.log" >&2
  exit 1
fi

parts=$(nproc)
part=0
while [ "$part" -lt "$parts" ]; do
  first=$((from + seeds * part / parts))
  last=$((from + seeds * (part + 1) / parts))
  (
    [ "$last" -gt "$first" ] || { echo 0 >"$work/$part.code"; exit; }
    build/release/bin/simulation --seeds $((last - first)) --from "$first" >"$work/$part.log" 2>&1
    echo $? >"$work/$part.code"
  ) &
  part=$((part + 1))
done
wait

code=0
part=0
while [ "$part" -lt "$parts" ]; do
  cat "$work/$part.log"
  [ "$(cat "$work/$part.code")" = 0 ] || code=1
  part=$((part + 1))
done
exit "$code"
