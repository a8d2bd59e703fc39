// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Files are told by their content, and one of a foreign format is called by its name. */
#include "tests/tap.h"
#include "tools/file_kind.h"

/* @length: of the name of its first file, two bytes; @rest: that, and what comes after it. */
#define ZIP_OF(length, rest) \
	"PK\3\4"             \
	"\24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" length "\0\0" rest
#define ZIP(name) ZIP_OF("\xff\0", name)
#define A_36 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A_252 A_36 A_36 A_36 A_36 A_36 A_36 A_36

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t size;
	enum file_kind kind;
	const char *name;
} files[] = {
	{ BYTES(""), FILE_EMPTY, "empty" },
	{ BYTES("RNDF\1\0"), FILE_RND, "a .rnd file" },
	{ BYTES("RNDP\1\0"), FILE_PROGRAM, "a program" },
	{ BYTES("\x93NUMPY\1\0"), FILE_NPY, "a NumPy array (.npy)" },
	{ BYTES("\x08\x07\x12\x04test"), FILE_ONNX, "an ONNX model" },
	{ BYTES("\x08\x08\x3a\x02\x12\x00\x42\x02\x10\x0d"), FILE_ONNX, "an ONNX model" },
	{ BYTES("\x08\x08\x3a\x7f\x0a\x01"), FILE_ONNX, "an ONNX model" }, /* cut */
	{ BYTES("\x08\x08\xd2\x01\x01x\x3a\x02\x12\x00"), FILE_ONNX, "an ONNX model" },
	{ BYTES("\x3a\x02\1\2"), FILE_ONNX, "an ONNX model" },
	{ BYTES("\x08"), FILE_ONNX, "an ONNX model" },
	{ BYTES("\x08\x02\x10\x01"), FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x10\x01\x4a\x04\0\0\0\0"), FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x08\x02\x10\x01\x42\x01x\x4a\x7f\0"), FILE_PB, "an ONNX tensor (.pb)" }, /* cut */
	{ BYTES("\x0a\x02\1\2"), FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x08\x01\x4a\x01\0"), FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x08\x01\x10\x01\x25\0\0\0\0"), FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x08\x01\x10\x0b\x51\0\0\0\0\0\0\0\0"), FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x08\x01\x10\x01\x21\0\0\0\0\0\0\0\0"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\x08\x01\x10\x01\x12\x00"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\x0d\1\2\3\4"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("machine edge\n\thalt\n"), FILE_TEXT, "a text file" },
	{ BYTES("\xc3\xa4\r\n\f\v"), FILE_TEXT, "a text file" },
	{ BYTES("text\0"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("text\x7f"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("text\x1b[0m"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\0\0\0\0"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\0\0\0\0"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\x1c\0\0\0TFL3\0"), FILE_TFLITE, "a TensorFlow Lite model (.tflite)" },
	{ BYTES("\x89HDF\r\n\x1a\n"), FILE_FOREIGN, "an HDF5 file (Keras .h5)" },
	{ BYTES("GGUF\3\0\0\0"), FILE_FOREIGN, "a GGUF model" },
	{ BYTES("\x89PNG\r\n\x1a\n"), FILE_PNG, "a PNG image" },
	{ BYTES("\xff\xd8\xff\xe0"), FILE_JPEG, "a JPEG image" },
	{ BYTES("GIF89a\1\0"), FILE_FOREIGN, "a GIF image" },
	{ BYTES("RIFF\1\0\0\0WEBP"), FILE_FOREIGN, "a WebP image" },
	{ BYTES("%PDF-1.7\n\1"), FILE_FOREIGN, "a PDF document" },
	{ BYTES("\x1f\x8b\x08"), FILE_FOREIGN, "a gzip archive" },
	{ BYTES("\x7f"
		"ELF\2"),
	  FILE_FOREIGN, "an ELF file" },
	{ BYTES("\x80\2}q"), FILE_FOREIGN, "a Python pickle (an old PyTorch file is one)" },
	{ BYTES("\x80\5"), FILE_FOREIGN, "a Python pickle (an old PyTorch file is one)" },
	{ BYTES("\x80\1}q"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\x80\6}q"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\x80"), FILE_TEXT, "a text file" },
	{ BYTES("\x10\0\0\0\0\0\0\0{\"a\""), FILE_FOREIGN, "a safetensors file" },
	{ BYTES("\xff\xff\x3f\6\0\0\0\0{\""), FILE_FOREIGN, "a safetensors file" },
	{ BYTES("\0\0\x40\6\0\0\0\0{\""), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\1\0\0\0\0\0\0\1{\""), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES("\1\0\0\0\0\0\0\0{"), FILE_UNKNOWN, "in an unknown format" },
	{ BYTES(ZIP("x.npy")), FILE_FOREIGN,
	  "an archive of NumPy arrays (.npz): give one of its .npy files" },
	{ BYTES(ZIP("archive/data.pkl")), FILE_FOREIGN, "a PyTorch file (.pt, .pth)" },
	{ BYTES(ZIP("metadata.json")), FILE_FOREIGN, "a Keras model (.keras)" },
	{ BYTES(ZIP("photo.png")), FILE_FOREIGN,
	  "a zip archive (.npz and PyTorch files are such)" },
	{ BYTES(ZIP_OF("\1\0", "x.npy")), FILE_FOREIGN,
	  "a zip archive (.npz and PyTorch files are such)" },
	{ BYTES(ZIP_OF("\1\1", A_252 "x.npy")), FILE_FOREIGN,
	  "an archive of NumPy arrays (.npz): give one of its .npy files" },
	{ BYTES(ZIP_OF("\1\1", A_252 "aaaaax.npy")), FILE_FOREIGN,
	  "a zip archive (.npz and PyTorch files are such)" },
	{ BYTES("PK\5\6"), FILE_FOREIGN, "a zip archive (.npz and PyTorch files are such)" },
	{ BYTES("PK\3\4\24"), FILE_FOREIGN, "a zip archive (.npz and PyTorch files are such)" },
	{ BYTES("version https://git-lfs.github.com/spec/v1\noid"), FILE_FOREIGN,
	  "a Git LFS pointer, not the file itself" },
	{ BYTES("<!DOCTYPE html>\n<html>"), FILE_FOREIGN, "an HTML page" },
};

/* What makes a format: less of it is none, and so is it with any byte changed. */
static const struct {
	const char *bytes;
	size_t size, first; /* byte that counts */
} magics[] = {
	{ BYTES("RNDF"), 0 },
	{ BYTES("RNDP"), 0 },
	{ BYTES("\x93NUMPY"), 0 },
	{ BYTES("\x1c\0\0\0TFL3"), 4 },
	{ BYTES("\x89HDF\r\n\x1a\n"), 0 },
	{ BYTES("GGUF"), 0 },
	{ BYTES("\x89PNG\r\n\x1a\n"), 0 },
	{ BYTES("\xff\xd8\xff"), 0 },
	{ BYTES("GIF8"), 0 },
	{ BYTES("RIFF\1\0\0\0WEBP"), 8 },
	{ BYTES("version https://git-lfs"), 0 },
	{ BYTES("<!DOCTYPE html"), 0 },
	{ BYTES("%PDF-"), 0 },
	{ BYTES("\x1f\x8b"), 0 },
	{ BYTES("\x7f"
		"ELF"),
	  0 },
	{ BYTES("PK\3\4"), 0 },
	{ BYTES("PK\5\6"), 0 },
};

static void test_magics(void)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const char *name = file_kind_name(magics[i].bytes, magics[i].size);
		size_t size = magics[i].size, at, wrong;
		char bytes[32];

		wrong = !strcmp(file_kind_name(magics[i].bytes, size - 1), name);
		for (at = magics[i].first; at < size; at++) {
			memcpy(bytes, magics[i].bytes, size);
			bytes[at] ^= 1;
			wrong += !strcmp(file_kind_name(bytes, size), name);
		}
		tap_eq(wrong, 0, name);
	}
}

int main(void)
{
	char tar[512] = "name";

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		/* Exactly as long, for the address sanitizer. */
		char *bytes = malloc(files[i].size + !files[i].size);
		enum file_kind kind;
		const char *name;

		memcpy(bytes, files[i].bytes, files[i].size);
		kind = file_kind(bytes, files[i].size);
		name = file_kind_name(bytes, files[i].size);
		if (!tap_ok(kind == files[i].kind && !strcmp(name, files[i].name), "%zu: %s", i,
			    files[i].name))
			printf("# %d, %s\n", kind, name);
		free(bytes);
	}
	memcpy(tar + 257, "ustar", 5);
	tap_ok(!strcmp(file_kind_name(tar, sizeof(tar)), "a tar archive"), "a tar archive");
	tap_ok(file_kind(tar, 261) == FILE_UNKNOWN, "not without all of its magic");
	test_magics();
	return tap_done();
}
