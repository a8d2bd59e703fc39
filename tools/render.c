// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Images as text: see render.h. */
#define _GNU_SOURCE /* strcasestr() */
#include "tools/render.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "spec/env.h"
#include "tools/image_layout.h"

enum {
	CHANNELS = 3,
	GREYS = 26, /* black, the 24 of xterm's ramp, white */
	XTERM_BLACK = 16, /* also the first of a cube of 6x6x6 colours */
	XTERM_WHITE = 231, /* and its last; the ramp of greys follows */
	CUBE_SIDE = 6,
};

static const char *const style_names[] = {
	[RENDER_ASCII] = "ascii", [RENDER_BLOCKS] = "blocks", [RENDER_COLOUR] = "colour"
};

/* How an image lies in its tensor, and how it is shown. */
struct image {
	const struct tensor_data *tensor;
	struct image_layout layout;
	double low, high; /* the values of black and white */
	int64_t shrink; /* pixels to a side of one that is shown */
};

/* One pixel as shown: 0 (black) to 1 (white). A grey one has three equal channels. */
struct pixel {
	double channel[CHANNELS];
};

const char *render_style_name(enum render_style style)
{
	return style_names[style];
}

bool render_style_from_name(const char *name, enum render_style *out)
{
	for (size_t i = 0; i < sizeof(style_names) / sizeof(style_names[0]); i++)
		if (!strcmp(name, style_names[i])) {
			*out = (enum render_style)i;
			return true;
		}
	return false;
}

static bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

enum render_style render_style_for(int fd)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	if (!locale_is_utf8())
		return RENDER_ASCII;
	if (!isatty(fd) || !term || !strcmp(term, "dumb") || (no_colour && *no_colour))
		return RENDER_BLOCKS;
	return RENDER_COLOUR;
}

static double element(const struct tensor_data *t, size_t i)
{
	switch (t->dtype) {
#define DTYPE(name, text, number, type, kind, numpy) \
	case DTYPE_##name:                           \
		return (double)((const type *)t->bytes)[i];
#include "spec/dtypes.def"
	default:
		return 0;
	}
}

static void find_range(struct image *image)
{
	size_t count = (size_t)shape_elems(&image->tensor->shape);

	image->low = INFINITY;
	image->high = -INFINITY;
	for (size_t i = 0; i < count; i++) {
		double v = element(image->tensor, i);

		if (!isfinite(v))
			continue;
		image->low = fmin(image->low, v);
		image->high = fmax(image->high, v);
	}
	if (image->tensor->dtype == DTYPE_U8) {
		image->low = 0;
		image->high = UINT8_MAX;
	} else if (image->tensor->dtype == DTYPE_F32 && image->low >= 0 && image->high <= 1) {
		image->low = 0;
		image->high = 1;
	}
}

/* One element on the scale from black to white. */
static double level(const struct image *image, int64_t y, int64_t x, int64_t channel)
{
	double v = element(image->tensor,
			   (size_t)(y * image->layout.row_step + x * image->layout.column_step +
				    channel * image->layout.channel_step));

	if (!isfinite(v) || image->high <= image->low)
		return 0;
	return (v - image->low) / (image->high - image->low);
}

/* The pixel that is shown at @row, @column: the mean of its square; black outside the image. */
static struct pixel pixel_at(const struct image *image, int64_t row, int64_t column)
{
	struct pixel p = { { 0 } };
	int64_t y_end = (row + 1) * image->shrink, x_end = (column + 1) * image->shrink;
	int count = 0;

	y_end = y_end < image->layout.height ? y_end : image->layout.height;
	x_end = x_end < image->layout.width ? x_end : image->layout.width;
	for (int64_t y = row * image->shrink; y < y_end; y++)
		for (int64_t x = column * image->shrink; x < x_end; x++, count++)
			for (int c = 0; c < CHANNELS; c++)
				p.channel[c] +=
					level(image, y, x, image->layout.channels == 1 ? 0 : c);
	for (int c = 0; count && c < CHANNELS; c++)
		p.channel[c] /= count;
	return p;
}

static double grey(struct pixel p)
{
	return (p.channel[0] + p.channel[1] + p.channel[2]) / CHANNELS;
}

