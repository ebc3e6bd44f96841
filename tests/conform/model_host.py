#!/usr/bin/python3
"""A small FastCGI application that does everything right, or exactly one thing wrong: what `trivet conform` is tested on.

    model_host.py ADDRESS [DEFECT]     unix:PATH or tcp:HOST:PORT
    model_host.py --list               the defects, each with the case that has to catch it

Written from FastCGI 1.0 and apart from the host. A responder below /echo/ (the parameters it was given, then the body), an
authorizer of /private/ (HTTP_X_API_KEY has to be `open sesame`), a filter below /upper/. Prints `ready` when it listens.
"""

import os
import selectors
import socket
import struct
import sys
import time

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = range(1, 12)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
COMPLETE, OVERLOADED, UNKNOWN_ROLE = 0, 2, 3

MOST_OPEN = 100
MOST_PARAMS = 256 << 10
MOST_OUTPUT = 256 << 10
IDLE_SECONDS = 1.0

# Each with the case that catches it.
DEFECTS = {
    "stays_open": "G01",
    "closes_kept": "G02",
    "cut_records_are_lost": "G03",
    "pairs_end_with_their_record": "G04",
    "padding_is_content": "G05",
    "short_lengths_only": "G06",
    "ids_are_bytes": "G07",
    "largest_records_are_cut": "G08",
    "reserved_bytes_are_refused": "G09",
    "one_request_per_read": "G10",
    "half_close_is_abort": "G11",
    "large_bodies_are_cut": "G12",
    "one_body_for_all": "G13",
    "empty_length_is_refused": "G14",
    "values_are_no_numbers": "M01",
    "unknown_values_are_answered": "M02",
    "no_empty_result": "M03",
    "unknown_types_are_ignored": "M06",
    "management_ends_params": "M07",
    "unknown_bodies_are_params": "M08",
    "answers_grow": "M09",
    "answers_answers": "M10",
    "any_version": "P01",
    "any_begin": "P02",
    "id_0_begins": "P03",
    "any_role": "P04",
    "inactive_ids_end": "P05",
    "late_records_end": "P06",
    "begins_twice": "P07",
    "params_after_their_end": "P08",
    "aborts_are_ignored": "P10",
    "aborts_overload": "P11",
    "aborts_end_twice": "P12",
    "cut_pairs_are_served": "P14",
    "values_become_headers": "P16",
    "no_limit_of_params": "P19",
    "answers_http": "P20",
    "short_bodies_are_served": "P22",
    "surplus_is_body": "P23",
    "eof_ends_params": "P27",
    "eof_ends_stdin": "P28",
    "terminators_with_padding_are_lost": "P29",
    "any_empty_record_ends": "P30",
    "one_client_at_a_time": "R01",
    "any_number_of_requests": "R05",
    "loses_an_end": "R07",
    "waits_for_ever": "R14",
    "denies_everything": "A01",
    "denies_without_status": "A02",
    "waits_for_stdin": "A03",
    "a_body_is_a_denial": "A04",
    "grants_without_parameters": "A05",
    "cut_pairs_are_granted": "A06",
    "grants_other_spellings": "A08",
    "line_breaks_are_granted": "A09",
    "believes_the_client": "A10",
    "grants_what_was_aborted": "A11",
    "grants_where_nobody_guards": "A12",
    "verdicts_stick": "A13",
    "eof_ends_questions": "A14",
    "overload_without_status": "A15",
    "short_data_is_clean": "F02",
    "surplus_is_data": "F03",
    "waits_for_the_length": "F04",
    "data_is_body": "F05",
    "aborts_in_data_are_lost": "F06",
    "no_data_is_an_error": "F09",
    "unset_padding": "L01",
}
defect = ""


def wrong(name):
    assert name in DEFECTS, name
    return defect == name


class Broken(Exception):
    """What came is beyond repair: the connection has to be closed."""


def read_pairs(data):
    """The pairs as a dictionary; None when the last one is cut."""
    params, at = {}, 0
    while at < len(data):
        lengths = []
        for _ in range(2):
            if at >= len(data):
                return None
            if data[at] & 0x80 and not wrong("short_lengths_only"):
                if at + 4 > len(data):
                    return None
                lengths.append(struct.unpack_from(">I", data, at)[0] & 0x7FFFFFFF)
                at += 4
            else:
                lengths.append(data[at])
                at += 1
        name, value = lengths
        if at + name + value > len(data):
            return None
        params.setdefault(bytes(data[at:at + name]), bytes(data[at + name:at + name + value]))
        at += name + value
    return params


