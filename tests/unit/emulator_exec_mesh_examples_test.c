// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The programs of examples/mesh on a piece of the wafer, literally with all checks and in groups,
 * against plain C. Runs that end early. What the wafer needs of a host's memory.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "emulator/exec/mesh/mesh.h"
#include "tests/mesh_examples.h"
#include "tests/tap.h"
#include "tools/asm/asm.h"

static void examples(void)
{
	struct mesh_example_run run;
	u32 i, checks;

	for (i = 0; i < MESH_EXAMPLES; i++) {
		for (checks = 0; checks < 2; checks++) {
			const char *way = checks ? "literally, checked" : "in groups";

			if (!tap_ok(mesh_example(i, RONDO_MACHINE_patch, checks, &run),
				    "%s runs %s", mesh_example_names[i], way))
				printf("# %s\n", run.why);
			tap_ok(run.numbers && !run.wrong, "%s: all %llu numbers are those of C",
			       mesh_example_names[i], (unsigned long long)run.numbers);
		}
		printf("# %s: %llu cycles\n", mesh_example_names[i],
		       (unsigned long long)run.cycles);
	}
}

static void memory(void)
{
	struct host_memory host = { 400689ull * 32768, "the host" };
	char why[EXEC_REASON_BYTES] = "";
	struct rondo_machine wafer;

	rondo_machine_init(&wafer, RONDO_MACHINE_wafer);
	tap_ok(mesh_fits(&wafer, 32768, &host, why), "what is there is enough");
	host.bytes--;
	tap_ok(!mesh_fits(&wafer, 32768, &host, why), "one byte less is not");
	host.bytes = 1ull << 30;
	tap_ok(!mesh_fits(&wafer, 32768, &host, why), "a host with too little memory");
	tap_ok(!strcmp(why, "633 x 633 tiles of this program need 12.2 GiB, the host has 1.0 GiB: "
			    "181 x 181 would fit"),
	       "is told what is needed and what would fit");
	printf("# %s\n", why);
}

/*
 * v0 is written before it is read and dead where tiles meet. v3 and v7 are carried around the loop,
 * v5 comes from another tile, and a write under a mask leaves the rest of v6 as it was.
 */
static const char kept_text[] = "machine patch\n"
				"entry low base=1024\n"
				"entry high base=20000\n"
				"\tmovi v3, 1 | movi v6, 1\n"
				"\tmovi v7, 1\n"
				"\tnop\n"
				"\tloop1 3 {\n"
				"\tld.w v0, low | add v3, v3, v7\n"
				"\tnop\n"
				"\tnop\n"
				"\tnop\n"
				"\tadd v3, v3, v0\n"
				"\tnop\n"
				"\tnop\n"
				"\tmv.n v5, v3\n"
				"\tnop\n"
				"\tnop\n"
				"\tnop\n"
				"\tmovi v6, 2 | mask 0..3, 0..5\n"
				"\tnop\n"
				"\tst.w high, v5\n"
				"\tst.w high+32, v6 | movi v7, 2\n"
				"\tnop\n"
				"\t}\n"
				"\thalt\n";

/* What of a program's state is kept for all tiles, and what it needs of the host. */
static void kept(void)
{
	char why[EXEC_REASON_BYTES] = "it does not assemble";
	struct exec_program *program = NULL;
	const struct mesh_program *mp;
	struct rondo_machine patch;
	struct asm_errors errors;
	void *bytes = NULL;
	u64 size, local = 0;
	u32 at;

	rondo_machine_init(&patch, RONDO_MACHINE_patch);
	if (!tap_ok(!asm_assemble(kept_text, &bytes, &size, &errors) &&
			    !exec_load(&program, &executor_mesh, &patch, bytes, size, NULL, why),
		    "a program with registers of all kinds: %s", why))
		return;
	mp = program->own;
	for (at = 0; at < program->bundles; at++)
		local |= mp->segment[mp->segment_at[at]].local;
	tap_eq(local, 1, "of its registers v0 alone is kept for no tile");
	tap_ok(mp->window.lo == 1024 && mp->window.hi == 20000 + 64,
	       "of its SRAM what lies between the ends of what it touches");
	tap_ok(!mp->dense, "which is more than the pages that it touches");
	/* Two pages; four registers, and one more for what moves between tiles. */
	tap_eq(mp->tile_bytes, 2 * 4096 + 5 * 32, "bytes of a tile");
	exec_unload(program);
	free(bytes);
}

/* Slots of zeros, of which number @bad is not there. */
struct zeros {
	u32 bad;
	atomic_bool stop;
};

static bool read_zeros(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct zeros *z = ctx;

	(void)offset;
	memset(to, 0, size);
	return slot != z->bad;
}

static bool write_zeros(void *ctx, u32 slot, u64 offset, const void *from, u64 size)
{
	struct zeros *z = ctx;

	(void)offset, (void)from, (void)size;
	return slot != z->bad;
}

/* Loops with and without meetings, on many tiles; slot 0 comes in, slot 1 goes out. */
static const char ends_text[] = "machine patch\n"
				"slot in\n"
				"slot out\n"
				"desc load in in row=64 slot_x=64 slot_y=704 tiles=0..10,0..5\n"
				"desc store out out row=64 slot_x=64 slot_y=704 tiles=0..10,0..5\n"
				"entry e\n"
				"dma c0, load\n"
				"wait c0<=0\n"
				"loop1 5 {\n"
				"ld.w v0, e\n"
				"loop 3, 4 {\n"
				"nop\n"
				"}\n"
				"mv.n v1, v0\n"
				"nop\n"
				"nop\n"
				"nop\n"
				"st.w e, v1\n"
				"}\n"
				"dma c0, store\n"
				"halt c0<=0\n";

