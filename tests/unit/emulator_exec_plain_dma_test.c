// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Time and ends of a run: cycles computed by hand, abort, bound, a host that refuses.
 */
#include "tests/unit/exec_rig.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* 64 bytes: 2 + 1 cycles; 6400 bytes: 2 + 100; 10 rows of 64: 30. Startup 200. */
#define TABLES                                                                      \
	"slot s\n"                                                                  \
	"desc small in s row=64 sram=0\n desc large in s row=6400 sram=8192\n"      \
	"desc rows in s row=64 count=10 sram=16384 sram_stride=64 slot_stride=64\n" \
	"desc small2 in s row=65 sram=128\n"

/* The run's cycles equal @expected, counted by hand, and the verifier's count. */
static void cycles(const char *name, const char *code, u64 expected)
{
	char text[2048];
	struct rig r;

	snprintf(text, sizeof(text), TABLES "%s", code);
	rig_init(&r, text);
	rig_slot(&r, 0, 6400);
	tap_eq(rig_run(&r), EXEC_DONE, name);
	tap_eq(r.result.cycles, expected, name);
	tap_eq(r.cycles, expected, "as the verifier says");
	rig_fini(&r);
}

static void timing(void)
{
	cycles("bundles only", " nop\n nop\n halt\n", 3);
	cycles("loops cost a bundle to open", " loop 3, 5 {\n nop\n nop\n }\n halt\n", 1 + 30 + 1);
	/* start at 0, begin 200, end 203; halt at 203. */
	cycles("one transfer", " dma c0, small\n halt c0<=0\n", 204);
	/* The cost of 65 bytes is 2 + 2. */
	cycles("part of a beat counts as one", " dma c0, small2\n halt c0<=0\n", 205);
	cycles("rows cost", " dma c0, rows\n halt c0<=0\n", 231);
	/* 0 -> 203; start at 1: begin max(201, 203), end 305; waits for both. */
	cycles("start-up overlaps", " dma c0, small\n dma c0, large\n halt c0<=0\n", 306);
	/* Until at most one is outstanding: the first, at 203; its bundle is 203; then the rest. */
	cycles("wait for all but one", " dma c0, small\n dma c0, large\n wait c0<=1\n halt c0<=0\n",
	       306);
	cycles("work hides behind a transfer",
	       " dma c0, large\n loop 250 {\n nop\n }\n wait c0<=0\n halt\n", 304);
	cycles("a transfer that is over does not stall",
	       " dma c0, small\n loop 300 {\n nop\n }\n wait c0<=0\n halt\n", 304);
	/* c0 starts at 0, c1 at 1. Ends 302 and 231 + 1. */
	cycles("channels are independent",
	       " dma c0, large\n dma c1, rows\n wait c1<=0\n halt c0<=0\n", 303);
	/* Four starts at 0..3; ends 302, 404, 506, 608. The fifth waits until 302; ends 710. */
	cycles("a full channel stalls the start",
	       " dma c0, large\n dma c0, large\n dma c0, large\n dma c0, large\n dma c0, large\n"
	       " halt c0<=0\n",
	       711);
	cycles("... by its own bundle",
	       " dma c0, large\n dma c0, large\n dma c0, large\n dma c0, large\n dma c0, large\n"
	       " dma c1, small\n wait c1<=0\n halt c0<=0\n",
	       711);
	/* Trips: 1 bundle of loop, then start at 1, end 204, wait bundle ends 205; next 205.. */
	cycles("transfers in a loop", " loop 3 {\n dma c0, small\n wait c0<=0\n }\n halt\n",
	       1 + 3 * 204 + 1);
	/* The last trip starts nothing: 2 bundles. */
	cycles("an empty start", " loop 3 {\n dma c0, small, last=l0\n wait c0<=0\n }\n halt\n",
	       1 + 2 * 204 + 2 + 1);
	cycles("a start that waits", " dma c0, small\n dma c1, small, c0<=0\n halt c1<=0\n",
	       203 + 203 + 1);
}

