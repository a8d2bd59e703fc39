// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What plans promise, and their text form: see plan.h. */
#include "compiler/plan.h"

#include <errno.h>
#include <inttypes.h>

static int broken(const struct graph *g, const struct stage *s, const char *what)
{
	return node_fail(g, s->node, -ENOTRECOVERABLE, "its plan is wrong: %s", what);
}

/* Whether all that @a touches over the domain is in a buffer of layout @l. */
static int check_reach(const struct graph *g, const struct stage *s, const struct stage_access *a,
		       const struct layout *l)
{
	s64 lo = plan_base(a, l), hi = lo + l->element;

	for (int d = 0; d < s->dims; d++) {
		s64 span = plan_stride(a, l, d) * (s->size[d] - 1);

		*(span < 0 ? &lo : &hi) += span;
	}
	if (lo < 0 || (u64)hi > l->bytes)
		return broken(g, s, "an access outside of its layout");
	return 0;
}

/* Sums that tiles of @s add to one after the other are all in the accumulators. */
static int check_sums(const struct graph *g, const struct stage *s, const struct plan *p,
		      const struct rondo_machine *m)
{
	int column = s->dims - s->reduced - 1, kx = s->dims - 2, c = s->dims - 1;
	s64 sums = (p->tile[column] + m->lanes - 1) / m->lanes;

	for (int d = 0; d < column; d++)
		sums *= p->tile[d];
	for (int d = 0; d < s->dims; d++) {
		if (p->tile[d] < 1 || p->tile[d] > s->size[d])
			return broken(g, s, "a tile of other points than it has");
	}
	if (sums > m->acc_rows)
		return broken(g, s, "sums of a tile that the accumulators do not hold");
	if (p->tile[c] < s->size[c] && p->tile[c] % plan_sums_grain(s, m))
		return broken(g, s, "a part of its sums that is no whole pushes");
	if (p->tile[kx] > 1 && p->tile[kx] < s->size[kx])
		return broken(g, s, "a part of the rows of its window");
	return 0;
}

/* Pushes take all rows of weights once, in order: all of the stage, or of its first tile. */
static int check_product(const struct graph *g, const struct stage *whole, const struct plan *p,
			 const struct rondo_machine *m)
{
	struct stage packed;
	const struct stage *s = &packed;
	s64 rows, at = 0;
	int rc = p->cut_sums ? check_sums(g, whole, p, m) : 0;

	if (rc)
		return rc;
	for (int i = 0; i < 2; i++) {
		s64 all = whole->size[whole->dims - whole->reduced - 3 + i];

		if (p->pixels[i] < 1 || all % p->pixels[i])
			return broken(g, whole, "pixels in the lanes that do not divide all");
	}
	plan_pack(whole, p, &packed);
	rows = stage_containers(s);
	for (int d = s->dims - s->reduced; d < s->dims - 1; d++)
		rows *= s->size[d];
	for (int k = 0; k < p->k.n; k++) {
		if (p->k.k[k].row != at || p->k.k[k].count < 1 || p->k.k[k].count > m->lanes)
			return broken(g, s, "a push of other rows than are next");
		at += p->k.k[k].count;
	}
	if (at != rows)
		return broken(g, s, "pushes that do not take all rows");
	if (p->strip.w < 1 || p->strip.h < 1 || p->strip.w * p->strip.h > m->acc_rows)
		return broken(g, s, "a strip that the accumulators do not hold");
	if (p->outer != s->dims - s->reduced - 3 || p->looped > p->outer)
		return broken(g, s, "outer loops that the stage does not have");
	return 0;
}

/* One lane pattern reaches the columns of several pixels, or each has its own. */
static int check_pixels(const struct graph *g, const struct stage *s, const struct plan *p,
			const struct layout *out)
{
	int column = s->dims - s->reduced - 1;
	s64 behind = plan_stride(&s->out, out, column - 1) - s->size[column] * out->element;

	if (p->pixels[0] * p->pixels[1] == 1 || plan_scatters(s, out))
		return 0;
	if (plan_stride(&s->out, out, column) != out->element ||
	    (p->pixels[0] > 1 && p->pixels[1] > 1 && behind))
		return broken(g, s, "pixels in the lanes that do not lie behind each other");
	return 0;
}

