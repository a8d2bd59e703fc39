# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Finds places in a C file where a small mutation can be made, and writes the file with
chosen mutations compiled in behind a switch. Used by mutate.py.

A mutation replaces a span of the text: an expression, a condition or a whole statement. Spans nest
or are disjoint, since they come from one parse. A mutated expression becomes
`(rondo_mutant_is(N) ? replacement : original)`, where only the original holds further
mutations: one mutant is on at a time, so the text grows with the depth, not exponentially.

The parser knows C's statements and expressions, but no types: what it takes for something
else (a declaration that looks like a product, the arguments of a macro) is found by the
compiler, which refuses the mutation, or by the parser itself, which then leaves the
statement alone.
"""
import bisect
import re

TOKEN = re.compile(r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:[^\n\\]|\\.)*)
  | (?P<str>(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*")
  | (?P<chr>[uUL]?'(?:[^'\\\n]|\\.)*')
  | (?P<num>\.?\d(?:[eEpP][-+]|[\w.])*)
  | (?P<id>[A-Za-z_]\w*)
  | (?P<op>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[^\s\w])
""", re.X | re.M | re.S)

BINARY = {op: level for level, ops in enumerate(
    ("||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %"), 3)
    for op in ops.split()}
ASSIGN = set("= += -= *= /= %= <<= >>= &= |= ^=".split())
UNARY = set("! ~ - + * & ++ --".split())

# What an operator is replaced by.
OTHER = {
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"],
    "==": ["!="], "!=": ["=="], "&&": ["||"], "||": ["&&"],
    "+": ["-"], "-": ["+"], "*": ["+"], "/": ["*"], "%": ["/"],
    "<<": [">>"], ">>": ["<<"], "&": ["|"], "|": ["&"], "^": ["|"],
    "+=": ["-="], "-=": ["+="], "*=": ["+="], "/=": ["*="], "%=": ["/="],
    "<<=": [">>="], ">>=": ["<<="], "&=": ["|="], "|=": ["&="], "^=": ["|="],
}

TYPE_WORDS = set("""void char short int long float double signed unsigned bool _Bool const volatile
    struct union enum register auto __auto_type u8 u16 u32 u64 s8 s16 s32 s64 f32 FILE va_list
    typeof __typeof__""".split())
OPAQUE_STATEMENTS = set("static extern typedef static_assert _Static_assert asm __asm__".split())
OPAQUE_CALLS = set("""sizeof _Alignof alignof offsetof __builtin_offsetof va_arg typeof
    __builtin_types_compatible_p _Generic __attribute__""".split())
# The kernel's log is for people: a test reads of it only whether there is anything at warning level.
LOGS = re.compile(r"(dev|drm|pr)_(emerg|alert|crit|err|warn|notice|info|dbg)(_\w+)?")
# Functions whose first two arguments may change places: sums and products, and questions that two
# things are asked about each other. The sign of what a comparison of strings returns is not used.
SYMMETRIC = set("""calloc check_add_overflow check_mul_overflow mod61_add mod61_mul times weight_of
    f32_add f32_mul f32_fma shape_broadcast memcmp strcmp strncmp shape_equal layout_equal
    machine_equal rondo_text_equal rondo_tiles_equal rondo_tiles_meet rondo_hulls_meet
    overlap may_meet sram_apart""".split())


class Unparsed(Exception):
    """The tokens are not an expression that the parser knows."""


class Mutation:
    """Replaces text[start:end] of a file's function by @text."""

    def __init__(self, path, function, start, end, text, kind):
        self.path, self.function, self.kind = path, function, kind
        self.start, self.end, self.text = start, end, text
        self.original = self.line = self.key = None

    def one_line(self):
        """The mutation as a reader sees it: "original => replacement"."""
        return f"{squeeze(self.original)} => {squeeze(self.text) or '(dropped)'}"


def squeeze(text):
    """The text in one line."""
    return " ".join(re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S).split())


