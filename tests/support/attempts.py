"""Requests, byte by byte, by which somebody might get around a guard: spellings of a path, hosts, methods, framings, and
headers that pretend to come from a guard."""

import contextlib
import dataclasses
import socket
import time

from support import refusals, web
from support.runner import Failure


# HTTP/2 without TLS, which lighttpd and h2o speak unless told not to.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
GOAWAY = b"\0\0\x08\x07" + bytes(13)


def _stream_has_ended(got):
    """Whether the first request over HTTP/2 is answered; servers may keep the connection longer."""
    at = 0
    while len(got) >= at + 9:
        size, kind, flags, stream = int.from_bytes(got[at:at + 3], "big"), got[at + 3], got[at + 4], got[at + 5:at + 9]
        at += 9 + size
        if kind in (0, 1) and flags & 1 and stream == b"\0\0\0\x01" and len(got) >= at:
            return True
    return False


def send(port, content, timeout=5.0):
    """What comes back until the server closes, falls silent for `timeout`, or breaks off; nothing is an answer too."""
    is_http2 = content.startswith(PREFACE)
    got = bytearray()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=timeout) as link:
        with contextlib.suppress(OSError):
            link.sendall(content)
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            piece = link.recv(65536)
            if not piece:
                break
            got += piece
            if is_http2 and _stream_has_ended(got):
                break
    return bytes(got)


def status_of(answer):
    """The status of the first answer in the bytes, 0 where there is none."""
    words = answer.split(b"\r\n", 1)[0].split(b" ")
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() else 0


def lines(headers):
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items())


def ask(target, credentials, method=b"GET", version=b"HTTP/1.1", host=b"localhost", more=b"", body=b""):
    head = method + b" " + target + b" " + version + b"\r\n"
    if host is not None:
        head += b"Host: " + host + b"\r\n"
    return head + lines(credentials) + more + b"Connection: close\r\n\r\n" + body


@dataclasses.dataclass
class Attempt:
    """`request(credentials)` are the bytes. `plain`: the path as it is, so that whoever may not have it gets no 2xx."""

    name: str
    request: object
    plain: bool = False


LIMIT = 1.0  # seconds that a strange request may stay without an answer


@dataclasses.dataclass
class Goal:
    """What is behind a guard at a port. `marks`: bytes that only who was let in can see. `good`, `bad`: headers."""

    port: int
    marks: tuple
    good: dict
    bad: list
    threads: int = 8

    def got_through(self, answer):
        return any(mark in answer for mark in self.marks)

    def try_all(self, made, credentials):
        """The answers to all attempts, in order."""
        return web.at_once(len(made), lambda number: send(self.port, made[number].request(credentials), LIMIT), self.threads)

    def expect_denied(self, made):
        """None of the attempts gets anything without credentials; how many do with them."""
        for headers in self.bad:
            found = []
            for attempt, answer in zip(made, self.try_all(made, headers)):
                status = status_of(answer)
                if self.got_through(answer) or attempt.plain and (200 <= status < 300 or status == 304):
                    found.append(f"{attempt.name} -> {answer[:60]!r} ... {answer[-40:]!r}")
            fail_with(found, f"attempts were GRANTED with {headers}")
        return sum(self.got_through(answer) for answer in self.try_all(made, self.good))


def fail_with(found, what):
    if found:
        raise Failure(f"{len(found)} {what}: " + "; ".join(map(str, found[:10])))


def spelled(first, rest):
    """An attempt for each of the spellings."""
    return [Attempt(repr(each), lambda credentials, each=each: ask(each.encode("latin-1"), credentials))
            for each in spellings(first, rest)]


