// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What stages promise, and their text form: see stage.h. */
#include "compiler/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "compiler/window.h"

static int broken(const struct graph *g, const struct stage *s, const char *what)
{
	return node_fail(g, s->node, -ENOTRECOVERABLE, "its stage is wrong: %s", what);
}

/* The lowest and highest coordinate @i of @a. */
static void reach(const struct stage *s, const struct stage_access *a, int i, s64 *lo, s64 *hi)
{
	*lo = *hi = a->at[i];
	for (int d = 0; d < s->dims; d++) {
		s64 span = a->step[i][d] * (s->size[d] - 1);

		*(span < 0 ? lo : hi) += span;
	}
}

/* Cells that a window reads beside coordinate @i of its input: before, and after. */
static void padding(const struct graph *g, const struct stage *s, const struct stage_access *a,
		    int i, s64 *before, s64 *after)
{
	struct window w;

	*before = *after = 0;
	if (a != &s->in[0] || i < 2 || (s->kind != STAGE_POOL && !op_is_conv(s->node->op)))
		return;
	window_of(g, s->node, &w);
	*before = w.axis[i - 2].pad;
	*after = window_reach(&w.axis[i - 2]) - w.axis[i - 2].pad - w.axis[i - 2].in;
}

static int check_access(const struct graph *g, const struct stage *s, const struct stage_access *a)
{
	if (!a->value)
		return 0;
	if (shape_elems(&a->as) != shape_elems(&a->value->shape))
		return broken(g, s, "a shape of another size than its value");
	for (int i = 0; i < a->as.rank; i++) {
		s64 lo, hi, before, after;

		reach(s, a, i, &lo, &hi);
		padding(g, s, a, i, &before, &after);
		if (lo < -before || hi >= a->as.dim[i] + after)
			return broken(g, s, "a coordinate outside of its value");
	}
	for (int i = a->as.rank; i < TENSOR_RANK_MAX; i++) {
		for (int d = 0; d < s->dims; d++) {
			if (a->at[i] || a->step[i][d])
				return broken(g, s, "a coordinate that its value does not have");
		}
	}
	return 0;
}

/* Whether the dimensions that move coordinate @i of the result do so by the same for two points. */
static bool meets(const struct stage *s, int i)
{
	const s32 *step = s->out.step[i];
	s64 span = 0;
	u32 done = 0;

	for (;;) {
		int next = -1;

		for (int d = 0; d < s->dims; d++) {
			if (step[d] && s->size[d] > 1 && !(done >> d & 1) &&
			    (next < 0 || step[d] < step[next]))
				next = d;
		}
		if (next < 0)
			return false;
		if (step[next] <= span)
			return true;
		span += step[next] * (s->size[next] - 1);
		done |= 1u << next;
	}
}

/*
 * Whether each point of the domain, without its reduced dimensions, has an element of the result to
 * itself: every dimension moves one coordinate, by more than those that move it less reach.
 */
static int check_out(const struct graph *g, const struct stage *s)
{
	int plain = s->dims - s->reduced;

	for (int d = s->dims - 1; d >= 0; d--) {
		int moved = 0;

		for (int i = 0; i < s->out.as.rank; i++)
			moved += s->out.step[i][d] != 0;
		if (moved > 1)
			return broken(g, s, "a dimension that moves two coordinates");
		if (d >= plain && moved)
			return broken(g, s, "a reduced dimension that moves the result");
		if (d < plain && s->size[d] > 1 && !moved)
			return broken(g, s, "two points with one result");
	}
	for (int i = 0; i < s->out.as.rank; i++) {
		if (meets(s, i))
			return broken(g, s, "two points with one result");
	}
	return 0;
}

int stages_check(const struct graph *g, const struct stages *s)
{
	int rc = 0;

	for (int i = 0; i < s->count && !rc; i++) {
		const struct stage *stage = s->at[i];

		rc = check_access(g, stage, &stage->out);
		for (int k = 0; k < STAGE_INPUTS && !rc; k++)
			rc = check_access(g, stage, &stage->in[k]);
		if (!rc)
			rc = check_out(g, stage);
	}
	return rc;
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void print_coordinate(const struct stage *s, const struct stage_access *a, int i, FILE *out)
{
	bool any = false;

	for (int d = 0; d < s->dims; d++) {
		s64 step = a->step[i][d];

		if (!step)
			continue;
		fprintf(out, "%s", any ? " + " : "");
		if (step != 1)
			fprintf(out, "%" PRId64 "*", step);
		fprintf(out, "%s", s->name[d]);
		any = true;
	}
	if (a->at[i] < 0)
		fprintf(out, "%s%" PRId64, any ? " - " : "-", -a->at[i]);
	else if (a->at[i] || !any)
		fprintf(out, "%s%" PRId64, any ? " + " : "", a->at[i]);
}

static void print_access(const struct stage *s, const char *what, const struct stage_access *a,
			 FILE *out)
{
	char shape[SHAPE_TEXT_MAX];

	if (!a->value)
		return;
	fprintf(out, "  %s \"%s\" as %s at [", what, a->value->name, shape_text(&a->as, shape));
	for (int i = 0; i < a->as.rank; i++) {
		fprintf(out, "%s", i ? ", " : "");
		print_coordinate(s, a, i, out);
	}
	fprintf(out, "]\n");
}

static void print_stage(const struct stage *s, FILE *out)
{
	static const char *const kinds[] = {
		[STAGE_PRODUCT] = "product", [STAGE_POOL] = "pool",	[STAGE_MAP] = "map",
		[STAGE_SOFTMAX] = "softmax", [STAGE_REDUCE] = "reduce", [STAGE_MOVE] = "move",
	};

	fprintf(out, "stage \"%s\": %s %s over", s->node->name, kinds[s->kind],
		op_infos[s->node->op].name);
	for (int d = 0; d < s->dims; d++)
		fprintf(out, "%s %s=%" PRId64, d == s->dims - s->reduced ? " |" : "", s->name[d],
			s->size[d]);
	if (s->epilogue)
		fprintf(out, ", requantised");
	if (s->narrows)
		fprintf(out, ", as bf16");
	if (s->lo > -INFINITY || s->hi < INFINITY)
		fprintf(out, ", clamped to %.9g..%.9g", (double)s->lo, (double)s->hi);
	fprintf(out, "\n");
	print_access(s, "out", &s->out, out);
	for (int i = 0; i < STAGE_INPUTS; i++)
		print_access(s, "in", &s->in[i], out);
}

void stages_print(const struct stages *s, FILE *out)
{
	for (int i = 0; i < s->count; i++)
		print_stage(s->at[i], out);
}
