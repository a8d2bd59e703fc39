/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A model that takes one image, on a device: what the element runs. Nothing here knows GStreamer.
 */
#ifndef PLUGINS_GSTREAMER_MODEL_H
#define PLUGINS_GSTREAMER_MODEL_H

#include <accel.h>

#include "tools/labels.h"
#include "tools/preprocess.h"
#include "tools/ranking.h"

struct model_options {
	const char *model; /* a .rnd file, or a model that is compiled for the device */
	const char *labels; /* or NULL */
	const char *preprocess; /* a preset; NULL: "none" */
	const char *device; /* for accel_device_open(); NULL: the first, or an emulated one */
};

struct model {
	char error[512]; /* of the last function that failed: one line with the name of what is at
			    fault */
	struct accel_device *device;
	struct accel_model *file;
	struct accel_session *session;
	struct accel_tensor input;
	struct image_tensor image; /* the same, for preprocess_image() */
	struct preprocess preprocess;
	struct labels labels;
	u32 classes; /* scores in the first output; 0: it is no row of scores */
	u32 *order; /* room for rank_classes() */
	u64 output_bytes; /* of all outputs, one after the other */
	bool emulated; /* because there is no device */
};

/* Functions return 0, or -1 with @m->error set; a model that did not open is closed. */
int model_open(struct model *m, const struct model_options *options);
void model_close(struct model *m);

/* Runs the image of @width x @height pixels at @rgb, without gaps between rows. */
int model_run(struct model *m, u8 *rgb, u32 width, u32 height);

/* Copies all outputs of the last run to the @m->output_bytes at @bytes. */
void model_outputs(const struct model *m, void *bytes);

/* The best @top classes of the last run, best first; returns how many there are. */
u32 model_classes(const struct model *m, struct ranked_class *best, u32 top);

/* The label of a class, or its number. */
const char *model_label(const struct model *m, u32 index, char buf[16]);

/* "NAME TYPE[DIM,DIM]" of each output, with "; " between; cut to @size. */
void model_describe(const struct model *m, char *text, size_t size);

#endif
