/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Every fault of emulator/device/faults.def does what its row says, and no more. Waits
 * are for hits, never for time. argv[1]: the image of tests/emulator/script.S.
 */
#include "core/machine.h"
#include "core/verify.h"
#include "tests/emulator/seq.h"
#include "tests/tap.h"

enum { BYTES = 2 * RONDO_PAGE_BYTES };

static const char *const copy_text = "machine edge\n"
				     "slot a align=64\n"
				     "slot b align=64\n"
				     "desc load in a row=8192 sram=0\n"
				     "desc store out b row=8192 sram=0\n"
				     "	dma c0, load\n"
				     "	wait c0<=0\n"
				     "	dma c0, store\n"
				     "	halt c0<=0\n";

static struct rig rig;
static struct seq_buffer program, from, to;
static struct rondo_slot_binding *slots;
static u64 program_size, cycles;

static void setup(const char *image)
{
	rig_init(&rig, image);
	program_size = seq_assemble(&rig, &program, copy_text);
	seq_alloc(&rig, &from, BYTES);
	seq_alloc(&rig, &to, BYTES);
	memset(from.memory, 0x5a, BYTES);
	slots = rig_alloc(&rig, RONDO_PAGE_BYTES);
	slots[0] = (struct rondo_slot_binding){ inproc_bus(from.list), 0, BYTES };
	slots[1] = (struct rondo_slot_binding){ inproc_bus(to.list), 0, BYTES };
}

static void teardown(void)
{
	seq_free(&rig, &program);
	seq_free(&rig, &from);
	seq_free(&rig, &to);
	rig_free(&rig, slots, RONDO_PAGE_BYTES);
	rig_fini(&rig);
}

/* Boots, loads and binds. */
static void bring_up(void)
{
	struct rondo_seq_args load = { .addr = inproc_bus(program.list), .size = program_size };
	struct rondo_seq_args bind = { .addr = inproc_bus(slots), .count = 2 };

	rig_boot(&rig);
	seq_command(&rig, RONDO_SEQ_LOAD, &load);
	seq_command(&rig, RONDO_SEQ_BIND, &bind);
}

static const struct rondo_seq_args run_args = { .bound = 1000000 };

static struct seq_result run(void)
{
	return seq_command(&rig, RONDO_SEQ_RUN, &run_args);
}

static void test_names(void)
{
	u32 i, ok = 0;

	for (i = 0; i < EMU_FAULTS; i++)
		ok += emu_fault_find(emu_fault_name(i)) == i;
	tap_eq(ok, EMU_FAULTS, "each fault is found by its name");
	tap_eq(emu_fault_find("irq_los"), EMU_FAULTS, "another name is not");
}

static void test_bar(void)
{
	emu_mmio_write(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULT_overrun, 5, 4);
	tap_eq(emu_fault_value(rig.dev, EMU_FAULT_overrun), 5, "BAR 4 sets a fault");
	tap_eq(emu_mmio_read(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULT_overrun, 4), 5,
	       "and reads it");
	tap_eq(emu_mmio_read(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULT_overrun, 8) |
		       emu_mmio_read(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULT_overrun, 2),
	       0, "by 4 bytes only");
	emu_mmio_write(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULT_overrun, 0, 4);
	emu_mmio_write(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULTS, 1, 4);
	emu_mmio_write(rig.dev, RONDO_BAR_FAULTS, 1, 1, 4);
	emu_mmio_write(rig.dev, RONDO_BAR_FAULTS, 0, 1, 8);
	emu_mmio_write(rig.dev, RONDO_BAR_FAULTS, ~(u64)0 - 3, 1, 4);
	tap_eq(emu_mmio_read(rig.dev, RONDO_BAR_FAULTS, 0, 4), 0, "what is no fault does nothing");
	tap_eq(emu_mmio_read(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULTS, 4) |
		       emu_mmio_read(rig.dev, RONDO_BAR_FAULTS, 4 * EMU_FAULT_overrun, 8) |
		       emu_mmio_read(rig.dev, RONDO_BAR_FAULTS, ~(u64)0 - 3, 4),
	       0, "and reads as 0");
}

