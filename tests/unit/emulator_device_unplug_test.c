/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A device that is unplugged from within, by each operation of its host in each of its threads,
 * and from outside at any moment. Nothing may wait for itself, use the device after it is freed
 * (which the sanitizers see), or call the host after it was told that the device is gone.
 * argv[1]: the image of tests/emulator/script.S.
 */
#include <pthread.h>
#include <time.h>

#include "core/machine.h"
#include "tests/emulator/rig.h"
#include "tests/tap.h"

#define MGMT(name) (RONDO_MGMT_BASE + RONDO_REG_MGMT_##name)

/* Operations of the host that may unplug the device. */
enum operation {
	NONE,
	MAP,
	UNMAP,
	IRQ,
	TRACE,
};

enum thread {
	MANAGEMENT,
	SEQUENCER,
};

/* What lies in the host's memory, a page each; bus address n is byte n of it. */
enum {
	SCRIPT = 0,
	IMAGE = RONDO_PAGE_BYTES,
	LIST = 2 * RONDO_PAGE_BYTES,
	MEMORY = 3 * RONDO_PAGE_BYTES,
	PIECE = 64,
};

static struct {
	struct emu_device *dev;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	enum operation unplugs; /* the device; NONE once it has */
	enum thread in;
	bool plugged;
	u32 operations, threads;
	u32 released;
	u32 wrong; /* calls that should not come */
	_Alignas(RONDO_PAGE_BYTES) u8 memory[MEMORY];
} host = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

/* Which of the device's threads; the one that fetches the image is the management core's. */
static _Thread_local enum thread this_thread;
static _Thread_local bool unplugged_here;

/* Takes the right to unplug the device; false if that is done already. */
static bool claim(void)
{
	bool plugged = host.plugged;

	host.plugged = false;
	return plugged;
}

/* Operation @op of the host is called. */
static void called(enum operation op)
{
	bool now;

	pthread_mutex_lock(&host.lock);
	host.wrong += host.released;
	host.operations++;
	pthread_cond_broadcast(&host.wake);
	now = host.unplugs == op && host.in == this_thread && claim();
	pthread_mutex_unlock(&host.lock);
	if (!now)
		return;
	emu_unplug(host.dev);
	unplugged_here = true;
}

static void *dma_map(void *ctx, u64 addr, u64 *size, bool write)
{
	(void)ctx;
	(void)write;
	pthread_mutex_lock(&host.lock);
	host.wrong += unplugged_here;
	pthread_mutex_unlock(&host.lock);
	if (addr >= MEMORY || *size > MEMORY - addr)
		return NULL;
	if (addr == IMAGE)
		this_thread = MANAGEMENT;
	/* In many pieces, so that there is always one that should not follow. */
	*size = *size < PIECE ? *size : PIECE;
	called(MAP);
	return host.memory + addr;
}

static void dma_unmap(void *ctx, void *p, u64 size, bool write)
{
	(void)ctx;
	(void)p;
	(void)size;
	(void)write;
	called(UNMAP);
}

static void irq(void *ctx, u32 vector)
{
	(void)ctx;
	(void)vector;
	called(IRQ);
}

static u64 clock_ns(void *ctx)
{
	(void)ctx;
	return rig_now_ns();
}

/* Other events come from the test's own calls too. */
static void trace(void *ctx, const char *event, u64 a, u64 b)
{
	(void)ctx;
	(void)a;
	(void)b;
	if (!strcmp(event, "copy_in") || !strcmp(event, "seq_end"))
		called(TRACE);
}

static void thread_begin(void *ctx)
{
	(void)ctx;
	this_thread = SEQUENCER;
	pthread_mutex_lock(&host.lock);
	host.threads++;
	pthread_mutex_unlock(&host.lock);
}

static void thread_end(void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&host.lock);
	host.wrong += host.released;
	host.threads--;
	pthread_mutex_unlock(&host.lock);
}

static void released(void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&host.lock);
	host.wrong += host.threads;
	host.released++;
	pthread_cond_broadcast(&host.wake);
	pthread_mutex_unlock(&host.lock);
}

static const struct emu_host_ops ops = {
	.dma_map = dma_map,
	.dma_unmap = dma_unmap,
	.irq = irq,
	.clock_ns = clock_ns,
	.trace = trace,
	.thread_begin = thread_begin,
	.thread_end = thread_end,
	.released = released,
};

