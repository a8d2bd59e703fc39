// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The tables of operators and attributes, from ops.def and attrs.def. */
#include "compiler/graph.h"

#include <string.h>

const struct attr_info attr_infos[ATTR_COUNT] = {
#define ATTR(field, kind, onnx, doc) \
	[ATTR_##field] = { #field, onnx, ATTR_##kind, offsetof(struct attrs, field) },
#include "compiler/attrs.def"
};

#define A(field) (1u << ATTR_##field)
#define ONNX OP_FLAG_ONNX
#define FINAL OP_FLAG_FINAL
#define CLAMP OP_FLAG_CLAMP
#define ANY OP_FLAG_ANY
const struct op_info op_infos[OP_COUNT] = {
#define OP(id, name, min_in, max_in, max_out, attrs, flags, doc)                               \
	[OP_##id] = {                                                                          \
		name,  min_in, max_in, max_out, (attrs) | ((flags)&CLAMP ? A(lo) | A(hi) : 0), \
		attrs, flags                                                                   \
	},
#include "compiler/ops.def"
};

const char *const auto_pad_names[PAD_COUNT] = {
	[PAD_EXPLICIT] = "NOTSET",
	[PAD_SAME_UPPER] = "SAME_UPPER",
	[PAD_SAME_LOWER] = "SAME_LOWER",
	[PAD_VALID] = "VALID",
};

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
