// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * TensorFlow Lite models: every operator that is read against values worked out here, in the
 * model's own layout; then files that are wrong, cut, or changed at random.
 */
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "core/machine.h"
#include "spec/program.h"
#include "tests/random.h"
#include "tests/tap.h"
#include "tests/tflite_write.h"

#include <errno.h>
#include <math.h>

enum { FLOAT32 = 0, INT32 = 2, INT8 = 9 };
enum {
	ADD = 0,
	AVERAGE_POOL = 1,
	CONCATENATION = 2,
	CONV = 3,
	DEPTHWISE = 4,
	DEQUANTIZE = 6,
	CONNECTED = 9,
	LOGISTIC = 14,
	MAX_POOL = 17,
	MUL = 18,
	RELU = 19,
	RELU6 = 21,
	RESHAPE = 22,
	RESIZE_BILINEAR = 23,
	SOFTMAX = 25,
	PAD = 34,
	GATHER = 36,
	TRANSPOSE = 39,
	MEAN = 40,
	SUB = 41,
	SQUEEZE = 43,
	STRIDED_SLICE = 45,
	SPLIT = 49,
	SLICE = 65,
	EXPAND_DIMS = 70,
	SHAPE = 77,
	PACK = 83,
	UNPACK = 88,
	RESIZE_NEAREST = 97,
	SPLIT_V = 102,
	QUANTIZE = 114,
	HARD_SWISH = 117
};
enum { HEIGHT = 4, WIDTH = 5, CHANNELS = 2 };

static const s32 image[] = { 1, HEIGHT, WIDTH, CHANNELS };
static float numbers[64];

static s32 floats(struct tflite_writer *w, const char *name, u32 rank, const s32 *dims,
		  const float *data)
{
	u32 n = 4;

	for (u32 i = 0; i < rank; i++)
		n *= (u32)dims[i];
	return tflite_tensor_of(w, name, FLOAT32, rank, dims, data, n, NULL);
}

/* The graph of the model; NULL and a message. Frees the writer. */
static struct graph *read_model(struct tflite_writer *w, struct compile_error *err)
{
	struct graph *g = NULL;

	compile_graph(w->bytes, w->size, "m.tflite", NULL, &g, err);
	free(w->bytes);
	return g;
}

/* Element @i of what the model computes of 0, 1, 2 ... as its first input. */
static struct tensor_data compute(struct tflite_writer *w)
{
	struct compile_error err = { 0 };
	struct graph *g = read_model(w, &err);
	struct tensor_data in[2] = { 0 }, out = { 0 };

	for (size_t k = 0; g && k < g->inputs.n; k++) {
		tensor_data_alloc(&in[k], DTYPE_F32, &g->inputs.v[k]->shape);
		for (s64 i = 0; i < shape_elems(&in[k].shape); i++)
			((float *)in[k].bytes)[i] = (float)i;
	}
	if (g)
		graph_eval(g, in, &out, &err);
	if (err.code)
		printf("# %s\n", err.text);
	tensor_data_free(&in[0]);
	tensor_data_free(&in[1]);
	graph_free(g);
	return out;
}

static float x_at(s32 y, s32 x, s32 c)
{
	return y < 0 || x < 0 || y >= HEIGHT || x >= WIDTH ?
		       0 :
		       (float)((y * WIDTH + x) * CHANNELS + c);
}

static bool near(float a, double b)
{
	return fabs(a - b) <= 1e-5 * (1 + fabs(b));
}

static void check(struct tensor_data out, const double *want, s64 n, const char *name)
{
	bool good = out.bytes && shape_elems(&out.shape) == n;

	for (s64 i = 0; i < n && good; i++)
		good = near(((float *)out.bytes)[i], want[i]);
	tap_ok(good, "%s", name);
	for (s64 i = 0; !good && out.bytes && i < n && i < 8; i++)
		printf("# %g, not %g\n", ((float *)out.bytes)[i], want[i]);
	tensor_data_free(&out);
}

/* A convolution of 3 x 3, "same", stride 2 along rows, bounded to 0..6 or not. */
static void test_conv(void)
{
	static const s32 kernel[] = { 3, 3, 3, CHANNELS }, bias[] = { 3 },
			 result[] = { 1, 2, 5, 3 };
	struct tflite_writer w;
	double want[2 * 5 * 3], *to = want;
	s32 in[3], out;
	u32 options;

	tflite_begin(&w);
	in[0] = floats(&w, "x", 4, image, NULL);
	in[1] = floats(&w, "w", 4, kernel, numbers);
	in[2] = floats(&w, "b", 1, bias, numbers + 1);
	out = floats(&w, "y", 4, result, NULL);
	options = tflite_operator_of(&w, CONV, 3, in, out, 6);
	tflite_int(&w, options, 1, 4, 1);
	tflite_int(&w, options, 2, 4, 2);
	tflite_end(&w, 1, in, out);
	/* Rows 0 and 2 of 4 with a kernel of 3: one row of padding in all, behind. */
	for (s32 y = 0; y < 2; y++)
		for (s32 x = 0; x < 5; x++)
			for (s32 m = 0; m < 3; m++, to++) {
				*to = numbers[1 + m];
				for (s32 i = 0; i < 9 * CHANNELS; i++)
					*to += numbers[m * 18 + i] *
					       x_at(2 * y + i / 6, x + i / 2 % 3 - 1, i % 2);
			}
	check(compute(&w), want, 30, "CONV_2D, same, strided");
}

static void test_depthwise(void)
{
	static const s32 kernel[] = { 1, 2, 3, 2 * CHANNELS }, result[] = { 1, 3, 1, 4 };
	struct tflite_writer w;
	double want[12], *to = want;
	s32 in[2], out;
	u32 options;

	tflite_begin(&w);
	in[0] = floats(&w, "x", 4, image, NULL);
	in[1] = floats(&w, "w", 4, kernel, numbers);
	out = floats(&w, "y", 4, result, NULL);
	options = tflite_operator_of(&w, DEPTHWISE, 2, in, out, 7);
	tflite_int(&w, options, 0, 1, 1);
	tflite_int(&w, options, 1, 4, 1);
	tflite_int(&w, options, 2, 4, 1);
	tflite_int(&w, options, 3, 4, 2);
	tflite_int(&w, options, 4, 1, 3);
	tflite_int(&w, options, 5, 4, 2);
	tflite_end(&w, 1, in, out);
	for (s32 y = 0; y < 3; y++)
		for (s32 m = 0; m < 4; m++, to++) {
			*to = 0;
			for (s32 i = 0; i < 6; i++)
				*to += numbers[i * 4 + m] * x_at(y + i / 3, i % 3 * 2, m / 2);
			*to = *to < 0 ? 0 : *to > 6 ? 6 : *to;
		}
	check(compute(&w), want, 12, "DEPTHWISE_CONV_2D, valid, dilated, a multiplier of 2, RELU6");
}

