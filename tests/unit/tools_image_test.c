// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Images: what is written is read again, whatever its form; what is damaged, cut or too large is
 * refused with the reason. Linked with --wrap of malloc, to see what is asked for.
 */
#include "tests/random.h"
#include "tests/tap.h"
#include "tools/image.h"

#include <errno.h>
#include <jpeglib.h>
#include <png.h>
#include <sys/stat.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static size_t largest; /* that was asked for */
static bool refuse_all;

void *__wrap_malloc(size_t size)
{
	largest = size > largest ? size : largest;
	return refuse_all ? NULL : __real_malloc(size);
}

/* The bytes of a file in some format. */
struct file {
	u8 *bytes;
	size_t size;
};

enum { WIDTH = 31, HEIGHT = 17 };

/* A smooth picture, which JPEG keeps well. */
static u8 at(int y, int x, int c)
{
	return (u8)(c == 0 ? 8 * x : c == 1 ? 14 * y : 255 - 4 * x - 6 * y);
}

static struct file png(u32 format)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION, .width = WIDTH, .height = HEIGHT, .format = format
	};
	u8 pixels[HEIGHT * WIDTH * 4], *p = pixels;
	png_alloc_size_t size;
	struct file f;

	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			for (u32 c = 0; c < PNG_IMAGE_SAMPLE_CHANNELS(format); c++)
				*p++ = c == 3 ? 255 : at(y, x, (int)c);
	size = PNG_IMAGE_PNG_SIZE_MAX(image);
	f.bytes = __real_malloc(size);
	png_image_write_to_memory(&image, f.bytes, &size, 0, pixels, 0, NULL);
	f.size = size;
	return f;
}

static void append(png_structp png, png_bytep bytes, size_t size)
{
	struct file *f = png_get_io_ptr(png);

	f->bytes = realloc(f->bytes, f->size + size);
	memcpy(f->bytes + f->size, bytes, size);
	f->size += size;
}

static void no_flush(png_structp png)
{
	(void)png;
}

/* 16 bits, interlaced, with a colour that is transparent: the left column. */
static struct file png_deep(void)
{
	png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(p);
	png_color_16 clear = { .red = 0, .green = 0, .blue = 255 << 8 };
	u8 row[WIDTH * 6];
	struct file f = { 0 };
	int passes;

	png_set_write_fn(p, &f, append, no_flush);
	png_set_IHDR(p, info, WIDTH, HEIGHT, 16, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_tRNS(p, info, NULL, 0, &clear);
	png_write_info(p, info);
	passes = png_set_interlace_handling(p);
	for (int i = 0; i < passes; i++)
		for (int y = 0; y < HEIGHT; y++) {
			for (int x = 0; x < WIDTH; x++)
				for (int c = 0; c < 3; c++) {
					row[x * 6 + c * 2] = at(y, x, c);
					row[x * 6 + c * 2 + 1] = 0;
				}
			png_write_row(p, row);
		}
	png_write_end(p, info);
	png_destroy_write_struct(&p, &info);
	return f;
}

static struct file jpeg(int channels, bool progressive, int colours)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr errors;
	unsigned char *bytes = NULL;
	unsigned long size = 0;
	u8 pixels[WIDTH * 4], *row = pixels;

	c.err = jpeg_std_error(&errors);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &bytes, &size);
	c.image_width = WIDTH;
	c.image_height = HEIGHT;
	c.input_components = channels;
	c.in_color_space = (J_COLOR_SPACE)colours;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, 98, TRUE);
	if (progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH * channels; x++)
			row[x] = at(y, x / channels, x % channels);
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	return (struct file){ bytes, size };
}

/* Whether the image is the picture, give or take @tolerance; grey ones have channel 0 thrice. */
static bool is_picture(const struct image *image, bool grey, int tolerance)
{
	if (image->width != WIDTH || image->height != HEIGHT)
		return false;
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			for (int c = 0; c < 3; c++) {
				int d = image->rgb[(y * WIDTH + x) * 3 + c] -
					at(y, x, grey ? 0 : c);

				if (d > tolerance || d < -tolerance)
					return false;
			}
	return true;
}

