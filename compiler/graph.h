/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The graph: what the compiler knows of a network between reading it and lowering it.
 *
 * Values (tensors) and nodes (operators) in SSA form: a value is a graph input, a constant, or the
 * output of exactly one node. Nodes stand in a list in an order in which every value is produced
 * before it is used. Everything lives in the graph's arena and dies with it; a value or node that
 * is taken out of the graph stays allocated.
 *
 * Tables: operators in ops.def, attributes in attrs.def, types in spec/dtypes.def.
 * Text form: graph_text.h. Meaning of each operator in plain loops: eval.h.
 *
 * A graph belongs to one thread at a time; there are no globals.
 */
#ifndef COMPILER_GRAPH_H
#define COMPILER_GRAPH_H

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/tensor.h"

/* What all constants of a graph together may hold. */
#define GRAPH_CONST_BYTES_MAX (UINT64_C(1) << 30)

/* ONNX's operator sets whose meaning of our operators is known. */
#define GRAPH_OPSET_MIN 6
#define GRAPH_OPSET_MAX 26

enum op {
#define OP(id, ...) OP_##id,
#include "compiler/ops.def"
	OP_COUNT
};

enum op_flag {
	OP_FLAG_ONNX = 1,
	OP_FLAG_CLAMP = 2,
	OP_FLAG_FUNCTION = 4,
	OP_FLAG_MICROSOFT = 8,
	OP_FLAG_MIXED = 16,
};

enum attr {
#define ATTR(field, kind, onnx, doc) ATTR_##field,
#include "compiler/attrs.def"
	ATTR_COUNT
};

enum attr_kind { ATTR_INT, ATTR_FLOAT, ATTR_DIMS, ATTR_PAD, ATTR_TEXT };

enum auto_pad { PAD_EXPLICIT, PAD_SAME_UPPER, PAD_SAME_LOWER, PAD_VALID, PAD_COUNT };

struct dims {
	int n;
	s64 v[TENSOR_RANK_MAX];
};

/* Every attribute there is; op_has() says which ones an operator has. */
struct attrs {
	bool given[ATTR_COUNT]; /* those that have a value */
#define ATTR_TYPE_INT s64
#define ATTR_TYPE_FLOAT float
#define ATTR_TYPE_DIMS struct dims
#define ATTR_TYPE_PAD enum auto_pad
#define ATTR_TYPE_TEXT const char *
#define ATTR(field, kind, onnx, doc) ATTR_TYPE_##kind field; /* doc in attrs.def */
#include "compiler/attrs.def"
};

struct attr_info {
	const char *name; /* in the text form */
	const char *onnx; /* in ONNX, NULL if unknown there */
	enum attr_kind kind;
	size_t offset; /* in struct attrs */
};

#define NODE_OUT_MAX 16

struct op_info {
	const char *name;
	int min_in, max_in, max_out;
	u32 flags; /* bit set of enum op_flag */
	u32 types; /* bit set of enum dtype: of the inputs that have no type of their own */
};

/* What ops.def says of the types of an operator's inputs and outputs beside op_info.types. */
enum { OP_OWN_TYPES_MAX = 9 }; /* inputs that may have a type of their own: the first ones */

struct op_types {
	u32 takes[OP_OWN_TYPES_MAX]; /* bit set of enum dtype; 0: as op_info.types */
	u32 gives[NODE_OUT_MAX]; /* one bit; 0: the type of the inputs */
	u32 maps; /* bit set: what the machine maps of op_info.types */
};

/* What an attribute is where a model leaves it out: the rules of ops.def. */
enum attr_rule {
	ATTR_ABSENT, /* the operator does not have it */
	ATTR_OWN,
	ATTR_REQUIRED,
	ATTR_NUMBER,
	ATTR_WORD,
	ATTR_NONE,
	ATTR_ONES,
	ATTR_ZEROS,
	ATTR_WEIGHTS,
	ATTR_REVERSED,
};

struct attr_default {
	enum attr_rule rule;
	float value;
	const char *word; /* of ATTR_WORD */
};