class Request:
    def __init__(self, role, keep):
        self.role, self.keep = role, keep
        self.raw = bytearray()
        self.params = None
        self.cut = False
        self.body, self.body_ended = bytearray(), False
        self.early, self.data_ended = bytearray(), False  # DATA that came before STDIN ended.
        self.data_seen = 0
        self.head_sent = False

    def number(self, name):
        text = (self.params or {}).get(name, b"")
        if text == b"":
            return None
        return int(text) if text.isdigit() and len(text) < 18 else -1


class Connection:
    def __init__(self, host, sock):
        self.host, self.sock = host, sock
        self.input, self.output = bytearray(), bytearray()
        self.waiting = []  # Iterators of output that is made when there is room.
        self.requests = {}
        self.ended = set()
        self.skip = 0
        self.closing = self.eof = False
        self.moved = time.monotonic()

    # --- writing

    def send(self, kind, request_id, content=b""):
        padding = -len(content) % 8
        fill = b"\xa5" if wrong("unset_padding") else b"\0"
        self.output += struct.pack(">BBHHBB", 1, kind, request_id, len(content), padding, 0) + content + fill * padding

    def send_stream(self, request_id, content):
        for at in range(0, len(content), 32768):
            self.send(STDOUT, request_id, bytes(content[at:at + 32768]))

    def end(self, request_id, status=COMPLETE, app_status=0):
        request = self.requests.pop(request_id, None)
        self.ended.add(request_id)
        self.host.ends += 1
        if wrong("loses_an_end") and self.host.ends % 1000 == 0:
            return
        self.send(STDOUT, request_id)
        self.send(END, request_id, struct.pack(">IB3x", app_status, status))
        keep = request is None or request.keep
        if wrong("closes_kept") or (not keep and not wrong("stays_open")):
            self.closing = True

    def answer(self, request_id, status, body, headers=(), app_status=0):
        head = b"Status: %d\r\n" % status + b"".join(line + b"\r\n" for line in headers) + b"\r\n"
        self.send_stream(request_id, head + body)
        self.end(request_id, COMPLETE, app_status)

    def refuse(self, request_id, status, body, app_status=1):
        self.answer(request_id, status, body, (b"Content-Type: text/plain",), app_status)

    # --- reading

    def feed(self):
        while not self.closing and len(self.output) < MOST_OUTPUT and not self.waiting:
            if len(self.input) < 8:
                break
            version, kind, request_id, length, padding, reserved = struct.unpack_from(">BBHHBB", self.input)
            if version != 1 and not wrong("any_version"):
                if wrong("answers_http"):
                    self.output += b"HTTP/1.0 400 Bad Request\r\n\r\n"
                self.closing = True
                return
            if reserved and wrong("reserved_bytes_are_refused"):
                self.closing = True
                return
            if len(self.input) < 8 + length + padding:
                if wrong("cut_records_are_lost"):
                    self.input.clear()
                break
            end = 8 + length + (padding if wrong("padding_is_content") else 0)
            content = bytes(self.input[8:end])
            if length == 65535 and wrong("largest_records_are_cut"):
                content = content[:65528]
            del self.input[:8 + length + padding]
            if wrong("one_request_per_read") and kind == STDIN and not length:
                self.input.clear()
            if length == 0 and padding and wrong("terminators_with_padding_are_lost"):
                continue
            self.take(kind, request_id & (0xFF if wrong("ids_are_bytes") else 0xFFFF), content)

    def take(self, kind, request_id, content):
        if request_id == 0 or kind > UNKNOWN_TYPE:
            self.manage(kind, request_id, content)
        elif kind == BEGIN:
            self.begin(request_id, content)
        elif kind in (END, STDOUT, STDERR, GET_VALUES_RESULT, UNKNOWN_TYPE, GET_VALUES):
            if wrong("answers_answers"):
                for _ in range(50):
                    self.send(UNKNOWN_TYPE, 0, bytes([kind]) + bytes(7))
        elif request_id in self.requests:
            self.stream(kind, request_id, content)
        elif wrong("inactive_ids_end") and request_id not in self.ended and kind == ABORT:
            self.end(request_id)
        elif request_id in self.ended and kind == ABORT and (wrong("late_records_end") or wrong("aborts_end_twice")):
            self.send(END, request_id, struct.pack(">IB3x", 0, COMPLETE))
        elif wrong("any_empty_record_ends") and not content and kind in (PARAMS, STDIN):
            for other in list(self.requests):
                self.stream(kind, other, b"")

    def manage(self, kind, request_id, content):
        if kind == GET_VALUES and request_id == 0:
            known = {b"FCGI_MAX_CONNS": b"1000", b"FCGI_MAX_REQS": b"1000", b"FCGI_MPXS_CONNS": b"1"}
            asked = read_pairs(content)
            result = b""
            for name in asked or {}:
                value = known.get(name, b"0" if wrong("unknown_values_are_answered") else None)
                if value is not None:
                    value = b"many" if wrong("values_are_no_numbers") else value
                    result += bytes([len(name), len(value)]) + name + value
            if wrong("answers_grow"):
                self.host.kept.append(bytes(4096))
            if asked or not wrong("no_empty_result"):
                self.send(GET_VALUES_RESULT, 0, result)
            if wrong("management_ends_params"):
                for other in list(self.requests):
                    self.stream(PARAMS, other, b"")
            return
        if kind == BEGIN and wrong("id_0_begins"):
            return
        if wrong("unknown_bodies_are_params"):
            for request in self.requests.values():
                request.raw += content
        if not wrong("unknown_types_are_ignored"):
            self.send(UNKNOWN_TYPE, 0, bytes([kind]) + bytes(7))

    def begin(self, request_id, content):
        if len(content) != 8 and not wrong("any_begin"):
            raise Broken
        if request_id in self.requests:
            if not wrong("begins_twice"):
                raise Broken
            self.end(request_id)
        role, flags = struct.unpack_from(">HB", content.ljust(8, b"\0")) if wrong("any_begin") else struct.unpack_from(">HB", content)
        if wrong("any_begin"):
            role = RESPONDER
        if role not in (RESPONDER, AUTHORIZER, FILTER):
            if wrong("any_role"):
                role = RESPONDER
            else:
                self.requests[request_id] = Request(role, flags & 1)
                self.end(request_id, UNKNOWN_ROLE)
                return
        self.requests[request_id] = Request(role, flags & 1)
        if len(self.requests) > MOST_OPEN and not wrong("any_number_of_requests"):
            if role == AUTHORIZER and not wrong("overload_without_status"):
                self.send_stream(request_id, b"Status: 503\r\n\r\n")
            self.end(request_id, OVERLOADED)

    def stream(self, kind, request_id, content):
        request = self.requests[request_id]
        if kind == ABORT:
            self.abort(request_id, request)
        elif kind == PARAMS:
            self.params(request_id, request, content)
        elif request.params is None:
            raise Broken
        elif kind == STDIN:
            self.stdin(request_id, request, content)
        elif kind == DATA and request.role == FILTER:
            self.data(request_id, request, content)

    def abort(self, request_id, request):
        if wrong("aborts_are_ignored") or (wrong("aborts_in_data_are_lost") and request.role == FILTER):
            return
        if wrong("grants_what_was_aborted") and request.role == AUTHORIZER:
            self.answer(request_id, 200, b"")
        elif wrong("aborts_overload"):
            self.end(request_id, OVERLOADED)
        else:
            self.end(request_id)

    def params(self, request_id, request, content):
        if request.params is not None:
            if wrong("params_after_their_end"):
                request.params.update(read_pairs(content) or {})
            return
        if content:
            if wrong("pairs_end_with_their_record"):
                more = read_pairs(content)
                content = content if more is not None else b""
            request.raw += content
            if len(request.raw) > MOST_PARAMS and not wrong("no_limit_of_params"):
                if request.role == AUTHORIZER:
                    self.refuse(request_id, 403, b"")
                else:
                    self.refuse(request_id, 431, b"too many parameters\n")
            return
        request.params = read_pairs(request.raw)
        if request.params is None:
            request.cut = True
            request.params = {}
            if wrong("cut_pairs_are_served") and request.role == RESPONDER:
                request.params = {b"REQUEST_URI": b"/echo/"}
            elif wrong("cut_pairs_are_granted") and request.role == AUTHORIZER:
                self.answer(request_id, 200, b"")
                return
            else:
                self.refuse(request_id, 403 if request.role == AUTHORIZER else 400, b"")
                return
        if request.role == AUTHORIZER and not wrong("waits_for_stdin") and not wrong("a_body_is_a_denial"):
            self.decide(request_id, request)

    def stdin(self, request_id, request, content):
        if content:
            most = request.number(b"CONTENT_LENGTH")
            if wrong("one_body_for_all"):
                self.host.shared += content
            if most is not None and most >= 0 and not wrong("surplus_is_body"):
                content = content[:max(0, most - len(request.body))]
            request.body += content
            if wrong("large_bodies_are_cut"):
                del request.body[1 << 19:]
            return
        if request.body_ended:
            return
        request.body_ended = True
        if request.role == AUTHORIZER:
            self.decide(request_id, request)
        elif request.role == RESPONDER:
            self.respond(request_id, request)
        elif request.early or request.data_ended:
            early, request.early = bytes(request.early), bytearray()
            if early:
                self.data(request_id, request, early)
            if request.data_ended and request_id in self.requests:
                request.data_ended = False
                self.data(request_id, request, b"")

    def path(self, request):
        return request.params.get(b"REQUEST_URI", b"").partition(b"?")[0]

    def odd(self, request):
        """Nothing that a guarded path could be spelled in, but its plainest form."""
        path = self.path(request)
        return any(c in path for c in (b"//", b"/.", b"%", b";", b"\\", b"#", b":")) or not path.startswith(b"/")

    def decide(self, request_id, request):
        key = request.params.get(b"HTTP_X_API_KEY", b"")
        allowed = key == b"open sesame" and self.path(request).startswith(b"/private/") and not self.odd(request)
        if wrong("a_body_is_a_denial") and request.body:
            allowed = False
        if wrong("grants_without_parameters") and not request.params:
            allowed = True
        if wrong("grants_other_spellings") and not self.path(request).startswith(b"/private/") and request.params:
            allowed = True
        if wrong("grants_where_nobody_guards") and self.path(request).startswith(b"/echo/"):
            allowed = True
        if wrong("line_breaks_are_granted") and any(b"\n" in value for value in request.params.values()):
            allowed = True
        if wrong("believes_the_client") and b"AUTHORIZED" in request.params:
            allowed = True
        if wrong("verdicts_stick"):
            allowed = self.host.verdict = allowed or self.host.verdict
        if wrong("denies_everything"):
            allowed = False
        if allowed:
            self.answer(request_id, 200, b"", (b"Variable-REMOTE_USER: ada",))
        elif wrong("denies_without_status"):
            self.send_stream(request_id, b"Content-Type: text/plain\r\n\r\nno\n")
            self.end(request_id)
        else:
            self.answer(request_id, 403, b"no\n", (b"Content-Type: text/plain",))

    def respond(self, request_id, request):
        if wrong("half_close_is_abort"):
            time.sleep(0.05)
            if self.has_ended():
                raise Broken
        length = request.number(b"CONTENT_LENGTH")
        if wrong("empty_length_is_refused") and request.params.get(b"CONTENT_LENGTH") == b"":
            length = -1
        if length == -1:
            self.refuse(request_id, 400, b"")
            return
        if length is not None and len(request.body) < length and not wrong("short_bodies_are_served"):
            self.refuse(request_id, 400, b"half a body\n")
            return
        headers = [b"Content-Type: text/plain"]
        if wrong("values_become_headers"):
            headers.append(b"X-Query: " + request.params.get(b"QUERY_STRING", b"") + request.params.get(b"HTTP_X", b""))
        lines = b"".join(name + b"=" + value + b"\n" for name, value in sorted(request.params.items()))
        body = self.host.shared if wrong("one_body_for_all") and self.requests.keys() - {request_id} else request.body
        self.send_stream(request_id, b"Status: 200\r\n" + b"".join(line + b"\r\n" for line in headers) + b"\r\n" + lines + b"\n")

        def output():
            for at in range(0, len(body), 32768):
                self.send(STDOUT, request_id, bytes(body[at:at + 32768]))
                yield
            if request_id in self.requests:
                self.end(request_id)
        self.waiting.append(output())

    def data(self, request_id, request, content):
        if not request.body_ended and not wrong("data_is_body"):
            request.early += content
            request.data_ended = request.data_ended or not content
            return
        if request.data_ended:
            return
        length = request.number(b"FCGI_DATA_LENGTH")
        if wrong("data_is_body") and not request.body_ended:
            request.body += content
            request.data_seen += len(content)
            return
        if wrong("waits_for_the_length") and length == -1:
            return
        if length == -1:
            self.refuse(request_id, 400, b"")
            return
        if not request.head_sent:
            request.head_sent = True
            self.send_stream(request_id, b"Status: 200\r\nContent-Type: text/plain\r\n\r\n")
            if wrong("data_is_body"):
                self.send_stream(request_id, bytes(request.body).upper())
        if content:
            if length is not None and not wrong("surplus_is_data"):
                content = content[:max(0, length - request.data_seen)]
            request.data_seen += len(content)
            self.send_stream(request_id, content.upper())
            return
        request.data_ended = True
        short = length is not None and request.data_seen < length and not wrong("short_data_is_clean")
        self.end(request_id, COMPLETE, 1 if short or (wrong("no_data_is_an_error") and not request.data_seen) else 0)

    # --- the connection

    def has_ended(self):
        try:
            return self.sock.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False

    def on_eof(self):
        self.eof = True
        for request_id, request in list(self.requests.items()):
            if request.params is None:
                ends = "eof_ends_questions" if request.role == AUTHORIZER else "eof_ends_params"
                if wrong(ends):
                    self.stream(PARAMS, request_id, b"")
                    if request_id in self.requests:
                        self.stream(STDIN, request_id, b"")
            elif not request.body_ended and wrong("eof_ends_stdin"):
                request.params.pop(b"CONTENT_LENGTH", None)
                self.stream(STDIN, request_id, b"")
        if not self.output and not self.waiting:
            self.closing = True

    def pump(self):
        """Makes output while there is room, then takes more input."""
        progress = True
        while progress:
            progress = False
            while self.waiting and len(self.output) < MOST_OUTPUT:
                if next(self.waiting[0], self) is self:
                    self.waiting.pop(0)
                progress = True
            before = len(self.input)
            self.feed()
            progress = progress or (len(self.input) != before and bool(self.waiting))

    @property
    def wants_input(self):
        return not self.eof and not self.closing and len(self.output) < MOST_OUTPUT and not self.waiting

    @property
    def events(self):
        return (selectors.EVENT_READ if self.wants_input else 0) | (selectors.EVENT_WRITE if self.output else 0)

    @property
    def half_asked(self):
        return bool(self.input) or any(not each.body_ended for each in self.requests.values())


