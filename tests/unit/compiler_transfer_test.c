// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Transfers: how bytes are cut into pieces, and over which channels they go. */
#include "compiler/transfer.h"
#include "core/machine.h"
#include "tests/tap.h"

#include <errno.h>
#include <string.h>

/* An input and a constant of @bytes each, and an output of half of it. */
static void start(struct lowering *l, struct rondo_machine *machine, u64 bytes)
{
	static struct compile_error err;
	struct shape shape = { 1, { (s64)bytes / 4 } };
	struct graph *g = graph_new("transfer", "transfer.onnx", &err);
	struct value *in = graph_value(g, "in"), *out = graph_value(g, "out");

	rondo_machine_init(machine, RONDO_MACHINE_edge);
	*l = (struct lowering){ .g = g, .machine = machine, .sram = machine->sram_bytes };
	mir_init(&l->mir, &g->arena);
	in->id = 0;
	out->id = 1;
	graph_add_input(g, in);
	graph_add_output(g, out);
	l->value = graph_alloc(g, 2 * sizeof(*l->value));
	l->value[0] = (struct operand_at){ .buf = mir_buffer(&l->mir, MIR_BUF_VALUE, "in", bytes),
					   .layout = layout_row_major(&shape, 4) };
	mir_buffer(&l->mir, MIR_BUF_CONST, "weights", bytes);
	l->mir.buf[1].slot_offset = 4096;
	mir_buffer(&l->mir, MIR_BUF_VALUE, "nobody's", bytes);
	shape.dim[0] /= 2;
	l->value[1] = (struct operand_at){ .buf = mir_buffer(&l->mir, MIR_BUF_VALUE, "out", bytes),
					   .layout = layout_row_major(&shape, 4) };
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
		    x[i].offset != want->offset + at || x[i].bytes != bytes || x[i].row != bytes ||
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
	struct transfer want = { .dir = RONDO_DMA_IN, .slot = SLOT_WEIGHTS + 1, .bytes = bytes };
	struct rondo_machine machine;
	struct transfer_list t;
	struct lowering l;
	bool good;

	start(&l, &machine, bytes);
	good = !transfers_make(&l, &t) && t.count == in + constant + out && t.in[0].first == 0 &&
	       t.in[0].count == in && t.in[1].first == in && t.in[1].count == constant &&
	       !t.in[2].count && !t.in[3].count && !t.early;
	good = good && moves(t.at, in, &want, in_piece, 0);
	want = (struct transfer){
		.dir = RONDO_DMA_IN, .slot_offset = 4096, .buf = 1, .bytes = bytes
	};
	good = good && moves(t.at + in, constant, &want, constant_piece, (u8)(in % 4));
	want = (struct transfer){ .dir = RONDO_DMA_OUT,
				  .slot = SLOT_WEIGHTS + 2,
				  .buf = 3,
				  .offset = 64,
				  .bytes = bytes / 2 };
	good = good &&
	       moves(t.at + in + constant, out, &want, out_piece, (u8)((in + constant) % 4));
	tap_ok(good, "%llu bytes: %d, %d and %d pieces", (unsigned long long)bytes, in, constant,
	       out);
	graph_free(l.g);
}

/*
 * A box of 3 x 5 x 2 x 4 rows of 8 KiB: a descriptor has three dimensions, so that the first is
 * three boxes, and each is cut along its own first dimension for all channels.
 */
static void test_box(void)
{
	static const struct box_rows rows = { .bytes = 8192,
					      .dims = 4,
					      .count = { 3, 5, 2, 4 },
					      .stride = { 1 << 24, 1 << 20, 1 << 18, 1 << 14 } };
	const struct lower_transfer box = { .dir = RONDO_DMA_OUT,
					    .buf = 2,
					    .slot = 3,
					    .slot_offset = 64,
					    .rows = rows,
					    .group = MIR_NO_GROUP };
	struct rondo_machine machine;
	struct transfer_list t;
	struct lowering l;
	bool good;
	u64 at = 0;

	start(&l, &machine, 4096);
	lower_add_transfer(&l, &box);
	l.mir.buf[2].bytes = 3 * 5 * 2 * 4 * 8192;
	good = !transfers_make(&l, &t) && t.out[2].count == 9 && !t.in[2].count &&
	       t.outputs == t.out[2].first + 9;
	for (int i = 0; i < 9 && good; i++) {
		const struct transfer *x = &t.at[t.out[2].first + i];
		u32 images = i % 3 == 2 ? 1 : 2;

		good = x->dir == RONDO_DMA_OUT && x->buf == 2 && x->slot == 3 && x->row == 8192 &&
		       x->count[0] == images && x->count[1] == 2 && x->count[2] == 4 &&
		       x->stride[0] == 1 << 20 && x->stride[1] == 1 << 18 &&
		       x->stride[2] == 1 << 14 && x->offset == at &&
		       x->slot_offset == 64ull + i / 3 * (1ull << 24) + i % 3 * 2 * (1ull << 20);
		at += x->bytes;
	}
	tap_ok(good && at == l.mir.buf[2].bytes, "a box of four dimensions is nine transfers");
	graph_free(l.g);
}

