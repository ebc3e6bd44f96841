"""The examples of conf/ in a temporary folder: the very files a user copies, with our socket, port and document root."""

import contextlib
import re

from support import host, refusals, site
from support.runner import Failure
from support.servers import CONF, Lighttpd, Nginx, replaced, running


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


def _nginx_files(folder, trivet, port, extra):
    root = document_root(folder)
    text = (CONF / "nginx" / "trivet.conf").read_text()
    (folder / "trivet_params").write_text((CONF / "nginx" / "trivet_params").read_text())
    (folder / "trivet.conf").write_text(replaced(text, {
        "unix:/run/trivet/trivet.sock": trivet.unix, "listen 80;": f"listen 127.0.0.1:{port};", "/srv/www": root}))
    (folder / "extra.conf").write_text(extra(text, root))


@contextlib.contextmanager
def nginx(build, config, extra, workers=1, main=""):
    """Trivet behind nginx with the example, and a second server whose inside is extra(example text, document root)."""
    with site.running(build, config) as trivet:
        port, extra_port = host.free_port(), host.free_port()

        def second_server(text, root):
            return f"server {{\nlisten 127.0.0.1:{extra_port};\nroot {root};\n{extra(text, root)}\n}}\n"

        _nginx_files(trivet.folder, trivet, port, second_server)
        server = Nginx(trivet.folder, port, "include trivet.conf; include extra.conf;", workers, main)
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
