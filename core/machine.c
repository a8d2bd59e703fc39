// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/machine.h"
#include "core/text.h"

#include "core/fnv.h"

struct configuration {
	const char *name;
	u16 mesh_w, mesh_h, lanes, acc_rows;
	u32 sram_bytes;
	bool supported;
};

static const struct configuration configurations[RONDO_MACHINES] = {
#define MACHINE(name, mesh_w, mesh_h, lanes, acc_rows, sram_bytes, supported, meaning) \
	[RONDO_MACHINE_##name] = { #name, mesh_w, mesh_h, lanes, acc_rows, sram_bytes, supported },
#include "spec/machines.def"
};

const char *rondo_machine_name(u32 id)
{
	return id < RONDO_MACHINES ? configurations[id].name : NULL;
}

u32 rondo_machine_named(const char *name)
{
	u32 id;

	for (id = 0; id < RONDO_MACHINES; id++)
		if (rondo_text_equal(configurations[id].name, name))
			break;
	return id;
}

void rondo_machine_init(struct rondo_machine *m, enum rondo_machine_id id)
{
	const struct configuration *c = &configurations[id];

	*m = (struct rondo_machine){
		.isa_version = RONDO_ISA_VERSION,
		.mesh_w = c->mesh_w,
		.mesh_h = c->mesh_h,
		.lanes = c->lanes,
		.acc_rows = c->acc_rows,
		.sram_bytes = c->sram_bytes,
		.dma_startup = 200,
		.dma_row_cycles = 2,
		.dma_bytes_per_cycle = 64,
		.clear_bytes_per_cycle = 256,
		.mesh_latency = 8,
		.loop_buffer = 256,
		.bundles_max = RONDO_BUNDLES_MAX,
		.clock_khz = 1000000,
	};
}

static bool machine_equal(const struct rondo_machine *a, const struct rondo_machine *b)
{
	const u8 *x = (const u8 *)a, *y = (const u8 *)b;
	size_t i;

	for (i = 0; i < sizeof(*a); i++)
		if (x[i] != y[i])
			return false;
	return true;
}

bool rondo_machine_supported(const struct rondo_machine *m)
{
	struct rondo_machine known;
	u32 id;

	for (id = 0; id < RONDO_MACHINES; id++) {
		rondo_machine_init(&known, id);
		if (machine_equal(&known, m))
			return configurations[id].supported;
	}
	return false;
}

u64 rondo_machine_hash(const struct rondo_machine *m)
{
	return rondo_fnv(m, sizeof(*m));
}

u32 rondo_machine_find(u64 hash)
{
	struct rondo_machine m;
	u32 id;

	for (id = 0; id < RONDO_MACHINES; id++) {
		rondo_machine_init(&m, id);
		if (rondo_machine_hash(&m) == hash)
			break;
	}
	return id;
}
