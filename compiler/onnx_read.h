/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the ONNX reader share: onnx.c (graphs) and onnx_node.c (nodes). */
#ifndef COMPILER_ONNX_READ_H
#define COMPILER_ONNX_READ_H

#include "compiler/compiler.h"
#include "compiler/name_table.h"

#include "onnx.pb-c.h"

struct onnx_reader {
	const struct compile_options *options;
	const Onnx__GraphProto *proto;
	struct graph *g;
	struct name_table names;
};

/* Strings of protobuf messages are NULL when absent. */
static inline const char *onnx_str(const char *s)
{
	return s ? s : "";
}

/* Records `FILE: node "NAME" (OP): message`; returns @code. */
__attribute__((format(printf, 4, 5))) int onnx_node_fail(const struct onnx_reader *r,
							 const Onnx__NodeProto *p, int code,
							 const char *fmt, ...);

/* 0 when all nodes' operators are known; else a message with the first and the count of others. */
int onnx_check_operators(const struct onnx_reader *r);

/* Declares the node's outputs as values; a Constant becomes a constant at once. */
int onnx_declare_outputs(struct onnx_reader *r, const Onnx__NodeProto *p);

/* Adds the node at the end of the graph, its inputs connected. */
int onnx_add_node(struct onnx_reader *r, const Onnx__NodeProto *p);

/* Declares a name; -EINVAL when it is taken. */
int onnx_declare(struct onnx_reader *r, struct value *v);

#endif
