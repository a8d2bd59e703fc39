// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/shared_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/eval.h"
#include "tests/models.h"
#include "tests/random.h"
#include "tools/tensor_io.h"

#define ONNX(name) .path = "onnx/" name "/model.onnx"
#define TFLITE(name) .path = "tflite/" name "/model.tflite"
/* As most are published: one input, one output. */
#define GIVES .in = "in_input.npy", .out = { "out_output.npy" }
#define GIVES_IN_DIRECTORIES .in = "inputs/input.npy", .out = { "outputs/output.npy" }

const struct shared_network shared_networks[] = {
	{ ONNX("mnist"), .in = "in_Input3.npy", .out = { "out_Plus214_Output_0.npy" } },
	{ ONNX("mnist_pytorch") },
	{ ONNX("mobilenet_v2_quant"), GIVES, .exact = true },
	{ ONNX("shufflenet_v2_int8"), GIVES, .exact = true },
	{ ONNX("super_resolution"), GIVES },
	{ ONNX("ultraface_rfb320"), .in = "in_input.npy",
	  .out = { "out_scores.npy", "out_boxes.npy" } },
	{ ONNX("cct_1_16_16_128"), GIVES_IN_DIRECTORIES },
	{ ONNX("cct_2_32_32_128_opset20"), GIVES_IN_DIRECTORIES },
	{ ONNX("light_resnet50") },
	{ ONNX("light_squeezenet") },
	{ ONNX("light_shufflenet") },
	{ ONNX("ort_conv_qdq_s8s8"), .exact = true, .layer = true },
	{ ONNX("ort_conv_qdq_s8s8_perchannel"), .exact = true, .layer = true },
	{ ONNX("ort_conv_qdq_u8u8"), .exact = true, .layer = true },
	{ TFLITE("ad01_float") },
	{ TFLITE("ad01_int8"), .exact = true },
	{ TFLITE("kws_float") },
	{ TFLITE("kws_int8"), .exact = true },
	{ TFLITE("resnet8_float") },
	{ TFLITE("resnet8_int8"), .exact = true },
	{ TFLITE("vww_float") },
	{ TFLITE("vww_int8"), .exact = true },
};

const int shared_network_count = sizeof(shared_networks) / sizeof(shared_networks[0]);

void shared_network_name(const struct shared_network *n, char *name, size_t room)
{
	const char *begin = strchr(n->path, '/') + 1;

	snprintf(name, room, "%.*s", (int)strcspn(begin, "/"), begin);
}

static bool open_as(struct shared_open *o, const char *path, bool bf16)
{
	const struct compile_options options = { .bf16 = bf16 };
	char whole[SHARED_PATH];
	void *bytes = NULL;
	size_t size;

	*o = (struct shared_open){ .bf16 = bf16 };
	rondo_machine_init(&o->machine, RONDO_MACHINE_edge);
	if (!compile_read_file(models_path(whole, sizeof(whole), path), &bytes, &size, &o->err) &&
	    !compile_graph(bytes, size, path, NULL, &o->g, &o->err) &&
	    (bounds_make(o->g, &o->machine, &o->bounds) ||
	     backend_compile(o->g, &o->machine, &options, &o->program))) {
		graph_free(o->g);
		o->g = NULL;
	}
	free(bytes);
	return o->g;
}

bool shared_open(struct shared_open *o, const char *path)
{
	return open_as(o, path, false);
}

bool shared_open_bf16(struct shared_open *o, const char *path)
{
	return open_as(o, path, true);
}

void shared_close(struct shared_open *o)
{
	graph_free(o->g);
	compiled_free(&o->program);
}

/* ---- Inputs and outputs -------------------------------------------------------------------- */

struct tensors {
	struct tensor_data in[SHARED_OUTPUTS], have[SHARED_OUTPUTS], want[SHARED_OUTPUTS];
};

static void free_tensors(struct tensors *t)
{
	for (int i = 0; i < SHARED_OUTPUTS; i++) {
		tensor_data_free(&t->in[i]);
		tensor_data_free(&t->have[i]);
		tensor_data_free(&t->want[i]);
	}
}

