// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "plugins/gstreamer/model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "compiler/rondo_compile.h"
#include "core/machine.h"
#include "tools/external.h"
#include "tools/file_kind.h"

enum { CLASSES_MAX = 65536 };

__attribute__((format(printf, 2, 3))) static int fail(struct model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->error, sizeof(m->error), fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- Opening ------------------------------------------------------------------------------- */

static int open_device(struct model *m, const char *name)
{
	struct accel_error error = {};
	int ret = accel_device_open(name, &m->device, &error);

	if (ret == -ENODEV && !name) {
		m->emulated = true;
		name = "emu";
		ret = accel_device_open(name, &m->device, &error);
	}
	if (!ret)
		return 0;
	return fail(m, "%s: %s", name ? name : "/dev/accel",
		    error.text[0] ? error.text : strerror(-ret));
}

static int parse(struct model *m, const char *path, const void *bytes, size_t size)
{
	struct accel_error error = {};
	int ret = accel_model_parse(bytes, size, &m->file, &error);

	if (!ret)
		return 0;
	return fail(m, "%s: %s", path, error.text[0] ? error.text : strerror(-ret));
}

/* Compiles for the machine of the device. */
static int compile(struct model *m, const char *path, const void *bytes, size_t size)
{
	struct external_files files = { .model = path };
	struct rondo_compile_options options = {
		.size = sizeof(options),
		.name = path,
		.context = &files,
		.external = external_read,
	};
	struct rondo_compile_error err;
	struct rondo_compiled compiled;
	struct accel_info info;
	int ret;

	ret = accel_device_info(m->device, &info, sizeof(info));
	if (ret)
		return fail(m, "%s", strerror(-ret));
	options.machine = rondo_machine_name(rondo_machine_find(info.machine_hash));
	ret = rondo_compile(bytes, size, &options, &compiled, &err);
	external_close(&files);
	if (ret)
		return fail(m, "%s", err.text);
	ret = parse(m, path, compiled.file, compiled.size);
	rondo_compiled_free(&compiled);
	return ret;
}

static int load(struct model *m, const char *path)
{
	struct compile_error err = {};
	size_t size;
	void *bytes;
	int ret;

	if (compile_read_file(path, &bytes, &size, &err))
		return fail(m, "%s", err.text);
	switch (file_kind(bytes, size)) {
	case FILE_RND:
		ret = parse(m, path, bytes, size);
		break;
	case FILE_ONNX:
	case FILE_TFLITE:
		ret = compile(m, path, bytes, size);
		break;
	default:
		ret = fail(m, "%s: it is %s, and no model", path, file_kind_name(bytes, size));
	}
	free(bytes);
	return ret;
}

/* The image that the input takes, and what the outputs are. */
static int find_tensors(struct model *m, const char *path)
{
	u32 inputs = accel_model_tensor_count(m->file, ACCEL_INPUT), i;
	struct accel_tensor t;
	int rank;

	if (inputs != 1)
		return fail(m, "%s: it has %u inputs, and not one image", path, inputs);
	accel_model_tensor(m->file, ACCEL_INPUT, 0, &m->input);
	if (!dtype_from_number((s32)m->input.dtype, &m->image.dtype))
		return fail(m, "%s: its input is no image", path);
	m->image.scale = m->input.scale;
	m->image.zero_point = m->input.zero_point;
	m->image.shape.rank = rank = (int)m->input.rank;
	for (i = 0; i < (u32)rank; i++)
		m->image.shape.dim[i] = (s64)m->input.dim[i];
	for (i = 0; !accel_model_tensor(m->file, ACCEL_OUTPUT, i, &t); i++) {
		m->output_bytes += t.bytes;
		if (!i && t.dtype == ACCEL_F32 && t.rank && t.bytes == 4 * t.dim[t.rank - 1] &&
		    t.dim[t.rank - 1] >= 2 && t.dim[t.rank - 1] <= CLASSES_MAX)
			m->classes = (u32)t.dim[t.rank - 1];
	}
	m->order = calloc(m->classes + 1, sizeof(*m->order));
	return m->order ? 0 : fail(m, "no memory");
}

/* Whether an image becomes the input: of any size, so of one pixel. */
static int try_image(struct model *m, const char *path)
{
	u8 pixel[IMAGE_CHANNELS] = {};
	const struct image image = { 1, 1, pixel };
	struct compile_error err = {};
	struct tensor_data tensor;

	if (preprocess_image(&m->preprocess, &image, &m->image, &tensor, NULL, &err))
		return fail(m, "%s: input \"%s\": %s", path, m->input.name, err.text);
	tensor_data_free(&tensor);
	return 0;
}

static int create_session(struct model *m, const char *path)
{
	struct accel_error error = {};
	int ret = accel_session_create(m->device, m->file, &m->session, &error);

	if (!ret)
		return 0;
	return fail(m, "%s: %s", path, error.text[0] ? error.text : strerror(-ret));
}

static int read_options(struct model *m, const struct model_options *o)
{
	struct compile_error err = {};

	if (!o->model)
		return fail(m, "no model is given");
	preprocess_init(&m->preprocess);
	if (o->preprocess && !preprocess_preset(&m->preprocess, o->preprocess))
		return fail(m, "%s: there is no such preset: imagenet, tf, unit or none",
			    o->preprocess);
	if (o->labels && labels_read(o->labels, &m->labels, &err))
		return fail(m, "%s", err.text);
	return 0;
}

int model_open(struct model *m, const struct model_options *o)
{
	int ret;

	*m = (struct model){};
	ret = read_options(m, o);
	if (!ret)
		ret = open_device(m, o->device);
	if (!ret)
		ret = load(m, o->model);
	if (!ret)
		ret = find_tensors(m, o->model);
	if (!ret)
		ret = try_image(m, o->model);
	if (!ret)
		ret = create_session(m, o->model);
	if (ret)
		model_close(m);
	return ret;
}

void model_close(struct model *m)
{
	accel_session_destroy(m->session);
	accel_model_destroy(m->file);
	accel_close(m->device);
	labels_free(&m->labels);
	free(m->order);
	m->session = NULL;
	m->file = NULL;
	m->device = NULL;
	m->order = NULL;
}

/* ---- Running ------------------------------------------------------------------------------- */

int model_run(struct model *m, u8 *rgb, u32 width, u32 height)
{
	const struct image image = { width, height, rgb };
	struct accel_error error = {};
	struct compile_error err = {};
	struct tensor_data tensor;
	void *to;
	int ret;

	if (preprocess_image(&m->preprocess, &image, &m->image, &tensor, NULL, &err))
		return fail(m, "%s", err.text);
	accel_session_tensor(m->session, ACCEL_INPUT, 0, &to, NULL);
	memcpy(to, tensor.bytes, tensor.size);
	tensor_data_free(&tensor);
	ret = accel_session_start(m->session);
	if (!ret)
		ret = accel_session_wait(m->session, ACCEL_FOREVER);
	if (!ret)
		return 0;
	accel_session_error(m->session, &error);
	return fail(m, "%s", error.text[0] ? error.text : strerror(-ret));
}

void model_outputs(const struct model *m, void *bytes)
{
	char *to = bytes;
	void *from;
	u64 size;

	for (u32 i = 0; !accel_session_tensor(m->session, ACCEL_OUTPUT, i, &from, &size); i++) {
		memcpy(to, from, size);
		to += size;
	}
}

u32 model_classes(const struct model *m, struct ranked_class *best, u32 top)
{
	void *scores;

	if (!m->classes)
		return 0;
	accel_session_tensor(m->session, ACCEL_OUTPUT, 0, &scores, NULL);
	return rank_classes(scores, m->classes, m->order, best,
			    top < m->classes ? top : m->classes);
}

const char *model_label(const struct model *m, u32 index, char buf[16])
{
	if (index < m->labels.count)
		return m->labels.at[index];
	snprintf(buf, 16, "%u", index);
	return buf;
}

void model_describe(const struct model *m, char *text, size_t size)
{
	struct accel_tensor t;
	char *end = text + size;

	*text = '\0';
	for (u32 i = 0; !accel_model_tensor(m->file, ACCEL_OUTPUT, i, &t); i++) {
		enum dtype type = DTYPE_F32;

		dtype_from_number((s32)t.dtype, &type);
		text += snprintf(text, (size_t)(end - text), "%s%.100s %s[", i ? "; " : "", t.name,
				 dtype_name(type));
		for (u32 d = 0; d < t.rank && text < end; d++)
			text += snprintf(text, (size_t)(end - text), "%s%llu", d ? "," : "",
					 (unsigned long long)t.dim[d]);
		if (text < end)
			text += snprintf(text, (size_t)(end - text), "]");
		if (text >= end)
			return;
	}
}
