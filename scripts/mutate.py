#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Makes small seeded mutants of C files and tells which of them no test notices.

    mutate.py [--count N] [--seed S] [--only TEXT]... [--own] [PATH...]

PATH is a part (core), a directory or a C file; without one, all parts are mutated. A copy of the
tree in build/mutate is built once, with sanitizers and all chosen mutants behind a switch
(cmutants.py); a first run of the tests tells which of them reaches which mutant. Then each
mutant is turned on for the tests that reach it, those that mirror its path first, until one
fails: those of its part, then those of the part's users, unless --own is given. Who survives is
named at once, and who survives all is printed with its place and its diff; exit status 1 then.

The last line is the figure "mutants_killed_pct VALUE percent". Mutants of which
tests/mutants/equivalent says that they change nothing are not made.

--check only checks that list: each entry must be a mutation of the tree as it is.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import cmutants  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(TOP, "build", "mutate")
SOURCE = os.path.join(WORK, "tree")
BUILD = os.path.join(SOURCE, "build", "asan")  # as in the tree, so that ccache finds what it knows
EQUIVALENT = os.path.join(TOP, "tests", "mutants", "equivalent")

# The parts, and the suites of meson's that test each: its own, then those of its users.
SUITES = {
    "compiler": (["compiler"], ["fuzz", "tools", "demo"]),
    "core": (["core"], ["fuzz", "emulator", "tools", "docs"]),
    "emulator": (["emulator"], ["fuzz", "libaccel", "firmware", "tools"]),
    "firmware": (["firmware"], ["fuzz", "libaccel"]),
    "service": (["service"], ["fuzz"]),
    "tools": (["tools"], ["fuzz", "service"]),
    "userspace": (["libaccel"], ["fuzz", "tools"]),
}
# Run where no test reads a variable: on the device alone, or while the project is built.
NOT_MUTATED = re.compile(
    r"firmware/(entry|hal_rv32|string|mkimage)\.c|.*/qemu/.*|compiler/graph_dump\.c|"
    r"userspace/libaccel/(backend_drm|example)\.c")
# Warnings of the compiler that no mutant may give: nobody could build it.
REFUSE = "-Wformat " + " ".join(f"-Werror={w}" for w in (
    "int-conversion", "incompatible-pointer-types", "div-by-zero", "format"))
# What a test may take at least; otherwise five times the processor and twenty times the clock that
# it took unmutated. A mutant that hangs uses up the first; the second is for one that waits for
# ever, and has to spare a test that a loaded host slows down.
CPU_SECONDS, WALL_SECONDS = 20, 240
MEMORY_MB = 4096
NOT_OK = re.compile(r"^not ok\b.*", re.M)


def say(text):
    print(f"mutate: {text}", file=sys.stderr, flush=True)


def tree_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if os.path.isfile(os.path.join(TOP, name))]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def put(path, data, mode):
    """Writes a file unless it has these bytes, so that nothing is built in vain."""
    if os.path.exists(path):
        with open(path, "rb") as f:
            if f.read() == data:
                return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def copy_tree(files, mutated):
    """SOURCE becomes the tree with the files in @mutated as given there; without any, C files of the
    run before stay until their new mutants are chosen."""
    for name in files:
        path = os.path.join(TOP, name)
        if not mutated and name.endswith(".c") and os.path.exists(os.path.join(SOURCE, name)):
            continue
        if name in mutated:
            data = mutated[name].encode()
        else:
            with open(path, "rb") as f:
                data = f.read()
        put(os.path.join(SOURCE, name), data, os.stat(path).st_mode & 0o777)
    kept = set(files)
    for directory, below, names in os.walk(SOURCE):
        if directory == SOURCE and "build" in below:
            below.remove("build")
        for name in names:
            path = os.path.join(directory, name)
            if os.path.relpath(path, SOURCE) not in kept and "__pycache__" not in path:
                os.remove(path)


def equivalent():
    """The keys of the mutants that change nothing: a line each, followed by an indented reason."""
    keys, lines = set(), read(EQUIVALENT).splitlines()
    for n, line in enumerate(lines):
        if line and line[0] not in "# \t":
            keys.add(line)
            if not (n + 1 < len(lines) and lines[n + 1][:1] == "\t"):
                sys.exit(f"mutate: {EQUIVALENT}:{n + 1}: no reason follows")
    return keys


