/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A device in this process, booted with tests/emulator/script.S, whose registers
 * a test reaches from both sides: the host's directly, the management core's by
 * a script. Waits are for events and end after RIG_TIMEOUT_MS with an abort of
 * the test program, never early.
 */
#ifndef TESTS_EMULATOR_RIG_H
#define TESTS_EMULATOR_RIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "emulator/frontend/inproc.h"
#include "emulator/device/regs.h"

enum {
	RIG_TIMEOUT_MS = 30000,
	STOP_NS = 10000000, /* what stops, stops within this time on a core of its own */
};

/* Where script.S keeps the script; a test may use the memory behind it. */
#define RIG_TCM_FREE 0x80004000u

enum step_op {
	STEP_END,
	STEP_STORE, /* value to the word at addr */
	STEP_LOAD, /* result = the word at addr */
	STEP_AWAIT, /* until an interrupt of the mask value is pending; result = mip */
	STEP_JUMP, /* to addr */
	STEP_SPIN, /* value times around */
};

struct step {
	u32 op, addr, value, result;
};

enum {
	RIG_STEPS = 255,
	RIG_MIP_TIMER = 1 << 7,
	RIG_MIP_EXTERNAL = 1 << 11,
};

struct rig {
	struct inproc *host;
	struct emu_device *dev;
	u8 *image;
	u32 image_bytes;
	struct step *script; /* one page; RIG_STEPS and an end */
	u32 steps;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	u32 irqs[RONDO_IRQ_VECTORS]; /* messages received */
	u32 refused; /* the last program that found no memory, and what was said of it */
	char why[128];
	atomic_uint traced; /* events, as a set of numbers of rig_traced() */
};

/* Creates the device and reads the image; exits with a message if something is missing. */
void rig_init(struct rig *rig, const char *image);
/* The same with configuration @id instead of edge. */
void rig_init_machine(struct rig *rig, const char *image, u32 id);
/* And with at most @memory bytes that the device may allocate for its guest; 0: no limit. */
void rig_init_limited(struct rig *rig, const char *image, u32 id, u64 memory);
void rig_fini(struct rig *rig);

/* Page-aligned memory that the device may read and write until rig_free(). */
void *rig_alloc(struct rig *rig, u64 bytes);
void rig_free(struct rig *rig, void *p, u64 bytes);

/* Host registers. */
u32 rig_read(struct rig *rig, u32 offset);
void rig_write(struct rig *rig, u32 offset, u32 value);
u64 rig_time(struct rig *rig);
void rig_bell(struct rig *rig, u32 bell);

/* Writes the image's place and BOOT, and waits for FW_STATE or a state that is not ON. */
enum rondo_device_state rig_boot(struct rig *rig);
/* Resets and waits until the device is OFF. Returns the CPU time that it took. */
u64 rig_reset(struct rig *rig);

/* Waits until @done(@ctx) holds. */
void rig_until(bool (*done)(struct rig *rig, u32 arg), struct rig *rig, u32 arg);
/* Waits until @n messages of @vector have come. */
void rig_await_irq(struct rig *rig, u32 vector, u32 n);
/* Waits until @fault has acted @n times. */
void rig_await_hits(struct rig *rig, enum emu_fault fault, u32 n);
/* Whether the device has told of each of its events; names those that it has not. */
bool rig_traced(struct rig *rig);
/* Waits until STATUS says @state. */
void rig_await_state(struct rig *rig, enum rondo_device_state state);

/* Scripts: steps are collected, then run; the results stand in rig->script. */
void rig_step(struct rig *rig, enum step_op op, u32 addr, u32 value);
void rig_start(struct rig *rig); /* rings; does not wait */
void rig_finish(struct rig *rig); /* waits for the end of what rig_start() began */
void rig_run(struct rig *rig);
/* One store to, or load from, a register of the management core. */
void rig_mgmt_write(struct rig *rig, u32 offset, u32 value);
u32 rig_mgmt_read(struct rig *rig, u32 offset);

u64 rig_now_ns(void);

/* CPU time of this process so far, in ns: it does not pass while others have the cores. */
u64 rig_cpu_ns(void);

/*
 * How much CPU time @once takes, as it says itself: the first of up to five times that is below
 * @limit, else the shortest.
 */
u64 rig_quickest(u64 (*once)(void), u64 limit);

#endif
