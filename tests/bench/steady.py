#!/usr/bin/python3
"""What Trivet promises beside the table of compare.sh: one line for each measure with its bound; fails where one is missed.

    /usr/bin/python3 tests/bench/steady.py [--build FOLDER] [--short] [--only MEASURE]...

Needs a release build, g++ and valgrind, and takes some minutes; --short, half a minute, asks for less (fewer requests, fewer
routes). Ratios of times are medians of pairs that are measured in turns, that of the access log is the mean of many hosts'
medians: they still need a machine that is left alone.
"""

import argparse
import os
import pathlib
import random
import re
import statistics
import sys
import tempfile
import threading
import zlib

import counted
import crowd
import peers
from support import fcgi

IDLE = 10_000
SLOW = 100


class Bench:
    """What every measure needs, and where it tells what it found."""

    def __init__(self, build, folder, short):
        self.build, self.folder, self.short = build, pathlib.Path(folder), short
        self.trivet = build / "bin/trivet"
        # The server's, and one for clients that are to be in nobody's way; the same where there is but one.
        self.processor, self.other = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
        self.pairs = 3 if short else 5
        self.missed = 0
        self.made = 0

    def host(self, **more):
        self.made += 1
        return peers.trivet(self.build, self.folder, name=f"trivet-{self.made}", **more)

    def load(self, server, words, limits, processor=None):
        return peers.put_load(self.trivet, server, self.processor if processor is None else processor, words, limits)

    def spent(self, server, words, limits):
        return peers.spent(self.trivet, server, self.processor, words, limits)

    def seconds(self, long):
        return ["-d", f"{int(long * (300 if self.short else 1000))}ms"]

    def tell(self, name, value, bound, text):
        """`text` says what the value is of."""
        ok = value <= bound
        self.missed += not ok
        print(f"{'ok' if ok else 'missed':6} {name:8} {value:.4g}, at most {bound:g}: {text}", flush=True)

    def pairs_of(self, first, second, times=None):
        """The median of the ratios, and of what both gave; who begins changes."""
        found = []
        for turn in range(times or self.pairs):
            if turn % 2:
                below = second()
                found.append((first(), below))
            else:
                found.append((first(), second()))
        medians = [statistics.median(each) for each in zip(*found)]
        return statistics.median(one / other for one, other in found), *medians


def proportional_bytes(process):
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise KeyError("Pss")


def idle(bench):
    """Memory of a kept connection that waits."""
    crowd.allow_descriptors(IDLE)
    host = bench.host()
    with host.running(bench.folder, bench.processor) as address:
        bench.load(host, ["/bench/hello"], ["-n", "2000"])
        worker, = host.workers()
        before = proportional_bytes(worker)
        with crowd.Kept(address, IDLE) as kept:
            each = (proportional_bytes(worker) - before) / IDLE
            kept.ask_all()
    bench.tell("idle", each, 4096, f"bytes for one of {IDLE} idle connections; all were answered afterwards (goal: 1229)")


def ids(bench):
    """The same ids over and over on one connection."""
    host = bench.host()
    with host.running(bench.folder, bench.processor):
        for at_a_time, requests in ((1, 50_000 if bench.short else 1_000_000), (100, 200_000 if bench.short else 1_000_000)):
            found = bench.load(host, ["/bench/hello", "--mux", str(at_a_time)], ["-n", str(requests), "-d", "10m"])
            gap = found["latency_ns"]["max"] / 1e6
            bench.tell("ids", gap, 200, f"ms for the slowest of {found['good']} requests over one connection, {at_a_time} ids "
                       "used again at once")
            if found["good"] != requests or found["connections_opened"] != 1:
                sys.exit(f"ids: {found['good']} answers, {found['connections_opened']} connections")


