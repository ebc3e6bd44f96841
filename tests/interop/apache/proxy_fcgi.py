"""Apache's mod_proxy_fcgi before a responder, with a connection for each request and with connections that are kept."""

from support import responding
from support.runner import Suite
from support.servers import Apache

suite = Suite("mod_proxy_fcgi responder")
kept_suite = Suite("mod_proxy_fcgi responder, kept connections")


def _pass(target, more=""):
    def make(trivet, port):
        root = trivet.folder / "www"
        root.mkdir()
        where = target.format(socket=trivet.web, port=trivet.port)
        return Apache(trivet.folder, port, root, f'ProxyPass "/" "{where}" {more}', Apache.PROXY_FCGI)
    return make


@suite.fixture
def pair(t):
    with responding.behind(t.build, _pass("unix:{socket}|fcgi://localhost/")) as running:
        yield running


@kept_suite.fixture
def kept_pair(t):
    with responding.behind(t.build, _pass("fcgi://127.0.0.1:{port}/", "enablereuse=on")) as running:
        yield running


responding.add(suite, pair, responding.Ways(length_arrives=False))
responding.add(kept_suite, kept_pair, responding.Ways(keeps=True, length_arrives=False))
