#!/usr/bin/python3
"""The systemd units are sound, alone and with each drop-in, and as closed as they are said to be.

`systemd-analyze security` gives an exposure from 0 to 10; whoever opens the unit further than that sees it here.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = ROOT / "conf" / "systemd"
BUILD = ROOT / os.environ.get("TRIVET_BUILD", "build/release")

# The unit as it is shipped, and what each drop-in may cost.
MOST = {None: 1.5, "tcp": 1.5, "jit": 1.5, "root": 2.0}


def analyze(*words, path):
    environment = dict(os.environ, SYSTEMD_UNIT_PATH=f"{path}:")
    done = subprocess.run(["systemd-analyze", "--no-pager", *words], check=False, capture_output=True, text=True,
                          env=environment)
    return done.returncode, done.stdout + done.stderr


def placed(folder, drop_in):
    """The units below `folder`, with a program that is there."""
    for each in UNITS.glob("trivet.*"):
        text = each.read_text().replace("/usr/bin/trivet", str(BUILD / "bin" / "trivet"))
        (folder / each.name).write_text(text)
    if drop_in:
        (folder / "trivet.service.d").mkdir()
        shutil.copy(UNITS / "drop-ins" / f"{drop_in}.conf", folder / "trivet.service.d")


def exposure(text):
    found = re.search(r"Overall exposure level for trivet.service: ([0-9.]+)", text)
    return float(found.group(1)) if found else None


def look_at(drop_in):
    wrong = []
    name = f"with drop-ins/{drop_in}.conf" if drop_in else "as it is"
    with tempfile.TemporaryDirectory(prefix="trivet-units-") as made:
        folder = pathlib.Path(made)
        placed(folder, drop_in)
        for unit in ("trivet.service", "trivet.socket"):
            code, said = analyze("verify", "--man=no", "--recursive-errors=no", str(folder / unit), path=folder)
            said = "\n".join(line for line in said.splitlines() if "trivet" in line)
            if code != 0 or said:
                wrong.append(f"{unit} {name}: {said or code}")
        _, said = analyze("security", "--offline=true", str(folder / "trivet.service"), path=folder)
        level = exposure(said)
        print(f"trivet.service {name}: exposure {level}")
        if level is None or level > MOST[drop_in]:
            wrong.append(f"trivet.service {name}: exposure {level}, at most {MOST[drop_in]} is wanted")
    return wrong


def main():
    assert exposure("→ Overall exposure level for trivet.service: 0.7 SAFE") == 0.7
    drop_ins = {each.stem for each in (UNITS / "drop-ins").glob("*.conf")}
    if drop_ins != set(MOST) - {None}:
        sys.exit(f"drop-ins without a bound, or the other way round: {sorted(drop_ins ^ (set(MOST) - {None}))}")
    wrong = [each for drop_in in MOST for each in look_at(drop_in)]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
