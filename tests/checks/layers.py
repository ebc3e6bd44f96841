#!/usr/bin/python3
"""Checks layers.txt: which floor includes which, who uses a library, what stays pure; and the same for CMake's FLOORS."""

import collections
import pathlib
import re
import sys
import tempfile

import files

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
FLOOR_CALL = re.compile(r"trivet_floor\(\s*(\w+)([^)]*)\)")
RULES = pathlib.Path(__file__).with_name("layers.txt")
Rules = collections.namedtuple("Rules", "floors libraries pure")


def read_rules(path=RULES):
    sections = {"floors": {}, "libraries": {}, "pure": {}}
    current = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            current = sections[line.strip("[]")]
            continue
        name, colon, rest = line.partition(":")
        if not colon or name in current:
            sys.exit(f"{path.name}:{number}: not understood, or said twice: {line}")
        current[name] = rest.split()
    known = set(sections["floors"])
    for name, allowed in [*sections["floors"].items(), *sections["libraries"].items()]:
        unknown = set(allowed) - known
        if unknown:
            sys.exit(f"{path.name}: {name}: no such floor: {', '.join(sorted(unknown))}")
    return Rules(**sections)


def floor_of(name):
    """The floor that a project file belongs to; None for what the table does not speak of."""
    parts = name.parts
    if parts[0] == "runtime":
        return parts[1] if len(parts) > 2 else None
    if parts[0] == "sdk":
        return "sdk" if len(parts) > 1 and parts[1] == "include" else "tests"
    if parts[0] == "plugins":
        return "plugins"
    if parts[0] == "tests":
        return "tests"
    return None


def library_of(include, libraries):
    """The row of [libraries] that names an included file."""
    found = [row for row in libraries if include == row or include.startswith(row + "/") or include.startswith(row + ".")]
    return max(found, key=len, default=None)


def resolve(name, quote, include, root):
    """The project file that an include means, or None for one of the system."""
    candidates = [pathlib.Path(include), pathlib.Path("sdk/include") / include]
    if quote == '"':
        candidates.insert(0, name.parent / include)
    for candidate in candidates:
        if (root / candidate).is_file():
            return pathlib.Path(*candidate.parts)
    return None


def is_standard(include):
    return "/" not in include and "." not in include


class Check:
    def __init__(self, root, rules):
        self.root = root
        self.rules = rules
        self.errors = []
        self.includes = {}  # file -> [(line, quote, text, project file or None)]
        for name in files.source_files(root):
            text = (root / name).read_text(errors="replace")
            self.includes[name] = [
                (text.count("\n", 0, match.start(2)) + 1, match[1], match[2], resolve(name, match[1], match[2], root))
                for match in INCLUDE.finditer(text)
            ]

    def error(self, name, line, what):
        self.errors.append(f"{name}:{line}: {what}")

    def libraries_behind(self, name, seen):
        """Libraries that including `name` pulls in, each with the path that leads there."""
        if name in seen:
            return {}
        seen.add(name)
        found = {}
        for _, _, include, target in self.includes.get(name, []):
            if target is not None:
                for row, path in self.libraries_behind(target, seen).items():
                    found.setdefault(row, [name, *path])
            elif row := library_of(include, self.rules.libraries):
                found.setdefault(row, [name])
        return found

    def check_file(self, name):
        floor = floor_of(name)
        if floor is None:
            return
        if floor not in self.rules.floors:
            self.error(name, 1, f"'{floor}' is not in layers.txt")
            return
        for line, quote, include, target in self.includes[name]:
            if target is None:
                self.check_foreign(name, floor, line, quote, include)
            else:
                self.check_own(name, floor, line, include, target)

    def check_own(self, name, floor, line, include, target):
        other = floor_of(target)
        if other != floor and other not in self.rules.floors[floor]:
            allowed = " ".join(self.rules.floors[floor]) or "nothing"
            self.error(name, line, f'{floor} must not include "{include}" of {other} (it may include: {allowed})')
        if other != floor and floor != "tests":
            for row, path in self.libraries_behind(target, set()).items():
                if floor not in self.rules.libraries[row]:
                    way = " -> ".join(str(step) for step in path)
                    self.error(name, line, f"{row} reaches {floor} through a header of {other}: {way}")

    def check_foreign(self, name, floor, line, quote, include):
        if quote == '"' or include.startswith(("runtime/", "trivet/")):
            self.error(name, line, f"{include}: no such file in the project")
            return
        row = library_of(include, self.rules.libraries)
        if row is not None and floor not in self.rules.libraries[row]:
            owners = " and ".join(self.rules.libraries[row])
            self.error(name, line, f"<{include}>: only {owners} may include {row}, not {floor}")
        elif row is None and include.split("/")[0] in ("boost",):
            self.error(name, line, f"<{include}>: not in layers.txt, section [libraries]")
        if floor in self.rules.pure:
            if not is_standard(include):
                self.error(name, line, f"<{include}>: {floor} includes only the C++ standard library")
            elif include in self.rules.pure[floor]:
                self.error(name, line, f"<{include}>: not in {floor}, see [pure]")

    def check_cmake(self):
        """The library of a floor links exactly what it may include."""
        for path in sorted((self.root / "runtime").glob("*/CMakeLists.txt")):
            name = path.relative_to(self.root)
            for match in FLOOR_CALL.finditer(re.sub(r"#.*", "", path.read_text())):
                words = match[2].split()
                keywords = ("SOURCES", "FLOORS", "LIBRARIES")
                linked, inside = [], None
                for word in words:
                    inside = word if word in keywords else inside
                    if inside == "FLOORS" and word not in keywords:
                        linked.append(word)
                allowed = self.rules.floors.get(match[1])
                if allowed is None:
                    self.error(name, 1, f"'{match[1]}' is not in layers.txt")
                    continue
                for other in sorted(set(linked) - set(allowed)):
                    self.error(name, 1, f"{match[1]} must not link {other}")

    def run(self):
        for name in self.includes:
            self.check_file(name)
        self.check_cmake()
        return self.errors


