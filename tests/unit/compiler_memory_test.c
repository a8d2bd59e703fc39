// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * No memory is an error like any other: a model is compiled again and again, each time with another
 * allocation failing and all behind it. Each time but the last must end in
 * -ENOMEM and its message, with everything freed. Linked with --wrap of the allocator.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/rondo_compile.h"
#include "demo/onnx_write.h"
#include "tests/tap.h"
#include "tests/tflite_write.h"

#include <errno.h>
#include <execinfo.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__real_arena_alloc(struct arena *a, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);
void *__wrap_arena_alloc(struct arena *a, size_t size);

/* Allocations that still succeed, < 0: all; and those that were not freed, while that counts. */
static long left = -1, live;
static bool counting;

/*
 * A run that notes where allocations come from. Of those that come one and the same way the first,
 * the second and the last are to fail: what is between them finds nothing else.
 */
enum { NOTED_MAX = 1 << 14, DEPTH = 24 };
static bool noting;
static long noted;
static struct {
	u64 way; /* hash of the return addresses */
	bool fails;
} note[NOTED_MAX];

static void note_allocation(void)
{
	void *caller[DEPTH];
	int n = backtrace(caller, DEPTH);
	u64 way = 0;
	long i, earlier = 0, last = -1;

	for (int k = 0; k < n; k++)
		way = (way ^ (uintptr_t)caller[k]) * 0x100000001b3;
	for (i = 0; i < noted; i++)
		if (note[i].way == way) {
			earlier++;
			last = i;
		}
	if (earlier > 2)
		note[last].fails = false;
	if (noted == NOTED_MAX)
		return;
	note[noted].way = way;
	note[noted++].fails = true;
}

static bool may_allocate(void)
{
	if (noting)
		note_allocation();
	if (left == 0)
		return false;
	left -= left > 0;
	return true;
}

static void *counted(void *p)
{
	live += counting && p;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? counted(__real_malloc(size)) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? counted(__real_calloc(n, size)) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	void *p = may_allocate() ? __real_realloc(old, size) : NULL;

	return old ? p : counted(p);
}

void __wrap_free(void *p)
{
	live -= counting && p;
	__real_free(p);
}

/* An arena asks for a new block only now and then: here each of its allocations may fail. */
void *__wrap_arena_alloc(struct arena *a, size_t size)
{
	return may_allocate() ? __real_arena_alloc(a, size) : NULL;
}

/* A node of every kind that a pass or lowering allocates for. */
static void *make_model(size_t *size)
{
	static const float floats[128] = { 1, 2, 3, -4, 0.5f };
	const struct shape x = { 4, { 1, 2, 6, 6 } }, k = { 4, { 2, 1, 3, 3 } }, c = { 1, { 2 } };
	const struct shape m = { 2, { 3, 18 } }, two = { 1, { 2 } }, y = { 2, { 2, 3 } };
	const struct shape row = { 3, { 1, 2, 9 } };
	const s64 ones[] = { 1, 1, 1, 1 }, to[] = { 1, -1 }, pair[] = { 2, 2 };
	struct onnx_writer *w = onnx_writer_create("g", "", 13);
	void *bytes;

	onnx_write_input(w, "x", DTYPE_F32, &x);
	onnx_write_initializer(w, "k", DTYPE_F32, &k, floats);
	onnx_write_initializer(w, "c", DTYPE_F32, &c, floats);
	onnx_write_initializer(w, "m", DTYPE_F32, &m, floats);
	onnx_write_initializer(w, "s", DTYPE_S64, &two, to);
	onnx_write_initializer(w, "row", DTYPE_F32, &row, floats);
	onnx_write_node(w, "Conv", "conv", "x k c", "a");
	onnx_write_ints(w, "pads", 4, ones);
	onnx_write_int(w, "group", 2);
	onnx_write_node(w, "BatchNormalization", "norm", "a c c c c", "b");
	onnx_write_node(w, "Relu", "relu", "b", "r");
	onnx_write_node(w, "AveragePool", "pool", "r", "p");
	onnx_write_ints(w, "kernel_shape", 2, pair);
	onnx_write_ints(w, "strides", 2, pair);
	onnx_write_ints(w, "pads", 4, ones);
	onnx_write_node(w, "GlobalAveragePool", "mean", "p", "g");
	onnx_write_node(w, "Sub", "sub", "p g", "d");
	onnx_write_node(w, "MaxPool", "max", "d", "q");
	onnx_write_ints(w, "kernel_shape", 2, pair);
	onnx_write_int(w, "ceil_mode", 1);
	onnx_write_node(w, "Concat", "twice", "q q", "qq");
	onnx_write_int(w, "axis", 1);
	onnx_write_node(w, "Reshape", "flat", "qq s", "f");
	onnx_write_node(w, "Transpose", "turn", "f", "t");
	onnx_write_node(w, "MatMul", "outer", "t f", "o");
	onnx_write_node(w, "Softmax", "softmax", "o", "u");
	onnx_write_int(w, "axis", 0);
	onnx_write_node(w, "MaxPool", "line", "row", "l");
	onnx_write_ints(w, "kernel_shape", 1, pair);
	onnx_write_node(w, "Identity", "same", "s", "i");
	onnx_write_output(w, "u", DTYPE_F32, &y);
	onnx_write_output(w, "u", DTYPE_F32, &y);
	onnx_write_output(w, "l", DTYPE_F32, &y);
	onnx_write_output(w, "i", DTYPE_S64, &two);
	onnx_write_output(w, "x", DTYPE_F32, &x);
	bytes = onnx_writer_pack(w, size);
	onnx_writer_destroy(w);
	return bytes;
}

