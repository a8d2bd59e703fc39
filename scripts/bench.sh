#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Measures every figure of tests/bench/figures.txt and prints it beside its target, one
# line each; the same as JSON in build/bench.json. Exit status 1 if one falls short.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
values=$(mktemp)
trap 'rm -f "$values"' EXIT

# A program measures the figures that name it and prints "NAME VALUE" for each.
awk '!/^#/ && NF { print $5 }' tests/bench/figures.txt | sort -u | while read -r program; do
	say "running $program"
	"$program" </dev/null >>"$values" || say "$program failed"
done

awk -v json=build/bench.json '
	NR == FNR { value[$1] = $2; next }
	/^#/ || !NF { next }
	{
		v = $1 in value ? value[$1] : "none"
		ok = v != "none" && ($3 == "<=" ? v + 0 <= $4 : v + 0 >= $4)
		bad += !ok
		print $1, v, $2, "target", $3, $4, ok ? "ok" : "short"
		printf "%s\n  {\"name\": \"%s\", \"value\": %s, \"unit\": \"%s\", \"target\": \"%s %s\", \"ok\": %s}",
			n++ ? "," : "[", $1, v == "none" ? "null" : v, $2, $3, $4, ok ? "true" : "false" >json
	}
	END { print "\n]" >json; exit bad > 0 }' "$values" tests/bench/figures.txt
