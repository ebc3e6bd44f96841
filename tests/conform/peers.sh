#!/bin/sh
# Runs `trivet conform` against Trivet, an application on libfcgi and PHP-FPM, four processes or threads each, and prints
# the totals of README.md. Takes some minutes. Needs a release build (cmake --preset release) and the packages libfcgi-dev
# and php-fpm, which are not installed by the other scripts.
#
#   sh tests/conform/peers.sh
set -eu
cd "$(dirname "$0")/../.."
trivet=$PWD/build/release/bin/trivet
[ -x "$trivet" ] || { echo "no $trivet: build the preset release first" >&2; exit 1; }
php=$(command -v php-fpm8.2) || { echo "no php-fpm8.2: apt-get install php-fpm" >&2; exit 1; }

work=$(mktemp -d)
pids=
finish() {
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT INT TERM

wait_for() {
  for _ in $(seq 50); do [ -S "$1" ] && return; sleep 0.1; done
  echo "nobody listens on $1" >&2
  exit 1
}
totals() {
  echo
  echo "$1"
  shift
  "$trivet" conform "$@" | sed -n '/^$/,$p' | sed '/^$/d' || true
}

cat >"$work/trivet.toml" <<CONFIG
[server]
plugin_path = ["$PWD/build/release/plugins"]
plugin_cache = "$work/cache"
[limits]
spool_dir = "$work/spool"
[[listen]]
address = "unix:$work/trivet.sock"
[plugin.echo]
[plugin.upper]
[plugin.key]
file = "keygate.so"
config = { key = "open sesame" }
[[route]]
path = "/echo/**"
respond = "echo"
[[route]]
path = "/private/**"
authorize = ["key"]
[[route]]
path = "/upper/**"
filter = ["upper"]
CONFIG
"$trivet" serve -c "$work/trivet.toml" >"$work/trivet.log" 2>&1 &
pids=$!
wait_for "$work/trivet.sock"
totals "Trivet" "unix:$work/trivet.sock" --responder /echo/x --authorizer /private/x --grant 'HTTP_X_API_KEY=open sesame' \
  --filter /upper/x --idle-timeout 5s

cc -O2 -o "$work/peer" tests/conform/libfcgi_peer.c -lfcgi
cat >"$work/spawn.py" <<'SPAWN'
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1024)
os.dup2(listener.fileno(), 0)
os.execv(sys.argv[2], sys.argv[2:])
SPAWN
/usr/bin/python3 "$work/spawn.py" "$work/libfcgi.sock" "$work/peer" >"$work/libfcgi.log" 2>&1 &
pids="$pids $!"
wait_for "$work/libfcgi.sock"
# shellcheck disable=SC2016 # dpkg-query's own syntax
totals "libfcgi $(dpkg-query -W -f '${Version}' libfcgi-dev)" "unix:$work/libfcgi.sock" --responder /echo/x \
  --authorizer /private/x --grant 'HTTP_X_API_KEY=open sesame' --filter /upper/x --idle-timeout 5s

cat >"$work/index.php" <<'PHP'
<?php
header('Content-Type: text/plain');
header_remove('X-Powered-By');
ksort($_SERVER);
foreach ($_SERVER as $name => $value) {
  if (is_string($value) && !str_starts_with($name, 'REQUEST_TIME')) echo "$name=$value\n";
}
echo "\n", file_get_contents('php://input');
PHP
cat >"$work/fpm.conf" <<CONFIG
[global]
error_log = $work/fpm.log
daemonize = no
[www]
user = $(id -un)
group = $(id -gn)
listen = $work/fpm.sock
pm = static
pm.max_children = 4
CONFIG
"$php" -R -y "$work/fpm.conf" >"$work/fpm.out" 2>&1 &
pids="$pids $!"
wait_for "$work/fpm.sock"
totals "PHP-FPM $("$php" -v | sed -n '1s/PHP \([^ ]*\).*/\1/p')" "unix:$work/fpm.sock" -p "SCRIPT_FILENAME=$work/index.php" \
  --idle-timeout 5s
