#!/usr/bin/python3
"""Does what README.md says: builds its plugins by its CMake lines, serves its configuration, compares every answer.

Needs a built host: TRIVET_BUILD names the build folder (default build/release).
"""

import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

import files

ROOT = files.ROOT
TRIVET = (ROOT / os.environ.get("TRIVET_BUILD", "build/release") / "bin/trivet").resolve()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r'^TRIVET_PLUGIN\(\w+, "(\w+)"', re.MULTILINE)
PATIENCE = 60.0


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def blocks(text, language):
    return [match[2] for match in BLOCK.finditer(text) if match[1] == language]


def only(found, what):
    expect(len(found) == 1, f"README.md has {len(found)} blocks of {what}, one is expected")
    return found[0]


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    expect(done.returncode == 0, f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_plugins(text, folder):
    sources = {only(NAME.findall(source), "TRIVET_PLUGIN in a plugin"): source for source in blocks(text, "cpp")}
    expect(len(sources) == 3, f"README.md shows one plugin for each role, not {sorted(sources)}")
    for name, source in sources.items():
        path = folder / f"{name}.cpp"
        path.write_text(source)
        formatted = subprocess.run(
            ["clang-format-19", f"--style=file:{ROOT / '.clang-format'}", str(path)],
            check=True, capture_output=True, text=True,
        ).stdout
        expect(formatted == source, f"README.md: clang-format would write {name}.cpp so:\n{formatted}")
        expect(len(source.splitlines()) <= 12, f"README.md: {name}.cpp is not short any more: at most 12 lines")


def build_plugins(text, folder):
    (folder / "CMakeLists.txt").write_text(only(blocks(text, "cmake"), "cmake"))
    run(["cmake", "-S", ".", "-B", "build", "-G", "Ninja", f"-DTRIVET={ROOT}"], folder)
    run(["cmake", "--build", "build"], folder)


def write_config(text, folder, port):
    config = only(blocks(text, "toml"), "toml")
    for old, new in (
        ("/run/trivet", str(folder / "run")),
        ("/var/lib/trivet/plugins", str(folder / "cache")),
        ("127.0.0.1:9000", f"127.0.0.1:{port}"),
    ):
        expect(old in config, f"README.md: the configuration does not say {old}")
        config = config.replace(old, new)
    for name in ("run", "cache"):
        (folder / name).mkdir(mode=0o700)
    (folder / "trivet.toml").write_text(config)


def serve(folder):
    log = folder / "host.log"
    with log.open("wb") as output:
        host = subprocess.Popen([TRIVET, "serve", "-c", "trivet.toml"], cwd=folder, stderr=output, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while not re.search(r"\bready\b", log.read_text(errors="replace")):
        if host.poll() is not None or time.monotonic() > deadline:
            host.kill()
            host.wait()
            raise Failed("the host did not start:\n" + log.read_text(errors="replace"))
        time.sleep(0.05)
    return host


def conversations(text):
    """The commands of the console block, each with the output that README.md shows."""
    found = []
    for line in only(blocks(text, "console"), "console").splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(lines).strip()) for command, lines in found]


def compare_calls(text, port):
    roles = set()
    for command, expected in conversations(text):
        words = shlex.split(command)
        if words[:2] != ["trivet", "call"]:
            expect(words[0] == "cmake" or words[:2] == ["trivet", "serve"], f"README.md: do not know how to test: {command}")
            continue
        roles.add(words[words.index("--role") + 1] if "--role" in words else "responder")
        arguments = [word.replace("127.0.0.1:9000", f"127.0.0.1:{port}") for word in words[1:]]
        done = subprocess.run([TRIVET, *arguments], capture_output=True, text=True, timeout=PATIENCE)
        answer = done.stdout.replace("\r\n", "\n").strip()
        expect(done.returncode == 0, f"{command}: exit code {done.returncode}\n{answer}\n{done.stderr}")
        expect(answer == expected, f"{command}\nREADME.md shows:\n{expected}\nthe answer was:\n{answer}\n{done.stderr}")
    expect(roles == {"responder", "authorizer", "filter"}, f"README.md shows only the roles {sorted(roles)}")


def main():
    text = (ROOT / "README.md").read_text()
    host = None
    try:
        expect(TRIVET.is_file(), f"{TRIVET} is not built")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write_plugins(text, folder)
            build_plugins(text, folder)
            port = free_port()
            write_config(text, folder, port)
            host = serve(folder)
            try:
                compare_calls(text, port)
                host.send_signal(signal.SIGTERM)
                code = host.wait(timeout=PATIENCE)
                expect(code == 0, f"the host ended with exit code {code}:\n" + (folder / "host.log").read_text())
            finally:
                if host.poll() is None:
                    host.kill()
                    host.wait()
    except (Failed, subprocess.TimeoutExpired) as failure:
        print(failure)
        return 1
    print("every answer is the one that README.md shows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
