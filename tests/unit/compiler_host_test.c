// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Nodes that the host runs: what is cut off, what is refused, and that both parts and the program
 * together are the network. Random graphs are cut at random.
 */
#include <math.h>

#include "compiler/host.h"
#include "compiler/rondo_compile.h"
#include "core/machine.h"
#include "tests/fuzz/graph_generate.h"
#include "tests/graph_case.h"
#include "tests/network_run.h"
#include "tests/unit/compiler_onnx_rig.h"

enum { SEEDS = 60, ROWS = 300, WIDTH = 8, SCORES = 80, BEST = 70, IDS = 3 };

static void test_random(void)
{
	unsigned int bad = 0, nodes = 0, cut = 0, hosted;
	char why[GRAPH_CASE_WHY];

	for (unsigned int seed = 1; seed <= SEEDS; seed++) {
		char *text = graph_of_seed(seed);

		if (!graph_case_run_hosted(text, "random.graph", seed, &hosted, why)) {
			printf("# seed %u: %s\n", seed, why);
			bad++;
		}
		nodes += hosted;
		cut += hosted > 0;
		free(text);
	}
	tap_ok(!bad, "%u random graphs with %u nodes on the host", SEEDS, nodes);
	tap_ok(cut * 2 >= SEEDS, "%u of them have some", cut);
}

/* Rows of a table by indices; a product; the best of 80 scores, of which @more is made. */
static void *make_model(const char *more, size_t *size)
{
	static float table[ROWS * WIDTH], weights[WIDTH * SCORES];
	const struct shape ids = { 1, { IDS } }, t = { 2, { ROWS, WIDTH } };
	const struct shape w = { 2, { WIDTH, SCORES } }, one = { 1, { 1 } };
	const struct shape best = { 2, { IDS, BEST } };
	const s64 k[] = { BEST };
	struct onnx_writer *m = onnx_writer_create("g", "", 13);
	void *bytes;

	for (int i = 0; i < ROWS * WIDTH; i++)
		table[i] = (float)(i * 37 % 101) / 16 - 3;
	for (int i = 0; i < WIDTH * SCORES; i++)
		weights[i] = (float)(i * 53 % 89) / 32 - 1;
	onnx_write_input(m, "ids", DTYPE_S64, &ids);
	onnx_write_initializer(m, "table", DTYPE_F32, &t, table);
	onnx_write_initializer(m, "w", DTYPE_F32, &w, weights);
	onnx_write_initializer(m, "k", DTYPE_S64, &one, k);
	onnx_write_node(m, "Gather", "embed", "table ids", "rows");
	onnx_write_node(m, "MatMul", "product", "rows w", "p");
	onnx_write_node(m, "TopK", "best", "p k", "values indices");
	if (more)
		onnx_write_node(m, more, "more", "values", "y");
	onnx_write_output(m, more ? "y" : "values", DTYPE_F32, &best);
	if (!more)
		onnx_write_output(m, "indices", DTYPE_S64, &best);
	bytes = onnx_writer_pack(m, size);
	onnx_writer_destroy(m);
	return bytes;
}

/* The network by the interpreter alone. */
static bool interpret(const void *model, size_t size, const struct tensor_data *in,
		      struct tensor_data *out)
{
	const struct compile_options o = { .host_allowed = true };
	struct compile_error err = { 0 };
	struct graph *g;
	bool good = !onnx_read_graph(model, size, "m.onnx", &o, &g, &err);

	if (good) {
		good = !compile_run_passes(g, &o, "shape") && !graph_eval(g, in, out, &err);
		graph_free(g);
	}
	if (!good)
		printf("# %s\n", err.text);
	return good;
}

/* The network by the program, and the host before and behind it. */
static bool run(const void *model, size_t size, const s64 *ids, float *values, s64 *indices)
{
	const struct compile_options o = { .host_allowed = true };
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct compiled c;
	struct tensor_data in, out;
	char why[RUN_WHY_BYTES] = "";
	bool good;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	if (compile_model(model, size, "m.onnx", &o, &machine, &c, &err)) {
		printf("# %s\n", err.text);
		return false;
	}
	tensor_data_alloc(&in, DTYPE_F32, &(struct shape){ 2, { IDS, WIDTH } });
	tensor_data_alloc(&out, DTYPE_F32, &(struct shape){ 2, { IDS, SCORES } });
	good = c.host && !rondo_host_before(c.host, (const void *[]){ ids }, &in.bytes) &&
	       network_run(&c, &machine, &in, &out, why) &&
	       !rondo_host_after(c.host, (const void *[]){ ids }, (const void *[]){ out.bytes },
				 (void *[]){ values, indices });
	if (!good)
		printf("# %s\n", why);
	tensor_data_free(&in);
	tensor_data_free(&out);
	compiled_free(&c);
	return good;
}

