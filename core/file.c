// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/file.h"
#include "core/text.h"

/* One of each kind, and data for each slot. */
enum { SECTIONS_MAX = 4 + RONDO_PROGRAM_SLOTS_MAX };

u32 rondo_dtype_bytes(u32 dtype)
{
	switch (dtype) {
#define DTYPE(name, text, number, type, kind, numpy) \
	case RONDO_##name:                           \
		return sizeof(type);
#include "spec/dtypes.def"
	default:
		return 0;
	}
}

u64 rondo_tensor_bytes(const struct rondo_tensor *t)
{
	u64 bytes = rondo_dtype_bytes(t->dtype);
	u32 i;

	for (i = 0; i < t->rank; i++)
		bytes *= t->dim[i];
	return bytes;
}

/* Writing. */

static u64 align(u64 offset)
{
	return (offset + RONDO_FILE_ALIGN - 1) / RONDO_FILE_ALIGN * RONDO_FILE_ALIGN;
}

static u32 count_sections(const struct rondo_file_part *parts, u32 count)
{
	u32 i, sections = 0;

	for (i = 0; i < count; i++)
		sections += parts[i].size != 0;
	return sections;
}

static u64 table_end(u32 sections)
{
	return sizeof(struct rondo_file_header) + sections * sizeof(struct rondo_section);
}

u64 rondo_file_bytes(const struct rondo_file_part *parts, u32 count)
{
	u64 end = table_end(count_sections(parts, count));
	u32 i;

	for (i = 0; i < count; i++)
		if (parts[i].size)
			end = align(end) + parts[i].size;
	return end;
}

void rondo_file_write(void *file, const struct rondo_file_part *parts, u32 count)
{
	struct rondo_file_header *header = file;
	struct rondo_section *section = (void *)(header + 1);
	u64 end = table_end(count_sections(parts, count));
	u32 i;

	memset(file, 0, end);
	for (i = 0; i < count; i++) {
		u8 *at = (u8 *)file + align(end);

		if (!parts[i].size)
			continue;
		*section++ = (struct rondo_section){
			.type = parts[i].type,
			.index = parts[i].index,
			.offset = align(end),
			.size = parts[i].size,
		};
		memset((u8 *)file + end, 0, align(end) - end);
		if (at != parts[i].bytes)
			memcpy(at, parts[i].bytes, parts[i].size);
		end = align(end) + parts[i].size;
	}
	*header = (struct rondo_file_header){
		.magic = RONDO_FILE_MAGIC,
		.version = RONDO_FILE_VERSION,
		.sections = count_sections(parts, count),
		.size = end,
	};
}

/* Reading. */

enum where { WHERE_FILE, WHERE_SECTION, WHERE_SLOT, WHERE_TENSOR, WHERE_REGION };

static const struct {
	const char *text;
	u8 where;
} errors[] = {
	[RONDO_FILE_OK] = { "accepted", WHERE_FILE },
#define FILE_ERROR(name, where, text) [RONDO_FILE_##name] = { text, WHERE_##where },
#include "spec/file_errors.def"
};

const char *rondo_file_error_where(enum rondo_file_error error)
{
	static const char *const names[] = {
		[WHERE_SECTION] = "section",
		[WHERE_SLOT] = "slot",
		[WHERE_TENSOR] = "tensor",
		[WHERE_REGION] = "region",
	};

	return names[errors[error].where];
}

const char *rondo_file_error_text(enum rondo_file_error error)
{
	return errors[error].text;
}

/* The file that is read, and what is wrong with it. */
struct reader {
	struct rondo_file *file;
	const u8 *bytes;
	u64 size;
	struct rondo_file_data tensors, regions, strings;
	struct rondo_file_fault fault;
};

static bool refuse(struct reader *r, enum rondo_file_error error, u32 index)
{
	r->fault.error = error;
	r->fault.index = index;
	return false;
}

/* Where the section goes; NULL if there may be none such. */
static struct rondo_file_data *place_of(struct reader *r, const struct rondo_section *s)
{
	if (s->type == RONDO_SECTION_SLOT_DATA)
		return s->index < RONDO_PROGRAM_SLOTS_MAX ? &r->file->data[s->index] : NULL;
	if (s->index)
		return NULL;
	switch (s->type) {
	case RONDO_SECTION_PROGRAM:
		return &r->file->program_bytes;
	case RONDO_SECTION_TENSORS:
		return &r->tensors;
	case RONDO_SECTION_REGIONS:
		return &r->regions;
	case RONDO_SECTION_STRINGS:
		return &r->strings;
	default:
		return NULL;
	}
}

