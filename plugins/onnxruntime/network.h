/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A graph of the runtime as it tells it, and any set of its nodes as the bytes of an ONNX model,
 * which is what the compiler reads.
 */
#ifndef PLUGINS_ONNXRUNTIME_NETWORK_H
#define PLUGINS_ONNXRUNTIME_NETWORK_H

#include "plugins/onnxruntime/abi.h"
#include "spec/env.h"

#define NETWORK_NONE UINT32_MAX

struct network_value {
	const char *name;
	const void *info;
	u32 producer; /* node, or NETWORK_NONE */
	u32 stamp; /* of the set of nodes that it was written for last */
	bool constant; /* an initializer that is never anything else */
	bool output; /* of the graph */
};

struct network_node {
	const void *node;
	const char *name, *type, *domain;
	u32 *inputs, *outputs; /* values; NETWORK_NONE: one that is left out */
	u32 input_count, output_count;
	u32 part; /* which of the sets of nodes it is in; NETWORK_NONE: in none */
	char *reason; /* why it is in none, for free(); NULL: it is in one, or nobody has asked */
};

struct network {
	const struct ort_table *ort;
	const void *graph;
	struct network_node *nodes; /* in an order in which they can run */
	struct network_value *values;
	u32 node_count, value_count, value_room;
	u32 *hash; /* values by name; NETWORK_NONE: empty */
	u32 hash_size; /* a power of two */
	u32 stamp;
	char error[256]; /* of the last function that failed */
};

/* Functions return 0 or a negative errno, with @n->error set. A network that is not read is empty.
 */
int network_read(struct network *n, const struct ort_table *ort, const void *graph);
void network_free(struct network *n);

/* Reads one node, which may be of no graph, alone. */
int network_read_node(struct network *n, const struct ort_table *ort, const void *node);

/*
 * Writes the nodes of set @part as a model to *@bytes, for free(). -ENOTSUP: node *@node cannot be
 * written, and @n->error says why.
 */
int network_write(struct network *n, u32 part, void **bytes, size_t *size, u32 *node);

/* The bytes of attribute @name of @node, a string, for free(). -ENOENT: it has none. */
int network_string(struct network *n, const void *node, const char *name, void **bytes,
		   size_t *size);

/* Takes what went wrong from @status, which is released: @n->error and -EIO, or 0 if it is NULL. */
int network_status(struct network *n, void *status);

#endif
