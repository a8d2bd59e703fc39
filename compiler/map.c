// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/map.h"

#include <string.h>

enum { SHORT = 24 /* operations for one vector, of which two fit in an iteration */ };

/* What one lane loads and stores. */
static s64 element_bytes(const struct map *map, int i)
{
	enum map_type type = map->operand[i].type;

	return type == MAP_U8 || type == MAP_S8 ? 1 : type == MAP_BF16 ? 2 : 4;
}

/*
 * How the innermost dimensions become vectors. Either one dimension is cut into vectors of `lanes`
 * elements, or, where it is shorter than half a register, `fold` trips of the dimension around it
 * share a register, as segments of a lane pattern.
 */
struct cut {
	s64 full, step; /* full vectors, and how many steps of dimension `dim` each takes */
	int dim;
	int lanes, rest; /* lanes of a full vector; of the last one, 0 if there is none */
	int outer; /* dimensions left to loop over */
	s64 fold; /* 0: not folded */
};

void map_dim(struct map *map, s64 size, const s64 *stride)
{
	int i;

	if (size == 1)
		return;
	map->size[map->dims] = size;
	for (i = 0; i < map->operands; i++)
		map->stride[i][map->dims] = stride[i];
	map->dims++;
}

/* Joins dimension @d with the next when every operand walks both as one. */
static bool merge(struct map *map, int d)
{
	int i, j;

	for (i = 0; i < map->operands; i++)
		if (map->stride[i][d] != map->stride[i][d + 1] * map->size[d + 1])
			return false;
	map->size[d] *= map->size[d + 1];
	for (i = 0; i < map->operands; i++)
		map->stride[i][d] = map->stride[i][d + 1];
	map->dims--;
	for (j = d + 1; j < map->dims; j++) {
		map->size[j] = map->size[j + 1];
		for (i = 0; i < map->operands; i++)
			map->stride[i][j] = map->stride[i][j + 1];
	}
	return true;
}

/* Whether @fold trips of the dimension around the innermost can share a register. */
static bool foldable(const struct map *map)
{
	int i, inner = map->dims - 1;

	for (i = 0; i < map->operands; i++) {
		bool scalar = !map->stride[i][inner] && !map->stride[i][inner - 1];

		if (map->stride[i][inner] != element_bytes(map, i) && !scalar)
			return false;
	}
	return true;
}

static struct cut cut_space(const struct map *map, int lanes)
{
	int inner = map->dims - 1;
	s64 size = map->size[inner];
	struct cut c = { .dim = inner, .outer = inner, .step = lanes, .lanes = lanes };

	if (map->dims >= 2 && size * 2 <= lanes && foldable(map)) {
		c.fold = lanes / size;
		c.dim = c.outer = inner - 1;
		c.step = c.fold;
		c.lanes = c.fold * size;
		c.full = map->size[c.dim] / c.fold;
		c.rest = map->size[c.dim] % c.fold * size;
		return c;
	}
	c.full = size / lanes;
	c.rest = size % lanes;
	return c;
}

/* Vectors that the space takes when dimension @d is the innermost. */
static s64 vectors(struct map map, int lanes)
{
	struct cut c = cut_space(&map, lanes);
	s64 n = c.full + !!c.rest;
	int d;

	for (d = 0; d < c.outer; d++)
		n *= map.size[d];
	return n;
}

static void rotate_inside(struct map *map, int d)
{
	struct map old = *map;
	int i, j, inner = map->dims - 1;

	for (j = d; j <= inner; j++) {
		int from = j == inner ? d : j + 1;

		map->size[j] = old.size[from];
		for (i = 0; i < map->operands; i++)
			map->stride[i][j] = old.stride[i][from];
	}
}

/* Puts that dimension innermost which makes the fewest vectors; the given order wins a tie. */
static void choose_inner(struct map *map, int lanes)
{
	s64 n, least = vectors(*map, lanes);
	int d, best = map->dims - 1;

	for (d = map->dims - 2; d >= 0; d--) {
		struct map other = *map;

		rotate_inside(&other, d);
		n = vectors(other, lanes);
		if (n < least) {
			least = n;
			best = d;
		}
	}
	rotate_inside(map, best);
}