/* Waits until @n operations were called, or the device is gone; false after a while. */
static bool await_locked(u32 n)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += RIG_TIMEOUT_MS / 1000;
	while (host.operations < n && !host.released)
		if (pthread_cond_timedwait(&host.wake, &host.lock, &end))
			return false;
	return true;
}

static void write_reg(u32 offset, u32 value)
{
	pthread_mutex_lock(&host.lock);
	if (host.plugged)
		emu_mmio_write(host.dev, RONDO_BAR_REGS, offset, value, 4);
	pthread_mutex_unlock(&host.lock);
}

/* Creates the device and boots firmware, which copies, loads what is no program, and interrupts. */
static void plug_in(u64 image_bytes)
{
	struct rondo_machine machine;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	host.operations = host.released = 0;
	host.dev = emu_create(&machine, &ops, NULL, UINT64_MAX);
	host.plugged = true;
	write_reg(RONDO_REG_HOST_FW_ADDR_LO, IMAGE);
	write_reg(RONDO_REG_HOST_FW_SIZE, image_bytes);
	write_reg(RONDO_REG_HOST_INIT_ADDR_LO, SCRIPT);
	emu_mmio_write(host.dev, RONDO_BAR_BELLS, 0, 1, 4);
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
}

static u64 prepare_memory(const char *path)
{
	const struct step steps[] = {
		{ STEP_STORE, RIG_TCM_FREE + offsetof(struct rondo_seq_args, addr), LIST, 0 },
		{ STEP_STORE, RIG_TCM_FREE + offsetof(struct rondo_seq_args, size), 64, 0 },
		{ STEP_STORE, MGMT(SEQ_ARGS), RIG_TCM_FREE, 0 },
		{ STEP_STORE, MGMT(SEQ_GO), RONDO_SEQ_LOAD, 0 },
		{ STEP_AWAIT, 0, RIG_MIP_EXTERNAL, 0 },
	};
	const u64 page = SCRIPT;
	FILE *f = fopen(path, "rb");
	u64 bytes = f ? fread(host.memory + IMAGE, 1, RONDO_PAGE_BYTES, f) : 0;

	if (f)
		fclose(f);
	memcpy(host.memory + SCRIPT, steps, sizeof(steps));
	memcpy(host.memory + LIST, &page, sizeof(page));
	return bytes;
}

static void test_within(u64 image_bytes, enum thread in, enum operation op, const char *name)
{
	bool gone;

	host.unplugs = op;
	host.in = in;
	plug_in(image_bytes);
	pthread_mutex_lock(&host.lock);
	gone = await_locked(~0u);
	tap_ok(gone && !host.plugged && !host.wrong, "unplugged %s", name);
	pthread_mutex_unlock(&host.lock);
}

/* Unplugs when @n operations of the host were called. */
static bool unplug_after(u64 image_bytes, u32 n)
{
	bool in_time, mine;

	host.unplugs = NONE;
	plug_in(image_bytes);
	pthread_mutex_lock(&host.lock);
	in_time = await_locked(n);
	mine = claim();
	pthread_mutex_unlock(&host.lock);
	if (mine)
		emu_unplug(host.dev);
	pthread_mutex_lock(&host.lock);
	in_time &= await_locked(~0u);
	pthread_mutex_unlock(&host.lock);
	return in_time && mine && !host.wrong;
}

static void test_outside(u64 image_bytes)
{
	u32 n, ok = 0;

	for (n = 0; n < 40; n++)
		ok += unplug_after(image_bytes, n);
	tap_eq(ok, n, "unplugged from outside, at any moment");
}

int main(int argc, char **argv)
{
	u64 bytes;

	if (argc < 2) {
		tap_skip("unplug", "no RISC-V compiler, so no test firmware");
		return tap_done();
	}
	bytes = prepare_memory(argv[1]);
	test_within(bytes, MANAGEMENT, MAP, "by a mapping of the management core");
	test_within(bytes, MANAGEMENT, UNMAP, "by what its copy writes");
	test_within(bytes, MANAGEMENT, TRACE, "by a trace of it");
	test_within(bytes, MANAGEMENT, IRQ, "by an interrupt");
	test_within(bytes, SEQUENCER, MAP, "by a mapping of the sequencer");
	test_within(bytes, SEQUENCER, UNMAP, "by what its DMA writes");
	test_within(bytes, SEQUENCER, TRACE, "by a trace of it");
	test_outside(bytes);
	return tap_done();
}
