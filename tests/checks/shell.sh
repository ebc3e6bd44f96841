#!/bin/sh
# Every shell script parses; where shellcheck is installed, it warns of nothing either.
set -eu
cd "$(dirname "$0")/../.."
scripts=$( (/usr/bin/python3 tests/checks/files.py .sh; grep -lE '^#!/bin/(ba)?sh' .ci/* conf/* conf/package/* 2>/dev/null || true) | sort -u)
[ -n "$scripts" ] || { echo "no scripts found"; exit 1; }
failed=0
for script in $scripts; do
  case $(head -n 1 "$script") in
    *bash*) bash -n "$script" || failed=1 ;;
    *) sh -n "$script" || failed=1 ;;
  esac
done
if command -v shellcheck >/dev/null; then
  # shellcheck disable=SC2086 # a list of files
  shellcheck -x -S warning $scripts || failed=1
fi
exit "$failed"
