#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds QEMU with the Rondo device and prints the binary's path; `qemu.sh tree` prints
# the unpacked QEMU tree instead, `qemu.sh objects` how many objects the binary is made of.
#
# One QEMU tree per version and recipe is configured and built once. Our sources are
# mirrored into its hw/rondo; a change rebuilds them alone and links again. Finished
# binaries are kept by the hash of all that went in, so nothing changed means no work.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

SUITE=bookworm
CONFIGURE=(--target-list=x86_64-softmmu --without-default-features --enable-tcg
	--enable-system --enable-plugins --enable-fdt=system --disable-install-blobs
	--disable-werror --disable-docs --without-default-devices --with-devices-x86_64=rondo)
# What the guest's machine is made of: with all of QEMU's devices, half as much again is compiled.
DEVICES=(Q35 SERIAL_ISA HPET VTD PCIE_PORT)
BINARY=qemu-system-x86_64

# Makes a pristine tree ($1) configurable and hooks hw/rondo into it.
wire()
{
	local blob
	echo "subdir('rondo')" >>"$1/hw/meson.build"
	sed -i "s|^trace_events_subdirs = \[$|&\n  'hw/rondo',|" "$1/meson.build"
	grep -q "^  'hw/rondo',$" "$1/meson.build" || die "QEMU's meson.build has changed shape"
	printf 'CONFIG_%s=y\n' "${DEVICES[@]}" >"$1/configs/devices/x86_64-softmmu/rondo.mak"
	# Debian's source lacks these; no guest of ours boots from them.
	for blob in aarch64-code arm-code arm-vars i386-code i386-secure-code i386-vars \
		x86_64-code x86_64-secure-code; do
		bzip2 </dev/null >"$1/pc-bios/edk2-$blob.fd.bz2"
	done
}
RECIPE=$(hash_text "${CONFIGURE[@]}" "${DEVICES[@]}" "$(declare -f wire)")

# The newest tree of this recipe in the cache, if any.
find_tree() { find "$CACHE/qemu" -maxdepth 1 -name "src-*-$RECIPE" | sort -V | tail -n 1; }

# Downloads, unpacks and wires QEMU's source. apt has verified it, so dpkg-source need not.
fetch_tree()
{
	local dir=$CACHE/qemu/fetch dsc
	need apt-get dpkg-source bzip2
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	"$TOP/scripts/apt.sh" update
	say "downloading QEMU's source (24 MB)"
	fetched qemu-fetch "$TOP/scripts/apt.sh" get source --download-only --only-source \
		"qemu/$SUITE"
	dsc=$(echo *.dsc)
	logged qemu-unpack dpkg-source --no-check -x "$dsc" tree
	wire tree
	dsc=${dsc#qemu_}
	mv tree "$CACHE/qemu/src-${dsc%.dsc}-$RECIPE"
	cd "$TOP"
	rm -rf "$dir"
}

# Everything of ours that goes into the binary, as paths from the top.
our_sources()
{
	find spec core emulator \( -name '*.[ch]' -o -name '*.def' -o -name '*.inc' -o -name meson.build \
		-o -name trace-events \) | LC_ALL=C sort
}

# Puts our sources into the hw/rondo of tree $1, the front end at its top.
place_sources()
{
	local stage=$CACHE/qemu/stage file
	rm -rf "$stage"
	our_sources | while read -r file; do
		install -D -m 644 "$file" "$stage/${file#emulator/frontend/qemu/}"
	done
	mkdir -p "$1/hw/rondo"
	mirror "$stage" "$1/hw/rondo"
	rm -rf "$stage"
}

build_tree()
{
	need ninja meson flex bison gcc python3
	place_sources "$1"
	mkdir -p "$1/build"
	cd "$1/build"
	if [ ! -e build.ninja ]; then
		say "configuring QEMU"
		logged qemu-configure ../configure "${CONFIGURE[@]}"
	fi
	NINJA_STATUS='[%f/%t] ' counted qemu-build ninja $BINARY
	cd "$TOP"
}

# Builds $bin from $tree.
build_binary()
{
	build_tree "$tree"
	mkdir -p "$bin"
	install "$tree/build/$BINARY" "$bin/$BINARY.new"
	mv "$bin/$BINARY.new" "$bin/$BINARY"
	keep_newest 8 "$CACHE"/qemu/bin-*
}

cd "$TOP"
mkdir -p "$CACHE/qemu"
tree=$(find_tree)
if [ -z "$tree" ]; then
	lock qemu
	tree=$(find_tree)
	[ -n "$tree" ] || { fetch_tree; tree=$(find_tree); }
fi
if [ "${1:-}" = tree ]; then
	echo "$tree"
	exit
fi

mapfile -t files < <(our_sources)
bin=$CACHE/qemu/bin-$(hash_text "$tree" "$(hash_of "${files[@]}")")
if [ ! -x "$bin/$BINARY" ]; then
	lock qemu
	[ -x "$bin/$BINARY" ] || build_binary
fi
touch "$bin"
if [ "${1:-}" = objects ]; then
	ninja -C "$tree/build" -t commands $BINARY | grep -c -- ' -c '
	exit
fi
echo "$bin/$BINARY"