/* The body for the vector number @number beyond what the open loops count. */
static void one(struct mir *m, struct map *map, const struct cut *c, const struct mir_ref *base,
		s64 number, int count)
{
	int i, inner = map->dims - 1;

	map->count = count;
	for (i = 0; i < map->operands; i++) {
		struct mir_ref *ref = &map->ref[i];

		*ref = base[i];
		ref->offset += number * c->step * map->stride[i][c->dim];
		map->scalar[i] = !map->stride[i][inner];
		if (map->scalar[i] && element_bytes(map, i) == 4)
			continue;
		if (map->scalar[i])
			ref->seg_len = 1; /* the same element again */
		else if (c->fold &&
			 map->stride[i][c->dim] != map->size[inner] * element_bytes(map, i)) {
			ref->seg_len = map->size[inner];
			ref->seg_stride = map->stride[i][c->dim];
		} else if (!c->fold && map->stride[i][inner] != element_bytes(map, i)) {
			ref->seg_len = 1;
			ref->seg_stride = map->stride[i][inner];
		}
	}
	map->body(m, map, map->arg);
}

static enum rondo_opcode load_op(const struct map *map, int i)
{
	static const enum rondo_opcode ops[] = {
		[MAP_WORDS] = RONDO_OP_ld_w,   [MAP_LOW] = RONDO_OP_ld_w,
		[MAP_U8] = RONDO_OP_ld_u8,     [MAP_S8] = RONDO_OP_ld_s8,
		[MAP_BF16] = RONDO_OP_ld_bf16,
	};
	enum map_type type = map->operand[i].type;

	return map->scalar[i] && element_bytes(map, i) == 4 ? RONDO_OP_ldb_w : ops[type];
}

vreg map_load(struct mir *m, const struct map *map, int i, s64 extra)
{
	struct mir_ref ref = map->ref[i];

	ref.offset += extra;
	return mir_load(m, load_op(map, i), ref, map->count);
}

void map_load_part(struct mir *m, const struct map *map, int i, vreg dst, int part)
{
	mir_load_part(m, dst, part, load_op(map, i), map->ref[i], map->count);
}

void map_store(struct mir *m, const struct map *map, int i, vreg v)
{
	static const enum rondo_opcode ops[] = {
		[MAP_WORDS] = RONDO_OP_st_w,   [MAP_LOW] = RONDO_OP_st_w,
		[MAP_U8] = RONDO_OP_st_u8,     [MAP_S8] = RONDO_OP_st_s8,
		[MAP_BF16] = RONDO_OP_st_bf16,
	};
	struct mir_ref high = map->ref[i];

	mir_store_as(m, ops[map->operand[i].type], v, map->ref[i], map->count);
	if (map->operand[i].type != MAP_LOW)
		return;
	high.offset += 4;
	mir_store(m, mir_v2(m, RONDO_OP_sra, v, mir_movi(m, 31)), high, map->count);
}

/* Whether what was made from item @first on is short, and no loop: the like may stand beside it. */
static bool is_short(const struct mir *m, int first)
{
	for (int i = first; i < m->items; i++) {
		if (m->item[i].kind != MIR_OP)
			return false;
	}
	return m->items - first <= SHORT;
}

/*
 * A nest over the outer dimensions and @trips vectors of @lanes lanes, from number @number on, and
 * behind each of them, if it is one, the rest of the row: whether that is done.
 */
static bool nest(struct mir *m, struct map *map, const struct cut *c, s64 number, s64 trips,
		 int lanes, int rest)
{
	bool both = false;
	int first;
	struct mir_ref base[MAP_OPERANDS];
	int i, d;

	for (i = 0; i < map->operands; i++)
		base[i] = mir_ref(map->operand[i].buf, map->operand[i].offset);
	for (d = 0; d < c->outer; d++) {
		int depth = mir_loop(m, map->size[d]);

		for (i = 0; i < map->operands; i++)
			base[i].stride[depth] = (s32)map->stride[i][d];
	}
	if (trips > 1) {
		int depth = mir_loop(m, trips);

		for (i = 0; i < map->operands; i++)
			base[i].stride[depth] = (s32)(c->step * map->stride[i][c->dim]);
	}
	first = m->items;
	one(m, map, c, base, number, lanes);
	if (rest && trips == 1 && c->outer && is_short(m, first)) {
		one(m, map, c, base, number + 1, rest);
		both = true;
	}
	for (d = 0; d < c->outer + (trips > 1); d++)
		mir_end(m);
	return both;
}

void map_run(struct mir *m, int lanes, struct map *map)
{
	bool done = false;
	struct cut c;
	int d;

	if (!map->dims)
		map_dim(map, 2, (s64[MAP_OPERANDS]){ 0 }), map->size[0] = 1;
	for (d = map->dims - 2; d >= 0; d--)
		merge(map, d);
	choose_inner(map, lanes);
	c = cut_space(map, lanes);
	if (c.full)
		done = nest(m, map, &c, 0, c.full, c.lanes, c.rest);
	if (c.rest && !done)
		nest(m, map, &c, c.full, 1, c.rest, 0);
}