def c_files(paths, files):
    """The C files of the tree that @paths name."""
    found = []
    for path in paths:
        path = os.path.relpath(os.path.abspath(path), TOP) if os.path.isabs(path) else \
            os.path.normpath(path)
        some = [f for f in files if f.endswith(".c") and f.split("/")[0] in SUITES and
                (f == path or f.startswith(path + "/"))]
        if not some:
            sys.exit(f"mutate: {path} is no C file or directory of {', '.join(SUITES)}")
        found += [f for f in some if not NOT_MUTATED.fullmatch(f)]
        for f in some:
            if NOT_MUTATED.fullmatch(f) and f == path:
                sys.exit(f"mutate: {f} is not mutated: no test on the host runs it")
    return sorted(set(found))


def compile_commands():
    """The command that compiles each C file of SOURCE on the host, without its output."""
    commands = {}
    for entry in json.loads(read(os.path.join(BUILD, "compile_commands.json"))):
        name = os.path.relpath(os.path.join(entry["directory"], entry["file"]), SOURCE)
        command = re.sub(r" -(o|MQ|MF|c) \S+| -MD", "", entry["command"])
        commands.setdefault(name, (entry["directory"], command))
    return commands


def refused(command, name, text, chosen):
    """The chosen mutations that the compiler refuses."""
    bad, numbers = set(), {m.key: 1 for m in chosen}
    directory, line = command
    while True:
        rest = [m for m in chosen if m.key not in bad]
        body, places = cmutants.written(text, rest, numbers)
        with tempfile.NamedTemporaryFile("w", suffix=".c", dir=WORK) as f:
            f.write(cmutants.with_switch(body, 1, quiet=False, kernel=name.startswith("driver/")))
            f.flush()
            got = subprocess.run(
                f"{line} -I{SOURCE}/{os.path.dirname(name)} -Wno-error {REFUSE} -fmax-errors=0 "
                f"-fdiagnostics-color=never -fsyntax-only {f.name}",
                shell=True, cwd=directory, capture_output=True, text=True, check=False)
        if got.returncode == 0:
            return bad
        starts = [m.start() for m in re.finditer("^", body, re.M)]
        before = len(bad)
        # What a macro of a header makes of its arguments is told there; a note names the place.
        of_error = False
        for place, row, column, kind in re.findall(
                r"^(\S+?):(\d+):(\d+): (error|warning|note: in expansion)", got.stderr, re.M):
            of_error = kind == "error" or of_error and kind != "warning"
            if not of_error or place != "mutated.c":
                continue
            at = starts[int(row) - 1] + int(column) - 1
            inside = [p for p in places if p[0] <= at < p[1]]
            if not inside:  # the error stands behind what caused it: the last one before
                inside = [max((p for p in places if p[0] <= at), default=places[0])]
            bad.add(inside[-1][2].key)
        if len(bad) == before:
            sys.exit(f"mutate: {name} does not compile:\n{got.stderr}")


def choose(names, count, seed, only, commands):
    """At most @count mutations of the files that compile by @commands, by the seed alone."""
    texts = {name: read(os.path.join(TOP, name)) for name in names}
    known = equivalent()
    everything = [m for name in names for m in cmutants.mutations(name, texts[name])
                  if m.key not in known and (not only or any(text in m.key for text in only))]
    everything.sort(key=lambda m: hashlib.sha256(f"{seed} {m.key}".encode()).digest())
    chosen, at = [], 0
    while len(chosen) < count and at < len(everything):
        more = everything[at:at + count - len(chosen)]
        at += len(more)
        for name in sorted({m.path for m in more}):
            if name not in commands:
                sys.exit(f"mutate: the build does not compile {name}")
            mine = [m for m in more if m.path == name]
            bad = refused(commands[name], name, texts[name],
                          [m for m in chosen if m.path == name] + mine)
            more = [m for m in more if m.key not in bad]
            chosen = [m for m in chosen if m.key not in bad]
        chosen += more
    chosen.sort(key=lambda m: (m.path, m.start, m.key))
    return texts, chosen


def build(command, log):
    with open(os.path.join(WORK, log), "w", encoding="utf-8") as f:
        if subprocess.run(command, stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          check=False).returncode:
            sys.exit(f"mutate: {' '.join(command[:2])} failed; the log is {f.name}")


def setup():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        build(["meson", "setup", BUILD, SOURCE, "-Db_sanitize=address,undefined"], "setup.log")
    else:  # a changed meson.build
        build(["ninja", "-C", BUILD, "build.ninja"], "setup.log")
    listed = subprocess.run(["ninja", "-C", BUILD, "-t", "targets", "all"], check=True,
                            capture_output=True, text=True).stdout
    # What choosing mutants compiles includes headers that the build makes.
    build(["ninja", "-C", BUILD] + re.findall(r"^(\S+\.h): CUSTOM_COMMAND$", listed, re.M), "setup.log")


