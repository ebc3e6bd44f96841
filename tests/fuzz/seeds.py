#!/usr/bin/python3
"""Writes the seeds of the fuzz targets that were made by hand: tests/fuzz/corpus/TARGET/NAME.

Their contents are here, where a person can read and change them. What a fuzzer found lies beside them under other names
and is left alone.
"""

import pathlib
import re
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, DATA, GET_VALUES = 1, 2, 3, 4, 5, 6, 8, 9
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3


def record(kind, number, content=b"", padding=0, version=1, reserved=0):
    return struct.pack(">BBHHBB", version, kind, number, len(content), padding, reserved) + content + b"\xee" * padding


def begin(number, role, flags=1):
    return record(BEGIN, number, struct.pack(">HB5x", role, flags))


def length(size, long=False):
    return struct.pack(">I", size | 1 << 31) if long or size > 127 else bytes([size])


def pair(name, value, long=False):
    name, value = name.encode(), value.encode()
    return length(len(name), long) + length(len(value), long) + name + value


def request(number, role, params=b"", body=b"", data=b""):
    out = begin(number, role) + (record(PARAMS, number, params, 3) if params else b"") + record(PARAMS, number)
    if role != AUTHORIZER:
        out += (record(STDIN, number, body) if body else b"") + record(STDIN, number)
    if role == FILTER:
        out += (record(DATA, number, data) if data else b"") + record(DATA, number)
    return out


def framing():
    names = pair("A", "b")
    yield "responder", request(4, RESPONDER, names, b"body")
    yield "authorizer", request(4, AUTHORIZER, names)
    yield "authorizer-with-body", request(2, AUTHORIZER, names) + record(STDIN, 2, b"late") + record(STDIN, 2)
    yield "filter", request(4, FILTER, names, b"body", b"data")
    yield "two-interleaved", (begin(4, RESPONDER) + begin(8, FILTER) + record(PARAMS, 8, names) + record(PARAMS, 4, names) +
                              record(PARAMS, 4) + record(PARAMS, 8) + record(STDIN, 8, b"x") + record(STDIN, 4, b"y") +
                              record(STDIN, 4) + record(STDIN, 8) + record(DATA, 8))
    yield "answered-early-then-more", request(5, RESPONDER, names, b"body that nobody reads")
    yield "refused-id", request(3, RESPONDER, names, b"body")
    yield "same-id-again", request(4, RESPONDER, names) + request(4, AUTHORIZER, names)
    yield "padded-empty-records", (begin(4, RESPONDER) + record(PARAMS, 4, b"", 255) + record(STDIN, 4, b"x", 255) +
                                   record(STDIN, 4, b"", 7))
    yield "content-and-padding-of-their-own-length", record(STDIN, 9, b"\1" * 300, 255, reserved=255) + begin(4, RESPONDER)
    yield "abort-in-params", begin(4, RESPONDER) + record(PARAMS, 4, names) + record(ABORT, 4) + record(PARAMS, 4)
    yield "abort-in-body", begin(6, RESPONDER) + record(PARAMS, 6) + record(STDIN, 6, b"x") + record(ABORT, 6, b"junk")
    yield "abort-twice", begin(6, AUTHORIZER) + record(ABORT, 6) + record(ABORT, 6)
    yield "body-before-params-end", begin(4, RESPONDER) + record(PARAMS, 4, names) + record(STDIN, 4, b"x")
    yield "data-before-body-end", begin(4, FILTER) + record(PARAMS, 4) + record(STDIN, 4, b"x") + record(DATA, 4, b"x")
    yield "data-for-a-responder", begin(4, RESPONDER) + record(DATA, 4, b"x") + record(PARAMS, 4) + record(STDIN, 4)
    yield "params-after-their-end", begin(4, RESPONDER) + record(PARAMS, 4) + record(PARAMS, 4, names)
    yield "begin-on-active-id", begin(4, RESPONDER) + begin(4, RESPONDER)
    yield "begin-on-id-0", begin(0, RESPONDER)
    yield "begin-of-nine-bytes", record(BEGIN, 4, bytes(9))
    yield "unknown-role", begin(4, 4) + begin(5, 0, 0) + begin(6, 0x0101) + request(4, RESPONDER)
    yield "get-values", record(GET_VALUES, 0, pair("FCGI_MAX_REQS", "") + pair("FCGI_MPXS_CONNS", "") * 3)
    yield "get-values-cut-pair", record(GET_VALUES, 0, b"\x0e\x00FCGI_MAX")
    yield "get-values-within-params", begin(4, RESPONDER) + record(PARAMS, 4, names) + record(GET_VALUES, 0) + record(PARAMS, 4)
    yield "unknown-type-for-nobody", record(99, 0, b"\1\4\0\4\0\0\0\0", 5) + record(255, 0)
    yield "unknown-type-for-a-request", begin(4, RESPONDER) + record(99, 4, b"xyz") + record(PARAMS, 4)
    yield "application-type", begin(4, RESPONDER) + record(STDOUT, 4, b"x")
    yield "version-2", begin(4, RESPONDER) + record(PARAMS, 4, version=2)
    yield "http", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "cut-header", begin(4, RESPONDER) + b"\1\4\0\4\0"
    yield "inactive-ids", record(PARAMS, 7, names) + record(STDIN, 7, b"x") + record(ABORT, 7) + request(4, RESPONDER)
    yield "split-at-64k", b"\1" + b"\xc8" + b"\1\0\4"


