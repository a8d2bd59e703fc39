// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/compiler.h"
#include "tools/inputs.h"
#include "tools/output.h"
#include "tools/rondo.h"
#include "tools/run.h"
#include "tools/tensor_io.h"

enum { CLASSES_MAX = 65536, VALUES_SHOWN = 8, IMAGE_SIDE_MIN = 8 };

/* How many classes @t has scores for; 0: it does not look like scores. */
static u32 classes_of(const struct accel_tensor *t)
{
	u32 i;

	if (t->dtype != ACCEL_F32 || !t->rank)
		return 0;
	for (i = 0; i + 1 < t->rank; i++)
		if (t->dim[i] != 1)
			return 0;
	return t->dim[t->rank - 1] >= 2 && t->dim[t->rank - 1] <= CLASSES_MAX ?
		       t->dim[t->rank - 1] :
		       0;
}

/* Fills *@answer from the scores at @score. */
static int judge(const struct run *run, const float *score, u32 classes, struct run_answer *answer)
{
	u32 top = run->options->top < classes ? run->options->top : classes;
	u32 *order = malloc(classes * sizeof(*order));

	answer->best = calloc(top, sizeof(*answer->best));
	if (!order || !answer->best) {
		free(order);
		return fail(run->options->model, "no memory");
	}
	answer->best_count = rank_classes(score, classes, order, answer->best, top);
	free(order);
	return STATUS_OK;
}

const char *run_label(const struct run *run, u32 index, char buf[16])
{
	if (index < run->labels.count)
		return run->labels.at[index];
	snprintf(buf, 16, "%u", index);
	return buf;
}

int run_read_labels(struct run *run)
{
	struct compile_error err = {};

	return labels_read(run->options->labels, &run->labels, &err) ? fail_with(&err) : STATUS_OK;
}

static void print_classes(const struct run *run, const struct run_answer *answer)
{
	char buf[16];
	u32 i;

	if (!answer->best_count) {
		printf("%s: no answer: no score is a number\n", answer->name);
		return;
	}
	printf("%s: ", answer->name);
	print_text(run_label(run, answer->best[0].index, buf));
	printf(", probability %.4f\n", answer->best[0].probability);
	for (i = 1; i < answer->best_count; i++) {
		printf("  then ");
		print_text(run_label(run, answer->best[i].index, buf));
		printf(", %.4f\n", answer->best[i].probability);
	}
}

/* Element @i of the tensor, as text. */
static void print_value(enum dtype dtype, const void *bytes, u64 i)
{
	switch (dtype) {
#define PRINT_FLOAT(value) printf(" %.6g", value)
#define PRINT_INTEGER(value) printf(" %lld", (long long)(value))
#define PRINT_BOOL(value) PRINT_INTEGER(value)
#define DTYPE(name, text, number, type, kind, numpy)    \
	case DTYPE_##name:                              \
		PRINT_##kind(((const type *)bytes)[i]); \
		break;
#include "spec/dtypes.def"
	case DTYPE_COUNT:
		break;
	}
}

/* The type, the shape and the first values. */
static void print_values(const struct accel_tensor *t, const u8 *data, const char *sample)
{
	size_t size = dtype_size(tensor_dtype(t));
	struct shape shape = tensor_shape(t);
	char text[SHAPE_TEXT_MAX];
	u64 i;

	printf("%s: ", sample);
	print_text(t->name);
	printf(" %s%s =", dtype_name(tensor_dtype(t)), shape_text(&shape, text));
	for (i = 0; i < VALUES_SHOWN && i * size < t->bytes; i++)
		print_value(tensor_dtype(t), data, i);
	printf("%s\n", i * size < t->bytes ? " ..." : "");
}

/* How names of outputs end; that of images is as long. */
#define ENDING ".npy"
#define IMAGE_ENDING ".png"

/*
 * The file of output @t of sample @index in @dir, with this ending. Different names give different
 * files: what not every file system takes is written as %XX, and so is %.
 */
static int output_path(char path[PATH_MAX], const char *dir, u32 index,
		       const struct accel_tensor *t, const char *ending)
{
	int at = snprintf(path, PATH_MAX, "%s/%u.", dir, index), directory = strlen(dir) + 1;
	const unsigned char *c = (const unsigned char *)t->name;

	for (; *c && at + 3 + sizeof(ENDING) < PATH_MAX; c++) {
		if (isalnum(*c) || strchr("-_.", *c))
			path[at++] = *c;
		else
			at += sprintf(path + at, "%%%02X", *c);
	}
	strcpy(path + at, ending);
	if (*c || at + strlen(ENDING) - directory > NAME_MAX)
		return fail(dir, "the name of output \"%.100s\" is too long for a file", t->name);
	return STATUS_OK;
}

/* Each output that is to be written: no input of any sample, and nothing else that is read. */
static int check_output_file(const struct run *run, const struct run_samples *samples,
			     const char *path)
{
	const struct run_options *o = run->options;
	u32 i, k;
	int status = check_output(o->model, path);

	if (!status && o->labels)
		status = check_output(o->labels, path);
	for (i = 0; i < samples->count; i++)
		for (k = 0; k < samples->input_count && !status; k++)
			status = check_output(samples->samples[i].files[k], path);
	return status;
}

