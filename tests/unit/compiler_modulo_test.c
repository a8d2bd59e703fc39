// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Modulo schedules: the interval of kernels for which the least one is known, and for random
 * kernels that a literal execution of their iterations finds no slot taken twice, no operand before
 * it has landed, and every register with the value that is meant.
 */
#include "compiler/modulo.h"
#include "core/machine.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <errno.h>
#include <string.h>

enum { LANES = 64, KERNELS = 400, BUNDLES_MAX = 1 << 15 };

static struct rondo_machine machine;
static u64 state;

struct rig {
	struct arena arena;
	struct mir m;
	mir_buf in, out;
	int first; /* item of the body */
	vreg last; /* virtual registers from here on are of the body */
	struct kernel k;
	struct kernel_schedule s;
	u64 rest;
};

static enum kernel_use all_local(const void *arg, vreg v)
{
	(void)arg;
	(void)v;
	return USE_LOCAL;
}

static void begin(struct rig *r)
{
	*r = (struct rig){ .arena = { 0 } };
	mir_init(&r->m, &r->arena);
	r->in = mir_buffer(&r->m, MIR_BUF_VALUE, "in", 1 << 16);
	r->out = mir_buffer(&r->m, MIR_BUF_VALUE, "out", 1 << 16);
}

/* The items from here on are the body of the kernel; loads and stores move by @stride. */
static struct mir_ref moving(struct rig *r, mir_buf buf, s64 offset)
{
	struct mir_ref ref = mir_ref(buf, offset);

	(void)r;
	ref.stride[0] = 1024;
	return ref;
}

static void open_body(struct rig *r)
{
	r->first = r->m.items;
	r->last = r->m.vregs;
}

static int schedule(struct rig *r, u64 trips, int registers)
{
	const struct kernel_context c = { &r->m, &machine, &r->arena, all_local, NULL };

	r->k = (struct kernel){ .op = &r->m.item[r->first], .ops = r->m.items - r->first };
	if (trips > 1)
		r->k.trips[r->k.dims++] = trips;
	return kernel_schedule(&c, &r->k, registers, &r->s, &r->rest);
}

static vreg load(struct rig *r, s64 offset)
{
	return mir_load(&r->m, RONDO_OP_ld_w, moving(r, r->in, offset), LANES);
}

static void store(struct rig *r, vreg v)
{
	mir_store(&r->m, v, moving(r, r->out, 0), LANES);
}

/* ---- Literal execution ------------------------------------------------------------------------
 */

/* What each register holds: which virtual register of which iteration, and when it has landed. */
struct held {
	vreg v;
	u64 iteration;
	u64 landed;
};

static int reg_of(const struct rig *r, vreg v, u64 iteration)
{
	for (int i = 0; i < r->s.values; i++) {
		const struct kernel_value *value = &r->s.value[i];

		if (value->v == v)
			return value->use == USE_LOCAL ?
				       value->reg[iteration % r->s.unroll % value->copies] :
				       100 + i;
	}
	return -1;
}

/* Operations of bundle @t: reads first, then writes. */
static bool execute_bundle(const struct rig *r, u64 t, u64 count, struct held held[256], bool write)
{
	u32 taken = 0;

	for (int i = 0; i < r->k.ops; i++) {
		const struct mir_item *op = &r->k.op[i];
		const vreg read[] = { op->a, op->b, op->c };
		u64 n = (t - r->s.at[i]) / r->s.interval;

		if (t < r->s.at[i] || (t - r->s.at[i]) % r->s.interval || n >= count)
			continue;
		if (taken >> r->s.slot[i] & 1 || !(rondo_ops[op->op.op].slots >> r->s.slot[i] & 1))
			return false;
		taken |= 1u << r->s.slot[i];
		for (int k = 0; k < 3 && !write; k++) {
			const struct held *h;

			if (read[k] == VREG_NONE || read[k] < r->last)
				continue;
			h = &held[reg_of(r, read[k], n)];
			if (h->v != read[k] || h->iteration != n || h->landed > t)
				return false;
		}
		if (!write || op->dst == VREG_NONE)
			continue;
		if (held[reg_of(r, op->dst, n)].landed > t)
			return false;
		held[reg_of(r, op->dst, n)] =
			(struct held){ op->dst, n, t + rondo_latency(&machine, op->op.op) };
	}
	return true;
}

static bool executes(const struct rig *r)
{
	static struct held held[256];
	u64 count = kernel_count(&r->k), end = (count - 1) * r->s.interval + 200;

	for (int i = 0; i < 256; i++)
		held[i] = (struct held){ VREG_NONE, 0, 0 };
	for (u64 t = 0; t < end; t++) {
		if (!execute_bundle(r, t, count, held, false) ||
		    !execute_bundle(r, t, count, held, true))
			return false;
	}
	return true;
}

/* ---- Known kernels ----------------------------------------------------------------------------
 */

static void expect(struct rig *r, u64 trips, u32 interval, const char *name)
{
	int rc = schedule(r, trips, RONDO_VREGS);

	if (!tap_ok(!rc && r->s.interval == interval && executes(r), "%s: an iteration every %u",
		    name, interval))
		printf("# %d, every %u\n", rc, r->s.interval);
	arena_free(&r->arena);
}

