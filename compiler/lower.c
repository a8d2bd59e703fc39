// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/map.h"
#include "core/fnv.h"

enum {
	CONST_ALIGN = 4,
	SCRATCH_ALIGN = 64,
	CONTAINER_BYTES = 4,
	FILLED_VECTORS = 32, /* of padding at one time */
	KEY_BYTES = 4096, /* that constants of nodes are told apart by at first */
	SHARED_MAX = 4096, /* bytes of constants of a node that others use, too */
	WEIGHTS_HEAD = LOWER_SCALARS_MAX * sizeof(s32),
};

static u64 align_up(u64 n, u64 to)
{
	return (n + to - 1) / to * to;
}

/* Makes room for @size more bytes of weights; false, and the error is recorded, if there is none.
 */
static bool weights_reserve(struct lowering *l, u64 size)
{
	u64 need = WEIGHTS_HEAD + l->weights_bytes + size;
	u64 room = need * 2; /* what is not used takes no memory */
	u8 *bigger;

	if (l->weights_bytes + size > LOWER_WEIGHTS_MAX)
		l->error = -EFBIG;
	if (l->error || need <= l->weights_room)
		return !l->error;
	if (room > WEIGHTS_HEAD + LOWER_WEIGHTS_MAX)
		room = WEIGHTS_HEAD + LOWER_WEIGHTS_MAX;
	bigger = realloc(l->weights, room);
	if (!bigger) {
		l->error = -ENOMEM;
		return false;
	}
	l->weights_room = room;
	l->weights = bigger;
	return true;
}

/* Appends @size bytes (NULL: zeros), for which there is room; where they are. */
static u8 *weights_add(struct lowering *l, const void *bytes, u64 size)
{
	u64 padded = align_up(size, CONST_ALIGN);
	u8 *at = l->weights + l->weights_head + l->weights_bytes;

	if (bytes)
		memcpy(at, bytes, size);
	else
		memset(at, 0, size);
	memset(at + size, 0, padded - size);
	l->weights_bytes += padded;
	return at;
}

static struct mir_ref new_const(struct lowering *l, const void *bytes, u64 size, void **room)
{
	u64 start = l->weights_bytes;
	struct mir_buffer *buf;
	u8 *at;

	if (room)
		*room = NULL;
	if (!weights_reserve(l, align_up(size, CONST_ALIGN)))
		return mir_ref(MIR_NO_BUF, 0);
	if (l->consts == MIR_NO_BUF) {
		l->consts = mir_buffer(&l->mir, MIR_BUF_CONST, l->node_name, 0);
		if (l->consts == MIR_NO_BUF)
			return mir_ref(MIR_NO_BUF, 0);
		l->mir.buf[l->consts].slot_offset = start;
	}
	buf = &l->mir.buf[l->consts];
	at = weights_add(l, bytes, size);
	buf->bytes = l->weights_bytes - buf->slot_offset;
	if (room)
		*room = at;
	return mir_ref(l->consts, start - buf->slot_offset);
}

/* The bytes of constants @buf. */
static const u8 *bytes_of(const struct lowering *l, mir_buf buf)
{
	return l->weights + l->weights_head + l->mir.buf[buf].slot_offset;
}

/* The block before that is as the constants @buf, or NULL. */
static const struct lower_block *same_block(const struct lowering *l, mir_buf buf, u64 key)
{
	u64 bytes = l->mir.buf[buf].bytes;

	for (const struct lower_block *b = l->block[key % LOWER_BLOCKS]; b; b = b->next) {
		if (b->key == key && l->mir.buf[b->buf].bytes == bytes &&
		    !memcmp(bytes_of(l, b->buf), bytes_of(l, buf), bytes))
			return b;
	}
	return NULL;
}

/*
 * The node has all of its constants. If one before had the same, as the steps of an unrolled loop
 * do, they are in the slot once.
 */