static int make_directory(const char *path)
{
	struct stat st;

	if (!mkdir(path, 0777))
		return STATUS_OK;
	if (errno == EEXIST && !stat(path, &st))
		errno = S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	return errno ? fail(path, "%s", strerror(errno)) : STATUS_OK;
}

int run_check_outputs(const struct run *run, const struct run_samples *samples)
{
	const struct run_options *o = run->options;
	char path[PATH_MAX];
	struct accel_tensor t;
	u32 i, k;

	if (o->output_dir && make_directory(o->output_dir))
		return STATUS_FAILED;
	if (o->output_dir && o->expect_dir && output_same_file(o->output_dir, o->expect_dir))
		return fail(o->output_dir, "outputs cannot be written to where they are compared");
	for (i = 0; i < samples->count; i++)
		for (k = 0; !source_tensor(&run->source, ACCEL_OUTPUT, k, &t); k++) {
			if (o->expect_dir && output_path(path, o->expect_dir, i, &t, ENDING))
				return STATUS_FAILED;
			if (o->expect_dir && access(path, R_OK))
				return fail(path, "%s", strerror(errno));
			if (o->output_dir &&
			    (output_path(path, o->output_dir, i, &t, ENDING) ||
			     check_output_file(run, samples, path) ||
			     output_path(path, o->output_dir, i, &t, IMAGE_ENDING) ||
			     check_output_file(run, samples, path)))
				return STATUS_FAILED;
		}
	return STATUS_OK;
}

static int save(const char *dir, u32 index, const struct accel_tensor *t,
		const struct tensor_data *data)
{
	struct compile_error err = {};
	char path[PATH_MAX];
	int status = output_path(path, dir, index, t, ENDING);

	if (status)
		return status;
	return tensor_save_npy(path, data, &err) ? fail_with(&err) : STATUS_OK;
}

/* Writes the output as an image if it is one. */
static int save_image(const struct run *run, u32 index, const struct accel_tensor *t,
		      const void *bytes)
{
	const struct image_tensor have = tensor_image(t);
	struct compile_error err = {};
	struct image_layout layout;
	char path[PATH_MAX];
	u8 *pixels;
	int status;

	if (!image_layout(&have.shape, run->options->preprocess.order, &layout) ||
	    layout.height < IMAGE_SIDE_MIN || layout.width < IMAGE_SIDE_MIN)
		return STATUS_OK;
	pixels = preprocess_undo(&run->options->preprocess, &have, bytes, &layout);
	if (!pixels)
		return STATUS_OK;
	status = output_path(path, run->options->output_dir, index, t, IMAGE_ENDING);
	if (!status && image_write_png(path, pixels, (u32)layout.width, (u32)layout.height,
				       (int)layout.channels, &err))
		status = fail_with(&err);
	free(pixels);
	return status;
}

/* Notes in @run whether the tensor differs from the one of the other run. */
static int compare(struct run *run, u32 index, const struct accel_tensor *t,
		   const struct tensor_data *data)
{
	struct compile_error err = {};
	struct tensor_data other;
	char path[PATH_MAX];
	int status = output_path(path, run->options->expect_dir, index, t, ENDING);

	if (status)
		return status;
	if (tensor_load(path, &other, &err))
		return fail_with(&err);
	if (other.dtype != data->dtype || !shape_equal(&other.shape, &data->shape) ||
	    memcmp(other.bytes, data->bytes, data->size)) {
		fail(path, "the result differs from this one");
		run->differs = true;
	}
	tensor_data_free(&other);
	return STATUS_OK;
}

int run_take_outputs(struct run *run, u32 index, struct run_answer *answer)
{
	const struct run_options *o = run->options;
	struct accel_tensor t;
	int status = STATUS_OK;
	u32 i;

	for (i = 0; !source_tensor(&run->source, ACCEL_OUTPUT, i, &t); i++) {
		u8 *bytes = run->memory[t.slot] + t.offset;
		struct tensor_data data = {
			.dtype = tensor_dtype(&t),
			.shape = tensor_shape(&t),
			.bytes = bytes,
			.size = t.bytes,
		};
		u32 classes = i ? 0 : classes_of(&t);

		if (classes && o->labels && !index && run->labels.count != classes)
			message("%s: %u labels for %u classes%s", o->labels, run->labels.count,
				classes,
				run->labels.count < classes ? ": the others are numbers" : "");
		if (classes)
			status = judge(run, (const float *)bytes, classes, answer);
		if (!status && !o->json && classes)
			print_classes(run, answer);
		else if (!status && !o->json)
			print_values(&t, bytes, answer->name);
		if (!status && o->output_dir)
			status = save(o->output_dir, index, &t, &data);
		if (!status && o->output_dir && run->images)
			status = save_image(run, index, &t, bytes);
		if (!status && o->expect_dir)
			status = compare(run, index, &t, &data);
		if (status)
			return status;
	}
	return STATUS_OK;
}