static bool load(const struct shared_network *n, const char *file, struct tensor_data *t,
		 char why[RUN_WHY_BYTES])
{
	struct compile_error err = { 0 };
	char path[2 * SHARED_PATH], rest[SHARED_PATH];

	snprintf(rest, sizeof(rest), "%.*s%s", (int)(strrchr(n->path, '/') + 1 - n->path), n->path,
		 file);
	if (!tensor_load(models_path(path, sizeof(path), rest), t, &err))
		return true;
	snprintf(why, RUN_WHY_BYTES, "%.200s", err.text);
	return false;
}

/* Bytes at random, or numbers of the size that images have. */
static bool fill(struct tensor_data *t, const struct value *v)
{
	u64 state = random_seed(1);

	if (!tensor_data_alloc(t, v->dtype, &v->shape))
		return false;
	for (s64 i = 0; i < shape_elems(&v->shape) && v->dtype == DTYPE_F32; i++)
		((float *)t->bytes)[i] = (float)(s32)random_below(&state, 512) / 128 - 2;
	for (size_t i = 0; i < t->size && v->dtype != DTYPE_F32; i++)
		((u8 *)t->bytes)[i] = (u8)random_below(&state, 256);
	return true;
}

static bool run(struct shared_open *o, const struct tensor_data *in, struct tensor_data *out,
		char why[RUN_WHY_BYTES])
{
	const struct graph *g = o->g;

	if (g->inputs.n > SHARED_OUTPUTS || g->outputs.n > SHARED_OUTPUTS)
		return false;
	for (size_t i = 0; i < g->outputs.n; i++)
		if (!tensor_data_alloc(&out[i], g->outputs.v[i]->dtype, &g->outputs.v[i]->shape))
			return false;
	return network_run(&o->program, &o->machine, in, out, why);
}

/* How far numbers may be from @want beside a part of their own size. */
static float absolute(const struct shared_open *o, const struct tensor_data *want)
{
	const float *b = (const float *)want->bytes;
	float most = 0;

	for (s64 i = 0; o->bf16 && i < shape_elems(&want->shape); i++)
		most = fmaxf(most, fabsf(b[i]));
	return o->bf16 ? 0.02f * most : 1e-5f;
}

static bool same(const struct shared_open *o, const struct tensor_data *have,
		 const struct tensor_data *want, bool exact, char why[RUN_WHY_BYTES])
{
	const float *a = (const float *)have->bytes, *b = (const float *)want->bytes;
	s64 n = shape_elems(&want->shape), wrong = 0;
	float most;

	if (have->dtype != want->dtype || have->size != want->size) {
		snprintf(why, RUN_WHY_BYTES, "an output is of another type or shape");
		return false;
	}
	if (exact || want->dtype != DTYPE_F32) {
		wrong = !!memcmp(have->bytes, want->bytes, want->size);
	} else {
		most = absolute(o, want);
		for (s64 i = 0; i < n; i++)
			wrong += !(fabsf(a[i] - b[i]) <= most + 1e-3f * fabsf(b[i])) &&
				 memcmp(&a[i], &b[i], sizeof(*a));
	}
	if (wrong)
		snprintf(why, RUN_WHY_BYTES, "numbers differ from what is known");
	return !wrong;
}

/* ---- What is known ------------------------------------------------------------------------- */

/* The inputs and what they give, by files or by the interpreter. */
static bool find_known(struct shared_open *o, const struct shared_network *n, struct tensors *t,
		       char why[RUN_WHY_BYTES])
{
	if (n->in) {
		for (int i = 0; i < SHARED_OUTPUTS && n->out[i]; i++)
			if (!load(n, n->out[i], &t->want[i], why))
				return false;
		return load(n, n->in, &t->in[0], why);
	}
	for (size_t i = 0; i < o->g->inputs.n && i < SHARED_OUTPUTS; i++)
		if (!fill(&t->in[i], o->g->inputs.v[i]))
			return false;
	if (!graph_eval(o->g, t->in, t->want, &o->err))
		return true;
	snprintf(why, RUN_WHY_BYTES, "%.200s", o->err.text);
	return false;
}

/* Whether all published results of the model are right; *@found: how many there are. */
static bool goldens_right(struct shared_open *o, const struct shared_network *n, int *found,
			  char why[RUN_WHY_BYTES])
{
	char *text = goldens_read();
	const char *at = text;
	struct golden golden;
	bool good = true;

	while (at && good && (at = goldens_next(at, &golden))) {
		struct tensor_data in = { 0 }, out = { 0 };

		if (strcmp(golden.model, n->path))
			continue;
		++*found;
		good = golden_right(o, &golden, &in, &out, why);
		tensor_data_free(&in);
		tensor_data_free(&out);
	}
	free(text);
	return good;
}

