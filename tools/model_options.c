// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/model_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "tools/rondo.h"
#include "tools/tensor_io.h"

void model_options_init(struct model_options *options)
{
	memset(options, 0, sizeof(*options));
	rondo_machine_init(&options->machine, RONDO_MACHINE_edge);
}

void model_options_fini(struct model_options *options)
{
	size_t i;

	for (i = 0; i < options->n_bakes; i++)
		tensor_data_free(&options->baked[i]);
}

/* Cuts "NAME=VALUE" in two; NULL if it is not of that form. */
static char *cut(char *argument)
{
	char *value = strchr(argument, '=');

	if (!value || value == argument || !value[1])
		return NULL;
	*value = 0;
	return value + 1;
}

static int add_bake(struct model_options *options, char *argument)
{
	struct rondo_compile_constant *bake = &options->bakes[options->n_bakes];
	struct tensor_data *tensor = &options->baked[options->n_bakes];
	struct compile_error err = {};
	char *file = cut(argument);
	size_t i;

	if (!file) {
		fail(argument, "--bake takes NAME=FILE");
		return STATUS_USAGE;
	}
	for (i = 0; i < options->n_bakes; i++)
		if (!strcmp(options->bakes[i].name, argument))
			return fail(argument, "it is to be baked twice");
	if (options->n_bakes == BAKES_MAX)
		return fail(argument, "more than %d tensors to bake", BAKES_MAX);
	if (tensor_load(file, tensor, &err))
		return fail_with(&err);
	*bake = (struct rondo_compile_constant){
		.name = argument,
		.type = dtype_number(tensor->dtype),
		.rank = tensor->shape.rank,
		.bytes = tensor->bytes,
		.size = tensor->size,
	};
	memcpy(bake->dim, tensor->shape.dim, sizeof(bake->dim));
	options->n_bakes++;
	return STATUS_OK;
}

/* The size that @text begins with, or 0; *@end is behind it. */
static s64 read_size(const char *text, char **end)
{
	long long n = strtoll(text, end, 10); /* the largest number, if it is too large */

	return *text >= '0' && *text <= '9' && n <= TENSOR_ELEMS_MAX ? n : 0;
}

static int add_dim(struct model_options *options, char *argument)
{
	char *size = cut(argument), *end;
	s64 n;
	size_t i;

	if (!size) {
		fail(argument, "--dim takes NAME=N");
		return STATUS_USAGE;
	}
	n = read_size(size, &end);
	if (!n || *end) {
		fail(argument, "%s is not a size", size);
		return STATUS_USAGE;
	}
	for (i = 0; i < options->n_dims; i++)
		if (!strcmp(options->dims[i].name, argument))
			return fail(argument, "its size is given twice");
	if (options->n_dims == DIMS_MAX)
		return fail(argument, "more than %d dimensions", DIMS_MAX);
	options->dims[options->n_dims++] = (struct rondo_compile_dim){ argument, n };
	return STATUS_OK;
}

/* Reads sizes with x between them. */
static bool parse_shape(const char *text, struct rondo_compile_shape *shape)
{
	char *end;

	for (;; text = end + 1) {
		s64 n = read_size(text, &end);

		if (!n || (*end && *end != 'x') || shape->rank == RONDO_COMPILE_RANK_MAX)
			return false;
		shape->dim[shape->rank++] = n;
		if (!*end)
			return true;
	}
}

static int add_shape(struct model_options *options, char *argument)
{
	struct rondo_compile_shape *shape = &options->shapes[options->n_shapes];
	char *sizes = cut(argument);
	size_t i;

	if (!sizes) {
		fail(argument, "--shape takes NAME=NxNx...");
		return STATUS_USAGE;
	}
	for (i = 0; i < options->n_shapes; i++)
		if (!strcmp(options->shapes[i].name, argument))
			return fail(argument, "its shape is given twice");
	if (options->n_shapes == SHAPES_MAX)
		return fail(argument, "more than %d shapes", SHAPES_MAX);
	*shape = (struct rondo_compile_shape){ .name = argument };
	if (!parse_shape(sizes, shape)) {
		fail(argument, "%s is not a shape: sizes with x between them, at most %d", sizes,
		     TENSOR_RANK_MAX);
		return STATUS_USAGE;
	}
	options->n_shapes++;
	return STATUS_OK;
}

int model_options_take(struct model_options *options, enum option_id id, char *argument)
{
	switch (id) {
	case OPTION_MACHINE:
		options->machine_name = argument;
		return find_machine(argument, &options->machine) ? STATUS_OK : STATUS_USAGE;
	case OPTION_BAKE:
		return add_bake(options, argument);
	case OPTION_DIM:
		return add_dim(options, argument);
	case OPTION_SHAPE:
		return add_shape(options, argument);
	case OPTION_PRECISION:
		options->precision = argument;
		if (strcmp(argument, "f32") && strcmp(argument, "bf16"))
			return usage("--precision takes f32 or bf16, not \"%.40s\"", argument);
		return STATUS_OK;
	case OPTION_ALLOW_HOST:
		options->allow_host = true;
		return STATUS_OK;
	case OPTION_DUMP:
		options->dump = argument;
		return STATUS_OK;
	default:
		return STATUS_USAGE;
	}
}