def others(bench):
    """What connections that wait and connections that are slow do to another client."""
    crowd.allow_descriptors(IDLE + SLOW)
    host = bench.host()
    with host.running(bench.folder, bench.processor) as address:
        def median():
            return bench.load(host, ["/bench/hello"], bench.seconds(1.0))["latency_ns"]["p50"] / 1000

        def beside():
            with crowd.Kept(address, IDLE), crowd.Slow(address, SLOW) as slow:
                found = median()
                if slow.served < SLOW:
                    sys.exit("others: the slow clients did nothing")
                return found

        median()
        ratio, crowded, alone = bench.pairs_of(beside, median)
    bench.tell("others", ratio, 1.05, f"a client's median beside {IDLE} idle and {SLOW} slow connections to alone "
               f"({crowded:.1f} us, {alone:.1f} us)")


def tail(bench):
    """p99 of an open loop at half of what the host can do."""
    host, raw = bench.host(), peers.raw(bench.folder)
    words = ["/bench/hello"]
    with host.running(bench.folder, bench.processor), raw.running(bench.folder, bench.processor):
        capacity = statistics.median(bench.load(host, [*words, "-c", "16"], bench.seconds(0.5), bench.other)["requests_per_second"]
                                     for _ in range(3))
        rate = int(capacity / 2)

        def p99(server):
            limits = ["-c", "512", "--rate", f"{rate}/s", "-n", str(int(rate * (0.3 if bench.short else 1)))]
            return bench.load(server, words, limits, bench.other)["latency_ns"]["p99"] / 1000

        ratio, host_p99, raw_p99 = bench.pairs_of(lambda: p99(host), lambda: p99(raw))
    bench.tell("tail", ratio, 1.5, f"p99 at {rate} requests/s to that of raw ({host_p99:.0f} us, {raw_p99:.0f} us)")


def access(bench):
    """The access log."""
    lines = bench.folder / "access"
    words = ["/bench/hello"]
    # Where a host lies in memory makes 1 % and more of a request, so many are begun.
    found = []
    for _ in range(3 if bench.short else 100):
        plain, logging = bench.host(), bench.host(more=f'[log]\naccess = "file:{lines}"\n')
        with plain.running(bench.folder, bench.processor), logging.running(bench.folder, bench.processor):
            found.append(bench.pairs_of(lambda: bench.spent(logging, words, bench.seconds(0.1)),
                                        lambda: bench.spent(plain, words, bench.seconds(0.1)), 5 if bench.short else 3))
        if not lines.stat().st_size:
            sys.exit("access: nothing was logged")
        lines.unlink()
    ratio, on, off = (statistics.mean(each) for each in zip(*found))
    error = statistics.stdev(each[0] for each in found) / len(found) ** 0.5
    bench.tell("access", ratio, 1.03, f"CPU time of the server with the access log to without (+-{error:.4f}; {on / 1000:.2f} us, "
               f"{off / 1000:.2f} us)")
    with counted.counted(bench.trivet, bench.host(), bench.folder, bench.processor) as host:
        ran = {line.split(" ", 1)[1] for line in host.profile(words, 500).splitlines()
               if re.match(r"fn=\(\d+\) trivet::log::.*(Line|write|put)", line)}
    bench.tell("access", len(ran), 0, "functions of the log that run for a request while it is off " + ", ".join(sorted(ran)))


ON_A_THREAD = """
[plugin.thread]
file = "small.so"
threads = 1

[[route]]
name = "bench-thread"
path = "/bench/thread"
respond = "thread"
"""


def threads(bench):
    """The way to a plugin thread and back."""
    host, raw = bench.host(more=ON_A_THREAD), peers.raw(bench.folder, "--worker", name="raw-worker")
    with host.running(bench.folder, bench.processor), raw.running(bench.folder, bench.processor):
        for connections in (1, 64):
            words = ["/bench/thread", "-c", str(connections)]
            ratio, ours, theirs = bench.pairs_of(lambda: bench.spent(host, words, bench.seconds(0.5)),
                                                 lambda: bench.spent(raw, words, bench.seconds(0.5)))
            bench.tell("threads", ratio, 1.25, f"CPU time of a plugin on a thread to raw with a worker thread, {connections} "
                       f"connections ({ours / 1000:.2f} us, {theirs / 1000:.2f} us)")


