/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a guest may try against its QEMU through the device and its firmware: unplug the device by
 * the device's own DMA, run into an IOMMU, take the host's memory, keep the device busy for ever,
 * have a program run that was not accepted. QEMU lives, answers, and stays within bounds.
 *
 * hostile_test QEMU IMAGE: the image is that of tests/emulator/script.S.
 */
#include <time.h>

#include "emulator/device/regs.h"
#include "emulator/emulator.h"
#include "spec/program.h"
#include "tests/emulator/rig.h"
#include "tests/qtest/qtest.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"
#include "tools/asm/asm.h"

#define MGMT(name) (RONDO_MGMT_BASE + RONDO_REG_MGMT_##name)

/* The machine's memory. */
enum {
	IMAGE = 1 << 20,
	SCRIPT = 2 << 20,
	SLOTS = SCRIPT + RONDO_PAGE_BYTES, /* struct rondo_slot_binding */
	DATA = SLOTS + RONDO_PAGE_BYTES,
	LIST = 4 << 20, /* page lists, one after the other */
	PROGRAM = 16 << 20,
};

static const char *binary, *image;
static struct qemu q;

static void pause_ms(u32 ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000l };

	nanosleep(&t, NULL);
}

/* Waits until the bits @mask of HOST register @reg are @value; false after a while. */
static bool await_reg(u32 reg, u32 mask, u32 value)
{
	u32 i;

	for (i = 0; i < 30000; i++) {
		if ((qemu_read(&q, QEMU_BAR_REGS + reg) & mask) == value)
			return true;
		pause_ms(1);
	}
	return false;
}

static void write_reg(u32 reg, u32 value)
{
	qemu_write(&q, QEMU_BAR_REGS + reg, value);
}

/* Tells the device to boot the script firmware. */
static void start_boot(void)
{
	FILE *f = fopen(image, "rb");
	size_t bytes = f ? fread(q.ram + IMAGE, 1, RONDO_TCM_BYTES, f) : 0;

	if (f)
		fclose(f);
	write_reg(RONDO_REG_HOST_FW_ADDR_LO, IMAGE);
	write_reg(RONDO_REG_HOST_FW_SIZE, bytes);
	write_reg(RONDO_REG_HOST_INIT_ADDR_LO, SCRIPT);
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
}

static bool boot(void)
{
	start_boot();
	return await_reg(RONDO_REG_HOST_FW_STATE, ~0u, 1);
}

static struct step *script(void)
{
	return (struct step *)(q.ram + SCRIPT);
}

static u32 steps;

static void step(enum step_op op, u32 addr, u32 value)
{
	script()[steps++] = (struct step){ op, addr, value, 0 };
}

/* Has the firmware begin what was collected. */
static void start(void)
{
	step(STEP_END, 0, 0);
	steps = 0;
	qemu_write(&q, QEMU_BAR_BELLS, 1);
}

/* Waits until it has ended. */
static bool finish(void)
{
	bool done = await_reg(RONDO_REG_HOST_IRQ_STATUS, 1, 1);

	write_reg(RONDO_REG_HOST_IRQ_STATUS, 1);
	return done;
}

/* Gives a command to the sequencer; its status, ~0 if that does not come. */
static u32 sequencer(enum rondo_seq_command command, struct rondo_seq_args args)
{
	const u32 *words = (const u32 *)&args;
	u32 i, at;

	for (i = 0; i < sizeof(args) / 4; i++)
		step(STEP_STORE, RIG_TCM_FREE + 4 * i, words[i]);
	step(STEP_STORE, MGMT(SEQ_ARGS), RIG_TCM_FREE);
	step(STEP_STORE, MGMT(SEQ_GO), command);
	step(STEP_AWAIT, 0, RIG_MIP_EXTERNAL);
	step(STEP_STORE, MGMT(SEQ_ACK), 1);
	at = steps;
	step(STEP_LOAD, MGMT(SEQ_STATUS), 0);
	start();
	return finish() ? script()[at].result : ~0u;
}

/* A page list of @bytes at PROGRAM, from LIST on. */
static void list_program(u64 bytes)
{
	struct rondo_page_list *list = (void *)(q.ram + LIST);
	u64 i, pages = (bytes + RONDO_PAGE_BYTES - 1) / RONDO_PAGE_BYTES;

	for (i = 0; i < pages; i++) {
		struct rondo_page_list *node = &list[i / RONDO_PAGE_LIST_ENTRIES];

		node->page[i % RONDO_PAGE_LIST_ENTRIES] = PROGRAM + i * RONDO_PAGE_BYTES;
		node->next = LIST + (i / RONDO_PAGE_LIST_ENTRIES + 1) * RONDO_PAGE_BYTES;
	}
}

