// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Saving and restoring a run: its parts, one after the other. What a bundle leaves in the
 * struct for itself (r->op, r->part) is no part of the state: the next cycle decodes anew.
 */
#include "emulator/reference/state.h"

/* @part of @size bytes; @ctx is the visitor's. */
typedef void visit_fn(void *ctx, void *part, u64 size);

static void walk(struct reference *r, visit_fn *visit, void *ctx)
{
	u32 i;

	visit(ctx, r->result, sizeof(*r->result));
	visit(ctx, &r->now, sizeof(r->now));
	visit(ctx, &r->at, sizeof(r->at));
	visit(ctx, &r->weight, sizeof(r->weight));
	visit(ctx, &r->defined, sizeof(r->defined));
	visit(ctx, &r->nests, sizeof(r->nests));
	visit(ctx, r->nest, sizeof(r->nest));
	visit(ctx, r->channel, sizeof(r->channel));
	for (i = 0; i < r->flights; i++) {
		struct ref_flight *f = &r->flight[i];

		visit(ctx, &f->left, sizeof(f->left));
		visit(ctx, &f->reg, sizeof(f->reg));
		visit(ctx, &f->tiles, sizeof(f->tiles));
	}
	visit(ctx, r->values, (u64)r->flights * r->tiles * sizeof(*r->values));
	for (i = 0; i < r->tiles; i++) {
		struct ref_tile *t = &r->tile[i];

		visit(ctx, t->vreg, sizeof(t->vreg));
		visit(ctx, t->weight, sizeof(t->weight));
		visit(ctx, t->acc, r->machine.acc_rows * sizeof(*t->acc));
		visit(ctx, t->sram, r->machine.sram_bytes);
	}
}

static void measure(void *ctx, void *part, u64 size)
{
	(void)part;
	*(u64 *)ctx += size;
}

static void save(void *ctx, void *part, u64 size)
{
	u8 **to = ctx;

	memcpy(*to, part, size);
	*to += size;
}

static void restore(void *ctx, void *part, u64 size)
{
	const u8 **from = ctx;

	memcpy(part, *from, size);
	*from += size;
}

u64 reference_state_bytes(struct reference *r)
{
	u64 bytes = 0;

	walk(r, measure, &bytes);
	return bytes;
}

void reference_save(struct reference *r, void *to)
{
	u8 *at = to;

	walk(r, save, &at);
}

void reference_restore(struct reference *r, const void *from)
{
	const u8 *at = from;

	walk(r, restore, &at);
}
