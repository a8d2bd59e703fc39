// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/verify_regions.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/energy.h"
#include "spec/limits.h"
#include "tools/region_time.h"
#include "tools/rondo.h"
#include "tools/source.h"

/* Prints nothing where no energy is spent. */
static void print_energy(const struct rondo_machine *machine, const struct rondo_activity *a)
{
	struct rondo_energy e = rondo_energy_of(machine, a);

	if (e.compute_fj)
		printf("       compute  %12.6f uJ: %" PRIu64 " multiply-adds, %" PRIu64
		       " vector lanes\n",
		       e.compute_fj * 1e-9, a->macs_f32 + a->macs_bf16 + a->macs_s8,
		       a->vector_lanes);
	if (e.movement_fj)
		printf("       movement %12.6f uJ: %" PRIu64 " bytes of SRAM, %" PRIu64
		       " of DMA, %" PRIu64 " over the mesh, %" PRIu64 " bundles fetched\n",
		       e.movement_fj * 1e-9, a->sram_read + a->sram_written + a->sram_cleared,
		       a->dma_in + a->dma_out, a->mesh_hops, a->fetched);
}

static void print_cycles(const char *name, u64 cycles)
{
	printf("region %-24s %12" PRIu64 " cycles", name, cycles);
}

static void print_region(const struct rondo_machine *machine, const char *name,
			 const struct region_time *t, const struct rondo_activity *activity)
{
	u64 cycles = t->bundles;
	u32 ch;

	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
		cycles += t->wait[ch] + t->full[ch];
	print_cycles(name, cycles);
	printf(", %12" PRIu64 " bundles, waits", t->bundles);
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
		printf(" %" PRIu64, t->wait[ch]);
	printf(", full");
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
		printf(" %" PRIu64, t->full[ch]);
	printf("\n");
	print_energy(machine, activity);
}

static void print_clearing(const struct rondo_machine *machine, const struct rondo_facts *facts)
{
	struct rondo_activity activity = {
		.sram_cleared = (u64)machine->mesh_w * machine->mesh_h * rondo_cleared_bytes(facts),
	};

	print_cycles("(clearing)", rondo_clear_cycles(machine, facts));
	printf("\n");
	print_energy(machine, &activity);
}

static int print_all(const struct accel_model *model, const struct rondo_machine *machine,
		     const struct rondo_program *p)
{
	u32 count = accel_model_region_count(model), i;
	u32 *region_of = malloc(p->header->bundles * sizeof(*region_of));
	struct region_time *time = calloc(count + 1ull, sizeof(*time));
	struct rondo_activity *activity = calloc(count + 1ull, sizeof(*activity));
	struct accel_region region;
	bool good = region_of && time && activity;

	if (good) {
		source_regions(model, region_of, p->header->bundles);
		region_activities(machine, p, region_of, count + 1, activity);
		good = !region_times(machine, p, region_of, count + 1, time);
	}
	for (i = 0; good && !accel_model_region(model, i, &region); i++)
		print_region(machine, region.name, &time[i], &activity[i]);
	if (good)
		print_region(machine, "(none)", &time[count], &activity[count]);
	free(activity);
	free(time);
	free(region_of);
	return good ? STATUS_OK : STATUS_FAILED;
}

int verify_print_regions(const char *path, const struct rondo_machine *machine,
			 const struct rondo_program *p, const struct rondo_facts *facts)
{
	struct model_options none;
	struct source source;
	int status;

	/* Regions are measured by stepping through the run: with more cycles that does not end. */
	if (facts->cycles > RONDO_CYCLES_MAX)
		return fail(path, "it is longer than a device allows: no time for its regions");
	model_options_init(&none);
	status = source_load(path, &none, &source);
	if (status)
		return status;
	print_clearing(machine, facts);
	status = print_all(source.model, machine, p);
	if (status)
		fail(path, "no memory");
	source_free(&source);
	return status;
}
