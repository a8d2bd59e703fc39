// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/onnx_node.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "core/machine.h"
#include "tests/models.h"
#include "tests/network_run.h"
#include "tools/tensor_io.h"

enum { TENSORS_MAX = 24, PATH = 640 };

/* One test with its first set of data. */
struct node_test {
	const char *dir;
	void *model;
	size_t size;
	struct tensor_data in[TENSORS_MAX], want[TENSORS_MAX];
	size_t n_in, n_want;
	bool all_baked;
	const char *names[TENSORS_MAX]; /* of the inputs */
	bool baked[TENSORS_MAX];
	struct graph *plain; /* with every input live, as it is read */
	struct compile_error err;
};

static size_t load_tensors(const char *dir, const char *kind, struct tensor_data *t)
{
	struct compile_error err = { 0 };
	char path[PATH];
	size_t n = 0;

	while (n < TENSORS_MAX) {
		snprintf(path, sizeof(path), "%s/test_data_set_0/%s_%zu.pb", dir, kind, n);
		if (access(path, R_OK) || tensor_load(path, &t[n], &err))
			break;
		n++;
	}
	return n;
}

/*
 * Whether something uses @v as an input that is to be known at compile time, or, @whole: what is
 * computed of it, as functions that others express do with shapes.
 */
static bool is_parameter(const struct value *v, bool whole)
{
	for (const struct operand *use = v->uses; use; use = use->next) {
		const struct node *n = use->node;

		if (op_baked[n->op] & 1u << (use - n->in))
			return true;
		for (int i = 0; whole && i < n->n_out; i++) {
			if (n->out[i] && is_parameter(n->out[i], true))
				return true;
		}
	}
	return false;
}

static int load(struct node_test *t)
{
	char path[PATH];
	int rc;

	snprintf(path, sizeof(path), "%s/model.onnx", t->dir);
	rc = compile_read_file(path, &t->model, &t->size, &t->err);
	if (!rc)
		rc = onnx_read_graph(t->model, t->size, "model.onnx", NULL, &t->plain, &t->err);
	if (rc)
		return rc;
	t->n_in = load_tensors(t->dir, "input", t->in);
	t->n_want = load_tensors(t->dir, "output", t->want);
	if (t->n_in != t->plain->inputs.n || t->n_want != t->plain->outputs.n)
		return compile_fail(&t->err, -EIO, "model.onnx: it has no data for its tensors");
	for (size_t i = 0; i < t->n_in; i++) {
		const struct value *v = t->plain->inputs.v[i];

		t->names[i] = v->name;
		t->baked[i] = t->all_baked ? i > 0 :
					     is_parameter(v, v->dtype == DTYPE_S64 ||
								     v->dtype == DTYPE_S32);
	}
	return 0;
}

static void unload(struct node_test *t)
{
	for (size_t i = 0; i < t->n_in; i++)
		tensor_data_free(&t->in[i]);
	for (size_t i = 0; i < t->n_want; i++)
		tensor_data_free(&t->want[i]);
	graph_free(t->plain);
	free(t->model);
}

static bool is_close(float have, float want)
{
	return have == want || (isnan(have) && isnan(want)) ||
	       fabsf(have - want) <= 1e-5f + 1e-3f * fabsf(want);
}

/* Compares all outputs; -EIO, and what differs first, of @who. */
static int compare(struct node_test *t, const struct tensor_data *have, const char *who)
{
	for (size_t i = 0; i < t->n_want; i++) {
		const struct tensor_data *a = &have[i], *b = &t->want[i];
		const float *x = a->bytes, *y = b->bytes;
		char is[SHAPE_TEXT_MAX], should[SHAPE_TEXT_MAX];

		if (a->dtype != b->dtype || !shape_equal(&a->shape, &b->shape))
			return compile_fail(&t->err, -EIO, "output %zu of the %s is %s%s, not %s%s",
					    i, who, dtype_name(a->dtype), shape_text(&a->shape, is),
					    dtype_name(b->dtype), shape_text(&b->shape, should));
		if (a->dtype != DTYPE_F32 && memcmp(a->bytes, b->bytes, a->size))
			return compile_fail(&t->err, -EIO, "output %zu of the %s differs", i, who);
		for (s64 k = 0; a->dtype == DTYPE_F32 && k < shape_elems(&a->shape); k++) {
			if (!is_close(x[k], y[k]))
				return compile_fail(
					&t->err, -EIO,
					"output %zu of the %s: element %lld is %.9g, not %.9g", i,
					who, (long long)k, (double)x[k], (double)y[k]);
		}
	}
	return 0;
}

/* The live inputs, in order. */
static void live_inputs(const struct node_test *t, struct tensor_data *in)
{
	for (size_t i = 0; i < t->n_in; i++) {
		if (!t->baked[i])
			*in++ = t->in[i];
	}
}

static int interpret(struct node_test *t, const struct graph *g, const char *who)
{
	struct tensor_data in[TENSORS_MAX], out[TENSORS_MAX] = { { 0 } };
	int rc;

	live_inputs(t, in);
	rc = graph_eval(g, in, out, &t->err);
	if (!rc)
		rc = compare(t, out, who);
	for (size_t i = 0; i < t->n_want; i++)
		tensor_data_free(&out[i]);
	return rc;
}