static void test_pools(s32 code)
{
	static const s32 result[] = { 1, 2, 3, CHANNELS };
	struct tflite_writer w;
	double want[12], *to = want;
	s32 in, out;
	u32 options;

	tflite_begin(&w);
	in = floats(&w, "x", 4, image, NULL);
	out = floats(&w, "y", 4, result, NULL);
	options = tflite_operator_of(&w, code, 1, &in, out, 6);
	tflite_int(&w, options, 1, 4, 2);
	tflite_int(&w, options, 2, 4, 2);
	tflite_int(&w, options, 3, 4, 2);
	tflite_int(&w, options, 4, 4, 2);
	tflite_int(&w, options, 5, 1, 1);
	tflite_end(&w, 1, &in, out);
	for (s32 y = 0; y < 2; y++)
		for (s32 x = 0; x < 3; x++)
			for (s32 c = 0; c < CHANNELS; c++) {
				s32 right = 2 * x + 1 < WIDTH ? 2 * x + 1 : 2 * x;

				/* Padding is not counted: the last column stands alone. */
				*to++ = code == MAX_POOL ? x_at(2 * y + 1, right, c) :
							   (x_at(2 * y, 2 * x, c) +
							    x_at(2 * y + 1, right, c)) /
								   2;
			}
	check(compute(&w), want, 12, code == MAX_POOL ? "MAX_POOL_2D" : "AVERAGE_POOL_2D");
}

/* x + a tensor, reshaped, by a matrix, and the Softmax of that with a beta. */
static void test_chain(void)
{
	static const s32 flat[] = { 1, 40 }, kernel[] = { 3, 40 }, row[] = { 1, 3 };
	float weights[120];
	struct tflite_writer w;
	double want[3], sum = 0;
	s32 in[2], sums[2], shaped, product, out, pair[2];
	u32 options;

	for (int i = 0; i < 120; i++)
		weights[i] = (float)(i % 7 - 3) / 64;
	tflite_begin(&w);
	in[0] = floats(&w, "x", 4, image, NULL);
	in[1] = floats(&w, "z", 4, image, NULL);
	sums[0] = floats(&w, "sum", 4, image, NULL);
	shaped = floats(&w, "flat", 2, flat, NULL);
	product = floats(&w, "product", 2, row, NULL);
	out = floats(&w, "y", 2, row, NULL);
	options = tflite_operator_of(&w, ADD, 2, in, sums[0], 2);
	tflite_int(&w, options, 0, 1, 2); /* to -1..1 */
	options = tflite_operator_of(&w, RESHAPE, 1, sums, shaped, 1);
	tflite_link(&w, options, 0, tflite_vector(&w, 4, 2, flat));
	pair[0] = shaped;
	pair[1] = floats(&w, "w", 2, kernel, weights);
	tflite_operator_of(&w, CONNECTED, 2, pair, product, 3);
	options = tflite_operator_of(&w, SOFTMAX, 1, &product, out, 1);
	tflite_int(&w, options, 0, 4, 0x40000000); /* 2.0 */
	tflite_end(&w, 2, in, out);
	for (int m = 0; m < 3; m++) {
		want[m] = 0;
		for (int i = 0; i < 40; i++)
			want[m] += (double)weights[m * 40 + i] * (i ? 1 : 0);
		want[m] = exp(2 * want[m]);
		sum += want[m];
	}
	for (int m = 0; m < 3; m++)
		want[m] /= sum;
	check(compute(&w), want, 3, "ADD, RESHAPE, FULLY_CONNECTED, SOFTMAX, in the model's order");
}

/*
 * Products of 0, 1, 2, 3 by weights of bytes, whose scales lie along dimension @axis: @code is
 * CONV, DEPTHWISE or CONNECTED.
 */
static void test_byte_weights(s32 code, s32 axis, const char *name)
{
	static const s32 images[] = { 1, 1, 2, 2 }, rows[] = { 2, 2 };
	static const s32 mixed[] = { 2, 1, 1, 2 }, apart[] = { 1, 1, 1, 2 }, maps[] = { 2 };
	static const s8 weights[] = { 3, -5, 7, 2 };
	static const float scales[] = { 0.25f, 0.5f }, bias[] = { 1, -2 };
	static const s64 zeros[] = { 1, 0 };
	const struct tflite_quantised q = { 2, scales, zeros, axis };
	const s32 *shape = code == CONNECTED ? rows : images;
	const s32 *kernel = code == CONNECTED ? rows : code == CONV ? mixed : apart;
	u32 rank = code == CONNECTED ? 2 : 4;
	struct tflite_writer w;
	double want[4];
	s32 in[3], out;
	u32 options;

	tflite_begin(&w);
	in[0] = floats(&w, "x", rank, shape, NULL);
	in[1] = tflite_tensor_of(&w, "w", INT8, rank, kernel, weights, code == DEPTHWISE ? 2 : 4,
				 &q);
	in[2] = floats(&w, "b", 1, maps, bias);
	out = floats(&w, "y", rank, shape, NULL);
	options = tflite_operator_of(&w, code, 3, in, out, 7);
	if (code != CONNECTED) {
		tflite_int(&w, options, 1, 4, 1);
		tflite_int(&w, options, 2, 4, 1);
	}
	if (code == DEPTHWISE)
		tflite_int(&w, options, 3, 4, 1);
	tflite_end(&w, 1, in, out);
	for (int i = 0; i < 4; i++) {
		int row = i / 2, m = i % 2;

		want[i] = bias[m];
		for (int c = 0; c < 2; c++)
			if (code != DEPTHWISE)
				want[i] += (2 * row + c) * (weights[2 * m + c] - zeros[m]) *
					   (double)scales[m];
			else if (c == m)
				want[i] +=
					(2 * row + c) * (weights[m] - zeros[m]) * (double)scales[m];
	}
	check(compute(&w), want, 4, name);
}

/* ---- Quantised ----------------------------------------------------------------------------- */

/* A tensor of s8 with one scale and zero. */
static s32 bytes(struct tflite_writer *w, const char *name, u32 rank, const s32 *dims,
		 const s8 *data, float scale, s64 zero)
{
	const struct tflite_quantised q = { 1, &scale, &zero, 0 };
	u32 n = 1;

	for (u32 i = 0; i < rank; i++)
		n *= (u32)dims[i];
	return tflite_tensor_of(w, name, INT8, rank, dims, data, n, &q);
}

/* What the model computes of @x, whose zeros fill what is left. */
static struct tensor_data compute_bytes(struct tflite_writer *w, const s8 *x, size_t n)
{
	struct compile_error err = { 0 };
	struct tensor_data in = { 0 }, out = { 0 };
	struct graph *g = read_model(w, &err);

	if (g && tensor_data_alloc(&in, DTYPE_S8, &g->inputs.v[0]->shape)) {
		memcpy(in.bytes, x, n < in.size ? n : in.size);
		graph_eval(g, &in, &out, &err);
	}
	if (err.code)
		printf("# %s\n", err.text);
	tensor_data_free(&in);
	graph_free(g);
	return out;
}