def pairs():
    usual = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/a?b"), ("HTTP_HOST", "h"), ("CONTENT_LENGTH", "")]
    yield "usual", b"".join(pair(*each) for each in usual)
    yield "long-lengths", b"".join(pair(*each, long=True) for each in usual)
    yield "value-of-128", pair("A", "b" * 128)
    yield "both-empty", b"\0\0" * 5
    yield "cut-length", pair("A", "b") + b"\x80\0\0"
    yield "cut-value", pair("A", "b") + b"\1\5Bcd"
    yield "lengths-that-wrap-together", b"\xff\xff\xff\xff" * 2 + b"A"
    yield "length-near-2-to-31", b"\xff\xff\xff\xff\1A"
    yield "nul-in-value", pair("A", "b\0c")
    yield "empty-name", b"\0\1x"
    yield "repeated-header", pair("HTTP_X", "1") + pair("HTTP_X", "2") + pair("HTTP_X", "2") + pair("HTTP_X", "1")
    yield "repeated-cookie", pair("HTTP_COOKIE", "a=1") + pair("HTTP_COOKIE", "b=2")
    yield "repeated-host", pair("HTTP_HOST", "a") + pair("HTTP_HOST", "a") + pair("HTTP_HOST", "b")
    yield "repeated-authorization", pair("HTTP_AUTHORIZATION", "a") + pair("HTTP_AUTHORIZATION", "b")
    yield "repeated-length", pair("CONTENT_LENGTH", "1") + pair("A", "") + pair("CONTENT_LENGTH", "2") + pair("CONTENT_LENGTH", "1")
    yield "repeated-method", pair("REQUEST_METHOD", "GET") + pair("REQUEST_METHOD", "POST")
    yield "repeated-steering", pair("TRIVET_ROUTE", "a") + pair("TRIVET_ROUTE", "b")
    yield "last-override-wins", pair("SCRIPT_NAME", "/a") + pair("REMOTE_USER", "x") + pair("SCRIPT_NAME", "/b")
    yield "proxy-header", pair("HTTP_PROXY", "http://evil") + pair("HTTP_PROXY", "")
    yield "capacity-asked", pair("FCGI_MAX_CONNS", "") + pair("FCGI_MAX_REQS", "1") + pair("FCGI_MPXS_CONNS", "") + pair("FCGI_MAX_CONNS", "")


NOTE = (b'{"name":"p","version":"1.0","abi":"0.1","sdk":"0.1","roles":["responder","authorizer","filter"],'
        b'"flags":["never_blocks","shared_instance","wants_short","later"]}')


def note_bytes(text, owner=b"Trivet\0", kind=0x54520001):
    padded = owner + b"\0" * (-len(owner) % 4)
    return struct.pack("<III", len(owner), len(text), kind) + padded + text + b"\0" * (-len(text) % 4)


