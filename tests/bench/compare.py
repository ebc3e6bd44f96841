"""The measuring behind compare.sh."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import php  # noqa: E402  pylint: disable=wrong-import-position
from support.servers import web_user  # noqa: E402  pylint: disable=wrong-import-position

MEBI = 1 << 20
# Name: the arguments of `trivet bench`, and what a reader should know.
SCENARIOS = {
    "hello": (["/bench/hello"], "a kept connection, one request at a time"),
    "auth": (["/bench/auth", "--role", "authorizer"], "the same, an authorizer that allows"),
    "close": (["/bench/hello", "--new-conn"], "a connection for each request"),
    "up": (["/bench/sink", "--body", "1MiB"], "a body of 1 MiB"),
    "down": (["/bench/download/1048576"], "an answer of 1 MiB"),
    "filter": (["/bench/filter", "--role", "filter", "--data", "1MiB"], "1 MiB through a filter"),
    "mux": (["/bench/hello", "--mux", "100"], "a hundred requests at a time on one connection"),
}
COLORS = {"raw": "#999999", "trivet": "#1f6feb", "libfcgi": "#d29922", "php-fpm": "#8957e5", "go": "#2da44e"}


def listener(path):
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(4096)
    return made


class Server:
    """One that is measured: how it is started, and which scenarios it can take."""

    def __init__(self, name, command, scenarios, on_descriptor=False, environment=None, arguments=()):
        self.name, self.command, self.scenarios = name, command, scenarios
        self.on_descriptor, self.environment, self.arguments = on_descriptor, environment or {}, list(arguments)
        self.process = None

    @contextlib.contextmanager
    def running(self, folder, processor):
        path = pathlib.Path(folder) / f"{self.name}.sock"
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        words = ["taskset", "-c", str(processor), *(word.format(socket=path) for word in self.command)]
        with listener(path) if self.on_descriptor else contextlib.nullcontext() as given:
            self.process = subprocess.Popen(words, stdin=given or subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL, env={**os.environ, **self.environment},
                                            start_new_session=True)
        try:
            self._wait(path)
            yield f"unix:{path}"
        finally:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _wait(self, path):
        for _ in range(500):
            if self.process.poll() is not None:
                break
            with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
                probe.connect(str(path))
                return
            time.sleep(0.02)
        sys.exit(f"compare: {self.name} does not listen")

    def nanoseconds(self):
        """CPU time so far, of all threads and children."""
        total = 0
        waiting = [self.process.pid]
        while waiting:
            tasks = pathlib.Path(f"/proc/{waiting.pop()}/task")
            for task in tasks.iterdir():
                total += int((task / "schedstat").read_text().split()[0])
                waiting += map(int, (task / "children").read_text().split())
        return total


def measure(trivet, server, scenario, folder, processor, seconds):
    """CPU nanoseconds of the server for a request, and what the load reports."""
    words, _ = SCENARIOS[scenario]
    with server.running(folder, processor) as address:
        load = ["taskset", "-c", str(processor), trivet, "bench", address, *words, *server.arguments, "--json"]
        subprocess.run([*load, "-n", "50"], check=False, capture_output=True)
        before = server.nanoseconds()
        done = subprocess.run([*load, "-d", f"{int(seconds * 1000)}ms"], check=False, capture_output=True, timeout=seconds + 60)
        spent = server.nanoseconds() - before
    report = json.loads(done.stdout) if done.stdout else {"failed": 1, "good": 0, "first_problem": done.stderr.decode()}
    if report["failed"] or not report["good"]:
        sys.exit(f"compare: {server.name}, {scenario}: {report.get('first_problem')}")
    return spent / report["good"], report


def servers(build, folder):
    """Those that this machine has."""
    everything = list(SCENARIOS)
    cxx = os.environ.get("CXX", "g++")
    subprocess.run([cxx, "-std=c++20", "-O2", str(HERE / "reference/raw.cpp"), "-o", f"{folder}/raw"], check=True)
    kept = [name for name in everything if name != "mux"]
    yield Server("raw", [f"{folder}/raw", "{socket}"], kept)
    yield Server("trivet", [str(build / "bin/trivet"), "serve", "-c", str(HERE / "trivet.toml"), "--listen", "unix:{socket}",
                            "--processes", "0"], everything, environment={"TRIVET_BENCH_PLUGINS": str(build / "bench-plugins")})
    compiled = subprocess.run(["cc", "-O2", str(HERE / "reference/libfcgi.c"), "-lfcgi", "-o", f"{folder}/libfcgi"], check=False,
                              capture_output=True)
    if compiled.returncode == 0:
        yield Server("libfcgi", [f"{folder}/libfcgi"], kept, on_descriptor=True)
    else:
        print("compare: libfcgi is left out: apt-get install libfcgi-dev", file=sys.stderr)
    if shutil.which("php-fpm8.2"):
        yield fpm(folder)
    if shutil.which("go"):
        subprocess.run(["go", "build", "-o", f"{folder}/go", str(HERE / "reference/hello.go")], check=True,
                       env={**os.environ, "GOCACHE": f"{folder}/go-cache"})
        yield Server("go", [f"{folder}/go"], ["hello", "close"], on_descriptor=True)


def fpm(folder):
    site = pathlib.Path(folder) / "php"
    site.mkdir()
    if web_user():
        os.chmod(folder, 0o755)
    described = php.Fpm(site, children=1)
    described.write()
    (described.root / "bench.php").write_text("<?php header('Content-Type: text/plain'); echo 'hello';")
    # Its own socket takes the place of the one that is in its configuration.
    configuration = site / "fpm.conf"
    configuration.write_text(configuration.read_text().replace(str(described.socket), f"{folder}/php-fpm.sock"))
    return Server("php-fpm", [shutil.which("php-fpm8.2"), "-n", "-F", "-y", str(configuration)], ["hello", "close"],
                  arguments=["-p", f"SCRIPT_FILENAME={described.root}/bench.php"])


def table(results, names):
    lines = ["| scenario | " + " | ".join(names) + " | Trivet against raw | against libfcgi |",
             "| --- |" + " ---: |" * (len(names) + 2)]
    for scenario, found in results.items():
        cells = [f"{found[name] / 1000:.2f} us" if name in found else "" for name in names]
        for other in ("raw", "libfcgi"):
            cells.append(f"{found['trivet'] / found[other]:.2f}" if other in found and "trivet" in found else "")
        lines.append(f"| {scenario}: {SCENARIOS[scenario][1]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def chart(results, names):
    """Bars, each scenario's against its longest."""
    row, left, width = 18, 90, 420
    parts, y = [], 30
    for scenario, found in results.items():
        parts.append(f'<text x="8" y="{y + 13}" font-weight="bold">{scenario}</text>')
        longest = max(found.values())
        for name in (each for each in names if each in found):
            length = max(2, round(found[name] / longest * width))
            parts.append(f'<rect x="{left}" y="{y}" width="{length}" height="{row - 4}" fill="{COLORS[name]}"/>'
                         f'<text x="{left + length + 6}" y="{y + 12}">{name} {found[name] / 1000:.2f} us</text>')
            y += row
        y += row // 2
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 160}" height="{y + 10}" font-family="sans-serif" '
            f'font-size="12"><text x="8" y="18">CPU time of the server for a request; shorter is better</text>'
            + "".join(parts) + "</svg>\n")