/* Before operator set @opset the NUMBER of an attribute was @older, or its word @older_word. */
struct attr_change {
	enum op op;
	enum attr attr;
	int opset; /* 0 ends the list */
	float older;
	const char *older_word; /* NULL: it has a number */
};

extern const struct attr_info attr_infos[ATTR_COUNT];
extern const struct op_info op_infos[OP_COUNT];
extern const struct op_types op_types[OP_COUNT];
/* ONNX's operator sets in which an operator is new or changed, oldest first; 0 ends them. */
enum { OP_OPSETS_MAX = 10 };
extern const u8 op_opsets[OP_COUNT][OP_OPSETS_MAX];
extern const u8 op_gone[OP_COUNT]; /* the first operator set without it; 0: none */
extern const u32 op_baked[OP_COUNT]; /* bit set of inputs: those that must be constant */
extern const struct attr_default attr_defaults[OP_COUNT][ATTR_COUNT];
extern const struct attr_change attr_changes[];
/* The texts that an attribute may be, ended by NULL; NULL: it is none, or has a grammar. */
extern const char *const *const attr_words[OP_COUNT][ATTR_COUNT];

/* Whether nodes of @op have attribute @a. */
static inline bool op_has(enum op op, enum attr a)
{
	return attr_defaults[op][a].rule != ATTR_ABSENT;
}

/* Whether ops.def says that lower_@how() maps @op to the machine. */
bool op_mapped_by(enum op op, const char *how);

/* Whether the host can run the function @op where it has no formula: the rows HOSTED. */
bool op_hosted(enum op op);

/* The types that input @i of @op may have where it has types of its own, else 0. */
static inline u32 op_takes(enum op op, int i)
{
	return i < OP_OWN_TYPES_MAX ? op_types[op].takes[i] : 0;
}

/* The operator of that name; false when there is none. */
bool op_from_name(const char *name, size_t len, enum op *out);

/* The attribute of @op with that name in the text form, or in ONNX; ATTR_COUNT: there is none. */
enum attr attr_from_name(enum op op, const char *name, size_t len);
enum attr attr_from_onnx(enum op op, const char *name);

/* Names of enum auto_pad as in ONNX ("NOTSET", ...). */
extern const char *const auto_pad_names[PAD_COUNT];

struct node;

/* One input of one node: an element of its value's list of uses. */
struct operand {
	struct value *value; /* NULL: an optional input that is left out */
	struct node *node;
	struct operand *next, **pprev; /* in value->uses */
};

/* Types of 16 bits of a model, whose tensors are f32 in the graph. */
enum half { HALF_NONE, HALF_F16, HALF_BF16 };

struct value {
	const char *name; /* from the model, "" if it has none */
	bool typed; /* dtype and shape are known */
	bool is_input;
	bool is_output;
	enum dtype dtype;
	enum half half; /* what it is in the model; CastLike wants to know */
	struct shape shape;
	const void *data; /* a constant's bytes, else NULL */
	bool shared; /* which are those of another value, too */
	bool bf16; /* all its elements are such numbers, and the program stores them so */
	/* What an element of an input or output stands for: scale * (x - zero_point); 0: itself. */
	float scale;
	s32 zero_point;
	struct node *producer; /* NULL for inputs and constants */
	struct operand *uses;
	struct value *next; /* all values of the graph, in order of creation */
	u32 id; /* scratch: printing and passes number values with it */
};

/* Where a node is: in the machine's part of a network, before it, or behind. */
enum node_side { SIDE_MACHINE, SIDE_BEFORE, SIDE_AFTER };

struct node {
	enum op op;
	enum op model_op; /* the operator of the model that it stands for, in messages */
	const char *model_kind; /* what the model calls it, if that is not ONNX's name; else NULL */
	const char *name; /* from the model, for messages; may be "" */
	struct attrs attrs;
	int n_in, n_out;
	struct operand *in; /* n_in elements; see node_in() */
	struct value *out[NODE_OUT_MAX]; /* NULL: an optional output that is left out */
	struct node *prev, *next;
	int waits; /* scratch of graph_sort() */
	const char *host; /* why the host is to run it; NULL: the machine does */
	enum node_side side; /* on which it does: pass_host() */
};

