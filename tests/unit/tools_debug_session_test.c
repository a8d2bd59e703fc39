// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The debugger's positions: going to a cycle and back is going there directly, whatever the way
 * and however little memory checkpoints have; what is said of transfers comes true; a run that
 * fails has an end like any other; and no bytes crash it.
 */
#include "tests/unit/tools_debug_rig.h"
#include "tools/debug/print.h"

enum { CYCLES_MAX = 1 << 14, JUMPS = 40, MUTANTS = 150 };

static u64 hashes[CYCLES_MAX];

/* The hash before every @every-th cycle on the way from the start to the end. */
static u64 walk(struct session *s, u32 every)
{
	u64 start = s->start;

	session_goto(s, start);
	do {
		u64 now = session_now(s);

		if (now < CYCLES_MAX && (now - start) % every == 0)
			hashes[now] = session_hash(s);
	} while (session_step(s, NULL, NULL));
	return s->end;
}

/* Jumps to and fro; every position must look as it did on the way. */
static u32 jump(struct session *s, u32 every, u64 end, u32 jumps)
{
	u64 state = random_seed(1);
	u32 wrong = 0, i;

	for (i = 0; i < jumps; i++) {
		u64 cycle = s->start + random_below(&state, end - s->start + 1) / every * every;

		wrong += !session_goto(s, cycle) || session_now(s) != cycle;
		wrong += session_hash(s) != hashes[cycle];
	}
	return wrong;
}

static void jumps(const char *name, u32 every)
{
	struct debug_rig r;
	u64 end;

	if (debug_rig_open(&r, name, 1) && debug_rig_start(&r)) {
		end = walk(r.session, every);
		tap_ok(end == r.session->facts.cycles && end < CYCLES_MAX,
		       "%s: the end is where the verifier says", name);
		tap_ok(!jump(r.session, every, end, JUMPS),
		       "%s: going there and back is going there", name);
		session_destroy(r.session);
		r.source.memory = 0;
		if (debug_rig_start(&r)) {
			tap_ok(!jump(r.session, every, end, JUMPS / 4) &&
				       r.session->checkpoints <= 4,
			       "%s: with as few checkpoints as can be", name);
		}
	}
	debug_rig_fini(&r);
}

/* As many checkpoints as memory has room for, within limits. */
static void memory(void)
{
	static const struct {
		u64 states; /* that fit into memory */
		s64 more; /* bytes */
		u32 checkpoints;
	} rows[] = {
		{ 0, 0, 4 },	   { 4, 0, 4 },	      { 5, -1, 4 },	 { 5, 0, 5 },
		{ 9, -1, 8 },	   { 9, 1, 9 },	      { 1000, 0, 1000 }, { 4096, -1, 4095 },
		{ 4096, 0, 4096 }, { 4097, 0, 4096 },
	};
	struct debug_rig r;
	u64 state = 0;

	if (!debug_rig_open(&r, "vector_add", 1) || !debug_rig_start(&r))
		goto out;
	state = r.session->state_bytes;
	for (u32 i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		session_destroy(r.session);
		r.source.memory = rows[i].states * state + (u64)rows[i].more;
		if (!debug_rig_start(&r))
			goto out;
		tap_eq(r.session->checkpoints_max, rows[i].checkpoints, "checkpoints of a memory");
	}
out:
	debug_rig_fini(&r);
}

/* All cycles of a short program, each from the one after it. */
static void every_cycle(void)
{
	struct debug_rig r;
	u32 wrong = 0;
	u64 cycle;

	if (debug_rig_open(&r, "vector_add", 1) && debug_rig_start(&r)) {
		cycle = walk(r.session, 1);
		while (cycle-- > r.session->start) {
			session_goto(r.session, cycle);
			wrong += session_hash(r.session) != hashes[cycle];
		}
		tap_eq(wrong, 0, "backwards through every cycle of vector_add");
		tap_ok(hashes[300] != hashes[301] && hashes[10] != hashes[11],
		       "states differ from cycle to cycle");
	}
	debug_rig_fini(&r);
}

/* In every cycle the end that is announced for each transfer is the one that comes. */
static void transfers(const char *name)
{
	u64 promised[RONDO_DMA_CHANNELS] = { 0 };
	u32 before[RONDO_DMA_CHANNELS] = { 0 }, wrong = 0, ends = 0, c, i;
	struct debug_rig r;

	if (!debug_rig_open(&r, name, 1) || !debug_rig_start(&r))
		goto out;
	do {
		for (c = 0; c < RONDO_DMA_CHANNELS; c++) {
			u32 now = r.session->reference->channel[c].outstanding;

			if (now < before[c]) {
				ends++;
				wrong += promised[c] != session_now(r.session);
			}
			for (i = 0; i < now; i++)
				wrong += print_transfer_end(r.session, c, i) <=
					 session_now(r.session);
			promised[c] = now ? print_transfer_end(r.session, c, 0) : 0;
			before[c] = now;
		}
	} while (session_step(r.session, NULL, NULL));
	tap_ok(!wrong && ends, "%s: the ends announced for %u transfers are right", name, ends);
out:
	debug_rig_fini(&r);
}

