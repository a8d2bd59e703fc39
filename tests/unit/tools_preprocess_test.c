// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * From images to tensors and back: sizes, layouts, colours and numbers against values worked out by
 * hand, and every option's wrong arguments.
 */
#include "tests/tap.h"
#include "tools/preprocess_options.h"
#include "tools/rondo.h"

#include <errno.h>
#include <math.h>

static char said[256];

int usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	return STATUS_USAGE;
}

/* A picture of @width x @height whose pixels are {10 x, 10 y, 200}. */
static struct image picture(u32 width, u32 height)
{
	struct image image = { width, height, malloc((size_t)width * height * 3) };

	for (u32 i = 0; i < width * height; i++) {
		image.rgb[3 * i] = (u8)(10 * (i % width));
		image.rgb[3 * i + 1] = (u8)(10 * (i / width));
		image.rgb[3 * i + 2] = 200;
	}
	return image;
}

/* Element @i of what @image becomes; -1000: nothing. */
static struct tensor_data convert(const struct preprocess *p, struct image image,
				  struct image_tensor want)
{
	struct compile_error err = { 0 };
	struct tensor_data out = { 0 };

	if (preprocess_image(p, &image, &want, &out, NULL, &err))
		printf("# %s\n", err.text);
	image_free(&image);
	return out;
}

static bool near(float a, double b)
{
	return fabs(a - b) < 1e-5;
}

static void test_values(void)
{
	const struct image_tensor chw = { DTYPE_F32, { 4, { 1, 3, 2, 4 } }, 0, 0 };
	const struct image_tensor hwc = { DTYPE_F32, { 4, { 1, 2, 4, 3 } }, 0, 0 };
	const struct image_tensor grey = { DTYPE_F32, { 2, { 2, 4 } }, 0, 0 };
	struct preprocess p;
	struct tensor_data t;
	float *f;

	preprocess_init(&p);
	t = convert(&p, picture(4, 2), chw);
	f = t.bytes;
	tap_ok(f[3] == 30 && f[8 + 4] == 10 && f[16] == 200, "bytes as they are, NCHW");
	tensor_data_free(&t);
	t = convert(&p, picture(4, 2), hwc);
	f = t.bytes;
	tap_ok(f[9] == 30 && f[13] == 10 && f[2] == 200, "NHWC");
	tensor_data_free(&t);
	preprocess_take(&p, OPTION_COLOURS, "bgr");
	preprocess_take(&p, OPTION_MEAN, "1,2,3");
	preprocess_take(&p, OPTION_DEVIATION, "2,4,8");
	t = convert(&p, picture(4, 2), hwc);
	f = t.bytes;
	tap_ok(near(f[9], 197 / 8.0) && near(f[13], 8 / 4.0) && near(f[11], 29 / 2.0),
	       "blue first, each with its own mean and deviation");
	tensor_data_free(&t);
	preprocess_take(&p, OPTION_PREPROCESS, "unit");
	t = convert(&p, picture(4, 2), grey);
	f = t.bytes;
	tap_ok(near(f[7], (0.299 * 30 + 0.587 * 10 + 0.114 * 200) / 255), "grey, 0 to 1");
	tensor_data_free(&t);
	preprocess_init(&p);
	preprocess_take(&p, OPTION_PREPROCESS, "tf");
	preprocess_take(&p, OPTION_FIT, "stretch");
	t = convert(&p, picture(4, 2), hwc);
	f = t.bytes;
	tap_ok(near(f[0], -1) && near(f[2], 200 / 127.5 - 1), "-1 to 1");
	tensor_data_free(&t);
	preprocess_take(&p, OPTION_PREPROCESS, "imagenet");
	preprocess_take(&p, OPTION_FIT, "stretch");
	t = convert(&p, picture(4, 2), hwc);
	f = t.bytes;
	tap_ok(near(f[0], -0.485 / 0.229) && near(f[2], (200 / 255.0 - 0.406) / 0.225),
	       "ImageNet's mean and deviation");
	tensor_data_free(&t);
}

