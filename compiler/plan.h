/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Plans: how stages are computed, before anything is an operation of the machine.
 *
 * Every value has one layout, which says where its elements are in its buffer. A plan says for one
 * stage which unit does the work, in which layout it reads its inputs, what lies in the lanes, and
 * how the domain is cut into tiles. Lowering follows plans and decides nothing.
 */
#ifndef COMPILER_PLAN_H
#define COMPILER_PLAN_H

#include "compiler/box.h"
#include "compiler/stage.h"
#include "compiler/tile.h"

enum {
	PLAN_TAPS_MAX = 25, /* of a product on the vector units, whose weights are in registers */
	PLAN_CONST_PART = 8, /* of SRAM: constants that are larger come in by tiles */
	PLAN_CROWDED_MAX = 16,
	PLAN_PIECES_MAX = 1024, /* that the weights of a stage come in */
	PLAN_NO_STAGE = -1,
};

enum plan_unit {
	PLAN_MATRIX, /* pushes; columns (o) lie in the lanes */
	PLAN_VECTOR, /* vector operations; the dimension with the fewest vectors lies in the lanes
		      */
	PLAN_ALIAS, /* no work: the result is where the input is */
};

struct plan {
	enum plan_unit unit;
	struct layout in[STAGE_INPUTS]; /* how it reads its inputs: if not as they are, copies */
	/* PLAN_MATRIX: sizes and numbers of columns and pixels are those of stage_pack() */
	s64 pixels[2]; /* rows, and pixels of a row, that lie in the lanes beside each other */
	/* PLAN_VECTOR: of a row of results each is a dot product, whose terms lie in the lanes. */
	bool dots;
	struct tile_ks k; /* the reduced dimensions, or those of a tile, cut into pushes */
	struct tile_strip strip; /* the pixels that are computed at one time */
	int outer; /* dimensions outside of the pixels */
	int looped; /* the first of them that are loops around all tiles; the others are unrolled */
	bool unrolled; /* strips are, too */
	u64 piece; /* bytes of constant weights that come in at one time, about; 0: all */
	int ahead; /* pieces that come in before they are used */
	bool columns_first; /* those of a column tile stay for all its pixels, tile by tile */
	/* Tiles, where not all that the stage works on is in SRAM at one time. */
	bool tiled;
	s64 tile[STAGE_DIMS]; /* points of each dimension at one time */
	/*
	 * Tiles of the matrix unit take a part of the reduced dimensions each, the innermost first:
	 * the sums stay in the accumulators from the first of these to the last.
	 */
	bool cut_sums;
	int buffers; /* that each input and result outside takes in turn: 2, or 1 if that is all */
	bool rolled; /* tiles are loops, not text */
	bool twice; /* what is made for it box by box takes two buffers in turn, not one */
};

struct plans {
	const struct stages *stages;
	struct plan *at; /* of each stage */
	struct layout *layout; /* of each value, by id */
	const struct value *
		*whole; /* by id of each value: the Concat or output it is computed into, or NULL */
	bool *outside; /* of each value, by id: it is in a slot, and comes in by tiles */
	/*
	 * By id of each value: the stage that makes it box by box, as tiles of the only stage that
	 * reads it need it, so that it is nowhere as a whole; PLAN_NO_STAGE: there is none.
	 */
	int *maker;
	const u8 *crowded; /* by stage: so often buffers beside it had no address; NULL: never */
	bool settled; /* all constants can stay in SRAM, and plans_settle() has found that */
	bool settling; /* transfers go on beside the work of earlier stages: */
	s64 worked, moved; /* cycles of these, and bytes of constants and inputs so far; */
	s64 room; /* bytes that constants may take beside what they are in the model; */
	s64 ahead; /* cycles by which transfers are later than work in stages to come, if not now */
	u64 sram; /* bytes of it that they are fitted into; 0: everything is in SRAM */
	bool roll; /* as compile_options.roll */
};

/*
 * Numbers the values of @g, gives them layouts, and plans its stages for @machine. 0, or a message
 * in g->err.
 */
int plans_make(struct graph *g, const struct stages *s, const struct rondo_machine *machine,
	       struct plans *out);

/*
 * Plans again what depends on where constants are, if all can stay in SRAM: they come in beside the
 * work of the stages before, so that more of them cost nothing until that is over.
 */
int plans_settle(struct graph *g, struct plans *p, const struct rondo_machine *machine);

/*
 * Fits the plans @p into @sram bytes: what is too large for them lies outside, stages that touch
 * it are cut into tiles, and large weights come in by pieces. -EFBIG and a message that names the
 * node, what it needs and what there is, where not even the smallest tiles fit.
 */
int plans_fit(struct graph *g, struct plans *p, const struct rondo_machine *machine, u64 sram);

/* Whether some value of @g cannot be in @sram bytes even by itself. */
bool plans_exceed(const struct plans *p, const struct graph *g, u64 sram);

