"""The measuring behind compare.sh."""

import argparse
import datetime
import os
import pathlib
import statistics
import tempfile

import peers

# Name: the arguments of `trivet bench`, and what a reader should know.
SCENARIOS = {
    "hello": (["/bench/hello"], "a kept connection, one request at a time"),
    "hello-64c": (["/bench/hello", "-c", "64"], "sixty-four of them"),
    "auth": (["/bench/auth", "--role", "authorizer"], "one, an authorizer that allows"),
    "mux100": (["/bench/hello", "--mux", "100"], "a hundred requests at a time on one connection"),
    "mux1000": (["/bench/hello", "--mux", "1000"], "a thousand"),
    "close": (["/bench/hello", "--new-conn"], "a connection for each request"),
    "up": (["/bench/sink", "--body", "1MiB"], "a body of 1 MiB"),
    "up-64m": (["/bench/sink", "--body", "64MiB"], "of 64 MiB"),
    "down": (["/bench/download/1048576"], "an answer of 1 MiB"),
    "down-64m": (["/bench/download/67108864"], "of 64 MiB"),
    "filter": (["/bench/filter", "--role", "filter", "--data", "1MiB"], "1 MiB through a filter"),
    "filter-64m": (["/bench/filter", "--role", "filter", "--data", "64MiB"], "64 MiB"),
}
COLORS = {"raw": "#999999", "trivet": "#1f6feb", "libfcgi": "#d29922", "php-fpm": "#8957e5", "go": "#2da44e"}
PEAK = 24  # MiB: what a worker may have had at most after everything


def measure(trivet, server, scenario, folder, processor, seconds):
    """CPU nanoseconds of the server for a request."""
    words = SCENARIOS[scenario][0]
    with server.running(folder, processor):
        peers.put_load(trivet, server, processor, words, ["-n", "50", "-d", "200ms"])
        return peers.spent(trivet, server, processor, words, ["-d", f"{int(seconds * 1000)}ms"])


def servers(build, folder, processes):
    """Those that this machine has."""
    everything = list(SCENARIOS)
    # libfcgi and PHP-FPM serve one connection in a process, and one request on it.
    single = [name for name in everything if not name.startswith("mux") and name != "hello-64c"]
    yield peers.raw(folder, "--processes", str(processes), scenarios=everything)
    yield peers.trivet(build, folder, processes if processes > 1 else 0, scenarios=everything)
    others = (peers.libfcgi(folder, processes, scenarios=single), peers.fpm(folder, processes, scenarios=["hello", "close"]),
              peers.go(folder, processes, scenarios=["hello", "hello-64c", "close"]))
    yield from filter(None, others)


def peak_memory(trivet, server, scenarios, folder, processor, seconds):
    """Of each worker of a host that has taken all scenarios, one after the other."""
    with server.running(folder, processor):
        for scenario in scenarios:
            peers.put_load(trivet, server, processor, SCENARIOS[scenario][0], ["-d", f"{int(seconds * 1000)}ms"])
        return server.peaks()


def table(results, names):
    lines = ["| scenario | " + " | ".join(names) + " | Trivet against raw | against libfcgi |",
             "| --- |" + " ---: |" * (len(names) + 2)]
    for scenario, found in results.items():
        cells = [f"{found[name] / 1000:.2f} us" if name in found else "" for name in names]
        for other in ("raw", "libfcgi"):
            cells.append(f"{found['trivet'] / found[other]:.2f}" if other in found else "")
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
    parser.add_argument("--build", default=str(peers.HERE.parents[1] / "build/release"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=1, help="of each server; they share the one processor")
    parser.add_argument("--long", action="store_true", help="with the scenarios of 64 MiB")
    parser.add_argument("--out", default="build/bench")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS))
    return parser.parse_args()


def main():
    arguments = read_arguments()
    build = pathlib.Path(arguments.build).resolve()
    trivet = build / "bin/trivet"
    processor = min(os.sched_getaffinity(0))
    scenarios = arguments.only or [name for name in SCENARIOS if arguments.long or not name.endswith("64m")]
    with tempfile.TemporaryDirectory() as folder:
        measured = list(servers(build, folder, arguments.processes))
        results = {}
        for scenario in scenarios:
            able = [each for each in measured if scenario in each.scenarios]
            times = {each.name: [] for each in able}
            for turn in range(arguments.rounds):
                for each in able[turn % len(able):] + able[:turn % len(able)]:
                    times[each.name].append(measure(trivet, each, scenario, folder, processor, arguments.seconds))
            results[scenario] = {name: statistics.median(values) for name, values in times.items()}
            print(scenario + ": " + ", ".join(f"{name} {value / 1000:.2f} us" for name, value in results[scenario].items()),
                  flush=True)
        host = next(each for each in measured if each.name == "trivet")
        peaks = peak_memory(trivet, host, scenarios, folder, processor, arguments.seconds)
    peak = ("Peak memory of a worker that took all of it: " + ", ".join(f"{each / 2**20:.1f} MiB" for each in peaks) +
            f"; at most {PEAK} MiB.")
    names = [each.name for each in measured]
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    today = datetime.date.today().isoformat()
    several = f", {arguments.processes} processes of each on one processor" if arguments.processes > 1 else ""
    (out / "compare.md").write_text(
        f"CPU time of the server for a request, median of {arguments.rounds} rounds of {arguments.seconds:g} s{several}, "
        f"`sh tests/bench/compare.sh`, {today}.\n\n{table(results, names)}\n{peak}\n")
    (out / "compare.svg").write_text(chart(results, names))
    print(peak)
    print(f"{out}/compare.md, {out}/compare.svg")


if __name__ == "__main__":
    main()
