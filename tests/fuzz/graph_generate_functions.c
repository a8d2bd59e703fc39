// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions along axes, of windows, and what networks are made of. */
#include "tests/fuzz/graph_generate.h"
#include "tests/fuzz/graph_generator.h"

#include <string.h>

static int new_axes(struct generator *g, const s64 *v, int n)
{
	struct shape s = { 1, { n } };
	char text[100] = "";

	for (int i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %lld",
			 (long long)v[i]);
	return new_numbers(g, &s, text, 0, DTYPE_S64);
}

static int new_image(struct generator *g, s64 channels)
{
	struct shape s = {
		4, { 1 + (s64)pick(g, 2), channels, 2 + (s64)pick(g, 6), 2 + (s64)pick(g, 6) }
	};

	return new_input(g, &s);
}

/* ---- Along axes ------------------------------------------------------------------------------ */

/* Some of the dimensions of @s, which become 1 in it. */
static int random_axes(struct generator *g, struct shape *s, s64 *axes)
{
	int n = 0;

	for (int d = 0; d < s->rank; d++) {
		if (!rarely(g, 2))
			continue;
		axes[n++] = d;
		s->dim[d] = 1;
	}
	return n;
}

/* A sum of integers, a maximum of anything, a sum of f32. */
static void make_over(struct generator *g, enum op op, bool exact)
{
	enum dtype t = exact && rarely(g, 2) ?
			       (enum dtype)ONE_OF(g, DTYPE_S8, DTYPE_U8, DTYPE_S32) :
			       DTYPE_F32;
	int x = exact_operand(g, t, 0, 5), n;
	struct shape s = *shape_of(g, x), to = s;
	s64 axes[TENSOR_RANK_MAX];

	n = random_axes(g, &to, axes);
	begin_node(g, op, &to,
		   made(t, op == OP_MAXOVER || op == OP_MINOVER ? 8 : INFINITY,
			t == DTYPE_F32 && op == OP_SUMOVER ? 1e-3 : 0));
	input(g, x);
	numbers(g, "axes", axes, n);
	end_node(g);
}

void make_SUMOVER(struct generator *g)
{
	make_over(g, OP_SUMOVER, true);
}

void make_MAXOVER(struct generator *g)
{
	make_over(g, OP_MAXOVER, true);
}

void make_MINOVER(struct generator *g)
{
	make_over(g, OP_MINOVER, true);
}

/* Few factors, so that all products are exact. */
static int factors(struct generator *g)
{
	return new_input(g, &(struct shape){ 2, { small_size(g), 4 } });
}

void make_PRODOVER(struct generator *g)
{
	int x = factors(g);
	s64 axis = 1;

	begin_node(g, OP_PRODOVER, &(struct shape){ 2, { shape_of(g, x)->dim[0], 1 } },
		   made(DTYPE_F32, 16, 0));
	input(g, x);
	numbers(g, "axes", &axis, 1);
	end_node(g);
}

void make_REDUCEPROD(struct generator *g)
{
	int x = factors(g);

	begin_node(g, OP_REDUCEPROD, &(struct shape){ 1, { shape_of(g, x)->dim[0] } },
		   made(DTYPE_F32, 16, 0));
	input(g, x);
	fprintf(g->to, " axes=-1 keepdims=0\n");
}

static void make_reduce(struct generator *g, enum op op, double error)
{
	int x = exact_operand(g, DTYPE_F32, 0, 5), n, list = -1;
	struct shape s = *shape_of(g, x), to = s;
	s64 axes[TENSOR_RANK_MAX];
	bool keep = rarely(g, 2);

	n = random_axes(g, &to, axes);
	if (!n) { /* none are all */
		for (int d = 0; d < s.rank; d++)
			to.dim[d] = 1;
	} else {
		list = new_axes(g, axes, n);
	}
	if (!keep) {
		struct shape kept = { 0 };

		for (int d = 0, i = 0; d < s.rank; d++) {
			if (!n || (i < n && axes[i] == d))
				i++;
			else
				kept.dim[kept.rank++] = s.dim[d];
		}
		to = kept;
	}
	begin_node(g, op, &to, made(DTYPE_F32, INFINITY, error));
	input(g, x);
	if (list >= 0)
		input(g, list);
	fprintf(g->to, keep ? "\n" : " keepdims=0\n");
}

