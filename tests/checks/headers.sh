#!/bin/sh
# Every header compiles alone, and so can be included first. The plugin contract does so as strict C11 and as C++20,
# with gcc and with clang.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

strict="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -Isdk/include"
failed=0
for abi in sdk/include/trivet/*.h; do
  for command in "gcc -std=c11 -x c" "clang-19 -std=c11 -x c" "g++ -std=c++20 -x c++" "clang++-19 -std=c++20 -x c++"; do
    printf '#include "%s"\n' "$abi" >"$work/alone.c"
    # shellcheck disable=SC2086 # words
    $command $strict -iquote . "$work/alone.c" || { echo "FAILED: $command $abi"; failed=1; }
  done
done

# Given a folder and a header; on all cores.
cat >"$work/alone.sh" <<'SCRIPT'
header=$2
file=$(mktemp "$1/XXXXXX.cpp")
printf '#include "%s"\n' "$header" >"$file"
g++ -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -iquote . -I. -Isdk/include "$file" 2>&1 ||
  { echo "FAILED: $header is not self-contained"; exit 1; }
SCRIPT
/usr/bin/python3 tests/checks/files.py .hpp | xargs -r -n 1 -P "$(nproc)" sh "$work/alone.sh" "$work" || failed=1
exit "$failed"
