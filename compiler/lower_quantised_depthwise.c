// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Convolutions of bytes whose channels do not mix, as dot products of four taps. */
#include "compiler/lower_depthwise.h"
#include "compiler/quantised_weights.h"

enum { BYTES = 4, PER_CONTAINER = 4 };
enum { DOTS_MAX = 3 * QUANTISE_TAPS_MAX };

struct depthwise {
	const struct stage *s;
	struct quantised_weights w; /* of the whole convolution */
	s64 channels; /* of it */
	struct operand_at x, y;
	struct quantised_columns parameters;
	enum rondo_opcode dot;
	int groups; /* of up to four taps of a row of the window */
	int passes; /* weights are sums of so many bytes */
	struct mir_ref taps; /* bytes: [pass][ky][kx][channel] */
	vreg weight[DOTS_MAX];
	vreg params, begin;
};

/* What is left for byte @pass of the sum of bytes that @x is. */
static s32 part_of(s32 x, int pass)
{
	for (; pass; pass--)
		x -= x < INT8_MIN ? INT8_MIN : x > INT8_MAX ? INT8_MAX : x;
	return x < INT8_MIN ? INT8_MIN : x > INT8_MAX ? INT8_MAX : x;
}

/* Loads of weights for the channels in the lanes. */
static s64 word_count(const struct depthwise *d)
{
	return (s64)d->passes * d->s->size[KY] * d->groups;
}

static void make_tap_bytes(struct lowering *l, struct depthwise *d)
{
	s64 taps = d->s->size[KY] * d->s->size[KX], all = d->passes * taps * d->channels;
	void *room;
	u8 *to;

	d->taps = lower_const(l, NULL, (u64)all, &room);
	to = room;
	for (s64 i = 0; to && i < all; i++) {
		s64 c = i % d->channels, tap = i / d->channels % taps;
		s32 x = quantised_weight(&d->w, c, 0, tap / d->s->size[KX], tap % d->s->size[KX],
					 0);

		to[i] = (u8)part_of(x, (int)(i / d->channels / taps));
	}
}

/* How many taps of a row of the window there are from tap 4 * @group on, up to four. */
static u8 taps_of(const struct depthwise *d, s64 group)
{
	s64 left = d->s->size[KX] - group * PER_CONTAINER;

	return (u8)(left < PER_CONTAINER ? left : PER_CONTAINER);
}

/* The weights of load @i: four taps in a container. */
static vreg load_weights(struct mir *m, const struct depthwise *d, s64 i,
			 const struct depthwise_lanes *lanes)
{
	s64 group = i % d->groups, row = i / d->groups; /* of all passes */
	s64 tap = row * d->s->size[KX] + group * PER_CONTAINER;
	struct mir_ref ref = d->taps;
	vreg v = mir_vreg(m);
	struct mir_item *item;

	ref.offset += tap * d->channels + d->s->origin[CHANNEL];
	ref = depthwise_channels(ref, lanes, 1);
	item = mir_op(m, RONDO_OP_ld4);
	item->op.rows = taps_of(d, group);
	if (item->op.rows > 1)
		ref.pitch = (s32)d->channels;
	item->dst = v;
	item->ref = ref;
	item->op.count = (u8)depthwise_count(lanes);
	return v;
}

/* @ref from byte @offset on, which has a container for each channel, at those of the tile. */
static struct mir_ref columns_from(const struct depthwise *d, struct mir_ref ref, s64 offset)
{
	ref.offset += offset + d->s->origin[CHANNEL] * BYTES;
	return ref;
}

/* What stays in registers for the channels in the lanes. */
static void load_constants(struct lowering *l, const struct depthwise_lanes *lanes, void *arg)
{
	struct depthwise *d = arg;
	struct mir *m = &l->mir;

	for (s64 i = 0; i < word_count(d); i++)
		d->weight[i] = load_weights(m, d, i, lanes);
	if (!d->s->epilogue) {
		d->begin = depthwise_load(m, columns_from(d, d->parameters.ref, 0), lanes);
		return;
	}
	d->begin = mir_movi(m, 0);
	d->params = mir_vreg3(m);
	for (int i = 0; i < 3; i++) {
		struct mir_ref one = d->parameters.ref;

		one.offset += d->parameters.part[i];
		if (d->parameters.one[i])
			mir_load_part(m, d->params, i, RONDO_OP_ldb_w, one, depthwise_count(lanes));
		else
			depthwise_load_part(
				m, d->params, i,
				columns_from(d, d->parameters.ref, d->parameters.part[i]), lanes);
	}
}