def elf(notes, runpath=b"", machine=62, kind=3, load_size=None, tag=29):
    """A shared object of nothing but headers, notes and a dynamic section."""
    count, at = 3, 64 + 3 * 56
    strings = b"\0" + runpath + b"\0"
    dynamic = struct.pack("<qQqQqQ", 5, at + len(notes), tag, 1, 0, 0) if runpath else struct.pack("<qQ", 0, 0)
    total = at + len(notes) + len(strings) + len(dynamic)
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)

    def segment(kind, offset, size):
        return struct.pack("<IIQQQQQQ", kind, 4, offset, offset, offset, size, size, 4)
    return (header + segment(1, 0, total if load_size is None else load_size) + segment(4, at, len(notes)) +
            segment(2, at + len(notes) + len(strings), len(dynamic)) + notes + strings + dynamic)


def note():
    whole = note_bytes(NOTE)
    yield "plugin", elf(whole)
    yield "second-note", elf(note_bytes(b"\1\2\3\4\5", b"GNU\0", 3) + whole)
    yield "other-notes-only", elf(note_bytes(b"build id", b"GNU\0", 3))
    yield "runpath-of-the-system", elf(whole, b"/usr/lib/x")
    yield "runpath-beside-the-file", elf(whole, b"$ORIGIN/../lib")
    yield "rpath-beside-the-file", elf(whole, b"${ORIGIN}", tag=15)
    yield "other-machine", elf(whole, machine=183)
    yield "program-not-library", elf(whole, kind=2)
    yield "segment-beyond-the-file", elf(whole, load_size=100000)
    yield "note-of-4-gib", elf(struct.pack("<III", 7, 0xffffffff, 0x54520001) + b"Trivet\0\0")
    yield "owner-of-4-gib", elf(struct.pack("<III", 0xffffffff, 8, 0x54520001) + b"Trivet\0\0")
    yield "empty-note", elf(note_bytes(b""))
    yield "note-segment-of-no-bytes", elf(b"")
    yield "cut-file", elf(whole)[:200]
    yield "json", NOTE
    yield "json-unknown-role", NOTE.replace(b"filter", b"sink")
    yield "json-other-abi", NOTE.replace(b'"0.1","sdk', b'"65536.1","sdk')
    yield "json-deep", b'{"x":' + b"[" * 40
    yield "json-settings", NOTE[:-1] + (
        b',"settings":{"type":"object","properties":{"a":{"type":"string","minLength":1,"maxLength":9,"enum":["x"]},'
        b'"b":{"type":"integer","minimum":-1,"maximum":1e3},"c":{"type":"array","minItems":0,"maxItems":2,"items":'
        b'{"type":"object","additionalProperties":{"type":"number"}}},"d":{"type":"boolean"}},"required":["a","c"],'
        b'"additionalProperties":false}}')
    yield "json-settings-turned", NOTE[:-1] + (
        b',"settings":{"type":"object","properties":{"a":{"type":"string","minLength":9,"maxLength":1}}}}')
    yield "json-no-list", NOTE.replace(b"[", b"{").replace(b"]", b"}")


