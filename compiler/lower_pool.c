// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * MaxPool and AveragePool: for each vector of results, all taps of the window, then one operation
 * to join each of them. The input is channels-last and padded with what does not change the result.
 * Results of a maximum below each other share the rows that their windows have in common.
 */
#include "compiler/lower.h"
#include "compiler/map.h"
#include "compiler/quantise.h"
#include "compiler/window.h"

enum {
	BYTES = 4,
	TAPS_UNROLLED = 64,
	SHARING_MAX = 32,
	SUMS = 4, /* that grow side by side */
	TABLE_PART = 8, /* of SRAM, for divisors at most */
};

struct body {
	bool max;
	bool bytes; /* in integers */
	s64 kernel[2], step[2]; /* taps, and bytes between them: rows, pixels */
	vreg least; /* a maximum begins with it */
	s64 results; /* below each other that are made together; their windows begin */
	s64 apart; /* so many rows of taps apart, */
	s64 down; /* and they lie so many bytes apart */
	vreg divisor; /* of an average; VREG_NONE: operand 2 of the map */
};

static enum rondo_opcode join_op(const struct body *b)
{
	if (b->bytes)
		return RONDO_OP_max;
	return b->max ? RONDO_OP_fmax : RONDO_OP_fadd;
}

static vreg load_tap(struct mir *m, const struct map *map, const struct body *b, s64 tap)
{
	return map_load(m, map, 1,
			tap / b->kernel[1] * b->step[0] + tap % b->kernel[1] * b->step[1]);
}

/* Joins taps [@tap, @end) to @sum, in their order. */
static vreg join(struct mir *m, const struct map *map, const struct body *b, vreg sum, s64 tap,
		 s64 end)
{
	for (; tap < end; tap++)
		/* The sum comes second: fmax gives that when the tap is NaN. */
		sum = mir_v2(m, join_op(b), load_tap(m, map, b, tap), sum);
	return sum;
}

/* All taps; a long sum is several, so that none waits for its last addition. */
static vreg unrolled(struct mir *m, const struct map *map, const struct body *b)
{
	s64 taps = b->kernel[0] * b->kernel[1];
	vreg sum[SUMS];

	if (b->max)
		return join(m, map, b, b->least, 0, taps);
	if (taps < 4 * SUMS)
		return join(m, map, b, load_tap(m, map, b, 0), 1, taps);
	for (s64 i = 0; i < SUMS; i++)
		sum[i] = load_tap(m, map, b, i);
	for (s64 i = SUMS; i < taps; i++)
		sum[i % SUMS] = join(m, map, b, sum[i % SUMS], i, i + 1);
	return mir_v2(m, join_op(b), mir_v2(m, join_op(b), sum[0], sum[1]),
		      mir_v2(m, join_op(b), sum[2], sum[3]));
}

/* Windows too large to unroll: a loop over the taps. */
static vreg looped(struct mir *m, const struct map *map, const struct body *b)
{
	struct map tap = *map;
	vreg sum = b->max ? mir_v1(m, RONDO_OP_mov, b->least) : mir_movi(m, 0);
	int d;

	for (d = 0; d < 2; d++) {
		int depth = mir_loop(m, b->kernel[d]);

		tap.ref[1].stride[depth] = b->step[d];
	}
	mir_v2_into(m, sum, join_op(b), map_load(m, &tap, 1, 0), sum);
	mir_end(m);
	mir_end(m);
	return sum;
}

/* The maximum of row @row of taps. */
static vreg row_maximum(struct mir *m, const struct map *map, const struct body *b, s64 row)
{
	s64 first = row * b->kernel[1], end = first + b->kernel[1];

	/* A row may begin with a NaN, unless it is of integers. */
	if (b->bytes)
		return join(m, map, b, load_tap(m, map, b, first), first + 1, end);
	return join(m, map, b, b->least, first, end);
}

