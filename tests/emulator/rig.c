/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/machine.h"
#include "tests/emulator/rig.h"

static void die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(EXIT_FAILURE);
}

static u64 read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (u64)t.tv_sec * 1000000000 + t.tv_nsec;
}

u64 rig_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

u64 rig_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static void irq(void *ctx, u32 vector)
{
	struct rig *rig = ctx;

	pthread_mutex_lock(&rig->lock);
	rig->irqs[vector]++;
	pthread_cond_broadcast(&rig->wake);
	pthread_mutex_unlock(&rig->lock);
}

/* The sequencer's command has not ended: who waits for it may look then. */
static void refused(void *ctx, u32 program, const char *why)
{
	struct rig *rig = ctx;

	rig->refused = program;
	snprintf(rig->why, sizeof(rig->why), "%s", why);
}

static void read_image(struct rig *rig, const char *path)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		die("the test firmware is missing");
	rig->image = rig_alloc(rig, RONDO_TCM_BYTES);
	rig->image_bytes = fread(rig->image, 1, RONDO_TCM_BYTES, f);
	fclose(f);
}

static const char *const events[] = { "reset",	     "ctrl",	"boot",	    "bell",
				      "irq",	     "copy_in", "copy_out", "fault",
				      "seq_command", "seq_end", "dead" };
enum { EVENTS = sizeof(events) / sizeof(*events) };

static void trace(void *ctx, const char *event, u64 a, u64 b)
{
	struct rig *rig = ctx;

	(void)a, (void)b;
	for (u32 i = 0; i < EVENTS; i++)
		if (!strcmp(event, events[i]))
			atomic_fetch_or(&rig->traced, 1u << i);
}

bool rig_traced(struct rig *rig)
{
	for (u32 i = 0; i < EVENTS; i++)
		if (!(atomic_load(&rig->traced) >> i & 1))
			printf("# no %s\n", events[i]);
	return atomic_load(&rig->traced) == (1u << EVENTS) - 1;
}

void rig_init_limited(struct rig *rig, const char *image, u32 id, u64 memory)
{
	struct inproc_ops ops = {
		.irq = irq, .refused = refused, .trace = trace, .ctx = rig, .memory = memory
	};
	struct rondo_machine machine;

	memset(rig, 0, sizeof(*rig));
	pthread_mutex_init(&rig->lock, NULL);
	pthread_cond_init(&rig->wake, NULL);
	rondo_machine_init(&machine, id);
	rig->host = inproc_create(&machine, &ops);
	if (!rig->host)
		die("no device");
	rig->dev = inproc_device(rig->host);
	read_image(rig, image);
	rig->script = rig_alloc(rig, RONDO_PAGE_BYTES);
}

void rig_init_machine(struct rig *rig, const char *image, u32 id)
{
	rig_init_limited(rig, image, id, 0);
}

void rig_init(struct rig *rig, const char *image)
{
	rig_init_machine(rig, image, RONDO_MACHINE_edge);
}

void rig_fini(struct rig *rig)
{
	inproc_destroy(rig->host);
	free(rig->image);
	free(rig->script);
	pthread_cond_destroy(&rig->wake);
	pthread_mutex_destroy(&rig->lock);
}

void *rig_alloc(struct rig *rig, u64 bytes)
{
	void *p = aligned_alloc(RONDO_PAGE_BYTES, (bytes + 4095) / 4096 * 4096);

	if (!p || inproc_allow(rig->host, p, bytes, true))
		die("out of memory");
	memset(p, 0, bytes);
	return p;
}

void rig_free(struct rig *rig, void *p, u64 bytes)
{
	inproc_forbid(rig->host, p, bytes);
	free(p);
}

u32 rig_read(struct rig *rig, u32 offset)
{
	return emu_mmio_read(rig->dev, RONDO_BAR_REGS, offset, 4);
}

void rig_write(struct rig *rig, u32 offset, u32 value)
{
	emu_mmio_write(rig->dev, RONDO_BAR_REGS, offset, value, 4);
}

u64 rig_time(struct rig *rig)
{
	return emu_mmio_read(rig->dev, RONDO_BAR_REGS, RONDO_REG_HOST_TIME_LO, 8);
}

void rig_bell(struct rig *rig, u32 bell)
{
	emu_mmio_write(rig->dev, RONDO_BAR_BELLS, (u64)bell * RONDO_BELL_BYTES, 1, 4);
}

