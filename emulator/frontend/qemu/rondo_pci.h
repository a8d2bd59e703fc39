/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of QEMU's Rondo device: rondo_pci.c is the device, rondo_props.c its properties. */
#ifndef RONDO_EMULATOR_FRONTEND_QEMU_RONDO_PCI_H
#define RONDO_EMULATOR_FRONTEND_QEMU_RONDO_PCI_H

#include "hw/pci/pci.h"
#include "qemu/main-loop.h"

#include "emulator/emulator.h"

/* Versions of QEMU from 7.2 to 11. */
#define QEMU_AT_LEAST(major, minor)      \
	(QEMU_VERSION_MAJOR > (major) || \
	 (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

#if QEMU_AT_LEAST(8, 0)
#include "hw/pci/pci_device.h"
#endif
#if __has_include("hw/core/boards.h")
#include "hw/core/boards.h"
#else
#include "hw/boards.h"
#endif
#if !QEMU_AT_LEAST(9, 0)
#define bql_lock qemu_mutex_lock_iothread
#define bql_unlock qemu_mutex_unlock_iothread
#endif
#if !QEMU_AT_LEAST(9, 2)
#define device_class_set_legacy_reset(dc, fn) ((dc)->reset = (fn))
#endif
#if QEMU_AT_LEAST(10, 1)
typedef const void ClassData;
#else
typedef void ClassData;
#endif

#define TYPE_RONDO "rondo"
OBJECT_DECLARE_SIMPLE_TYPE(RondoState, RONDO)

enum {
	BARS = RONDO_BAR_FAULTS + 1,
	EXPRESS_CAP = 0x80,
	COPY_BYTES_MAX = 1 << 20, /* of one copy: unrealize waits for it */
};

struct rondo_bar {
	RondoState *s;
	unsigned int number;
	MemoryRegion region;
};

struct RondoState {
	PCIDevice pci;
	struct rondo_bar bar[BARS]; /* of the device; QEMU makes MSI-X's own */
	struct emu_device *dev; /* NULL while not realized; atomic */
	int copies; /* of the device's that are under way; atomic */
	bool iommu; /* translates the device's DMA */
	QEMUBH *bh;
	unsigned int vectors; /* whose messages the bottom half is to send; atomic */
	char *machine;
	uint64_t memory; /* bytes; 0: the default */
	bool faults;
	char *first_fault; /* set before realize */
};

void rondo_add_properties(ObjectClass *klass);
void rondo_free_properties(RondoState *s);

/* Sets the fault that @text says, NAME=VALUE; false, and *@errp, if that is none. */
bool rondo_set_fault(RondoState *s, const char *text, Error **errp);

#endif