static void trap(void)
{
	/* v0 is read while it is in flight, in cycle 3. */
	static const char text[] = "machine edge\ncycles 5\n"
				   "\tmovi v1, 1\n\tnop\n\tmovi v0, 2\n\tmov v2, v0\n\thalt\n";
	char why[SESSION_WHY_BYTES] = "";
	struct debug_rig r;
	u64 hash;

	if (debug_rig_assemble(&r, text, 1)) {
		tap_ok(!session_create(&r.source, why) && strstr(why, "refused: bundle 3") &&
			       strstr(why, "in flight"),
		       "a program that is refused is not run: %s", why);
		r.source.unverified = true;
	}
	if (r.bytes && debug_rig_start(&r)) {
		session_goto(r.session, 3);
		hash = session_hash(r.session);
		tap_ok(!session_at_end(r.session), "before the cycle that fails it is not known");
		tap_ok(!session_step(r.session, NULL, NULL) && session_at_end(r.session) &&
			       r.session->status == EXEC_TRAP && session_now(r.session) == 3,
		       "the run ends before it: %s", r.session->reason);
		tap_ok(session_hash(r.session) == hash, "with the state before it");
		session_goto(r.session, 1);
		session_goto(r.session, 1000);
		tap_ok(session_now(r.session) == 3 && session_hash(r.session) == hash,
		       "also when one comes back");
	}
	debug_rig_fini(&r);
}

/* A run without end stops at its bound. */
static void bound(void)
{
	static const char text[] = "machine edge\ncycles 1\n"
				   "\tloop 10000 {\n\tnop\n\t}\n\thalt\n";
	struct debug_rig r;

	if (debug_rig_assemble(&r, text, 1)) {
		r.source.unverified = true;
		r.source.bound = 5000;
		if (debug_rig_start(&r)) {
			session_goto(r.session, UINT64_MAX);
			tap_ok(r.session->status == EXEC_OVERRUN && session_now(r.session) == 5000,
			       "an unverified run ends at its bound");
		}
	}
	debug_rig_fini(&r);
}

/* Everything that there is to print. */
static void print_all(FILE *out, const struct session *s)
{
	print_where(out, s);
	print_bundles(out, s, 0, ~0u);
	print_loops(out, s);
	print_dma(out, s);
	print_slots(out, s);
	print_regions(out, s);
	print_registers(out, s);
	print_register_values(out, s, 0, 0, RONDO_VREGS - 1, PRINT_BF16);
}

/* Programs with flipped bits: refused, or run to an end that can be left again. */
static void mutants(void)
{
	u32 refused = 0, ran = 0, wrong = 0, i;
	u64 state = random_seed(7);
	FILE *out = fopen("/dev/null", "w");
	struct debug_rig r;
	u8 *whole;

	if (!debug_rig_open(&r, "vector_add", 1))
		return;
	whole = malloc(r.size);
	memcpy(whole, r.bytes, r.size);
	r.source.unverified = true;
	r.source.bound = 1000;
	r.source.memory = 0;
	for (i = 0; i < MUTANTS; i++) {
		char why[SESSION_WHY_BYTES];
		u64 hash;

		memcpy(r.bytes, whole, r.size);
		((u8 *)r.bytes)[random_below(&state, r.size)] ^= 1 << random_below(&state, 8);
		r.session = session_create(&r.source, why);
		if (!r.session) {
			refused++;
			continue;
		}
		session_goto(r.session, UINT64_MAX);
		wrong += !session_at_end(r.session);
		hash = session_hash(r.session);
		print_all(out, r.session);
		session_goto(r.session, r.session->end / 2);
		print_all(out, r.session);
		session_goto(r.session, UINT64_MAX);
		wrong += hash != session_hash(r.session);
		session_destroy(r.session);
		r.session = NULL;
		ran++;
	}
	tap_ok(!wrong && ran > MUTANTS / 2, "%u damaged programs run to an end, %u do not begin",
	       ran, refused);
	free(whole);
	fclose(out);
	debug_rig_fini(&r);
}

int main(void)
{
	every_cycle();
	memory();
	jumps("vector_add", 7);
	jumps("matmul", 50);
	jumps("dma_patterns", 13);
	jumps("softmax", 50);
	jumps("requantise", 50);
	transfers("vector_add");
	transfers("matmul");
	transfers("dma_patterns");
	trap();
	bound();
	mutants();
	return tap_done();
}
