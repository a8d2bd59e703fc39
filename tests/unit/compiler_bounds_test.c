// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Small models that ask for much: each is compiled or refused, by node and reason, without taking
 * more than MEMORY_MAX, or HOSTILE_MAX where one node asks for it. That none takes for ever is the
 * test's time limit. Linked with --wrap of the allocator.
 */
#include "compiler/compiler.h"
#include "compiler/backend.h"
#include "compiler/graph_text.h"
#include "core/machine.h"
#include "tests/tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>

#define MEMORY_MAX (1l << 30)
#define HOSTILE_MAX (1l << 28)
#define CHAIN_MAX (200l << 20)
#define STEPS_MAX (52l << 20)

enum { ONNX_MESSAGES = 1 << 20 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);

static long used, peak, base; /* relative: libc frees, and does not take, by these names */

static void *taken(void *p)
{
	used += (long)malloc_usable_size(p);
	if (used > peak)
		peak = used;
	return p;
}

static void given(void *p)
{
	used -= (long)malloc_usable_size(p);
}

void *__wrap_malloc(size_t size)
{
	return taken(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return taken(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	given(old);
	return taken(__real_realloc(old, size));
}

void __wrap_free(void *p)
{
	given(p);
	__real_free(p);
}

/* A text that grows. */
struct text {
	char *at;
	size_t size;
	FILE *file;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (!t->file)
		t->file = open_memstream(&t->at, &t->size);
	va_start(ap, fmt);
	vfprintf(t->file, fmt, ap);
	va_end(ap);
}

/* The whole compiler on @text, which is freed; *@err is its verdict. */
static int compile(struct text *t, struct compiled *out, struct compile_error *err)
{
	static const struct compile_options no_options;
	struct rondo_machine machine;
	struct graph *g;
	int rc;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	fclose(t->file);
	base = peak = used;
	g = graph_parse(t->at, "m", err);
	rc = g ? compile_run_passes(g, &no_options, NULL) : err->code;
	if (!rc)
		rc = backend_compile(g, &machine, NULL, out);
	graph_free(g);
	free(t->at);
	return rc;
}

static void check_within(const char *name, struct text *t, const char *want, long memory)
{
	struct compile_error err = { 0 };
	struct compiled out = { 0 };
	int rc = compile(t, &out, &err);

	compiled_free(&out);
	if (!tap_ok(want ? rc && !strcmp(err.text, want) : !rc, "%s: %s", name,
		    want ? want : "compiles"))
		printf("# %d %s\n", rc, err.text);
	if (!tap_ok(peak - base < memory, "%s takes little memory", name))
		printf("# %ld MiB\n", (peak - base) >> 20);
}

static void check(const char *name, struct text *t, const char *want)
{
	check_within(name, t, want, MEMORY_MAX);
}

/* One node on an input of one shape. */
static void check_one(const char *name, const char *shape, const char *node, const char *want)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[%s]\n", shape);
	add(&t, "node %%1 \"y\" ? = %s\noutput %%1\n", node);
	check_within(name, &t, want, HOSTILE_MAX);
}

static int lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* One node on inputs and constants that @operands gives as the lines of a graph's text. */
static void check_node_within(const char *name, const char *operands, const char *node,
			      const char *want, long memory)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\n%s", operands);
	add(&t, "node %%%d \"y\" ? = %s\noutput %%%d\n", lines(operands), node, lines(operands));
	check_within(name, &t, want, memory);
}

static void check_node(const char *name, const char *operands, const char *node, const char *want)
{
	check_node_within(name, operands, node, want, HOSTILE_MAX);
}

static void test_single_nodes(void)
{
	check_one("a huge window", "1,1,32768,32768",
		  "AveragePool \"n\" %0 kernel=16384,16384 strides=16384,16384 pads=1,1,1,1",
		  "m: node \"n\" (AveragePool): \"x\" needs 4294967296 bytes, a buffer of a device "
		  "has at most 1073741824");
	check_one("huge pads", "1,1,4,4",
		  "AveragePool \"n\" %0 kernel=1073741824,4 pads=1073741823,0,1073741823,0",
		  "m: node \"n\" (AveragePool): its padded input exceeds 2147483648 elements");
	check_one("huge pads by SAME", "1,1,4,4",
		  "MaxPool \"n\" %0 kernel=1073741824,1 dilations=1073741824,1 auto_pad=SAME_UPPER",
		  "m: node \"n\" (MaxPool): its padded input exceeds 2147483648 elements");
	check_one("a window that fits no SRAM", "1,1,4,4",
		  "MaxPool \"n\" %0 kernel=600,600 pads=599,599,599,599 strides=600,600", NULL);
	check_one("a row of a window that fits no SRAM", "1,1,4,4",
		  "MaxPool \"n\" %0 kernel=1,400000 pads=0,399999,0,399999 strides=1,400000",
		  "m: node \"n\" (MaxPool): the smallest tile of it needs 1600096 bytes of SRAM, "
		  "there are 1048576");
	check_one("a product that is larger than its factors", "1024,1", "Mul \"n\" %0 %0", NULL);
	check_one("an input of exactly SRAM and its result", "262144", "Tanh \"n\" %0", NULL);
	check_one("an input of more", "262145", "Tanh \"n\" %0", NULL);
}

