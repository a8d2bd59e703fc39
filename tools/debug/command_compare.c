// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Two runs. */
#include <inttypes.h>

#include "core/disasm.h"
#include "tools/debug/command_state.h"
#include "tools/debug/compare.h"

bool set_run(struct debugger *d, const struct args *args)
{
	const char *name = args->at[0];

	if (strcmp(name, "a") && strcmp(name, "b"))
		return bad(d, "%s: expected a or b", name);
	if (*name == 'b' && !d->run[1])
		return bad(d, "there is only one run; --with, --with-input or --with-seed give "
			      "another");
	d->side = *name == 'b';
	if (d->tile >= shown(d)->reference->tiles)
		d->tile = 0;
	print_where(d->out, shown(d));
	return true;
}

/* The bundle that is due, once if it is the same in both runs. */
static void print_due(struct debugger *d)
{
	const struct session *a = d->run[0], *b = d->run[1];
	u32 at_a = session_bundle(a), at_b = session_bundle(b);
	bool valid_a = at_a < a->program.header->bundles,
	     valid_b = at_b < b->program.header->bundles;

	if (valid_a && valid_b && at_a == at_b &&
	    !memcmp(a->program.bundles[at_a], b->program.bundles[at_b], RONDO_BUNDLE_BYTES)) {
		print_where(d->out, a);
		return;
	}
	fprintf(d->out, "run a: ");
	print_where(d->out, a);
	fprintf(d->out, "run b: ");
	print_where(d->out, b);
}

static void print_place(FILE *out, const struct session *s, const struct difference *diff)
{
	const struct reference_access *access = &diff->access;
	const char *by = diff->dma ? "a transfer" : "the bundle";

	fprintf(out, "%s ", by);
	switch (access->space) {
	case REFERENCE_RESULT:
	case REFERENCE_REGISTER:
		fprintf(out, "computes v%" PRIu64, access->at);
		break;
	case REFERENCE_ACCUMULATOR:
		fprintf(out, "writes a%" PRIu64, access->at);
		break;
	case REFERENCE_WEIGHT:
		fprintf(out, "writes w%u.%" PRIu64, access->index, access->at);
		break;
	case REFERENCE_SRAM:
		fprintf(out, "writes SRAM at %" PRIu64, access->at);
		break;
	case REFERENCE_SLOT:
		fprintf(out, "writes slot %u at %" PRIu64, access->index, access->at);
		break;
	}
	if (s->reference->tiles > 1 && access->space != REFERENCE_SLOT)
		fprintf(out, " of tile %u %u", access->tile % s->machine.mesh_w,
			access->tile / s->machine.mesh_w);
}

static void print_values(FILE *out, const struct difference *diff)
{
	bool bytes = diff->access.space == REFERENCE_SRAM || diff->access.space == REFERENCE_SLOT;
	bool wide = (diff->a | diff->b) >> 32;

	if (!bytes)
		fprintf(out, ", lane %u", diff->lane);
	fprintf(out, ": a has ");
	if (wide) {
		fprintf(out, "0x%09" PRIx64 ", b 0x%09" PRIx64, diff->a, diff->b);
	} else {
		print_container(out, (u32)diff->a, PRINT_F32);
		fprintf(out, ", b ");
		print_container(out, (u32)diff->b, PRINT_F32);
	}
	if (diff->lanes > 1)
		fprintf(out, "; %u %s differ", diff->lanes, bytes ? "bytes" : "lanes");
	fprintf(out, "\n");
}

static void print_difference(struct debugger *d, const struct difference *diff)
{
	const struct session *a = d->run[0];

	switch (diff->kind) {
	case DIFFERENCE_NONE:
		fprintf(d->out, "no difference up to the end\n");
		if (a->start != d->run[1]->start)
			fprintf(d->out,
				"but run a starts in cycle %" PRIu64 ", run b in %" PRIu64 "\n",
				a->start, d->run[1]->start);
		return;
	case DIFFERENCE_MACHINE:
		fprintf(d->out, "the runs are of different machines\n");
		return;
	case DIFFERENCE_BUNDLE:
		fprintf(d->out, "the runs are at different bundles\n");
		break;
	case DIFFERENCE_END:
		fprintf(d->out, "the runs end differently\n");
		break;
	case DIFFERENCE_VALUE:
		fprintf(d->out, "in this cycle ");
		print_place(d->out, a, diff);
		if (diff->lanes)
			print_values(d->out, diff);
		else
			fprintf(d->out, " in only one of the runs\n");
		break;
	}
	print_due(d);
}

/* With the plain executor, or with each of the others that this host can run. */
static bool compare_executors(struct debugger *d, bool fast)
{
	const struct rondo_machine *machine = &shown(d)->machine;
	const struct executor *plain = executor_for(machine, EXECUTOR_PLAIN), *x;
	char text[COMPARE_TEXT_BYTES];
	int i;

	for (i = 0; (x = executor_for(machine, i)); i++) {
		if (fast == (x == plain))
			continue;
		switch (compare_executor(shown(d), x, text)) {
		case COMPARED_SAME:
			continue;
		case COMPARED_DIFFERENT:
			fprintf(d->out, "%s: %s\n", x->name, text);
			print_where(d->out, shown(d));
			return true;
		case NOT_COMPARED:
			return bad(d, "%s: %s", x->name, text);
		}
	}
	fprintf(d->out, "no difference: every byte written to slots, status and cycles\n");
	return true;
}

bool compare_command(struct debugger *d, const struct args *args)
{
	const char *how = args->count ? args->at[0] : "";
	struct difference diff;
	u64 from = 0;

	if (!strcmp(how, "fast") && shown(d)->source.unverified)
		return bad(d, "the fast executor runs only what the verifier accepts");
	if (!strcmp(how, "plain") || !strcmp(how, "fast"))
		return compare_executors(d, *how == 'f');
	if (*how && strcmp(how, "next"))
		return bad(d, "%s: expected next, plain or fast, or nothing", how);
	if (!d->run[1])
		return bad(d, "there is only one run; --with, --with-input or --with-seed give "
			      "another to compare it with");
	if (*how)
		from = session_now(d->run[0]) - d->run[0]->start + 1;
	if (!compare_runs(d->run[0], d->run[1], from, &diff))
		return bad(d, session_interrupted(d->run[0]) ? "interrupted" : "no memory");
	print_difference(d, &diff);
	return true;
}
