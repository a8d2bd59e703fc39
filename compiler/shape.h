/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Types and shapes of a node's outputs, with every check that makes a node meaningful. */
#ifndef COMPILER_SHAPE_H
#define COMPILER_SHAPE_H

#include "compiler/graph.h"

struct inferred {
	enum dtype dtype;
	struct shape shape;
};

typedef int infer_fn(const struct graph *g, const struct node *n, struct inferred *out);

/* Functions that the host runs: the rows HOSTED of ops.def. */
#define HOSTED(op, name) infer_fn infer_hosted_##name;
#include "compiler/ops.def"

/*
 * What the outputs of @n are, from its inputs (all typed) and attributes. A node that passes can be
 * evaluated without any further check. On error a message naming the node and a negative errno:
 * -EINVAL if ONNX itself forbids it, -ENOTSUP if it is legal but not mapped, -EFBIG.
 */
int infer_node(const struct graph *g, const struct node *n, struct inferred out[NODE_OUT_MAX]);

/* The part of it that compares the types of the inputs with ops.def. */
int infer_check_types(const struct graph *g, const struct node *n);

/* The attribute axis of @n, made non-negative for @rank dimensions. Valid once inferred. */
static inline int node_axis(const struct node *n, int rank)
{
	return (int)(n->attrs.axis < 0 ? n->attrs.axis + rank : n->attrs.axis);
}

#endif
