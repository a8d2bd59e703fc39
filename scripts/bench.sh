#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Runs the programs of tests/bench (of build/release, and scripts), all of them or those whose
# file names are given. Each prints a line "NAME VALUE UNIT" for each of its figures, and what there
# is to say of them in lines that begin with "#".
#
# tests/bench/figures is the judge: a figure is ok, short of its target, absent ("-": what it needs is
# not there), or invalid: outside of what can be true, no number, of another unit, printed twice or not
# in the table. All become build/bench.json. Exit status 1 if one is short, invalid or missing, or a
# program fails.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
mapfile -t programs < <(find build/release/tests/bench tests/bench -maxdepth 1 -type f \
	-executable | LC_ALL=C sort)
if [ $# -gt 0 ]; then
	chosen=()
	for name; do
		found=$(printf '%s\n' "${programs[@]}" | grep "/$name\$") || die "no benchmark is called $name"
		chosen+=("$found")
	done
	programs=("${chosen[@]}")
fi

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
status=0
for program in "${programs[@]}"; do
	say "running $program"
	said=$("$program" </dev/null) || { say "$program failed"; status=1; }
	grep '^#' <<<"$said" >&2 || true
	grep -v '^#' <<<"$said" >>"$lines" || { say "$program printed no figure"; status=1; }
done

awk -v every=$(($# == 0)) -v json=build/bench.json '
	function judge(name, value, unit) {
		if (!(name in unit_of))
			return "invalid (not in tests/bench/figures)"
		if (seen[name]++)
			return "invalid (printed twice)"
		if (value == "-" && unit == unit_of[name])
			return "absent"
		if (unit != unit_of[name] || NF != 3)
			return "invalid (the unit is " unit_of[name] ")"
		if (value !~ /^[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?$/)
			return "invalid (no number)"
		if (value + 0 < least[name] + 0 || value + 0 > most[name] + 0)
			return "invalid (can only be " least[name] " to " most[name] ")"
		if (op[name] == "<=" && value + 0 > target[name] + 0)
			return "short"
		if (op[name] == ">=" && value + 0 < target[name] + 0)
			return "short"
		return "ok"
	}
	/^#/ || /^$/ { next }
	FILENAME ~ /figures$/ {
		unit_of[$1] = $2
		op[$1] = $3
		target[$1] = $3 == "-" ? "" : $4
		least[$1] = $(NF - 1)
		most[$1] = $NF
		if (NF != ($3 == "-" ? 5 : 6) || $3 !~ /^(<=|>=|-)$/) {
			print "tests/bench/figures: wrong line: " $0
			bad = 1
		}
		next
	}
	{
		verdict = judge($1, $2, $3)
		goal = op[$1] ~ /=/ ? "target " op[$1] " " target[$1] : "no target"
		print $1, $2, $3, goal, verdict
		bad += verdict != "ok" && verdict != "absent"
		gsub(/["\\]/, "\\\\&")
		number = verdict ~ /^(invalid|absent)/ ? "\"" $2 "\"" : $2 + 0
		text = text (text ? "," : "") "\n  {\"name\": \"" $1 "\", \"value\": " number \
			", \"unit\": \"" $3 "\", \"target\": \"" op[$1] " " target[$1] \
			"\", \"verdict\": \"" verdict "\"}"
	}
	END {
		for (name in unit_of)
			if (every && !seen[name]) {
				print "no program printed " name
				bad = 1
			}
		print "[" text "\n]" >json
		exit bad > 0
	}' tests/bench/figures "$lines" || status=1
exit $status
