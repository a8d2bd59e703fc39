/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The in-process front end: what of the process the device reaches. The image
 * that the device fetches at BOOT serves as the access: it ends as DMA where it
 * is refused and as TRAP, being all zeros, where it is not.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "core/machine.h"
#include "tests/emulator/rig.h"
#include "tests/tap.h"

static struct rondo_machine machine;
static struct inproc *host;

static u32 state(u32 shift, u32 mask)
{
	u32 status = emu_mmio_read(inproc_device(host), RONDO_BAR_REGS, RONDO_REG_HOST_STATUS, 4);

	return (status & mask) >> shift;
}

static void write_reg(u32 offset, u32 value)
{
	emu_mmio_write(inproc_device(host), RONDO_BAR_REGS, offset, value, 4);
}

static void await(enum rondo_device_state wanted)
{
	while (state(RONDO_SHIFT_HOST_STATUS_STATE, RONDO_FLD_HOST_STATUS_STATE) != wanted)
		;
}

/* Whether the device may read @size bytes at @p. */
static bool reaches(const void *p, u32 size)
{
	u32 error;

	write_reg(RONDO_REG_HOST_FW_ADDR_LO, inproc_bus(p));
	write_reg(RONDO_REG_HOST_FW_ADDR_HI, inproc_bus(p) >> 32);
	write_reg(RONDO_REG_HOST_FW_SIZE, size);
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
	await(RONDO_STATE_DEAD);
	error = state(RONDO_SHIFT_HOST_STATUS_ERROR, RONDO_FLD_HOST_STATUS_ERROR);
	write_reg(RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_RESET);
	await(RONDO_STATE_OFF);
	return error == RONDO_BOOT_TRAP;
}

static void test_create(void)
{
	const struct inproc_ops ops = { 0 };

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	machine.lanes = 63;
	tap_ok(!inproc_create(&machine, &ops) && errno == ENOTSUP,
	       "a machine that nobody makes is refused");
	rondo_machine_init(&machine, RONDO_MACHINE_wafer);
	host = inproc_create(&machine, &ops);
	tap_ok(host, "a wafer, whose memory is not there until it is used");
	inproc_destroy(host);
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	host = inproc_create(&machine, &ops);
	tap_ok(host, "the default one is made");
	inproc_destroy(NULL);
}

static void test_ranges(void)
{
	static u8 memory[8192];

	tap_ok(!reaches(memory, 4096), "nothing is reached at first");
	tap_eq(inproc_allow(host, memory, 0, true), -EINVAL, "an empty range is refused");
	tap_eq(inproc_allow(host, memory, ~(u64)0, true), -EINVAL, "and one that wraps around");
	tap_eq(inproc_allow(host, memory + 64, 1000, false), 0, "a range is allowed");
	tap_ok(reaches(memory + 64, 1000), "and reached to its end");
	tap_ok(!reaches(memory + 64, 1001), "not one byte beyond");
	tap_ok(!reaches(memory + 63, 1000), "nor before");
	tap_eq(inproc_allow(host, memory + 1064, 100, true), 0, "another that touches it");
	tap_ok(reaches(memory + 64, 1100), "they are reached as one");
	tap_eq(inproc_forbid(host, memory + 64, 999), -ENOENT, "what was not allowed is not taken");
	tap_eq(inproc_forbid(host, memory + 64, 1000), 0, "the first is taken back");
	tap_ok(!reaches(memory + 64, 1000), "and reached no more");
	tap_ok(reaches(memory + 1064, 100), "the other still is");
	tap_eq(inproc_allow(host, memory, 4096, true), 0, "a range around it");
	tap_eq(inproc_forbid(host, memory + 1064, 100), 0, "without which");
	tap_ok(reaches(memory + 1064, 100), "its bytes are reached");
}

enum { THREADS_MAX = 64 };

/* The threads of this process, and the signals that each blocks, bit n - 1 for signal n. */
struct threads {
	u32 count;
	int id[THREADS_MAX];
	u64 blocked[THREADS_MAX];
};

static u64 blocked_by(int id)
{
	unsigned long long mask = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", id);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "SigBlk: %llx", &mask) != 1)
		;
	if (f)
		fclose(f);
	return mask;
}

static struct threads all_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct threads t = { 0 };
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && t.count < THREADS_MAX) {
		int id = atoi(entry->d_name);

		if (!id)
			continue;
		t.id[t.count] = id;
		t.blocked[t.count++] = blocked_by(id);
	}
	closedir(dir);
	return t;
}

static bool has_thread(const struct threads *t, int id)
{
	u32 i;

	for (i = 0; i < t->count && t->id[i] != id; i++)
		;
	return i < t->count;
}

/* Signals are the host's: no handler of its ever runs in a thread of the device. */
static void test_signals(void)
{
	static const int signals[] = { SIGHUP,	SIGINT,	 SIGTERM, SIGALRM, SIGCHLD,
				       SIGPIPE, SIGUSR1, SIGUSR2, SIGSEGV };
	const struct inproc_ops ops = { 0 };
	struct threads before = all_threads(), after;
	u64 own = blocked_by(getpid());
	struct inproc *other;
	u32 i, k, fresh = 0, open = 0;

	other = inproc_create(&machine, &ops);
	after = all_threads();
	for (i = 0; i < after.count; i++) {
		if (has_thread(&before, after.id[i]))
			continue;
		fresh++;
		for (k = 0; k < sizeof(signals) / sizeof(signals[0]); k++)
			open += !(after.blocked[i] >> (signals[k] - 1) & 1);
	}
	tap_eq(fresh, 2, "a device has two threads");
	tap_eq(open, 0, "which block every signal");
	tap_ok(blocked_by(getpid()) == own, "the thread that made it blocks what it did");
	inproc_destroy(other);
}

int main(void)
{
	test_create();
	test_signals();
	test_ranges();
	inproc_destroy(host);
	return tap_done();
}
