# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
# TAP for tests written in bash: sourced. Each check or skip is one case; `tap_done` ends the test.
tap_count=0 tap_failures=0

# check NAME COMMAND...: one case, good if the command succeeds; so does check then. What the command
# prints is shown as a comment if it fails.
check()
{
	local name=$1 said
	shift
	tap_count=$((tap_count + 1))
	if said=$("$@" 2>&1); then
		echo "ok $tap_count $name"
	else
		tap_failures=$((tap_failures + 1))
		echo "not ok $tap_count $name"
		note <<<"$said"
		return 1
	fi
}

# skip NAME REASON: a case that cannot be had here; with CI=true in the environment a failure.
skip()
{
	if [ "${CI:-}" = true ]; then
		check "$1: may not be skipped in CI: $2" false
	else
		tap_count=$((tap_count + 1))
		echo "ok $tap_count $1 # SKIP $2"
	fi
}

# note: shows standard input as a comment.
note() { sed 's/^/# /'; }

# Prints the plan and ends the test.
tap_done()
{
	echo "1..$tap_count"
	exit $((tap_failures > 0))
}
