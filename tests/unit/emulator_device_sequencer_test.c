/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Every command of the sequencer, its refusals, and what stops it. argv[1]: the
 * image of tests/emulator/script.S.
 */
#include <stdatomic.h>

#include "core/machine.h"
#include "tests/emulator/seq.h"
#include "tests/tap.h"

enum {
	BYTES = 3 * RONDO_PAGE_BYTES, /* that the program copies */
	IN_BYTES = 600 * RONDO_PAGE_BYTES, /* a page list of two pages */
	SHIFT = 320, /* of slot 0's byte 0 in its pages */
};

/* Copies BYTES from slot 0, anywhere in it, to slot 1. */
static const char *const copy_text = "machine edge\n"
				     "slot a align=64 dynamic\n"
				     "slot b align=64\n"
				     "desc load in a row=12288 sram=0\n"
				     "desc store out b row=12288 sram=0\n"
				     "	dma c0, load\n"
				     "	wait c0<=0\n"
				     "	dma c0, store\n"
				     "	halt c0<=0\n";

/* Takes for ever; on many tiles it is one piece for each. */
#define LONG_TEXT(machine)          \
	"machine " machine "\n"     \
	"	loop 16384, 16384, 4 {\n" \
	"	movi v0, 1\n"             \
	"	nop\n"                    \
	"	nop\n"                    \
	"	nop\n"                    \
	"	}\n"                      \
	"	halt\n"
static const char *const long_text = LONG_TEXT("edge"), *const long_mesh_text = LONG_TEXT("mesh");

static struct rig rig;
static struct seq_buffer copy_program, long_program, in, out;
static u64 copy_size, long_size;
static struct rondo_slot_binding *slots;

static u32 load(u32 number, u64 list, u64 size)
{
	struct rondo_seq_args args = { .program = number, .addr = list, .size = size };

	return seq_command(&rig, RONDO_SEQ_LOAD, &args).status;
}

static u32 unload(u32 number)
{
	struct rondo_seq_args args = { .program = number };

	return seq_command(&rig, RONDO_SEQ_UNLOAD, &args).status;
}

static u32 bind_slots(u32 binding, u32 program, u32 count)
{
	struct rondo_seq_args args = {
		.binding = binding,
		.program = program,
		.count = count,
		.addr = inproc_bus(slots),
	};

	return seq_command(&rig, RONDO_SEQ_BIND, &args).status;
}

static u32 unbind(u32 binding)
{
	struct rondo_seq_args args = { .binding = binding };

	return seq_command(&rig, RONDO_SEQ_UNBIND, &args).status;
}

static void setup(const char *image)
{
	u64 i;

	rig_init(&rig, image);
	copy_size = seq_assemble(&rig, &copy_program, copy_text);
	long_size = seq_assemble(&rig, &long_program, long_text);
	seq_alloc(&rig, &in, IN_BYTES);
	seq_alloc(&rig, &out, BYTES + RONDO_PAGE_BYTES);
	for (i = 0; i < IN_BYTES; i++)
		*seq_at(&in, i) = i * 7 + i / 251;
	slots = rig_alloc(&rig, RONDO_PAGE_BYTES);
	rig_boot(&rig);
}

static void teardown(void)
{
	struct seq_buffer *buffers[] = { &copy_program, &long_program, &in, &out };
	u32 i;

	for (i = 0; i < 4; i++)
		seq_free(&rig, buffers[i]);
	rig_free(&rig, slots, RONDO_PAGE_BYTES);
	rig_fini(&rig);
}

