// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * TensorFlow Lite models of floats, against values worked out here, in the model's own layout; then
 * files that are wrong, cut, or changed at random.
 */
#include "tests/unit/compiler_tflite_rig.h"

static float numbers[64];

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
	options = pool(&w, code, in, out, 2, 2, 2, 2);
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
	       "FLOAT16, INT8, UINT8, INT32, INT64, BOOL");
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

/* A message has as much of a name as it has room for. */
static void test_long_name(void)
{
	char name[1001], want[400];
	struct tflite_writer w;
	s32 x, y;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	snprintf(want, sizeof(want),
		 "m.tflite: tensor \"%.120s\": elements of INT16 are not supported; these are: "
		 "FLOAT32, FLOAT16, INT8, UINT8, INT32, INT64, BOOL",
		 name);
	tflite_begin(&w);
	x = tflite_tensor_of(&w, name, 7, 4, image, NULL, 0, NULL);
	y = floats(&w, "y", 4, image, NULL);
	tflite_operator_of(&w, RELU, 1, &x, y, 0);
	tflite_end(&w, 1, &x, y);
	refuse(&w, -ENOTSUP, want);
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

/* The table of tensor @i, counted from the last one. */
static u32 table_of_last(const struct tflite_writer *w, u32 i)
{
	u32 at = w->tensors + 4 + 4 * (w->n_tensors - 1 - i);

	return at + (u32)w->bytes[at] + ((u32)w->bytes[at + 1] << 8) +
	       ((u32)w->bytes[at + 2] << 16);
}

/* x[4] plus numbers that are behind the tables, at the end: @offset and @size say where. */
static void far_contents(struct tflite_writer *w, s64 offset, s64 size)
{
	static const s32 four[] = { 4 };
	static const float far[] = { 10, 20, 30, 40 };
	u32 buffer, at;
	s32 in[2], out;

	tflite_begin(w);
	in[0] = floats(w, "x", 1, four, NULL);
	in[1] = floats(w, "far", 1, four, NULL);
	tflite_int(w, table_of_last(w, 0), 2, 4, w->n_buffers);
	buffer = tflite_table(w, 3);
	tflite_add_to(w, w->buffers, &w->n_buffers, buffer);
	out = floats(w, "y", 1, four, NULL);
	tflite_operator_of(w, ADD, 2, in, out, 2);
	tflite_end(w, 1, in, out);
	at = tflite_append(w, far, sizeof(far));
	tflite_int(w, buffer, 1, 8, offset + (offset < 0 ? 0 : at));
	tflite_int(w, buffer, 2, 8, size);
}

static void test_far_contents(void)
{
	static const double want[] = { 10, 21, 32, 43 };
	static const struct {
		s64 offset, size;
		const char *text;
	} rows[] = {
		{ 1, 16, "the file does not hold all of its bytes, which are 16" },
		{ 17, 16, "the file does not hold all of its bytes, which are 16" },
		{ -16, 16, "the file does not hold all of its bytes, which are 16" },
		{ 0, -16, "the file does not hold all of its bytes, which are -16" },
		{ 4, 12, "its dimensions do not fit the bytes, which are 12" },
	};
	struct tflite_writer w;
	char text[120];

	far_contents(&w, 0, 16);
	check(compute(&w), want, 4, "contents behind the tables");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		far_contents(&w, rows[i].offset, rows[i].size);
		snprintf(text, sizeof(text), "m.tflite: tensor \"far\": %s", rows[i].text);
		refuse(&w, -EINVAL, text);
	}
}

/* A constant of FLOAT16, and what DEQUANTIZE makes of it. */
static s32 halves(struct tflite_writer *w, const char *name, u32 rank, const s32 *dims,
		  const u16 *bits, u32 n)
{
	s32 in = tflite_tensor_of(w, "half", FLOAT16, rank, dims, bits, 2 * n, NULL);
	s32 out = floats(w, name, rank, dims, NULL);

	tflite_operator_of(w, DEQUANTIZE, 1, &in, out, 0);
	return out;
}

/* Products of 0 to 3 by 1, -2.5, 2^-24 and 65504, with a bias of 1 and -2.5. */
static void half_weights(struct tflite_writer *w, s32 code)
{
	static const s32 images[] = { 1, 1, 2, 2 }, rows[] = { 2, 2 }, kernel[] = { 2, 1, 1, 2 },
			 two[] = { 2 };
	static const u16 bits[] = { 0x3c00, 0xc100, 0x0001, 0x7bff };
	bool conv = code == CONV;
	u32 options;
	s32 in[3], out;

	tflite_begin(w);
	in[0] = floats(w, "x", conv ? 4 : 2, conv ? images : rows, NULL);
	in[1] = halves(w, "w", conv ? 4 : 2, conv ? kernel : rows, bits, 4);
	in[2] = halves(w, "b", 1, two, bits, 2);
	out = floats(w, "y", conv ? 4 : 2, conv ? images : rows, NULL);
	options = tflite_operator_of(w, code, 3, in, out, 6);
	if (conv) {
		tflite_int(w, options, 1, 4, 1);
		tflite_int(w, options, 2, 4, 1);
	}
	tflite_end(w, 1, in, out);
}

static void test_halves(void)
{
	static const double want[] = { -1.5, 65501.5, -4.5, 196509.5 };
	static const s32 four[] = { 4 };
	struct tflite_writer w;
	u32 tensor;
	s32 in, out;

	half_weights(&w, CONV);
	check(compute(&w), want, 4, "CONV_2D by weights of FLOAT16");
	half_weights(&w, CONNECTED);
	check(compute(&w), want, 4, "FULLY_CONNECTED by weights of FLOAT16");
	/* What DEQUANTIZE makes is not what the model says of it: nothing is read beyond its end.
	 */
	half_weights(&w, CONNECTED);
	tensor = table_of_last(&w, 3); /* w */
	tflite_link(&w, tensor, 0, tflite_vector(&w, 4, 2, (s32[]){ 2, 1000 }));
	refuse(&w, -EINVAL,
	       "m.tflite: node \"y\" (FULLY_CONNECTED): shapes [2,2] and [1,1000] leave no size "
	       "for the -1 (shown as 1)");
	half_weights(&w, CONV);
	tensor = table_of_last(&w, 3);
	tflite_link(&w, tensor, 0, tflite_vector(&w, 4, 4, (s32[]){ 1000, 1, 1, 2 }));
	refuse(&w, -EINVAL,
	       "m.tflite: tensor \"w\": its type is another than what is made, which has "
	       "elements: 4");
	tflite_begin(&w);
	in = tflite_tensor_of(&w, "x", FLOAT16, 1, four, NULL, 0, NULL);
	out = floats(&w, "y", 1, four, NULL);
	tflite_operator_of(&w, DEQUANTIZE, 1, &in, out, 0);
	tflite_end(&w, 1, &in, out);
	check(compute(&w), (const double[]){ 0, 1, 2, 3 }, 4, "an input of FLOAT16 is f32");
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
	test_wrong();
	test_long_name();
	test_contents();
	test_far_contents();
	test_halves();
	test_cut();
	test_changed();
	test_shared();
	return tap_done();
}
