/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A look at a protobuf message before protobuf-c unpacks it: see onnx_wire.c. */
#ifndef COMPILER_ONNX_WIRE_H
#define COMPILER_ONNX_WIRE_H

#include "compiler/diag.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/*
 * 0 when @bytes is well-formed for @type at the wire level and its messages nest at most
 * ONNX_WIRE_DEPTH_MAX deep; else -EINVAL and what is wrong at which byte.
 */
#define ONNX_WIRE_DEPTH_MAX 32
int onnx_wire_check(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		    struct compile_error *err);

#endif