static void test_load(void)
{
	u64 list = inproc_bus(copy_program.list), next = copy_program.list->page[0];

	tap_eq(seq_status(&rig), RONDO_SEQ_IDLE, "no command yet");
	tap_eq(load(RONDO_PROGRAMS_MAX, list, copy_size), RONDO_SEQ_BAD_NUMBER,
	       "LOAD: no such number");
	tap_eq(load(3, list, 0), RONDO_SEQ_BAD_PROGRAM, "LOAD: nothing");
	tap_eq(load(3, list, copy_size - 1), RONDO_SEQ_BAD_PROGRAM, "LOAD: a byte is missing");
	tap_eq(load(3, list, 1ull << 40), RONDO_SEQ_BAD_PROGRAM, "LOAD: larger than any program");
	tap_eq(load(3, list + 8, copy_size), RONDO_SEQ_HOST_REFUSED, "LOAD: unaligned page list");
	tap_eq(load(3, 4096, copy_size), RONDO_SEQ_HOST_REFUSED,
	       "LOAD: page list that the host refuses");
	copy_program.list->page[0] = 4096;
	tap_eq(load(3, list, copy_size), RONDO_SEQ_HOST_REFUSED,
	       "LOAD: page that the host refuses");
	copy_program.list->page[0] = next + 4;
	tap_eq(load(3, list, copy_size), RONDO_SEQ_HOST_REFUSED, "LOAD: unaligned page");
	copy_program.list->page[0] = next;
	*seq_at(&copy_program, 16) ^= 1;
	tap_eq(load(3, list, copy_size), RONDO_SEQ_BAD_PROGRAM, "LOAD: false claim of cycles");
	*seq_at(&copy_program, 16) ^= 1;
	tap_eq(load(3, list, copy_size), RONDO_SEQ_OK, "LOAD");
	tap_eq(load(3, list, copy_size), RONDO_SEQ_BAD_NUMBER, "LOAD: number in use");
	tap_eq(load(7, inproc_bus(long_program.list), long_size), RONDO_SEQ_OK, "LOAD another");
}

/* The allocation that fails, counted from here; none if it is negative. */
static atomic_int until_failure = -1;

static bool allocation_fails(void)
{
	int left = atomic_load(&until_failure);

	while (left >= 0)
		if (atomic_compare_exchange_weak(&until_failure, &left, left - 1))
			return !left;
	return false;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return allocation_fails() ? NULL : __real_realloc(p, size);
}

/* Lets each allocation of @command fail in turn until none does: how often it had no memory. */
static u32 starve(u32 (*command)(void), u32 *other)
{
	u32 failed = 0, status;

	for (;;) {
		atomic_store(&until_failure, (int)failed);
		status = command();
		if (atomic_exchange(&until_failure, -1) >= 0)
			break;
		failed++;
		*other += status != RONDO_SEQ_NO_MEMORY;
	}
	*other += status != RONDO_SEQ_OK;
	return failed;
}

static u32 load_copy(void)
{
	return load(9, inproc_bus(copy_program.list), copy_size);
}

static u32 bind_copy(void)
{
	return bind_slots(9, 9, 2);
}

/* After a failure the number is free: else the next try would say so. */
static void test_no_memory(void)
{
	u32 other = 0;

	slots[0] = (struct rondo_slot_binding){ inproc_bus(in.list), 0, BYTES };
	slots[1] = (struct rondo_slot_binding){ inproc_bus(out.list), 0, BYTES };
	tap_ok(starve(load_copy, &other) > 5, "LOAD: allocations that fail");
	tap_eq(other, 0, "are NO_MEMORY, and nothing is kept");
	tap_eq(starve(bind_copy, &other), 3, "BIND: allocations that fail");
	tap_eq(other, 0, "are NO_MEMORY, and nothing is kept");
	tap_eq(unbind(9), RONDO_SEQ_OK, "with memory there is a binding");
	tap_eq(unload(9), RONDO_SEQ_OK, "and a program");
}

