"""A host whose system calls fail now and then, by strace: it may lose what the call was for, never its life or a verdict."""

import random
import shutil
import signal
import subprocess
import time

from support import fcgi, refusals, site
from support.fcgi import AUTHORIZER, cgi, request
from support.host import running_host
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("system calls that fail")

# What fails, how, and how often: every N-th call from the first on.
FAULTS = [
    ("accept4,accept", ("EINTR", "ECONNABORTED", "EMFILE", "ENFILE", "ENOMEM", "ENOBUFS")),
    ("epoll_wait,epoll_pwait,epoll_pwait2", ("EINTR",)),
    ("recvfrom,recvmsg,read", ("EINTR", "EAGAIN", "ECONNRESET", "EIO")),
    ("sendmsg,sendto,write", ("EINTR", "EAGAIN", "EPIPE", "ECONNRESET", "ENOBUFS")),
    ("openat", ("EMFILE", "ENOSPC", "EACCES")),
    ("pwrite64,pwritev,ftruncate", ("ENOSPC", "EIO")),
    ("pread64,preadv", ("EIO",)),
    ("futex", ("EINTR",)),
    ("clock_gettime,timerfd_settime", ("EINVAL",)),
]


class Faults:
    """Makes every `every`-th of `calls` of a process fail with `error` while a `with` lasts."""

    def __init__(self, pid, calls, error, every):
        known = [f"inject={calls}:error={error}:when={every}+{every}"]
        self.command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", known[0], "-p", str(pid)]

    def __enter__(self):
        self.strace = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)  # pylint: disable=consider-using-with
        time.sleep(0.15)  # strace says nothing when it has attached under -qq
        if self.strace.poll() is not None:
            raise RuntimeError(f"strace ended with {self.strace.returncode}: {self.command}")

    def __exit__(self, *_):
        self.strace.send_signal(signal.SIGINT)
        try:
            self.strace.wait(10)
        except subprocess.TimeoutExpired:
            self.strace.kill()
            self.strace.wait()


def _need_strace():
    if not shutil.which("strace"):
        skip("strace is not installed (apt-get install strace)")


def _try(running, params, body, role, timeout=1.5):
    """An answer, or None when the fault hit this request's own connection."""
    try:
        with fcgi.Connection(running.unix, timeout) as link:
            return link.talk(request(params, body, role))
    except (OSError, TimeoutError):
        return None
    except fcgi.Broken as broken:
        if "ended inside a record" in str(broken):
            return None
        raise


def _load(running, rounds, seed):
    """Mixed requests. Nothing wrong may be said, whatever is lost; the number of whole answers."""
    chance, whole = random.Random(seed), 0
    for _ in range(rounds):
        kind = chance.randrange(4)
        if kind == 0:
            answer = _try(running, cgi("/hello"), b"", fcgi.RESPONDER)
        elif kind == 1:
            body = chance.randbytes(chance.choice((10, 70000, 700000)))
            answer = _try(running, cgi("/private/x", "POST", body, **site.GOOD), body, fcgi.RESPONDER)
            if answer is not None and answer.complete and answer.status == 200:
                expect(site.echoed(answer.body) == body, "another body came back and passed for whole")
        else:
            good = kind == 2
            given = site.GOOD if good else site.BAD
            answer = _try(running, cgi("/private/x", TRIVET_ROUTE="private", **given), b"", AUTHORIZER)
            if answer is not None and answer.out:
                expect(good or answer.status != 200, "a fault GRANTED what had to be denied")
        if answer is not None and answer.complete:
            whole += 1
    return whole


@suite.test("a failing call costs at most the request it was for", timeout=240)
def _(t):
    _need_strace()
    if t.build.sanitizer:
        return  # its own system calls would fail too
    with running_host(t.build, refusals.CONFIG) as running:
        before = len(running.descriptors())
        for calls, errors in FAULTS:
            existing = _known(calls)
            if not existing:
                continue
            for error in errors:
                for every in (2, 7):
                    with Faults(running.pid, existing, error, every):
                        whole = _load(running, 16, f"{calls}{error}{every}")
                    expect(running.running, f"{error} from {calls} ended the host")
                    # Beside a fault on every second call to read or write nothing may come through; else something has to.
                    if every == 7 and error in ("EINTR", "EAGAIN"):
                        expect(whole > 8, f"{error} from every 7th of {calls}: only {whole} of 16 answered")
                    running.expect_well()
                    equal(running.get("/private/x").status, 401, f"without credentials, after {error} from {calls}")
        eventually(lambda: len(running.descriptors()) <= before, "no descriptor leaked", 10)


def _known(calls):
    """The names that this strace knows."""
    return ",".join(name for name in calls.split(",") if subprocess.run(
        ["strace", "-e", f"trace={name}", "true"], capture_output=True, check=False).returncode == 0)
