#!/usr/bin/python3
"""What a long stream costs the host and its other clients; fails when it is more than promised. Takes some minutes.

    /usr/bin/python3 tests/bench/streams.py [build/release] [MIB]

MIB (default 1024) of text go through `files -> substitute -> compress`, unpacked they have to be what sed makes of the file,
and the host may not grow beyond 48 MiB. Then one client reads that answer at 10 KiB/s while another asks for something
small: the median, over five pairs taken in turns, of its p99 beside to its p99 alone may be 1.5.
"""

import hashlib
import pathlib
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fcgi, runner, site  # noqa: E402  pylint: disable=wrong-import-position
from support.host import temporary_folder  # noqa: E402  pylint: disable=wrong-import-position

MEMORY = 48 << 20
RATIO = 1.5
PAIRS = 5
ASKED = 3000
LINE = "%d the quick brown fox jumps over the lazy dog, and 17 times over the fox; %x\n"

CONFIG = """
[plugin.hello]
[plugin.replace]
file = "substitute.so"
timeout = "20s"
config = {{ rules = [{{ find = "fox", with = "wolf" }}] }}
[plugin.compress]

[[route]]
path = "/hello"
respond = "hello"
[[route]]
path = "/**"
respond = {{ files = "{folder}" }}
filter = ["replace", "compress"]
timeout = "1m"
"""


def write_text(path, mib):
    block = "".join(LINE % (at, at * 2654435761 % 2**32) for at in range(16000)).encode()[:1 << 20]
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(block)


def digest(*commands):
    """Of what a pipeline of commands prints."""
    running = []
    for command in commands:
        running.append(subprocess.Popen(command, stdin=running[-1].stdout if running else subprocess.DEVNULL,
                                        stdout=subprocess.PIPE))
    total = hashlib.sha256()
    while block := running[-1].stdout.read(1 << 20):
        total.update(block)
    runner.equal([each.wait() for each in running], [0] * len(commands), "exit codes")
    return total.hexdigest()


def check_memory(build, host, path, mib):
    before = host.status_bytes("VmHWM")
    began = time.monotonic()
    came = digest([build.binary, "call", host.unix, f"/{path.name}", "-p", "HTTP_ACCEPT_ENCODING=gzip"], ["gzip", "-dc"])
    took = time.monotonic() - began
    runner.equal(came, digest(["sed", "s/fox/wolf/g", path]), "SHA-256 of the answer")
    peak = host.status_bytes("VmHWM")
    print(f"{mib} MiB through substitute and compress: {took:.0f} s, peak {peak / 2**20:.1f} MiB "
          f"(before {before / 2**20:.1f}), at most {MEMORY >> 20}")
    return peak <= MEMORY


class SlowReader:
    """Reads the long answer at 10 KiB/s for the time of a `with`."""

    def __init__(self, host, path):
        self.link = fcgi.connect(host.unix, 60.0)
        self.link.sendall(fcgi.request(fcgi.cgi(f"/{path.name}")))
        self.ended = threading.Event()
        self.read = 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(0.1):
            self.read += len(self.link.recv(1024))

    def __enter__(self):
        self.thread.start()
        time.sleep(1.0)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.link.close()


def p99(host):
    wire = fcgi.request(fcgi.cgi("/hello"), flags=fcgi.KEEP)
    times = []
    with host.connect(timeout=60) as link:
        for _ in range(ASKED):
            began = time.perf_counter()
            link.send(wire)
            runner.equal(link.take().status, 200, "status")
            times.append(time.perf_counter() - began)
    return sorted(times)[ASKED * 99 // 100]


def check_slow_reader(host, path):
    ratios = []
    for _ in range(PAIRS):
        alone = p99(host)
        with SlowReader(host, path) as slow:
            beside = p99(host)
            runner.expect(slow.read > 1024, "the slow reader got nothing")
        ratios.append(beside / alone)
        print(f"p99 alone {alone * 1e6:.0f} us, beside a reader at 10 KiB/s {beside * 1e6:.0f} us, ratio {ratios[-1]:.2f}")
    median = statistics.median(ratios)
    print(f"median of the ratios {median:.2f}, at most {RATIO}")
    return median <= RATIO


def main(folder="build/release", mib="1024"):
    build = runner.Build(folder)
    with temporary_folder() as work:
        path = work / "long.txt"
        write_text(path, int(mib))
        with site.running(build, CONFIG.format(folder=work)) as host:
            results = [check_memory(build, host, path, int(mib)), check_slow_reader(host, path)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