static void test_known(void)
{
	struct rig r;
	vreg x, sum;

	begin(&r);
	open_body(&r);
	store(&r, mir_v2(&r.m, RONDO_OP_fadd, load(&r, 0), load(&r, 256)));
	expect(&r, 64, 1, "two loads, a sum, a store");

	begin(&r);
	open_body(&r);
	x = mir_v2(&r.m, RONDO_OP_fadd, load(&r, 0), load(&r, 256));
	store(&r, mir_v2(&r.m, RONDO_OP_fadd, x, load(&r, 512)));
	expect(&r, 64, 2, "three loads");

	begin(&r);
	open_body(&r);
	x = load(&r, 0);
	for (int i = 0; i < 5; i++)
		x = mir_v2(&r.m, RONDO_OP_fmul, x, x);
	store(&r, x);
	expect(&r, 64, 3, "five products");

	begin(&r);
	open_body(&r);
	x = mir_v1(&r.m, RONDO_OP_fexp2, load(&r, 0));
	x = mir_v2(&r.m, RONDO_OP_fmul, x, x);
	x = mir_v1(&r.m, RONDO_OP_frcp, mir_v2(&r.m, RONDO_OP_fmul, x, x));
	store(&r, x);
	expect(&r, 64, 2, "two operations of V1 and two of either");

	begin(&r);
	sum = mir_movi(&r.m, 0);
	open_body(&r);
	mir_v2_into(&r.m, sum, RONDO_OP_fadd, load(&r, 0), sum);
	expect(&r, 64, 4, "a sum from iteration to iteration");

	begin(&r);
	sum = mir_movi(&r.m, 0);
	open_body(&r);
	mir_v2_into(&r.m, sum, RONDO_OP_add, load(&r, 0), sum);
	expect(&r, 64, 2, "one of two bundles");

	begin(&r);
	open_body(&r);
	x = load(&r, 0);
	mir_store(&r.m, x, moving(&r, r.in, 1024), LANES);
	expect(&r, 64, 4, "bytes that another iteration reads");

	begin(&r);
	open_body(&r);
	x = load(&r, 0);
	mir_store(&r.m, x, moving(&r, r.in, 256), LANES);
	expect(&r, 64, 1, "bytes of the same buffer that none reads");

	begin(&r);
	open_body(&r);
	x = load(&r, 0);
	mir_store(&r.m, x, moving(&r, r.in, 0), LANES);
	expect(&r, 64, 1, "bytes that only the same iteration reads");
}

/* Copies come out even with the trips, or some trips are left over. */
static void test_unroll(void)
{
	static const struct {
		u64 trips;
		u32 unroll;
		u64 rest;
	} cases[] = { { 28, 4, 0 }, { 25, 5, 0 },  { 7, 7, 0 },
		      { 64, 4, 0 }, { 113, 4, 1 }, { 2 * 113, 4, 2 } };
	struct rig r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&r);
		open_body(&r);
		store(&r, mir_v2(&r.m, RONDO_OP_fadd, load(&r, 0), load(&r, 256)));
		tap_ok(!schedule(&r, cases[i].trips, RONDO_VREGS) &&
			       r.s.unroll == cases[i].unroll && r.rest == cases[i].rest &&
			       r.k.trips[0] == cases[i].trips - cases[i].rest && executes(&r),
		       "%llu trips: unrolled by %u, %llu are left",
		       (unsigned long long)cases[i].trips, r.s.unroll, (unsigned long long)r.rest);
		arena_free(&r.arena);
	}
}

static int registers_of(const struct rig *r)
{
	int n = 0;

	for (int i = 0; i < r->s.regs; i++)
		n += r->s.reg[i].width;
	return n;
}

/* With fewer registers the interval grows, until there are too few even for one iteration. */
static void test_registers(void)
{
	u32 before = 0;
	bool good = true;
	int n;

	for (n = RONDO_VREGS; n > 0 && good; n--) {
		struct rig r;
		int rc;

		begin(&r);
		open_body(&r);
		store(&r, mir_v2(&r.m, RONDO_OP_fadd, load(&r, 0), load(&r, 256)));
		rc = schedule(&r, 64, n);
		if (rc == -EAGAIN) {
			arena_free(&r.arena);
			break;
		}
		good = !rc && registers_of(&r) <= n && r.s.interval >= before && executes(&r);
		before = r.s.interval;
		arena_free(&r.arena);
	}
	tap_ok(good && n == 1 && before > 1, "two registers suffice, at an interval of %u", before);
}

/* ---- Random kernels ---------------------------------------------------------------------------
 */

static void random_body(struct rig *r)
{
	static const enum rondo_opcode ops[] = { RONDO_OP_add, RONDO_OP_fadd, RONDO_OP_fdiv,
						 RONDO_OP_perm, RONDO_OP_fma };
	vreg live[24];
	int n = 0;

	live[n++] = load(r, 0);
	while (n < 24 && random_below(&state, 12)) {
		enum rondo_opcode op = ops[random_below(&state, 5)];
		vreg a = live[random_below(&state, n)], b = live[random_below(&state, n)];

		if (!random_below(&state, 3))
			live[n] = load(r, 256 * (1 + (s64)random_below(&state, 3)));
		else if (op == RONDO_OP_fma)
			live[n] = mir_v3(&r->m, op, a, b, live[random_below(&state, n)]);
		else
			live[n] = mir_v2(&r->m, op, a, b);
		n++;
	}
	store(r, live[n - 1]);
}

static void test_random(void)
{
	bool good = true;
	u32 seed;

	for (seed = 1; seed <= KERNELS && good; seed++) {
		struct rig r;
		int rc, registers;

		state = random_seed(seed);
		begin(&r);
		open_body(&r);
		random_body(&r);
		registers = 4 + (int)random_below(&state, 60);
		rc = schedule(&r, 1 + random_below(&state, 90), registers);
		good = rc == -EAGAIN ? registers < 24 :
				       !rc && registers_of(&r) <= registers && executes(&r);
		arena_free(&r.arena);
	}
	if (!tap_ok(good, "%d random kernels execute as they are meant", KERNELS))
		printf("# seed %u\n", seed - 1);
}

int main(void)
{
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	test_known();
	test_unroll();
	test_registers();
	test_random();
	return tap_done();
}
