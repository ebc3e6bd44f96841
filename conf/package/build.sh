#!/bin/sh
# Builds Trivet as it is packaged: twice, with a load of some seconds between. By what that has run, the second build inlines
# across files and puts what has not run out of the way. Takes about twice as long as the preset `release`.
#
#   sh conf/package/build.sh [FOLDER]     build/package if none is given; then: cd FOLDER && cpack -G DEB
#
# What cmake is to be told beside that stands in TRIVET_CMAKE, without spaces in a value: TRIVET_CMAKE='-DTRIVET_TESTS=ON'
set -eu
fail() {
  echo "build: $*" >&2
  exit 1
}

root=$(cd "$(dirname "$0")/../.." && pwd)
case $#,${1:-} in
  1,-h | 1,--help) sed -n '2,7s/^# \{0,1\}//p' "$root/conf/package/build.sh"; exit 0 ;;
  0, | 1,[!-]*) ;;
  *) echo "usage: sh conf/package/build.sh [FOLDER]" >&2; exit 64 ;;
esac
build=${1:-$root/build/package}
mkdir -p "$build" || fail "cannot make $build"
build=$(cd "$build" && pwd)
case $root$build in
  *[!A-Za-z0-9/._+@~,=-]*) fail "$root or $build has a character in its name that this script cannot handle" ;;
esac
cd "$root"

# shellcheck source=conf/packages.sh
. conf/packages.sh
# shellcheck source=conf/ready.sh
. conf/ready.sh
trivet_install build || exit 1

# made PROFILE TARGET...
made() {
  profile=$1
  shift
  # shellcheck disable=SC2086 # several words
  cmake --preset release -B "$build" $fresh -DCMAKE_INSTALL_PREFIX=/usr -DTRIVET_TESTS=OFF ${TRIVET_CMAKE:-} \
    -DTRIVET_PROFILE="$profile" >"$build/cmake.log" 2>&1 || { cat "$build/cmake.log" >&2; fail "cmake has failed"; }
  cmake --build "$build" --target "$@"
}

find "$build" -name '*.gcda' -exec rm -f {} +
fresh=--fresh # Nothing that another build was told.
made collect trivet plugins/all

folder=$(mktemp -d) # A socket's path is short.
host=
end() {
  ending=$host
  host=
  [ -z "$ending" ] || kill "$ending" 2>/dev/null || true
  [ -z "$ending" ] || wait "$ending"
}
trap 'end || true; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP
trivet=$build/bin/trivet
mkdir "$folder/files"
rm -rf "$build/train"
mkdir -m 700 "$build/train" # The copies of plugins: a temporary folder may allow no programs.
head -c 30000 /dev/urandom | base64 >"$folder/files/some.txt"
sed -e "s|@FOLDER@|$folder|g" -e "s|@BUILD@|$build|g" conf/package/train.toml >"$folder/plain.toml"
{ cat "$folder/plain.toml"; printf '\n[log]\naccess = "file:%s/access"\n' "$folder"; } >"$folder/logged.toml"

# asked REQUESTS URI ARGUMENT...: what the client itself runs is not written down beside what the host does.
asked() {
  requests=$1
  shift
  GCOV_PREFIX=$folder/client "$trivet" bench "unix:$folder/train.sock" "$@" -n "$requests" >"$folder/report" ||
    { cat "$folder/report" >&2; fail "not answered: $*"; }
}
for config in plain logged; do
  rm -f "$folder/log"
  "$trivet" serve -c "$folder/$config.toml" --processes 0 2>"$folder/log" &
  host=$!
  trivet_ready "$host" "$folder/log" 30 || fail "the host does not start"
  asked 20000 /hello
  asked 40000 /hello/there -c 64
  asked 40000 /hello --mux 100
  asked 5000 "/api/v1/users/17/deep?full=yes" --new-conn
  asked 5000 /worker -c 16
  asked 10000 /secret -p TRIVET_ROUTE=secret -p HTTP_X_API_KEY='open sesame' --role authorizer
  asked 5000 /secret -p HTTP_X_API_KEY='open sesame'
  asked 2000 /secret -p HTTP_X_API_KEY=none --expect-status 403
  asked 200 /posted --body 1MiB
  asked 2000 /posted --body 2KiB
  asked 200 /shout --role filter --data 1MiB
  asked 500 /shout --body 20KiB
  asked 3000 /files/some.txt
  asked 1000 /files/none.txt --expect-status 404
  end || { cat "$folder/log" >&2; fail "the host did not end well"; }
done
[ -n "$(find "$build" -name 'connection.cpp.gcda' -print -quit)" ] || fail "the host has written no profile"

fresh=
CCACHE_DISABLE=1 # The profile is not among the arguments that it compares.
export CCACHE_DISABLE
made use all
echo "built: $build"
