// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Random operators on bytes, and sums of them. */
#include "tests/fuzz/graph_generator.h"

#include <stdlib.h>
#include <string.h>

static const char byte_values[] = "-100 7 -3 55 0 90 -64 1 33", *const zeros[] = { "0", "3", "77" };

static enum dtype byte_type(struct generator *g)
{
	return rarely(g, 2) ? DTYPE_S8 : DTYPE_U8;
}

/* A value of bytes of @low to @high dimensions; integers have no error. */
static int byte_operand(struct generator *g, int low, int high)
{
	struct value_made like = { .dtype = byte_type(g), .most = 255, .grid = 1 };
	int tries, v;

	for (tries = 0; g->n && tries < 8; tries++) {
		const struct value_made *of;

		v = pick(g, g->n);
		of = &g->value[v];
		if ((of->dtype == DTYPE_U8 || of->dtype == DTYPE_S8) && !of->is_const &&
		    of->shape.rank >= low && of->shape.rank <= high &&
		    shape_elems(&of->shape) <= ELEMENTS / 4)
			return v;
	}
	like.shape = random_shape(g, low + (int)pick(g, high - low + 1));
	while (shape_elems(&like.shape) > ELEMENTS / 4)
		for (int i = 0; i < like.shape.rank; i++)
			like.shape.dim[i] = (like.shape.dim[i] + 1) / 2;
	v = add_value(g, like);
	fprintf(g->to, "input %%%d \"v%d\" ", v, v);
	print_type(g, v);
	fprintf(g->to, "\n");
	return v;
}

/* Weights of bytes, in s8: a constant or not. */
static int byte_weights(struct generator *g, const struct shape *s)
{
	return rarely(g, 4) ? new_typed(g, s, DTYPE_S8) :
			      new_numbers(g, s, byte_values, 128, DTYPE_S8);
}

/* A scalar, or one for each of @channels if that is not 0. */
static struct shape parameter_shape(struct generator *g, s64 channels)
{
	struct shape s = { .rank = channels && rarely(g, 2), .dim = { channels } };

	return s;
}

static int new_scale(struct generator *g, const struct shape *s)
{
	static const char *const scales[] = { "0x1p-4 0x1.8p-3 0x1.1p-5", "0x1.234p-6", "0x1p-3" };

	return new_numbers(g, s, scales[pick(g, 3)], 1, DTYPE_F32);
}

static int new_zero(struct generator *g, enum dtype type)
{
	return new_numbers(g, &(struct shape){ 0 }, zeros[pick(g, 3)], 77, type);
}

static void sums_in_s32(struct generator *g, enum op op, const struct shape *ys)
{
	begin_node(g, op, ys, (struct value_made){ .dtype = DTYPE_S32, .most = 1e9, .grid = 1 });
}

static void bytes_out(struct generator *g, enum op op, const struct shape *ys, enum dtype type)
{
	begin_node(g, op, ys, (struct value_made){ .dtype = type, .most = 255, .grid = 1 });
}

void make_QUANTIZE(struct generator *g)
{
	static const char *const exact[] = { "0x1p-2", "0x1p-4", "0x1p0" };
	int x = operand(g, 0, 5), scale, zero;
	enum dtype type = byte_type(g);
	struct shape s;

	if (g->value[x].error || !g->value[x].grid) {
		s = random_shape(g, 3);
		x = new_input(g, &s);
	}
	s = *shape_of(g, x);
	/* With powers of two it is the same whether what is before is done in integers or not. */
	scale = new_numbers(g, &(struct shape){ 0 }, exact[pick(g, 3)], 1, DTYPE_F32);
	zero = new_zero(g, type);
	bytes_out(g, OP_QUANTIZE, &s, type);
	input(g, x);
	input(g, scale);
	input(g, zero);
	end_node(g);
}

void make_DEQUANTIZE(struct generator *g)
{
	int x = byte_operand(g, 0, 5), scale, zero;
	struct shape s = *shape_of(g, x);

	scale = new_numbers(g, &(struct shape){ 0 }, "0x1p-4", 1, DTYPE_F32);
	zero = new_zero(g, g->value[x].dtype);
	begin_node(g, OP_DEQUANTIZE, &s,
		   (struct value_made){ .dtype = DTYPE_F32, .most = 32, .grid = 0x1p-4 });
	input(g, x);
	input(g, scale);
	input(g, zero);
	end_node(g);
}