static void test_none(void)
{
	struct seq_result r;
	u32 i, hits = 0;

	bring_up();
	r = run();
	cycles = r.cycles;
	for (i = 0; i < EMU_FAULTS; i++)
		hits += i == EMU_FAULT_seq_writes ? 0 : emu_fault_hits(rig.dev, i);
	tap_ok(r.status == RONDO_SEQ_OK && *seq_at(&to, BYTES - 1) == 0x5a && !hits,
	       "with no fault set, none acts");
}

static void test_hold(void)
{
	memset(to.memory, 0, BYTES);
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 1);
	seq_start(&rig, RONDO_SEQ_RUN, &run_args);
	rig_await_hits(&rig, EMU_FAULT_seq_hold, 1);
	tap_eq(seq_status(&rig), RONDO_SEQ_BUSY, "seq_hold 1: the replay is there");
	tap_eq(*seq_at(&to, 0), 0, "and has not begun");
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 0);
	tap_eq(seq_finish(&rig).status, RONDO_SEQ_OK, "it ends when released");

	memset(to.memory, 0, BYTES);
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 2);
	seq_start(&rig, RONDO_SEQ_RUN, &run_args);
	rig_await_hits(&rig, EMU_FAULT_seq_hold, 2);
	tap_eq(seq_status(&rig), RONDO_SEQ_BUSY, "seq_hold 2: it is not over");
	tap_eq(*seq_at(&to, 0), 0x5a, "but its work is done");
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 0);
	tap_eq(seq_finish(&rig).cycles, cycles, "in its exact cycles");

	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 1);
	seq_start(&rig, RONDO_SEQ_RUN, &run_args);
	rig_await_hits(&rig, EMU_FAULT_seq_hold, 3);
	rig_mgmt_write(&rig, RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_ABORT);
	tap_eq(seq_finish(&rig).status, RONDO_SEQ_ABORTED, "ABORT ends what is held");
	seq_start(&rig, RONDO_SEQ_RUN, &run_args);
	rig_await_hits(&rig, EMU_FAULT_seq_hold, 4);
	memset(to.memory, 0, BYTES);
	rig_reset(&rig);
	tap_eq(*seq_at(&to, 0), 0, "so does a reset, and it does not run");
	tap_eq(emu_fault_value(rig.dev, EMU_FAULT_seq_hold), 1, "no reset changes a fault");
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 0);
	bring_up();
}

/* Whether SEQ_PROGRESS moves between two looks at it. */
static bool moves(void)
{
	u32 was = rig_mgmt_read(&rig, RONDO_REG_MGMT_SEQ_PROGRESS);

	return rig_mgmt_read(&rig, RONDO_REG_MGMT_SEQ_PROGRESS) != was;
}

/* Where a replay stands still: after its first transfer came in, or for good. */
static void test_stand_still(void)
{
	u32 hits = emu_fault_hits(rig.dev, EMU_FAULT_seq_hold);

	memset(to.memory, 0, BYTES);
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 3);
	seq_start(&rig, RONDO_SEQ_RUN, &run_args);
	rig_await_hits(&rig, EMU_FAULT_seq_hold, hits + 1);
	tap_ok(seq_status(&rig) == RONDO_SEQ_BUSY && !moves(), "seq_hold 3: it stands still");
	rig_mgmt_write(&rig, RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_ABORT);
	tap_eq(seq_finish(&rig).status, RONDO_SEQ_ABORTED, "in the middle, where ABORT ends it");
	seq_start(&rig, RONDO_SEQ_RUN, &run_args);
	rig_await_hits(&rig, EMU_FAULT_seq_hold, hits + 2);
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 0);
	tap_ok(seq_finish(&rig).cycles == cycles && *seq_at(&to, 0) == 0x5a, "or it goes on");

	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 4);
	seq_start(&rig, RONDO_SEQ_RUN, &run_args);
	rig_await_hits(&rig, EMU_FAULT_seq_hold, hits + 3);
	rig_mgmt_write(&rig, RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_ABORT);
	tap_ok(seq_status(&rig) == RONDO_SEQ_BUSY && !moves(), "seq_hold 4: ABORT is not obeyed");
	rig_reset(&rig);
	emu_fault_set(rig.dev, EMU_FAULT_seq_hold, 0);
	bring_up();
}

