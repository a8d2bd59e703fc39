// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The demo model as an ONNX file. One table names the weights for writing and for reading. */
#include "demo/digits.h"
#include "demo/onnx_write.h"

#include "compiler/onnx_tensor.h"
#include "compiler/onnx_wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPSET = 13 };

static const struct {
	const char *name;
	size_t offset; /* in struct digits_model */
	struct shape shape;
} weights[] = {
#define WEIGHT(layer, kind, ...)                                                 \
	{                                                                        \
#layer "." #kind, offsetof(struct digits_model, layer##_##kind), \
		{                                                                \
			__VA_ARGS__                                              \
		}                                                                \
	}
	WEIGHT(conv1, weight, 4, { CONV1_CHANNELS, 1, CONV1_KERNEL, CONV1_KERNEL }),
	WEIGHT(conv1, bias, 1, { CONV1_CHANNELS }),
	WEIGHT(conv2, weight, 4, { CONV2_CHANNELS, CONV1_CHANNELS, CONV2_KERNEL, CONV2_KERNEL }),
	WEIGHT(conv2, bias, 1, { CONV2_CHANNELS }),
	WEIGHT(fc, weight, 2, { DIGITS_CLASSES, FC_INPUTS }),
	WEIGHT(fc, bias, 1, { DIGITS_CLASSES }),
#undef WEIGHT
};

enum { WEIGHTS = sizeof(weights) / sizeof(weights[0]) };

/* An attribute with the same value for height and width (@count 2) or for all four sides (4). */
static void write_square(struct onnx_writer *w, const char *name, int count, int64_t value)
{
	const int64_t values[4] = { value, value, value, value };

	onnx_write_ints(w, name, count, values);
}

static void write_graph(struct onnx_writer *w)
{
	static const struct shape input = { 4, { 1, 1, DIGITS_SIDE, DIGITS_SIDE } };
	static const struct shape output = { 2, { 1, DIGITS_CLASSES } };

	onnx_write_input(w, "image", DTYPE_F32, &input);
	onnx_write_node(w, "Conv", "conv1", "image conv1.weight conv1.bias", "conv1.out");
	write_square(w, "kernel_shape", 2, CONV1_KERNEL);
	write_square(w, "strides", 2, CONV1_STRIDE);
	write_square(w, "pads", 4, CONV1_PAD);
	onnx_write_node(w, "Relu", "relu1", "conv1.out", "relu1.out");
	onnx_write_node(w, "Conv", "conv2", "relu1.out conv2.weight conv2.bias", "conv2.out");
	write_square(w, "kernel_shape", 2, CONV2_KERNEL);
	write_square(w, "strides", 2, CONV2_STRIDE);
	write_square(w, "pads", 4, CONV2_PAD);
	onnx_write_node(w, "Relu", "relu2", "conv2.out", "relu2.out");
	onnx_write_node(w, "MaxPool", "pool", "relu2.out", "pool.out");
	write_square(w, "kernel_shape", 2, POOL_KERNEL);
	write_square(w, "strides", 2, POOL_KERNEL);
	onnx_write_node(w, "Flatten", "flatten", "pool.out", "flatten.out");
	onnx_write_int(w, "axis", 1);
	onnx_write_node(w, "Gemm", "fc", "flatten.out fc.weight fc.bias", "fc.out");
	onnx_write_int(w, "transB", 1);
	onnx_write_node(w, "Softmax", "softmax", "fc.out", "probability");
	onnx_write_int(w, "axis", 1);
	onnx_write_output(w, "probability", DTYPE_F32, &output);
}

int digits_save(const struct digits_model *model, const char *path, struct compile_error *err)
{
	struct onnx_writer *w = onnx_writer_create(
		"digits",
		"Handwritten digits: image 0 (paper) to 1 (ink), probability of each of 0 to 9. "
		"Trained by demo/train.c on 8,000 of the MNIST digits.",
		OPSET);
	int rc;

	write_graph(w);
	for (int i = 0; i < WEIGHTS; i++)
		onnx_write_initializer(w, weights[i].name, DTYPE_F32, &weights[i].shape,
				       (const char *)model + weights[i].offset);
	rc = onnx_writer_save(w, path, err);
	onnx_writer_destroy(w);
	return rc;
}

/* Copies one initializer into @model, if it has the name, type and shape of one of its weights. */
static int load_weight(struct digits_model *model, const Onnx__TensorProto *proto,
		       unsigned int *found, struct compile_error *err)
{
	struct tensor_data t;
	int rc = onnx_tensor_decode(proto, &t, err);

	if (rc)
		return rc;
	rc = compile_fail(err, -EINVAL, "initializer %s is not one of this model's", proto->name);
	for (int i = 0; i < WEIGHTS; i++) {
		if (strcmp(weights[i].name, proto->name) || t.dtype != DTYPE_F32 ||
		    !shape_equal(&weights[i].shape, &t.shape))
			continue;
		memcpy((char *)model + weights[i].offset, t.bytes, t.size);
		*found |= 1u << i;
		err->code = rc = 0;
	}
	tensor_data_free(&t);
	return rc;
}

static int load_graph(struct digits_model *model, const Onnx__ModelProto *proto,
		      struct compile_error *err)
{
	unsigned int found = 0;
	int rc;

	if (!proto->graph)
		return compile_fail(err, -EINVAL, "there is no graph");
	for (size_t i = 0; i < proto->graph->n_initializer; i++) {
		rc = load_weight(model, proto->graph->initializer[i], &found, err);
		if (rc)
			return rc;
	}
	if (found != (1u << WEIGHTS) - 1)
		return compile_fail(err, -EINVAL, "some weights are missing");
	return 0;
}

/* Reads a file that is expected to be small. */
static int read_small(const char *path, void *bytes, size_t *size, struct compile_error *err)
{
	size_t limit = *size;
	FILE *file = fopen(path, "rb");

	if (!file)
		return compile_fail(err, -errno, "%s", strerror(errno));
	*size = fread(bytes, 1, limit, file);
	fclose(file);
	if (*size == limit)
		return compile_fail(err, -EFBIG, "is larger than this model can be");
	return 0;
}

int digits_load(struct digits_model *model, const char *path, struct compile_error *err)
{
	size_t size = DIGITS_FILE_MAX;
	void *bytes = malloc(size);
	Onnx__ModelProto *proto = NULL;
	int rc;

	if (!bytes)
		return compile_fail(err, -ENOMEM, "%s: no memory", path);
	rc = read_small(path, bytes, &size, err);
	if (!rc)
		rc = onnx_wire_check(&onnx__model_proto__descriptor, bytes, size, err);
	if (!rc) {
		proto = onnx__model_proto__unpack(NULL, size, bytes);
		rc = proto ? load_graph(model, proto, err) :
			     compile_fail(err, -EINVAL, "is not an ONNX model");
	}
	compile_error_prefix(err, path);
	onnx__model_proto__free_unpacked(proto, NULL);
	free(bytes);
	return rc;
}
