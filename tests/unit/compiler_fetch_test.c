// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fetch: up to which size constants stay in SRAM all the time, in which order they come in when
 * they do not, and how a transfer is cut.
 */
#include "compiler/backend.h"
#include "core/machine.h"
#include "tests/tap.h"

#include <string.h>

/* Three nodes: the first two have constants of @bytes each, the third none. */
static void start(struct lowering *l, struct rondo_machine *machine, u64 bytes)
{
	static struct compile_error err;
	int i;

	rondo_machine_init(machine, RONDO_MACHINE_edge);
	*l = (struct lowering){ .g = graph_new("fetch", "fetch.onnx", &err),
				.machine = machine,
				.weights_bytes = 2 * bytes };
	mir_init(&l->mir, &l->g->arena);
	for (i = 0; i < 2; i++) {
		mir_buffer(&l->mir, MIR_BUF_CONST, "weights", bytes);
		l->mir.buf[i].slot_offset = i * bytes;
	}
	mir_buffer(&l->mir, MIR_BUF_VALUE, "value", 64);
	for (i = 0; i < 3; i++) {
		mir_node(&l->mir, "node", NULL);
		mir_load(&l->mir, RONDO_OP_ld_w, mir_ref(2, 0), 1);
		mir_load(&l->mir, RONDO_OP_ld_w, mir_ref(i, 0), 1);
	}
}

/* The items as letters: n node, o operation, w wait, and the number of the buffer that DMA moves.
 */
static const char *spelled(const struct mir *m)
{
	static const char letter[] = {
		[MIR_NODE] = 'n', [MIR_OP] = 'o', [MIR_WAIT] = 'w', [MIR_DMA] = '?'
	};
	static char text[128];
	int i;

	for (i = 0; i < m->items && i < (int)sizeof(text) - 1; i++)
		text[i] = m->item[i].kind == MIR_DMA ? (char)('0' + m->item[i].ref.buf) :
						       letter[m->item[i].kind];
	text[i] = 0;
	return text;
}

static void test_order(u64 bytes, const char *want, const char *name)
{
	struct rondo_machine machine;
	struct lowering l;

	start(&l, &machine, bytes);
	if (!tap_ok(!fetch_insert(&l) && !strcmp(spelled(&l.mir), want), "%s", name))
		printf("# %s\n", spelled(&l.mir));
	graph_free(l.g);
}

/* Pieces of a constant of @bytes: they follow each other in slot and SRAM, on channels in turn. */
static void test_pieces(u64 bytes, int pieces)
{
	struct rondo_machine machine;
	struct lowering l;
	u64 at = 0;
	int i, n = 0;
	bool good;

	start(&l, &machine, bytes);
	good = !fetch_insert(&l);
	for (i = 0; i < l.mir.items; i++) {
		const struct mir_item *item = &l.mir.item[i];

		if (item->kind != MIR_DMA || item->ref.buf != 1)
			continue;
		good &= item->desc.slot_base == bytes + at && item->ref.offset == (s64)at &&
			item->desc.dir == RONDO_DMA_IN && item->desc.slot == SLOT_WEIGHTS &&
			item->channel == (unsigned int)(n + pieces) % RONDO_DMA_CHANNELS &&
			(at + item->desc.row_bytes == bytes || item->desc.row_bytes % 64 == 0);
		at += item->desc.row_bytes;
		n++;
	}
	tap_ok(good && n == pieces && at == bytes, "%llu bytes come in %d pieces",
	       (unsigned long long)bytes, pieces);
	graph_free(l.g);
}

int main(void)
{
	struct rondo_machine machine;
	u64 half;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	half = machine.sram_bytes / 2;
	test_order(64, "n01wnoonoonoonw", "small constants come in before the first node");
	test_order(half / 2, "n00001111wnoonoonoonw", "so do constants of half of SRAM");
	test_order(half / 2 + 64, "n0000ww1111noownoownoonw",
		   "larger ones come in while the node before computes, after what was on its way");
	test_pieces(64, 1);
	test_pieces(4096, 1);
	test_pieces(4100, 4);
	test_pieces(65536, 4);
	test_pieces(65536 + 4, 4);
	return tap_done();
}
