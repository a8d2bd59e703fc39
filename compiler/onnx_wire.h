/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A look at a protobuf message before protobuf-c unpacks it: see onnx_wire.c. */
#ifndef COMPILER_ONNX_WIRE_H
#define COMPILER_ONNX_WIRE_H

#include "compiler/diag.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#define ONNX_WIRE_DEPTH_MAX 32
#define ONNX_WIRE_MESSAGES_MAX (1 << 20) /* protobuf-c takes some 200 bytes for an empty one */

/*
 * 0 when @bytes is well-formed for @type at the wire level, and its texts
 * hold no NUL byte, and its messages are at most ONNX_WIRE_MESSAGES_MAX and nest at most
 * ONNX_WIRE_DEPTH_MAX deep; else -EINVAL or -EFBIG, and
 * what is wrong at which byte.
 */
int onnx_wire_check(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		    struct compile_error *err);

enum onnx_message { ONNX_NEITHER, ONNX_MODEL, ONNX_TENSOR };

/* Which message it seems to be, perhaps a damaged one: the type that knows more of its fields. */
enum onnx_message onnx_message_kind(const void *bytes, size_t size);

/* Unpacks a model or a tensor, not one for the other, that onnx_wire_check() accepts; *@out is for
 * onnx_free_unpacked(). Or -ENOMEM. */
int onnx_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		ProtobufCMessage **out, struct compile_error *err);
void onnx_free_unpacked(ProtobufCMessage *message);

#endif