struct ends {
	struct exec *exec;
	struct exec_program *program;
	u64 cycles;
};

static enum exec_status end_of(const struct ends *ends, u32 bad, bool stop, u64 bound, bool checks,
			       u64 *cycles)
{
	struct zeros z = { .bad = bad, .stop = stop };
	const struct exec_io io = { read_zeros, write_zeros, &z };
	const struct exec_control control = { .bound = bound, .stop = &z.stop, .checks = checks };
	struct exec_result result;

	exec_run(ends->exec, ends->program, &io, &control, &result);
	*cycles = result.cycles;
	return result.status;
}

/* Pages of the tiles' state that exist. */
static size_t resident(const struct mesh *m)
{
	size_t pages = (m->bytes + 4095) / 4096, count = 0, i;
	unsigned char *is = malloc(pages);

	if (!is || mincore(m->memory, m->bytes, is))
		exit(EXIT_FAILURE);
	for (i = 0; i < pages; i++)
		count += is[i] & 1;
	free(is);
	return count;
}

/* Both ways end alike at every bound, when the host refuses a slot, and when told to stop. */
static void early_ends(void)
{
	u32 checks, wrong = 0;
	char why[EXEC_REASON_BYTES] = "";
	struct rondo_machine patch;
	struct asm_errors errors;
	struct ends ends = { 0 };
	void *bytes = NULL;
	u64 size, bound, took;

	rondo_machine_init(&patch, RONDO_MACHINE_patch);
	ends.exec = exec_create(&executor_mesh, &patch);
	if (!tap_ok(ends.exec && !asm_assemble(ends_text, &bytes, &size, &errors) &&
			    !exec_load(&ends.program, &executor_mesh, &patch, bytes, size, NULL,
				       why),
		    "a program that may end early"))
		return;
	ends.cycles = ((const struct rondo_program_header *)bytes)->cycles;
	for (checks = 0; checks < 2; checks++) {
		for (bound = 0; bound < ends.cycles; bound += 1 + bound / 64)
			wrong += end_of(&ends, 9, false, bound, checks, &took) != EXEC_OVERRUN ||
				 took != bound;
		tap_eq(wrong, 0, "bounds below the cycles that are not kept");
		tap_eq(end_of(&ends, 9, false, ends.cycles, checks, &took), EXEC_DONE,
		       "the exact bound is enough");
		tap_eq(took, ends.cycles, "and the cycles are exact");
		if (!checks)
			tap_eq(resident(ends.exec->own), 0,
			       "what the tiles held is the host's again");
		tap_eq(end_of(&ends, 0, false, ends.cycles, checks, &took), EXEC_DMA_ERROR,
		       "a slot that cannot be read");
		tap_eq(end_of(&ends, 1, false, ends.cycles, checks, &took), EXEC_DMA_ERROR,
		       "a slot that cannot be written");
		tap_eq(end_of(&ends, 9, true, ends.cycles, checks, &took), EXEC_ABORTED,
		       "a run that is told to stop");
	}
	exec_unload(ends.program);
	exec_destroy(ends.exec);
	free(bytes);
}

/* Whether flipping bit 6 of the first address shows in the signature of a run on @id. */
static bool flip_shows(enum rondo_machine_id id, u64 flip)
{
	const struct exec_control control = { .bound = UINT64_MAX, .flip = flip, .flip_bit = 6 };
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	struct exec_program *program = NULL;
	struct exec_result result = { 0 };
	char text[128], why[EXEC_REASON_BYTES];
	struct rondo_machine machine;
	struct asm_errors errors;
	const struct executor *x;
	void *bytes = NULL;
	struct exec *e;
	u64 size = 0;

	rondo_machine_init(&machine, id);
	x = executor_for(&machine, EXECUTOR_BEST);
	e = exec_create(x, &machine);
	snprintf(text, sizeof(text), "machine %s\nentry e\n\tld.w v0, e\n\thalt\n",
		 rondo_machine_name(id));
	if (tap_ok(e && !asm_assemble(text, &bytes, &size, &errors) &&
			   !rondo_verify_run(v, &machine, bytes, size, 0, NULL, NULL)->code &&
			   !exec_load(&program, x, &machine, bytes, size, rondo_verify_facts(v),
				      why),
		   "a load on %s", rondo_machine_name(id))) {
		exec_run(e, program, NULL, &control, &result);
		tap_eq(result.status, EXEC_DONE, "runs to its end");
	}
	flip = result.signature != rondo_verify_facts(v)->signature;
	exec_unload(program);
	exec_destroy(e);
	free(bytes);
	free(v);
	return flip;
}

static void flips(void)
{
	tap_ok(!flip_shows(RONDO_MACHINE_patch, 0), "as it should, without a fault");
	tap_ok(flip_shows(RONDO_MACHINE_patch, 1), "a flipped bit of an address shows");
	tap_ok(!flip_shows(RONDO_MACHINE_wafer, 1), "and is ignored above 128 tiles");
}

int main(void)
{
	examples();
	early_ends();
	memory();
	kept();
	flips();
	return tap_done();
}