static void test_work(void)
{
	u32 i, hits = emu_fault_hits(rig.dev, EMU_FAULT_seq_work);

	for (i = 1; i <= 2; i++) {
		emu_fault_set(rig.dev, EMU_FAULT_seq_work, i);
		seq_start(&rig, RONDO_SEQ_RUN, &run_args);
		rig_await_hits(&rig, EMU_FAULT_seq_work, hits + i);
		tap_ok(seq_status(&rig) == RONDO_SEQ_BUSY && moves(),
		       "seq_work %u: it is there, and moves", i);
		emu_fault_set(rig.dev, EMU_FAULT_seq_work, 0);
		tap_eq(seq_finish(&rig).cycles, cycles, "it ends when released");
	}
}

static void test_writes(void)
{
	u32 hits = emu_fault_hits(rig.dev, EMU_FAULT_seq_writes);

	run();
	tap_ok(emu_fault_hits(rig.dev, EMU_FAULT_seq_writes) > hits, "seq_writes counts");
}

static void test_overrun(void)
{
	struct rondo_seq_args exact = { .bound = cycles };
	struct seq_result r;

	emu_fault_set(rig.dev, EMU_FAULT_overrun, 3);
	r = run();
	tap_ok(r.status == RONDO_SEQ_OK && r.cycles == cycles + 3, "overrun: three cycles more");
	emu_fault_set(rig.dev, EMU_FAULT_overrun, 1);
	r = seq_command(&rig, RONDO_SEQ_RUN, &exact);
	tap_ok(r.status == RONDO_SEQ_OVERRUN && r.cycles == cycles, "one more than the bound");
	r = seq_command(&rig, RONDO_SEQ_RUN, &exact);
	tap_eq(r.status, RONDO_SEQ_OK, "once");
}

static void test_dma(void)
{
	emu_fault_set(rig.dev, EMU_FAULT_seq_dma_fail, 1);
	tap_eq(run().status, RONDO_SEQ_HOST_REFUSED, "seq_dma_fail ends a replay");
	tap_eq(run().status, RONDO_SEQ_OK, "the next is well");

	/* The core's memory keeps the script whose fetch fails; it looks at COPY_STATUS. */
	tap_eq(rig_mgmt_read(&rig, RONDO_REG_MGMT_COPY_STATUS), 0, "copies are done");
	emu_fault_set(rig.dev, EMU_FAULT_copy_fail, 1);
	tap_eq(rig_mgmt_read(&rig, RONDO_REG_MGMT_COPY_STATUS), 1, "copy_fail: one is refused");
	tap_eq(rig_mgmt_read(&rig, RONDO_REG_MGMT_COPY_STATUS), 0, "the next is done");
}

/* Bits of the increment's tables, from its first address entry on: see test_flips(). */
enum {
	IN_DESC = 8 * 64,
	IN_BUNDLES = IN_DESC + 2 * 8 * 128,
	BUNDLE = 8 * RONDO_BUNDLE_BYTES,
	BEHIND = IN_BUNDLES + 12 * BUNDLE,
};

static const char *const increment_text = "machine edge\n"
					  "slot a align=64\n"
					  "slot b align=64\n"
					  "entry at base=0\n"
					  "desc load in a row=48 sram=0\n"
					  "desc store out b row=48 sram=0\n"
					  "	dma c0, load\n"
					  "	movi v2, 1 | wait c0<=0\n"
					  "	ld.w v1, at, 12\n"
					  "	nop\n	nop\n	nop\n"
					  "	add v3, v1, v2\n"
					  "	nop\n	nop\n"
					  "	st.w at, v3, 12\n"
					  "	dma c0, store\n"
					  "	halt c0<=0\n";

/* Loads the program @p of @size bytes as number 1 and runs it, bound as number 1. */
static struct seq_result load_and_run(struct seq_buffer *p, u64 size)
{
	struct rondo_seq_args load = { .program = 1, .addr = inproc_bus(p->list), .size = size };
	struct rondo_seq_args bind = {
		.program = 1, .binding = 1, .addr = inproc_bus(slots), .count = 2
	};
	struct rondo_seq_args replay = { .binding = 1, .bound = 1000000 };
	struct seq_result result;