def spellings(first, rest):
    """/first/rest, written so that one of two parsers may take it for that, and the other for something unguarded."""
    path = f"/{first}/{rest}"
    upper = "".join(f"%{ord(letter):02X}" for letter in path[1:])
    more = [
        # encoded, once and more often
        f"/{upper}", f"/%2{path}", f"%2f{first}/{rest}", f"/{first}%2F{rest}", f"/{first}%252f{rest}", f"/{first}%25252f{rest}",
        f"/%25{ord(first[0]):02x}{first[1:]}/{rest}", f"/{first}/%2e/{rest}", f"/{first}/%2e%2e%2f{first}/{rest}",
        f"/{first}/{rest[:-1]}%{ord(rest[-1]):02x}", f"/{first}/{rest}%2f", f"/{first}%u002f{rest}", f"/%u0070{first[1:]}/{rest}",
        # UTF-8 that is none, or looks like a slash or a dot
        f"/app/%c0%ae%c0%ae%c0%af{first}/{rest}", f"/{first}%c0%af{rest}", f"/{first}%e0%80%af{rest}",
        f"/{first}%f0%80%80%af{rest}", f"/{first}%ef%bc%8f{rest}", f"/app/%ef%bc%8e%ef%bc%8e/{first}/{rest}", f"/%ff/../{first}/{rest}",
        # dots and semicolons
        f"/app/open.txt/../../{first}/{rest}", f"/app/%2e%2e;/{first}/{rest}", f"/app/;/../{first}/{rest}", f"/;/{first}/{rest}",
        f"/;x=y/{first}/{rest}", f"/{first};x=y/{rest}", f"/{first}/;x/../{rest}", f"/{first}/{rest}/..;/{rest}", f"/{first}/{rest}.",
        f"/{first}./{rest}", f"/.../{first}/{rest}", f"/{first}/{rest}/x/..", f"/x/../{first}/{rest}", f"/../{first}/{rest}",
        f"/../../../../{first}/{rest}", f"/./././{first}/{rest}", f"/{first}/../{first}/{rest}", f"/.{path}", f"/app/..{path}",
        # slashes
        f"///{first}///{rest}", f"//{first}//{rest}//", f"/{first}/{rest}//", f"/\\{first}\\{rest}", f"/app\\..\\{first}\\{rest}",
        f"\\{first}\\{rest}", f"/app/..%5C{first}%5C{rest}", f"/{first}%5c..%5c{first}/{rest}",
        # queries and fragments
        f"/app/open.txt?/../../{first}/{rest}", f"/app/open.txt%3f/../../{first}/{rest}", f"/{first}/{rest}?", f"/{first}/{rest}#x",
        f"/{first}/{rest}%23", f"/#/../{first}/{rest}", f"/?{path}", f"/app/%23/../../{first}/{rest}",
        # escapes that are none
        f"/{first}/{rest}%4", f"/{first}/{rest}%%", f"/{first}/%{rest}", f"/%{first}/{rest}", f"/{first}/%2", f"/{first}/{rest}%g0",
        f"/{first}/{rest}?%zz", f"/{first}/%zz/%2e%2e/{rest}", f"/app/%/../../{first}/{rest}",
        # control characters, blanks, case
        f"/{first}/{rest}%20", f"/{first}/{rest}%09", f"/{first}%00/{rest}", f"/app%00/../{first}/{rest}", f"/{first}/{rest}%0d%0a",
        f"/{first}/{rest}%7f", f"/{first.capitalize()}/{rest}", f"/{first}/{rest.upper()}", f"/{first}/{rest}\x00", f"/{first}/{rest}\t",
        f"/{first}\x0b/{rest}", f"/\xa0{first}/{rest}", f"/{first}/{rest}\x85",
        # other forms of a target
        f"{first}/{rest}", f"//localhost{path}", f"http:{path}", f"http:/{path}", f"http:///{first}/{rest}",
        f"http://localhost//{first}/{rest}",
        f"HTTP://LOCALHOST/{first}/{rest}", f"https://localhost{path}", f"http://ann@localhost{path}", f"http://localhost:1{path}",
        f"http://localhost/app/..{path}", f"http://localhost/%2e%2e{path}", f"ftp://localhost{path}", f"file://{path}",
        "*", "http://localhost",
        f"localhost{path}", f"http://localhost?{path}", f"http://localhost#{path}", f"unix:/tmp/x|http://localhost{path}",
    ]
    return list(dict.fromkeys([*refusals.spellings(first, rest, "app"), *more]))


