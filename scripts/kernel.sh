#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Fetches the guest's kernel and its headers into the cache and prints shell assignments:
#   KERNEL_VERSION  as in `uname -r`
#   KERNEL_ROOT     where the packages are unpacked: boot/, lib/modules/, usr/src/
#   KERNEL_IMAGE    what QEMU boots
# `kernel.sh source` also fetches what only the full source has (for tests and style) and
# prints KERNEL_SOURCE, a directory with kselftest_harness.h, kselftest.h and
# checkpatch.pl with its tables.
#
# `kernel.sh dkms` also fetches what a test of DKMS needs, and prints
#   DKMS_ROOT, OLD_VERSION   where DKMS and the headers of a kernel without accelerators are unpacked,
#                            and that kernel
#
# `kernel.sh current` prints the first two for the newest kernel of trixie's backports instead: the
# driver has to build for it and to work there, too. The programs of its headers were linked to a
# newer C library, which is fetched with them.
#
# The newest kernel in the cache is used for ever; delete the cache's kernel/ for a newer.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

SERIES='6\.12'
DIR=$CACHE/kernel
SOURCE_FILES=(tools/testing/selftests/kselftest_harness.h tools/testing/selftests/kselftest.h
	scripts/checkpatch.pl scripts/spelling.txt scripts/const_structs.checkpatch)

CURRENT=$CACHE/kernel-current

newest() { find "${1:-$DIR}" -maxdepth 1 -name '[0-9]*' -printf '%f\n' | sort -V | tail -n 1; }

# fetch INTO [-s SUITE] PACKAGE...: downloads into the current directory and unpacks.
fetch()
{
	local into=$1 deb suite=()
	shift
	[ "$1" != -s ] || { suite=(-s "$2"); shift 2; }
	fetched kernel-fetch "$TOP/scripts/apt.sh" "${suite[@]}" get download "$@"
	for deb in *.deb; do
		logged kernel-unpack dpkg -x "$deb" "$into"
		rm "$deb"
	done
}

fetch_kernel()
{
	local version dir=$DIR/fetch
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	"$TOP/scripts/apt.sh" update
	version=$("$TOP/scripts/apt.sh" search \
		"^linux-image-$SERIES\\.[0-9]+\\+deb12-amd64-unsigned\$" |
		sed 's/^linux-image-//; s/-amd64-unsigned .*//' | sort -V | tail -n 1)
	[ -n "$version" ] || die "the security archive has no kernel $SERIES for bookworm;" \
		"set RONDO_SECURITY to one that has"
	say "downloading the guest's kernel $version (125 MB)"
	fetch root "linux-image-$version-amd64-unsigned" "linux-headers-$version-amd64" \
		"linux-headers-$version-common" "linux-kbuild-$version"
	mv root "$DIR/$version-amd64"
	cd "$TOP"
	rm -rf "$dir"
}

# Prints the kernel $1 out of the image that unpacks itself, for which an emulated processor takes a
# second: QEMU boots it as it is. Without zstd, or if it is packed otherwise, the image has to do.
unpacked()
{
	local boot=$DIR/$1/boot image vmlinux sectors offset bytes
	image=$boot/vmlinuz-$1 vmlinux=$boot/vmlinux-$1
	if [ ! -e "$vmlinux" ]; then
		# setup_sects, payload_offset and payload_length of the kernel's boot protocol; the last four
		# bytes of the payload are its size.
		sectors=$(od -A n -t u1 -j $((0x1f1)) -N 1 "$image")
		offset=$(od -A n -t u4 -j $((0x248)) -N 4 "$image")
		bytes=$(od -A n -t u4 -j $((0x24c)) -N 4 "$image")
		if dd if="$image" iflag=skip_bytes,count_bytes bs=1M status=none \
			skip=$((512 * (sectors + 1) + offset)) count=$((bytes - 4)) 2>/dev/null |
			zstd -dqc >"$vmlinux.$$" 2>/dev/null; then
			mv "$vmlinux.$$" "$vmlinux"
		else
			rm "$vmlinux.$$"
		fi
	fi
	[ ! -e "$vmlinux" ] || image=$vmlinux
	echo "$image"
}

# Takes a few files out of the source package; the 150 MB archive is not kept.
fetch_source()
{
	local package=linux-source-${SERIES/\\/} dir=$DIR/fetch archive
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	"$TOP/scripts/apt.sh" update
	say "downloading $package (150 MB) for $(basename -a "${SOURCE_FILES[@]}" | xargs)"
	fetch root "$package"
	archive=$(echo root/usr/src/*.tar.xz)
	mkdir source
	logged kernel-source tar -C source --strip-components 1 --wildcards -xf "$archive" \
		"${SOURCE_FILES[@]/#/*/}"
	mv source "$DIR/source"
	cd "$TOP"
	rm -rf "$dir"
}