static void test_bind(void)
{
	slots[0] = (struct rondo_slot_binding){ inproc_bus(in.list), SHIFT, IN_BYTES - SHIFT };
	slots[1] = (struct rondo_slot_binding){ inproc_bus(out.list), 64, BYTES };
	tap_eq(bind_slots(RONDO_BINDINGS_MAX, 3, 2), RONDO_SEQ_BAD_NUMBER, "BIND: no such number");
	tap_eq(bind_slots(5, 4, 2), RONDO_SEQ_BAD_NUMBER, "BIND: no such program");
	tap_eq(bind_slots(5, 3, 1), RONDO_SEQ_BAD_COMMAND, "BIND: too few slots");
	slots[1].size = BYTES - 1;
	tap_eq(bind_slots(5, 3, 2), RONDO_SEQ_BAD_COMMAND, "BIND: a slot is a byte too small");
	slots[1].size = ~(u64)0;
	tap_eq(bind_slots(5, 3, 2), RONDO_SEQ_BAD_COMMAND, "BIND: offset and size wrap around");
	slots[1].size = 1ull << 60;
	tap_eq(bind_slots(5, 3, 2), RONDO_SEQ_HOST_REFUSED, "BIND: more pages than are listed");
	slots[1].size = BYTES;
	slots[1].offset = 32;
	tap_eq(bind_slots(5, 3, 2), RONDO_SEQ_BAD_COMMAND, "BIND: unaligned offset");
	slots[1].offset = 64;
	in.list[0].next = 0;
	tap_eq(bind_slots(5, 3, 2), RONDO_SEQ_HOST_REFUSED, "BIND: page list too short");
	in.list[0].next = inproc_bus(&in.list[1]);
	tap_eq(bind_slots(5, 3, 2), RONDO_SEQ_OK, "BIND");
	tap_eq(bind_slots(5, 3, 2), RONDO_SEQ_BAD_NUMBER, "BIND: number in use");
	tap_eq(unload(3), RONDO_SEQ_BAD_NUMBER, "UNLOAD: a binding uses it");
	tap_eq(bind_slots(6, 7, 0), RONDO_SEQ_OK, "BIND without slots");
}

/* Whether slot 1 holds what stands at @offset of slot 0, and its neighbours are untouched. */
static bool copied(u64 offset)
{
	u64 i;

	for (i = 0; i < BYTES; i++)
		if (*seq_at(&out, 64 + i) != *seq_at(&in, SHIFT + offset + i))
			return false;
	return !*seq_at(&out, 63) && !*seq_at(&out, 64 + BYTES);
}

static void clear_out(void)
{
	memset(out.memory, 0, out.bytes);
}

static void test_run(void)
{
	struct rondo_seq_args args = { .binding = 5, .bound = ~(u64)0 };
	u64 before, last = (IN_BYTES - SHIFT - BYTES) / 64;
	struct seq_result r;
	u64 cycles;

	before = rig_time(&rig);
	r = seq_command(&rig, RONDO_SEQ_RUN, &args);
	cycles = r.cycles;
	tap_eq(r.status, RONDO_SEQ_OK, "RUN");
	tap_ok(copied(0), "its bytes");
	/* Two transfers of 12288 bytes at 64 per cycle, each after 200 cycles. */
	tap_ok(cycles >= 2 * (200 + 192) && cycles < 1000, "its cycles");
	tap_ok(rig_time(&rig) >= before + cycles, "device time has passed");

	clear_out();
	args.count = 1;
	args.offset[0] = (struct rondo_slot_offset){ 0, last };
	r = seq_command(&rig, RONDO_SEQ_RUN, &args);
	tap_ok(r.status == RONDO_SEQ_OK && copied(last * 64),
	       "RUN at the last offset, on 600 pages");
	tap_eq(r.cycles, cycles, "takes as long");
	args.offset[0].offset = last + 1;
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_OFFSET,
	       "RUN: one further");
	args.offset[0].offset = ~0u;
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_OFFSET,
	       "RUN: the furthest");
	args.offset[0] = (struct rondo_slot_offset){ 1, 0 };
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_OFFSET,
	       "RUN: an offset for a slot that has none");
	args.offset[0] = (struct rondo_slot_offset){ 2, 0 };
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_OFFSET,
	       "RUN: no such slot");
	args.count = 2;
	args.offset[0] = args.offset[1] = (struct rondo_slot_offset){ 0, 0 };
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_OFFSET,
	       "RUN: a slot twice");
	args.count = RONDO_REPLAY_OFFSETS_MAX + 1;
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_OFFSET,
	       "RUN: too many");

	args.count = 0;
	args.bound = cycles;
	r = seq_command(&rig, RONDO_SEQ_RUN, &args);
	tap_eq(r.status, RONDO_SEQ_OK, "RUN: a bound that is just enough");
	args.bound = cycles - 1;
	r = seq_command(&rig, RONDO_SEQ_RUN, &args);
	tap_eq(r.status, RONDO_SEQ_OVERRUN, "RUN: one cycle less");
	tap_eq(r.cycles, cycles - 1, "stops at the bound");
	args.binding = 0;
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_NUMBER,
	       "RUN: no such binding");
	args.binding = ~0u;
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_BAD_NUMBER,
	       "RUN: no such number");
}