def path():
    def lines(uri, wide="/**", narrow="/a/*", fillings="x y"):
        return "\n".join((uri, wide, narrow, fillings)).encode("utf-8", "surrogateescape")
    yield "plain", lines("/a/b", "/a/**", "/a/b")
    yield "root", lines("/", "/**", "/")
    yield "absolute-form", lines("http://h:80/a/b?c#d")
    yield "absolute-form-without-path", lines("http://h?x")
    yield "no-scheme", lines("://h/a")
    yield "query-with-dots", lines("/a?/../b")
    yield "encoded-slash", lines("/a%2Fb/c", "/*/c", "/a/b/c")
    yield "dot-dot", lines("/a/../b")
    yield "dot-dot-encoded", lines("/a/%2e%2E/b")
    yield "dot-dot-encoded-twice", lines("/a/%252e%252e/b")
    yield "dot-dot-encoded-three-times", lines("/a/%25252e%25252e/b")
    yield "dot-dot-with-encoded-parts-of-an-escape", lines("/a/%252%2565./b")
    yield "dot-dot-before-parameter", lines("/a/..;x=1/b")
    yield "dot-dot-before-encoded-parameter", lines("/a/..%3b/b")
    yield "dot-dot-behind-encoded-slash", lines("/a/x%2f../b")
    yield "dot-dot-before-encoded-slash", lines("/a/..%2fb")
    yield "dot-dot-overlong", lines("/a/\udcc0\udcae\udcc0\udcae/b")
    yield "dot-dot-overlong-encoded-twice", lines("/a/%25c0%25ae./b")
    yield "three-dots", lines("/.../.a/a./")
    yield "backslash", lines("/a%5cb")
    yield "nul", lines("/a%00b")
    yield "control", lines("/a%7f")
    yield "tab", lines("/a%09")
    yield "broken-escape", lines("/a%2")
    yield "escape-of-no-digits", lines("/%zz")
    yield "percent-that-is-data", lines("/100%25")
    yield "double-slash", lines("/a//b", "/a/**/b", "/a/*/b")
    yield "trailing-slash", lines("/a/b/", "/a/b/**", "/a/b")
    yield "utf-8", lines("/\u00e4/%c3%a4")
    yield "not-utf-8", lines("/%ff")
    yield "utf-8-cut-by-a-slash", lines("/\udcc3/\udca4")
    yield "overlong-cut-by-a-slash", lines("/\udcc0/\udcae")
    yield "surrogate", lines("/%ed%a0%80")
    yield "stars-within-a-segment", lines("/abcabd", "/a*b*d", "/*a*b*")
    yield "stars-of-segments", lines("/a/b/c/b/c", "/**/b/**/c", "/a/**/c", "q r/s")
    yield "cover", lines("/a", "/a/**", "/a/*/b", "x")
    yield "cover-by-any", lines("/a", "/*/b*", "/a*/bc", "/x y")


def head():
    def text(value):
        return bytes([len(value)]) + value

    def named(name, value, what=3):
        return bytes([what, 15]) + text(name) + text(value)

    def known(number, value, what=3):
        return bytes([what, number]) + text(value)
    rules = b"\xff\x59\1\1"
    yield "nothing", rules
    yield "usual", rules + b"\0\0\xc8" + known(1, b"text/html") + named(b"X-A", b"1") + known(0, b"5")
    yield "length-of-the-host", b"\xff\x59\0\0\0\7" + known(0, b"9") + known(0, b"9")
    yield "location", rules + known(2, b"/there")
    yield "no-content", rules + b"\0\0\xcc" + known(0, b"5") + known(1, b"a/b")
    yield "not-modified", b"\xff\x59\0\0\0\7" + b"\0\1\x30" + known(1, b"a/b")
    yield "replaced", rules + named(b"A", b"1") + named(b"a", b"2", 2) + named(b"A", b"", 1)
    yield "hosts-own", rules + known(3, b"200 OK") + known(4, b"chunked") + known(5, b"x") + known(8, b"trailers")
    yield "line-break-in-value", rules + named(b"A", b"b\r\nSet-Cookie: c") + named(b"A", b"b\nc") + named(b"A", b"b\rc")
    yield "nul-in-value", rules + named(b"A", b"b\0c") + named(b"A", b"\tb")
    yield "colon-in-name", rules + named(b"A: b", b"c") + named(b"", b"c") + named(b"A ", b"c") + named(b"A\r\n", b"c")
    yield "length-too-large", rules + known(0, b"9223372036854775808") + known(0, b"0009223372036854775807") + known(0, b"-1")
    yield "too-many-bytes", b"\0\x59\1\1" + 3 * named(b"X", b"v" * 200)
    yield "too-many-fields", b"\xff\2\1\1" + 3 * named(b"X", b"v")
    yield "statuses", rules + b"".join(b"\0" + struct.pack(">H", each) for each in (99, 100, 199, 200, 599, 600))
    variable = b"\2" + text(b"REMOTE_USER") + text(b"ann")
    yield "verdict-allow", variable + b"\0" + b"\2" + text(b"A_1") + text(b"")
    yield "verdict-deny", b"\1" + struct.pack(">H", 403)
    yield "verdict-allow-after-deny", b"\1" + struct.pack(">H", 403) + b"\0"
    yield "verdict-allow-deny-allow", b"\0\1" + struct.pack(">H", 403) + b"\0"
    yield "verdict-allow-after-deny-with-200", b"\1" + struct.pack(">H", 200) + b"\0"
    yield "verdict-taken-names", b"".join(b"\2" + text(name) + text(b"x") for name in
                                         (b"HTTP_X", b"PATH", b"LD_PRELOAD", b"SERVER_NAME", b"TRIVET_ROUTE", b"a", b"A-B", b""))
    yield "verdict-line-break", b"\2" + text(b"REMOTE_USER") + text(b"a\r\nStatus: 200") + b"\2" + text(b"A\nB") + text(b"c")
    yield "text-crlf", b"Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nbody\r\n\r\n"
    yield "text-lf", b"Content-Type: text/plain\nStatus: 200\n\nbody"
    yield "text-mixed-ends", b"A: b\r\r\nC: d\n\r\nbody"
    yield "text-no-field", b"HTTP/1.1 200 OK\r\n\r\n"
    yield "text-status-of-two-digits", b"Status: 20\r\n\r\n"
    yield "text-status-with-more", b"STATUS:\t 302x\r\n\r\n"
    yield "text-cut", b"Status: 200 OK\r\nA: b\r\n"


