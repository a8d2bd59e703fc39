// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Convolutions whose channels do not mix, on the vector units: channels lie in the lanes, and,
 * where they are few, those of several pixels of a row.
 *
 * For as many channels as there are lanes, the weights of all taps stay in registers; for each
 * pixel each tap is a load and a multiply-add. Bias and bounds are one operation more if there are
 * bounds, else the sum begins with the bias.
 */
#include "compiler/lower_depthwise.h"

#include <math.h>

enum { BYTES = 4 };

struct depthwise {
	const struct stage *s;
	struct operand_at x, y;
	struct mir_ref weights; /* [tap][channel], of all channels of the convolution */
	s64 channels; /* how many these are */
	struct mir_ref bias; /* buf MIR_NO_BUF: there is none */
	vreg weight[PLAN_TAPS_MAX];
	vreg begin; /* of each sum */
	vreg params; /* bias and bounds, or VREG_NONE */
};

static s64 count_taps(const struct stage *s)
{
	return s->size[KY] * s->size[KX];
}

/* The weights [channel][1][ky][kx] by tap. */
static struct mir_ref weights_by_tap(struct lowering *l, const struct stage *s)
{
	s64 taps = count_taps(s), channels = s->in[1].value->shape.dim[0];
	const float *from = s->in[1].value->data;
	void *room;
	struct mir_ref ref = lower_const(l, NULL, taps * channels * BYTES, &room);
	float *to = room;

	for (s64 c = 0; to && c < channels; c++)
		for (s64 t = 0; t < taps; t++)
			to[t * channels + c] = from[c * taps + t];
	ref.offset += s->in[1].at[0] * BYTES;
	return ref;
}

static vreg load_bias(struct lowering *l, const struct depthwise *d,
		      const struct depthwise_lanes *lanes)
{
	if (d->bias.buf == MIR_NO_BUF)
		return mir_movi(&l->mir, 0);
	return depthwise_load(&l->mir, d->bias, lanes);
}

/* rq_f32's parameters: bias, low, high. */
static vreg load_params(struct lowering *l, const struct depthwise *d,
			const struct depthwise_lanes *lanes)
{
	const float bounds[] = { d->s->lo, d->s->hi };
	struct mir *m = &l->mir;
	vreg params = mir_vreg3(m);
	int count = depthwise_count(lanes);

	if (d->bias.buf == MIR_NO_BUF)
		mir_load_part(m, params, 0, RONDO_OP_ldb_w, lower_scalar(l, 0), count);
	else
		depthwise_load_part(m, params, 0, d->bias, lanes);
	for (int i = 0; i < 2; i++)
		mir_load_part(m, params, 1 + i, RONDO_OP_ldb_w, lower_scalar(l, bounds[i]), count);
	return params;
}

/* What stays in registers for the channels in the lanes. */
static void load_constants(struct lowering *l, const struct depthwise_lanes *lanes, void *arg)
{
	struct depthwise *d = arg;
	bool bounded = d->s->lo > -INFINITY || d->s->hi < INFINITY;

	for (s64 t = 0; t < count_taps(d->s); t++) {
		struct mir_ref ref = d->weights;

		ref.offset += t * d->channels * BYTES;
		d->weight[t] = depthwise_load(&l->mir, ref, lanes);
	}
	d->params = bounded ? load_params(l, d, lanes) : VREG_NONE;
	d->begin = bounded ? mir_movi(&l->mir, 0) : load_bias(l, d, lanes);
}

/* ---- Lanes ----------------------------------------------------------------------------------- */

static struct depthwise_lanes lanes_from(const struct stage *s, const struct operand_at *x,
					 const struct operand_at *y, s64 first, int lanes)
{
	s64 left = s->size[CHANNEL] - first, width = s->size[COLUMN], vectors;
	struct depthwise_lanes d = { .first = first, .pixels = 1 };
	bool dense = plan_stride(&s->in[0], &x->layout, CHANNEL) == x->layout.element &&
		     plan_stride(&s->out, &y->layout, CHANNEL) == y->layout.element;

	d.channels = (int)(left < lanes ? left : lanes);
	if (!dense) /* a lane pattern takes them together, and none is left for pixels */
		return d;
	vectors = (width + lanes / d.channels - 1) / (lanes / d.channels);
	d.pixels = (int)((width + vectors - 1) / vectors);
	return d;
}