static void test_matmul(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,1073741824]\n");
	add(&t, "input %%1 \"w\" f32[1073741824,1]\n");
	add(&t, "node %%2 \"y\" ? = MatMul \"n\" %%0 %%1\noutput %%2\n");
	check("a sum of 2^30 products", &t,
	      "m: node \"n\" (MatMul): \"x\" needs 4294967296 bytes, a buffer of a device has at "
	      "most 1073741824");
}

/* As many tiles as no text could be: they are loops. */
static void test_tiles(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"a\" f32[8192,8192]\n");
	add(&t, "input %%1 \"b\" f32[8192,8192]\n");
	add(&t, "node %%2 \"y\" ? = MatMul \"n\" %%0 %%1\noutput %%2\n");
	check_within("MatMul of 8192 x 8192 x 8192", &t, NULL, HOSTILE_MAX);
}

/* Divisors beside the padding are no table as large as the image. */
static void test_averages(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,1,2048,2048]\n");
	add(&t, "node %%1 \"y\" ? = AveragePool \"n\" %%0 kernel=3,3 pads=1,1,1,1\noutput %%1\n");
	check("averages of a large image beside its padding", &t, NULL);
}

static void test_einsum(void)
{
	char vectors[512] = "", letters[400], node[480];

	for (int i = 0; i < 8; i++)
		sprintf(vectors + strlen(vectors), "input %%%d \"x%d\" f32[512]\n", i, i);
	check_node("Einsum of 8 vectors", vectors,
		   "Einsum \"n\" %0 %1 %2 %3 %4 %5 %6 %7 equation=\"a,b,c,d,e,f,g,h->abcdefgh\"",
		   "m: node \"n\" (Einsum): its result exceeds 2147483648 elements");
	check_node("Einsum of a long sum",
		   "input %0 \"a\" f32[1,4194304]\ninput %1 \"b\" f32[4194304,1]\n",
		   "Einsum \"n\" %0 %1 equation=\"ab,bc->ac\"",
		   "m: node \"n\" (Einsum): more than 262144 operations");
	memset(letters, 'a', sizeof(letters));
	snprintf(node, sizeof(node), "Einsum \"n\" %%0 equation=\"%.399s\"", letters);
	snprintf(vectors, sizeof(vectors),
		 "m: node \"n\" (Einsum): equation \"%.120s\" does not fit its inputs", letters);
	check_node("Einsum of a letter 399 times", "input %0 \"x\" f32[2,2,2,2,2,2,2,2]\n", node,
		   vectors);
	check_one("Einsum of a letter 8 times", "8,8,8,8,8,8,8,8",
		  "Einsum \"n\" %0 equation=\"aaaaaaaa->a\"", NULL);
}

static void test_recurrent(void)
{
	static const struct {
		const char *op;
		int gates;
	} ops[] = { { "RNN", 1 }, { "GRU", 3 }, { "LSTM", 4 } };
	char operands[256], node[80], want[160];

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		snprintf(operands, sizeof(operands),
			 "input %%0 \"x\" f32[1073741823,1,2]\ninput %%1 \"w\" f32[1,%d,2]\n"
			 "input %%2 \"r\" f32[1,%d,2]\n",
			 2 * ops[i].gates, 2 * ops[i].gates);
		snprintf(node, sizeof(node), "%s \"n\" %%0 %%1 %%2 hidden_size=2", ops[i].op);
		snprintf(want, sizeof(want),
			 "m: node \"n\" (%s): 1073741823 steps; up to 1024 are mapped: cut the "
			 "sequence, and give the last state to the next run",
			 ops[i].op);
		check_node(ops[i].op, operands, node, want);
	}
	check_node_within("LSTM of many steps",
			  "input %0 \"x\" f32[256,1,8]\ninput %1 \"w\" f32[1,32,8]\n"
			  "input %2 \"r\" f32[1,32,8]\n",
			  "LSTM \"n\" %0 %1 %2 hidden_size=8", NULL, STEPS_MAX);
}