	seq_command(&rig, RONDO_SEQ_LOAD, &load);
	seq_command(&rig, RONDO_SEQ_BIND, &bind);
	result = seq_command(&rig, RONDO_SEQ_RUN, &replay);
	seq_command(&rig, RONDO_SEQ_UNBIND, &bind);
	seq_command(&rig, RONDO_SEQ_UNLOAD, &load);
	return result;
}

static u64 verified_signature(struct seq_buffer *p, u64 size)
{
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	struct rondo_machine machine;
	u64 *bytes = malloc(size), signature, i;

	for (i = 0; i < size; i++)
		((u8 *)bytes)[i] = *seq_at(p, i);
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	rondo_verify_run(v, &machine, bytes, size, 0, NULL, NULL);
	signature = rondo_verify_facts(v)->signature;
	free(bytes);
	free(v);
	return signature;
}

static void test_flips(void)
{
	static const struct {
		u32 bit;
		bool trap, same;
		const char *what;
	} flips[] = {
		{ 6, false, false, "of an address entry's base" },
		{ IN_DESC + 32 + 4, false, false, "of a transfer's length" },
		{ IN_DESC + 32 + 31, true, false, "that makes a transfer leave SRAM" },
		{ IN_BUNDLES + 1 * BUNDLE + 6 * 64 + 31, false, false, "of an immediate" },
		{ IN_BUNDLES + 63, true, false, "that makes an undefined operation" },
		{ BEHIND, false, true, "behind the end" },
	};
	struct seq_buffer increment;
	struct seq_result r;
	u64 size, right;
	u32 i;

	size = seq_assemble(&rig, &increment, increment_text);
	right = verified_signature(&increment, size);
	r = load_and_run(&increment, size);
	tap_ok(r.status == RONDO_SEQ_OK && r.signature == right,
	       "the signature is what the verifier computes");
	emu_fault_set(rig.dev, EMU_FAULT_seq_plain, 1);
	emu_fault_set(rig.dev, EMU_FAULT_seq_flip_program, flips[0].bit + 1);
	tap_eq(load_and_run(&increment, size).status, RONDO_SEQ_TRAPPED,
	       "seq_plain: a read of SRAM that nobody has written is seen");
	tap_eq(load_and_run(&increment, size).status, RONDO_SEQ_OK, "and nothing else is");
	emu_fault_set(rig.dev, EMU_FAULT_seq_plain, 0);
	for (i = 0; i < sizeof(flips) / sizeof(*flips); i++) {
		emu_fault_set(rig.dev, EMU_FAULT_seq_flip_program, flips[i].bit + 1);
		r = load_and_run(&increment, size);
		tap_ok(r.status == (flips[i].trap ? RONDO_SEQ_TRAPPED : RONDO_SEQ_OK) &&
			       (flips[i].trap || (r.signature == right) == flips[i].same),
		       "a flipped bit %s: status %u", flips[i].what, r.status);
	}
	emu_fault_set(rig.dev, EMU_FAULT_seq_flip_address, 32 * 4 + 6);
	r = load_and_run(&increment, size);
	tap_ok(r.status == RONDO_SEQ_OK && r.signature != right, "a flipped bit of an address");
	emu_fault_set(rig.dev, EMU_FAULT_seq_flip_address, 32 * 1 + 31);
	tap_eq(load_and_run(&increment, size).status, RONDO_SEQ_TRAPPED, "one that leaves SRAM");
	tap_ok(load_and_run(&increment, size).signature == right, "the next replay is well");
	tap_ok(emu_fault_hits(rig.dev, EMU_FAULT_seq_flip_program) == 7 &&
		       emu_fault_hits(rig.dev, EMU_FAULT_seq_flip_address) == 2,
	       "each acted once");
	seq_free(&rig, &increment);
}

