# Shared by the scripts that start a host and ask it something. To be sourced by a POSIX shell.
# shellcheck shell=sh

# trivet_ready PID LOG SECONDS: waits until a host has said that it is ready in LOG, its standard error, which holds nothing of
# an earlier one. Fails, and shows the end of LOG, where the host has ended or takes longer.
trivet_ready() {
  tries=$(($3 * 10))
  until grep -qs " ready " "$2"; do
    if [ "$tries" -le 0 ] || ! kill -0 "$1" 2>/dev/null; then
      tail -n 20 "$2" >&2
      return 1
    fi
    tries=$((tries - 1))
    sleep 0.1
  done
}
