/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * mkimage IN OUT.fw OUT.c: completes the header of a flat firmware image with its
 * size and CRC, and writes it as a file for the driver and as C for firmware/blob.h.
 * Runs on the build host.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "spec/fw_abi.h"

_Noreturn __attribute__((format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "mkimage: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(EXIT_FAILURE);
}

/* CRC-32 of IEEE 802.3: reflected, polynomial 0x04c11db7, inverted at both ends. */
static u32 crc32(const u8 *p, size_t n)
{
	u32 crc = ~0u;

	for (; n; n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void write_c(FILE *f, const u8 *image, size_t size)
{
	fprintf(f, "#include \"firmware/blob.h\"\n\nconst u8 rondo_fw_image[] = {");
	for (size_t i = 0; i < size; i++)
		fprintf(f, "%s%u,", i % 16 ? "" : "\n", image[i]);
	fprintf(f, "\n};\nconst u32 rondo_fw_image_size = sizeof(rondo_fw_image);\n");
}

static FILE *open_or_die(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (!f)
		die("cannot open %s", path);
	return f;
}

static void close_or_die(FILE *f, const char *path)
{
	if (ferror(f) | fclose(f))
		die("cannot write %s", path);
}

int main(int argc, char **argv)
{
	static union {
		struct rondo_fw_image header;
		u8 bytes[RONDO_TCM_BYTES + 1];
	} image;
	size_t size;
	FILE *f;

	if (argc != 4)
		die("usage: mkimage IN OUT.fw OUT.c");
	f = open_or_die(argv[1], "rb");
	size = fread(image.bytes, 1, sizeof(image.bytes), f);
	if (ferror(f))
		die("cannot read %s", argv[1]);
	fclose(f);
	if (size < sizeof(image.header) || size > RONDO_TCM_BYTES ||
	    image.header.magic != RONDO_FW_IMAGE_MAGIC)
		die("%s is not a flat firmware image", argv[1]);

	image.header.size = size;
	image.header.crc = 0;
	image.header.crc = crc32(image.bytes, size);

	f = open_or_die(argv[2], "wb");
	fwrite(image.bytes, 1, size, f);
	close_or_die(f, argv[2]);
	f = open_or_die(argv[3], "w");
	write_c(f, image.bytes, size);
	close_or_die(f, argv[3]);
	return EXIT_SUCCESS;
}
