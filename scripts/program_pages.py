#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Man pages of a program and of what belongs to it, and what bash completes of it:
program_pages.py PROGRAM VERSION PAGES COMPLETIONS.

They are made of what is told elsewhere: a command's page of its help, a format's of its header or page
of the reference, a concept's of its page of docs/explanation. As meson's install script the directories
are in the prefix.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import completion  # noqa: E402
import man_pages  # noqa: E402
import program_help  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What is a page that has another name than its file.
PAGES = {
    "rondo": {"spec/program.h": "rnd.5", "docs/reference/assembly.md": "rasm.5"},
    "rondod": {"docs/reference/rondod.md": "rondod.8", "service/wire.h": "rondod-wire.5"},
}
ALIASES = {"rondo": {}, "rondod": {"rondod.conf.5": "rondod.8"}}


def sources(program):
    """File by page; each concept is one of the command's."""
    pages = {path: page for owner in PAGES.values() for path, page in owner.items()}
    for path in sorted(glob.glob("docs/explanation/*.md", root_dir=TOP)):
        pages[path] = f"rondo-{os.path.basename(path)[:-3]}.7"
    return pages, {path: page for path, page in pages.items() if path in PAGES[program] or
                   program == "rondo" and page.endswith(".7")}


def roff(text):
    """A line of text as it is."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


class Markdown:
    """What our documents use of Markdown, in roff."""

    def __init__(self, path, pages):
        self.path, self.pages, self.out = path, pages, []
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            self.lines = f.read().expandtabs(4).split("\n")
        self.title = self.lines.pop(0)[2:]

    def link(self, text, target):
        page = self.pages.get(os.path.normpath(os.path.join(os.path.dirname(self.path), target.split("#")[0])))
        if page and target[0] != "#":
            name, section = page.rsplit(".", 1)
            return rf"{text} (\fB{roff(name)}\fR({section}))"
        return f"{text} ({roff(target)})" if target.startswith("http") else text

    def words(self, text):
        """A line of prose, with its code, emphasis and links."""
        parts = re.split(r"(`+[^`]+`+)", text)
        kept = [roff(p.strip("`")) if p.startswith("`") else roff(p) for p in parts]
        text = "".join(rf"\fB{k}\fR" if p.startswith("`") else k for p, k in zip(parts, kept))
        text = re.sub(r"\[([^]]*)\]\(([^)]*)\)", lambda m: self.link(m[1], m[2].replace(r"\-", "-")), text)
        text = re.sub(r"\*\*([^*]+)\*\*", r"\\fB\1\\fR", text)
        return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?!\w)", r"\\fI\1\\fR", text)

    def take(self, wanted):
        """The next lines for which it holds."""
        taken = []
        while self.lines and wanted(self.lines[0]):
            taken.append(self.lines.pop(0))
        return taken

    def table(self):
        rows = [[cell.strip().replace("\0", "|") for cell in line.replace("\\|", "\0").strip("|").split("|")]
                for line in self.take(lambda line: line.startswith("|"))]
        head = rows[0]
        for row in rows[2:]:
            self.out += [".TP", self.words(row[0]) or r"\&"]
            for name, cell in zip(head[1:], row[1:]):
                if cell:
                    self.out += [self.words(f"{name}: {cell}" if len(head) > 2 and name else cell)]
                    self.out += [".br"] if cell is not row[-1] else []

    def code(self, lines):
        self.out += [".PP", ".RS 4", ".EX", *map(roff, lines), ".EE", ".RE"]

    def item(self, mark):
        first = self.lines.pop(0)[len(mark):]
        self.out += [rf".IP {mark.strip() if mark[0].isdigit() else chr(92) + '(bu'} {len(mark)}"]
        rest = self.take(lambda line: line.startswith("  ") and not re.match(r"\s*(-|\d+\.) ", line))
        self.paragraph([first, *rest])

    def paragraph(self, lines):
        text = "\n".join(line.strip() for line in lines)
        self.out.append(self.words(text))

    def block(self):
        line = self.lines[0]
        mark = re.match(r"\s*(?:-|\d+\.) +", line)
        if not line.strip():
            self.lines.pop(0)
        elif line.startswith("#"):
            level, _, text = self.lines.pop(0).partition(" ")
            self.out.append(f".SH {self.words(text).upper()}" if level == "##" else f".SS {self.words(text)}")
        elif line.startswith("```"):
            self.lines.pop(0)
            self.code(self.take(lambda line: not line.startswith("```")))
            self.lines.pop(0)
        elif line.startswith("|"):
            self.table()
        elif mark:
            self.item(mark[0])
        elif line.startswith("    "):
            self.code([line[4:] for line in self.take(lambda line: line.startswith("    "))])
        else:
            self.out.append(".PP")
            self.paragraph(self.take(lambda line: line.strip() and not re.match(r"#|```|\||\s*- ", line)))

    def body(self):
        while self.lines:
            self.block()
        return self.out


def lower(text):
    """A title inside of a sentence."""
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def page_head(page, about, version):
    name, section = page.rsplit(".", 1)
    return [rf".TH {roff(name)} {section} """ '"" ' f'"Rondo {version}"', ".SH NAME",
            rf"{roff(name)} \- {roff(lower(about))}"]


