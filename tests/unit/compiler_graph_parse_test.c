/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The text form: each rule that a text can break, and the line that the message names. */
#include "compiler/graph_text.h"
#include "tests/tap.h"

#define HEAD "graph \"g\" from \"f\"\n"
#define X HEAD "input %0 \"x\" f32[2]\n"

static const struct {
	const char *text, *message;
} cases[] = {
	{ "", "t:1: there is no graph" },
	{ "input %0 \"x\" f32[2]\n", "t:1: the first line must be: graph \"NAME\" from \"FILE\"" },
	{ HEAD "inputs\n", "t:2: input, const, node or output is expected" },
	{ HEAD "input %1 \"x\" f32[2]\n", "t:2: the next %NUMBER is expected" },
	{ HEAD "input %0 x f32[2]\n", "t:2: a quoted name is expected" },
	{ HEAD "input %0 \"x f32[2]\n", "t:2: a name does not end, or has a bad escape" },
	{ HEAD "input %0 \"\\x00\" f32[2]\n", "t:2: a name does not end, or has a bad escape" },
	{ HEAD "input %0 \"x\" f31[2]\n", "t:2: a type is expected" },
	{ HEAD "input %0 \"x\" f32[2\n", "t:2: ] is expected" },
	{ HEAD "input %0 \"x\" f32[-2]\n", "t:2: the shape is too large or negative" },
	{ HEAD "input %0 \"x\" f32[1,1,1,1,1,1,1,1,1]\n", "t:2: a list of numbers is too long" },
	{ HEAD "const %0 \"c\" f32[2] = 1\n", "t:2: a number is expected" },
	{ HEAD "const %0 \"c\" f32[2] = 1 2 3\n", "t:2: the line goes on where it should end" },
	{ HEAD "const %0 \"c\" u8[1] = 256\n", "t:2: a number does not fit its type" },
	{ HEAD "const %0 \"c\" u8[1] fnv 0\n", "t:2: a constant's bytes are not in the text" },
	{ HEAD "const %0 \"c\" u8[1] fnv 0 hex 07\n",
	  "t:2: a constant's bytes do not have its hash" },
	{ X "# a comment\n\nnode %1 \"y\" ? = Relux \"n\" %0\n", "t:5: an operator is expected" },
	{ X "node %1 \"y\" ? = Add \"n\" %0\n", "t:3: the operator has another number of inputs" },
	{ X "node %1 \"y\" ? = Relu \"n\" %1\n", "t:3: the %NUMBER of a value above is expected" },
	{ X "node %1 \"y\" ? = Relu \"n\" %0 axis=1\n", "t:3: the operator has no such attribute" },
	{ X "node %1 \"y\" ?, %2 \"z\" ? = Relu \"n\" %0\n", "t:3: too many outputs" },
	{ X "node %1 \"y\" f32[3] = Relu \"n\" %0\n",
	  "f: node \"n\" (Relu): the graph is broken: a value's type is not what its "
	  "operator gives" },
	{ X "output %0\noutput %0\n", "t:4: the output is listed twice" },
	{ X "output %0 scale -0x1p0 zero 0\n", "t:3: scale NUMBER zero NUMBER is expected" },
	{ X "output %0 scale inf zero 0\n", "t:3: scale NUMBER zero NUMBER is expected" },
	{ X "output %0 scale 0x1p0 zero 2147483648\n",
	  "t:3: scale NUMBER zero NUMBER is expected" },
	{ X "output %0 scale 0x1p0\n", "t:3: scale NUMBER zero NUMBER is expected" },
};

static void test_names(void)
{
	struct compile_error err = { 0 };
	struct graph *g =
		graph_parse(HEAD "input %0 \"a\\x22\\x5c\\x0a\\xc3\\xa4\" f32[]\n", "t", &err);

	tap_ok(g && !strcmp(g->inputs.v[0]->name, "a\"\\\n\xc3\xa4"), "escapes in names");
	graph_free(g);
}

/* A text as graph_print() writes it, in whose lines each rule of the form is used. */
static const char printed[] =
	"graph \"g\" from \"f\"\n"
	"input %0 \" !\\x22#[\\x5c]~\\x1f\\x7f\\x80\\xff\" f32[1,2,3,4]\n"
	"input %1 \"\" ? scale 0x1.8p-3 zero -128\n"
	"const %2 \"f\" f32[5] = 0x1.8p+0 -0x0p+0 inf -inf 0x1p-149\n"
	"const %3 \"u\" u8[2] = 0 255\n"
	"const %4 \"s\" s8[2] = -128 127\n"
	"const %5 \"w\" s32[2] = -2147483648 2147483647\n"
	"const %6 \"l\" s64[2] = -9223372036854775807 9223372036854775807\n"
	"const %7 \"b\" bool[2] = 0 1\n"
	"const %8 \"none\" f32[0] =\n"
	"const %9 \"nan\" f32[1] fnv 4a98877f9ba2f898 hex 0000c07f\n"
	"const %10 \"last\" u8[16] = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	"const %11 \"long\" u8[17] fnv 18138bf7eaaacc4c hex 0102030405060708090a0b0c0d0e0f1011\n"
	"node %12 \"p\" ? = MaxPool \"p\" %0 kernel=2,1 auto_pad=SAME_LOWER ceil_mode=1\n"
	"node %13 \"d\" ?, %14 \"m\" ? = Dropout \"d\" %12\n"
	"node %15 \"c\" ? = Clip \"c\" %13 _ %2\n"
	"node %16 \"g\" ? = Gemm \"h\" %0 %2 alpha=0x1p-1\n"
	"output %3 scale 0x1p+0 zero 255\noutput %4\noutput %5\noutput %6\noutput %7\noutput "
	"%8\noutput %9\noutput %10\n"
	"output %11\noutput %15\n";

static void test_printed(void)
{
	struct compile_error err = { 0 };
	struct graph *g = graph_parse(printed, "t", &err);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (g)
		graph_print(f, g, true);
	fclose(f);
	if (!tap_ok(g && !strcmp(text, printed), "a text is printed as it was"))
		printf("# %s\n%s", err.text, text);
	graph_free(g);
	free(text);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct compile_error err = { 0 };
		struct graph *g = graph_parse(cases[i].text, "t", &err);

		if (!tap_ok(!g && !strcmp(err.text, cases[i].message), "refused: %s",
			    cases[i].message))
			printf("# %s\n", err.text);
		graph_free(g);
	}
	test_names();
	test_printed();
	return tap_done();
}