/* Functions that compare every element with every place, or take one step for each. */
static void test_functions(void)
{
	check_node("GridSample of a large image",
		   "input %0 \"x\" f32[1,1,2048,2048]\ninput %1 \"g\" f32[1,1,1,2]\n",
		   "GridSample \"n\" %0 %1",
		   "m: node \"n\" (GridSample): more than 262144 operations");
	check_node(
		"GridSample of a large grid",
		"input %0 \"x\" f32[1,1,2048,2048]\ninput %1 \"g\" f32[1,1,2,2]\n",
		"GridSample \"n\" %0 %1",
		"m: node \"n\" (GridSample): 4194304 elements for 2 samples of each image; up to "
		"4194304 products of both are mapped: sample a smaller image, or use Resize "
		"where the grid is regular");
	check_one(
		"DynamicQuantizeLinear", "268435457", "DynamicQuantizeLinear \"n\" %0",
		"m: node \"n\" (DynamicQuantizeLinear): \"x\" needs 1073741828 bytes, a buffer of "
		"a device has at most 1073741824");
	check_node("QLinearMul of a column and a row",
		   "input %0 \"a\" u8[65536,1]\ninput %1 \"b\" u8[1,65536]\n"
		   "const %2 \"s\" f32[] = 1\nconst %3 \"z\" u8[] = 3\n",
		   "QLinearMul \"n\" %0 %2 %3 %1 %2 %3 %2 %3",
		   "m: node \"n\" (QLinearMul): its result exceeds 2147483648 elements");
	check_one(
		"Trilu of a large matrix", "32768,32768", "Trilu \"n\" %0",
		"m: node \"n\" (Trilu): \"x\" needs 4294967296 bytes, a buffer of a device has at "
		"most 1073741824");
	check_node(
		"TopK of long rows", "input %0 \"x\" f32[4,4194304]\nconst %1 \"k\" s64[1] = 64\n",
		"TopK \"n\" %0 %1",
		"m: node \"n\" (TopK): its tiles need 2015 transfers, those of all nodes 209243; a "
		"program has at most 16384");
	check_node(
		"Conv of a deep window",
		"input %0 \"x\" f32[1,4,512,8,8]\ninput %1 \"w\" f32[4,4,65,3,3]\n",
		"Conv \"n\" %0 %1",
		"m: node \"n\" (Conv): a window of 65 cells in its first dimension; up to 64 are "
		"mapped: another order of the dimensions");
}

/* One node whose last operand, behind @inputs, are @count indices below @size. */
static void check_indices(const char *name, const char *inputs, int count, int step, int size,
			  const char *node, const char *want)
{
	int n = lines(inputs);
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\n%sconst %%%d \"i\" s64[%d] =", inputs, n, count);
	for (int i = 0, at = 0; i < count; i++, at = (at * 5 + step) % size)
		add(&t, " %d", at);
	add(&t, "\nnode %%%d \"y\" ? = %s\noutput %%%d\n", n + 1, node, n + 1);
	check_within(name, &t, want, HOSTILE_MAX);
}

static void test_indices(void)
{
	check_indices("Gather by irregular indices", "input %0 \"x\" f32[65536]\n", 65536, 77777,
		      65536, "Gather \"n\" %0 %1",
		      "m: node \"n\" (Gather): its indices are more than 4096 runs of equal steps; "
		      "OneHot and MatMul take any");
	check_indices(
		"ScatterElements to one place",
		"input %0 \"x\" f32[65536]\ninput %1 \"u\" f32[65536]\n", 65536, 0, 65536,
		"ScatterElements \"n\" %0 %2 %1 reduction=\"add\"",
		"m: node \"n\" (ScatterElements): 65536 updates of one element among 131072; up "
		"to 4194304 products of both are mapped: add up updates before");
}

/* [n,1] * [1,n] of constants: a small file, a large result. */
static void test_outer_product(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1]\nconst %%1 \"a\" f32[16384,1] =");
	for (int i = 0; i < 16384; i++)
		add(&t, " 1");
	add(&t, "\nnode %%2 \"b\" ? = Transpose \"t\" %%1\nnode %%3 \"y\" ? = Mul \"n\" %%1 %%2\n");
	add(&t, "output %%3\n");
	check("constants that multiply", &t, NULL);
}

/* @n nodes, one behind the other, on @elements elements. */
static void chain(struct text *t, int n, const char *node, int elements)
{
	add(t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,%d]\n", elements);
	for (int i = 1; i <= n; i++)
		add(t, "node %%%d \"v%d\" ? = %s \"n%d\" %%%d\n", i, i, node, i, i - 1);
	add(t, "output %%%d\n", n);
}

