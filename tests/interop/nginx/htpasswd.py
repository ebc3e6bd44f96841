"""The plugin htpasswd behind nginx: auth_request as conf/nginx has it."""

from support import examples, passwords
from support.runner import Suite

suite = Suite("nginx htpasswd")


@suite.fixture
def staff(t):
    with passwords.file_in_a_folder() as file:
        with examples.nginx(t.build, passwords.config(file), lambda *_: "") as running:
            running.file = file
            yield running
            passwords.expect_no_secret_in(running.trivet.log_text())


@suite.test("the right password of every kind of hash comes in, and its name arrives")
def _(t):
    passwords.expect_the_right_ones_come_in(t.use(staff).port, "/private/file.txt", "/account/me")


@suite.test("nobody else comes in")
def _(t):
    for uri in ("/private/file.txt", "/account/me"):
        passwords.expect_nobody_else_comes_in(t.use(staff).port, uri)


@suite.test("a user who is removed from the file is out within two seconds, and nobody else is")
def _(t):
    running = t.use(staff)
    passwords.expect_a_removed_user_is_out(running.file, running.port, "/private/file.txt")


@suite.test("while the file is away nobody comes in")
def _(t):
    running = t.use(staff)
    passwords.expect_no_file_is_nobody(running.file, running.port, "/private/file.txt", 500)
