// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* JPEG, by libjpeg-turbo: see image.h. */
#include "tools/image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h> /* which jpeglib.h needs */
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum { INKS = 4, MIB = 1 << 20 };

/* EXIF: entries of 12 bytes, and how much of one is read. */
enum {
	EXIF_BYTES = 65533,
	EXIF_ENTRY = 12,
	EXIF_READ = 10,
	EXIF_ORIENTATION = 0x112,
	EXIF_SHORT = 3,
};

struct reading {
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf end;
	struct compile_error *err;
	u8 *inks; /* a row of CMYK */
	int turn; /* how EXIF says that the picture lies: 1 to 8 */
};

static struct reading *reading_of(j_common_ptr jpeg)
{
	return (struct reading *)jpeg->err; /* its first member */
}

_Noreturn static void refuse(j_common_ptr jpeg, int code, const char *what)
{
	struct reading *r = reading_of(jpeg);

	compile_fail(r->err, code, "%s", what);
	longjmp(r->end, 1);
}

/* libjpeg's way to end: behind it are only setjmp() and what @jpeg holds. */
static void on_error(j_common_ptr jpeg)
{
	struct reading *r = reading_of(jpeg);
	char text[JMSG_LENGTH_MAX];

	if (r->errors.msg_code == JERR_OUT_OF_MEMORY)
		refuse(jpeg, -ENOMEM, "no memory");
	if (r->errors.msg_code == JERR_NO_BACKING_STORE)
		compile_fail(r->err, -EFBIG, "it takes more than %d MiB to decode",
			     IMAGE_DECODER_MAX / MIB);
	r->errors.format_message(jpeg, text);
	compile_fail(r->err, -EINVAL, "damaged JPEG: %s", text);
	longjmp(r->end, 1);
}

/* What libjpeg would make up for by guessing is an error, too. */
static void on_message(j_common_ptr jpeg, int level)
{
	if (level < 0)
		on_error(jpeg);
}

/* A small file may have many scans, each of which goes through all pixels. */
static void on_progress(j_common_ptr common)
{
	j_decompress_ptr jpeg = (j_decompress_ptr)common;

	if ((u64)jpeg->image_width * jpeg->image_height * (u64)jpeg->input_scan_number >
	    IMAGE_WORK_MAX)
		refuse(common, -EFBIG, "too many scans for its size");
}

/* ---- EXIF ------------------------------------------------------------------------------------ */

/* @n bytes at @at, the high ones first if @big. */
static u32 number(const u8 *at, int n, bool big)
{
	u32 v = 0;

	for (int i = 0; i < n; i++)
		v |= (u32)at[i] << 8 * (big ? n - 1 - i : i);
	return v;
}

/* The orientation in the @size bytes of a TIFF header and what follows it; 1 if there is none. */
static int find_orientation(const u8 *tiff, size_t size)
{
	bool big = size >= 8 && !memcmp(tiff, "MM\0*", 4);
	u32 at, entries;

	if (size < 8 || (!big && memcmp(tiff, "II*\0", 4)))
		return 1;
	at = number(tiff + 4, 4, big);
	if (at > size - 2)
		return 1;
	entries = number(tiff + at, 2, big);
	for (at += 2; entries-- && at + EXIF_READ <= size; at += EXIF_ENTRY) {
		u32 turn = number(tiff + at + 8, 2, big);

		if (number(tiff + at, 2, big) == EXIF_ORIENTATION &&
		    number(tiff + at + 2, 2, big) == EXIF_SHORT)
			return turn >= 1 && turn <= 8 ? (int)turn : 1;
	}
	return 1;
}

static int read_turn(j_decompress_ptr jpeg)
{
	static const char exif[6] = "Exif\0";

	for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next) {
		if (m->data_length > sizeof(exif) && !memcmp(m->data, exif, sizeof(exif)))
			return find_orientation(m->data + sizeof(exif),
						m->data_length - sizeof(exif));
	}
	return 1;
}

/* Turns @image so that what EXIF calls its top is on top. */
static int turn_image(struct image *image, int turn, struct compile_error *err)
{
	bool tall = turn >= 5; /* columns are rows */
	bool right = turn == 2 || turn == 3 || turn == 7 || turn == 8; /* from the right, */
	bool below = turn == 3 || turn == 4 || turn == 6 || turn == 7; /* from below */
	u32 width = tall ? image->height : image->width;
	u32 height = tall ? image->width : image->height;
	struct image turned = { 0 };

	if (turn == 1)
		return 0;
	if (image_alloc(&turned, width, height, err))
		return err->code;
	for (u32 y = 0; y < height; y++) {
		for (u32 x = 0; x < width; x++) {
			u32 column = tall ? y : x, row = tall ? x : y;

			column = right ? image->width - 1 - column : column;
			row = below ? image->height - 1 - row : row;
			memcpy(turned.rgb + ((size_t)y * width + x) * IMAGE_CHANNELS,
			       image->rgb + ((size_t)row * image->width + column) * IMAGE_CHANNELS,
			       IMAGE_CHANNELS);
		}
	}
	image_free(image);
	*image = turned;
	return 0;
}