static void check_bytes(struct tensor_data out, const s8 *want, s64 n, const char *name)
{
	bool good = out.bytes && shape_elems(&out.shape) == n &&
		    !memcmp(out.bytes, want, (size_t)n);

	tap_ok(good, "%s", name);
	for (s64 i = 0; !good && out.bytes && i < n; i++)
		printf("# %d, not %d\n", ((s8 *)out.bytes)[i], want[i]);
	tensor_data_free(&out);
}

/* A product of 1 x 1 whose maps have scales of their own, a bias, and a bound at zero. */
static void test_bytes_conv(void)
{
	static const s32 shape[] = { 1, 1, 2, 2 }, kernel[] = { 2, 1, 1, 2 }, maps[] = { 2 };
	static const s8 x[] = { 10, -20, 30, 127 }, weights[] = { 3, -5, 7, 2 };
	static const s32 bias[] = { 40, -1000 };
	static const float scales[] = { 0.25f, 0.5f };
	static const s64 zeros[] = { 0, 0 };
	const struct tflite_quantised q = { 2, scales, zeros, 0 };
	struct tflite_writer w;
	s8 want[4];
	s32 in[3], out;
	u32 options;

	tflite_begin(&w);
	in[0] = bytes(&w, "x", 4, shape, NULL, 0.5f, -3);
	in[1] = tflite_tensor_of(&w, "w", INT8, 4, kernel, weights, 4, &q);
	in[2] = tflite_tensor_of(&w, "b", INT32, 1, maps, bias, 8, NULL);
	out = bytes(&w, "y", 4, shape, NULL, 3, 5);
	options = tflite_operator_of(&w, CONV, 3, in, out, 6);
	tflite_int(&w, options, 1, 4, 1);
	tflite_int(&w, options, 2, 4, 1);
	tflite_int(&w, options, 3, 1, 1);
	tflite_end(&w, 1, in, out);
	for (int i = 0; i < 4; i++) {
		int pixel = i / 2, m = i % 2;
		double sum = bias[m];

		for (int c = 0; c < 2; c++)
			sum += (x[2 * pixel + c] + 3) * weights[2 * m + c];
		sum = 5 + floor(sum * 0.5 * (double)scales[m] / 3 + 0.5);
		want[i] = (s8)(sum < 5 ? 5 : sum > 127 ? 127 : sum);
	}
	check_bytes(compute_bytes(&w, x, 4), want, 4, "CONV_2D of s8, by channel, RELU");
}

/*
 * A bias alone, whose result lies beside a half: TensorFlow Lite rounds the product of the scales
 * to f32 where weights of FULLY_CONNECTED have one scale, and not where each row has its own.
 */
static void test_bytes_connected(void)
{
	static const s32 row[] = { 1, 1 }, pair[] = { 1, 2 }, kernel[] = { 2, 1 }, maps[] = { 2 };
	static const s8 x[] = { 0 }, weights[] = { 1, 1 };
	static const s32 bias[] = { 41795, 41795 };
	static const s8 want[2][2] = { { 63, 63 }, { 62, 62 } };
	static const s64 zeros[] = { 0, 0 };

	for (u32 n = 1; n <= 2; n++) {
		const float scales[] = { 0x1.622f14p-4f, 0x1.622f14p-4f };
		const struct tflite_quantised q = { n, scales, zeros, 0 };
		struct tflite_writer w;
		s32 in[3], out;

		tflite_begin(&w);
		in[0] = bytes(&w, "x", 2, row, NULL, 0x1.e7997ep-9f, 0);
		in[1] = tflite_tensor_of(&w, "w", INT8, 2, kernel, weights, 2, &q);
		in[2] = tflite_tensor_of(&w, "b", INT32, 1, maps, bias, 8, NULL);
		out = bytes(&w, "y", 2, pair, NULL, 0x1.b88ee8p-3f, 0);
		tflite_operator_of(&w, CONNECTED, 3, in, out, 4);
		tflite_end(&w, 1, in, out);
		check_bytes(compute_bytes(&w, x, 1), want[n - 1], 2,
			    n == 1 ? "FULLY_CONNECTED of s8, the product of scales in f32" :
				     "FULLY_CONNECTED of s8 by row, the product in double");
	}
}

/* Means of two are rounded half away from zero. */
static void test_bytes_mean(void)
{
	static const s32 shape[] = { 1, 2, 4, 1 }, result[] = { 1, 1, 4, 1 };
	static const s8 x[] = { 1, -1, 127, -128, 2, -2, 127, -127 };
	static const s8 want[] = { 2, -2, 127, -128 };
	struct tflite_writer w;
	s32 in, out;
	u32 options;

	tflite_begin(&w);
	in = bytes(&w, "x", 4, shape, NULL, 0.5f, -3);
	out = bytes(&w, "y", 4, result, NULL, 0.5f, -3);
	options = tflite_operator_of(&w, AVERAGE_POOL, 1, &in, out, 6);
	tflite_int(&w, options, 0, 1, 1);
	tflite_int(&w, options, 1, 4, 1);
	tflite_int(&w, options, 2, 4, 1);
	tflite_int(&w, options, 3, 4, 1);
	tflite_int(&w, options, 4, 4, 2);
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, x, 8), want, 4, "AVERAGE_POOL_2D of s8, half away from zero");
}

/* x + x where the result has twice the scale is x, whatever the zeros are. */
static void test_bytes_sum(void)
{
	static const s32 shape[] = { 1, 4 };
	static const s8 x[] = { -128, -3, 0, 100 }, want[] = { -118, 7, 10, 110 };
	struct tflite_writer w;
	s32 in[2], out;

	tflite_begin(&w);
	in[0] = in[1] = bytes(&w, "x", 2, shape, NULL, 0.25f, -3);
	out = bytes(&w, "y", 2, shape, NULL, 0.5f, 7);
	tflite_operator_of(&w, ADD, 2, in, out, 2);
	tflite_end(&w, 1, in, out);
	check_bytes(compute_bytes(&w, x, 4), want, 4, "ADD of s8");
}

static void test_bytes_softmax(void)
{
	static const s32 shape[] = { 2, 4 };
	static const s8 x[] = { 10, 10, 10, 10, 127, -128, -128, -128 };
	static const s8 want[] = { -64, -64, -64, -64, 127, -128, -128, -128 };
	struct tflite_writer w;
	s32 in, out;
	u32 options;

	tflite_begin(&w);
	in = bytes(&w, "x", 2, shape, NULL, 0.1f, 4);
	out = bytes(&w, "y", 2, shape, NULL, 1.0f / 256, -128);
	options = tflite_operator_of(&w, SOFTMAX, 1, &in, out, 1);
	tflite_int(&w, options, 0, 4, 0x3f800000); /* 1.0 */
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, x, 8), want, 8, "SOFTMAX of s8");
}

