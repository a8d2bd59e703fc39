/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The device as software meets it: bus layout, states, and the structures that
 * the management core hands to the sequencer. Registers are in spec/regs.def.
 */
#ifndef RONDO_SPEC_DEVICE_H
#define RONDO_SPEC_DEVICE_H

#include "spec/limits.h"

/* PCI identity: vendor and device of QEMU's range for experimental devices. */
#define RONDO_PCI_VENDOR 0x1b36
#define RONDO_PCI_DEVICE 0x0f0d
#define RONDO_PCI_CLASS 0x1200 /* processing accelerator */

/* BARs. */
enum {
	RONDO_BAR_REGS = 0, /* HOST registers, 4 KiB */
	RONDO_BAR_MSIX = 1, /* MSI-X table and pending bits, 4 KiB */
	RONDO_BAR_BELLS = 2, /* doorbells: one 4 KiB page each; a write of any value rings it */
	RONDO_BAR_FAULTS = 4, /* fault interface, 4 KiB; present only when switched on */
};

enum {
	RONDO_DEVICE_ID = 0x4f444e52, /* "RNDO" */
	RONDO_REGS_VERSION = 1,
	RONDO_REGS_BYTES = 4096,
	RONDO_BELLS = 256, /* bell 0: admin ring; bell 1 + q: queue q */
	RONDO_BELL_BYTES = 4096,
	RONDO_PAGE_BYTES = 4096, /* of page lists, whatever the host's page size */
	RONDO_IRQ_VECTORS = 2,
	RONDO_PROGRAMS_MAX = 256, /* loaded at one time */
	RONDO_BINDINGS_MAX = 1024,
};

/* The management core's address map. */
#define RONDO_MGMT_BASE 0x10000000u
#define RONDO_TCM_BASE 0x80000000u /* reset vector */
#define RONDO_TCM_BYTES (256u << 10)

enum rondo_device_state {
	RONDO_STATE_OFF, /* reset; waits for BOOT */
	RONDO_STATE_ON, /* the management core runs */
	RONDO_STATE_DEAD, /* stopped by a fault; only reset helps */
};

enum rondo_boot_error {
	RONDO_BOOT_OK,
	RONDO_BOOT_SIZE, /* image empty or larger than the core's memory */
	RONDO_BOOT_DMA, /* the host refused the address */
	RONDO_BOOT_TRAP, /* the core took a trap that its firmware did not handle */
};

/* Writes of one 32-bit word in BAR 4: offset 4*fault sets it to the value;
 * emulator/device/faults.def. */

/*
 * A page list: the bus addresses of a buffer's pages, in order, as a chain of
 * pages of RONDO_PAGE_LIST_ENTRIES addresses and the bus address of the next.
 */
enum { RONDO_PAGE_LIST_ENTRIES = 511 };

struct rondo_page_list {
	u64 page[RONDO_PAGE_LIST_ENTRIES];
	u64 next; /* 0: last */
};

static_assert(sizeof(struct rondo_page_list) == RONDO_PAGE_BYTES,
	      "layout of struct rondo_page_list");

/* What stands behind a slot of a binding; an array of these is read at SEQ_BIND. */
struct rondo_slot_binding {
	u64 pages; /* bus address of its page list */
	u64 offset; /* of the slot's byte 0 in the listed pages */
	u64 size; /* bytes from there to the end of the buffer */
};

static_assert(sizeof(struct rondo_slot_binding) == 24, "layout of struct rondo_slot_binding");

enum rondo_seq_command {
	RONDO_SEQ_LOAD = 1, /* fetch, decode and keep a program under number `program` */
	RONDO_SEQ_UNLOAD, /* forget program `program` */
	RONDO_SEQ_BIND, /* read the slot bindings and page lists of binding `binding` */
	RONDO_SEQ_UNBIND, /* forget binding `binding` */
	RONDO_SEQ_RUN, /* replay `binding`, at most `bound` cycles */
	RONDO_SEQ_ABORT, /* stop a running replay within 10 ms of wall time, as ABORTED */
};

/*
 * What the sequencer is doing, or how its last command ended:
 *
 *   BAD_NUMBER    the program or binding is out of range, in use, or not in use
 *   BAD_COMMAND   there is no such command; BIND: the slot bindings do not fit the program
 *   BAD_PROGRAM   LOAD: what was fetched is no program
 *   BAD_OFFSET    RUN: an offset names no dynamic slot, or leads out of its buffer
 *   HOST_REFUSED  the host refused an address, or a page list is too short
 *   OVERRUN       RUN: the bound was reached
 *   TRAPPED       RUN: a check that the proof makes impossible failed: a fault of the chip
 *   NO_MEMORY     LOAD, BIND: the device lacks memory to keep it; nothing was kept
 */
enum rondo_seq_status {
	RONDO_SEQ_IDLE, /* no command since reset */
	RONDO_SEQ_BUSY,
	RONDO_SEQ_ENDED, /* and above: it has ended, with this plus the number of its result */
#define RESULT(name, number, error, where, text) RONDO_SEQ_##name = RONDO_SEQ_ENDED + (number),
#define HOST_RESULT(name, number, error, where, text)
#include "spec/results.def"
};

/* A slot offset chosen by a replay; only for slots that are RONDO_SLOT_DYNAMIC, each once. */
struct rondo_slot_offset {
	u32 slot;
	u32 offset; /* in units of the slot's alignment; the sequencer checks it against the size */
};

static_assert(sizeof(struct rondo_slot_offset) == 8, "layout of struct rondo_slot_offset");

struct rondo_seq_args {
	u32 program; /* LOAD, UNLOAD, BIND: < RONDO_PROGRAMS_MAX */
	u32 binding; /* BIND, UNBIND, RUN: < RONDO_BINDINGS_MAX */
	u64 addr; /* LOAD: bus address of the program's page list; BIND: of the slot bindings */
	u64 size; /* LOAD: bytes */
	u64 bound; /* RUN: cycles */
	u32 count; /* BIND: slot bindings; RUN: offsets */
	u32 reserved;
	struct rondo_slot_offset offset[RONDO_REPLAY_OFFSETS_MAX];
};

static_assert(sizeof(struct rondo_seq_args) == 104, "layout of struct rondo_seq_args");

#endif