/* Numbers of TensorFlow Lite's schema. */
enum { INT32 = 2, UINT8 = 3, AVERAGE_POOL = 1, CONV = 3, CONNECTED = 9 };

static s32 bytes_tensor(struct tflite_writer *w, const char *name, u32 rank, const s32 *dims,
			const u8 *data)
{
	const struct tflite_quantised q = { 1, &(const float){ 0.25f }, &(const s64){ 3 }, 0 };
	u32 n = 1;

	for (u32 i = 0; i < rank; i++)
		n *= (u32)dims[i];
	return tflite_tensor_of(w, name, UINT8, rank, dims, data, n, &q);
}

/* A convolution, a pool and a product of bytes. */
static void *make_tflite(size_t *size)
{
	static const u8 weights[16] = { 1, 200, 3, 4, 77 };
	static const s32 bias[2] = { 5, -7 };
	const struct tflite_quantised sums = { 1, &(const float){ 0.0625f }, &(const s64){ 0 }, 0 };
	struct tflite_writer w;
	s32 x, h, p, y;
	u32 o;

	tflite_begin(&w);
	x = bytes_tensor(&w, "x", 4, (s32[]){ 1, 4, 4, 2 }, NULL);
	h = bytes_tensor(&w, "h", 4, (s32[]){ 1, 4, 4, 2 }, NULL);
	p = bytes_tensor(&w, "p", 4, (s32[]){ 1, 2, 2, 2 }, NULL);
	y = bytes_tensor(&w, "y", 2, (s32[]){ 1, 2 }, NULL);
	o = tflite_operator_of(&w, CONV, 3,
			       (s32[]){ x, bytes_tensor(&w, "w", 4, (s32[]){ 2, 1, 1, 2 }, weights),
					tflite_tensor_of(&w, "b", INT32, 1, (s32[]){ 2 }, bias,
							 sizeof(bias), &sums) },
			       h, 7);
	tflite_int(&w, o, 1, 4, 1);
	tflite_int(&w, o, 2, 4, 1);
	o = tflite_operator_of(&w, AVERAGE_POOL, 1, &h, p, 6);
	for (u32 field = 1; field <= 4; field++)
		tflite_int(&w, o, field, 4, 2);
	tflite_operator_of(&w, CONNECTED, 2,
			   (s32[]){ p, bytes_tensor(&w, "m", 2, (s32[]){ 2, 8 }, weights) }, y, 3);
	tflite_end(&w, 1, &x, y);
	*size = w.size;
	return w.bytes;
}

/* Compiles with @allocations; the error's code. Whether all is as it must be in *@good. */
static int try_with(long allocations, const void *bytes, size_t size, bool *good)
{
	const struct rondo_compile_options options = { .size = sizeof(options), .name = "m.onnx" };
	struct rondo_compile_error err;
	struct rondo_compiled out;
	int rc;

	live = 0;
	counting = true;
	left = allocations;
	rc = rondo_compile(bytes, size, &options, &out, &err);
	left = -1;
	rondo_compiled_free(&out);
	counting = false;
	*good = rc == err.code && !live &&
		(!rc || (rc == -ENOMEM && !strncmp(err.text, "m.onnx: ", 8) &&
			 strstr(err.text, "no memory")));
	if (!*good)
		printf("# allocation %ld: %d, %ld not freed, %s\n", allocations, rc, live,
		       err.text);
	return rc;
}

/* The interpreter, too, whose results are the caller's only if it had memory for all. */
static void test_eval(const void *bytes, size_t size)
{
	struct compile_error err = { 0 };
	struct tensor_data in[2] = { 0 }, out[5];
	struct graph *g;
	bool good;
	long k = 0;
	int rc = compile_graph_from_onnx(bytes, size, "m.onnx", NULL, &g, &err);

	tap_ok(!rc && g->inputs.n == 1 && g->outputs.n == 5 &&
		       tensor_data_alloc(&in[0], g->inputs.v[0]->dtype, &g->inputs.v[0]->shape),
	       "a graph to be computed");
	do {
		memset(out, 0, sizeof(out));
		err = (struct compile_error){ 0 };
		live = 0;
		counting = true;
		left = k++;
		rc = graph_eval(g, in, out, &err);
		left = -1;
		good = rc == err.code && (!rc || (rc == -ENOMEM && !out[0].bytes && !live));
		for (int i = 0; i < 5; i++)
			tensor_data_free(&out[i]);
		good = good && !live;
		counting = false;
	} while (good && rc);
	tap_ok(good && k > 10, "each of %ld allocations of the interpreter may fail", k);
	tensor_data_free(&in[0]);
	graph_free(g);
}

/* Each allocation that compiling takes fails once; more than @least. */
static void test_compile(const char *kind, const void *bytes, size_t size, long least)
{
	long k, tried = 0;
	bool good;
	int rc;

	noted = 0;
	noting = true;
	rc = try_with(-1, bytes, size, &good);
	noting = false;
	tap_ok(!rc && good && noted < NOTED_MAX, "%s: with all memory it compiles", kind);
	for (k = 0; good && k < noted; k++)
		if (note[k].fails) {
			rc = try_with(k, bytes, size, &good);
			good = good && rc;
			tried++;
		}
	tap_ok(good && tried > least, "%s: %ld of %ld allocations may fail", kind, tried, noted);
	tap_ok(!try_with(noted, bytes, size, &good) && good, "%s: and there are no others", kind);
}

int main(void)
{
	size_t size;
	void *bytes = make_model(&size);

	test_compile("ONNX", bytes, size, 300);
	test_eval(bytes, size);
	free(bytes);
	bytes = make_tflite(&size);
	test_compile("TensorFlow Lite", bytes, size, 150);
	free(bytes);
	return tap_done();
}
