// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/debug_run.h"

#include <stdlib.h>
#include <string.h>

#include "tools/rondo.h"
#include "tools/run.h"
#include "tools/tensor_io.h"

enum { RANDOM_SEEDS = 64 };

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static int load(const char *path, struct source *source)
{
	struct source_options options;
	int status;

	if (ends_in(path, ".rasm"))
		return source_load_text(path, source);
	source_options_init(&options);
	status = source_load(path, &options, source);
	source_options_fini(&options);
	return status;
}

/* What the slot holds before inputs come in: weights, or nothing. */
static int make_content(struct debug_run *run, const char *path, u32 slot, u64 *size)
{
	struct accel_slot_info info;

	accel_model_slot(run->source.model, slot, &info);
	*size = info.size > info.data_size ? info.size : info.data_size;
	if (*size > SESSION_SLOT_BYTES_MAX)
		return fail(path, "slot %u has %llu bytes, which is too much to debug", slot,
			    (unsigned long long)*size);
	run->content[slot] = calloc(*size + 1, 1);
	if (!run->content[slot])
		return fail(path, "no memory for slot %u", slot);
	if (info.data)
		memcpy(run->content[slot], info.data, info.data_size);
	return STATUS_OK;
}

static u32 next_random(u64 *state)
{
	*state ^= *state << 13; /* xorshift64, Marsaglia 2003 */
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (u32)(*state >> 32);
}

/* Numbers in [-1, 1) where they are f32, or of no type that is known; else any bits. */
static void fill(const struct source *source, const struct accel_tensor *tensor, u8 *bytes,
		 u64 seed)
{
	u64 state = (seed + 1) * 0x9e3779b97f4a7c15ull + tensor->slot, at;
	u32 i;

	for (i = 0; i < RANDOM_SEEDS; i++)
		next_random(&state);
	for (at = 0; at < tensor->bytes; at += sizeof(u32)) {
		u64 rest = tensor->bytes - at;
		u32 bits = next_random(&state);
		float value = (float)(bits >> 8) / (1 << 23) - 1;

		if (source->bare || tensor->dtype == ACCEL_F32)
			memcpy(&bits, &value, sizeof(bits));
		memcpy(bytes + at, &bits, rest < sizeof(bits) ? rest : sizeof(bits));
	}
}

/* The file for the input called @name: the last that was given; NULL: none. */
static const char *file_of(const struct debug_inputs *inputs, const char *name)
{
	size_t length = strlen(name);
	u32 i;

	for (i = inputs->count; i-- > 0;)
		if (!strncmp(inputs->at[i], name, length) && inputs->at[i][length] == '=')
			return inputs->at[i] + length + 1;
	return NULL;
}

static int read_input(const struct source *source, const char *file,
		      const struct accel_tensor *want, u8 *to)
{
	struct compile_error err = {};
	struct tensor_data have;
	int status = STATUS_OK;

	if (tensor_load(file, &have, &err)) {
		fflush(stdout);
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	if (have.size != want->bytes || (!source->bare && have.dtype != run_dtype(want)))
		status = fail(file, "it is %zu bytes of %s, input \"%s\" wants %llu of %s",
			      have.size, dtype_name(have.dtype), want->name,
			      (unsigned long long)want->bytes,
			      source->bare ? "any type" : dtype_name(run_dtype(want)));
	else
		memcpy(to, have.bytes, have.size);
	tensor_data_free(&have);
	return status;
}

/* Every NAME=FILE names an input. */
static int check_names(const struct source *source, const struct debug_inputs *inputs)
{
	u32 i, k, count = accel_model_tensor_count(source->model, ACCEL_INPUT);

	for (i = 0; i < inputs->count; i++) {
		struct debug_inputs one = { 1, { inputs->at[i] } };
		struct accel_tensor tensor;

		for (k = 0; k < count; k++) {
			accel_model_tensor(source->model, ACCEL_INPUT, k, &tensor);
			if (file_of(&one, tensor.name))
				break;
		}
		if (k == count)
			return fail(inputs->at[i], "expected NAME=FILE with the name of an input; "
						   "rondo info lists them");
	}
	return STATUS_OK;
}

static int make_inputs(struct debug_run *run, const struct debug_run_options *o, const u64 *sizes)
{
	u32 i, count = accel_model_tensor_count(run->source.model, ACCEL_INPUT);
	int status = check_names(&run->source, &o->inputs);

	for (i = 0; i < count && !status; i++) {
		struct accel_tensor tensor;
		const char *file;
		u8 *to;

		accel_model_tensor(run->source.model, ACCEL_INPUT, i, &tensor);
		if (tensor.offset > sizes[tensor.slot] ||
		    tensor.bytes > sizes[tensor.slot] - tensor.offset)
			return fail(o->path, "input \"%s\" does not fit its slot", tensor.name);
		to = run->content[tensor.slot] + tensor.offset;
		file = file_of(&o->inputs, tensor.name);
		if (file)
			status = read_input(&run->source, file, &tensor, to);
		else if (o->random)
			fill(&run->source, &tensor, to, o->seed);
		else
			fprintf(stderr, "rondo: %s: input \"%s\" has no file: it is all zero\n",
				o->path, tensor.name);
	}
	return status;
}

static int make_regions(struct debug_run *run, const char *path)
{
	u32 i, count = accel_model_region_count(run->source.model);

	run->regions = calloc(count + 1, sizeof(*run->regions));
	if (!run->regions)
		return fail(path, "no memory");
	for (i = 0; i < count; i++) {
		struct accel_region region;

		accel_model_region(run->source.model, i, &region);
		run->regions[i] =
			(struct session_region){ region.name, region.first, region.count };
	}
	return STATUS_OK;
}

static int start(struct debug_run *run, const struct debug_run_options *o, const u64 *sizes)
{
	struct session_source source = {
		.unverified = o->unverified,
		.bound = o->bound,
		.regions = run->regions,
		.region_count = accel_model_region_count(run->source.model),
		.memory = o->memory,
		.interrupt = o->interrupt,
	};
	char why[SESSION_WHY_BYTES];
	size_t size;
	u32 i;

	source.program = accel_model_program(run->source.model, &size);
	source.size = size;
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		source.content[i] = (struct session_content){ run->content[i], sizes[i] };
	run->session = session_create(&source, why);
	return run->session ? STATUS_OK : fail(o->path, "%s", why);
}

int debug_run_open(struct debug_run *run, const struct debug_run_options *options)
{
	u64 sizes[RONDO_PROGRAM_SLOTS_MAX] = {};
	int status;
	u32 i;

	*run = (struct debug_run){};
	status = load(options->path, &run->source);
	for (i = 0; !status && i < accel_model_slot_count(run->source.model); i++)
		status = make_content(run, options->path, i, &sizes[i]);
	if (!status)
		status = make_inputs(run, options, sizes);
	if (!status)
		status = make_regions(run, options->path);
	if (!status)
		status = start(run, options, sizes);
	return status;
}

void debug_run_close(struct debug_run *run)
{
	u32 i;

	session_destroy(run->session);
	free(run->regions);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++)
		free(run->content[i]);
	source_free(&run->source);
}
