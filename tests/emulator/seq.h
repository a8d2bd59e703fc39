/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Commands to the sequencer through the script firmware, and what they need in
 * the host's memory: programs from text, buffers of shuffled pages, page lists.
 */
#ifndef TESTS_EMULATOR_SEQ_H
#define TESTS_EMULATOR_SEQ_H

#include "tests/emulator/rig.h"

/* A buffer whose pages stand on the bus in another order than in the list. */
struct seq_buffer {
	u8 *memory; /* the pages as they lie in memory */
	u64 bytes; /* a multiple of the page size */
	struct rondo_page_list *list;
	u64 list_bytes;
};

struct seq_result {
	u32 status; /* enum rondo_seq_status */
	u64 cycles, signature;
	u32 bundle;
};

void seq_alloc(struct rig *rig, struct seq_buffer *b, u64 bytes);
void seq_free(struct rig *rig, struct seq_buffer *b);
/* The byte at @offset as the device sees the buffer. */
u8 *seq_at(struct seq_buffer *b, u64 offset);

/* Assembles @text into a buffer; its size in bytes. Ends the test program if the text is wrong. */
u64 seq_assemble(struct rig *rig, struct seq_buffer *b, const char *text);

/* Gives @command to the sequencer and does not wait. */
void seq_start(struct rig *rig, enum rondo_seq_command command, const struct rondo_seq_args *args);
/* Waits for the sequencer's interrupt, acknowledges it and reads what came of the command. */
struct seq_result seq_finish(struct rig *rig);
/* Both. */
struct seq_result seq_command(struct rig *rig, enum rondo_seq_command command,
			      const struct rondo_seq_args *args);
u32 seq_status(struct rig *rig);

#endif
