# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# What the tests of the rondo command share: sourced at the top of the source tree, with the arguments
# RONDO TEST: the command, and the same command with tests/cli/server.c and its like.
set -u
rondo=$(realpath "$1") rondo_test=$(realpath "$2") files=$(realpath tests/cli/files.py)
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
		sed 's/^/# /' "$work/out" "$errors"
	fi
}

# run_process ARGUMENT...: rondo, with its output in $work/out and $work/err and its status in $status;
# 99 for what it may never do.
run_process()
{
	"$rondo" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	judge
}
judge()
{
	[[ ! $(<"$errors") =~ internal\ error|fault\ of\ the\ compiler|compiler.s\ fault|Sanitizer|runtime\ error ]] || status=99
}

# run ARGUMENT...: the same, in a fork of one process, see tests/cli/server.c: not in a subshell, without
# limits that were set since, and of the environment with RONDO_TEST_* alone.
# Messages go to $errors.
errors=$work/err
coproc server { exec "$rondo_test" --serve; }
run()
{
	local name answer assignments=()
	for name in "${!RONDO_TEST_@}"; do assignments+=("$name=${!name}"); done
	printf '%s\0' "$PWD" "$work/out" "$errors" ${#assignments[@]} "${assignments[@]}" $# "$@" >&"${server[1]}"
	read -r answer <&"${server[0]}" || answer=98
	status=$((answer))
	judge
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

# bad STATUS NAME PATTERN ARGUMENT...: fails so, and the last message is like PATTERN, or for STATUS 2 any;
# and each message begins with "rondo COMMAND: ".
bad()
{
	local expect=$1 name=$2 pattern=$3
	shift 3
	run "$@"
	failed "$expect" "$pattern" "$1"
	ok "$name" $?
}

# failed STATUS PATTERN COMMAND: whether what has run did so.
failed()
{
	local line found=1
	[ $status = "$1" ] || return 1
	while IFS= read -r line; do
		[[ $line = "rondo $3: "* ]] || return 1
		if [[ $line =~ ^rondo\ $3:\ .*$2 ]]; then
			found=0
		elif [ $status = 1 ]; then
			found=1
		fi
	done <"$work/err"
	return $found
}

# onnx FILE GRAPH, npy FILE DESCR SHAPE EXPRESSION..., rnd FILE PROGRAM CONTENT, png FILE WIDTH HEIGHT
# EXPRESSION: makes such a file, see files.py.
png() { "$python" -IS "$files" png "$@"; }
onnx() { "$python" -IS "$files" onnx "$@"; }
rnd() { "$python" -IS "$files" rnd "$@"; }
npy() { "$python" -IS "$files" npy "$@"; }

# finish: ends the test.
finish()
{
	echo "1..$count"
	[ $failures = 0 ]
	exit
}
