/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the files of the ONNX reader share: onnx.c (graphs), onnx_inputs.c, onnx_declared.c,
 * onnx_node.c and onnx_body.c.
 */
#ifndef COMPILER_ONNX_READ_H
#define COMPILER_ONNX_READ_H

#include "compiler/compiler.h"
#include "compiler/name_table.h"

#include "onnx.pb-c.h"

struct onnx_reader {
	const struct compile_options *options;
	const Onnx__GraphProto *proto;
	struct graph *g;
	struct name_table names; /* every tensor of the model; value->id is its number */
	u32 n_values;
	bool *wanted; /* by number of a value: an output of the model depends on it */
	bool *needed; /* by number of a node in the model: it makes one of them */
	struct onnx_bodies *bodies; /* what its subgraphs share: onnx_body.h */
	/* Where a subgraph or function stands, else zero: */
	struct node *at; /* its nodes come before this one */
	const struct onnx_scope *scope; /* the call that it is a part of; NULL: none */
	int depth; /* calls around it */
};

/* Strings of protobuf messages are NULL when absent. */
static inline const char *onnx_str(const char *s)
{
	return s ? s : "";
}

/* What messages call a node: its name, or that of its first output where it has none. */
const char *onnx_node_name(const Onnx__NodeProto *p);

/* Records `FILE: node "NAME" (OP): message`; returns @code. */
__attribute__((format(printf, 4, 5))) int onnx_node_fail(const struct onnx_reader *r,
							 const Onnx__NodeProto *p, int code,
							 const char *fmt, ...);

/* 0 when the operators of all needed nodes are known; else a message that lists the others. */
int onnx_check_operators(const struct onnx_reader *r);

/* Declares the node's outputs as values without type. */
int onnx_declare_outputs(struct onnx_reader *r, const Onnx__NodeProto *p);

/* Adds a needed node at the end of the graph, connected; a Constant gives its value the data. */
int onnx_add_node(struct onnx_reader *r, const Onnx__NodeProto *p);

/* The parts of it: the first @n_in inputs, and the outputs. */
int onnx_connect_inputs(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n, int n_in);
int onnx_connect_outputs(struct onnx_reader *r, const Onnx__NodeProto *p, struct node *n);

/*
 * Reads all of r->proto, a subgraph whose inputs are declared and made, before r->at; *@out are its
 * outputs.
 */
int onnx_read_body(struct onnx_reader *r, struct value **out);

/* Declares a tensor of that name; NULL, and a message, when the name is taken. */
struct value *onnx_declare(struct onnx_reader *r, const char *name);

/* onnx_inputs.c: what the user says about inputs, checked; then the inputs themselves. */
int onnx_check_options(const struct onnx_reader *r);
int onnx_declare_inputs(struct onnx_reader *r);
int onnx_read_inputs(struct onnx_reader *r);

/* onnx_declared.c: notes what the model says of the types of values that it does not decide. */
int onnx_read_declared(struct onnx_reader *r);

/* What ONNX says of a tensor; NULL: it is none, or nothing is said. */
const Onnx__TypeProto__Tensor *onnx_tensor_type(const Onnx__ValueInfoProto *p);

/* Whether the tensor of that name is given by the elements that are not 0. */
bool onnx_is_sparse(const struct onnx_reader *r, const char *name);

/* Whether the options replace the input of that name by a constant. */
bool onnx_is_baked(const struct onnx_reader *r, const char *name);

#endif
