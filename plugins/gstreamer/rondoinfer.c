// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * rondoinfer: frames in, what a network makes of them out: the bytes of its outputs, or its best
 * classes as a line of JSON, as downstream likes. Where the first output is a row of scores, each
 * frame's best class is also a message "rondoinfer" on the bus.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include "plugins/gstreamer/model.h"
#include "tools/json.h"

#define TENSOR_CAPS "application/x-rondo-tensor"
#define JSON_CAPS "application/x-rondo-classes"

enum { TOP_DEFAULT = 5, TOP_MAX = 1000, JSON_CLASS_MAX = 1024, DESCRIPTION_MAX = 1024 };

enum property {
	PROPERTY_MODEL = 1,
	PROPERTY_LABELS,
	PROPERTY_PREPROCESS,
	PROPERTY_DEVICE,
	PROPERTY_TOP
};

typedef struct {
	GstBaseTransform parent;
	gchar *model_path, *labels_path, *preprocess, *device; /* properties; NULL: not set */
	guint top;

	struct model model;
	gboolean open;
	gboolean json; /* what downstream takes, instead of tensors */
	GstVideoInfo video;
	struct ranked_class *best; /* TOP_MAX */
	guchar *pixels; /* a frame without gaps, if frames have some */
} RondoInfer;

typedef struct {
	GstBaseTransformClass parent;
} RondoInferClass;

GType rondo_infer_get_type(void);

G_DEFINE_TYPE(RondoInfer, rondo_infer, GST_TYPE_BASE_TRANSFORM)

#define RONDO_INFER(object) ((RondoInfer *)(object))

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
	"sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("RGB")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
	"src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(TENSOR_CAPS "; " JSON_CAPS));

/* ---- Properties ---------------------------------------------------------------------------- */

static gchar **text_of(RondoInfer *self, guint id)
{
	switch (id) {
	case PROPERTY_MODEL:
		return &self->model_path;
	case PROPERTY_LABELS:
		return &self->labels_path;
	case PROPERTY_PREPROCESS:
		return &self->preprocess;
	case PROPERTY_DEVICE:
		return &self->device;
	default:
		return NULL;
	}
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
	gchar **text = text_of(RONDO_INFER(object), id);

	(void)spec;
	if (text) {
		g_free(*text);
		*text = g_value_dup_string(value);
	} else {
		RONDO_INFER(object)->top = g_value_get_uint(value);
	}
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
	gchar **text = text_of(RONDO_INFER(object), id);

	(void)spec;
	if (text)
		g_value_set_string(value, *text);
	else
		g_value_set_uint(value, RONDO_INFER(object)->top);
}

/* ---- Begin and end ------------------------------------------------------------------------- */

static gboolean start(GstBaseTransform *base)
{
	RondoInfer *self = RONDO_INFER(base);
	const struct model_options options = {
		.model = self->model_path,
		.labels = self->labels_path,
		.preprocess = self->preprocess,
		.device = self->device,
	};

	if (model_open(&self->model, &options)) {
		GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ, ("%s", self->model.error), (NULL));
		return FALSE;
	}
	self->open = TRUE;
	self->best = g_new(struct ranked_class, TOP_MAX);
	if (self->model.emulated)
		GST_ELEMENT_INFO(self, RESOURCE, NOT_FOUND,
				 ("there is no device; running in the emulator"), (NULL));
	return TRUE;
}

static gboolean stop(GstBaseTransform *base)
{
	RondoInfer *self = RONDO_INFER(base);

	if (self->open)
		model_close(&self->model);
	self->open = FALSE;
	g_clear_pointer(&self->best, g_free);
	g_clear_pointer(&self->pixels, g_free);
	return TRUE;
}

static void finalize(GObject *object)
{
	RondoInfer *self = RONDO_INFER(object);

	g_free(self->model_path);
	g_free(self->labels_path);
	g_free(self->preprocess);
	g_free(self->device);
	G_OBJECT_CLASS(rondo_infer_parent_class)->finalize(object);
}

/* ---- Formats ------------------------------------------------------------------------------- */

