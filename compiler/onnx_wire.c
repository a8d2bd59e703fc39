// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Wire-level check of a protobuf message.
 *
 * protobuf-c unpacks messages within messages by recursion without a limit, and ONNX types nest (a
 * graph in an attribute of a node of a graph; a sequence of sequences), so that a small file could
 * exhaust the stack. This walk has a limit, and it knows the byte at which a file is damaged, which
 * protobuf-c does not say.
 *
 * The same walk tells models from tensors, which have no magic number. Both often begin with the
 * same field, then they differ: 2 is a text in a model (its producer) and a number in a tensor (its
 * data type, which every tensor has).
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
#include "compiler/onnx_wire.h"
#include "spec/env.h"

#include "onnx.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct wire {
	const u8 *start; /* of the whole message, for the positions in messages */
	u32 messages; /* seen */
	struct compile_error *err;
};

enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

static bool read_varint(const u8 **at, const u8 *end, u64 *out)
{
	u64 v = 0;

	for (int shift = 0; shift < 70 && *at < end; shift += 7) {
		u8 byte = *(*at)++;

		if (shift < 64)
			v |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = v;
			return true;
		}
	}
	return false;
}

static int damaged(struct wire *w, const u8 *at, const char *what)
{
	return compile_fail(w->err, -EINVAL, "damaged or truncated: %s at byte %zu", what,
			    (size_t)(at - w->start));
}

/*
 * Reads what stands before the contents of a field, @len bytes of which follow; none of a varint,
 * which is read, too. NULL, or what is wrong.
 */
static const char *read_field(const u8 **at, const u8 *end, u64 *key, u64 *len)
{
	*key = 0;
	if (!read_varint(at, end, key) || *key < 8)
		return "a bad field number";
	switch (*key & 7) {
	case WIRE_VARINT:
		if (!read_varint(at, end, len))
			return "a bad number";
		*len = 0;
		break;
	case WIRE_64BIT:
		*len = 8;
		break;
	case WIRE_32BIT:
		*len = 4;
		break;
	case WIRE_BYTES:
		if (!read_varint(at, end, len))
			return "a bad length";
		break;
	default:
		return "an unknown wire type";
	}
	return *len > (u64)(end - *at) ? "a field longer than its message" : NULL;
}

/* NULL: @type has no such field. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type, u64 key)
{
	return key >> 3 > UINT32_MAX ?
		       NULL :
		       protobuf_c_message_descriptor_get_field(type, (unsigned int)(key >> 3));
}

/* A name that is cut is another name. Text that no one reads may hold anything. */
static int check_text(struct wire *w, const ProtobufCFieldDescriptor *f, const u8 *at, u64 len)
{
	const u8 *nul = len && strcmp(f->name, "doc_string") ? memchr(at, 0, len) : NULL;

	return nul ? compile_fail(w->err, -EINVAL, "a NUL byte in a text (%s) at byte %zu", f->name,
				  (size_t)(nul - w->start)) :
		     0;
}

static int check_message(struct wire *w, const ProtobufCMessageDescriptor *type, const u8 *at,
			 const u8 *end, int depth)
{
	const ProtobufCFieldDescriptor *f;
	u64 key, len;
	int rc = 0;

	if (depth > ONNX_WIRE_DEPTH_MAX)
		return compile_fail(w->err, -EINVAL, "messages nest deeper than %d at byte %zu",
				    ONNX_WIRE_DEPTH_MAX, (size_t)(at - w->start));
	if (++w->messages > ONNX_WIRE_MESSAGES_MAX)
		return compile_fail(w->err, -EFBIG, "it has more than %d messages",
				    ONNX_WIRE_MESSAGES_MAX);
	while (at < end) {
		const u8 *field = at;
		const char *wrong = read_field(&at, end, &key, &len);

		if (wrong)
			return damaged(w, field, wrong);
		f = (key & 7) == WIRE_BYTES ? find_field(type, key) : NULL;
		if (f && f->type == PROTOBUF_C_TYPE_MESSAGE)
			rc = check_message(w, f->descriptor, at, at + len, depth + 1);
		else if (f && f->type == PROTOBUF_C_TYPE_STRING)
			rc = check_text(w, f, at, len);
		if (rc)
			return rc;
		at += len;
	}
	return 0;
}

