/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A small machine around the RV32 core, for its tests: 64 KiB of TCM and four
 * words of bus; every other address is a bus error.
 */
#ifndef TESTS_RV32_MACHINE_H
#define TESTS_RV32_MACHINE_H

#include "emulator/rv32/rv32.h"
#include "tests/rv32/rv32_asm.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define TCM_BASE 0x10000000u
#define TCM_SIZE 0x10000u
#define BUS_BASE 0x40000000u

struct machine {
	struct rv32 core;
	u8 tcm[TCM_SIZE];
	u32 bus[4];
	u32 bus_last_addr, bus_last_size, bus_last_val; /* of the last access */
};

static inline bool machine_bus_hit(struct machine *m, u32 addr, u32 size)
{
	m->bus_last_addr = addr;
	m->bus_last_size = size;
	return addr - BUS_BASE < sizeof(m->bus);
}

static inline bool machine_load(void *ctx, u32 addr, u32 size, u32 *val)
{
	struct machine *m = ctx;

	if (!machine_bus_hit(m, addr, size))
		return false;
	*val = 0;
	memcpy(val, (u8 *)m->bus + (addr - BUS_BASE), size);
	m->bus_last_val = *val;
	return true;
}

static inline bool machine_store(void *ctx, u32 addr, u32 size, u32 val)
{
	struct machine *m = ctx;

	if (!machine_bus_hit(m, addr, size))
		return false;
	m->bus_last_val = val;
	memcpy((u8 *)m->bus + (addr - BUS_BASE), &val, size);
	return true;
}

/* Empty memory, the core reset, about to execute at TCM_BASE + @offset. */
static inline void machine_init(struct machine *m, u32 offset)
{
	static const struct rv32_bus bus = { machine_load, machine_store };
	struct rv32_config config = {
		.tcm = m->tcm,
		.tcm_base = TCM_BASE,
		.tcm_size = TCM_SIZE,
		.bus = &bus,
		.bus_ctx = m,
	};

	memset(m, 0, sizeof(*m));
	rv32_init(&m->core, &config);
	rv32_reset(&m->core, TCM_BASE + offset);
}

static inline void machine_put32(struct machine *m, u32 offset, u32 val)
{
	memcpy(m->tcm + offset, &val, 4);
}

static inline void machine_put16(struct machine *m, u32 offset, u16 val)
{
	memcpy(m->tcm + offset, &val, 2);
}

static inline u32 machine_get32(const struct machine *m, u32 offset)
{
	u32 val;

	memcpy(&val, m->tcm + offset, 4);
	return val;
}

#endif
