#!/bin/sh
# Every C and C++ file looks as clang-format-19 with .clang-format would write it. `format.sh --fix` rewrites them.
set -eu
cd "$(dirname "$0")/../.."
sources=$(/usr/bin/python3 tests/checks/files.py .c .h .cpp .hpp)
if [ "${1:-}" = --fix ]; then
  printf '%s\n' "$sources" | xargs clang-format-19 -i
  exit
fi
# One process a file keeps the lines of the output whole.
wrong=$(printf '%s\n' "$sources" | xargs -n 1 -P "$(nproc)" clang-format-19 --dry-run -Werror --ferror-limit=1 2>&1 |
  grep 'error:' || true)
[ -n "$wrong" ] || exit 0
printf '%s\n' "$wrong" | sort
echo "mend with: sh tests/checks/format.sh --fix"
exit 1
