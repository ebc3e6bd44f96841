"""A FastCGI client that can do everything wrong: records by hand, any cut, any role, several ids per connection.

Reading is strict: whatever a host sends is checked against FastCGI 1.0 and against the promises Trivet makes (reserved
and padding bytes are zero, a response head is one record that begins with `Status: `, one END_REQUEST per id).
"""

import contextlib
import select
import socket
import struct
import time

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = range(1, 12)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP = 1
COMPLETE, CANT_MPX, OVERLOADED, UNKNOWN_ROLE = range(4)

ROLES = {"responder": RESPONDER, "authorizer": AUTHORIZER, "filter": FILTER}
LARGEST = 65535


class Broken(Exception):
    """The host sent something that the specification, or its own promise, forbids."""


# ---------------------------------------------------------------------------------------------------------- writing

def record(kind, content=b"", request_id=1, padding=0, version=1, reserved=0):
    return struct.pack(">BBHHBB", version, kind, request_id, len(content), padding, reserved) + content + bytes(padding)


def begin(role=RESPONDER, flags=0, request_id=1):
    return record(BEGIN, struct.pack(">HB5x", role, flags), request_id)


def length(size, long_form=False):
    return bytes([size]) if size < 128 and not long_form else struct.pack(">I", size | 0x80000000)


def pair(name, value, long_form=False):
    name = name.encode("latin-1") if isinstance(name, str) else name
    value = value.encode("latin-1") if isinstance(value, str) else value
    return length(len(name), long_form) + length(len(value), long_form) + name + value


def pairs(params):
    items = params.items() if isinstance(params, dict) else params
    return b"".join(pair(name, value) for name, value in items)


def stream(kind, content, request_id=1, size=65528, padding=0, end=True):
    out = [record(kind, content[at:at + size], request_id, padding) for at in range(0, len(content), size)]
    if end:
        out.append(record(kind, b"", request_id))
    return b"".join(out)


def request(params, body=b"", role=RESPONDER, flags=0, request_id=1, data=None, size=65528, padding=0):
    """A whole request. An authorizer's body is sent too: some clients do (body=None: no STDIN at all)."""
    out = [begin(role, flags, request_id), stream(PARAMS, pairs(params), request_id, size, padding)]
    if body is not None:
        out.append(stream(STDIN, body, request_id, size, padding))
    if role == FILTER:
        out.append(stream(DATA, data or b"", request_id, size, padding))
    return b"".join(out)


def cgi(uri="/", method="GET", body=None, **more):
    """The variables a web server would send; names in `more` replace or add (None takes one out)."""
    path, _, query = uri.partition("?")
    params = {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "trivet-test",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_ADDR": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "40000",
        "REQUEST_METHOD": method, "REQUEST_URI": uri, "QUERY_STRING": query, "SCRIPT_NAME": path, "HTTP_HOST": "localhost",
    }
    if body is not None:
        params["CONTENT_LENGTH"] = str(len(body))
    for name, value in more.items():
        params.pop(name, None)
        if value is not None:
            params[name] = str(value)
    return params


# ---------------------------------------------------------------------------------------------------------- reading

class Record:
    __slots__ = ("kind", "request_id", "content", "padding")

    def __init__(self, kind, request_id, content, padding):
        self.kind, self.request_id, self.content, self.padding = kind, request_id, content, padding

    def __repr__(self):
        return f"Record({self.kind}, id {self.request_id}, {len(self.content)} bytes)"


class Response:
    """What came back for one id so far."""

    def __init__(self, request_id):
        self.request_id = request_id
        self.out = bytearray()
        self.errors = bytearray()
        self.first_record = None
        self.out_ended = False
        self.ended = False
        self.app_status = None
        self.protocol_status = None
        self.ends = 0

    def take(self, got):
        if self.ended:
            raise Broken(f"{got} after END_REQUEST of the same id")
        if got.kind == STDOUT:
            if self.out_ended:
                raise Broken(f"{got} after the end of STDOUT")
            if got.content:
                self.first_record = self.first_record or got.content
                self.out += got.content
            else:
                self.out_ended = True
        elif got.kind == STDERR:
            self.errors += got.content
        elif got.kind == END:
            if len(got.content) != 8:
                raise Broken(f"END_REQUEST of {len(got.content)} bytes")
            self.app_status, self.protocol_status = struct.unpack(">IB3x", got.content)
            if any(got.content[5:]):
                raise Broken("END_REQUEST with reserved bytes that are not zero")
            self.ended = True
        else:
            raise Broken(f"{got} from an application")

    # -- the CGI response; each raises Broken when there is none --

    def split(self):
        if not self.first_record:
            raise Broken(f"no head at all (protocolStatus {self.protocol_status}, STDERR {bytes(self.errors[:200])!r})")
        end = self.first_record.find(b"\r\n\r\n")
        if end < 0:
            raise Broken(f"the head is not whole in the first STDOUT record: {self.first_record[:200]!r}")
        return self.first_record[:end].decode("latin-1").split("\r\n"), bytes(self.out[end + 4:])

    @property
    def status(self):
        first = self.split()[0][0]
        if not first.startswith("Status: "):
            raise Broken(f"the first line of the head is not Status: {first!r}")
        number, _, reason = first[8:].partition(" ")
        if not reason or not number.isdigit() or not 200 <= int(number) <= 599:
            raise Broken(f"bad status line {first!r}")
        return int(number)

    @property
    def headers(self):
        return [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "")
                for line in self.split()[0][1:]]

    def header(self, name):
        """The value, or None; a name that occurs twice is Broken, ask `headers` where it may."""
        values = [value for each, value in self.headers if each.lower() == name.lower()]
        if len(values) > 1:
            raise Broken(f"{name} occurs {len(values)} times")
        return values[0] if values else None

    @property
    def body(self):
        return self.split()[1]

    @property
    def complete(self):
        """Ended as a success of the protocol: the end of STDOUT, then END_REQUEST with 0 and REQUEST_COMPLETE."""
        return self.ended and self.out_ended and self.app_status == 0 and self.protocol_status == COMPLETE

    def __repr__(self):
        head = bytes(self.out[:120])
        return (f"Response(id {self.request_id}, {head!r}..., {len(self.out)} bytes, ended {self.ended}, "
                f"appStatus {self.app_status}, protocolStatus {self.protocol_status})")