def is_type(word):
    return word in TYPE_WORDS or word.endswith("_t")


class Parser:
    """Collects the mutations of one file into self.found."""

    def __init__(self, path, text):
        self.path, self.text, self.found = path, text, []
        self.tok, self.start, self.end, self.kind = [], [], [], []
        for m in TOKEN.finditer(text):
            if m.lastgroup != "skip":
                self.tok.append(m.group())
                self.start.append(m.start())
                self.end.append(m.end())
                self.kind.append(m.lastgroup)
        self.tok += [""]
        self.kind += [""]
        self.match = self.brackets()
        self.idle = set()  # each break at the end of a switch, which ends there anyway
        self.function = ""

    def brackets(self):
        match, stack = {}, []
        for i, t in enumerate(self.tok):
            if t and t in "([{":
                stack.append(i)
            elif t and t in ")]}" and stack:
                match[stack.pop()] = i
        return match

    def span(self, i, j):
        """The text of the tokens i to j - 1."""
        return self.text[self.start[i]:self.end[j - 1]]

    def add(self, i, j, text, kind):
        m = Mutation(self.path, self.function, self.start[i], self.end[j - 1], text, kind)
        m.original = self.span(i, j)
        self.found.append(m)

    def run(self):
        i = 0
        while self.tok[i]:
            if self.tok[i] != "{":
                i += 1
                continue
            if i and self.tok[i - 1] == ")":
                opened = next((o for o, c in self.match.items() if c == i - 1), 0)
                self.function = self.tok[opened - 1] if opened else ""
                self.statement(i, 0)
            i = self.match.get(i, i) + 1
        return self.found

    # Statements: each function returns the index behind what it has read.

    def statement(self, i, depth):
        t = self.tok[i]
        if t == "{":
            i += 1
            while self.tok[i] and self.tok[i] != "}":
                i = self.statement(i, depth + 1)
            return i + 1
        if t in ("if", "while", "switch") and self.tok[i + 1] == "(":
            close = self.match[i + 1]
            self.quietly(i + 2, close)
            if t == "switch" and self.tok[close + 1] == "{":
                self.idle.add(self.match[close + 1] - 2)
            if t == "if":
                for value in "01":
                    self.add(i + 2, close, value, "condition")
            i = self.statement(close + 1, depth + 1)
            if t == "if" and self.tok[i] == "else":
                i = self.statement(i + 1, depth + 1)
            return i
        if t == "for" and self.tok[i + 1] == "(":
            close = self.match[i + 1]
            part = i + 2
            for j in self.split(i + 2, close, ";"):
                self.simple(part, j)
                part = j + 1
            return self.statement(close + 1, depth + 1)
        if t == "do":
            return self.statement(i + 1, depth + 1)
        if t in ("case", "default") or (self.kind[i] == "id" and self.tok[i + 1] == ":"):
            while self.tok[i] != ":":
                i += 1
            return i + 1
        end = self.split(i, len(self.tok) - 1, ";")[0]
        if self.tok[end] != ";":  # macros that end the block without a semicolon
            return max(end, i + 1)
        if t in OPAQUE_STATEMENTS:
            return end + 1
        if end == i + 1 and self.kind[i] == "id" and t not in ("return", "break", "continue"):
            return end + 1  # a macro, which may be a declaration
        if self.tok[i:i + 3] == ["(", "void", ")"] and end == i + 4:
            return end + 1  # names what is not used
        if LOGS.fullmatch(t):
            return end + 1
        if self.kind[i] == "id" and t != "return" and self.tok[i + 1] == "(":
            close = self.match[i + 1]
            after = self.tok[close + 1]
            if after == "{" or self.kind[close + 1] == "id":  # a macro that heads a loop
                return self.statement(close + 1, depth + 1)
        if t == "return":
            if end > i + 1:
                self.quietly(i + 1, end)
            if depth > 1:
                self.add(i, end + 1, "", "statement")
        elif t in ("break", "continue"):
            if t == "continue" or i not in self.idle:
                self.add(i, end + 1, "", "statement")
        elif end > i and not self.simple(i, end):
            self.add(i, end + 1, "", "statement")
        return end + 1

    def split(self, i, j, at):
        """Where the tokens i to j - 1, up to a bracket that closes an outer one, have @at
        outside of brackets; where they end is the last."""
        found = []
        while i < j and self.tok[i] not in (")", "]", "}"):
            if self.tok[i] == at:
                found.append(i)
            i = self.match.get(i, i) + 1
        return found + [min(i, j)]

    def simple(self, i, j):
        """A declaration or an expression; tells whether it is a declaration."""
        k = i
        while k < j and (self.kind[k] == "id" or self.tok[k] == "*"):
            k += 1
        words = self.tok[i:k]
        declares = bool(words) and self.tok[i] != "*" and (
            is_type(words[0]) or len([w for w in words if w != "*"]) > 1) and (
            k == j or self.tok[k] in ("=", ",", "[", "(", ";", ":"))
        if words and words[0] == "goto":
            return True
        if not declares:
            self.quietly(i, j)
            return False
        for comma in self.split(i, j, ","):
            for equal in self.split(i, comma, "=")[:1]:
                if equal < comma:
                    self.quietly(equal + 1, comma)
            i = comma + 1
        return True

    # Expressions: each function returns the index behind what it has read.

    def quietly(self, i, j):
        """Parses the tokens i to j - 1 as one expression; if they are none, finds nothing."""
        kept = len(self.found)
        try:
            if i < j:
                self.comma(i, j)
        except (Unparsed, KeyError, IndexError):
            del self.found[kept:]

    def comma(self, i, j):
        for at in self.split(i, j, ","):
            if self.assignment(i, at) != at:
                raise Unparsed
            i = at + 1

    def assignment(self, i, j):
        if self.tok[i] == "{":
            self.braces(i)
            return self.match[i] + 1
        k = self.binary(i, j, 3)
        t = self.tok[k] if k < j else ""
        if t == "?":
            colon, nested = k + 1, 0
            while nested or self.tok[colon] != ":":
                nested += {"?": 1, ":": -1}.get(self.tok[colon], 0)
                colon = self.match.get(colon, colon) + 1
                if colon >= j:
                    raise Unparsed
            self.add(i, k, f"!({self.span(i, k)})", "condition")
            if colon > k + 1:
                self.comma(k + 1, colon)
            return self.assignment(colon + 1, j)
        if t in ASSIGN:
            end = self.assignment(k + 1, j)
            for other in OTHER.get(t, []):
                self.add(i, end, f"{self.span(i, k)} {other} {self.span(k + 1, end)}",
                         "operator")
            return end
        return k

    def braces(self, i):
        """An initialiser: values, each perhaps behind a designator."""
        close = self.match[i]
        i += 1
        for at in self.split(i, close, ","):
            while i < at and self.tok[i] in (".", "["):
                i = self.match[i] + 1 if self.tok[i] == "[" else i + 2
            if i < at and self.tok[i] == "=":
                i += 1
            if i < at and self.assignment(i, at) != at:
                raise Unparsed
            i = at + 1

    def binary(self, i, j, level):
        k = self.unary(i, j)
        while k < j and BINARY.get(self.tok[k], 0) >= level:
            op = self.tok[k]
            end = self.binary(k + 1, j, BINARY[op] + 1)
            left, right = self.span(i, k), self.span(k + 1, end)
            kind = "relation" if BINARY[op] in (8, 9) else "operator"
            for other in OTHER[op]:
                self.add(i, end, f"({left}) {other} ({right})", kind)
            if op in ("&&", "||"):
                self.add(i, end, f"!!({left})", "operator")
                self.add(i, end, f"!!({right})", "operator")
            k = end
        return k

    def unary(self, i, j):
        if i >= j:
            raise Unparsed
        t = self.tok[i]
        if t in ("sizeof", "_Alignof", "alignof"):
            if self.tok[i + 1] == "(":
                return self.match[i + 1] + 1
            kept = len(self.found)
            k = self.unary(i + 1, j)
            del self.found[kept:]
            return k
        if t in UNARY:
            k = self.unary(i + 1, j)
            if t == "!":
                self.add(i, k, f"!!({self.span(i + 1, k)})", "operator")
            return k
        if t == "(" and self.is_cast(i):
            k = self.match[i] + 1
            if self.tok[k] == "{":
                self.braces(k)
                return self.postfix(i, self.match[k] + 1, j)
            return self.unary(k, j)
        return self.primary(i, j)

    def is_cast(self, i):
        close = self.match[i]
        inside = range(i + 1, close)
        if not inside or self.kind[i + 1] != "id":
            return False
        if any(self.kind[k] != "id" and self.tok[k] not in ("*", "[", "]") for k in inside):
            return False
        after = self.tok[close + 1]
        return is_type(self.tok[i + 1]) or after == "{" or \
            (self.tok[close - 1] == "*" and after not in ("", ")", ",", ";"))

    def primary(self, i, j):
        kind, t = self.kind[i], self.tok[i]
        if t == "(":
            close = self.match[i]
            if self.tok[i + 1] != "{":
                self.comma(i + 1, close)
            return self.postfix(i, close + 1, j)
        if kind == "id" and t in OPAQUE_CALLS:
            return self.postfix(i, self.match[i + 1] + 1, j)
        if kind in ("num", "chr"):
            self.constant(i)
        elif kind not in ("id", "str"):
            raise Unparsed
        k = i + 1
        while k < j and (self.kind[k] == "str" or (kind == "str" and self.kind[k] == "id")):
            k += 1
        return self.postfix(i, k, j)

    def constant(self, i):
        text = self.tok[i]
        more, less = f"({text} + 1)", f"({text} - 1)"
        zero = re.fullmatch(r"0[xX]?0*[uUlL]*", text)
        self.add(i, i + 1, more, "constant")
        if not zero:
            self.add(i, i + 1, less, "constant")

    def postfix(self, i, k, j):
        while k < j:
            t = self.tok[k]
            if t == "(":
                close = self.match[k]
                self.arguments(i, k, close)
                k = close + 1
            elif t == "[":
                self.comma(k + 1, self.match[k])
                k = self.match[k] + 1
            elif t in (".", "->"):
                k += 2
            elif t in ("++", "--"):
                k += 1
            else:
                break
        return k

    def arguments(self, i, k, close):
        """A call of what stands at i to k - 1."""
        if close == k + 1:
            return
        spans, at = [], k + 1
        for end in self.split(k + 1, close, ","):
            kept = len(self.found)
            if self.assignment(at, end) != end:
                raise Unparsed
            if self.tok[k - 1].startswith("_mm") and self.kind[at] == "num":
                del self.found[kept:]  # an operand of the instruction, which must be a constant
            spans.append((at, end))
            at = end + 1
        for n in range(len(spans) - 1):
            texts = [self.span(*s) for s in spans]
            if n == 0 and self.tok[k - 1] in SYMMETRIC:
                continue
            if texts[n] == texts[n + 1] or '"' in texts[n] + texts[n + 1]:
                continue
            texts[n], texts[n + 1] = texts[n + 1], texts[n]
            self.add(i, close + 1, f"{self.span(i, k)}({', '.join(texts)})", "arguments")


