/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* TensorProto decoding: every storage form, and every lie a message can tell about itself. */
#include "compiler/onnx_tensor.h"
#include "compiler/onnx_wire.h"
#include "tests/tap.h"

#include <errno.h>
#include <math.h>

static int64_t dims23[] = { 2, 3 }, huge[] = { INT64_MAX, INT64_MAX }, negative[] = { -1 };
static float floats[] = { 0, 1, 2, 3, 4, 5 };
static int32_t bytes_as_ints[] = { 0, 1, 2, 3, 4, 255 }, too_big[] = { 0, 1, 2, 3, 4, 256 };
static int32_t negative_half[] = { 0, 0, 0, 0, 0, -1 };
static int64_t longs[] = { 0, -1, 2, 3, 4, INT64_MIN };

static Onnx__TensorProto proto(int32_t type)
{
	Onnx__TensorProto p = ONNX__TENSOR_PROTO__INIT;

	p.has_data_type = 1;
	p.data_type = type;
	p.n_dims = 2;
	p.dims = dims23;
	return p;
}

static void accept(const Onnx__TensorProto *p, const void *want, const char *name)
{
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };

	if (!tap_ok(!onnx_tensor_decode(p, &t, &err) && t.shape.rank == 2 && t.shape.dim[1] == 3 &&
			    !memcmp(t.bytes, want, t.size),
		    "%s", name))
		printf("# %s\n", err.text);
	tensor_data_free(&t);
}

static void refuse(const Onnx__TensorProto *p, int code, const char *text, const char *name)
{
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };
	int rc = onnx_tensor_decode(p, &t, &err);

	if (!tap_ok(rc == code && strstr(err.text, text) && !t.bytes, "refused: %s", name))
		printf("# %d \"%s\"\n", rc, err.text);
	tensor_data_free(&t);
}

static void test_forms(void)
{
	static const uint8_t u8[] = { 0, 1, 2, 3, 4, 255 };
	Onnx__TensorProto p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);

	p.n_float_data = 6;
	p.float_data = floats;
	accept(&p, floats, "f32 in float_data");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
	p.has_raw_data = 1;
	p.raw_data.len = sizeof(floats);
	p.raw_data.data = (uint8_t *)floats;
	accept(&p, floats, "f32 in raw_data");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
	p.n_int64_data = 6;
	p.int64_data = longs;
	accept(&p, longs, "s64 in int64_data");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__UINT8);
	p.n_int32_data = 6;
	p.int32_data = bytes_as_ints;
	accept(&p, u8, "u8 in int32_data");
}

/* Halves are kept as f32: smallest and largest subnormals, 1, the largest, -2, infinity. */
static void test_halves(void)
{
	static int32_t f16[] = { 0x0001, 0x83ff, 0x3c00, 0x7bff, 0xc000, 0x7c00 };
	static const float f16_is[] = {
		0x1p-24f, -0x3ffp-24f, 1, 65504, -2, INFINITY,
	};
	static uint16_t bf16[] = { 0x0001, 0x8000, 0x3f80, 0x7f7f, 0xc000, 0xff80 };
	static const float bf16_is[] = {
		0x1p-133f, -0.0f, 1, 0x1.fep127f, -2, -INFINITY,
	};
	Onnx__TensorProto p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16);

	p.n_int32_data = 6;
	p.int32_data = f16;
	accept(&p, f16_is, "f16 in int32_data");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16);
	p.has_raw_data = 1;
	p.raw_data.len = sizeof(bf16);
	p.raw_data.data = (uint8_t *)bf16;
	accept(&p, bf16_is, "bf16 in raw_data");
}

static void test_lies(void)
{
	Onnx__TensorProto p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);

	refuse(&p, -EINVAL, "holds 0 elements, its dimensions say 6", "no data");
	p.n_float_data = 5;
	p.float_data = floats;
	refuse(&p, -EINVAL, "holds 5 elements", "too few elements");
	p.n_float_data = 6;
	p.has_raw_data = 1;
	p.raw_data.len = 24;
	p.raw_data.data = (uint8_t *)floats;
	refuse(&p, -EINVAL, "twice", "data in two places");
	p.n_float_data = 0;
	p.raw_data.len = 23;
	refuse(&p, -EINVAL, "23 bytes", "raw data of the wrong size");
	p.raw_data.len = 24;
	p.dims = huge;
	refuse(&p, -EFBIG, "exceed", "dimensions whose product overflows");
	p.n_dims = 1;
	p.dims = negative;
	refuse(&p, -EINVAL, "-1", "a negative dimension");
	p.n_dims = TENSOR_RANK_MAX + 1;
	refuse(&p, -EFBIG, "9 dimensions", "too many dimensions");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
	p.n_float_data = 6;
	p.float_data = floats;
	refuse(&p, -EINVAL, "where INT64 belongs", "data in another type's field");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__UINT8);
	p.n_int32_data = 6;
	p.int32_data = too_big;
	refuse(&p, -EINVAL, "256", "a value outside its type");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__STRING);
	refuse(&p, -ENOTSUP, "STRING", "a type by its name");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16);
	p.n_int32_data = 6;
	p.int32_data = negative_half;
	refuse(&p, -EINVAL, "element 5 is -1, outside 16 bits", "an f16 of more than 16 bits");
	p.n_int32_data = 0;
	p.has_raw_data = 1;
	p.raw_data.len = 24;
	p.raw_data.data = (uint8_t *)floats;
	refuse(&p, -EINVAL, "24 bytes, its dimensions say 12", "f16 of four bytes");
	p = proto(99);
	refuse(&p, -ENOTSUP, "99", "an unknown type");
	p = proto(ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
	p.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	refuse(&p, -ENOTSUP, "external", "external data");
}

/* Nested attributes, each a graph with a node with an attribute: 3 messages a level. */
static size_t nest(uint8_t *buf, size_t size, int levels)
{
	static const uint8_t key[3] = { 5 << 3 | 2, 1 << 3 | 2, 6 << 3 | 2 };
	uint8_t *at = buf + size;

	for (int i = 0; i < levels; i++) {
		size_t len = (size_t)(buf + size - at);

		*--at = (uint8_t)(len >> 14);
		*--at = (uint8_t)(len >> 7 | 0x80);
		*--at = (uint8_t)(len | 0x80);
		*--at = key[i % 3];
	}
	memmove(buf, at, (size_t)(buf + size - at));
	return (size_t)(buf + size - at);
}

static void test_wire(void)
{
	static const uint8_t overlong[] = { 0x0a, 0x05, 1 }, endless[] = { 0xff, 0xff, 0xff };
	static uint8_t buf[4096];
	struct compile_error err = { 0 };
	struct tensor_data t = { 0 };
	size_t len;

	tap_ok(onnx_tensor_parse(overlong, sizeof(overlong), &t, &err) == -EINVAL &&
		       strstr(err.text, "byte 0"),
	       "a field longer than its message");
	err.code = 0;
	tap_ok(onnx_tensor_parse(endless, sizeof(endless), &t, &err) == -EINVAL,
	       "an endless number");
	err.code = 0;
	len = nest(buf, sizeof(buf), 30);
	tap_ok(!onnx_wire_check(&onnx__attribute_proto__descriptor, buf, len, &err),
	       "30 nested messages pass");
	len = nest(buf, sizeof(buf), 300);
	tap_ok(onnx_wire_check(&onnx__attribute_proto__descriptor, buf, len, &err) == -EINVAL &&
		       strstr(err.text, "nest"),
	       "300 nested messages are refused");
}

int main(void)
{
	test_forms();
	test_halves();
	test_lies();
	test_wire();
	return tap_done();
}