static const char *ascii_shade(struct pixel top, struct pixel bottom)
{
	static const char shades[][2] = { " ", ".", ":", "-", "=", "+", "*", "#", "%", "@" };
	enum { SHADES = sizeof(shades) / sizeof(shades[0]) };

	return shades[lround((grey(top) + grey(bottom)) / 2 * (SHADES - 1))];
}

static const char *block_shade(struct pixel top, struct pixel bottom)
{
	double mean = (grey(top) + grey(bottom)) / 2;

	if (grey(top) >= 0.5)
		return grey(bottom) >= 0.5 ? "\u2588" : "\u2580"; /* full, upper half */
	if (grey(bottom) >= 0.5)
		return "\u2584"; /* lower half */
	return mean >= 0.25 ? "\u2592" : mean >= 0.1 ? "\u2591" : " "; /* medium, light shade */
}

/* The nearest of xterm's 256 colours, greys on their own finer ramp. */
static int xterm_colour(struct pixel p)
{
	int cube = 0;

	if (p.channel[0] == p.channel[1] && p.channel[1] == p.channel[2]) {
		int step = (int)lround(p.channel[0] * (GREYS - 1));

		return step == 0	 ? XTERM_BLACK :
		       step == GREYS - 1 ? XTERM_WHITE :
					   XTERM_WHITE + step;
	}
	for (int c = 0; c < CHANNELS; c++)
		cube = cube * CUBE_SIDE + (int)lround(p.channel[c] * (CUBE_SIDE - 1));
	return XTERM_BLACK + cube;
}

/* One line in colour: foreground and background are set when they change, and reset at its end. */
static void colour_line(const struct image *image, int64_t row, int64_t columns, FILE *out)
{
	int foreground = -1, background = -1;

	for (int64_t column = 0; column < columns; column++) {
		int top = xterm_colour(pixel_at(image, row, column));
		int bottom = xterm_colour(pixel_at(image, row + 1, column));

		if (top != foreground)
			fprintf(out, "\033[38;5;%dm", top);
		if (bottom != background)
			fprintf(out, "\033[48;5;%dm", bottom);
		foreground = top;
		background = bottom;
		fputs("\u2580", out);
	}
	fputs("\033[0m\n", out);
}

/* One line without colour; spaces at its end are left out. */
static void plain_line(const struct image *image, int64_t row, int64_t columns,
		       const char *(*shade)(struct pixel top, struct pixel bottom), FILE *out)
{
	int spaces = 0;

	for (int64_t column = 0; column < columns; column++) {
		const char *text =
			shade(pixel_at(image, row, column), pixel_at(image, row + 1, column));

		if (*text == ' ') {
			spaces++;
			continue;
		}
		fprintf(out, "%*s%s", spaces, "", text);
		spaces = 0;
	}
	fputc('\n', out);
}

int render_tensor(const struct tensor_data *t, enum render_style style, int columns_max, FILE *out,
		  struct compile_error *err)
{
	struct image image = { .tensor = t };
	char text[SHAPE_TEXT_MAX];
	int64_t rows, columns;

	if (!image_layout(&t->shape, IMAGE_AS_SHAPED, &image.layout))
		return compile_fail(
			err, -ENOTSUP,
			"a tensor of shape %s is not an image: HxW, CxHxW or HxWxC of 1 or "
			"3 channels is",
			shape_text(&t->shape, text));
	find_range(&image);
	image.shrink = (image.layout.width + columns_max - 1) / columns_max;
	rows = (image.layout.height + image.shrink - 1) / image.shrink;
	columns = (image.layout.width + image.shrink - 1) / image.shrink;
	for (int64_t row = 0; row < rows; row += 2)
		switch (style) {
		case RENDER_ASCII:
			plain_line(&image, row, columns, ascii_shade, out);
			break;
		case RENDER_BLOCKS:
			plain_line(&image, row, columns, block_shade, out);
			break;
		case RENDER_COLOUR:
			colour_line(&image, row, columns, out);
			break;
		}
	if (ferror(out))
		return compile_fail(err, -EIO, "the picture could not be written");
	return 0;
}
