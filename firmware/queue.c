/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The queues: rings of replays, each copied once, checked, and run when its turn comes. */
#include "firmware/firmware.h"

static bool waiting(const struct firmware *fw, u32 q)
{
	return fw->status.queue_tail[q] != fw->status.queue_head[q];
}

/* The entry at the head of queue @q is over. */
static void pop(struct firmware *fw, u32 q)
{
	struct fw_queue *queue = &fw->queue[q];

	queue->fetched = false;
	fw->status.queue_head[q]++;
	fw->changed = true;
}

static void post_done(struct firmware *fw, u32 q, enum rondo_fw_result result, u32 bundle)
{
	struct fw_queue *queue = &fw->queue[q];
	struct rondo_fw_event event = {
		.type = RONDO_FW_EVENT_DONE,
		.result = result,
		.queue = q,
		.seqno = queue->entry.seqno,
		.cycles = queue->cycles,
		.bundle = bundle,
		.replays = queue->replays,
		.started = queue->replays ? queue->started : 0,
		.signature = result == RONDO_FW_SIGNATURE ? hal_seq_signature() : 0,
	};
	bool alone = !fw->posted || fw->patient == q + 1;

	event_post(fw, &event);
	if (alone && result == RONDO_FW_OK)
		fw->patient = q + 1;
	queue->cycles = 0;
	queue->replays = 0;
}

/* What can be said of @e without the tables of the firmware. */
static enum rondo_fw_result check_entry(const struct rondo_fw_entry *e)
{
	u64 named = 0;

	if (e->type != RONDO_FW_ENTRY_REPLAY || e->flags & ~RONDO_FW_ENTRY_EVENT || e->reserved ||
	    e->reserved2 || e->offsets > RONDO_REPLAY_OFFSETS_MAX)
		return RONDO_FW_BAD_COMMAND;
	for (u32 i = 0; i < RONDO_REPLAY_OFFSETS_MAX; i++) {
		if (i >= e->offsets) {
			if (e->slot[i] || e->offset[i])
				return RONDO_FW_BAD_COMMAND;
			continue;
		}
		if (e->slot[i] >= RONDO_PROGRAM_SLOTS_MAX || named >> e->slot[i] & 1)
			return RONDO_FW_BAD_OFFSET;
		named |= 1ULL << e->slot[i];
	}
	return RONDO_FW_OK;
}

static bool fetch(struct firmware *fw, u32 q)
{
	struct fw_queue *queue = &fw->queue[q];
	u32 element = fw->status.queue_head[q] & (queue->count - 1);

	if (!host_read(fw, &queue->entry, queue->ring + (u64)element * sizeof(queue->entry),
		       sizeof(queue->entry)))
		return false;
	queue->check = check_entry(&queue->entry);
	queue->fetched = true;
	return true;
}

/* Bindings come and go while an entry waits, so this is asked again each time. */
static enum rondo_fw_result check_binding(const struct firmware *fw, const struct rondo_fw_entry *e)
{
	if (e->binding >= RONDO_BINDINGS_MAX || !fw->binding[e->binding].used ||
	    fw->binding[e->binding].generation != e->generation)
		return RONDO_FW_BAD_NUMBER;
	return RONDO_FW_OK;
}

/*
 * Cycles of the replay that waits in queue @q, 0 if none does. An entry that is
 * wrong fails here, one in each turn, so that a queue full of them delays nobody.
 */
static u64 waiting_cost(struct firmware *fw, u32 q)
{
	struct fw_queue *queue = &fw->queue[q];
	enum rondo_fw_result result;

	if (!queue->used || !waiting(fw, q))
		return 0;
	if (!queue->fetched && !fetch(fw, q))
		return 0;
	result = queue->check;
	if (result == RONDO_FW_OK)
		result = check_binding(fw, &queue->entry);
	if (result == RONDO_FW_OK)
		return fw->binding[queue->entry.binding].cycles;
	if (event_room(fw)) {
		post_done(fw, q, result, 0);
		pop(fw, q);
		fw->more = true;
	}
	return 0;
}

/*
 * An interrupt costs the host more than a short replay, and how long a replay takes is known. So
 * results wait for the next replay of their own queue, of @cycles, if that ends soon: one interrupt
 * then tells of many, and nobody waits for anybody else's replay.
 */