def said(fd):
    """What a test has written so far: by pread(), since the test shares the file's position."""
    return os.pread(fd, os.fstat(fd).st_size, 0).decode(errors="replace")


def ended(process, fd, seconds):
    """Waits until the test ends or a case fails, which is enough. Returns the processor time that
    it took; None after @seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if NOT_OK.search(said(fd)):
            return 0.0
        time.sleep(0.1)
    return None


class Test:
    def __init__(self, entry):
        self.name = entry["name"]
        self.suites = [s.split(":")[-1] for s in entry["suite"]]
        self.command, self.workdir = entry["cmd"], entry["workdir"] or BUILD
        self.tap = entry["protocol"] == "tap"
        self.env = entry["env"]
        self.cpu = self.wall = 0.0
        self.reached = b""
        # "tests/unit/core_verify_race_test": core_verify_race
        program = next((os.path.basename(c) for c in entry["cmd"] if c.endswith("_test")), "")
        self.mirrors = program.removesuffix("_test") or self.name

    def run(self, more_env, limits=True):
        """Runs it; returns None if it passed, or why it did not."""
        env = {k: v for k, v in os.environ.items() if k not in ("CI", "MAKEFLAGS")}
        env.update(self.env)
        env.update(RONDO_MODELS=os.path.join(WORK, "no-models"),
                   ASAN_OPTIONS=f"hard_rss_limit_mb={MEMORY_MB}:detect_leaks=1:"
                                "disable_coredump=1",
                   UBSAN_OPTIONS="halt_on_error=1", **more_env)
        cpu, wall = max(CPU_SECONDS, 5 * self.cpu), max(WALL_SECONDS, 20 * self.wall)

        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 5))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        with tempfile.TemporaryDirectory(dir=WORK, prefix="tmp-") as tmp, \
                open(os.path.join(tmp, "output"), "w+b") as out:
            env["TMPDIR"] = tmp
            got = subprocess.Popen(self.command, cwd=self.workdir, env=env, stdout=out,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True, preexec_fn=limit if limits else None)
            took = ended(got, out.fileno(), wall if limits else float("inf"))
            try:  # also what the test left running
                os.killpg(got.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            status, text = got.wait(), said(out.fileno())
        bad = NOT_OK.search(text)
        if bad:
            return bad.group()
        if took is None or status == -signal.SIGXCPU:
            return "time"
        if status:
            return f"status {status}"
        if self.tap and not re.search(r"^1\.\.\d", text, re.M):
            return "no plan"
        if not limits:
            self.cpu = took
        return None


def tests_of(wanted):
    listed = subprocess.run(["meson", "introspect", "--tests", BUILD], check=True,
                            capture_output=True, text=True).stdout
    return [t for t in map(Test, json.loads(listed)) if wanted & set(t.suites)]


def first_run(tests, n, jobs):
    """Runs each test unmutated and notes what it takes and reaches; those that pass remain."""
    def one(test):
        path = os.path.join(WORK, f"reached-{tests.index(test)}")
        with open(path, "wb") as f:
            f.truncate(n)
        began = time.monotonic()
        why = test.run({"RONDO_MUTANTS_REACHED": path}, limits=False)
        test.wall = time.monotonic() - began
        with open(path, "rb") as f:
            test.reached = f.read()
        os.remove(path)
        return why

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for test, why in zip(tests, pool.map(one, tests)):
            if why:
                say(f"'{test.name}' is left out: it fails without a mutant: {why}")
                test.reached = b""
    return [t for t in tests if any(t.reached)]


def nearness(test, mutation):
    """Sorts first the test that mirrors the mutation's path best, then the quick ones."""
    words = re.split(r"[/_]", mutation.path.removeprefix("userspace/").removesuffix(".c"))
    mirror = test.mirrors.split("_")
    common = 0
    while common < min(len(words), len(mirror)) and words[common] == mirror[common]:
        common += 1
    return -common, test.wall


def judge(mutation, number, tests):
    """The first of the tests that notices the mutant, and why; or None."""
    for test in sorted((t for t in tests if t.reached[number]),
                       key=lambda t: nearness(t, mutation)):
        why = test.run({"RONDO_MUTANT": str(number)})
        if why:
            return test, why
    return None


