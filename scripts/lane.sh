#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds one of meson's build directories: lane.sh NAME [MESON_OPTION]... The options
# count when build/NAME is set up, which happens once.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need meson ninja cc
name=$1
shift
cd "$TOP"
LOGS=build/log
mkdir -p $LOGS
lock "$name" build
if [ ! -e "build/$name/build.ninja" ]; then
	# With ccache most of a build is linking; mold needs a quarter of the usual linker's time.
	command -v mold >/dev/null && export CC_LD=${CC_LD:-mold}
	say "setting up build/$name"
	logged "meson-$name" meson setup "build/$name" "$@"
fi
NINJA_STATUS='[%f/%t] ' counted "build-$name" ninja -C "build/$name"
