// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Boxes: random parts of random layouts. The rows of the slot, one behind the other, are the bytes
 * of the part's own buffer; boxes meet and are in each other as their cells are.
 */
#include "compiler/box.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { CASES = 2000, RANK = 4, DIM = 5, BYTES_MAX = 4 * 7 * 7 * 7 * 7 };

static u64 state;

/* A layout with its dimensions in any order and padding around some of them. */
static struct layout random_layout(void)
{
	struct layout l = { .rank = RANK, .element = 4 };
	int order[RANK] = { 0, 1, 2, 3 };
	s64 stride = 4;

	for (int i = RANK - 1; i > 0; i--) {
		int other = (int)random_below(&state, (u32)i + 1), was = order[i];

		order[i] = order[other];
		order[other] = was;
	}
	for (int i = RANK - 1; i >= 0; i--) {
		int d = order[i];

		l.dim[d] = 1 + random_below(&state, DIM);
		l.pad[d] = random_below(&state, 3) ? 0 : 1;
		l.cells[d] = l.dim[d] + l.pad[d] + (random_below(&state, 3) ? 0 : 1);
		l.stride[d] = stride;
		l.base += l.pad[d] * stride;
		stride *= l.cells[d];
	}
	l.bytes = (u64)stride;
	return l;
}

static struct box random_box(const struct layout *l)
{
	struct box b = { .rank = RANK };

	for (int d = 0; d < RANK; d++) {
		s64 first = random_below(&state, (u32)l->cells[d]);

		b.lo[d] = first - l->pad[d];
		b.n[d] = 1 + random_below(&state, (u32)(l->cells[d] - first));
	}
	return b;
}

static s64 address(const struct layout *l, const s64 *at)
{
	s64 a = l->base;

	for (int d = 0; d < l->rank; d++)
		a += at[d] * l->stride[d];
	return a;
}

/* The next cell of @b, the last dimension first; false: that was all. */
static bool next_cell(const struct box *b, s64 *at)
{
	for (int d = RANK - 1; d >= 0; d--) {
		if (++at[d] < b->lo[d] + b->n[d])
			return true;
		at[d] = b->lo[d];
	}
	return false;
}

/* The slot's address of each byte that rows @r bring, in order. */
static u64 spread(const struct box_rows *r, s64 *slot)
{
	s64 index[TENSOR_RANK_MAX] = { 0 };
	u64 n = 0;
	int d;

	do {
		s64 row = (s64)r->offset;

		for (d = 0; d < r->dims; d++)
			row += index[d] * r->stride[d];
		for (u64 i = 0; i < r->bytes && n < BYTES_MAX; i++)
			slot[n++] = row + (s64)i;
		for (d = r->dims - 1; d >= 0; d--) {
			if (++index[d] < r->count[d])
				break;
			index[d] = 0;
		}
	} while (d >= 0);
	return n;
}

static bool rows_agree(const struct layout *l, const struct box *b)
{
	static s64 slot[BYTES_MAX];
	const struct layout part = box_layout(l, b);
	const struct box_rows r = box_rows(l, b);
	s64 at[RANK];

	if (spread(&r, slot) != part.bytes || !box_same_order(l, &part))
		return false;
	memcpy(at, b->lo, sizeof(at));
	do {
		if (slot[address(&part, at)] != address(l, at))
			return false;
	} while (next_cell(b, at));
	return true;
}

static bool has(const struct box *b, const s64 *at)
{
	for (int d = 0; d < RANK; d++) {
		if (at[d] < b->lo[d] || at[d] >= b->lo[d] + b->n[d])
			return false;
	}
	return true;
}

static bool meetings_agree(const struct box *a, const struct box *b)
{
	const struct box both = box_meet(a, b);
	bool inside = true;
	s64 at[RANK];

	memcpy(at, a->lo, sizeof(at));
	do {
		if (has(&both, at) != has(b, at))
			return false;
		inside &= has(b, at);
	} while (next_cell(a, at));
	return box_inside(a, b) == inside;
}

/*
 * Where the end of @a is the beginning of @b, the last bytes of one are the first of the other.
 * Whether that is so: *@overlap.
 */
static bool overlaps_agree(const struct layout *l, const struct box *a, const struct box *b,
			   bool *overlap)
{
	const struct layout from = box_layout(l, a), to = box_layout(l, b);
	struct box both;
	s64 at[RANK], bytes;

	*overlap = box_overlap(l, a, b, &both);
	if (!*overlap)
		return true;
	bytes = (s64)box_layout(l, &both).bytes;
	memcpy(at, both.lo, sizeof(at));
	do {
		s64 is = address(&to, at);

		if (!has(a, at) || !has(b, at) || is >= bytes ||
		    is != address(&from, at) - ((s64)from.bytes - bytes))
			return false;
	} while (next_cell(&both, at));
	return bytes < (s64)to.bytes;
}

/* @a further along one of its dimensions, and of another size there. */
static struct box moved_on(const struct layout *l, const struct box *a)
{
	int d = (int)random_below(&state, RANK);
	struct box b = *a;
	s64 left;

	b.lo[d] += random_below(&state, (u32)a->n[d] + 1);
	left = l->cells[d] - l->pad[d] - b.lo[d];
	b.n[d] = left > 1 ? 1 + random_below(&state, (u32)left) : 1;
	if (left < 1)
		b.lo[d] = a->lo[d];
	return b;
}

/* A window of 3 slides in steps of 2 over rows, tiles are of 4 results. */
static void test_access(void)
{
	struct stage_access a = { .as = { 1, { 20 } }, .at = { -1 }, .step = { { 2, 1 } } };
	const s64 origin[STAGE_DIMS] = { 4, 0 }, size[STAGE_DIMS] = { 4, 3 };
	const struct box b = box_of_access(&a, 2, origin, size);

	tap_ok(b.lo[0] == 7 && b.n[0] == 9, "a tile of four results reads nine rows");
	a.step[0][0] = -2;
	a.at[0] = 19;
	tap_ok(box_of_access(&a, 2, origin, size).lo[0] == 5, "backwards, from the last one on");
}

int main(void)
{
	bool rows = true, meetings = true, overlaps = true;
	int found = 0;

	state = random_seed(1);
	for (int i = 0; i < CASES; i++) {
		const struct layout l = random_layout();
		const struct box a = random_box(&l), b = random_box(&l), c = moved_on(&l, &a);
		bool overlap;

		rows &= rows_agree(&l, &a);
		meetings &= meetings_agree(&a, &b);
		overlaps &= overlaps_agree(&l, &a, &c, &overlap);
		found += overlap;
	}
	tap_ok(rows, "rows are the bytes of the box, in the order of its own buffer");
	tap_ok(meetings, "boxes meet where both have a cell");
	tap_ok(overlaps && found > CASES / 100, "the end of a box begins the next one: %d", found);
	test_access();
	return tap_done();
}