static void test_chains(void)
{
	struct text deeper = { 0 }, deepest = { 0 }, loaded = { 0 };

	chain(&deepest, 29200, "Sigmoid", 8);
	check("29,200 nodes", &deepest,
	      "m: node \"n29128\" (Sigmoid): more than 262144 operations");
	chain(&deeper, 3400, "Tanh", 6400);
	check("3,400 nodes, whose operations fit", &deeper,
	      "m: node \"n1\" (Tanh): more than 1048576 bundles, of which it takes 701, the most "
	      "of "
	      "all");
	chain(&loaded, 10000, "Tanh", 8);
	check_within("10,000 nodes, which share their constants", &loaded, NULL, CHAIN_MAX);
}

/* @n nodes with a constant each, more than can stay in SRAM: those that do come in together. */
static void test_transfers(int n, const char *want)
{
	struct text t = { 0 };
	char name[80];

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,9]\n");
	for (int i = 1; i <= n; i++)
		add(&t, "const %%%d \"c%d\" f32[1,9] = %d 2 2 2 2 2 2 2 2\n", i, i, i);
	for (int i = 1; i <= n; i++)
		add(&t, "node %%%d \"v%d\" ? = Mul \"n%d\" %%%d %%%d\n", n + i, i, i,
		    i == 1 ? 0 : n + i - 1, i);
	add(&t, "output %%%d\n", 2 * n);
	snprintf(name, sizeof(name), "%d nodes with a constant each", n);
	check(name, &t, want);
}

/* Its parts are so small that all loads could come first. */
static void test_concat(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\n");
	for (int i = 0; i < 8; i++)
		add(&t, "input %%%d \"x%d\" f32[1,%d]\n", i, i, 1 + i % 5);
	add(&t, "node %%8 \"y\" ? = Concat \"n\"");
	for (int i = 0; i < 256; i++)
		add(&t, " %%%d", i % 8);
	add(&t, " axis=1\noutput %%8\n");
	check("256 parts", &t, NULL);
}

/* One constant that many nodes use is in the program once for each. */
static void test_weights(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[65536]\nconst %%1 \"c\" f32[65536] =");
	for (int i = 0; i < 65536; i++)
		add(&t, " 1");
	add(&t, "\n");
	for (int i = 2; i < 2100; i++)
		add(&t, "node %%%d \"v\" ? = Mul \"n%d\" %%%d %%1\n", i, i, i == 2 ? 0 : i - 1);
	add(&t, "output %%2099\n");
	check_within("a constant that 2,098 nodes use", &t,
		     "m: node \"n2050\" (Mul): more than 512 MiB of weights", HOSTILE_MAX);
}

/* protobuf-c would take 200 bytes for each of them. */
static void test_messages(void)
{
	static unsigned char bytes[2 * (ONNX_MESSAGES + 2)];
	struct compile_error err = { 0 };
	struct graph *g = NULL;

	for (size_t i = 0; i < sizeof(bytes); i += 2)
		bytes[i] = 8 << 3 | 2; /* opset_import, of no bytes */
	base = peak = used;
	compile_graph_from_onnx(bytes, sizeof(bytes), "m", NULL, &g, &err);
	tap_ok(err.code == -EFBIG && !strcmp(err.text, "m: it has more than 1048576 messages") &&
		       peak - base < MEMORY_MAX,
	       "a million empty messages: %s", err.text);
}

/* Constants that are larger than what they work on. */
static void test_constants(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[2,100000]\n");
	add(&t, "const %%1 \"w\" f32[100000,1] =");
	for (int i = 0; i < 100000; i++)
		add(&t, " 1");
	add(&t, "\nnode %%2 \"y\" ? = MatMul \"n\" %%0 %%1\noutput %%2\n");
	check("constants that do not fit beside an input", &t, NULL);
}

/* Each Transpose turns the same elements round as a box of another shape. */
static void test_patterns(void)
{
	enum { ELEMENTS = 55440 };
	struct text t = { 0 };
	int v = 0;

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[%d]\n", ELEMENTS);
	for (int i = 2; i < ELEMENTS; i++) {
		for (int j = 2; ELEMENTS % i == 0 && j < ELEMENTS / i; j++) {
			if (ELEMENTS / i % j)
				continue;
			add(&t, "node %%%d \"\" ? = View \"\" %%%d shape=%d,%d,%d\n", v + 1, v, i,
			    j, ELEMENTS / i / j);
			add(&t, "node %%%d \"\" ? = Transpose \"%dx%d\" %%%d perm=2,1,0\n", v + 2,
			    i, j, v + 1);
			add(&t, "node %%%d \"\" ? = View \"\" %%%d shape=%d\n", v + 3, v + 2,
			    ELEMENTS);
			v += 3;
		}
	}
	add(&t, "output %%%d\n", v);
	check("boxes of many shapes", &t,
	      "m: node \"88x15\" (Transpose): more than 4096 address patterns");
}

