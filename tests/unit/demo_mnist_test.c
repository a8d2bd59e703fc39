// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The digits' files: each way to be wrong is named, with the file. */
#include "demo/mnist.h"
#include "tests/tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGES_HEADER "\0\0\x08\x03\0\0\x27\x10\0\0\0\x1c\0\0\0\x1c"
#define LABELS_HEADER "\0\0\x08\x01\0\0\x27\x10"

static char directory[] = "/tmp/demo_mnist_test_XXXXXX";
static char images[256], labels[256], scratch[128];

/* A file of @size bytes of @header, then @data bytes of @value; plain files pass as gzip. */
static void put(const char *path, const char *header, size_t size, size_t data, int value)
{
	FILE *file = fopen(path, "wb");

	fwrite(header, 1, size, file);
	for (size_t i = 0; i < data; i++)
		fputc(value, file);
	fclose(file);
}

static void refused(int code, const char *path, const char *why)
{
	struct compile_error err = { 0 };
	struct mnist *set = mnist_load(&err);

	if (!tap_ok(!set && err.code == code && strstr(err.text, path) && strstr(err.text, why),
		    "refused: %s", why))
		printf("# %d %s\n", err.code, err.text);
	free(set);
}

static void make_directory(void)
{
	if (!mkdtemp(directory))
		abort();
	snprintf(scratch, sizeof(scratch), "%s/data", directory);
	mkdir(scratch, 0700);
	snprintf(scratch, sizeof(scratch), "%s/data/mnist", directory);
	mkdir(scratch, 0700);
	snprintf(images, sizeof(images), "%s/t10k-images-idx3-ubyte.gz", scratch);
	snprintf(labels, sizeof(labels), "%s/t10k-labels-idx1-ubyte.gz", scratch);
	setenv("RONDO_MODELS", directory, 1);
}

static void remove_directory(void)
{
	unlink(images);
	unlink(labels);
	rmdir(scratch);
	*strrchr(scratch, '/') = '\0';
	rmdir(scratch);
	rmdir(directory);
}

int main(void)
{
	const size_t pixels = (size_t)MNIST_COUNT * DIGITS_PIXELS;
	struct compile_error err = { 0 };
	float image[DIGITS_PIXELS];
	struct mnist *set;

	make_directory();
	refused(-ENOENT, images, "cannot be opened");
	put(images, IMAGES_HEADER, 7, 0, 0);
	refused(-EINVAL, images, "too short");
	put(images, LABELS_HEADER LABELS_HEADER, 16, 0, 0);
	refused(-EINVAL, images, "header word 0");
	put(images, IMAGES_HEADER, 16, pixels - 1, 51);
	refused(-EINVAL, images, "shorter than");
	put(images, IMAGES_HEADER, 16, pixels, 51);
	refused(-ENOENT, labels, "cannot be opened");
	put(labels, LABELS_HEADER, 8, MNIST_COUNT, 10);
	refused(-EINVAL, labels, "label 0 is 10");
	put(labels, LABELS_HEADER, 8, MNIST_COUNT, 9);
	set = mnist_load(&err);
	if (tap_ok(set, "a good pair loads")) {
		mnist_image(set, MNIST_COUNT - 1, image);
		tap_ok(image[DIGITS_PIXELS - 1] == 0.2f && set->label[MNIST_COUNT - 1] == 9,
		       "its last image and label are there, 0..255 as 0..1");
	}
	free(set);
	remove_directory();
	return tap_done();
}
