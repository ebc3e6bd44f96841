"""HTTP clients: one request on a connection of its own, and many at once."""

import concurrent.futures
import http.client
import socket
import time


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        values = [value for each, value in self.headers if each.lower() == name.lower()]
        return ", ".join(values) if values else None

    def __repr__(self):
        return f"Answer({self.status}, {self.headers}, {self.body[:200]!r})"


def ask(port, uri, method="GET", body=None, headers=None, timeout=20.0, chunked=False):
    """`body` may be an iterable of bytes: sent chunked."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        link.request(method, uri, body=body, headers={"Connection": "close", **(headers or {})}, encode_chunked=chunked)
        answer = link.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        link.close()


class Kept:
    """Requests one after another on one kept connection; opened again when the server ended it."""

    def __init__(self, port, timeout=20.0):
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, uri, method="GET", body=None, headers=None):
        self.link.request(method, uri, body=body, headers=headers or {})
        answer = self.link.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())

    def close(self):
        self.link.close()


def at_once(count, work, threads=64):
    """work(0), work(1), ... on many threads; the results in order. The first exception is raised."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(count, threads)) as pool:
        return list(pool.map(work, range(count)))


def raw(port, content, timeout=20.0, pause=0.0):
    """Bytes as they are, and everything that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as link:
        link.sendall(content)
        time.sleep(pause)
        got = bytearray()
        while piece := link.recv(65536):
            got += piece
        return bytes(got)
