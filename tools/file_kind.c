// SPDX-License-Identifier: GPL-2.0-only OR MIT
#define _GNU_SOURCE /* memmem() */
#include "tools/file_kind.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "compiler/onnx_wire.h"
#include "spec/program.h"

/* Formats with a magic number. */
static const struct magic {
	const char *name;
	const char *bytes;
	unsigned int size, at; /* @size bytes at offset @at */
	enum file_kind kind;
} magics[] = {
	{ "a .rnd file", "RNDF", 4, 0, FILE_RND },
	{ "a program", "RNDP", 4, 0, FILE_PROGRAM },
	{ "a NumPy array (.npy)", "\x93NUMPY", 6, 0, FILE_NPY },
	{ "a TensorFlow Lite model (.tflite)", "TFL3", 4, 4, FILE_TFLITE },
	{ "an HDF5 file (Keras .h5)", "\x89HDF\r\n\x1a\n", 8, 0, FILE_FOREIGN },
	{ "a GGUF model", "GGUF", 4, 0, FILE_FOREIGN },
	{ "a PNG image", "\x89PNG\r\n\x1a\n", 8, 0, FILE_PNG },
	{ "a JPEG image", "\xff\xd8\xff", 3, 0, FILE_JPEG },
	{ "a GIF image", "GIF8", 4, 0, FILE_FOREIGN },
	{ "a WebP image", "WEBP", 4, 8, FILE_FOREIGN },
	{ "a Git LFS pointer, not the file itself", "version https://git-lfs", 23, 0,
	  FILE_FOREIGN },
	{ "an HTML page", "<!DOCTYPE html", 14, 0, FILE_FOREIGN },
	{ "a PDF document", "%PDF-", 5, 0, FILE_FOREIGN },
	{ "a gzip archive", "\x1f\x8b", 2, 0, FILE_FOREIGN },
	{ "an ELF file",
	  "\x7f"
	  "ELF",
	  4, 0, FILE_FOREIGN },
	{ "a tar archive", "ustar", 5, 257, FILE_FOREIGN },
};

/* Archives of zip, by the name of the first file in them. */
static const struct {
	const char *name, *has;
} archives[] = {
	{ "an archive of NumPy arrays (.npz): give one of its .npy files", ".npy" },
	{ "a PyTorch file (.pt, .pth)", "/data.pkl" },
	{ "a PyTorch file (.pt, .pth)", "/.format_version" },
	{ "a PyTorch file (.pt, .pth)", "/version" },
	{ "a Keras model (.keras)", "metadata.json" },
};

enum { ZIP_NAME_SIZE = 26, ZIP_NAME = 30 };

static bool begins(const void *bytes, size_t size, size_t at, const char *with, size_t length)
{
	return size >= at && size - at >= length && !memcmp((const char *)bytes + at, with, length);
}

static const char *archive_name(const unsigned char *bytes, size_t size)
{
	size_t length, i;

	if (size < ZIP_NAME)
		return "a zip archive (.npz and PyTorch files are such)";
	length = bytes[ZIP_NAME_SIZE] | (size_t)bytes[ZIP_NAME_SIZE + 1] << 8;
	if (length > size - ZIP_NAME)
		length = size - ZIP_NAME;
	for (i = 0; i < sizeof(archives) / sizeof(archives[0]); i++)
		if (memmem(bytes + ZIP_NAME, length, archives[i].has, strlen(archives[i].has)))
			return archives[i].name;
	return "a zip archive (.npz and PyTorch files are such)";
}

/* The name of a format that is known by name only, or NULL; for a file of none that is read. */
static const char *foreign_name(const unsigned char *bytes, size_t size)
{
	static const char header[] = "{\"";
	uint64_t length = 0;
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (begins(bytes, size, magics[i].at, magics[i].bytes, magics[i].size))
			return magics[i].name;
	if (begins(bytes, size, 0, "PK\3\4", 4) || begins(bytes, size, 0, "PK\5\6", 4))
		return archive_name(bytes, size);
	if (size >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
		return "a Python pickle (an old PyTorch file is one)";
	for (i = 0; i < 8 && i < size; i++)
		length |= (uint64_t)bytes[i] << 8 * i;
	if (length < 100 << 20 && begins(bytes, size, 8, header, 2))
		return "a safetensors file";
	return NULL;
}

static bool is_text(const unsigned char *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if ((bytes[i] < 0x20 && !strchr("\t\n\v\f\r", bytes[i])) || bytes[i] == 0x7f ||
		    !bytes[i])
			return false;
	return true;
}

enum file_kind file_kind(const void *bytes, size_t size)
{
	size_t i;

	if (!size)
		return FILE_EMPTY;
	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (magics[i].kind != FILE_FOREIGN &&
		    begins(bytes, size, magics[i].at, magics[i].bytes, magics[i].size))
			return magics[i].kind;
	if (foreign_name(bytes, size))
		return FILE_FOREIGN;
	if (is_text(bytes, size))
		return FILE_TEXT;
	switch (onnx_message_kind(bytes, size)) {
	case ONNX_MODEL:
		return FILE_ONNX;
	case ONNX_TENSOR:
		return FILE_PB;
	default:
		return FILE_UNKNOWN;
	}
}

const char *file_kind_name(const void *bytes, size_t size)
{
	enum file_kind kind = file_kind(bytes, size);
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (magics[i].kind == kind && kind != FILE_FOREIGN)
			return magics[i].name;
	switch (kind) {
	case FILE_EMPTY:
		return "empty";
	case FILE_TEXT:
		return "a text file";
	case FILE_ONNX:
		return "an ONNX model";
	case FILE_PB:
		return "an ONNX tensor (.pb)";
	case FILE_FOREIGN:
		return foreign_name(bytes, size);
	default:
		return "in an unknown format";
	}
}
