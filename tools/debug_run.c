// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/debug_run.h"

#include <stdlib.h>
#include <string.h>

#include "tools/inputs.h"
#include "tools/rondo.h"

enum { RANDOM_SEEDS = 64 };

/* What the slot holds before inputs come in: weights, or nothing. */
static int make_content(struct debug_run *run, const char *path, u32 slot, u64 *size)
{
	struct accel_slot_info info;

	accel_model_slot(run->source.model, slot, &info);
	*size = info.size > info.data_size ? info.size : info.data_size;
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

/* Numbers in [-1, 1) where they are f32, or of no type that is known; 0 or 1 for bool; else any. */
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
		if (!source->bare && tensor->dtype == ACCEL_BOOL)
			bits &= 0x01010101;
		memcpy(bytes + at, &bits, rest < sizeof(bits) ? rest : sizeof(bits));
	}
}

/* Sets @files[i] to the file that is given for input i; NULL: none is. */
static int find_files(const struct source *source, const struct debug_inputs *inputs,
		      const char **files)
{
	const char *file;
	u32 i, input;
	int status;

	for (i = 0; i < inputs->count; i++) {
		status = input_find(source, inputs->at[i], &input, &file);
		if (status)
			return status;
		files[input] = file;
	}
	return STATUS_OK;
}

/* Fills input @index, for which @file is given, in its slot. */
static int make_input(struct debug_run *run, const struct debug_run_options *o, u32 index,
		      const char *file)
{
	struct tensor_data data;
	struct image image;
	struct accel_tensor tensor;
	int status;
	u8 *to;

	accel_model_tensor(run->source.model, ACCEL_INPUT, index, &tensor);
	to = run->content[tensor.slot] + tensor.offset;
	if (file) {
		status = input_read(&run->source, &tensor, file, &o->preprocess, &data, &image);
		if (status)
			return status;
		image_free(&image);
		memcpy(to, data.bytes, data.size);
		tensor_data_free(&data);
	} else if (o->random) {
		fill(&run->source, &tensor, to, o->seed);
	} else {
		message("%s: input \"%s\" has no file: it is all zero", o->path, tensor.name);
	}
	return STATUS_OK;
}

static int make_inputs(struct debug_run *run, const struct debug_run_options *o)
{
	u32 i, count = accel_model_tensor_count(run->source.model, ACCEL_INPUT);
	const char **files = calloc(count + 1, sizeof(*files));
	int status;

	if (!files)
		return fail(o->path, "no memory");
	status = find_files(&run->source, &o->inputs, files);
	for (i = 0; i < count && !status; i++)
		status = make_input(run, o, i, files[i]);
	free(files);
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
	status = source_load(options->path, options->model, &run->source);
	for (i = 0; !status && i < accel_model_slot_count(run->source.model); i++)
		status = make_content(run, options->path, i, &sizes[i]);
	if (!status)
		status = make_inputs(run, options);
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