/* Row by row, each once: the first of equal elements is taken, as by one window alone. */
static void shared_maxima(struct mir *m, const struct map *map, const struct body *b)
{
	vreg row[SHARING_MAX * TAPS_UNROLLED];
	struct map to = *map;
	s64 done = 0;

	for (s64 i = 0; i < b->results; i++) {
		s64 first = i * b->apart, end = first + b->kernel[0];
		vreg y;

		for (; done < end; done++)
			row[done] = row_maximum(m, map, b, done);
		y = row[first];
		for (s64 r = first + 1; r < end; r++)
			y = mir_v2(m, join_op(b), row[r], y);
		map_store(m, &to, 0, y);
		to.ref[0].offset += b->down;
	}
}

static void pool_body(struct mir *m, const struct map *map, void *arg)
{
	const struct body *b = arg;
	bool small = b->kernel[0] * b->kernel[1] <= TAPS_UNROLLED;
	vreg x;

	if (b->results > 1) {
		shared_maxima(m, map, b);
		return;
	}
	x = small ? unrolled(m, map, b) : looped(m, map, b);
	if (!b->max)
		x = mir_v2(m, RONDO_OP_fdiv, x,
			   b->divisor == VREG_NONE ? map_load(m, map, 2, 0) : b->divisor);
	map_store(m, map, 0, x);
}

/*
 * Divisors [out y][out x][channel] of the whole node, so that they are read as the results are
 * written; @channels is 1 where a row of channels fills the lanes.
 */
static struct mir_ref divisor_table(struct lowering *l, const struct window *w, bool include_pad,
				    s64 channels)
{
	s64 h = w->axis[0].out, width = w->axis[1].out, y, x, c;
	void *room;
	struct mir_ref ref = lower_const(l, NULL, h * width * channels * BYTES, &room);
	float *f = room;

	if (!f)
		return ref;
	for (y = 0; y < h; y++)
		for (x = 0; x < width; x++)
			for (c = 0; c < channels; c++)
				*f++ = window_divisor(w, include_pad, y, x);
	return ref;
}

enum { IMAGE, ROW, COLUMN, CHANNEL, KY, KX }; /* the dimensions of its domain */

/* How many results of a maximum below each other are made together, of @rows. */
static void choose_sharing(const struct stage *s, s64 rows, const struct operand_at *x,
			   const struct operand_at *y, struct body *b)
{
	s64 stride = plan_stride(&s->in[0], &x->layout, ROW);

	b->results = 1;
	b->down = plan_stride(&s->out, &y->layout, ROW);
	if (!b->max || !b->step[0] || b->kernel[0] * b->kernel[1] > TAPS_UNROLLED ||
	    stride % b->step[0])
		return;
	b->apart = stride / b->step[0];
	for (s64 n = 2; n <= SHARING_MAX && b->apart < b->kernel[0]; n++) {
		if (rows % n == 0)
			b->results = n;
	}
}

/* A pool while it is lowered. */
struct pool {
	const struct stage *s;
	struct operand_at x, y;
	struct body b;
	struct map map;
	s64 table[CHANNEL + 1]; /* strides of the table of divisors */
	struct window w;
};

/* The results of @size rows and columns from @at on. */
static void lower_part(struct lowering *l, const struct pool *p, const s64 at[2], const s64 size[2])
{
	const struct stage *s = p->s;
	struct map map = p->map;
	struct body b = p->b;

	map.arg = &b;
	choose_sharing(s, size[0], &p->x, &p->y, &b);
	for (int d = IMAGE; d <= CHANNEL; d++) {
		bool cut = d == ROW || d == COLUMN;
		s64 by = d == ROW ? b.results : 1, y = plan_stride(&s->out, &p->y.layout, d);
		s64 x = plan_stride(&s->in[0], &p->x.layout, d);

		if (cut) {
			map.operand[0].offset += at[d - ROW] * y;
			map.operand[1].offset += at[d - ROW] * x;
		}
		map_dim(&map, (cut ? size[d - ROW] : s->size[d]) / by,
			(s64[]){ y * by, x * by, p->table[d] * by });
	}
	map_run(&l->mir, l->machine->lanes, &map);
}

/* How many results of the stage from number @at on along dimension @d have as many cells each. */
static s64 alike_from(const struct pool *p, int d, s64 at)
{
	const struct window_axis *axis = &p->w.axis[d - ROW];
	bool pads = p->s->node->attrs.count_include_pad;
	s64 origin = p->s->origin[d], n = 1;

	while (at + n < p->s->size[d] &&
	       window_cells(axis, pads, origin + at + n) == window_cells(axis, pads, origin + at))
		n++;
	return n;
}

