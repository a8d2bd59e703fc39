// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Convolutions whose channels do not mix, on the vector units: channels lie in the lanes.
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
	s64 first; /* channel of the tile, of those in the lanes */
	int lanes;
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

static struct mir_ref bias_ref(const struct depthwise *d)
{
	struct mir_ref ref = d->bias;

	ref.offset += d->first * BYTES;
	return ref;
}

static vreg load_bias(struct lowering *l, const struct depthwise *d)
{
	if (d->bias.buf == MIR_NO_BUF)
		return mir_movi(&l->mir, 0);
	return mir_load(&l->mir, RONDO_OP_ld_w, bias_ref(d), d->lanes);
}

/* rq_f32's parameters: bias, low, high. */
static vreg load_params(struct lowering *l, const struct depthwise *d)
{
	const float bounds[] = { d->s->lo, d->s->hi };
	struct mir *m = &l->mir;
	vreg params = mir_vreg3(m);

	if (d->bias.buf == MIR_NO_BUF)
		mir_load_part(m, params, 0, RONDO_OP_ldb_w, lower_scalar(l, 0), d->lanes);
	else
		mir_load_part(m, params, 0, RONDO_OP_ld_w, bias_ref(d), d->lanes);
	for (int i = 0; i < 2; i++)
		mir_load_part(m, params, 1 + i, RONDO_OP_ldb_w, lower_scalar(l, bounds[i]),
			      d->lanes);
	return params;
}

/* What stays in registers for the channels in the lanes. */
static void load_constants(struct lowering *l, struct depthwise *d)
{
	bool bounded = d->s->lo > -INFINITY || d->s->hi < INFINITY;

	for (s64 t = 0; t < count_taps(d->s); t++) {
		struct mir_ref ref = d->weights;

		ref.offset += (t * d->channels + d->first) * BYTES;
		d->weight[t] = mir_load(&l->mir, RONDO_OP_ld_w, ref, d->lanes);
	}
	d->params = bounded ? load_params(l, d) : VREG_NONE;
	d->begin = bounded ? mir_movi(&l->mir, 0) : load_bias(l, d);
}

struct mir_ref depthwise_ref(const struct stage_access *a, const struct operand_at *at, int depth,
			     s64 first)
{
	static const int loops[] = { IMAGE, ROW, COLUMN };
	s64 lane = plan_stride(a, &at->layout, CHANNEL);
	struct mir_ref ref = mir_ref(at->buf, plan_base(a, &at->layout) + first * lane);

	for (int i = 0; i < 3; i++)
		ref.stride[depth + i] = (s32)plan_stride(a, &at->layout, loops[i]);
	if (lane != at->layout.element) {
		ref.seg_len = 1;
		ref.seg_stride = (s32)lane;
	}
	return ref;
}

static void pixels(struct lowering *l, const struct depthwise *d)
{
	const struct stage *s = d->s;
	struct mir *m = &l->mir;
	int depth = mir_loop(m, s->size[IMAGE]);
	struct mir_ref x = depthwise_ref(&s->in[0], &d->x, depth, d->first), tap;
	vreg sum = d->begin;

	mir_loop(m, s->size[ROW]);
	mir_loop(m, s->size[COLUMN]);
	for (s64 t = 0; t < count_taps(s); t++) {
		tap = x;
		tap.offset += t / s->size[KX] * plan_stride(&s->in[0], &d->x.layout, KY) +
			      t % s->size[KX] * plan_stride(&s->in[0], &d->x.layout, KX);
		sum = mir_v3(m, RONDO_OP_fma, mir_load(m, RONDO_OP_ld_w, tap, d->lanes),
			     d->weight[t], sum);
	}
	if (d->params != VREG_NONE)
		sum = mir_requantise(m, RONDO_OP_rq_f32, sum, d->params);
	mir_store(m, sum, depthwise_ref(&s->out, &d->y, depth, d->first), d->lanes);
	for (int i = 0; i < 3; i++)
		mir_end(m);
}

int lower_depthwise(struct lowering *l, const struct stage *s, const struct plan *p)
{
	struct depthwise d = { .s = s, .bias.buf = MIR_NO_BUF };
	s64 channels = s->size[CHANNEL];
	struct operand_at bias;

	d.x = lower_input(l, s, p, 0);
	d.weights = weights_by_tap(l, s);
	d.channels = s->in[1].value->shape.dim[0];
	if (s->in[2].value) {
		bias = lower_input(l, s, p, 2);
		d.bias = mir_ref(bias.buf, plan_base(&s->in[2], &bias.layout));
	}
	d.y = lower_out(l, s);
	for (d.first = 0; d.first < channels; d.first += l->machine->lanes) {
		s64 left = channels - d.first;

		d.lanes = (int)(left < l->machine->lanes ? left : l->machine->lanes);
		load_constants(l, &d);
		pixels(l, &d);
	}
	return 0;
}