def config():
    plugin = '[plugin.p]\nfile = "/proc/self/exe"\n'
    full = ('[server]\nprocesses = 0\nshutdown_grace = "6s"\n[[listen]]\nname = "web"\naddress = "unix:/run/t.sock"\n'
            'mode = "0660"\n[[listen]]\naddress = "tcp:127.0.0.1:9000"\naccept_steering = false\n'
            '[limits]\nwindow = "64KiB"\ndata_bytes = "unlimited"\nidle_time = "off"\n' + plugin +
            'threads = 2\nconfig = { a = [1, 2.5, true, "x", { b = "c" }] }\n'
            '[[route]]\nname = "r"\nlisten = ["web"]\npath = "/a/**"\nhosts = ["h.example"]\nmethods = ["GET"]\n'
            'authorize = ["p", "allow"]\nauthorize_on = ["authorizer"]\nvariables = ["REMOTE_USER"]\nrespond = "p"\n'
            'filter = ["p"]\ntimeout = "30s"\n[log]\nlevel = "info"\n')
    yield "everything", full.encode()
    yield "minimal", (plugin + '[[listen]]\naddress = "fd:0"\n[[route]]\nrespond = "p"\n').encode()
    yield "empty", b""
    yield "unknown-keys", b"[serverr]\n[server]\nprocessess = 1\n[[route]]\npaht = 1\n"
    yield "wrong-types", b"server = 1\nlisten = {}\nroute = [1, []]\nplugin = []\n[limits]\nwindow = 1\n[log]\nlevel = true\n"
    yield "no-such-plugin", b'[[listen]]\naddress = "fd:0"\n[[route]]\nrespond = "nope"\nfilter = ["q"]\nauthorize = []\n'
    yield "settings", (plugin + 'threads = 0\nconfig = { text = "ab", word = "one", integer = 2, real = 1.5, boolean = true, '
                       'list = ["a"], table = { inner = 1 } }\n[[listen]]\naddress = "fd:0"\n[[route]]\nrespond = "p"\n').encode()
    yield "settings-wrong", (plugin + 'config = { word = "twi", integer = 9, real = nan, boolean = 1, list = [1, 2, 3, 4], '
                             'table = { iner = 1 }, other = 1979-05-27 }\n[[listen]]\naddress = "fd:0"\n[[route]]\n'
                             'authorize = ["p"]\nfilter = ["p"]\n').encode()
    yield "same-names", (plugin + '[[listen]]\naddress = "fd:0"\n[[listen]]\naddress = "fd:0"\n' +
                         2 * '[[route]]\nname = "r"\nrespond = "p"\n').encode()
    yield "shadowed", (plugin + '[[listen]]\naddress = "fd:0"\n[[route]]\nrespond = "p"\n[[route]]\npath = "/a"\n'
                       'authorize = ["deny"]\nrespond = "p"\n').encode()
    yield "broken-toml", b"[server\nx = \n"
    yield "line-ends-in-text", b'[server]\r\nadmin = "unix:\r\n'
    yield "not-utf-8", b"[server]\n# \xff\n"
    yield "byte-order-mark", b"\xef\xbb\xbf[server]\nx = 1\n"
    yield "escapes-for-a-terminal", '[server]\n"\\u001b[2J\\u202e" = "\\u0007"\n'.encode()
    yield "deep-dots", b"a" + b".a" * 40 + b" = 1\n"
    yield "deep-lists", b"a = " + b"[" * 300
    yield "deep-lists-that-end", b"a = " + b"[" * 80 + b"]" * 80
    yield "environment", b'[log]\ntarget = "${env:X}"\n[plugin.p]\nfile = "${env:"\n'
    yield "wide-characters", "[server]\n\"\u4e2d\u0301\U0001f600\" = \"\t\" \u00e4\n".encode()
    for name, value in (("size", "64KiB"), ("size-guessed", "64 kb"), ("time", "250ms"), ("time-guessed", "5 Sec"),
                        ("mode", "0660"), ("address-unix", "unix:/run/../run//t.sock"), ("address-tcp", "tcp:[::1]:9000"),
                        ("address-abstract", "unix:@x"), ("address-folder", "unix:/run/.."), ("size-beyond-63-bits", "9223372036854775807GiB")):
        yield "value-" + name, value.encode()


