// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "tools/rondo.h"
#include "tools/run.h"
#include "tools/tensor_io.h"

enum { CLASSES_MAX = 65536, PATH_BYTES = 4096, VALUES_SHOWN = 8 };

/* What probabilities may sum up to, beside one. */
#define SUM_TOLERANCE 1e-3

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

/*
 * How a score becomes a probability. What lies in 0..1 and sums up to one is one already; the
 * logarithms of such, and any other scores, go through softmax, which does not change the former.
 */
static void probabilities(const float *score, u32 count, double *p)
{
	double sum = 0, max = -INFINITY;
	bool already = true;
	u32 i;

	for (i = 0; i < count; i++) {
		already = already && score[i] >= 0 && score[i] <= 1;
		sum += score[i];
		max = fmax(max, score[i]);
	}
	if (already && fabs(sum - 1) < SUM_TOLERANCE) {
		for (i = 0; i < count; i++)
			p[i] = score[i];
		return;
	}
	sum = 0;
	for (i = 0; i < count; i++)
		sum += p[i] = exp(score[i] - max);
	for (i = 0; i < count; i++)
		p[i] /= sum;
}

/* Fills *@answer from the scores at @score. */
static int judge(const struct run *run, const float *score, u32 classes, struct run_answer *answer)
{
	u32 top = run->options->top < classes ? run->options->top : classes, i, k;
	double *p = malloc(classes * sizeof(*p));

	answer->best = calloc(top, sizeof(*answer->best));
	if (!p || !answer->best) {
		free(p);
		return fail(run->options->model, "no memory");
	}
	probabilities(score, classes, p);
	for (k = 0; k < top; k++) {
		u32 best = 0;

		for (i = 1; i < classes; i++)
			if (p[i] > p[best])
				best = i;
		answer->best[k] = (struct run_class){ best, p[best] };
		p[best] = -1;
	}
	answer->best_count = top;
	answer->classes = classes;
	free(p);
	return STATUS_OK;
}

const char *run_label(const struct run *run, u32 index, char buf[16])
{
	if (index < run->label_count)
		return run->labels[index];
	snprintf(buf, 16, "%u", index);
	return buf;
}

int run_read_labels(struct run *run)
{
	FILE *f = fopen(run->options->labels, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!f)
		return fail(run->options->labels, "%s", strerror(errno));
	while ((length = getline(&line, &room, f)) >= 0) {
		char **grown = realloc(run->labels, (run->label_count + 1) * sizeof(*grown));

		if (!grown)
			break;
		run->labels = grown;
		line[strcspn(line, "\r\n")] = 0;
		grown[run->label_count] = strdup(line);
		if (!grown[run->label_count])
			break;
		run->label_count++;
	}
	free(line);
	if (ferror(f) || length >= 0) {
		fclose(f);
		return fail(run->options->labels, "it cannot be read");
	}
	fclose(f);
	return STATUS_OK;
}

static void print_classes(const struct run *run, const struct run_answer *answer)
{
	char buf[16];
	u32 i;

	printf("%s: %s, probability %.4f\n", answer->name,
	       run_label(run, answer->best[0].index, buf), answer->best[0].probability);
	for (i = 1; i < answer->best_count; i++)
		printf("  then %s, %.4f\n", run_label(run, answer->best[i].index, buf),
		       answer->best[i].probability);
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
	size_t size = dtype_size(run_dtype(t));
	struct shape shape = run_shape(t);
	char text[SHAPE_TEXT_MAX];
	u64 i;

	printf("%s: %s %s%s =", sample, t->name, dtype_name(run_dtype(t)),
	       shape_text(&shape, text));
	for (i = 0; i < VALUES_SHOWN && i * size < t->bytes; i++)
		print_value(run_dtype(t), data, i);
	printf("%s\n", i * size < t->bytes ? " ..." : "");
}

/* The file of output @t of sample @index in @dir: names keep only what every file system takes. */
static int output_path(char path[PATH_BYTES], const char *dir, u32 index,
		       const struct accel_tensor *t)
{
	int head = snprintf(path, PATH_BYTES, "%s/%u.", dir, index);
	size_t i, length = strlen(t->name);

	if (head < 0 || head + length + sizeof(".npy") > PATH_BYTES)
		return fail(dir, "the path is too long");
	for (i = 0; i < length; i++) {
		unsigned char c = t->name[i];

		path[head + i] = isalnum(c) || c == '-' || c == '_' ? c : '_';
	}
	strcpy(path + head + i, ".npy");
	return STATUS_OK;
}

static int save(const char *dir, u32 index, const struct accel_tensor *t,
		const struct tensor_data *data)
{
	struct compile_error err = {};
	char path[PATH_BYTES];
	int status = output_path(path, dir, index, t);

	if (status)
		return status;
	if (tensor_save_npy(path, data, &err)) {
		fflush(stdout);
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* Notes in @run whether the tensor differs from the one of the other run. */
static int compare(struct run *run, u32 index, const struct accel_tensor *t,
		   const struct tensor_data *data)
{
	struct compile_error err = {};
	struct tensor_data other;
	char path[PATH_BYTES];
	int status = output_path(path, run->options->expect_dir, index, t);

	if (status)
		return status;
	if (tensor_load(path, &other, &err)) {
		fflush(stdout);
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
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

	for (i = 0; !accel_model_tensor(run->source.model, ACCEL_OUTPUT, i, &t); i++) {
		u8 *bytes = run->memory[t.slot] + t.offset;
		struct tensor_data data = {
			.dtype = run_dtype(&t),
			.shape = run_shape(&t),
			.bytes = bytes,
			.size = t.bytes,
		};
		u32 classes = i ? 0 : classes_of(&t);

		if (classes)
			status = judge(run, (const float *)bytes, classes, answer);
		if (!status && !o->json && classes)
			print_classes(run, answer);
		else if (!status && !o->json)
			print_values(&t, bytes, answer->name);
		if (!status && o->output_dir)
			status = save(o->output_dir, index, &t, &data);
		if (!status && o->expect_dir)
			status = compare(run, index, &t, &data);
		if (status)
			return status;
	}
	return STATUS_OK;
}