/* Up to four taps of row @ky of the window, from tap 4 * @group on: a byte each. */
static vreg load_taps(struct lowering *l, const struct depthwise *d, struct mir_ref x, int count,
		      s64 ky, s64 group)
{
	s64 kx = group * PER_CONTAINER;
	s64 step = plan_stride(&d->s->in[0], &d->x.layout, KX);
	vreg v = mir_vreg(&l->mir);
	struct mir_item *item = mir_op(&l->mir, RONDO_OP_ld4);

	x.offset += ky * plan_stride(&d->s->in[0], &d->x.layout, KY) + kx * step;
	item->op.rows = taps_of(d, group);
	if (item->op.rows > 1)
		x.pitch = (s32)step;
	item->dst = v;
	item->ref = x;
	item->op.count = (u8)count;
	return v;
}

static void store(struct lowering *l, const struct depthwise *d, vreg sum, struct mir_ref to,
		  int count)
{
	const struct node *end = d->s->epilogue;

	if (!end) {
		mir_store(&l->mir, sum, to, count);
		return;
	}
	sum = mir_requantise(&l->mir, quantised_op(end), sum, d->params);
	mir_store_as(&l->mir, end->out[0]->dtype == DTYPE_S8 ? RONDO_OP_st_s8 : RONDO_OP_st_u8, sum,
		     to, count);
}

static void pixels(struct lowering *l, const struct depthwise_lanes *lanes, int depth, void *arg)
{
	const struct depthwise *d = arg;
	const struct stage *s = d->s;
	struct mir_ref x = depthwise_ref(&s->in[0], &d->x, depth, lanes);
	s64 taps = s->size[KY] * d->groups;
	int count = depthwise_count(lanes);
	vreg sum = d->begin;

	for (s64 t = 0; t < taps; t++) {
		vreg four = load_taps(l, d, x, count, t / d->groups, t % d->groups);

		for (int pass = 0; pass < d->passes; pass++)
			sum = mir_v3(&l->mir, d->dot, four, d->weight[pass * taps + t], sum);
	}
	store(l, d, sum, depthwise_ref(&s->out, &d->y, depth, lanes), count);
}

/* How many bytes the weights are sums of: one, but where their zero is far off. */
static int count_passes(const struct quantised_weights *w)
{
	int passes = 1;

	while (part_of(w->lo, passes) || part_of(w->hi, passes))
		passes++;
	return passes;
}

int lower_quantised_depthwise(struct lowering *l, const struct stage *s, const struct plan *p)
{
	const struct stage *whole = s->whole ? s->whole : s;
	struct depthwise d = { .s = s,
			       .w = quantised_weights_of(whole, CHANNEL + 1),
			       .channels = whole->size[CHANNEL],
			       .params = VREG_NONE };
	const struct depthwise_work work = { load_constants, pixels, &d };
	int rc = quantised_check_zeros(l, s);

	if (rc)
		return rc;
	d.x = lower_input(l, s, p, 0);
	d.parameters = quantised_parameters(l, &d.w);
	d.groups = (int)((s->size[KX] + PER_CONTAINER - 1) / PER_CONTAINER);
	for (s64 c = 0; c < d.channels; c++)
		quantised_sum_column(&d.w, c, 0);
	d.passes = count_passes(&d.w);
	d.dot = s->in[0].value->dtype == DTYPE_S8 ? RONDO_OP_dot4_ss : RONDO_OP_dot4_us;
	make_tap_bytes(l, &d);
	d.y = lower_out(l, s);
	depthwise_run(l, s, &d.x, &d.y, &work);
	return 0;
}
