// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo run: options, and the order of it all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/machine.h"
#include "core/verify.h"
#include "spec/program.h"
#include "tools/rondo.h"
#include "tools/run.h"

static const char help[] =
	"usage: rondo run MODEL [INPUT]... [OPTION]...\n\n"
	"Runs a .rnd file, an ONNX model or a bare program. INPUT is a tensor (.npy, .pb): FILE\n"
	"where the model has one input, else NAME=FILE. Several files for an input are several\n"
	"samples; an input with one file has it in each. Shows inputs that are pictures, the\n"
	"answers, and where time and energy went.\n\n"
	"  -i, --input INPUT       the same as INPUT\n"
	"  -d, --device DEVICE     a device file, or emu:MACHINE, emulated; emu is emu:edge\n"
	"                          (default: the first device of the kernel's driver; if there\n"
	"                          is none, emulated, the machine that the program is for)\n"
	"  -o, --output-dir DIR    write outputs to DIR/SAMPLE.NAME.npy\n"
	"      --expect DIR        compare with what another run wrote: status 1 if a bit differs\n"
	"  -r, --repeat N          replay each sample N times (default: 1)\n"
	"  -k, --top K             print the K best answers (default: 1)\n"
	"      --labels FILE       names of the classes, one a line\n"
	"      --json              print the report as JSON\n"
	"      --no-pictures       do not show inputs\n"
	"      --bake NAME=FILE, --dim NAME=N, --shape NAME=SxS, --machine NAME\n"
	"                          as for rondo compile\n"
	"      --compile-time MS   what compiling took elsewhere, for the table\n";

enum {
	OPT_EXPECT = 256,
	OPT_LABELS,
	OPT_JSON,
	OPT_NO_PICTURES,
	OPT_BAKE,
	OPT_DIM,
	OPT_SHAPE,
	OPT_MACHINE,
	OPT_COMPILE_TIME,
};

static const struct option options[] = {
	{ "input", required_argument, NULL, 'i' },
	{ "device", required_argument, NULL, 'd' },
	{ "output-dir", required_argument, NULL, 'o' },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "repeat", required_argument, NULL, 'r' },
	{ "top", required_argument, NULL, 'k' },
	{ "labels", required_argument, NULL, OPT_LABELS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "no-pictures", no_argument, NULL, OPT_NO_PICTURES },
	{ "bake", required_argument, NULL, OPT_BAKE },
	{ "dim", required_argument, NULL, OPT_DIM },
	{ "shape", required_argument, NULL, OPT_SHAPE },
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "compile-time", required_argument, NULL, OPT_COMPILE_TIME },
	OPTION_HELP,
	{},
};

/* The machine that the program is for; NULL if it is none that is known. */
static const char *machine_of(const struct run *run)
{
	const struct rondo_program_header *header;
	size_t size;

	header = accel_model_program(run->source.model, &size);
	return rondo_machine_name(rondo_machine_find(header->machine_hash));
}

static int open_device(struct run *run)
{
	const char *name = run->options->device, *machine = machine_of(run);
	struct accel_error error;
	char emulated[64];
	int ret = accel_device_open(name, &run->device, &error);

	if (ret == -ENODEV && !name) {
		snprintf(emulated, sizeof(emulated), "emu:%s", machine ? machine : "edge");
		fprintf(stderr, "rondo: there is no device; running in the emulator, %s\n",
			emulated);
		name = emulated;
		ret = accel_device_open(name, &run->device, &error);
	}
	if (ret)
		return fail(name ? name : "/dev/accel", "%s", error.text);
	ret = accel_device_info(run->device, &run->info, sizeof(run->info));
	return ret ? fail("device", "%s", strerror(-ret)) : STATUS_OK;
}

static int create_program(struct run *run)
{
	const char *model = run->options->model, *machine = machine_of(run);
	double start = now_ms();
	struct accel_error error;
	const void *program;
	size_t size;
	int ret;

	program = accel_model_program(run->source.model, &size);
	ret = accel_program_create(run->device, program, size, 0, &run->program, &error);
	if (ret && error.reason == RONDO_ERR_MACHINE && machine)
		return fail(model, "the program is refused: %s, %s", error.text, machine);
	if (ret)
		return fail(model, "the program is refused: %s",
			    error.text[0] ? error.text : strerror(-ret));
	run->create_ms = now_ms() - start;
	return STATUS_OK;
}

static int make_slot(struct run *run, u32 i)
{
	struct accel_slot_info info;
	void *memory;
	int ret;

	accel_model_slot(run->source.model, i, &info);
	if (!info.size)
		return STATUS_OK;
	ret = accel_buffer_create(run->device, info.size, &run->slots[i].buffer);
	if (!ret)
		ret = accel_buffer_map(run->slots[i].buffer, &memory);
	if (ret)
		return fail(run->options->model, "no buffer for slot %u: %s", i, strerror(-ret));
	run->memory[i] = memory;
	if (info.data)
		memcpy(memory, info.data, info.data_size);
	return STATUS_OK;
}

static int bind(struct run *run)
{
	u32 count = accel_model_slot_count(run->source.model), i;
	double start = now_ms();
	struct accel_error error;
	int status, ret;

	for (i = 0; i < count; i++) {
		status = make_slot(run, i);
		if (status)
			return status;
	}
	if (accel_binding_create(run->program, run->slots, count, &run->binding, &error))
		return fail(run->options->model, "%s", error.text);
	ret = accel_queue_create(run->device, ACCEL_WEIGHT_DEFAULT, &run->queue);
	if (ret)
		return fail(run->options->model, "no queue: %s", strerror(-ret));
	run->bind_ms = now_ms() - start;
	return STATUS_OK;
}