def chain(bench):
    """A second filter."""
    host = bench.host()
    words = ["--role", "filter", "--data", "1MiB"]
    with host.running(bench.folder, bench.processor):
        ratio, two, one = bench.pairs_of(lambda: bench.spent(host, ["/bench/chain", *words], bench.seconds(0.5)),
                                         lambda: bench.spent(host, ["/bench/filter", *words], bench.seconds(0.5)),
                                         3 if bench.short else 9)
    bench.tell("chain", ratio, 1.15, f"CPU time of two filters to one, 1 MiB ({two / 1000:.0f} us, {one / 1000:.0f} us)")


def whole(bench):
    """Nothing is lost or changed on the way through a filter."""
    size, connections, times = 3_000_001, 4, 2 if bench.short else 10
    wrong = []

    def ask(address, number):
        data = random.Random(number).randbytes(size)
        wire = fcgi.request(fcgi.cgi("/bench/filter", FCGI_DATA_LENGTH=size), role=fcgi.FILTER, flags=fcgi.KEEP, data=data)
        with fcgi.Connection(address, 60.0) as link:
            for _ in range(times):
                answer = link.talk(wire)
                if not answer.complete or zlib.crc32(answer.body) != zlib.crc32(data):
                    wrong.append(number)
                link.take()

    host = bench.host()
    with host.running(bench.folder, bench.processor) as address:
        clients = [threading.Thread(target=ask, args=(address, number)) for number in range(connections)]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        found = bench.load(host, ["/bench/filter", "--role", "filter", "--data", f"{size}B", "-c", str(connections)],
                           ["-n", "100" if bench.short else "1000", "-d", "1m"], bench.other)
    bench.tell("whole", len(wrong), 0, f"answers with another CRC, of {connections * times + found['good']} with {size} bytes of "
               f"data over {connections} connections")


ROUTER = """
[server]
plugin_path = ["${env:TRIVET_BENCH_PLUGINS}"]
[[listen]]
name = "bench"
address = "unix:/tmp/trivet-bench.sock"
[plugin.small]
threads = 0
"""
ROUTE = '[[route]]\nname = "route-{number}"\n{matches}\nrespond = "small"\n'


def router(bench):
    """Many routes, of which the last is the one."""
    kinds = {"paths under one prefix": ('path = "/shop/part{number}/**"', "/shop/part{number}/x", "localhost"),
             "hosts": ('path = "/**"\nhosts = ["www{number}.example"]', "/x", "www{number}.example")}
    for kind, (matches, uri, name) in kinds.items():
        counts = {}
        for count in (1, 1000) if bench.short else (1, 100, 10_000):
            text = ROUTER + "".join(ROUTE.format(number=number, matches=matches.format(number=number))
                                    for number in range(1, count + 1))
            words = [uri.format(number=count), "-p", f"HTTP_HOST={name.format(number=count)}"]
            with counted.counted(bench.trivet, bench.host(text=text), bench.folder, bench.processor) as host:
                counts[count] = host.instructions(words, 100 if bench.short else 300)
        bench.tell("router", max(counts.values()) / counts[1], 1.2, f"instructions for a request, {kind}: " + ", ".join(
            f"{value:.0f} with {count}" for count, value in counts.items()))


MEASURES = {"idle": idle, "ids": ids, "others": others, "tail": tail, "access": access, "threads": threads, "chain": chain,
            "whole": whole, "router": router}


def main():
    parser = argparse.ArgumentParser(prog="steady.py")
    parser.add_argument("--build", default=str(peers.HERE.parents[1] / "build/release"))
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", action="append", choices=list(MEASURES))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(pathlib.Path(arguments.build).resolve(), folder, arguments.short)
        for name in arguments.only or MEASURES:
            MEASURES[name](bench)
    return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(main())
