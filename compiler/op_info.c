// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The tables of operators and attributes, from ops.def and attrs.def. */
#include "compiler/graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

const struct attr_info attr_infos[ATTR_COUNT] = {
#define ATTR(field, kind, onnx, doc) \
	[ATTR_##field] = { #field, onnx, ATTR_##kind, offsetof(struct attrs, field) },
#include "compiler/attrs.def"
};

#define ONNX OP_FLAG_ONNX
#define CLAMP OP_FLAG_CLAMP
#define FUNCTION OP_FLAG_FUNCTION
#define MICROSOFT OP_FLAG_MICROSOFT
#define MIXED OP_FLAG_MIXED
#define F32 (1u << DTYPE_F32)
#define U8 (1u << DTYPE_U8)
#define S8 (1u << DTYPE_S8)
#define S32 (1u << DTYPE_S32)
#define S64 (1u << DTYPE_S64)
#define BOOL (1u << DTYPE_BOOL)
#define ALL ((1u << DTYPE_COUNT) - 1)
const struct op_info op_infos[OP_COUNT] = {
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	[OP_##id] = { name, min_in, max_in, max_out, flags, types },
#include "compiler/ops.def"
};

/* The later of two initializers of one element counts: first what is true of every operator. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const struct op_types op_types[OP_COUNT] = {
#define OP(id, ...) [OP_##id].maps = F32,
#include "compiler/ops.def"
#define TAKES(op, input, types) [OP_##op].takes[input] = types,
#define GIVES(op, output, type) [OP_##op].gives[output] = type,
#define MAPS(op, types) [OP_##op].maps = types,
#include "compiler/ops.def"
};
#pragma GCC diagnostic pop

const u8 op_opsets[OP_COUNT][OP_OPSETS_MAX] = {
#define OPSETS(op, ...) [OP_##op] = { __VA_ARGS__ },
#include "compiler/opsets.def"
};

const u8 op_gone[OP_COUNT] = {
#define GONE(op, opset) [OP_##op] = opset,
#include "compiler/opsets.def"
};

const u32 op_baked[OP_COUNT] = {
#define BAKED(op, inputs) [OP_##op] = inputs,
#include "compiler/ops.def"
};

bool op_hosted(enum op op)
{
	static const bool hosted[OP_COUNT] = {
#define HOSTED(op, name) [OP_##op] = true,
#include "compiler/ops.def"
	};

	return hosted[op];
}

const struct attr_default attr_defaults[OP_COUNT][ATTR_COUNT] = {
#define HAS(op, field, rule, value) [OP_##op][ATTR_##field] = { ATTR_##rule, value, NULL },
#define SAYS(op, field, word) [OP_##op][ATTR_##field] = { ATTR_WORD, 0, word },
#include "compiler/ops.def"
};

const char *const *const attr_words[OP_COUNT][ATTR_COUNT] = {
#define WORDS(op, field, ...) [OP_##op][ATTR_##field] = (const char *const[]){ __VA_ARGS__, NULL },
#include "compiler/ops.def"
};

const struct attr_change attr_changes[] = {
#define HAD(op, field, opset, value) { OP_##op, ATTR_##field, opset, value, NULL },
#define SAID(op, field, opset, word) { OP_##op, ATTR_##field, opset, 0, word },
#include "compiler/ops.def"
	{ .opset = 0 },
};

const char *const auto_pad_names[PAD_COUNT] = {
	[PAD_EXPLICIT] = "NOTSET",
	[PAD_SAME_UPPER] = "SAME_UPPER",
	[PAD_SAME_LOWER] = "SAME_LOWER",
	[PAD_VALID] = "VALID",
};

size_t attr_bytes(enum attr i)
{
	static const size_t bytes[] = {
		[ATTR_INT] = sizeof(s64),	    [ATTR_FLOAT] = sizeof(float),
		[ATTR_DIMS] = sizeof(struct dims),  [ATTR_PAD] = sizeof(enum auto_pad),
		[ATTR_TEXT] = sizeof(const char *),
	};

	return bytes[attr_infos[i].kind];
}

bool op_mapped_by(enum op op, const char *how)
{
	static const char *const lower[OP_COUNT] = {
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	[OP_##id] = #lower,
#include "compiler/ops.def"
	};

	return !strcmp(lower[op], how);
}

bool op_from_name(const char *name, size_t len, enum op *out)
{
	for (int op = 0; op < OP_COUNT; op++) {
		if (strlen(op_infos[op].name) == len && !memcmp(op_infos[op].name, name, len)) {
			*out = op;
			return true;
		}
	}
	return false;
}

enum attr attr_from_name(enum op op, const char *name, size_t len)
{
	for (int i = 0; i < ATTR_COUNT; i++) {
		if (op_has(op, i) && strlen(attr_infos[i].name) == len &&
		    !memcmp(attr_infos[i].name, name, len))
			return i;
	}
	return ATTR_COUNT;
}

enum attr attr_from_onnx(enum op op, const char *name)
{
	for (int i = 0; i < ATTR_COUNT; i++) {
		if (op_has(op, i) && attr_defaults[op][i].rule != ATTR_OWN && attr_infos[i].onnx &&
		    !strcmp(attr_infos[i].onnx, name))
			return i;
	}
	return ATTR_COUNT;
}