/*
 * What the model says of a value whose type something else decides: the operator that makes it, or
 * its contents. pass_shape() compares the two.
 */
struct declaration {
	const char *what; /* the value is, in messages: "output" */
	const struct value *value;
	enum dtype dtype;
	bool exact; /* another shape is an error, not a notice */
	int rank; /* -1: no shape is declared */
	s64 dim[TENSOR_RANK_MAX]; /* below 0: open */
	struct declaration *next;
};

struct value_list {
	struct value **v;
	size_t n, room;
};

struct graph {
	struct arena arena;
	struct arena *work; /* of what lives shorter than the graph; NULL: it is in arena, too */
	const char *name; /* of the network, in the model */
	const char *source; /* file name, first word of every message */
	int opset; /* ONNX's operator set, by which attributes that are left out get their value */
	struct node *first, *last;
	struct value *values, **values_end;
	struct value_list inputs, outputs; /* in the model's order */
	const struct node *expanded; /* whose steps are being made: constants of no node are its */
	u64 const_bytes; /* of all constants ever added */
	double fold_cost; /* spent by pass_fold_node() */
	u64 fold_bytes;
	struct declaration *declared;
	struct onnx_bodies *bodies; /* of nodes that the pass "shape" replaces: onnx_body.h */
	bool quantised; /* pass_quantise() is behind: until then constants stay dequantised */
	struct compile_error *err; /* where messages go; never NULL during compilation */
	void (*notice)(void *context, const char *text); /* as in struct compile_options */
	void *notice_context;
	bool bf16; /* products are to take bf16: pass_narrow() */
	bool host_allowed; /* nodes that the machine does not map may stay for the host */
	struct rondo_host *host; /* what pass_host() has made of them: host.h */
};

/* ---- Building ------------------------------------------------------------------------------ */

/*
 * An empty graph; the caller frees it with graph_free(). Messages go to @err until changed. NULL
 * and a message: no memory.
 */
struct graph *graph_new(const char *name, const char *source, struct compile_error *err);
void graph_free(struct graph *g);

/*
 * Zeroed memory that lives as long as the graph, or as g->work. NULL and -ENOMEM in g->err: so do
 * all functions here that return a pointer or an int, and nothing is changed.
 */
void *graph_alloc(struct graph *g, size_t size);

/* Where graph_alloc() takes it from. */
static inline struct arena *graph_arena(struct graph *g)
{
	return g->work ? g->work : &g->arena;
}

/* A value without a type yet, of no producer. @name is copied. */
struct value *graph_value(struct graph *g, const char *name);

/* Fixes a value's type and shape. */
void value_set_type(struct value *v, enum dtype dtype, const struct shape *shape);

/* Makes @v a constant with a copy of @bytes; a new one. Errors as of graph_const_room(). */
int graph_set_const(struct graph *g, struct value *v, enum dtype dtype, const struct shape *shape,
		    const void *bytes);
struct value *graph_const(struct graph *g, const char *name, enum dtype dtype,
			  const struct shape *shape, const void *bytes);

/*
 * Makes the typed value @v a constant and returns its zeroed bytes, for the caller to fill at once;
 * NULL with a message when the graph's constants would exceed GRAPH_CONST_BYTES_MAX.
 */
void *graph_const_room(struct graph *g, struct value *v);

/* Makes @v the next graph input or output. */
int graph_add_input(struct graph *g, struct value *v);
int graph_add_output(struct graph *g, struct value *v);

/*
 * A node before @at, or at the end of the list if @at is NULL, with @n_in inputs, all left out, no
 * outputs, and no attributes but its OWN ones. It stands for the same operator of the model as @at.
 * Inputs up to NODE_IN_FIXED may be added later by node_set_in().
 */
#define NODE_IN_FIXED 9 /* the most inputs of an operator whose number of inputs is bounded */
struct node *graph_node(struct graph *g, struct node *at, enum op op, const char *name, int n_in);

/* Connects input @i with @v (NULL: left out), or output @i, which must have no producer. */
void node_set_in(struct node *n, int i, struct value *v);
void node_set_out(struct node *n, int i, struct value *v);