static int replay(struct run *run)
{
	struct accel_error error = {};
	struct accel_fence *fence;
	double start, took;
	u32 i;
	int ret;

	for (i = 0; i < run->options->repeat; i++) {
		start = now_ms();
		ret = accel_replay(run->queue, run->binding, &fence);
		if (!ret) {
			ret = accel_fence_wait(fence, ACCEL_FOREVER);
			accel_fence_error(fence, run->source.model, &error);
			accel_fence_destroy(fence);
		}
		took = now_ms() - start;
		if (ret)
			return fail(run->options->model, "%s",
				    error.text[0] ? error.text : strerror(-ret));
		if (!run->replays++ || took < run->replay_min_ms)
			run->replay_min_ms = took;
		run->replay_ms += took;
	}
	return STATUS_OK;
}

static int run_samples(struct run *run, const struct run_samples *samples)
{
	u32 i;
	int status = STATUS_OK;

	run->answers = calloc(samples->count, sizeof(*run->answers));
	if (!run->answers)
		return fail(run->options->model, "no memory");
	for (i = 0; i < samples->count && !status; i++) {
		struct run_answer *answer = &run->answers[run->answer_count++];

		answer->name = samples->input_count ? samples->samples[i].files[0] :
						      run->options->model;
		status = run_load_sample(run, samples, i);
		if (!status)
			status = replay(run);
		if (!status)
			status = run_take_outputs(run, i, answer);
	}
	return status;
}

static int run_model(struct run *run)
{
	const struct run_options *o = run->options;
	struct run_samples samples = {};
	int status;

	if (o->output_dir && mkdir(o->output_dir, 0777) && errno != EEXIST)
		return fail(o->output_dir, "%s", strerror(errno));
	status = o->labels ? run_read_labels(run) : STATUS_OK;
	if (!status)
		status = source_load(o->model, &o->source, &run->source);
	if (!status)
		status = run_samples_init(&samples, run);
	if (!status)
		status = open_device(run);
	if (!status)
		status = create_program(run);
	if (!status)
		status = bind(run);
	if (!status)
		status = run_samples(run, &samples);
	if (!status) {
		if (o->json)
			run_print_json(run);
		else
			run_print_table(run);
		status = run->differs ? STATUS_FAILED : STATUS_OK;
	}
	run_samples_fini(&samples);
	return status;
}

static void run_fini(struct run *run)
{
	u32 i;

	for (i = 0; i < run->answer_count; i++)
		free(run->answers[i].best);
	free(run->answers);
	for (i = 0; i < run->label_count; i++)
		free(run->labels[i]);
	free(run->labels);
	accel_queue_destroy(run->queue);
	accel_binding_destroy(run->binding);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		accel_buffer_destroy(run->slots[i].buffer);
	accel_program_destroy(run->program);
	accel_close(run->device);
	source_free(&run->source);
}

/* A number of 1 or more; 0 if @text is none. */
static u32 parse_count(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *end || n > 1000000 ? 0 : n;
}

static int parse_option(int c, const char *command, struct run_options *o)
{
	char *end;

	switch (c) {
	case 'i':
		o->inputs[o->input_count++] = optarg;
		return STATUS_OK;
	case 'd':
		o->device = optarg;
		return STATUS_OK;
	case 'o':
		o->output_dir = optarg;
		return STATUS_OK;
	case OPT_EXPECT:
		o->expect_dir = optarg;
		return STATUS_OK;
	case 'r':
		o->repeat = parse_count(optarg);
		return o->repeat ? STATUS_OK : usage(command, "--repeat wants 1 to 1000000");
	case 'k':
		o->top = parse_count(optarg);
		return o->top ? STATUS_OK : usage(command, "--top wants 1 to 1000000");
	case OPT_LABELS:
		o->labels = optarg;
		return STATUS_OK;
	case OPT_JSON:
		o->json = true;
		return STATUS_OK;
	case OPT_NO_PICTURES:
		o->pictures = false;
		return STATUS_OK;
	case OPT_BAKE:
		return source_add_bake(&o->source, optarg);
	case OPT_DIM:
		return source_add_dim(&o->source, optarg);
	case OPT_SHAPE:
		return source_add_shape(&o->source, optarg);
	case OPT_MACHINE:
		return find_machine(optarg, &o->source.machine) ? STATUS_OK : STATUS_USAGE;
	case OPT_COMPILE_TIME:
		o->compile_ms = strtod(optarg, &end);
		return *end ? usage(command, "--compile-time wants milliseconds") : STATUS_OK;
	}
	return STATUS_USAGE;
}

static int parse_and_run(int argc, char **argv, struct run_options *o)
{
	struct run run = { .options = o };
	int c, i, status;

	while ((c = getopt_long(argc, argv, "i:d:o:r:k:h", options, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return option_other(c, argv[0], help);
		status = parse_option(c, argv[0], o);
		if (status)
			return status;
	}
	if (optind >= argc)
		return usage(argv[0], "it wants a model");
	o->model = argv[optind];
	for (i = optind + 1; i < argc; i++)
		o->inputs[o->input_count++] = argv[i];
	o->pictures = o->pictures && !o->json;
	status = run_model(&run);
	run_fini(&run);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = {
		.repeat = 1,
		.top = 1,
		.pictures = true,
		.compile_ms = -1,
	};
	int status;

	source_options_init(&o.source);
	o.inputs = calloc(argc, sizeof(*o.inputs));
	status = o.inputs ? parse_and_run(argc, argv, &o) : fail(argv[0], "no memory");
	free(o.inputs);
	source_options_fini(&o.source);
	return status;
}
