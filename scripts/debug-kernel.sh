#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds the debug kernel, with the driver in its tree, and prints shell assignments:
#   KERNEL_VERSION  as in `uname -r`
#   KERNEL_ROOT     where it is installed: boot/, lib/modules/
#   MODULE          rondo.ko for it; beside it, notes/, which gcov needs to read what it has counted
#
# The tree is configured from tests/kcheck/kernel.config and built once per version and recipe.
# The driver is put into it by kernel-tree.sh; a change compiles the driver alone. Finished
# modules are kept by the hash of their sources, so nothing changed means no work.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

PACKAGE=linux-source-6.12
DIR=$CACHE/debug-kernel
CONFIG=$TOP/tests/kcheck/kernel.config
# The directories that KASAN and UBSAN watch, and the objects that KCOV and gcov do: all of the
# kernel would be slow, and so is the verifier in the driver's module.
WATCHED='drivers/accel/% drivers/gpu/% drivers/dma-buf/%'
COVERED='drivers/accel/rondo/driver/%'
# The same whenever it is built, so that ccache finds it again.
MAKE=(make LOCALVERSION= KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=rondo KBUILD_BUILD_HOST=rondo)
! command -v ccache >/dev/null || MAKE+=("CC=ccache gcc")

# Has the sanitizers watch only some directories of the tree $1.
narrow()
{
	local lib=$1/scripts/Makefile.lib
	sed -i -E \
		-e "s|(\\\$\((KASAN\|UBSAN)_SANITIZE_\\\$\(target-stem\)\.o\))|\$(if \$(filter $WATCHED,\$(obj)/),,n)\1|" \
		-e "s|\\\$\(CONFIG_(KCOV_INSTRUMENT\|GCOV_PROFILE)_ALL\)|\$(if \$(filter $COVERED,\$(obj)/\$(target-stem)),y)|" "$lib"
	if [ "$(grep -cF "$WATCHED" "$lib")" -lt 3 ] || [ "$(grep -cF "$COVERED" "$lib")" -lt 2 ]; then
		die "the kernel's Makefile.lib has changed shape"
	fi
}

# Configures the tree $1; every line of the fragment must have come through.
configure()
{
	local lost
	cd "$1"
	logged debug-kernel-config "${MAKE[@]}" "KCONFIG_ALLCONFIG=$CONFIG" allnoconfig
	lost=$(grep -E '^(# )?CONFIG_' "$CONFIG" | grep -vxFf .config | xargs) || true
	[ -z "$lost" ] || die "the kernel drops of $CONFIG: $lost"
	cd "$TOP"
}
# By contents alone: a checkout elsewhere finds the same tree.
RECIPE=$(hash_text "$WATCHED" "$COVERED" "$(declare -f narrow configure)" "$(cat "$CONFIG")" \
	"$(gcc --version | head -n 1)")

# The newest tree of this recipe in the cache, if any.
find_tree() { find "$DIR" -maxdepth 1 -name "src-*-$RECIPE" | sort -V | tail -n 1; }

fetch_tree()
{
	local fetch=$DIR/fetch version
	need apt-get dpkg dpkg-deb tar xz
	rm -rf "$fetch"
	mkdir -p "$fetch"
	cd "$fetch"
	"$TOP/scripts/apt.sh" update
	say "downloading $PACKAGE (150 MB)"
	fetched debug-kernel-fetch "$TOP/scripts/apt.sh" get download "$PACKAGE"
	version=$(dpkg-deb -f ./*.deb Version)
	logged debug-kernel-unpack dpkg -x ./*.deb root
	mkdir tree
	logged debug-kernel-unpack tar -C tree --strip-components 1 -xf root/usr/src/$PACKAGE.tar.xz
	narrow tree
	cd "$TOP"
	mv "$fetch/tree" "$DIR/src-${version%%-*}-$RECIPE"
	rm -rf "$fetch"
}

# Puts the driver into the tree $1; what has not changed keeps its times.
place_driver()
{
	rm -rf "$DIR/stage"
	mkdir -p "$DIR/stage/drivers/accel" "$DIR/stage/include/uapi/drm"
	cp "$1"/drivers/accel/{Kconfig,Makefile} "$DIR/stage/drivers/accel"
	logged debug-kernel-place "$TOP/scripts/kernel-tree.sh" "$DIR/stage"
	(cd "$DIR/stage" && find . -type f) | while read -r file; do
		cmp -s "$DIR/stage/$file" "$1/$file" || install -D -m 644 "$DIR/stage/$file" "$1/$file"
	done
	rm -rf "$DIR/stage"
}

# steps COMMAND...: as counted, for Kbuild, which does not number its steps: about 2,000.
steps()
{
	local name=$1
	shift
	"$@" 2>&1 </dev/null | tee "$LOGS/$name.log" |
		awk '/^  [A-Z]/ { n++; if (n < 1980) print n / 20; fflush() }' | share "$name" && return
	give_up "$1" "$LOGS/$name.log"
}

build_kernel()
{
	need make gcc flex bison bc
	place_driver "$1"
	[ -e "$1/.config" ] || configure "$1"
	cd "$1"
	say "building the debug kernel"
	steps debug-kernel-build "${MAKE[@]}" -j"$(nproc)" bzImage modules
	rm -rf root.new
	logged debug-kernel-install "${MAKE[@]}" INSTALL_MOD_PATH=root.new modules_install
	find root.new -name rondo.ko -delete
	mkdir -p root.new/boot
	cp arch/x86/boot/bzImage "root.new/boot/vmlinuz-$(cat include/config/kernel.release)"
	mv root.new root
	cd "$TOP"
}

build_module()
{
	place_driver "$1"
	cd "$1"
	logged debug-module "${MAKE[@]}" -j"$(nproc)" modules
	cd "$TOP"
}

cd "$TOP"
mkdir -p "$DIR"
tree=$(find_tree)
if [ -z "$tree" ] || [ ! -d "$tree/root" ]; then
	lock debug-kernel
	[ -n "$(find_tree)" ] || fetch_tree
	tree=$(find_tree)
	[ -d "$tree/root" ] || build_kernel "$tree"
	exec 9>&-
fi

mapfile -t files < <(find Kbuild Kconfig VERSION driver core spec uapi -type f | LC_ALL=C sort)
module=$DIR/module-$(hash_text "$tree" "$(hash_of "${files[@]}")")
if [ ! -e "$module/rondo.ko" ]; then
	lock debug-kernel
	if [ ! -e "$module/rondo.ko" ]; then
		build_module "$tree"
		mkdir -p "$module/notes"
		find "$tree/drivers/accel/rondo/driver" -name '*.gcno' -exec cp -t "$module/notes" {} +
		cp "$tree/drivers/accel/rondo/rondo.ko" "$module/rondo.new"
		mv "$module/rondo.new" "$module/rondo.ko"
		keep_newest 8 "$DIR"/module-*
	fi
fi
touch "$module"
echo "KERNEL_VERSION=$(cat "$tree/include/config/kernel.release")"
echo "KERNEL_ROOT=$tree/root"
echo "MODULE=$module/rondo.ko"
