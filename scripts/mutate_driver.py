#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Makes small seeded mutants of the driver and tells which of them its tests do not notice.

    mutate_driver.py [--count N] [--seed S] [--only TEXT]... driver | FILE...

It does for the kernel what mutate.py does for programs: one rondo.ko holds all mutants, its
parameter "mutant" turns one on, and each has a boot of its own, since a mutant may take the kernel
with it. Who survives one lane is tried in the next: the packaged kernel, the same with copies of
buffers, and the debug kernel, which makes allocations fail. A first boot of each tells which tests
reach which mutant; then only those are run. A mutant is noticed if a case of tests/kselftest fails,
if the kernel says anything at warning level, or if the guest does not end. Several guests run at a
time.

The last line is the figure "driver_mutants_killed_pct VALUE percent".
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import cmutants  # noqa: E402
import mutate  # noqa: E402

MODULE = os.path.join(mutate.SOURCE, "build", "module")
# Each is a program of tests/kselftest.
TESTS = ("object", "uapi", "submit", "report", "process", "buffer", "fault", "stopped", "lifetime", "share", "stress")
# They load the driver again, which forgets what was reached: they are taken to reach everything.
RELOADS = ("lifetime", "sweep")
PARAMETERS = """
#include <linux/moduleparam.h>
int rondo_mutant;
module_param_named(mutant, rondo_mutant, int, 0400);
unsigned char rondo_mutants_reached[%d];
module_param_array_named(reached, rondo_mutants_reached, byte, NULL, 0600);
"""


class Lane:
    """How a kernel is booted, and what is run on it."""

    def __init__(self, name, kernel, words, tests, qemu=()):
        self.name, self.kernel, self.words, self.tests, self.qemu = name, kernel, words, tests, qemu
        self.module = None
        self.reached = {}  # of each test, by mutant
        self.seconds = {}


LANES = (
    Lane("packaged", [], "", TESTS),
    # The device reaches only copies of buffers. Users share exactly only while each has work
    # waiting, and with copies a queue has but one job at a time.
    Lane("copies", [], "swiotlb=65536,force", [t for t in TESTS if t != "share"]),
    Lane("debug", ["-k", "debug"], "kunit.enable=1", ("sweep", "fault", "stopped", "lifetime"), ("--", "-m", "2G")),
)
# A guest that hangs: this many times what the tests took without a mutant.
PATIENCE = 6


def script(tests):
    """What the guest runs: the tests, until one fails."""
    return "modprobe rondo || exit 1\n" + "".join(f"{t}_test || exit 1\n" for t in tests)


def first_script(tests, n):
    """Each test is followed by the time that it took, and by which of @n mutants it reached."""
    one = """
echo ZEROS >$reached; began=$(cut -d. -f1 /proc/uptime)
TEST_test || exit 1
echo "reached: TEST $(($(cut -d. -f1 /proc/uptime) - began)) $(cat $reached)"
""".replace("ZEROS", ",".join("0" * (n + 1)))
    return "modprobe rondo || exit 1\nreached=/sys/module/rondo/parameters/reached\n" + \
        "".join(one.replace("TEST", t) for t in tests)


