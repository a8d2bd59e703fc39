// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Transfers: how bytes are cut into pieces, and over which channels they go. */
#include "compiler/transfer.h"
#include "core/machine.h"
#include "tests/tap.h"

/* An input and a constant of @bytes each, and an output of half of it. */
static void start(struct lowering *l, struct rondo_machine *machine, u64 bytes)
{
	static struct compile_error err;
	struct shape shape = { 1, { (s64)bytes / 4 } };
	struct graph *g = graph_new("transfer", "transfer.onnx", &err);
	struct value *in = graph_value(g, "in"), *out = graph_value(g, "out");

	rondo_machine_init(machine, RONDO_MACHINE_edge);
	*l = (struct lowering){ .g = g, .machine = machine };
	mir_init(&l->mir, &g->arena);
	in->id = 0;
	out->id = 1;
	graph_add_input(g, in);
	graph_add_output(g, out);
	l->value = graph_alloc(g, 2 * sizeof(*l->value));
	l->value[0] = (struct operand_at){ mir_buffer(&l->mir, MIR_BUF_VALUE, "in", bytes),
					   layout_row_major(&shape, 4) };
	mir_buffer(&l->mir, MIR_BUF_CONST, "weights", bytes);
	l->mir.buf[1].slot_offset = 4096;
	mir_buffer(&l->mir, MIR_BUF_VALUE, "nobody's", bytes);
	shape.dim[0] /= 2;
	l->value[1] = (struct operand_at){ mir_buffer(&l->mir, MIR_BUF_VALUE, "out", bytes),
					   layout_row_major(&shape, 4) };
	l->value[1].layout.base = 64;
}

/* Whether the @n transfers from @x on move @want, in pieces of @piece bytes except for the last. */
static bool moves(const struct transfer *x, int n, const struct transfer *want, u64 piece,
		  u8 channel)
{
	u64 at = 0;

	for (int i = 0; i < n; i++) {
		u64 bytes = want->bytes - at < piece ? want->bytes - at : piece;

		if (x[i].dir != want->dir || x[i].slot != want->slot || x[i].buf != want->buf ||
		    x[i].slot_offset != want->slot_offset + at ||
		    x[i].offset != want->offset + at || x[i].bytes != bytes ||
		    x[i].channel != (channel + i) % RONDO_DMA_CHANNELS)
			return false;
		at += bytes;
	}
	return at == want->bytes;
}

/* @in, @constant, @out: pieces that they come in. */
static void test_pieces(u64 bytes, int in, u64 in_piece, int constant, u64 constant_piece, int out,
			u64 out_piece)
{
	struct transfer want = { RONDO_DMA_IN, SLOT_WEIGHTS + 1, 0, 0, 0, bytes, 0 };
	struct rondo_machine machine;
	struct transfer_list t;
	struct lowering l;
	bool good;

	start(&l, &machine, bytes);
	good = !transfers_make(&l, &t) && t.count == in + constant + out && t.in[0].first == 0 &&
	       t.in[0].count == in && t.in[0].piece == t.at[0].bytes && t.in[1].first == in &&
	       t.in[1].count == constant && t.in[1].piece == t.at[in].bytes && !t.in[2].count &&
	       !t.in[3].count;
	good = good && moves(t.at, in, &want, in_piece, 0);
	want = (struct transfer){ RONDO_DMA_IN, SLOT_WEIGHTS, 4096, 1, 0, bytes, 0 };
	good = good && moves(t.at + in, constant, &want, constant_piece, (u8)(in % 4));
	want = (struct transfer){ RONDO_DMA_OUT, SLOT_WEIGHTS + 2, 0, 3, 64, bytes / 2, 0 };
	good = good &&
	       moves(t.at + in + constant, out, &want, out_piece, (u8)((in + constant) % 4));
	tap_ok(good, "%llu bytes: %d, %d and %d pieces", (unsigned long long)bytes, in, constant,
	       out);
	graph_free(l.g);
}

int main(void)
{
	test_pieces(64, 1, 4096, 1, 4096, 1, 4096);
	test_pieces(4096, 1, 4096, 1, 4096, 1, 4096);
	test_pieces(4104, 2, 4096, 2, 4096, 1, 4096);
	test_pieces(65536, 16, 4096, 16, 4096, 8, 4096);
	test_pieces(65544, 16, 4160, 17, 4096, 9, 4096);
	test_pieces(131072, 16, 8192, 32, 4096, 16, 4096);
	test_pieces(262144, 16, 16384, 64, 4096, 16, 8192);
	test_pieces(262152, 16, 16448, 64, 4160, 16, 8256);
	return tap_done();
}
