# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# What the tests of the rondo command share: sourced, with $rondo set, at the top of the source tree.
set -u
rondo=$(realpath "$rondo") files=$(realpath tests/cli/files.py)
python=$(python3 -c "import sys; print(sys.executable)") # which python3 itself may take long to find
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failures=0

# ok NAME STATUS: one case; a failing one shows what the command last said.
ok()
{
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count $1"
	else
		failures=$((failures + 1))
		echo "not ok $count $1"
		sed 's/^/# /' "$work/out" "$work/err"
	fi
}

# run ARGUMENT...: rondo, with its output in $work/out and $work/err and its status in $status;
# 99 for what it may never do.
run()
{
	"$rondo" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	! grep -qE 'internal error|fault of the compiler|compiler.s fault|Sanitizer|runtime error' "$work/err" || status=99
}

# good NAME PATTERN ARGUMENT...: succeeds, and its output has a line like PATTERN.
good()
{
	local name=$1 pattern=$2
	shift 2
	run "$@"
	[ $status = 0 ] && grep -qE -- "$pattern" "$work/out"
	ok "$name" $?
}

# bad STATUS NAME PATTERN ARGUMENT...: fails so, with one message like PATTERN after "rondo: ".
bad()
{
	local expect=$1 name=$2 pattern=$3
	shift 3
	run "$@"
	[ $status = "$expect" ] && grep -qE -- "^rondo: .*$pattern" "$work/err"
	ok "$name" $?
}

# onnx FILE GRAPH, npy FILE DESCR SHAPE EXPRESSION...: makes such a file, see files.py.
onnx() { "$python" "$files" onnx "$@"; }
npy() { "$python" "$files" npy "$@"; }

# finish: ends the test.
finish()
{
	echo "1..$count"
	[ $failures = 0 ]
	exit
}
