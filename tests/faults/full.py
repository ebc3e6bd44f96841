"""Full disks and queues of memory: what has no room is refused, and room that comes back is used again."""

import os
import random
import resource
import subprocess

from support import fcgi, host as hosts, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, expect, skip

suite = Suite("full")


def _body(size):
    return random.Random(size).randbytes(size)


def _post(running, path, body, reads=True):
    """An echo from a client that writes everything before it reads, so that the host has to keep it."""
    with running.connect(timeout=30) as link:
        wire = request(cgi(path, "POST", body), body)
        try:
            if reads:
                return link.talk(wire)
            link.send(wire)
            return link.response()
        except (ConnectionError, fcgi.Broken):
            return link.responses.get(1)


def _refused_or_cut(answer, name):
    expect(answer is None or not answer.complete or answer.status in (413, 503), f"{name} passed for whole: {answer}")


@suite.test("a spool on a full disk refuses what does not fit, and others are served")
def _(t):
    if os.getuid() != 0:
        skip("only root can mount a small file system")
    with hosts.temporary_folder() as folder:
        small = folder / "spool"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, check=False)
        if mounted.returncode != 0:
            skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
        try:
            running = hosts.Host(t.build, folder, site.CONFIG)
            running.start()
            for _ in range(3):
                big = _post(running, "/stream/a", _body(12 << 20), reads=False)
                _refused_or_cut(big, "a body larger than the disk")
                running.expect_well()
                fits = _body(600000)
                answer = _post(running, "/echo/a", fits, reads=False)
                equal(answer.status, 200, "a body that fits")
                expect(site.echoed(answer.body) == fits and answer.complete, "a body that fits comes back")
            running.stop()
        finally:
            subprocess.run(["umount", str(small)], check=True)


@suite.test("a body beyond spool_bytes is refused or cut, beyond body_bytes 413, and the next one is served")
def _(t):
    limits = '[limits]\nspool_bytes = "2MiB"\nbody_bytes = "16MiB"\n'
    with site.running(t.build, site.CONFIG + limits) as running:
        for path in ("/echo/a", "/stream/a"):
            for _ in range(3):
                _refused_or_cut(_post(running, path, _body(8 << 20), reads=False), f"8 MiB to {path} with a spool of 2 MiB")
                body = _body(1 << 20)
                answer = _post(running, path, body, reads=False)
                equal(answer.status, 200, "one mebibyte")
                back = site.echoed(answer.body) if path == "/echo/a" else answer.body
                expect(back == body and answer.complete, "one mebibyte comes back")
        announced = cgi("/echo/a", "POST", CONTENT_LENGTH=17 << 20)
        with running.connect() as link:
            link.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(announced)))
            equal(link.response().status, 413, "a body that is announced too large")


@suite.test("with little memory a request may be refused, the host lives", timeout=60)
def _(t):
    if t.build.sanitizer:
        return  # it needs terabytes of address space

    def little():
        resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))

    with site.running(t.build, prepare=little) as running:
        links = []
        for number in range(300):  # each keeps the host's memory for its body
            link = running.connect()
            body = _body(200000)
            link.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(cgi("/slow", "POST", body, QUERY_STRING="ms=300")))
                      + fcgi.stream(fcgi.STDIN, body, end=number % 2 == 0))
            links.append(link)
        running.expect_well()
        for link in links:
            link.close()
        running.expect_well()
