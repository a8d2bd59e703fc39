// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * kernel_ratio_NAME: bundles of the main part of a single layer, from the first operation of the
 * unit that bounds it to the last store, over the number of bundles for which that unit is needed.
 * The layer stands behind another one, so that what it reads is in SRAM. Exact; nothing runs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "compiler/backend.h"
#include "compiler/graph_text.h"
#include "core/machine.h"

/* A layer of an image of @channels x @side x @side, and the bundles that its unit needs. */
struct layer {
	const char *name;
	int channels, side;
	const char *node; /* its text, of the image %0 and the weights %1 */
	int weights[4]; /* shape, all 0: none */
	enum rondo_slot_no unit;
	u64 bound;
};

static const struct layer layers[] = {
	{ "conv28",
	  64,
	  28,
	  "Conv \"n\" %0 %1 pads=1,1,1,1",
	  { 64, 64, 3, 3 },
	  RONDO_M,
	  9 * 28 * 28 },
	{ "conv1x1", 128, 14, "Conv \"n\" %0 %1", { 128, 128, 1, 1 }, RONDO_M, 4 * 14 * 14 },
	{ "depthwise",
	  64,
	  28,
	  "Conv \"n\" %0 %1 pads=1,1,1,1 group=64",
	  { 64, 1, 3, 3 },
	  RONDO_V0,
	  9 * 28 * 28 / 2 },
	{ "maxpool",
	  64,
	  28,
	  "MaxPool \"n\" %0 kernel=3,3 strides=2,2 pads=1,1,1,1",
	  { 0 },
	  RONDO_V0,
	  9 * 14 * 14 / 2 },
	{ "add", 64, 28, "Add \"n\" %0 %0", { 0 }, RONDO_S, 28 * 28 },
};

static void print_graph(FILE *f, const struct layer *l)
{
	fprintf(f, "graph \"g\" from \"%s\"\ninput %%0 \"x\" f32[1,%d,%d,%d]\n", l->name,
		l->channels, l->side, l->side);
	if (l->weights[0]) {
		int n = l->weights[0] * l->weights[1] * l->weights[2] * l->weights[3];

		fprintf(f, "const %%1 \"w\" f32[%d,%d,%d,%d] =", l->weights[0], l->weights[1],
			l->weights[2], l->weights[3]);
		for (int i = 0; i < n; i++)
			fprintf(f, " %d", i % 7 - 3);
		fprintf(f, "\n");
	}
	fprintf(f, "node %%%d \"y\" ? = %s\noutput %%%d\n", l->weights[0] ? 2 : 1, l->node,
		l->weights[0] ? 2 : 1);
}

static bool is_unit(const struct layer *l, u8 slot)
{
	return slot == l->unit || (l->unit == RONDO_V0 && slot == RONDO_V1);
}

/*
 * From the first run of the layer's unit to the last store. Runs of one execution prepare
 * something; the layer's own are longer.
 */
static u64 main_part(const struct layer *l, const struct stream *s)
{
	u64 first = UINT64_MAX, end = 0;

	for (int i = 0; i < s->runs; i++) {
		const struct stream_run *r = &s->run[i];
		u64 last = r->start + (stream_run_count(r) - 1) * r->period;
		bool fill = r->op.op == RONDO_OP_st_w && l->unit != RONDO_V0 && l->unit != RONDO_S;

		if (!r->dims || fill)
			continue;
		if (is_unit(l, r->slot) && r->start < first)
			first = r->start;
		if (r->slot == RONDO_S && last + 1 > end)
			end = last + 1;
	}
	return end - first;
}

/* All passes on the layer up to its stream; 0 and a message if one fails. */
static u64 bundles_of(const struct layer *l)
{
	static const struct compile_options options;
	struct compile_error err = { 0 };
	struct rondo_machine machine;
	struct transfer_list transfers;
	struct stream *stream;
	struct stages stages;
	struct plans plans;
	struct lowering low = { .g = NULL };
	struct graph *g;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	u64 n = 0;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	print_graph(f, l);
	fclose(f);
	g = graph_parse(text, "bench", &err);
	if (g && !compile_run_passes(g, &options, NULL) && !stages_make(g, &stages) &&
	    !plans_make(g, &stages, &machine, &plans) &&
	    !lower_graph(&low, g, &plans, &machine, machine.sram_bytes) && !place_buffers(&low) &&
	    !transfers_make(&low, &transfers) && !stream_make(&low, &transfers, &stream))
		n = main_part(l, stream);
	if (!n)
		fprintf(stderr, "%s: %s\n", l->name, err.text);
	free(low.weights);
	graph_free(g);
	free(text);
	return n;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		u64 n = bundles_of(&layers[i]);

		if (!n)
			return 1;
		printf("kernel_ratio_%s %.4f ratio\n", layers[i].name,
		       (double)n / (double)layers[i].bound);
	}
	return 0;
}
