// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Images as text: drawn samples against golden files, layouts and ranges against each other. */
#include "tests/tap.h"
#include "tools/render.h"
#include "tools/tensor_io.h"

#include <errno.h>
#include <math.h>

enum { COLUMNS = 80 };

static struct compile_error err;

/* What render_tensor() prints, for free(). */
static char *render(const struct tensor_data *t, enum render_style style, int columns)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	err.code = 0;
	if (render_tensor(t, style, columns, out, &err))
		printf("# %s\n", err.text);
	fclose(out);
	return text;
}

static void test_golden(int digit, enum render_style style)
{
	char path[128], golden[8192];
	struct tensor_data t = { 0 };
	size_t size = 0;
	char *text;
	FILE *file;

	snprintf(path, sizeof(path), "demo/samples/digit_%d.npy", digit);
	err.code = 0;
	if (!tap_ok(!tensor_load(path, &t, &err), "%s loads", path))
		return;
	snprintf(path, sizeof(path), "tests/golden/render/digit_%d.%s.txt", digit,
		 render_style_name(style));
	file = fopen(path, "r");
	if (file) {
		size = fread(golden, 1, sizeof(golden) - 1, file);
		fclose(file);
	}
	golden[size] = '\0';
	text = render(&t, style, COLUMNS);
	if (!tap_ok(!strcmp(text, golden), "it looks like %s", path))
		printf("# expected:\n%s# printed:\n%s", golden, text);
	free(text);
	tensor_data_free(&t);
}

/* @bytes of @dtype and @shape print as @want. */
static void test_text(const char *name, enum dtype dtype, struct shape shape, const void *bytes,
		      enum render_style style, const char *want)
{
	struct tensor_data t = { dtype, shape, (void *)bytes,
				 (size_t)shape_elems(&shape) * dtype_size(dtype) };
	char *text = render(&t, style, 4);

	if (!tap_ok(!strcmp(text, want), "%s", name))
		printf("# expected \"%s\", printed \"%s\"\n", want, text);
	free(text);
}

static void test_ranges(void)
{
	static const float unit[] = { 0, 0.5f, 0.25f, 1, 0, 0.5f, 0.25f, 1 };
	static const float wide[] = { -1, 1, 0, 3, -1, 1, 0, 3 };
	static const float broken[] = { NAN, 1, 0, 3, -INFINITY, 1, 0, 3 };
	static const float flat[] = { 7, 7, 7, 7, 7, 7, 7, 7 };
	static const uint8_t byte[] = { 0, 128, 64, 255, 0, 128, 64, 255 };
	static const int8_t small[] = { -128, 0, -64, 127, -128, 0, -64, 127 };
	static const int64_t large[] = { 0, 2000, 1000, 4000, 0, 2000, 1000, 4000 };
	static const uint8_t flag[] = { 0, 1, 0, 1, 0, 1, 1, 1 };
	static const struct shape s = { 2, { 2, 4 } };

	test_text("0..1 is the scale of f32", DTYPE_F32, s, unit, RENDER_ASCII, " +:@\n");
	test_text("other f32 are stretched", DTYPE_F32, s, wide, RENDER_ASCII, " +:@\n");
	test_text("what is not finite is dark", DTYPE_F32, s, broken, RENDER_ASCII, " - @\n");
	test_text("a flat image is dark", DTYPE_F32, s, flat, RENDER_ASCII, "\n");
	test_text("0..255 is the scale of u8", DTYPE_U8, s, byte, RENDER_ASCII, " +:@\n");
	test_text("s8", DTYPE_S8, s, small, RENDER_ASCII, " +:@\n");
	test_text("s64", DTYPE_S64, s, large, RENDER_ASCII, " +:@\n");
	test_text("bool", DTYPE_BOOL, s, flag, RENDER_BLOCKS, " \u2588\u2584\u2588\n");
}

/* Red, green, blue, grey in one row; under it black, or what an odd height leaves to be black. */
static void test_colour(void)
{
	static const uint8_t hwc[2 * 4 * 3] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128 };
	static const uint8_t chw[] = { 255, 0, 0, 128, 0, 255, 0, 128, 0, 0, 255, 128 };
	static const char want[] = "\033[38;5;196m\033[48;5;16m\u2580\033[38;5;46m\u2580"
				   "\033[38;5;21m\u2580\033[38;5;244m\u2580\033[0m\n";

	test_text("HxWx3", DTYPE_U8, (struct shape){ 3, { 2, 4, 3 } }, hwc, RENDER_COLOUR, want);
	test_text("3xHxW", DTYPE_U8, (struct shape){ 4, { 1, 3, 1, 4 } }, chw, RENDER_COLOUR, want);
}

static void test_shrink(void)
{
	static const uint8_t wide[2][5] = { { 255, 255, 0, 0, 255 }, { 255, 255, 0, 0, 255 } };
	static const struct shape none = { 1, { 10 } }, empty = { 2, { 0, 4 } };
	struct tensor_data t = { DTYPE_U8, none, (void *)wide, sizeof(wide) };

	test_text("5 columns on 4 are halved", DTYPE_U8, (struct shape){ 2, { 2, 5 } }, wide,
		  RENDER_BLOCKS, "\u2580 \u2580\n");
	err.code = 0;
	tap_eq(render_tensor(&t, RENDER_ASCII, COLUMNS, stdout, &err), -ENOTSUP,
	       "a vector is no image");
	tap_ok(strstr(err.text, "[10]"), "and its shape is named");
	t.shape = empty;
	err.code = 0;
	tap_eq(render_tensor(&t, RENDER_ASCII, COLUMNS, stdout, &err), -ENOTSUP,
	       "neither is an empty tensor");
}

static void test_styles(void)
{
	enum render_style style = RENDER_ASCII;
	FILE *file = tmpfile();

	tap_ok(render_style_from_name("colour", &style) && style == RENDER_COLOUR,
	       "a style by name");
	tap_ok(!render_style_from_name("color?", &style), "an unknown one is refused");
	setenv("LC_ALL", "C", 1);
	tap_eq(render_style_for(fileno(file)), RENDER_ASCII, "ASCII where Unicode is not spoken");
	setenv("LC_ALL", "en_GB.UTF-8", 1);
	tap_eq(render_style_for(fileno(file)), RENDER_BLOCKS, "no colour into a file");
	fclose(file);
}

int main(void)
{
	test_golden(3, RENDER_ASCII);
	test_golden(3, RENDER_BLOCKS);
	test_golden(8, RENDER_BLOCKS);
	test_ranges();
	test_colour();
	test_shrink();
	test_styles();
	return tap_done();
}
