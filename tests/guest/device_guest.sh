#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Runs in the guest and prints TAP: the PCI function without a driver, seen through its BARs
# by devmem, and its properties, set in QEMU's monitor. The device is plugged in here.
count=0 failures=0

check() # NAME GOT EXPECTED
{
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count $1"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $count $1"
	echo "# got '$2', expected '$3'"
}

# The device's directory in sysfs, when there is one.
find_device()
{
	for d in /sys/bus/pci/devices/*; do
		[ "$(cat "$d/vendor"):$(cat "$d/device")" != 0x1b36:0x0f0d ] || echo "$d"
	done
}

# Waits until find_device finds $1 (0 or 1) devices; for ever, if it does not.
await_devices()
{
	until [ "$(find_device | wc -l)" = "$1" ]; do
		usleep 50000
	done
}

bar() { sed -n "$(($1 + 1))p" "$device/resource" | cut -d' ' -f1; }
reg() { devmem $(($(bar 0) + $1)) 32; }
write_reg() { devmem $(($(bar 0) + $1)) 32 "$2"; }

monitor device_add rondo,id=rondo,bus=slot1,faults=on
await_devices 1
device=$(find_device)
echo 1 >"$device/enable"
check 'class is processing accelerator' "$(cat "$device/class")" 0x120000
check 'ID' "$(reg 0)" 0x4F444E52
check 'SRAM of the machine description' "$(reg 0x10c)" 0x00100000
check 'one byte of a register reads as 0' "$(devmem "$(bar 0)" 8)" 0x00
check 'doorbells read as 0' "$(devmem "$(bar 2)" 32)" 0x00000000

write_reg 0x10 0x12345
check 'a register keeps what is written' "$(reg 0x10)" 0x00012345
echo flr >"$device/reset_method"
echo 1 >"$device/reset"
check 'a function-level reset clears it' "$(reg 0x10)" 0x00000000

write_reg 0x18 4096
write_reg 0x08 2
until [ "$(reg 0x0c)" != 0x00000001 ]; do :; done
check 'without bus mastering the image is refused: DEAD, DMA' "$(reg 0x0c)" 0x00000202
write_reg 0x08 1
check 'RESET brings it back' "$(reg 0x0c)" 0x00000000

monitor qom-set rondo fault irq_lose=7
check 'the monitor sets a fault' "$(devmem $(($(bar 4) + 12)) 32)" 0x00000007
devmem $(($(bar 4) + 12)) 32 9
check 'and sees it' "$(monitor qom-get rondo fault | grep -o 'irq_lose=[0-9/]*')" irq_lose=9/0
check 'a fault that does not exist is refused by name' \
	"$(monitor qom-set rondo fault irq_lost=1)" "Error: no fault is called 'irq_lost'"
check 'so is a value that is none' "$(monitor qom-set rondo fault irq_lose=x)" \
	"Error: fault 'irq_lose' needs a value, as in irq_lose=1"
monitor qom-set rondo fault vanish=1
check 'a vanished device gives all ones' "$(reg 0)" 0xFFFFFFFF
monitor qom-set rondo fault vanish=0
check 'and comes back' "$(reg 0)" 0x4F444E52

monitor device_del rondo
await_devices 0
check 'it can be unplugged' "$(find_device)" ''
monitor device_add rondo,id=again,bus=slot1
await_devices 1
device=$(find_device)
echo 1 >"$device/enable"
check 'and plugged in again' "$(reg 0)" 0x4F444E52
check 'without faults=on there is no BAR 4' "$(bar 4)" 0x0000000000000000
check 'and no fault to set' "$(monitor qom-set again fault vanish=1)" \
	'Error: the fault interface is off: use -device rondo,faults=on'

echo "1..$count"
exit $failures
