// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/preprocess.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BYTE_MAX = 255, INPUT_PIXELS_MAX = 16 << 20 };

/* ---- Presets -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum image_fit fit;
	float mean[IMAGE_CHANNELS], deviation[IMAGE_CHANNELS];
} presets[] = {
	{ "none", FIT_STRETCH, { 0, 0, 0 }, { 1, 1, 1 } },
	{ "unit", FIT_STRETCH, { 0, 0, 0 }, { 255, 255, 255 } },
	{ "tf", FIT_CROP, { 127.5f, 127.5f, 127.5f }, { 127.5f, 127.5f, 127.5f } },
	{ "imagenet", FIT_CROP, { 123.675f, 116.28f, 103.53f }, { 58.395f, 57.12f, 57.375f } },
};

bool preprocess_preset(struct preprocess *p, const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(name, presets[i].name) != 0)
			continue;
		p->fit = presets[i].fit;
		memcpy(p->mean, presets[i].mean, sizeof(p->mean));
		memcpy(p->deviation, presets[i].deviation, sizeof(p->deviation));
		return true;
	}
	return false;
}

void preprocess_init(struct preprocess *p)
{
	*p = (struct preprocess){};
	preprocess_preset(p, "none");
}

/* ---- Size ---------------------------------------------------------------------------------- */

/* The part of the image that becomes the @width x @height pixels at @x, @y of the result. */
struct placing {
	double left, top, wide, high; /* in the image */
	u32 x, y, width, height; /* in the result */
};

static struct placing place(enum image_fit fit, const struct image *image, u32 width, u32 height)
{
	struct placing p = { 0, 0, image->width, image->height, 0, 0, width, height };
	double by_width = (double)image->width / width, by_height = (double)image->height / height;
	double step = by_width < by_height ? by_width : by_height;

	switch (fit) {
	case FIT_STRETCH:
		return p;
	case FIT_CROP:
		step *= 7.0 / 8;
		break;
	case FIT_COVER:
		break;
	case FIT_PAD:
		step = by_width > by_height ? by_width : by_height;
		p.width = (u32)fmax(1, lround(image->width / step));
		p.height = (u32)fmax(1, lround(image->height / step));
		p.x = (width - p.width) / 2;
		p.y = (height - p.height) / 2;
		return p;
	}
	p.wide = step * width;
	p.high = step * height;
	p.left = (image->width - p.wide) / 2;
	p.top = (image->height - p.high) / 2;
	return p;
}

/*
 * The pixels of one dimension that make pixel @i of the result, first to last, and how much of a
 * weight pixel @k has: a triangle as wide as two pixels of the result, or of the image, whichever
 * is more. So shrinking takes all pixels into account, and enlarging is bilinear.
 */
struct taps {
	double centre, reach;
	s64 first, last;
};

static struct taps taps_of(double start, double step, u32 i, u32 size)
{
	struct taps t = { .centre = start + (i + 0.5) * step, .reach = step > 1 ? step : 1 };

	t.first = (s64)floor(t.centre - t.reach);
	t.last = (s64)ceil(t.centre + t.reach);
	t.first = t.first < 0 ? 0 : t.first;
	t.last = t.last > (s64)size - 1 ? (s64)size - 1 : t.last;
	return t;
}

static double weight(const struct taps *t, s64 k)
{
	double w = 1 - fabs(k + 0.5 - t->centre) / t->reach;

	return w > 0 ? w : 0;
}

/*
 * What brings the image to its size. Work and memory are bounded by the pixels of the image and of
 * the result together, however narrow one is and wide the other: where rows become fewer they do so
 * first, all else is done once for each row that is left.
 */
struct resizing {
	const struct image *image;
	struct placing p;
	double *wide; /* a row of the image's width */
	double *row[2]; /* of the result's width: */
	s64 is[2]; /* made of which row of the image, if rows become more; -1: none */
};

