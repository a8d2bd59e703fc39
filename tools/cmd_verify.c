// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo verify: what the kernel would say of a program, and what is known of every run. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/energy.h"
#include "core/machine.h"
#include "core/verify.h"
#include "tools/rondo.h"
#include "tools/source.h"
#include "tools/verify_regions.h"

static const char help[] =
	"usage: rondo verify FILE [OPTION]...\n\n"
	"Proves the program in a .rnd file, or a bare program, as the kernel does, and prints its\n"
	"exact cycles, its energy, and what it touches of each slot. Exit status 1: refused.\n\n"
	"      --machine NAME  the machine it shall run on (default: what it was made for)\n"
	"      --budget N      refuse a program of more cycles\n"
	"      --regions       also each region of a .rnd file, and what is cleared before them:\n"
	"                      cycles, which are bundles and stalls of waits and of starts on a\n"
	"                      full channel (those of channels 0..3), energy, and what it is for;\n"
	"                      their sums are the program's\n";

enum { OPT_MACHINE = 256, OPT_BUDGET, OPT_REGIONS };

static const struct option options[] = {
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "budget", required_argument, NULL, OPT_BUDGET },
	{ "regions", no_argument, NULL, OPT_REGIONS },
	OPTION_HELP,
	{},
};

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

/* What the program was made for; edge if that is no machine, for the verifier to say so. */
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
	const struct rondo_machine *on = NULL;
	struct rondo_machine machine;
	bool regions = false;
	u64 budget = 0;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case OPT_MACHINE:
			if (!find_machine(optarg, &machine))
				return STATUS_USAGE;
			on = &machine;
			break;
		case OPT_BUDGET:
			budget = strtoull(optarg, &end, 10);
			if (*end || !budget)
				return usage(argv[0], "--budget wants a number of cycles");
			break;
		case OPT_REGIONS:
			regions = true;
			break;
		default:
			return option_other(c, argv[0], help);
		}
	}
	if (optind != argc - 1)
		return usage(argv[0], "it wants one file");
	return verify(argv[optind], on, budget, regions);
}
