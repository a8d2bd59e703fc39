// SPDX-License-Identifier: MIT
/*
 * Models: the .rnd file, parsed strictly. Any bytes are legal input; what is accepted is in
 * bounds in every field, so that the accessors below check indices only. The program inside is
 * not judged here beyond its container: the device proves it.
 */
#define _GNU_SOURCE /* O_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/verify.h"
#include <drm/rondo_accel.h>
#include "spec/program.h"
#include "userspace/libaccel/backend.h"

static_assert(ACCEL_F32 == (int)RONDO_F32 && ACCEL_U8 == (int)RONDO_U8 &&
		      ACCEL_S8 == (int)RONDO_S8 && ACCEL_S32 == (int)RONDO_S32,
	      "element types");
static_assert(ACCEL_INPUT == (int)RONDO_TENSOR_INPUT && ACCEL_OUTPUT == (int)RONDO_TENSOR_OUTPUT,
	      "kinds of tensor");
static_assert(ACCEL_TENSOR_DIMS == (int)RONDO_TENSOR_DIMS, "dimensions");

enum {
	SECTION_ALIGN = 64,
	/* One of each kind, and slot data for each slot. */
	SECTIONS_MAX = 4 + RONDO_PROGRAM_SLOTS_MAX,
	TENSORS_MAX = 1024,
};

#define FILE_BYTES_MAX (1ULL << 31)

/* Where a section is; size 0 if there is none. */
struct part {
	u64 offset, size;
};

struct accel_model {
	u8 *bytes; /* of the whole file, 64-byte aligned */
	u64 size;
	struct part program, tensors, regions, strings;
	struct part data[RONDO_PROGRAM_SLOTS_MAX];
	u64 slot_size[RONDO_PROGRAM_SLOTS_MAX]; /* bytes that a buffer needs */
	struct rondo_program tables;
	u32 tensor_count, region_count;
};

static const void *at(const struct accel_model *m, const struct part *part)
{
	return m->bytes + part->offset;
}

static const char *string(const struct accel_model *m, u32 offset)
{
	return (const char *)at(m, &m->strings) + offset;
}

static const struct rondo_tensor *tensors(const struct accel_model *m)
{
	return at(m, &m->tensors);
}

static const struct rondo_region *regions(const struct accel_model *m)
{
	return at(m, &m->regions);
}

static u32 element_bytes(u8 dtype)
{
	switch (dtype) {
	case RONDO_F32:
	case RONDO_S32:
		return 4;
	case RONDO_U8:
	case RONDO_S8:
		return 1;
	default:
		return 0;
	}
}

/* Bytes of a tensor whose dimensions were checked. */
static u64 tensor_bytes(const struct rondo_tensor *t)
{
	u64 bytes = element_bytes(t->dtype);
	u32 i;

	for (i = 0; i < t->rank; i++)
		bytes *= t->dim[i];
	return bytes;
}

#define refuse(error, ...) (accel_error_set(error, __VA_ARGS__), -EINVAL)

/* Where the section of @type goes; NULL if there may be none such. */
static struct part *part_of(struct accel_model *m, const struct rondo_section *s)
{
	if (s->type == RONDO_SECTION_SLOT_DATA)
		return s->index < RONDO_PROGRAM_SLOTS_MAX ? &m->data[s->index] : NULL;
	if (s->index)
		return NULL;
	switch (s->type) {
	case RONDO_SECTION_PROGRAM:
		return &m->program;
	case RONDO_SECTION_TENSORS:
		return &m->tensors;
	case RONDO_SECTION_REGIONS:
		return &m->regions;
	case RONDO_SECTION_STRINGS:
		return &m->strings;
	default:
		return NULL;
	}
}

