#!/usr/bin/python3
"""Runs every test below tests/faults: a host whose system calls fail, whose disk is full, whose memory is bounded.

    /usr/bin/python3 tests/faults/run.py [--build build/asan] [--only SUBSTRING] [--no-skip] [--list]
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import runner  # noqa: E402  pylint: disable=wrong-import-position

if __name__ == "__main__":
    sys.exit(runner.main(sorted(path for path in HERE.glob("*.py") if path.name != "run.py")))