static u32 load_bytes(u32 number, const void *bytes, u64 size)
{
	memcpy(q.ram + PROGRAM, bytes, size);
	list_program(size);
	return sequencer(RONDO_SEQ_LOAD,
			 (struct rondo_seq_args){ .program = number, .addr = LIST, .size = size });
}

static u32 load_text(u32 number, const char *text)
{
	struct asm_errors errors;
	void *program;
	u32 status;
	u64 size;

	if (asm_assemble(text, &program, &size, &errors)) {
		asm_print_errors(stdout, "program", &errors);
		return ~0u;
	}
	status = load_bytes(number, program, size);
	free(program);
	return status;
}

static u32 bind_slots(u32 binding, u32 program, u32 count)
{
	return sequencer(RONDO_SEQ_BIND, (struct rondo_seq_args){ .binding = binding,
								  .program = program,
								  .count = count,
								  .addr = SLOTS });
}

static struct rondo_slot_binding *slots(void)
{
	return (struct rondo_slot_binding *)(q.ram + SLOTS);
}

/* Where on the bus the root port's Slot Control and Slot Status are: as one word. */
static u64 slot_control(void)
{
	enum { EXPRESS = 0x10, CONTROL = 0x18 };

	return QEMU_ECAM + (QEMU_PORT << 15) + qemu_capability(&q, 0, QEMU_PORT, EXPRESS) + CONTROL;
}

/* Written there: power off, and the indicator says so. */
enum { POWER_OFF = 0x0700 };

/* After the device took itself out: it is gone for good, and another one works. */
static void check_unplugged(const char *how)
{
	bool gone = qemu_event(&q, "DEVICE_DELETED");

	tap_ok(gone && qemu_alive(&q), "unplugged by %s: QEMU lives", how);
	tap_eq(qemu_config_read(&q, 1, 0, 0), ~0u, "and nothing is in the slot");
	tap_ok(qemu_command(&q, "{'execute': 'device_add', 'arguments': {'driver': 'rondo', "
				"'id': 'again', 'bus': 'rp'}}") &&
		       (qemu_write(&q, slot_control(), 0), qemu_enumerate(&q)) && boot(),
	       "another device can be plugged in, and works");
}

static void copy_out(u64 host, u32 bytes)
{
	step(STEP_STORE, MGMT(COPY_ADDR_LO), host);
	step(STEP_STORE, MGMT(COPY_ADDR_HI), host >> 32);
	step(STEP_STORE, MGMT(COPY_LOCAL), RIG_TCM_FREE);
	step(STEP_STORE, MGMT(COPY_SIZE), bytes);
	step(STEP_STORE, MGMT(COPY_GO), 2);
}

