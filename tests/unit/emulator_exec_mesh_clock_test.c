// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a run on many tiles tells of its time while one piece of it takes long, and how soon it
 * stops there.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/machine.h"
#include "emulator/exec/mesh/mesh.h"
#include "tests/tap.h"
#include "tools/asm/asm.h"

enum { STOP_NS = 10000000, TRIES = 20 };

/* Sixteen tiles take 512 KiB each from slot 0, on two channels; one piece that goes on for ever. */
static const char program_text[] =
	"machine mesh\n"
	"slot in\n"
	"desc left in in row=32768 count=16 sram_stride=32768 slot_stride=32768 slot_x=524288"
	" tiles=0..3,0..3\n"
	"desc right in in row=32768 count=16 sram=524288 sram_stride=32768 slot_stride=32768"
	" slot_x=524288 tiles=0..3,0..3\n"
	"dma c0, left\n"
	"dma c1, right\n"
	"loop 100, 100 {\n"
	"movi v0, 1\n"
	"nop\n"
	"nop\n"
	"nop\n"
	"}\n"
	"wait c0<=0, c1<=0\n"
	"loop 16384, 16384, 4 {\n"
	"movi v0, 1\n"
	"nop\n"
	"nop\n"
	"nop\n"
	"}\n"
	"halt\n";

/* The transfers and the first piece, which runs beside them, end before this cycle. */
enum { ENDLESS = 1000000 };

/* Endless pieces of which one list of steps has none, or the slowest ones only. */
static const char empty_text[] = "machine mesh\n"
				 "loop 16384, 16384, 4096 {\n"
				 "nop\n"
				 "}\n"
				 "halt\n";
static const char slow_text[] = "machine mesh\n"
				"movi v0, 1\n"
				"nop\n"
				"nop\n"
				"loop 16384, 16384 {\n"
				".rept 8, i\n"
				"fexp2 v(8+\\i), v0\n"
				".endr\n"
				"}\n"
				"halt\n";

static struct rondo_machine mesh;
static struct exec *e;
static struct exec_program *program;
static u64 cycles;

/* The times that somebody saw. */
struct watch {
	u64 last, moved, back;
};

struct watched {
	atomic_ullong now;
	atomic_bool stop;
	struct exec_result result;
	struct watch host;
	u64 rows, refused_row; /* that the host was asked for; that it refuses, 0: none */
};

static void look(struct watch *w, const atomic_ullong *now)
{
	u64 cycles_now = atomic_load(now);

	w->moved += cycles_now > w->last;
	w->back += cycles_now < w->last;
	w->last = cycles_now;
}

/* The host's side of a transfer sees the time go on. */
static bool read_zeros(void *ctx, u32 slot, u64 offset, void *to, u64 size)
{
	struct watched *r = ctx;

	(void)slot, (void)offset;
	memset(to, 1, size);
	look(&r->host, &r->now);
	return ++r->rows != r->refused_row;
}

static void *run(void *ctx)
{
	struct watched *r = ctx;
	const struct exec_io io = { .read = read_zeros, .ctx = r };
	const struct exec_control control = {
		.bound = UINT64_MAX,
		.stop = &r->stop,
		.now = &r->now,
	};

	exec_run(e, program, &io, &control, &r->result);
	return NULL;
}

/* Processor time of all threads of this process: what else the host runs does not count. */
static u64 cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (u64)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t resident(void)
{
	const struct mesh *m = e->own;
	size_t pages = (m->bytes + 4095) / 4096, count = 0, i;
	unsigned char *is = malloc(pages);

	if (!is || mincore(m->memory, m->bytes, is))
		exit(EXIT_FAILURE);
	for (i = 0; i < pages; i++)
		count += is[i] & 1;
	free(is);
	return count;
}

static void test_transfers(void)
{
	enum { ROWS = 16 * 16 };
	struct watched r = { .refused_row = 2 * ROWS };

	run(&r);
	tap_eq(r.result.status, EXEC_DMA_ERROR, "two transfers, of which the last row is refused");
	tap_eq(r.rows, 2 * ROWS, "at the last row");
	tap_ok(r.host.moved >= 10, "meanwhile the time went on: %llu times",
	       (unsigned long long)r.host.moved);
	tap_eq(r.host.back, 0, "and never back");
	tap_ok(r.result.cycles >= r.host.last && atomic_load(&r.now) == r.result.cycles,
	       "the cycles at the end are not below");
	tap_ok(resident() > 0, "what it took of the host's memory is there still");
	atomic_store(&r.stop, true);
	tap_ok(!exec_clean(e, &r.stop), "it is not given back if that is to stop");
	tap_ok(exec_clean(e, NULL) && !resident(), "else it is");
}

/*
 * Runs until @w has seen the time move @moves times from cycle @from on; what the stop took of
 * each processor.
 */
static u64 stop_after(struct watched *r, struct watch *w, u64 from, u64 moves)
{
	pthread_t thread;
	u64 start;

	if (pthread_create(&thread, NULL, run, r))
		exit(EXIT_FAILURE);
	while (atomic_load(&r->now) < from || w->moved < moves) {
		look(w, &r->now);
		sched_yield();
	}
	start = cpu_ns();
	atomic_store(&r->stop, true);
	pthread_join(thread, NULL);
	return (cpu_ns() - start) / (u64)sysconf(_SC_NPROCESSORS_ONLN);
}

/* The program has a piece without an end, which begins before cycle @from. */
static void test_segment(u64 from)
{
	u64 quickest = UINT64_MAX, took, try, back = 0;
	struct watch w;
	struct watched r;

	for (try = 0; try < TRIES && quickest >= STOP_NS; try++) {
		r = (struct watched){ 0 };
		w = (struct watch){ 0 };
		took = stop_after(&r, &w, from, 20);
		quickest = took < quickest ? took : quickest;
		back += w.back;
	}
	tap_eq(back, 0, "in one long piece the time goes on, and never back");
	tap_ok(quickest < STOP_NS, "stopped within 10 ms of each processor: %.2f ms",
	       (double)quickest * 1e-6);
	tap_eq(r.result.status, EXEC_ABORTED, "as aborted");
	tap_ok(r.result.cycles >= w.last && r.result.cycles < cycles,
	       "with the cycles that have passed");
}

static bool load(const char *text, const char *name)
{
	char why[EXEC_REASON_BYTES] = "";
	struct asm_errors errors;
	void *bytes = NULL;
	bool good = false;
	u64 size;

	if (asm_assemble(text, &bytes, &size, &errors)) {
		asm_print_errors(stdout, "# program", &errors);
	} else {
		cycles = ((const struct rondo_program_header *)bytes)->cycles;
		good = !exec_load(&program, &executor_mesh, &mesh, bytes, size, NULL, why);
	}
	free(bytes);
	return tap_ok(good, "a program of %s %s", name, why);
}

static void unload(void)
{
	exec_unload(program);
	program = NULL;
}

int main(void)
{
	rondo_machine_init(&mesh, RONDO_MACHINE_mesh);
	e = exec_create(&executor_mesh, &mesh);
	if (tap_ok(e, "an executor") && load(program_text, "long pieces")) {
		test_transfers();
		test_segment(ENDLESS);
	}
	unload();
	if (e && load(empty_text, "nothing, for ever"))
		test_segment(0);
	unload();
	if (e && load(slow_text, "slow operations"))
		test_segment(0);
	unload();
	exec_destroy(e);
	return tap_done();
}