/* ---- Pixels ---------------------------------------------------------------------------------- */

/* A row of four inks as light; Adobe's files, which most are, hold what is left of it. */
static void mix_inks(j_decompress_ptr jpeg, const u8 *inks, u8 *rgb)
{
	int all = jpeg->saw_Adobe_marker ? 0 : 255;

	for (u32 x = 0; x < jpeg->output_width; x++) {
		for (int c = 0; c < IMAGE_CHANNELS; c++) {
			int colour = abs(all - inks[x * INKS + c]);
			int black = abs(all - inks[x * INKS + 3]);

			rgb[x * IMAGE_CHANNELS + c] = (u8)((colour * black + 127) / 255);
		}
	}
}

/* What comes in several scans is held as coefficients until the last one. */
static void check_scans(j_decompress_ptr jpeg)
{
	struct reading *r = reading_of((j_common_ptr)jpeg);
	u64 blocks = 0, size = DCTSIZE2 * sizeof(JCOEF);

	for (int i = 0; i < jpeg->num_components; i++)
		blocks += (u64)jpeg->comp_info[i].width_in_blocks *
			  jpeg->comp_info[i].height_in_blocks;
	if (!jpeg_has_multiple_scans(jpeg) || blocks * size <= IMAGE_DECODER_MAX)
		return;
	compile_fail(r->err, -EFBIG,
		     "a JPEG of several scans (progressive) that takes %llu MiB to decode, the "
		     "limit is %d; baseline ones take none",
		     (unsigned long long)(blocks * size + MIB - 1) / MIB, IMAGE_DECODER_MAX / MIB);
	longjmp(r->end, 1);
}

static void read_pixels(j_decompress_ptr jpeg, struct image *out)
{
	struct reading *r = reading_of((j_common_ptr)jpeg);

	jpeg_save_markers(jpeg, JPEG_APP0 + 1, EXIF_BYTES);
	jpeg_read_header(jpeg, TRUE);
	r->turn = read_turn(jpeg);
	if (jpeg->num_components != 1 && jpeg->num_components != IMAGE_CHANNELS &&
	    jpeg->num_components != INKS)
		refuse((j_common_ptr)jpeg, -ENOTSUP,
		       "a JPEG of neither one, three nor four colours");
	if (jpeg->jpeg_color_space == JCS_UNKNOWN)
		refuse((j_common_ptr)jpeg, -ENOTSUP, "a JPEG of colours that are not known");
	if (image_alloc(out, jpeg->image_width, jpeg->image_height, r->err))
		longjmp(r->end, 1);
	check_scans(jpeg);
	jpeg->out_color_space = jpeg->num_components == INKS ? JCS_CMYK : JCS_RGB;
	r->inks = malloc((size_t)jpeg->image_width * INKS);
	if (!r->inks)
		refuse((j_common_ptr)jpeg, -ENOMEM, "no memory");
	jpeg_start_decompress(jpeg);
	while (jpeg->output_scanline < jpeg->output_height) {
		u8 *rgb = out->rgb + (size_t)jpeg->output_scanline * out->width * IMAGE_CHANNELS;
		JSAMPROW row = jpeg->num_components == INKS ? r->inks : rgb;

		jpeg_read_scanlines(jpeg, &row, 1);
		if (row == r->inks)
			mix_inks(jpeg, r->inks, rgb);
	}
	jpeg_finish_decompress(jpeg);
}

int image_parse_jpeg(const void *bytes, size_t size, struct image *out, struct compile_error *err)
{
	struct reading r = { .err = err, .progress.progress_monitor = on_progress };
	struct jpeg_decompress_struct jpeg = { .err = jpeg_std_error(&r.errors) };

	r.errors.error_exit = on_error;
	r.errors.emit_message = on_message;
	if (!setjmp(r.end)) {
		jpeg_create_decompress(&jpeg);
		jpeg.progress = &r.progress;
		jpeg.mem->max_memory_to_use = IMAGE_DECODER_MAX;
		jpeg_mem_src(&jpeg, bytes, size);
		read_pixels(&jpeg, out);
	}
	jpeg_destroy_decompress(&jpeg);
	free(r.inks);
	return err->code ? err->code : turn_image(out, r.turn, err);
}