/* @inputs inputs, each with an output of its own. */
static void test_slots(int inputs, int outputs, const char *want)
{
	struct text t = { 0 };
	char name[80];

	add(&t, "graph \"g\" from \"m\"\n");
	for (int i = 0; i < inputs; i++)
		add(&t, "input %%%d \"x%d\" f32[1]\n", i, i);
	for (int i = 0; i < outputs; i++)
		add(&t, "node %%%d \"y%d\" ? = Relu \"n%d\" %%%d\n", inputs + i, i, i, i);
	for (int i = 0; i < outputs; i++)
		add(&t, "output %%%d\n", inputs + i);
	snprintf(name, sizeof(name), "%d inputs and %d outputs", inputs, outputs);
	check(name, &t, want);
}

/* Constants that no test has the memory for; nothing is allocated for them. */
static void test_constants_of_all(void)
{
	const struct shape huge = { 1, { (1 << 28) + 1 } };
	struct compile_error err = { 0 };
	struct graph *g = graph_new("g", "m", &err);
	struct node *n = graph_node(g, NULL, OP_TANH, "n", 1);
	struct value *w = graph_value(g, "w"), *y = graph_value(g, "y");

	node_set_in(n, 0, w);
	node_set_out(n, 0, y);
	value_set_type(w, DTYPE_F32, &huge);
	value_set_type(y, DTYPE_F32, &huge);
	tap_ok(!graph_const_room(g, w) && err.code == -EFBIG &&
		       !strcmp(err.text, "m: with the 1073741828 bytes of \"w\" its constants "
					 "exceed 1024 MiB"),
	       "an initializer too much: %s", err.text);
	err = (struct compile_error){ 0 };
	tap_ok(!graph_const_room(g, y) && err.code == -EFBIG &&
		       !strcmp(err.text, "m: node \"n\" (Tanh): with the 1073741828 bytes of \"y\" "
					 "its constants exceed 1024 MiB"),
	       "a computed constant too much: %s", err.text);
	graph_free(g);
}

/* The program's file is made where its weights are. */
static void test_weights_twice(void)
{
	struct text t = { 0 };

	add(&t, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,2048]\n");
	add(&t, "const %%1 \"s\" s64[2] = 2048 2048\nconst %%2 \"v\" f32[1] = 1\n");
	add(&t, "node %%3 \"w\" ? = ConstantOfShape \"c\" %%1 %%2\n");
	add(&t, "node %%4 \"y\" ? = MatMul \"n\" %%0 %%3\noutput %%4\n");
	check_within("weights of 16 MiB, beside room for twice as many", &t, NULL, 60l << 20);
}

static void test_machine(void)
{
	struct compile_error err = { 0 };
	struct graph *g = graph_new("g", "m", &err);
	struct rondo_machine machine;
	struct compiled out;

	rondo_machine_init(&machine, RONDO_MACHINE_mesh);
	tap_ok(backend_compile(g, &machine, NULL, &out) == -ENOTSUP &&
		       !strcmp(err.text, "m: models are compiled for machines of one tile, not of "
					 "4 x 4"),
	       "a machine of many tiles is refused: %s", err.text);
	graph_free(g);
}

int main(void)
{
	test_machine();
	test_single_nodes();
	test_matmul();
	test_tiles();
	test_averages();
	test_einsum();
	test_recurrent();
	test_functions();
	test_indices();
	test_outer_product();
	test_chains();
	test_transfers(RONDO_DESCS_MAX - 2, NULL);
	test_transfers(RONDO_DESCS_MAX - 1, "m: node \"n16383\" (Mul): more than 16384 transfers");
	test_concat();
	test_weights();
	test_weights_twice();
	test_messages();
	test_constants();
	test_constants_of_all();
	test_patterns();
	test_slots(31, 31, NULL);
	test_slots(32, 31, NULL);
	test_slots(32, 32, "m: output \"y31\" is one of more than 63 inputs and outputs");
	test_slots(64, 1, "m: input \"x63\" is one of more than 63 inputs and outputs");
	return tap_done();
}
