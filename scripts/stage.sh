#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Installs the release build, or removes what an install put there: stage.sh install | uninstall.
# What tests need to leave it as it was: stage.sh prefix prints the prefix that it is made for, stage.sh
# adopt tells it of another.
#
# From the environment: PREFIX is where library and command go, DESTDIR a directory that stands for
# the root, from where make was called if it is relative. The firmware, the udev rule and the module's
# sources have their places whatever the prefix.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

build=$TOP/build/release
prefix=${PREFIX:-/usr/local}
destdir=${DESTDIR:-}
[[ $prefix = /* ]] || die "PREFIX=$prefix is not an absolute path"
[[ -z $destdir || $destdir = /* ]] || destdir=$PWD/$destdir
need meson ninja python3

# The prefix that the build was made for, from where meson keeps it for others: it takes three quarters
# of a second to start and say the same.
made_for()
{
	python3 -c 'import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))' \
		<"$build/meson-info/intro-buildoptions.json"
}

# A build that was made for another prefix is told of this one; nothing is compiled again.
adopt_prefix()
{
	local now
	now=$(made_for)
	[ "$now" != "$prefix" ] || return 0
	logged configure meson configure "$build" "-Dprefix=$prefix"
	logged install-build ninja -C "$build"
}

# Every file and link that an install writes, as paths below DESTDIR.
installed()
{
	local staged
	staged=$(mktemp -d)
	meson install -C "$build" --no-rebuild --quiet --destdir "$staged" >/dev/null
	find "$staged" ! -type d -printf '/%P\n'
	rm -rf "$staged"
}

uninstall()
{
	local path
	while read -r path; do
		[ -d "$destdir$path" ] || rm -f "$destdir$path"
	done < <(installed)
	# Directories that are ours alone.
	find "$destdir/usr/src/rondo-$(cat "$TOP/VERSION")" "$destdir/lib/firmware/rondo" -depth \
		-type d -empty -delete 2>/dev/null || true
}

[ -e "$build/build.ninja" ] || die "nothing is built: run make release"
[ "${1:-}" != prefix ] || { made_for; exit; }
adopt_prefix
case ${1:-} in
adopt) ;;
install) DESTDIR=$destdir meson install -C "$build" --no-rebuild --quiet ;;
uninstall) uninstall ;;
*) die "usage: stage.sh install | uninstall" ;;
esac