static void test_quantised(void)
{
	struct image_tensor want = { DTYPE_S8, { 4, { 1, 2, 4, 3 } }, 1 / 255.0f, -128 };
	struct preprocess p;
	struct tensor_data t;

	preprocess_init(&p);
	preprocess_take(&p, OPTION_PREPROCESS, "unit");
	t = convert(&p, picture(4, 2), want);
	tap_ok(((s8 *)t.bytes)[9] == 30 - 128 && ((s8 *)t.bytes)[2] == 200 - 128,
	       "s8 of a scale and a zero point");
	tensor_data_free(&t);
	want.scale = 1;
	want.zero_point = 100;
	preprocess_init(&p);
	t = convert(&p, picture(4, 2), want);
	tap_ok(((s8 *)t.bytes)[2] == 127, "which saturate");
	tensor_data_free(&t);
	want = (struct image_tensor){ DTYPE_U8, { 3, { 2, 4, 3 } }, 0, 0 };
	preprocess_take(&p, OPTION_DEVIATION, "4");
	t = convert(&p, picture(4, 2), want);
	tap_ok(((u8 *)t.bytes)[2] == 50 && ((u8 *)t.bytes)[9] == 8, "u8 without: rounded");
	tensor_data_free(&t);
}

/* Red of row 0 of what a picture becomes at 4 x 4, and green; whether they are as they should. */
static void fits(const char *how, u32 width, u32 height, float first, float last, float green,
		 float below)
{
	const struct image_tensor want = { DTYPE_F32, { 3, { 4, 4, 3 } }, 0, 0 };
	struct preprocess p;
	struct tensor_data t;
	float *f;

	preprocess_init(&p);
	preprocess_take(&p, OPTION_FIT, how);
	t = convert(&p, picture(width, height), want);
	f = t.bytes;
	if (!tap_ok(f[0] == first && f[9] == last && f[1] == green && f[37] == below,
		    "fit: %s %u x %u", how, width, height))
		printf("# %g %g %g %g\n", f[0], f[9], f[1], f[37]);
	tensor_data_free(&t);
}

static void test_fits(void)
{
	const struct image_tensor large = { DTYPE_F32, { 3, { 2, 8, 3 } }, 0, 0 };
	struct preprocess p;
	struct tensor_data t;
	float *f;

	/* Pixels 4 wide and 2 high: triangles cut at the border, 66.25 / 3.5 and 12.5 / 1.75. */
	fits("stretch", 16, 8, 19, 131, 7, 63);
	/* The middle 8 columns: pixels of 2 x 2, centres 5, 7, 9, 11 and row 1. */
	fits("cover", 16, 8, 45, 105, 7, 63);
	/* The middle 7 columns of that, and rows 0.5 to 7.5: centres 5.375, 10.625, row 1.375. */
	fits("crop", 16, 8, 49, 101, 9, 61);
	/* Two rows of four pixels in the middle; the first row is black. */
	fits("pad", 16, 8, 0, 0, 0, 0);
	/* Fewer columns and more rows, the reverse, and more of both. */
	fits("stretch", 16, 2, 19, 131, 0, 10);
	fits("stretch", 2, 8, 0, 10, 7, 63);
	fits("stretch", 2, 2, 0, 10, 0, 10);
	fits("stretch", 4, 1, 0, 30, 0, 0);
	preprocess_init(&p);
	preprocess_take(&p, OPTION_LAYOUT, "nhwc"); /* it could also be one channel */
	t = convert(&p, picture(2, 1), large);
	f = t.bytes;
	tap_ok(f[0] == 0 && f[21] == 10 && f[9] > 2 && f[9] < 6 && f[9] < f[12] &&
		       f[9] + f[12] == 10,
	       "enlarged, between neighbours");
	tensor_data_free(&t);
}

static void test_back(void)
{
	const struct image_tensor chw = { DTYPE_F32, { 4, { 1, 3, 8, 9 } }, 0, 0 };
	struct image image = picture(9, 8);
	struct image_layout layout;
	struct preprocess p;
	struct tensor_data t;
	u8 *pixels;

	preprocess_init(&p);
	preprocess_take(&p, OPTION_PREPROCESS, "imagenet");
	preprocess_take(&p, OPTION_FIT, "stretch");
	preprocess_take(&p, OPTION_COLOURS, "bgr");
	t = convert(&p, picture(9, 8), chw);
	pixels = preprocess_undo(&p, &chw, t.bytes, &layout);
	tap_ok(pixels && layout.height == 8 && layout.width == 9 && layout.channels == 3 &&
		       !memcmp(pixels, image.rgb, 9 * 8 * 3),
	       "back to the image");
	free(pixels);
	((float *)t.bytes)[0] = NAN;
	((float *)t.bytes)[1] = INFINITY;
	((float *)t.bytes)[2] = -1e30f;
	pixels = preprocess_undo(&p, &chw, t.bytes, &layout);
	tap_ok(pixels && pixels[2] == 0 && pixels[5] == 255 && pixels[8] == 0,
	       "what is no byte becomes the nearest");
	free(pixels);
	tensor_data_free(&t);
	image_free(&image);
}