def survivors(mutants, numbers, suites, jobs):
    """Runs the suites with each mutant on: {key: how many tests reach it} of those that survive."""
    alive, by_time = {}, 0
    wanted = {suite for m in mutants for suite in suites(m)}
    say(f"running {', '.join(sorted(wanted))} once without a mutant")
    tests = first_run(tests_of(wanted), max(numbers.values()) + 1, jobs)

    def one(m):
        mine = [t for t in tests if set(t.suites) & set(suites(m))]
        return judge(m, numbers[m.key], mine), sum(t.reached[numbers[m.key]] for t in mine)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done, (m, (noticed, reaching)) in enumerate(zip(mutants, pool.map(one, mutants)), 1):
            if not noticed:
                alive[m.key] = reaching
                say(f"survives so far: {m.path}:{m.line}: {m.key}")
            elif noticed[1] == "time":
                by_time += 1
                say(f"takes too long in '{noticed[0].name}': {m.path}:{m.line}: {m.key}")
            if done == len(mutants) or done * 10 // len(mutants) > (done - 1) * 10 // len(mutants):
                say(f"{100 * done // len(mutants)} %: {len(alive)} of {done} survive, "
                    f"{by_time} only took too long")
    return alive


def diff(text, m):
    """The lines that the mutation changes, before and after."""
    first = text.rfind("\n", 0, m.start) + 1
    last = text.find("\n", m.end)
    old, new = text[first:last], text[first:m.start] + (m.text or ";") + text[m.end:last]
    return "".join(f"\t{sign}{line}\n" for sign, part in (("-", old), ("+", new))
                   for line in part.split("\n"))


def show(m, text, more=""):
    """Prints a survivor."""
    print(f"{m.path}:{m.line}: {m.kind}{more}\n\t{m.key}\n{diff(text, m)}", end="")


def mutants(texts, chosen):
    """The numbers of the chosen mutations, and the files with all of them behind their numbers."""
    numbers = {m.key: n for n, m in enumerate(chosen, 1)}
    files = {}
    for name in sorted({m.path for m in chosen}):
        body, _ = cmutants.written(texts[name], [m for m in chosen if m.path == name], numbers)
        files[name] = cmutants.with_switch(body, len(chosen), quiet=True,
                                           kernel=name.startswith("driver/"))
    return numbers, files


def check(files):
    """Whether every entry of the list of equivalent mutants is a mutation of the tree."""
    driver = [f for f in files if re.fullmatch(r"driver/\w+\.c", f)]
    keys = {m.key for name in c_files(SUITES, files) + driver
            for m in cmutants.mutations(name, read(os.path.join(TOP, name)))}
    gone = sorted(equivalent() - keys)
    for key in gone:
        print(f"{os.path.relpath(EQUIVALENT, TOP)}: no mutation of the tree: {key}")
    return 1 if gone else 0


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("paths", nargs="*", default=list(SUITES), metavar="PATH")
    args.add_argument("--count", type=int, default=200, help="how many mutants (200)")
    args.add_argument("--seed", default="1", help="chooses them (1)")
    args.add_argument("--only", action="append", metavar="TEXT",
                      help="of those whose key has TEXT; may be repeated")
    args.add_argument("--own", action="store_true", help="run no suites of a part's users")
    args.add_argument("--jobs", type=int, default=os.cpu_count())
    args.add_argument("--check", action="store_true", help="check tests/mutants/equivalent")
    args = args.parse_args()
    files = tree_files()
    if args.check:
        return check(files)

    names = c_files(args.paths, files)
    os.makedirs(WORK, exist_ok=True)
    copy_tree(files, {})
    setup()
    say("choosing mutants")
    texts, chosen = choose(names, args.count, args.seed, args.only, compile_commands())
    if not chosen:
        sys.exit("mutate: there is nothing to mutate")
    numbers, mutated = mutants(texts, chosen)
    copy_tree(files, mutated)
    say(f"building {len(chosen)} mutants of {len(mutated)} files")
    build(["ninja", "-C", BUILD, f"-j{args.jobs}"], "build.log")
    reaching = {m.key: 0 for m in chosen}
    left = chosen
    for n in range(1 if args.own else 2):
        alive = survivors(left, numbers, lambda m: SUITES[m.path.split("/")[0]][n], args.jobs)
        left = [m for m in left if m.key in alive]
        for m in left:
            reaching[m.key] += alive[m.key]
        if not left:
            break
    for m in left:
        show(m, texts[m.path], f", reached by {reaching[m.key] or 'no'} "
             f"test{'' if reaching[m.key] == 1 else 's'}")
    print(f"mutants_killed_pct {100 * (1 - len(left) / len(chosen)):.1f} percent")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
