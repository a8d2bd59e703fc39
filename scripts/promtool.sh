#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Prints where promtool is, which reads metrics as Prometheus does. The first time it is taken out of
# the distribution's package into the cache: who installs that package gets a server that runs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

promtool=$CACHE/promtool
lock promtool
if [ ! -x "$promtool" ]; then
	dir=$(mktemp -d "$CACHE/promtool-XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	cd "$dir"
	"$TOP/scripts/apt.sh" update
	say "downloading promtool (20 MB)"
	fetched promtool-fetch "$TOP/scripts/apt.sh" get download prometheus
	dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool
	chmod +x promtool
	mv promtool "$promtool"
fi
echo "$promtool"
