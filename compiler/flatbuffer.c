// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/flatbuffer.h"

#include <string.h>

enum { OFFSET_BYTES = 4, FIELD_BYTES = 2, FIELDS_HEADER = 2 * FIELD_BYTES };

static void wrong(struct flatbuffer *b, size_t at, const char *what)
{
	if (b->wrong)
		return;
	b->wrong = what;
	b->wrong_at = at;
}

/* Whether the @size bytes at @at are inside. */
static bool inside(struct flatbuffer *b, size_t at, u64 size)
{
	if (at <= b->size && size <= b->size - at)
		return true;
	wrong(b, at, "it ends before what should be there");
	return false;
}

/* @size bytes that are inside, as a signed number. */
static s64 number(const struct flatbuffer *b, size_t at, u32 size)
{
	u64 v = 0;

	for (u32 i = 0; i < size; i++)
		v |= (u64)b->bytes[at + i] << 8 * i;
	if (size < 8 && v >> (8 * size - 1))
		v |= ~UINT64_C(0) << 8 * size;
	return (s64)v;
}

static u32 unsigned_number(const struct flatbuffer *b, size_t at, u32 size)
{
	return (u32)number(b, at, size) & (size == FIELD_BYTES ? 0xffff : 0xffffffff);
}

/* The table at @at. */
static struct fb_table table_at(struct flatbuffer *b, size_t at)
{
	struct fb_table t = { .at = at }, none = { 0 };
	s64 fields;

	if (!inside(b, at, OFFSET_BYTES))
		return none;
	fields = (s64)at - number(b, at, OFFSET_BYTES);
	if (fields < 0 || !inside(b, (size_t)fields, FIELDS_HEADER)) {
		wrong(b, at, "a table without a list of fields");
		return none;
	}
	t.fields = (size_t)fields;
	t.fields_size = unsigned_number(b, t.fields, FIELD_BYTES);
	t.size = unsigned_number(b, t.fields + FIELD_BYTES, FIELD_BYTES);
	if (t.fields_size < FIELDS_HEADER || !inside(b, t.fields, t.fields_size) ||
	    !inside(b, at, t.size)) {
		wrong(b, at, "a table with a list of fields that is too short");
		return none;
	}
	t.buffer = b;
	return t;
}

/* Where the offset at @at leads to; 0, and wrong, if not into the file. */
static size_t follow(struct flatbuffer *b, size_t at)
{
	u32 offset;

	if (!inside(b, at, OFFSET_BYTES))
		return 0;
	offset = unsigned_number(b, at, OFFSET_BYTES);
	if (offset < OFFSET_BYTES || !inside(b, at, (u64)offset + OFFSET_BYTES)) {
		wrong(b, at, "an offset that leads out of the file");
		return 0;
	}
	return at + offset;
}

/* Where the @size bytes of a field are; 0: it is absent. */
static size_t find(const struct fb_table *t, u32 field, u32 size)
{
	u32 entry = FIELDS_HEADER + FIELD_BYTES * field, offset;

	if (!t->buffer || entry + FIELD_BYTES > t->fields_size)
		return 0;
	offset = unsigned_number(t->buffer, t->fields + entry, FIELD_BYTES);
	if (!offset)
		return 0;
	if (offset < OFFSET_BYTES || offset + size > t->size) {
		wrong(t->buffer, t->at, "a field outside of its table");
		return 0;
	}
	return t->at + offset;
}

struct fb_table fb_root(struct flatbuffer *buffer)
{
	size_t at = follow(buffer, 0);

	return at ? table_at(buffer, at) : (struct fb_table){ 0 };
}

s64 fb_int(const struct fb_table *table, u32 field, u32 size, s64 otherwise)
{
	size_t at = find(table, field, size);

	return at ? number(table->buffer, at, size) : otherwise;
}

static float float_at(const struct flatbuffer *b, size_t at)
{
	float f;

	memcpy(&f, b->bytes + at, sizeof(f));
	return f;
}

float fb_float(const struct fb_table *table, u32 field, float otherwise)
{
	size_t at = find(table, field, sizeof(float));

	return at ? float_at(table->buffer, at) : otherwise;
}

struct fb_table fb_table(const struct fb_table *table, u32 field)
{
	size_t at = find(table, field, OFFSET_BYTES);

	at = at ? follow(table->buffer, at) : 0;
	return at ? table_at(table->buffer, at) : (struct fb_table){ 0 };
}

struct fb_vector fb_vector(const struct fb_table *table, u32 field, u32 element)
{
	struct fb_vector v = { .element = element };
	size_t at = find(table, field, OFFSET_BYTES);

	at = at ? follow(table->buffer, at) : 0;
	if (!at)
		return v;
	v.count = unsigned_number(table->buffer, at, OFFSET_BYTES);
	v.at = at + OFFSET_BYTES;
	if (!inside(table->buffer, v.at, (u64)v.count * element))
		v.count = 0;
	v.buffer = table->buffer;
	return v;
}

void fb_string(const struct fb_table *table, u32 field, char *to, size_t room)
{
	struct fb_vector v = fb_vector(table, field, 1);
	size_t length = v.count < room - 1 ? v.count : room - 1;

	if (length)
		memcpy(to, v.buffer->bytes + v.at, length);
	to[length] = 0;
}

static bool has(const struct fb_vector *v, u32 i)
{
	if (i < v->count)
		return true;
	if (v->buffer)
		wrong(v->buffer, v->at, "too few elements");
	return false;
}

s64 fb_at(const struct fb_vector *v, u32 i)
{
	return has(v, i) ? number(v->buffer, v->at + (size_t)i * v->element, v->element) : 0;
}

float fb_float_at(const struct fb_vector *v, u32 i)
{
	return has(v, i) ? float_at(v->buffer, v->at + (size_t)i * v->element) : 0;
}

struct fb_table fb_table_at(const struct fb_vector *v, u32 i)
{
	size_t at = has(v, i) ? follow(v->buffer, v->at + (size_t)i * v->element) : 0;

	return at ? table_at(v->buffer, at) : (struct fb_table){ 0 };
}

const u8 *fb_bytes(const struct fb_vector *v)
{
	return v->count ? v->buffer->bytes + v->at : NULL;
}
