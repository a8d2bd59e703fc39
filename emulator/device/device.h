/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The device inside: what its files share. Front ends see emulator.h only.
 *
 *	emulator.c   life, reset, host registers, doorbells
 *	mgmt.c       the management core's thread, boot, timer
 *	mgmt_regs.c  the management core's registers, copy engine
 *	sequencer.c  the sequencer's thread and its commands
 *	binding.c    what stands behind a binding's slots
 *	time.c       device time
 *	dma.c        copies between the host's memory and the device
 *	faults.c     the fault interface
 *
 * One lock protects all that two threads touch, and is held for a few
 * instructions only: never while firmware or a program runs, nor in an operation
 * of the host, except clock_ns. A field that only one thread touches says so.
 */
#ifndef RONDO_EMULATOR_DEVICE_H
#define RONDO_EMULATOR_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "emulator/budget.h"
#include "emulator/emulator.h"
#include "emulator/exec/exec.h"
#include "emulator/device/regs.h"
#include "emulator/rv32/rv32.h"

struct emu_program;
struct emu_binding;

/* See time.c. */
struct emu_time {
	u64 base; /* cycles that have passed up to the last change of what is below */
	u64 last; /* highest value ever given */
	bool idle; /* nothing is pending: time follows the host's clock */
	u64 idle_since; /* host nanoseconds, while idle */
	bool replay; /* a replay runs */
	u64 replay_start;
	atomic_ullong replay_cycles; /* so far; written by the executor */
};

/* The management core. */
struct emu_mgmt {
	pthread_t thread;
	pthread_cond_t wake;
	bool active; /* from BOOT until its thread has obeyed a reset */
	bool running; /* executes instructions */
	bool kicked; /* an interrupt input may have changed since it last waited */
	bool timer_on;
	u64 timer_at; /* host nanoseconds */
	bool sequencer_irq;
	struct rv32 core; /* its thread's, except the inputs */
	u8 tcm[RONDO_TCM_BYTES]; /* its thread's */
};

/* The sequencer. */
struct emu_sequencer {
	pthread_t thread;
	pthread_cond_t wake;
	bool active; /* from the first command until its thread has obeyed a reset */
	u32 command; /* to be done or being done; 0: none */
	struct rondo_seq_args args; /* of command */
	atomic_bool stop; /* ends the command: ABORT, reset, destruction */
	bool working; /* the fault seq_work holds the command */
	u32 worked; /* what SEQ_PROGRESS says then */
	struct exec *exec; /* this and the tables: its thread's */
	struct emu_budget budget; /* for what the guest makes the device keep */
	struct emu_program *program[RONDO_PROGRAMS_MAX];
	struct emu_binding *binding[RONDO_BINDINGS_MAX];
};

struct emu_device {
	const struct emu_host_ops *ops;
	void *host;
	struct rondo_machine machine;
	atomic_uint holders; /* the front end, until it lets go, and each thread */
	bool unplugged; /* the last holder says so to the host; set before the threads are to end */

	pthread_mutex_t lock;
	struct regs regs;
	bool resetting; /* until both threads have obeyed */
	bool exiting;
	atomic_bool stop; /* resetting or exiting, for those who do not lock */
	struct emu_time time;
	struct emu_mgmt mgmt;
	struct emu_sequencer seq;
	atomic_uint fault[EMU_FAULTS];
	atomic_uint fault_hits[EMU_FAULTS];
};

static inline void emu_lock(struct emu_device *dev)
{
	pthread_mutex_lock(&dev->lock);
}

static inline void emu_unlock(struct emu_device *dev)
{
	pthread_mutex_unlock(&dev->lock);
}

/* Functions named _locked are called with the lock held, the others without. */

/* emulator.c */
/* Drops a hold; the last one frees @dev. */
void emu_put(struct emu_device *dev);
void emu_trace(struct emu_device *dev, const char *event, u64 a, u64 b);
void emu_reset_locked(struct emu_device *dev);
/* Ends a reset if no thread of the device still has to obey it. */
void emu_reset_done_locked(struct emu_device *dev);
enum rondo_device_state emu_state_locked(const struct emu_device *dev);
void emu_set_state_locked(struct emu_device *dev, enum rondo_device_state state,
			  enum rondo_boot_error error);
/* Sets @bits of IRQ_STATUS and sends their messages. */
void emu_raise(struct emu_device *dev, u32 bits);

/* time.c */
u64 emu_time_locked(struct emu_device *dev);
/* To be called after every change of what pends: state, mgmt.running, mgmt.kicked, seq.command. */
void emu_time_update_locked(struct emu_device *dev);
void emu_time_add_locked(struct emu_device *dev, u64 cycles);
void emu_time_replay_begin_locked(struct emu_device *dev);
void emu_time_replay_end_locked(struct emu_device *dev, u64 cycles);

/* dma.c */
enum emu_dma_user {
	EMU_DMA_MGMT,
	EMU_DMA_SEQUENCER,
};

/* Copies @size bytes from or to the host. False if refused, or the device is to stop. */
bool emu_dma_read(struct emu_device *dev, enum emu_dma_user user, u64 addr, void *to, u64 size);
bool emu_dma_write(struct emu_device *dev, enum emu_dma_user user, u64 addr, const void *from,
		   u64 size);

/* mgmt.c */
/* What its thread does until the device is to end. */
void emu_mgmt_run(struct emu_device *dev);
/* Drives the core's interrupt inputs and wakes its thread. */
void emu_mgmt_kick_locked(struct emu_device *dev);

/* mgmt_regs.c: the bus of the management core; ctx is the device. */
extern const struct rv32_bus emu_mgmt_bus;

/* sequencer.c */
/* What its thread does until the device is to end. */
void emu_sequencer_run(struct emu_device *dev);
/* What SEQ_PROGRESS says. */
u32 emu_sequencer_progress_locked(struct emu_device *dev);
/* The fault seq_hold, in an access of a replay to a buffer. */
void emu_sequencer_access(struct emu_device *dev);
/* A write of SEQ_GO; *@args is what SEQ_ARGS names, NULL if that is outside the core's memory. */
void emu_sequencer_command(struct emu_device *dev, u32 command, const struct rondo_seq_args *args);

/* faults.c */
/* Takes one off the value of @fault and counts a hit; false if it is 0. */
bool emu_fault_take(struct emu_device *dev, enum emu_fault fault);
/* Takes the whole value of @fault, counting a hit if it is not 0. */
u32 emu_fault_take_all(struct emu_device *dev, enum emu_fault fault);
void emu_fault_hit(struct emu_device *dev, enum emu_fault fault);

#endif