fetch_dkms()
{
	local version dir=$DIR/fetch
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	"$TOP/scripts/apt.sh" update
	version=$("$TOP/scripts/apt.sh" search '^linux-headers-6\.1\.[0-9]+-[0-9]+-amd64$' |
		sed 's/^linux-headers-//; s/-amd64 .*//' | sort -V | tail -n 1)
	[ -n "$version" ] || die "the archive has no headers of a kernel 6.1 for bookworm"
	say "downloading DKMS and the headers of the kernel $version (13 MB)"
	fetch root dkms "linux-headers-$version-amd64" "linux-headers-$version-common" linux-kbuild-6.1
	mv root "$DIR/dkms"
	cd "$TOP"
	rm -rf "$dir"
}

# Has the headers' programs in $1, which will be $2, run with the C library beside them.
with_libraries()
{
	local libraries=$2/libraries/usr/lib/x86_64-linux-gnu program final
	find "$1/usr/lib" -type f -perm -100 | while read -r program; do
		[ "$(head -c 4 "$program" | tail -c 3)" = ELF ] || continue
		final=$2${program#"$1"}
		mv "$program" "$program.elf"
		cat >"$program" <<-EOF
			#!/bin/sh
			exec $libraries/ld-linux-x86-64.so.2 --library-path $libraries --argv0 $final $final.elf "\$@"
		EOF
		chmod 755 "$program"
	done
}

fetch_current()
{
	local version dir=$CURRENT/fetch
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir"
	"$TOP/scripts/apt.sh" -s trixie update
	version=$("$TOP/scripts/apt.sh" -s trixie search '^linux-binary-unsigned-[0-9.]+\+deb13-amd64$' |
		sed 's/^linux-binary-unsigned-//; s/-amd64 .*//' | sort -V | tail -n 1)
	[ -n "$version" ] || die "the backports of trixie have no kernel"
	say "downloading the kernel $version (140 MB)"
	fetch root -s trixie "linux-binary-unsigned-$version-amd64" "linux-modules-$version-amd64" \
		"linux-headers-$version-amd64" "linux-headers-$version-common" "linux-kbuild-$version"
	fetch libraries -s trixie libc6 libelf1t64 libssl3t64 libzstd1 zlib1g
	mv libraries root
	mkdir root/boot
	mv "root/usr/lib/modules/$version-amd64/vmlinuz.unsigned" "root/boot/vmlinuz-$version-amd64"
	ln -s usr/lib root/lib
	with_libraries root "$CURRENT/$version-amd64"
	mv root "$CURRENT/$version-amd64"
	cd "$TOP"
	rm -rf "$dir"
}

if [ "${1:-}" = current ]; then
	mkdir -p "$CURRENT"
	if [ -z "$(newest "$CURRENT")" ]; then
		need apt-get dpkg
		lock kernel-current
		[ -n "$(newest "$CURRENT")" ] || fetch_current
	fi
	echo "KERNEL_VERSION=$(newest "$CURRENT")"
	echo "KERNEL_ROOT=$CURRENT/$(newest "$CURRENT")"
	exit
fi

mkdir -p "$DIR"
version=$(newest)
if [ -z "$version" ]; then
	need apt-get dpkg
	lock kernel
	[ -n "$(newest)" ] || fetch_kernel
	version=$(newest)
fi
echo "KERNEL_VERSION=$version"
echo "KERNEL_ROOT=$DIR/$version"
echo "KERNEL_IMAGE=$(unpacked "$version")"
if [ "${1:-}" = source ]; then
	if [ ! -d "$DIR/source" ]; then
		need apt-get dpkg tar xz
		lock kernel
		[ -d "$DIR/source" ] || fetch_source
	fi
	echo "KERNEL_SOURCE=$DIR/source"
fi
if [ "${1:-}" = dkms ]; then
	if [ ! -d "$DIR/dkms" ]; then
		need apt-get dpkg
		lock kernel
		[ -d "$DIR/dkms" ] || fetch_dkms
	fi
	echo "DKMS_ROOT=$DIR/dkms"
	echo "OLD_VERSION=$(cd "$DIR/dkms/usr/src" && echo linux-headers-*-amd64 | sed 's/linux-headers-//')"
fi
