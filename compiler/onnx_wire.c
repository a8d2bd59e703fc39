// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Wire-level check of a protobuf message.
 *
 * protobuf-c unpacks messages within messages by recursion without a limit, and ONNX types nest (a
 * graph in an attribute of a node of a graph; a sequence of sequences), so that a small file could
 * exhaust the stack. This walk has a limit, and it knows the byte at which a file is damaged, which
 * protobuf-c does not say.
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
#include "compiler/onnx_wire.h"
#include "spec/env.h"

#include <errno.h>
#include <stdlib.h>

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

static const ProtobufCMessageDescriptor *message_type(const ProtobufCMessageDescriptor *type,
						      u64 field)
{
	const ProtobufCFieldDescriptor *f;

	if (!type || field > UINT32_MAX)
		return NULL;
	f = protobuf_c_message_descriptor_get_field(type, (unsigned int)field);
	return f && f->type == PROTOBUF_C_TYPE_MESSAGE ? f->descriptor : NULL;
}

static int check_message(struct wire *w, const ProtobufCMessageDescriptor *type, const u8 *at,
			 const u8 *end, int depth)
{
	const ProtobufCMessageDescriptor *inner;
	u64 key, len;
	int rc;

	if (depth > ONNX_WIRE_DEPTH_MAX)
		return compile_fail(w->err, -EINVAL, "messages nest deeper than %d at byte %zu",
				    ONNX_WIRE_DEPTH_MAX, (size_t)(at - w->start));
	if (++w->messages > ONNX_WIRE_MESSAGES_MAX)
		return compile_fail(w->err, -EFBIG, "it has more than %d messages",
				    ONNX_WIRE_MESSAGES_MAX);
	while (at < end) {
		const u8 *field = at;

		if (!read_varint(&at, end, &key) || key < 8)
			return damaged(w, field, "a bad field number");
		switch (key & 7) {
		case WIRE_VARINT:
			if (!read_varint(&at, end, &len))
				return damaged(w, field, "a bad number");
			continue;
		case WIRE_64BIT:
			len = 8;
			break;
		case WIRE_32BIT:
			len = 4;
			break;
		case WIRE_BYTES:
			if (!read_varint(&at, end, &len))
				return damaged(w, field, "a bad length");
			break;
		default:
			return damaged(w, field, "an unknown wire type");
		}
		if (len > (u64)(end - at))
			return damaged(w, field, "a field longer than its message");
		inner = (key & 7) == WIRE_BYTES ? message_type(type, key >> 3) : NULL;
		if (inner) {
			rc = check_message(w, inner, at, at + len, depth + 1);
			if (rc)
				return rc;
		}
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
	int rc = onnx_wire_check(type, bytes, size, err);

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
