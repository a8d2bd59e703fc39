// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The state of a machine of many tiles, and a run from one point where tiles meet to the next.
 */
#include "emulator/exec/mesh/mesh.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 64, PAGE = 4096, HUGE_PAGE = 2 << 20 };

static size_t round_up(size_t bytes, size_t to)
{
	return (bytes + to - 1) / to * to;
}

/* An odd number of lines, so that equal addresses differ in the cache's sets. */
size_t mesh_sram_stride(const struct rondo_hull *window)
{
	return ((size_t)(window->hi - window->lo + LINE - 1) / LINE | 1) * LINE;
}

/* Where everything lies, with room for all of SRAM. */
static void lay_out(struct mesh *m)
{
	const struct rondo_machine *machine = &m->machine;

	m->block_tiles = RONDO_LANES_MAX / machine->lanes;
	m->row_blocks = (machine->mesh_w + m->block_tiles - 1) / m->block_tiles;
	m->blocks = m->row_blocks * machine->mesh_h;
	m->reg_stride = round_up(m->blocks * sizeof(exec_vreg), PAGE) + sizeof(exec_vreg);
	m->weight_stride = 2 * machine->lanes * sizeof(struct weight_row);
	m->window = (struct rondo_hull){ 0, machine->sram_bytes };
	m->sram_stride = mesh_sram_stride(&m->window);
	m->acc = (MESH_SCRATCH + 1) * m->reg_stride;
	m->weights = m->acc + machine->acc_rows * m->reg_stride;
	m->sram = round_up(m->weights + m->blocks * m->weight_stride, PAGE);
	m->bytes = m->sram + (size_t)machine->mesh_w * machine->mesh_h * m->sram_stride;
}

u64 mesh_reservation(const struct rondo_machine *machine)
{
	struct mesh m = { .machine = *machine };

	lay_out(&m);
	return m.bytes;
}

static bool suits(const struct rondo_machine *machine)
{
	return machine->mesh_w > 1 || machine->mesh_h > 1;
}

static bool create(struct exec *e)
{
	struct mesh *m = e->own = calloc(1, sizeof(*m));

	if (!m)
		return false;
	m->machine = e->machine;
	m->push = push_kernels(0);
	m->alu = alu_best();
	lay_out(m);
	m->memory = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->memory == MAP_FAILED) {
		m->memory = NULL;
		return false;
	}
	m->pool = mesh_pool_create(MESH_THREADS);
	return mesh_create_workers(m) && m->pool;
}

static void destroy(struct exec *e)
{
	struct mesh *m = e->own;

	if (!m)
		return;
	mesh_pool_destroy(m->pool);
	if (m->memory)
		munmap(m->memory, m->bytes);
	mesh_destroy_workers(m);
	free(m);
}

/* The operation between tiles of a bundle, or NULL. */
static const struct exec_op *between_tiles(const struct exec_program *p,
					   const struct exec_bundle *b)
{
	const struct exec_op *op = p->op + b->first, *end = op + b->ops;

	for (; op < end; op++)
		if (rondo_op_reads_mesh(op->op))
			return op;
	return NULL;
}

/*
 * A bundle where tiles meet. What moves between tiles reads registers before the other slots
 * change them, and arrives after.
 */
static bool meet(struct mesh *m, struct run *run, u32 at, const struct rondo_op *control)
{
	const struct exec_program *p = run->program;
	const struct mesh_program *mp = p->own;
	const struct exec_bundle *b = &p->bundle[at];
	const struct exec_op *op = between_tiles(p, b);
	bool direct = op && mp->op[op - p->op].direct && control->op != RONDO_OP_mask;

	if (op)
		mesh_move(m, op, direct ? op->dst : MESH_SCRATCH);
	if (b->ops > !!op && !mesh_run_groups(m, run, at, at + 1, MESH_GROUP_BLOCKS, 0))
		return false;
	if (op && !direct)
		mesh_copy(m, MESH_SCRATCH, op->dst, control);
	return true;
}

/* One segment from bundle @at on; @at is then the first of the next. */
static bool run_segment(struct mesh *m, struct run *run, u32 *at)
{
	const struct exec_program *p = run->program;
	const struct mesh_program *mp = p->own;
	const struct mesh_segment *s = &mp->segment[mp->segment_at[*at]];
	const struct rondo_op *control = exec_control_of(p, &p->bundle[s->end - 1]);
	u64 after;

	run->result->bundle = *at;
	if (!s->group && !run_control(run, control))
		return false;
	if (check_add_overflow(run->cycles, s->cycles, &after) || after > run->control->bound)
		return run_end(run, EXEC_OVERRUN);
	if (run->clock)
		run_begin_piece(run, after, (double)s->cycles * MESH_BUNDLE_WORK * m->blocks);
	if (s->group ? !mesh_run_groups(m, run, s->first, s->end, s->group, s->local) :
		       !meet(m, run, *at, control))
		return false;
	run->cycles = after;
	if (run->clock)
		run_tell(run, after);
	rondo_signature_pass(&run->signature, &s->stretch, run->index);
	run->executed += s->cycles;
	*at = s->end - 1;
	if (control->op == RONDO_OP_halt)
		return run_end(run, EXEC_DONE);
	*at = run_next_bundle(run, *at, 0);
	/* A loop that is opened by the last bundle of a segment goes around other segments. */
	run_open_loops(run, control, s->end - 1);
	return run_poll(run, RUN_POLL_WORK);
}

static bool clean(struct exec *e, const atomic_bool *stop)
{
	enum { PIECE = 16 << 20 }; /* takes about a millisecond */
	struct mesh *m = e->own;

	while (m->dirty) {
		size_t at = (m->dirty - 1) / PIECE * PIECE;

		if (stop && atomic_load_explicit(stop, memory_order_relaxed))
			return false;
		madvise(m->memory + at, m->dirty - at, MADV_DONTNEED);
		m->dirty = at;
	}
	return true;
}

/*
 * Arranges SRAM, which is clean, for a program that uses @window of it. A huge page brings the
 * memory of many tiles with the first byte of one, so there are such pages only where all of their
 * bytes are used, and so much that a fault for each small page would take longer than the work.
 */
static void arrange(struct mesh *m, const struct mesh_program *p)
{
	size_t tiles = (size_t)m->machine.mesh_w * m->machine.mesh_h;

	m->window = p->window;
	m->sram_stride = mesh_sram_stride(&p->window);
	m->dirty = m->sram + tiles * m->sram_stride;
	madvise(m->memory, m->sram,
		m->reg_stride > 4 * HUGE_PAGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	madvise(m->memory + m->sram, m->dirty - m->sram,
		p->dense && m->dirty - m->sram > 4 * HUGE_PAGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void run_mesh(struct exec *e, struct run *run)
{
	const struct exec_control *control = run->control;
	struct mesh *m = e->own;
	u32 at = 0;

	if (!clean(e, control->stop)) {
		run_end(run, EXEC_ABORTED);
		return;
	}
	arrange(m, run->program->own);
	run->sram = mesh_sram(m, 0, 0);
	run->sram_stride = m->sram_stride;
	run->window = m->window;
	run->clock = control->now ? &m->clock : NULL;
	while (run_segment(m, run, &at))
		;
	if (run->result->status == EXEC_DONE)
		clean(e, control->stop);
	else if (control->now)
		run->cycles = atomic_load_explicit(control->now, memory_order_relaxed);
}

const struct executor executor_mesh = {
	.name = "mesh",
	.suits = suits,
	.create = create,
	.destroy = destroy,
	.load = mesh_load,
	.unload = mesh_unload,
	.run = run_mesh,
	.clean = clean,
};