/* One index counts from the end, and one is outside, which is 0. */
static void test_values(void)
{
	s64 ids[IDS] = { 299, -2, 1000 }, indices[IDS * BEST];
	float values[IDS * BEST];
	const struct tensor_data in = { DTYPE_S64, { 1, { IDS } }, ids, sizeof(ids) };
	struct tensor_data want[2] = { { 0 } };
	size_t size;
	void *model = make_model(NULL, &size);
	bool good = interpret(model, size, &in, want) && run(model, size, ids, values, indices);
	float worst = 0;

	for (int i = 0; i < IDS * BEST && good; i++) {
		float w = ((const float *)want[0].bytes)[i];

		worst = fmaxf(worst, fabsf(values[i] - w));
		good = i % BEST == 0 || values[i] <= values[i - 1];
	}
	tap_ok(good && worst < 1e-5f && !memcmp(indices, want[1].bytes, sizeof(indices)),
	       "an embedding and the best of its scores, off by %g", (double)worst);
	tensor_data_free(&want[0]);
	tensor_data_free(&want[1]);
	free(model);
}

static void test_library(void)
{
	struct rondo_host *host = NULL;
	struct rondo_compile_options o = { .size = sizeof(o), .name = "m.onnx", .host = &host };
	struct rondo_compile_error e;
	struct rondo_compiled out;
	struct rondo_host_node a, b, none;
	struct rondo_host_tensor in, values, last;
	size_t size;
	void *model = make_model(NULL, &size);

	if (!tap_ok(!rondo_compile(model, size, &o, &out, &e) && host, "it compiles"))
		return;
	tap_ok(!rondo_host_node(host, 0, &a) && !rondo_host_node(host, 1, &b) &&
		       rondo_host_node(host, 2, &none) == -ENOENT && !strcmp(a.node, "embed") &&
		       !strcmp(a.op, "Gather") && !strcmp(b.node, "best") && !strcmp(b.op, "TopK"),
	       "node by node");
	tap_ok(strstr(a.reason, "known only at run time") && strstr(b.reason, "its k is 70"),
	       "with the reasons: %s", b.reason);
	tap_ok(!rondo_host_tensor(host, RONDO_HOST_INPUT, 0, &in) && !strcmp(in.name, "ids") &&
		       in.type == 7 && in.rank == 1 && in.dim[0] == IDS && in.size == 8 * IDS &&
		       in.program == -1 &&
		       rondo_host_tensor(host, RONDO_HOST_INPUT, 1, &last) == -ENOENT && !last.name,
	       "the network's input, not the program's");
	tap_ok(!rondo_host_tensor(host, RONDO_HOST_OUTPUT, 0, &values) &&
		       !rondo_host_tensor(host, RONDO_HOST_OUTPUT, 1, &last) &&
		       !strcmp(values.name, "values") && !strcmp(last.name, "indices") &&
		       last.type == 7 && last.rank == 2 && last.dim[1] == BEST,
	       "its outputs");
	rondo_host_free(host);
	rondo_host_free(NULL);
	rondo_compiled_free(&out);
	free(model);
}

/* Without the option, in the middle, and where nothing is left. */
static void test_refused(void)
{
	struct rondo_host *host;
	struct rondo_compile_options o = { .size = sizeof(o), .name = "m.onnx" };
	const struct shape one = { 1, { IDS } }, t = { 2, { ROWS, WIDTH } };
	const struct shape rows = { 2, { IDS, WIDTH } };
	static const float table[ROWS * WIDTH];
	struct rondo_compile_error e;
	struct rondo_compiled out;
	struct onnx_writer *w;
	size_t size;
	void *model = make_model("Exp", &size);
	int rc = rondo_compile(model, size, &o, &out, &e);

	tap_ok(rc == -ENOTSUP && !strcmp(e.node, "embed"), "nobody allowed it: %s", e.text);
	o.host = &host;
	host = (void *)8;
	rc = rondo_compile(model, size, &o, &out, &e);
	tap_ok(rc == -ENOTSUP && !strcmp(e.node, "best") && !host && !out.file &&
		       strstr(e.text, "its k is 70") && strstr(e.text, "between nodes"),
	       "in the middle: %s", e.text);
	free(model);
	w = onnx_writer_create("g", "", 13);
	onnx_write_input(w, "ids", DTYPE_S64, &one);
	onnx_write_initializer(w, "table", DTYPE_F32, &t, table);
	onnx_write_node(w, "Gather", "embed", "table ids", "y");
	onnx_write_output(w, "y", DTYPE_F32, &rows);
	model = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	rc = rondo_compile(model, size, &o, &out, &e);
	tap_ok(rc == -ENOTSUP && !host && strstr(e.text, "nothing of the network is left"),
	       "all of it: %s", e.text);
	free(model);
	model = make_model(NULL, &size);
	rc = rondo_compile(model, size / 2, &o, &out, &e);
	tap_ok(rc && !host, "damaged");
	free(model);
}

