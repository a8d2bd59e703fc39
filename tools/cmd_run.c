// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo run: options, and the order of it all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "core/verify.h"
#include "spec/program.h"
#include "tools/options.h"
#include "tools/preprocess_options.h"
#include "tools/rondo.h"
#include "tools/run.h"

enum { TOP_WITH_LABELS = 5 };

static int take(void *context, enum option_id id, char *argument);

static const struct command command = {
	.name = "run",
	.usage = "run MODEL [INPUT]... [OPTION]...",
	.about = "Runs a .rnd file, an ONNX or TensorFlow Lite model, a bare program or assembly "
		 "text. INPUT is a\n"
		 "tensor (.npy, .pb) or an image (PNG, JPEG): FILE where the model has one input, "
		 "else NAME=FILE.\n"
		 "Several files for an input are several samples; an input with one file has it in "
		 "each. "
		 "Shows inputs\n"
		 "that are pictures, the answers, and where time and energy went.\n"
		 "\n"
		 "A first output of f32 that is one row of scores is an answer: its best classes. "
		 "If scores\n"
		 "are equal, the class with the smaller number comes first; NaN is never among "
		 "the best.\n"
		 "In JSON, NaN and infinity are null.\n"
		 "\n"
		 "Of an image each number is (byte - mean) / deviation, byte being 0..255 of red, "
		 "green or blue,\n"
		 "or of all of them as the eye sees them where the input has one channel.\n",
	.take = take,
	.takes = { MODEL_OPTIONS, PREPROCESS_OPTIONS, [OPTION_INPUT] = true, [OPTION_DEVICE] = true,
		   [OPTION_OUTPUT_DIR] = true, [OPTION_EXPECT] = true, [OPTION_REPEAT] = true,
		   [OPTION_TOP] = true, [OPTION_LABELS] = true, [OPTION_TRACE] = true,
		   [OPTION_JSON] = true, [OPTION_NO_PICTURES] = true, [OPTION_COMPILE_TIME] = true,
		   [OPTION_ALLOW_HOST] = true },
};

/* The machine that the program is for; NULL if it is not known. */
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
		message("there is no device; running in the emulator, %s", emulated);
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
	run->memory[SOURCE_HOST_SLOT] = calloc(1, source_host_bytes(&run->source) + 1);
	if (!run->memory[SOURCE_HOST_SLOT])
		return fail(run->options->model, "no memory");
	if (accel_binding_create(run->program, run->slots, count, &run->binding, &error))
		return fail(run->options->model, "%s", error.text);
	ret = accel_queue_create(run->device, ACCEL_WEIGHT_DEFAULT, &run->queue);
	if (ret)
		return fail(run->options->model, "no queue: %s", strerror(-ret));
	run->bind_ms = now_ms() - start;
	return STATUS_OK;
}

/* Nothing that is read is written over, and what would be too long does not run. */
static int make_trace(struct run *run, const struct run_samples *samples)
{
	const struct run_options *o = run->options;
	int status = check_output(o->model, o->trace);
	u32 i, k;

	for (i = 0; i < samples->count; i++)
		for (k = 0; k < samples->input_count && !status; k++)
			status = check_output(samples->samples[i].files[k], o->trace);
	if (!status)
		status = trace_create(o->model, run->source.model, run->info.clock_khz,
				      (u64)samples->count * o->repeat, &run->trace);
	if (!status && accel_queue_note_times(run->queue, 1))
		status = fail(o->model, "the queue does not note times");
	return status;
}

static int trace_replay(struct run *run, const char *sample, struct accel_fence *fence)
{
	struct accel_fence_times times = {};
	int ret = accel_fence_times(fence, &times, sizeof(times));

	if (ret && ret != -ENOTSUP)
		return fail(run->options->model, "%s", strerror(-ret));
	return trace_add_replay(run->trace, sample, &times);
}

