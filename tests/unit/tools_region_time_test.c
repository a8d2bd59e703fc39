// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Time and energy by region: stalls are where they should be in a program whose times are known,
 * and the regions of random programs and of a network add up to what is known of the whole.
 */
#include "tools/region_time.h"

#include <accel.h>

#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "tests/fuzz/generate.h"
#include "tests/tap.h"

/* A walk in the order of time takes as long as the program has bundles. */
enum { PROGRAMS = 1500, REGIONS = 7, WALK_MAX = 20000 };

/* What is known of each region, and of all of a program. */
struct known {
	struct region_time time[REGIONS];
	struct rondo_activity activity[REGIONS];
	u64 clearing, cycles; /* by the verifier */
	u32 cleared;
};

static void learn(const struct rondo_machine *machine, const struct rondo_program *program,
		  const u32 *region_of, const struct rondo_facts *facts, struct known *k)
{
	k->clearing = facts ? rondo_clear_cycles(machine, facts) : 0;
	k->cleared = facts ? rondo_cleared_bytes(facts) : 0;
	k->cycles = facts ? facts->cycles : 0;
	if (region_times(machine, program, region_of, REGIONS, k->time))
		abort();
	region_activities(machine, program, region_of, REGIONS, k->activity);
}

/* What a walk in the order of time has told so far, of a region at most. */
struct told {
	struct region_time time[REGIONS];
	u64 now, wrong;
	u64 end[RONDO_DMA_CHANNELS];
};

static int told_bundles(void *context, u32 region, u64 begin, u64 count)
{
	struct told *t = context;

	t->wrong += begin != t->now || !count;
	t->now = begin + count;
	t->time[region].bundles += count;
	return 0;
}

static int told_stall(void *context, u32 region, u32 channel, bool full, u64 begin, u64 end)
{
	struct told *t = context;

	t->wrong += begin != t->now || end <= begin;
	t->now = end;
	(full ? t->time[region].full : t->time[region].wait)[channel] += end - begin;
	return 0;
}

static int told_transfer(void *context, u32 region, u32 channel, const struct rondo_desc *desc,
			 u64 begin, u64 end)
{
	struct told *t = context;

	(void)region;
	(void)desc;
	t->wrong += begin < t->now || begin < t->end[channel] || end <= begin;
	t->end[channel] = end;
	return 0;
}

/* In the order of time nothing is left out, and each region has what it has without order. */
static bool is_in_order(const struct rondo_machine *machine, const struct rondo_program *program,
			const u32 *region_of, const struct known *k)
{
	struct told t = {};
	const struct region_watch watch = {
		.context = &t,
		.in_order = true,
		.bundles = told_bundles,
		.stall = told_stall,
		.transfer = told_transfer,
	};
	u32 ch;

	if (k->cycles > WALK_MAX)
		return true;
	if (region_walk(machine, program, region_of, &watch))
		abort();
	for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
		t.wrong += t.end[ch] > t.now;
	return !t.wrong && t.now + k->clearing == k->cycles &&
	       !memcmp(t.time, k->time, sizeof(t.time));
}

/* Learns a program in the builder, with bundle i in region i % REGIONS. */
static void learn_built(const struct builder *b, const struct rondo_facts *facts, struct known *k,
			bool (*check)(const struct rondo_machine *, const struct rondo_program *,
				      const struct known *),
			bool *good)
{
	struct rondo_program program;
	u64 size;
	u8 *bytes = build_bytes(b, &size);
	u32 *region_of = malloc(b->header.bundles * sizeof(*region_of)), i;

	for (i = 0; i < b->header.bundles; i++)
		region_of[i] = i % REGIONS;
	rondo_program_open(&program, bytes, size);
	learn(&b->machine, &program, region_of, facts, k);
	if (check)
		*good = check(&b->machine, &program, k) &&
			is_in_order(&b->machine, &program, region_of, k);
	free(region_of);
	free(bytes);
}

static u64 sum_of(const struct region_time *time)
{
	u64 sum = 0;
	u32 i, ch;

	for (i = 0; i < REGIONS; i++) {
		sum += time[i].bundles;
		for (ch = 0; ch < RONDO_DMA_CHANNELS; ch++)
			sum += time[i].wait[ch] + time[i].full[ch];
	}
	return sum;
}

/* Clearing and the regions add up to the program's cycles, activity and energy. */
static bool adds_up(const struct rondo_machine *machine, const struct rondo_program *program,
		    const struct known *k)
{
	enum { FIELDS = sizeof(struct rondo_activity) / sizeof(u64) };
	struct rondo_activity clearing = {
		.sram_cleared = (u64)machine->mesh_w * machine->mesh_h * k->cleared,
	};
	struct rondo_energy all, sum = rondo_energy_of(machine, &clearing);
	union {
		struct rondo_activity activity;
		u64 field[FIELDS];
	} total, added = { clearing };
	u32 i, f;

	rondo_count_activity(machine, program, k->cleared, &total.activity);
	all = rondo_energy_of(machine, &total.activity);
	for (i = 0; i < REGIONS; i++) {
		struct rondo_energy e = rondo_energy_of(machine, &k->activity[i]);
		const u64 *field = (const u64 *)&k->activity[i];

		for (f = 0; f < FIELDS; f++)
			added.field[f] += field[f];
		sum.compute_fj += e.compute_fj;
		sum.movement_fj += e.movement_fj;
	}
	return !memcmp(&added, &total, sizeof(total)) && all.movement_fj &&
	       sum.compute_fj == all.compute_fj && sum.movement_fj == all.movement_fj &&
	       sum_of(k->time) + k->clearing == k->cycles;
}

