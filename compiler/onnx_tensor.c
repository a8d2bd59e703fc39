// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * TensorProto -> tensor_data: see onnx_tensor.h.
 *
 * The format allows the contents in raw_data, or in the typed field that fits the data type
 * (float_data; int32_data for s32, s8, u8, bool and the bits of f16 and bf16; int64_data); exactly
 * one of them may be filled. Or it is in a file beside the model, in bytes as those of raw_data.
 */
#include "compiler/onnx_tensor.h"
#include "compiler/narrow.h"
#include "compiler/onnx_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw_data is little-endian");

const char *onnx_dtype_name(s32 number)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
		&onnx__tensor_proto__data_type__descriptor, number);

	return v ? v->name : "?";
}

enum half onnx_half(s32 number)
{
	return number == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16	 ? HALF_F16 :
	       number == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 ? HALF_BF16 :
								   HALF_NONE;
}

bool onnx_dtype(s32 number, enum dtype *out)
{
	if (onnx_half(number)) {
		*out = DTYPE_F32;
		return true;
	}
	return dtype_from_number(number, out);
}

/* The f32 that the bits of an f16 or bf16 mean; every one of them is one. */
static float half_to_f32(s32 number, u16 bits)
{
	u32 wide = (u32)bits << 16;
	float f;

	if (number == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16)
		return widen_f16(bits);
	memcpy(&f, &wide, sizeof(f));
	return f;
}

static int copy_halves(const Onnx__TensorProto *proto, struct tensor_data *t,
		       struct compile_error *err)
{
	size_t n = t->size / sizeof(float);

	for (size_t i = 0; i < n; i++) {
		s32 typed = proto->n_int32_data ? proto->int32_data[i] : 0;
		u16 bits = (u16)typed;

		if (typed != bits)
			return compile_fail(err, -EINVAL, "element %zu is %d, outside 16 bits", i,
					    typed);
		if (!proto->n_int32_data)
			memcpy(&bits, proto->raw_data.data + 2 * i, sizeof(bits));
		((float *)t->bytes)[i] = half_to_f32(proto->data_type, bits);
	}
	return 0;
}

static int decode_header(const Onnx__TensorProto *proto, enum dtype *dtype, struct shape *shape,
			 struct compile_error *err)
{
	if (proto->segment)
		return compile_fail(err, -ENOTSUP, "it is stored in segments");
	if (!onnx_dtype(proto->data_type, dtype))
		return compile_fail(err, -ENOTSUP, "data type %s (%d) is not supported",
				    onnx_dtype_name(proto->data_type), proto->data_type);
	if (proto->n_dims > TENSOR_RANK_MAX)
		return compile_fail(err, -EFBIG, "%zu dimensions, the limit is %d", proto->n_dims,
				    TENSOR_RANK_MAX);
	*shape = (struct shape){ .rank = (int)proto->n_dims };
	for (int i = 0; i < shape->rank; i++) {
		shape->dim[i] = proto->dims[i];
		if (shape->dim[i] < 0)
			return compile_fail(err, -EINVAL, "dimension %d is %lld", i,
					    (long long)shape->dim[i]);
	}
	if (!shape_valid(shape))
		return compile_fail(err, -EFBIG, "its dimensions exceed %lld elements",
				    (long long)TENSOR_ELEMS_MAX);
	return 0;
}

/* Narrows int32_data to the tensor's own type; ONNX keeps s8, u8 and bool there. */
static int copy_int32_data(const Onnx__TensorProto *proto, struct tensor_data *t,
			   struct compile_error *err)
{
	for (size_t i = 0; i < proto->n_int32_data; i++) {
		s32 v = proto->int32_data[i];
		s32 lo = t->dtype == DTYPE_S8 ? INT8_MIN : 0;
		s32 hi = t->dtype == DTYPE_S8 ? INT8_MAX : t->dtype == DTYPE_BOOL ? 1 : UINT8_MAX;

		if (t->dtype == DTYPE_S32) {
			((s32 *)t->bytes)[i] = v;
			continue;
		}
		if (v < lo || v > hi)
			return compile_fail(err, -EINVAL, "element %zu is %d, outside %s", i, v,
					    dtype_name(t->dtype));
		((u8 *)t->bytes)[i] = (u8)v;
	}
	return 0;
}

