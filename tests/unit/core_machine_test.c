// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Machine descriptions: their hash is part of every program, so it never changes.
 */
#include "core/machine.h"
#include "core/verify.h"
#include "tests/tap.h"

static void test_hash(void)
{
	struct rondo_machine m = { 0 };
	u64 zero, other;

	/* FNV-1a of n zero bytes is the offset basis times prime^n. */
	zero = 0xcbf29ce484222325ull;
	for (size_t i = 0; i < sizeof(m); i++)
		zero *= 0x100000001b3ull;
	tap_ok(rondo_machine_hash(&m) == zero, "hash of zero bytes");
	for (size_t i = 0; i < sizeof(m); i++) {
		((u8 *)&m)[i] ^= 0x80;
		other = rondo_machine_hash(&m);
		((u8 *)&m)[i] ^= 0x80;
		if (other == zero)
			break;
	}
	tap_ok(other != zero, "each byte counts");
}

/* What programs of this version of the instruction set hold: none may change without another
 * version. */
static const u64 hashes[RONDO_MACHINES] = {
	[RONDO_MACHINE_edge] = 0x310f8ff3eeee3bc3ull,
	[RONDO_MACHINE_mesh] = 0xe48b6d0bdd628e2bull,
	[RONDO_MACHINE_patch] = 0xc6aeeff469c53f0cull,
	[RONDO_MACHINE_wafer] = 0xaa18fa8c613ecd91ull,
};

static void test_configurations(void)
{
	struct rondo_machine m;
	u32 id;

	for (id = 0; id < RONDO_MACHINES; id++) {
		rondo_machine_init(&m, id);
		tap_ok(rondo_machine_hash(&m) == hashes[id],
		       "%s has the hash of its version (0x%016llx)", rondo_machine_name(id),
		       (unsigned long long)rondo_machine_hash(&m));
		tap_ok(rondo_machine_supported(&m), "%s is supported", rondo_machine_name(id));
		tap_ok(m.sram_bytes % m.clear_bytes_per_cycle == 0 && m.lanes <= RONDO_LANES_MAX,
		       "%s: sizes fit", rondo_machine_name(id));
		m.reserved[6] = 1;
		tap_ok(!rondo_machine_supported(&m), "%s: with one bit more it is another",
		       rondo_machine_name(id));
		m.reserved[6] = 0;
		m.isa_version--;
		tap_ok(!rondo_machine_supported(&m), "%s: so it is of an older version",
		       rondo_machine_name(id));
	}
	tap_ok(!rondo_machine_name(RONDO_MACHINES), "no other machine has a name");
}

static void test_find(void)
{
	struct rondo_machine m;
	u32 id, wrong = 0;

	for (id = 0; id < RONDO_MACHINES; id++) {
		rondo_machine_init(&m, id);
		wrong += rondo_machine_find(rondo_machine_hash(&m)) != id;
	}
	tap_eq(wrong, 0, "every configuration is found by its hash");
	tap_eq(rondo_machine_find(0), RONDO_MACHINES, "another hash is none's");
	for (id = wrong = 0; id < RONDO_MACHINES; id++)
		wrong += rondo_machine_named(rondo_machine_name(id)) != id;
	tap_eq(wrong, 0, "every configuration is found by its name");
	tap_eq(rondo_machine_named(""), RONDO_MACHINES, "no name is none's");
	tap_eq(rondo_machine_named("edg"), RONDO_MACHINES, "nor is the begin of one");
	tap_eq(rondo_machine_named("edges"), RONDO_MACHINES, "nor one and more");
}

static void test_errors(void)
{
	tap_ok(!strcmp(rondo_error_name(RONDO_ERR_SRAM_BOUNDS), "SRAM_BOUNDS"), "name of an error");
	tap_ok(!strcmp(rondo_error_text(RONDO_ERR_SRAM_BOUNDS), "access outside SRAM"), "its text");
	tap_eq(rondo_error_where(RONDO_ERR_SRAM_BOUNDS), RONDO_WHERE_BUNDLE, "its place");
	tap_ok(!strcmp(rondo_error_name(0), "NONE"), "no error has a name too");
	tap_ok(!strcmp(rondo_error_text(7), "unknown error"), "a number without a row");
	tap_ok(!strcmp(rondo_error_text(~0u), "unknown error"), "a number beyond the table");
}

int main(void)
{
	test_hash();
	test_configurations();
	test_find();
	test_errors();
	return tap_done();
}