/* A transfer of 4096 bytes takes 200 + 2 + 64 cycles from its start. */
static void test_known(void)
{
	struct builder b;
	struct known k;
	u32 desc, i;

	build_init(&b);
	build_slot(&b, 0);
	desc = build_desc(&b, (struct rondo_desc){ .row_bytes = 4096 });
	build_start(&b, 1, desc, 0);
	build_loop(&b, 100, 1);
	build_bundle(&b);
	build_wait(&b, 1, 0);
	build_op(&b, RONDO_C, OP(halt));
	learn_built(&b, NULL, &k, NULL, NULL);
	tap_eq(k.time[2].bundles, 100, "a loop's bundles");
	tap_eq(k.time[3].wait[1], 266 - 102, "a wait's stall, less what ran meanwhile");
	tap_eq(sum_of(k.time), 266 + 2, "nothing else stalls");
	tap_ok(k.activity[0].dma_in == 4096 && k.activity[0].sram_written == 4096 &&
		       !k.activity[3].dma_in,
	       "bytes of a transfer count where it starts");
	tap_ok(k.activity[2].bundles == 100 && k.activity[2].fetched == 1 &&
		       k.activity[4].bundles == 1,
	       "a short loop is fetched once");
	build_fini(&b);

	build_init(&b);
	build_slot(&b, 0);
	desc = build_desc(&b, (struct rondo_desc){ .row_bytes = 4096 });
	for (i = 0; i <= RONDO_DMA_OUTSTANDING; i++)
		build_start(&b, 2, desc, 0);
	build_op(&b, RONDO_C, OP(halt, .wait = { 0, 0, 1 }));
	learn_built(&b, NULL, &k, NULL, NULL);
	tap_eq(k.time[4].full[2], 266 - 4, "a start on a full channel stalls");
	/* The fifth starts at 266, when the fourth has two cycles less to go than it needs. */
	tap_eq(k.time[5].wait[2], 266 + 266 - 267, "and halt for the rest");
	build_fini(&b);
}

/* A source of programs, and how many of them clear something and compute something at least. */
struct source {
	const char *name;
	enum generate_kind kind;
	enum rondo_machine_id machine;
	u32 programs, clear, compute;
};

static void test_random(const struct source *source)
{
	u32 i, accepted = 0, wrong = 0, cleared = 0, computed = 0;

	for (i = 0; i < source->programs; i++) {
		struct builder b;
		struct known k;
		bool good;

		build_init_for(&b, source->machine);
		generate_seed(&b, source->kind, i);
		if (!build_verdict(&b, 0).code) {
			learn_built(&b, rondo_verify_facts(b.verify), &k, adds_up, &good);
			accepted++;
			wrong += !good;
			cleared += k.clearing > 0;
			computed += k.activity[1].vector_lanes > 0;
		}
		build_fini(&b);
	}
	tap_ok(!wrong && accepted > source->programs / 10 && cleared >= source->clear &&
		       computed >= source->compute,
	       "regions add up: %u programs %s, %u wrong, %u cleared, %u computed", accepted,
	       source->name, wrong, cleared, computed);
}

/* Sevenths of a network's text. */
static void test_network(void)
{
	const struct compile_options compile = {};
	struct compile_error why = {};
	struct compiled compiled = {};
	struct rondo_machine machine;
	struct rondo_program program;
	struct accel_model *model;
	struct rondo_verify *v = malloc(RONDO_VERIFY_BYTES);
	struct graph *graph;
	u32 *region_of, i;
	const void *bytes;
	struct known k;
	size_t size;
	void *onnx;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	if (compile_read_file("demo/digits.onnx", &onnx, &size, &why) ||
	    compile_graph_from_onnx(onnx, size, "digits", &compile, &graph, &why) ||
	    backend_compile(graph, &machine, NULL, &compiled) ||
	    accel_model_parse(compiled.file, compiled.size, &model, NULL)) {
		tap_ok(false, "the network compiles: %s", why.text);
		return;
	}
	bytes = accel_model_program(model, &size);
	rondo_verify_run(v, &machine, bytes, size, 0, NULL, NULL);
	rondo_program_open(&program, bytes, size);
	region_of = malloc(program.header->bundles * sizeof(*region_of));
	for (i = 0; i < program.header->bundles; i++)
		region_of[i] = (u32)((u64)i * REGIONS / program.header->bundles);
	learn(&machine, &program, region_of, rondo_verify_facts(v), &k);
	tap_ok(!rondo_verify_verdict(v)->code && k.cycles == compiled.cycles && k.cycles &&
		       adds_up(&machine, &program, &k) &&
		       is_in_order(&machine, &program, region_of, &k),
	       "and those of a compiled network: %llu cycles", (unsigned long long)k.cycles);
	free(region_of);
	free(v);
	accel_model_destroy(model);
	free(compiled.file);
	graph_free(graph);
	free(onnx);
}

int main(void)
{
	static const struct source sources[] = {
		{ "of transfers and loops", GENERATE_TIME, RONDO_MACHINE_edge, PROGRAMS, 0, 0 },
		{ "that read what they did not write", GENERATE_SRAM, RONDO_MACHINE_edge, PROGRAMS,
		  20, 0 },
		{ "of all operations", GENERATE_RIGHT, RONDO_MACHINE_edge, PROGRAMS / 5, 0, 100 },
		{ "for 66 tiles", GENERATE_RIGHT, RONDO_MACHINE_patch, PROGRAMS / 5, 0, 100 },
	};
	u32 i;

	test_known();
	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		test_random(&sources[i]);
	test_network();
	return tap_done();
}