static void end_consts(struct lowering *l)
{
	const struct lower_block *same;
	struct lower_block *block;
	mir_buf consts = l->consts;
	struct mir_buffer *buf;
	u64 key;

	l->consts = MIR_NO_BUF;
	if (l->error || consts == MIR_NO_BUF)
		return;
	buf = &l->mir.buf[consts];
	if (!buf->bytes || buf->slot_offset + buf->bytes != l->weights_bytes)
		return;
	key = rondo_fnv(bytes_of(l, consts), buf->bytes < KEY_BYTES ? buf->bytes : KEY_BYTES);
	same = same_block(l, consts, key);
	if (same) {
		l->weights_bytes = buf->slot_offset;
		buf->slot_offset = l->mir.buf[same->buf].slot_offset;
		return;
	}
	block = graph_alloc(l->g, sizeof(*block));
	if (!block) {
		l->error = -ENOMEM;
		return;
	}
	*block = (struct lower_block){ key, consts, l->block[key % LOWER_BLOCKS] };
	l->block[key % LOWER_BLOCKS] = block;
}

/* Whether the tile before had @m at this place, too. */
static bool is_same_const(const struct lowering *l, const struct lower_memo *m, const void *bytes,
			  u64 size)
{
	const u8 *is = bytes_of(l, m->ref.buf) + m->ref.offset;

	return m->size == size && (!bytes || !memcmp(is, bytes, size));
}

struct mir_ref lower_const(struct lowering *l, const void *bytes, u64 size, void **room)
{
	struct lower_tile *t = &l->tile;
	struct mir_ref ref;

	if (t->active && t->next < t->memos && is_same_const(l, &t->memo[t->next], bytes, size)) {
		if (room)
			*room = NULL;
		return t->memo[t->next++].ref;
	}
	ref = new_const(l, bytes, size, room);
	if (!t->active || t->next != t->memos || t->memos == LOWER_MEMOS || ref.buf == MIR_NO_BUF)
		return ref;
	t->memo[t->memos++] = (struct lower_memo){ size, ref };
	t->next = t->memos;
	return ref;
}

u64 lower_const_outside(struct lowering *l, const void *bytes, u64 size, void **room)
{
	u64 start = l->weights_bytes;
	u8 *at;

	if (room)
		*room = NULL;
	if (!weights_reserve(l, align_up(size, CONST_ALIGN)))
		return 0;
	l->consts = MIR_NO_BUF; /* those that follow are not beside those before */
	at = weights_add(l, bytes, size);
	if (room)
		*room = at;
	return start;
}

/* The same where tiles are rolled: such a buffer is filled over and over. */
static mir_buf rolled_piece(struct lowering *l, u64 offset, u64 bytes, const s64 *stride)
{
	struct lower_transfer t = { .dir = RONDO_DMA_IN,
				    .slot = SLOT_WEIGHTS,
				    .slot_offset = offset,
				    .rows = { .bytes = bytes } };

	t.buf = lower_roll_buffer(l, STAGE_INPUTS + 1 + l->roll.pieces++, l->node_name, bytes);
	lower_roll_transfer(l, &t, stride);
	return t.buf;
}

mir_buf lower_piece(struct lowering *l, u64 offset, u64 bytes, int ahead, const s64 *stride)
{
	mir_buf b;

	if (l->roll.active)
		return rolled_piece(l, offset, bytes, stride);
	b = mir_buffer(&l->mir, MIR_BUF_CONST, l->node_name, bytes);

	if (b == MIR_NO_BUF)
		return b;
	l->mir.buf[b].slot_offset = offset;
	l->mir.buf[b].ahead = ahead;
	return b;
}

struct mir_ref lower_scalar(struct lowering *l, float f)
{
	s32 bits;
	int i = 0;

	memcpy(&bits, &f, sizeof(bits));
	while (i < l->n_scalars && l->scalar[i] != bits)
		i++;
	if (i == LOWER_SCALARS_MAX)
		return new_const(l, &f, sizeof(f), NULL);
	if (!l->n_scalars)
		l->scalars = mir_buffer(&l->mir, MIR_BUF_CONST, "scalars", 0);
	if (i == l->n_scalars)
		l->scalar[l->n_scalars++] = bits;
	return mir_ref(l->scalars, (s64)(i * sizeof(bits)));
}