def read_arguments():
    parser = argparse.ArgumentParser(prog="compare.sh")
    parser.add_argument("--build", default=str(HERE.parents[1] / "build/release"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--out", default="build/bench")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS))
    return parser.parse_args()


def main():
    arguments = read_arguments()
    build = pathlib.Path(arguments.build).resolve()
    trivet = str(build / "bin/trivet")
    processor = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        measured = list(servers(build, folder))
        results = {}
        for scenario in arguments.only or SCENARIOS:
            able = [each for each in measured if scenario in each.scenarios]
            times = {each.name: [] for each in able}
            for turn in range(arguments.rounds):
                for each in able[turn % len(able):] + able[:turn % len(able)]:
                    times[each.name].append(measure(trivet, each, scenario, folder, processor, arguments.seconds)[0])
            results[scenario] = {name: statistics.median(values) for name, values in times.items()}
            print(scenario + ": " + ", ".join(f"{name} {value / 1000:.2f} us" for name, value in results[scenario].items()))
    names = [each.name for each in measured]
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    today = datetime.date.today().isoformat()
    (out / "compare.md").write_text(
        f"CPU time of the server for a request, median of {arguments.rounds} rounds of {arguments.seconds:g} s, "
        f"`sh tests/bench/compare.sh`, {today}.\n\n{table(results, names)}")
    (out / "compare.svg").write_text(chart(results, names))
    print(f"{out}/compare.md, {out}/compare.svg")


if __name__ == "__main__":
    main()
