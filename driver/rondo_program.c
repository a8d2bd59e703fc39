// SPDX-License-Identifier: GPL-2.0-only
#include <linux/math64.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_print.h>
#include <drm/rondo_accel.h>

#include "core/energy.h"
#include "core/verify.h"
#include "driver/rondo_device.h"
#include "driver/rondo_limits.h"
#include "driver/rondo_program.h"
#include "driver/rondo_trace.h"

static void describe(const struct rondo_object *object, struct rondo_fw_admin *cmd)
{
	const struct rondo_sealed_program *program =
		container_of(object, struct rondo_sealed_program, base);

	cmd->program = object->number;
	if (cmd->command == RONDO_FW_PROGRAM_LOAD) {
		cmd->addr = program->pages.block->addr;
		cmd->size = program->size;
	}
}

static void free_program(struct rondo_object *object)
{
	struct rondo_sealed_program *program = to_rondo_sealed_program(object);

	rondo_dma_free(object->rdev, &program->pages);
	vfree(program->data);
	kfree(program);
}

static const struct rondo_object_ops program_ops = {
	.table = RONDO_PROGRAMS,
	.ids = RONDO_FILE_PROGRAMS_MAX,
	.numbers = RONDO_PROGRAMS_MAX,
	.load = RONDO_FW_PROGRAM_LOAD,
	.unload = RONDO_FW_PROGRAM_UNLOAD,
	.describe = describe,
	.free = free_program,
};

u64 rondo_cycles_max(void)
{
	/* Everybody is asked this, and most need no more: that is nothing to keep a record of. */
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_NICE) ? RONDO_CYCLES_MAX :
								 RONDO_CYCLES_DEFAULT;
}

/* A private copy of what is to be proved. */
static struct rondo_sealed_program *copy_program(struct rondo_file *rfile,
						 const struct drm_rondo_program_create *args)
{
	struct rondo_sealed_program *program = kzalloc(sizeof(*program), GFP_KERNEL_ACCOUNT);

	if (!program)
		return ERR_PTR(-ENOMEM);
	rondo_object_init(&program->base, rfile, &program_ops);
	program->size = args->size;
	program->data = __vmalloc(args->size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!program->data) {
		rondo_object_put(&program->base);
		return ERR_PTR(-ENOMEM);
	}
	if (copy_from_user(program->data, u64_to_user_ptr(args->data), args->size)) {
		rondo_object_put(&program->base);
		return ERR_PTR(-EFAULT);
	}
	return program;
}

static bool yield_or_stop(void *unused)
{
	cond_resched();
	return fatal_signal_pending(current);
}

/* Works out what a replay consumes, with @cleared bytes of each tile's SRAM cleared before. */
static int count_energy(struct rondo_sealed_program *program, u32 cleared)
{
	enum { BUNDLES = 4096, FJ_PER_NJ = 1000000 };
	const struct rondo_machine *machine = &program->base.rdev->machine;
	struct rondo_activity activity = {
		.sram_cleared = (u64)cleared * machine->mesh_w * machine->mesh_h,
	};
	struct rondo_counter counter;
	struct rondo_energy energy;

	rondo_counter_init(&counter, machine, &program->tables);
	while (rondo_counter_step(&counter, BUNDLES, &activity))
		if (yield_or_stop(NULL))
			return -EINTR;
	energy = rondo_energy_of(machine, &activity);
	program->energy_nj =
		div_u64(energy.compute_fj, FJ_PER_NJ) + div_u64(energy.movement_fj, FJ_PER_NJ);
	return 0;
}

/* Proves the copy; the verdict goes to @args. */
static int verify_program(struct rondo_sealed_program *program,
			  struct drm_rondo_program_create *args)
{
	u64 budget = min_not_zero(args->budget, rondo_cycles_max());
	char text[RONDO_VERDICT_TEXT_BYTES];
	const struct rondo_verdict *verdict;
	struct rondo_verify *v;
	int ret = 0;

	v = kvmalloc(RONDO_VERIFY_BYTES, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!v)
		return -ENOMEM;

	verdict = rondo_verify_run(v, &program->base.rdev->machine, program->data, program->size,
				   budget, yield_or_stop, NULL);
	if (!verdict) {
		ret = -EINTR;
		goto out;
	}
	if (verdict->code) {
		rondo_verdict_text(verdict, text, sizeof(text));
		drm_dbg_driver(&program->base.rdev->drm, "program refused: %s\n", text);
		args->error = verdict->code;
		args->error_index = verdict->index;
		args->error_slot = verdict->slot;
		ret = -EINVAL;
		goto out;
	}
	program->cycles = rondo_verify_facts(v)->cycles;
	args->cleared = rondo_cleared_bytes(rondo_verify_facts(v));
	program->signature = rondo_verify_facts(v)->signature;
	if (rondo_program_open(&program->tables, program->data, program->size))
		ret = -EINVAL;
	else
		ret = count_energy(program, args->cleared);
out:
	kvfree(v);
	return ret;
}

/* Makes the page list through which the device reads the program. */
static int map_program(struct rondo_sealed_program *program)
{
	unsigned int i, count = DIV_ROUND_UP(program->size, PAGE_SIZE);
	struct page **pages;
	int ret;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		pages[i] = vmalloc_to_page(program->data + i * PAGE_SIZE);
	ret = rondo_dma_map_pages(program->base.rdev, &program->pages, pages, count, DMA_TO_DEVICE);
	kvfree(pages);
	return ret;
}

static int load_program(struct rondo_sealed_program *program)
{
	int ret;

	ret = map_program(program);
	if (!ret)
		ret = rondo_object_take_number(&program->base);
	if (!ret)
		ret = rondo_object_load(&program->base);
	return ret;
}

int rondo_ioctl_program_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_program_create *args = data;
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_sealed_program *program;
	int ret;

	args->error = 0;
	args->error_index = 0;
	args->error_slot = 0;
	if (args->flags)
		return -EINVAL;
	if (args->size > RONDO_PROGRAM_BYTES_MAX)
		return -E2BIG;
	if (args->size < sizeof(struct rondo_program_header)) {
		args->error = RONDO_ERR_SIZE;
		return -EINVAL;
	}

	/* The id is reserved first: a file at its limit is told before the work. */
	ret = rondo_id_reserve(rfile, &program_ops, &args->id);
	if (ret)
		return ret;
	program = copy_program(rfile, args);
	if (IS_ERR(program)) {
		ret = PTR_ERR(program);
		goto err_cancel;
	}
	ret = verify_program(program, args);
	if (!ret)
		ret = load_program(program);
	if (ret)
		goto err_put;
	args->cycles = program->cycles;
	trace_rondo_program(rfile->rdev, program->base.number, program->size, program->cycles);
	rondo_id_publish(rfile, args->id, &program->base);
	return 0;

err_put:
	rondo_object_put(&program->base);
err_cancel:
	rondo_id_cancel(rfile, &program_ops, args->id);
	return ret;
}

int rondo_ioctl_program_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_program_destroy *args = data;

	return args->pad ? -EINVAL :
			   rondo_object_destroy(file->driver_priv, RONDO_PROGRAMS, args->id);
}
