#!/bin/sh
# Counts the instructions that one request costs in user space, by callgrind, and fails where that is more than it was: it
# depends on the compiler, and not on what else the machine does.
#
#     sh tests/bench/instructions.sh [BUILD_FOLDER]
#
# A host serves tests/bench/trivet.toml twice, for few and for many requests; what differs is the requests'. Of a name that
# ends in -logged it writes an access log. The ceilings are in tests/bench/ceilings.txt: a change that costs less lowers
# them, one that has to cost more says why in its commit.
# Needs valgrind, and a build of the preset `release`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-${TRIVET_BUILD:-$here/../../build/release}}" && pwd)
command -v valgrind >/dev/null || { echo "instructions: valgrind is not installed (apt-get install valgrind)" >&2; exit 1; }
# shellcheck source=conf/ready.sh
. "$here/../../conf/ready.sh"
few=200
many=1200
folder=$(mktemp -d)
host=
# Ends the host that is running, if there is one.
end() {
  [ -n "$host" ] || return 0
  kill "$host" 2>/dev/null || true
  wait "$host" || true
  host=
}
trap 'end; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP
TRIVET_BENCH_PLUGINS=$build/bench-plugins
export TRIVET_BENCH_PLUGINS

cp "$here/trivet.toml" "$folder/plain.toml"
{ cat "$here/trivet.toml"; printf '\n[log]\naccess = "file:%s/access"\n' "$folder"; } >"$folder/logged.toml"

# count CONFIG REQUESTS ARGUMENT...: the instructions of a whole run, in `instructions`.
count() {
  config=$1
  requests=$2
  shift 2
  rm -f "$folder/log" "$folder/profile"
  valgrind --tool=callgrind --callgrind-out-file="$folder/profile" "$build/bin/trivet" serve -c "$config" \
    --listen "unix:$folder/host.sock" --processes 0 2>"$folder/log" &
  host=$!
  trivet_ready "$host" "$folder/log" 60 || { echo "instructions: the host does not start" >&2; exit 1; }
  "$build/bin/trivet" bench "unix:$folder/host.sock" "$@" -n "$requests" --timeout 60s >"$folder/report" ||
    { cat "$folder/report" >&2; exit 1; }
  end
  instructions=$(sed -n 's/^totals: //p' "$folder/profile")
  [ -n "$instructions" ] || { echo "instructions: callgrind counted nothing" >&2; exit 1; }
}

failed=0
while read -r name ceiling arguments; do
  case $name in '' | '#'*) continue ;; esac
  config=$folder/plain.toml
  case $name in *-logged) config=$folder/logged.toml ;; esac
  # shellcheck disable=SC2086 # several words
  count "$config" "$few" $arguments
  least=$instructions
  # shellcheck disable=SC2086
  count "$config" "$many" $arguments
  each=$(((instructions - least) / (many - few)))
  word=ok
  [ "$each" -le "$ceiling" ] || { word=FAIL; failed=1; }
  printf '%-4s %-12s %6d instructions per request, at most %d\n' "$word" "$name" "$each" "$ceiling"
done <"$here/ceilings.txt"
exit "$failed"
