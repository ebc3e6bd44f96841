#!/bin/sh
# Installs what is missing, builds Trivet, serves a demo site and shows a request in each role of FastCGI.
#
#   sh conf/quickstart.sh          serves until Ctrl-C
#   sh conf/quickstart.sh --once   shows the requests, stops the host, and ends
#
# What is made lies in build/: the configuration in build/demo/trivet.toml, the host's log beside it.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

once=no
for argument in "$@"; do
  case $argument in
    --once) once=yes ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "usage: sh conf/quickstart.sh [--once]" >&2; exit 64 ;;
  esac
done
case $root in
  *[!A-Za-z0-9/._+@~,=-]*) fail "the folder $root has a character in its name that the demo cannot handle; move it" ;;
esac

# shellcheck source=conf/packages.sh
. conf/packages.sh
# shellcheck source=conf/ready.sh
. conf/ready.sh
trivet_install build || exit 1

echo "building (build/release; the first time takes some minutes)"
mkdir -p build/demo || exit 1
log=build/demo/build.log
# Serving needs no tests; a build that has them already keeps them.
tests=OFF
grep -qs '^TRIVET_TESTS:BOOL=ON' build/release/CMakeCache.txt && tests=ON
if ! cmake --preset release -DTRIVET_TESTS=$tests >"$log" 2>&1 ||
  ! cmake --build build/release --target trivet plugins/all >>"$log" 2>&1; then
  tail -n 20 "$log" >&2
  fail "the build failed; all of its output: $log"
fi
trivet=$root/build/release/bin/trivet

# A unix socket's path has at most 107 bytes.
folder=$root/build/demo
temporary=
if [ "${#folder}" -gt 90 ]; then
  temporary=$(mktemp -d) || fail "cannot make a temporary folder"
  folder=$temporary
fi

host=
stop() {
  [ -n "$host" ] || return 0
  kill -TERM "$host" 2>/dev/null
  wait "$host"
  code=$?
  host=
  return "$code"
}
clean() {
  stop
  [ -z "$temporary" ] || rm -rf "$temporary"
}
trap clean EXIT
trap 'echo; echo "stopping"; stop; exit 0' INT TERM HUP

listening() { # does anybody listen on TCP port $1?
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf ':%04X' "$1")" \
    '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}
port=9000
while listening "$port"; do
  port=$((port + 1))
  [ "$port" -lt 9050 ] || fail "no free TCP port from 9000 to 9049"
done

mkdir -p "$folder/plugins" || fail "cannot make $folder"
chmod 700 "$folder/plugins"
config=$root/build/demo/trivet.toml
sed -e "s|@FOLDER@|$folder|g" -e "s|@PLUGINS@|$root/build/release/plugins|g" -e "s|@PORT@|$port|g" \
  -e '1,2c# Made by conf/quickstart.sh from conf/demo/trivet.toml.in.' conf/demo/trivet.toml.in >"$config" ||
  fail "cannot write $config"

"$trivet" check -c "$config" || fail "the demo's configuration has errors"
hostlog=build/demo/host.log
: >"$hostlog"
"$trivet" serve -c "$config" 2>"$hostlog" &
host=$!
trivet_ready "$host" "$hostlog" 30 || fail "the host did not start; its log: $hostlog"
echo "serving build/demo/trivet.toml on unix:$folder/web.sock and tcp:127.0.0.1:$port"

# show TEXT EXPECTED ARGUMENT...: runs trivet call, with its command line; the answer has to contain EXPECTED.
show() {
  echo
  echo "# $1"
  expected=$2
  shift 2
  printf '$ build/release/bin/trivet call'
  for argument in "$@"; do
    case $argument in
      *[!A-Za-z0-9/._:@=-]*) printf " '%s'" "$argument" ;;
      *) printf ' %s' "$argument" ;;
    esac
  done
  echo
  answer=$("$trivet" call "$@" 2>&1) || { printf '%s\n' "$answer" >&2; fail "trivet call failed"; }
  printf '%s\n' "$answer"
  case $answer in
    *"$expected"*) ;;
    *) fail "this is not the answer that was expected" ;;
  esac
}
address=tcp:127.0.0.1:$port
show "a RESPONDER answers" "ello" "$address" /hello
show "an AUTHORIZER denies without the key" "Status: 40" "$address" /secret --role authorizer -i
show "and allows with it: Variable-REMOTE_USER is what the web server passes on" "Variable-REMOTE_USER: ada" \
  "$address" /secret --role authorizer -i -p 'HTTP_X_API_KEY=open sesame'
show "a FILTER changes what it is sent as FCGI_DATA" "THREE ROLES THERE ARE" \
  "$address" /shout --role filter --data @conf/demo/site/rhyme.txt
echo

if [ "$once" = yes ]; then
  stop || fail "the host ended with exit code $code; its log: $hostlog"
  echo "the host has stopped"
  exit 0
fi
echo "serving until Ctrl-C; conf/README.md says how to put a web server in front"
wait "$host"
code=$?
host=
tail -n 20 "$hostlog" >&2
fail "the host ended by itself with exit code $code; its log: $hostlog"
