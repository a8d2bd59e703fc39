// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The state of a machine of many tiles, and a run from one point where tiles meet to the next.
 */
#include "emulator/exec/mesh/mesh.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "core/codec.h"

static size_t round_up(size_t bytes, size_t to)
{
	return (bytes + to - 1) / to * to;
}

/* Where everything lies. Strides are no multiples of a page, so that columns differ in sets. */
static void lay_out(struct mesh *m)
{
	enum { PAGE = 4096, LINE = 64 };
	const struct rondo_machine *machine = &m->machine;
	size_t at;

	m->block_tiles = RONDO_LANES_MAX / machine->lanes;
	m->row_blocks = (machine->mesh_w + m->block_tiles - 1) / m->block_tiles;
	m->blocks = m->row_blocks * machine->mesh_h;
	m->reg_stride = round_up(m->blocks * sizeof(exec_vreg), PAGE) + sizeof(exec_vreg);
	m->weight_stride = 2 * machine->lanes * sizeof(struct weight_row);
	m->sram_stride = machine->sram_bytes + LINE;
	at = (MESH_SCRATCH + 1) * m->reg_stride;
	m->acc = (u8 *)at;
	at += machine->acc_rows * m->reg_stride;
	m->weights = (u8 *)at;
	at = round_up(at + m->blocks * m->weight_stride, PAGE);
	m->sram = (u8 *)at;
	m->bytes = at + (size_t)machine->mesh_w * machine->mesh_h * m->sram_stride;
}

u64 mesh_reservation(const struct rondo_machine *machine)
{
	struct mesh m = { .machine = *machine };

	lay_out(&m);
	return m.bytes;
}

struct mesh *mesh_create(const struct rondo_machine *machine)
{
	struct mesh *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->machine = *machine;
	m->push = push_kernels(0);
	lay_out(m);
	m->memory = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	m->pool = mesh_pool_create(MESH_THREADS);
	m->worker = mesh_workers();
	if (m->memory == MAP_FAILED || !m->pool || !m->worker) {
		m->memory = m->memory == MAP_FAILED ? NULL : m->memory;
		mesh_destroy(m);
		return NULL;
	}
	/* A huge page would bring the memory of many tiles with the first byte of one. */
	madvise(m->memory, m->bytes, MADV_NOHUGEPAGE);
	m->regs = m->memory;
	m->acc = m->memory + (size_t)m->acc;
	m->weights = m->memory + (size_t)m->weights;
	m->sram = m->memory + (size_t)m->sram;
	return m;
}

void mesh_destroy(struct mesh *m)
{
	if (!m)
		return;
	mesh_pool_destroy(m->pool);
	if (m->memory)
		munmap(m->memory, m->bytes);
	free(m->worker);
	free(m);
}

/* The operation between tiles of a bundle, or NULL. */
static const struct exec_op *between_tiles(const struct exec_program *p,
					   const struct exec_bundle *b,
					   const struct mesh_op **extra)
{
	for (u32 i = b->first; i < b->first + b->ops; i++) {
		if (!rondo_op_reads_mesh(p->op[i].op))
			continue;
		*extra = &p->mesh->op[i];
		return &p->op[i];
	}
	return NULL;
}

/*
 * A bundle where tiles meet. What moves between tiles reads registers before the other slots
 * change them, and arrives after.
 */
static bool meet(struct exec *e, u32 at, const struct rondo_op *control)
{
	const struct exec_bundle *b = &e->program->bundle[at];
	const struct mesh_op *extra = NULL;
	const struct exec_op *op = between_tiles(e->program, b, &extra);
	bool direct = op && extra->direct && control->op != RONDO_OP_mask;

	if (op)
		mesh_move(e->mesh, op, direct ? op->dst : MESH_SCRATCH);
	if (b->ops > !!op && !mesh_run_groups(e, at, at + 1, MESH_GROUP_BLOCKS))
		return false;
	if (op && !direct)
		mesh_copy(e->mesh, MESH_SCRATCH, op->dst, control);
	return true;
}

/* One segment from bundle @at on; @at is then the first of the next. */
static bool run_segment(struct exec *e, u32 *at)
{
	const struct mesh_program *mp = e->program->mesh;
	const struct mesh_segment *s = &mp->segment[mp->segment_at[*at]];
	const u64 word = e->program->bundle[s->end - 1].control;
	struct rondo_op control;
	u64 after;

	rondo_decode(word, &control);
	if (!s->group && word && !exec_control(e, &control))
		return false;
	if (check_add_overflow(e->cycles, s->cycles, &after) || after > e->control->bound)
		return exec_end(e, EXEC_OVERRUN);
	mesh_clock_segment(e, after);
	if (s->group ? !mesh_run_groups(e, s->first, s->end, s->group) : !meet(e, *at, &control))
		return false;
	e->cycles = after;
	mesh_clock_tell(e);
	rondo_signature_pass(&e->signature, &s->stretch, e->index);
	e->executed += s->cycles;
	*at = s->end - 1;
	if (control.op == RONDO_OP_halt)
		return exec_end(e, EXEC_DONE);
	*at = exec_next_bundle(e, *at, 0);
	/* A loop that is opened by the last bundle of a segment goes around other segments. */
	if (rondo_op_is_loop(control.op))
		exec_open_loops(e, &control, s->end - 1);
	return exec_poll(e, 1ull << 16);
}

bool mesh_clean(struct mesh *m, const atomic_bool *stop)
{
	enum { PIECE = 16 << 20 }; /* takes about a millisecond */

	while (m->dirty) {
		size_t at = (m->dirty - 1) / PIECE * PIECE;

		if (stop && atomic_load_explicit(stop, memory_order_relaxed))
			return false;
		madvise(m->memory + at, m->dirty - at, MADV_DONTNEED);
		m->dirty = at;
	}
	return true;
}

void mesh_run(struct exec *e, u32 *at)
{
	const struct exec_control *control = e->control;

	if (!mesh_clean(e->mesh, control->stop)) {
		exec_end(e, EXEC_ABORTED);
		return;
	}
	e->mesh->dirty = e->mesh->bytes;
	while (run_segment(e, at))
		;
	if (e->result->status == EXEC_DONE)
		mesh_clean(e->mesh, control->stop);
	else if (control->now)
		e->cycles = atomic_load_explicit(control->now, memory_order_relaxed);
}
