/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Machine descriptions: the named configurations of spec/machines.def.
 */
#ifndef RONDO_CORE_MACHINE_H
#define RONDO_CORE_MACHINE_H

#include "spec/machine.h"

enum rondo_machine_id {
#define MACHINE(name, mesh_w, mesh_h, lanes, acc_rows, sram_bytes, supported, meaning) \
	RONDO_MACHINE_##name,
#include "spec/machines.def"
	RONDO_MACHINES,
};

/* Name of a configuration, NULL if there is none with number @id. */
const char *rondo_machine_name(u32 id);

/* Fills *@m with configuration @id (< RONDO_MACHINES). */
void rondo_machine_init(struct rondo_machine *m, enum rondo_machine_id id);

/* The number of the configuration with hash @hash; RONDO_MACHINES if there is none. */
u32 rondo_machine_find(u64 hash);

/* The number of the configuration called @name; RONDO_MACHINES if there is none. */
u32 rondo_machine_named(const char *name);

/*
 * Whether this version can verify and run programs for *@m: it must be, bit for
 * bit, a configuration marked as supported.
 */
bool rondo_machine_supported(const struct rondo_machine *m);

/* FNV-1a of the description's bytes (core/fnv.h). */
u64 rondo_machine_hash(const struct rondo_machine *m);

#endif
