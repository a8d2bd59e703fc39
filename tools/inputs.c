// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/file_kind.h"
#include "tools/rondo.h"
#include "tools/tensor_io.h"

enum dtype tensor_dtype(const struct accel_tensor *tensor)
{
	enum dtype dtype = DTYPE_U8;

	dtype_from_number(tensor->dtype, &dtype);
	return dtype;
}

struct shape tensor_shape(const struct accel_tensor *tensor)
{
	struct shape shape = { .rank = tensor->rank };
	u32 i;

	for (i = 0; i < tensor->rank; i++)
		shape.dim[i] = tensor->dim[i];
	return shape;
}

/*
 * The input that the argument "NAME=FILE" names, and its file; the number of inputs: none. A name
 * may have = in it: the longest that fits is meant.
 */
static u32 find_named(const struct source *source, const char *argument, const char **file)
{
	u32 i, found = source_tensor_count(source, ACCEL_INPUT);
	struct accel_tensor input;
	size_t longest = 0;

	for (i = 0; !source_tensor(source, ACCEL_INPUT, i, &input); i++) {
		size_t length = strlen(input.name);

		if (strncmp(argument, input.name, length) || argument[length] != '=' ||
		    length < longest)
			continue;
		*file = argument + length + 1;
		longest = length;
		found = i;
	}
	return found;
}

int input_find(const struct source *source, const char *argument, u32 *input, const char **file)
{
	u32 count = source_tensor_count(source, ACCEL_INPUT);

	*input = find_named(source, argument, file);
	if (*input < count)
		return STATUS_OK;
	*file = argument;
	*input = 0;
	if (count == 0)
		return fail(argument, "the model has no inputs");
	if (strchr(argument, '=') && access(argument, F_OK))
		return fail(argument, "the model has no input of this name; rondo info lists them");
	if (count > 1)
		return fail(argument, "the model has %u inputs: say which, NAME=FILE", count);
	return STATUS_OK;
}

/* Whether the shapes are the same except for leading ones. */
static bool shapes_match(const struct shape *a, const struct shape *b)
{
	int i = 0, k = 0;

	while (i < a->rank && a->dim[i] == 1)
		i++;
	while (k < b->rank && b->dim[k] == 1)
		k++;
	if (a->rank - i != b->rank - k)
		return false;
	for (; i < a->rank; i++, k++)
		if (a->dim[i] != b->dim[k])
			return false;
	return true;
}

/* The content of a slot of a bare program may have any type. */
static int check_tensor(const struct source *source, const struct accel_tensor *want,
			const struct tensor_data *have, const char *file)
{
	char want_text[SHAPE_TEXT_MAX], have_text[SHAPE_TEXT_MAX];
	struct shape shape = tensor_shape(want);

	if (source->bare) {
		if (have->size != want->bytes)
			return fail(file, "it has %zu bytes, %s expects %llu", have->size,
				    want->name, (unsigned long long)want->bytes);
		return STATUS_OK;
	}
	if (have->dtype == tensor_dtype(want) && shapes_match(&have->shape, &shape))
		return STATUS_OK;
	return fail(file, "it is %s%s, input \"%s\" expects %s%s", dtype_name(have->dtype),
		    shape_text(&have->shape, have_text), want->name, dtype_name(tensor_dtype(want)),
		    shape_text(&shape, want_text));
}

struct image_tensor tensor_image(const struct accel_tensor *tensor)
{
	return (struct image_tensor){
		.dtype = tensor_dtype(tensor),
		.shape = tensor_shape(tensor),
		.scale = tensor->scale,
		.zero_point = tensor->zero_point,
	};
}

static int read_image(const struct source *source, const struct accel_tensor *want,
		      const char *file, const char *bytes, size_t size,
		      const struct preprocess *preprocess, struct tensor_data *tensor,
		      struct image *shown)
{
	const struct image_tensor to = tensor_image(want);
	struct compile_error err = {};
	struct image image;
	int rc;

	if (source->bare)
		return fail(file,
			    "an image cannot be bytes of a bare program: its size is unknown");
	if (image_parse(file, bytes, size, &image, &err))
		return fail_with(&err);
	rc = preprocess_image(preprocess, &image, &to, tensor, shown, &err);
	image_free(&image);
	return rc ? fail(file, "input \"%s\": %s", want->name, err.text) : STATUS_OK;
}

int input_read(const struct source *source, const struct accel_tensor *want, const char *file,
	       const struct preprocess *preprocess, struct tensor_data *tensor, struct image *shown)
{
	struct compile_error err = {};
	enum file_kind kind;
	char *bytes;
	size_t size;
	int status;

	*shown = (struct image){};
	if (tensor_read_file(file, &bytes, &size, &err))
		return fail_with(&err);
	kind = file_kind(bytes, size);
	if (kind == FILE_PNG || kind == FILE_JPEG) {
		status = read_image(source, want, file, bytes, size, preprocess, tensor, shown);
	} else if (kind != FILE_NPY && kind != FILE_PB) {
		status = fail(file,
			      "it is %s; NumPy arrays (.npy), ONNX tensors (.pb), PNG and JPEG "
			      "images are read",
			      file_kind_name(bytes, size));
	} else if (tensor_parse(file, bytes, size, tensor, &err)) {
		status = fail_with(&err);
	} else {
		status = check_tensor(source, want, tensor, file);
		if (status)
			tensor_data_free(tensor);
	}
	free(bytes);
	return status;
}