def mutations(path, text):
    """All mutations of a file, in the order of the text. Each has a key that other edits of
    the file leave alone: path, function, mutation, and a number if it occurs more than once."""
    found = sorted(Parser(path, text).run(), key=lambda m: (m.start, -m.end, m.text))
    lines = [m.start() for m in re.finditer("^", text, re.M)]
    seen = {}
    for m in found:
        m.line = bisect.bisect_right(lines, m.start)
        key = f"{path}:{m.function}: {m.one_line()}"
        seen[key] = seen.get(key, 0) + 1
        m.key = key if seen[key] == 1 else f"{key} #{seen[key]}"
    return found


PROLOGUE = """\
#if defined(__riscv) || defined(__KERNEL__)
#define rondo_mutant_is(n) 0
#else
extern char *getenv(const char *);
extern int atoi(const char *);
extern int open(const char *, int, ...);
extern int close(int);
extern void *mmap(void *, unsigned long, int, int, int, long);
__attribute__((weak)) int rondo_mutant;
__attribute__((weak)) char *rondo_mutants_reached;
__attribute__((weak, constructor(101))) void rondo_mutant_read(void)
{
	const char *number = getenv("RONDO_MUTANT"), *path = getenv("RONDO_MUTANTS_REACHED");
	if (number)
		rondo_mutant = atoi(number);
	if (path && !rondo_mutants_reached) {
		int fd = open(path, 2);
		rondo_mutants_reached = (char *)mmap(0, REACHED_BYTES, 3, 1, fd, 0);
		if (fd < 0 || rondo_mutants_reached == (char *)-1)
			__builtin_trap();
		close(fd); /* it may be that of a standard stream which the test has closed */
		rondo_mutant = -1;
	}
}
static inline __attribute__((always_inline, unused)) int rondo_mutant_is(int n)
{
	if (__builtin_expect(rondo_mutant >= 0, 1))
		return rondo_mutant == n;
	rondo_mutants_reached[n] = 1;
	return 0;
}
#endif
"""