static void test_unplug_by_copy(void)
{
	qemu_start(&q, binary, NULL, "");
	tap_ok(boot(), "the firmware boots");
	step(STEP_STORE, RIG_TCM_FREE, POWER_OFF);
	copy_out(slot_control(), 2);
	start();
	check_unplugged("the copy engine");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

static const char *const copy_text = "machine edge\n"
				     "slot a align=4\n"
				     "slot b align=4\n"
				     "desc load in a row=4 sram=0\n"
				     "desc store out b row=4 sram=0\n"
				     "	dma c0, load\n"
				     "	wait c0<=0\n"
				     "	dma c0, store\n"
				     "	halt c0<=0\n";

/* A slot of one page at bus address @page. */
static struct rondo_slot_binding slot_of_page(u32 list, u64 page, u32 offset, u32 size)
{
	struct rondo_page_list *node = (void *)(q.ram + list);

	node->page[0] = page;
	return (struct rondo_slot_binding){ list, offset, size };
}

static void test_unplug_by_replay(void)
{
	u64 control;

	qemu_start(&q, binary, NULL, "");
	control = slot_control();
	tap_ok(boot() && load_text(0, copy_text) == RONDO_SEQ_OK, "a program is loaded");
	*(u32 *)(q.ram + DATA) = POWER_OFF;
	slots()[0] = slot_of_page(DATA + 1 * RONDO_PAGE_BYTES, DATA, 0, 4);
	slots()[1] =
		slot_of_page(DATA + 2 * RONDO_PAGE_BYTES, control & ~0xfffull, control & 0xfff, 4);
	tap_eq(bind_slots(0, 0, 2), RONDO_SEQ_OK, "bound to the root port's registers");
	step(STEP_STORE, RIG_TCM_FREE + offsetof(struct rondo_seq_args, bound), ~0u);
	step(STEP_STORE, RIG_TCM_FREE + offsetof(struct rondo_seq_args, count), 0);
	step(STEP_STORE, MGMT(SEQ_GO), RONDO_SEQ_RUN);
	start();
	check_unplugged("a replay");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

/* The device's own registers, by its own DMA. */
static void test_reset_itself(void)
{
	qemu_start(&q, binary, NULL, "");
	boot();
	step(STEP_STORE, RIG_TCM_FREE, RONDO_FLD_HOST_CTRL_RESET);
	copy_out(QEMU_BAR_REGS + RONDO_REG_HOST_CTRL, 4);
	start();
	tap_ok(await_reg(RONDO_REG_HOST_STATUS, ~0u, RONDO_STATE_OFF), "the device resets itself");
	tap_ok(boot(), "and boots again");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

/* Registers of VT-d, and its fault interrupt as an NMI: nothing has to be set up to take it. */
static void enable_iommu(void)
{
	enum {
		VTD = 0xfed90000,
		GCMD = 0x18,
		RTADDR = 0x20,
		FECTL = 0x38,
		FEDATA = 0x3c,
		FEADDR = 0x40
	};

	qemu_write(&q, VTD + FEDATA, 4 << 8);
	qemu_write(&q, VTD + FEADDR, 0xfee00000);
	qemu_write(&q, VTD + FECTL, 0);
	qemu_write(&q, VTD + RTADDR, DATA); /* an empty root table: nothing is mapped */
	qemu_write(&q, VTD + RTADDR + 4, 0);
	qemu_write(&q, VTD + GCMD, 1u << 30);
	qemu_write(&q, VTD + GCMD, 1u << 31);
}

static void test_iommu(void)
{
	const u32 dead = RONDO_STATE_DEAD | RONDO_BOOT_DMA << RONDO_SHIFT_HOST_STATUS_ERROR;

	qemu_start(&q, binary, "-device intel-iommu,intremap=off", "");
	tap_ok(boot(), "behind an IOMMU that passes all, the firmware boots");
	enable_iommu();
	copy_out(DATA, 4);
	step(STEP_LOAD, MGMT(COPY_STATUS), 0);
	start();
	pause_ms(100);
	tap_ok(qemu_alive(&q), "a copy that the IOMMU refuses: QEMU lives");
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	await_reg(RONDO_REG_HOST_STATUS, ~0u, RONDO_STATE_OFF);
	start_boot();
	tap_ok(await_reg(RONDO_REG_HOST_STATUS, ~0u, dead), "the next boot is refused: DEAD, DMA");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

/* A program of 64 slots that touches none. */
static u32 load_slots(u32 number)
{
	struct builder b;
	u8 *bytes;
	u32 i, status;
	u64 size;

	build_init(&b);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		build_slot(&b, 0);
	build_halt(&b);
	bytes = build_claimed(&b, &size);
	status = load_bytes(number, bytes, size);
	free(bytes);
	build_fini(&b);
	return status;
}

enum { SLOT_BYTES = 128 << 20 };

/* All slots are one page list of SLOT_BYTES. */
static void list_slots(void)
{
	u32 i;

	list_program(SLOT_BYTES);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		slots()[i] = (struct rondo_slot_binding){ LIST, 0, SLOT_BYTES };
}

/* Binds until that is refused; the last status. */
static u32 bind_all(u32 *bindings)
{
	u32 status;

	for (*bindings = 0; *bindings < RONDO_BINDINGS_MAX; ++*bindings) {
		status = bind_slots(*bindings, 0, RONDO_PROGRAM_SLOTS_MAX);
		if (status != RONDO_SEQ_OK)
			return status;
	}
	return RONDO_SEQ_OK;
}

static void test_bindings(void)
{
	u64 before, list = RONDO_PROGRAM_SLOTS_MAX * (SLOT_BYTES / RONDO_PAGE_BYTES) * sizeof(u64);
	u32 bindings, again;

	qemu_start(&q, binary, NULL, ",memory=40M");
	tap_ok(boot() && load_slots(0) == RONDO_SEQ_OK, "a program of 64 slots");
	list_slots();
	before = qemu_resident(&q);
	tap_eq(bind_all(&bindings), RONDO_SEQ_NO_MEMORY, "bindings end as NO_MEMORY");
	tap_eq(bindings, (40 << 20) / list, "after as many as the device may keep");
	tap_ok(qemu_resident(&q) - before < 56 << 20, "QEMU has grown by no more than it may");
	sequencer(RONDO_SEQ_UNBIND, (struct rondo_seq_args){ .binding = 0 });
	tap_eq(bind_slots(0, 0, RONDO_PROGRAM_SLOTS_MAX), RONDO_SEQ_OK,
	       "one in the place of another is kept");
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	await_reg(RONDO_REG_HOST_STATUS, ~0u, RONDO_STATE_OFF);
	boot();
	load_slots(0);
	list_slots();
	bind_all(&again);
	tap_eq(again, bindings, "after a reset there is as much room as at first");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

/* One node, which is the next of itself, for slots of 1 GiB each. */
static void test_endless_list(void)
{
	struct rondo_page_list *node;
	u32 i;

	qemu_start(&q, binary, NULL, "");
	tap_ok(boot() && load_slots(0) == RONDO_SEQ_OK, "a program of 64 slots");
	node = memset(q.ram + LIST, 0, RONDO_PAGE_BYTES);
	node->next = LIST;
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		slots()[i] = (struct rondo_slot_binding){ LIST, 0, 1 << 30 };
	tap_eq(bind_slots(0, 0, RONDO_PROGRAM_SLOTS_MAX), RONDO_SEQ_HOST_REFUSED,
	       "a page list that is its own next is refused");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

/* A program of many bundles, loaded until that is refused; how often it was not. */
static u32 load_all(u32 *status)
{
	enum { BUNDLES = 1 << 15 };
	struct builder b;
	u32 i, loaded;
	u8 *bytes;
	u64 size;

	build_init(&b);
	for (i = 0; i < BUNDLES; i++) {
		build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_movi, .dst = i % 64 });
		build_op(&b, RONDO_V1,
			 (struct rondo_op){ .op = RONDO_OP_movi, .dst = (i + 32) % 64 });
	}
	build_halt(&b);
	bytes = build_claimed(&b, &size);
	*status = RONDO_SEQ_OK;
	for (loaded = 0; loaded < RONDO_PROGRAMS_MAX && *status == RONDO_SEQ_OK; loaded++)
		*status = load_bytes(loaded, bytes, size);
	free(bytes);
	build_fini(&b);
	return loaded - (*status != RONDO_SEQ_OK);
}

static void test_programs(void)
{
	u64 before;
	u32 status, loaded;

	qemu_start(&q, binary, NULL, ",memory=100M");
	boot();
	before = qemu_resident(&q);
	loaded = load_all(&status);
	tap_ok(loaded && status == RONDO_SEQ_NO_MEMORY, "programs end as NO_MEMORY, after %u",
	       loaded);
	tap_ok(qemu_resident(&q) - before < 120 << 20, "QEMU has grown by no more than it may");
	sequencer(RONDO_SEQ_UNLOAD, (struct rondo_seq_args){ .program = 0 });
	tap_eq(load_all(&status), 1, "one in the place of another is kept");
	tap_eq(qemu_said(&q, "is not loaded: the guest may take 100.0 MiB"), 1,
	       "QEMU says once what does not fit");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

static void test_default(void)
{
	qemu_start(&q, binary, NULL, "");
	tap_eq(qemu_property(&q, "memory"), 2ll * QEMU_RAM_BYTES,
	       "by default the device may take twice the guest's memory");
	tap_ok(qemu_end(&q), "QEMU ends well");
}

/* Loops that do not nest, by a bit that flips after the program was accepted. */
static void test_not_accepted(void)
{
	struct builder b;
	u8 *bytes;
	u64 size;
	u32 status;

	qemu_start(&q, binary, NULL, ",faults=on");
	boot();
	build_init(&b);
	build_loop(&b, 1 << 20, 2);
	build_loop(&b, 2, 1);
	build_bundle(&b);
	build_halt(&b);
	bytes = build_claimed(&b, &size);
	qemu_write(&q, QEMU_BAR_FAULTS + 4 * EMU_FAULT_seq_flip_program, 8);
	status = load_bytes(0, bytes, size);
	tap_ok(status == RONDO_SEQ_OK && bind_slots(0, 0, 0) == RONDO_SEQ_OK,
	       "a bit of the loaded program is flipped");
	status = sequencer(RONDO_SEQ_RUN, (struct rondo_seq_args){ .bound = ~0u });
	tap_eq(status, RONDO_SEQ_TRAPPED, "its replay is a trap");
	free(bytes);
	build_fini(&b);
	tap_ok(qemu_end(&q), "QEMU ends well");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return EXIT_FAILURE;
	binary = argv[1];
	image = argv[2];
	test_unplug_by_copy();
	test_unplug_by_replay();
	test_reset_itself();
	test_iommu();
	test_bindings();
	test_endless_list();
	test_programs();
	test_default();
	test_not_accepted();
	return tap_done();
}
