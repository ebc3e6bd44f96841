#!/bin/sh
# The Debian package under a systemd that is process 1: what a service manager really does with the shipped units.
#
#   sh tests/faults/systemd.sh [BUILD]     build/release; all of it has to be built, with its plugins
#
# For root, beside CI: systemd gets namespaces of its own (mounts, processes, network, control groups) and sees this
# machine's files below an overlay in memory. What it and the package change is gone when this ends. Needs a cgroup2
# hierarchy that can be written to, and overlayfs; says so, and ends with 77, where there is none.
set -u
script=$(realpath "$0")

# --- inside: becomes process 1 ---
if [ "${1-}" = boot ]; then
  set -e
  root=$2/root
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$2"
  mkdir "$2/upper" "$2/work" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$2/upper,workdir=$2/work" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  for each in run dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$each"; done
  mount -t tmpfs tmpfs "$root/tmp"
  for each in null zero full random urandom tty; do
    touch "$root/dev/$each"
    mount --bind "/dev/$each" "$root/dev/$each"
  done
  mkdir "$root/dev/pts" "$root/dev/shm" "$root/before"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  for each in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${each%:*}" "$root/dev/${each#*:}"; done
  hostname trivet-test
  : >"$root/etc/machine-id"
  rm -f "$root/usr/sbin/policy-rc.d" # An image for containers may forbid to start anything.
  cp "$2/../debs"/trivet_*.deb "$root/trivet.deb"
  cd "$root"
  pivot_root . before
  umount -l /before
  exec env -i container=trivet-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=basic.target --show-status=no </dev/null
fi

# --- outside ---
cd "$(dirname "$script")/../.." || exit 1
build=${1:-build/release}
missing() { echo "SKIP systemd: $1"; exit 77; }
[ "$(id -u)" = 0 ] || missing "only root can start it"
[ -x /lib/systemd/systemd ] || missing "systemd is not installed"
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || missing "the kernel has no overlayfs"
hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$hierarchy" ] || missing "no cgroup2 hierarchy is mounted"

folder=$(mktemp -d /tmp/trivet-systemd-XXXXXX)
group=$hierarchy/${folder##*/}
first=
end() {
  [ -z "$first" ] || kill -KILL "$first"
  while [ -n "$first" ] && kill -0 "$first" 2>/dev/null; do sleep 0.1; done
  # Its last processes take a moment to go.
  left=50
  while [ -d "$group" ] && [ "$left" -gt 0 ]; do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
    left=$((left - 1))
    [ ! -d "$group" ] || sleep 0.1
  done
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' INT TERM
mkdir "$group" 2>/dev/null || missing "no group can be made in $hierarchy"
mkdir "$folder/debs" "$folder/mounted"

failed=0
passed=0
# check WHAT COMMAND...: whether it succeeds.
check() {
  what=$1
  shift
  if "$@" >"$folder/said" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $what"
  else
    failed=$((failed + 1))
    echo "FAIL $what: $*"
    tail -n 20 "$folder/said"
    inside journalctl --no-pager --unit trivet --lines 20 2>&1
  fi
}
# until SECONDS COMMAND...
until_true() {
  left=$(($1 * 5))
  shift
  while ! "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { "$@"; return 1; }
    sleep 0.2
  done
}
inside() { nsenter -t "$first" -m -p -n -u -i -C "$@"; }
write() { inside sh -c "cat >$1"; }
property() { inside systemctl show trivet.service --property "$1" --value; }
is() { [ "$(property "$1")" = "$2" ] || { echo "$1 is $(property "$1")"; return 1; }; }
hello() { inside trivet call -f "unix:/run/trivet/${1:-trivet.sock}" /hello; }
another_main() { main=$(property MainPID) && [ "$main" != 0 ] && [ "$main" != "$1" ] && is ActiveState active; }
none_of() { for each in "$@"; do ! inside kill -0 "$each" 2>/dev/null || return 1; done; }

(cd "$folder/debs" && cpack -G DEB --config "$OLDPWD/$build/CPackConfig.cmake" -B "$folder/debs" >"$folder/said" 2>&1) ||
  { tail "$folder/said"; exit 1; }
sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare --mount --pid --fork --uts --ipc --cgroup --net sh "$2" boot "$3"' \
  - "$group" "$script" "$folder/mounted" >"$folder/boot" 2>&1 &
booting=$!
is_up() {
  first=$(tr -d " " 2>/dev/null <"/proc/$booting/task/$booting/children")
  [ -n "$first" ] && inside systemctl is-system-running | grep -qE 'running|degraded'
}
if ! until_true 60 is_up; then
  cat "$folder/boot"
  echo "FAIL systemd does not start in namespaces of its own"
  exit 1
fi
inside ip link set lo up

# --- the package ---
check "the package installs, starts its service, and enables it" inside dpkg --install /trivet.deb
check "the service is active" until_true 30 is ActiveState active
check "the service is enabled" inside systemctl is-enabled trivet.service
[ "$failed" -eq 0 ] || { echo "the rest makes no sense"; exit 1; }
check "it answers" hello
check "it says what it does" sh -c "echo '$(property StatusText)' | grep -q '^serving with'"
check "the unit is closed, seen from the manager" sh -c "echo '$(inside systemd-analyze --no-pager security trivet.service |
  sed -n 's/.*Overall exposure level for trivet.service: \([0-9.]*\).*/\1/p')' | awk '{ exit !(\$1 > 0 && \$1 <= 1.5) }'"

# --- reload ---
main=$(property MainPID)
check "systemctl reload comes back when the new configuration serves" inside systemctl reload trivet.service
check "the process is the same" is MainPID "$main"
check "a new generation serves" sh -c "echo '$(property StatusText)' | grep -q 'generation 2'"
echo '[plugin.nowhere]' | write /etc/trivet/conf.d/broken.toml
check "systemctl reload with a broken configuration fails" sh -c "! nsenter -t $first -a systemctl reload trivet.service"
check "what served before serves on" hello
check "the service is still active" is ActiveState active
check "the journal says what is wrong" until_true 10 sh -c "nsenter -t $first -a journalctl --unit trivet | grep -q nowhere"

# --- ends ---
inside rm /etc/trivet/conf.d/broken.toml
check "a binary upgrade keeps the process, and the manager notices nothing" inside trivet upgrade
check "the process is the same after the upgrade" is MainPID "$main"
check "the service is active after the upgrade" is ActiveState active
check "it answers after the upgrade" hello
# shellcheck disable=SC2046 # words
set -- $(inside pgrep -P "$main")
inside kill -KILL "$main"
check "a supervisor that is killed is started again" until_true 30 another_main "$main"
check "its workers have ended" until_true 30 none_of "$@"
check "it answers again" until_true 10 hello
inside mkdir -p /etc/systemd/system/trivet.service.d
printf '[Service]\nWatchdogSec=3s\n' | write /etc/systemd/system/trivet.service.d/watchdog.conf
inside systemctl daemon-reload
inside systemctl restart trivet.service
main=$(property MainPID)
sleep 8
check "the watchdog is fed" is MainPID "$main"
inside kill -STOP "$main"
check "a supervisor that stands still is aborted by the watchdog, and started again" until_true 60 another_main "$main"
check "the manager says why" is NRestarts 1
check "it answers after that" until_true 10 hello
check "systemctl stop ends it in order" inside systemctl stop trivet.service
check "the result is success" is Result success
check "nothing is left of it" sh -c "! nsenter -t $first -a pgrep -x trivet"

# --- a configuration that is wrong from the start ---
echo '[plugin.nowhere]' | write /etc/trivet/conf.d/broken.toml
check "systemctl start with a broken configuration fails" sh -c "! nsenter -t $first -a systemctl start trivet.service"
check "the exit code is that of a configuration" is ExecMainStatus 78
sleep 2
check "it is not tried again" is ActiveState failed
inside rm /etc/trivet/conf.d/broken.toml
inside systemctl reset-failed trivet.service

# --- socket activation ---
printf '[[listen]]\naddress = "systemd:web"\n' | write /etc/trivet/conf.d/socket.toml
check "trivet.socket starts" inside systemctl start trivet.socket
check "the socket has the web server's group and mode" sh -c \
  "[ \"\$(nsenter -t $first -a stat -c '%U %G %a' /run/trivet/web.sock)\" = 'root www-data 660' ]"
check "nothing runs before the first connection" is MainPID 0
check "the first connection starts the service, and is answered" hello web.sock
check "the service is active, by its socket" is ActiveState active
touch "$folder/lost"
while [ ! -e "$folder/enough" ]; do hello web.sock >/dev/null 2>>"$folder/lost"; done &
visitor=$!
for each in 1 2 3; do inside systemctl restart trivet.service || echo "restart $each failed"; done
touch "$folder/enough"
wait "$visitor"
# One that has connected and not said anything yet may be closed by a host that stops.
[ ! -s "$folder/lost" ] || sed 's/^/     /' "$folder/lost"
check "no client of the socket is refused while the service is restarted three times" \
  sh -c "! grep -v 'closed before the request ended' '$folder/lost'"
check "it reloads with a socket that it was given" inside systemctl reload trivet.service
check "it answers on it" hello web.sock

# --- the end of the package ---
check "the package is removed, and its service stopped" inside dpkg --remove trivet
check "nothing runs afterwards" sh -c "! nsenter -t $first -a pgrep -x trivet"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
