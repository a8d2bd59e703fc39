// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Figures of the published networks that compile:
 *
 *	layer_ratio_NETWORK   cycles of a replay over the layer bound (docs/explanation/bounds.md)
 *	moved_ratio_NETWORK   bytes between memory and SRAM over the compulsory ones
 *	compile_s_NETWORK     processor time from the bytes of the model to those of the program
 *	compile_mb_NETWORK    memory for that, the model included: MB
 *	bf16_cycles_NETWORK   of a replay by --precision bf16, per 100 of the other's, and its
 *	bf16_energy_NETWORK   energy; of some large networks of floats
 *
 * layer_ratio_geomean of them all; and networks_right, how many give what is known of them. Others
 * are named. Each network has a process of its own, whose memory is its alone.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/energy.h"
#include "core/program.h"
#include "tests/bench/paired.h"
#include "tests/shared_network.h"

/* What the process of a network says to that of all. */
struct said {
	bool right;
	double ratio; /* 0: it has none */
};

/* What the program in @c does. */
static struct rondo_activity activity_of(const struct compiled *c,
					 const struct rondo_machine *machine)
{
	const struct rondo_file_header *header = (const void *)c->file;
	const struct rondo_section *s = (const void *)(header + 1);
	struct rondo_activity activity = { 0 };
	struct rondo_program program;

	for (u32 i = 0; i < header->sections; i++)
		if (s[i].type == RONDO_SECTION_PROGRAM &&
		    rondo_program_open(&program, c->file + s[i].offset, s[i].size) == 0)
			rondo_count_activity(machine, &program, 0, &activity);
	return activity;
}

/* Bytes that the program in @c moves between memory and SRAM. */
static double moved_by(const struct compiled *c, const struct rondo_machine *machine)
{
	const struct rondo_activity activity = activity_of(c, machine);

	return (double)activity.dma_in + (double)activity.dma_out;
}

static double energy_of(const struct compiled *c, const struct rondo_machine *machine)
{
	const struct rondo_activity activity = activity_of(c, machine);
	const struct rondo_energy e = rondo_energy_of(machine, &activity);

	return (double)e.compute_fj + (double)e.movement_fj;
}

static void figure(const char *kind, const char *name, double value, const char *unit)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "%s_%s", kind, name);
	bench_figure(whole, value, unit);
}

/* The same network with operands of bf16. */
static void measure_bf16(const struct shared_network *n, const char *name,
			 const struct shared_open *f32)
{
	static const char *const large[] = { "super_resolution", "light_resnet50",
					     "light_squeezenet" };
	struct shared_open open;
	size_t i = 0;

	while (i < sizeof(large) / sizeof(*large) && strcmp(large[i], name))
		i++;
	if (i == sizeof(large) / sizeof(*large) || !shared_open_bf16(&open, n->path))
		return;
	figure("bf16_cycles", name, 100 * (double)open.program.cycles / (double)f32->program.cycles,
	       "pct");
	figure("bf16_energy", name,
	       100 * energy_of(&open.program, &open.machine) /
		       energy_of(&f32->program, &f32->machine),
	       "pct");
	shared_close(&open);
}

static void measure(const struct shared_network *n, struct said *said)
{
	struct shared_open open;
	const struct bounds *b = &open.bounds;
	struct rusage used;
	char name[64], why[RUN_WHY_BYTES] = "";
	double began = bench_s(CLOCK_PROCESS_CPUTIME_ID), took;
	bool good = shared_open(&open, n->path);

	took = bench_s(CLOCK_PROCESS_CPUTIME_ID) - began;
	getrusage(RUSAGE_SELF, &used);
	shared_network_name(n, name, sizeof(name));
	if (!good) {
		printf("# left out: %s\n", open.err.text);
		shared_close(&open);
		return;
	}
	if (!n->layer) {
		said->ratio = (double)open.program.cycles / b->layer_bound;
		figure("layer_ratio", name, said->ratio, "ratio");
		figure("moved_ratio", name,
		       moved_by(&open.program, &open.machine) / (double)bounds_bytes(b), "ratio");
		figure("compile_s", name, took, "s");
		figure("compile_mb", name, (double)used.ru_maxrss * 1024e-6, "MB");
		measure_bf16(n, name, &open);
	}
	said->right = shared_network_right(&open, n, why);
	if (!said->right)
		printf("# %s is wrong: %s\n", name, why);
	shared_close(&open);
}

/* measure() in a process of its own; false: that has failed. */
static bool measure_apart(const struct shared_network *n, struct said *said)
{
	int pipes[2], status = 0;
	pid_t child;
	bool good;

	fflush(stdout);
	if (pipe(pipes))
		return false;
	child = fork();
	if (!child) {
		measure(n, said);
		fflush(stdout);
		_exit(write(pipes[1], said, sizeof(*said)) != sizeof(*said));
	}
	close(pipes[1]);
	good = child > 0 && read(pipes[0], said, sizeof(*said)) == sizeof(*said);
	close(pipes[0]);
	return child > 0 && waitpid(child, &status, 0) == child && !status && good;
}

int main(void)
{
	double logs = 0;
	int compared = 0, right = 0;

	for (int i = 0; i < shared_network_count; i++) {
		struct said said = { 0 };

		if (!measure_apart(&shared_networks[i], &said))
			return EXIT_FAILURE;
		if (said.ratio > 0) {
			logs += log(said.ratio);
			compared++;
		}
		right += said.right;
	}
	if (compared)
		bench_figure("layer_ratio_geomean", exp(logs / compared), "ratio");
	bench_figure("networks_right", right, "networks");
	return EXIT_SUCCESS;
}
