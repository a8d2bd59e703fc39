// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo verify: what the kernel would say of a program, and what is known of every run. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/energy.h"
#include "core/machine.h"
#include "core/verify.h"
#include "tools/options.h"
#include "tools/rondo.h"
#include "tools/source.h"
#include "tools/verify_regions.h"

struct verify_command {
	const struct rondo_machine *on; /* NULL: the one that the program was made for */
	struct rondo_machine machine;
	u64 budget; /* 0: none */
	bool regions;
};

static int take(void *context, enum option_id id, char *argument);

static const struct command command = {
	.name = "verify",
	.usage = "verify FILE [OPTION]...",
	.about = "Proves the program in a .rnd file, or a bare program, as the kernel does, and "
		 "prints its\n"
		 "exact cycles, its energy, and what it touches of each slot. Exit status 1: "
		 "refused.\n",
	.take = take,
	.takes = { [OPTION_MACHINE] = true, [OPTION_BUDGET] = true, [OPTION_REGIONS] = true },
};

static int take(void *context, enum option_id id, char *argument)
{
	struct verify_command *c = context;

	if (id == OPTION_BUDGET)
		return option_number(id, argument, 1, UINT64_MAX, "a number of cycles", &c->budget);
	if (id == OPTION_REGIONS) {
		c->regions = true;
		return STATUS_OK;
	}
	c->on = &c->machine;
	return find_machine(argument, &c->machine) ? STATUS_OK : STATUS_USAGE;
}

static int refused(const char *path, const struct rondo_verdict *verdict)
{
	char text[RONDO_VERDICT_TEXT_BYTES];

	rondo_verdict_text(verdict, text, sizeof(text));
	return fail(path, "refused: %s", text);
}

static void print_slots(const struct rondo_program *p)
{
	u32 i;

	for (i = 0; i < p->header->slots; i++) {
		const struct rondo_slot *slot = &p->slots[i];

		printf("slot %-3u         reads [%" PRIu64 ", %" PRIu64 "), writes [%" PRIu64
		       ", %" PRIu64 "), aligned to %u%s\n",
		       i, slot->read_lo, slot->read_hi, slot->write_lo, slot->write_hi, slot->align,
		       slot->flags & RONDO_SLOT_DYNAMIC ? ", dynamic" : "");
	}
}

static void print_facts(const struct rondo_machine *machine, const struct rondo_program *p,
			const struct rondo_facts *facts)
{
	struct rondo_activity activity = {};
	struct rondo_energy energy;
	double total;
	u32 i;

	rondo_count_activity(machine, p, rondo_cleared_bytes(facts), &activity);
	energy = rondo_energy_of(machine, &activity);
	total = (double)energy.compute_fj + energy.movement_fj;
	printf("cycles           %" PRIu64 " (%.1f us at %u MHz)\n", facts->cycles,
	       facts->cycles * 1e3 / machine->clock_khz, machine->clock_khz / 1000);
	printf("energy           %.3f uJ: compute %.0f %%, movement %.0f %%\n", total * 1e-9,
	       total ? energy.compute_fj / total * 100 : 0,
	       total ? energy.movement_fj / total * 100 : 0);
	printf("signature        %016" PRIx64 "\n", facts->signature);
	printf("bundles          %u, %" PRIu64 " executed\n", p->header->bundles, activity.bundles);
	printf("multiply-adds    %" PRIu64 "\n",
	       activity.macs_f32 + activity.macs_bf16 + activity.macs_s8);
	printf("DMA bytes        %" PRIu64 " in, %" PRIu64 " out\n", activity.dma_in,
	       activity.dma_out);
	for (i = 0; i < facts->clear_count; i++)
		printf("cleared before   [%u, %u) of SRAM\n", facts->clear[i].lo,
		       facts->clear[i].hi);
	print_slots(p);
}

/* What the program was made for; edge if that is not a machine, for the verifier to say so. */
static struct rondo_machine machine_of(const void *program, size_t size)
{
	struct rondo_machine machine;
	struct rondo_program p;
	u32 id = RONDO_MACHINES;

	if (!rondo_program_open(&p, program, size))
		id = rondo_machine_find(p.header->machine_hash);
	rondo_machine_init(&machine, id < RONDO_MACHINES ? id : RONDO_MACHINE_edge);
	return machine;
}

/* @machine: NULL is the one that the program was made for. */
static int verify(const char *path, const struct rondo_machine *machine, u64 budget, bool regions)
{
	const struct rondo_verdict *verdict;
	struct rondo_machine made_for;
	struct rondo_program p;
	struct rondo_verify *v;
	void *program;
	size_t size;
	int status;

	status = source_program(path, &program, &size);
	if (status)
		return status;
	v = malloc(RONDO_VERIFY_BYTES);
	if (!v) {
		free(program);
		return fail(path, "no memory");
	}
	made_for = machine_of(program, size);
	machine = machine ? machine : &made_for;
	verdict = rondo_verify_run(v, machine, program, size, budget, NULL, NULL);
	if (verdict->code || rondo_program_open(&p, program, size)) {
		status = refused(path, verdict);
	} else {
		printf("%s: accepted\n", path);
		print_facts(machine, &p, rondo_verify_facts(v));
		if (regions)
			status = verify_print_regions(path, machine, &p, rondo_verify_facts(v));
	}
	free(v);
	free(program);
	return status;
}

int cmd_verify(int argc, char **argv)
{
	struct verify_command c = {};
	int first, status;

	if (!options_read(&command, argc, argv, &c, &first, &status))
		return status;
	if (first != argc - 1)
		return usage("expected one file");
	return verify(argv[first], c.on, c.budget, c.regions);
}