static int copy_typed(const Onnx__TensorProto *proto, struct tensor_data *t,
		      struct compile_error *err)
{
	size_t want = (size_t)shape_elems(&t->shape), have;
	const void *from = NULL;

	if (onnx_half(proto->data_type)) {
		have = proto->n_int32_data;
	} else if (t->dtype == DTYPE_F32) {
		have = proto->n_float_data;
		from = proto->float_data;
	} else if (t->dtype == DTYPE_S64) {
		have = proto->n_int64_data;
		from = proto->int64_data;
	} else {
		have = proto->n_int32_data;
	}
	if (have != want)
		return compile_fail(err, -EINVAL, "%zu of its %zu elements are where %s belongs",
				    have, want, onnx_dtype_name(proto->data_type));
	if (onnx_half(proto->data_type))
		return copy_halves(proto, t, err);
	if (!from)
		return copy_int32_data(proto, t, err);
	memcpy(t->bytes, from, t->size);
	return 0;
}

static int copy_raw(const Onnx__TensorProto *proto, struct tensor_data *t,
		    struct compile_error *err)
{
	if (onnx_half(proto->data_type))
		return copy_halves(proto, t, err);
	if (t->size)
		memcpy(t->bytes, proto->raw_data.data, t->size);
	for (size_t i = 0; t->dtype == DTYPE_BOOL && i < t->size; i++) {
		if (((u8 *)t->bytes)[i] > 1)
			return compile_fail(err, -EINVAL, "element %zu is %d, outside bool", i,
					    ((u8 *)t->bytes)[i]);
	}
	return 0;
}

/* ---- Contents outside of the model ---------------------------------------------------------- */

static bool is_external(const Onnx__TensorProto *proto)
{
	return proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL ||
	       proto->n_external_data;
}

/* What the model says of them under @key; NULL: nothing. */
static const char *external_entry(const Onnx__TensorProto *proto, const char *key)
{
	for (size_t i = 0; i < proto->n_external_data; i++) {
		const Onnx__StringStringEntryProto *e = proto->external_data[i];

		if (e->key && e->value && !strcmp(e->key, key))
			return e->value;
	}
	return NULL;
}

/* The number under @key, or @otherwise if there is none. */
static int external_number(const Onnx__TensorProto *proto, const char *key, u64 otherwise,
			   u64 *number, struct compile_error *err)
{
	const char *text = external_entry(proto, key);
	char *end;

	*number = otherwise;
	if (!text)
		return 0;
	*number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || *number > INT64_MAX)
		return compile_fail(err, -EINVAL, "the %s of its external data is \"%.40s\"", key,
				    text);
	return 0;
}

/* What @rc of external->read() means. */
static const char *external_error(int rc)
{
	switch (rc) {
	case -ENODATA:
		return "the file is shorter";
	case -EXDEV:
		return "it leads out of the model's directory; external data must be in it or "
		       "below, without .. and links to elsewhere";
	case -EINVAL:
		return "it is no regular file";
	default:
		return strerror(-rc);
	}
}

/* Reads them into memory, for free(), after @external has said that they are there. */
static int read_external(const Onnx__TensorProto *proto, const struct compile_external *external,
			 u64 size, void **bytes, struct compile_error *err)
{
	const char *location = external_entry(proto, "location");
	u64 offset, length;
	int rc;

	if (!location)
		return compile_fail(err, -EINVAL, "its data is in a file that has no name");
	if (!external->read)
		return compile_fail(err, -ENOTSUP, "its data is in an external file, \"%.80s\"",
				    location);
	if (external_number(proto, "offset", 0, &offset, err) ||
	    external_number(proto, "length", size, &length, err))
		return err->code;
	if (length != size)
		return compile_fail(err, -EINVAL,
				    "it has %llu bytes in \"%.80s\", its dimensions say %llu",
				    (unsigned long long)length, location, (unsigned long long)size);
	if (size > GRAPH_CONST_BYTES_MAX)
		return compile_fail(err, -EFBIG, "%llu bytes are more than %llu MiB",
				    (unsigned long long)size,
				    (unsigned long long)(GRAPH_CONST_BYTES_MAX >> 20));
	rc = external->read(external->context, location, offset, size, NULL);
	if (!rc) {
		*bytes = malloc(size + 1);
		if (!*bytes)
			return compile_fail(err, -ENOMEM, "no memory for %llu bytes",
					    (unsigned long long)size);
		rc = external->read(external->context, location, offset, size, *bytes);
	}
	if (rc)
		compile_fail(err, rc, "%llu bytes at %llu of \"%.80s\": %s",
			     (unsigned long long)size, (unsigned long long)offset, location,
			     external_error(rc));
	return rc;
}

