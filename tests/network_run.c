// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/network_run.h"

#include <stdlib.h>
#include <string.h>

/* The parts of a file that this compiler wrote, and that is therefore not checked. */
struct parts {
	const void *program;
	u64 program_bytes;
	const u8 *weights;
	u64 weights_bytes;
	const struct rondo_tensor *tensor;
	u64 tensors;
};

static void find_parts(const struct compiled *c, struct parts *p)
{
	const struct rondo_file_header *header = (const void *)c->file;
	const struct rondo_section *s = (const void *)(header + 1);
	int i;

	*p = (struct parts){ 0 };
	for (i = 0; i < header->sections; i++) {
		const u8 *at = c->file + s[i].offset;

		if (s[i].type == RONDO_SECTION_PROGRAM) {
			p->program = at;
			p->program_bytes = s[i].size;
		} else if (s[i].type == RONDO_SECTION_SLOT_DATA) {
			p->weights = at;
			p->weights_bytes = s[i].size;
		} else if (s[i].type == RONDO_SECTION_TENSORS) {
			p->tensor = (const void *)at;
			p->tensors = s[i].size / sizeof(*p->tensor);
		}
	}
}

/* What stands behind the program's slots: weights, then one tensor each. */
struct slots {
	struct parts parts;
	const struct tensor_data *in;
	struct tensor_data *out;
	u8 *scratch; /* of a slot that no tensor is in */
	u64 scratch_bytes;
};

static u8 *slot_bytes(struct slots *s, u32 slot, u64 *size)
{
	const struct rondo_tensor *t;
	u32 i, inputs = 0;

	if (slot == SLOT_WEIGHTS) {
		*size = s->parts.weights_bytes;
		return (u8 *)s->parts.weights;
	}
	for (i = 0; i < s->parts.tensors; i++)
		inputs += s->parts.tensor[i].kind == RONDO_TENSOR_INPUT;
	for (i = 0; i < s->parts.tensors; i++) {
		t = &s->parts.tensor[i];
		if (t->slot != slot)
			continue;
		*size = t->kind == RONDO_TENSOR_INPUT ? s->in[i].size : s->out[i - inputs].size;
		return t->kind == RONDO_TENSOR_INPUT ? s->in[i].bytes : s->out[i - inputs].bytes;
	}
	*size = s->scratch_bytes;
	return s->scratch;
}

/* Room for the last slot, if it is scratch: what a program finds there is what it wrote. */
static void make_scratch(struct slots *s)
{
	const struct rondo_program_header *header = s->parts.program;
	const struct rondo_slot *slot = (const void *)(header + 1);

	slot += header->slots - 1;
	s->scratch_bytes = slot->read_hi > slot->write_hi ? slot->read_hi : slot->write_hi;
	s->scratch = malloc(s->scratch_bytes + 1);
	memset(s->scratch, 0xff, s->scratch_bytes + 1);
}

static bool slot_read(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	u64 room;
	u8 *from = slot_bytes(ctx, slot, &room);

	if (offset > room || size > room - offset)
		return false;
	memcpy(to, from + offset, size);
	return true;
}

static bool slot_write(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	u64 room;
	u8 *to = slot_bytes(ctx, slot, &room);

	if (offset > room || size > room - offset)
		return false;
	memcpy(to + offset, from, size);
	return true;
}

/*
 * One executor for all runs on a machine, since most of the work is to make one. What a run leaves
 * in it means nothing to the next.
 */
static struct exec *executor_on(const struct rondo_machine *machine)
{
	static struct exec *last;

	if (last && !memcmp(&last->machine, machine, sizeof(*machine)))
		return last;
	exec_destroy(last);
	last = exec_create(executor_for(machine, EXECUTOR_PLAIN), machine);
	return last;
}

bool network_run(const struct compiled *c, const struct rondo_machine *machine,
		 const struct tensor_data *in, struct tensor_data *out, char why[RUN_WHY_BYTES])
{
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	struct slots s = { .in = in, .out = out };
	const struct exec_io io = { .read = slot_read, .write = slot_write, .ctx = &s };
	const struct rondo_verdict *verdict;
	bool good = false;

	find_parts(c, &s.parts);
	verdict = rondo_verify_run(v, machine, s.parts.program, s.parts.program_bytes, c->cycles,
				   NULL, NULL);
	if (verdict->code)
		rondo_verdict_text(verdict, why, RUN_WHY_BYTES);
	else {
		make_scratch(&s);
		good = run_with(executor_on(machine), s.parts.program, s.parts.program_bytes,
				rondo_verify_facts(v), &io, why) == EXEC_DONE &&
		       !why[0];
	}
	free(s.scratch);
	free(v);
	return good;
}
