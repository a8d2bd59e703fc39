/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The management firmware: its state and the interfaces between its files.
 *
 * One loop (main.c) turns as long as the state is READY. A turn looks at what the
 * sequencer has ended, serves the admin ring, then commands that wait for the
 * sequencer, then the queues; nothing in it waits. What cannot be done yet (the
 * sequencer is busy, the event ring is full) is left as it is and tried again in
 * a later turn. Every function below does nothing harmful in a stopped state.
 *
 * Trust: the host's kernel writes the admin ring and all indices; entries of
 * queues may come from anyone. Both are copied once and checked before use; an
 * entry can do no more than fail.
 */
#ifndef FIRMWARE_FIRMWARE_H
#define FIRMWARE_FIRMWARE_H

#include "firmware/drr.h"
#include "firmware/hal.h"

enum {
	FW_HEARTBEAT_NS = RONDO_FW_HEARTBEAT_MS * 1000000 / 2,
	FW_POLL_NS = 1000000, /* how often a full event ring is looked at */
	FW_STALL_NS = RONDO_FW_STALL_MS * 1000000,
	FW_COALESCE_CYCLES = 8192, /* how long a result may wait for those behind it */
};

struct fw_program {
	bool used;
	u16 bindings; /* bindings of it that exist */
};

struct fw_binding {
	bool used;
	u16 program;
	u32 generation;
	u64 cycles; /* exact time of one replay */
	u64 signature; /* of one replay; 0: not compared */
};

struct fw_queue {
	bool used;
	bool fetched; /* entry and check are those of the entry at head */
	u32 count;
	u64 ring; /* bus address */
	u64 cycles; /* since the last DONE event */
	u32 replays;
	u64 started; /* when the first of them began */
	enum rondo_fw_result check; /* of what the entry itself says */
	struct rondo_fw_entry entry; /* private copy */
};

/* What the sequencer is doing. */
struct fw_sequencer {
	enum rondo_seq_command command; /* 0: free */
	bool aborting;
	bool stalled; /* aborted because it stood still */
	u32 progress; /* hal_seq_progress() when it last moved */
	u64 still; /* ns of wall time since then, or since the abort */
	u32 queue; /* of a RUN */
	struct rondo_fw_admin admin; /* behind any other command */
	struct rondo_seq_args args;
};

struct firmware {
	enum rondo_fw_state state;
	bool more; /* something can be done at once: do not sleep */
	bool blocked; /* an event waits for room */
	bool polling; /* the timer runs with FW_POLL_NS */
	bool posted; /* events wait for the host's interrupt */
	bool coalescing; /* they wait for the replay that runs */
	u32 patient; /* 1 + the queue of all of them, which ended well; 0: they may not wait */
	u64 waited; /* cycles that they have waited already */
	bool changed; /* the firmware's half of status is newer than the host's copy */
	struct rondo_fw_init init;
	struct rondo_fw_status status; /* the host's half as last read, our half as it is */

	bool held; /* command was taken from the admin ring and is not done */
	struct rondo_fw_admin command;
	u32 deferred_head, deferred_tail; /* free-running */
	struct rondo_fw_admin deferred[RONDO_FW_DEFERRED_MAX];

	struct fw_sequencer seq;
	struct drr drr;
	u32 queues; /* all that are in use have lower numbers */
	struct fw_queue queue[RONDO_FW_QUEUES_MAX];
	struct fw_program program[RONDO_PROGRAMS_MAX];
	struct fw_binding binding[RONDO_BINDINGS_MAX];
};

/* main.c */

/*
 * Reads and checks struct rondo_fw_init and says READY. False: the state says why
 * not. @fw is all zero.
 */
bool fw_boot(struct firmware *fw);

/* One turn of the loop; false when the firmware has stopped. */
bool fw_turn(struct firmware *fw);

/*
 * Ends all service for good: aborts what the sequencer does, tells the host @state, which is
 * neither NONE nor READY, and touches host memory no more. Does nothing when stopped already.
 */
void fw_stop(struct firmware *fw, enum rondo_fw_state state);

/* The core took a trap: logs it and stops. */
void fw_trap(struct firmware *fw, u32 cause, u32 pc, u32 value);

/* host.c: all access to host memory */

/* Copies from or to the host; a refused copy stops the firmware (HOST_ERROR) and returns false. */
bool host_read(struct firmware *fw, void *local, u64 addr, u32 size);
bool host_write(struct firmware *fw, u64 addr, const void *local, u32 size);

/* Reads the host's half of the status and checks every index in it; false when stopped. */
bool status_read(struct firmware *fw);

/* Writes the firmware's half of the status; false if the host refuses, which stops nothing. */
bool status_write(struct firmware *fw);

/*
 * Publishes our half of the status if it changed, and interrupts the host if events were posted and
 * are not coalescing.
 */
void status_publish(struct firmware *fw);

/* event.c */

/* Is there room for one event? If not the firmware will look again. False when stopped. */
bool event_room(struct firmware *fw);

/* Writes one event; the caller saw room for it. The host learns of it at the end of the turn. */
void event_post(struct firmware *fw, struct rondo_fw_event *event);

/* log.c */

/*
 * Appends a line to the log ring. @fmt knows %u and %x, both of an u32. Cut at
 * FW_LOG_LINE bytes. What the host refuses is lost in silence.
 */
void fw_log(struct firmware *fw, const char *fmt, ...);

/* admin.c */

/* Takes and does commands of the admin ring until it is empty or one has to wait. */
void admin_serve(struct firmware *fw);

/* Starts the next command that needs the sequencer, if that is free. */
void admin_serve_deferred(struct firmware *fw);

/* Answers the command behind the sequencer's; the caller saw room for an event. */
void admin_seq_ended(struct firmware *fw, enum rondo_fw_result result);

/* queue.c */

/* Lets the next replay start if the sequencer is free; entries that are wrong fail. */
void queues_serve(struct firmware *fw);

enum rondo_fw_result queue_create(struct firmware *fw, const struct rondo_fw_admin *cmd);

/* Forgets queue @q (in use, nothing waiting, no replay running). */
void queue_destroy(struct firmware *fw, u32 q);

/* Drops what waits in queue @q (in use, no replay running); reads the host's tail anew. */
void queue_drop(struct firmware *fw, u32 q);

/* The replay of queue @q has ended; does nothing and returns false if there is no room to say so.
 */
bool queue_run_ended(struct firmware *fw, u32 q, enum rondo_fw_result result);

/* sequencer.c */

/* Starts @command with fw->seq.args; the sequencer is free. */
void seq_start(struct firmware *fw, enum rondo_seq_command command);

/* Asks the running command to end soon. */
void seq_abort(struct firmware *fw);

/* Notices that a command has ended, and says so to whom it was for. */
void seq_serve(struct firmware *fw);

/*
 * Watches over the running command, @ns after the last look: one that stands still is aborted, and
 * if the abort is not obeyed the firmware stops.
 */
void seq_watch(struct firmware *fw, u64 ns);

#endif