/* A convolution of bytes; @parameters: QLinearConv, else ConvInteger. */
static void make_byte_conv(struct generator *g, bool parameters)
{
	int x = byte_operand(g, 3, 4), in[9], n = 0, i;
	struct shape xs = *shape_of(g, x), ws = xs, ys = xs, scales;
	s64 groups = xs.dim[1] > 1 && xs.dim[1] <= 70 && rarely(g, 2) ? xs.dim[1] : 1;
	enum dtype type = byte_type(g);
	struct windows w;

	if (groups % 2 == 0 && rarely(g, 2))
		groups /= 2;
	ws.dim[0] = groups * (rarely(g, 3) ? 2 : 1);
	if (groups == 1)
		ws.dim[0] = shape_elems(&xs) > 300 ? 3 : ONE_OF(g, 1, 5, 66);
	ws.dim[1] = xs.dim[1] / groups;
	for (i = 2; i < ws.rank; i++)
		ws.dim[i] = 1 + (s64)pick(g, 4);
	random_windows(g, &w, &xs, &ws.dim[2], false);
	ys.dim[1] = ws.dim[0];
	for (i = 0; i < w.n; i++)
		ys.dim[2 + i] = w.axis[i].out;
	scales = parameter_shape(g, ws.dim[0]);
	in[n++] = x;
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, g->value[x].dtype);
	}
	in[n++] = byte_weights(g, &ws);
	if (parameters)
		in[n++] = new_scale(g, &scales);
	else
		in[n++] = new_zero(g, g->value[x].dtype);
	in[n++] = new_zero(g, DTYPE_S8);
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, type);
		if (rarely(g, 2))
			in[n++] = new_numbers(g, &(struct shape){ 1, { ws.dim[0] } },
					      "0 1000 -1000 77", 1000, DTYPE_S32);
		bytes_out(g, OP_QLINEARCONV, &ys, type);
	} else {
		sums_in_s32(g, OP_CONVINTEGER, &ys);
	}
	for (i = 0; i < n; i++)
		input(g, in[i]);
	print_windows(g, &w, rarely(g, 3));
	if (groups > 1)
		fprintf(g->to, " group=%lld", (long long)groups);
	end_node(g);
}

void make_QLINEARCONV(struct generator *g)
{
	make_byte_conv(g, true);
}

void make_CONVINTEGER(struct generator *g)
{
	make_byte_conv(g, false);
}

static void make_byte_product(struct generator *g, bool parameters)
{
	int a = byte_operand(g, 2, 4), in[8], n = 0, i;
	struct shape ys = *shape_of(g, a), bs = { 2, { ys.dim[ys.rank - 1] } }, scales;
	enum dtype type = byte_type(g);

	bs.dim[1] = ys.dim[ys.rank - 1] = columns(g, bs.dim[0]);
	scales = parameter_shape(g, bs.dim[1]);
	in[n++] = a;
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, g->value[a].dtype);
	}
	in[n++] = byte_weights(g, &bs);
	in[n++] = parameters ? new_scale(g, &scales) : new_zero(g, g->value[a].dtype);
	in[n++] = new_zero(g, DTYPE_S8);
	if (parameters) {
		in[n++] = new_scale(g, &(struct shape){ 0 });
		in[n++] = new_zero(g, type);
		bytes_out(g, OP_QLINEARMATMUL, &ys, type);
	} else {
		sums_in_s32(g, OP_MATMULINTEGER, &ys);
	}
	for (i = 0; i < n; i++)
		input(g, in[i]);
	end_node(g);
}

void make_QLINEARMATMUL(struct generator *g)
{
	make_byte_product(g, true);
}

void make_MATMULINTEGER(struct generator *g)
{
	make_byte_product(g, false);
}

/* QLinearAdd or QLinearMul. */
static void make_two(struct generator *g, enum op op)
{
	int a = byte_operand(g, 0, 5), b, in[8], n = 0, i;
	enum dtype type = g->value[a].dtype;
	struct shape ys = *shape_of(g, a), bs = ys;
	const struct shape scalar = { 0 };

	for (i = 0; i < bs.rank; i++)
		bs.dim[i] = rarely(g, 4) ? 1 : bs.dim[i];
	b = rarely(g, 3) ? a : new_numbers(g, &bs, "5 77 100 0 1", 100, type);
	in[n++] = a;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	in[n++] = b;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, op, &ys, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	if (op == OP_QLINEARADD && rarely(g, 2))
		fprintf(g->to, " lo=-0x1p3 hi=0x1p6");
	end_node(g);
}

