// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * MLPerf Tiny's quantised networks against what TensorFlow Lite Micro is published to give: all
 * goldens.json of the shared models, bit for bit, by their programs on the checking executor; the
 * first of each network by the interpreter, too.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "core/machine.h"
#include "tests/models.h"
#include "tests/network_run.h"
#include "tests/tap.h"

enum { PATH_ROOM = 512, OUTPUTS_MAX = 1024 };

/* A published result: of a model on an input, and how it is said. */
struct golden {
	char model[PATH_ROOM], input[PATH_ROOM], check[128];
	long long expect[OUTPUTS_MAX];
	int n;
};

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

/* The next test of the file; NULL: there is none. */
static const char *next_golden(const char *at, struct golden *g)
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
	for (g->n = 0; g->n < OUTPUTS_MAX; at = end + strspn(end, " \n,")) {
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

/* A file below the models; its bytes for free(). */
static void *read_shared(const char *name, size_t *size)
{
	struct compile_error err = { 0 };
	char path[2 * PATH_ROOM];
	void *bytes;

	return compile_read_file(models_path(path, sizeof(path), name), &bytes, size, &err) ? NULL :
											      bytes;
}

/* A model: its graph, normalised, and its program. */
struct network {
	char model[PATH_ROOM];
	struct compile_error err;
	struct graph *g; /* NULL: there is no program */
	bool interpreted; /* the interpreter was asked */
	struct rondo_machine machine;
	struct compiled program;
};

static void network_close(struct network *w)
{
	graph_free(w->g);
	compiled_free(&w->program);
	*w = (struct network){ 0 };
}

/* Opens the model unless it is open already. */
static void network_open(struct network *w, const char *model)
{
	size_t size;
	void *bytes;

	if (!strcmp(w->model, model))
		return;
	network_close(w);
	snprintf(w->model, sizeof(w->model), "%s", model);
	rondo_machine_init(&w->machine, RONDO_MACHINE_edge);
	bytes = read_shared(model, &size);
	if (bytes && !compile_graph(bytes, size, model, NULL, &w->g, &w->err) &&
	    backend_compile(w->g, &w->machine, NULL, &w->program)) {
		graph_free(w->g);
		w->g = NULL;
	}
	free(bytes);
}

/* What the program gives; false: it does not run. */
static bool run(const struct network *w, const struct tensor_data *in, struct tensor_data *out)
{
	const struct value *y = w->g->outputs.v[0];
	char why[RUN_WHY_BYTES] = "";

	if (tensor_data_alloc(out, y->dtype, &y->shape) &&
	    network_run(&w->program, &w->machine, in, out, why))
		return true;
	printf("# %s\n", why);
	return false;
}

/* Whether the interpreter gives the same; it takes long, and does so once for each network. */
static bool interpreter_agrees(struct network *w, const struct tensor_data *in,
			       const struct tensor_data *out)
{
	struct tensor_data y = { 0 };
	bool same = w->interpreted || (!graph_eval(w->g, in, &y, &w->err) && y.size == out->size &&
				       !memcmp(y.bytes, out->bytes, y.size));

	w->interpreted = true;
	tensor_data_free(&y);
	return same;
}

static void test(struct network *w, const struct golden *golden)
{
	struct graph *g = w->g;
	struct tensor_data in = { 0 }, out = { 0 };
	size_t size = 0;
	void *bytes = read_shared(golden->input, &size);
	bool good = g && bytes && g->inputs.n == 1 && g->outputs.n == 1 &&
		    g->inputs.v[0]->dtype == DTYPE_S8 && g->outputs.v[0]->dtype == DTYPE_S8 &&
		    tensor_data_alloc(&in, DTYPE_S8, &g->inputs.v[0]->shape) && size >= in.size;

	if (good) {
		memcpy(in.bytes, bytes, in.size);
		good = run(w, &in, &out) &&
		       is_expected(golden, out.bytes, shape_elems(&out.shape)) &&
		       interpreter_agrees(w, &in, &out);
	}
	if (!tap_ok(good, "%s on %s", golden->model, golden->input)) {
		printf("# %s", w->err.text);
		for (s64 i = 0; out.bytes && i < shape_elems(&out.shape) && i < 12; i++)
			printf(" %d", ((s8 *)out.bytes)[i]);
		printf("\n");
	}
	tensor_data_free(&in);
	tensor_data_free(&out);
	free(bytes);
}

int main(void)
{
	struct network network = { 0 };
	struct golden golden;
	size_t size;
	char *text = read_shared("tflite/goldens.json", &size);
	const char *at = text;
	int n = 0;

	if (!text) {
		tap_skip("TensorFlow Lite Micro's results",
			 "there are no models: see RONDO_MODELS");
		return tap_done();
	}
	text[size] = 0;
	for (; (at = next_golden(at, &golden)); n++) {
		network_open(&network, golden.model);
		test(&network, &golden);
	}
	tap_ok(n == 32, "%d results", n);
	network_close(&network);
	free(text);
	return tap_done();
}
