# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
# A layer over this host, to be thrown away: sourced by tests that install into the system.

# own_mounts DIRECTORY: sets UNSHARE to what gives a command mounts of its own, if that is allowed here.
own_mounts()
{
	UNSHARE=(unshare --mount)
	[ "$(id -u)" = 0 ] || UNSHARE+=(--map-root-user)
	"${UNSHARE[@]}" mount -t tmpfs none "$1" 2>/dev/null
}

# layer DIRECTORY: makes DIRECTORY/root a chroot of this host, what is written to which is below
# DIRECTORY/up. In mounts of our own, which end with it.
layer()
{
	mount -t tmpfs none "$1"
	mkdir "$1/up" "$1/work" "$1/root"
	mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
	mount --rbind /proc "$1/root/proc"
	mount --rbind /dev "$1/root/dev"
}