void make_QLINEARADD(struct generator *g)
{
	make_two(g, OP_QLINEARADD);
}

void make_QLINEARMUL(struct generator *g)
{
	make_two(g, OP_QLINEARMUL);
}

void make_DYNAMICQUANTIZE(struct generator *g)
{
	int x = exact_operand(g, DTYPE_F32, 1, 4);
	struct shape s = *shape_of(g, x);

	bytes_out(g, OP_DYNAMICQUANTIZE, &s, DTYPE_U8);
	input(g, x);
	end_node(g);
}

/* A constant of the parameters of one of the operators in fixed point. */
static int new_parameters(struct generator *g, int n, const char *values)
{
	return new_numbers(g, &(struct shape){ 1, { n } }, values, 1, DTYPE_S32);
}

void make_FIXEDADD(struct generator *g)
{
	static const char *const parameters[] = {
		"0 1073741824 0 3 1518500250 -2 1879048192 -18 7",
		"77 1073741824 0 0 1073741824 0 1073741824 -17 0",
		"-128 1600000000 -31 255 2147483647 0 2147483647 -16 55",
	};
	int a = byte_operand(g, 0, 5), b, p;
	enum dtype type = g->value[a].dtype;
	struct shape s = *shape_of(g, a), bs = s;

	for (int i = 0; i < bs.rank; i++)
		bs.dim[i] = rarely(g, 4) ? 1 : bs.dim[i];
	b = rarely(g, 3) ? a : new_numbers(g, &bs, "5 77 100 0 1", 100, type);
	p = new_parameters(g, 9, parameters[pick(g, 3)]);
	bytes_out(g, OP_FIXEDADD, &s, type);
	input(g, a);
	input(g, b);
	input(g, p);
	if (rarely(g, 2))
		fprintf(g->to, " lo=-0x1p3 hi=0x1p6");
	end_node(g);
}

/* With scales of 1/10, 1/2 and about 1/90. */
void make_FIXEDSOFTMAX(struct generator *g)
{
	static const char *const parameters[] = { "1717986918 23 -248", "1073741824 26 -31",
						  "1600000000 20 -1984" };
	int x = byte_operand(g, 1, 5), p = new_parameters(g, 3, parameters[pick(g, 3)]);
	enum dtype type = g->value[x].dtype;
	struct shape s = *shape_of(g, x);

	bytes_out(g, OP_FIXEDSOFTMAX, &s, type);
	input(g, x);
	input(g, p);
	end_node(g);
}

void make_QLINEARGLOBALAVGPOOL(struct generator *g)
{
	int x = byte_operand(g, 3, 4), in[5], n = 0, i;
	struct shape ys = *shape_of(g, x);
	const struct shape scalar = { 0 };
	enum dtype type = g->value[x].dtype;

	for (i = 2; i < ys.rank; i++)
		ys.dim[i] = 1;
	in[n++] = x;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, g->value[x].dtype);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QLINEARGLOBALAVGPOOL, &ys, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	end_node(g);
}

void make_QLINEARCONCAT(struct generator *g)
{
	int x = byte_operand(g, 1, 4), scale[3], zero[3], i;
	enum dtype type = byte_type(g);
	struct shape s = *shape_of(g, x), ys = s;
	const struct shape scalar = { 0 };

	for (i = 0; i < 3; i++) {
		scale[i] = new_scale(g, &scalar);
		zero[i] = new_zero(g, i ? g->value[x].dtype : type);
	}
	ys.dim[0] *= 2;
	bytes_out(g, OP_QLINEARCONCAT, &ys, type);
	for (i = 0; i < 3; i++) {
		if (i)
			input(g, x);
		input(g, scale[i]);
		input(g, zero[i]);
	}
	fprintf(g->to, " axis=0\n");
}

void make_QLINEARSIGMOID(struct generator *g)
{
	int x = byte_operand(g, 0, 4), in[5], n = 0, i;
	enum dtype type = g->value[x].dtype;
	struct shape s = *shape_of(g, x);
	const struct shape scalar = { 0 };

	in[n++] = x;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QLINEARSIGMOID, &s, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	end_node(g);
}

