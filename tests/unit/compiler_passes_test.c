/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Golden tests of the passes: tests/golden/compiler holds one file for each case.
 *
 *   NAME.graph  a graph in its text form, "---", and the same after all passes
 *   NAME.model  the path of an ONNX model, "---", and its graph after all passes
 *
 * The text before "---" must survive printing and parsing. Where the graph is in the file, it is
 * also evaluated before and after, on numbers from a fixed sequence. With UPDATE_GOLDEN=1 in the
 * environment the files are rewritten from what the passes give.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "compiler/passes.h"
#include "tests/models.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <dirent.h>
#include <math.h>

#define DIRECTORY "tests/golden/compiler"
#define TENSORS_MAX 16

static const struct compile_options no_options;

static char *print(const struct graph *g, bool data)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	graph_print(f, g, data);
	fclose(f);
	return text;
}

/* Printing and parsing must be each other's inverse: constants in full, untyped values, names. */
static void test_round_trip(const char *name, const struct graph *g)
{
	struct compile_error err = { 0 };
	char *once = print(g, true), *twice;
	struct graph *again = graph_parse(once, "text", &err);

	twice = again ? print(again, true) : NULL;
	if (!tap_ok(twice && !strcmp(once, twice), "%s: parse(print(g)) == g", name))
		printf("# %s\n", err.text);
	graph_free(again);
	free(once);
	free(twice);
}

/* A fixed sequence of numbers in -2..2, or of bytes. */
static void fill(struct tensor_data *t, u64 *state)
{
	if (t->dtype != DTYPE_F32)
		random_bytes(state, t->bytes, t->size);
	for (int64_t i = 0; t->dtype == DTYPE_F32 && i < shape_elems(&t->shape); i++)
		((float *)t->bytes)[i] = (float)random_below(state, 65536) / 16384 - 2;
}

static bool is_close(const struct tensor_data *a, const struct tensor_data *b)
{
	const float *x = a->bytes, *y = b->bytes;

	if (a->dtype != b->dtype || !shape_equal(&a->shape, &b->shape))
		return false;
	if (a->dtype != DTYPE_F32)
		return !memcmp(a->bytes, b->bytes, a->size);
	for (int64_t i = 0; i < shape_elems(&a->shape); i++) {
		if (!(fabsf(x[i] - y[i]) <= 1e-5f + 1e-5f * fabsf(x[i])) && x[i] != y[i])
			return false;
	}
	return true;
}

static void test_same_meaning(const char *name, const struct graph *before,
			      const struct graph *after)
{
	struct tensor_data in[TENSORS_MAX] = { { 0 } }, a[TENSORS_MAX] = { { 0 } },
			   b[TENSORS_MAX] = { { 0 } };
	struct compile_error err = { 0 };
	u64 state = random_seed(1);
	bool same = before->inputs.n == after->inputs.n && before->outputs.n == after->outputs.n;

	for (size_t i = 0; i < before->inputs.n; i++) {
		same &= tensor_data_alloc(&in[i], before->inputs.v[i]->dtype,
					  &before->inputs.v[i]->shape);
		fill(&in[i], &state);
	}
	same = same && !graph_eval(before, in, a, &err) && !graph_eval(after, in, b, &err);
	for (size_t i = 0; i < before->outputs.n && same; i++)
		same = is_close(&a[i], &b[i]) &&
		       !strcmp(before->outputs.v[i]->name, after->outputs.v[i]->name);
	tap_ok(same, "%s: the same results before and after", name);
	for (size_t i = 0; i < TENSORS_MAX; i++) {
		tensor_data_free(&in[i]);
		tensor_data_free(&a[i]);
		tensor_data_free(&b[i]);
	}
}

static void update(const char *name, const char *head, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), DIRECTORY "/%s", name);
	f = fopen(path, "w");
	if (f) {
		fprintf(f, "%s---\n%s", head, text);
		fclose(f);
	}
}

