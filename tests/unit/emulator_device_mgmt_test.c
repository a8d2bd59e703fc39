/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The management core in its device: boot and its errors, doorbells, interrupts,
 * copy engine, timer, traps, reset. argv[1]: the image of tests/emulator/script.S.
 */
#include "tests/emulator/rig.h"
#include "tests/tap.h"

#define MGMT(name) (RONDO_MGMT_BASE + RONDO_REG_MGMT_##name)

static struct rig rig;

static u32 boot_error(void)
{
	return (rig_read(&rig, RONDO_REG_HOST_STATUS) & RONDO_FLD_HOST_STATUS_ERROR) >>
	       RONDO_SHIFT_HOST_STATUS_ERROR;
}

static void test_reset_values(void)
{
	struct rondo_machine machine;
	u32 i, sum = 0;

	tap_eq(rig_read(&rig, RONDO_REG_HOST_ID), RONDO_DEVICE_ID, "ID");
	tap_eq(rig_read(&rig, RONDO_REG_HOST_VERSION), RONDO_REGS_VERSION, "VERSION");
	for (i = 0; i < sizeof(machine) / 4; i++)
		((u32 *)&machine)[i] = rig_read(&rig, RONDO_REG_HOST_MACHINE + 4 * i);
	tap_eq(machine.sram_bytes, 1 << 20, "MACHINE holds the description");
	tap_ok(rig_read(&rig, RONDO_REG_HOST_MEMORY_LO) == ~0u &&
		       rig_read(&rig, RONDO_REG_HOST_MEMORY_HI) == ~0u,
	       "MEMORY says that there is no limit");
	for (i = RONDO_REG_HOST_CTRL; i < RONDO_REG_HOST_MACHINE; i += 4)
		if (i != RONDO_REG_HOST_MEMORY_LO && i != RONDO_REG_HOST_MEMORY_HI)
			sum |= rig_read(&rig, i);
	tap_eq(sum, 0, "all else is 0: OFF, no time, no interrupt");
	tap_eq(emu_mmio_read(rig.dev, RONDO_BAR_BELLS, 0, 4), 0, "doorbells read as 0");
	tap_eq(emu_mmio_read(rig.dev, 7, 0, 4), 0, "a BAR that does not exist reads as 0");
}

/* Boots with the image at @addr, @size bytes; what comes of it. */
static u32 boot_with(u64 addr, u32 size)
{
	u32 error;

	rig_write(&rig, RONDO_REG_HOST_FW_ADDR_LO, addr);
	rig_write(&rig, RONDO_REG_HOST_FW_ADDR_HI, addr >> 32);
	rig_write(&rig, RONDO_REG_HOST_FW_SIZE, size);
	rig_write(&rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
	rig_await_state(&rig, RONDO_STATE_DEAD);
	rig_await_irq(&rig, 1, 1);
	error = boot_error();
	if (rig_read(&rig, RONDO_REG_HOST_IRQ_STATUS) != RONDO_FLD_HOST_IRQ_STATUS_FAULT)
		error = ~0u;
	rig_reset(&rig);
	return error;
}

static void test_boot_errors(void)
{
	u64 image = inproc_bus(rig.image);
	u32 *trap = (u32 *)rig.image, first = trap[0];

	tap_eq(boot_with(image, 0), RONDO_BOOT_SIZE, "an empty image is refused");
	tap_eq(boot_with(image, RONDO_TCM_BYTES + 1), RONDO_BOOT_SIZE, "one too large is refused");
	tap_eq(boot_with(16, 4096), RONDO_BOOT_DMA, "an address that the host refuses");
	tap_eq(boot_with(~(u64)0 - 4095, 8192), RONDO_BOOT_DMA, "an address that wraps around");
	emu_fault_set(rig.dev, EMU_FAULT_copy_fail, 1);
	tap_eq(boot_with(image, rig.image_bytes), RONDO_BOOT_DMA, "a fetch that fails");
	trap[0] = 0;
	tap_eq(boot_with(image, rig.image_bytes), RONDO_BOOT_TRAP, "an image that traps");
	trap[0] = first;
}

static void test_boot(void)
{
	tap_eq(rig_boot(&rig), RONDO_STATE_ON, "the test firmware boots");
	tap_eq(rig_read(&rig, RONDO_REG_HOST_FW_VERSION), 0x10000, "FW_VERSION as it wrote it");
	rig_write(&rig, RONDO_REG_HOST_FW_STATE, 77);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_FW_STATE), 1, "the host cannot write FW_STATE");
	rig_write(&rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
	rig_run(&rig);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS), RONDO_STATE_ON, "BOOT while ON does nothing");
	tap_ok(rig_mgmt_read(&rig, RONDO_REG_MGMT_INIT_ADDR_LO) == (u32)inproc_bus(rig.script),
	       "firmware reads INIT_ADDR");
}