static int check_plan(const struct graph *g, const struct plans *p, const struct stage *s,
		      const struct plan *plan, const struct rondo_machine *m)
{
	int rc = check_reach(g, s, &s->out, &p->layout[s->out.value->id]);

	for (int i = 0; i < STAGE_INPUTS && !rc; i++) {
		if (s->in[i].value)
			rc = check_reach(g, s, &s->in[i], &plan->in[i]);
	}
	if (!rc && plan->unit == PLAN_MATRIX)
		rc = check_product(g, s, plan, m);
	if (!rc && plan->unit == PLAN_MATRIX)
		rc = check_pixels(g, s, plan, &p->layout[s->out.value->id]);
	return rc;
}

int plans_check(const struct graph *g, const struct plans *p, const struct rondo_machine *machine)
{
	int rc = 0;

	for (int i = 0; i < p->stages->count && !rc; i++)
		rc = check_plan(g, p, p->stages->at[i], &p->at[i], machine);
	return rc;
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void print_layout(const struct layout *l, FILE *out)
{
	fprintf(out, "%" PRIu64 " bytes, +%" PRId64 " [", l->bytes, l->base);
	for (int i = 0; i < l->rank; i++)
		fprintf(out, "%s%" PRId64, i ? ", " : "", l->stride[i]);
	fprintf(out, "]");
	if (l->halo)
		fprintf(out, ", halo of %g", (double)l->fill);
	fprintf(out, "\n");
}

static void print_product(const struct plan *p, FILE *out)
{
	fprintf(out, "  strips of %" PRId64 " x %" PRId64 ", %s, %d outer loops, pushes of",
		p->strip.h, p->strip.w, p->unrolled ? "unrolled" : "in a loop", p->looped);
	for (int k = 0; k < p->k.n; k++)
		fprintf(out, " %d", p->k.k[k].count);
	fprintf(out, "\n");
	if (p->pixels[0] * p->pixels[1] > 1)
		fprintf(out, "  %" PRId64 " x %" PRId64 " pixels in the lanes\n", p->pixels[0],
			p->pixels[1]);
	if (p->piece)
		fprintf(out, "  weights in pieces of %" PRIu64 " bytes, %d ahead\n", p->piece,
			p->ahead);
}

static void print_tiles(const struct stage *s, const struct plan *p, FILE *out)
{
	int free = s->dims - s->reduced;

	fprintf(out, "  tiles of");
	for (int d = 0; d < (p->cut_sums ? s->dims : free); d++) {
		if (d == free)
			fprintf(out, " |");
		if (s->size[d] > 1)
			fprintf(out, " %s=%" PRId64 "/%" PRId64, s->name[d], p->tile[d],
				s->size[d]);
	}
	fprintf(out, "\n");
}

static void print_plan(const struct plans *p, int i, FILE *out)
{
	static const char *const units[] = {
		[PLAN_MATRIX] = "matrix unit",
		[PLAN_VECTOR] = "vector units",
		[PLAN_ALIAS] = "alias",
	};
	const struct stage *s = p->stages->at[i];
	const struct plan *plan = &p->at[i];

	fprintf(out, "plan \"%s\": %s\n", s->node->name, units[plan->unit]);
	if (plan->unit == PLAN_MATRIX)
		print_product(plan, out);
	if (p->maker[s->out.value->id] != PLAN_NO_STAGE)
		fprintf(out, "  made box by box\n");
	else if (plan->tiled)
		print_tiles(s, plan, out);
	for (int k = 0; k < STAGE_INPUTS; k++) {
		if (!s->in[k].value)
			continue;
		fprintf(out, "  in \"%s\"%s: ", s->in[k].value->name,
			p->outside[s->in[k].value->id] ? " outside" : "");
		print_layout(&plan->in[k], out);
	}
	fprintf(out, "  out \"%s\"%s: ", s->out.value->name,
		p->outside[s->out.value->id] ? " outside" : "");
	print_layout(&p->layout[s->out.value->id], out);
}

void plans_print(const struct plans *p, FILE *out)
{
	for (int i = 0; i < p->stages->count; i++)
		print_plan(p, i, out);
}