int onnx_wire_check(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		    struct compile_error *err)
{
	struct wire w = { .start = bytes, .err = err };

	return check_message(&w, type, w.start, w.start + size, 0);
}

/* ---- Which message it is ------------------------------------------------------------------- */

static const struct {
	const ProtobufCMessageDescriptor *type;
	const char *name;
} messages[] = {
	[ONNX_MODEL] = { &onnx__model_proto__descriptor, "an ONNX model" },
	[ONNX_TENSOR] = { &onnx__tensor_proto__descriptor, "an ONNX tensor (TensorProto)" },
};

/* Whether a field of that type may be stored so. Numbers in a row may be packed into bytes. */
static bool may_be(const ProtobufCFieldDescriptor *f, unsigned int wire)
{
	bool packed = wire == WIRE_BYTES && f->label == PROTOBUF_C_LABEL_REPEATED;

	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		return wire == WIRE_BYTES;
	case PROTOBUF_C_TYPE_FLOAT:
		return packed || wire == WIRE_32BIT;
	case PROTOBUF_C_TYPE_DOUBLE:
		return packed || wire == WIRE_64BIT;
	default: /* the others that ONNX has */
		return packed || wire == WIRE_VARINT;
	}
}

/* How many fields @type knows, up to where the message is damaged; 0 if one is of another kind. */
static size_t count_known(const ProtobufCMessageDescriptor *type, const u8 *at, const u8 *end)
{
	const ProtobufCFieldDescriptor *f;
	const char *wrong = NULL;
	size_t known = 0;
	u64 key, len;

	for (; at < end && !wrong; at += len) {
		len = 0;
		wrong = read_field(&at, end, &key, &len);
		f = find_field(type, key);
		if (f && !may_be(f, key & 7))
			return 0;
		known += !!f;
	}
	return known;
}

enum onnx_message onnx_message_kind(const void *bytes, size_t size)
{
	const u8 *at = bytes, *end = at + size;
	size_t model = count_known(messages[ONNX_MODEL].type, at, end);
	size_t tensor = count_known(messages[ONNX_TENSOR].type, at, end);

	return tensor > model ? ONNX_TENSOR : model ? ONNX_MODEL : ONNX_NEITHER;
}

/* ---- Unpacking ----------------------------------------------------------------------------- */

/* An allocator for protobuf-c that remembers why it gave nothing. */
static void *unpack_alloc(void *failed, size_t size)
{
	void *p = malloc(size);

	if (!p)
		*(bool *)failed = true;
	return p;
}

static void unpack_free(void *failed, void *p)
{
	(void)failed;
	free(p);
}

int onnx_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		ProtobufCMessage **out, struct compile_error *err)
{
	bool failed = false;
	ProtobufCAllocator allocator = { unpack_alloc, unpack_free, &failed };
	enum onnx_message wanted = type == messages[ONNX_MODEL].type ? ONNX_MODEL : ONNX_TENSOR;
	enum onnx_message is = onnx_message_kind(bytes, size);
	int rc;

	if (is != ONNX_NEITHER && is != wanted)
		return compile_fail(err, -EINVAL, "it is %s, not %s", messages[is].name,
				    messages[wanted].name);
	rc = onnx_wire_check(type, bytes, size, err);
	if (rc)
		return rc;
	*out = protobuf_c_message_unpack(type, &allocator, size, bytes);
	if (*out)
		return 0;
	return failed ? compile_fail(err, -ENOMEM, "no memory") :
			compile_fail(err, -EINVAL, "not a %s message of ONNX", type->short_name);
}

void onnx_free_unpacked(ProtobufCMessage *message)
{
	bool failed = false;
	ProtobufCAllocator allocator = { unpack_alloc, unpack_free, &failed };

	protobuf_c_message_free_unpacked(message, &allocator);
}