/* Brings @r->wide to the width of the result. */
static void resize_row(const struct resizing *r, double *row)
{
	for (u32 x = 0; x < r->p.width; x++, row += IMAGE_CHANNELS) {
		struct taps t = taps_of(r->p.left, r->p.wide / r->p.width, x, r->image->width);
		double sum[IMAGE_CHANNELS] = { 0 }, weights = 0;

		for (s64 k = t.first; k <= t.last; k++) {
			double w = weight(&t, k);

			weights += w;
			for (int c = 0; c < IMAGE_CHANNELS; c++)
				sum[c] += w * r->wide[k * IMAGE_CHANNELS + c];
		}
		for (int c = 0; c < IMAGE_CHANNELS; c++)
			row[c] = sum[c] / weights;
	}
}

static u8 to_byte(double v)
{
	return (u8)(v > 0 ? v < BYTE_MAX ? lround(v) : BYTE_MAX : 0); /* NaN is 0 */
}

/* Adds row @k of the image, @w times. */
static void add_row(const struct resizing *r, s64 k, double w)
{
	size_t n = (size_t)r->image->width * IMAGE_CHANNELS;
	const u8 *pixels = r->image->rgb + (size_t)k * n;

	for (size_t i = 0; i < n; i++)
		r->wide[i] += w * pixels[i];
}

static void clear_row(const struct resizing *r)
{
	memset(r->wide, 0, (size_t)r->image->width * IMAGE_CHANNELS * sizeof(*r->wide));
}

/* Row @y of a result with fewer rows than the image. */
static void shrink(struct resizing *r, const struct taps *t, u8 *out)
{
	double weights = 0;

	clear_row(r);
	for (s64 k = t->first; k <= t->last; k++) {
		double w = weight(t, k);

		weights += w;
		if (w > 0)
			add_row(r, k, w);
	}
	resize_row(r, r->row[0]);
	for (size_t i = 0; i < (size_t)r->p.width * IMAGE_CHANNELS; i++)
		out[i] = to_byte(r->row[0][i] / weights);
}

/* The same with no fewer: one row of the image counts, or two neighbours. */
static void enlarge(struct resizing *r, const struct taps *t, u8 *out)
{
	double w[2] = { 0, 0 };

	for (s64 k = t->first; k <= t->last; k++) {
		double v = weight(t, k);

		if (v == 0)
			continue;
		w[k & 1] = v;
		if (r->is[k & 1] == k)
			continue;
		r->is[k & 1] = k;
		clear_row(r);
		add_row(r, k, 1);
		resize_row(r, r->row[k & 1]);
	}
	for (size_t i = 0; i < (size_t)r->p.width * IMAGE_CHANNELS; i++)
		out[i] = to_byte((w[0] * r->row[0][i] + w[1] * r->row[1][i]) / (w[0] + w[1]));
}

/* Fills the rows of @out, of @width pixels. */
static void make_rows(struct resizing *r, u32 width, u8 *out)
{
	const struct placing *p = &r->p;
	double step = p->high / p->height;

	for (u32 y = 0; y < p->height; y++) {
		struct taps t = taps_of(p->top, step, y, r->image->height);

		(step > 1 ? shrink : enlarge)(
			r, &t, out + (((size_t)p->y + y) * width + p->x) * IMAGE_CHANNELS);
	}
}

static int resize(const struct image *image, enum image_fit fit, u32 width, u32 height,
		  struct image *out, struct compile_error *err)
{
	struct resizing r = { .image = image, .is = { -1, -1 } };
	size_t wide = (size_t)image->width * IMAGE_CHANNELS, row;

	r.p = place(fit, image, width, height);
	row = (size_t)r.p.width * IMAGE_CHANNELS;
	r.wide = calloc(wide + 2 * row, sizeof(*r.wide));
	if (!r.wide)
		return compile_fail(err, -ENOMEM, "no memory");
	r.row[0] = r.wide + wide;
	r.row[1] = r.row[0] + row;
	if (!image_alloc(out, width, height, err)) {
		memset(out->rgb, 0, (size_t)width * height * IMAGE_CHANNELS);
		make_rows(&r, width, out->rgb);
	}
	free(r.wide);
	return err->code;
}

/* ---- Values -------------------------------------------------------------------------------- */

/* The byte of channel @c of a tensor with @channels: a grey one is seen as the eye does. */
static double byte_of(const struct preprocess *p, const u8 *pixel, s64 c, s64 channels)
{
	if (channels == 1)
		return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
	return pixel[p->bgr ? IMAGE_CHANNELS - 1 - c : c];
}