#define REDUCE(id, error)                       \
	void make_##id(struct generator *g)     \
	{                                       \
		make_reduce(g, OP_##id, error); \
	}
REDUCE(REDUCESUM, 2e-3)
REDUCE(REDUCEMEAN, 1e-5)
REDUCE(REDUCEMAX, 0)
REDUCE(REDUCEMIN, 0)
REDUCE(REDUCEL1, 2e-2)
REDUCE(REDUCEL2, 1e-3)
REDUCE(REDUCELOGSUMEXP, 1e-4)
REDUCE(REDUCESUMSQUARE, 2e-2)

/* The sums are not near zero. */
void make_REDUCELOGSUM(struct generator *g)
{
	struct shape s = { 2, { small_size(g), 5 } };
	int x = new_input(g, &s), y;

	y = begin_node(g, OP_SOFTPLUS, &s, made(DTYPE_F32, INFINITY, 1e-5));
	input(g, x);
	end_node(g);
	begin_node(g, OP_REDUCELOGSUM, &(struct shape){ 2, { s.dim[0], 1 } },
		   made(DTYPE_F32, INFINITY, 1e-4));
	input(g, y);
	fprintf(g->to, " axes=1\n");
}

static void make_arg(struct generator *g, enum op op)
{
	enum dtype t = (enum dtype)ONE_OF(g, DTYPE_F32, DTYPE_S8, DTYPE_S32);
	int x = exact_operand(g, t, 1, 4), axis = (int)pick(g, (u32)shape_of(g, x)->rank);
	struct shape to = *shape_of(g, x);

	to.dim[axis] = 1;
	begin_node(g, op, &to, made(DTYPE_S64, 1e9, 0));
	input(g, x);
	fprintf(g->to, " axis=%d%s\n", axis, rarely(g, 2) ? " select_last_index=1" : "");
}

void make_ARGMAX(struct generator *g)
{
	make_arg(g, OP_ARGMAX);
}

void make_ARGMIN(struct generator *g)
{
	make_arg(g, OP_ARGMIN);
}

void make_HARDMAX(struct generator *g)
{
	int x = exact_operand(g, DTYPE_F32, 1, 4);
	struct shape s = *shape_of(g, x);

	begin_node(g, OP_HARDMAX, &s, made(DTYPE_F32, 1, 0));
	input(g, x);
	fprintf(g->to, " axis=%d\n", (int)pick(g, (u32)s.rank));
}

void make_TOPK(struct generator *g)
{
	int x = exact_operand(g, DTYPE_F32, 1, 3), axis = (int)pick(g, (u32)shape_of(g, x)->rank);
	struct value_made like = g->value[x], index;
	s64 size = like.shape.dim[axis], k = 1 + (s64)pick(g, size < 4 ? (u32)size : 4);
	int list = new_axes(g, &k, 1), v, w;

	like.shape.dim[axis] = k;
	like.is_const = like.used = false;
	index = like;
	index.dtype = DTYPE_S64;
	v = add_value(g, like);
	w = add_value(g, index);
	fprintf(g->to, "node %%%d \"v%d\" ?, %%%d \"v%d\" ? = TopK \"n%d\"", v, v, w, w, v);
	input(g, x);
	input(g, list);
	fprintf(g->to, " axis=%d%s\n", axis, rarely(g, 2) ? " largest=0" : "");
}

void make_CUMSUM(struct generator *g)
{
	static const char *const forms[] = { "", " exclusive=1", " reverse=1",
					     " exclusive=1 reverse=1" };
	int x = exact_operand(g, DTYPE_F32, 1, 3), at;
	struct shape s = *shape_of(g, x), scalar = { 0 };

	at = new_numbers(g, &scalar, "0", 0, DTYPE_S64);
	begin_node(g, OP_CUMSUM, &s, made(DTYPE_F32, INFINITY, 0));
	input(g, x);
	input(g, at);
	fprintf(g->to, "%s\n", forms[pick(g, 4)]);
}

void make_CUMPROD(struct generator *g)
{
	struct shape s = { 2, { 4, small_size(g) } }, scalar = { 0 };
	int x = new_input(g, &s), at = new_numbers(g, &scalar, "0", 0, DTYPE_S64);

	begin_node(g, OP_CUMPROD, &s, made(DTYPE_F32, 16, 0));
	input(g, x);
	input(g, at);
	fprintf(g->to, "%s\n", rarely(g, 2) ? " exclusive=1" : "");
}

/* ---- Normalisation --------------------------------------------------------------------------- */

/*
 * Neighbours that differ: 1, 2, 3 and so on are added to what is there, since a variance near zero
 * makes every rounding large.
 */
static int spread(struct generator *g, const struct shape *s)
{
	int x = new_input(g, s), v;
	int more = new_numbers(g, s, "1 -9 25 -49 81 -121 169", 169, DTYPE_F32);

	v = begin_node(g, OP_ADD, s, made(DTYPE_F32, 200, 0));
	input(g, x);
	input(g, more);
	end_node(g);
	return v;
}

void make_LAYERNORM(struct generator *g)
{
	struct shape s = { 3, { small_size(g), small_size(g), 2 + small_size(g) } },
		     last = { 1, { s.dim[2] } };
	int x = spread(g, &s), scale = new_const(g, &last), bias = new_input(g, &last);

	begin_node(g, OP_LAYERNORM, &s, made(DTYPE_F32, 100, 1e-4));
	input(g, x);
	input(g, scale);
	input(g, bias);
	end_node(g);
}

void make_RMSNORM(struct generator *g)
{
	struct shape s = { 2, { small_size(g), 2 + small_size(g) } }, last = { 1, { s.dim[1] } };
	int x = spread(g, &s), scale = new_const(g, &last);

	begin_node(g, OP_RMSNORM, &s, made(DTYPE_F32, 100, 1e-4));
	input(g, x);
	input(g, scale);
	end_node(g);
}

static void by_channel(struct generator *g, enum op op, const char *attrs)
{
	struct shape s = { 4, { 2, 4, 2 + small_size(g), 3 } }, channels = { 1, { 4 } };
	int x = spread(g, &s), scale = new_const(g, &channels), bias = new_const(g, &channels);

	begin_node(g, op, &s, made(DTYPE_F32, 100, 1e-4));
	input(g, x);
	input(g, scale);
	input(g, bias);
	fprintf(g->to, "%s\n", attrs);
}

void make_GROUPNORM(struct generator *g)
{
	by_channel(g, OP_GROUPNORM, " num_groups=2");
}

void make_INSTANCENORM(struct generator *g)
{
	by_channel(g, OP_INSTANCENORM, "");
}

/* A function of one input and its shape. */
static void one_input(struct generator *g, enum op op, int x, const char *attrs)
{
	struct shape s = *shape_of(g, x);

	begin_node(g, op, &s, made(DTYPE_F32, 100, 1e-4));
	input(g, x);
	fprintf(g->to, "%s\n", attrs);
}

void make_MVN(struct generator *g)
{
	one_input(g, OP_MVN, spread(g, &(struct shape){ 4, { 2, 3, 3, small_size(g) } }), "");
}

void make_LPNORM(struct generator *g)
{
	one_input(g, OP_LPNORM, exact_operand(g, DTYPE_F32, 1, 4),
		  rarely(g, 2) ? " p=1 axis=0" : "");
}

void make_LRN(struct generator *g)
{
	one_input(g, OP_LRN, new_image(g, small_size(g)), " size=3 alpha=0.5");
}

/* ---- Windows --------------------------------------------------------------------------------- */

static void global(struct generator *g, enum op op, double error)
{
	int x = new_image(g, small_size(g));
	struct shape s = *shape_of(g, x);

	begin_node(g, op, &(struct shape){ 4, { s.dim[0], s.dim[1], 1, 1 } },
		   made(DTYPE_F32, 100, error));
	input(g, x);
	end_node(g);
}

void make_GLOBALMAXPOOL(struct generator *g)
{
	global(g, OP_GLOBALMAXPOOL, 0);
}

void make_GLOBALLPPOOL(struct generator *g)
{
	global(g, OP_GLOBALLPPOOL, 1e-4);
}

void make_LPPOOL(struct generator *g)
{
	int x = new_image(g, small_size(g));
	struct shape s = *shape_of(g, x);

	begin_node(g, OP_LPPOOL,
		   &(struct shape){ 4, { s.dim[0], s.dim[1], s.dim[2] - 1, s.dim[3] } },
		   made(DTYPE_F32, 100, 1e-4));
	input(g, x);
	fprintf(g->to, " kernel=2,2 pads=0,0,0,1\n");
}

void make_CONVTRANSPOSE(struct generator *g)
{
	s64 channels = 2 * (1 + (s64)pick(g, 3)), maps = 1 + (s64)pick(g, 3),
	    group = ONE_OF(g, 1, 2);
	s64 stride = 1 + (s64)pick(g, 3), pad = (s64)pick(g, 2), kernel = 2 + (s64)pick(g, 2);
	int x = new_image(g, channels), w;
	struct shape s = *shape_of(g, x), to = s;

	w = new_const(g, &(struct shape){ 4, { channels, maps, kernel, kernel } });
	to.dim[1] = maps * group;
	for (int d = 2; d < 4; d++)
		to.dim[d] = (s.dim[d] - 1) * stride + kernel - 2 * pad;
	begin_node(g, OP_CONVTRANSPOSE, &to, made(DTYPE_F32, 1000, 1e-3));
	input(g, x);
	input(g, w);
	fprintf(g->to, " strides=%lld,%lld pads=%lld,%lld,%lld,%lld group=%lld\n",
		(long long)stride, (long long)stride, (long long)pad, (long long)pad,
		(long long)pad, (long long)pad, (long long)group);
}

void make_COL2IM(struct generator *g)
{
	struct shape s = { 3, { 1, 8, 12 } }, to = { 4, { 1, 2, 4, 5 } };
	int x = new_input(g, &s);
	int size = new_axes(g, (s64[]){ 4, 5 }, 2), block = new_axes(g, (s64[]){ 2, 2 }, 2);

	begin_node(g, OP_COL2IM, &to, made(DTYPE_F32, 8, 0));
	input(g, x);
	input(g, size);
	input(g, block);
	end_node(g);
}

/* ---- Losses ---------------------------------------------------------------------------------- */

static void make_loss(struct generator *g, enum op op)
{
	static const char *const forms[] = { " reduction=\"none\"", " reduction=\"sum\"", "",
					     " reduction=\"none\" ignore_index=1" };
	u32 form = pick(g, 4);
	struct shape s = { 3, { 2, 4, small_size(g) } }, at = { 2, { 2, s.dim[2] } };
	int x = new_input(g, &s), target = new_typed(g, &at, DTYPE_S64);

	begin_node(g, op, form % 3 ? &(struct shape){ 0 } : &at, made(DTYPE_F32, 1000, 1e-3));
	input(g, x);
	input(g, target);
	fprintf(g->to, "%s\n", forms[form]);
}

void make_NLLLOSS(struct generator *g)
{
	make_loss(g, OP_NLLLOSS);
}

void make_SCE(struct generator *g)
{
	make_loss(g, OP_SCE);
}

/* ---- Attention ------------------------------------------------------------------------------- */

void make_ATTENTION(struct generator *g)
{
	s64 batch = 1 + (s64)pick(g, 2), heads = ONE_OF(g, 1, 2), n = small_size(g),
	    m = small_size(g);
	struct shape q = { 4, { batch, 2 * heads, n, 4 } }, k = { 4, { batch, heads, m, 4 } };
	int a = new_input(g, &q), b = new_input(g, &k), c = new_input(g, &k);

	begin_node(g, OP_ATTENTION, &q, made(DTYPE_F32, 2, 1e-4));
	input(g, a);
	input(g, b);
	input(g, c);
	fprintf(g->to, "%s\n", rarely(g, 2) ? " is_causal=1" : rarely(g, 2) ? " softcap=2" : "");
}

void make_ROTARY(struct generator *g)
{
	struct shape s = { 4, { 2, 2, small_size(g), 8 } }, table = { 3, { 2, s.dim[2], 4 } };
	int x = new_input(g, &s), a = new_input(g, &table), b = new_const(g, &table);

	begin_node(g, OP_ROTARY, &s, made(DTYPE_F32, 8, 0));
	input(g, x);
	input(g, a);
	input(g, b);
	fprintf(g->to, "%s\n", rarely(g, 2) ? " interleaved=1" : "");
}

/* ---- Interpolation --------------------------------------------------------------------------- */

void make_RESIZE(struct generator *g)
{
	static const char *const forms[] = {
		"",
		" coordinates=\"asymmetric\" nearest_mode=\"floor\"",
		" mode=\"linear\"",
		" mode=\"linear\" coordinates=\"align_corners\"",
		" mode=\"linear\" antialias=1",
		" mode=\"cubic\"",
		" mode=\"cubic\" coordinates=\"pytorch_half_pixel\" exclude_outside=1",
	};
	int x = new_image(g, small_size(g)), sizes;
	struct shape to = *shape_of(g, x);

	to.dim[2] = 1 + (s64)pick(g, 12);
	to.dim[3] = 2 * to.dim[3];
	sizes = new_axes(g, to.dim, 4);
	begin_node(g, OP_RESIZE, &to, made(DTYPE_F32, 8, 1e-4));
	input(g, x);
	fprintf(g->to, " _ _");
	input(g, sizes);
	fprintf(g->to, "%s\n", forms[pick(g, sizeof(forms) / sizeof(forms[0]))]);
}

void make_UPSAMPLE(struct generator *g)
{
	int x = new_image(g, small_size(g)), scales;
	struct shape to = *shape_of(g, x), four = { 1, { 4 } };

	to.dim[2] *= 2;
	to.dim[3] *= 3;
	scales = new_numbers(g, &four, "1 1 2 3", 3, DTYPE_F32);
	begin_node(g, OP_UPSAMPLE, &to, made(DTYPE_F32, 8, 1e-4));
	input(g, x);
	input(g, scales);
	fprintf(g->to, "%s\n", rarely(g, 2) ? " mode=\"linear\"" : "");
}

/* A vector along one of the dimensions of the first operand. */
void make_ALIGN(struct generator *g)
{
	int x = operand(g, 1, 4), b;
	const struct shape *s = shape_of(g, x);
	s64 axis = (s64)pick(g, (u32)s->rank);
	struct shape to = { .rank = s->rank - (int)axis }, along = { 1, { s->dim[axis] } };

	for (int d = 0; d < to.rank; d++)
		to.dim[d] = d ? 1 : along.dim[0];
	if (along.dim[0] == 1)
		to.rank = 0;
	b = new_input(g, &along);
	begin_node(g, OP_ALIGN, &to, g->value[b]);
	input(g, x);
	input(g, b);
	fprintf(g->to, " axis=%d\n", (int)axis);
}

/* ---- Bodies, which no text holds: tests/unit/compiler_onnx_body_test.c -------------------------
 */

void make_IF(struct generator *g)
{
	make_IDENTITY(g);
}

void make_LOOP(struct generator *g)
{
	make_IDENTITY(g);
}

void make_SCAN(struct generator *g)
{
	make_IDENTITY(g);
}

void make_CALL(struct generator *g)
{
	make_IDENTITY(g);
}