def self_test(rules):
    """What must be found in a tree made for it: a check that finds nothing anywhere would pass for ever."""
    tree = {
        "runtime/protocol/a.cpp": '#include "runtime/host/h.hpp"\n#include <chrono>\n#include <unistd.h>\n#include <vector>\n',
        "runtime/host/h.hpp": '#include "runtime/process/p.hpp"\n#include <unistd.h>\n#include <spdlog/spdlog.h>\n',
        "runtime/process/p.hpp": "#include <systemd/sd-daemon.h>\n",
        "runtime/io/i.hpp": "",
        "runtime/io/i.cpp": '#include "runtime/io/i.hpp"\n#include "runtime/io/gone.hpp"\n',
        "runtime/io/CMakeLists.txt": "trivet_floor(io SOURCES i.cpp FLOORS base host LIBRARIES Boost::headers)\n",
        "plugins/p/p.cpp": '#include <trivet/abi.h>\n#include "runtime/base/b.hpp"\n#include <boost/any.hpp>\n',
        "runtime/base/b.hpp": "#include <unistd.h>\n",
        "sdk/include/trivet/abi.h": "#include <stdint.h>\n",
        "runtime/attic/x.hpp": "",
    }
    expected = [
        'plugins/p/p.cpp:2: plugins must not include "runtime/base/b.hpp" of base (it may include: sdk)',
        "plugins/p/p.cpp:3: <boost/any.hpp>: not in layers.txt, section [libraries]",
        "runtime/attic/x.hpp:1: 'attic' is not in layers.txt",
        "runtime/host/h.hpp:1: systemd reaches host through a header of process: runtime/process/p.hpp",
        "runtime/host/h.hpp:3: <spdlog/spdlog.h>: only log and tests may include spdlog, not host",
        "runtime/io/CMakeLists.txt:1: io must not link host",
        "runtime/io/i.cpp:2: runtime/io/gone.hpp: no such file in the project",
        'runtime/protocol/a.cpp:1: protocol must not include "runtime/host/h.hpp" of host (it may include: base)',
        "runtime/protocol/a.cpp:1: spdlog reaches protocol through a header of host: runtime/host/h.hpp",
        "runtime/protocol/a.cpp:1: systemd reaches protocol through a header of host: runtime/host/h.hpp -> runtime/process/p.hpp",
        "runtime/protocol/a.cpp:2: <chrono>: not in protocol, see [pure]",
        "runtime/protocol/a.cpp:3: <unistd.h>: protocol includes only the C++ standard library",
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = sorted(Check(root, rules).run())
    if found != sorted(expected):
        print("layers.py does not find what it has to; difference (- missing, + too much):")
        for line in sorted(set(expected) - set(found)):
            print("  -", line)
        for line in sorted(set(found) - set(expected)):
            print("  +", line)
        return False
    return True


def main():
    rules = read_rules()
    if not self_test(rules):
        return 1
    errors = Check(files.ROOT, rules).run()
    for line in errors:
        print(line)
    print(f"{len(errors)} violations")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
