#!/usr/bin/python3
"""Checks spec_lines.txt: every line of the FastCGI checklist that a floor decides has a test that carries its number."""

import collections
import pathlib
import re
import sys
import tempfile

import files

LINES = pathlib.Path(__file__).with_name("spec_lines.txt")
LAST = 98
FLOORS = ("protocol", "cgi", "roles", "host", "io", "plugin", "cli", "interop", "later")
LINE = re.compile(r"(\d+)\s+([a-z]+)(\s+pending)?\s+(\S.*)")
Line = collections.namedtuple("Line", "number floor pending what")

NUMBER = re.compile(r"(?<![A-Za-z0-9])C(\d{1,2})(?![A-Za-z0-9])")
# Comments and strings of C++ in one pattern, so that neither is taken for a part of the other. Raw strings first.
CPP_TOKEN = re.compile(
    r'(?P<raw>R"(?P<mark>[^ ()\\\n]*)\(.*?\)(?P=mark)")'
    r'|(?P<comment>//[^\n]*|/\*.*?\*/)'
    r'|"(?P<string>(?:[^"\\\n]|\\.)*)"'
    r"|(?P<char>(?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+')",
    re.DOTALL,
)
CPP_TEST = re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")
PYTHON_TEST = re.compile(r"""^\s*(?:@\w+\.test\(\s*f?["'](.*?)["']|def (test_\w+)\()""", re.MULTILINE)
SHELL_TEST = re.compile(r"^\s*(test_\w+)\s*\(\)", re.MULTILINE)


def read_lines(path=LINES):
    lines, problems = [], []
    for at, text in enumerate(path.read_text().splitlines(), 1):
        if not text.strip() or text.startswith("#"):
            continue
        match = LINE.fullmatch(text.strip())
        line = match and Line(int(match[1]), match[2], bool(match[3]), match[4])
        if not line or line.floor not in FLOORS or not 1 <= line.number <= LAST:
            problems.append(f"{path.name}:{at}: not understood: {text}")
        elif any((line.number, line.floor) == (other.number, other.floor) for other in lines):
            problems.append(f"{path.name}:{at}: said twice: {line.number} {line.floor}")
        else:
            lines.append(line)
    missing = sorted(set(range(1, LAST + 1)) - {line.number for line in lines})
    if missing and not problems:
        problems.append(f"{path.name}: no line for {', '.join(map(str, missing))}")
    return lines, problems


def cpp_names(text):
    """The names of tests, and of cases in tables: strings that are one word. Comments and other strings do not count."""
    names = []

    def keep(match):
        if match["string"] is not None and re.fullmatch(r"\w+", match["string"]):
            names.append(match["string"])
        return " " if match["comment"] else '""'

    code = CPP_TOKEN.sub(keep, text)
    for match in CPP_TEST.finditer(code):
        names += match.groups()
    return names


def test_names(name, text):
    if name.suffix in (".cpp", ".hpp"):
        return cpp_names(text)
    if name.suffix == ".py":
        return [match[1] or match[2] for match in PYTHON_TEST.finditer(text)]
    if name.suffix == ".sh":
        return SHELL_TEST.findall(text)
    return []


def proofs(root):
    """number -> the files of tests/ with a test that carries it"""
    found = collections.defaultdict(set)
    for name in files.project_files(root):
        if name.parts[0] != "tests" or name.parts[1] in ("checks", "support"):
            continue
        for test in test_names(name, (root / name).read_text(errors="replace")):
            for number in NUMBER.findall(test):
                found[int(number)].add(name)
    return found


def proves(floor, name):
    """The decoder alone shows what it decides itself, and nothing that the floors above make of it."""
    return (name.parts[1:3] == ("unit", "protocol")) == (floor == "protocol")


def check(root, lines):
    """Errors, and the pending lines that have no test yet."""
    found = proofs(root)
    errors, pending = [], []
    for line in lines:
        if line.floor == "later" or any(proves(line.floor, name) for name in found[line.number]):
            continue
        where = "tests/unit/protocol" if line.floor == "protocol" else "tests"
        text = f"C{line.number} ({line.floor}): no test in {where} carries it: {line.what}"
        (pending if line.pending else errors).append(text)
    for number in sorted(set(found) - {line.number for line in lines}):
        names = ", ".join(map(str, sorted(found[number])))
        errors.append(f"C{number}: there is no such line, but a test that carries it: {names}")
    return errors, pending


def self_test():
    """What must be found in a tree made for it: a check that is content with everything would pass for ever."""
    tree = {
        "tests/unit/protocol/a_test.cpp": (
            'TEST(Name, C1_Works) {}\nTEST_P(Wide,\n       Splits_C2_AndC3_) {}\n// TEST(Gone, C4_InAComment)\n'
            '/* "C4_InAComment" */ {"C5_Case", 1}, "a sentence of C6", \'"\', "C7_AfterAQuote", R"(C8_Raw)", "//", "C9_Case"\n'
            'int not_a_test_C10 = 1\'000; TEST(C11_Suite, ABC12_X) {}\n'
        ),
        "tests/unit/host/b_test.cpp": 'TEST(Host, C13_Works) {}\n',
        "tests/interop/c.py": '# C14\n@suite.test("sends C15 and C16, not C17x")\ndef test_C18_it():\n    """C19"""\n',
        "tests/checks/d.py": 'def test_C20_():\n',
        "runtime/e_test.cpp": "TEST(Not, C21_InTests) {}\n",
    }
    protocol = {1, 2, 5, 7, 9, 11}
    others = {13, 15, 16, 18}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        for floor, expected in (("protocol", protocol), ("host", others), ("later", set(range(1, LAST + 1)))):
            for is_pending in (False, True):
                lines = [Line(number, floor, is_pending, "") for number in range(1, LAST + 1)]
                errors, pending = check(root, lines)
                missing, silent = (pending, errors) if is_pending else (errors, pending)
                proven = set(range(1, LAST + 1)) - {int(text.split()[0][1:]) for text in missing}
                assert proven == expected, (floor, sorted(proven), sorted(expected))
                assert not silent, silent
        errors, _ = check(root, [Line(1, "protocol", False, "")])
        assert any(text.startswith("C2: there is no such line") for text in errors), errors

        table = root / "lines.txt"
        everything = "".join(f"{number} host pending words\n" for number in range(1, LAST + 1))
        table.write_text("# comment\n\n" + everything + "7 cgi more words\n")
        lines, problems = read_lines(table)
        assert not problems and len(lines) == LAST + 1, problems
        assert lines[-1] == Line(7, "cgi", False, "more words"), lines[-1]
        for bad in ("7 host again", "99 host words", "0 host words", "5 attic words", "five host words", "5 cgi"):
            table.write_text(everything + bad + "\n")
            assert len(read_lines(table)[1]) == 1, bad
        table.write_text(everything.replace("42 host", "41 cgi"))
        assert read_lines(table)[1] == ["lines.txt: no line for 42"], read_lines(table)[1]


def main():
    self_test()
    lines, problems = read_lines()
    if problems:
        print("\n".join(problems))
        return 1
    errors, pending = check(files.ROOT, lines)
    if pending:
        print("pending, no test yet:")
    for text in pending:
        print(" ", text)
    for text in errors:
        print(text)
    counts = collections.Counter("later" if line.floor == "later" else "pending" if line.pending else "decided" for line in lines)
    print(f"{counts['decided']} decided, {counts['pending']} pending ({len(pending)} without a test), {counts['later']} later")
    print(f"{len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
