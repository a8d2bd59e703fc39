// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/classes.h"
#include "service/dtype.h"
#include "tools/json.h"

static void print_string(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\":", key);
	json_string(out, text);
	fputc(',', out);
}

/* ---- Outputs ------------------------------------------------------------------------------- */

/* Element @i of @t. */
static void print_element(FILE *out, const struct accel_tensor *t, const char *bytes, u64 i)
{
	s64 integer;

	switch (t->dtype) {
	case ACCEL_F32:
		json_number(out, classes_score(t, bytes, i));
		break;
	case ACCEL_S64: /* which a double does not hold */
		memcpy(&integer, bytes + 8 * i, sizeof(integer));
		fprintf(out, "%" PRId64, integer);
		break;
	case ACCEL_BOOL:
		fputs(bytes[i] ? "true" : "false", out);
		break;
	default:
		fprintf(out, "%.0f", classes_score(t, bytes, i));
	}
}

static void print_data(FILE *out, const struct accel_tensor *t, const char *bytes)
{
	u64 count = t->bytes / dtype_bytes(t->dtype);

	fputs(",\"data\":[", out);
	for (u64 i = 0; i < count; i++) {
		if (i)
			fputc(',', out);
		print_element(out, t, bytes, i);
	}
	fputc(']', out);
}

/* "SCORE:NUMBER:LABEL", as other servers have it. */
static void print_class(FILE *out, const struct answer_source *s, double score, u32 number)
{
	const char *label = number < s->label_count ? s->labels[number] : NULL;
	char text[512];

	snprintf(text, sizeof(text), "%.9g:%u%s%s", score, number, label ? ":" : "",
		 label ? label : "");
	json_string(out, text);
}

/* Instead of the last dimension, the best of its classes. */
static void print_classes(FILE *out, const struct answer_source *s, const struct accel_tensor *t,
			  const void *bytes, u32 top)
{
	u64 all = t->bytes / dtype_bytes(t->dtype), in_row = t->rank ? t->dim[t->rank - 1] : 1;
	u32 best[REQUEST_CLASSES_MAX];
	const char *comma = "";

	top = top < in_row ? top : (u32)in_row;
	fputs(",\"datatype\":\"BYTES\",\"shape\":[", out);
	for (u32 i = 0; i + 1 < t->rank; i++)
		fprintf(out, "%" PRIu64 ",", t->dim[i]);
	fprintf(out, "%u],\"data\":[", top);
	for (u64 first = 0; first < all; first += in_row) {
		u32 have = classes_best(t, bytes, first, (u32)in_row, top, best);

		for (u32 i = 0; i < top; i++, comma = ",") {
			fputs(comma, out);
			if (i < have)
				print_class(out, s, classes_score(t, bytes, first + best[i]),
					    best[i]);
			else
				fputs("\"\"", out); /* they are NaN */
		}
	}
	fputc(']', out);
}

static void print_output(FILE *out, const struct answer_source *s, u32 i)
{
	const struct accel_tensor *t = &s->signature->tensor[ACCEL_OUTPUT][i];
	const struct wanted_output *wanted = &s->request->output[i];

	fputs("{\"name\":", out);
	json_string(out, t->name);
	if (wanted->classes) {
		print_classes(out, s, t, s->output[i], wanted->classes);
		fputc('}', out);
		return;
	}
	fprintf(out, ",\"datatype\":\"%s\",\"shape\":[", dtype_protocol_name(t->dtype));
	for (u32 d = 0; d < t->rank; d++)
		fprintf(out, "%s%" PRIu64, d ? "," : "", t->dim[d]);
	fputc(']', out);
	if (wanted->binary)
		fprintf(out, ",\"parameters\":{\"binary_data_size\":%" PRIu64 "}", t->bytes);
	else
		print_data(out, t, s->output[i]);
	fputc('}', out);
}

/* ---- All of it ----------------------------------------------------------------------------- */

static void print_answer(FILE *out, const struct answer_source *s)
{
	const char *comma = "";

	fputc('{', out);
	print_string(out, "model_name", s->model);
	fprintf(out, "\"model_version\":\"%u\",", s->version);
	if (s->request->id[0])
		print_string(out, "id", s->request->id);
	fprintf(out,
		"\"parameters\":{\"device_cycles\":%" PRIu64 ",\"energy_nj\":%" PRIu64
		",\"queue_us\":%" PRIu64 ",\"device_us\":%" PRIu64 "},\"outputs\":[",
		s->cost.device_cycles, s->cost.energy_nj, s->cost.queue_us, s->cost.device_us);
	for (u32 i = 0; i < s->signature->count[ACCEL_OUTPUT]; i++) {
		if (!s->request->output[i].wanted)
			continue;
		fputs(comma, out);
		print_output(out, s, i);
		comma = ",";
	}
	fputs("]}", out);
}

static void append_binary(FILE *out, const struct answer_source *s)
{
	for (u32 i = 0; i < s->signature->count[ACCEL_OUTPUT]; i++)
		if (s->request->output[i].wanted && s->request->output[i].binary)
			fwrite(s->output[i], 1, s->signature->tensor[ACCEL_OUTPUT][i].bytes, out);
}

int answer_make(const struct answer_source *source, struct answer *answer, struct refusal *why)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int failed;

	*answer = (struct answer){ 0 };
	if (!out)
		return refuse(why, 503, "there is no memory for the answer");
	print_answer(out, source);
	failed = fflush(out);
	answer->json = size;
	append_binary(out, source);
	failed |= fclose(out);
	if (failed) {
		free(text);
		return refuse(why, 503, "there is no memory for the answer");
	}
	answer->bytes = text;
	answer->size = size;
	return 0;
}

int answer_refusal(const struct refusal *refusal, struct answer *answer)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	*answer = (struct answer){ 0 };
	if (!out)
		return -1;
	fputs("{\"error\":", out);
	json_string(out, refusal->text);
	if (refusal->earliest_us)
		fprintf(out, ",\"parameters\":{\"earliest_us\":%" PRIu64 "}", refusal->earliest_us);
	fputs("}", out);
	if (fclose(out)) {
		free(text);
		return -1;
	}
	*answer = (struct answer){ text, size, size };
	return 0;
}