/* Transfers of one byte more than the slots have, which only a flipped bit can ask for. */
static void test_slot_ends(void)
{
	const u32 more[] = { IN_DESC + 8 * offsetof(struct rondo_desc, row_bytes),
			     IN_DESC + 8 * sizeof(struct rondo_desc) +
				     8 * offsetof(struct rondo_desc, row_bytes) };
	struct seq_buffer increment;
	u64 size;

	size = seq_assemble(&rig, &increment, increment_text);
	slots[0].size = slots[1].size = 48;
	tap_eq(load_and_run(&increment, size).status, RONDO_SEQ_OK, "a slot up to its end");
	emu_fault_set(rig.dev, EMU_FAULT_seq_flip_program, more[0] + 1);
	tap_eq(load_and_run(&increment, size).status, RONDO_SEQ_HOST_REFUSED, "a byte more: in");
	emu_fault_set(rig.dev, EMU_FAULT_seq_flip_program, more[1] + 1);
	tap_eq(load_and_run(&increment, size).status, RONDO_SEQ_HOST_REFUSED, "out");
	slots[0].size = slots[1].size = BYTES;
	seq_free(&rig, &increment);
}

static void test_irq(void)
{
	u32 i;

	emu_fault_set(rig.dev, EMU_FAULT_irq_lose, 2);
	for (i = 1; i <= 2; i++) {
		rig_write(&rig, RONDO_REG_HOST_IRQ_STATUS, 1);
		rig_start(&rig);
		rig_await_hits(&rig, EMU_FAULT_irq_lose, i);
		tap_ok(rig_read(&rig, RONDO_REG_HOST_IRQ_STATUS) == 1 && !rig.irqs[0],
		       "irq_lose: the bit is set, no message comes");
	}
	rig_run(&rig);
	tap_ok(!rig.irqs[0] && emu_fault_hits(rig.dev, EMU_FAULT_irq_lose) == 2,
	       "the third comes, once");
}

static void test_firmware(void)
{
	u32 beats;

	emu_fault_set(rig.dev, EMU_FAULT_fw_silent, 1);
	rig_await_hits(&rig, EMU_FAULT_fw_silent, 1);
	beats = rig_read(&rig, RONDO_REG_HOST_HEARTBEAT);
	rig_start(&rig);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_HEARTBEAT), beats,
	       "fw_silent: a bell is not answered");
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS), RONDO_STATE_ON, "though the device is ON");
	emu_fault_set(rig.dev, EMU_FAULT_fw_silent, 0);
	rig_finish(&rig);
	tap_ok(rig_read(&rig, RONDO_REG_HOST_HEARTBEAT) > beats, "it goes on when released");

	emu_fault_set(rig.dev, EMU_FAULT_fw_silent, 1);
	rig_await_hits(&rig, EMU_FAULT_fw_silent, 2);
	rig_reset(&rig);
	tap_ok(rig_read(&rig, RONDO_REG_HOST_HEARTBEAT) == 0 &&
		       emu_fault_value(rig.dev, EMU_FAULT_fw_silent) == 1,
	       "a reset stops a silent core, and leaves it silent");
	emu_fault_set(rig.dev, EMU_FAULT_fw_silent, 0);
	bring_up();

	emu_fault_set(rig.dev, EMU_FAULT_fw_crash, 1);
	rig_await_irq(&rig, 1, 1);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS),
	       RONDO_STATE_DEAD | RONDO_BOOT_TRAP << RONDO_SHIFT_HOST_STATUS_ERROR,
	       "fw_crash: DEAD by a trap");
	tap_eq(emu_fault_value(rig.dev, EMU_FAULT_fw_crash), 0, "once");
	rig_reset(&rig);
	bring_up();
	tap_eq(run().status, RONDO_SEQ_OK, "after a reset all is well");
}

static void test_no_memory(void)
{
	struct rondo_seq_args load = { 9, 0, inproc_bus(program.list), .size = program_size };
	struct rondo_seq_args bind = { 9, 9, inproc_bus(slots), .count = 2 };

	emu_fault_set(rig.dev, EMU_FAULT_seq_no_memory, 1);
	tap_eq(seq_command(&rig, RONDO_SEQ_LOAD, &load).status, RONDO_SEQ_NO_MEMORY,
	       "seq_no_memory: a program that is not kept");
	tap_ok(rig.refused == 9 && !strcmp(rig.why, "the fault seq_no_memory"),
	       "the host is told which, and why");
	tap_eq(seq_command(&rig, RONDO_SEQ_LOAD, &load).status, RONDO_SEQ_OK, "the next is");
	emu_fault_set(rig.dev, EMU_FAULT_seq_no_memory, 1);
	tap_eq(seq_command(&rig, RONDO_SEQ_BIND, &bind).status, RONDO_SEQ_NO_MEMORY,
	       "a binding that is not kept");
	tap_eq(seq_command(&rig, RONDO_SEQ_BIND, &bind).status, RONDO_SEQ_OK, "the next is");
	tap_eq(emu_fault_hits(rig.dev, EMU_FAULT_seq_no_memory), 2, "it acted twice");
}

