#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds rondo.ko for the guest's kernel in build/module and prints its path; words are given to
# Kbuild as they are (C=2). With -k current it is for the kernel of `kernel.sh current`, in
# build/module-current. Kbuild writes its objects beside the sources, so it sees a tree of
# links to them. What it was made from is noted, so nothing changed means no work.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Kbuild takes a path with a space for two.
for path in "$TOP" "$CACHE"; do
	[[ $path != *[[:space:]]* ]] ||
		die "the kernel module cannot be built where a path has spaces: move $path"
done

OUT=$TOP/build/module kernel=() words=()
if [ "${1:-}" = -k ]; then
	kernel=("$2")
	OUT+=-$2
	words=(CONFIG_DEBUG_INFO_BTF_MODULES=) # it takes a newer pahole
	shift 2
fi
PARTS=(Kbuild Kconfig VERSION driver core spec uapi)

eval "$("$TOP/scripts/kernel.sh" "${kernel[@]}")"
need make gcc pahole
headers=$KERNEL_ROOT/usr/src/linux-headers-$KERNEL_VERSION
common=${headers%-amd64}-common

cd "$TOP"
mkdir -p "$OUT"
lock "$(basename "$OUT")" build
mapfile -t files < <(find "${PARTS[@]}" -type f | LC_ALL=C sort)
key=$(hash_text "$KERNEL_VERSION" "$*" "$(hash_of scripts/module.sh "${files[@]}")")
if [ -e "$OUT/rondo.ko" ] && [ "$(cat "$OUT/key" 2>/dev/null)" = "$key" ]; then
	echo "$OUT/rondo.ko"
	exit
fi
rm -f "$OUT/key"
cp -rsf "${PARTS[@]/#/$TOP/}" "$OUT"
find "$OUT" -xtype l -delete

# The host's compiler may be older than the kernel's: what it lacks of that, in its own words.
cat >"$OUT/cc" <<'EOF'
#!/bin/bash
exec $(command -v ccache) gcc "${@/#-fmin-function-alignment=/-falign-functions=}"
EOF
chmod 755 "$OUT/cc"

log=$OUT.log
objects=$((1 + $(grep -c '\.o \\$' Kbuild) + $(find core -name '*.c' | wc -l))) # and what modpost adds
make -C "$headers" -f "$common/Makefile" O="$headers" CC="$OUT/cc" M="$OUT" W=1 "${words[@]}" "$@" modules 2>&1 | tee "$log" |
	awk -v all=$objects '/^  CC/ && n < all { print 100 * ++n / all; fflush() }' | share module-build || {
	grep -vE '^(make|  (CC|LD|AR|MODPOST|BTF))' "$log" >&2
	die "the kernel module does not build; the whole log is $log"
}
grep -A 6 -E '^[^ ]+: warning:|^WARNING' "$log" >&2 && die "the kernel module builds with warnings"
echo "$key" >"$OUT/key"
echo "$OUT/rondo.ko"
