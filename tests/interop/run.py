#!/usr/bin/python3
"""Runs every test below tests/interop: a real host behind real web servers, and behind a client that can misbehave.

    /usr/bin/python3 tests/interop/run.py [--build build/asan] [--only nginx] [--jobs 2] [--no-skip] [--list]
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import runner  # noqa: E402  pylint: disable=wrong-import-position

if __name__ == "__main__":
    sys.exit(runner.main(sorted(HERE.glob("*/*.py"))))
