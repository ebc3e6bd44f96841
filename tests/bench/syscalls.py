"""The counting behind syscalls.sh: strace on a running host while requests go one by one over one kept connection."""

import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fcgi, runner  # noqa: E402  pylint: disable=wrong-import-position
from support.host import running_host  # noqa: E402  pylint: disable=wrong-import-position

CONFIG = """
[plugin.hello]
[[route]]
name = "hello"
path = "/**"
respond = "hello"
"""

# What one request may cost, by the work that the calls do.
BOUNDS = {
    "read": (("recvfrom", "recvmsg", "read", "readv"), 1),
    "write": (("sendmsg", "sendto", "write", "writev"), 1),
    "wait": (("epoll_wait", "epoll_pwait", "epoll_pwait2"), 1),
    "register": (("epoll_ctl",), 0),
    "anything else": (None, 0),
}
TOLERANCE = 0.02


def counts(summary):
    """Calls by name of `strace -c` output."""
    found = {}
    for line in summary.splitlines():
        fields = line.split()
        # "% time  seconds  usecs/call  calls  [errors]  syscall"
        if len(fields) >= 5 and fields[0].replace(".", "").isdigit() and fields[3].isdigit() and fields[-1] != "total":
            found[fields[-1]] = int(fields[3])
    return found


def ask(link, times):
    wire = fcgi.request(fcgi.cgi("/hello"), flags=fcgi.KEEP)
    for _ in range(times):
        link.send(wire)
        if link.take().status != 200:
            raise runner.Failure("a request was not answered with 200")


def trace(host, folder, link, requests):
    summary = folder / "strace"
    with subprocess.Popen(["strace", "-c", "-f", "-o", str(summary), "-p", str(host.pid)], stderr=subprocess.PIPE) as strace:
        strace.stderr.readline()  # "attached"
        time.sleep(0.3)  # further threads follow without a line that could be waited for
        ask(link, requests)
        strace.send_signal(signal.SIGINT)
        strace.wait(20)
    return summary.read_text()


def main(build_folder, requests):
    build = runner.Build(build_folder)
    with running_host(build, CONFIG) as host, host.connect(timeout=60) as link:
        ask(link, 200)
        summary = trace(host, host.folder, link, requests)
    found = counts(summary)
    if not found:
        print(f"syscalls: strace counted nothing:\n{summary}")
        return 1
    failed = 0
    named = {name for names, _ in BOUNDS.values() if names for name in names}
    for work, (names, bound) in BOUNDS.items():
        calls = sum(count for name, count in found.items() if (name in names if names else name not in named))
        per_request = calls / requests
        over = per_request > bound + TOLERANCE
        failed += over
        print(f"{'FAIL' if over else 'ok':4} {work}: {per_request:.3f} per request, at most {bound}")
    print("     " + ", ".join(f"{name} {count}" for name, count in sorted(found.items(), key=lambda each: -each[1])))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