bool shared_network_right(struct shared_open *o, const struct shared_network *n,
			  char why[RUN_WHY_BYTES])
{
	struct tensors t = { 0 };
	int found = 0;
	bool good = goldens_right(o, n, &found, why);

	if (found || !good)
		return good;
	good = find_known(o, n, &t, why) && run(o, t.in, t.have, why);
	for (size_t i = 0; good && i < o->g->outputs.n; i++)
		good = same(o, &t.have[i], &t.want[i], n->exact, why);
	free_tensors(&t);
	return good;
}

/* ---- goldens.json -------------------------------------------------------------------------- */

/* A file below the models; its bytes, and a zero behind them, for free(). */
static void *read_shared(const char *name, size_t *size)
{
	struct compile_error err = { 0 };
	char path[2 * SHARED_PATH];
	void *bytes;

	return compile_read_file(models_path(path, sizeof(path), name), &bytes, size, &err) ? NULL :
											      bytes;
}

char *goldens_read(void)
{
	size_t size;
	char *text = read_shared("tflite/goldens.json", &size);

	if (text)
		text[size] = 0;
	return text;
}

/* The text of "KEY": "TEXT" behind @at. */
static const char *string_of(const char *at, const char *key, char *to, size_t room)
{
	const char *begin = at ? strstr(at, key) : NULL;
	size_t n;

	begin = begin ? strchr(begin + strlen(key) + 1, '"') : NULL;
	n = begin ? strcspn(begin + 1, "\"") : 0;
	snprintf(to, room, "%.*s", (int)n, begin ? begin + 1 : "");
	return begin ? begin + n + 2 : NULL;
}

const char *goldens_next(const char *at, struct golden *g)
{
	char *end;

	at = string_of(at, "\"model\"", g->model, sizeof(g->model));
	at = string_of(at, "\"input\"", g->input, sizeof(g->input));
	at = string_of(at, "\"check\"", g->check, sizeof(g->check));
	at = at ? strstr(at, "\"expect\":") : NULL;
	if (!at)
		return NULL;
	at += strlen("\"expect\":");
	at += strspn(at, " \n[\"");
	for (g->n = 0; g->n < GOLDEN_NUMBERS; at = end + strspn(end, " \n,")) {
		g->expect[g->n] = strtoll(at, &end, 0);
		if (end == at)
			break;
		g->n++;
	}
	return at;
}

/* What the check makes of the output. */
static bool is_expected(const struct golden *g, const s8 *y, s64 n)
{
	u32 mixed = 0;

	if (!strcmp(g->check, "output int8 vector")) {
		for (s64 i = 0; i < n && n == g->n; i++)
			if (y[i] != g->expect[i])
				return false;
		return n == g->n;
	}
	if (!strcmp(g->check, "out[1]-out[0]"))
		return n == 2 && g->n == 1 && y[1] - y[0] == g->expect[0];
	for (s64 j = 0; j < n; j++)
		mixed ^= (u32)(s32)y[j] << 8 * (j % 4);
	return !strncmp(g->check, "xor over j", 10) && g->n == 1 && mixed == (u32)g->expect[0];
}

bool golden_right(struct shared_open *o, const struct golden *g, struct tensor_data *in,
		  struct tensor_data *out, char why[RUN_WHY_BYTES])
{
	size_t size = 0;
	void *bytes = read_shared(g->input, &size);
	const struct graph *graph = o->g;
	bool good = bytes && graph->inputs.n == 1 && graph->outputs.n == 1 &&
		    graph->inputs.v[0]->dtype == DTYPE_S8 &&
		    graph->outputs.v[0]->dtype == DTYPE_S8 &&
		    tensor_data_alloc(in, DTYPE_S8, &graph->inputs.v[0]->shape) && size >= in->size;

	if (good) {
		memcpy(in->bytes, bytes, in->size);
		good = run(o, in, out, why) &&
		       is_expected(g, (const s8 *)out->bytes, shape_elems(&out->shape));
	}
	free(bytes);
	return good;
}