class Host:
    def __init__(self, listener):
        self.selector = selectors.DefaultSelector()
        self.listener = listener
        self.connections = {}
        self.shared = bytearray()
        self.kept = []
        self.verdict = False
        self.ends = 0
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ)

    def run(self):
        while True:
            for key, events in self.selector.select(0.2):
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.serve(self.connections[key.fd], events)
            now = time.monotonic()
            for each in list(self.connections.values()):
                if each.half_asked and now - each.moved > IDLE_SECONDS and not wrong("waits_for_ever"):
                    self.drop(each)

    def accept(self):
        while not (wrong("one_client_at_a_time") and self.connections):
            try:
                sock, _ = self.listener.accept()
            except (BlockingIOError, OSError):
                return
            sock.setblocking(False)
            connection = self.connections[sock.fileno()] = Connection(self, sock)
            self.selector.register(sock, selectors.EVENT_READ)
            self.watch(connection)

    def serve(self, connection, events):
        try:
            if events & selectors.EVENT_READ:
                data = connection.sock.recv(65536)
                connection.moved = time.monotonic()
                if data:
                    connection.input += data
                else:
                    connection.on_eof()
            connection.pump()
            if connection.output:
                sent = connection.sock.send(memoryview(connection.output)[:1 << 20])
                del connection.output[:sent]
                connection.pump()
        except BlockingIOError:
            pass
        except (Broken, OSError):
            self.drop(connection)
            return
        finished = connection.closing or (connection.eof and not connection.requests)
        if finished and not connection.output and not connection.waiting:
            self.drop(connection)
        else:
            self.watch(connection)

    def watch(self, connection):
        events = connection.events
        registered = connection.sock.fileno() in self.selector.get_map()
        if not events and registered:
            self.selector.unregister(connection.sock)
        elif events and registered:
            self.selector.modify(connection.sock, events)
        elif events:
            self.selector.register(connection.sock, events)

    def drop(self, connection):
        if connection.sock.fileno() in self.selector.get_map():
            self.selector.unregister(connection.sock)
        self.connections.pop(connection.sock.fileno(), None)
        connection.sock.close()
        if wrong("one_client_at_a_time"):
            self.accept()


def main():
    global defect
    if sys.argv[1:] == ["--list"]:
        for name, case in DEFECTS.items():
            print(f"{case} {name}")
        return 0
    if len(sys.argv) not in (2, 3) or (len(sys.argv) == 3 and sys.argv[2] not in DEFECTS):
        print(__doc__, file=sys.stderr)
        return 64
    defect = sys.argv[2] if len(sys.argv) == 3 else ""
    kind, _, where = sys.argv[1].partition(":")
    if kind == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(where)
        os.chmod(where, 0o600)
    else:
        host, _, port = where.rpartition(":")
        listener = socket.create_server((host, int(port)))
    listener.listen(4096)
    print("ready", flush=True)
    Host(listener).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