struct mir_ref depthwise_ref(const struct stage_access *a, const struct operand_at *at, int depth,
			     const struct depthwise_lanes *d)
{
	s64 lane = plan_stride(a, &at->layout, CHANNEL),
	    pixel = plan_stride(a, &at->layout, COLUMN);
	s64 base = plan_base(a, &at->layout) + d->first * lane + d->column * pixel;
	struct mir_ref ref = mir_ref(at->buf, base);

	ref.stride[depth] = (s32)plan_stride(a, &at->layout, IMAGE);
	ref.stride[depth + 1] = (s32)plan_stride(a, &at->layout, ROW);
	ref.stride[depth + 2] = (s32)(pixel * d->pixels);
	if (lane != at->layout.element) {
		ref.seg_len = 1;
		ref.seg_stride = (s32)lane;
	} else if (d->pixels > 1 && pixel != lane * d->channels) {
		ref.seg_len = (u16)d->channels;
		ref.seg_stride = (s32)pixel;
	}
	return ref;
}

struct mir_ref depthwise_channels(struct mir_ref ref, const struct depthwise_lanes *d, s64 element)
{
	ref.offset += d->first * element;
	if (d->pixels > 1) /* the same again */
		ref.seg_len = (u16)d->channels;
	return ref;
}

vreg depthwise_load(struct mir *m, struct mir_ref ref, const struct depthwise_lanes *d)
{
	return mir_load(m, RONDO_OP_ld_w, depthwise_channels(ref, d, BYTES), depthwise_count(d));
}

void depthwise_load_part(struct mir *m, vreg dst, int part, struct mir_ref ref,
			 const struct depthwise_lanes *d)
{
	mir_load_part(m, dst, part, RONDO_OP_ld_w, depthwise_channels(ref, d, BYTES),
		      depthwise_count(d));
}

/* All pixels, as many at a time as @d has; once more for what is left of each row. */
static void all_pixels(struct lowering *l, const struct stage *s, const struct depthwise_lanes *d,
		       const struct depthwise_work *work)
{
	struct depthwise_lanes lanes = *d;
	s64 left = s->size[COLUMN], trips;

	for (; left; left -= trips * lanes.pixels, lanes.column += trips * lanes.pixels) {
		int depth = mir_loop(&l->mir, s->size[IMAGE]);

		if (left < lanes.pixels)
			lanes.pixels = (int)left;
		trips = left / lanes.pixels;
		mir_loop(&l->mir, s->size[ROW]);
		mir_loop(&l->mir, trips);
		work->pixels(l, &lanes, depth, work->arg);
		for (int i = 0; i < 3; i++)
			mir_end(&l->mir);
	}
}

void depthwise_run(struct lowering *l, const struct stage *s, const struct operand_at *x,
		   const struct operand_at *y, const struct depthwise_work *work)
{
	for (s64 first = 0, next; first < s->size[CHANNEL]; first = next) {
		const struct depthwise_lanes lanes = lanes_from(s, x, y, first, l->machine->lanes);

		next = first + lanes.channels;
		work->load_constants(l, &lanes, work->arg);
		all_pixels(l, s, &lanes, work);
	}
}

/* ---- The convolution ------------------------------------------------------------------------- */

static void pixels(struct lowering *l, const struct depthwise_lanes *lanes, int depth, void *arg)
{
	const struct depthwise *d = arg;
	const struct stage *s = d->s;
	struct mir *m = &l->mir;
	struct mir_ref x = depthwise_ref(&s->in[0], &d->x, depth, lanes), tap;
	int count = depthwise_count(lanes);
	vreg sum = d->begin;

	for (s64 t = 0; t < count_taps(s); t++) {
		tap = x;
		tap.offset += t / s->size[KX] * plan_stride(&s->in[0], &d->x.layout, KY) +
			      t % s->size[KX] * plan_stride(&s->in[0], &d->x.layout, KX);
		sum = mir_v3(m, RONDO_OP_fma, mir_load(m, RONDO_OP_ld_w, tap, count), d->weight[t],
			     sum);
	}
	if (d->params != VREG_NONE)
		sum = mir_requantise(m, RONDO_OP_rq_f32, sum, d->params);
	mir_store_as(m, s->narrows ? RONDO_OP_st_bf16 : RONDO_OP_st_w, sum,
		     depthwise_ref(&s->out, &d->y, depth, lanes), count);
}

int lower_depthwise(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct depthwise d = { .s = s, .bias.buf = MIR_NO_BUF };
	const struct depthwise_work work = { load_constants, pixels, &d };
	struct operand_at bias;

	d.x = lower_input(l, s, p, 0);
	d.weights = weights_by_tap(l, s);
	d.channels = s->in[1].value->shape.dim[0];
	if (s->in[2].value) {
		bias = lower_input(l, s, p, 2);
		d.bias = mir_ref(bias.buf, plan_base(&s->in[2], &bias.layout));
	}
	d.y = lower_out(l, s);
	depthwise_run(l, s, &d.x, &d.y, &work);
	return 0;
}
