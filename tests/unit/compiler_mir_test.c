// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The machine IR records what it cannot hold. */
#include "compiler/mir.h"
#include "tests/tap.h"

#include <errno.h>
#include <string.h>

static void test_loops(void)
{
	struct arena arena = { 0 };
	struct mir m;
	int depth;

	mir_init(&m, &arena);
	for (depth = 0; depth < RONDO_LOOP_DEPTH; depth++) {
		if (mir_loop(&m, 2) != depth)
			break;
	}
	tap_ok(depth == RONDO_LOOP_DEPTH && !m.error, "loops may nest %d deep", depth);
	tap_ok(mir_loop(&m, 2) < RONDO_LOOP_DEPTH && m.error == -E2BIG, "not deeper");
	for (; depth >= 0; depth--)
		mir_end(&m);
	tap_ok(!m.depth && mir_loop(&m, 2) == 0, "loops that have ended count no more");
	tap_ok(m.error == -E2BIG, "the first error stays");
	arena_free(&arena);
}

/* A program that is right: a loop that adds two buffers' vectors, and one that requantises. */
struct rig {
	struct arena arena;
	struct mir m;
	int load, sum, store, quantise; /* items */
};

static void start(struct rig *r)
{
	struct mir_ref from, to;
	vreg params, x;
	int depth;

	*r = (struct rig){ .load = 0 };
	mir_init(&r->m, &r->arena);
	from = mir_ref(mir_buffer(&r->m, MIR_BUF_VALUE, "in", 1024), 0);
	to = mir_ref(mir_buffer(&r->m, MIR_BUF_VALUE, "out", 1024), 768);
	mir_node(&r->m, "node", NULL);
	params = mir_vreg3(&r->m);
	for (int i = 0; i < 3; i++)
		mir_load_part(&r->m, params, i, RONDO_OP_ldb_w, from, 64);
	depth = mir_loop(&r->m, 4);
	from.stride[depth] = 256;
	to.stride[depth] = -256;
	r->load = r->m.items;
	x = mir_load(&r->m, RONDO_OP_ld_w, from, 64);
	r->quantise = r->m.items;
	x = mir_requantise(&r->m, RONDO_OP_rq_f32, x, params);
	r->sum = r->m.items;
	x = mir_v2(&r->m, RONDO_OP_fadd, x, x);
	r->store = r->m.items;
	mir_store(&r->m, x, to, 64);
	mir_end(&r->m);
}

static void found(struct rig *r, const char *want, int item)
{
	const char *fault;
	int at, rc = mir_check(&r->m, &fault, &at);

	if (!tap_ok(want ? rc == -ENOTRECOVERABLE && !strcmp(fault, want) && at == item + 1 : !rc,
		    "%s", want ? want : "what is right is accepted"))
		printf("# %d %s at %d\n", rc, fault ? fault : "", at);
	arena_free(&r->arena);
}

static void test_check(void)
{
	struct rig r;

	start(&r);
	found(&r, NULL, 0);
	start(&r);
	r.m.item[r.load].ref.offset = 4;
	found(&r, "an access outside of its buffer", r.load);
	start(&r);
	r.m.item[r.load].ref.seg_len = 1;
	r.m.item[r.load].ref.seg_stride = 8;
	found(&r, "an access outside of its buffer", r.load);
	start(&r);
	r.m.item[r.store].ref.offset = 764;
	found(&r, "an access outside of its buffer", r.store);
	start(&r);
	r.m.buf[0].bytes = 1021; /* of bytes that are moved as containers */
	found(&r, NULL, 0);
	start(&r);
	r.m.buf[0].bytes = 1020;
	found(&r, "an access outside of its buffer", r.load);
	start(&r);
	r.m.item[r.store].ref.buf = 2;
	found(&r, "an access to no buffer", r.store);
	start(&r);
	r.m.item[r.store].ref.stride[1] = 4;
	found(&r, "a stride of a loop that is not open", r.store);
	start(&r);
	r.m.item[r.store].ref.row_stride[7] = 1;
	found(&r, "a stride of a loop that is not open", r.store);
	start(&r);
	r.m.item[r.quantise].a = r.m.item[r.sum].dst;
	found(&r, "a register that is read before it is written", r.quantise);
	start(&r);
	r.m.item[3].dst_part = 1;
	found(&r, "a register that is read before it is written", r.quantise);
	start(&r);
	r.m.item[3].dst_part = 3;
	found(&r, "a register of another width", 3);
	start(&r);
	r.m.item[r.quantise].params = r.m.item[r.load].dst;
	found(&r, "a register of another width", r.quantise);
	start(&r);
	r.m.item[r.load - 1].trip = 1;
	found(&r, "a loop of one trip, or too deep", r.load - 1);
	start(&r);
	r.m.items--;
	found(&r, "a loop without an end", r.m.items - 1);
	start(&r);
	mir_append(&r.m, MIR_END);
	found(&r, "an end of no loop", r.m.items - 1);
}

/* The operation that @store is of what @requantise makes, times 2^@left, of registers that exist.
 */
static enum rondo_opcode stored(enum rondo_opcode requantise, int left, enum rondo_opcode store,
				int *items)
{
	struct arena arena = { 0 };
	enum rondo_opcode op;
	struct mir m;
	vreg x, params;

	mir_init(&m, &arena);
	x = mir_movi(&m, 1);
	params = mir_vreg3(&m);
	*items = m.items;
	x = mir_requantise_left(&m, requantise, x, left, params);
	mir_store_as(&m, store, x, mir_ref(mir_buffer(&m, MIR_BUF_VALUE, "b", 64), 0), 16);
	op = m.item[m.items - 1].op.op;
	*items = m.items - *items;
	arena_free(&arena);
	return op;
}

static void test_stores(void)
{
	int n;

	tap_ok(stored(RONDO_OP_rq_fix_s8, 0, RONDO_OP_st_s8, &n) == RONDO_OP_strq_fix_s8 && n == 1,
	       "a store requantises");
	tap_ok(stored(RONDO_OP_rq_f32, 0, RONDO_OP_st_w, &n) == RONDO_OP_strq_f32 && n == 1,
	       "and of f32");
	tap_ok(stored(RONDO_OP_rq_fix_s8, 3, RONDO_OP_st_s8, &n) == RONDO_OP_st_s8 && n == 2,
	       "not what is shifted first");
	tap_ok(stored(RONDO_OP_rq_fix_s8, 0, RONDO_OP_st_w, &n) == RONDO_OP_st_w && n == 2,
	       "nor what is stored as another type");
}

int main(void)
{
	test_loops();
	test_stores();
	test_check();
	return tap_done();
}
