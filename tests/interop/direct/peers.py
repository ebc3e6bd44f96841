"""Who may connect, sockets that others opened, and what happens when more connect than may."""

import os
import socket
import sys
import time

from support import fcgi, host
from support.fcgi import cgi
from support.host import Host, Process, run_trivet, running_host, temporary_folder
from support.runner import Suite, equal, eventually, expect

suite = Suite("peers")

HELLO = """
[plugin.hello]
[plugin.slow]
threads = 4
timeout = "20s"

[[route]]
name = "slow"
path = "/slow/**"
respond = "slow"

[[route]]
name = "hello"
respond = "hello"
"""


class Other(Host):
    """A host whose [[listen]] tables are its own."""

    def __init__(self, *arguments, tables, **more):
        super().__init__(*arguments, **more)
        self.tables = tables

    def write(self):
        super().write()
        head, _, rest = self.file.read_text().partition("[[listen]]")
        rest = rest[rest.index("[limits]"):]
        self.file.write_text(f"{head}{self.tables}\n{rest}")


def started(t, folder, tables, prelude=(), **more):
    other = Other(t.build, folder, HELLO + more.pop("limits", ""), tables=tables, **more)
    other.start(wrapper=prelude)
    return other


def answers(address):
    answer = fcgi.exchange(address, cgi("/"))
    return answer.complete and answer.status == 200


def closed_at_once(address):
    """Whether the host closes before it has sent a byte, whatever is sent to it."""
    kind, _, where = address.partition(":")
    with socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) as link:
        link.settimeout(5)
        if kind == "unix":
            link.connect(where)
        else:
            name, _, port = where.rpartition(":")
            link.connect((name, int(port)))
        try:
            link.sendall(fcgi.request(cgi("/")))
            return link.recv(1) == b""
        except (BrokenPipeError, ConnectionResetError):
            return True


@suite.test("allow_users lets in whom it names, by name or number, and closes others without a record")
def _(t):
    me = os.getuid()
    cases = [(f'["{me}"]', True), ('["root"]', me == 0), ('["nobody", "daemon"]', me in (1, 65534)), ('["4000000000"]', False)]
    for users, welcome in cases:
        with temporary_folder() as folder:
            other = started(t, folder, f'[[listen]]\nname = "u"\naddress = "unix:{folder}/u"\nallow_users = {users}\n')
            try:
                if welcome:
                    expect(answers(f"unix:{folder}/u"), f"{users} lets this user in")
                else:
                    expect(closed_at_once(f"unix:{folder}/u"), f"{users} keeps this user out")
                    eventually(lambda at=other: "its user is not in allow_users" in at.log_text(), "a line in the log")
            finally:
                other.stop()


@suite.test("C5 C6: a peer outside allow_from or FCGI_WEB_SERVER_ADDRS, or on a unix socket, is closed without a record")
def _(t):
    def case(folder, port, allow, addresses):
        tables = f'[[listen]]\naddress = "unix:{folder}/u"\n[[listen]]\naddress = "tcp:127.0.0.1:{port}"\n{allow}\n'
        return started(t, folder, tables, ["env", f"FCGI_WEB_SERVER_ADDRS={addresses}"] if addresses is not None else ())

    for allow, addresses, tcp, local in (
            ('allow_from = ["127.0.0.0/8"]', None, True, True),
            ('allow_from = ["127.0.0.1"]', None, True, True),
            ('allow_from = ["10.0.0.0/8", "::1"]', None, False, True),
            ("", "127.0.0.1", True, False),
            ("", "10.0.0.1,127.0.0.1", True, False),
            ("", "10.0.0.1", False, False),
            ('allow_from = ["10.0.0.0/8"]', "127.0.0.1", False, False)):
        with temporary_folder() as folder:
            port = host.free_port()
            other = case(folder, port, allow, addresses)
            try:
                for address, welcome in ((f"tcp:127.0.0.1:{port}", tcp), (f"unix:{folder}/u", local)):
                    if welcome:
                        expect(answers(address), f"{allow} {addresses}: {address} is let in")
                    else:
                        expect(closed_at_once(address), f"{allow} {addresses}: {address} is kept out")
            finally:
                other.stop()


@suite.test("C7: FCGI_WEB_SERVER_ADDRS that is empty or wrong ends the host with an error, and allows nobody")
def _(t):
    for addresses in ("", "127.0.0.1,", "127.0.0.1 10.0.0.1", "localhost", "127.0.0.1/8", "::1", "1.2.3", "1.2.3.256"):
        with temporary_folder() as folder:
            other = Other(t.build, folder, HELLO, tables=f'[[listen]]\naddress = "unix:{folder}/u"\n')
            other.write()
            environment = dict(os.environ, FCGI_WEB_SERVER_ADDRS=addresses)
            ended = run_trivet(t.build, "serve", "-c", str(other.file), env=environment)
            equal(ended.returncode, 78, f"exit code with {addresses!r}")
            expect(b"FCGI_WEB_SERVER_ADDRS: error: " in ended.stderr, ended.stderr)


@suite.test("IPv6: a listener on ::1 serves, and allow_from judges its peers")
def _(t):
    for allow, welcome in (('["::1"]', True), ('["::/0"]', True), ('["0.0.0.0/0"]', False)):
        with temporary_folder() as folder:
            port = host.free_port()
            other = started(t, folder, f'[[listen]]\naddress = "tcp:[::1]:{port}"\nallow_from = {allow}\n')
            try:
                with socket.create_connection(("::1", port), timeout=5) as link:
                    try:
                        link.sendall(fcgi.request(cgi("/")))
                        served = link.recv(1) != b""
                    except (BrokenPipeError, ConnectionResetError):
                        served = False
                    equal(served, welcome, f"served with {allow}")
            finally:
                other.stop()


