#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Runs apt-get or apt-cache on a private root in the cache:
#   apt.sh [-s SUITE] update | get ... | search ...
# SUITE is bookworm, or trixie, which also has the newer kernels of its backports; each has a root
# of its own, since apt would take the newest of all.
#
# Guest kernel and QEMU sources come from here, so that the host's package state
# is neither used nor touched. Mirrors are those the host is configured for;
# RONDO_MIRROR and RONDO_SECURITY (URLs of the two archives) override them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

SUITE=bookworm
if [ "${1:-}" = -s ]; then
	SUITE=$2
	shift 2
fi
case $SUITE in
bookworm) ROOT=$CACHE/apt ;;
trixie) ROOT=$CACHE/apt-$SUITE ;;
*) die "apt.sh knows the suites bookworm and trixie, not '$SUITE'" ;;
esac

# host_mirror SUITE: the host's own archive of a suite, empty when it has none. It is
# also empty until the host has run `apt-get update` once; the sources say it then.
host_mirror()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
		awk -v s="$1" '$2 == s && !n++ { print $1 }'
}

write_config()
{
	local mirror=${RONDO_MIRROR:-$(host_mirror bookworm)}
	local security=${RONDO_SECURITY:-$(host_mirror bookworm-security)}
	local signed='' type

	[ -n "$mirror" ] || die "no package mirror of bookworm is known to this host:" \
		"run 'apt-get update' as root, or set RONDO_MIRROR"
	mirror=${mirror%/}
	security=${security:-${mirror%/debian}/debian-security}
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] &&
		signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'

	mkdir -p "$ROOT/parts" "$ROOT/lists/partial" "$ROOT/archives/partial"
	: >"$ROOT/status"
	for type in deb deb-src; do
		echo "$type $signed $mirror $SUITE main"
		echo "$type $signed $mirror $SUITE-updates main"
		echo "$type $signed $security $SUITE-security main"
		[ "$SUITE" = bookworm ] || echo "$type $signed $mirror $SUITE-backports main"
	done >"$ROOT/sources.list"
	apt-config dump | grep -E '^Acquire::.*Proxy' >"$ROOT/parts/proxy" || true
	cat >"$ROOT/apt.conf" <<-EOF
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "$ROOT/parts";
		Dir::Etc::sourcelist "$ROOT/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$ROOT";
		Dir::State::lists "$ROOT/lists";
		Dir::State::status "$ROOT/status";
		Dir::Cache "$ROOT";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOF
}

need apt-get apt-cache apt-config
command=${1:-}
[ $# -eq 0 ] || shift
lock apt
case $command in
update)
	write_config
	say "reading the package lists (20 MB)"
	APT_CONFIG=$ROOT/apt.conf watched apt apt-get update -o APT::Update::Error-Mode=any || {
		grep -E '^[EW]:' "$LOGS/apt.log" >&2 || true
		die "the package lists could not be fetched (no network? wrong clock?);" \
			"the whole log is $LOGS/apt.log"
	}
	;;
get) APT_CONFIG=$ROOT/apt.conf apt-get "$@" ;;
search) APT_CONFIG=$ROOT/apt.conf apt-cache search --names-only "$@" ;;
*) die "usage: apt.sh update | get ... | search PATTERN" ;;
esac
