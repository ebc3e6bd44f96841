#!/bin/sh
# Measures Trivet beside a server of nothing but system calls, libfcgi, PHP-FPM and Go, all in one run, round by round, and
# writes a table (Markdown) and a chart (SVG) of the CPU time that each server takes for a request.
#
#     sh tests/bench/compare.sh [--build FOLDER] [--rounds N] [--seconds S] [--processes N] [--long] [--out FOLDER]
#         [--only SCENARIO]...
#
# Needs a release build, and the packages g++ and libfcgi-dev; PHP-FPM (php8.2-fpm) and Go (golang-go) are measured where
# they are installed. The load is `trivet bench`, which looks at every answer, on the processor of the server: both take
# turns there, so that neither waits for the other to wake up.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec /usr/bin/python3 "$here/compare.py" "$@"
