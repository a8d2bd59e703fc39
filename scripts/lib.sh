# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash disable=SC2034
# Shared by all scripts: paths, messages, progress, locks, hashes. Sourced, never run.
#
# Everything that is fetched or built from fetched things lives under one cache
# directory, keyed by what it was made from; it may be deleted at any time.

TOP=${BASH_SOURCE[0]%/*}
TOP=$(cd "$TOP/.." && pwd)
HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
CACHE=${XDG_CACHE_HOME:-${HOME:?neither HOME nor XDG_CACHE_HOME is set}/.cache}/rondo
LOGS=$CACHE/log
ME=${0##*/}
[ -d "$LOGS" ] || mkdir -p "$LOGS"

say() { echo "$ME: $*" >&2; }

die()
{
	say "error: $*"
	exit 1
}

# need TOOL...: dies naming the first tool that is not installed.
need()
{
	local tool
	for tool; do
		command -v "$tool" >/dev/null ||
			die "'$tool' is not installed; run scripts/install.sh"
	done
}

# hash_of FILE...: one short hash over names and contents, in the order given.
hash_of() { sha256sum -- "$@" | sha256sum | cut -c1-16; }

# hash_text TEXT...: the same over words.
hash_text() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# lock NAME [DIR]: at most one process works on NAME of DIR, by default the cache; held until exit.
lock()
{
	exec 9>"${2:-$CACHE}/$1.lock"
	flock -n 9 || { say "waiting for another build of $1"; flock 9; }
}

# give_up COMMAND LOG: shows the end of the log, or what ninja says failed in it, and dies.
give_up()
{
	if grep -q '^FAILED' "$2"; then
		sed -n '/^FAILED/,$p' "$2" | head -n 80 >&2
	else
		tail -n 25 "$2" >&2
	fi
	die "'$1' failed; the whole log is $2"
}

# logged NAME COMMAND...: output goes to a log; on failure its end and path are shown.
logged()
{
	local log=$LOGS/$1.log
	shift
	"$@" >"$log" 2>&1 </dev/null && return
	give_up "$1" "$log"
}

# share NAME: shows the percentages that come as lines on standard input: one moving line on a
# terminal, a line for every tenth elsewhere.
share()
{
	local tty=0
	[ ! -t 2 ] || tty=1
	awk -v tty=$tty -v name="$ME: $1" '
		BEGIN { shown = 0 }
		{ now = int($1) }
		now < shown { shown = 0 }
		tty && now != shown { printf "\r%s %d %% ", name, now }
		!tty && int(now / 10) > int(shown / 10) { printf "%s %d %%\n", name, now }
		{ shown = now; fflush() }
		END { if (tty) printf "\r%*s\r", length(name) + 20, "" }' >&2
}

# counted NAME COMMAND...: as logged, for a command that prints "[done/total]" lines. Less than 50
# steps are done before anybody asks.
counted()
{
	local log=$LOGS/$1.log name=$1
	shift
	"$@" 2>&1 </dev/null | tee "$log" | awk -F'[][/]' '
		/^\[[0-9]+\/[0-9]+\]/ && $3 > 50 { print 100 * $2 / $3; fflush() }' |
		share "$name" && return
	give_up "$1" "$log"
}

# watched NAME COMMAND...: runs a command that takes the options of apt-get, with its output in a
# log and its progress shown.
watched()
{
	local name=$1
	shift
	"$@" -o APT::Status-Fd=3 3>&1 >"$LOGS/$name.log" 2>&1 </dev/null | awk -F: '
		/^(dl|pm)status:/ { print $3; fflush() }' | share "$name"
}

# fetched NAME COMMAND...: as watched; on failure the log's end and path are shown.
fetched() { watched "$@" || give_up "$2" "$LOGS/$1.log"; }

# keep_newest N PATH...: removes all but the N most recently touched.
keep_newest()
{
	local n=$1
	shift
	find "$@" -maxdepth 0 -printf '%T@ %p\n' | sort -rn | tail -n +$((n + 1)) |
		cut -d' ' -f2- | xargs -r -d '\n' rm -rf
}

# mirror FROM TO: makes TO a copy of FROM; unchanged files keep their times.
mirror()
{
	local file
	(cd "$1" && find . -type f) | while read -r file; do
		cmp -s "$1/$file" "$2/$file" || install -D -m 644 "$1/$file" "$2/$file"
	done
	(cd "$2" && find . -type f) | while read -r file; do
		[ -e "$1/$file" ] || rm "$2/$file"
	done
}
