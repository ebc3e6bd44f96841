"""The logs of a running host: every line one event, none of them a peer's to write, lines lost before requests are."""

import json
import signal

from support import site
from support.fcgi import cgi
from support.runner import Suite, equal, eventually, expect

suite = Suite("logs")

SECRET = "Bearer s3cr3t-t0ken"

# What a client may put into a line to end it, to forge another, or to speak to a terminal.
HOSTILE = (
    "/nowhere\r\n2026-01-01T00:00:00.000Z info  allowed user=root",
    '/nowhere" user="root',
    "/nowhere\\",
    "/nowhere\x1b[2J\x1b]0;title\x07",
    "/nowhere\x00after",
    "/nowhere\xff\xfe\x80",
    "/nowhere" + "x" * 9000,
)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


@suite.test("every line is one JSON object, whatever a client writes; each request has one in the access log")
def _(t):
    with site.logged(t.build, 'format = "json"\naccess_flush = "0s"\n') as running:
        for uri in HOSTILE:
            running.exchange(cgi("/nowhere", REQUEST_URI=uri))
        running.get("/hello", QUERY_STRING="a=b", HTTP_AUTHORIZATION=SECRET)
        kept = [json.loads(each) for each in lines(running.access_file)]
        told = [json.loads(each) for each in lines(running.log_file)]
        equal(len(kept), len(HOSTILE) + 1, "lines in the access log")
        equal([each["status"] for each in kept][-1], "200", "the last status")
        refused = [each for each in told if each["text"] == "refused"]
        equal(len(refused), len(HOSTILE), "refusals in the log")
        for file in (running.access_file, running.log_file):
            raw = file.read_bytes()
            expect(not any(byte < 32 and byte != 10 for byte in raw), f"a control character in {file.name}")
            expect(b"s3cr3t" not in raw, f"a secret in {file.name}")


@suite.test("SIGHUP opens both logs anew, and no line is lost between")
def _(t):
    with site.logged(t.build) as running:
        for round_ in range(5):
            running.get("/hello")
            for file in (running.access_file, running.log_file):
                file.rename(file.with_suffix(f".{round_}"))
            running.get("/hello")
            running.send_signal(signal.SIGHUP)
            eventually(running.access_file.exists, "the new file", 5)
            eventually(lambda: "reopened" in running.log_file.read_text(), "the line that says so", 5)
        running.get("/hello")
        running.stop()
        whole = [line for file in running.logs.glob("access.*") for line in lines(file)]
        equal(len(whole), 11, "requests in all access logs")
        expect(all(" status=200 " in each for each in whole), "a line is not whole")


@suite.test("a full disk and a log that nobody reads cost lines, which are counted, and no request")
def _(t):
    for target in ("file:/dev/full", "stderr"):
        with site.running(t.build, site.CONFIG + f'[log]\naccess = "{target}"\n') as running:
            before = running.log_text().count(" access ")
            for _ in range(50):
                equal(running.get("/hello").status, 200, f"an answer with access = {target}")
            running.send_signal(signal.SIGTERM)
            running.process.wait(10 * t.build.slowness)
            if target == "stderr":
                equal(running.log_text().count(" access ") - before, 50, "lines")
            else:
                expect(' stopped log_lines_lost=50\n' in running.log_text(), "the lines that were lost are not counted")


@suite.test("a request has the web server's name where the configuration says so, in every line")
def _(t):
    config = site.CONFIG + '[log]\naccess = "stderr"\naccess_flush = "0s"\nrequest_id = "REQUEST_ID"\n'
    with site.running(t.build, config) as running:
        running.get("/hello", REQUEST_ID="web-0001", HTTP_X_REQUEST_ID="client-1")
        running.get("/nowhere", REQUEST_ID="web-0002")
        running.get("/hello", REQUEST_ID="no name")
        found = [each for each in running.log_text().splitlines() if " access " in each]
        expect("request=web-0001 " in found[0], found[0])
        expect("request=web-0002 " in found[1], found[1])
        expect("no name" not in found[2], found[2])
        equal(running.log_text().count("request=web-0002"), 2, "lines of the refused request")


@suite.test("lines of the access log wait for others as long as access_flush says; the end of the host does not wait for them")
def _(t):
    def count(running):
        return len(lines(running.access_file))

    with site.logged(t.build, 'access_flush = "200ms"\n') as running:
        for number in range(1, 4):
            running.get("/hello")
            eventually(lambda n=number: count(running) == n, "the line of a request", 5)
    with site.logged(t.build, 'access_flush = "1m"\n') as running:
        for _ in range(5):
            running.get("/hello")
        equal(count(running), 0, "lines that were not to be written yet")
        running.stop()
        equal(count(running), 5, "lines after the end")
