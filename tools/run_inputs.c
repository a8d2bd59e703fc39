// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/inputs.h"
#include "tools/render.h"
#include "tools/rondo.h"
#include "tools/run.h"

/* What is smaller is not shown as a picture, whatever its shape. */
enum { PICTURE_ELEMENTS_MIN = 64, PICTURE_COLUMNS_MAX = 64 };

/* Appends @file to the files of @input; those are numbered from sample 0 on. */
static int add_file(struct run_samples *s, u32 *counts, u32 input, const char *file)
{
	u32 sample = counts[input]++;

	if (sample >= s->count) {
		struct run_sample *grown = realloc(s->samples, (sample + 1) * sizeof(*grown));

		if (!grown)
			return fail(file, "no memory");
		s->samples = grown;
		grown[sample].files = calloc(s->input_count, sizeof(const char *));
		if (!grown[sample].files)
			return fail(file, "no memory");
		s->count = sample + 1;
	}
	s->samples[sample].files[input] = file;
	return STATUS_OK;
}

/* An input with one file has it in every sample; any other needs one for each. */
static int complete(struct run_samples *s, const u32 *counts)
{
	u32 i, k;

	for (i = 0; i < s->input_count; i++) {
		const char *name = s->inputs[i].name;

		if (!counts[i])
			return fail(name, "no file is given for this input");
		if (counts[i] != 1 && counts[i] != s->count)
			return fail(name, "%u files for this input, %u for another", counts[i],
				    s->count);
		for (k = counts[i]; k < s->count; k++)
			s->samples[k].files[i] = s->samples[0].files[i];
	}
	return STATUS_OK;
}

static int assign(struct run_samples *s, const struct source *source, const struct run_options *o,
		  u32 *counts)
{
	const char *file;
	u32 i, input;
	int status;

	for (i = 0; i < o->input_count; i++) {
		status = input_find(source, o->inputs[i], &input, &file);
		if (!status)
			status = add_file(s, counts, input, file);
		if (status)
			return status;
	}
	status = complete(s, counts);
	if (!status && !s->input_count) {
		/* Without inputs there is still something to run. */
		s->samples = calloc(1, sizeof(*s->samples));
		if (!s->samples)
			return fail(o->model, "no memory");
		s->count = 1;
	}
	return status;
}

int run_samples_init(struct run_samples *samples, const struct run *run)
{
	const struct source *source = &run->source;
	u32 n = source_tensor_count(source, ACCEL_INPUT), i;
	u32 *counts = calloc(n + 1, sizeof(*counts));
	int status;

	*samples = (struct run_samples){ .input_count = n };
	samples->inputs = calloc(n + 1, sizeof(*samples->inputs));
	if (!counts || !samples->inputs) {
		free(counts);
		return fail(run->options->model, "no memory");
	}
	for (i = 0; i < n; i++)
		source_tensor(source, ACCEL_INPUT, i, &samples->inputs[i]);
	status = assign(samples, source, run->options, counts);
	free(counts);
	return status;
}

void run_samples_fini(struct run_samples *samples)
{
	u32 i;

	for (i = 0; i < samples->count; i++)
		free(samples->samples[i].files);
	free(samples->samples);
	free(samples->inputs);
}

/* Shows the tensor as a picture, or the image that it was made of. */
static void show(const struct run *run, const struct tensor_data *tensor, const struct image *image)
{
	const struct tensor_data pixels = {
		.dtype = DTYPE_U8,
		.shape = { 3, { image->height, image->width, IMAGE_CHANNELS } },
		.bytes = image->rgb,
	};
	struct compile_error ignored = {};

	if (!run->options->pictures || shape_elems(&tensor->shape) < PICTURE_ELEMENTS_MIN)
		return;
	render_tensor(image->rgb ? &pixels : tensor, render_style_for(STDOUT_FILENO),
		      PICTURE_COLUMNS_MAX, stdout, &ignored);
}

int run_load_sample(struct run *run, const struct run_samples *samples, u32 index)
{
	struct tensor_data tensor;
	struct image image;
	u32 i;
	int status;

	for (i = 0; i < samples->input_count; i++) {
		const struct accel_tensor *want = &samples->inputs[i];
		const char *file = samples->samples[index].files[i];

		status = input_read(&run->source, want, file, &run->options->preprocess, &tensor,
				    &image);
		if (status)
			return status;
		memcpy(run->memory[want->slot] + want->offset, tensor.bytes, want->bytes);
		show(run, &tensor, &image);
		run->images = run->images || image.rgb;
		tensor_data_free(&tensor);
		image_free(&image);
	}
	return STATUS_OK;
}
