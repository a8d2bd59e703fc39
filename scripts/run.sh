#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Runs a model through /dev/accel/accel0 in a guest. From the environment: MODEL is its file, INPUT a
# list of [NAME=]FILE, in which names with spaces are quoted as in a shell.
#
# The host compiles the model and runs it in the in-process emulator; the guest runs the
# same program through the driver. Exit status 1 if one bit of their results differs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
rondo=build/release/tools/rondo
work=build/run
model=${MODEL:?run.sh needs MODEL}
list=${INPUT:-}
if [ -e "${list#*=}" ]; then # one file, perhaps with spaces
	inputs=("$list")
else
	mapfile -t inputs < <(xargs -r -n 1 printf '%s\n' <<<"$list")
fi

rm -rf $work
mkdir -p $work/emulator $work/guest
[ -r "$model" ] || die "cannot read the model $model"
say "compiling $model"
start=$EPOCHREALTIME
$rondo compile "$model" -o $work/model.rnd >/dev/null
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", (b - a) * 1e3 }')

# The same inputs in the guest: under their own path where that can be, so that they are
# called there what they are called here.
host=() guest='' files=()
for input in "${inputs[@]}"; do
	name='' file=$input
	case $input in *=*) name=${input%%=*}= file=${input#*=} ;; esac
	[ -r "$file" ] || die "cannot read the input $file"
	case $file in
	/* | *..*) path=input/${#host[@]}/$(basename "$file") ;;
	*) path=$file ;;
	esac
	host+=("$name$file")
	guest+=$(printf ' %q' "$name$path")
	files+=(-f "$file:/data/$path")
done

say "running it in the in-process emulator"
$rondo run $work/model.rnd "${host[@]}" --device emu --no-pictures \
	--output-dir $work/emulator >$work/emulator.log
for file in "$work"/emulator/*; do
	files+=(-f "$file:/data/emulator/$(basename "$file")")
done

say "booting the guest"
term=dumb
[ ! -t 1 ] || term=${TERM:-dumb}
scripts/guest.sh -a -o $work/guest.tar -f $work/model.rnd:/data/model.rnd "${files[@]}" -c "
	modprobe rondo || exit
	cd /data
	TERM=$term LC_ALL=${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} NO_COLOR=${NO_COLOR:-} \
		rondo run model.rnd$guest --device /dev/accel/accel0 \
		--compile-time $took --expect emulator --output-dir /tmp/out
	status=\$?
	tar -C /tmp/out -cf /dev/result .
	exit \$status"
tar -C $work/guest -xmf $work/guest.tar

# The guest has compared already; what came back over the wire must say the same.
diff -r $work/emulator $work/guest >&2 || die "the guest's results differ from the emulator's"