# For the driver: parameters of its module.
KERNEL_PROLOGUE = """\
extern int rondo_mutant;
extern unsigned char rondo_mutants_reached[];
#define rondo_mutant_is(n) (rondo_mutants_reached[n] = 1, rondo_mutant == (n))
"""


def written(text, chosen, numbers):
    """The file with the chosen mutations behind their numbers, and where in it each stands:
    a list of (start, end, mutation)."""
    out, places = [], []
    length = 0

    def put(piece):
        nonlocal length
        out.append(piece)
        length += len(piece)

    def emit(start, end, inner):
        """text[start:end], which @inner (ordered, nested) mutate."""
        at, n = start, 0
        while n < len(inner):
            m = inner[n]
            same = [m]
            while n + len(same) < len(inner) and inner[n + len(same)].start == m.start and \
                    inner[n + len(same)].end == m.end and \
                    (inner[n + len(same)].kind == "statement") == (m.kind == "statement"):
                same.append(inner[n + len(same)])
            n += len(same)
            nested = []
            while n < len(inner) and inner[n].start < m.end:
                nested.append(inner[n])
                n += 1
            put(text[at:m.start])
            if m.kind == "statement":
                begin = length
                put(f"{{ if (!rondo_mutant_is({numbers[m.key]})) ")
                places.append((begin, length, m))
                emit(m.start, m.end, nested)
                put(" }")
            else:
                put("(")
                for one in same:
                    begin = length
                    put(f"rondo_mutant_is({numbers[one.key]}) ? ({one.text}) : ")
                    places.append((begin, length, one))
                put("(")
                emit(m.start, m.end, nested)
                put("))")
            at = m.end
        put(text[at:end])

    emit(0, len(text), sorted(chosen, key=lambda m: (m.start, -m.end, m.kind != "statement",
                                                     m.text)))
    return "".join(out), places


def with_switch(body, count, quiet, kernel=False):
    """A whole file: what the switch of @count mutants needs, and the body from line 1. A quiet one
    is a system header to the compiler, in which it warns of nothing."""
    prologue = KERNEL_PROLOGUE if kernel else PROLOGUE.replace("REACHED_BYTES", str(count + 1))
    return prologue + \
        f'# 1 "mutated.c"{" 3" if quiet else ""}\n' + body