/* A thousand equal numbers: each is a thousandth, to the nearest 256th nothing. */
static void test_long_softmax(void)
{
	static const s32 shape[] = { 1, 1000 };
	static s8 want[1000];
	struct tflite_writer w;
	s32 in, out;
	u32 options;

	memset(want, -128, sizeof(want));
	tflite_begin(&w);
	in = bytes(&w, "x", 2, shape, NULL, 0.1f, 4);
	out = bytes(&w, "y", 2, shape, NULL, 1.0f / 256, -128);
	options = tflite_operator_of(&w, SOFTMAX, 1, &in, out, 1);
	tflite_int(&w, options, 0, 4, 0x3f800000); /* 1.0 */
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, want, 0), want, 1000, "SOFTMAX of a long row");
}

/* Each byte of an operator of one input and one output, from a scale of 1/4 to one of 1/2. */
static void test_byte_map(s32 code, const s8 *x, const s8 *want, s64 n, const char *name)
{
	const s32 shape[] = { 1, (s32)n };
	struct tflite_writer w;
	s32 in, out;

	tflite_begin(&w);
	in = bytes(&w, "x", 2, shape, NULL, 0.25f, -3);
	out = bytes(&w, "y", 2, shape, NULL, 0.5f, 7);
	tflite_operator_of(&w, code, 1, &in, out, 1);
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, x, (size_t)n), want, n, name);
}

static void test_byte_maps(void)
{
	static const s8 x[] = { -128, -5, -3, -2, 1, 20, 21, 127 };
	static const s8 rescaled[] = { -55, 6, 7, 8, 9, 19, 19, 72 };
	static const s8 relu[] = { 7, 7, 7, 8, 9, 19, 19, 72 };
	static const s8 relu6[] = { 7, 7, 7, 8, 9, 19, 19, 19 };
	static const s8 logistic[] = { 7, 8, 8, 8, 8, 9, 9, 9 };

	test_byte_map(QUANTIZE, x, rescaled, 8, "QUANTIZE of s8");
	test_byte_map(RELU, x, relu, 8, "RELU of s8");
	test_byte_map(RELU6, x, relu6, 8, "RELU6 of s8");
	test_byte_map(LOGISTIC, x, logistic, 8, "LOGISTIC of s8");
}

/* Rows of two times a row, added up or multiplied: [2,2] and [2]. */
static void test_bytes_broadcast(s32 code, const s8 want[4], const char *name)
{
	static const s32 shape[] = { 2, 2 }, row[] = { 2 };
	static const s8 x[] = { -3, 5, 1, 100 }, y[] = { 3, -1 };
	struct tflite_writer w;
	s32 in[2], out;

	tflite_begin(&w);
	in[0] = bytes(&w, "x", 2, shape, NULL, 0.5f, -3);
	in[1] = bytes(&w, "c", 1, row, y, 0.5f, 1);
	out = bytes(&w, "y", 2, shape, NULL, 0.5f, 10);
	tflite_operator_of(&w, code, 2, in, out, 2);
	tflite_end(&w, 1, in, out);
	check_bytes(compute_bytes(&w, x, 4), want, 4, name);
}

/* Windows of two, and no number below zero: the zero is -3. */
static void test_bytes_maximum(void)
{
	static const s32 shape[] = { 1, 1, 4, 1 }, result[] = { 1, 1, 2, 1 };
	static const s8 x[] = { -100, -50, 4, 90 }, want[] = { -3, 90 };
	struct tflite_writer w;
	s32 in, out;
	u32 options;

	tflite_begin(&w);
	in = bytes(&w, "x", 4, shape, NULL, 0.5f, -3);
	out = bytes(&w, "y", 4, result, NULL, 0.5f, -3);
	options = tflite_operator_of(&w, MAX_POOL, 1, &in, out, 6);
	tflite_int(&w, options, 1, 4, 2);
	tflite_int(&w, options, 2, 4, 1);
	tflite_int(&w, options, 3, 4, 2);
	tflite_int(&w, options, 4, 4, 1);
	tflite_int(&w, options, 5, 1, 1);
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, x, 4), want, 2, "MAX_POOL_2D of s8, RELU");
}

/* From floats to bytes, half away from zero, and back. */
static void test_edges(void)
{
	static const s32 shape[] = { 1, 4 };
	static const float half = 2.0f;
	const double want[] = { 0, 2, 2, 4 };
	struct tflite_writer w;
	s32 in, bytes_of, out;

	tflite_begin(&w);
	in = floats(&w, "x", 2, shape, NULL);
	bytes_of = bytes(&w, "q", 2, shape, NULL, half, 5);
	out = floats(&w, "y", 2, shape, NULL);
	tflite_operator_of(&w, QUANTIZE, 1, &in, bytes_of, 1);
	tflite_operator_of(&w, DEQUANTIZE, 1, &bytes_of, out, 1);
	tflite_end(&w, 1, &in, out);
	check(compute(&w), want, 4, "QUANTIZE and DEQUANTIZE of floats");
}

/* Dimensions of x[1,4,5,2] in the model's order: filled up, turned, averaged, joined. */
static void test_moves(void)
{
	static const s32 four[] = { 4 }, two[] = { 2 }, pairs[] = { 4, 2 };
	static const s32 padded[] = { 1, 4, 6, 2 }, turned[] = { 6, 1, 4, 2 },
			 joined[] = { 6, 1, 4, 4 };
	static const s32 averaged[] = { 6, 4 };
	static const s32 pads[] = { 0, 0, 0, 0, 1, 0, 0, 0 }, perm[] = { 2, 0, 1, 3 },
			 axes[] = { 1, 2 };
	struct tflite_writer w;
	double want[24];
	s32 in[2], v, out;
	u32 options;

	tflite_begin(&w);
	in[0] = v = floats(&w, "x", 4, image, NULL);
	in[1] = tflite_tensor_of(&w, "pads", INT32, 2, pairs, pads, 32, NULL);
	out = floats(&w, "padded", 4, padded, NULL);
	tflite_operator_of(&w, PAD, 2, in, out, 1);
	in[0] = out;
	in[1] = tflite_tensor_of(&w, "perm", INT32, 1, four, perm, 16, NULL);
	out = floats(&w, "turned", 4, turned, NULL);
	tflite_operator_of(&w, TRANSPOSE, 2, in, out, 1);
	in[0] = in[1] = out;
	out = floats(&w, "joined", 4, joined, NULL);
	options = tflite_operator_of(&w, CONCATENATION, 2, in, out, 2);
	tflite_int(&w, options, 0, 4, -1);
	in[0] = out;
	in[1] = tflite_tensor_of(&w, "axes", INT32, 1, two, axes, 8, NULL);
	out = floats(&w, "y", 2, averaged, NULL);
	tflite_operator_of(&w, MEAN, 2, in, out, 1);
	tflite_end(&w, 1, &v, out);
	for (int i = 0; i < 24; i++) {
		want[i] = 0;
		for (s32 y = 0; y < 4; y++)
			want[i] += x_at(y, i / 4 - 1, i % 2) / 4;
	}
	check(compute(&w), want, 24, "PAD, TRANSPOSE, CONCATENATION and MEAN");
}

