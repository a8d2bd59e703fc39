// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * TensorFlow Lite models of bytes, against values worked out here by the arithmetic of its
 * reference kernels; and what an input or output says of its scale.
 */
#include "tests/unit/compiler_tflite_rig.h"

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
	options = pool(&w, AVERAGE_POOL, in, out, 1, 1, 1, 2);
	tflite_int(&w, options, 0, 1, 1);
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
	options = pool(&w, MAX_POOL, in, out, 2, 1, 2, 1);
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

/* Windows of 2 and of 3 that hang over the edges count what they see. */
static void test_bytes_edges(s32 kernel, const s8 want[12])
{
	static const s32 shape[] = { 1, 3, 4, 1 };
	static const s8 x[] = { -128, 127, 3, -4, 5, -5, 100, 7, 1, 2, -9, -10 };
	struct tflite_writer w;
	s32 in, out;

	tflite_begin(&w);
	in = bytes(&w, "x", 4, shape, NULL, 0.5f, -3);
	out = bytes(&w, "y", 4, shape, NULL, 0.5f, -3);
	pool(&w, AVERAGE_POOL, in, out, 1, 1, (u32)kernel, (u32)kernel);
	tflite_end(&w, 1, &in, out);
	check_bytes(compute_bytes(&w, x, 12), want, 12, "AVERAGE_POOL_2D of s8 over the edge");
}

/* MEAN of 12 bytes along some dimensions, s8 or u8 (128 more), with the zero -3 of s8. */
static void test_mean(s32 type, u32 rank, const s32 *axes, u32 n_axes, bool keep, float scale,
		      s64 zero, const void *want, s64 n, const char *name)
{
	static const s32 four[] = { 1, 2, 3, 2 }, result[] = { 1, 1, 1, 2 };
	static const s8 x[] = { -128, 127, 5, -7, 100, -100, 3, 4, -1, 0, 1, 2 };
	u8 shifted[12];
	struct tflite_writer w;
	s32 in[2], out, dims[4] = { (s32)n };
	u32 options;

	for (int i = 0; i < 12; i++)
		shifted[i] = (u8)(x[i] + 128);
	tflite_begin(&w);
	in[0] = bytes_of(&w, type, "x", rank, rank == 4 ? four : four + 1, NULL, 0.5f,
			 type == UINT8 ? 125 : -3);
	in[1] = tflite_tensor_of(&w, "axes", INT32, 1, (s32[]){ (s32)n_axes }, axes, 4 * n_axes,
				 NULL);
	if (rank == 3) {
		dims[0] = n_axes && axes[0] ? 2 : 3;
		dims[1] = n_axes && axes[0] ? 3 : 2;
	}
	out = bytes_of(&w, type, "y",
		       keep	 ? 4 :
		       rank == 3 ? 2 :
				   1 + (n == 2),
		       keep		   ? result :
		       rank == 4 && n == 2 ? (s32[]){ 1, 2 } :
					     dims,
		       NULL, scale, zero);
	options = tflite_operator_of(&w, MEAN, 2, in, out, 1);
	tflite_int(&w, options, 0, 1, keep);
	tflite_end(&w, 1, in, out);
	check_bytes(compute_bytes(&w, type == UINT8 ? (const void *)shifted : x, 12), want, n,
		    name);
}

/* Numbers by QuantizedMeanOrSum() of the reference, in another language. */
static void test_means(void)
{
	static const s8 image[] = { 6, 16 }, last[] = { 0, -1, 0, 4, 0, 2 },
			rows[] = { -15, 28, 7, 5, 23, -10 };
	static const u8 other[] = { 5, 44 };

	test_mean(INT8, 4, (s32[]){ 1, 2 }, 2, true, 0.4f, 7, image, 2, "MEAN of s8, an image");
	test_mean(INT8, 4, (s32[]){ -2, 1, 1 }, 3, false, 0.4f, 7, image, 2,
		  "MEAN of s8, an image without its dimensions");
	test_mean(UINT8, 4, (s32[]){ 1, 2 }, 2, true, 0.1f, 7, other, 2, "MEAN of u8, an image");
	test_mean(INT8, 3, (s32[]){ -1 }, 1, false, 0.5f, -3, last, 6, "MEAN of s8, pairs");
	test_mean(INT8, 3, (s32[]){ 0 }, 1, false, 1.5f, 5, rows, 6, "MEAN of s8, rows");
}

/* CONV_2D of one pixel of two channels to two maps, with scales and zeros of weights as told. */
static void two_maps(struct tflite_writer *w, s32 type, u32 n, const s64 zeros[2])
{
	static const s32 shape[] = { 1, 1, 1, 2 }, kernel[] = { 2, 1, 1, 2 };
	static const u8 weights[] = { 3, 5, 7, 2 };
	static const float scales[] = { 0.25f, 0.5f };
	const struct tflite_quantised q = { n, scales, zeros, 0 };
	u32 options;
	s32 in[2], out;

	tflite_begin(w);
	in[0] = bytes_of(w, type, "x", 4, shape, NULL, 0.5f, 1);
	in[1] = tflite_tensor_of(w, "w", type, 4, kernel, weights, 4, &q);
	out = bytes_of(w, type, "y", 4, shape, NULL, 0.5f, 2);
	options = tflite_operator_of(w, CONV, 2, in, out, 6);
	tflite_int(w, options, 1, 4, 1);
	tflite_int(w, options, 2, 4, 1);
	tflite_end(w, 1, in, out);
}

/* (11 - 1) * (3 - 1) + (21 - 1) * (5 - 1) = 100 quarters of a half; 10 * 6 + 20 = 80 halves. */
static void test_weight_zeros(void)
{
	static const s8 x[] = { 11, 21 }, want[] = { 27, 42 }, alike[] = { 27, 22 };
	struct tflite_writer w;

	two_maps(&w, INT8, 2, (s64[]){ 1, 1 });
	check_bytes(compute_bytes(&w, x, 2), want, 2, "CONV_2D of s8, a zero for all of its maps");
	two_maps(&w, UINT8, 1, (s64[]){ 1, 1 });
	check_bytes(compute_bytes(&w, x, 2), alike, 2, "CONV_2D of u8, weights with a zero");
	two_maps(&w, INT8, 2, (s64[]){ 1, 2 });
	refuse(&w, -ENOTSUP, "m.tflite: node \"y\" (CONV_2D): the zeros of its weights differ");
	two_maps(&w, UINT8, 2, (s64[]){ 1, 1 });
	refuse(&w, -EINVAL, "m.tflite: node \"y\" (CONV_2D): u8 has one scale of weights, not 2");
	two_maps(&w, INT8, 2, (s64[]){ 1, 128 });
	refuse(&w, -EINVAL, "m.tflite: node \"y\" (CONV_2D): a scale is 0.5, its zero 128");
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

int main(void)
{
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
	test_more_bytes();
	test_means();
	test_weight_zeros();
	test_meaning();
	return tap_done();
}
