/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The firmware, built natively, between a host and a chip that a test plays: the
 * HAL over an array of host memory, a clock, and a sequencer that ends a command
 * when and how the test says. One of each, as the HAL has one; fake_reset() makes
 * all new. The chip checks what it is asked: fake.violations counts what a real
 * one would not allow.
 */
#ifndef TESTS_FIRMWARE_FAKE_H
#define TESTS_FIRMWARE_FAKE_H

#include "firmware/firmware.h"

/* Host memory, at bus addresses that need their high half. Rings lie in it one after the other. */
#define FAKE_BASE 0x300000000ull
enum {
	FAKE_BYTES = 1 << 20,
	FAKE_ADMIN_ENTRIES = 8,
	FAKE_EVENT_ENTRIES = 16,
	FAKE_LOG_BYTES = 1024,
	FAKE_QUEUE_ENTRIES = 8,
	FAKE_TURNS_MAX = 100000, /* turns without a rest that are taken for a hang */
	FAKE_INIT = 0,
	FAKE_STATUS = 0x1000,
	FAKE_ADMIN = 0x2000,
	FAKE_EVENTS = 0x3000,
	FAKE_LOG = 0x4000,
	FAKE_QUEUES = 0x10000, /* one page each */
};

struct fake {
	/* What the firmware showed to the host. */
	u32 version, heartbeats, progress, event_irqs, fault_irqs;
	enum rondo_fw_state state;

	u64 time; /* device time */
	u64 wall; /* ns */
	u64 timer; /* wall time at which the timer fires; 0: stopped */
	bool bells;
	u32 copies; /* made since reset */
	u32 spare; /* so many copies go well before */
	u32 refuse; /* so many are refused */
	u64 init_addr;
	u32 violations; /* since the program began */

	enum rondo_seq_command command; /* what runs or ran */
	enum rondo_seq_status seq_status;
	struct rondo_seq_args args; /* of the last command */
	const struct rondo_seq_args *args_at; /* where the firmware keeps them */
	u64 cycles, signature, memory;
	u32 bundle, starts, aborts;
	u32 seq_progress; /* of what runs */
	bool seq_irq;
	bool held; /* commands stay busy until fake_seq_end(); else end well in the next turn */

	struct rondo_fw_init *init;
	struct rondo_fw_status *status;
	struct rondo_fw_admin *admin;
	struct rondo_fw_event *events;
	char *log;
	u8 mem[FAKE_BYTES];
};

extern struct fake fake;
extern struct firmware fake_fw;

/* All new, host memory prepared with a good struct rondo_fw_init. */
void fake_reset(void);

/* The entries of queue @q. */
struct rondo_fw_entry *fake_queue(u32 q);

/* fake_reset() and boot; true if READY. */
bool fake_boot(void);

/*
 * Turns until nothing more happens without a new cause; commands of the sequencer
 * that are not held end meanwhile. False when the firmware has stopped.
 */
bool fake_run(void);

/* The running command ends. */
void fake_seq_end(enum rondo_seq_status status, u64 cycles, u32 bundle);

/* Lets @ns of wall time pass, to each firing of the timer in turn, running at each. */
bool fake_sleep(u64 ns);

/* Writes a command and rings; the ring has room. */
void fake_admin(const struct rondo_fw_admin *cmd);

/* Writes an entry and rings. */
void fake_submit(u32 q, const struct rondo_fw_entry *entry);

/* Takes the next event; false if there is none. */
bool fake_event(struct rondo_fw_event *event);

/* Writes @cmd with a cookie of its own, runs, and takes the answer; false if there is none. */
bool fake_ask(struct rondo_fw_admin cmd, struct rondo_fw_event *event);
/* The same; the answer's result, -1 without one. */
int fake_call(struct rondo_fw_admin cmd);

/* Loads program 0 and makes binding @binding of it, with generation binding + 1. */
bool fake_bind(u32 binding, u64 cycles);

bool fake_create_queue(u32 q, u32 weight);

/* A good entry for a binding of fake_bind(), with an event when done. */
struct rondo_fw_entry fake_entry(u32 binding, u64 seqno);

/* Is @text in the log? */
bool fake_logged(const char *text);

#endif