/* Puts the scalars before all other constants: the first stage uses some already. */
static void finish_scalars(struct lowering *l)
{
	u64 bytes = l->n_scalars * sizeof(*l->scalar);
	struct mir *m = &l->mir;

	if (!l->n_scalars || l->scalars == MIR_NO_BUF || !weights_reserve(l, bytes))
		return;
	l->weights_head -= bytes;
	memcpy(l->weights + l->weights_head, l->scalar, bytes);
	l->weights_bytes += bytes;
	for (int b = 0; b < m->bufs; b++)
		m->buf[b].slot_offset += m->buf[b].kind == MIR_BUF_CONST ? bytes : 0;
	for (int i = 0; i < l->transfers; i++)
		l->transfer[i].slot_offset += l->transfer[i].slot == SLOT_WEIGHTS ? bytes : 0;
	m->buf[l->scalars].slot_offset = 0;
	m->buf[l->scalars].bytes = bytes;
}

vreg lower_f32(struct lowering *l, float f, int count)
{
	s32 bits;

	memcpy(&bits, &f, sizeof(bits));
	if (bits == (s16)bits) /* an immediate, which need not be fetched: 0 above all */
		return mir_movi(&l->mir, bits);
	return mir_load(&l->mir, RONDO_OP_ldb_w, lower_scalar(l, f), count);
}

struct operand_at lower_in(struct lowering *l, const struct value *v)
{
	struct operand_at at = { .layout = layout_dense(v) };
	struct mir_ref ref;

	if (!value_is_const(v) || l->value[v->id].buf != MIR_NO_BUF)
		return l->value[v->id];
	ref = lower_const(l, v->data, at.layout.bytes, NULL);
	at.buf = ref.buf;
	at.layout.base = ref.offset;
	if (!l->tile.active && ref.buf != MIR_NO_BUF && l->mir.buf[ref.buf].bytes <= SHARED_MAX)
		l->value[v->id] = at;
	return at;
}

enum map_type lower_type(const struct value *v)
{
	switch (value_element(v)) {
	case 1:
		return v->dtype == DTYPE_S8 ? MAP_S8 : MAP_U8;
	case 2:
		return MAP_BF16;
	case 4:
		return MAP_WORDS;
	default:
		return MAP_LOW;
	}
}

/* Whether @l moves by whole containers only, its last dimension by elements that fill them. */
static bool fills_containers(const struct layout *l)
{
	int inner = l->rank - 1;

	if (l->element >= CONTAINER_BYTES || inner < 0 || l->stride[inner] != l->element ||
	    (l->base | l->dim[inner] * l->element) % CONTAINER_BYTES)
		return false;
	for (int d = 0; d < inner; d++) {
		if (l->stride[d] % CONTAINER_BYTES)
			return false;
	}
	return true;
}

static void copy_body(struct mir *m, const struct map *map, void *arg)
{
	(void)arg;
	map_store(m, map, 0, map_load(m, map, 1, 0));
}

void lower_copy(struct lowering *l, const struct operand_at *to, const struct operand_at *from)
{
	bool whole = fills_containers(&to->layout) && fills_containers(&from->layout);
	enum map_type type = whole || to->layout.element >= CONTAINER_BYTES ? MAP_WORDS :
			     to->layout.element == 1			    ? MAP_U8 :
									      MAP_BF16;
	struct map map = {
		.operands = 2,
		.operand = { { to->buf, to->layout.base, type },
			     { from->buf, from->layout.base, type } },
		.body = copy_body,
	};
	int i, inner = to->layout.rank - 1;

	if (!to->layout.bytes)
		return;
	for (i = 0; i < to->layout.rank; i++) {
		s64 by = whole && i == inner ? CONTAINER_BYTES / to->layout.element : 1;

		map_dim(&map, to->layout.dim[i] / by,
			(s64[]){ to->layout.stride[i] * by, from->layout.stride[i] * by });
	}
	if (to->layout.element > CONTAINER_BYTES)
		map_dim(&map, to->layout.element / CONTAINER_BYTES,
			(s64[]){ CONTAINER_BYTES, CONTAINER_BYTES });
	map_run(&l->mir, l->machine->lanes, &map);
}

