// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/disasm.h"

static void print_bundles(const struct vliw *v, FILE *out)
{
	int b, slot;

	for (b = 0; b < v->bundles; b++) {
		const struct vliw_bundle *bundle = &v->bundle[b];

		fprintf(out, "%5d:", b);
		if (bundle->nest)
			fprintf(out, " loop[%d bundles]", bundle->body);
		for (slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++) {
			const struct mir_item *item = bundle->slot[slot];

			if (item && item->kind == MIR_OP)
				fprintf(out, " | %s", rondo_ops[item->op.op].name);
			else if (item)
				fprintf(out, " | %s", item->kind == MIR_DMA ? "dma" : "wait");
		}
		fprintf(out, "\n");
	}
}

static bool dumps(const char *dump, const char *pass)
{
	return dump && (!strcmp(dump, pass) || !strcmp(dump, "all"));
}

/* One step of the pipeline on the machine IR. */
struct mir_pass {
	const char *name;
	int (*run)(struct lowering *l);
};

static const struct mir_pass mir_passes[] = {
	{ "fetch", fetch_insert },
	{ "place", place_buffers },
};

static int run_mir_passes(struct lowering *l, const char *dump, FILE *to)
{
	size_t i;
	int err;

	if (dumps(dump, "lower"))
		mir_print(&l->mir, to);
	for (i = 0; i < sizeof(mir_passes) / sizeof(*mir_passes); i++) {
		err = mir_passes[i].run(l);
		if (err)
			return err;
		if (dumps(dump, mir_passes[i].name))
			mir_print(&l->mir, to);
	}
	return 0;
}

bool backend_has_pass(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(mir_passes) / sizeof(*mir_passes); i++)
		if (dumps(name, mir_passes[i].name))
			return true;
	return dumps(name, "lower") || dumps(name, "schedule");
}

int backend_compile(struct graph *g, const struct rondo_machine *machine, const char *dump,
		    FILE *dump_to, struct compiled *out)
{
	FILE *to = dump_to ? dump_to : stdout;
	struct lowering l;
	struct vliw v;
	int err;

	*out = (struct compiled){ 0 };
	if (machine->mesh_w > 1 || machine->mesh_h > 1)
		return graph_fail(g, -ENOTSUP,
				  "models are compiled for machines of one tile, not of %u x %u",
				  machine->mesh_w, machine->mesh_h);
	err = lower_graph(&l, g, machine);
	if (!err)
		err = run_mir_passes(&l, dump, to);
	if (!err) {
		schedule(&v, &l.mir, machine, &g->arena);
		if (dumps(dump, "schedule"))
			print_bundles(&v, to);
		err = allocate_registers(&l, &v);
	}
	if (!err)
		err = emit(&l, &v, out);
	free(l.weights);
	return err;
}

void compiled_free(struct compiled *c)
{
	free(c->file);
	*c = (struct compiled){ 0 };
}
