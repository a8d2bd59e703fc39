#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Writes the guest's initramfs: initramfs.sh OUT [FILE:PATH_IN_GUEST]...
#
# A base archive (busybox, kernel modules, init) is cached by what it is made from; the
# given files follow in an archive of their own. A file ending in .ko becomes a module
# that modprobe knows. KERNEL_VERSION and KERNEL_ROOT, as kernel.sh prints them, may come from the
# environment. Nothing here needs root.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Whatever the user's mask, the guest's users may look at what is root's.
umask 022

# What rondo.ko depends on, and another source of dma-bufs to import.
MODULES=(drm drm_shmem_helper drm_exec gpu-sched vgem)
PATH=$PATH:/sbin:/usr/sbin

# archive DIR: the directory as a newc archive owned by root.
archive() { (cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet); }

# The kernel's modules with their dependencies, uncompressed, into $1.
add_modules()
{
	local modules=$KERNEL_ROOT/lib/modules/$KERNEL_VERSION name path
	[ -e "$modules/modules.dep" ] || logged depmod depmod -b "$KERNEL_ROOT" "$KERNEL_VERSION"
	for name in "${MODULES[@]}"; do
		modprobe -d "$KERNEL_ROOT" -S "$KERNEL_VERSION" --show-depends "$name" |
			awk '$1 == "insmod" { print $2 }'
	done | sort -u | while read -r path; do
		name=$1/lib/modules/$KERNEL_VERSION/${path#"$modules/"}
		mkdir -p "$(dirname "$name")"
		case $path in
		*.xz) xz -dc "$path" >"${name%.xz}" ;;
		*) cp "$path" "$name" ;;
		esac
	done
}

make_base()
{
	local dir=$1 applet
	mkdir -p "$dir"/{bin,dev,etc,lib/firmware,proc,root,sys,tmp}
	chmod 1777 "$dir/tmp"
	ln -s bin "$dir/sbin"
	install "$BUSYBOX" "$dir/bin/busybox"
	for applet in $("$BUSYBOX" --list | grep -vx busybox); do
		ln -s busybox "$dir/bin/$applet"
	done
	install "$TOP/tests/guest/init" "$dir/init"
	install "$TOP/tests/guest/expect" "$TOP/tests/guest/monitor" "$dir/bin"
	printf '%s\n' root:x:0:0::/root:/bin/sh user:x:1000:1000::/tmp:/bin/sh >"$dir/etc/passwd"
	printf '%s\n' root:x:0: render:x:105: user:x:1000: >"$dir/etc/group"
	add_modules "$dir"
}

# add_file DIR FILE:PATH
add_file()
{
	local file=${2%:*} path=${2##*:}
	[ -r "$file" ] || die "cannot read $file"
	[[ $path != *.ko ]] || path=/lib/modules/$KERNEL_VERSION/extra/${path##*/}
	path=$1/$path
	[ -d "${path%/*}" ] || mkdir -p "${path%/*}"
	cp --preserve=mode "$file" "$path"
	[ ! -x "$file" ] || executables+=("$file")
}

# add_libraries DIR FILE...: the shared libraries that any of them needs.
add_libraries()
{
	local library
	{ ldd "${@:2}" 2>/dev/null || true; } | sed -n 's|^\t\(.* => \)\?\(/[^ ]*\) (.*|\2|p' | sort -u |
		while read -r library; do
			case $library in
			/lib64/*) install -D "$library" "$1$library" ;;
			*) install -D -t "$1/lib" "$library" ;;
			esac
		done
}

need busybox cpio xz depmod modprobe
[ -n "${KERNEL_ROOT:-}" ] || eval "$("$TOP/scripts/kernel.sh")"
BUSYBOX=$(command -v busybox)
out=$1
shift

key=$(hash_text "$KERNEL_ROOT" "${MODULES[@]}" "$(declare -f make_base add_modules)" \
	"$(hash_of "$BUSYBOX" "$TOP"/tests/guest/{init,expect,monitor})")
base=$CACHE/initramfs/$key
build_base()
{
	rm -rf "$base"
	make_base "$base/root"
	archive "$base/root" >"$base/base.new"
	mv "$base/base.new" "$base/base.cpio"
	keep_newest 8 "$CACHE"/initramfs/*
}
if [ ! -e "$base/base.cpio" ]; then
	lock initramfs
	[ -e "$base/base.cpio" ] || build_base
	exec 9>&-
fi
touch "$base"

own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
chmod 755 "$own"
mkdir -p "$own/lib"
cp -r "$base/root/lib/modules" "$own/lib"
executables=()
for item; do
	add_file "$own" "$item"
done
[ ${#executables[@]} = 0 ] || add_libraries "$own" "${executables[@]}"
depmod -b "$own" "$KERNEL_VERSION" 2>/dev/null
rm -r "$own/lib/modules/$KERNEL_VERSION/kernel"
{ cat "$base/base.cpio"; archive "$own"; } >"$out"