/* Images up to the last byte of the core's memory, which has nothing of the one before. */
static void test_largest_image(void)
{
	const u32 bytes = rig.image_bytes, last = RONDO_TCM_BYTES - 4;

	rig_reset(&rig);
	*(u32 *)(rig.image + last) = 0x12345678;
	rig.image_bytes = RONDO_TCM_BYTES;
	tap_eq(rig_boot(&rig), RONDO_STATE_ON, "an image as large as the core's memory boots");
	rig_step(&rig, STEP_LOAD, RONDO_TCM_BASE + last, 0);
	rig_run(&rig);
	tap_eq(rig.script[0].result, 0x12345678, "with its last word");
	rig_reset(&rig);
	rig.image_bytes = bytes;
	rig_boot(&rig);
	rig_step(&rig, STEP_LOAD, RONDO_TCM_BASE + last, 0);
	rig_run(&rig);
	tap_eq(rig.script[0].result, 0, "the next boot sees nothing of it");
}

static bool handled(struct rig *r, u32 value)
{
	return rig_read(r, RONDO_REG_HOST_HEARTBEAT) == value ||
	       rig_read(r, RONDO_REG_HOST_STATUS) != RONDO_STATE_ON;
}

/* A jump to where there is no code, with a handler that tells. */
static void test_handled_trap(void)
{
	enum { CODE = RIG_TCM_FREE - RONDO_TCM_BASE, HANDLER = 64 };
	const u32 handler = RIG_TCM_FREE + HANDLER;
	static const u32 code[] = { 0x30559073 /* csrw mtvec, a1 */, 0x00000067 /* jr zero */ };
	static const u32 trap[] = { 0x00b42823 /* sw a1, HEARTBEAT(s0) */, 0x0000006f /* j . */ };

	rig_step(&rig, STEP_STORE, RONDO_TCM_BASE + CODE, code[0]);
	rig_step(&rig, STEP_STORE, RONDO_TCM_BASE + CODE + 4, code[1]);
	rig_step(&rig, STEP_STORE, handler, trap[0]);
	rig_step(&rig, STEP_STORE, handler + 4, trap[1]);
	rig_step(&rig, STEP_JUMP, RIG_TCM_FREE, handler);
	rig_start(&rig);
	rig_until(handled, &rig, handler);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS), RONDO_STATE_ON,
	       "a jump outside the core's memory that a handler takes does not kill the core");
	rig_reset(&rig);
	rig_boot(&rig);
}

/* Words appear in ascending order: who sees one sees all before it. */
static void test_copy_order(void)
{
	enum { WORDS = 32 << 8, ROUNDS = 40 };
	u32 *words = rig_alloc(&rig, WORDS * 4);
	const u32 at[] = { 1, WORDS / 3, WORDS / 2, WORDS - 1 };
	u32 round, i, seen, wrong = 0;

	for (round = 0; round < ROUNDS; round++) {
		const u64 addr = inproc_bus(words);

		memset(words, 0, WORDS * 4);
		rig_step(&rig, STEP_STORE, MGMT(COPY_ADDR_LO), addr);
		rig_step(&rig, STEP_STORE, MGMT(COPY_ADDR_HI), addr >> 32);
		rig_step(&rig, STEP_STORE, MGMT(COPY_SIZE), WORDS * 4);
		for (i = 0; i < 4; i++)
			rig_step(&rig, STEP_STORE, RONDO_TCM_BASE + RONDO_TCM_BYTES / 2 + 4 * at[i],
				 1);
		rig_step(&rig, STEP_STORE, MGMT(COPY_LOCAL), RONDO_TCM_BASE + RONDO_TCM_BYTES / 2);
		rig_step(&rig, STEP_STORE, MGMT(COPY_GO), 2);
		rig_start(&rig);
		do {
			seen = 0;
			for (i = 4; i-- > 0;)
				seen |= __atomic_load_n(&words[at[i]], __ATOMIC_ACQUIRE) << i;
			/* Read backwards: a later one that was there implies those before it. */
			wrong += (seen & (seen + 1)) != 0;
		} while (seen != 15);
		rig_finish(&rig);
	}
	tap_eq(wrong, 0, "a copy to the host writes its words in ascending order");
	rig_free(&rig, words, WORDS * 4);
}