static bool overlap(const struct rondo_section *a, const struct rondo_section *b)
{
	return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static int parse_sections(struct accel_model *m, struct accel_error *error)
{
	const struct rondo_file_header *h = (const void *)m->bytes;
	const struct rondo_section *section = (const void *)(h + 1);
	u64 table_end;
	u32 i, k;

	if (m->size < sizeof(*h) || h->magic != RONDO_FILE_MAGIC)
		return refuse(error, "not a .rnd file");
	if (h->version != RONDO_FILE_VERSION)
		return refuse(error, "version %u of the format is not known", h->version);
	if (h->size != m->size)
		return refuse(error, "the file has %llu bytes, its header says %llu",
			      (unsigned long long)m->size, (unsigned long long)h->size);
	if (h->sections > SECTIONS_MAX)
		return refuse(error, "%u sections, at most %u", h->sections, SECTIONS_MAX);
	table_end = sizeof(*h) + h->sections * sizeof(*section);
	if (table_end > m->size)
		return refuse(error, "the section table is cut off");

	for (i = 0; i < h->sections; i++) {
		const struct rondo_section *s = &section[i];
		struct part *part = part_of(m, s);

		if (!part)
			return refuse(error, "section %u: unknown type %u, or index %u", i, s->type,
				      s->index);
		if (part->size)
			return refuse(error, "section %u: there are two of its type", i);
		if (!s->size || s->offset % SECTION_ALIGN || s->offset < table_end ||
		    s->offset > m->size || s->size > m->size - s->offset)
			return refuse(error, "section %u: empty, misaligned or outside the file",
				      i);
		for (k = 0; k < i; k++)
			if (overlap(s, &section[k]))
				return refuse(error, "sections %u and %u overlap", k, i);
		*part = (struct part){ s->offset, s->size };
	}
	return 0;
}

static u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

static int parse_program(struct accel_model *m, struct accel_error *error)
{
	u32 i, refused;

	if (!m->program.size)
		return refuse(error, "there is no program");
	refused = rondo_program_open(&m->tables, at(m, &m->program), m->program.size);
	if (refused)
		return refuse(error, "program: %s", rondo_error_text(refused));
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++) {
		const struct rondo_slot *slot = &m->tables.slots[i];

		if (i >= m->tables.header->slots) {
			if (m->data[i].size)
				return refuse(error, "data for slot %u, the program has %u", i,
					      m->tables.header->slots);
			continue;
		}
		m->slot_size[i] = max_u64(m->data[i].size, max_u64(slot->read_hi, slot->write_hi));
		if (m->slot_size[i] > DRM_RONDO_BO_SIZE_MAX)
			return refuse(error, "slot %u: larger than a buffer can be", i);
	}
	return 0;
}

static int parse_strings(struct accel_model *m, struct accel_error *error)
{
	const char *text = at(m, &m->strings);

	if (m->strings.size && text[m->strings.size - 1])
		return refuse(error, "the strings are not terminated");
	return 0;
}

static int parse_shape(const struct rondo_tensor *t, u32 number, struct accel_error *error)
{
	u64 bytes = element_bytes(t->dtype);
	u32 i;

	if (!bytes || t->rank > RONDO_TENSOR_DIMS)
		return refuse(error, "tensor %u: unknown element type %u, or rank %u", number,
			      t->dtype, t->rank);
	for (i = 0; i < RONDO_TENSOR_DIMS; i++) {
		if (i >= t->rank ? t->dim[i] != 0 : t->dim[i] == 0)
			return refuse(error, "tensor %u: dimension %u is %llu", number, i,
				      (unsigned long long)t->dim[i]);
		if (i < t->rank &&
		    (check_mul_overflow(bytes, t->dim[i], &bytes) || bytes > DRM_RONDO_BO_SIZE_MAX))
			return refuse(error, "tensor %u: too large", number);
	}
	return 0;
}

static int parse_tensor(struct accel_model *m, u32 number, struct accel_error *error)
{
	const struct rondo_tensor *t = &tensors(m)[number];
	u64 end;
	u32 i;
	int ret;

	if (t->name >= m->strings.size || t->kind > RONDO_TENSOR_OUTPUT || t->reserved ||
	    t->reserved2)
		return refuse(error, "tensor %u: name, kind or reserved field is undefined",
			      number);
	ret = parse_shape(t, number, error);
	if (ret)
		return ret;
	if (t->slot >= m->tables.header->slots || t->offset % element_bytes(t->dtype) ||
	    check_add_overflow(t->offset, tensor_bytes(t), &end) || end > DRM_RONDO_BO_SIZE_MAX)
		return refuse(error, "tensor %u: no such slot, or a misaligned or too large offset",
			      number);
	if (!isfinite(t->scale) || t->scale < 0 || (t->scale == 0 && t->zero_point))
		return refuse(error, "tensor %u: undefined quantisation", number);
	for (i = 0; i < number; i++)
		if (tensors(m)[i].kind == t->kind &&
		    !strcmp(string(m, tensors(m)[i].name), string(m, t->name)))
			return refuse(error, "tensors %u and %u have the same name", i, number);
	m->slot_size[t->slot] = max_u64(m->slot_size[t->slot], end);
	return 0;
}

