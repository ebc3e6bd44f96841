"""The plugin cidr on the event loops of two workers, with files that change under it."""

import time

from support import site
from support.fcgi import AUTHORIZER, cgi
from support.host import temporary_folder
from support.runner import Suite, equal, eventually, expect

suite = Suite("cidr")


@suite.fixture
def office(t):
    with temporary_folder() as folder:
        (folder / "allowed").write_text("10.0.0.0/8\n2001:db8::/32\n")
        (folder / "denied").write_text("# nobody yet\n")
        config = f"""
[plugin.office]
file = "cidr.so"
threads = 0

[plugin.office.config]
allow_file = "{folder}/allowed"
deny_file = "{folder}/denied"
forwarded = "HTTP_X_FORWARDED_FOR"
trusted = ["192.0.2.0/24"]

[[route]]
name = "office"
authorize = ["office"]
"""
        with site.running(t.build, config, processes=2) as running:
            running.lists = folder
            yield running


def ask(running, address, forwarded=None):
    more = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {}
    return running.exchange({**cgi("/x"), "REMOTE_ADDR": address, **more}, role=AUTHORIZER).status


def replace(file, text):
    (file.parent / "next").write_text(text)
    (file.parent / "next").rename(file)


def always(running, address, status):
    """Of every worker: which one answers is chance, and twenty times it is hardly the same."""
    return all(ask(running, address) == status for _ in range(20))


@suite.test("addresses come in by the lists, and by what trusted proxies say")
def _(t):
    running = t.use(office)
    for address, forwarded, status in (("10.9.9.9", None, 200), ("::ffff:10.9.9.9", None, 200), ("2001:db8::7", None, 200),
                                       ("203.0.113.1", None, 403), ("fe80::1%eth0", None, 403), ("10.9.9.9:80", None, 403),
                                       ("", None, 403), ("192.0.2.7", "10.9.9.9", 200), ("192.0.2.7", "10.9.9.9, 203.0.113.1", 403),
                                       ("203.0.113.1", "10.9.9.9", 403), ("192.0.2.7", "nonsense", 403)):
        equal(ask(running, address, forwarded), status, f"{address!r} forwarded for {forwarded!r}")


@suite.test("a change counts in all workers within two seconds, and wrong lines are told")
def _(t):
    running = t.use(office)
    replace(running.lists / "denied", "10.1.0.0/16\n")
    changed = time.monotonic()
    eventually(lambda: always(running, "10.1.2.3", 403), "denied", 5)
    expect(time.monotonic() < changed + 2.5, "the change took more than two seconds and the asking")
    equal(ask(running, "10.2.2.3"), 200, "another one")
    replace(running.lists / "denied", "10.1.0.0/16\n<html>\n")
    told = f"{running.lists}/denied:2: is no address"
    eventually(lambda: ask(running, "10.2.2.3") == 200 and told in running.log_text(), "the wrong line in the log", 5)
    expect(always(running, "10.1.2.3", 403), "who was denied is denied")
    replace(running.lists / "denied", "# nobody\n")
    eventually(lambda: always(running, "10.1.2.3", 200), "allowed again", 5)


@suite.test("a list that is away is a failure of the plugin")
def _(t):
    running = t.use(office)
    (running.lists / "allowed").unlink()
    eventually(lambda: always(running, "10.2.2.3", 500), "500", 5)
    expect(f"{running.lists}/allowed: No such file or directory" in running.log_text(), running.log_text())
    replace(running.lists / "allowed", "10.0.0.0/8\n")
    eventually(lambda: always(running, "10.2.2.3", 200), "200", 5)
    expect("can be read again" in running.log_text(), "the log says so")
