#!/usr/bin/python3
"""The manual pages name every command and option of the program, and nothing that it does not have; mandoc finds no fault.

Uses the program of TRIVET_BUILD (build/release if not set).
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("TRIVET_BUILD", "build/release")
PAGE = ROOT / "conf" / "package" / "trivet.1"


def help_of(*command):
    return subprocess.run([BUILD / "bin" / "trivet", *command, "--help"], check=True, capture_output=True, text=True).stdout


def commands_in(text):
    listed = text.partition("Subcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  ([a-z][a-z-]*)", listed, re.M)


def options_in(text):
    """Each option by its long name, with its short one where it has one."""
    listed = text.partition("Options:\n")[2].partition("\n\n")[0]
    return {long: short for short, long in re.findall(r"^  (?:-(\w),)?--([a-z][a-z-]*)", listed, re.M)}


def sections_of(page):
    """The text under each `.Ss trivet COMMAND`."""
    found = re.split(r"^\.Ss trivet (.+)$", page.partition(".Sh SIGNALS")[0], flags=re.M)
    return {found[at]: found[at + 1] for at in range(1, len(found), 2)}


def tell_differences(page, commands):
    """`commands`: the options of each command."""
    wrong = []
    sections = sections_of(page)
    # One section may tell of several commands: `.Ss trivet stop, drain`.
    by_command = {name: text for title, text in sections.items() for name in re.split(r", ", title)}
    for name in sorted(set(commands) | set(by_command)):
        if name not in by_command:
            wrong.append(f"no `.Ss trivet {name}`")
            continue
        if name not in commands:
            wrong.append(f"`.Ss trivet {name}`: there is no such command")
            continue
        if not re.search(rf"^\.Cm {name}\b", page.partition(".Sh DESCRIPTION")[0], re.M):
            wrong.append(f"the synopsis does not show `{name}`")
        listed = dict.fromkeys(re.findall(r"^\.It .*?Fl -([a-z][a-z-]*)", by_command[name], re.M))
        for long, short in commands[name].items():
            if long == "help":
                continue
            if long not in listed:
                wrong.append(f"{name}: no `.It Fl -{long}`")
            elif short and not re.search(rf"^\.It Fl {short} , Fl -{long}\b", by_command[name], re.M):
                wrong.append(f"{name}: --{long} is also -{short}")
        wrong += [f"{name}: there is no --{each}" for each in listed if each not in commands[name]]
    return wrong


def try_itself():
    page = (".Sh SYNOPSIS\n.Cm go\n.Sh DESCRIPTION\n.Ss trivet go\n.It Fl x , Fl -fast\n.It Fl -gone\n"
            ".Ss trivet old\n.Sh SIGNALS\n")
    told = tell_differences(page, {"go": {"fast": "f", "new": "", "help": "h"}, "come": {}})
    expected = ["no `.Ss trivet come`", "go: --fast is also -f", "go: no `.It Fl -new`", "go: there is no --gone",
                "`.Ss trivet old`: there is no such command"]
    assert told == expected, told
    assert options_in("Options:\n  -h,--help   x\n  --no-memory{false}   x\n\n") == {"help": "h", "no-memory": ""}


def lint(pages):
    if shutil.which("mandoc") is None:
        return ["mandoc is not installed"] if os.environ.get("CI") else []
    told = []
    for page in pages:
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], check=False, capture_output=True, text=True)
        told += [line for line in done.stdout.splitlines() if line]
    return told


def main():
    try_itself()
    overview = help_of()
    commands = {name: options_in(help_of(name)) for name in commands_in(overview)}
    if "serve" not in commands:
        sys.exit("the program tells no commands")
    wrong = tell_differences(PAGE.read_text(), commands)
    wrong += lint([PAGE, BUILD / "conf" / "package" / "trivet.toml.5"])
    for each in wrong:
        print(f"{PAGE.relative_to(ROOT)}: {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