/*
 * The cells that @a, an access of @s to a value in layout @l, touches in the tile of @size points
 * from @origin on; along what tiles do not cut, all that there are, so that they are in one piece.
 * The same for the result, with the padding beside it.
 */
struct box plan_in_box(const struct stage *s, const struct stage_access *a, const struct layout *l,
		       const s64 *origin, const s64 *size);
struct box plan_out_box(const struct stage *s, const struct layout *l, const s64 *origin,
			const s64 *size);

/*
 * The points of @s that make box @b of its result, of which it is the only maker; false: they are
 * no box.
 */
bool plan_points(const struct stage *s, const struct box *b, s64 *origin, s64 *size);

/*
 * Where input @a of @s, which lies outside in layout @lies, is read in steps, as by a convolution
 * of 1x1 with strides, it is from now on a value of nothing but what is read: no other cells come
 * in.
 * *@skipped: bytes from its first cell to the first one that is left. @want: the layout that the
 * plan has for it.
 */
void plan_thin(const struct stage *s, struct stage_access *a, struct layout *lies,
	       struct layout *want, u64 *skipped);

/*
 * Plans the pushes of @s, a product on the matrix unit, and how its tiles lie in the accumulators,
 * for plan->in and plan->pixels; if plan->cut_sums, those of its first tile.
 */
int plan_product(struct graph *g, const struct stage *s, const struct rondo_machine *m,
		 struct plan *plan);

/* What plan_product() makes pushes of: @s with as many pixels in the lanes, or its first tile. */
void plan_pack(const struct stage *s, const struct plan *plan, struct stage *packed);

/*
 * Whether several pixels of @s, floats, may lie in the lanes although their columns are far from
 * each other in @out: then each of them is a store of its own, from a register.
 */
bool plan_scatters(const struct stage *s, const struct layout *out);

/*
 * The weights of several pixels in the lanes, of which each has those of the one before, but taps
 * later. So rows of the last dimension of them hold the columns of one pixel, and the lane pattern
 * of a row of weights goes back by some rows from each pixel to the next. Before the first row are
 * those in which only the others have taps, and which are as if the first had none there.
 */
struct plan_slide {
	s64 columns; /* of a row in SRAM */
	s64 step; /* rows from each pixel to the next */
	s64 before; /* rows before the first */
};

/*
 * How those of @packed lie, which stage_pack() has made; false: each row holds all columns. Where
 * constants do not stay in SRAM (@settled) they slide if that saves much of it.
 */
bool plan_slides(const struct stage *packed, const struct rondo_machine *m, bool settled,
		 struct plan_slide *slide);

/*
 * Whether they come in once, too, where they cannot slide, since column tiles begin within a pixel,
 * and are stored for each pixel on the machine: those of bytes, of one push. (Those of tiles do
 * not: they are packed as they are pushed.)
 */
bool plan_spreads(const struct stage *packed, const struct rondo_machine *m, bool settled);

/*
 * The pushes that take the reduced dimensions of @s, whose input 0 lies in layout @in. @joined: the
 * pixels of a row of the window lie behind one another, as plan_joins() says, so that a push may
 * take several.
 */
int plan_pushes(struct graph *g, const struct stage *s, const struct layout *in, bool joined,
		const struct rondo_machine *m, struct tile_ks *k);
bool plan_joins(const struct stage *s, const struct layout *in);

/*
 * Tiles cut the reduced dimensions from now on. Along the innermost of them they are multiples of
 * plan_sums_grain(), and the smallest are of plan_least_sums().
 */
void plan_cut_sums(struct plan *plan);
s64 plan_sums_grain(const struct stage *s, const struct rondo_machine *m);
void plan_least_sums(const struct stage *s, const struct rondo_machine *m, s64 *size);

/* Plans @tile, a part of a stage whose plan is @whole, which reads its inputs in layouts @in. */
int plan_tile(struct graph *g, const struct stage *tile, const struct plan *whole,
	      const struct layout *in, const struct rondo_machine *machine, struct plan *out);

/* What is computed into a Concat lies where that does. */
void plan_parts(struct plans *p);

/* Plans stage @i again, for the layouts that values have now. */
int plan_again(struct graph *g, struct plans *p, int i, const struct rondo_machine *machine);

/*
 * Whether plans keep what they promise: everything that a stage touches is inside the layouts that
 * it uses; pushes take all of the reduced dimensions once, in order, and no more containers than
 * there are lanes; strips fit in the accumulators. -ENOTRECOVERABLE and a message.
 */
int plans_check(const struct graph *g, const struct plans *p, const struct rondo_machine *machine);

/* Prints one plan a paragraph: the unit, tiles, and the layouts it works on. */
void plans_print(const struct plans *p, FILE *out);

/* Bytes that an index of dimension @dim moves the element of @a by, in layout @l of a->as. */
s64 plan_stride(const struct stage_access *a, const struct layout *l, int dim);

/* Byte of the element of @a at the domain's first point, in layout @l. */
s64 plan_base(const struct stage_access *a, const struct layout *l);

#endif