static int replay(struct run *run, const char *sample)
{
	struct accel_error error = {};
	struct accel_fence *fence = NULL;
	double start, took;
	u32 i;
	int ret, status = STATUS_OK;

	for (i = 0; i < run->options->repeat && !status; i++) {
		start = now_ms();
		ret = accel_replay(run->queue, run->binding, &fence);
		if (!ret) {
			ret = accel_fence_wait(fence, ACCEL_FOREVER);
			accel_fence_error(fence, run->source.model, &error);
		}
		took = now_ms() - start;
		if (!ret && run->trace)
			status = trace_replay(run, sample, fence);
		accel_fence_destroy(fence);
		if (ret)
			return fail(run->options->model, "%s",
				    error.text[0] ? error.text : strerror(-ret));
		if (!run->replays++ || took < run->replay_min_ms)
			run->replay_min_ms = took;
		run->replay_ms += took;
	}
	return status;
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
			status = run_host_before(run);
		if (!status)
			status = replay(run, answer->name);
		if (!status)
			status = run_host_after(run);
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

	status = o->labels ? run_read_labels(run) : STATUS_OK;
	if (!status)
		status = source_load(o->model, &o->source, &run->source);
	if (!status)
		status = run_samples_init(&samples, run);
	if (!status)
		status = run_check_outputs(run, &samples);
	if (!status)
		status = open_device(run);
	if (!status)
		status = create_program(run);
	if (!status)
		status = bind(run);
	if (!status && o->trace)
		status = make_trace(run, &samples);
	if (!status)
		status = run_samples(run, &samples);
	if (!status && o->trace)
		status = trace_write(run->trace, o->trace);
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
	labels_free(&run->labels);
	trace_destroy(run->trace);
	accel_queue_destroy(run->queue);
	accel_binding_destroy(run->binding);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		accel_buffer_destroy(run->slots[i].buffer);
	free(run->memory[SOURCE_HOST_SLOT]);
	accel_program_destroy(run->program);
	accel_close(run->device);
	source_free(&run->source);
}

static int take_count(enum option_id id, const char *argument, u32 *count)
{
	u64 number;
	int status = option_number(id, argument, 1, 1000000, "1 to 1000000", &number);

	*count = number;
	return status;
}

static int take_time(const char *argument, double *ms)
{
	char *end;

	*ms = strtod(argument, &end);
	return end == argument || *end || !(*ms >= 0 && *ms < 1e15) ?
		       usage("--compile-time takes milliseconds") :
		       STATUS_OK;
}

static int take(void *context, enum option_id id, char *argument)
{
	struct run_options *o = context;

	switch (id) {
	case OPTION_INPUT:
		o->inputs[o->input_count++] = argument;
		return STATUS_OK;
	case OPTION_DEVICE:
		o->device = argument;
		return STATUS_OK;
	case OPTION_OUTPUT_DIR:
		o->output_dir = argument;
		return STATUS_OK;
	case OPTION_EXPECT:
		o->expect_dir = argument;
		return STATUS_OK;
	case OPTION_REPEAT:
		return take_count(id, argument, &o->repeat);
	case OPTION_TOP:
		return take_count(id, argument, &o->top);
	case OPTION_LABELS:
		o->labels = argument;
		return STATUS_OK;
	case OPTION_TRACE:
		o->trace = argument;
		return STATUS_OK;
	case OPTION_JSON:
		o->json = true;
		return STATUS_OK;
	case OPTION_NO_PICTURES:
		o->pictures = false;
		return STATUS_OK;
	case OPTION_COMPILE_TIME:
		return take_time(argument, &o->compile_ms);
	case OPTION_PREPROCESS:
	case OPTION_FIT:
	case OPTION_LAYOUT:
	case OPTION_COLOURS:
	case OPTION_MEAN:
	case OPTION_DEVIATION:
		return preprocess_take(&o->preprocess, id, argument);
	default:
		return model_options_take(&o->source, id, argument);
	}
}

static int parse_and_run(int argc, char **argv, struct run_options *o)
{
	struct run run = { .options = o };
	int i, first, status;

	if (!options_read(&command, argc, argv, o, &first, &status))
		return status;
	if (first >= argc)
		return usage("expected a model");
	o->model = argv[first];
	for (i = first + 1; i < argc; i++)
		o->inputs[o->input_count++] = argv[i];
	o->pictures = o->pictures && !o->json;
	if (!o->top)
		o->top = o->labels ? TOP_WITH_LABELS : 1;
	status = run_model(&run);
	run_fini(&run);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = {
		.repeat = 1,
		.pictures = true,
		.compile_ms = -1,
	};
	int status;

	model_options_init(&o.source);
	preprocess_init(&o.preprocess);
	o.inputs = calloc(argc, sizeof(*o.inputs));
	status = o.inputs ? parse_and_run(argc, argv, &o) : fail(NULL, "no memory");
	free(o.inputs);
	model_options_fini(&o.source);
	return status;
}
