// SPDX-License-Identifier: GPL-2.0-only
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_print.h>
#include <drm/rondo_accel.h>

#include "core/verify.h"
#include "driver/rondo_device.h"
#include "driver/rondo_program.h"

static void describe(const struct rondo_resident *res, struct rondo_fw_admin *cmd)
{
	const struct rondo_prog *prog = container_of(res, struct rondo_prog, res);

	cmd->program = res->number;
	if (cmd->command == RONDO_FW_PROGRAM_LOAD) {
		cmd->addr = prog->pages.block->addr;
		cmd->size = prog->size;
	}
}

static const struct rondo_resident_ops prog_ops = {
	.table = RONDO_PROGRAMS,
	.count = RONDO_PROGRAMS_MAX,
	.load = RONDO_FW_PROGRAM_LOAD,
	.unload = RONDO_FW_PROGRAM_UNLOAD,
	.describe = describe,
};

static void release_work(struct work_struct *work)
{
	struct rondo_prog *prog = container_of(work, struct rondo_prog, release);
	struct rondo_device *rdev = prog->rdev;

	rondo_resident_unload(rdev, &prog->res);
	rondo_resident_fini(rdev, &prog->res);
	rondo_dma_free(rdev, &prog->pages);
	vfree(prog->data);
	kfree(prog);
	rondo_released(rdev);
}

static void release(struct kref *ref)
{
	struct rondo_prog *prog = container_of(ref, struct rondo_prog, ref);

	rondo_release(prog->rdev, &prog->release);
}

void rondo_prog_put(struct rondo_prog *prog)
{
	if (prog)
		kref_put(&prog->ref, release);
}

struct rondo_prog *rondo_prog_lookup(struct rondo_file *rfile, u32 id)
{
	struct rondo_prog *prog;

	xa_lock(&rfile->programs);
	prog = xa_load(&rfile->programs, id);
	if (prog)
		kref_get(&prog->ref);
	xa_unlock(&rfile->programs);
	return prog;
}

void rondo_prog_close_all(struct rondo_file *rfile)
{
	struct rondo_prog *prog;
	unsigned long id;

	xa_for_each(&rfile->programs, id, prog)
		rondo_prog_put(prog);
	xa_destroy(&rfile->programs);
}

u64 rondo_cycles_max(void)
{
	return capable(CAP_SYS_NICE) ? RONDO_CYCLES_MAX : RONDO_CYCLES_DEFAULT;
}

/* A private copy of what is to be proved. */
static struct rondo_prog *copy_program(struct rondo_device *rdev,
				       const struct drm_rondo_program_create *args)
{
	struct rondo_prog *prog = kzalloc(sizeof(*prog), GFP_KERNEL_ACCOUNT);

	if (!prog)
		return ERR_PTR(-ENOMEM);
	kref_init(&prog->ref);
	INIT_WORK(&prog->release, release_work);
	drm_dev_get(&rdev->drm);
	prog->rdev = rdev;
	prog->size = args->size;
	prog->data = __vmalloc(args->size, GFP_KERNEL_ACCOUNT);
	if (!prog->data) {
		rondo_prog_put(prog);
		return ERR_PTR(-ENOMEM);
	}
	if (copy_from_user(prog->data, u64_to_user_ptr(args->data), args->size)) {
		rondo_prog_put(prog);
		return ERR_PTR(-EFAULT);
	}
	return prog;
}

static bool yield_or_stop(void *unused)
{
	cond_resched();
	return fatal_signal_pending(current);
}

/* Proves the copy; the verdict goes to @args. */
static int verify_program(struct rondo_prog *prog, struct drm_rondo_program_create *args)
{
	u64 budget = min_not_zero(args->budget, rondo_cycles_max());
	char text[RONDO_VERDICT_TEXT_BYTES];
	const struct rondo_verdict *verdict;
	struct rondo_verify *v;
	int ret = 0;

	v = kvmalloc(RONDO_VERIFY_BYTES, GFP_KERNEL_ACCOUNT);
	if (!v)
		return -ENOMEM;

	verdict = rondo_verify_run(v, &prog->rdev->machine, prog->data, prog->size, budget,
				   yield_or_stop, NULL);
	if (!verdict) {
		ret = -EINTR;
		goto out;
	}
	if (verdict->code) {
		rondo_verdict_text(verdict, text, sizeof(text));
		drm_dbg_driver(&prog->rdev->drm, "program refused: %s\n", text);
		args->error = verdict->code;
		args->error_index = verdict->index;
		args->error_slot = verdict->slot;
		ret = -EINVAL;
		goto out;
	}
	prog->cycles = rondo_verify_facts(v)->cycles;
	args->cleared = rondo_cleared_bytes(rondo_verify_facts(v));
	prog->signature = rondo_verify_facts(v)->signature;
	if (rondo_program_open(&prog->tables, prog->data, prog->size))
		ret = -EINVAL;
out:
	kvfree(v);
	return ret;
}

/* Makes the page list through which the device reads the program. */
static int map_program(struct rondo_prog *prog)
{
	unsigned int i, count = DIV_ROUND_UP(prog->size, PAGE_SIZE);
	struct page **pages;
	int ret;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		pages[i] = vmalloc_to_page(prog->data + i * PAGE_SIZE);
	ret = rondo_dma_map_pages(prog->rdev, &prog->pages, pages, count, DMA_TO_DEVICE);
	kvfree(pages);
	return ret;
}

static int load_program(struct rondo_prog *prog)
{
	int ret;

	ret = map_program(prog);
	if (!ret)
		ret = rondo_resident_init(prog->rdev, &prog->res, &prog_ops);
	if (!ret)
		ret = rondo_resident_load(prog->rdev, &prog->res);
	return ret;
}

int rondo_ioctl_program_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_program_create *args = data;
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_prog *prog;
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
	ret = xa_alloc(&rfile->programs, &args->id, NULL, XA_LIMIT(1, DRM_RONDO_PROGRAMS_MAX),
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;
	prog = copy_program(rfile->rdev, args);
	if (IS_ERR(prog)) {
		ret = PTR_ERR(prog);
		goto err_erase;
	}
	ret = verify_program(prog, args);
	if (!ret)
		ret = load_program(prog);
	if (ret)
		goto err_put;
	args->cycles = prog->cycles;
	xa_store(&rfile->programs, args->id, prog, GFP_KERNEL);
	return 0;

err_put:
	rondo_prog_put(prog);
err_erase:
	xa_erase(&rfile->programs, args->id);
	return ret;
}

int rondo_ioctl_program_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_rondo_program_destroy *args = data;
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_prog *prog;

	if (args->pad)
		return -EINVAL;
	prog = rondo_prog_lookup(rfile, args->id);
	if (!prog)
		return -ENOENT;
	/* Two calls may race; one erases. */
	if (xa_cmpxchg(&rfile->programs, args->id, prog, NULL, 0) == prog)
		rondo_prog_put(prog);
	rondo_prog_put(prog);
	return 0;
}