# Opens a listening socket for each ADDRESS=NAME, from descriptor 3 on, and runs the rest as the service manager would.
PASSER = """
import os, socket, sys
names, sockets, cut = [], [], sys.argv.index("--")
for each in sys.argv[1:cut]:
    address, name = each.rsplit("=", 1)
    kind = socket.AF_UNIX if address.startswith("/") else socket.AF_INET
    one = socket.socket(kind)
    one.bind(address if kind == socket.AF_UNIX else (address.split(":")[0], int(address.split(":")[1])))
    one.listen(64)
    sockets.append(os.dup(one.fileno()))
    names.append(name)
spare = [os.dup2(each, 100 + at) for at, each in enumerate(sockets)]
for at, each in enumerate(spare):
    os.dup2(each, 3 + at)
    os.set_inheritable(3 + at, True)
    os.close(each)
os.environ.update(LISTEN_FDS=str(len(names)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=":".join(names))
os.execv(sys.argv[cut + 1], sys.argv[cut + 1:])
"""


def passing(*sockets):
    return [sys.executable, "-c", PASSER, *sockets, "--"]


@suite.test("systemd:NAME takes every socket that was passed under the name, others are told and closed")
def _(t):
    with temporary_folder() as folder:
        port = host.free_port()
        tables = '[[listen]]\nname = "w"\naddress = "systemd:web"\n'
        other = started(t, folder, tables,
                        passing(f"{folder}/a=web", f"{folder}/b=other", f"127.0.0.1:{port}=web"))
        try:
            expect(answers(f"unix:{folder}/a"), "the unix socket of the name serves")
            expect(answers(f"tcp:127.0.0.1:{port}"), "the TCP socket of the name serves")
            expect("not used by any [[listen]]" in other.log_text() and "other" in other.log_text(), other.log_text())
        finally:
            other.stop()
        expect((folder / "a").exists(), "a socket file that somebody else made stays")


@suite.test("systemd:NAME without such a socket ends the host with a message that tells the names there are")
def _(t):
    with temporary_folder() as folder:
        other = Other(t.build, folder, HELLO, tables='[[listen]]\nname = "w"\naddress = "systemd:web"\n')
        other.write()
        ended = run_trivet(t.build, "serve", "-c", str(other.file))
        equal(ended.returncode, 1, "exit code")
        expect(b'no socket of the name "web" (none was passed' in ended.stderr, ended.stderr)


@suite.test("a socket-activated host serves the connection that started it")
def _(t):
    with temporary_folder() as folder:
        other = Other(t.build, folder, HELLO, tables='[[listen]]\nname = "w"\naddress = "systemd:web"\n')
        other.write()
        starter = Process("systemd-socket-activate", folder / "log")
        starter.start(["/usr/bin/systemd-socket-activate", "--fdname=web", "-l", f"{folder}/s", *other.command()])
        try:
            eventually((folder / "s").exists, "systemd-socket-activate listens")
            expect(answers(f"unix:{folder}/s"), "the first connection is served")
            expect(answers(f"unix:{folder}/s"), "and the second")
        finally:
            equal(starter.end(), 0, "exit code")


FEW = """
[limits]
connections = 10
idle_time = "off"
"""


def kept(running, uri="/"):
    link = running.connect()
    again(link, uri)
    return link


def again(link, uri="/"):
    link.send(fcgi.request(cgi(uri), flags=fcgi.KEEP))
    equal(link.take().status, 200, "status")


def busy_with(running, uri):
    """A connection with a request whose body does not end yet, and that the host has read."""
    link = running.connect()
    link.send(fcgi.request(cgi(uri), flags=fcgi.KEEP)[:-8] + fcgi.record(fcgi.GET_VALUES, request_id=0))
    link.result()
    return link


@suite.test("limits.connections: the last one allowed closes nobody, the next one closes the longest idle one")
def _(t):
    with running_host(t.build, HELLO + FEW) as running:
        links = [kept(running) for _ in range(10)]
        again(links[0])  # Now the second is the longest idle one.
        expect(all(link.stays_open(0.05) for link in links), "ten are allowed")
        eleventh = kept(running)
        expect(links[1].closes(), "the longest idle one is closed")
        expect(all(link.stays_open(0.05) for link in links[:1] + links[2:] + [eleventh]), "and no other")
        expect("the longest idle connection was closed" in running.log_text(), running.log_text())
        for link in links + [eleventh]:
            link.close()


@suite.test("limits.connections: where none is idle, clients wait and are served when one is")
def _(t):
    with running_host(t.build, HELLO + FEW) as running:
        busy = [busy_with(running, "/slow/") for _ in range(11)]  # The last one is one more than allowed, and served.
        eventually(lambda: "accepting rests" in running.log_text(), "accepting rests")
        waiting = running.connect()
        waiting.send(fcgi.request(cgi("/")))
        expect(waiting.stays_open(0.3), "the next one waits")
        before = running.processor_seconds()
        time.sleep(0.5)
        expect(running.processor_seconds() - before < 0.2 * t.build.slowness, "it rests, and does not spin")
        for link in busy[:3]:
            link.send(fcgi.record(fcgi.STDIN))
        equal(waiting.response().status, 200, "then it is served")
        for link in busy:
            link.close()
        waiting.close()
