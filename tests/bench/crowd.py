"""Clients that cost a host nothing but patience: connections that wait, and connections that are slow."""

import contextlib
import resource
import struct
import sys
import threading
import time

import peers  # noqa: F401  pylint: disable=unused-import  # finds `support`
from support import fcgi

SPARE = 200  # descriptors for everything else


def allow_descriptors(wanted):
    """Raises the soft limit, which the servers inherit; ends the program where the hard limit forbids."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + SPARE:
        sys.exit(f"RLIMIT_NOFILE allows {hard} descriptors at most, {wanted + SPARE} are needed (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < wanted + SPARE:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + SPARE, hard))


class Kept:
    """So many connections, each of which has had an answer and waits."""

    def __init__(self, address, count):
        self.wire = fcgi.request(fcgi.cgi("/bench/hello"), flags=fcgi.KEEP)
        self.first = None
        self.links = []
        for _ in range(count):
            self.links.append(fcgi.connect(address, 30.0))
            self.ask(self.links[-1])

    def ask(self, link):
        link.sendall(self.wire)
        answer = b""
        while self.first is None or len(answer) < len(self.first):
            if not (piece := link.recv(4096)):
                sys.exit("a kept connection was closed")
            answer += piece
            if self.first is None and answer.endswith(fcgi.record(fcgi.END, bytes(8))):
                self.first = answer
        if answer != self.first:
            sys.exit("a kept connection had another answer than the first")

    def ask_all(self):
        for link in self.links:
            self.ask(link)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for link in self.links:
            link.close()


class Slow:
    """So many clients that move a byte or so each 100 ms, for the time of a `with`: one in three sends its parameters so, one
    its body, and one reads so. Who is refused for it comes again."""

    every = 0.1

    def __init__(self, address, count):
        self.address, self.ended, self.served = address, threading.Event(), 0
        head = fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(fcgi.cgi("/bench/hello")))
        upload = (fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(fcgi.cgi("/bench/sink", "POST", b"x" * 60000))) +
                  struct.pack(">BBHHBB", 1, fcgi.STDIN, 1, 60000, 0, 0))
        download = fcgi.request(fcgi.cgi("/bench/download/16777216"))
        # What is sent at once, what of it byte by byte, and whether it reads.
        self.kinds = [(b"", head, False), (upload, b"x" * 60000, False), (download, b"", True)]
        self.clients = [self.begin(number) for number in range(count)]
        self.thread = threading.Thread(target=self.run)

    def begin(self, number):
        at_once, slowly, reads = self.kinds[number % len(self.kinds)]
        link = fcgi.connect(self.address)
        link.sendall(at_once)
        link.setblocking(False)
        return [link, memoryview(slowly), reads]

    def step(self, client):
        """False when it has to come again."""
        link, slowly, reads = client
        with contextlib.suppress(BlockingIOError):
            if reads:
                return bool(link.recv(1024))
            if not slowly:
                return False
            try:
                client[1] = slowly[link.send(slowly[:1]):]
            except OSError:
                return False
        return True

    def run(self):
        at, pause = 0, self.every / len(self.clients)
        following = time.monotonic()
        while not self.ended.wait(max(0.0, following - time.monotonic())):
            following += pause
            client = self.clients[at]
            if not self.step(client):
                client[0].close()
                self.clients[at] = self.begin(at)
            self.served += 1
            at = (at + 1) % len(self.clients)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for link, _, _ in self.clients:
            link.close()
