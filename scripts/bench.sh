#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Runs every program of tests/bench (programs of build/release, and scripts). Each prints
# a line "NAME VALUE UNIT target OP NUMBER ok|short" for each of its figures, and what there is to
# say of them in lines that begin with "#"; together the figures
# become build/bench.json. Exit status 1 if a figure falls short, or if one that
# tests/bench/figures names is missing.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
figure='^[a-z0-9_]+ [-+.0-9e]+ [^ ]+ target (<=|>=) [-+.0-9e]+ (ok|short)$'
status=0 json=

mapfile -t programs < <(find build/release/tests/bench tests/bench -maxdepth 1 -type f \
	-executable | LC_ALL=C sort)
for program in "${programs[@]}"; do
	say "running $program"
	lines=$("$program" </dev/null) || { say "$program failed"; status=1; }
	grep '^#' <<<"$lines" >&2 || true
	grep -qE "$figure" <<<"$lines" || { say "$program printed no figure"; status=1; }
	while read -r name value unit _ op target verdict; do
		echo "$name $value $unit target $op $target $verdict"
		[ "$verdict" = ok ] || status=1
		json+="${json:+,}
  {\"name\": \"$name\", \"value\": $value, \"unit\": \"$unit\","
		json+=" \"target\": \"$op $target\", \"verdict\": \"$verdict\"}"
	done < <(grep -E "$figure" <<<"$lines")
done
while read -r name; do
	[[ $json = *"\"$name\""* ]] || { say "no program printed $name"; status=1; }
done < <(grep -v '^#' tests/bench/figures)
printf '[%s\n]\n' "$json" >build/bench.json
exit $status