/* Where the numbers of channel @c stand in mean and deviation: they are of R, G, B. */
static s64 colour(const struct preprocess *p, s64 c, s64 channels)
{
	return channels == 1 ? 0 : p->bgr ? IMAGE_CHANNELS - 1 - c : c;
}

static void store(const struct image_tensor *t, void *bytes, s64 at, double v)
{
	if (t->dtype == DTYPE_F32) {
		((float *)bytes)[at] = (float)v;
		return;
	}
	if (t->scale != 0)
		v = v / t->scale + t->zero_point;
	v = rint(v);
	if (t->dtype == DTYPE_S8)
		((s8 *)bytes)[at] = (s8)(v < -128 ? -128 : v > 127 ? 127 : v);
	else
		((u8 *)bytes)[at] = to_byte(v);
}

static double load(const struct image_tensor *t, const void *bytes, s64 at)
{
	double v = t->dtype == DTYPE_F32 ? ((const float *)bytes)[at] :
		   t->dtype == DTYPE_S8	 ? ((const s8 *)bytes)[at] :
					   ((const u8 *)bytes)[at];

	return t->dtype != DTYPE_F32 && t->scale != 0 ? (v - t->zero_point) * t->scale : v;
}

static bool has_type(const struct image_tensor *t)
{
	return t->dtype == DTYPE_F32 || t->dtype == DTYPE_S8 || t->dtype == DTYPE_U8;
}

static void fill(const struct preprocess *p, const struct image *image,
		 const struct image_layout *l, const struct image_tensor *want, void *bytes)
{
	const u8 *pixel = image->rgb;

	for (s64 y = 0; y < l->height; y++)
		for (s64 x = 0; x < l->width; x++, pixel += IMAGE_CHANNELS)
			for (s64 c = 0; c < l->channels; c++) {
				s64 i = colour(p, c, l->channels);
				double v = byte_of(p, pixel, c, l->channels);

				store(want, bytes,
				      y * l->row_step + x * l->column_step + c * l->channel_step,
				      (v - p->mean[i]) / p->deviation[i]);
			}
}

int preprocess_image(const struct preprocess *p, const struct image *image,
		     const struct image_tensor *want, struct tensor_data *out, struct image *shown,
		     struct compile_error *err)
{
	struct image fitted = {};
	struct image_layout layout;
	char text[SHAPE_TEXT_MAX];
	int rc;

	/* One row of numbers is none, though its shape is that of one. */
	if (!has_type(want) || !image_layout(&want->shape, p->order, &layout) ||
	    layout.height < 2 || layout.width < 2 ||
	    layout.height * layout.width > INPUT_PIXELS_MAX)
		return compile_fail(err, -ENOTSUP, "an image cannot be %s%s",
				    dtype_name(want->dtype), shape_text(&want->shape, text));
	rc = resize(image, p->fit, (u32)layout.width, (u32)layout.height, &fitted, err);
	if (!rc && !tensor_data_alloc(out, want->dtype, &want->shape))
		rc = compile_fail(err, -ENOMEM, "no memory");
	if (!rc)
		fill(p, &fitted, &layout, want, out->bytes);
	if (!rc && shown)
		*shown = fitted;
	else
		image_free(&fitted);
	return rc;
}

u8 *preprocess_undo(const struct preprocess *p, const struct image_tensor *have, const void *bytes,
		    struct image_layout *l)
{
	u8 *pixels, *to;

	if (!has_type(have) || !image_layout(&have->shape, p->order, l))
		return NULL;
	to = pixels = malloc((size_t)(l->height * l->width * l->channels));
	if (!pixels)
		return NULL;
	for (s64 y = 0; y < l->height; y++)
		for (s64 x = 0; x < l->width; x++)
			for (s64 k = 0; k < l->channels; k++) {
				/* RGB, whatever the order of the tensor. */
				s64 c = colour(p, k, l->channels);
				s64 at = y * l->row_step + x * l->column_step + c * l->channel_step;

				*to++ = to_byte(load(have, bytes, at) * p->deviation[k] +
						p->mean[k]);
			}
	return pixels;
}