/* ---- Tensors ------------------------------------------------------------------------------- */

/* The bytes of raw_data that fit the dimensions. */
static size_t raw_size(const Onnx__TensorProto *proto, const struct shape *shape, enum dtype dtype)
{
	return (size_t)shape_elems(shape) *
	       (onnx_half(proto->data_type) ? sizeof(u16) : dtype_size(dtype));
}

int onnx_tensor_decode(const Onnx__TensorProto *proto, struct tensor_data *out,
		       struct compile_error *err)
{
	struct tensor_data t = { 0 };
	bool raw = proto->has_raw_data && proto->raw_data.len;
	size_t typed = proto->n_float_data + proto->n_int32_data + proto->n_int64_data +
		       proto->n_double_data + proto->n_uint64_data + proto->n_string_data;
	struct shape shape;
	enum dtype dtype;
	size_t size;
	int rc;

	rc = decode_header(proto, &dtype, &shape, err);
	if (rc)
		return rc;
	if (is_external(proto))
		return compile_fail(err, -ENOTSUP, "its data is in an external file");
	if (raw && typed)
		return compile_fail(err, -EINVAL, "its data is there twice, raw and typed");
	/* The contents are compared with the dimensions first: those alone must allocate nothing.
	 */
	size = raw_size(proto, &shape, dtype);
	if (raw ? proto->raw_data.len != size : typed != (size_t)shape_elems(&shape))
		return compile_fail(err, -EINVAL, "it holds %zu %s, its dimensions say %zu",
				    raw ? proto->raw_data.len : typed, raw ? "bytes" : "elements",
				    raw ? size : (size_t)shape_elems(&shape));
	if (!tensor_data_alloc(&t, dtype, &shape))
		return compile_fail(err, -ENOMEM, "no memory for %zu bytes", size);
	rc = raw ? copy_raw(proto, &t, err) : copy_typed(proto, &t, err);
	if (rc) {
		tensor_data_free(&t);
		return rc;
	}
	*out = t;
	return 0;
}

int onnx_tensor_read(const Onnx__TensorProto *proto, const struct compile_external *external,
		     struct tensor_data *out, struct compile_error *err)
{
	Onnx__TensorProto inside = *proto; /* the same with its contents, if they are outside */
	void *bytes = NULL;
	struct shape shape;
	enum dtype dtype;
	int rc;

	if (!is_external(proto))
		return onnx_tensor_decode(proto, out, err);
	rc = decode_header(proto, &dtype, &shape, err);
	if (!rc)
		rc = read_external(proto, external, raw_size(proto, &shape, dtype), &bytes, err);
	if (!rc && proto->has_raw_data && proto->raw_data.len)
		rc = compile_fail(err, -EINVAL, "its data is there twice, inside and in a file");
	if (!rc) {
		inside.n_external_data = 0;
		inside.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT;
		inside.has_raw_data = 1;
		inside.raw_data.data = bytes;
		inside.raw_data.len = raw_size(proto, &shape, dtype);
		rc = onnx_tensor_decode(&inside, out, err);
	}
	free(bytes);
	return rc;
}

int onnx_tensor_parse(const void *bytes, size_t size, struct tensor_data *out,
		      struct compile_error *err)
{
	ProtobufCMessage *message;
	int rc;

	rc = onnx_unpack(&onnx__tensor_proto__descriptor, bytes, size, &message, err);
	if (rc)
		return rc;
	rc = onnx_tensor_decode((const Onnx__TensorProto *)message, out, err);
	onnx_free_unpacked(message);
	return rc;
}
