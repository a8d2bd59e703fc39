// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * kernel_ratio_NAME: what a single layer takes, over the number of cycles for which the unit that
 * bounds it is needed (docs/explanation/bounds.md). Of a layer whose input is in SRAM, as behind
 * another one, the main part counts, the bundles from the first
 * operation of that unit to the last store. Of one that does not, or that the transfers of its
 * weights bound, all cycles of a replay count. Exact; nothing runs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/backend.h"
#include "compiler/bound.h"
#include "compiler/graph_text.h"
#include "core/machine.h"

struct layer {
	const char *name;
	bool whole; /* all cycles count */
	const char *text; /* a graph; values "..." of a constant stand for as many as it has */
};

/* What a QLinear operator takes behind x: scale and zero of x, y and of weights like @w. */
#define QUANTISED(w)                         \
	"const %1 \"xs\" f32[] = 0x1p-5\n"   \
	"const %2 \"xz\" u8[] = 7\n"         \
	"const %3 \"w\" " w " = ...\n"       \
	"const %4 \"ws\" f32[] = 0x1.8p-7\n" \
	"const %5 \"wz\" s8[] = 0\n"         \
	"const %6 \"ys\" f32[] = 0x1.3p-3\n" \
	"const %7 \"yz\" u8[] = 9\n"

static const struct layer layers[] = {
	/* Those for which there are schedules by hand. */
	{ "conv28", false,
	  "input %0 \"x\" f32[1,64,28,28]\n"
	  "const %1 \"w\" f32[64,64,3,3] = ...\n"
	  "node %2 \"y\" ? = Conv \"n\" %0 %1 pads=1,1,1,1\n"
	  "output %2\n" },
	{ "conv56", true,
	  "input %0 \"x\" f32[1,64,56,56]\n"
	  "const %1 \"w\" f32[64,64,3,3] = ...\n"
	  "node %2 \"y\" ? = Conv \"n\" %0 %1 pads=1,1,1,1\n"
	  "output %2\n" },
	{ "depthwise", false,
	  "input %0 \"x\" u8[1,64,28,28]\n" QUANTISED(
		  "s8[64,1,3,3]") "node %8 \"y\" ? = QLinearConv \"n\" %0 %1 %2 %3 %4 %5 %6 %7 "
				  "pads=1,1,1,1 group=64\n"
				  "output %8\n" },
	{ "conv1x1", false,
	  "input %0 \"x\" u8[1,128,14,14]\n" QUANTISED(
		  "s8[128,128,1,1]") "node %8 \"before\" ? = QLinearConv \"before\" %0 %1 %2 %3 %4 "
				     "%5 %6 %7\n"
				     "node %9 \"y\" ? = QLinearConv \"n\" %8 %6 %7 %3 %4 %5 %6 %7\n"
				     "output %9\n" },
	{ "gemm", true,
	  "input %0 \"x\" f32[1,2048]\n"
	  "const %1 \"w\" f32[2048,1000] = ...\n"
	  "const %2 \"b\" f32[1000] = ...\n"
	  "node %3 \"y\" ? = Gemm \"n\" %0 %1 %2\n"
	  "output %3\n" },
	{ "maxpool", false,
	  "input %0 \"x\" u8[1,64,56,56]\n"
	  "node %1 \"y\" ? = MaxPool \"n\" %0 kernel=3,3 strides=2,2 pads=1,1,1,1\n"
	  "output %1\n" },
	{ "add", false,
	  "input %0 \"a\" u8[1,64,28,28]\n"
	  "const %1 \"xs\" f32[] = 0x1p-5\n"
	  "const %2 \"xz\" u8[] = 7\n"
	  "const %3 \"ys\" f32[] = 0x1.3p-3\n"
	  "const %4 \"yz\" u8[] = 9\n"
	  "input %5 \"b\" u8[1,64,28,28]\n"
	  "node %6 \"y\" ? = QLinearAdd \"n\" %0 %1 %2 %5 %1 %2 %3 %4\n"
	  "output %6\n" },
	/* Others. */
	{ "depthwise_float", false,
	  "input %0 \"x\" f32[1,64,28,28]\n"
	  "const %1 \"w\" f32[64,1,3,3] = ...\n"
	  "node %2 \"y\" ? = Conv \"n\" %0 %1 pads=1,1,1,1 group=64\n"
	  "output %2\n" },
	{ "softmax", false,
	  "input %0 \"x\" f32[4,64,64]\n"
	  "node %1 \"y\" ? = Softmax \"n\" %0 axis=-1\n"
	  "output %1\n" },
	{ "softmax_short", false,
	  "input %0 \"x\" f32[4420,2]\n"
	  "node %1 \"y\" ? = Softmax \"n\" %0 axis=-1\n"
	  "output %1\n" },
	{ "globalpool", false,
	  "input %0 \"x\" f32[1,2048,7,7]\n"
	  "node %1 \"y\" ? = GlobalAveragePool \"n\" %0\n"
	  "output %1\n" },
	{ "transpose", false,
	  "input %0 \"x\" f32[1,64,28,28]\n"
	  "node %1 \"y\" ? = Transpose \"n\" %0 perm=0,2,3,1\n"
	  "output %1\n" },
	{ "matmul", false,
	  "input %0 \"a\" f32[4,64,64]\n"
	  "input %1 \"b\" f32[4,64,64]\n"
	  "node %2 \"y\" ? = MatMul \"n\" %0 %1\n"
	  "output %2\n" },
};