static void accept(struct file f, bool grey, int tolerance, const char *name)
{
	struct compile_error err = { 0 };
	struct image image = { 0 };

	if (!tap_ok(!image_parse("f", f.bytes, f.size, &image, &err) &&
			    is_picture(&image, grey, tolerance),
		    "%s", name))
		printf("# %s\n", err.text);
	image_free(&image);
	free(f.bytes);
}

static void refuse(struct file f, int code, const char *why, const char *name)
{
	struct compile_error err = { 0 };
	struct image image = { .rgb = (u8 *)8 };
	int rc = image_parse("f.img", f.bytes, f.size, &image, &err);

	if (!tap_ok(rc == code && err.code == code && image.rgb == (u8 *)8 &&
			    !strncmp(err.text, "f.img: ", 7) && strstr(err.text, why),
		    "refused: %s", name))
		printf("# %d %s\n", rc, err.text);
	free(f.bytes);
}

static void test_forms(void)
{
	struct file f;

	accept(png(PNG_FORMAT_RGB), false, 0, "PNG, RGB");
	accept(png(PNG_FORMAT_GRAY), true, 0, "PNG, grey");
	accept(png(PNG_FORMAT_RGBA), false, 0, "PNG, RGB with transparency that hides nothing");
	accept(jpeg(3, false, JCS_RGB), false, 16, "JPEG, RGB");
	accept(jpeg(1, false, JCS_GRAYSCALE), true, 6, "JPEG, grey");
	accept(jpeg(3, true, JCS_RGB), false, 16, "JPEG, progressive");
	f = png_deep();
	{
		struct compile_error err = { 0 };
		struct image image = { 0 };
		int rc = image_parse("f", f.bytes, f.size, &image, &err);

		tap_ok(!rc && !image.rgb[0] && !image.rgb[1] && !image.rgb[2],
		       "PNG, 16 bits, interlaced: transparent is black");
		for (int c = 0; c < 3 && !rc; c++)
			image.rgb[c] = at(0, 0, c);
		tap_ok(!rc && is_picture(&image, false, 1), "and the rest as it was");
		image_free(&image);
		free(f.bytes);
	}
}

/* Each beginning of the file is refused: half an image is none. */
static void test_cut(struct file f, const char *name)
{
	struct compile_error err;
	struct image image = { 0 };
	size_t n, good = 0;

	for (n = 0; n < f.size - (f.bytes[0] == 0xff ? 2 : 0); n++) {
		u8 *exact = __real_malloc(n + 1);

		err = (struct compile_error){ 0 };
		memcpy(exact, f.bytes, n);
		good += image_parse("f", exact, n, &image, &err) && err.code && err.text[3];
		free(exact);
	}
	tap_ok(good == n, "%s: each of %zu beginnings is refused", name, n);
	free(f.bytes);
}

/* Changed bytes: refused, or an image; never anything else. */
static void test_changed(struct file f, const char *name)
{
	u64 random = 7;
	int refused = 0, read = 0;

	for (int i = 0; i < 2000; i++) {
		struct compile_error err = { 0 };
		struct image image = { 0 };
		u8 *copy = __real_malloc(f.size);

		memcpy(copy, f.bytes, f.size);
		for (u64 n = 1 + random_next(&random) % 4; n; n--)
			copy[random_next(&random) % f.size] = (u8)random_next(&random);
		if (image_parse("f", copy, f.size, &image, &err))
			refused++;
		else
			read += image.width && image.height;
		image_free(&image);
		free(copy);
	}
	tap_ok(refused + read == 2000 && refused > 100, "%s: %d of 2000 changed ones are refused",
	       name, refused);
	free(f.bytes);
}

static void put_be(u8 *to, u32 v, int n)
{
	while (n--) {
		to[n] = (u8)v;
		v >>= 8;
	}
}

/* Lets the JPEG say that it has @side x @side pixels. */
static void claim(struct file *f, u32 side)
{
	size_t i = 0;

	while (f->bytes[i] != 0xff || (f->bytes[i + 1] != 0xc0 && f->bytes[i + 1] != 0xc2))
		i++;
	put_be(f->bytes + i + 5, side, 2);
	put_be(f->bytes + i + 7, side, 2);
}

