"""The examples of conf/ in a temporary folder: the very files a user copies, with our socket, port and document root."""

import base64
import contextlib
import hashlib
import os
import re

from support import host, refusals, site
from support.runner import Failure, equal, eventually, expect
from support.servers import (CONF, Apache, Haproxy, Lighttpd, Nginx, give_to_web_user, processes_with, replaced, running,
                             socket_count, temporary_folder, web_user)


def plugins_and_routes(server):
    """Everything of the example's trivet.toml after [server] and [[listen]], which tests write themselves."""
    text = (CONF / server / "trivet.toml").read_text()
    start = text.find("[plugin.")
    if start < 0:
        raise Failure(f"conf/{server}/trivet.toml defines no plugin")
    return text[start:]


def block(text, start):
    """The inside of the block that begins with `start {`, for blocks without inner blocks."""
    found = re.search(re.escape(start) + r" \{\n(.*?)\n\s*\}", text, re.DOTALL)
    if not found:
        raise Failure(f"the example has no block {start!r}")
    return found.group(1)


def document_root(folder):
    root = folder / "www"
    for name in ("private", *(f"case/{case.name}" for case in refusals.CASES + refusals.ROLES), "case/twin"):
        (root / name).mkdir(parents=True)
        (root / name / "file.txt").write_bytes(refusals.SECRET)
    return root


class Pair:
    """A host and the web server before it."""

    def __init__(self, trivet, web, port, extra_port=None):
        self.trivet, self.web, self.port, self.extra_port = trivet, web, port, extra_port


def _nginx_files(folder, trivet, port, extra, changes):
    root = document_root(folder)
    text = (CONF / "nginx" / "trivet.conf").read_text()
    (folder / "trivet_params").write_text((CONF / "nginx" / "trivet_params").read_text())
    (folder / "trivet.conf").write_text(replaced(text, {
        **changes, "unix:/run/trivet/trivet.sock": trivet.unix, "listen 80;": f"listen 127.0.0.1:{port};", "/srv/www": root}))
    (folder / "extra.conf").write_text(extra(text, root))


@contextlib.contextmanager
def nginx(build, config, extra, workers=1, main="", http=lambda _: "", changes=None):
    """Trivet behind nginx with the example, and a second server whose inside is extra(example text, document root).
    `http(folder)` goes before both, `changes` replaces more of the example's text. The second server keeps connections as
    the example does: nginx puts any connection into the upstream's `keepalive`, also one that it asked to be closed, and
    fails the next upload where it takes that before it sees the end."""
    with site.running(build, config) as trivet:
        port, extra_port = host.free_port(), host.free_port()

        def second_server(text, root):
            return f"server {{\nlisten 127.0.0.1:{extra_port};\nroot {root};\nfastcgi_keep_conn on;\n{extra(text, root)}\n}}\n"

        _nginx_files(trivet.folder, trivet, port, second_server, changes or {})
        server = Nginx(trivet.folder, port, f"{http(trivet.folder)}\ninclude trivet.conf; include extra.conf;", workers, main)
        with running(server):
            yield Pair(trivet, server, port, extra_port)


@contextlib.contextmanager
def lighttpd(build, config, extra):
    """Trivet behind lighttpd with the example, and more configuration from extra(trivet)."""
    with site.running(build, config) as trivet:
        port = host.free_port()
        root = document_root(trivet.folder)
        (trivet.folder / "upload").mkdir()
        text = (CONF / "lighttpd" / "trivet.conf").read_text()
        (trivet.folder / "trivet.conf").write_text(replaced(text, {
            "/run/trivet/trivet.sock": trivet.socket_path, "/srv/www": root}))
        server = Lighttpd(trivet.folder, port, f"""\
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{root}"
server.upload-dirs = ( "{trivet.folder}/upload" )
server.max-fds = 4096
mimetype.assign = ( ".txt" => "text/plain" )
include "{trivet.folder}/trivet.conf"
{extra(trivet, root)}
""")
        with running(server):
            yield Pair(trivet, server, port)


# What starters of applications leave of the environment, and what sanitizers need.
SPAWNED_ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), **host.SANITIZED}


class Spawned(host.Host):
    """What a web server starts by itself with `command()`: any number of processes, or none."""

    def __init__(self, build, folder, config, **more):
        super().__init__(build, folder, config, **more)
        self.write()
        give_to_web_user(folder / "cache", folder / "spool")

    def pids(self):
        return processes_with(self.file)

    def busy(self):
        """Whether one of them has a connection beside its listening socket."""
        return any(socket_count(pid) > 1 for pid in self.pids())

    def expect_clean(self, log):
        """After the web server's end: no process is left, nothing lies about, no sanitizer spoke."""
        eventually(lambda: not self.pids(), f"the end of {self.pids()}", 10)
        report = host.REPORTS.search(log)
        expect(report is None, "a sanitizer or assertion spoke:\n" + log[report.start():][:4000] if report else "")
        for each in ("cache", "spool"):
            equal(os.listdir(self.folder / each), [], f"what lies about in {each}")