void rig_until(bool (*done)(struct rig *rig, u32 arg), struct rig *rig, u32 arg)
{
	const struct timespec pause = { .tv_nsec = 20000 };
	u64 end = rig_now_ns() + RIG_TIMEOUT_MS * 1000000ull;

	while (!done(rig, arg)) {
		if (rig_now_ns() > end)
			die("timeout");
		nanosleep(&pause, NULL);
	}
}

static bool state_is(struct rig *rig, u32 state)
{
	return (rig_read(rig, RONDO_REG_HOST_STATUS) & RONDO_FLD_HOST_STATUS_STATE) == state;
}

static bool booted(struct rig *rig, u32 arg)
{
	(void)arg;
	return rig_read(rig, RONDO_REG_HOST_FW_STATE) || !state_is(rig, RONDO_STATE_ON);
}

void rig_await_state(struct rig *rig, enum rondo_device_state state)
{
	rig_until(state_is, rig, state);
}

enum rondo_device_state rig_boot(struct rig *rig)
{
	u64 image = inproc_bus(rig->image), script = inproc_bus(rig->script);

	rig_write(rig, RONDO_REG_HOST_FW_ADDR_LO, image);
	rig_write(rig, RONDO_REG_HOST_FW_ADDR_HI, image >> 32);
	rig_write(rig, RONDO_REG_HOST_FW_SIZE, rig->image_bytes);
	rig_write(rig, RONDO_REG_HOST_INIT_ADDR_LO, script);
	rig_write(rig, RONDO_REG_HOST_INIT_ADDR_HI, script >> 32);
	rig_write(rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
	rig_until(booted, rig, 0);
	return rig_read(rig, RONDO_REG_HOST_STATUS) & RONDO_FLD_HOST_STATUS_STATE;
}

u64 rig_reset(struct rig *rig)
{
	u64 start = rig_cpu_ns();

	rig_write(rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	rig_await_state(rig, RONDO_STATE_OFF);
	rig->steps = 0;
	return rig_cpu_ns() - start;
}

void rig_await_irq(struct rig *rig, u32 vector, u32 n)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += RIG_TIMEOUT_MS / 1000;
	pthread_mutex_lock(&rig->lock);
	while (rig->irqs[vector] < n)
		if (pthread_cond_timedwait(&rig->wake, &rig->lock, &end))
			die("no interrupt");
	rig->irqs[vector] -= n;
	pthread_mutex_unlock(&rig->lock);
}

static bool hits_are(struct rig *rig, u32 arg)
{
	return emu_fault_hits(rig->dev, arg & 0xff) >= arg >> 8;
}

void rig_await_hits(struct rig *rig, enum emu_fault fault, u32 n)
{
	rig_until(hits_are, rig, n << 8 | fault);
}

void rig_step(struct rig *rig, enum step_op op, u32 addr, u32 value)
{
	if (rig->steps >= RIG_STEPS)
		die("script too long");
	rig->script[rig->steps++] = (struct step){ op, addr, value, 0 };
}

void rig_start(struct rig *rig)
{
	rig->script[rig->steps].op = STEP_END;
	rig->steps = 0;
	rig_bell(rig, 0);
}

void rig_finish(struct rig *rig)
{
	rig_await_irq(rig, 0, 1);
	rig_write(rig, RONDO_REG_HOST_IRQ_STATUS, RONDO_FLD_HOST_IRQ_STATUS_EVENT);
}

void rig_run(struct rig *rig)
{
	rig_start(rig);
	rig_finish(rig);
}

void rig_mgmt_write(struct rig *rig, u32 offset, u32 value)
{
	rig_step(rig, STEP_STORE, RONDO_MGMT_BASE + offset, value);
	rig_run(rig);
}

u32 rig_mgmt_read(struct rig *rig, u32 offset)
{
	rig_step(rig, STEP_LOAD, RONDO_MGMT_BASE + offset, 0);
	rig_run(rig);
	return rig->script[0].result;
}

u64 rig_quickest(u64 (*once)(void), u64 limit)
{
	u64 shortest = ~(u64)0, ns;
	int i;

	for (i = 0; i < 5 && shortest >= limit; i++) {
		ns = once();
		if (ns < shortest)
			shortest = ns;
	}
	printf("# %llu us\n", (unsigned long long)shortest / 1000);
	return shortest;
}
