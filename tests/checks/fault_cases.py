#!/usr/bin/python3
"""Checks the table of tests/faults/README.md: every system fault has a line, and every test that a line names exists."""

import pathlib
import re
import sys
import tempfile

import files
import spec_lines

TABLE = pathlib.Path("tests/faults/README.md")
FAULTS = [f"S{number:02}" for number in range(1, 38) if number != 29]  # There is no S29.
PYTHON_TEST = re.compile(r'^@\w+\.test\("((?:[^"\\]|\\.)*)"', re.MULTILINE)
LINE = re.compile(r"\| (S\d\d) \| [^|]+ \| (?:`([^`]+)`: (.+)|(pending)) \|")


def read_table(text):
    """(fault, file or None, test or None) for each line, and what is not understood."""
    lines, problems = [], []
    for at, line in enumerate(text.splitlines(), 1):
        if not line.startswith("| S"):
            continue
        if match := LINE.fullmatch(line):
            lines.append((match[1], match[2], match[3]))
        else:
            problems.append(f"{TABLE}:{at}: not understood: {line}")
    return lines, problems


def test_names(path):
    if not path.is_file():
        return set()
    text = path.read_text()
    return set(PYTHON_TEST.findall(text) if path.suffix == ".py" else spec_lines.test_names(path, text))


def check(root, text):
    lines, errors = read_table(text)
    names = {}
    for fault, file, test in lines:
        if fault not in FAULTS:
            errors.append(f"{fault}: there is no such fault")
        if file is None:
            continue
        path = (root / TABLE.parent / file).resolve()
        if path not in names:
            names[path] = test_names(path)
        if test not in names[path]:
            errors.append(f"{fault}: {file} has no test named {test!r}")
    for fault in sorted(set(FAULTS) - {line[0] for line in lines}):
        errors.append(f"{fault}: the table has no line for it")
    return errors, sorted({fault for fault, file, _ in lines if file is None})


def self_test():
    whole = "".join(f"| {fault} | it | `a.py`: it works: twice |\n" for fault in FAULTS)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / TABLE.parent).mkdir(parents=True)
        (root / TABLE.parent / "a.py").write_text('@suite.test("it works: twice", timeout=9)\ndef _(t):\n')
        (root / TABLE.parent / "b.cpp").write_text('TEST(Suite, Works) {}\n{"InATable", 1}\n')
        good = whole + "| S01 | x | `b.cpp`: Works |\n| S01 | x | `b.cpp`: InATable |\n"
        assert check(root, good) == ([], []), check(root, good)
        assert check(root, whole.replace("twice", "once", 1))[0] == ["S01: a.py has no test named 'it works: once'"]
        assert check(root, whole.replace("a.py", "c.py", 1))[0] == ["S01: c.py has no test named 'it works: twice'"]
        assert check(root, whole.replace("| S02", "| S29"))[0] == ["S29: there is no such fault", "S02: the table has no line for it"]
        assert check(root, whole + "| S01 | no test |\n")[0]
        assert check(root, whole.replace("`a.py`: it works: twice", "pending", 1)) == ([], ["S01"])


def main():
    self_test()
    errors, pending = check(files.ROOT, (files.ROOT / TABLE).read_text())
    for each in errors:
        print(each)
    print(f"{len(FAULTS) - len(pending)} faults have their tests, pending: {', '.join(pending) or 'none'}")
    print(f"{len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