static void test_bells(void)
{
	u32 beats = rig_read(&rig, RONDO_REG_HOST_HEARTBEAT);
	u32 i;

	rig_bell(&rig, 37);
	rig_bell(&rig, 255);
	rig_bell(&rig, 256);
	emu_mmio_write(rig.dev, RONDO_BAR_BELLS, 70 * RONDO_BELL_BYTES + 4095, 0, 1);
	for (i = 0; i < 8; i++)
		rig_step(&rig, STEP_LOAD, MGMT(BELL_PENDING) + 4 * i, 0);
	rig_step(&rig, STEP_AWAIT, 0, RIG_MIP_EXTERNAL);
	for (i = 1; i < 8; i++)
		rig_step(&rig, STEP_STORE, MGMT(BELL_PENDING) + 4 * i, ~0u);
	rig_step(&rig, STEP_LOAD, MGMT(BELL_PENDING) + 4, 0);
	rig_run(&rig);
	tap_eq(rig.script[1].result, 1 << 5, "bell 37");
	tap_eq(rig.script[2].result, 1 << 6, "bell 70 by its last byte");
	tap_eq(rig.script[7].result, 1u << 31, "bell 255");
	tap_eq(rig.script[0].result | rig.script[3].result, 0, "no other");
	tap_eq(rig.script[16].result, 0, "writing ones clears");
	tap_ok(rig_read(&rig, RONDO_REG_HOST_HEARTBEAT) > beats, "HEARTBEAT moves");
}

static void test_irq(void)
{
	rig_step(&rig, STEP_STORE, MGMT(HOST_IRQ), 0xfffffffc);
	rig_step(&rig, STEP_STORE, MGMT(HOST_IRQ), 2);
	rig_start(&rig);
	rig_await_irq(&rig, 1, 1);
	rig_await_irq(&rig, 0, 1);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_IRQ_STATUS), 3, "both bits are pending, no other");
	rig_write(&rig, RONDO_REG_HOST_IRQ_STATUS, 2);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_IRQ_STATUS), 1, "writing 1 clears");
	rig_write(&rig, RONDO_REG_HOST_IRQ_STATUS, 1);
}

/* Lets the copy engine move @size bytes; COPY_STATUS. */
static u32 copy(void *host, u32 local, u32 size, u32 go)
{
	u64 addr = inproc_bus(host);

	rig_step(&rig, STEP_STORE, MGMT(COPY_ADDR_LO), addr);
	rig_step(&rig, STEP_STORE, MGMT(COPY_ADDR_HI), addr >> 32);
	rig_step(&rig, STEP_STORE, MGMT(COPY_LOCAL), local);
	rig_step(&rig, STEP_STORE, MGMT(COPY_SIZE), size);
	rig_step(&rig, STEP_STORE, MGMT(COPY_GO), go);
	rig_step(&rig, STEP_LOAD, MGMT(COPY_STATUS), 0);
	rig_run(&rig);
	return rig.script[5].result;
}

static void test_copy(void)
{
	char *page = rig_alloc(&rig, 8192), *other = rig_alloc(&rig, 64);
	const char *text = "a rondo's theme comes back";
	u32 end = RONDO_TCM_BASE + RONDO_TCM_BYTES, wrong = 0;

	strcpy(page + 4090, text);
	tap_eq(copy(page + 4090, RIG_TCM_FREE + 1, 27, 1), 0, "host to core");
	tap_eq(copy(other + 3, RIG_TCM_FREE + 1, 27, 2), 0, "core to host");
	tap_ok(!strcmp(other + 3, text), "the bytes come back");
	for (u32 i = 0; i < 20; i++)
		wrong += copy(other + i, RIG_TCM_FREE + 1, 27, 2) || strcmp(other + i, text);
	tap_eq(wrong, 0, "at any address");
	tap_eq(copy(page, end - 4, 8, 1), 1, "a copy past the core's memory is refused");
	tap_eq(copy(page, end - 8, 8, 1), 0, "one up to its end is not");
	tap_eq(copy(page, RONDO_TCM_BASE - 4, 4, 1), 1, "before it");
	tap_eq(copy((void *)64, RIG_TCM_FREE, 4, 2), 1, "an address that the host refuses");
	tap_eq(copy(page, RIG_TCM_FREE, 4, 3), 1, "an unknown direction");
	tap_eq(copy(page, end, 0, 1), 0, "nothing at all");
	emu_fault_set(rig.dev, EMU_FAULT_event_corrupt, 3);
	memset(page, 0, 64);
	copy(page, RIG_TCM_FREE + 512, 64, 2);
	tap_ok(((u32 *)page)[2] == ~0u && !((u32 *)page)[1] && !((u32 *)page)[3],
	       "event_corrupt inverts the word");
	copy(page, RIG_TCM_FREE + 512, 64, 2);
	tap_eq(((u32 *)page)[2], 0, "once");
	tap_eq(emu_fault_hits(rig.dev, EMU_FAULT_event_corrupt), 1, "and counts it");
	rig_free(&rig, page, 8192);
	rig_free(&rig, other, 64);
}

