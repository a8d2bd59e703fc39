#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Man pages of a library from its header: man_pages.py HEADER LIBRARY VERSION DIRECTORY.

The comments of the header are the documentation; a page is made of them so that neither can
drift. The first comment is the page LIBRARY(3). Each comment that stands alone begins a section,
which is a page of its own, called by its first word: "Queues and replays" is accel_queues(3). What
stands under a comment is described by it. Every function also has a page, which is that of its
section. As meson's install script DIRECTORY is one in the prefix.
"""
import os
import re
import sys


class Item:
    """A comment, and the declarations under it."""

    def __init__(self, text):
        self.text = text
        self.code = []

    def functions(self):
        code = re.sub(r'/\*.*?\*/|\{.*?\}', '', '\n'.join(self.code), flags=re.S)
        return re.findall(r'^[a-z][\w \*]*?\b(\w+)\(', code, re.M)


class Page:
    def __init__(self, name, title, about):
        self.name, self.title, self.about = name, title, about
        self.items = []

    def functions(self):
        return [f for item in self.items for f in item.functions()]


def comment_text(lines):
    """The text of a comment, without its frame."""
    text = re.sub(r'^\s*/\*+|\*/\s*$', '', '\n'.join(lines).strip())
    return re.sub(r'^ ?\* ?', '', text, flags=re.M).strip('\n ')


def blocks(source):
    """Lines of the header in blocks with empty lines between them, which comments and braces keep
    together."""
    block, comment, depth = [], False, 0
    for line in source.split('\n'):
        comment = (comment or line.lstrip().startswith('/*')) and '*/' not in line
        depth += line.count('{') - line.count('}')
        if line.strip() or comment or depth > 0:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def split_comment(block):
    """The comment that a block begins with, or none, and what is behind it."""
    if not block[0].startswith('/*'):
        return [], block
    end = next(i for i, line in enumerate(block) if '*/' in line) + 1
    return block[:end], block[end:]


def is_hidden(line):
    """What a reader of the page does not need: guards, C++."""
    return re.match(r'#(if|ifdef|ifndef|endif|include)|extern "C"|}$|#define \w+_H$|/\* SPDX|static_assert', line)


def read(header, library):
    source = open(header).read()
    source = re.sub(r'#ifdef __cplusplus\n.*?#endif', '', source, flags=re.S)
    prefix = os.path.basename(header)[:-2].split('_')[0]
    pages = []
    for block in blocks(source):
        block = [line for line in block if not re.match(r'/\* SPDX', line)]
        comment, rest = split_comment(block) if block else ([], [])
        rest = [line for line in rest if not is_hidden(line)]
        if comment and not rest:
            title, _, about = comment_text(comment).partition('\n')
            if ':' in title:
                title, _, more = title.partition(':')
                about = more.strip() + '\n' + about
            name = f'{prefix}_{title.split()[0].lower()}' if pages else library
            pages.append(Page(name, title.strip(), about.strip()))
        elif rest:
            item = Item(comment_text(comment))
            if not comment and pages[-1].items:
                item = pages[-1].items[-1]
                item.code.append('')
            else:
                pages[-1].items.append(item)
            item.code += rest
    return pages


def roff(text):
    """Text in roff; @names are in italics."""
    text = text.replace('\\', r'\e')
    text = re.sub(r'(^|[\s(*"])-(?=\w)', r'\1\\-', text, flags=re.M)
    text = re.sub(r'@(\w+)', r'\\fI\1\\fR', text)
    return re.sub(r"^([.'])", r'\\&\1', text, flags=re.M)


def print_text(text, to):
    """Paragraphs; what is indented by a tab stays as it is."""
    for paragraph in re.split(r'\n\s*\n', text):
        if paragraph.startswith('\t'):
            print('.PP\n.nf\n' + roff(paragraph).replace('\t', '    ') + '\n.fi', file=to)
        else:
            print('.PP\n' + roff(re.sub(r'^\s+', '', paragraph, flags=re.M)), file=to)


def print_code(code, to):
    print('.PP\n.nf\n' + roff('\n'.join(code)).replace('\t', '    ') + '\n.fi', file=to)


def print_items(page, to):
    if page.about:
        print_text(page.about, to)
    for item in page.items:
        functions = item.functions()
        if functions:
            print('.SS ' + ', '.join(f + '()' for f in functions), file=to)
        print_code(item.code, to)
        if item.text:
            print_text(item.text, to)


def print_page(page, pages, header, library, version, to):
    names = page.functions() or [page.name]
    names = [page.name] + [n for n in names if n != page.name]
    about = page.about.split('.')[0] if page.title == library else page.title
    about = about[0].lower() + about[1:]
    print(f'.TH {page.name} 3 "" "{library} {version}"\n.SH NAME', file=to)
    print(', '.join(names) + r' \- ' + about, file=to)
    print(f'.SH SYNOPSIS\n.nf\n#include <{os.path.basename(header)}>\n', file=to)
    print(f'pkg\\-config \\-\\-cflags \\-\\-libs {library}\n.fi', file=to)
    print('.SH DESCRIPTION', file=to)
    print_items(page, to)
    others = [p.name for p in pages if p is not page]
    if others:
        print('.SH SEE ALSO\n' + ',\n'.join(f'.BR {n} (3)' for n in others), file=to)


def main():
    header, library, version, directory = sys.argv[1:]
    prefix = os.environ.get('MESON_INSTALL_DESTDIR_PREFIX')
    directory = os.path.join(prefix, directory) if prefix else directory
    pages = read(header, library)
    os.makedirs(directory, exist_ok=True)
    for page in pages:
        with open(f'{directory}/{page.name}.3', 'w') as to:
            print_page(page, pages, header, library, version, to)
    names = [page.name for page in pages]
    for page in pages:
        for function in page.functions():
            if function not in names:
                with open(f'{directory}/{function}.3', 'w') as to:
                    print(f'.so man3/{page.name}.3', file=to)


if __name__ == '__main__':
    main()