/* What comes out for frames of @video: at their rate, with the outputs' names and shapes. */
static GstCaps *source_caps(const RondoInfer *self, GstCaps *video)
{
	char description[DESCRIPTION_MAX];
	GstCaps *caps = gst_caps_new_empty();
	GstStructure *tensor = gst_structure_new_empty(TENSOR_CAPS);
	const GValue *rate = NULL;

	if (gst_caps_get_size(video))
		rate = gst_structure_get_value(gst_caps_get_structure(video, 0), "framerate");
	if (self->open) {
		model_describe(&self->model, description, sizeof(description));
		gst_structure_set(tensor, "tensors", G_TYPE_STRING, description, NULL);
	}
	gst_caps_append_structure(caps, tensor);
	if (!self->open || self->model.classes)
		gst_caps_append_structure(caps, gst_structure_new_empty(JSON_CAPS));
	if (rate)
		gst_caps_set_value(caps, "framerate", rate);
	return caps;
}

static GstCaps *transform_caps(GstBaseTransform *base, GstPadDirection direction, GstCaps *caps,
			       GstCaps *filter)
{
	GstCaps *to = direction == GST_PAD_SINK ? source_caps(RONDO_INFER(base), caps) :
						  gst_static_pad_template_get_caps(&sink_template);
	GstCaps *both;

	if (!filter)
		return to;
	both = gst_caps_intersect_full(filter, to, GST_CAPS_INTERSECT_FIRST);
	gst_caps_unref(to);
	return both;
}

static gboolean set_caps(GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
	RondoInfer *self = RONDO_INFER(base);

	self->json = gst_structure_has_name(gst_caps_get_structure(out, 0), JSON_CAPS);
	g_clear_pointer(&self->pixels, g_free);
	return gst_video_info_from_caps(&self->video, in);
}

/* The most that a frame gives. */
static gboolean transform_size(GstBaseTransform *base, GstPadDirection direction, GstCaps *caps,
			       gsize size, GstCaps *other, gsize *other_size)
{
	RondoInfer *self = RONDO_INFER(base);

	(void)caps;
	(void)other;
	(void)size;
	if (direction != GST_PAD_SINK)
		return FALSE;
	*other_size = self->json ? (gsize)(self->top + 1) * JSON_CLASS_MAX :
				   self->model.output_bytes;
	return TRUE;
}

/* ---- Frames -------------------------------------------------------------------------------- */

/* The pixels of the frame, row after row: its own, or a copy of them. */
static guchar *pixels_of(RondoInfer *self, GstVideoFrame *frame)
{
	guint width = (guint)GST_VIDEO_FRAME_WIDTH(frame),
	      height = (guint)GST_VIDEO_FRAME_HEIGHT(frame);
	gsize stride = (gsize)GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
	      row = (gsize)width * IMAGE_CHANNELS;
	guchar *from = GST_VIDEO_FRAME_PLANE_DATA(frame, 0);

	if (stride == row)
		return from;
	if (!self->pixels)
		self->pixels = g_malloc_n(height, row);
	for (guint y = 0; y < height; y++)
		memcpy(self->pixels + y * row, from + y * stride, row);
	return self->pixels;
}

static int run(RondoInfer *self, GstBuffer *in)
{
	GstVideoFrame frame;
	int ret;

	if (!gst_video_frame_map(&frame, &self->video, in, GST_MAP_READ)) {
		g_snprintf(self->model.error, sizeof(self->model.error), "a frame cannot be read");
		return -1;
	}
	ret = model_run(&self->model, pixels_of(self, &frame), (u32)GST_VIDEO_FRAME_WIDTH(&frame),
			(u32)GST_VIDEO_FRAME_HEIGHT(&frame));
	gst_video_frame_unmap(&frame);
	return ret;
}

/* A label of any length is cut to what JSON_CLASS_MAX has room for, at six bytes a character. */
static const char *short_label(const RondoInfer *self, guint index, char buf[128])
{
	char number[16];

	g_strlcpy(buf, model_label(&self->model, index, number), 128);
	return buf;
}