static void compare(const char *name, const char *head, const char *want, const struct graph *g)
{
	const char *flag = getenv("UPDATE_GOLDEN");
	char *have = print(g, false);

	if (flag && flag[0] == '1')
		update(name, head, have);
	else if (!tap_ok(!strcmp(have, want), "%s: the golden text", name))
		printf("# have:\n%s", have);
	free(have);
}

static void test_graph(const char *name, const char *head, const char *want)
{
	struct compile_error err = { 0 };
	struct graph *before = graph_parse(head, name, &err);
	struct graph *after = graph_parse(head, name, &err);

	if (tap_ok(before && after && !compile_run_passes(before, &no_options, "shape") &&
			   !compile_run_passes(after, &no_options, NULL),
		   "%s passes", name)) {
		test_round_trip(name, before);
		test_round_trip(name, after);
		test_same_meaning(name, before, after);
		compare(name, head, want, after);
	} else {
		printf("# %s\n", err.text);
	}
	graph_free(before);
	graph_free(after);
}

/* The path stands on the second line, behind a comment. */
static void test_model(const char *name, const char *head, const char *want)
{
	const char *line = strchr(head, '\n') + 1, *prefix = "$RONDO_MODELS/";
	struct compile_error err = { 0 };
	struct graph *g = NULL;
	void *bytes = NULL;
	char rest[256], path[512];
	size_t size;

	snprintf(rest, sizeof(rest), "%.*s", (int)strcspn(line, "\n"), line);
	if (strncmp(rest, prefix, strlen(prefix))) {
		snprintf(path, sizeof(path), "%s", rest);
	} else if (!models_present(rest + strlen(prefix))) {
		tap_skip(name, "the model is not there");
		return;
	} else {
		models_path(path, sizeof(path), rest + strlen(prefix));
	}
	if (tap_ok(!compile_read_file(path, &bytes, &size, &err) &&
			   !compile_graph_from_onnx(bytes, size, name, NULL, &g, &err),
		   "%s compiles", name)) {
		test_round_trip(name, g);
		compare(name, head, want, g);
	} else {
		printf("# %s\n", err.text);
	}
	graph_free(g);
	free(bytes);
}

static void test_file(const char *name)
{
	struct compile_error err = { 0 };
	char path[512], *head = NULL, *want;
	void *bytes;
	size_t size;

	snprintf(path, sizeof(path), DIRECTORY "/%s", name);
	if (!tap_ok(!compile_read_file(path, &bytes, &size, &err), "%s", path))
		return;
	head = bytes;
	head[size] = 0; /* compile_read_file() leaves room for it */
	want = strstr(head, "---\n");
	if (tap_ok(want, "%s has its separator", name)) {
		*want = 0;
		if (strstr(name, ".model"))
			test_model(name, head, want + 4);
		else
			test_graph(name, head, want + 4);
	}
	free(bytes);
}

/* docs/explanation/graph.md names the passes that work on graphs, in their order. */
static void test_documented(void)
{
	struct compile_error err = { 0 };
	size_t size = 0;
	void *bytes = NULL;
	char row[80], *at = NULL;

	if (!compile_read_file("docs/explanation/graph.md", &bytes, &size, &err)) {
		((char *)bytes)[size] = 0; /* there is room */
		at = strstr(bytes, "| pass | does |");
	}
	for (const struct pass *p = passes; p->on_graph && at; p++) {
		snprintf(row, sizeof(row), "\n| %s | ", p->name);
		at = strstr(at, row);
		if (!at)
			printf("# %s is missing, or out of order\n", p->name);
	}
	tap_ok(at, "the passes are those that docs/explanation/graph.md lists");
	free(bytes);
}

int main(void)
{
	struct dirent **names;
	int n = scandir(DIRECTORY, &names, NULL, alphasort), files = 0;

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			test_file(names[i]->d_name);
			files++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	tap_ok(files >= 20, "the golden files are there");
	test_documented();
	return tap_done();
}
