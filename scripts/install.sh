#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Installs the host packages of packages.txt that are missing; at once when none is: install.sh [all]. Those
# behind its line "# all" only if that is asked for.
# An ordinary user gets the one line to run as root, and exit status 1.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

command -v apt-get >/dev/null || die "no apt-get: this needs Debian 12 or a derivative"

wanted=$(awk -v all="${1:-}" '/^# all:/ && all == "" { exit } !/^#/ { print $1 }' "$TOP/scripts/packages.txt")
# shellcheck disable=SC2086
present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
	awk '$2 == "installed" { print $1 }' || true)
# A command that is there in another way, as npm often is, is not installed over it.
missing=$(comm -23 <(sort <<<"$wanted") <(sort <<<"$present") |
	while read -r name; do command -v "$name" >/dev/null || echo "$name"; done | xargs)
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends $missing"
if [ "$(id -u)" != 0 ]; then
	say "these packages are missing; install them as root with"
	echo "  sudo apt-get update && sudo $line" >&2
	exit 1
fi

say "installing with the distribution's package manager: $missing"
export DEBIAN_FRONTEND=noninteractive
fetched apt-update apt-get update
# shellcheck disable=SC2086
fetched apt-install $line
