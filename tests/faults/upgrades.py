"""Binary upgrades: nothing that is asked meanwhile is lost, and nothing that was counted."""

import json
import time

from support import host as hosts
from support.load import loads
from support.reloading import haproxy_before, nginx_before, reloading
from support.runner import Suite, equal, eventually
from support.upgrading import upgrade

suite = Suite("upgrades")


def _requests(t, host):
    told = hosts.run_trivet(t.build, "status", "--json", "--admin", f"unix:{host.folder}/run/admin.sock")
    return json.loads(told.stdout)["totals"]["requests"]["responder"]


@suite.test("S14: upgrades in a row under load, directly, behind nginx and behind HAProxy, lose nothing and close no kept connection",
            timeout=180)
def _(t):
    count = 20 if t.build.is_long else 2
    with reloading(t) as host, nginx_before(host) as nginx, haproxy_before(host) as haproxy:
        before, pid = len(host.descriptors()), host.pid
        names = ("direct", "nginx", "HAProxy")
        with loads(t.build, (host.unix, {"kept": 4, "once": 4}), (nginx, {"kept": 4, "once": 1}),
                   (haproxy, {"kept": 16})) as busy:
            times = []
            for number in range(count):
                host.put(2 - number % 2)
                begun = time.monotonic()
                upgrade(host)
                times.append(time.monotonic() - begun)
                equal(host.edition(), 2 - number % 2, "the edition that answers after the upgrade")
            reports = dict(zip(names, (each.stop() for each in busy)))
        times.sort()
        print(f"     {count} upgrades, {times[len(times) // 2]:.2f} s each, at most {times[-1]:.2f} s")
        for name, report in reports.items():
            print(f"     {name}: {report.short()}")
        for name, report in reports.items():
            report.expect_nothing_lost()
            equal(sorted(report.editions), ["1", "2"], f"editions that answered {name}")
        host.expect_settled(2)
        equal((host.pid, host.log_text().count("has taken over")), (pid, count), "the process, and images that took over")
        answered = sum(each.answered for each in reports.values()) + count
        eventually(lambda: _requests(t, host) == answered, f"{answered} counted requests", 10)
        eventually(lambda: len(host.descriptors()) == before, "as many descriptors as before", 10)