static void fill_body(struct mir *m, const struct map *map, void *arg)
{
	map_store(m, map, 0, *(vreg *)arg);
}

/* Containers of what @layout is filled with. */
static vreg fill_element(struct lowering *l, const struct layout *layout)
{
	u32 bytes = (u8)(s32)layout->fill * 0x01010101u;
	float f;

	if (layout->element != 1)
		return lower_f32(l, layout->fill, l->machine->lanes);
	memcpy(&f, &bytes, sizeof(f));
	return lower_f32(l, f, l->machine->lanes);
}

/* Fills @n units of @at, containers or bytes, from byte @offset on. */
static void fill_part(struct lowering *l, const struct operand_at *at, vreg fill, u64 offset, u64 n,
		      enum map_type type)
{
	struct map map = {
		.operands = 1,
		.operand = { { .buf = at->buf, .offset = (s64)offset, .type = type } },
		.body = fill_body,
		.arg = &fill,
	};

	map_dim(&map, (s64)n, (s64[]){ type == MAP_WORDS ? CONTAINER_BYTES : 1 });
	map_run(&l->mir, l->machine->lanes, &map);
}

/* The same in parts that are short enough for gaps of the stream. */
static void fill_range(struct lowering *l, const struct operand_at *at, vreg fill, u64 offset,
		       u64 n, enum map_type type)
{
	u64 most = FILLED_VECTORS * (u64)l->machine->lanes,
	    size = type == MAP_WORDS ? CONTAINER_BYTES : 1;

	for (; n > 2 * most && !l->tile.active; n -= most, offset += most * size)
		fill_part(l, at, fill, offset, most, type);
	fill_part(l, at, fill, offset, n, type);
}

/*
 * Fills @at from byte @from on: what are elements is written later. A tile of a few channels of
 * bytes need not be whole containers.
 */
static void fill_from(struct lowering *l, const struct operand_at *at, vreg fill, u64 from)
{
	u64 bytes = at->layout.bytes - from, rest = bytes % CONTAINER_BYTES;

	if (bytes > rest)
		fill_range(l, at, fill, from, bytes / CONTAINER_BYTES, MAP_WORDS);
	if (rest)
		fill_range(l, at, mir_movi(&l->mir, (u8)(s32)at->layout.fill), from + bytes - rest,
			   rest, MAP_U8);
}

void lower_fill_end(struct lowering *l, const struct operand_at *at, u64 bytes)
{
	fill_from(l, at, fill_element(l, &at->layout), at->layout.bytes - bytes);
}

/* Fills @n cells of @at along dimension @dim, from cell @first on. */
static void fill_slab(struct lowering *l, const struct operand_at *at, vreg fill, int dim,
		      s64 first, s64 n)
{
	const struct layout *a = &at->layout;
	struct map map = { .operands = 1,
			   .operand = { { .buf = at->buf, .offset = a->base } },
			   .body = fill_body,
			   .arg = &fill };

	if (n <= 0)
		return;
	for (int d = 0; d < a->rank; d++) {
		map.operand[0].offset += (d == dim ? first : -a->pad[d]) * a->stride[d];
		map_dim(&map, d == dim ? n : a->cells[d], &a->stride[d]);
	}
	map_run(&l->mir, l->machine->lanes, &map);
}

void lower_fill(struct lowering *l, const struct operand_at *at)
{
	const struct layout *a = &at->layout;
	vreg fill;

	if (!a->halo)
		return;
	fill = fill_element(l, a);
	if (!l->tile.active || a->element != CONTAINER_BYTES) {
		fill_from(l, at, fill, 0);
		return;
	}
	for (int d = 0; d < a->rank; d++) {
		s64 end = a->cells[d] - a->pad[d];
		s64 behind = a->dim[d] > -a->pad[d] ? a->dim[d] : -a->pad[d];

		fill_slab(l, at, fill, d, -a->pad[d],
			  a->pad[d] < a->cells[d] ? a->pad[d] : a->cells[d]);
		fill_slab(l, at, fill, d, behind, end - behind);
	}
}

