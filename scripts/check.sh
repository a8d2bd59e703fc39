#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds what the tests need and runs them: check.sh [SUITE...]. Without a suite all run, except
# kcheck and kcheck-long, which take a kernel of their own; "all" is all and kcheck. Host tests run
# with sanitizers, those of the suites guest, kcheck and kcheck-long beside the release build. The
# last line is "N passed, N failed, N skipped" over all of them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
chosen=$*
host=() guest=() targets=asan logs=()
known=$(grep -rhoE "suite: '[a-z-]+'" --include=meson.build tests | sort -u | cut -d"'" -f2 | xargs)
for suite; do
	[[ " $known all " = *" $suite "* ]] || die "there is no suite '$suite', but $known"
	case $suite in
	all) chosen='' guest+=(--suite kcheck) ;;
	guest | kcheck | kcheck-long) guest+=(--suite "$suite") ;;
	*) host+=(--suite "$suite") ;;
	esac
done
if [ -z "$chosen" ]; then
	host=() guest+=(--suite guest)
fi
[ ${#guest[@]} = 0 ] || targets=all

if ! make --no-print-directory "$targets"; then
	echo "the build failed"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi

# run LANE OPTION...: the tests of one build directory. One more at a time than there are processors,
# since some of them wait: a guest for its device's watchdogs, for one.
status=0
run()
{
	local log=build/$1/meson-logs/testlog.json
	rm -f "$log"
	meson test -C "build/$1" --no-rebuild --timeout-multiplier 12 --print-errorlogs \
		--num-processes $(($(nproc) + 1)) "${@:2}" || status=1
	logs+=("$log")
}
if [ -z "$chosen" ] || [ ${#host[@]} -gt 0 ]; then
	run asan "${host[@]}"
fi
if [ $targets = all ]; then
	run release "${guest[@]}"
fi
python3 scripts/summary.py "${logs[@]}" || status=1
exit $status
