// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The weights of several pixels of a row in the lanes, where they cannot slide (plan_spreads()):
 * those of one pixel come in, and are stored at the columns of each, at its own taps, over the
 * weight that counts for nothing.
 */
#include "compiler/lower_quantised.h"
#include "compiler/plan.h"

enum { BYTES = 4 };

struct spread {
	s64 lanes, columns, own; /* of all pixels, of one */
	s64 window[2], taps; /* rows, and rows of weights of each; of them those of one pixel, */
	s64 step; /* and from each pixel to the next */
};

static struct spread spread_of(const struct stage *packed, const struct rondo_machine *m)
{
	int first = packed->dims - packed->reduced;
	s64 deep = stage_containers(packed), pixels = packed->pixels[1];
	struct spread s = { .lanes = m->lanes, .columns = packed->size[first - 1] };

	s.own = s.columns / pixels;
	s.window[0] = packed->size[first];
	s.window[1] = packed->size[first + 1] * deep;
	s.step = packed->pixel_taps[1] * deep;
	s.taps = s.window[1] - (pixels - 1) * s.step;
	return s;
}

/* Where (row, column) is: column tiles are dense, one behind the other. */
static s64 place(const struct spread *s, s64 row, s64 column, s64 *pitch)
{
	s64 n = column / s->lanes * s->lanes, left = s->columns - n;

	*pitch = left < s->lanes ? left : s->lanes;
	return n * s->window[0] * s->window[1] + row * *pitch + column - n;
}

/* Weights of the first pixel out of @all. */
static void pick(const struct spread *s, const u32 *all, u32 *to)
{
	s64 pitch;

	for (s64 y = 0; y < s->window[0]; y++) {
		for (s64 x = 0; x < s->taps; x++) {
			for (s64 o = 0; o < s->own; o++)
				*to++ = all[place(s, y * s->window[1] + x, o, &pitch)];
		}
	}
}

static void fill(struct mir *m, mir_buf buf, s64 containers, s64 lanes, vreg v)
{
	struct mir_ref ref = mir_ref(buf, 0);
	int depth = mir_loop(m, (u64)(containers / lanes));

	ref.stride[depth] = (s32)(lanes * BYTES);
	mir_store(m, v, ref, (int)lanes);
	mir_end(m);
	if (containers % lanes)
		mir_store(m, v, mir_ref(buf, containers / lanes * lanes * BYTES),
			  (int)(containers % lanes));
}

/* Stores @n of the columns of a pixel, from @from on, where columns from @column on are. */
static void copy(struct mir *m, const struct spread *s, struct mir_ref from, mir_buf buf,
		 s64 column, s64 n)
{
	s64 pixel = column / s->own, pitch, to = place(s, pixel * s->step, column, &pitch);
	struct mir_ref ref = mir_ref(buf, to * BYTES);
	int y = mir_loop(m, (u64)s->window[0]), x = mir_loop(m, (u64)s->taps);

	from.offset += column % s->own * BYTES;
	from.stride[y] = (s32)(s->taps * s->own * BYTES);
	from.stride[x] = (s32)(s->own * BYTES);
	ref.stride[y] = (s32)(s->window[1] * pitch * BYTES);
	ref.stride[x] = (s32)(pitch * BYTES);
	mir_store(m, mir_load(m, RONDO_OP_ld_w, from, (int)n), ref, (int)n);
	mir_end(m);
	mir_end(m);
}

mir_buf lower_spread(struct lowering *l, const struct stage *packed, const u32 *all, u32 nothing)
{
	const struct spread s = spread_of(packed, l->machine);
	s64 containers = s.window[0] * s.window[1] * s.columns, n;
	struct mir_ref from;
	void *room;
	mir_buf buf;

	from = lower_const(l, NULL, (u64)(s.window[0] * s.taps * s.own * BYTES), &room);
	if (room)
		pick(&s, all, room);
	buf = mir_buffer(&l->mir, MIR_BUF_VALUE, l->node_name, (u64)containers * BYTES);
	fill(&l->mir, buf, containers, s.lanes, lower_s32(l, (s32)nothing));
	for (s64 column = 0; column < s.columns; column += n) {
		s64 left = s.lanes - column % s.lanes;

		n = s.own - column % s.own;
		n = n < left ? n : left;
		copy(&l->mir, &s, from, buf, column, n);
	}
	return buf;
}
