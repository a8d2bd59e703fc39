#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Prints the directory of npm's ONNX Runtime, which is fetched once; with "library", the path of its shared
# library. Exit status 1, with the reason, if it cannot be had.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

version=1.30.0
runtime=$CACHE/onnxruntime-$version

fetch()
{
	command -v npm >/dev/null || die "npm is not installed: no ONNX Runtime"
	(
		lock onnxruntime
		[ ! -e "$runtime" ] || exit 0
		rm -rf "$runtime.part"
		mkdir -p "$runtime.part"
		cd "$runtime.part"
		# Its own script would download libraries that the CPU does not need.
		logged onnxruntime npm install "onnxruntime-node@$version" --ignore-scripts --no-audit --no-fund
		mv "$runtime.part" "$runtime"
	)
}

[ -e "$runtime" ] || fetch
if [ "${1:-}" != library ]; then
	echo "$runtime"
	exit
fi
case $(uname -m) in
x86_64) machine=x64 ;;
aarch64) machine=arm64 ;;
*) die "npm has no ONNX Runtime for $(uname -m)" ;;
esac
ls "$runtime"/node_modules/onnxruntime-node/bin/napi-v*/linux/$machine/libonnxruntime.so.1
