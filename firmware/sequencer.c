/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The sequencer: one command at a time, for the admin ring or for a queue. */
#include "firmware/firmware.h"

void seq_start(struct firmware *fw, enum rondo_seq_command command)
{
	fw->seq.command = command;
	fw->seq.aborting = false;
	hal_seq_start(command, &fw->seq.args);
}

void seq_abort(struct firmware *fw)
{
	if (!fw->seq.command || fw->seq.aborting)
		return;
	fw->seq.aborting = true;
	hal_seq_abort();
}

/* What the host is told. A status that cannot end a command is a fault of the chip. */
static enum rondo_fw_result result_of(enum rondo_seq_status status)
{
	u32 result = status - RONDO_SEQ_ENDED;

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
	result = result_of(status);
	if (command == RONDO_SEQ_RUN) {
		if (!queue_run_ended(fw, fw->seq.queue, result))
			return;
	} else {
		if (!event_room(fw))
			return;
		admin_seq_ended(fw, result);
	}
	fw->seq.command = 0;
}
