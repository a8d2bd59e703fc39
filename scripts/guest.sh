#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Boots a guest with the Rondo device, runs something in it, and exits with its status.
#
#   guest.sh [OPTION]... SCRIPT [-- QEMU_ARGUMENT...]
#     SCRIPT          host file that becomes /run in the guest; absent: a shell on the terminal
#   -c COMMAND        run this line of shell instead of a script
#   -f FILE[:PATH]    put a host file into the guest (default /bin/NAME; NAME.ko is a module)
#   -a                put the build's rondo.ko, firmware and rondo command into the guest
#   -d DEVICE         argument of -device (default "rondo,id=rondo"; "none" for no device)
#   -o FILE           what the guest writes to /dev/result is stored here
#   -t SECONDS        wall clock limit, for a guest that hangs (default 1000; none for a shell)
#   -s CPUS           virtual CPUs (default 2)
#   -k KERNEL         "debug" boots the debug kernel (scripts/debug-kernel.sh), "current" a newer one
#                     (kernel.sh current); -a is the rondo.ko for it
#   -p WORDS          more words for the kernel's command line
#   -m                a thread of the host for each virtual CPU. Not the default: QEMU 7.2
#                     then now and then runs code that the kernel is just patching (an int3 Oops)
# V=1 in the environment shows the kernel's log as it comes.
#
# Whatever the guest's kernel logs at warning level or above fails the run (status 125),
# unless tests/guest/dmesg.allow lists it or the script announced it with `expect REGEX`.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

usage() { sed -n '3,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

files=() device=rondo,id=rondo result=$work/result limit=1000 cpus=2 thread=single shell=
kernel=(kernel.sh) MODULE=$TOP/build/module/rondo.ko parts='' words=''
while getopts ac:f:d:o:t:s:k:p:m option; do
	case $option in
	c) printf '#!/bin/sh\n%s\n' "$OPTARG" >"$work/run" ;;
	a) parts=1 ;;
	f) files+=("$OPTARG") ;;
	d) device=$OPTARG ;;
	o) result=$OPTARG ;;
	t) limit=$OPTARG ;;
	s) cpus=$OPTARG ;;
	k)
		case $OPTARG in
		debug) kernel=(debug-kernel.sh) ;;
		current) kernel=(kernel.sh current) MODULE=$TOP/build/module-current/rondo.ko ;;
		*) usage ;;
		esac
		;;
	p) words=$OPTARG ;;
	m) thread=multi ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
if [ ! -e "$work/run" ] && [[ ${1:--} != -* ]]; then
	[ -r "$1" ] || die "cannot read the script $1"
	cp "$1" "$work/run"
	shift
fi
[ "${1:-}" != -- ] || shift
if [ -e "$work/run" ]; then chmod 755 "$work/run"; else shell=1; fi

need timeout
eval "$("$TOP/scripts/${kernel[0]}" "${kernel[@]:1}")"
export KERNEL_VERSION KERNEL_ROOT
qemu=$("$TOP/scripts/qemu.sh")
[ -z "$parts" ] || files+=("$MODULE" "$TOP/build/release/tools/rondo"
	"$TOP/build/release/firmware/rondo.fw:/lib/firmware/rondo/rondo.fw")

items=()
for item in "${files[@]}"; do
	case $item in
	*:*) items+=("$item") ;;
	*) items+=("$item:/bin/${item##*/}") ;;
	esac
done
[ -n "$shell" ] || items+=("$work/run:/run")
"$TOP/scripts/initramfs.sh" "$work/initramfs" "${items[@]}"

# On a busy host the kernel's test of the timer fails, QEMU 7.2's cmpxchg16b now and then destroys the
# flags, and a virtual CPU may stand still for half a minute, which is no fault of the guest's.
append="console=ttyS1 loglevel=5 printk.devkmsg=on panic=-1 mitigations=off no_timer_check"
append+=" rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60"
# A quarter of a boot, and no business of ours: tests of ciphers, keys that nobody uses.
append+=" cryptomgr.notests"
append+=" initcall_blacklist=crypto_kdf108_init,init_encrypted,jent_mod_init,load_system_certificate_list"
append+=" oops=panic" # what hangs after an oops would be waited for
append+=" $words"
args=(-M q35 -cpu "max,-cx16" -smp "$cpus" -m 1G -accel "tcg,thread=$thread"
	-L /usr/share/seabios -L /usr/share/qemu -nodefaults -nic none -display none -no-reboot
	-kernel "${KERNEL_IMAGE:-$KERNEL_ROOT/boot/vmlinuz-$KERNEL_VERSION}" -initrd "$work/initramfs"
	-serial "${shell:+mon:}stdio" -serial "file:$work/klog" -serial "file:$result"
	-chardev "socket,id=monitor,path=$work/monitor,server=on,wait=off" -mon "monitor,mode=control"
	-serial "unix:$work/monitor")
[ "$device" = none ] || args+=(-device "$device")
[ -z "${V:-}" ] || append+=" GUEST_VERBOSE=1"

if [ -n "$shell" ]; then
	say "a shell in the guest; leave with exit or Ctrl-A x"
	"$qemu" "${args[@]}" -append "$append GUEST_SHELL=1 TERM=${TERM:-linux}" "$@" || true
	exit
fi

status=0
timeout --foreground -k 5 "$limit" "$qemu" "${args[@]}" -append "$append" "$@" </dev/null || status=$?
touch "$work/klog"
exit_line=$(tr -d '\r' <"$work/klog" | grep -o 'guest: exit [0-9]*$' | tail -n 1 || true)
clean=0
awk -v allow="$TOP/tests/guest/dmesg.allow" -f "$TOP/tests/guest/klog.awk" "$work/klog" || clean=1

if [ "$status" = 124 ]; then
	die "the guest was stopped after $limit seconds (limit set by -t)"
elif [ "$status" != 0 ]; then
	die "QEMU failed with status $status"
elif [ -z "$exit_line" ]; then
	die "the guest died before its script ended; its last words are above"
fi
status=${exit_line##* }
[ "$clean" = 0 ] || [ "$status" != 0 ] || status=125
exit "$status"
