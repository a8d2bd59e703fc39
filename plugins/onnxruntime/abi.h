/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The part of ONNX Runtime's binary interface that the plugin and its test use, in our own words:
 * its header is another project's. It is stable: structs and tables grow at their ends only, and
 * whoever fills one says which version he knows. tests/plugins/onnxruntime_test.c holds it against
 * a library.
 *
 * Objects of the runtime are void pointers here. A status is one as well: NULL is success.
 */
#ifndef PLUGINS_ONNXRUNTIME_ABI_H
#define PLUGINS_ONNXRUNTIME_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first version whose execution providers may come from outside is the one that we speak. */
enum { ORT_VERSION = 23 };

enum ort_error { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2, ORT_NOT_IMPLEMENTED = 9 };
enum ort_level { ORT_VERBOSE, ORT_INFO, ORT_WARNING, ORT_ERROR };
enum ort_attribute {
	ORT_ATTRIBUTE_INT = 1,
	ORT_ATTRIBUTE_INTS,
	ORT_ATTRIBUTE_FLOAT,
	ORT_ATTRIBUTE_FLOATS,
	ORT_ATTRIBUTE_STRING,
	ORT_ATTRIBUTE_STRINGS,
	ORT_ATTRIBUTE_GRAPH,
	ORT_ATTRIBUTE_TENSOR,
};
enum { ORT_DEVICE_CPU = 0 };

typedef void (*ort_log_function)(void *context, int level, const char *category, const char *id,
				 const char *where, const char *text);

typedef void (*ort_function)(void);

/* A table of functions; how many there are is known by the version. */
struct ort_table {
	ort_function at[1];
};

struct ort_base {
	const struct ort_table *(*get_table)(uint32_t version); /* NULL: it is older */
	const char *(*get_version)(void);
};

/* What a library of the runtime exports. */
typedef const struct ort_base *(*ort_get_base)(void);

#define STATUS(index, name, arguments)       \
	enum { ORT_INDEX_##name = (index) }; \
	typedef void *(*ort_type_##name)arguments;
#define OTHER(index, returns, name, arguments) \
	enum { ORT_INDEX_##name = (index) };   \
	typedef returns(*ort_type_##name) arguments;
#include "plugins/onnxruntime/abi.def"

/* ORT(table, name)(arguments...) */
#define ORT(table, name) ((ort_type_##name)(table)->at[ORT_INDEX_##name])

/* Places in the table of GetEpApi(). */
enum { ORT_EP_CREATE_DEVICE = 0, ORT_EP_FUSE = 2 };
typedef void *(*ort_create_device)(void *factory, const void *hardware, const void *metadata,
				   const void *options, void **device);
struct ort_fusion {
	uint32_t version;
	bool drop_constants; /* constants are no inputs of the fused node */
};
typedef void *(*ort_fuse)(void *support, const void *const *nodes, size_t count,
			  const struct ort_fusion *options);

/* The same of GetModelEditorApi(). */
enum { ORT_EDITOR_CREATE_NODE = 6 };
typedef void *(*ort_create_node)(const char *type, const char *domain, const char *name,
				 const char *const *inputs, size_t input_count,
				 const char *const *outputs, size_t output_count, void **attributes,
				 size_t attribute_count, void **node);

/* What we fill. NULL is a function that there is not. */
struct ort_compute {
	uint32_t version;
	void *(*create_state)(struct ort_compute *self, void *context, void **state);
	void *(*compute)(struct ort_compute *self, void *state, void *context);
	void (*release_state)(struct ort_compute *self, void *state);
};

struct ort_provider {
	uint32_t version;
	const char *(*name)(const struct ort_provider *self);
	void *(*capability)(struct ort_provider *self, const void *graph, void *support);
	void *(*compile)(struct ort_provider *self, const void **graphs, const void **fused,
			 size_t count, struct ort_compute **computes, void **contexts);
	void (*release_computes)(struct ort_provider *self, struct ort_compute **computes,
				 size_t count);
	void *none[8]; /* layouts, dynamic options, begin and end of runs, allocators, streams */
};

struct ort_factory {
	uint32_t version;
	const char *(*name)(const struct ort_factory *self);
	const char *(*vendor)(const struct ort_factory *self);
	void *(*devices)(struct ort_factory *self, const void *const *hardware, size_t count,
			 void **devices, size_t room, size_t *used);
	void *(*create)(struct ort_factory *self, const void *const *hardware,
			const void *const *metadata, size_t count, const void *options,
			const void *logger, struct ort_provider **provider);
	void (*release)(struct ort_factory *self, struct ort_provider *provider);
	uint32_t (*vendor_id)(const struct ort_factory *self);
	const char *(*product_version)(const struct ort_factory *self);
	void *validate;
	void *(*create_allocator)(struct ort_factory *self, const void *memory, const void *options,
				  void **allocator);
	void (*release_allocator)(struct ort_factory *self, void *allocator);
	void *(*create_transfer)(struct ort_factory *self, void **transfer);
	bool (*has_streams)(const struct ort_factory *self);
	void *create_stream;
};

#endif
