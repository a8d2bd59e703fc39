#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Drops the driver into a kernel tree as drivers/accel/rondo, with its documentation: kernel-tree.sh
# DIR. May be repeated: the copy is replaced, the hooks stand once.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

tree=${1:?kernel-tree.sh needs the kernel tree: make kernel-tree DIR=...}
accel=$tree/drivers/accel
[ -e "$accel/Kconfig" ] || die "$tree has no drivers/accel/Kconfig: not a kernel tree with accel"

cd "$TOP"
symbol=$(awk '$1 == "config" { print $2; exit }' Kconfig)
rm -rf "$accel/rondo"
mkdir -p "$accel/rondo"
find Kbuild Kconfig driver core spec uapi \( -name 'K*' -o -name '*.[ch]' -o -name '*.def' \) \
	-exec cp --parents -t "$accel/rondo" {} +
cp uapi/drm/*.h "$tree/include/uapi/drm/"

grep -q 'rondo/' "$accel/Makefile" ||
	printf "obj-\$(CONFIG_%s)\t+= rondo/\n" "$symbol" >>"$accel/Makefile"
# Before the last line: the menu's endif.
grep -q 'rondo/Kconfig' "$accel/Kconfig" ||
	sed -i '$i source "drivers/accel/rondo/Kconfig"\n' "$accel/Kconfig"

documentation=$tree/Documentation
if [ -e "$documentation/accel/index.rst" ]; then
	install -D -m 644 driver/rondo.rst "$documentation/accel/rondo/index.rst"
	install -D -m 644 driver/sysfs-driver-rondo "$documentation/ABI/testing/sysfs-driver-rondo"
	grep -q 'rondo/index' "$documentation/accel/index.rst" ||
		sed -i '0,/^   introduction$/s//&\n   rondo\/index/' "$documentation/accel/index.rst"
fi
say "$accel/rondo is in place; enable CONFIG_$symbol"