static void test_no_image(void)
{
	static const struct {
		struct image_tensor t;
		const char *text;
	} bad[] = {
		{ { DTYPE_F32, { 2, { 1, 10 } }, 0, 0 }, "an image cannot be f32[1,10]" },
		{ { DTYPE_F32, { 2, { 0, 4 } }, 0, 0 }, "an image cannot be f32[0,4]" },
		{ { DTYPE_F32, { 3, { 2, 8, 8 } }, 0, 0 }, "an image cannot be f32[2,8,8]" },
		{ { DTYPE_S64, { 2, { 8, 8 } }, 0, 0 }, "an image cannot be s64[8,8]" },
		{ { DTYPE_F32, { 2, { 1 << 15, 1 << 15 } }, 0, 0 },
		  "an image cannot be f32[32768,32768]" },
		{ { DTYPE_F32, { 4, { 2, 3, 8, 8 } }, 0, 0 }, "an image cannot be f32[2,3,8,8]" },
	};
	struct preprocess p;

	preprocess_init(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct compile_error err = { 0 };
		struct tensor_data out = { 0 };
		struct image image = picture(2, 2);

		tap_ok(preprocess_image(&p, &image, &bad[i].t, &out, NULL, &err) == -ENOTSUP &&
			       !strcmp(err.text, bad[i].text) && !out.bytes,
		       "%s", bad[i].text);
		image_free(&image);
	}
}

static void test_options(void)
{
	static const struct {
		enum option_id id;
		const char *argument, *text;
	} bad[] = {
		{ OPTION_PREPROCESS, "vgg",
		  "--preprocess takes imagenet, tf, unit or none, not \"vgg\"" },
		{ OPTION_FIT, "", "--fit takes stretch, cover, crop or pad, not \"\"" },
		{ OPTION_LAYOUT, "hwcn", "--layout takes nchw, nhwc or shape, not \"hwcn\"" },
		{ OPTION_COLOURS, "rbg", "--colours takes rgb or bgr, not \"rbg\"" },
		{ OPTION_MEAN, "1,2",
		  "--mean takes a number, or three with commas between, not \"1,2\"" },
		{ OPTION_MEAN, "1,2,3,4",
		  "--mean takes a number, or three with commas between, not \"1,2,3,4\"" },
		{ OPTION_MEAN, "inf",
		  "--mean takes a number, or three with commas between, not \"inf\"" },
		{ OPTION_MEAN, "1,",
		  "--mean takes a number, or three with commas between, not \"1,\"" },
		{ OPTION_MEAN, "1,inf",
		  "--mean takes a number, or three with commas between, not \"1,inf\"" },
		{ OPTION_MEAN, "1,2,3x",
		  "--mean takes a number, or three with commas between, not \"1,2,3x\"" },
		{ OPTION_DEVIATION, "1,-5",
		  "--deviation takes a number above 0, or three with commas between, not "
		  "\"1,-5\"" },
		{ OPTION_DEVIATION, "1,0,1",
		  "--deviation takes a number above 0, or three with commas between, not "
		  "\"1,0,1\"" },
		{ OPTION_DEVIATION, "x",
		  "--deviation takes a number above 0, or three with commas between, not \"x\"" },
		{ OPTION_DEVIATION, "1,2,",
		  "--deviation takes a number above 0, or three with commas between, not "
		  "\"1,2,\"" },
	};
	struct preprocess p;

	preprocess_init(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!tap_ok(preprocess_take(&p, bad[i].id, bad[i].argument) == STATUS_USAGE &&
				    !strcmp(said, bad[i].text),
			    "%s", bad[i].text))
			printf("# %s\n", said);
	tap_ok(!preprocess_take(&p, OPTION_MEAN, "7") && p.mean[0] == 7 && p.mean[2] == 7,
	       "one number is for all");
	tap_ok(!preprocess_take(&p, OPTION_LAYOUT, "nhwc") && p.order == IMAGE_HWC, "a layout");
}

int main(void)
{
	test_values();
	test_quantised();
	test_fits();
	test_back();
	test_no_image();
	test_options();
	return tap_done();
}
