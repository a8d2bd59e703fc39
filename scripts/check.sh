#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds everything and runs all tests: host tests with sanitizers, guest tests beside the
# release build. The last line is "N passed, N failed, N skipped" over all of them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$TOP"
logs=(build/asan/meson-logs/testlog.json build/release/meson-logs/testlog.json)
rm -f "${logs[@]}"
if ! make --no-print-directory all; then
	echo "the build failed"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
status=0
meson test -C build/asan --no-rebuild --timeout-multiplier 4 --print-errorlogs || status=1
meson test -C build/release --no-rebuild --timeout-multiplier 4 --print-errorlogs --suite guest || status=1
python3 scripts/summary.py "${logs[@]}" || status=1
exit $status
