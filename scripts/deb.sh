#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds the Debian packages into build/deb: deb.sh. They are left alone if they are of the same source.
#
# What dpkg-buildpackage wants to see at the top of a source, and what it writes there, is not in ours:
# a copy of what is built is made, without the tests, with packaging/debian at its top as debian/,
# whose changelog has the version of VERSION, and whose symbols are those of the libraries' version
# scripts.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
LOGS=$TOP/build/log
mkdir -p build/deb "$LOGS"
lock deb build
need git dpkg-buildpackage dh dh_dkms
version=$(cat VERSION)
tree=build/deb/rondo-$version
maintainer="${DEBFULLNAME:-Rondo contributors} <${DEBEMAIL:-rondo@example.org}>"

mapfile -d '' -t files < <(git ls-files -zco --exclude-standard -- \
	':!tests' ':!packaging' ':!deploy' ':!docs/howto' ':!docs/tutorial')
mapfile -d '' -t packaging < <(git ls-files -zco --exclude-standard -- packaging)
sources=$(hash_text "$maintainer" "$(hash_of "${files[@]}" "${packaging[@]}" scripts/deb.sh)")
if [ "$(cat build/deb/sources 2>/dev/null)" = "$sources" ]; then
	exit 0
fi

# A library's symbols: symbols PACKAGE LIBRARY MAP. All are of this version: none has been released yet.
symbols()
{
	echo "$2 $1 #MINVER#"
	awk -v version="$version" '
		/^LIB.*\{$/ { node = $1; print " " node "@" node, version }
		/^\t[a-z_]+;$/ { sub(/;/, ""); print " " $1 "@" node, version }' "$3"
}

rm -rf build/deb
mkdir -p "$tree"
tar --null -T <(printf '%s\0' "${files[@]}") -c | tar -C "$tree" -x
cp -r packaging/debian "$tree"
cat >"$tree/debian/changelog" <<EOF
rondo ($version) unstable; urgency=medium

  * What has changed is in the source's log of commits.

 -- $maintainer  $(git log -1 --format=%aD -- VERSION)
EOF
sed -i "s/^Maintainer: .*/Maintainer: $maintainer/" "$tree/debian/control"
symbols librondo-accel1 libaccel.so.1 userspace/libaccel/accel.map >"$tree/debian/librondo-accel1.symbols"
symbols librondo-compile1 librondo-compile.so.1 compiler/rondo_compile.map \
	>"$tree/debian/librondo-compile1.symbols"

# What was compiled before is not again, where there is ccache; debhelper hides the home it is in.
if command -v ccache >/dev/null; then
	CCACHE_DIR=${CCACHE_DIR:-$(ccache --get-config cache_dir)}
	export CCACHE_DIR
fi
DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:+$DEB_BUILD_OPTIONS }parallel=$(nproc) nocheck"
export DEB_BUILD_OPTIONS
# dpkg's own programs speak the language of the host.
export LC_ALL=C.UTF-8
say "building the packages of Rondo $version"
cd "$tree"
logged deb dpkg-buildpackage -us -uc -b
cd "$TOP"
rm -rf "$tree"
echo "$sources" >build/deb/sources
