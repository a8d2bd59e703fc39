// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What machine IR promises: see mir.h. */
#include "compiler/mir.h"

#include <errno.h>

#include "core/affine.h"

struct checker {
	const struct mir *m;
	u64 trips[RONDO_LOOP_DEPTH]; /* of the open loops */
	int depth, tiles; /* tiles: how many of them, the outermost, are of tiles */
	u8 *written; /* by virtual register: parts that have been written, a bit each */
	const char *fault; /* NULL: none */
};

/* All bytes that @item touches, over all trips of the open loops, are in its buffer. */
static void check_ref(struct checker *c, const struct mir_item *item)
{
	struct rondo_entry entry;
	const struct rondo_access access = mir_access(item, &entry);
	struct rondo_hull hull = rondo_access_hull(&access);
	u64 bytes;
	int d;

	if (item->ref.buf < 0 || item->ref.buf >= c->m->bufs) {
		c->fault = "an access to no buffer";
		return;
	}
	for (d = 0; d < c->depth; d++)
		rondo_hull_extend(&hull, item->ref.stride[d], (u32)(c->trips[d] - 1));
	for (; d < RONDO_LOOP_DEPTH; d++) {
		if (item->ref.stride[d] || item->ref.row_stride[d])
			c->fault = "a stride of a loop that is not open";
	}
	/* The last container of what is only moved may not be full. */
	bytes = (c->m->buf[item->ref.buf].bytes + 3) / 4 * 4;
	if (item->ref.offset + hull.lo < 0 || (u64)(item->ref.offset + hull.hi) > bytes)
		c->fault = "an access outside of its buffer";
}

static void check_read(struct checker *c, vreg v, int width)
{
	if (v == VREG_NONE)
		return;
	if (v < 0 || v >= c->m->vregs || c->m->vreg_width[v] != width)
		c->fault = "a register of another width";
	else if (c->written[v] != (1u << width) - 1)
		c->fault = "a register that is read before it is written";
}

static void check_write(struct checker *c, vreg v, u8 part)
{
	if (v == VREG_NONE)
		return;
	if (v < 0 || v >= c->m->vregs || part >= c->m->vreg_width[v])
		c->fault = "a register of another width";
	else
		c->written[v] |= (u8)(1u << part);
}

static void open_loop(struct checker *c, const struct mir_item *item)
{
	c->trips[c->depth++] = item->trip;
	c->tiles += item->tiles;
}

static void check_item(struct checker *c, const struct mir_item *item)
{
	switch (item->kind) {
	case MIR_LOOP:
		if (c->depth == RONDO_LOOP_DEPTH || item->trip < 2)
			c->fault = "a loop of one trip, or too deep";
		else if (item->tiles && (c->tiles < c->depth || c->tiles == RONDO_DMA_LOOP_DEPTH))
			c->fault = "a loop of tiles in another, or too deep";
		else
			open_loop(c, item);
		break;
	case MIR_END:
		if (!c->depth--)
			c->fault = "an end of no loop";
		else if (c->tiles > c->depth)
			c->tiles = c->depth;
		break;
	case MIR_NODE:
		break;
	case MIR_STEP:
		if (c->depth > c->tiles)
			c->fault = "a step in a loop";
		break;
	case MIR_SEND:
	case MIR_FETCH:
		if (c->depth > c->tiles)
			c->fault = "a transfer in a loop";
		else if (item->group == MIR_NO_GROUP &&
			 (item->kind == MIR_FETCH || c->depth || item->ref.buf < 0 ||
			  item->ref.buf >= c->m->bufs))
			c->fault = "a transfer of no buffer";
		break;
	case MIR_OP:
		check_read(c, item->a, 1);
		check_read(c, item->b, 1);
		check_read(c, item->c, 1);
		check_read(c, item->params, 3);
		check_write(c, item->dst, item->dst_part);
		if (rondo_op_has_address(item->op.op))
			check_ref(c, item);
		break;
	}
}

int mir_check(const struct mir *m, const char **fault, int *at)
{
	struct checker c = { .m = m, .written = arena_alloc(m->arena, m->vregs + 1) };

	*fault = NULL;
	if (!c.written)
		return -ENOMEM;
	for (*at = 0; *at < m->items && !c.fault; ++*at)
		check_item(&c, &m->item[*at]);
	if (!c.fault && c.depth)
		c.fault = "a loop without an end";
	*fault = c.fault;
	return c.fault ? -ENOTRECOVERABLE : 0;
}