static int parse_tensors(struct accel_model *m, struct accel_error *error)
{
	u32 i;
	int ret;

	if (m->tensors.size % sizeof(struct rondo_tensor) ||
	    m->tensors.size / sizeof(struct rondo_tensor) > TENSORS_MAX)
		return refuse(error, "tensors: wrong size, or more than %u", TENSORS_MAX);
	m->tensor_count = m->tensors.size / sizeof(struct rondo_tensor);
	for (i = 0; i < m->tensor_count; i++) {
		ret = parse_tensor(m, i, error);
		if (ret)
			return ret;
	}
	return 0;
}

static int parse_regions(struct accel_model *m, struct accel_error *error)
{
	u32 i, end = 0;

	if (m->regions.size % sizeof(struct rondo_region))
		return refuse(error, "regions: wrong size");
	m->region_count = m->regions.size / sizeof(struct rondo_region);
	for (i = 0; i < m->region_count; i++) {
		const struct rondo_region *r = &regions(m)[i];

		if (r->name >= m->strings.size || r->reserved)
			return refuse(error, "region %u: name or reserved field is undefined", i);
		if (!r->count || r->first < end || r->first > m->tables.header->bundles ||
		    r->count > m->tables.header->bundles - r->first)
			return refuse(error,
				      "region %u: empty, out of order or outside the program", i);
		end = r->first + r->count;
	}
	return 0;
}

static int parse(struct accel_model *m, struct accel_error *error)
{
	int ret = parse_sections(m, error);

	if (!ret)
		ret = parse_program(m, error);
	if (!ret)
		ret = parse_strings(m, error);
	if (!ret)
		ret = parse_tensors(m, error);
	if (!ret)
		ret = parse_regions(m, error);
	return ret;
}

/* A model with room for @size bytes, or NULL. */
static struct accel_model *model_alloc(u64 size)
{
	struct accel_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->size = size;
	/* Whole units of the alignment, and at least a header to look at. */
	m->bytes = aligned_alloc(SECTION_ALIGN, (size / SECTION_ALIGN + 1) * SECTION_ALIGN);
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
	struct accel_model *m;

	accel_error_clear(error);
	if (size > FILE_BYTES_MAX) {
		accel_error_set(error, "larger than 2 GiB");
		return -EFBIG;
	}
	m = model_alloc(size);
	if (!m)
		return -ENOMEM;
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
	struct accel_model *m = NULL;
	int fd, ret;

	accel_error_clear(error);
	fd = open(path, O_RDONLY | O_CLOEXEC);
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
	if (!model)
		return;
	free(model->bytes);
	free(model);
}

ACCEL_EXPORT const void *accel_model_program(const struct accel_model *model, size_t *size)
{
	*size = model->program.size;
	return at(model, &model->program);
}

ACCEL_EXPORT uint32_t accel_model_slot_count(const struct accel_model *model)
{
	return model->tables.header->slots;
}

ACCEL_EXPORT uint32_t accel_model_tensor_count(const struct accel_model *model,
					       enum accel_kind kind)
{
	u32 i, count = 0;

	for (i = 0; i < model->tensor_count; i++)
		count += tensors(model)[i].kind == kind;
	return count;
}

ACCEL_EXPORT uint32_t accel_model_region_count(const struct accel_model *model)
{
	return model->region_count;
}

ACCEL_EXPORT int accel_model_slot(const struct accel_model *model, uint32_t index,
				  struct accel_slot_info *slot)
{
	const struct rondo_slot *s;
	const struct part *data;

	if (index >= model->tables.header->slots)
		return -ENOENT;
	s = &model->tables.slots[index];
	data = &model->data[index];
	*slot = (struct accel_slot_info){
		.size = model->slot_size[index],
		.align = s->align,
		.dynamic = s->flags & RONDO_SLOT_DYNAMIC,
		.alias = s->alias,
		.data = data->size ? at(model, data) : NULL,
		.data_size = data->size,
	};
	return 0;
}

ACCEL_EXPORT int accel_model_tensor(const struct accel_model *model, enum accel_kind kind,
				    uint32_t index, struct accel_tensor *tensor)
{
	const struct rondo_tensor *t = tensors(model);
	const struct rondo_tensor *end = t + model->tensor_count;

	for (; t < end; t++)
		if (t->kind == kind && !index--)
			break;
	if (t == end)
		return -ENOENT;
	*tensor = (struct accel_tensor){
		.name = string(model, t->name),
		.kind = t->kind,
		.dtype = t->dtype,
		.slot = t->slot,
		.rank = t->rank,
		.offset = t->offset,
		.bytes = tensor_bytes(t),
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

	if (index >= model->region_count)
		return -ENOENT;
	r = &regions(model)[index];
	*region = (struct accel_region){ string(model, r->name), r->first, r->count };
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