static int replay(struct node_test *t, const struct compiled *program,
		  const struct rondo_machine *machine)
{
	struct tensor_data in[TENSORS_MAX], out[TENSORS_MAX] = { { 0 } };
	char why[RUN_WHY_BYTES] = "";
	int rc = 0;

	live_inputs(t, in);
	for (size_t i = 0; i < t->n_want && !rc; i++) {
		if (!tensor_data_alloc(&out[i], t->want[i].dtype, &t->want[i].shape))
			rc = compile_fail(&t->err, -ENOMEM, "no memory");
	}
	if (!rc && !network_run(program, machine, in, out, why))
		rc = compile_fail(&t->err, -EIO, "the program fails: %s", why);
	if (!rc)
		rc = compare(t, out, "program");
	for (size_t i = 0; i < t->n_want; i++)
		tensor_data_free(&out[i]);
	return rc;
}

static bool is_constant(const struct graph *g)
{
	for (size_t i = 0; i < g->outputs.n; i++) {
		const struct node *maker = g->outputs.v[i]->producer;

		if (maker && !(maker->op == OP_COPY && value_is_const(node_in(maker, 0))))
			return false;
	}
	return true;
}

/* The graph after the passes up to @last; NULL and a message. */
static struct graph *read_graph(struct node_test *t, const char *last)
{
	struct compile_bake bakes[TENSORS_MAX];
	struct compile_options o = { .bakes = bakes };
	struct graph *g;

	for (size_t i = 0; i < t->n_in; i++) {
		if (t->baked[i])
			bakes[o.n_bakes++] = (struct compile_bake){ t->names[i], &t->in[i] };
	}
	if (onnx_read_graph(t->model, t->size, "model.onnx", &o, &g, &t->err))
		return NULL;
	if (!compile_run_passes(g, &o, last))
		return g;
	graph_free(g);
	return NULL;
}

/* 0, 1 if the test becomes constant, or an error. */
static int run(struct node_test *t)
{
	struct rondo_machine machine;
	struct compiled program = { 0 };
	struct graph *g = read_graph(t, "shape");
	int rc = g ? interpret(t, g, "interpreter") : t->err.code;
	bool constant;

	graph_free(g);
	g = rc ? NULL : read_graph(t, NULL);
	if (!rc)
		rc = g ? interpret(t, g, "interpreter after the passes") : t->err.code;
	constant = g && is_constant(g);
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	if (!rc)
		rc = backend_compile(g, &machine, NULL, &program);
	if (!rc)
		rc = replay(t, &program, &machine);
	compiled_free(&program);
	graph_free(g);
	return rc ? rc : constant;
}

enum onnx_node_verdict onnx_node_run(const char *dir, bool all_baked, char why[ONNX_NODE_WHY])
{
	struct node_test t = { .dir = dir, .all_baked = all_baked };
	int rc = load(&t);

	if (!rc)
		rc = run(&t);
	snprintf(why, ONNX_NODE_WHY, "%.*s", ONNX_NODE_WHY - 1, t.err.text);
	unload(&t);
	if (!rc || rc == 1)
		return rc ? ONNX_NODE_CONSTANT : ONNX_NODE_RIGHT;
	return rc == -ENOTSUP || rc == -EFBIG ? ONNX_NODE_REFUSED : ONNX_NODE_WRONG;
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* Why tests were refused, without what differs from test to test. */
static struct reason {
	char text[160];
	int count;
} reasons[256];
static int n_reasons;

/* From the operator on, with a dot for every number and every name in quotes. */
static void strip(const char *why, char *to, size_t room)
{
	const char *from = strchr(why, '(');
	size_t n = 0;

	for (from = from ? from : why; *from && n + 1 < room; from++) {
		if (*from == '"') {
			const char *end = strchr(from + 1, '"');

			from = end ? end : from;
			to[n++] = '.';
		} else if (isdigit((unsigned char)*from)) {
			if (!n || to[n - 1] != '.')
				to[n++] = '.';
		} else {
			to[n++] = *from;
		}
	}
	to[n] = '\0';
}

static void count_reason(const char *why)
{
	char text[sizeof(reasons[0].text)];
	int i = 0;

	strip(why, text, sizeof(text));
	while (i < n_reasons && strcmp(reasons[i].text, text))
		i++;
	if (i == (int)(sizeof(reasons) / sizeof(reasons[0])))
		return;
	if (i == n_reasons)
		strcpy(reasons[n_reasons++].text, text);
	reasons[i].count++;
}

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return x->count != y->count ? y->count - x->count : strcmp(x->text, y->text);
}

void onnx_node_print_reasons(void)
{
	qsort(reasons, (size_t)n_reasons, sizeof(reasons[0]), by_count);
	for (int i = 0; i < n_reasons; i++)
		printf("# refused %d: %s\n", reasons[i].count, reasons[i].text);
}

static void run_test(struct onnx_node_suite *s, const char *root, const char *name)
{
	char dir[512], why[ONNX_NODE_WHY];

	snprintf(dir, sizeof(dir), "%.200s/%.300s", root, name);
	for (int baked = 0; baked < 2; baked++) {
		enum onnx_node_verdict v = onnx_node_run(dir, baked, why);

		(baked ? s->baked : s->live)[v]++;
		if (!baked && v == ONNX_NODE_REFUSED)
			count_reason(why);
		if (s->each)
			s->each(name, baked, v, why);
	}
	s->tests++;
}

void onnx_node_run_all(struct onnx_node_suite *s)
{
	struct dirent **names;
	char root[512];
	int n = scandir(models_path(root, sizeof(root), "onnx-node"), &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			run_test(s, root, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}