/* Nodes whose constants, of @first and @second bytes, stay in SRAM. */
static void start_resident(struct lowering *l, struct rondo_machine *machine,
			   struct transfer_list *t, u64 first, u64 second)
{
	start(l, machine, 8192);
	*l->g->err = (struct compile_error){ .code = 0 };
	mir_buffer(&l->mir, MIR_BUF_CONST, "more", second);
	l->mir.buf[1].slot_offset = l->mir.buf[1].base = 0;
	l->mir.buf[1].bytes = first;
	l->mir.buf[4].slot_offset = l->mir.buf[4].base = (u32)first;
	l->weights_bytes = l->resident = first + second;
	for (int b = 0; b < 5; b++)
		mir_op(&l->mir, RONDO_OP_ld_w)->ref = mir_ref(b, 0);
	transfers_make(l, t);
}

/*
 * What the first node needs is four pieces, as is a small input; the others end where a piece of
 * all constants does.
 */
static void test_early(void)
{
	struct rondo_machine machine;
	struct transfer_list t;
	struct lowering l;
	u64 at = 0, busy = 0;
	bool good;

	start_resident(&l, &machine, &t, 6400, 20000);
	good = !transfers_check(&l, &t) && t.early == 16 && t.in[1].first == 0 &&
	       t.in[1].count == 4 && t.in[0].first == 4 && t.in[0].count == 4 &&
	       t.in[4].first == 8 && t.in[4].count == 8;
	for (int i = 0; i < t.early; i++) {
		if (t.at[i].slot != SLOT_WEIGHTS)
			continue;
		good &= t.at[i].slot_offset == at && t.at[i].bytes <= 2560;
		at += t.at[i].bytes;
	}
	tap_ok(good && at == 26400, "constants that stay come in early, in one order");
	graph_free(l.g);
	start_resident(&l, &machine, &t, 20000, 6400);
	tap_ok(!transfers_check(&l, &t) && t.in[0].first == 0 && t.in[1].first == 4 &&
		       t.in[1].count == 9 && t.in[4].first == 12 && t.in[4].count == 4 &&
		       t.at[12].buf == 1 && t.at[13].buf == 4 && t.early == 16,
	       "a piece brings the constants of two nodes; large ones come behind the input");
	graph_free(l.g);
	start_resident(&l, &machine, &t, 6400, 200000);
	for (int i = 0; i < 16; i += RONDO_DMA_CHANNELS)
		busy += t.at[i].bytes / 64 + 2;
	tap_ok(!transfers_check(&l, &t) && busy > 195 + t.at[0].bytes / 64 + 2 &&
		       busy <= 200 + t.at[0].bytes / 64 + 2 && t.at[16].bytes == 4352,
	       "the first sixteen keep the channels busy until others may be: %llu cycles",
	       (unsigned long long)busy);
	graph_free(l.g);
}

static void found(struct lowering *l, struct transfer_list *t, const char *what)
{
	int rc = transfers_check(l, t);

	if (!tap_ok(rc == -ENOTRECOVERABLE && strstr(l->g->err->text, what), "%s", what))
		printf("# %d %s\n", rc, l->g->err->text);
	graph_free(l->g);
}

/* An input of 8,200 bytes in three pieces, constants in three, an output in two. */
static void start_check(struct lowering *l, struct rondo_machine *machine, struct transfer_list *t)
{
	start(l, machine, 8200);
	*l->g->err = (struct compile_error){ .code = 0 };
	l->weights_bytes = 4096 + 8200;
	transfers_make(l, t);
}

static void test_check(void)
{
	struct rondo_machine machine;
	struct transfer_list t;
	struct lowering l;

	start_check(&l, &machine, &t);
	tap_ok(!transfers_check(&l, &t), "what is right passes");
	graph_free(l.g);
	start_resident(&l, &machine, &t, 20000, 6400);
	t.in[4].count--;
	found(&l, &t, "a span that is not all of its buffer");
	start_resident(&l, &machine, &t, 20000, 6400);
	t.at[6].slot_offset += 64;
	found(&l, &t, "a span with a gap");
	start_resident(&l, &machine, &t, 20000, 6400);
	l.mir.buf[1].base = 64;
	found(&l, &t, "constants that stay elsewhere than in their slot");
	start_check(&l, &machine, &t);
	t.at[1].row--;
	found(&l, &t, "rows of another size than all");
	start_check(&l, &machine, &t);
	t.at[2].offset += 64;
	found(&l, &t, "more than its buffer holds");
	start_check(&l, &machine, &t);
	l.weights_bytes--;
	found(&l, &t, "more than its slot holds");
	start_check(&l, &machine, &t);
	t.at[0].channel = RONDO_DMA_CHANNELS;
	found(&l, &t, "a channel that there is not");
	start_check(&l, &machine, &t);
	t.at[1].offset -= 64;
	found(&l, &t, "a span with a gap");
	start_check(&l, &machine, &t);
	t.in[1].count--;
	found(&l, &t, "a span that is not all of its buffer");
	start_check(&l, &machine, &t);
	t.in[1].count = 0;
	found(&l, &t, "a transfer that nothing starts");
	start_check(&l, &machine, &t);
	t.at[3].buf = l.mir.bufs;
	found(&l, &t, "a transfer of no buffer");
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
	test_box();
	test_early();
	test_check();
	return tap_done();
}
