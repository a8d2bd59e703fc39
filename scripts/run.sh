#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Runs a model through /dev/accel/accel0 in a guest: run.sh [check]. From the environment: MODEL is its
# file, INPUT a list of [NAME=]FILE, in which names with spaces are quoted as in a shell; if it is
# empty, the demo's digits are the input. OPTIONS are options of rondo run, quoted in the same way.
#
# The host compiles the model and runs it in the in-process emulator; the guest runs the
# same program through the driver. Exit status 1 if one bit of their results differs. "check" only
# looks whether the files are there, which needs nothing that is built.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
rondo=build/release/tools/rondo
work=build/run
model=${MODEL:?run.sh needs MODEL}
list=${INPUT:-}
if [ -z "$list" ]; then
	inputs=(demo/samples/*.npy)
elif [ -e "${list#*=}" ]; then # one file, perhaps with spaces
	inputs=("$list")
else
	mapfile -t inputs < <(xargs -r -n 1 printf '%s\n' <<<"$list")
fi
mapfile -t options < <(xargs -r -n 1 printf '%s\n' <<<"${OPTIONS:-}")
# Those that say how to compile are no options of running what is compiled.
compiling=() running=() labels=
for ((i = 0; i < ${#options[@]}; i++)); do
	case ${options[i]} in
	--machine | --bake | --dim | --shape | --precision) compiling+=("${options[@]:i++:2}") ;;
	--machine=* | --bake=* | --dim=* | --shape=* | --precision=* | --allow-host) compiling+=("${options[i]}") ;;
	--labels) labels=${options[i + 1]:-} ;;&
	--labels=*) labels=${options[i]#*=} ;;&
	*) running+=("${options[i]}") ;;
	esac
done

# file_of INPUT: FILE of [NAME=]FILE.
file_of() { case $1 in *=*) echo "${1#*=}" ;; *) echo "$1" ;; esac; }

[ -r "$model" ] || die "cannot read the model $model"
for input in "${inputs[@]}"; do
	file=$(file_of "$input")
	[ -r "$file" ] || die "cannot read the input $file"
done
[ -z "$labels" ] || [ -r "$labels" ] || die "cannot read the labels $labels"
[ "${1:-}" != check ] || exit 0

rm -rf $work
mkdir -p $work/emulator $work/guest
say "compiling $model"
start=$EPOCHREALTIME
$rondo compile "$model" "${compiling[@]}" -o $work/model.rnd >/dev/null
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", (b - a) * 1e3 }')

# In the guest all files are below /data as they are here below /, so that they have the same relative
# names; absolute ones become links. Nothing is called there other than what the user calls it.
files=() links='' arguments=''
# place FILE NAME: puts FILE into the guest, where it is called NAME.
place()
{
	local path
	path=$(realpath -ms "$2")
	files+=(-f "$1:/data$path")
	[[ $2 != /* ]] ||
		links+=$(printf 'mkdir -p %q && ln -sf %q %q || exit; ' "$(dirname "$2")" "/data$path" "$2")
}
place $work/model.rnd "$model"
for input in "${inputs[@]}"; do
	file=$(file_of "$input")
	place "$file" "$file"
	arguments+=$(printf ' %q' "$input")
done
[ -z "$labels" ] || place "$labels" "$labels"
[ ${#running[@]} = 0 ] || arguments+=$(printf ' %q' "${running[@]}")

say "running it in the in-process emulator"
if ! $rondo run "$work/model.rnd" "${inputs[@]}" "${running[@]}" --device emu --no-pictures \
	--output-dir $work/emulator >$work/emulator.log; then
	[ -n "$list" ] || say "without INPUT, the demo's digits are the input; this model takes, as" \
		"INPUT=FILE or INPUT='NAME=FILE...'," "$($rondo info $work/model.rnd | sed -n 's/, slot .*//; s/^input *//p')"
	exit 1
fi
for file in "$work"/emulator/*; do
	files+=(-f "$file:/data$TOP/emulator/$(basename "$file")")
done

say "booting the guest"
term=dumb
[ ! -t 1 ] || term=${TERM:-dumb}
scripts/guest.sh -a -o $work/guest.tar "${files[@]}" -c "
	modprobe rondo || exit
	$links
	cd $(printf %q "/data$TOP") || exit
	TERM=$term LC_ALL=${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} NO_COLOR=${NO_COLOR:-} \
		rondo run $(printf %q "$model")$arguments --device /dev/accel/accel0 \
		--compile-time $took --expect emulator --output-dir /tmp/out
	status=\$?
	tar -C /tmp/out -cf /dev/result .
	exit \$status"
tar -C $work/guest -xmf $work/guest.tar

# The guest has compared already; what came back over the wire must say the same.
diff -r $work/emulator $work/guest >&2 || die "the guest's results differ from the emulator's"