struct operand_at lower_buffer(struct lowering *l, const char *name, const struct layout *layout)
{
	struct operand_at at = { .layout = *layout };

	at.buf = mir_buffer(&l->mir, MIR_BUF_VALUE, name, layout->bytes);
	lower_fill(l, &at);
	return at;
}

struct operand_at lower_in_as(struct lowering *l, const struct value *v, const struct layout *want)
{
	struct operand_at is = lower_in(l, v), at;
	struct layout here = *want;

	here.base = is.layout.base; /* constants of a node share a buffer */
	here.bytes = is.layout.bytes;
	if (layout_equal(&is.layout, want) ||
	    (value_is_const(v) && !want->halo && layout_equal(&is.layout, &here)))
		return is;
	at = lower_buffer(l, v->name, want);
	lower_copy(l, &at, &is);
	return at;
}

struct operand_at lower_input(struct lowering *l, const struct stage *s, const struct plan *p,
			      int i)
{
	const struct stage_access *a = &s->in[i];
	struct layout dense = layout_dense(a->value);
	struct operand_at at;

	if (l->tile.active && l->tile.in[i].buf != MIR_NO_BUF)
		return l->tile.in[i];
	if (shape_equal(&a->as, &a->value->shape))
		return lower_in_as(l, a->value, &p->in[i]);
	at = lower_in_as(l, a->value, &dense);
	dense.base = at.layout.base;
	at.layout = p->in[i];
	at.layout.base += dense.base;
	return at;
}

u32 lower_scratch_slot(const struct lowering *l)
{
	return (u32)(SLOT_WEIGHTS + 1 + l->g->inputs.n + l->g->outputs.n);
}

/* The slot of output @v. */
static u32 output_slot(const struct lowering *l, const struct value *v)
{
	size_t i = 0;

	while (l->g->outputs.v[i] != v)
		i++;
	return (u32)(SLOT_WEIGHTS + 1 + l->g->inputs.n + i);
}

struct operand_at lower_place(struct lowering *l, const struct value *v)
{
	const struct value *whole = l->plans->whole[v->id];
	struct operand_at *at = &l->value[v->id];

	if (at->outside || at->buf != MIR_NO_BUF || !l->plans->outside[v->id])
		return *at;
	if (whole)
		*at = lower_place(l, whole);
	at->layout = l->plans->layout[v->id];
	at->outside = true;
	if (whole) {
		at->slot_offset += (u64)(at->layout.base - l->plans->layout[whole->id].base);
		return *at;
	}
	if (v->is_output) {
		at->slot = output_slot(l, v);
		return *at;
	}
	at->slot = lower_scratch_slot(l);
	at->slot_offset = l->scratch_bytes;
	l->scratch_bytes += align_up(at->layout.bytes, SCRATCH_ALIGN);
	if (l->scratch_bytes > RONDO_SLOT_BYTES_MAX)
		l->error = -ENOSPC;
	return *at;
}

void lower_add_transfer(struct lowering *l, const struct lower_transfer *t)
{
	struct lower_transfer *bigger;

	if (l->transfers == l->transfer_room) {
		l->transfer_room = 2 * l->transfer_room + 64;
		bigger = graph_alloc(l->g, (size_t)l->transfer_room * sizeof(*bigger));
		if (!bigger) {
			l->error = -ENOMEM;
			return;
		}
		if (l->transfers)
			memcpy(bigger, l->transfer, l->transfers * sizeof(*bigger));
		l->transfer = bigger;
	}
	l->transfer[l->transfers++] = *t;
}

/* The buffer of @v, which is in SRAM: its own, or that of the Concat of which it is a part. */
static struct operand_at in_sram(struct lowering *l, const struct value *v)
{
	const struct value *whole = l->plans->whole[v->id];
	struct operand_at *at = &l->value[v->id];

