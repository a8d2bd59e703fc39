// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <inttypes.h>

#include "tools/json.h"
#include "tools/rondo.h"
#include "tools/run.h"

/* What compiling took, here or elsewhere; negative: nothing was compiled. */
static double compile_ms(const struct run *run)
{
	return run->source.compiled ? run->source.compile_ms : run->options->compile_ms;
}

static void print_time(const char *what, double ms)
{
	printf("  %-28s %10.2f ms\n", what, ms);
}

void run_print_table(const struct run *run)
{
	u64 cycles = accel_program_cycles(run->program);
	struct accel_energy e;
	double total;

	accel_program_energy(run->program, &e);
	total = e.compute_j + e.movement_j;
	printf("\nwhere the time went\n");
	if (compile_ms(run) >= 0)
		print_time("compile", compile_ms(run));
	print_time("load and validate", run->source.load_ms + run->create_ms);
	print_time("bind", run->bind_ms);
	print_time("replay", run->replay_ms);
	if (run->source.host)
		print_time("nodes on the host", run->host_ms);
	printf("  %-28s %10u, each %.2f ms, the fastest %.2f ms\n", "replays", run->replays,
	       run->replay_ms / run->replays, run->replay_min_ms);
	printf("each replay, exactly\n");
	printf("  %-28s %10" PRIu64 " = %.1f us at %u MHz\n", "device cycles", cycles,
	       cycles * 1e3 / run->info.clock_khz, run->info.clock_khz / 1000);
	printf("  %-28s %10.3f uJ, %.0f %%\n", "energy of compute", e.compute_j * 1e6,
	       total > 0 ? e.compute_j / total * 100 : 0);
	printf("  %-28s %10.3f uJ, %.0f %%\n", "energy of movement", e.movement_j * 1e6,
	       total > 0 ? e.movement_j / total * 100 : 0);
	if (run->options->expect_dir)
		printf("results equal those of %s bit for bit: %s\n", run->options->expect_dir,
		       run->differs ? "NO" : "yes");
}

static void print_answer(const struct run *run, const struct run_answer *answer)
{
	char buf[16];
	u32 i;

	printf("    {\"input\": ");
	json_string(stdout, answer->name);
	printf(", \"best\": [");
	for (i = 0; i < answer->best_count; i++) {
		printf("%s{\"class\": %u, \"label\": ", i ? ", " : "", answer->best[i].index);
		json_string(stdout, run_label(run, answer->best[i].index, buf));
		printf(", \"probability\": ");
		json_number(stdout, answer->best[i].probability);
		printf("}");
	}
	printf("]}");
}

/* The nodes that the host ran. */
static void print_host(const struct run *run)
{
	struct rondo_host_node n;

	if (!run->source.host)
		return;
	printf("  \"host\": [\n");
	for (u32 i = 0; !rondo_host_node(run->source.host, i, &n); i++) {
		printf("%s    {\"node\": ", i ? ",\n" : "");
		json_string(stdout, n.node);
		printf(", \"operator\": ");
		json_string(stdout, n.op);
		printf(", \"reason\": ");
		json_string(stdout, n.reason);
		printf("}");
	}
	printf("\n  ],\n");
}

void run_print_json(const struct run *run)
{
	struct accel_energy e;
	u32 i;

	accel_program_energy(run->program, &e);
	printf("{\n  \"model\": ");
	json_string(stdout, run->options->model);
	printf(",\n  \"backend\": ");
	json_string(stdout, run->info.backend);
	printf(",\n  \"ms\": {");
	if (compile_ms(run) >= 0)
		printf("\"compile\": %.3f, ", compile_ms(run));
	if (run->source.host)
		printf("\"host\": %.3f, ", run->host_ms);
	printf("\"load_and_validate\": %.3f, \"bind\": %.3f, \"replay\": %.3f, "
	       "\"replay_min\": %.3f},\n",
	       run->source.load_ms + run->create_ms, run->bind_ms, run->replay_ms,
	       run->replay_min_ms);
	printf("  \"replays\": %u,\n  \"cycles\": %" PRIu64 ",\n", run->replays,
	       accel_program_cycles(run->program));
	printf("  \"energy_j\": {\"compute\": %.9g, \"movement\": %.9g},\n", e.compute_j,
	       e.movement_j);
	print_host(run);
	if (run->options->expect_dir)
		printf("  \"as_expected\": %s,\n", run->differs ? "false" : "true");
	printf("  \"samples\": [\n");
	for (i = 0; i < run->answer_count; i++) {
		print_answer(run, &run->answers[i]);
		printf("%s\n", i + 1 < run->answer_count ? "," : "");
	}
	printf("  ]\n}\n");
}
