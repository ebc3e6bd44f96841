#!/bin/sh
# Breaks a rule on purpose and wants a unit test to turn red: a rule whose breaking nobody notices is not tested.
#
#   sh tests/checks/mutants.sh              every patch in tests/checks/mutants/
#   sh tests/checks/mutants.sh --only NAME  one of them (NAME.patch), or several: --only 'NAME NAME'
#   sh tests/checks/mutants.sh --list       their names and rules
#
# Prints `caught NAME by TEST`, or `SURVIVED NAME` and fails. A patch begins with these lines, then comes the diff:
#   # floor: protocol        its test program (protocol_test) is built and run
#   # test: REGEX            some test with a name like this has to fail (case does not matter)
#   # rule: one sentence     what is broken
# What no unit test sees, because it takes a supervisor and its workers, has a floor `faults` and a line more:
#   # case: SUBSTRING        of the case of tests/faults that is run; `test` is looked for in what it says
# A patch that does not apply fails too: it has to follow the code. The work is done on a copy below build/mutants/.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
only=
case ${1:-} in
  '') ;;
  --only) only=${2:?--only needs the name of a mutant} ;;
  --list)
    for patch in tests/checks/mutants/*.patch; do
      printf '%-36s %s\n' "$(basename "$patch" .patch)" "$(sed -n 's/^# rule: //p' "$patch")"
    done
    exit 0
    ;;
  *) echo "usage: sh tests/checks/mutants.sh [--list | --only NAME]" >&2; exit 64 ;;
esac
# shellcheck source=conf/packages.sh
. conf/packages.sh
trivet_install build test || exit 1

patches=$(ls tests/checks/mutants/*.patch)
if [ -n "$only" ]; then
  patches=
  for each in $only; do patches="$patches tests/checks/mutants/$each.patch"; done
fi
for patch in $patches; do
  [ -f "$patch" ] || { echo "no such mutant: $patch (see --list)" >&2; exit 64; }
done

work=build/mutants
tree=$work/tree
objects=$work/objects
log=$work/log
mkdir -p "$work"
rm -rf "$tree"
mkdir "$tree"
# With new times: a copy that is older than an object built from a mutant would not be built again.
/usr/bin/python3 tests/checks/files.py | xargs -d '\n' cp --parents -t "$tree"
CCACHE_BASEDIR=$root
export CCACHE_BASEDIR
# Not optimised: most of the time is spent compiling. No warnings: a mutant may leave something unused.
cmake -S "$tree" -B "$objects" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="-O0 -w" -DTRIVET_TESTS=ON >"$log" 2>&1 ||
  { tail -n 20 "$log"; exit 1; }

field() { sed -n "s/^# $1: *//p" "$2" | head -n 1; }
# The plugins are those of the hosts in tests/support/reloading.py.
build() {
  targets=$1
  [ "$1" != faults ] || targets="trivet keep_busy trivet_plugin_slow trivet_plugin_holder_1 trivet_plugin_holder_2"
  # shellcheck disable=SC2086 # words
  cmake --build "$objects" --target $targets >"$log" 2>&1
}
# The copy lies inside a repository that ignores it: without a ceiling git would look there and apply nothing.
apply() {
  option=$1
  shift
  (cd "$tree" && GIT_CEILING_DIRECTORIES=$root/$work git apply --recount -C1 "$option" "$root/$1") >>"$log" 2>&1
}
names() { timeout -k 5 60 "$1" --gtest_list_tests | awk '/^[^ ]/ { suite = $1 } /^ / { print suite $1 }'; }
# Runs a test program, all of it or the tests with a name like that; the failed tests go to $work/red, also the one that
# was running when the program ended.
run() {
  if [ "$1" = faults ]; then
    timeout -k 5 300 /usr/bin/python3 tests/faults/run.py --build "$objects" --no-skip --only "$case" \
      >"$work/output" 2>&1 </dev/null
    code=$?
    sed -n 's/^FAIL //p' "$work/output" | sed 's/ ([0-9.]* s).*//' >"$work/red"
    return "$code"
  fi
  filter='*'
  [ -z "${2-}" ] || filter=$(names "$objects/bin/$1" | grep -i -E -e "$2" | paste -s -d :)
  timeout -k 5 900 "$objects/bin/$1" "--gtest_filter=${filter:-*}" >"$work/output" 2>&1 </dev/null
  code=$?
  sed -n 's/^\[  FAILED  \] \([^ ,]*\).*/\1/p' "$work/output" | grep -F . | sort -u >"$work/red"
  if [ "$code" -ne 0 ] && ! grep -q '^\[==========\].* ran\.' "$work/output"; then
    sed -n 's/^\[ RUN      \] \([^ ]*\).*/\1/p' "$work/output" | tail -n 1 >>"$work/red"
  fi
  return "$code"
}

healthy=
survived=0
for patch in $patches; do
  name=$(basename "$patch" .patch)
  floor=$(field floor "$patch")
  tests=$(field test "$patch")
  if [ -z "$floor" ] || [ -z "$tests" ] || [ -z "$(field rule "$patch")" ]; then
    echo "SURVIVED $name: its first lines must give floor, test and rule"
    survived=$((survived + 1))
    continue
  fi
  case=$(field case "$patch")
  program=${floor}_test
  if [ "$floor" = faults ]; then
    [ -n "$case" ] || { echo "SURVIVED $name: its first lines must give the case"; survived=$((survived + 1)); continue; }
    program=faults
  fi
  # First the tests have to pass as they are, or red would mean nothing.
  case "$healthy" in
    *"|$program$case|"*) ;;
    *)
      if ! build "$program"; then echo "$program does not build:"; tail -n 20 "$log"; exit 1; fi
      if ! run "$program"; then echo "$program fails without any mutant:"; tail -n 20 "$work/output"; exit 1; fi
      healthy="$healthy|$program$case|"
      ;;
  esac
  if ! apply --check "$patch"; then
    echo "SURVIVED $name: the patch does not apply any more; make it follow the code:"
    tail -n 3 "$log"
    survived=$((survived + 1))
    continue
  fi
  apply --whitespace=nowarn "$patch"
  if ! build "$program"; then
    echo "SURVIVED $name: the mutant does not compile, so no test has seen it:"
    grep -m 3 'error:' "$log"
    survived=$((survived + 1))
  elif run "$program" "$tests"; then
    echo "SURVIVED $name: $(field rule "$patch")"
    survived=$((survived + 1))
  elif caught=$(grep -m 1 -i -E -e "$tests" "$work/red"); then
    echo "caught $name by $caught"
  else
    echo "SURVIVED $name: no test like '$tests' failed, only: $(head -n 5 "$work/red" | tr '\n' ' ')"
    survived=$((survived + 1))
  fi
  apply --reverse "$patch"
done
echo "$survived survived"
[ "$survived" -eq 0 ]