/* The pages are asked for anew at each run. */
static void test_refused(void)
{
	struct rondo_seq_args args = { .binding = 5, .bound = ~(u64)0 };

	inproc_forbid(rig.host, in.memory, in.bytes);
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_HOST_REFUSED,
	       "RUN: pages that the host has taken back");
	inproc_allow(rig.host, in.memory, in.bytes, false);
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_OK,
	       "RUN: read-only pages that are only read");
	inproc_forbid(rig.host, out.memory, out.bytes);
	inproc_allow(rig.host, out.memory, out.bytes, false);
	tap_eq(seq_command(&rig, RONDO_SEQ_RUN, &args).status, RONDO_SEQ_HOST_REFUSED,
	       "RUN: read-only pages that are written");
	inproc_forbid(rig.host, out.memory, out.bytes);
	inproc_allow(rig.host, out.memory, out.bytes, true);
}

static void test_bad_commands(void)
{
	struct rondo_seq_args args = { 0 };

	tap_eq(seq_command(&rig, 0, &args).status, RONDO_SEQ_BAD_COMMAND, "no such command");
	tap_eq(seq_command(&rig, 77, &args).status, RONDO_SEQ_BAD_COMMAND, "nor this");
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_ARGS,
		 RONDO_TCM_BASE + RONDO_TCM_BYTES - sizeof(args) + 4);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_UNLOAD);
	rig_run(&rig);
	tap_eq(seq_finish(&rig).status, RONDO_SEQ_BAD_COMMAND,
	       "arguments outside the core's memory");
	rig_mgmt_write(&rig, RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_ABORT);
	tap_eq(seq_status(&rig), RONDO_SEQ_BAD_COMMAND, "ABORT of nothing does nothing");
}

/* Whether device time has moved more than the firmware alone does, since it was last asked. */
static bool moved(struct rig *r, u32 unused)
{
	static u64 before;
	u64 now = rig_time(r), moved = now - before;

	(void)unused;
	before = now;
	return moved > 10000;
}

/* Starts the long replay and waits until it has begun. */
static void start_long(void)
{
	struct rondo_seq_args args = { .binding = 6, .bound = ~(u64)0 };

	seq_start(&rig, RONDO_SEQ_RUN, &args);
	rig_until(moved, &rig, 0);
	rig_until(moved, &rig, 0);
}

static struct seq_result aborted;

static u64 abort_once(void)
{
	u64 start;

	if (seq_status(&rig) != RONDO_SEQ_BUSY)
		start_long();
	start = rig_cpu_ns();
	rig_mgmt_write(&rig, RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_ABORT);
	aborted = seq_finish(&rig);
	return rig_cpu_ns() - start;
}

static void test_abort(void)
{
	struct rondo_seq_args args = { .binding = 5 };

	start_long();
	tap_eq(seq_status(&rig), RONDO_SEQ_BUSY, "a long replay runs");
	seq_start(&rig, RONDO_SEQ_UNBIND, &args);
	tap_eq(seq_status(&rig), RONDO_SEQ_BUSY, "a command meanwhile is ignored");
	tap_ok(rig_quickest(abort_once, STOP_NS) < STOP_NS, "ABORT ends it within 10 ms");
	tap_eq(aborted.status, RONDO_SEQ_ABORTED, "as aborted");
	tap_ok(aborted.cycles > 0 && aborted.cycles < 4000000000, "and tells how far it came");

	tap_eq(unbind(5), RONDO_SEQ_OK, "UNBIND, for the ignored one was not kept");
	tap_eq(unbind(5), RONDO_SEQ_BAD_NUMBER, "UNBIND: not bound");
	tap_eq(unload(3), RONDO_SEQ_OK, "UNLOAD");
	tap_eq(unload(3), RONDO_SEQ_BAD_NUMBER, "UNLOAD: not loaded");
}

