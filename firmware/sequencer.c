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
static enum rondo_fw_result result_of(enum rondo_seq_command command, enum rondo_seq_status status)
{
	switch (status) {
	case RONDO_SEQ_DONE:
		return RONDO_FW_OK;
	case RONDO_SEQ_ABORTED:
		return RONDO_FW_ABORTED;
	case RONDO_SEQ_BAD_ARGS:
		/* Numbers were checked here: what was not are offsets and slot bindings. */
		if (command == RONDO_SEQ_RUN)
			return RONDO_FW_BAD_OFFSET;
		return command == RONDO_SEQ_BIND ? RONDO_FW_BAD_COMMAND : RONDO_FW_BAD_NUMBER;
	case RONDO_SEQ_BAD_PROGRAM:
		return RONDO_FW_BAD_PROGRAM;
	case RONDO_SEQ_DMA_ERROR:
		return RONDO_FW_HOST_REFUSED;
	case RONDO_SEQ_OVERRUN:
		return RONDO_FW_OVERRUN;
	case RONDO_SEQ_NO_MEMORY:
		return RONDO_FW_NO_MEMORY;
	default:
		return RONDO_FW_TRAPPED;
	}
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
	result = result_of(command, status);
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
