/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The sequencer: one command at a time, for the admin ring or for a queue. */
#include "firmware/firmware.h"

void seq_start(struct firmware *fw, enum rondo_seq_command command)
{
	fw->seq.command = command;
	fw->seq.aborting = false;
	fw->seq.stalled = false;
	fw->seq.still = 0;
	hal_seq_start(command, &fw->seq.args);
}

void seq_abort(struct firmware *fw)
{
	if (!fw->seq.command || fw->seq.aborting)
		return;
	fw->seq.aborting = true;
	fw->seq.still = 0;
	hal_seq_abort();
}

void seq_watch(struct firmware *fw, u64 ns)
{
	struct fw_sequencer *seq = &fw->seq;
	u32 progress;

	if (!seq->command || fw->state != RONDO_FW_STATE_READY ||
	    hal_seq_status() != RONDO_SEQ_BUSY)
		return;
	progress = hal_seq_progress();
	if (progress != seq->progress && !seq->aborting) {
		seq->progress = progress;
		seq->still = 0;
		hal_progress();
		return;
	}
	seq->still += ns;
	if (seq->still < FW_STALL_NS)
		return;
	if (seq->aborting) {
		fw_log(fw, "the sequencer does not obey abort");
		fw_stop(fw, RONDO_FW_STATE_STUCK);
		return;
	}
	fw_log(fw, "the sequencer stands still in command %u", seq->command);
	seq->stalled = true;
	seq_abort(fw);
}

/* What the host is told. A status that cannot end a command is a fault of the chip. */
static enum rondo_fw_result result_of(const struct firmware *fw, enum rondo_seq_status status)
{
	u32 result = status - RONDO_SEQ_ENDED;

	if (result == RONDO_FW_ABORTED && fw->seq.stalled)
		return (fw->init.version & 0xffff) >= RONDO_FW_MINOR_PROGRESS ? RONDO_FW_STALLED :
										RONDO_FW_TRAPPED;
	return result < RONDO_FW_RESULTS ? result : RONDO_FW_TRAPPED;
}

void seq_serve(struct firmware *fw)
{
	enum rondo_seq_command command = fw->seq.command;
	enum rondo_seq_status status;
	enum rondo_fw_result result;

	hal_seq_ack();
	if (!command || fw->state != RONDO_FW_STATE_READY)
		return;
	status = hal_seq_status();
	if (status == RONDO_SEQ_BUSY)
		return;
	result = result_of(fw, status);
	if (command == RONDO_SEQ_RUN) {
		if (!queue_run_ended(fw, fw->seq.queue, result))
			return;
	} else {
		if (!event_room(fw))
			return;
		admin_seq_ended(fw, result);
	}
	fw->seq.command = 0;
	hal_progress();
}
