"""A host under callgrind: what a request costs it in user instructions, which do not depend on what else the machine does."""

import contextlib
import pathlib
import re
import shutil
import subprocess
import sys

import peers


class Counted:
    def __init__(self, trivet, server, folder, processor):
        self.trivet, self.server, self.processor = trivet, server, processor
        self.profiles = pathlib.Path(folder) / f"{server.name}.profile"

    def tell(self, *options):
        subprocess.run(["callgrind_control", *options, str(self.server.process.pid)], check=True, capture_output=True, timeout=60)

    def profile(self, words, requests):
        """What so many of them do, as callgrind writes it. Nothing from before, such as the start, is in it."""
        peers.put_load(self.trivet, self.server, self.processor, words, ["-n", str(max(20, requests // 5)), "--timeout", "60s"])
        for old in self.profiles.parent.glob(self.profiles.name + ".*"):
            old.unlink()
        self.tell("-z")
        peers.put_load(self.trivet, self.server, self.processor, words, ["-n", str(requests), "--timeout", "60s"])
        self.tell("-d")
        return next(self.profiles.parent.glob(self.profiles.name + ".*")).read_text(errors="replace")

    def instructions(self, words, requests=1000):
        """User instructions for a request."""
        return int(re.search(r"^summary: (\d+)", self.profile(words, requests), re.M)[1]) / requests


@contextlib.contextmanager
def counted(trivet, server, folder, processor):
    """`server` is a host as peers.trivet() describes it."""
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed (apt-get install valgrind)")
    made = Counted(trivet, server, folder, processor)
    # Nothing is counted while it starts, which would take long with many routes.
    server.command = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={made.profiles}",
                      *server.command]
    server.wait = 120
    with server.running(folder, processor):
        made.tell("-i", "on")
        yield made
