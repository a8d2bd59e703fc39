// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Files are told by their content, and one of a foreign format is called by its name. */
#include "tests/tap.h"
#include "tools/file_kind.h"

#define ZIP(name)                                       \
	"PK\3\4"                                        \
	"\24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\xff\0\0\0" name

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t size;
	enum file_kind expect, kind;
	const char *name;
} files[] = {
	{ BYTES(""), FILE_ONNX, FILE_EMPTY, "empty" },
	{ BYTES("RNDF\1\0"), FILE_ONNX, FILE_RND, "a .rnd file" },
	{ BYTES("RNDP\1\0"), FILE_ONNX, FILE_PROGRAM, "a program" },
	{ BYTES("\x93NUMPY\1\0"), FILE_PB, FILE_NPY, "a NumPy array (.npy)" },
	{ BYTES("\x93NUMPY\1\0"), FILE_ONNX, FILE_NPY, "a NumPy array (.npy)" },
	{ BYTES("\x08\x07\x12\x04test"), FILE_ONNX, FILE_ONNX, "an ONNX model" },
	{ BYTES("\x08\x02\x10\x01"), FILE_PB, FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x0a\x02\1\2"), FILE_PB, FILE_PB, "an ONNX tensor (.pb)" },
	{ BYTES("\x0a\x02\1\2"), FILE_ONNX, FILE_UNKNOWN, "of no format that is known" },
	{ BYTES("\x3a\x02\1\2"), FILE_ONNX, FILE_ONNX, "an ONNX model" },
	{ BYTES("machine edge\n\thalt\n"), FILE_ONNX, FILE_TEXT, "a text" },
	{ BYTES("\xc3\xa4\r\n\f\v"), FILE_PB, FILE_TEXT, "a text" },
	{ BYTES("text\0"), FILE_PB, FILE_UNKNOWN, "of no format that is known" },
	{ BYTES("text\x7f"), FILE_PB, FILE_UNKNOWN, "of no format that is known" },
	{ BYTES("text\x1b[0m"), FILE_PB, FILE_UNKNOWN, "of no format that is known" },
	{ BYTES("\0\0\0\0"), FILE_ONNX, FILE_UNKNOWN, "of no format that is known" },
	{ BYTES("\0\0\0\0"), FILE_PB, FILE_UNKNOWN, "of no format that is known" },
	{ BYTES("\x1c\0\0\0TFL3\0"), FILE_ONNX, FILE_FOREIGN, "a TensorFlow Lite model (.tflite)" },
	{ BYTES("\x89HDF\r\n\x1a\n"), FILE_ONNX, FILE_FOREIGN, "an HDF5 file (Keras .h5)" },
	{ BYTES("GGUF\3\0\0\0"), FILE_ONNX, FILE_FOREIGN, "a GGUF model" },
	{ BYTES("\x89PNG\r\n\x1a\n"), FILE_PB, FILE_FOREIGN, "a PNG image" },
	{ BYTES("\xff\xd8\xff\xe0"), FILE_PB, FILE_FOREIGN, "a JPEG image" },
	{ BYTES("GIF89a\1\0"), FILE_PB, FILE_FOREIGN, "a GIF image" },
	{ BYTES("RIFF\1\0\0\0WEBP"), FILE_PB, FILE_FOREIGN, "a WebP image" },
	{ BYTES("%PDF-1.7\n\1"), FILE_PB, FILE_FOREIGN, "a PDF document" },
	{ BYTES("\x1f\x8b\x08"), FILE_PB, FILE_FOREIGN, "a gzip archive" },
	{ BYTES("\x7f"
		"ELF\2"),
	  FILE_PB, FILE_FOREIGN, "an ELF file" },
	{ BYTES("\x80\2}q"), FILE_ONNX, FILE_FOREIGN,
	  "a Python pickle (an old PyTorch file is one)" },
	{ BYTES("\x10\0\0\0\0\0\0\0{\"a\""), FILE_PB, FILE_FOREIGN, "a safetensors file" },
	{ BYTES(ZIP("x.npy")), FILE_PB, FILE_FOREIGN,
	  "an archive of NumPy arrays (.npz): give one of its .npy files" },
	{ BYTES(ZIP("archive/data.pkl")), FILE_ONNX, FILE_FOREIGN, "a PyTorch file (.pt, .pth)" },
	{ BYTES(ZIP("metadata.json")), FILE_ONNX, FILE_FOREIGN, "a Keras model (.keras)" },
	{ BYTES(ZIP("photo.png")), FILE_ONNX, FILE_FOREIGN,
	  "a zip archive (.npz and PyTorch files are such)" },
	{ BYTES("PK\3\4\24"), FILE_ONNX, FILE_FOREIGN,
	  "a zip archive (.npz and PyTorch files are such)" },
	{ BYTES("version https://git-lfs.github.com/spec/v1\noid"), FILE_ONNX, FILE_FOREIGN,
	  "a Git LFS pointer, not the file itself" },
	{ BYTES("<!DOCTYPE html>\n<html>"), FILE_ONNX, FILE_FOREIGN, "an HTML page" },
};

int main(void)
{
	char tar[512] = "name";

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		/* Exactly as long, for the address sanitizer. */
		char *bytes = malloc(files[i].size + !files[i].size);
		enum file_kind kind;
		const char *name;

		memcpy(bytes, files[i].bytes, files[i].size);
		kind = file_kind(bytes, files[i].size, files[i].expect);
		name = file_kind_name(bytes, files[i].size, files[i].expect);
		if (!tap_ok(kind == files[i].kind && !strcmp(name, files[i].name), "%zu: %s", i,
			    files[i].name))
			printf("# %d, %s\n", kind, name);
		free(bytes);
	}
	memcpy(tar + 257, "ustar", 5);
	tap_ok(!strcmp(file_kind_name(tar, sizeof(tar), FILE_PB), "a tar archive"),
	       "a tar archive");
	tap_ok(file_kind(tar, 261, FILE_PB) == FILE_UNKNOWN, "not without all of its magic");
	return tap_done();
}
