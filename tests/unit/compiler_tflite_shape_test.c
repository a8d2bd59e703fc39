// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * TensorFlow Lite operators that move, cut and resize, and shapes that are computed, against values
 * worked out here.
 */
#include "tests/unit/compiler_tflite_rig.h"

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

/* The part of x[1,4,5,2] that STRIDED_SLICE gives by these lists and masks, of shape @shape. */
static void slice(const s32 lists[3][4], u32 n, const u32 masks[6], u32 rank, const s32 *shape,
		  const double *want, const char *name)
{
	struct tflite_writer w;
	s32 in[4], out, x;
	u32 options;
	s64 elems = 1;

	tflite_begin(&w);
	x = in[0] = floats(&w, "x", 4, image, NULL);
	in[1] = integers(&w, "begin", (s32)n, lists[0]);
	in[2] = integers(&w, "end", (s32)n, lists[1]);
	in[3] = integers(&w, "step", (s32)n, lists[2]);
	out = floats(&w, "y", rank, shape, NULL);
	options = tflite_operator_of(&w, STRIDED_SLICE, 4, in, out, 6);
	for (u32 i = 0; i < 6; i++)
		tflite_int(&w, options, i, i < 5 ? 4 : 1, masks[i]);
	tflite_end(&w, 1, &x, out);
	for (u32 i = 0; i < rank; i++)
		elems *= shape[i];
	check(compute(&w), want, elems, name);
}

/* Masks: of begins, of ends, of an ellipsis, of new dimensions, of single elements; sizes. */
static void test_slices(void)
{
	static const s32 steps[] = { 1, 4, 1, 2 }, rows[] = { 1, 2, 5, 2 }, part[] = { 1, 2, 2, 2 },
			 all[] = { 1, 4, 5, 2, 1 };
	double want[40];

	for (s32 i = 0; i < 8; i++)
		want[i] = x_at(i / 2, 1, i % 2);
	slice((const s32[3][4]){ { 7, 7, 1, 0 }, { 7, 7, 2, 2 }, { 1, 1, 1, 1 } }, 4,
	      (const u32[]){ 0, 0, 1, 2, 4, 0 }, 4, steps, want,
	      "STRIDED_SLICE: [..., new, 1, 0:2]");
	for (s32 i = 0; i < 20; i++)
		want[i] = x_at(1 + i / 10, i / 2 % 5, i % 2);
	slice((const s32[3][4]){ { 0, 0, 1, 9 }, { 9, 1, 3, 9 }, { 1, 1, 1, 9 } }, 4,
	      (const u32[]){ 0, 0, 8, 1, 2, 0 }, 4, rows, want,
	      "STRIDED_SLICE: [new, 0, 1:3, ...]");
	for (s32 i = 0; i < 8; i++)
		want[i] = x_at(1 + i / 4, 3 + i / 2 % 2, i % 2);
	slice((const s32[3][4]){ { 0, 1, -2, 0 }, { 1, 2, 2, 1 }, { 1, 1, 1, 1 } }, 4,
	      (const u32[]){ 0, 8, 0, 0, 0, 1 }, 4, part, want, "STRIDED_SLICE: ends are sizes");
	for (s32 i = 0; i < 40; i++)
		want[i] = x_at(i / 10, i / 2 % 5, i % 2);
	slice((const s32[3][4]){ { 0, 0 }, { 0, 0 }, { 1, 1 } }, 2,
	      (const u32[]){ 0, 0, 1, 2, 0, 0 }, 5, all, want, "STRIDED_SLICE: [..., new]");
}

