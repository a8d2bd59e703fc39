#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Sums up meson's test logs (testlog.json): names what failed or was skipped, and prints
"N passed, N failed, N skipped" last. TAP tests count by their cases, others as one. With CI=true
in the environment nothing may be skipped: what was, also in the guest, is a failure."""
import json
import os
import re
import sys

CASE = re.compile(r"^(not )?ok\b *\d* *-? *(.*?)(?: *# *(SKIP)\b *(.*))?$", re.I)


def cases(test):
    """Yields (outcome, name) for every case of one test program."""
    failed = False
    tap = [m for m in map(CASE.match, test.get("stdout", "").splitlines()) if m]
    for bad, name, directive, reason in (m.groups() for m in tap):
        if directive:
            yield "skipped", f"{test['name']}: {name} ({reason})"
        elif bad:
            failed = True
            yield "failed", f"{test['name']}: {name}"
        else:
            yield "passed", name
    if test["result"] == "SKIP" and not tap:
        yield "skipped", test["name"]
    elif test["result"] not in ("OK", "SKIP") and not failed:
        yield "failed", f"{test['name']}: {test['result'].lower()}, status {test['returncode']}"
    elif not tap:
        yield "passed", test["name"]


def main(paths):
    found = {"passed": [], "failed": [], "skipped": []}
    for path in paths:
        if not os.path.exists(path):
            found["failed"].append(f"{path} is missing: its tests did not run")
            continue
        with open(path, encoding="utf-8") as log:
            for line in log:
                for outcome, name in cases(json.loads(line)):
                    if outcome == "skipped" and os.environ.get("CI") == "true":
                        outcome, name = "failed", f"{name}: skipped, which CI does not allow"
                    found[outcome].append(name)
    for outcome in ("skipped", "failed"):
        for name in found[outcome]:
            print(f"{outcome}: {name}")
    print(", ".join(f"{len(names)} {outcome}" for outcome, names in found.items()))
    return 1 if found["failed"] or not found["passed"] else 0


sys.exit(main(sys.argv[1:]))
