/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Maps: the same vector operations over every element of a space of up to eight dimensions, each
 * operand with its own strides. Finds what to put in lanes and what to loop over; the caller's body
 * says what is done with one vector. What does not fill the lanes is a nest of its own.
 *
 *	struct map map = { .operands = 2, .body = add_body, .arg = &ops };
 *	map_dim(&map, 28, (s64[]){ 112, 112 });		// outermost first: size, bytes per step
 *	map_dim(&map, 28, (s64[]){ 4, 4 });
 *	map_run(mir, lanes, &map);
 */
#ifndef COMPILER_MAP_H
#define COMPILER_MAP_H

#include "compiler/layout.h"
#include "compiler/mir.h"

enum { MAP_OPERANDS = 5, MAP_DIMS = TENSOR_RANK_MAX + 1 };

/* MAP_LOW: integers of 8 bytes, whose low words are loaded, and which a word is extended to. */
enum map_type { MAP_WORDS, MAP_U8, MAP_S8, MAP_LOW, MAP_BF16 };

struct map_operand {
	mir_buf buf;
	s64 offset; /* bytes */
	enum map_type type; /* of its elements; bytes are widened to s32, and saturated when stored;
			       bf16 to f32, and rounded */
};

struct map {
	int operands;
	struct map_operand operand[MAP_OPERANDS];
	int dims;
	s64 size[MAP_DIMS];
	s64 stride[MAP_OPERANDS][MAP_DIMS]; /* bytes */
	void (*body)(struct mir *m, const struct map *map, void *arg);
	void *arg;

	/* of the vector that body() is called for */
	int count; /* lanes */
	struct mir_ref ref[MAP_OPERANDS];
	bool scalar[MAP_OPERANDS]; /* the operand is the same in all lanes */
};

/* Adds a dimension inside the ones there are; a size of 1 is dropped. @stride: one per operand. */
void map_dim(struct map *map, s64 size, const s64 *stride);

/* Loads operand @i of the current vector, @extra bytes further on. */
vreg map_load(struct mir *m, const struct map *map, int i, s64 extra);

/* The same into part @part of the three registers @dst. */
void map_load_part(struct mir *m, const struct map *map, int i, vreg dst, int part);

/* Stores to operand @i of the current vector. */
void map_store(struct mir *m, const struct map *map, int i, vreg v);

void map_run(struct mir *m, int lanes, struct map *map);

#endif