/* ---- Graphs ---------------------------------------------------------------------------------- */

/* Elements of the first shape in @line. */
static u64 elements(const char *line)
{
	const char *at = strchr(line, '[') + 1;
	u64 n = 1;

	while (*at != ']')
		n *= strtoull(at + (*at == ','), (char **)&at, 10);
	return n;
}

/* The text of @l with its constants filled; the caller frees it. */
static char *graph_text(const struct layer *l)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "graph \"%s\" from \"bench\"\n", l->name);
	for (const char *line = l->text, *end; *line; line = end + 1) {
		const char *dots = strstr(line, " ...");

		end = strchr(line, '\n');
		if (!dots || dots > end) {
			fprintf(f, "%.*s\n", (int)(end - line), line);
			continue;
		}
		fprintf(f, "%.*s", (int)(dots - line), line);
		for (u64 i = 0; i < elements(line); i++)
			fprintf(f, " %d", (int)(i % 7) - 3);
		fprintf(f, "\n");
	}
	fclose(f);
	return text;
}

/* ---- Bundles --------------------------------------------------------------------------------- */

/* The layer's own unit, whose cycles are its bound. */
static enum bound_unit unit_of(const struct bounds *b, double *cycles)
{
	enum bound_unit unit = 0;

	*cycles = 0;
	for (int i = 0; i < b->layers; i++) {
		for (int u = 0; u < BOUND_UNITS; u++) {
			if (b->layer[i].cycles[u] > *cycles) {
				*cycles = b->layer[i].cycles[u];
				unit = (enum bound_unit)u;
			}
		}
	}
	return unit;
}

static bool is_unit(enum bound_unit unit, u8 slot)
{
	static const u32 slots[BOUND_UNITS] = {
		[BOUND_PUSH] = 1 << RONDO_M,
		[BOUND_STORE] = 1 << RONDO_S,
		[BOUND_VECTOR] = 1 << RONDO_V0 | 1 << RONDO_V1,
		[BOUND_LOAD] = 1 << RONDO_L0 | 1 << RONDO_L1,
		[BOUND_WEIGHT] = 1 << RONDO_W,
	};

	return slots[unit] >> slot & 1;
}

/* Where the layer that is measured begins. */
static u64 begin_of(const struct stream *s)
{
	u64 at = 0;

	for (int i = 0; i < s->marks; i++) {
		if (!strcmp(s->mark[i].name, "n"))
			at = s->mark[i].at;
	}
	return at;
}

/*
 * From the first run of the layer's unit, or the last store of the layer before if that is later,
 * to the last store. Runs of one execution prepare something; the layer's own are longer.
 */
static u64 main_part(enum bound_unit unit, const struct stream *s)
{
	u64 first = UINT64_MAX, before = 0, end = 0, begin = begin_of(s);

	for (int i = 0; i < s->runs; i++) {
		const struct stream_run *r = &s->run[i];
		u64 last = r->start + (stream_run_count(r) - 1) * r->period;

		if (!r->dims)
			continue;
		if (is_unit(unit, r->slot) && r->start >= begin && r->start < first)
			first = r->start;
		if (r->slot != RONDO_S)
			continue;
		end = last + 1 > end ? last + 1 : end;
		if (r->start < begin && last + 1 > before)
			before = last + 1;
	}
	return end - (first > before ? first : before);
}

/* The back half on @g up to its stream; NULL and a message if a pass fails. */
static struct stream *stream_of(struct graph *g, const struct rondo_machine *machine,
				struct lowering *low)
{
	struct transfer_list transfers;
	struct stream *stream;
	struct stages stages;
	struct plans plans;

	if (!stages_make(g, &stages) && !plans_make(g, &stages, machine, &plans) &&
	    !lower_graph(low, g, &plans, machine, machine->sram_bytes) && !place_buffers(low) &&
	    !transfers_make(low, &transfers) && !stream_make(low, &transfers, &stream))
		return stream;
	return NULL;
}

/* What counts of the layer, in cycles; 0 and a message. */
static u64 cycles_of(const struct layer *l, struct graph *g, const struct rondo_machine *machine,
		     enum bound_unit unit)
{
	struct lowering low = { .g = NULL };
	struct compiled whole;
	struct stream *s;
	u64 n = 0;

	if (l->whole) {
		n = backend_compile(g, machine, NULL, &whole) ? 0 : whole.cycles;
		compiled_free(&whole);
		return n;
	}
	s = stream_of(g, machine, &low);
	if (s)
		n = main_part(unit, s);
	free(low.weights);
	return n;
}

static bool print_ratio(const struct layer *l)
{
	static const struct compile_options options;
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct bounds b = { 0 };
	char *text = graph_text(l);
	struct graph *g = graph_parse(text, "bench", &err);
	double bound = 0;
	u64 n = 0;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	if (g && !compile_run_passes(g, &options, NULL) && !bounds_make(g, &machine, &b)) {
		enum bound_unit unit = unit_of(&b, &bound);

		n = cycles_of(l, g, &machine, unit);
	}
	if (n)
		printf("kernel_ratio_%s %.4f ratio\n", l->name, (double)n / bound);
	else
		fprintf(stderr, "%s: %s\n", l->name, err.text);
	graph_free(g);
	free(text);
	return n;
}

int main(void)
{
	bool good = true;

	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
		good &= print_ratio(&layers[i]);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
