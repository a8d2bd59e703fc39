/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Bodies: the subgraphs of If, Loop and Scan, and functions that a model defines. The reader leaves
 * a node for each, whose inputs are those of the model and all tensors outside that its subgraphs
 * name; the pass "shape" puts the nodes of a body in its place as soon as types and constants are
 * known, once for each trip of a loop.
 */
#ifndef COMPILER_ONNX_BODY_H
#define COMPILER_ONNX_BODY_H

#include "compiler/onnx_read.h"

/* Initializers of a subgraph, which is read once for each trip. */
struct onnx_kept {
	const Onnx__GraphProto *graph;
	struct value **v; /* NULL: not read so far */
	struct onnx_kept *next;
};

/* A function of the model: domain, name and overload tell it from the others. */
struct onnx_function {
	const Onnx__FunctionProto *proto;
	struct onnx_text {
		const u8 *at;
		size_t n;
	} overload;
	s64 opset; /* of its nodes; 0: it does not say */
	/* Attributes that have a value where a call gives none: onnx_read_defaults(). */
	Onnx__AttributeProto **defaults;
	size_t n_defaults;
};

/* All that the nodes of a graph need of its model. */
struct onnx_bodies {
	ProtobufCMessage *message; /* of the model */
	struct onnx_function *function; /* of the model, in the order of their names */
	size_t functions;
	struct compile_options options; /* of the reader, without what is said of inputs */
	struct onnx_body **at; /* by attribute body */
	size_t n, room;
	size_t nodes; /* put in place so far */
	struct onnx_kept *kept;
	size_t looked; /* nodes of subgraphs that were looked through for names */
};

/* What attributes that refer to a function's are: those of its call, or else its own. */
struct onnx_scope {
	const Onnx__NodeProto *call;
	const struct onnx_function *function;
	const struct onnx_scope *outer; /* of the call itself; NULL: the model */
};

/* Whether @op is If, Loop, Scan or a call. */
bool onnx_body_is(enum op op);

/* onnx_function.c: reads the functions of @model into r->bodies, but not their defaults. */
int onnx_read_functions(struct onnx_reader *r, const Onnx__ModelProto *model);

/* The function of the model that @p calls, or NULL. */
struct onnx_function *onnx_function(const struct onnx_bodies *b, const Onnx__NodeProto *p);

/* What @p names as the overload of a function; whether the model has others of it. */
struct onnx_text onnx_overload(const Onnx__NodeProto *p);
bool onnx_has_overloads(const struct onnx_bodies *b, const Onnx__NodeProto *p);

/* Reads f->defaults, if they are not read so far. */
int onnx_read_defaults(struct graph *g, struct onnx_function *f);

/* Calls @found with every tensor of @r that subgraphs of @p name, perhaps more than once. */
int onnx_each_captured(struct onnx_reader *r, const Onnx__NodeProto *p,
		       void (*found)(struct onnx_reader *r, void *context, struct value *v),
		       void *context);

/* Adds the node @p, which has bodies, as onnx_add_node() does. */
int onnx_add_body(struct onnx_reader *r, const Onnx__NodeProto *p, enum op op);

/* Replaces @n by what its bodies compute, or by one trip and itself; the nodes have no types yet.
 */
int onnx_expand_body(struct graph *g, struct node *n);

/* What the model says of attribute @a of a node; false: nothing, or it is an error. */
bool onnx_attribute(const struct onnx_reader *r, const Onnx__AttributeProto *a,
		    Onnx__AttributeProto *out);

/* The initializers of subgraph @p that were read before, to be filled in; NULL: no memory. */
struct value **onnx_initializers(struct onnx_reader *r, const Onnx__GraphProto *p);

/* Makes @v the same constant. */
void onnx_share(struct value *v, const struct value *constant);

/* What @r needs of the model @message for its bodies; NULL: no memory. */
struct onnx_bodies *onnx_bodies_new(struct onnx_reader *r, ProtobufCMessage *message);
void onnx_bodies_free(struct onnx_bodies *b);

#endif
