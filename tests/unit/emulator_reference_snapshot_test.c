// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The reference by cycles: stepping is running, a saved state leads to the same end, and who
 * watches sees every access in the cycle where it happens.
 */
#include "emulator/reference/reference.h"
#include "tests/unit/exec_rig.h"

static const char text[] = "machine edge\n"
			   "slot a\n"
			   "slot b\n"
			   "desc in in a row=256 sram=0\n"
			   "desc out out b row=256 sram=512\n"
			   "entry x base=0\n"
			   "entry y base=512\n"
			   "\tdma c0, in\n"
			   "\tmovi v1, 5 | wait c0<=0\n"
			   "\tld.w v0, x\n"
			   "\twl.w w0.0, x\n"
			   "\tpush.f32 a3, x, w0.0, write, 1\n"
			   "\tloop 8 {\n"
			   "\t\tadd v2, v0, v1\n"
			   "\t\tnop\n"
			   "\t\tnop\n"
			   "\t\tnop\n"
			   "\t}\n"
			   "\tst.w y, v2\n"
			   "\tdma c1, out\n"
			   "\thalt c1<=0\n";

enum { CYCLES_MAX = 1000, ACCESSES_MAX = 4096 };

struct seen {
	u64 cycle;
	struct reference_access access;
};

struct test {
	struct rig rig;
	struct rondo_facts facts;
	struct reference *reference;
	struct reference_result result;
	struct exec_io io;
	u32 count;
	struct seen seen[ACCESSES_MAX];
};

static void see(void *ctx, const struct reference_access *access)
{
	struct test *t = ctx;

	if (t->count < ACCESSES_MAX)
		t->seen[t->count++] = (struct seen){ t->result.cycles, *access };
}

static bool begin(struct test *t)
{
	return reference_begin(t->reference, t->rig.bytes, t->rig.size, &t->facts, &t->io,
			       t->facts.cycles + 1, &t->result);
}

/* Runs it and watches; returns how many cycles there are. */
static u32 run_watched(struct test *t)
{
	u32 count = 0;
	bool goes_on = begin(t);

	reference_watch(t->reference, see, t);
	for (; goes_on && count < CYCLES_MAX; goes_on = reference_step(t->reference))
		count++;
	reference_watch(t->reference, NULL, NULL);
	return count;
}

/* Runs to the end from each cycle, and goes back there. */
static void restore_all(struct test *t, u32 count)
{
	void *saved = malloc(reference_state_bytes(t->reference));
	bool goes_on = begin(t);
	u32 i, wrong = 0;

	for (i = 0; goes_on && i < count; i++) {
		reference_save(t->reference, saved);
		memset(t->rig.slot[1], 0, 256);
		while (reference_step(t->reference))
			;
		wrong += t->result.status != EXEC_DONE || t->result.cycles != t->facts.cycles;
		/* Once the transfer out has begun, its first bytes are in the slot already. */
		if (i + 8 < count)
			wrong += t->rig.slot[1][0] != 5 + 0x40;
		reference_restore(t->reference, saved);
		goes_on = reference_step(t->reference);
	}
	free(saved);
	tap_ok(i == count && !goes_on && !wrong,
	       "from the state before each cycle the run ends in the same way");
}

/* The one access of this kind. */
static const struct seen *find(const struct test *t, enum reference_space space, bool write, u64 at)
{
	const struct seen *found = NULL;
	u32 i;

	for (i = 0; i < t->count; i++)
		if (t->seen[i].access.space == space && t->seen[i].access.write == write &&
		    t->seen[i].access.at == at && (!found || space != REFERENCE_SRAM))
			found = &t->seen[i];
	return found;
}

static void watched(const struct test *t)
{
	const struct seen *row = find(t, REFERENCE_ACCUMULATOR, true, 3);
	const struct seen *weight = find(t, REFERENCE_WEIGHT, true, 0);
	const struct seen *load = find(t, REFERENCE_REGISTER, true, 0);
	const struct seen *store = find(t, REFERENCE_SRAM, true, 512);
	const struct seen *out = find(t, REFERENCE_SLOT, true, 192);

	tap_ok(t->seen[0].cycle > 200 && t->seen[0].access.space == REFERENCE_SRAM &&
		       t->seen[0].access.write && t->seen[0].access.count == 64 &&
		       t->seen[1].access.space == REFERENCE_SLOT && !t->seen[1].access.write,
	       "the first access is DMA's, from slot to SRAM, after its start-up");
	tap_ok(weight && row && row->cycle == weight->cycle + 1,
	       "a push writes its row in the cycle after the load of its weights");
	tap_ok(load && weight && load->cycle == weight->cycle + 1,
	       "a load of latency 3 that is issued one cycle before lands two cycles later");
	tap_ok(store && store->access.count == 4, "a store is seen element by element");
	tap_ok(out && out->cycle + 2 == t->facts.cycles, "the last bytes leave before halt");
	tap_ok(find(t, REFERENCE_REGISTER, false, 2), "reads of registers are seen");
}

int main(void)
{
	static struct test t;
	u32 count;

	rig_init(&t.rig, text);
	if (!t.rig.program || !rig_verify(&t.rig, &t.facts))
		return EXIT_FAILURE;
	memset(rig_slot(&t.rig, 0, 256), 0x40, 256);
	rig_slot(&t.rig, 1, 256);
	t.reference = reference_create(&t.rig.machine);
	t.io = (struct exec_io){ rig_read, rig_write, &t.rig };

	count = run_watched(&t);
	tap_eq(t.result.status, EXEC_DONE, "stepping reaches halt");
	tap_eq(t.result.cycles, t.facts.cycles, "in the promised cycles");
	tap_eq(t.rig.slot[1][0], 0x45, "with the right result");
	watched(&t);
	restore_all(&t, count);

	reference_destroy(t.reference);
	rig_fini(&t.rig);
	return tap_done();
}
