// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Golden tests of the back half: what a few of the graphs in tests/golden/compiler become, in
 * tests/golden/backend: NAME.PASS is what `--dump PASS` prints. With UPDATE_GOLDEN=1 in the
 * environment they are rewritten.
 */
#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "compiler/lower.h"
#include "core/machine.h"
#include "core/program.h"
#include "tests/tap.h"

#include <errno.h>

#define GRAPHS "tests/golden/compiler/"
#define DUMPS "tests/golden/backend/"

/* The file's text, "" if there is none; the caller frees it. */
static char *read_text(const char *path)
{
	struct compile_error err = { 0 };
	void *bytes = NULL;
	size_t size = 0;
	char *text;

	if (compile_read_file(path, &bytes, &size, &err))
		return strdup("");
	text = strndup(bytes, size);
	free(bytes);
	return text;
}

/* The graph before "---", normalised. */
static struct graph *load(const char *name, struct compile_error *err)
{
	static const struct compile_options options;
	struct graph *g;
	char path[256], *text, *end;

	snprintf(path, sizeof(path), GRAPHS "%s.graph", name);
	text = read_text(path);
	end = strstr(text, "---\n");
	if (end)
		*end = '\0';
	g = graph_parse(text, path, err);
	free(text);
	if (g && compile_run_passes(g, &options, NULL)) {
		graph_free(g);
		return NULL;
	}
	return g;
}

static char *dump(const char *name, const char *pass, u32 sram)
{
	struct compile_error err = { 0 };
	struct graph *g = load(name, &err);
	struct rondo_machine machine;
	struct compiled program;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	const struct compile_options options = { .dump_pass = pass, .dump_to = f, .sram = sram };

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	if (!g || backend_compile(g, &machine, &options, &program))
		fprintf(f, "%s\n", err.text);
	else
		compiled_free(&program);
	graph_free(g);
	fclose(f);
	return text;
}

/* @sram: bytes of it, or 0: all. */
static void test_golden(const char *name, const char *pass, u32 sram)
{
	const char *flag = getenv("UPDATE_GOLDEN");
	char path[256], *have = dump(name, pass, sram), *want;

	snprintf(path, sizeof(path), DUMPS "%s.%s", name, pass);
	if (flag && flag[0] == '1') {
		FILE *f = fopen(path, "w");

		if (f) {
			fputs(have, f);
			fclose(f);
		}
	}
	want = read_text(path);
	if (!tap_ok(*want && !strcmp(have, want), "%s", path))
		printf("# have:\n%s", have);
	free(have);
	free(want);
}

/*
 * What lies between the constants is zero, however often the room for them has grown: the same
 * model gives the same file.
 */
static void test_padding(void)
{
	struct compile_error err = { 0 };
	struct lowering l = { .g = graph_new("g", "m", &err), .consts = MIR_NO_BUF };
	bool zero = true;
	void *room;

	mir_init(&l.mir, &l.g->arena);
	for (int i = 0; i < 100; i++) {
		lower_const(&l, "\xff", 1, &room);
		zero = zero && *(u8 *)room == 0xff;
		for (int k = 1; zero && k < 4; k++)
			zero = !((u8 *)room)[k];
	}
	tap_ok(zero && !l.error && l.weights_bytes == 100 * 4,
	       "constants of one byte, and zeros up to the next");
	lower_const(&l, NULL, 1000, &room);
	for (int k = 0; zero && k < 1000; k++)
		zero = !((u8 *)room)[k];
	tap_ok(zero, "room that nobody has filled yet is zero");
	free(l.weights);
	graph_free(l.g);
}

/* The last bytes of weights that a program may have, and one more; none is before them. */
static void test_weights(void)
{
	struct lowering l = { .consts = MIR_NO_BUF, .node_name = "n" };
	struct compile_error err = { 0 };

	l.g = graph_new("g", "m", &err);
	mir_init(&l.mir, &l.g->arena);
	l.weights_bytes = LOWER_WEIGHTS_MAX - 64;
	lower_const(&l, NULL, 64, NULL);
	tap_ok(!lower_error(&l, NULL) && l.weights_bytes == LOWER_WEIGHTS_MAX,
	       "512 MiB of weights");
	lower_const(&l, NULL, 1, NULL);
	tap_ok(lower_error(&l, NULL) == -EFBIG &&
		       !strcmp(err.text, "m: more than 512 MiB of weights"),
	       "and one more: %s", err.text);
	free(l.weights);
	graph_free(l.g);
}

/* Bytes of the weights slot of two products, the second with @weights. */
static u64 weights_of_two(const char *weights)
{
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct compiled program;
	static const struct compile_options options;
	const struct rondo_file_header *header;
	const struct rondo_section *s;
	struct graph *g;
	char text[400];
	u64 bytes = 0;

	snprintf(text, sizeof(text),
		 "graph \"g\" from \"m\"\n"
		 "input %%0 \"x\" f32[3,2]\n"
		 "const %%1 \"w\" f32[2,2] = 1 2 3 4\n"
		 "const %%2 \"v\" f32[2,2] = %s\n"
		 "node %%3 \"a\" ? = MatMul \"a\" %%0 %%1\n"
		 "node %%4 \"b\" ? = MatMul \"b\" %%3 %%2\n"
		 "output %%4\n",
		 weights);
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	g = graph_parse(text, "m", &err);
	if (!g || compile_run_passes(g, &options, NULL) ||
	    backend_compile(g, &machine, &options, &program)) {
		printf("# %s\n", err.text);
		graph_free(g);
		return 0;
	}
	header = (const void *)program.file;
	s = (const void *)(header + 1);
	for (u32 i = 0; i < header->sections; i++)
		bytes += s[i].type == RONDO_SECTION_SLOT_DATA ? s[i].size : 0;
	compiled_free(&program);
	graph_free(g);
	return bytes;
}

static void test_same_weights(void)
{
	u64 same = weights_of_two("1 2 3 4"), others = weights_of_two("1 2 3 5");

	tap_ok(same && same < others,
	       "what two nodes have is in the slot once: %llu, else %llu bytes",
	       (unsigned long long)same, (unsigned long long)others);
}

int main(void)
{
	static const char *const names[] = { "conv_bias_relu", "gemm" };
	/* A convolution in rows, a product whose sums are cut, and values that go through scratch.
	 */
	static const struct {
		const char *name;
		u32 sram;
	} tiled[] = { { "tiled_conv", 2048 }, { "tiled_sums", 4096 }, { "tiled_chain", 2048 } };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		test_golden(names[i], "stage", 0);
		test_golden(names[i], "plan", 0);
		test_golden(names[i], "lower", 0);
		test_golden(names[i], "transfer", 0);
		test_golden(names[i], "stream", 0);
		test_golden(names[i], "schedule", 0);
	}
	for (i = 0; i < sizeof(tiled) / sizeof(*tiled); i++) {
		test_golden(tiled[i].name, "stage", tiled[i].sram);
		test_golden(tiled[i].name, "plan", tiled[i].sram);
		test_golden(tiled[i].name, "transfer", tiled[i].sram);
		test_golden(tiled[i].name, "stream", tiled[i].sram);
	}
	test_padding();
	test_weights();
	test_same_weights();
	return tap_done();
}
