/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The admin ring. Commands for the sequencer wait in a line of their own
 * (deferred) until it is free; all others are done as they come, so that a queue
 * can be aborted whatever else waits for its replay to end.
 */
#include "firmware/firmware.h"
#include "spec/program.h"

static void answer_with(struct firmware *fw, const struct rondo_fw_admin *cmd,
			enum rondo_fw_result result, u64 memory)
{
	struct rondo_fw_event event = {
		.type = RONDO_FW_EVENT_ADMIN,
		.result = result,
		.cookie = cmd->cookie,
		.memory = memory,
	};

	event_post(fw, &event);
}

static void answer(struct firmware *fw, const struct rondo_fw_admin *cmd,
		   enum rondo_fw_result result)
{
	answer_with(fw, cmd, result, 0);
}

static bool queue_used(const struct firmware *fw, u32 q)
{
	return q < RONDO_FW_QUEUES_MAX && fw->queue[q].used;
}

static bool program_used(const struct firmware *fw, u32 program)
{
	return program < RONDO_PROGRAMS_MAX && fw->program[program].used;
}

static bool binding_used(const struct firmware *fw, u32 binding)
{
	return binding < RONDO_BINDINGS_MAX && fw->binding[binding].used;
}

/* ABORT and DESTROY; false: its replay still runs, ask again when that has ended. */
static bool close_queue(struct firmware *fw, const struct rondo_fw_admin *cmd)
{
	u32 q = cmd->queue;

	if (!queue_used(fw, q)) {
		answer(fw, cmd, RONDO_FW_BAD_NUMBER);
		return true;
	}
	if (fw->seq.command == RONDO_SEQ_RUN && fw->seq.queue == q) {
		seq_abort(fw);
		return false;
	}
	queue_drop(fw, q);
	if (cmd->command == RONDO_FW_QUEUE_DESTROY)
		queue_destroy(fw, q);
	if (fw->state == RONDO_FW_STATE_READY)
		answer(fw, cmd, RONDO_FW_OK);
	return true;
}

static bool defer(struct firmware *fw, const struct rondo_fw_admin *cmd)
{
	if (fw->deferred_tail - fw->deferred_head == RONDO_FW_DEFERRED_MAX)
		return false;
	fw->deferred[fw->deferred_tail++ % RONDO_FW_DEFERRED_MAX] = *cmd;
	return true;
}

/* Does @cmd, or puts it where it waits; false: not possible yet. There is room for an event. */
static bool execute(struct firmware *fw, const struct rondo_fw_admin *cmd)
{
	enum rondo_fw_result result;

	switch (cmd->command) {
	case RONDO_FW_PING:
		answer(fw, cmd, RONDO_FW_OK);
		return true;
	case RONDO_FW_PROGRAM_LOAD:
	case RONDO_FW_PROGRAM_UNLOAD:
	case RONDO_FW_BIND:
	case RONDO_FW_UNBIND:
		return defer(fw, cmd);
	case RONDO_FW_QUEUE_CREATE:
		result = queue_create(fw, cmd);
		if (fw->state == RONDO_FW_STATE_READY)
			answer(fw, cmd, result);
		return true;
	case RONDO_FW_QUEUE_ABORT:
	case RONDO_FW_QUEUE_DESTROY:
		return close_queue(fw, cmd);
	default:
		answer(fw, cmd, RONDO_FW_BAD_COMMAND);
		return true;
	}
}

void admin_serve(struct firmware *fw)
{
	struct rondo_fw_status *s = &fw->status;

	while (fw->state == RONDO_FW_STATE_READY && (fw->held || s->admin_head != s->admin_tail)) {
		u32 element = s->admin_head & (fw->init.admin_count - 1);

		if (!fw->held) {
			if (!host_read(fw, &fw->command,
				       fw->init.admin + (u64)element * sizeof(fw->command),
				       sizeof(fw->command)))
				return;
			fw->held = true;
			s->admin_head++;
			fw->changed = true;
		}
		if (!event_room(fw) || !execute(fw, &fw->command))
			return;
		fw->held = false;
	}
}

