// SPDX-License-Identifier: MIT
/*
 * Models: the .rnd file, parsed strictly by core/file.c. What that accepts is in bounds in every
 * field, so that the accessors below check indices only. The program inside is not judged here
 * beyond its container: the device proves it.
 */
#define _GNU_SOURCE /* O_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/verify.h"
#include "userspace/libaccel/backend.h"

#define DTYPE(name, text, number, type, kind, numpy) \
	static_assert(ACCEL_##name == number, "element type " text);
#include "spec/dtypes.def"
static_assert(ACCEL_INPUT == (int)RONDO_TENSOR_INPUT && ACCEL_OUTPUT == (int)RONDO_TENSOR_OUTPUT,
	      "kinds of tensor");
static_assert(ACCEL_TENSOR_DIMS == (int)RONDO_TENSOR_DIMS, "dimensions");
#define FILE_BYTES_MAX (1ULL << 31)

struct accel_model {
	u8 *bytes; /* of the whole file, RONDO_FILE_ALIGN aligned */
	u64 size;
	struct rondo_file file; /* its parts */
};

static int parse(struct accel_model *m, struct accel_error *error)
{
	struct rondo_file_fault fault;
	const char *where, *text;

	if (!rondo_file_open(&m->file, m->bytes, m->size, &fault))
		return 0;
	where = rondo_file_error_where(fault.error);
	text = rondo_file_error_text(fault.error);
	if (fault.error == RONDO_FILE_PROGRAM)
		accel_error_set(error, "program: %s", rondo_error_text(fault.program));
	else if (where)
		accel_error_set(error, "%s %u: %s", where, fault.index, text);
	else
		accel_error_set(error, "%s", text);
	return -EINVAL;
}

/* A model with room for @size bytes, or NULL. */
static struct accel_model *model_alloc(u64 size)
{
	struct accel_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->size = size;
	/* Whole units of the alignment, and at least a header to look at. */
	m->bytes =
		aligned_alloc(RONDO_FILE_ALIGN, (size / RONDO_FILE_ALIGN + 1) * RONDO_FILE_ALIGN);
	if (!m->bytes) {
		free(m);
		return NULL;
	}
	return m;
}

/* Parses what stands in @m and gives it to the caller, or destroys it. */
static int model_finish(struct accel_model *m, struct accel_model **out, struct accel_error *error)
{
	int ret = parse(m, error);

	if (ret)
		accel_model_destroy(m);
	else
		*out = m;
	return ret;
}

ACCEL_EXPORT int accel_model_parse(const void *data, size_t size, struct accel_model **model,
				   struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	struct accel_model *m;

	accel_error_clear(error);
	if (size > FILE_BYTES_MAX) {
		accel_error_set(error, "larger than 2 GiB");
		return -EFBIG;
	}
	m = model_alloc(size);
	if (!m)
		return accel_fail(error, -ENOMEM);
	if (size)
		memcpy(m->bytes, data, size);
	return model_finish(m, model, error);
}

static int read_all(int fd, u8 *bytes, u64 size)
{
	u64 done = 0;

	while (done < size) {
		ssize_t n = read(fd, bytes + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO; /* it shrank */
		done += n;
	}
	return 0;
}

static int read_model(int fd, struct accel_model **out)
{
	struct accel_model *m;
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if ((u64)st.st_size > FILE_BYTES_MAX)
		return -EFBIG;
	m = model_alloc(st.st_size);
	if (!m)
		return -ENOMEM;
	ret = read_all(fd, m->bytes, m->size);
	if (ret)
		accel_model_destroy(m);
	else
		*out = m;
	return ret;
}

ACCEL_EXPORT int accel_model_load(const char *path, struct accel_model **model,
				  struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	struct accel_model *m = NULL;
	int fd, ret;

	accel_error_clear(error);
	/* Not to wait for a writer, if it is a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ret = fd < 0 ? -errno : read_model(fd, &m);
	if (fd >= 0)
		close(fd);
	if (ret) {
		accel_error_set(error, "%s",
				ret == -EINVAL ? "not a regular file" : strerror(-ret));
		return ret;
	}
	return model_finish(m, model, error);
}

ACCEL_EXPORT void accel_model_destroy(struct accel_model *model)
{
	ACCEL_KEEP_ERRNO;
	if (!model)
		return;
	free(model->bytes);
	free(model);
}

ACCEL_EXPORT const void *accel_model_program(const struct accel_model *model, size_t *size)
{
	*size = model->file.program_bytes.size;
	return model->file.program_bytes.bytes;
}

ACCEL_EXPORT uint32_t accel_model_slot_count(const struct accel_model *model)
{
	return model->file.program.header->slots;
}

ACCEL_EXPORT uint32_t accel_model_tensor_count(const struct accel_model *model,
					       enum accel_kind kind)
{
	u32 i, count = 0;

	for (i = 0; i < model->file.tensor_count; i++)
		count += model->file.tensors[i].kind == kind;
	return count;
}

ACCEL_EXPORT uint32_t accel_model_region_count(const struct accel_model *model)
{
	return model->file.region_count;
}

ACCEL_EXPORT int accel_model_slot(const struct accel_model *model, uint32_t index,
				  struct accel_slot_info *slot)
{
	const struct rondo_file *f = &model->file;
	const struct rondo_slot *s;

	if (index >= f->program.header->slots)
		return -ENOENT;
	s = &f->program.slots[index];
	*slot = (struct accel_slot_info){
		.size = f->slot_size[index],
		.align = s->align,
		.dynamic = s->flags & RONDO_SLOT_DYNAMIC,
		.alias = s->alias,
		.data = f->data[index].bytes,
		.data_size = f->data[index].size,
	};
	return 0;
}

ACCEL_EXPORT int accel_model_tensor(const struct accel_model *model, enum accel_kind kind,
				    uint32_t index, struct accel_tensor *tensor)
{
	const struct rondo_tensor *t = model->file.tensors;
	const struct rondo_tensor *end = t + model->file.tensor_count;

	for (; t < end; t++)
		if (t->kind == kind && !index--)
			break;
	if (t == end)
		return -ENOENT;
	*tensor = (struct accel_tensor){
		.name = model->file.strings + t->name,
		.kind = t->kind,
		.dtype = t->dtype,
		.slot = t->slot,
		.rank = t->rank,
		.offset = t->offset,
		.bytes = rondo_tensor_bytes(t),
		.scale = t->scale,
		.zero_point = t->zero_point,
	};
	memcpy(tensor->dim, t->dim, sizeof(tensor->dim));
	return 0;
}

ACCEL_EXPORT int accel_model_region(const struct accel_model *model, uint32_t index,
				    struct accel_region *region)
{
	const struct rondo_region *r;

	if (index >= model->file.region_count)
		return -ENOENT;
	r = &model->file.regions[index];
	*region = (struct accel_region){ model->file.strings + r->name, r->first, r->count };
	return 0;
}

ACCEL_EXPORT int accel_model_find(const struct accel_model *model, enum accel_kind kind,
				  const char *name, uint32_t *index, struct accel_tensor *tensor)
{
	struct accel_tensor found;
	u32 i;

	for (i = 0; !accel_model_tensor(model, kind, i, &found); i++) {
		if (strcmp(found.name, name))
			continue;
		if (index)
			*index = i;
		*tensor = found;
		return 0;
	}
	return -ENOENT;
}