class Guest:
    """Boots with a mutant on and runs the tests."""

    def __init__(self, firmware):
        out = self.output("tests/kselftest/compile")
        self.files = [f"{out}/{t}_test" for t in sorted({t for lane in LANES for t in lane.tests})] + [
            f"{firmware}:/lib/firmware/rondo/rondo.fw"]
        self.limit = 1800

    @staticmethod
    def output(*command):
        """What a script of the tree prints."""
        return subprocess.run([os.path.join(mutate.SOURCE, command[0]), *command[1:]], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()

    def boot(self, lane, number, text):
        """What the guest says that runs @text, and why it failed, or None."""
        command = [os.path.join(mutate.SOURCE, "scripts/guest.sh"), "-d", "rondo,faults=on,memory=256M", "-t",
                   str(int(self.limit)), *lane.kernel, "-p", f"rondo.mutant={number} {lane.words}", "-c", text]
        for name in [lane.module] + self.files:
            command += ["-f", name]
        got = subprocess.run([*command, *lane.qemu], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             stdin=subprocess.DEVNULL, errors="replace", check=False)
        if not got.returncode:
            return got.stdout, None
        why = re.search(r"^not ok\b.*|^# unexpected kernel message.*|^guest\.sh: error.*",
                        got.stdout, re.M)
        said = re.findall(r"^# \w+\.c:\d+:.*", got.stdout, re.M)
        return got.stdout, ": ".join([why.group() if why else f"status {got.returncode}", *said[:1]])

    def learn(self, lane, n):
        """Runs the tests of @lane with none of @n mutants on. None, or why they fail."""
        said, why = self.boot(lane, 0, first_script(lane.tests, n))
        for test, seconds, reached in re.findall(r"^reached: (\w+) (\d+) ([\d,]+)", said, re.M):
            lane.reached[test] = [test in RELOADS or x == "1" for x in reached.split(",")]
            lane.seconds[test] = int(seconds)
        return why or (None if len(lane.reached) == len(lane.tests) else "a test says nothing")

    def judge(self, number):
        """Why the mutant is noticed, or None. The quickest test is also for what loading does."""
        for lane in LANES:
            quick = min(lane.tests, key=lambda t: lane.seconds[t])
            tests = sorted((t for t in lane.tests if lane.reached[t][number] or t == quick),
                           key=lambda t: lane.seconds[t])
            why = self.boot(lane, number, script(tests))[1]
            if why:
                return f"{lane.name}: {why}"
        return None


def commands(names):
    """Builds the module unmutated; where and how each of the files was compiled."""
    module_sh = os.path.join(mutate.SOURCE, "scripts/module.sh")
    mutate.build([module_sh], "module.log")
    log = mutate.read(MODULE + ".log")
    headers = re.search(r"Entering directory '(\S+)'", log).group(1)
    found = {}
    for name in names:
        directory, base = os.path.split(name)
        line = mutate.read(os.path.join(MODULE, directory, f".{base[:-1]}o.cmd"))
        words = shlex.split(re.search(r":= (.*)", line).group(1).split(" ; ")[0])
        at = words.index("-o")
        words = [w for w in words[:at] + words[at + 2:-1] if w != "-c" and not w.startswith("-Wp,-M")]
        found[name] = headers, shlex.join(words)
    return found


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("paths", nargs="+", metavar="PATH")
    args.add_argument("--count", type=int, default=60, help="how many mutants (60)")
    args.add_argument("--seed", default="1", help="chooses them (1)")
    args.add_argument("--only", action="append", metavar="TEXT",
                      help="of those whose key has TEXT; may be repeated")
    args.add_argument("--jobs", type=int, default=os.cpu_count(), help="guests at a time")
    args = args.parse_args()
    files = mutate.tree_files()
    names = [f for f in files if re.fullmatch(r"driver/\w+(?<!_kunit)\.c", f) and
             (f in args.paths or "driver" in args.paths)]
    if not names:
        sys.exit(f"mutate_driver: there is no C file of the driver in {' '.join(args.paths)}")

    os.makedirs(mutate.WORK, exist_ok=True)
    mutate.copy_tree(files, {name: mutate.read(os.path.join(mutate.TOP, name)) for name in names})
    mutate.setup()
    mutate.build(["ninja", "-C", mutate.BUILD, "firmware/rondo.fw"], "build.log")
    mutate.say("choosing mutants")
    texts, chosen = mutate.choose(names, args.count, args.seed, args.only, commands(names))
    if not chosen:
        sys.exit("mutate_driver: there is nothing to mutate")
    numbers, mutated = mutate.mutants(texts, chosen)
    drv = "driver/rondo_drv.c"
    mutated[drv] = mutated.get(drv, mutate.read(os.path.join(mutate.TOP, drv))) + \
        PARAMETERS % (len(chosen) + 1)
    mutate.copy_tree(files, mutated)
    mutate.build([os.path.join(mutate.SOURCE, "scripts/module.sh")], "module.log")
    debug = dict(line.split("=", 1) for line in Guest.output("scripts/debug-kernel.sh").splitlines())
    for lane in LANES:
        lane.module = debug["MODULE"] if lane.kernel else f"{MODULE}/rondo.ko"

    guest = Guest(os.path.join(mutate.BUILD, "firmware/rondo.fw"))
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for lane, why in zip(LANES, pool.map(lambda lane: guest.learn(lane, len(chosen)), LANES)):
            if why:
                sys.exit(f"mutate_driver: the tests of lane {lane.name} fail without a mutant: {why}")
    guest.limit = 60 + PATIENCE * (time.monotonic() - began)
    mutate.say(f"{len(chosen)} mutants; without one the tests take {time.monotonic() - began:.0f} s")

    alive = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for m, why in zip(chosen, pool.map(lambda m: guest.judge(numbers[m.key]), chosen)):
            mutate.say(f"{m.path}:{m.line}: {m.key}: {why or 'SURVIVES'}")
            if not why:
                alive.append(m)
    for m in alive:
        mutate.show(m, texts[m.path])
    print(f"driver_mutants_killed_pct {100 * (1 - len(alive) / len(chosen)):.1f} percent")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
