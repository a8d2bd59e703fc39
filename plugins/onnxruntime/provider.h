/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Rondo as an execution provider of ONNX Runtime.
 *
 *	network.c	a graph of the runtime, and sets of its nodes as ONNX models
 *	capability.c	which nodes the compiler takes, and why not the others
 *	compute.c	what was compiled, on a device
 *	factory.c	what the runtime loads: options, and the life of it all
 *
 * Functions of the last three return a status: NULL, or what the runtime is told.
 */
#ifndef PLUGINS_ONNXRUNTIME_PROVIDER_H
#define PLUGINS_ONNXRUNTIME_PROVIDER_H

#include <accel.h>

#include "plugins/onnxruntime/abi.h"
#include "plugins/onnxruntime/network.h"

enum { PROVIDER_REASON_MAX = 768 }; /* as the compiler has it */

#define PROVIDER_NAME "rondo"
#define CONTEXT_TYPE "EPContext"
#define CONTEXT_DOMAIN "com.microsoft"
#define CONTEXT_FILE "ep_cache_context" /* its attribute that holds the .rnd file */

/* A model that has been compiled, so that it is not compiled again. */
struct plan {
	u64 hash; /* of the model */
	size_t model_size;
	void *file;
	size_t size;
	struct plan *next;
};

struct provider {
	struct ort_provider ort; /* the first */
	const struct ort_table *api;
	const void *logger;
	struct accel_device *device;
	const char *machine;
	char *report; /* a file for the reasons; NULL: none */
	bool require_all; /* a node that is not taken is an error */
	bool contexts; /* the runtime wants context nodes */
	u32 instances; /* runs at one time */
	struct plan *plans;
	void *failure; /* the status that compiling is to give; NULL: none */
};

/* A status with a text. */
__attribute__((format(printf, 3, 4))) void *provider_fail(const struct provider *p, int code,
							  const char *fmt, ...);

/* ort_provider.capability */
void *provider_capability(struct ort_provider *self, const void *graph, void *support);

/*
 * The .rnd file of set @part of @n, which is kept: @p->plans. 0 or a negative errno; then
 * @reason says why not, and *@node which node is at fault; NETWORK_NONE: all of them.
 */
int provider_plan(struct provider *p, struct network *n, u32 part, const struct plan **plan,
		  u32 *node, char reason[PROVIDER_REASON_MAX]);

/* Whether @node holds a .rnd file that this provider has made. */
bool provider_is_context(struct network *n, const struct network_node *node);

/* ort_provider.compile and .release_computes */
void *provider_compile(struct ort_provider *self, const void **graphs, const void **fused,
		       size_t count, struct ort_compute **computes, void **contexts);
void provider_release_computes(struct ort_provider *self, struct ort_compute **computes,
			       size_t count);

#endif