static u64 reset_once(void)
{
	if (rig_read(&rig, RONDO_REG_HOST_STATUS) == RONDO_STATE_OFF) {
		rig_boot(&rig);
		load(7, inproc_bus(long_program.list), long_size);
		bind_slots(6, 7, 0);
	}
	start_long();
	return rig_reset(&rig);
}

static void test_reset(void)
{
	tap_ok(rig_quickest(reset_once, STOP_NS) < STOP_NS,
	       "a reset stops a long replay within 10 ms");
	rig_boot(&rig);
	tap_eq(load(7, inproc_bus(long_program.list), long_size), RONDO_SEQ_OK,
	       "and forgets programs");
	tap_eq(bind_slots(6, 7, 0), RONDO_SEQ_OK, "and bindings");
	start_long();
}

/* Many tiles, on which the replay is one piece: the time goes on, and it ends when told to. */
static void test_mesh(const char *image)
{
	rig_init_machine(&rig, image, RONDO_MACHINE_mesh);
	long_size = seq_assemble(&rig, &long_program, long_mesh_text);
	slots = rig_alloc(&rig, RONDO_PAGE_BYTES);
	rig_boot(&rig);
	tap_eq(load(7, inproc_bus(long_program.list), long_size), RONDO_SEQ_OK, "mesh: LOAD");
	tap_eq(bind_slots(6, 7, 0), RONDO_SEQ_OK, "mesh: BIND");
	start_long();
	tap_eq(seq_status(&rig), RONDO_SEQ_BUSY, "mesh: device time moves while a replay runs");
	tap_ok(rig_quickest(abort_once, STOP_NS) < STOP_NS, "mesh: ABORT ends it within 10 ms");
	tap_ok(aborted.status == RONDO_SEQ_ABORTED && aborted.cycles > 0 &&
		       aborted.cycles < 4000000000,
	       "mesh: and tells how far it came");
	tap_ok(rig_quickest(reset_once, STOP_NS) < STOP_NS, "mesh: so does a reset");
	seq_free(&rig, &long_program);
	rig_free(&rig, slots, RONDO_PAGE_BYTES);
	rig_fini(&rig);
}

/* What interrupts are pending a moment from now. */
static void look_later(void)
{
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_TIMER_LO, 1000);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_TIMER_HI, 0);
	rig_step(&rig, STEP_AWAIT, 0, RIG_MIP_TIMER);
}

static void test_ack(void)
{
	seq_start(&rig, RONDO_SEQ_UNLOAD, &(struct rondo_seq_args){ .program = ~0u });
	rig_step(&rig, STEP_AWAIT, 0, RIG_MIP_EXTERNAL);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_ACK, 0);
	look_later();
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_ACK, 1);
	look_later();
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_TIMER_LO, 0);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_TIMER_HI, 0);
	rig_run(&rig);
	tap_ok(rig.script[4].result & RIG_MIP_EXTERNAL, "0 acknowledges no end of a command");
	tap_ok(!(rig.script[8].result & RIG_MIP_EXTERNAL), "1 does");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		tap_skip("sequencer", "no RISC-V compiler, so no test firmware");
		return tap_done();
	}
	setup(argv[1]);
	test_load();
	test_no_memory();
	test_bind();
	test_run();
	test_refused();
	test_bad_commands();
	test_ack();
	test_abort();
	test_reset();
	teardown(); /* in the middle of a replay */
	test_mesh(argv[1]);
	return tap_done();
}