/* The register @reg reads as @fault says, while it is on. */
static void check_version(enum emu_fault fault, u32 reg)
{
	u32 value = rig_read(&rig, reg);

	emu_fault_set(rig.dev, fault, 77);
	tap_ok(rig_read(&rig, reg) == 77 && emu_fault_hits(rig.dev, fault) == 1,
	       "%s: the register reads as the fault says", emu_fault_name(fault));
	emu_fault_set(rig.dev, fault, 0);
	tap_eq(rig_read(&rig, reg), value, "until it is off");
}

static void test_progress_stop(void)
{
	rig_mgmt_write(&rig, RONDO_REG_MGMT_PROGRESS, 5);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_PROGRESS), 5,
	       "the host reads the firmware's progress");
	emu_fault_set(rig.dev, EMU_FAULT_progress_stop, 1);
	rig_mgmt_write(&rig, RONDO_REG_MGMT_PROGRESS, 6);
	tap_ok(rig_read(&rig, RONDO_REG_HOST_PROGRESS) == 5 &&
		       emu_fault_hits(rig.dev, EMU_FAULT_progress_stop) == 1,
	       "progress_stop: it does not move");
	emu_fault_set(rig.dev, EMU_FAULT_progress_stop, 0);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_PROGRESS), 6, "until it is off");
}

static void test_reset_ignore(void)
{
	emu_fault_set(rig.dev, EMU_FAULT_reset_ignore, 1);
	rig_write(&rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	tap_ok(rig_read(&rig, RONDO_REG_HOST_STATUS) == RONDO_STATE_ON &&
		       emu_fault_hits(rig.dev, EMU_FAULT_reset_ignore) == 1,
	       "reset_ignore: the device stays as it is");
	emu_fault_set(rig.dev, EMU_FAULT_reset_ignore, 0);
	tap_eq(run().status, RONDO_SEQ_OK, "and works on");
}

static void test_vanish(void)
{
	emu_fault_set(rig.dev, EMU_FAULT_vanish, 0);
	tap_ok(!emu_fault_hits(rig.dev, EMU_FAULT_vanish) &&
		       rig_read(&rig, RONDO_REG_HOST_STATUS) == RONDO_STATE_ON,
	       "vanish that is set to 0 does nothing");
	emu_fault_set(rig.dev, EMU_FAULT_vanish, 1);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_ID), 0xffffffff, "vanish: reads give all ones");
	tap_eq(emu_mmio_read(rig.dev, RONDO_BAR_BELLS, 5, 1), 0xff, "of any size");
	tap_ok(rig_time(&rig) == ~(u64)0, "8 bytes too");
	rig_write(&rig, RONDO_REG_HOST_FW_SIZE, 99);
	rig_bell(&rig, 0);
	emu_fault_set(rig.dev, EMU_FAULT_vanish, 0);
	rig_await_state(&rig, RONDO_STATE_OFF);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_FW_SIZE), 0,
	       "back again: OFF, and nothing was written");
	bring_up();
	tap_eq(run().status, RONDO_SEQ_OK, "and it works");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		tap_skip("faults", "no RISC-V compiler, so no test firmware");
		return tap_done();
	}
	setup(argv[1]);
	test_names();
	test_bar();
	test_none();
	test_hold();
	test_stand_still();
	test_work();
	test_writes();
	test_overrun();
	test_dma();
	test_flips();
	test_slot_ends();
	test_irq();
	test_firmware();
	test_no_memory();
	check_version(EMU_FAULT_version, RONDO_REG_HOST_VERSION);
	check_version(EMU_FAULT_fw_version, RONDO_REG_HOST_FW_VERSION);
	test_progress_stop();
	test_reset_ignore();
	test_vanish();
	emu_reset(rig.dev);
	rig_await_state(&rig, RONDO_STATE_OFF);
	tap_ok(rig_traced(&rig), "the host was told of every kind of event");
	teardown();
	return tap_done();
}