HOSTS = [b"localhost", b"LOCALHOST", b"localhost.", b"localhost:80", b"localhost:99999", b"localhost:", b"127.0.0.1", b"[::1]",
         b"example.org", b"", b"localhost, example.org", b"localhost/app/", b"localhost@example.org", b"_", b"..", b"a" * 300,
         b"localhost%00", b"local\x00host", b"*"]

METHODS = [b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PROPFIND", b"MKCOL", b"COPY", b"LOCK",
           b"PURGE", b"get", b"Get", b"GETX", b"FROBNICATE", b"G\tET", b"SUBSCRIBE", b"QUERY", b"PRI", b"HEAD "]

# Of these a server tells what it can do, or what it was sent: nothing of the resource.
TELLS_NOTHING = (b"OPTIONS", b"TRACE", b"CONNECT", b"PRI")


def http2(path, credentials, more=()):
    """One request over HTTP/2; names and values are written as they are, which HPACK allows."""
    fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"localhost"), (b":path", path), *more,
              *((name.lower().encode(), value.encode()) for name, value in credentials.items())]
    block = b"".join(b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields)
    return PREFACE + len(block).to_bytes(3, "big") + b"\x01\x05\0\0\0\x01" + block + GOAWAY


def _with(path, **more):
    return lambda credentials: ask(path, credentials, **more)


def plain_path(path):
    """Attempts at the path as it is: other hosts, methods, versions, framings, and a grant before on the same connection."""
    made = [Attempt(f"Host {host[:40]!r}", _with(path, host=host), True) for host in HOSTS]
    made += [Attempt(f"method {method!r}", _with(path, method=method), method not in TELLS_NOTHING) for method in METHODS]
    chunked = b"Transfer-Encoding: chunked\r\n"
    smuggled = b"0\r\n\r\nGET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    absolute = b"http://localhost" + path
    for name, more in {
            "no Host": {"host": None}, "no Host, HTTP/1.0": {"host": None, "version": b"HTTP/1.0"},
            "HTTP/1.0": {"version": b"HTTP/1.0"}, "HTTP/1.2": {"version": b"HTTP/1.2"}, "HTTP/2.0": {"version": b"HTTP/2.0"},
            "HTTP/0.9": {"version": b"HTTP/0.9"}, "http/1.1": {"version": b"http/1.1"}, "two blanks": {"version": b" HTTP/1.1"},
            "two Hosts": {"more": b"Host: example.org\r\n"}, "POST": {"method": b"POST", "more": b"Content-Length: 3\r\n", "body": b"a=b"},
            "POST, override": {"method": b"POST", "more": b"X-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n"},
            "GET with a body": {"more": b"Content-Length: 3\r\n", "body": b"abc"},
            "GET chunked": {"more": chunked, "body": b"3\r\nabc\r\n0\r\n\r\n"},
            "both lengths": {"more": chunked + b"Content-Length: 4\r\n", "body": smuggled},
            "length, then chunked": {"more": b"Content-Length: %d\r\n" % len(smuggled) + chunked, "body": smuggled},
            "a bad length": {"more": b"Content-Length: -1\r\n"}, "a range": {"more": b"Range: bytes=0-3\r\n"},
            "If-None-Match": {"more": b"If-None-Match: *\r\n"},
            "If-Modified-Since": {"more": b"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n"},
            "Expect": {"method": b"PUT", "more": b"Expect: 100-continue\r\nContent-Length: 3\r\n", "body": b"abc"},
            "an upgrade to h2c": {"more": b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
                                          b"Connection: Upgrade, HTTP2-Settings\r\n", "body": PREFACE + GOAWAY},
            "an upgrade": {"more": b"Upgrade: websocket\r\nConnection: Upgrade\r\n"},
            "X-Original-URL": {"more": b"X-Original-URL: /app/open.txt\r\nX-Rewrite-URL: /app/open.txt\r\n"},
            "X-Forwarded": {"more": b"X-Forwarded-Uri: /app/open.txt\r\nX-Forwarded-Method: OPTIONS\r\nX-Forwarded-Host: x\r\n"},
            "a folded header": {"more": b"X-A: b\r\n c: d\r\n"}, "a blank before the colon": {"more": b"X-Api-Key : wrong\r\n"},
    }.items():
        made.append(Attempt(name, _with(path, **more), True))
    for name, host in (("against Host", b"example.org"), ("without Host", None)):
        made.append(Attempt(f"absolute form {name}", _with(absolute, host=host), True))
        made.append(Attempt(f"absolute form {name}, HTTP/1.0", _with(absolute, host=host, version=b"HTTP/1.0"), True))
    for each in (path, b"/" + path, b"/app/.." + path, b"http://localhost" + path, path + b"/", path.replace(b"/", b"%2f"), path[1:]):
        made.append(Attempt(f"HTTP/2 {each!r}", lambda credentials, each=each: http2(each, credentials)))
    made.append(Attempt("HTTP/2, two paths", lambda credentials: http2(path, credentials, [(b":path", b"/app/open.txt")])))
    made.append(Attempt("HTTP/0.9, without a version", lambda credentials: b"GET " + path + b"\r\n\r\n"))
    made.append(Attempt("tabs", lambda credentials: ask(path, credentials).replace(b" ", b"\t", 2), True))
    made.append(Attempt("bare line ends", lambda credentials: ask(path, credentials).replace(b"\r\n", b"\n"), True))
    made.append(Attempt("an empty line before", lambda credentials: b"\r\n" + ask(path, credentials), True))
    made.append(Attempt("a request for something else before", lambda credentials: (
        b"GET /app/open.txt HTTP/1.1\r\nHost: localhost\r\n\r\n" + ask(path, credentials))))
    return made


