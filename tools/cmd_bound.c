// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo bound: what a network takes at least. The formulas: docs/explanation/bounds.md. */
#include <inttypes.h>

#include "compiler/bound.h"
#include "tools/options.h"
#include "tools/rondo.h"
#include "tools/source.h"

struct bound_command {
	bool layers;
	struct model_options model;
};

static int take(void *context, enum option_id id, char *argument)
{
	struct bound_command *c = context;

	if (id != OPTION_LAYERS)
		return model_options_take(&c->model, id, argument);
	c->layers = true;
	return STATUS_OK;
}

static const struct command command = {
	.name = "bound",
	.usage = "bound MODEL [OPTION]...",
	.about = "Prints what an ONNX or TensorFlow Lite model takes at least, from its graph "
		 "alone: the cycles\n"
		 "of each unit in all, the bytes that have to move, the bound that no schedule can "
		 "beat, and\n"
		 "the one of layers one after the other with perfect overlap inside each.\n",
	.take = take,
	.takes = { MODEL_OPTIONS, [OPTION_LAYERS] = true },
};

static void print_layers(const struct bounds *b)
{
	printf("%12s", "MACs");
	for (int u = 0; u < BOUND_UNITS; u++)
		printf(" %12s", bound_unit_names[u]);
	printf("  layer\n");
	for (int i = 0; i < b->layers; i++) {
		const struct bound_layer *l = &b->layer[i];

		printf("%12.0f", l->macs);
		for (int u = 0; u < BOUND_UNITS; u++)
			printf(" %12.1f", l->cycles[u]);
		printf("  ");
		print_text(node_label(l->node));
		printf(" (%s)\n", op_infos[l->node->op].name);
	}
}

static void print_bounds(const struct bounds *b, bool layers)
{
	if (layers)
		print_layers(b);
	printf("MACs               %.0f\n", b->macs);
	for (int u = 0; u < BOUND_UNITS; u++)
		printf("%-18s %.1f cycles\n", bound_unit_names[u], b->cycles[u]);
	printf("compulsory bytes   %" PRIu64 ": constants %" PRIu64 ", inputs %" PRIu64
	       ", outputs %" PRIu64 "; %.1f cycles\n",
	       bounds_bytes(b), b->constant_bytes, b->input_bytes, b->output_bytes, b->dma_cycles);
	printf("provable bound     %.1f cycles\n", b->provable);
	printf("layer bound        %.1f cycles\n", b->layer_bound);
}

static int bound(int argc, char **argv, struct bound_command *c)
{
	struct source_graph source;
	struct bounds b;
	int first, status;

	if (!options_read(&command, argc, argv, c, &first, &status))
		return status;
	if (first != argc - 1)
		return usage("expected one model");
	status = source_graph(argv[first], &c->model, &source);
	if (status)
		return status;
	if (bounds_make(source.graph, &c->model.machine, &b))
		status = fail_with(&source.call.err);
	else
		print_bounds(&b, c->layers);
	source_graph_free(&source);
	return status;
}

int cmd_bound(int argc, char **argv)
{
	struct bound_command c = {};
	int status;

	model_options_init(&c.model);
	status = bound(argc, argv, &c);
	model_options_fini(&c.model);
	return status;
}