static void coalesce(struct firmware *fw, u32 q, u64 cycles)
{
	fw->coalescing = fw->posted && fw->patient == q + 1 &&
			 cycles <= FW_COALESCE_CYCLES - fw->waited;
	if (fw->coalescing)
		fw->waited += cycles;
}

static void run(struct firmware *fw, u32 q)
{
	const struct rondo_fw_entry *e = &fw->queue[q].entry;
	u64 cycles = fw->binding[e->binding].cycles;
	struct rondo_seq_args *args = &fw->seq.args;

	memset(args, 0, sizeof(*args));
	args->binding = e->binding;
	args->bound = cycles + RONDO_FW_BOUND_SLACK;
	args->count = e->offsets;
	for (u32 i = 0; i < e->offsets; i++) {
		args->offset[i].slot = e->slot[i];
		args->offset[i].offset = e->offset[i];
	}
	fw->seq.queue = q;
	/* The host must know what was started, whatever becomes of us while it runs. */
	fw->status.running = q + 1;
	fw->changed = true;
	coalesce(fw, q, cycles);
	status_publish(fw);
	if (!fw->queue[q].replays)
		fw->queue[q].started = hal_time();
	if (fw->state == RONDO_FW_STATE_READY)
		seq_start(fw, RONDO_SEQ_RUN);
}

void queues_serve(struct firmware *fw)
{
	u64 cost[RONDO_FW_QUEUES_MAX];
	u32 q;

	if (fw->seq.command || !fw->queues)
		return;
	for (q = 0; q < fw->queues; q++) {
		if (fw->state != RONDO_FW_STATE_READY)
			return;
		cost[q] = waiting_cost(fw, q);
	}
	q = drr_pick(&fw->drr, cost, fw->queues);
	if (q < fw->queues)
		run(fw, q);
}

/* Whether the replay that ended left the control path that was proved. */
static bool strayed(const struct firmware *fw, const struct fw_queue *queue)
{
	u64 signature = fw->binding[queue->entry.binding].signature;

	return signature && hal_seq_signature() != signature;
}

bool queue_run_ended(struct firmware *fw, u32 q, enum rondo_fw_result result)
{
	struct fw_queue *queue = &fw->queue[q];
	bool post;

	fw->coalescing = false;
	if (result == RONDO_FW_OK && strayed(fw, queue))
		result = RONDO_FW_SIGNATURE;
	post = result != RONDO_FW_OK || queue->entry.flags & RONDO_FW_ENTRY_EVENT;
	if (post && !event_room(fw))
		return false;
	fw->status.running = 0;
	queue->cycles += hal_seq_cycles();
	queue->replays++;
	if (post)
		post_done(fw, q, result, hal_seq_bundle());
	pop(fw, q);
	return true;
}

enum rondo_fw_result queue_create(struct firmware *fw, const struct rondo_fw_admin *cmd)
{
	struct fw_queue *queue;
	u32 q = cmd->queue;

	if (q >= RONDO_FW_QUEUES_MAX || fw->queue[q].used)
		return RONDO_FW_BAD_NUMBER;
	if (!cmd->count || cmd->count & (cmd->count - 1) ||
	    cmd->count > RONDO_FW_QUEUE_ENTRIES_MAX || !cmd->weight ||
	    cmd->weight > RONDO_FW_WEIGHT_MAX || cmd->user >= RONDO_FW_USERS_MAX ||
	    cmd->addr % RONDO_FW_RING_ALIGN)
		return RONDO_FW_BAD_COMMAND;
	if (!status_read(fw) || fw->status.queue_tail[q])
		return RONDO_FW_BAD_COMMAND;

	queue = &fw->queue[q];
	memset(queue, 0, sizeof(*queue));
	queue->used = true;
	if (fw->queues <= q)
		fw->queues = q + 1;
	queue->count = cmd->count;
	queue->ring = cmd->addr;
	drr_add(&fw->drr, q, cmd->user, cmd->weight);
	fw->status.queue_head[q] = 0;
	fw->changed = true;
	return RONDO_FW_OK;
}

void queue_destroy(struct firmware *fw, u32 q)
{
	fw->queue[q].used = false;
	while (fw->queues && !fw->queue[fw->queues - 1].used)
		fw->queues--;
}

void queue_drop(struct firmware *fw, u32 q)
{
	if (!status_read(fw))
		return;
	fw->queue[q].fetched = false;
	fw->status.queue_head[q] = fw->status.queue_tail[q];
	fw->changed = true;
}