/* Sequences of rows: x[1,2,2] by a matrix, a constant of its own, and elements on the way. */
static void test_sequence(void)
{
	static const s32 shape[] = { 1, 2, 2 }, kernel[] = { 2, 2 }, maps[] = { 2 };
	static const float weights[] = { 1, 2, -1, 1 }, bias[] = { 0.5f, 0 };
	const double want[] = { 2.5, 1, 8.5, 1 };
	struct tflite_writer w;
	s32 in[3], out;
	u32 options;

	tflite_begin(&w);
	in[0] = floats(&w, "x", 3, shape, NULL);
	in[1] = floats(&w, "w", 2, kernel, weights);
	in[2] = floats(&w, "b", 1, maps, bias);
	out = floats(&w, "y", 3, shape, NULL);
	options = tflite_operator_of(&w, CONNECTED, 3, in, out, 3);
	tflite_int(&w, options, 2, 1, 1);
	tflite_end(&w, 1, in, out);
	check(compute(&w), want, 4, "FULLY_CONNECTED that keeps dimensions");
}

/* Channels in two groups, which the shape of the weights says. */
static void test_groups(void)
{
	static const s32 shape[] = { 1, 1, 1, 4 }, kernel[] = { 2, 1, 1, 2 },
			 result[] = { 1, 1, 1, 2 };
	static const float weights[] = { 1, 2, -1, 1 };
	const double want[] = { 2, 1 };
	struct tflite_writer w;
	s32 in[2], out;
	u32 options;

	tflite_begin(&w);
	in[0] = floats(&w, "x", 4, shape, NULL);
	in[1] = floats(&w, "w", 4, kernel, weights);
	out = floats(&w, "y", 4, result, NULL);
	options = tflite_operator_of(&w, CONV, 2, in, out, 6);
	tflite_int(&w, options, 1, 4, 1);
	tflite_int(&w, options, 2, 4, 1);
	tflite_end(&w, 1, in, out);
	check(compute(&w), want, 2, "CONV_2D in groups");
}

/* Tensor @i of the program in @c; what its bytes stand for. */
static const struct rondo_tensor *tensor_in(const struct compiled *c, int i)
{
	const struct rondo_file_header *header = (const void *)c->file;
	const struct rondo_section *s = (const void *)(header + 1);

	for (int k = 0; c->file && k < header->sections; k++)
		if (s[k].type == RONDO_SECTION_TENSORS)
			return (const struct rondo_tensor *)(c->file + s[k].offset) + i;
	return NULL;
}

/* Scales and zeros of inputs and outputs are in the file; so are those of an output that is copied.
 */
static void test_meaning(void)
{
	static const s32 shape[] = { 1, 4 };
	const struct rondo_tensor *x, *y, *z;
	struct rondo_machine machine;
	struct compile_error err = { 0 };
	struct compiled c = { 0 };
	struct tflite_writer w;
	s32 in[2], out[2];

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	tflite_begin(&w);
	in[0] = in[1] = out[1] = bytes(&w, "x", 2, shape, NULL, 0.25f, -3);
	out[0] = bytes(&w, "y", 2, shape, NULL, 0.5f, 7);
	tflite_operator_of(&w, ADD, 2, in, out[0], 2);
	tflite_end_with(&w, 1, in, 2, out);
	compile_model(w.bytes, w.size, "m.tflite", NULL, &machine, &c, &err);
	x = tensor_in(&c, 0);
	y = tensor_in(&c, 1);
	z = tensor_in(&c, 2);
	tap_ok(x && x->scale == 0.25f && x->zero_point == -3, "an input has its scale %s",
	       err.text);
	tap_ok(y && y->scale == 0.5f && y->zero_point == 7, "so has an output");
	tap_ok(z && z->scale == 0.25f && z->zero_point == -3, "so has an output that is an input");
	compiled_free(&c);
	free(w.bytes);
}

/* ---- Parts and shapes ------------------------------------------------------------------------ */

/* A constant of @n integers. */
static s32 integers(struct tflite_writer *w, const char *name, s32 n, const s32 *x)
{
	return tflite_tensor_of(w, name, INT32, 1, &n, x, 4 * (u32)n, NULL);
}

static s32 integer(struct tflite_writer *w, const char *name, s32 x)
{
	return tflite_tensor_of(w, name, INT32, 0, NULL, &x, 4, NULL);
}

/* Gives the operator that was added last these outputs. */
static void set_outputs(struct tflite_writer *w, u32 n, const s32 *out)
{
	u32 at = w->operators + 4 + 4 * (w->n_operators - 1);
	u32 table = at + (u32)w->bytes[at] + ((u32)w->bytes[at + 1] << 8) +
		    ((u32)w->bytes[at + 2] << 16);

	tflite_link(w, table, 2, tflite_vector(w, 4, n, out));
}

/* RESHAPE to the first dimension of a shape and what is left, as exporters write a Flatten. */
static void test_made_shape(void)
{
	static const s32 four[] = { 4 }, two[] = { 2 }, flat[] = { 1, 40 };
	static const s32 first[] = { 0 }, behind[] = { 1 }, step[] = { 1 };
	struct tflite_writer w;
	s32 x, in[4], dimension;
	struct tensor_data y;
	u32 options;

	tflite_begin(&w);
	x = floats(&w, "x", 4, image, NULL);
	in[0] = tflite_tensor_of(&w, "shape", INT32, 1, four, NULL, 0, NULL);
	options = tflite_operator_of(&w, SHAPE, 1, &x, in[0], 1);
	tflite_int(&w, options, 0, 1, INT32);
	in[1] = integers(&w, "first", 1, first);
	in[2] = integers(&w, "behind", 1, behind);
	in[3] = integers(&w, "step", 1, step);
	dimension = tflite_tensor_of(&w, "n", INT32, 0, NULL, NULL, 0, NULL);
	options = tflite_operator_of(&w, STRIDED_SLICE, 4, in, dimension, 6);
	tflite_int(&w, options, 4, 4, 1);
	in[0] = dimension;
	in[1] = integer(&w, "rest", -1);
	dimension = tflite_tensor_of(&w, "to", INT32, 1, two, NULL, 0, NULL);
	tflite_operator_of(&w, PACK, 2, in, dimension, 2);
	in[0] = x;
	in[1] = dimension;
	in[2] = floats(&w, "y", 2, flat, NULL);
	tflite_operator_of(&w, RESHAPE, 2, in, in[2], 1);
	tflite_end(&w, 1, &x, in[2]);
	y = compute(&w);
	tap_ok(y.bytes && y.shape.rank == 2 && y.shape.dim[1] == 40 && ((float *)y.bytes)[7] == 7,
	       "SHAPE, STRIDED_SLICE and PACK make the shape of a RESHAPE");
	tensor_data_free(&y);
}