/* One line; returns its length. */
static gsize write_classes(const RondoInfer *self, guint count, guint64 time, gchar *to, gsize size)
{
	FILE *out = fmemopen(to, size, "w");
	char buf[128];
	long length;

	if (!out)
		return 0;
	fprintf(out, "{\"time_ns\": ");
	if (GST_CLOCK_TIME_IS_VALID(time))
		fprintf(out, "%" G_GUINT64_FORMAT, time);
	else
		fprintf(out, "null");
	fprintf(out, ", \"cycles\": %llu, \"classes\": [",
		(unsigned long long)accel_program_cycles(
			accel_session_program(self->model.session)));
	for (guint i = 0; i < count; i++) {
		fprintf(out, "%s{\"class\": %u, \"label\": ", i ? ", " : "", self->best[i].index);
		json_string(out, short_label(self, self->best[i].index, buf));
		fprintf(out, ", \"probability\": ");
		json_number(out, self->best[i].probability);
		fprintf(out, "}");
	}
	fprintf(out, "]}\n");
	length = ftell(out);
	fclose(out);
	return length < 0 ? 0 : (gsize)length;
}

static void post_best(RondoInfer *self, guint64 time)
{
	char buf[16];
	GstStructure *best;

	best = gst_structure_new("rondoinfer", "time", G_TYPE_UINT64, time, "class", G_TYPE_UINT,
				 self->best[0].index, "label", G_TYPE_STRING,
				 model_label(&self->model, self->best[0].index, buf), "probability",
				 G_TYPE_DOUBLE, self->best[0].probability, NULL);
	gst_element_post_message(GST_ELEMENT(self),
				 gst_message_new_element(GST_OBJECT(self), best));
}

static GstFlowReturn transform(GstBaseTransform *base, GstBuffer *in, GstBuffer *out)
{
	RondoInfer *self = RONDO_INFER(base);
	GstMapInfo map;
	gsize size;
	guint count;

	if (run(self, in) || !gst_buffer_map(out, &map, GST_MAP_WRITE)) {
		GST_ELEMENT_ERROR(self, STREAM, FAILED, ("%s", self->model.error), (NULL));
		return GST_FLOW_ERROR;
	}
	count = model_classes(&self->model, self->best, self->top);
	if (self->json) {
		size = write_classes(self, count, GST_BUFFER_PTS(in), (gchar *)map.data, map.size);
	} else {
		model_outputs(&self->model, map.data);
		size = self->model.output_bytes;
	}
	gst_buffer_unmap(out, &map);
	gst_buffer_set_size(out, (gssize)size);
	if (count)
		post_best(self, GST_BUFFER_PTS(in));
	return GST_FLOW_OK;
}

/* ---- The element --------------------------------------------------------------------------- */

static void rondo_infer_init(RondoInfer *self)
{
	self->top = TOP_DEFAULT;
}

static void install_properties(GObjectClass *object)
{
	static const struct {
		guint id;
		const gchar *name, *about;
	} texts[] = {
		{ PROPERTY_MODEL, "model", "a .rnd file, or an ONNX or TensorFlow Lite model" },
		{ PROPERTY_LABELS, "labels", "a file with the names of the classes, one a line" },
		{ PROPERTY_PREPROCESS, "preprocess",
		  "how frames become inputs: none, unit, tf or imagenet" },
		{ PROPERTY_DEVICE, "device", "a device file, or emu:MACHINE, emulated" },
	};
	GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

	object->set_property = set_property;
	object->get_property = get_property;
	object->finalize = finalize;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_object_class_install_property(object, texts[i].id,
						g_param_spec_string(texts[i].name, texts[i].name,
								    texts[i].about, NULL, flags));
	g_object_class_install_property(object, PROPERTY_TOP,
					g_param_spec_uint("top", "top", "classes that are told", 1,
							  TOP_MAX, TOP_DEFAULT, flags));
}

static void rondo_infer_class_init(RondoInferClass *class)
{
	GstElementClass *element = GST_ELEMENT_CLASS(class);
	GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(class);

	install_properties(G_OBJECT_CLASS(class));
	gst_element_class_set_static_metadata(element, "Rondo inference", "Filter/Analyzer/Video",
					      "Runs a network on each frame", "Rondo");
	gst_element_class_add_static_pad_template(element, &sink_template);
	gst_element_class_add_static_pad_template(element, &src_template);
	base->start = start;
	base->stop = stop;
	base->transform_caps = transform_caps;
	base->set_caps = set_caps;
	base->transform_size = transform_size;
	base->transform = transform;
}

static gboolean plugin_init(GstPlugin *plugin)
{
	return gst_element_register(plugin, "rondoinfer", GST_RANK_NONE, rondo_infer_get_type());
}

#define PACKAGE "rondo"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, rondo, "Rondo accelerators", plugin_init,
		  RONDO_VERSION, "MIT/X11", "rondo", "rondo")