/* Checks a command for the sequencer and sets fw->seq.args for it. */
static enum rondo_fw_result prepare(struct firmware *fw, const struct rondo_fw_admin *cmd,
				    enum rondo_seq_command *command)
{
	struct rondo_seq_args *args = &fw->seq.args;

	memset(args, 0, sizeof(*args));
	switch (cmd->command) {
	case RONDO_FW_PROGRAM_LOAD:
		*command = RONDO_SEQ_LOAD;
		args->program = cmd->program;
		args->addr = cmd->addr;
		args->size = cmd->size;
		if (cmd->program >= RONDO_PROGRAMS_MAX || program_used(fw, cmd->program))
			return RONDO_FW_BAD_NUMBER;
		if (!cmd->size || cmd->size > RONDO_PROGRAM_BYTES_MAX ||
		    cmd->addr % RONDO_PAGE_BYTES)
			return RONDO_FW_BAD_COMMAND;
		return RONDO_FW_OK;
	case RONDO_FW_PROGRAM_UNLOAD:
		*command = RONDO_SEQ_UNLOAD;
		args->program = cmd->program;
		if (!program_used(fw, cmd->program) || fw->program[cmd->program].bindings)
			return RONDO_FW_BAD_NUMBER;
		return RONDO_FW_OK;
	case RONDO_FW_BIND:
		*command = RONDO_SEQ_BIND;
		args->program = cmd->program;
		args->binding = cmd->binding;
		args->addr = cmd->addr;
		args->count = cmd->count;
		if (!program_used(fw, cmd->program) || cmd->binding >= RONDO_BINDINGS_MAX ||
		    binding_used(fw, cmd->binding))
			return RONDO_FW_BAD_NUMBER;
		if (cmd->count > RONDO_PROGRAM_SLOTS_MAX || !cmd->cycles ||
		    cmd->cycles > RONDO_CYCLES_MAX || cmd->addr % sizeof(u64))
			return RONDO_FW_BAD_COMMAND;
		return RONDO_FW_OK;
	default: /* RONDO_FW_UNBIND: no other is deferred */
		*command = RONDO_SEQ_UNBIND;
		args->binding = cmd->binding;
		return binding_used(fw, cmd->binding) ? RONDO_FW_OK : RONDO_FW_BAD_NUMBER;
	}
}

void admin_serve_deferred(struct firmware *fw)
{
	while (!fw->seq.command && fw->deferred_head != fw->deferred_tail && event_room(fw)) {
		const struct rondo_fw_admin *cmd =
			&fw->deferred[fw->deferred_head++ % RONDO_FW_DEFERRED_MAX];
		enum rondo_seq_command command;
		enum rondo_fw_result result = prepare(fw, cmd, &command);

		/* The admin ring may have waited for this place. */
		fw->more = true;
		if (result != RONDO_FW_OK) {
			answer(fw, cmd, result);
			continue;
		}
		fw->seq.admin = *cmd;
		seq_start(fw, command);
	}
}

/* The command behind the sequencer's has done what it says: the tables follow. */
static void update_tables(struct firmware *fw, const struct rondo_fw_admin *cmd)
{
	struct fw_binding *binding;

	switch (cmd->command) {
	case RONDO_FW_PROGRAM_LOAD:
		fw->program[cmd->program].used = true;
		break;
	case RONDO_FW_PROGRAM_UNLOAD:
		fw->program[cmd->program].used = false;
		break;
	case RONDO_FW_BIND:
		fw->binding[cmd->binding] = (struct fw_binding){
			.used = true,
			.program = cmd->program,
			.generation = cmd->generation,
			.cycles = cmd->cycles,
			.signature = cmd->signature,
		};
		fw->program[cmd->program].bindings++;
		break;
	case RONDO_FW_UNBIND:
		binding = &fw->binding[cmd->binding];
		binding->used = false;
		fw->program[binding->program].bindings--;
		break;
	}
}

void admin_seq_ended(struct firmware *fw, enum rondo_fw_result result)
{
	u64 memory = 0;

	if (result == RONDO_FW_OK) {
		update_tables(fw, &fw->seq.admin);
		memory = hal_seq_memory();
	}
	answer_with(fw, &fw->seq.admin, result, memory);
}