/* Rows 3 and 1 of the image, columns 1 to 4, in steps of 2, each cut and joined in another way. */
static void test_parts(void)
{
	static const s32 rows[] = { 1, 2, 5, 2 }, part[] = { 1, 2, 4, 2 };
	static const s32 begin[] = { 0, -1, 0 }, end[] = { 1, -5, 0 }, step[] = { 1, -2, 1 };
	static const s32 at[] = { 0, 0, 1, 0 }, size[] = { 1, -1, 4, 2 };
	static const s32 half[] = { 1, 2, 2, 2 }, picked[] = { 1, 2, 2, 2 }, again[] = { 1, 0 };
	static const s32 wide[] = { 1, 1, 2, 2, 2 }, three[] = { 1, 2, 1, 2 }, sizes[] = { -1, 1 };
	static const s32 only[] = { 1, 2, 2 };
	struct tflite_writer w;
	s32 x, in[4], out[2], v;
	double want[4];
	u32 options;

	tflite_begin(&w);
	x = in[0] = floats(&w, "x", 4, image, NULL);
	in[1] = integers(&w, "begin", 3, begin);
	in[2] = integers(&w, "end", 3, end);
	in[3] = integers(&w, "step", 3, step);
	v = floats(&w, "rows", 4, rows, NULL); /* 3 and 1 */
	options = tflite_operator_of(&w, STRIDED_SLICE, 4, in, v, 6);
	tflite_int(&w, options, 1, 4, 4);
	in[0] = v;
	in[1] = integers(&w, "at", 4, at);
	in[2] = integers(&w, "size", 4, size);
	v = floats(&w, "part", 4, part, NULL); /* columns 1 to 4 */
	tflite_operator_of(&w, SLICE, 3, in, v, 1);
	in[0] = integer(&w, "axis", -2);
	in[1] = v;
	out[0] = floats(&w, "left", 4, half, NULL);
	out[1] = floats(&w, "right", 4, half, NULL); /* columns 3 and 4 */
	options = tflite_operator_of(&w, SPLIT, 2, in, out[0], 1);
	tflite_int(&w, options, 0, 4, 2);
	set_outputs(&w, 2, out);
	in[0] = out[1];
	in[1] = integers(&w, "again", 2, again);
	v = floats(&w, "picked", 4, picked, NULL); /* 4 and 3 */
	options = tflite_operator_of(&w, GATHER, 2, in, v, 2);
	tflite_int(&w, options, 0, 4, 2);
	in[0] = v;
	in[1] = integer(&w, "where", 0);
	v = floats(&w, "wide", 5, wide, NULL);
	tflite_operator_of(&w, EXPAND_DIMS, 2, in, v, 1);
	in[0] = v;
	v = floats(&w, "narrow", 4, half, NULL);
	options = tflite_operator_of(&w, SQUEEZE, 1, in, v, 1);
	tflite_link(&w, options, 0, tflite_vector(&w, 4, 1, (s32[]){ 0 }));
	in[0] = v;
	in[1] = integers(&w, "sizes", 2, sizes);
	in[2] = integer(&w, "columns", 2);
	out[0] = floats(&w, "four", 4, three, NULL); /* column 4 */
	out[1] = floats(&w, "three", 4, three, NULL); /* column 3 */
	tflite_operator_of(&w, SPLIT_V, 3, in, out[0], 1);
	set_outputs(&w, 2, out);
	in[0] = out[1];
	out[0] = floats(&w, "last", 3, only, NULL);
	options = tflite_operator_of(&w, UNPACK, 1, in, out[0], 2);
	tflite_int(&w, options, 1, 4, 2);
	set_outputs(&w, 1, out);
	tflite_end(&w, 1, &x, out[0]);
	for (s32 i = 0; i < 4; i++)
		want[i] = x_at(3 - i / 2 * 2, 3, i % 2);
	check(compute(&w), want, 4,
	      "STRIDED_SLICE, SLICE, SPLIT, GATHER, EXPAND_DIMS, SQUEEZE, SPLIT_V, UNPACK");
}

/* Bytes x[1,3,2,1] resized to [1,4,5,1]. */
static void resize(s32 code, u32 corners, bool by_corners, bool by_centres, const s8 want[20],
		   const char *name)
{
	static const s32 small[] = { 1, 3, 2, 1 }, large[] = { 1, 4, 5, 1 }, size[] = { 4, 5 };
	static const s8 x[] = { -128, 127, 5, -7, 100, -100 };
	struct tflite_writer w;
	s32 in[2], out;
	u32 options;

	tflite_begin(&w);
	in[0] = bytes(&w, "x", 4, small, NULL, 0.5f, -3);
	in[1] = integers(&w, "size", 2, size);
	out = bytes(&w, "y", 4, large, NULL, 0.5f, -3);
	options = tflite_operator_of(&w, code, 2, in, out, 4);
	tflite_int(&w, options, corners, 1, by_corners);
	tflite_int(&w, options, corners + 1, 1, by_centres);
	tflite_end(&w, 1, in, out);
	check_bytes(compute_bytes(&w, x, 6), want, 20, name);
}

/* Numbers by the reference's formulas, in another language. */
static void test_resize(void)
{
	static const s8 centres[] = { -128, -102, 0,  102, 127, -45, -36, -1, 35,  43,
				      41,   32,	  -1, -34, -42, 100, 80,  0,  -80, -100 };
	static const s8 corners[] = { -128, -64, -1, 63,  127, -39, -20, -1, 18,  38,
				      37,   18,	 -1, -19, -38, 100, 50,	 0,  -50, -100 };
	static const s8 plain[] = { -128, -26, 76,  127, 127, -28, -6, 16,  27,	  27,
				    53,	  10,  -32, -54, -54, 100, 20, -60, -100, -100 };
	static const s8 nearest[] = { -128, -128, -128, 127, 127, -128, -128, -128, 127,  127,
				      5,    5,	  5,	-7,  -7,  100,	100,  100,  -100, -100 };
	static const s8 by_centres[] = { -128, -128, 127, 127, 127, 5,	 5,   -7,   -7,	  -7,
					 5,    5,    -7,  -7,  -7,  100, 100, -100, -100, -100 };

	resize(RESIZE_BILINEAR, 2, false, true, centres, "RESIZE_BILINEAR of s8, centres");
	resize(RESIZE_BILINEAR, 2, true, false, corners, "RESIZE_BILINEAR of s8, corners");
	resize(RESIZE_BILINEAR, 2, false, false, plain, "RESIZE_BILINEAR of s8, neither");
	resize(RESIZE_NEAREST, 0, false, false, nearest, "RESIZE_NEAREST_NEIGHBOR");
	resize(RESIZE_NEAREST, 0, false, true, by_centres, "RESIZE_NEAREST_NEIGHBOR, centres");
	resize(RESIZE_NEAREST, 0, true, false, by_centres, "RESIZE_NEAREST_NEIGHBOR, corners");
}