/* Part by part, each of one divisor: edges are few. */
static void lower_parts(struct lowering *l, struct pool *p)
{
	bool pads = p->s->node->attrs.count_include_pad;
	const s64 *origin = &p->s->origin[ROW];
	s64 at[2], size[2];

	for (at[0] = 0; at[0] < p->s->size[ROW]; at[0] += size[0]) {
		size[0] = alike_from(p, ROW, at[0]);
		for (at[1] = 0; at[1] < p->s->size[COLUMN]; at[1] += size[1]) {
			s64 cells =
				window_divisor(&p->w, pads, origin[0] + at[0], origin[1] + at[1]);

			size[1] = alike_from(p, COLUMN, at[1]);
			p->b.divisor = lower_f32(l, (float)cells, l->machine->lanes);
			lower_part(l, p, at, size);
		}
	}
}

/* Whether the divisors of all results are too much for SRAM, or would have to move with tiles. */
static bool takes_parts(const struct lowering *l, const struct pool *p, s64 channels)
{
	const struct window_axis *axis = p->w.axis;

	return l->roll.active ||
	       (u64)(axis[0].out * axis[1].out * channels * BYTES) > l->sram / TABLE_PART;
}

/* Divisors that are not all the same; false: they are looked at part by part. */
static bool add_divisors(struct lowering *l, struct pool *p)
{
	s64 channels = p->s->out.value->shape.dim[1];
	bool broadcast = channels >= l->machine->lanes;
	struct mir_ref ref;

	if (takes_parts(l, p, broadcast ? 1 : channels))
		return false;
	ref = divisor_table(l, &p->w, p->s->node->attrs.count_include_pad,
			    broadcast ? 1 : channels);
	p->table[CHANNEL] = broadcast ? 0 : BYTES;
	p->table[COLUMN] = broadcast ? BYTES : channels * BYTES;
	p->table[ROW] = p->w.axis[1].out * p->table[COLUMN];
	for (int d = IMAGE; d <= CHANNEL; d++)
		ref.offset += p->s->origin[d] * p->table[d];
	p->map.operands = 3;
	p->map.operand[2] = (struct map_operand){ ref.buf, ref.offset, MAP_WORDS };
	return true;
}

int lower_pool(struct lowering *l, const struct stage *s, const struct plan *plan)
{
	bool include_pad = s->node->attrs.count_include_pad, parts = false;
	enum dtype dtype = s->out.value->dtype;
	struct pool p = { .s = s,
			  .x = lower_input(l, s, plan, 0),
			  .y = lower_out(l, s),
			  .b = { .max = s->node->op == OP_MAXPOOL,
				 .bytes = dtype != DTYPE_F32,
				 .divisor = VREG_NONE },
			  .map = { .operands = 2, .body = pool_body } };

	window_of(l->g, s->node, &p.w);
	for (int d = 0; d < 2; d++) {
		p.b.kernel[d] = s->size[KY + d];
		p.b.step[d] = plan_stride(&s->in[0], &p.x.layout, KY + d);
	}
	p.map.operand[0] = (struct map_operand){ p.y.buf, plan_base(&s->out, &p.y.layout),
						 lower_type(s->out.value) };
	p.map.operand[1] = (struct map_operand){ p.x.buf, plan_base(&s->in[0], &p.x.layout),
						 lower_type(s->in[0].value) };
	if (p.b.bytes)
		p.b.least = mir_movi(&l->mir, quantise_least(dtype));
	else if (p.b.max)
		p.b.least = lower_f32(l, s->lo, l->machine->lanes);
	else if (window_divisor_is_uniform(&p.w, include_pad))
		p.b.divisor =
			lower_f32(l, window_divisor(&p.w, include_pad, 0, 0), l->machine->lanes);
	else
		parts = !add_divisors(l, &p);
	if (parts)
		lower_parts(l, &p);
	else
		lower_part(l, &p, (s64[]){ 0, 0 }, &s->size[ROW]);
	return 0;
}