	if (at->buf != MIR_NO_BUF)
		return *at;
	if (whole)
		*at = in_sram(l, whole);
	else
		*at = lower_buffer(l, v->name, &l->plans->layout[v->id]);
	at->layout = l->plans->layout[v->id];
	return *at;
}

struct operand_at lower_out(struct lowering *l, const struct stage *s)
{
	if (l->tile.active && l->tile.out.buf != MIR_NO_BUF)
		return l->tile.out;
	return in_sram(l, s->out.value);
}

static void begin_node(struct lowering *l, const char *name, const struct node *n)
{
	end_consts(l);
	l->node_name = name;
	mir_node(&l->mir, name, n);
}

int lower_never(struct lowering *l, const struct stage *s, const struct plan *p)
{
	(void)p;
	return node_fail(l->g, s->node, -ENOTSUP, "the operator is not mapped in this form");
}

typedef int lower_fn(struct lowering *l, const struct stage *s, const struct plan *p);

static lower_fn *const lower_fns[OP_COUNT] = {
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	[OP_##id] = lower_##lower,
#include "compiler/ops.def"
};

bool lower_maps(enum op op)
{
	return lower_fns[op] != lower_never;
}

/* Each value must fit in a buffer of a device, since it may have to lie outside of SRAM. */
static int check_value(const struct graph *g, const struct node *n, const struct value *v)
{
	u64 bytes = v ? layout_dense(v).bytes : 0;

	if (bytes <= RONDO_SLOT_BYTES_MAX)
		return 0;
	return node_fail(
		g, n, -EFBIG, "\"%.80s\" needs %llu bytes, a buffer of a device has at most %llu",
		v->name, (unsigned long long)bytes, (unsigned long long)RONDO_SLOT_BYTES_MAX);
}

int lower_check_sizes(const struct graph *g)
{
	int err = 0;

	for (const struct node *n = g->first; n && !err; n = n->next) {
		for (int i = 0; i < n->n_in && !err; i++)
			err = check_value(g, n, node_in(n, i));
		if (!err)
			err = check_value(g, n, n->out[0]);
	}
	return err;
}

static int too_many_weights(const struct lowering *l, const struct node *n)
{
	return node_fail(l->g, n, -EFBIG, "more than %u MiB of weights", LOWER_WEIGHTS_MAX >> 20);
}

int lower_error(const struct lowering *l, const struct node *n)
{
	switch (l->error ? l->error : l->mir.error) {
	case 0:
		return 0;
	case -EFBIG:
		return l->error ?
			       too_many_weights(l, n) :
			       node_fail(l->g, n, -EFBIG, "more than %d operations", MIR_ITEMS_MAX);
	case -ENOSPC:
		return node_fail(l->g, n, -EFBIG, "more than %llu bytes of values outside of SRAM",
				 (unsigned long long)RONDO_SLOT_BYTES_MAX);
	case -E2BIG:
		return node_fail(l->g, n, -EFBIG, "loops nest deeper than %d", RONDO_LOOP_DEPTH);
	default:
		return node_fail(l->g, n, -ENOMEM, "no memory");
	}
}

int lower_stage_fn(struct lowering *l, const struct stage *s, const struct plan *p)
{
	return lower_fns[s->node->op](l, s, p);
}

/* @before: the node of the stage before, whose part this may be another of. */
static int lower_stage(struct lowering *l, const struct stage *s, const struct plan *p,
		       const struct node *before)
{
	struct node *n = s->node;
	int err;

	if (n != before)
		begin_node(l, *n->name ? n->name : op_infos[n->model_op].name, n);
	err = p->tiled ? lower_tiles(l, s, p) : lower_stage_fn(l, s, p);
	return err ? err : lower_error(l, n);
}

/* The result as the caller of a program sees it: row-major. */
static void lower_result(struct lowering *l, const struct value *v)
{
	struct layout layout = layout_dense(v);

	begin_node(l, v->name, v->producer);
	if (!l->value[v->id].outside)
		l->value[v->id] = lower_in_as(l, v, &layout);
}

/* Beside the weights and @others every input and output has a slot. */
static int check_slots(const struct graph *g, size_t others)
{
	size_t n = g->inputs.n, max = RONDO_PROGRAM_SLOTS_MAX - 1 - others;

	if (n + g->outputs.n <= max)
		return 0;
	return graph_fail(g, -EFBIG, "%s \"%.120s\" is one of more than %zu inputs and outputs",
			  n > max ? "input" : "output",
			  (n > max ? g->inputs.v[max] : g->outputs.v[max - n])->name, max);
}

/* Buffers of the inputs; all other values have none yet. */
static int start_values(struct lowering *l)
{
	struct graph *g = l->g;
	u32 values = 0;

	for (struct value *v = g->values; v; v = v->next)
		values++;
	l->value = graph_alloc(g, (values + 1) * sizeof(*l->value));
	if (!l->value)
		return g->err->code;
	for (u32 i = 0; i < values; i++)
		l->value[i].buf = MIR_NO_BUF;
	for (size_t i = 0; i < g->inputs.n; i++) {
		const struct value *v = g->inputs.v[i];

		l->value[v->id].layout = l->plans->layout[v->id];
		l->value[v->id].outside = l->plans->outside[v->id];
		l->value[v->id].slot = (u32)(SLOT_WEIGHTS + 1 + i);
		if (l->value[v->id].outside)
			continue;
		l->value[v->id].buf =
			mir_buffer(&l->mir, MIR_BUF_VALUE, v->name, l->value[v->id].layout.bytes);
	}
	return 0;
}

/*
 * Constants that stages copy whole, each its own, before any of them is copied: a short file may
 * name a large one often.
 */
static int check_copies(const struct lowering *l)
{
	const struct stages *s = l->plans->stages;
	u64 bytes = 0;

	for (int i = 0; i < s->count; i++) {
		const struct stage *stage = s->at[i];

		if (l->plans->at[i].tiled || !op_mapped_by(stage->node->op, "elementwise"))
			continue;
		for (int k = 0; k < STAGE_INPUTS; k++) {
			const struct value *v = stage->in[k].value;

			if (value_is_const(v))
				bytes += layout_dense(v).bytes;
		}
		if (bytes > LOWER_WEIGHTS_MAX)
			return too_many_weights(l, stage->node);
	}
	return 0;
}

static int check_items(const struct lowering *l)
{
	const char *fault;
	int at, rc = mir_check(&l->mir, &fault, &at);

	if (rc == -ENOTRECOVERABLE)
		return node_fail(l->g, mir_node_of(&l->mir, at - 1), rc, "its code is wrong: %s",
				 fault);
	return rc ? graph_fail(l->g, rc, "no memory") : 0;
}

int lower_graph(struct lowering *l, struct graph *g, const struct plans *plans,
		const struct rondo_machine *machine, u64 sram)
{
	const struct stages *s = plans->stages;
	int err = check_slots(g, 0);

	*l = (struct lowering){ .g = g,
				.plans = plans,
				.machine = machine,
				.sram = sram,
				.weights = l->weights,
				.weights_room = l->weights_room,
				.weights_head = WEIGHTS_HEAD,
				.consts = MIR_NO_BUF };
	mir_init(&l->mir, graph_arena(g));
	if (!err)
		err = check_copies(l);
	if (!err)
		err = start_values(l);
	for (int i = 0; i < s->count && !err; i++) {
		if (plans->maker[s->at[i]->out.value->id] == PLAN_NO_STAGE)
			err = lower_stage(l, s->at[i], &plans->at[i],
					  i ? s->at[i - 1]->node : NULL);
	}
	for (size_t i = 0; i < g->outputs.n && !err; i++) {
		lower_result(l, g->outputs.v[i]);
		err = lower_error(l, g->outputs.v[i]->producer);
	}
	if (err)
		return err;
	end_consts(l);
	finish_scalars(l);
	err = check_slots(g, !!l->scratch_bytes);
	if (err)
		return err;
	err = lower_error(l, NULL);
	if (err)
		return err;
	mir_drop_single_trips(&l->mir);
	return check_items(l);
}