def passwords(**users):
    """Lines of a password file for Apache: name=password."""
    digest = {name: base64.b64encode(hashlib.sha1(word.encode()).digest()).decode() for name, word in users.items()}
    return "".join(f"{name}:{{SHA}}{each}\n" for name, each in digest.items())


def basic(user, word):
    """The header that says who it is and what the password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()}


def _apache_server(folder, command, extra, modules=("fcgid",)):
    root = document_root(folder)
    (folder / "users").write_text(passwords(ann="ann's word", bob="bob's word"))
    text = replaced((CONF / "apache" / "trivet.conf").read_text(), {
        'trivet "/usr/bin/trivet attach"': f'trivet "{command}"', "/etc/trivet/members.htpasswd": folder / "users"})
    sanitizers = "\n".join(f'FcgidInitialEnv {name} "{value}"' for name, value in host.SANITIZED.items())
    return Apache(folder, host.free_port(), root, f"{text}\n{sanitizers}\n{extra(command, root)}", modules)


@contextlib.contextmanager
def apache(build, config, extra, modules=("fcgid",)):
    """Apache with the example and more from extra(command of Trivet, document root); mod_fcgid starts Trivet."""
    with temporary_folder() as folder:
        trivet = Spawned(build, folder, config)
        server = _apache_server(folder, " ".join(trivet.command()), extra, modules)
        with running(server):
            yield Pair(trivet, server, server.port)
        trivet.expect_clean(server.log_text())


def attach_command(trivet):
    return f"{trivet.build.binary} attach unix:{trivet.folder}/run/attach.sock"


def attaching(build, config, processes=2):
    """A host that takes the sockets of a web server's user."""
    group = f'group = "{web_user()}"' if web_user() else ""
    return site.running(build, config, processes=processes, server=f"attach = {{ {group} }}")


@contextlib.contextmanager
def apache_attaches(build, config, extra):
    """The same, but mod_fcgid starts `trivet attach` for one host that runs."""
    with attaching(build, config) as trivet:
        server = _apache_server(trivet.folder, attach_command(trivet), extra)
        with running(server):
            yield Pair(trivet, server, server.port)
        eventually(lambda: not processes_with(f"{trivet.folder}/run/attach.sock"), "the end of all stubs", 10)


@contextlib.contextmanager
def lighttpd_attaches(build, config, extra):
    """lighttpd with extra(host, document root), for bin-path = attach_command(host)."""
    with attaching(build, config) as trivet:
        root = document_root(trivet.folder)
        server = _lighttpd_server(trivet.folder, extra(trivet, root), root)
        with running(server):
            yield Pair(trivet, server, server.port)
        eventually(lambda: not processes_with(f"{trivet.folder}/run/attach.sock"), "the end of all stubs", 10)


def _lighttpd_server(folder, text, root):
    (folder / "upload").mkdir()
    port = host.free_port()
    return Lighttpd(folder, port, f"""\
server.modules = ( "mod_fastcgi", "mod_setenv" )
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{root}"
server.upload-dirs = ( "{folder}/upload" )
server.max-fds = 4096
server.breakagelog = "{folder}/lighttpd.log"
mimetype.assign = ( ".txt" => "text/plain" )
{text}
""")


@contextlib.contextmanager
def lighttpd_spawns(build, config, extra):
    """lighttpd with extra(what it starts, document root), and none of the example."""
    with temporary_folder() as folder:
        trivet = Spawned(build, folder, config)
        root = document_root(folder)
        server = _lighttpd_server(folder, extra(trivet, root), root)
        with running(server):
            yield Pair(trivet, server, server.port)
        trivet.expect_clean(server.log_text())


@contextlib.contextmanager
def haproxy(build, config, extra="", threads=2, changes=None, lua=None):
    """Trivet behind HAProxy with the example; `changes` replaces more of its text, `lua` its script."""
    with site.running(build, config) as trivet:
        port = host.free_port()
        text = replaced((CONF / "haproxy" / "trivet.cfg").read_text(), {
            **(changes or {}), "unix@/run/trivet/trivet.sock": f"unix@{trivet.socket_path}", "bind :80": f"bind 127.0.0.1:{port}",
            "/usr/share/trivet/haproxy/trivet_auth.lua": lua or CONF / "haproxy" / "trivet_auth.lua"})
        server = Haproxy(trivet.folder, port, threads, text + extra)
        with running(server):
            yield Pair(trivet, server, port)
