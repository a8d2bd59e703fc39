#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Checks every tracked file: licence line, leftovers, formatting, shell; the driver also
# by checkpatch and sparse. Prints what it finds; exit status 1 if anything.
# `style.sh quick` checks only what takes a second and needs no tools.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
need git
bad=0

# complain TITLE: shows standard input under a title, if there is any.
complain()
{
	local text
	text=$(cat)
	[ -z "$text" ] || { printf '%s:\n%s\n' "$1" "$text"; bad=1; }
}

mapfile -t c_files < <(git ls-files '*.c' '*.h')
mapfile -t scripts < <(git grep -lE '^#!/bin/(ba)?sh')
mapfile -t source_files < <(git ls-files '*.[chS]' '*.def' '*.ld' '*.sh' '*.py' '*.awk' \
	'*meson.build' Makefile Kbuild Kconfig)
# Trace events are written as tables, as everywhere in the kernel; checkpatch takes them for calls.
mapfile -t driver_files < <(git ls-files 'driver/*.[ch]' 'uapi/*.h' ':!driver/rondo_trace.h')

complain 'no SPDX line among the first two' < <(awk '
	FNR == 1 { names[++n] = FILENAME }
	FNR <= 2 && /SPDX-License-Identifier/ { good[FILENAME] = 1 }
	FNR == 2 { nextfile }
	END { for (i = 1; i <= n; i++) if (!(names[i] in good)) print names[i] }' "${source_files[@]}")
complain 'leftover' < <(git grep -nE '\b(TOD[O]|FIXM[E]|XX[X])\b' -- "${source_files[@]}" || true)
complain 'longer than 100 columns' < <(awk '
	length > 100 || index($0, "\t") && length > 30 {
		columns = 0
		parts = split($0, part, "\t")
		for (i = 1; i <= parts; i++)
			columns += length(part[i]) + (i < parts ? 8 - (columns + length(part[i])) % 8 : 0)
		if (columns > 100)
			print FILENAME ":" FNR
	}' "${c_files[@]}")
# The reader meets the noun last, and reads the sentence twice.
complain 'a comment that begins with "Of"' < <(
	git grep -nE '(/[*]|^[[:space:]]+[*]|//) Of ' -- "${source_files[@]}" || true)
# clang-format joins lines that it takes for one paragraph, a list for one, and leaves this behind.
complain 'a comment whose star touches its text' < <(
	git grep -nE '^ ?[*][A-Za-z]' -- "${source_files[@]}" || true)
complain 'trailing space' < <(git grep -nE '[[:space:]]+$' -- "${source_files[@]}" || true)
complain 'empty' < <(git ls-files -z | xargs -0 sh -c 'find "$@" -maxdepth 0 -type f -empty' sh)
# clang-format takes a macro that heads a loop for a call, and spoils the loop, unless it is told.
# shellcheck disable=SC2016 # awk's, not the shell's
complain 'heads a loop, but is not among the ForEachMacros of .clang-format' < <(comm -23 <({
	git grep -hoE '\<[a-z_]*for_each[a-z_]*\(' -- '*.[ch]' '*.inc'
	git ls-files -z '*.[ch]' '*.inc' | xargs -0 awk '/^#define [A-Za-z_]+\(/ {
		text = $0
		while (sub(/\\$/, "", text) && (getline more) > 0)
			text = text more
		if (text ~ /^#define [A-Za-z_]+\([^)]*\)[ \t]+for \([^()]*(\([^()]*\)[^()]*)*\)$/)
			print $2
	}'
} | sed 's/(.*//' | LC_ALL=C sort -u) <(sed -n 's/^  - //p' .clang-format | LC_ALL=C sort))
complain 'a test whose name has a colon, which meson replaces' < <(
	git grep -nE "^[[:space:]]*test\\('[^']*:" -- '*meson.build' || true)
# What is run says by what (#!); and what says so is executable, except for what is sourced.
complain 'has a run bit, but says no interpreter' < <(git ls-files -s | awk '
	$1 == 100755 { sub(/^[^\t]*\t/, ""); print }' | while read -r file; do
	[ "$(head -c 2 "$file")" = '#!' ] || echo "$file"
done)
complain 'says its interpreter, but has no run bit' < <(git ls-files -s | awk '
	$1 == 100644 { sub(/^[^\t]*\t/, ""); print }' | xargs -d '\n' awk '
	FNR == 1 { if (/^#!\//) print FILENAME; nextfile }')
[ "${1:-}" != quick ] || exit $bad

need clang-format shellcheck
complain 'clang-format would change' < <(for file in "${c_files[@]}"; do
	clang-format "$file" | cmp -s - "$file" || echo "$file"
done)
complain 'shellcheck' < <(shellcheck -x "${scripts[@]}" || true)

# make fuzz builds with clang, which warns of other things than the compiler of every day.
need clang
CC=clang scripts/lane.sh clang || bad=1

if [ ${#driver_files[@]} -gt 0 ] && [ -e Kbuild ]; then
	eval "$(scripts/kernel.sh source)"
	# X-macros are what these three complain of.
	complain 'checkpatch' < <(perl "$KERNEL_SOURCE/scripts/checkpatch.pl" --no-tree --strict \
		--max-line-length=100 --terse --no-summary \
		--ignore COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_UNUSED -f "${driver_files[@]}" || true)
	need sparse
	scripts/module.sh C=2 >/dev/null || bad=1
fi
exit $bad