/* Floats: an image twice as large, between its pixels. */
static void test_resize_floats(void)
{
	static const s32 large[] = { 1, 4, 10, 2 }, size[] = { 4, 10 };
	struct tflite_writer w;
	double want[80];
	s32 in[2], out;
	u32 options;

	tflite_begin(&w);
	in[0] = floats(&w, "x", 4, image, NULL);
	in[1] = integers(&w, "size", 2, size);
	out = floats(&w, "y", 4, large, NULL);
	options = tflite_operator_of(&w, RESIZE_BILINEAR, 2, in, out, 4);
	tflite_int(&w, options, 3, 1, 1);
	tflite_end(&w, 1, in, out);
	for (s32 i = 0; i < 80; i++) {
		s32 x = i / 2 % 10, low = x ? (x - 1) / 2 : 0;
		s32 high = x < 9 ? (x + 1) / 2 : 4;

		want[i] = x_at(i / 20, low, i % 2) * (x % 2 || !x ? 0.75 : 0.25) +
			  x_at(i / 20, high, i % 2) * (x % 2 || !x ? 0.25 : 0.75);
	}
	check(compute(&w), want, 80, "RESIZE_BILINEAR of floats");
}

/* Windows of 2 and of 3 that hang over the edges count what they see. */
static void test_bytes_edges(s32 kernel, const s8 want[12])
{
	static const s32 shape[] = { 1, 3, 4, 1 };
	static const s8 x[] = { -128, 127, 3, -4, 5, -5, 100, 7, 1, 2, -9, -10 };
	struct tflite_writer w;
	s32 in, out;
	u32 options;

	tflite_begin(&w);
	in = bytes(&w, "x", 4, shape, NULL, 0.5f, -3);
	out = bytes(&w, "y", 4, shape, NULL, 0.5f, -3);
	options = tflite_operator_of(&w, AVERAGE_POOL, 1, &in, out, 6);
	tflite_int(&w, options, 1, 4, 1);
	tflite_int(&w, options, 2, 4, 1);
	tflite_int(&w, options, 3, 4, (u32)kernel);
	tflite_int(&w, options, 4, 4, (u32)kernel);
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, x, 12), want, 12, "AVERAGE_POOL_2D of s8 over the edge");
}

/* From a scale to another, zeros of -3 and 7. */
static void test_swish(float from, float to, const s8 want[8])
{
	static const s32 shape[] = { 1, 8 };
	static const s8 x[] = { -128, -20, -5, -3, -2, 1, 20, 127 };
	struct tflite_writer w;
	s32 in, out;

	tflite_begin(&w);
	in = bytes(&w, "x", 2, shape, NULL, from, -3);
	out = bytes(&w, "y", 2, shape, NULL, to, 7);
	tflite_operator_of(&w, HARD_SWISH, 1, &in, out, 1);
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, x, 8), want, 8, "HARD_SWISH of s8");
}

static void test_more_bytes(void)
{
	static const s8 three[] = { 0, 17, 38, 27, 0, 11, 23, 15, 1, 16, 14, 22 };
	static const s8 two[] = { 0, 56, 27, 2, 1, 22, 22, -2, 2, -4, -10, -10 };
	static const s8 coarse[] = { 7, 7, 7, 7, 7, 8, 18, 72 };
	static const s8 middle[] = { 7, -4, 6, 7, 8, 10, 28, 127 };
	static const s8 fine[] = { -45, -1, 6, 7, 8, 9, 19, 83 };

	test_bytes_edges(3, three);
	test_bytes_edges(2, two);
	test_swish(0.25f, 0.5f, coarse);
	test_swish(0.03f, 0.02f, middle);
	test_swish(0.004f, 0.004f, fine);
	test_bytes_broadcast(SUB, (s8[]){ 8, 20, 12, 115 }, "SUB of s8, broadcast");
}

/* ---- What is wrong ------------------------------------------------------------------------- */

/* One operator on x[1,4,5,2] with weights and a result. */
static u32 one(struct tflite_writer *w, s32 code, s32 type, u32 n_in)
{
	static const s32 kernel[] = { 1, 1, 1, CHANNELS }, result[] = { 1, HEIGHT, WIDTH, 1 };
	s32 in[3], out;
	u32 options;

	tflite_begin(w);
	in[0] = tflite_tensor_of(w, "x", type, 4, image, NULL, 0, NULL);
	in[1] = floats(w, "w", 4, kernel, numbers);
	in[2] = 77;
	out = floats(w, "y", 4, result, NULL);
	options = tflite_operator_of(w, code, n_in, in, out, 7);
	tflite_int(w, options, 1, 4, 1);
	tflite_int(w, options, 2, 4, 1);
	tflite_int(w, options, 3, 4, 0);
	tflite_end(w, 1, in, out);
	return options;
}

static void refuse(struct tflite_writer *w, int code, const char *text)
{
	struct compile_error err = { 0 };
	struct graph *g = read_model(w, &err);

	if (!tap_ok(!g && err.code == code && !strcmp(err.text, text), "refused: %s", text))
		printf("# %d %s\n", err.code, err.text);
	graph_free(g);
}

static void test_wrong(void)
{
	struct tflite_writer w;
	u32 options;

	one(&w, 99, FLOAT32, 2);
	refuse(&w, -ENOTSUP,
	       "m.tflite: node \"y\" (SQUARED_DIFFERENCE): the operator is not supported; "
	       "docs/reference/operators.md lists those of TensorFlow Lite that are");
	one(&w, 9999, FLOAT32, 2);
	refuse(&w, -ENOTSUP, "m.tflite: node \"y\" (?): builtin operator 9999 is not known");
	one(&w, CONV, FLOAT32, 3);
	refuse(&w, -EINVAL, "m.tflite: it has 3 tensors, and uses number 77");
	one(&w, CONV, FLOAT32, 1);
	refuse(&w, -EINVAL, "m.tflite: node \"y\" (CONV_2D): it has 1 inputs, too few");
	one(&w, CONV, 7, 2);
	refuse(&w, -ENOTSUP,
	       "m.tflite: tensor \"x\": elements of INT16 are not supported; these are: FLOAT32, "
	       "INT8, UINT8, INT32, INT64, BOOL");
	one(&w, CONV, INT32, 2);
	refuse(&w, -ENOTSUP,
	       "m.tflite: node \"y\" (CONV_2D): s32 is not supported, only f32, s8 and u8");
	options = one(&w, CONV, FLOAT32, 2);
	tflite_int(&w, options, 0, 1, 5);
	refuse(&w, -EINVAL, "m.tflite: node \"y\" (CONV_2D): padding 5 is not known");
	options = one(&w, CONV, FLOAT32, 2);
	tflite_int(&w, options, 3, 1, 9);
	refuse(&w, -ENOTSUP, "m.tflite: node \"y\" (CONV_2D): activation 9 is not supported");
	options = one(&w, CONV, FLOAT32, 2);
	tflite_int(&w, options, 1, 4, 0);
	refuse(&w, -EINVAL,
	       "m.tflite: node \"y\" (CONV_2D): strides holds 0, allowed is 1 to 1073741824");
	one(&w, CONV, INT8, 2);
	refuse(&w, -ENOTSUP,
	       "m.tflite: node \"y\" (CONV_2D): 0 scales along dimension 0 are not supported");
	one(&w, DEPTHWISE, FLOAT32, 2);
	refuse(&w, -EINVAL, "m.tflite: output \"y\" is declared as [1,1,4,5], but it is [1,2,4,5]");
}