static bool overlap(const struct rondo_section *a, const struct rondo_section *b)
{
	return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static bool read_section(struct reader *r, const struct rondo_section *sections, u32 number,
			 u64 first)
{
	const struct rondo_section *s = &sections[number];
	struct rondo_file_data *place = place_of(r, s);
	u32 i;

	if (!place)
		return refuse(r, RONDO_FILE_SECTION_TYPE, number);
	if (place->size)
		return refuse(r, RONDO_FILE_SECTION_TWICE, number);
	if (!s->size || s->offset % RONDO_FILE_ALIGN || s->offset < first || s->offset > r->size ||
	    s->size > r->size - s->offset)
		return refuse(r, RONDO_FILE_SECTION_PLACE, number);
	for (i = 0; i < number; i++)
		if (overlap(s, &sections[i]))
			return refuse(r, RONDO_FILE_SECTION_OVERLAP, number);
	*place = (struct rondo_file_data){ r->bytes + s->offset, s->size };
	return true;
}

static bool read_sections(struct reader *r)
{
	const struct rondo_file_header *h = (const void *)r->bytes;
	u32 i;

	if (r->size < sizeof(h->magic) || h->magic != RONDO_FILE_MAGIC)
		return refuse(r, RONDO_FILE_NOT_RND, 0);
	if (r->size < sizeof(*h))
		return refuse(r, RONDO_FILE_TABLE, 0);
	if (h->version != RONDO_FILE_VERSION)
		return refuse(r, RONDO_FILE_NEWER, 0);
	if (h->size != r->size)
		return refuse(r, RONDO_FILE_SIZE, 0);
	if (h->sections > SECTIONS_MAX)
		return refuse(r, RONDO_FILE_SECTIONS, 0);
	if (table_end(h->sections) > r->size)
		return refuse(r, RONDO_FILE_TABLE, 0);
	for (i = 0; i < h->sections; i++)
		if (!read_section(r, (const void *)(h + 1), i, table_end(h->sections)))
			return false;
	return true;
}

static bool read_program(struct reader *r)
{
	struct rondo_file *f = r->file;
	u32 i;

	if (!f->program_bytes.size)
		return refuse(r, RONDO_FILE_NO_PROGRAM, 0);
	r->fault.program =
		rondo_program_open(&f->program, f->program_bytes.bytes, f->program_bytes.size);
	if (r->fault.program)
		return refuse(r, RONDO_FILE_PROGRAM, 0);
	for (i = 0; i < RONDO_PROGRAM_SLOTS_MAX; i++) {
		if (i < f->program.header->slots)
			f->slot_size[i] = rondo_slot_end(&f->program.slots[i]);
		else if (f->data[i].size)
			return refuse(r, RONDO_FILE_SLOT_DATA, i);
		if (f->slot_size[i] < f->data[i].size)
			f->slot_size[i] = f->data[i].size;
		if (f->slot_size[i] > RONDO_SLOT_BYTES_MAX)
			return refuse(r, RONDO_FILE_SLOT_SIZE, i);
	}
	return true;
}

static bool read_strings(struct reader *r)
{
	r->file->strings = r->strings.bytes;
	r->file->strings_size = r->strings.size;
	if (r->strings.size && r->file->strings[r->strings.size - 1])
		return refuse(r, RONDO_FILE_STRINGS, 0);
	return true;
}

static bool read_shape(struct reader *r, const struct rondo_tensor *t, u32 number)
{
	u64 bytes = rondo_dtype_bytes(t->dtype);
	u32 i;

	if (!bytes)
		return refuse(r, RONDO_FILE_TENSOR_DTYPE, number);
	if (t->rank > RONDO_TENSOR_DIMS)
		return refuse(r, RONDO_FILE_TENSOR_RANK, number);
	for (i = 0; i < RONDO_TENSOR_DIMS; i++)
		if ((i < t->rank) != (t->dim[i] != 0))
			return refuse(r, RONDO_FILE_TENSOR_DIM, number);
	for (i = 0; i < t->rank; i++)
		if (check_mul_overflow(bytes, t->dim[i], &bytes) || bytes > RONDO_SLOT_BYTES_MAX)
			return refuse(r, RONDO_FILE_TENSOR_SIZE, number);
	return true;
}

/* Where it is, how large a buffer that makes, and that an output is given a value there. */
static bool read_place(struct reader *r, const struct rondo_tensor *t, u32 number)
{
	u64 end, *size = &r->file->slot_size[t->slot % RONDO_PROGRAM_SLOTS_MAX];

	if (t->slot >= r->file->program.header->slots)
		return refuse(r, RONDO_FILE_TENSOR_SLOT, number);
	if (t->offset % rondo_dtype_bytes(t->dtype) ||
	    check_add_overflow(t->offset, rondo_tensor_bytes(t), &end) ||
	    end > RONDO_SLOT_BYTES_MAX)
		return refuse(r, RONDO_FILE_TENSOR_PLACE, number);
	if (t->kind == RONDO_TENSOR_OUTPUT && end > r->file->program.slots[t->slot].write_hi &&
	    end > r->file->data[t->slot].size)
		return refuse(r, RONDO_FILE_TENSOR_UNWRITTEN, number);
	if (*size < end)
		*size = end;
	return true;
}

/* The scale is finite and not negative; without one there is no zero point. By its bits. */
static bool quantisation_good(const struct rondo_tensor *t)
{
	u32 scale;

	memcpy(&scale, &t->scale, sizeof(scale));
	if (scale << 1 == 0)
		return !t->zero_point;
	return scale < 0x7f800000;
}

static bool read_tensor(struct reader *r, u32 number)
{
	const struct rondo_tensor *tensors = r->file->tensors, *t = &tensors[number];
	const char *strings = r->file->strings;
	u32 i;

	if (t->name >= r->strings.size)
		return refuse(r, RONDO_FILE_TENSOR_NAME, number);
	if (t->kind > RONDO_TENSOR_OUTPUT || t->reserved || t->reserved2)
		return refuse(r, RONDO_FILE_TENSOR_FIELD, number);
	if (!read_shape(r, t, number) || !read_place(r, t, number))
		return false;
	if (!quantisation_good(t))
		return refuse(r, RONDO_FILE_TENSOR_SCALE, number);
	for (i = 0; i < number; i++)
		if (tensors[i].kind == t->kind &&
		    rondo_text_equal(strings + tensors[i].name, strings + t->name))
			return refuse(r, RONDO_FILE_TENSOR_TWICE, number);
	return true;
}

static bool read_tensors(struct reader *r)
{
	u64 count = r->tensors.size / sizeof(struct rondo_tensor);
	u32 i;

	if (r->tensors.size % sizeof(struct rondo_tensor) || count > RONDO_FILE_TENSORS_MAX)
		return refuse(r, RONDO_FILE_TENSORS, 0);
	r->file->tensors = r->tensors.bytes;
	r->file->tensor_count = count;
	for (i = 0; i < count; i++)
		if (!read_tensor(r, i))
			return false;
	return true;
}

static bool read_regions(struct reader *r)
{
	u32 bundles = r->file->program.header->bundles, end = 0, i;

	if (r->regions.size % sizeof(struct rondo_region))
		return refuse(r, RONDO_FILE_REGIONS, 0);
	r->file->regions = r->regions.bytes;
	r->file->region_count = r->regions.size / sizeof(struct rondo_region);
	for (i = 0; i < r->file->region_count; i++) {
		const struct rondo_region *region = &r->file->regions[i];

		if (region->name >= r->strings.size)
			return refuse(r, RONDO_FILE_REGION_NAME, i);
		if (region->reserved)
			return refuse(r, RONDO_FILE_REGION_FIELD, i);
		if (!region->count || region->first < end || region->first > bundles ||
		    region->count > bundles - region->first)
			return refuse(r, RONDO_FILE_REGION_PLACE, i);
		end = region->first + region->count;
	}
	return true;
}

enum rondo_file_error rondo_file_open(struct rondo_file *file, const void *bytes, u64 size,
				      struct rondo_file_fault *fault)
{
	struct reader r = { .file = file, .bytes = bytes, .size = size };

	memset(file, 0, sizeof(*file));
	if (read_sections(&r) && read_program(&r) && read_strings(&r) && read_tensors(&r))
		read_regions(&r);
	if (fault)
		*fault = r.fault;
	return r.fault.error;
}
