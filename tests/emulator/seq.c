/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/emulator/seq.h"
#include "tools/asm/asm.h"

#define MGMT(name) (RONDO_MGMT_BASE + RONDO_REG_MGMT_##name)

/* Where page @i of @pages stands in memory: backwards, and in pairs that are consecutive. */
static u64 place(u64 i, u64 pages)
{
	u64 pairs = pages / 2;

	return i / 2 < pairs ? (pairs - 1 - i / 2) * 2 + i % 2 : i;
}

void seq_alloc(struct rig *rig, struct seq_buffer *b, u64 bytes)
{
	u64 pages = (bytes + RONDO_PAGE_BYTES - 1) / RONDO_PAGE_BYTES;
	u64 nodes = (pages + RONDO_PAGE_LIST_ENTRIES - 1) / RONDO_PAGE_LIST_ENTRIES;
	u64 i;

	b->bytes = pages * RONDO_PAGE_BYTES;
	b->memory = rig_alloc(rig, b->bytes);
	b->list_bytes = nodes * RONDO_PAGE_BYTES;
	b->list = rig_alloc(rig, b->list_bytes);
	for (i = 0; i < pages; i++)
		b->list[i / RONDO_PAGE_LIST_ENTRIES].page[i % RONDO_PAGE_LIST_ENTRIES] =
			inproc_bus(b->memory + place(i, pages) * RONDO_PAGE_BYTES);
	for (i = 0; i + 1 < nodes; i++)
		b->list[i].next = inproc_bus(&b->list[i + 1]);
}

void seq_free(struct rig *rig, struct seq_buffer *b)
{
	rig_free(rig, b->memory, b->bytes);
	rig_free(rig, b->list, b->list_bytes);
}

u8 *seq_at(struct seq_buffer *b, u64 offset)
{
	u64 pages = b->bytes / RONDO_PAGE_BYTES;

	return b->memory + place(offset / RONDO_PAGE_BYTES, pages) * RONDO_PAGE_BYTES +
	       offset % RONDO_PAGE_BYTES;
}

u64 seq_assemble(struct rig *rig, struct seq_buffer *b, const char *text)
{
	struct asm_errors errors;
	void *program;
	u64 size, i;

	if (asm_assemble(text, &program, &size, &errors)) {
		asm_print_errors(stdout, "program", &errors);
		printf("Bail out! a test's program is wrong\n");
		exit(EXIT_FAILURE);
	}
	seq_alloc(rig, b, size);
	for (i = 0; i < size; i++)
		*seq_at(b, i) = ((u8 *)program)[i];
	free(program);
	return size;
}

void seq_start(struct rig *rig, enum rondo_seq_command command, const struct rondo_seq_args *args)
{
	const u32 *words = (const u32 *)args;
	u32 i;

	for (i = 0; args && i < sizeof(*args) / 4; i++)
		rig_step(rig, STEP_STORE, RIG_TCM_FREE + 4 * i, words[i]);
	rig_step(rig, STEP_STORE, MGMT(SEQ_ARGS), RIG_TCM_FREE);
	rig_step(rig, STEP_STORE, MGMT(SEQ_GO), command);
	rig_run(rig);
}

struct seq_result seq_finish(struct rig *rig)
{
	rig_step(rig, STEP_AWAIT, 0, RIG_MIP_EXTERNAL);
	rig_step(rig, STEP_STORE, MGMT(SEQ_ACK), 1);
	rig_step(rig, STEP_LOAD, MGMT(SEQ_STATUS), 0);
	rig_step(rig, STEP_LOAD, MGMT(SEQ_CYCLES_LO), 0);
	rig_step(rig, STEP_LOAD, MGMT(SEQ_CYCLES_HI), 0);
	rig_step(rig, STEP_LOAD, MGMT(SEQ_BUNDLE), 0);
	rig_step(rig, STEP_LOAD, MGMT(SEQ_SIGNATURE_LO), 0);
	rig_step(rig, STEP_LOAD, MGMT(SEQ_SIGNATURE_HI), 0);
	rig_run(rig);
	return (struct seq_result){
		.status = rig->script[2].result,
		.cycles = rig->script[3].result | (u64)rig->script[4].result << 32,
		.bundle = rig->script[5].result,
		.signature = rig->script[6].result | (u64)rig->script[7].result << 32,
	};
}

struct seq_result seq_command(struct rig *rig, enum rondo_seq_command command,
			      const struct rondo_seq_args *args)
{
	seq_start(rig, command, args);
	return seq_finish(rig);
}

u32 seq_status(struct rig *rig)
{
	return rig_mgmt_read(rig, RONDO_REG_MGMT_SEQ_STATUS);
}