# What a step of scenario.hpp is called, by its number; likewise the tables of scenario.cpp.
STEPS = ("begin params params_end body body_end data data_end abort request record bytes get_values take read_at_most "
         "advance end").split()
SIZES = (0, 1, 100, 1000, 4095, 9000, 30000, 65535)
IDS = (1, 2, 3, 65535, 256, 0)
TIMES = (1, 20, 500, 2000, 5000, 60000)


def usual_params():
    """The table of that name in scenario.cpp, read from it."""
    text = (CORPUS.parent / "scenario.cpp").read_text()
    table = text.split("usual_params[] = {", 1)[1].split("};", 1)[0]
    return [tuple(each) for each in re.findall(r'\{"([^"]*)",\s*"([^"]*)"\}', table)]


def step(name, *rest, how=0, side=0):
    return bytes([STEPS.index(name) + 16 * how + 64 * side]) + bytes(rest)


def connection():
    table = usual_params()

    def names(*wanted):
        return bytes([len(wanted)]) + bytes(table.index(each) for each in wanted)

    def to(*pairs):
        return names(*(("REQUEST_URI", each) if isinstance(each, str) else each for each in pairs))

    def ask(role, params, body=0, data=0, number=1, flags=0xff, how=0, side=0):
        sizes = bytes([SIZES.index(body)]) + (bytes([SIZES.index(data)]) if role == FILTER else b"")
        return step("request", IDS.index(number), role - 1, flags, how=how, side=side) + sizes + params
    good = ("HTTP_X_KEY", "good")

    def begun(role, number=1, how=0):
        return step("begin", IDS.index(number), role, 1, how=how)
    yield "granted", ask(AUTHORIZER, to("/secret/x", good))
    yield "granted-byte-by-byte", ask(AUTHORIZER, to("/secret/x", good), how=2)
    yield "granted-without-uri", ask(AUTHORIZER, to(good))
    yield "denied", ask(AUTHORIZER, to("/secret/x", ("HTTP_X_KEY", "bad")))
    for key in ("throw", "nothing", "redirect", "deny200", "challenge"):
        yield "guard-" + key, ask(AUTHORIZER, to("/secret/x", ("HTTP_X_KEY", key))) + ask(RESPONDER, to(("HTTP_X_KEY", key)))
    yield "denied-by-name", ask(AUTHORIZER, to("/secret/x", good, ("HTTP_X_DENY", "1")))
    yield "guard-without-a-word", ask(AUTHORIZER, to("/mute/x", good)) + ask(RESPONDER, to("/mute/x", good))
    yield "second-guard-denies", ask(AUTHORIZER, to("/never/x", good)) + ask(RESPONDER, to("/never/x", good))
    yield "first-guard-is-built-in", ask(AUTHORIZER, to("/both/x?y", good)) + ask(RESPONDER, to("/both/x?y", good))
    yield "no-route", ask(AUTHORIZER, to("/nowhere", good)) + ask(RESPONDER, to("/nowhere", good))
    yield "route-without-guards", ask(AUTHORIZER, to("/count/x", good))
    yield "dot-segment-to-a-secret", ask(RESPONDER, to("/count/../secret/x"))
    yield "script-name-of-a-guarded-route", (ask(RESPONDER, to("/count/x", ("SCRIPT_NAME", "/secret/z"))) +
                                             ask(RESPONDER, to("/count/x", ("SCRIPT_NAME", "/secret/z"), good)) +
                                             ask(RESPONDER, to("/count/x", ("SCRIPT_NAME", "/never/z"), good)))
    yield "steered-authorizer", (ask(RESPONDER, to("/count/x", ("TRIVET_ROLE", "authorizer"), ("TRIVET_ROUTE", "secret"), good)) +
                                 ask(RESPONDER, to("/count/x", ("TRIVET_ROLE", "authorizer"), ("TRIVET_ROUTE", "secret"))))
    yield "steered-filter", ask(RESPONDER, to("/filter/x", ("TRIVET_ROLE", "filter"), ("REQUEST_METHOD", "POST")), 1000)
    yield "steered-to-nothing", ask(AUTHORIZER, to("/secret/x", good, ("TRIVET_ROUTE", "")))
    yield "forged-beside-the-guards-word", ask(RESPONDER, to("/secret/x", good, ("AUTH_TYPE", "yes-forged")))
    yield "forged-user", (ask(RESPONDER, to("/secret/x", ("REMOTE_USER", "yes-forged"), ("AUTH_TYPE", "yes-forged"))) +
                          ask(AUTHORIZER, to("/secret/x", ("REMOTE_USER", "yes-forged"), ("FCGI_APACHE_ROLE", "AUTHORIZER"))))
    yield "params-without-their-end", begun(AUTHORIZER) + step("params", 0) + to("/secret/x", good) + step("end", 0)
    yield "abort-within-params", (begun(AUTHORIZER) + step("params", 0) + to("/secret/x", good) + step("abort", 0) +
                                  step("params_end", 0))
    yield "body-within-params", (begun(AUTHORIZER) + step("params", 0) + to("/secret/x", good) + step("body", 0, 1) +
                                 step("params_end", 0))
    yield "deny-in-a-second-record", (begun(AUTHORIZER) + step("params", 0) + to("/secret/x", good) + step("params", 0) +
                                      to(("HTTP_X_DENY", "1")) + step("params_end", 0))
    yield "interleaved", (begun(AUTHORIZER) + begun(RESPONDER, 2) + step("params", 1) + to("/count/x", ("REQUEST_METHOD", "POST")) +
                          step("params", 0) + to("/secret/x", good) + step("params_end", 1) + step("params_end", 0) +
                          step("body", 1, 2) + step("body_end", 1))
    yield "two-connections", (ask(AUTHORIZER, to("/secret/x", good), how=3) + ask(AUTHORIZER, to("/secret/x"), side=1) +
                              step("end", 4) + ask(RESPONDER, to("/secret/x", good), side=1))
    yield "counted-upload", ask(RESPONDER, to("/count/x", ("REQUEST_METHOD", "POST")), 30000)
    yield "short-upload", ask(RESPONDER, to("/count/x", ("CONTENT_LENGTH", "100")), 1)
    yield "long-upload", ask(RESPONDER, to("/count/x", ("CONTENT_LENGTH", "100")), 1000)
    yield "more-body-behind-its-end", ask(RESPONDER, to("/count/x"), how=3) + step("body", 0, 3)
    yield "no-upload", ask(RESPONDER, to("/count/x", ("CONTENT_LENGTH", "0")))
    yield "upload-beyond-the-limit", (ask(RESPONDER, to("/count/x", ("REQUEST_METHOD", "POST")), 65535, flags=0xe1) +
                                      step("body", 0, 6) + step("body_end", 0))
    yield "upload-to-who-answers-early", ask(RESPONDER, to("/nowhere"), 65535, flags=0) + step("body", 0, 7) * 2
    yield "upload-while-the-answer-is-blocked", (step("take", 1, 2) + ask(RESPONDER, to("/blind/x"), 30000) +
                                                 step("take", 1, 3) + step("take", 0))
    yield "upload-through-nginx", ask(RESPONDER, to("/blind/x", ("SERVER_SOFTWARE", "nginx/1.22.1")), 30000)
    yield "guarded-upload", ask(RESPONDER, to("/upload/x", good, ("REQUEST_METHOD", "POST")), 9000)
    yield "filter-role", ask(FILTER, to("/filter/x", ("FCGI_DATA_LENGTH", "1000")), 100, 1000)
    yield "filter-with-short-data", ask(FILTER, to("/filter/x", ("FCGI_DATA_LENGTH", "1000")), 0, 100)
    yield "filter-with-long-data", ask(FILTER, to("/filter/x", ("FCGI_DATA_LENGTH", "100")), 1, 30000)
    yield "filter-that-fails", ask(FILTER, to("/bad/x"), 1, 1000)
    yield "filter-behind-a-guard", ask(FILTER, to("/upload/x", good), 1, 1000) + ask(FILTER, to("/upload/x"), 1, 1000)
    yield "slow-reader", step("take", 1, 2) + ask(RESPONDER, to("/pour/x", ("QUERY_STRING", "30000"))) + 4 * step("take", 1, 4)
    yield "reader-that-stalls", step("take", 1, 1) + ask(RESPONDER, to("/burst/x")) + 2 * step("advance", 5)
    yield "two-answers-share-a-connection", (step("take", 1, 3) + ask(RESPONDER, to("/pour/x", ("QUERY_STRING", "100000"))) +
                                             ask(RESPONDER, to("/burst/x"), number=2) + step("take", 0))
    yield "abort-within-the-answer", (step("take", 1, 3) + ask(RESPONDER, to("/pour/x", ("QUERY_STRING", "100000"))) + step("abort", 0) +
                                      step("take", 0))
    yield "gone-within-the-answer", (step("take", 1, 3) + ask(RESPONDER, to("/pour/x", ("QUERY_STRING", "100000"))) + step("end", 1))
    for what in ("204", "304", "short", "long", "huge", "none", "throw", "throw-late", "sendfile", "location"):
        yield "head-" + what, (ask(RESPONDER, to("/head/x", ("QUERY_STRING", what)), flags=0) +
                               ask(RESPONDER, to("/head/x", ("QUERY_STRING", what), ("REQUEST_METHOD", "HEAD")), number=2))
    yield "late-params", begun(RESPONDER) + step("advance", 4) + step("params", 0) + to("/count/x") + step("params_end", 0)
    yield "stalled-upload", ask(RESPONDER, to("/count/x"), 100, flags=0xe1) + step("advance", 5) + step("body_end", 0)
    yield "too-many-requests", b"".join(begun(RESPONDER, number) for number in (1, 2, 3, 65535, 256))
    yield "too-many-params", begun(AUTHORIZER) + 30 * (step("params", 0) + to("/secret/x", good)) + step("params_end", 0)
    yield "unknown-roles", step("begin", 0, 0, 1) + step("begin", 0, 4, 1) + step("begin", 1, 4, 0) + ask(AUTHORIZER, to(good))
    yield "begin-twice", ask(RESPONDER, to("/count/x"), 100, flags=0xe1) + begun(RESPONDER) + step("body_end", 0)
    yield "not-kept", ask(AUTHORIZER, to("/secret/x", good), flags=0xe0) + ask(AUTHORIZER, to("/secret/x", good))
    yield "junk-behind-a-whole-request", ask(AUTHORIZER, to("/secret/x", good), how=3) + step("bytes", 0, 4) + b"junk"
    yield "management", (step("get_values", 0, 4, 0, 1, 2, 3) + begun(RESPONDER) + step("record", 5, 12, 5, 1) + b"x" +
                         step("get_values", 0, 15))
    yield "management-that-nobody-reads", step("take", 1, 0) + 40 * step("get_values", 0, 15)
    yield "ends-after-the-request", ask(RESPONDER, to("/count/x"), 1000, how=3) + step("end", 0)
    yield "ends-within-the-request", ask(RESPONDER, to("/count/x"), 1000, flags=0xe1) + step("end", 0)
    yield "gone-within-the-request", ask(RESPONDER, to("/count/x"), 1000, flags=0xe1) + step("end", 1)
    yield "stopping", begun(AUTHORIZER) + ask(RESPONDER, to("/count/x"), 100, number=2, flags=0xe1) + step("end", 6) + step("body_end", 1)
    yield "read-in-single-bytes", step("read_at_most", 1) + ask(RESPONDER, to("/count/x"), 100)


def main():
    for target in (framing, pairs, connection, config, head, path, note):
        folder = CORPUS / target.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in target():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
