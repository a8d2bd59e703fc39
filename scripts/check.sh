#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds what the tests need and runs them: check.sh [SUITE...]. Without a suite all run, except install
# and packages, which install what is built, or build it once more, and kcheck and kcheck-long, which
# take a kernel of their own; "all" is all but kcheck-long. Host tests run with sanitizers, those of the
# suites install, guest, kcheck, kcheck-long and packages beside the release build.
# The last line is "N passed, N failed, N skipped" over all of them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
chosen=$*
host=() guest=() install='' beside='' targets=asan status=0 logs=()
known=$(grep -rhoE "suite: '[a-z-]+'" --include=meson.build tests | sort -u | cut -d"'" -f2 | xargs)
for suite; do
	[[ " $known all " = *" $suite "* ]] || die "there is no suite '$suite', but $known"
	case $suite in
	all) chosen='' install=1 guest+=(--suite kcheck --suite packages) ;;
	install) install=1 ;;
	guest | kcheck | kcheck-long | packages) guest+=(--suite "$suite") ;;
	*) host+=(--suite "$suite") ;;
	esac
done
if [ -z "$chosen" ]; then
	host=() guest+=(--suite guest)
fi
[ -z "$install${guest[*]}" ] || targets=all

if ! make --no-print-directory "$targets"; then
	echo "the build failed"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi

# Freed memory is watched for longer than any test needs it, and new pages are what costs most then.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16}

# run LANE NAME OPTION...: the tests of one build directory, with a log of that name. One more at a
# time than there are processors, since some of them wait: a guest for its device's watchdogs, for one.
run()
{
	meson test -C "build/$1" --logbase "$2" --no-rebuild --timeout-multiplier 12 --print-errorlogs \
		--num-processes $(($(nproc) + 1)) "${@:3}"
}

# Guests use the release build, which the tests of make install change: those come first.
run_release()
{
	local failed=0
	[ -z "$install" ] || run release install --suite install || failed=1
	[ ${#guest[@]} = 0 ] || run release guest "${guest[@]}" || failed=1
	return $failed
}

[ -n "$chosen" ] && [ ${#host[@]} = 0 ] || logs+=(build/asan/meson-logs/host.json)
[ -z "$install" ] || logs+=(build/release/meson-logs/install.json)
[ ${#guest[@]} = 0 ] || logs+=(build/release/meson-logs/guest.json)
rm -f "${logs[@]}"
trap '[ -z "$beside" ] || kill -- "-$beside"' EXIT
set -m # a process group of its own, to be killed as one
run_release >build/release.log 2>&1 &
beside=$!
set +m
if [[ ${logs[0]} = */host.json ]]; then
	run asan host "${host[@]}" || status=1
fi
wait "$beside" || status=1
beside=''
cat build/release.log
python3 scripts/summary.py "${logs[@]}" || status=1
exit $status
