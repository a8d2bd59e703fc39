/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Damaged models: every byte of a small model is flipped in several ways, and the file is cut at
 * every length. Each must end in one message, or in a graph that is valid, prints, and parses; the
 * sanitizers of the everyday build watch for the rest. The same for the text form.
 */
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "demo/onnx_write.h"
#include "tests/tap.h"

#include <errno.h>

struct tally {
	int refused, valid, wrong;
};

/* A bit of everything: attributes of each kind, initializers, shapes, several nodes. */
static void *make_model(size_t *size)
{
	static const float floats[16] = { 1, 2, 3, -4, 0.5f };
	const struct shape x = { 4, { 1, 1, 6, 6 } }, k = { 4, { 2, 1, 3, 3 } }, c = { 1, { 2 } };
	const struct shape m = { 2, { 3, 8 } }, two = { 1, { 2 } }, y = { 2, { 1, 3 } };
	struct onnx_writer *w = onnx_writer_create("g", "", 12);
	const int64_t ones[] = { 1, 1, 1, 1 }, twos[] = { 2, 2 }, to[] = { 1, -1 };
	float weights[24] = { 0 };
	void *bytes;

	memcpy(weights, floats, sizeof(floats));
	onnx_write_input(w, "x", DTYPE_F32, &x);
	onnx_write_initializer(w, "k", DTYPE_F32, &k, weights);
	onnx_write_initializer(w, "c", DTYPE_F32, &c, floats);
	onnx_write_initializer(w, "m", DTYPE_F32, &m, weights);
	onnx_write_initializer(w, "s", DTYPE_S64, &two, to);
	onnx_write_node(w, "Conv", "conv", "x k c", "a");
	onnx_write_ints(w, "pads", 4, ones);
	onnx_write_ints(w, "strides", 2, ones);
	onnx_write_node(w, "BatchNormalization", "norm", "a c c c c", "b");
	onnx_write_float(w, "epsilon", 0.5f);
	onnx_write_node(w, "Relu", "relu", "b", "r");
	onnx_write_node(w, "AveragePool", "pool", "r", "p");
	onnx_write_ints(w, "kernel_shape", 2, twos);
	onnx_write_ints(w, "strides", 2, twos);
	onnx_write_string(w, "auto_pad", "SAME_UPPER");
	onnx_write_node(w, "MaxPool", "max", "p", "q");
	onnx_write_ints(w, "kernel_shape", 2, twos);
	onnx_write_int(w, "ceil_mode", 1);
	onnx_write_node(w, "Reshape", "row", "q s", "f");
	onnx_write_node(w, "Gemm", "fc", "f m", "l");
	onnx_write_int(w, "transB", 1);
	onnx_write_float(w, "alpha", 2);
	onnx_write_node(w, "Softmax", "softmax", "l", "y");
	onnx_write_output(w, "y", DTYPE_F32, &y);
	bytes = onnx_writer_pack(w, size);
	onnx_writer_destroy(w);
	return bytes;
}

/* A graph that comes out must survive printing and parsing, or it was not valid. */
static bool round_trips(const struct graph *g)
{
	struct compile_error err = { 0 };
	struct graph *again;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	graph_print(f, g, true);
	fclose(f);
	again = graph_parse(text, "text", &err);
	if (!again)
		printf("# %s\n", err.text);
	graph_free(again);
	free(text);
	return again;
}

static void try_model(struct tally *t, const void *bytes, size_t size)
{
	struct compile_error err = { 0 };
	struct graph *g = NULL;
	void *exact = malloc(size ? size : 1); /* so that the sanitizer sees its end */

	memcpy(exact, bytes, size);
	if (compile_graph_from_onnx(exact, size, "m.onnx", NULL, &g, &err)) {
		bool told = err.code < 0 && !strncmp(err.text, "m.onnx: ", 8) &&
			    strlen(err.text) > 12;

		t->refused++;
		t->wrong += !told;
		if (!told)
			printf("# %d %s\n", err.code, err.text);
	} else {
		t->valid++;
		t->wrong += !round_trips(g);
	}
	graph_free(g);
	free(exact);
}

static void test_model(void)
{
	static const unsigned char flips[] = { 0x01, 0x02, 0x08, 0x80, 0xff };
	struct tally t = { 0 };
	size_t size;
	unsigned char *bytes = make_model(&size);

	try_model(&t, bytes, size);
	tap_eq(t.valid, 1, "the model itself is valid");
	for (size_t i = 0; i < size; i++) {
		for (size_t f = 0; f < sizeof(flips); f++) {
			bytes[i] ^= flips[f];
			try_model(&t, bytes, size);
			bytes[i] ^= flips[f];
		}
		try_model(&t, bytes, i);
	}
	free(bytes);
	printf("# %d refused, %d still valid\n", t.refused, t.valid);
	tap_eq(t.wrong, 0, "flipped and cut models: a message or a valid graph");
	tap_ok(t.refused > 1000 && t.valid > 100, "both happen");
}

static void try_text(struct tally *t, const char *text)
{
	static const struct compile_options no_options;
	struct compile_error err = { 0 };
	struct graph *g = graph_parse(text, "text", &err);

	if (!g) {
		t->refused++;
		t->wrong += !err.code;
		return;
	}
	t->valid++;
	t->wrong += !round_trips(g);
	compile_run_passes(g, &no_options, NULL);
	t->wrong += err.code == -ENOTRECOVERABLE;
	graph_free(g);
}

static void test_text(void)
{
	static const char others[] = "0%,=[ \n\"x-9";
	struct compile_error err = { 0 };
	struct tally t = { 0 };
	struct graph *g = NULL;
	size_t size, len;
	void *bytes = make_model(&size);
	char *text = NULL;
	FILE *f;

	onnx_read_graph(bytes, size, "m.onnx", NULL, &g, &err);
	f = open_memstream(&text, &len);
	graph_print(f, g, true);
	fclose(f);
	for (size_t i = 0; i < len; i++) {
		char old = text[i];

		for (size_t o = 0; o < sizeof(others); o++) { /* the last one cuts the text */
			text[i] = others[o];
			try_text(&t, text);
		}
		text[i] = old;
	}
	printf("# %d refused, %d still valid\n", t.refused, t.valid);
	tap_eq(t.wrong, 0, "changed and cut texts: a message or a valid graph");
	tap_ok(t.refused > 1000 && t.valid > 100, "both happen");
	graph_free(g);
	free(bytes);
	free(text);
}

int main(void)
{
	test_model();
	test_text();
	return tap_done();
}
