/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ONNX TensorProto -> tensor_data: for a model's initializers and for the .pb files that hold the
 * inputs and outputs of the ONNX project's tests. Nothing in the message is trusted.
 */
#ifndef COMPILER_ONNX_TENSOR_H
#define COMPILER_ONNX_TENSOR_H

#include "compiler/compiler.h"
#include "compiler/diag.h"
#include "compiler/graph.h"
#include "compiler/tensor.h"

#include "onnx.pb-c.h"

/*
 * Checks @proto and copies its contents, f16 and bf16 as f32, into *@out, which the caller then
 * frees with tensor_data_free(); untouched on error. The message says what is wrong, without naming
 * the tensor (compile_error_prefix() does that).
 */
int onnx_tensor_decode(const Onnx__TensorProto *proto, struct tensor_data *out,
		       struct compile_error *err);

/* The same, where the contents may be outside of the model: @external gives them. */
int onnx_tensor_read(const Onnx__TensorProto *proto, const struct compile_external *external,
		     struct tensor_data *out, struct compile_error *err);

/* As onnx_tensor_decode() from the serialised message, e.g. the contents of input_0.pb. */
int onnx_tensor_parse(const void *bytes, size_t size, struct tensor_data *out,
		      struct compile_error *err);

/* ONNX's name of a TensorProto.DataType, "?" for a number that has none. */
const char *onnx_dtype_name(s32 number);

/*
 * The type in which tensors of this TensorProto.DataType are kept: their own, or f32 for f16 and
 * bf16, which are converted when they are read. False when there is none.
 */
bool onnx_dtype(s32 number, enum dtype *out);
enum half onnx_half(s32 number);

#endif
