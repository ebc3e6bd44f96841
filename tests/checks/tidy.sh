#!/bin/sh
# clang-tidy-19 over what changed since origin/main, or over everything: where there is no such branch, with --all, or
# over the files named. Headers are looked at through the sources that include them. Slow: beside CI, in tests/all.sh.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=conf/packages.sh
. conf/packages.sh
trivet_install build test tidy

files() { /usr/bin/python3 tests/checks/files.py .c .cpp; }
if [ "${1:-}" = --all ]; then
  sources=$(files)
elif [ $# -gt 0 ]; then
  sources=$(printf '%s\n' "$@")
elif base=$(git merge-base HEAD origin/main 2>/dev/null); then
  changed=$( (git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard) | sort -u)
  # A changed header counts for the sources that include it.
  headers=$(printf '%s\n' "$changed" | grep -E '\.(h|hpp)$' || true)
  sources=$(
    printf '%s\n' "$changed" | grep -E '\.(c|cpp)$' || true
    for header in $headers; do
      # shellcheck disable=SC2046 # a list of files
      grep -lF "${header#sdk/include/}" $(files) /dev/null || true
    done
  )
else
  sources=$(files)
fi

# Compile commands without the compiler launcher; generated files have to be there.
[ -f build/release/compile_commands.json ] || cmake --preset release -DTRIVET_TESTS=ON >/dev/null
# Without what only g++ knows.
mkdir -p build/tidy
sed -E 's/ -fno-gnu-unique| -flto=auto| -ffat-lto-objects| -fno-fat-lto-objects| --param=[^ ]*//g' build/release/compile_commands.json >build/tidy/compile_commands.json
known=$(printf '%s\n' "$sources" | sort -u | while read -r source; do
  [ -n "$source" ] || continue
  if grep -qF "/$source\"" build/release/compile_commands.json; then echo "$source"; fi
done)
if [ -z "$known" ]; then
  echo "nothing to look at"
  exit 0
fi
printf '%s\n' "$known" |
  xargs -n 1 -P "$(nproc)" clang-tidy-19 --quiet -p build/tidy --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-deprecated-declarations
