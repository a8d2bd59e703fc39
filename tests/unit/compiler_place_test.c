// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Place: buffers that are needed at the same time never share a byte; others may; what does not fit
 * is named.
 */
#include "compiler/backend.h"
#include "core/machine.h"
#include "tests/tap.h"

#include <string.h>

enum { BUFFERS = 24 };

static const struct plans plans; /* everything is in SRAM */

static void start(struct lowering *l, struct rondo_machine *machine, struct compile_error *err)
{
	rondo_machine_init(machine, RONDO_MACHINE_edge);
	*l = (struct lowering){ .g = graph_new("place", "place.onnx", err),
				.plans = &plans,
				.machine = machine,
				.sram = machine->sram_bytes };
	mir_init(&l->mir, &l->g->arena);
}

static bool apart(const struct mir_buffer *a, const struct mir_buffer *b)
{
	return a->base + a->bytes <= b->base || b->base + b->bytes <= a->base;
}

/* Buffer i is touched by nodes i and i + 3: it overlaps in time with six others. */
static void test_lifetimes(void)
{
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct lowering l;
	bool good = true;
	u64 total = 0;
	int i, j;

	start(&l, &machine, &err);
	for (i = 0; i < BUFFERS; i++)
		total += (mir_buffer(&l.mir, MIR_BUF_VALUE, "b", 100000 + i * 4), 100000 + i * 4);
	for (i = 0; i < BUFFERS + 3; i++) {
		mir_node(&l.mir, "node", NULL);
		if (i < BUFFERS)
			mir_load(&l.mir, RONDO_OP_ld_w, mir_ref(i, 0), 1);
		if (i >= 3)
			mir_load(&l.mir, RONDO_OP_ld_w, mir_ref(i - 3, 0), 1);
	}
	tap_ok(total > machine.sram_bytes && !place_buffers(&l),
	       "more bytes than SRAM fit when they live one after the other");
	for (i = 0; i < BUFFERS; i++)
		for (j = i + 1; j < BUFFERS && j <= i + 3; j++)
			good &= apart(&l.mir.buf[i], &l.mir.buf[j]);
	tap_ok(good, "what lives together does not overlap");
	graph_free(l.g);
}

/* What a node reads first and what it writes last are both there all the time. */
static void test_node(void)
{
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct lowering l;

	start(&l, &machine, &err);
	mir_buffer(&l.mir, MIR_BUF_VALUE, "read first", 256);
	mir_buffer(&l.mir, MIR_BUF_VALUE, "written later", 256);
	mir_buffer(&l.mir, MIR_BUF_VALUE, "of the node behind", 256);
	mir_node(&l.mir, "first", NULL);
	mir_store(&l.mir, mir_load(&l.mir, RONDO_OP_ld_w, mir_ref(0, 0), 64), mir_ref(1, 0), 64);
	mir_node(&l.mir, "second", NULL);
	mir_store(&l.mir, mir_movi(&l.mir, 0), mir_ref(2, 0), 64);
	tap_ok(!place_buffers(&l) && apart(&l.mir.buf[0], &l.mir.buf[1]),
	       "buffers of one node do not overlap");
	tap_ok(apart(&l.mir.buf[0], &l.mir.buf[2]), "nor those of the next node, if there is room");
	l.sram = 512;
	tap_ok(!place_buffers(&l) && apart(&l.mir.buf[0], &l.mir.buf[1]) && l.mir.buf[2].base == 0,
	       "they may take their place if there is not");
	graph_free(l.g);
}

/* Constants of @bytes, of three nodes; the last one's are its third buffer. */
static void start_constants(struct lowering *l, struct rondo_machine *machine, u64 bytes,
			    struct compile_error *err)
{
	start(l, machine, err);
	l->weights_bytes = 3 * bytes;
	for (int i = 0; i < 3; i++) {
		mir_buffer(&l->mir, MIR_BUF_CONST, "constants", bytes);
		l->mir.buf[i].slot_offset = i * bytes;
		mir_node(&l->mir, "node", NULL);
		mir_load(&l->mir, RONDO_OP_ld_w, mir_ref(i, 0), 1);
	}
}

static void test_constants(void)
{
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct lowering l;
	u64 most;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	most = machine.sram_bytes / 2 / 3 / 64 * 64;
	start_constants(&l, &machine, most, &err);
	tap_ok(!place_buffers(&l) && l.mir.buf[0].base == 0 && l.mir.buf[1].base == most &&
		       l.mir.buf[2].base == 2 * most,
	       "constants of half of SRAM stay where they are in their slot");
	graph_free(l.g);
	start_constants(&l, &machine, most + 64, &err);
	l.sram = 2 * (most + 64);
	tap_ok(!place_buffers(&l) && apart(&l.mir.buf[0], &l.mir.buf[1]) &&
		       apart(&l.mir.buf[1], &l.mir.buf[2]) && !apart(&l.mir.buf[0], &l.mir.buf[2]),
	       "larger ones come in one node before they are used");
	graph_free(l.g);
}

static void test_too_large(void)
{
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct lowering l;

	start(&l, &machine, &err);
	mir_buffer(&l.mir, MIR_BUF_VALUE, "exact", machine.sram_bytes);
	mir_load(&l.mir, RONDO_OP_ld_w, mir_ref(0, 0), 1);
	tap_ok(!place_buffers(&l), "a buffer of all of SRAM fits");
	l.mir.buf[0].bytes++;
	tap_ok(place_buffers(&l) && strstr(err.text, "\"exact\" needs 1048577 bytes"),
	       "one byte more does not: %s", err.text);
	graph_free(l.g);
}

int main(void)
{
	test_lifetimes();
	test_node();
	test_constants();
	test_too_large();
	return tap_done();
}
