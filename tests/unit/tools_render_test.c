// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Images as text: drawn samples against golden files, layouts and ranges against each other. */
#include "tests/tap.h"
#include "tools/render.h"
#include "tools/tensor_io.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

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

/* All levels of grey, and of a colour: the shade, or the colour of xterm's, that is nearest. */
static void test_levels(void)
{
	enum { LEVELS = 256 };
	static uint8_t grey[2][LEVELS], red[3][1][LEVELS];
	struct tensor_data t = { DTYPE_U8, { 2, { 2, LEVELS } }, grey, sizeof(grey) };
	char want[2][LEVELS * 40] = { "" }, *text;
	int last[2] = { -1, -1 }, v;

	for (v = 0; v < LEVELS; v++) {
		int shade = (18 * v + 255) / 510, colour = 16 + 36 * ((10 * v + 255) / 510) + 6 * 5;

		grey[0][v] = grey[1][v] = v;
		red[0][0][v] = v;
		red[1][0][v] = 255;
		sprintf(want[0] + strlen(want[0]), "%c", " .:-=+*#%@"[shade]);
		if (colour != last[1])
			sprintf(want[1] + strlen(want[1]), "\033[38;5;%dm", colour);
		if (!v)
			strcat(want[1], "\033[48;5;16m");
		strcat(want[1], "\u2580");
		last[1] = colour;
	}
	strcat(want[0], "\n");
	strcat(want[1], "\033[0m\n");
	text = render(&t, RENDER_ASCII, LEVELS);
	tap_ok(!strcmp(text, want[0]), "the shades of ASCII");
	free(text);
	t = (struct tensor_data){ DTYPE_U8, { 3, { 3, 1, LEVELS } }, red, sizeof(red) };
	text = render(&t, RENDER_COLOUR, LEVELS);
	tap_ok(!strcmp(text, want[1]), "the colours of a cube");
	free(text);

	want[1][0] = 0;
	for (v = 0; v < LEVELS; v++) {
		int step = (50 * v + 255) / 510;
		int colour = step == 0 ? 16 : step == 25 ? 231 : 231 + step;

		if (colour != last[0])
			sprintf(want[1] + strlen(want[1]), "\033[38;5;%dm\033[48;5;%dm", colour,
				colour);
		strcat(want[1], "\u2580");
		last[0] = colour;
	}
	strcat(want[1], "\033[0m\n");
	t = (struct tensor_data){ DTYPE_U8, { 2, { 2, LEVELS } }, grey, sizeof(grey) };
	text = render(&t, RENDER_COLOUR, LEVELS);
	tap_ok(!strcmp(text, want[1]), "the ramp of greys");
	free(text);
}

/* Two pixels over each other as a block. */
static void test_blocks(void)
{
	static const struct {
		uint8_t top, bottom;
		const char *block;
	} rows[] = {
		{ 128, 0, "\u2580" },	{ 128, 127, "\u2580" }, { 0, 128, "\u2584" },
		{ 127, 128, "\u2584" }, { 128, 128, "\u2588" }, { 127, 127, "\u2592" },
		{ 64, 64, "\u2592" },	{ 63, 64, "\u2591" },	{ 127, 0, "\u2591" },
		{ 0, 127, "\u2591" },	{ 52, 0, "\u2591" },	{ 50, 0, "" },
		{ 0, 50, "" },		{ 0, 0, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t bytes[] = { rows[i].top, rows[i].bottom };
		char want[8];

		snprintf(want, sizeof(want), "%s\n", rows[i].block);
		test_text("a block", DTYPE_U8, (struct shape){ 2, { 2, 1 } }, bytes, RENDER_BLOCKS,
			  want);
	}
}

/* Squares of pixels are one, by their mean; those at the edges have fewer. */
static void test_squares(void)
{
	static const uint8_t bytes[5][5] = {
		{ 255, 255, 0, 0, 255 }, { 255, 255, 0, 0, 0 },	  { 0, 0, 255, 0, 0 },
		{ 0, 0, 0, 0, 0 },	 { 255, 0, 0, 255, 255 },
	};

	test_text("5 x 5 on 4 columns", DTYPE_U8, (struct shape){ 2, { 5, 5 } }, bytes,
		  RENDER_BLOCKS, "\u2580\u2591\u2580\n\u2580\u2580\u2580\n");
	test_text("leading ones and one channel", DTYPE_U8, (struct shape){ 5, { 1, 1, 1, 2, 4 } },
		  bytes, RENDER_BLOCKS, "\u2588\u2588\u2584\n");
	test_text("a channel at the end", DTYPE_U8, (struct shape){ 3, { 2, 4, 1 } }, bytes,
		  RENDER_BLOCKS, "\u2588\u2588\u2584\n");
}

/* Where the picture goes, and what is spoken there. */
static void test_environment(void)
{
	static const struct {
		const char *all, *type, *lang, *term, *no_colour;
		enum render_style style[2]; /* at a terminal, in a file */
	} rows[] = {
		{ "", "", "", "xterm", NULL, { RENDER_ASCII, RENDER_ASCII } },
		{ "", "", "de_DE.UTF-8", "xterm", NULL, { RENDER_COLOUR, RENDER_BLOCKS } },
		{ "", "C.utf8", "C", "xterm", NULL, { RENDER_COLOUR, RENDER_BLOCKS } },
		{ "C", "C.utf8", "C.utf8", "xterm", NULL, { RENDER_ASCII, RENDER_ASCII } },
		{ "C.utf8", "C", "C", "xterm", NULL, { RENDER_COLOUR, RENDER_BLOCKS } },
		{ "C.utf8", "C", "C", "dumb", NULL, { RENDER_BLOCKS, RENDER_BLOCKS } },
		{ "C.utf8", "C", "C", NULL, NULL, { RENDER_BLOCKS, RENDER_BLOCKS } },
		{ "C.utf8", "C", "C", "xterm", "", { RENDER_COLOUR, RENDER_BLOCKS } },
		{ "C.utf8", "C", "C", "xterm", "1", { RENDER_BLOCKS, RENDER_BLOCKS } },
	};
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	FILE *file = tmpfile();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("LC_ALL", rows[i].all, 1);
		setenv("LC_CTYPE", rows[i].type, 1);
		setenv("LANG", rows[i].lang, 1);
		unsetenv("TERM");
		unsetenv("NO_COLOR");
		if (rows[i].term)
			setenv("TERM", rows[i].term, 1);
		if (rows[i].no_colour)
			setenv("NO_COLOR", rows[i].no_colour, 1);
		tap_eq(render_style_for(terminal), rows[i].style[0], "a style at a terminal");
		tap_eq(render_style_for(fileno(file)), rows[i].style[1], "and in a file");
	}
	fclose(file);
	close(terminal);
}

/* A picture that cannot be written is an error. */
static void test_full(void)
{
	static const uint8_t bytes[4];
	struct tensor_data t = { DTYPE_U8, { 2, { 2, 2 } }, (void *)bytes, sizeof(bytes) };
	FILE *full = fopen("/dev/full", "w");

	setvbuf(full, NULL, _IONBF, 0);
	err.code = 0;
	tap_ok(render_tensor(&t, RENDER_ASCII, COLUMNS, full, &err) == -EIO &&
		       !strcmp(err.text, "the picture could not be written"),
	       "a full disk");
	fclose(full);
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
	test_levels();
	test_blocks();
	test_squares();
	test_styles();
	test_environment();
	test_full();
	return tap_done();
}
