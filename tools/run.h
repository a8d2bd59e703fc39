/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * rondo run: a model on one or several samples.
 *
 *	run_inputs.c	which file is which input of which sample
 *	run_outputs.c	answers, files, comparison
 *	run_host.c	what the host runs itself
 *	run_report.c	the table, or JSON
 *	cmd_run.c	options, and the order of it all
 *
 * Functions that return int return a STATUS_*, after a message unless it is STATUS_OK.
 */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include <accel.h>

#include "compiler/tensor.h"
#include "spec/limits.h"
#include "tools/labels.h"
#include "tools/preprocess.h"
#include "tools/ranking.h"
#include "tools/source.h"
#include "tools/trace.h"

struct run_options {
	const char *model;
	const char **inputs; /* "FILE" or "NAME=FILE" */
	u32 input_count;
	const char *device; /* for accel_device_open() */
	const char *output_dir; /* or NULL, as the next three */
	const char *expect_dir;
	const char *labels;
	const char *trace;
	u32 repeat; /* replays per sample */
	u32 top; /* answers to print; 0: five if they have labels, else one */
	bool json;
	bool pictures;
	double compile_ms; /* of a compilation elsewhere; negative: none */
	struct model_options source;
	struct preprocess preprocess; /* of inputs that are images */
};

/* One sample: the file of each input, in the order of the model's inputs. */
struct run_sample {
	const char **files;
};

struct run_samples {
	struct accel_tensor *inputs;
	u32 input_count;
	struct run_sample *samples;
	u32 count;
};

/* What came out of a sample. */
struct run_answer {
	const char *name; /* of its first file, or of the model */
	struct ranked_class *best; /* the top ones, best first; NULL: it has no scores */
	u32 best_count;
};

struct run {
	const struct run_options *options;
	struct source source;
	struct accel_device *device;
	struct accel_program *program;
	struct accel_slot_binding slots[RONDO_PROGRAM_SLOTS_MAX];
	u8 *memory[RONDO_PROGRAM_SLOTS_MAX + 1]; /* with that of SOURCE_HOST_SLOT */
	struct accel_binding *binding;
	struct accel_queue *queue;
	struct trace *trace; /* NULL: nobody wants one */
	struct accel_info info;
	struct labels labels;

	double create_ms, bind_ms, replay_ms, replay_min_ms, host_ms;
	u32 replays;
	bool images; /* an input was an image: outputs may be such */
	bool differs; /* from options->expect_dir */
	struct run_answer *answers; /* one per sample */
	u32 answer_count;
};

/* Gives each of @options' inputs its place. */
int run_samples_init(struct run_samples *samples, const struct run *run);
void run_samples_fini(struct run_samples *samples);

/* Loads the inputs of sample @index into the slots, and shows those that are pictures. */
int run_load_sample(struct run *run, const struct run_samples *samples, u32 index);

/*
 * Makes the directory for outputs, and sees to it that each has a file of its own there which
 * nobody is going to read. Before anything runs.
 */
int run_check_outputs(const struct run *run, const struct run_samples *samples);

/* What the host runs of a sample, before the program and behind it; nothing, if it runs nothing. */
int run_host_before(struct run *run);
int run_host_after(struct run *run);

/* Judges, prints, saves and compares what sample @index gave. */
int run_take_outputs(struct run *run, u32 index, struct run_answer *answer);

/* The text of class @index: its label or its number. */
const char *run_label(const struct run *run, u32 index, char buf[16]);

/* A class beyond the labels is called by its number. */
int run_read_labels(struct run *run);

/* Prints where time and energy went. */
void run_print_table(const struct run *run);
void run_print_json(const struct run *run);

#endif