/* Means of powers of two of cells are exact, and so is what is made of them. */
void make_QLINEARAVGPOOL(struct generator *g)
{
	int x = byte_operand(g, 4, 4), in[5], n = 0, i;
	enum dtype type = g->value[x].dtype;
	struct shape s = *shape_of(g, x);
	const struct shape scalar = { 0 };

	in[n++] = x;
	in[n++] = new_numbers(g, &scalar, "0x1p-4", 1, DTYPE_F32);
	in[n++] = new_zero(g, type);
	in[n++] = new_numbers(g, &scalar, "0x1p-3", 1, DTYPE_F32);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QLINEARAVGPOOL, &s, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	fprintf(g->to, " kernel=2,1 pads=1,0,0,0 count_include_pad=1\n");
}

void make_QGEMM(struct generator *g)
{
	int a = byte_operand(g, 2, 2), in[9], n = 0, i;
	enum dtype type = byte_type(g);
	struct shape ys = *shape_of(g, a), bs = { 2, { ys.dim[1], 5 } };
	const struct shape scalar = { 0 };
	bool swap = rarely(g, 2);

	if (swap)
		bs = (struct shape){ 2, { 5, ys.dim[1] } };
	ys.dim[1] = 5;
	in[n++] = a;
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, g->value[a].dtype);
	in[n++] = byte_weights(g, &bs);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, DTYPE_S8);
	in[n++] = new_numbers(g, &(struct shape){ 1, { 5 } }, "0 1000 -1000 77", 1000, DTYPE_S32);
	in[n++] = new_scale(g, &scalar);
	in[n++] = new_zero(g, type);
	bytes_out(g, OP_QGEMM, &ys, type);
	for (i = 0; i < n; i++)
		input(g, in[i]);
	fprintf(g->to, swap ? " trans_b=1\n" : "\n");
}

void make_SUMPOOL(struct generator *g)
{
	int x = byte_operand(g, 3, 4), zero = new_zero(g, g->value[x].dtype), i;
	struct shape ys = *shape_of(g, x);
	s64 kernel[2] = { 1 + (s64)pick(g, 4), 1 + (s64)pick(g, 9) };
	struct windows w;

	random_windows(g, &w, &ys, kernel, true);
	for (i = 0; i < w.n; i++)
		ys.dim[2 + i] = w.axis[i].out;
	sums_in_s32(g, OP_SUMPOOL, &ys);
	input(g, x);
	input(g, zero);
	print_windows(g, &w, true);
	end_node(g);
}

/* Requantises sums, or an input. */
void make_REQUANTIZE(struct generator *g)
{
	struct value_made like = { .dtype = DTYPE_S32, .most = 1e9, .grid = 1 };
	enum dtype type = byte_type(g);
	int x = g->n - 1, multiplier, zero, bias, shift = -1, axis;
	bool fixed = rarely(g, 2);
	struct shape s, channels;

	if (x < 0 || g->value[x].dtype != DTYPE_S32 || g->value[x].is_const ||
	    !shape_of(g, x)->rank) {
		like.shape = random_shape(g, 1 + (int)pick(g, 4));
		x = add_value(g, like);
		fprintf(g->to, "input %%%d \"v%d\" ", x, x);
		print_type(g, x);
		fprintf(g->to, "\n");
	}
	s = *shape_of(g, x);
	axis = s.rank > 1 ? 1 : 0;
	channels = parameter_shape(g, s.dim[axis]);
	multiplier = fixed ? new_numbers(g, &channels, "1073741824 1518500250 2147483647", 1,
					 DTYPE_S32) :
			     new_scale(g, &channels);
	zero = new_zero(g, type);
	bias = new_numbers(g, &channels, "0 1000 -1000 77", 1000, DTYPE_S32);
	if (fixed)
		shift = new_numbers(g, &channels, "-3 -7 1 0", 7, DTYPE_S32);
	bytes_out(g, OP_REQUANTIZE, &s, type);
	input(g, x);
	input(g, multiplier);
	input(g, zero);
	input(g, bias);
	if (fixed)
		input(g, shift);
	fprintf(g->to, " axis=%d", axis);
	if (rarely(g, 2))
		fprintf(g->to, " lo=-0x1p3 hi=0x1p6");
	end_node(g);
}

void make_TABLE(struct generator *g)
{
	int x = byte_operand(g, 0, 5), table;
	enum dtype type = byte_type(g);
	struct shape s = *shape_of(g, x);

	table = new_numbers(g, &(struct shape){ 1, { 256 } }, "1 7 100 0 55 127 9", 127, type);
	bytes_out(g, OP_TABLE, &s, type);
	input(g, x);
	input(g, table);
	end_node(g);
}
