// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What an attribute is where a model leaves it out, written down once more from the ONNX operator
 * reference: one row for each operator and span of operator sets. A row's text must stand in the
 * printed graph after the pass "shape".
 */
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "tests/tap.h"

static const struct {
	int first, last; /* operator sets */
	const char *node; /* the operator, its name and inputs: %0 f32[1,2,6,6], %1 f32[2,2,3,2] */
	const char *attrs;
} rows[] = {
#define WINDOW "strides=1,1 pads=0,0,0,0 dilations=1,1 auto_pad=NOTSET"
	{ 6, 26, "Conv \"n\" %0 %1", "kernel=3,2 " WINDOW " group=1" },
	{ 6, 26, "MaxPool \"n\" %0 kernel=2,3", "kernel=2,3 " WINDOW " ceil_mode=0" },
	{ 6, 26, "AveragePool \"n\" %0 kernel=2,3",
	  "kernel=2,3 " WINDOW " ceil_mode=0 count_include_pad=0" },
	{ 6, 26, "Gemm \"n\" %2 %2", "alpha=0x1p+0 beta=0x1p+0 trans_a=0 trans_b=0" },
	{ 6, 26, "BatchNormalization \"n\" %0 %3 %3 %3 %3", "epsilon=0x1.4f8b58p-17" },
	{ 6, 26, "Flatten \"n\" %0", "axis=1" },
	{ 6, 26, "Reshape \"n\" %0 %4", "allowzero=0" },
	{ 6, 26, "Transpose \"n\" %0", "perm=3,2,1,0" },
	{ 6, 12, "Softmax \"n\" %0", "axis=1 flat=1" },
	{ 13, 26, "Softmax \"n\" %0", "axis=-1 flat=0" },
	{ 6, 12, "LogSoftmax \"n\" %0", "axis=1 flat=1" },
	{ 13, 26, "LogSoftmax \"n\" %0", "axis=-1 flat=0" },
	{ 6, 26, "Clip \"n\" %0", "lo=-0x1.fffffep+127 hi=0x1.fffffep+127" },
};

static struct graph *parse(const char *node, int opset, struct compile_error *err)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "graph \"g\" from \"m\" opset %d\ninput %%0 \"x\" f32[1,2,6,6]\n"
		 "input %%1 \"w\" f32[2,2,3,2]\ninput %%2 \"m\" f32[3,3]\n"
		 "const %%3 \"c\" f32[2] = 1 2\nconst %%4 \"s\" s64[2] = 2 36\n"
		 "node %%5 \"y\" ? = %s\noutput %%5\n",
		 opset, node);
	return graph_parse(text, "m", err);
}

/* The line of the node after the pass "shape"; for free(). */
static char *made_explicit(const char *node, int opset)
{
	static const struct compile_options no_options;
	struct compile_error err = { 0 };
	struct graph *g = parse(node, opset, &err);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (g && !compile_run_passes(g, &no_options, "shape"))
		graph_print(f, g, false);
	else
		fputs(err.text, f);
	fclose(f);
	graph_free(g);
	return text;
}

static void test_row(size_t i)
{
	char want[256], *have;

	snprintf(want, sizeof(want), " %s\n", rows[i].attrs);
	for (int opset = rows[i].first; opset <= rows[i].last; opset++) {
		have = made_explicit(rows[i].node, opset);
		if (!tap_ok(strstr(have, want), "opset %d: %s: %s", opset, rows[i].node,
			    rows[i].attrs))
			printf("# %s\n", have);
		free(have);
	}
}

/* Without this a node that no pass has looked at could have any meaning. */
static void test_missing(void)
{
	struct compile_error err = { 0 };
	struct graph *g = parse("Transpose \"n\" %0", 13, &err);
	struct shape s = { 4, { 6, 6, 2, 1 } };

	if (g)
		value_set_type(g->outputs.v[0], DTYPE_F32, &s);
	tap_ok(g && graph_check(g) &&
		       strstr(err.text, "the graph is broken: a typed node lacks an attribute"),
	       "graph_check() asserts that nothing is left out: %s", err.text);
	graph_free(g);
}

/* What becomes of a node of @op whose attribute @a is @word; for free(). */
static char *with_word(enum op op, enum attr a, const char *word)
{
	char node[256];
	int at = snprintf(node, sizeof(node), "%s \"n\"", op_infos[op].name);

	for (int i = 0; i < op_infos[op].min_in; i++)
		at += snprintf(node + at, sizeof(node) - (size_t)at, " %%0");
	snprintf(node + at, sizeof(node) - (size_t)at, " %s=\"%s\"", attr_infos[a].name, word);
	return made_explicit(node, 20);
}

/* A text that ONNX does not have is refused, with those that it has. */
static void test_words(enum op op, enum attr a)
{
	char *text = with_word(op, a, "unheard-of");

	tap_ok(strstr(text, " is \"unheard-of\", not one of ") &&
		       strstr(text, attr_words[op][a][0]),
	       "%s refuses an unknown %s: %s", op_infos[op].name, attr_infos[a].name, text);
	free(text);
	for (int i = 0; attr_words[op][a][i]; i++) {
		text = with_word(op, a, attr_words[op][a][i]);
		tap_ok(!strstr(text, "not one of"), "%s: %s may be \"%s\"", op_infos[op].name,
		       attr_infos[a].name, attr_words[op][a][i]);
		free(text);
	}
}

/* Each text has its row WORDS, except for those that have a grammar of their own. */
static void test_texts(void)
{
	for (int op = 0; op < OP_COUNT; op++) {
		for (int a = 0; a < ATTR_COUNT; a++) {
			bool text = op_has(op, a) && attr_infos[a].kind == ATTR_TEXT;
			bool grammar = a == ATTR_activations || a == ATTR_equation;

			if (text && !grammar &&
			    tap_ok(attr_words[op][a], "%s lists the words of %s", op_infos[op].name,
				   attr_infos[a].name))
				test_words(op, a);
		}
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_row(i);
	test_missing();
	test_texts();
	return tap_done();
}
