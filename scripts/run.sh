#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Runs a model through /dev/accel/accel0 in a guest: run.sh MODEL [NAME=]INPUT...
#
# The host compiles the model and runs it in the in-process emulator; the guest runs the
# same program through the driver. Exit status 1 if one bit of their results differs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
rondo=build/release/tools/rondo
work=build/run
model=$1
shift

rm -rf $work
mkdir -p $work/emu $work/guest
$rondo compile "$model" -o $work/model.rnd

# The same inputs as arguments on the host and, under other paths, in the guest.
host=() guest='' files=()
for input; do
	name='' file=$input
	case $input in *=*) name=${input%%=*}= file=${input#*=} ;; esac
	host+=(--input "$input")
	guest+=" --input $name/data/$(basename "$file")"
	files+=(-f "$file:/data/$(basename "$file")")
done

$rondo run $work/model.rnd "${host[@]}" --device emu --output-dir $work/emu >$work/emu.log
scripts/guest.sh -a -o $work/guest.tar -f $work/model.rnd:/data/model.rnd "${files[@]}" -c "
	set -e
	modprobe rondo
	rondo run /data/model.rnd $guest --device /dev/accel/accel0 --output-dir /tmp/out
	tar -C /tmp/out -cf /dev/result ."
tar -C $work/guest -xf $work/guest.tar

if diff -r $work/emu $work/guest; then
	echo "result equals the in-process emulator's bit for bit: yes"
else
	echo "result equals the in-process emulator's bit for bit: NO"
	exit 1
fi
