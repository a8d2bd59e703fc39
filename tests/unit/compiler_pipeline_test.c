// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the back half does when a level turns out to be too large: tiles that were text become
 * loops, once, and what would only make a program better is left out. Linked with --wrap of the
 * levels, which fail here as often as a case says.
 */
#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "compiler/lower.h"
#include "compiler/stream.h"
#include "compiler/transfer.h"
#include "core/machine.h"
#include "tests/tap.h"

#include <errno.h>

enum level { LOWER, TRANSFERS, STREAM, EMIT, NONE };

static const char *const names[] = { "lower", "transfer", "stream", "emit" };

/* Calls from @first to @last of @level fail with @code; how many there were of it. */
static struct {
	enum level level;
	int first, last, code, calls;
} plan;

static bool fails(enum level level, struct graph *g, int *rc)
{
	if (level != plan.level)
		return false;
	plan.calls++;
	if (plan.calls < plan.first || plan.calls > plan.last)
		return false;
	*rc = graph_fail(g, plan.code, "too large, says the test");
	return true;
}

int __real_lower_graph(struct lowering *l, struct graph *g, const struct plans *p,
		       const struct rondo_machine *m, u64 sram);
int __wrap_lower_graph(struct lowering *l, struct graph *g, const struct plans *p,
		       const struct rondo_machine *m, u64 sram);
int __real_transfers_make(struct lowering *l, struct transfer_list *t);
int __wrap_transfers_make(struct lowering *l, struct transfer_list *t);
int __real_stream_make(struct lowering *l, const struct transfer_list *t, struct stream **out);
int __wrap_stream_make(struct lowering *l, const struct transfer_list *t, struct stream **out);
int __real_emit(struct lowering *l, const struct transfer_list *t, const struct bundle_list *b,
		struct emitted *out);
int __wrap_emit(struct lowering *l, const struct transfer_list *t, const struct bundle_list *b,
		struct emitted *out);

int __wrap_lower_graph(struct lowering *l, struct graph *g, const struct plans *p,
		       const struct rondo_machine *m, u64 sram)
{
	int rc = __real_lower_graph(l, g, p, m, sram);

	fails(LOWER, g, &rc);
	return rc;
}

int __wrap_transfers_make(struct lowering *l, struct transfer_list *t)
{
	int rc;

	return fails(TRANSFERS, l->g, &rc) ? rc : __real_transfers_make(l, t);
}

int __wrap_stream_make(struct lowering *l, const struct transfer_list *t, struct stream **out)
{
	int rc;

	return fails(STREAM, l->g, &rc) ? rc : __real_stream_make(l, t, out);
}

int __wrap_emit(struct lowering *l, const struct transfer_list *t, const struct bundle_list *b,
		struct emitted *out)
{
	int rc;

	return fails(EMIT, l->g, &rc) ? rc : __real_emit(l, t, b, out);
}

/* A sum of matrices that little SRAM holds in tiles, all of which are alike. */
static const char sum[] = "graph \"sum\" from \"m\"\n"
			  "input %0 \"x\" f32[48,1024]\ninput %1 \"y\" f32[48,1024]\n"
			  "node %2 \"z\" ? = Add \"add\" %0 %1\noutput %2\n";

/* Rows that are summed while others of them are stored: cleared by stores, as that is quicker. */
static const char attention[] = "graph \"attention\" from \"m\"\n"
				"input %0 \"x\" f32[64,64]\ninput %1 \"w\" f32[64,64]\n"
				"node %2 \"a\" ? = MatMul \"a\" %0 %1\n"
				"node %3 \"b\" ? = Softmax \"b\" %2 axis=-1\n"
				"node %4 \"y\" ? = MatMul \"y\" %3 %1\noutput %4\n";

/* Compiles @text; calls of @level from @first to @last fail with @code. */
static int compile(const char *text, struct compile_options options, enum level level, int first,
		   int last, int code, struct compiled *out, struct compile_error *err)
{
	static const struct compile_options none;
	struct rondo_machine machine;
	struct graph *g;
	int rc;

	*err = (struct compile_error){ 0 };
	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	plan.level = level;
	plan.first = first;
	plan.last = last;
	plan.code = code;
	plan.calls = 0;
	g = graph_parse(text, "m", err);
	rc = g ? compile_run_passes(g, &none, NULL) : err->code;
	if (!rc)
		rc = backend_compile(g, &machine, &options, out);
	graph_free(g);
	return rc;
}

static bool same(const struct compiled *a, const struct compiled *b)
{
	return a->file && b->file && a->size == b->size && !memcmp(a->file, b->file, a->size);
}

static void test_retry(void)
{
	const struct compile_options little = { .sram = 24576 },
				     rolled = { .sram = 24576, .roll = true };
	struct compiled text, loops, out;
	struct compile_error err;
	int rc;

	compile(sum, little, NONE, 0, 0, 0, &text, &err);
	compile(sum, rolled, NONE, 0, 0, 0, &loops, &err);
	tap_ok(text.file && loops.file && !same(&text, &loops), "tiles are text unless told");
	for (enum level i = LOWER; i < NONE; i++) {
		rc = compile(sum, little, i, 1, 1, -EFBIG, &out, &err);
		tap_ok(!rc && !err.text[0] && same(&out, &loops),
		       "%s is too large: tiles are loops instead", names[i]);
		compiled_free(&out);
		rc = compile(sum, little, i, 1, 9, -EFBIG, &out, &err);
		tap_ok(rc == -EFBIG && strstr(err.text, "says the test") && plan.calls == 2 &&
			       !out.file,
		       "%s is too large even then: refused", names[i]);
		compiled_free(&out);
		rc = compile(sum, rolled, i, 1, 9, -EFBIG, &out, &err);
		tap_ok(rc == -EFBIG && plan.calls == 1, "%s with loops from the start: refused",
		       names[i]);
		compiled_free(&out);
		rc = compile(sum, little, i, 1, 9, -ENOTSUP, &out, &err);
		tap_ok(rc == -ENOTSUP && plan.calls == 1, "%s fails otherwise: refused", names[i]);
		compiled_free(&out);
		rc = compile(sum, (struct compile_options){ 0 }, i, 1, 9, -EFBIG, &out, &err);
		tap_ok(rc == -EFBIG && plan.calls == 1, "%s of what has no tiles: refused",
		       names[i]);
		compiled_free(&out);
	}
	compiled_free(&text);
	compiled_free(&loops);
}

/* A second program that clears less is left out if it is too large; other errors are errors. */
static void test_prefill(void)
{
	const struct compile_options all = { 0 };
	struct compiled better, first, out;
	struct compile_error err;
	int rc;

	compile(attention, all, TRANSFERS, 0, 0, 0, &better, &err);
	tap_ok(better.file && plan.calls == 2, "a program is made twice to clear less");
	rc = compile(attention, all, TRANSFERS, 2, 2, -EFBIG, &first, &err);
	tap_ok(!rc && !err.text[0] && first.file && first.cycles > better.cycles,
	       "the second one is too large: the first one it is");
	for (enum level i = STREAM; i < NONE; i++) {
		rc = compile(attention, all, i, 2, 2, -EFBIG, &out, &err);
		tap_ok(!rc && same(&out, &first), "%s of the second one is too large", names[i]);
		compiled_free(&out);
	}
	rc = compile(attention, all, STREAM, 2, 2, -ENOMEM, &out, &err);
	tap_ok(rc == -ENOMEM && !out.file, "there is no memory for it: refused");
	compiled_free(&out);
	compiled_free(&better);
	compiled_free(&first);
}

int main(void)
{
	test_retry();
	test_prefill();
	return tap_done();
}