static void test_timer(void)
{
	u64 start = rig_now_ns();

	rig_step(&rig, STEP_STORE, MGMT(TIMER_LO), 5000000);
	rig_step(&rig, STEP_STORE, MGMT(TIMER_HI), 0);
	rig_step(&rig, STEP_AWAIT, 0, RIG_MIP_TIMER);
	rig_step(&rig, STEP_AWAIT, 0, RIG_MIP_TIMER);
	rig_step(&rig, STEP_STORE, MGMT(TIMER_LO), 0);
	rig_step(&rig, STEP_STORE, MGMT(TIMER_HI), 0);
	rig_step(&rig, STEP_AWAIT, 0, RIG_MIP_TIMER | RIG_MIP_EXTERNAL);
	rig_start(&rig);
	rig_bell(&rig, 9);
	rig_finish(&rig);
	tap_ok(rig_now_ns() - start >= 5000000, "the timer does not end early");
	tap_ok(rig.script[2].result & RIG_MIP_TIMER, "its interrupt comes");
	tap_ok(rig.script[3].result & RIG_MIP_TIMER, "and stays");
	tap_eq(rig.script[6].result, RIG_MIP_EXTERNAL, "until TIMER_HI is written");
	rig_mgmt_write(&rig, RONDO_REG_MGMT_BELL_PENDING, 1 << 9);
}

/* Whether device time now keeps up with the host's clock: not while the core still works. */
static bool follows(struct rig *r, u32 ns)
{
	u64 start = rig_time(r), begin = rig_now_ns();

	while (rig_now_ns() - begin < ns)
		;
	return rig_time(r) - start >= ns;
}

static void test_time(void)
{
	u64 w0 = rig_now_ns(), t0 = rig_time(&rig);
	u64 t1, lo, hi;

	rig_until(follows, &rig, 1000000);
	t1 = rig_time(&rig);
	tap_ok(t1 - t0 <= rig_now_ns() - w0, "idle, a cycle is a nanosecond");
	rig_step(&rig, STEP_LOAD, MGMT(TIME_LO), 0);
	rig_step(&rig, STEP_LOAD, MGMT(TIME_HI), 0);
	rig_step(&rig, STEP_SPIN, 0, 100000);
	rig_step(&rig, STEP_LOAD, MGMT(TIME_LO), 0);
	rig_step(&rig, STEP_LOAD, MGMT(TIME_HI), 0);
	rig_run(&rig);
	lo = rig.script[0].result | (u64)rig.script[1].result << 32;
	hi = rig.script[3].result | (u64)rig.script[4].result << 32;
	tap_ok(lo >= t1 && hi <= rig_time(&rig), "both sides read one clock");
	tap_ok(hi - lo > 195000 && hi - lo < 205000, "200,000 instructions are 200,000 cycles");
}

static void test_trap(void)
{
	u32 fault_irqs = rig.irqs[1];

	rig_step(&rig, STEP_STORE, 0x20000000, 1);
	rig_start(&rig);
	rig_await_irq(&rig, 1, fault_irqs + 1);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS) & 15, RONDO_STATE_DEAD,
	       "a store to nowhere without a handler kills the core");
	tap_eq(boot_error(), RONDO_BOOT_TRAP, "as a trap");
	rig_write(&rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS) & 15, RONDO_STATE_DEAD, "BOOT does not help");
	rig_reset(&rig);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_FW_VERSION) |
		       rig_read(&rig, RONDO_REG_HOST_FW_ADDR_LO) |
		       rig_read(&rig, RONDO_REG_HOST_HEARTBEAT) | rig_time(&rig),
	       0, "a reset clears every register");
	tap_eq(rig_boot(&rig), RONDO_STATE_ON, "and then it boots again");
}

static u64 reset_while_spinning(void)
{
	rig_step(&rig, STEP_SPIN, 0, 0);
	rig_start(&rig);
	return rig_reset(&rig);
}

static void test_reset(void)
{
	tap_ok(rig_quickest(reset_while_spinning, STOP_NS) < STOP_NS,
	       "a reset stops a spinning core within 10 ms");
	rig_write(&rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS), RONDO_STATE_OFF,
	       "a reset when OFF is done at once");
	tap_eq(rig_boot(&rig), RONDO_STATE_ON, "it boots again");
	rig_run(&rig);
	rig_step(&rig, STEP_AWAIT, 0, 0);
	rig_start(&rig);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		tap_skip("management core", "no RISC-V compiler, so no test firmware");
		return tap_done();
	}
	rig_init(&rig, argv[1]);
	test_reset_values();
	test_boot_errors();
	test_boot();
	test_largest_image();
	test_handled_trap();
	test_bells();
	test_irq();
	test_copy();
	test_copy_order();
	test_timer();
	test_time();
	test_trap();
	test_reset();
	rig_fini(&rig);
	return tap_done();
}