def connect(address, timeout=10.0):
    scheme, _, rest = address.partition(":")
    if scheme == "unix":
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        where = rest
    else:
        host, _, port = rest.rpartition(":")
        host = host.strip("[]")
        made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        where = (host, int(port))
    made.settimeout(timeout)
    try:
        made.connect(where)
    except OSError:
        made.close()
        raise
    if scheme == "tcp":
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


class Connection:
    """One connection to a host. Responses are collected by id as records come."""

    def __init__(self, address, timeout=10.0):
        self.timeout = timeout
        self.socket = connect(address, timeout)
        self.responses = {}
        self.management = []
        self.closed = False  # the peer ended or reset it
        self.reset = False
        self._pending = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, content):
        self.socket.sendall(content)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def break_off(self):
        """Closes so that the peer sees a reset where the transport knows one."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _parse(self):
        """Takes whole records off what was received."""
        at = 0
        while len(self._pending) - at >= 8:
            version, kind, request_id, size, padding, reserved = struct.unpack_from(">BBHHBB", self._pending, at)
            if version != 1:
                raise Broken(f"a record of version {version}")
            if reserved:
                raise Broken("a record whose reserved byte is not zero")
            if len(self._pending) - at < 8 + size + padding:
                break
            content = bytes(self._pending[at + 8:at + 8 + size])
            if any(self._pending[at + 8 + size:at + 8 + size + padding]):
                raise Broken("padding that is not zero")
            at += 8 + size + padding
            self._dispatch(Record(kind, request_id, content, padding))
        del self._pending[:at]

    def _dispatch(self, got):
        if got.request_id == 0:
            self.management.append(got)
        else:
            self.responses.setdefault(got.request_id, Response(got.request_id)).take(got)

    def pump(self, timeout):
        """Receives once. False when nothing came in time or nothing will come any more."""
        if self.closed:
            return False
        poll = select.poll()  # not select(): descriptors above 1023 are usual here
        poll.register(self.socket, select.POLLIN)
        if not poll.poll(max(0.0, timeout) * 1000):
            return False
        self._receive()
        return not self.closed

    def _receive(self):
        try:
            got = self.socket.recv(1 << 18)
        except ConnectionResetError:
            self.reset = True
            got = b""
        except BrokenPipeError:
            got = b""
        if not got:
            self.closed = True
            if self._pending:
                raise Broken(f"the connection ended inside a record ({len(self._pending)} bytes of it came)")
            return
        self._pending += got
        self._parse()

    def response(self, request_id=1, timeout=None):
        """The response to an id, complete or (connection closed) as far as it came."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            answer = self.responses.get(request_id)
            if answer is not None and answer.ended:
                return answer
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no END_REQUEST for id {request_id}: {answer}")
            if not self.pump(left) and self.closed:
                if answer := self.responses.get(request_id):
                    return answer
                raise ConnectionError(f"the connection closed without any answer for id {request_id}")

    def take(self, request_id=1, timeout=None):
        """As response(), and forgets the id so that it can be used again."""
        answer = self.response(request_id, timeout)
        self.responses.pop(request_id, None)
        return answer

    def result(self, timeout=None):
        """The next management record."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not self.management:
            if not self.pump(deadline - time.monotonic()):
                raise TimeoutError("no management record came")
        return self.management.pop(0)

    def closes(self, within=5.0):
        """Whether the peer closes the connection in time; what it still sends is taken."""
        deadline = time.monotonic() + within
        while not self.closed and time.monotonic() < deadline:
            self.pump(deadline - time.monotonic())
        return self.closed

    def stays_open(self, seconds=0.3):
        """Whether nothing ends the connection for a while."""
        return not self.closes(seconds)

    def talk(self, content, request_id=1, timeout=None):
        """Sends while it receives, as a client with two hands does, until END_REQUEST."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        view = memoryview(content)
        self.socket.setblocking(False)
        try:
            while True:
                answer = self.responses.get(request_id)
                if answer is not None and answer.ended:
                    return answer
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no END_REQUEST for id {request_id}: {answer}; {len(view)} bytes unsent")
                poll = select.poll()
                poll.register(self.socket, select.POLLIN | (select.POLLOUT if view else 0))
                for _, events in poll.poll(left * 1000):
                    if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                        self._receive()
                    if events & select.POLLOUT and not self.closed:
                        view = view[self._send_some(view):]
                if self.closed:
                    return self.response(request_id, 0.1)
        finally:
            if self.socket.fileno() >= 0:
                self.socket.settimeout(self.timeout)

    def _send_some(self, view):
        try:
            return self.socket.send(view[:1 << 18])
        except BlockingIOError:
            return 0
        except (BrokenPipeError, ConnectionResetError):
            self.reset = True
            return len(view)


def exchange(address, params, body=b"", role=RESPONDER, data=None, timeout=10.0, flags=0):
    """One request on a connection of its own."""
    with Connection(address, timeout) as link:
        return link.talk(request(params, body, role, flags, data=data))
