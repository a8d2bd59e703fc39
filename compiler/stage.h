/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Stages: what a network computes, piece by piece, as affine accesses to its values.
 *
 * A stage has a domain, a box of integer points. At each point it does what its node does to one
 * element, and the accesses say which element of which value that is: each coordinate is a constant
 * plus a sum of steps times the point's coordinates. The last dimensions of a domain are reduced:
 * their points contribute to one element of the result. So a window, a broadcast, a Transpose and
 * the parts of a Concat differ in steps and constants only. Nothing here knows bytes, layouts or
 * the machine: see plan.h.
 */
#ifndef COMPILER_STAGE_H
#define COMPILER_STAGE_H

#include <stdio.h>

#include "compiler/graph.h"

enum { STAGE_DIMS = TENSOR_RANK_MAX + 4, STAGE_INPUTS = 3 };

enum stage_kind {
	STAGE_PRODUCT, /* sum of products: Conv, Linear. Dimensions: any, y, x, o | ky, kx, c */
	STAGE_POOL, /* maximum or mean of a window. Dimensions: n, y, x, c | ky, kx */
	STAGE_MAP, /* each element by itself. Dimensions: those of the result */
	STAGE_SOFTMAX, /* along the last dimension. Dimensions: those of the result */
	STAGE_REDUCE, /* along some dimensions. Dimensions: those that stay | the others */
	STAGE_MOVE, /* the elements as they are. Dimensions: those of the part that is moved */
};

/* The element of @value at a point of the domain. */
struct stage_access {
	const struct value *value; /* NULL: the stage has no such input */
	struct shape as; /* the shape that is indexed: its own, or one of as many elements */
	s64 at[TENSOR_RANK_MAX]; /* of each coordinate */
	/* Per index of each dimension of the domain; of one that has a single index it may be cut.
	 */
	s32 step[TENSOR_RANK_MAX][STAGE_DIMS];
};

struct stage {
	enum stage_kind kind;
	struct node *node;
	int dims, reduced; /* of the domain; how many of them, the last ones, are reduced */
	s64 size[STAGE_DIMS];
	u32 whole_dims; /* bit set: those that no tile cuts */
	const char *name[STAGE_DIMS]; /* of the dimensions, in text */
	struct stage_access out, in[STAGE_INPUTS]; /* of a product: x, weights, bias */
	float lo, hi; /* what the result is clamped to, in f32; infinite: it is not */
	const struct node *epilogue; /* the Requantize that ends its sums; NULL: there is none */
	bool narrows; /* its result is rounded to bf16: the node behind it is no stage */
	/* Pixels of a convolution that are columns beside each other, and taps between them. */
	s64 pixels[2], pixel_taps[2]; /* rows, and of a row */
	/* For a tile: the stage that it is a part of, and where in its domain it begins. */
	const struct stage *whole;
	s64 origin[STAGE_DIMS];
};

struct stages {
	struct stage **at;
	int count, room;
};

/* Makes @tile the part of @s whose domain is the box of @size points from @origin on. */
void stage_tile(const struct stage *s, const s64 *origin, const s64 *size, struct stage *tile);

/*
 * Makes @packed the convolution @s with @pixels[0] rows of @pixels[1] neighbours as one, of as many
 * times the columns, those of the next pixel behind those of the one before: its window is as large
 * as theirs together, and what lies beside that of a column's own pixel counts for nothing in it.
 * They divide height and width.
 */
void stage_pack(const struct stage *s, const s64 pixels[2], struct stage *packed);

/* Makes tap (*@ky, *@kx) of @packed that of the window of its pixel @pixel; false: it is none. */
bool stage_own_tap(const struct stage *packed, s64 pixel, s64 *ky, s64 *kx);

/* Pixels that are columns beside each other. */
static inline s64 stage_pixels(const struct stage *s)
{
	return s->pixels[0] * s->pixels[1];
}

/*
 * Whether the result of @s may be cut into tiles along dimension @d: not where elements depend on
 * each other, and not within one of several dimensions that move one coordinate of the result.
 */
bool stage_may_cut(const struct stage *s, int d);

/*
 * Whether the tile @s of a product is the first of those that add to its sums, or the last: it may
 * be a part of what is summed over, too. A stage that is no tile is both.
 */
bool stage_begins_sums(const struct stage *s);
bool stage_ends_sums(const struct stage *s);

/* Makes the stages of @g, which is normalised, in order. 0, or a message in g->err. */
int stages_make(struct graph *g, struct stages *out);

/* Lets stages store channels where a shuffle behind them takes them, which is no stage then. */
void stages_shuffle(struct stages *s);

/*
 * Whether every stage keeps what stages promise: coordinates are inside their values, or inside the
 * padding that a window's node declares; reduced dimensions do not move the result; no two points
 * give one element of it. -ENOTRECOVERABLE and a message.
 */
int stages_check(const struct graph *g, const struct stages *s);

/* Containers of the innermost reduced dimension of a product: 4 bytes of it, 2 bf16 or one f32. */
static inline s64 stage_containers(const struct stage *s)
{
	return (s->size[s->dims - 1] * value_element(s->in[0].value) + 3) / 4;
}

/* Prints one stage a paragraph: the domain, then each access with its coordinates. */
void stages_print(const struct stages *s, FILE *out);

#endif
