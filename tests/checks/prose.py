#!/usr/bin/python3
"""Checks what is written for people: links lead somewhere, named scripts exist, no path of somebody's own machine.

(The plugins in README.md are built and run by readme_plugins.py.)
"""

import pathlib
import re
import sys

import files

LINK = re.compile(r"(?<!!)\[[^\]^]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
SCRIPT = re.compile(r"\b(?:sh|bash|/usr/bin/python3|python3) ((?:conf|tests|plugins|sdk|runtime)/[\w./-]+)")
# Folders that exist on a developer's machine only.
OWN_PATH = re.compile(r"(?<![\w.~)}-])/(?:work|root|home/[a-z]\w*|Users/\w+)/")
TOP_FOLDERS = ("runtime", "plugins", "sdk", "conf", "tests")


def anchor(heading):
    """The anchor that a heading gets on the pages that show Markdown."""
    text = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_links(root, name, text):
    prose = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in LINK.finditer(prose):
        target, _, fragment = match[1].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (root / name.parent / target) if target else root / name
        where = f"{name}:{line_of(prose, match.start())}"
        if not path.exists():
            yield f"{where}: no such file: {match[1]}"
        elif fragment and path.suffix == ".md":
            anchors = {anchor(found) for found in HEADING.findall(FENCE.sub("", path.read_text()))}
            if fragment not in anchors:
                yield f"{where}: no such heading: {match[1]}"


def check_scripts(root, name, text):
    for match in SCRIPT.finditer(text):
        path = match[1].rstrip(".")
        if not (root / path).exists():
            yield f"{name}:{line_of(text, match.start())}: no such file: {path}"


def check_paths(name, text):
    for match in OWN_PATH.finditer(text):
        yield f"{name}:{line_of(text, match.start())}: a path of one machine: {text[match.start():match.end() + 20]!r}"


def check(root, names):
    for name in names:
        data = (root / name).read_bytes()
        if b"\0" in data:
            continue
        text = data.decode(errors="replace")
        yield from check_paths(name, text)
        if name.suffix == ".md":
            yield from check_links(root, name, text)
            yield from check_scripts(root, name, text)
    for folder in TOP_FOLDERS:
        if not (root / folder / "README.md").is_file():
            yield f"{folder}/README.md: missing: each top folder says how to work in it"


def self_test():
    """The patterns find what they are for, and only that."""
    own = "/" + "home/me/x"
    assert list(check_paths(pathlib.Path("a"), f'see "{own}"'))
    assert not list(check_paths(pathlib.Path("a"), "the route /images/work/, ~/work/x, $HOME/work/"))
    assert anchor("What is `not` served yet?") == "what-is-not-served-yet"
    assert SCRIPT.search("run `sh conf/quickstart.sh`")[1] == "conf/quickstart.sh"
    assert LINK.search("a [b](c/d.md#e)")[1] == "c/d.md#e"


def main():
    self_test()
    errors = list(check(files.ROOT, files.project_files()))
    for line in errors:
        print(line)
    print(f"{len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
