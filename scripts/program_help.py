# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the help of our programs says, in parts: manual pages and completion are made from it."""
import functools
import re
import subprocess
from dataclasses import dataclass


@dataclass
class Option:
    names: list     # "-o", "--output"
    argument: str   # "FILE", "[DEVICE]", or ""
    about: str


@dataclass
class Help:
    usage: list     # lines without "usage: "
    about: str      # paragraphs
    options: list


@functools.lru_cache(maxsize=None)
def text(program, command=None):
    arguments = [program, command, "--help"] if command else [program, "--help"]
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout


def commands(program):
    """Names of its commands, each with what it is for."""
    return dict(re.findall(r"^  ([a-z]+)  +(\S.*)$", text(program), re.M))


def read(program, command=None):
    usage, about, listed = [], [], []
    for line in text(program, command).split("\n"):
        option = re.match(r"(?:  | {6}|  (-\w), )(--[a-z-]+)(?: (\S+))?(?:  +(.*))?$", line)
        if option:
            letter, name, argument, what = option.groups()
            listed.append(Option([n for n in (letter, name) if n], argument or "", what or ""))
        elif listed and line:
            listed[-1].about += " " + line.strip()
        elif not about and line.startswith(("usage: ", "       ")):
            usage.append(line[7:])
        else:
            about.append(line)
    return Help(usage, "\n".join(about).strip(), listed)
