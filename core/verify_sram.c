// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Bounds of the accesses of slots L, S, W and M.
 *
 * Threat: an address that leaves SRAM, the accumulators or the weight buffers in some trip.
 *
 * Mechanism: an affine function over a box of indices takes its least and its greatest value at
 * corners of the box, so its interval hull is exact: each stride extends one end. Lane patterns,
 * rows and the size of elements are further dimensions (core/affine.h).
 *
 * Invariant: sums that might overflow are checked, and one that does is out of bounds, since the
 * ends of a hull only move apart. What is not checked is a constant number of terms below 2^40.
 */
#include "core/verify_state.h"

/* All bytes over all trips; ENTRY_ALIGN or SRAM_BOUNDS. */
static u32 check_bounds(const struct rondo_verify *v, const struct rondo_access *a,
			struct rondo_hull *hull)
{
	const struct rondo_entry *entry = a->entry;
	s64 base = rondo_access_base(a);
	u32 bits = (u32)base, d; /* of all that must be aligned */

	*hull = rondo_access_hull(a);
	hull->lo += base;
	hull->hi += base;
	if (entry->seg_len)
		bits |= (u32)entry->seg_stride;
	for (d = 0; d < v->depth; d++) {
		if (!entry->stride[d])
			continue;
		bits |= (u32)entry->stride[d];
		if (!rondo_hull_extend(hull, entry->stride[d], v->loop[d].steps))
			return RONDO_ERR_SRAM_BOUNDS;
	}
	if (bits & (a->size - 1))
		return RONDO_ERR_ENTRY_ALIGN;
	return rondo_hull_inside(hull, v->machine.sram_bytes) ? RONDO_ERR_NONE :
								RONDO_ERR_SRAM_BOUNDS;
}

/* The bytes that a store writes, as a strided set for verify_clear.c. */
static void store_strided(const struct rondo_verify *v, const struct rondo_access *a,
			  struct rondo_strided *s)
{
	const struct rondo_entry *entry = a->entry;
	s64 base = rondo_access_base(a);
	u32 segment = entry->seg_len, d;

	if (!rondo_access_segmented(a)) {
		rondo_strided_begin(s, base, a->count * a->size);
	} else if (a->count % segment == 0) {
		rondo_strided_begin(s, base, segment * a->size);
		rondo_strided_extend(s, entry->seg_stride, a->count / segment - 1);
	} else {
		rondo_strided_begin(s, base, 0);
	}
	for (d = 0; d < v->depth; d++)
		rondo_strided_loop(s, entry->stride[d], v->loop[d].steps, d);
}

static u32 check_sram(struct rondo_verify *v, const struct rondo_access *a, bool write)
{
	struct rondo_hull hull;
	struct rondo_strided s;
	u32 error = check_bounds(v, a, &hull);

	if (!error && v->outstanding)
		error = rondo_race_access(v, a, &hull, write);
	if (error)
		return error;
	if (!write) {
		rondo_clear_read(v, &hull);
	} else if (v->all_tiles && !rondo_clear_knows(v, &hull)) {
		store_strided(v, a, &s);
		rondo_clear_written(v, &s);
	}
	return RONDO_ERR_NONE;
}

/* Rows over all trips are within [0, @rows); @bounds. */
static u32 check_row(const struct rondo_verify *v, const struct rondo_entry *entry, u32 row,
		     u32 rows, u32 bounds)
{
	struct rondo_hull hull = { row, (s64)row + 1 };
	u32 d;

	for (d = 0; d < v->depth; d++)
		if (entry->row_stride[d] &&
		    !rondo_hull_extend(&hull, entry->row_stride[d], v->loop[d].steps))
			return bounds;
	return rondo_hull_inside(&hull, rows) ? RONDO_ERR_NONE : bounds;
}

/* The weight rows of a push are static: its entry moves the accumulator row. */
static u32 check_push(const struct rondo_verify *v, const struct rondo_op *op,
		      const struct rondo_entry *entry)
{
	if (op->mode > 2 || (op->mode == 2 && !entry->first))
		return RONDO_ERR_PUSH_MODE;
	if (op->mode == 2 && entry->first >> v->depth)
		return RONDO_ERR_ENTRY_LOOP;
	if (op->wrow + op->count > v->machine.lanes)
		return RONDO_ERR_WEIGHT_BOUNDS;
	return RONDO_ERR_NONE;
}

static u32 check_rows(const struct rondo_verify *v, const struct rondo_op *op,
		      const struct rondo_entry *entry)
{
	const struct rondo_machine *m = &v->machine;
	u32 error = RONDO_ERR_NONE;

	if (rondo_op_reads_weights(op->op))
		error = check_push(v, op, entry);
	if (!error && rondo_op_has_acc(op->op))
		error = check_row(v, entry, op->row, m->acc_rows, RONDO_ERR_ACC_BOUNDS);
	if (!error && rondo_op_writes_weights(op->op))
		error = check_row(v, entry, op->wrow, m->lanes, RONDO_ERR_WEIGHT_BOUNDS);
	return error;
}

u32 rondo_verify_access(struct rondo_verify *v, const struct rondo_op *op)
{
	const struct rondo_entry *entry;
	struct rondo_access a;
	u32 error;

	if (op->entry >= v->program.header->entries)
		return RONDO_ERR_ENTRY_INDEX;
	if (op->count > v->machine.lanes || op->lane + op->count > v->machine.lanes)
		return RONDO_ERR_LANES;
	if (v->entry_loops[op->entry] > v->depth)
		return RONDO_ERR_ENTRY_LOOP;
	entry = &v->program.entries[op->entry];
	error = check_rows(v, op, entry);
	if (error || !rondo_op_has_address(op->op))
		return error;
	a = (struct rondo_access){
		.entry = entry,
		.off = op->off,
		.size = rondo_element_bytes(op->op),
		.count = rondo_elements(op->op, op->count),
		.rows = rondo_element_rows(op),
	};
	return check_sram(v, &a, rondo_op_writes_sram(op->op));
}
