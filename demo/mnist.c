// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Reads the MNIST digits; every size in the files is compared with the one we expect. */
#include "demo/mnist.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum {
	IDX_BYTES_1D = 0x801, /* magic: unsigned bytes, one dimension */
	IDX_BYTES_3D = 0x803,
};

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* Reads @path, whose header must be the @words big-endian words of @header, into @data. */
static int idx_read(const char *path, const uint32_t *header, int words, void *data,
		    unsigned int size, struct compile_error *err)
{
	unsigned char raw[16];
	gzFile file = gzopen(path, "rb");
	int ret = -1;

	if (!file) {
		compile_fail(err, -ENOENT, "%s: cannot be opened", path);
		return -1;
	}
	if (gzread(file, raw, 4 * words) != 4 * words) {
		compile_fail(err, -EINVAL, "%s: too short for an IDX header", path);
		goto out;
	}
	for (int i = 0; i < words; i++)
		if (be32(raw + 4 * i) != header[i]) {
			compile_fail(err, -EINVAL, "%s: header word %d is %u, expected %u", path, i,
				     be32(raw + 4 * i), header[i]);
			goto out;
		}
	if (gzread(file, data, size) != (int)size) {
		compile_fail(err, -EINVAL, "%s: shorter than its header says", path);
		goto out;
	}
	ret = 0;
out:
	gzclose(file);
	return ret;
}

static int labels_check(const struct mnist *set, const char *path, struct compile_error *err)
{
	for (int i = 0; i < MNIST_COUNT; i++)
		if (set->label[i] >= DIGITS_CLASSES) {
			compile_fail(err, -EINVAL, "%s: label %d is %d", path, i, set->label[i]);
			return -1;
		}
	return 0;
}

struct mnist *mnist_load(struct compile_error *err)
{
	static const uint32_t images[] = { IDX_BYTES_3D, MNIST_COUNT, DIGITS_SIDE, DIGITS_SIDE };
	static const uint32_t labels[] = { IDX_BYTES_1D, MNIST_COUNT };
	const char *models = getenv("RONDO_MODELS");
	struct mnist *set = malloc(sizeof(*set));
	char path[4096];

	if (!models)
		models = "../shared/models";
	if (!set) {
		compile_fail(err, -ENOMEM, "out of memory");
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/data/mnist/t10k-images-idx3-ubyte.gz", models);
	if (idx_read(path, images, 4, set->image, sizeof(set->image), err))
		goto fail;
	snprintf(path, sizeof(path), "%s/data/mnist/t10k-labels-idx1-ubyte.gz", models);
	if (idx_read(path, labels, 2, set->label, sizeof(set->label), err))
		goto fail;
	if (labels_check(set, path, err))
		goto fail;
	return set;
fail:
	free(set);
	return NULL;
}

void mnist_image(const struct mnist *set, int index, float image[DIGITS_PIXELS])
{
	for (int i = 0; i < DIGITS_PIXELS; i++)
		image[i] = set->image[index][i] / 255.0f;
}

int mnist_right(const struct mnist *set, const struct digits_model *model, int first, int end)
{
	float image[DIGITS_PIXELS], probability[DIGITS_CLASSES];
	int right = 0;

	for (int i = first; i < end; i++) {
		mnist_image(set, i, image);
		digits_forward(model, image, probability);
		right += digits_best(probability) == set->label[i];
	}
	return right;
}
