"""A password file made by the programs that people make theirs with, and what has to be true of whoever guards by it."""

import base64
import contextlib
import os
import pathlib
import subprocess
import time

from support import refusals, site, web
from support.runner import equal, eventually, expect
from support.servers import program, temporary_folder

WORD = "correct: hörse"  # a colon and a letter of two bytes


def _run(*command, stdin=""):
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout.strip()


def _htpasswd(option):
    return lambda: _run(program("htpasswd"), "-ni", *option.split(), "x", stdin=WORD).partition(":")[2]


def _mkpasswd(*options):
    return lambda: _run(program("mkpasswd"), "-s", "-m", *options, stdin=WORD)


def _openssl(option):
    return lambda: _run(program("openssl"), "passwd", option, "-stdin", stdin=WORD)


MAKERS = {
    "htpasswd_b": _htpasswd("-B -C 5"), "htpasswd_m": _htpasswd("-m"), "htpasswd_s": _htpasswd("-s"),
    "mkpasswd_y": _mkpasswd("yescrypt"), "mkpasswd_6": _mkpasswd("sha512crypt"), "mkpasswd_b": _mkpasswd("bcrypt", "-R", "5"),
    "openssl_5": _openssl("-5"), "openssl_6": _openssl("-6"), "openssl_a": _openssl("-apr1"),
}
REFUSED = {"htpasswd_d": _htpasswd("-d"), "openssl_1": _openssl("-1")}


def basic(name, word=WORD):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()}


class File:
    """One user for each maker, named after it; all have the same password."""

    def __init__(self, folder):
        self.path = folder / "users"
        self.lines = {name: make() for name, make in {**MAKERS, **REFUSED}.items()}
        self.write()

    def write(self):
        """By renaming, as editors and `vipw` do."""
        after = self.path.with_name("next")
        after.write_text("".join(f"{name}:{line}\n" for name, line in self.lines.items()))
        os.chmod(after, 0o644)
        after.rename(self.path)

    def delete_with_htpasswd(self, name):
        _run(program("htpasswd"), "-D", str(self.path), name)


def config(file):
    """As conf/*/trivet.toml, with a guard that asks for passwords."""
    return f"""
[plugin.hello]
[plugin.echo]

[plugin.staff]
file = "htpasswd.so"
timeout = "20s"
config = {{ file = "{file.path}", realm = "Staff" }}

[[route]]
name = "app"
path = "/app/**"
respond = "hello"

[[route]]
name = "private"
path = "/private/**"
authorize = ["staff"]
variables = ["REMOTE_USER", "AUTH_TYPE"]

[[route]]
name = "account"
path = "/account/**"
authorize = ["staff"]
authorize_on = ["authorizer"]
variables = ["REMOTE_USER", "AUTH_TYPE"]
respond = "echo"
"""


@contextlib.contextmanager
def file_in_a_folder():
    with temporary_folder() as folder:
        yield File(folder)


def expect_the_right_ones_come_in(port, protected, account):
    """`protected` is a file, `account` what `echo` answers behind the guard; each None where there is none."""
    for name in MAKERS:
        if protected:
            answer = web.ask(port, protected, headers=basic(name))
            equal((answer.status, answer.body), (200, refusals.SECRET), f"{name} at {protected}")
            leaked = [each for each, _ in answer.headers if each.lower().startswith("variable-")]
            equal(leaked, [], "what of the verdict the client saw")
        if account:
            seen = site.variables(web.ask(port, account, headers=basic(name)).body)
            equal(seen.get("REMOTE_USER"), name, "REMOTE_USER behind the guard")


def expect_nobody_else_comes_in(port, uri, header_is_trivets=True):
    """`header_is_trivets`: it reads the header Authorization itself; Apache reads over what comes behind it."""
    tries = [{}, *(basic(name) for name in REFUSED), basic("nobody"), basic(""), basic("htpasswd_b", WORD + "x")]
    tries += [basic(name, word) for name in MAKERS for word in ("", "wrong", WORD[:-1], WORD.upper())]
    for line in ("Basic", "Basic ", "Basic !!!!", "Basic eA==", "Bearer x", "Basic " + "A" * 3000,
                 basic("htpasswd_b")["Authorization"][:-4]):
        tries.append({"Authorization": line})
    if header_is_trivets:
        tries.append({"Authorization": basic("htpasswd_b")["Authorization"] + ", Basic eDp5"})
    for headers in tries:
        answer = web.ask(port, uri, headers={**headers, "Remote-User": "htpasswd_b", "Variable-Remote-User": "htpasswd_b"})
        equal(answer.status, 401, f"with {headers}")
        expect(refusals.SECRET not in answer.body and b"REMOTE_USER" not in answer.body, f"{headers} came in")
        expect((answer.header("WWW-Authenticate") or "").startswith('Basic realm="'), f"{answer.headers}")


def expect_a_removed_user_is_out(file, port, uri):
    """Within two seconds, without one failure for those who stay; also where htpasswd -D writes the file in place."""
    def remove_by_renaming(name):
        del file.lines[name]
        file.write()

    for name, remove in (("htpasswd_m", remove_by_renaming), ("htpasswd_s", file.delete_with_htpasswd)):
        equal(web.ask(port, uri, headers=basic(name)).status, 200, f"{name} before")
        remove(name)
        removed = time.monotonic()
        while web.ask(port, uri, headers=basic(name)).status != 401:
            expect(time.monotonic() < removed + 2, f"{name} is in two seconds after the line went")
            equal(web.ask(port, uri, headers=basic("openssl_a")).status, 200, "who stays")
        equal(web.ask(port, uri, headers=basic("openssl_a")).status, 200, "who stays")


def expect_no_file_is_nobody(file, port, uri, status):
    kept = pathlib.Path(file.path).read_text()
    file.path.unlink()
    eventually(lambda: web.ask(port, uri, headers=basic("openssl_a")).status == status, f"{status} without the file", 5)
    file.path.write_text(kept)
    eventually(lambda: web.ask(port, uri, headers=basic("openssl_a")).status == 200, "the file is back", 5)


def expect_no_secret_in(log):
    for secret in (WORD, "hörse", basic("htpasswd_b")["Authorization"].split()[1], "$apr1$", "{SHA}"):
        expect(secret not in log, f"the log shows {secret!r}")