def markdown_page(path, page, pages, version):
    text = Markdown(path, pages)
    head = page_head(page, text.title, version)
    if page == "rondod.8":
        head = page_head(page, "serves models by the Open Inference Protocol", version)
    return [*head, ".SH DESCRIPTION", *text.body()]


def format_page(path, page, version):
    """Of a header that describes a format."""
    class Lines(list):
        def write(self, text):
            self.append(text)

    parts, out = man_pages.read(os.path.join(TOP, path), page), Lines()
    for part in parts:
        man_pages.print_items(part, out)
    first = re.split(r"\.(?:\s|$)", parts[0].about)[0].replace("\n", " ")
    about = f"{parts[0].title}: {first}"
    return [*page_head(page, about, version), ".SH DESCRIPTION", "".join(out).rstrip("\n")]


def help_body(said):
    out = [".SH SYNOPSIS", ".nf", *(roff(line) for line in said.usage), ".fi", ".SH DESCRIPTION"]
    for paragraph in said.about.split("\n\n"):
        out += [".PP", roff(paragraph)]
    if said.options:
        out.append(".SH OPTIONS")
    for option in said.options:
        names = ", ".join(rf"\fB{roff(name)}\fR" for name in option.names)
        out += [".TP", names + (rf" \fI{roff(option.argument)}\fR" if option.argument else ""), roff(option.about)]
    return out


def command_pages(program, version):
    """Of a program whose help lists commands, and of each of those."""
    commands = program_help.commands(program)
    said = program_help.read(program)
    # What is behind the list of commands.
    said.about = said.about.split("\n\n")[-1]
    out = [*page_head("rondo.1", "models and programs on Rondo neural accelerators", version), *help_body(said),
           ".SH COMMANDS"]
    for command, what in commands.items():
        out += [".TP", rf"\fB{command}\fR", roff(what) + ("" if command == "help" else
                                                         rf": \fBrondo\-{command}\fR(1)")]
    yield "rondo.1", [*out, ".SH SEE ALSO", *see_also(sources("rondo")[1].values())]
    for command, what in commands.items():
        if command != "help":
            page = f"rondo-{command}.1"
            yield page, [*page_head(page, what, version), *help_body(program_help.read(program, command)),
                         ".SH EXIT STATUS", "0, 1 if something failed, 2 if the command line is wrong.",
                         ".SH SEE ALSO", *see_also(["rondo.1"])]


def see_also(pages):
    names = [page.rsplit(".", 1) for page in pages]
    return [f".BR {roff(name)} ({section})" + ("," if [name, section] != names[-1] else "")
            for name, section in names]


def all_pages(program, version):
    name = os.path.basename(program)
    pages, own = sources(name)
    if name == "rondo":
        yield from command_pages(program, version)
    for path, page in own.items():
        yield page, (format_page(path, page, version) if path.endswith(".h") else
                     markdown_page(path, page, pages, version))
    for alias, page in ALIASES[name].items():
        yield alias, [f".so man{page[-1]}/{page}"]


def write(text, *path):
    path = os.path.join(os.environ.get("MESON_INSTALL_DESTDIR_PREFIX", ""), *path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    program, version, pages, completions = sys.argv[1:]
    for page, lines in all_pages(program, version):
        write("\n".join(lines) + "\n", pages, f"man{page[-1]}", page)
    write(completion.completion(program), completions, os.path.basename(program))


main()
