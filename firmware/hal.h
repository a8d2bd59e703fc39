/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the firmware needs of the chip, and nothing else: the only seam between
 * the firmware's logic and the registers (hal_rv32.c) or a test (tests/unit).
 *
 * One thread, no interrupt handlers: interrupts only end hal_wait(), and the loop
 * then looks at everything that might have happened.
 */
#ifndef FIRMWARE_HAL_H
#define FIRMWARE_HAL_H

#include "spec/fw_abi.h"

/* Bus address of struct rondo_fw_init as the host wrote it. */
u64 hal_init_addr(void);

/* What the host reads in its registers FW_VERSION and FW_STATE. */
void hal_set_version(u32 version);
void hal_set_state(enum rondo_fw_state state);

/* Advances the host's HEARTBEAT by one. */
void hal_heartbeat(void);

/* Advances the host's PROGRESS by one. */
void hal_progress(void);

/* Raises the host's interrupt EVENT or FAULT. */
void hal_irq_event(void);
void hal_irq_fault(void);

/* Device time in cycles. */
u64 hal_time(void);

/* Starts the timer anew: it fires once, @ns nanoseconds of wall time (> 0) from now. */
void hal_timer_start(u64 ns);

/* Stops the timer; it has not fired then. */
void hal_timer_stop(void);

/* Has the timer fired since it was started? */
bool hal_timer_fired(void);

/* Clears all doorbells; returns whether one had been rung since the last call. */
bool hal_bells_take(void);

/*
 * Copies @size bytes between the firmware's memory and bus address @addr; done on
 * return. False: the host refused the address, and nothing can be said about @local.
 */
bool hal_copy_in(void *local, u64 addr, u32 size);
bool hal_copy_out(u64 addr, const void *local, u32 size);

/*
 * The sequencer. A command is started only when the last one has ended; @args are
 * the caller's and stay as they are until then. hal_seq_abort() may come at any time.
 */
void hal_seq_start(enum rondo_seq_command command, const struct rondo_seq_args *args);
void hal_seq_abort(void);

/* Clears the sequencer's interrupt. Before reading the status, so that no end is missed. */
void hal_seq_ack(void);
enum rondo_seq_status hal_seq_status(void);

/* Moves as long as the running command goes on. */
u32 hal_seq_progress(void);

/* The last run: its exact cycles, its control path, and the bundle where it stopped if it failed.
 */
u64 hal_seq_cycles(void);
u64 hal_seq_signature(void);
u32 hal_seq_bundle(void);

/* The last LOAD or BIND: bytes of the device's memory that it takes. */
u64 hal_seq_memory(void);

/* Sleeps until a doorbell, the sequencer or the timer wants something; at once if one does. */
void hal_wait(void);

#endif