/* Indices of loops in a descriptor, and order of rows: later ones win. */
static void addresses(void)
{
	u32 wrong = 0, count = 0;
	struct rig r;

	rig_init(&r, "slot s\n slot t\n"
		     "desc get in s row=4 count=2,3,4 sram=0 sram_stride=256,64,4 "
		     "sram_loop=1024,512 slot=40 slot_stride=192,-16,4 slot_loop=400,48\n"
		     "desc put out t row=2048 sram=0\n"
		     "entry zero base=0 stride=256\n"
		     " movi v0, 0\n nop\n loop 8 {\n st.w zero, v0\n }\n"
		     " loop 2, 2 {\n dma c2, get\n wait c2<=0\n }\n dma c0, put\n halt c0<=0\n");
	rig_slot(&r, 0, 2048);
	rig_slot(&r, 1, 2048);
	for (u32 i = 0; i < 512; i++)
		((u32 *)r.slot[0])[i] = i + 1;
	tap_eq(rig_run(&r), EXEC_DONE, "transfers of three dimensions in two loops");
	for (u32 n = 0; n < 2 * 2 * 2 * 3 * 4; n++) {
		u32 l0 = n / 48, l1 = n / 24 % 2, i0 = n / 12 % 2, i1 = n / 4 % 3, i2 = n % 4;
		u32 to = l0 * 1024 + l1 * 512 + i0 * 256 + i1 * 64 + i2 * 4;
		u32 from = 40 + l0 * 400 + l1 * 48 + i0 * 192 - i1 * 16 + i2 * 4;

		wrong += ((u32 *)r.slot[1])[to / 4] != from / 4 + 1;
	}
	for (u32 i = 0; i < 512; i++)
		count += ((u32 *)r.slot[1])[i] != 0;
	tap_eq(wrong, 0, "every word is where the formula says");
	tap_eq(count, 96, "and no other is touched");
	tap_eq(r.read, 384, "bytes read");
	rig_fini(&r);
}

static void bound(void)
{
	struct rig r;

	rig_init(&r, TABLES " dma c0, small\n halt c0<=0\n");
	rig_slot(&r, 0, 6400);
	r.control.bound = 204;
	tap_eq(rig_run(&r), EXEC_DONE, "a bound that is just enough");
	r.control.bound = 203;
	tap_eq(rig_run(&r), EXEC_OVERRUN, "a bound that is one too low");
	tap_eq(r.result.cycles, 203, "cycles are the bound");
	rig_fini(&r);
	rig_init_unverified(&r, "cycles 0\n loop 16384, 16384, 16384 {\n nop\n }\n halt\n");
	r.control.bound = 1000;
	tap_eq(rig_run(&r), EXEC_OVERRUN, "an endless program is stopped by the bound");
	tap_eq(r.result.cycles, 1000, "after exactly so many cycles");
	rig_fini(&r);
}

static void host_refuses(void)
{
	struct rig r;

	rig_init(&r, TABLES " dma c0, small\n dma c1, large\n halt c0<=0, c1<=0\n");
	rig_slot(&r, 0, 100);
	tap_eq(rig_run(&r), EXEC_DMA_ERROR, "a host that refuses an access ends the run");
	tap_eq(r.result.bundle, 1, "at the transfer");
	tap_ok(strstr(r.result.reason, "buffer slot 0"), "and the reason names the slot");
	rig_fini(&r);
}

/*
 * Stops a run that would take for ever. It must end within 10 ms: here in 100 ms of the executing
 * thread's own time, which other work on the host does not lengthen.
 */
static atomic_bool stop;
static atomic_ullong now;
static struct timespec stopped;
static clockid_t own_time;

static void *stopper(void *unused)
{
	(void)unused;
	while (atomic_load(&now) < 1000)
		sched_yield();
	clock_gettime(own_time, &stopped);
	atomic_store(&stop, true);
	return NULL;
}

static void aborted(const char *name, const char *text)
{
	struct timespec end;
	pthread_t thread;
	struct rig r;
	double ms;

	atomic_store(&stop, false);
	atomic_store(&now, 0);
	rig_init_unverified(&r, text);
	rig_slot(&r, 0, 6400);
	r.control.stop = &stop;
	r.control.now = &now;
	pthread_getcpuclockid(pthread_self(), &own_time);
	pthread_create(&thread, NULL, stopper, NULL);
	tap_eq(rig_run(&r), EXEC_ABORTED, name);
	clock_gettime(own_time, &end);
	pthread_join(thread, NULL);
	ms = (end.tv_sec - stopped.tv_sec) * 1e3 + (end.tv_nsec - stopped.tv_nsec) * 1e-6;
	tap_ok(ms < 100, "%s: stopped in time", name);
	printf("# %.3f ms\n", ms);
	rig_fini(&r);
}

int main(void)
{
	timing();
	addresses();
	bound();
	host_refuses();
	aborted("abort in a loop", "cycles 0\n loop 16384, 16384, 16384 {\n nop\n }\n halt\n");
	/* A thousand bundles first, so that the thread above knows that it runs. */
	aborted("abort in a transfer", "cycles 0\n slot s read=0..6400 write=0..0\n"
				       "desc endless in s row=64 count=1000000,1000000\n"
				       " loop 2000 {\n nop\n }\n dma c0, endless\n halt c0<=0\n");
	return tap_done();
}
