#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Makes a static library with no global names except those of a version script, so that it clashes
# with nothing in a program: static_library.sh IN OUT MAP. As meson's install script: without OUT,
# IN is a path in the prefix and is replaced.
set -euo pipefail
if [ $# = 2 ]; then
	in=$MESON_INSTALL_DESTDIR_PREFIX/$1 out=$in map=$2
else
	in=$1 out=$2 map=$3
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -oE '^\s+[a-z_]+;' "$map" | tr -d '\t; ' >"$work/names"
ld -r --whole-archive "$in" -o "$work/all.o"
objcopy --keep-global-symbols="$work/names" "$work/all.o"
rm -f "$out"
ar rcs "$out" "$work/all.o"