/* What does not need the host does not take it. */
static void test_needless(void)
{
	struct rondo_host *host = (void *)8;
	struct rondo_compile_options o = { .size = sizeof(o), .host = &host };
	struct rondo_compiled with, without;
	struct onnx_writer *w = start(13, &s1);
	size_t size;
	void *model;
	int rc;

	onnx_write_node(w, "Exp", "e", "x", "y");
	onnx_write_output(w, "y", DTYPE_F32, &s1);
	model = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	rc = rondo_compile(model, size, &o, &with, NULL);
	o.host = NULL;
	tap_ok(!rc && !host && !rondo_compile(model, size, &o, &without, NULL) &&
		       with.size == without.size && !memcmp(with.file, without.file, with.size),
	       "what the machine maps stays with it");
	rondo_compiled_free(&with);
	rondo_compiled_free(&without);
	free(model);
}

/* ---- Meanings ------------------------------------------------------------------------------- */

/* The outputs of one hosted node, as the interpreter has them, as text. */
static const char *meaning(const char *graph, const void *in, const void *index, const void *more)
{
	static char text[512];
	const struct compile_options o = { .host_allowed = true };
	struct compile_error err = { 0 };
	struct graph *g = graph_parse(graph, "g", &err);
	struct tensor_data t[3], out[2] = { { 0 } };
	const void *bytes[3] = { in, index, more };
	int at = 0;

	text[0] = '\0';
	if (!g || compile_run_passes(g, &o, "shape")) {
		snprintf(text, sizeof(text), "%.500s", err.text);
		return text;
	}
	for (size_t i = 0; i < g->inputs.n; i++) {
		t[i] = (struct tensor_data){ .dtype = g->inputs.v[i]->dtype,
					     .shape = g->inputs.v[i]->shape,
					     .bytes = (void *)bytes[i] };
	}
	if (graph_eval(g, t, out, &err))
		return "?";
	for (size_t k = 0; k < g->outputs.n; k++) {
		for (s64 i = 0; i < shape_elems(&out[k].shape); i++)
			at += sprintf(text + at, "%g ",
				      out[k].dtype == DTYPE_S64 ?
					      (double)((s64 *)out[k].bytes)[i] :
					      (double)((float *)out[k].bytes)[i]);
		tensor_data_free(&out[k]);
	}
	graph_free(g);
	return text;
}

static void means(const char *graph, const void *in, const void *index, const void *more,
		  const char *want)
{
	const char *have = meaning(graph, in, index, more), *op = strchr(graph, '=') + 2;

	if (!tap_ok(!strcmp(have, want), "%.*s", (int)strcspn(op, "\n"), op))
		printf("# '%s', not '%s'\n", have, want);
}

#define INPUTS(x, i) "graph \"g\" from \"t\"\ninput %0 \"x\" f32" x "\ninput %1 \"i\" s64" i "\n"
#define UPDATES(x, i, u, op) \
	INPUTS(x, i) "input %2 \"u\" f32" u "\nnode %3 \"y\" ? = " op "\noutput %3\n"

/* Negative indices count from the end; what is outside is read as 0, and not written. */
static void test_meanings(void)
{
	static const float x[] = { 1, 2, NAN, 4, 5, 6 }, u[] = { 10, 20, 30, -40 };
	const s64 pairs[] = { 1, 0, -1, -1, 5, 0 }, far[] = { 0, 1, 7, 1 }, some[] = { 1, 1, 0, 1 };
	const s64 along[] = { -1, 3, 400 };
	float row[ROWS];

	for (int i = 0; i < ROWS; i++)
		row[i] = (float)i;
	means(INPUTS("[2,3]", "[3,2]") "node %2 \"y\" ? = GatherND \"n\" %0 %1\noutput %2\n", x,
	      pairs, NULL, "4 6 1 ");
	means(INPUTS("[300]", "[3]") "node %2 \"y\" ? = GatherElements \"n\" %0 %1\noutput %2\n",
	      row, along, NULL, "299 3 0 ");
	means(UPDATES("[2,3]", "[2,2]", "[2]", "ScatterND \"n\" %0 %1 %2 reduction=\"add\""), x,
	      far, u, "1 12 nan 4 5 6 ");
	means(UPDATES("[2,3]", "[2,1]", "[2,3]", "ScatterND \"n\" %0 %1 %2"), x, far,
	      (float[]){ 1, 1, 1, 7, 8, 9 }, "1 1 1 7 8 9 ");
	means(UPDATES("[2,3]", "[2,2]", "[2,2]",
		      "ScatterElements \"n\" %0 %1 %2 axis=1 reduction=\"mul\""),
	      x, some, u, "1 400 nan 120 -200 6 ");
	means(UPDATES("[2,3]", "[2,2]", "[2,2]",
		      "ScatterElements \"n\" %0 %1 %2 axis=1 reduction=\"max\""),
	      x, some, u, "1 20 nan 30 5 6 ");
	means(UPDATES("[2,3]", "[1,2]", "[1,2]",
		      "ScatterElements \"n\" %0 %1 %2 reduction=\"min\""),
	      x, far, u, "1 2 nan 4 5 6 ");
}

int main(void)
{
	test_random();
	test_values();
	test_library();
	test_refused();
	test_needless();
	test_meanings();
	return tap_done();
}