/* Gives @n's attribute @a, of that kind, a value. */
void node_set_int(struct node *n, enum attr a, s64 value);
void node_set_float(struct node *n, enum attr a, float value);
void node_set_dims(struct node *n, enum attr a, struct dims value);
void node_set_text(struct node *n, enum attr a, const char *value); /* outlives the graph */

/* Gives @n those attributes of @from that its operator has, too. */
void node_copy_attrs(struct node *n, const struct attrs *from);

/* ---- Reading ------------------------------------------------------------------------------- */

/* Input @i, NULL when it is left out or the node has fewer. */
static inline struct value *node_in(const struct node *n, int i)
{
	return i < n->n_in ? n->in[i].value : NULL;
}

/* Whether the value's bytes are known at compile time. */
static inline bool value_is_const(const struct value *v)
{
	return v && v->data;
}

/* The only node that uses @v, when there is exactly one use and @v is not an output; else NULL. */
struct node *value_only_user(const struct value *v);

/* Bytes of an element of @v in SRAM and scratch. */
static inline int value_element(const struct value *v)
{
	return v->bf16 ? 2 : (int)dtype_size(v->dtype);
}

/* Whether @op is a convolution, in floating point or in integers. */
static inline bool op_is_conv(enum op op)
{
	return op == OP_CONV || op == OP_CONVINTEGER;
}

/* Whether it slides a window over its input 0. */
static inline bool op_is_window(enum op op)
{
	return op_is_conv(op) || op == OP_MAXPOOL || op == OP_AVGPOOL || op == OP_SUMPOOL;
}

/* Whether the node clamps its result. */
bool node_clamps(const struct node *n);

/* Pointer to an attribute in @a; the kind of attr_infos[@i] says to what. */
static inline void *attr_at(struct attrs *a, enum attr i)
{
	return (char *)a + attr_infos[i].offset;
}

size_t attr_bytes(enum attr i);

/* ---- Changing ------------------------------------------------------------------------------ */

/* Lets all users of @old use @by instead; the graph's outputs are untouched. */
void value_replace_uses(struct value *old, struct value *by);

/* Disconnects the node and takes it out of the list; its outputs lose their producer. */
void graph_remove(struct graph *g, struct node *n);

/*
 * Lets @n's output 0 be produced by @by, a node without output 0: the value keeps its name, its
 * users and its place among the graph's outputs. @n is removed.
 */
void graph_replace_node(struct graph *g, struct node *n, struct node *by);

/* Removes nodes whose outputs nobody needs. */
void graph_remove_dead(struct graph *g);

/* ---- Checking ------------------------------------------------------------------------------ */

/* What messages call the node: its name, or that of its output if it has none. */
const char *node_label(const struct node *n);

/*
 * Leaves @n, which was just refused with -ENOTSUP, to the host for that reason, if that is allowed:
 * 0, and the message is gone. Else -ENOTSUP.
 */
int graph_leave_to_host(struct graph *g, struct node *n);

/* Records `SOURCE: node "NAME" (OP): message` in g->err; returns @code. @n NULL: no node's fault.
 */
__attribute__((format(printf, 4, 5))) int node_fail(const struct graph *g, const struct node *n,
						    int code, const char *fmt, ...);

/* Records `SOURCE: message` in g->err; returns @code. */
__attribute__((format(printf, 3, 4))) int graph_fail(const struct graph *g, int code,
						     const char *fmt, ...);

/*
 * What both are made of, for who knows a node only by its name and operator ("" and "": no node's
 * fault): `SOURCE: node "NODE" (OP): TEXT`.
 */
int graph_fail_at(const struct graph *g, const char *node, const char *op, int code,
		  const char *text);

/* Tells the user `SOURCE: message`, which is no error, if anybody asked for it. */
__attribute__((format(printf, 2, 3))) void graph_notice(const struct graph *g, const char *fmt,
							...);

/*
 * The invariants of the first comment, and that every typed value has the type that its producer's
 * operator gives it. 0, or -ENOTRECOVERABLE and a message: behind a pass that is the compiler's
 * fault, behind graph_parse() the text's.
 */
int graph_check(const struct graph *g);

#endif