/* What would change the contents of tensors is not passed over. */
static void test_contents(void)
{
	static const struct {
		u32 field, value;
		const char *text;
	} rows[] = {
		{ 5, 1, "m.tflite: tensor \"y\": variable tensors are not supported" },
		{ 6, 0, "m.tflite: tensor \"y\": sparse tensors are not supported" },
	};
	struct tflite_writer w;

	for (size_t i = 0; i < 2; i++) {
		u32 at, table;

		one(&w, CONV, FLOAT32, 2);
		at = w.tensors + 4 + 4 * (w.n_tensors - 1);
		table = at + (u32)w.bytes[at] + ((u32)w.bytes[at + 1] << 8) +
			((u32)w.bytes[at + 2] << 16);
		if (rows[i].value)
			tflite_int(&w, table, rows[i].field, 1, rows[i].value);
		else
			tflite_link(&w, table, rows[i].field, tflite_table(&w, 4));
		refuse(&w, -ENOTSUP, rows[i].text);
	}
}

/* RESHAPE of x[2,2] to the shape [4,-1] of a second input, constant or not, whatever y is. */
static void reshape_model(struct tflite_writer *w, bool constant)
{
	static const s32 square[] = { 2, 2 }, two[] = { 2 }, shape[] = { 4, -1 };
	s32 in[2], out;

	tflite_begin(w);
	in[0] = floats(w, "x", 2, square, NULL);
	in[1] = tflite_tensor_of(w, "s", INT32, 1, two, constant ? shape : NULL, 8, NULL);
	out = floats(w, "y", 2, square, NULL);
	tflite_operator_of(w, RESHAPE, 2, in, out, 1);
	tflite_end(w, constant ? 1 : 2, in, out);
}

static void test_reshapes(void)
{
	struct tflite_writer w;
	struct tensor_data y;

	reshape_model(&w, true);
	y = compute(&w);
	tap_ok(y.bytes && y.shape.rank == 2 && y.shape.dim[0] == 4 && y.shape.dim[1] == 1,
	       "RESHAPE to the shape that it is given");
	tensor_data_free(&y);
	reshape_model(&w, false);
	refuse(&w, -ENOTSUP,
	       "m.tflite: node \"y\" (RESHAPE): its shape is known only at run time; make it a "
	       "constant");
}

/* The bytes of a small model that uses much of the format. */
static struct tflite_writer whole(void)
{
	struct tflite_writer w;
	u32 options = one(&w, CONV, FLOAT32, 2);

	tflite_int(&w, options, 3, 1, 1);
	return w;
}

static void test_cut(void)
{
	struct tflite_writer w = whole();
	u32 n, refused = 0;

	for (n = 0; n < w.size; n++) {
		struct compile_error err = { 0 };
		struct graph *g = NULL;
		u8 *exact = malloc(n + 1);

		memcpy(exact, w.bytes, n);
		refused += tflite_read_graph(exact, n, "m", NULL, &g, &err) && err.code &&
			   !strncmp(err.text, "m: ", 3);
		graph_free(g);
		free(exact);
	}
	tap_ok(refused == n, "each of %u beginnings is refused", n);
	free(w.bytes);
}

static void test_changed(void)
{
	struct tflite_writer w = whole();
	u64 random = random_seed(3);
	int refused = 0, read = 0;

	for (int i = 0; i < 5000; i++) {
		struct compile_error err = { 0 };
		struct graph *g = NULL;
		u8 *copy = malloc(w.size);

		memcpy(copy, w.bytes, w.size);
		for (u32 n = 1 + random_below(&random, 3); n; n--)
			copy[8 + random_below(&random, w.size - 8)] =
				(u8)random_below(&random, i & 1 ? 256 : 8);
		if (compile_graph(copy, w.size, "m", NULL, &g, &err))
			refused += err.code && err.code != -ENOTRECOVERABLE && err.text[0];
		else
			read++;
		graph_free(g);
		free(copy);
	}
	tap_ok(refused + read == 5000 && refused > 1000, "%d of 5000 changed ones are refused",
	       refused);
	free(w.bytes);
}

/* Many tensors of one buffer: a small file is to stay small. */
static void test_shared(void)
{
	static const s32 large[] = { 1 << 19 };
	struct tflite_writer w;
	s32 in[2], out = 0;
	float *data = calloc(1 << 19, sizeof(float));
	u32 buffer;

	tflite_begin(&w);
	in[0] = floats(&w, "x", 1, large, NULL);
	in[1] = floats(&w, "c", 1, large, data);
	buffer = w.n_buffers - 1;
	for (int i = 0; i < 8; i++) {
		u32 tensor;

		out = floats(&w, "y", 1, large, NULL);
		tflite_operator_of(&w, ADD, 2, in, out, 2);
		in[0] = out;
		in[1] = floats(&w, "d", 1, large, NULL);
		tensor = w.tensors + 4 + 4 * (w.n_tensors - 1);
		tflite_int(&w,
			   tensor + (u32)w.bytes[tensor] + ((u32)w.bytes[tensor + 1] << 8) +
				   ((u32)w.bytes[tensor + 2] << 16),
			   2, 4, buffer);
	}
	tflite_end(&w, 1, (s32[]){ 0 }, out);
	refuse(&w, -EFBIG,
	       "m.tflite: tensor \"d\": constants share their bytes too often, buffer 1");
	free(data);
}

int main(void)
{
	for (int i = 0; i < 64; i++)
		numbers[i] = (float)((i * 5) % 11 - 4) / 4;
	test_conv();
	test_depthwise();
	test_pools(AVERAGE_POOL);
	test_pools(MAX_POOL);
	test_chain();
	test_byte_weights(CONV, 0, "CONV_2D of floats by bytes");
	test_byte_weights(DEPTHWISE, 3, "DEPTHWISE_CONV_2D of floats by bytes");
	test_byte_weights(CONNECTED, 0, "FULLY_CONNECTED of floats by bytes");
	test_bytes_conv();
	test_bytes_connected();
	test_bytes_mean();
	test_bytes_sum();
	test_bytes_softmax();
	test_long_softmax();
	test_byte_maps();
	test_bytes_broadcast(ADD, (s8[]){ 12, 16, 16, 111 }, "ADD of s8, broadcast");
	test_bytes_broadcast(MUL, (s8[]){ 10, 2, 14, -93 }, "MUL of s8, broadcast");
	test_bytes_maximum();
	test_edges();
	test_moves();
	test_made_shape();
	test_parts();
	test_resize();
	test_resize_floats();
	test_more_bytes();
	test_sequence();
	test_groups();
	test_reshapes();
	test_meaning();
	test_wrong();
	test_contents();
	test_cut();
	test_changed();
	test_shared();
	return tap_done();
}
