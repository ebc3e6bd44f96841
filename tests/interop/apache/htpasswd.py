"""The plugin htpasswd behind mod_fcgid: it looks at the header itself, or answers what Apache asks of a password."""

from support import examples, passwords, refusals, web
from support.runner import Suite, equal, expect

suite = Suite("mod_fcgid htpasswd")

SECTIONS = {
    # Apache keeps the header Authorization to itself unless it is told to pass it on: in one of these two ways.
    "checker": 'FcgidAccessChecker "{command}"\n  CGIPassAuth On\n  Require all granted',
    "setenvif": 'FcgidAccessChecker "{command}"\n  SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1\n  Require all granted',
    "authn": 'AuthType Basic\n  AuthName Staff\n  AuthUserFile /dev/null\n  AuthBasicAuthoritative Off\n'
             '  FcgidAuthenticator "{command}"\n  Require valid-user',
}
HIDDEN = 'FcgidAccessChecker "{command}"\n  Require all granted'
AUTHORIZER = ('AuthType Basic\n  AuthName Staff\n  AuthUserFile "{users}"\n  FcgidAuthorizer "{command}"\n'
              '  Require valid-user')


def _sections(file):
    def written(command, root):
        text = ""
        for name, lines in {**SECTIONS, "hidden": HIDDEN, "authz": AUTHORIZER}.items():
            (root / name).mkdir()
            (root / name / "file.txt").write_bytes(refusals.SECRET)
            text += f"""
<Location "/{name}">
  {lines.format(command=command, users=file.path.with_name("apache"))}
  SetEnvIf Request_URI "^" TRIVET_ROUTE=private
  Header always unset Variable-REMOTE_USER
  Header always unset Variable-AUTH_TYPE
</Location>
<Location "/{name}/account">
  SetEnvIf Request_URI "^" TRIVET_ROUTE=account
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
</Location>"""
        return text
    return written


@suite.fixture
def staff(t):
    with passwords.file_in_a_folder() as file:
        # Apache's own, for the section in which it looks at the password: one user more, and one of the same.
        file.path.with_name("apache").write_text(
            "".join(f"{name}:{file.lines['htpasswd_b']}\n" for name in ("stranger", "htpasswd_b")))
        with examples.apache(t.build, passwords.config(file), _sections(file)) as running:
            running.file = file
            yield running
            passwords.expect_no_secret_in(running.web.log_text())


@suite.test("the right password of every kind of hash comes in, and its name arrives", timeout=120)
def _(t):
    for name in SECTIONS:
        passwords.expect_the_right_ones_come_in(t.use(staff).port, f"/{name}/file.txt", f"/{name}/account/me")


@suite.test("nobody else comes in", timeout=120)
def _(t):
    for name in SECTIONS:
        passwords.expect_nobody_else_comes_in(t.use(staff).port, f"/{name}/file.txt", name != "authn")


@suite.test("a header that Apache keeps to itself lets nobody in, and the log says what is missing")
def _(t):
    running = t.use(staff)
    running.web.mark_log()
    equal(web.ask(running.port, "/hidden/file.txt", headers=passwords.basic("htpasswd_b")).status, 401, "status")
    expect("no credentials" in running.web.log_since_mark(), running.web.log_since_mark())


@suite.test("FcgidAuthorizer lets in whom Apache knows and the file has")
def _(t):
    running = t.use(staff)
    known = web.ask(running.port, "/authz/file.txt", headers=passwords.basic("htpasswd_b"))
    equal((known.status, known.body), (200, refusals.SECRET), "who is in both files")
    for headers in (passwords.basic("stranger"), passwords.basic("htpasswd_b", "wrong"), {}):
        equal(web.ask(running.port, "/authz/file.txt", headers=headers).status, 401, f"{headers}")


@suite.test("a user who is removed from the file is out within two seconds, and nobody else is", timeout=120)
def _(t):
    running = t.use(staff)
    passwords.expect_a_removed_user_is_out(running.file, running.port, "/checker/file.txt")


@suite.test("while the file is away nobody comes in", timeout=120)
def _(t):
    running = t.use(staff)
    for name in ("checker", "authn"):
        passwords.expect_no_file_is_nobody(running.file, running.port, f"/{name}/file.txt", 401)