def pretending(variables, value):
    """Headers by which a client would have a guard's variable be `value`."""
    made = []
    for name in variables:
        dashed = name.replace("_", "-")
        written = {dashed, name, dashed.title(), dashed.lower(), name.lower(), dashed.capitalize(), name.capitalize()}
        # What makes variables of headers takes more than a dash for an underscore.
        written |= {name.replace("_", each).title() for each in ".~!#$&'*+^`|" if each + "x" not in name}
        written |= {f"{prefix}{each}" for each in set(written)
                    for prefix in ("Variable-", "variable_", "VARIABLE-", "Variable_", "X-", "HTTP_", "HTTP-", "X-Trivet-", "Trivet-")}
        made += [f"{each}: {value}\r\n" for each in sorted(written)]
        made += [f"{dashed} : {value}\r\n", f"{dashed}\t: {value}\r\n", f"{name}\x00: {value}\r\n", f" {dashed}: {value}\r\n",
                 f"Variable-{dashed}: {value}\r\nVariable-{dashed}: {value}\r\n", f"X: y\r\n {dashed}: {value}\r\n",
                 f"X: y\n{dashed}: {value}\r\n", f"X: y\r{dashed}: {value}\r\n", f"{dashed}:{value}\r\nConnection: {dashed}\r\n",
                 f"Connection: Variable-{dashed}\r\n", f"Connection: Variable-{name.capitalize()}, close\r\n",
                 f"Variable-{dashed}: {value}\r\nConnection: Variable-{dashed}\r\n", f"Trailer: {dashed}\r\n"]
    for name, given in (("Authorization", "Basic bWFsbG9yeTp4"), ("Authorization", "Digest username=mallory"), ("Auth-Type", "Basic"),
                        ("Proxy-Authorization", "Basic bWFsbG9yeTp4"), ("Trivet-Route", "app"), ("TRIVET_ROUTE", "app"),
                        ("Trivet-Role", "responder"), ("TRIVET_ROLE", "filter"), ("Trivet-Path", "/app/open.txt"),
                        ("Trivet-Method", "OPTIONS"), ("FCGI-ROLE", "RESPONDER"), ("FCGI_APACHE_ROLE", "AUTHORIZER"),
                        ("Connection", "X-Api-Key"), ("Connection", "close, X-Api-Key"), ("Proxy", "http://mallory"),
                        ("Content-Type", "mallory"), ("Cookie", "REMOTE_USER=mallory"), ("Forwarded", "for=mallory")):
        made.append(f"{name}: {given}\r\n")
    return [each.encode("latin-1") for each in dict.fromkeys(made)]