/* A PNG that says that it has @width x @height pixels. */
static struct file png_of(u32 width, u32 height)
{
	struct file f = png(PNG_FORMAT_RGB);
	u32 crc = ~0u;

	put_be(f.bytes + 16, width, 4);
	put_be(f.bytes + 20, height, 4);
	/* CRC-32 of IHDR, by zlib's polynomial. */
	for (int i = 12; i < 29; i++) {
		crc ^= f.bytes[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	put_be(f.bytes + 29, ~crc, 4);
	return f;
}

/* Sizes that a file claims cost nothing before they are compared. */
static void test_huge(void)
{
	struct file f;

	largest = 0;
	refuse(png_of(100000, 100000), -EFBIG, "100000 x 100000 pixels, the limit is 33554432",
	       "a PNG that claims 10^10 pixels");
	refuse(png_of(1, 1 << 25), -EFBIG, "1 x 33554432 pixels, the limit of a side is 65535",
	       "one that is too high");
	refuse(png_of(65536, 1), -EFBIG, "65536 x 1 pixels, the limit of a side is 65535",
	       "one that is too wide");
	f = jpeg(3, false, JCS_RGB);
	claim(&f, 60000);
	refuse(f, -EFBIG, "60000 x 60000 pixels", "a JPEG that claims 3.6 * 10^9");
	tap_ok(largest < 1 << 20, "neither asks for memory: %zu bytes at most", largest);
	f = jpeg(3, true, JCS_RGB);
	claim(&f, 5600);
	refuse(f, -EFBIG, "(progressive) that takes 90 MiB to decode, the limit is 80;",
	       "a progressive JPEG that needs too much");
}

static u8 inked(int y, int x, int c)
{
	return (u8)((at(y, x, c) * at(y, x, 3) + 127) / 255);
}

/* What is seen at @x of row @y of the picture @of, which EXIF's @turn says how to hold. */
static int turned(u8 (*of)(int y, int x, int c), int turn, int y, int x, int c)
{
	switch (turn) {
	case 2:
		return of(y, WIDTH - 1 - x, c);
	case 3:
		return of(HEIGHT - 1 - y, WIDTH - 1 - x, c);
	case 4:
		return of(HEIGHT - 1 - y, x, c);
	case 5:
		return of(x, y, c);
	case 6:
		return of(HEIGHT - 1 - x, y, c);
	case 7:
		return of(HEIGHT - 1 - x, WIDTH - 1 - y, c);
	case 8:
		return of(x, WIDTH - 1 - y, c);
	default:
		return of(y, x, c);
	}
}

static void accept_turned(struct file f, u8 (*of)(int y, int x, int c), int turn, const char *name)
{
	struct compile_error err = { 0 };
	struct image image = { 0 };
	int height = turn > 4 ? WIDTH : HEIGHT, width = turn > 4 ? HEIGHT : WIDTH, worst = 0;
	bool read = !image_parse("f", f.bytes, f.size, &image, &err);

	read = read && (int)image.width == width && (int)image.height == height;
	for (int i = 0; read && i < width * height * 3; i++) {
		int d = image.rgb[i] - turned(of, turn, i / 3 / width, i / 3 % width, i % 3);

		worst = d > worst ? d : -d > worst ? -d : worst;
	}
	if (!tap_ok(read && worst <= 16, "%s", name))
		printf("# %s, off by %d\n", err.text, worst);
	image_free(&image);
	free(f.bytes);
}

/* @f with the EXIF data @tiff of @size bytes. */
static struct file with_exif(struct file f, const void *tiff, size_t size)
{
	struct file to = { __real_malloc(f.size + size + 10), f.size + size + 10 };
	u8 *at = (u8 *)to.bytes;

	memcpy(at, f.bytes, 2);
	memcpy(at + 2, "\xff\xe1\0\0Exif\0", 10);
	at[5] = (u8)(size + 8);
	memcpy(at + 12, tiff, size);
	memcpy(at + 12 + size, (u8 *)f.bytes + 2, f.size - 2);
	free(f.bytes);
	return to;
}

static void test_exif(void)
{
	u8 big[] = "MM\0*\0\0\0\x08\0\x02\x01\x10\0\x02\0\0\0\x01\0\0\0\0"
		   "\x01\x12\0\x03\0\0\0\x01\0\0\0";
	u8 little[] = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0";
	/* Lists that begin where the data end but for a few bytes. */
	static const u8 ends[][9] = { "II*\0\0\0\0", "MM\0*\0\0\0", "II*\0\4\0\0", "II*\0\6\0\0" };
	char name[40];

	for (int turn = 0; turn <= 9; turn++) {
		big[31] = (u8)turn;
		snprintf(name, sizeof(name), "EXIF, orientation %d", turn);
		accept_turned(with_exif(jpeg(3, false, JCS_RGB), big, sizeof(big)), at, turn % 9,
			      name);
	}
	accept_turned(with_exif(jpeg(3, false, JCS_RGB), little, sizeof(little)), at, 6,
		      "EXIF, low bytes first");
	for (size_t cut = 0; cut < 20; cut++)
		accept_turned(with_exif(jpeg(3, false, JCS_RGB), little, cut), at, 1,
			      "EXIF that is cut");
	for (size_t i = 0; i < 2 * sizeof(ends) / sizeof(ends[0]); i++)
		accept_turned(with_exif(jpeg(3, false, JCS_RGB), ends[i / 2], 8 + i % 2), at, 1,
			      "EXIF that has no room for an entry");
	little[4] = 200;
	accept_turned(with_exif(jpeg(3, false, JCS_RGB), little, sizeof(little)), at, 1,
		      "EXIF whose list is elsewhere");
	accept_turned(jpeg(4, false, JCS_CMYK), inked, 1, "JPEG of four inks");
}

static void test_others(void)
{
	struct file f = { __real_malloc(8), 8 };
	struct compile_error err = { 0 };
	struct image image = { 0 };

	memcpy(f.bytes, "\x93NUMPY\1\0", 8);
	refuse(f, -ENOTSUP, "it is a NumPy array (.npy); PNG and JPEG", "no image");
	f = png(PNG_FORMAT_RGB);
	tap_ok(image_parse("f", f.bytes, (size_t)IMAGE_FILE_MAX + 1, &image, &err) == -EFBIG,
	       "a file larger than the limit");
	refuse_all = true;
	refuse(f, -ENOMEM, "no memory", "no memory");
	refuse_all = false;
}

static void test_write(void)
{
	char directory[] = "/tmp/image_test_XXXXXX", path[64];
	struct compile_error err = { 0 };
	u8 grey[HEIGHT * WIDTH];
	struct image image = { 0 };
	struct file f = { __real_malloc(4096), 0 };
	FILE *file;

	if (!mkdtemp(directory))
		return;
	snprintf(path, sizeof(path), "%s/g.png", directory);
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		grey[i] = at(i / WIDTH, i % WIDTH, 0);
	tap_ok(!image_write_png(path, grey, WIDTH, HEIGHT, 1, &err), "a PNG is written");
	file = fopen(path, "rb");
	f.size = file ? fread(f.bytes, 1, 4096, file) : 0;
	if (file)
		fclose(file);
	tap_ok(!image_parse(path, f.bytes, f.size, &image, &err) && is_picture(&image, true, 0),
	       "and read again");
	image_free(&image);
	free(f.bytes);
	unlink(path);
	rmdir(directory);
	tap_ok(image_write_png(path, grey, WIDTH, HEIGHT, 1, &err) == -ENOENT &&
		       strstr(err.text, path) == err.text,
	       "where there is no directory: %s", err.text);
}

int main(void)
{
	test_forms();
	test_cut(png(PNG_FORMAT_RGB), "PNG");
	test_cut(jpeg(3, false, JCS_RGB), "JPEG");
	test_changed(png(PNG_FORMAT_RGB), "PNG");
	test_changed(jpeg(3, true, JCS_RGB), "JPEG");
	test_huge();
	test_exif();
	test_others();
	test_write();
	return tap_done();
}