/* GATHER of x[2,3,2] by other indices in each of its two matrices, along @axis. */
static void gather(s32 axis, const s32 *at, const s32 shape[3], s32 n, const double *want)
{
	static const s32 x[] = { 2, 3, 2 };
	struct tflite_writer w;
	s32 in[2], out;
	u32 options;

	tflite_begin(&w);
	in[0] = floats(&w, "x", 3, x, NULL);
	in[1] = tflite_tensor_of(&w, "at", INT32, 2, (s32[]){ 2, n }, at, 8 * (u32)n, NULL);
	out = floats(&w, "y", 3, shape, NULL);
	options = tflite_operator_of(&w, GATHER, 2, in, out, 2);
	tflite_int(&w, options, 0, 4, axis);
	tflite_int(&w, options, 1, 4, 1);
	tflite_end(&w, 1, in, out);
	check(compute(&w), want, shape[0] * shape[1] * shape[2], "GATHER with batch dimensions");
}

static void test_gather(void)
{
	static const double rows[] = { 4, 5, 0, 1, 8, 9, 8, 9 };
	static const double columns[] = { 1, 0, 1, 3, 2, 3, 5, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11 };

	gather(1, (s32[]){ 2, 0, 1, 1 }, (s32[]){ 2, 2, 2 }, 2, rows);
	gather(-1, (s32[]){ 1, 0, 1, 0, 0, 1 }, (s32[]){ 2, 3, 3 }, 3, columns);
}

/* Bytes x[1,3,2,1], of u8 128 more, resized to [1,4,5,1]. */
static void resize_of(s32 type, s32 code, u32 corners, bool by_corners, bool by_centres,
		      const void *want, const char *name)
{
	static const s32 small[] = { 1, 3, 2, 1 }, large[] = { 1, 4, 5, 1 }, size[] = { 4, 5 };
	static const s8 x[] = { -128, 127, 5, -7, 100, -100 };
	static const u8 shifted[] = { 0, 255, 133, 121, 228, 28 };
	const void *of = type == UINT8 ? (const void *)shifted : x;
	s64 zero = type == UINT8 ? 3 : -3;
	struct tflite_writer w;
	s32 in[2], out;
	u32 options;

	tflite_begin(&w);
	in[0] = bytes_of(&w, type, "x", 4, small, NULL, 0.5f, zero);
	in[1] = integers(&w, "size", 2, size);
	out = bytes_of(&w, type, "y", 4, large, NULL, 0.5f, zero);
	options = tflite_operator_of(&w, code, 2, in, out, 4);
	tflite_int(&w, options, corners, 1, by_corners);
	tflite_int(&w, options, corners + 1, 1, by_centres);
	tflite_end(&w, 1, in, out);
	check_bytes(compute_bytes(&w, of, 6), want, 20, name);
}

static void resize(s32 code, u32 corners, bool by_corners, bool by_centres, const s8 want[20],
		   const char *name)
{
	resize_of(INT8, code, corners, by_corners, by_centres, want, name);
}

/* The same of u8, which are interpolated in f32. */
static void test_resize_u8(void)
{
	static const u8 centres[] = { 0,   26,	128, 230, 255, 83,  92,	 127, 162, 171,
				      169, 160, 127, 94,  86,  228, 208, 128, 48,  28 };
	static const u8 corners[] = { 0,   64,	128, 191, 255, 89,  108, 127, 146, 166,
				      165, 146, 127, 109, 90,  228, 178, 128, 78,  28 };
	static const u8 plain[] = { 0,	 102, 204, 255, 255, 100, 122, 144, 155, 155,
				    181, 138, 96,  75,	75,  228, 148, 68,  28,	 28 };

	resize_of(UINT8, RESIZE_BILINEAR, 2, false, true, centres,
		  "RESIZE_BILINEAR of u8, centres");
	resize_of(UINT8, RESIZE_BILINEAR, 2, true, false, corners,
		  "RESIZE_BILINEAR of u8, corners");
	resize_of(UINT8, RESIZE_BILINEAR, 2, false, false, plain, "RESIZE_BILINEAR of u8, neither");
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

int main(void)
{
	test_moves();
	test_made_shape();
	test_parts();
	test_slices();
	test_gather();
	test_resize();
	test_resize_u8();
	test_resize_floats();
	test_sequence();
	test_groups();
	test_reshapes();
	return tap_done();
}
