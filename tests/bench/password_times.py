#!/usr/bin/python3
"""Whether the time that an answer takes tells that a name is in a password file: the processor time of the host for wrong
passwords of names that the file has, and of names that it has not. Shows ratios; 1.00 is what they should be.

    /usr/bin/python3 tests/bench/password_times.py [build/release]
"""

import base64
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from support import passwords, runner, site  # noqa: E402  pylint: disable=wrong-import-position
from support.fcgi import AUTHORIZER, cgi  # noqa: E402  pylint: disable=wrong-import-position
from support.host import temporary_folder  # noqa: E402  pylint: disable=wrong-import-position

# What: the makers of a file's hashes, and how often each name is asked for.
FILES = {
    "bcrypt, cost 5": (["htpasswd_b"] * 8, 60),
    "yescrypt": (["mkpasswd_y"] * 4, 10),
    "SHA-512 crypt": (["mkpasswd_6"] * 8, 60),
    "APR1": (["htpasswd_m"] * 8, 500),
    "half bcrypt, half APR1": (["htpasswd_b", "htpasswd_m"] * 100, 4),
}


def seconds(host, names, times):
    before = host.processor_seconds()
    for name in names * times:
        word = base64.b64encode(f"{name}:wrong".encode()).decode()
        answer = host.exchange({**cgi("/x"), "HTTP_AUTHORIZATION": f"Basic {word}"}, role=AUTHORIZER)
        runner.equal(answer.status, 401, name)
    return host.processor_seconds() - before


def main(folder):
    build = runner.Build(pathlib.Path(folder).resolve())
    for what, (makers, times) in FILES.items():
        with temporary_folder() as files:
            (files / "users").write_text("".join(f"u{at}:{passwords.MAKERS[maker]()}\n" for at, maker in enumerate(makers)))
            config = f"""
[plugin.staff]
file = "htpasswd.so"
threads = 1
timeout = "20s"
config = {{ file = "{files}/users" }}

[[route]]
name = "r"
authorize = ["staff"]
"""
            with site.running(build, config) as host:
                known = unknown = 0.0
                for part in range(2):  # In turns, so that what else the machine does is shared.
                    known += seconds(host, [f"u{at}" for at in range(len(makers))], times // 2)
                    unknown += seconds(host, [f"n{part}-{at}" for at in range(len(makers))], times // 2)
        each = len(makers) * (times // 2) * 2
        print(f"{what + ':':<24} known {known / each * 1e3:7.2f} ms, unknown {unknown / each * 1e3:7.2f} ms, "
              f"ratio {known / unknown:.2f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "build/release")
