// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of the Rondo neural accelerator: PCI probe and remove, open files, ioctls.
 */
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <drm/drm_accel.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <drm/rondo_accel.h>

#include "core/machine.h"
#include "driver/rondo_device.h"
#include "driver/rondo_gem.h"
#include "driver/rondo_queue.h"
#include "driver/rondo_user.h"

enum {
	RONDO_AUTOSUSPEND_MS = 2000, /* how long the device stays awake without work */
	RONDO_SUSPEND_MS = 50, /* how often a suspend looks whether work in flight has ended */
	RONDO_SUSPEND_TRIES = 40,
};

#define RONDO_CLOSE_JIFFIES (HZ / 5) /* longest wait of a close for what it releases */

struct workqueue_struct *rondo_release_wq;

static void free_file(struct rondo_file *rfile)
{
	if (rfile->user)
		rondo_user_put(rfile->user);
	if (rfile->resv)
		rondo_resv_put(rfile->resv);
	kfree(rfile);
}

static int file_open(struct drm_device *drm, struct drm_file *file)
{
	struct rondo_file *rfile = kzalloc(sizeof(*rfile), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!rfile)
		return -ENOMEM;
	rfile->rdev = to_rondo_device(drm);
	rfile->user = rondo_user_get_current(rfile->rdev);
	rfile->resv = rondo_resv_create();
	if (!rfile->user || !rfile->resv) {
		free_file(rfile);
		return -ENOMEM;
	}
	for (i = 0; i < RONDO_TABLES; i++)
		xa_init_flags(&rfile->ids[i], XA_FLAGS_ALLOC1);
	file->driver_priv = rfile;
	return 0;
}

static void file_close(struct drm_device *drm, struct drm_file *file)
{
	struct rondo_file *rfile = file->driver_priv;
	struct rondo_device *rdev = rfile->rdev;

	rondo_objects_close(rfile);
	free_file(rfile);

	/*
	 * Usually everything is released in a moment, and with it the references to the module.
	 * If others keep the device busy, this does not wait for them.
	 */
	flush_workqueue(rdev->sched_wq);
	wait_event_timeout(rdev->released, !atomic_read(&rdev->releases), RONDO_CLOSE_JIFFIES);
}

static const struct drm_ioctl_desc ioctls[] = {
	DRM_IOCTL_DEF_DRV(RONDO_QUERY, rondo_ioctl_query, 0),
	DRM_IOCTL_DEF_DRV(RONDO_BO_CREATE, rondo_ioctl_bo_create, 0),
	DRM_IOCTL_DEF_DRV(RONDO_BO_MMAP_OFFSET, rondo_ioctl_bo_mmap_offset, 0),
	DRM_IOCTL_DEF_DRV(RONDO_PROGRAM_CREATE, rondo_ioctl_program_create, 0),
	DRM_IOCTL_DEF_DRV(RONDO_PROGRAM_DESTROY, rondo_ioctl_program_destroy, 0),
	DRM_IOCTL_DEF_DRV(RONDO_BINDING_CREATE, rondo_ioctl_binding_create, 0),
	DRM_IOCTL_DEF_DRV(RONDO_BINDING_DESTROY, rondo_ioctl_binding_destroy, 0),
	DRM_IOCTL_DEF_DRV(RONDO_QUEUE_CREATE, rondo_ioctl_queue_create, 0),
	DRM_IOCTL_DEF_DRV(RONDO_QUEUE_DESTROY, rondo_ioctl_queue_destroy, 0),
	DRM_IOCTL_DEF_DRV(RONDO_SUBMIT, rondo_ioctl_submit, 0),
	DRM_IOCTL_DEF_DRV(RONDO_QUEUE_FAULT, rondo_ioctl_queue_fault, 0),
	DRM_IOCTL_DEF_DRV(RONDO_QUEUE_BOUND, rondo_ioctl_queue_bound, 0),
	DRM_IOCTL_DEF_DRV(RONDO_FENCE_TIMES, rondo_ioctl_fence_times, 0),
};

/*
 * Whether what the ioctl returns can be written. An ioctl that fails has no effect, and DRM
 * writes only when the ioctl has had its effect, so this is asked before. (A caller that makes
 * the argument unwritable in between keeps what was made until it closes the file.)
 */
static bool has_room(unsigned int cmd, unsigned long arg)
{
	u32 nr = DRM_IOCTL_NR(cmd);

	if (!(cmd & IOC_OUT) || nr < DRM_COMMAND_BASE || nr >= DRM_COMMAND_END)
		return true;
	return !fault_in_safe_writeable((const char __user *)arg, _IOC_SIZE(cmd));
}

/*
 * An accel node has the DRM ioctls of a render node. DRM would let it have the others, too, but
 * GET_UNIQUE and GET_MAGIC look into the file's master, which an accel file lacks (6.12, 7.3).
 */
static bool has_ioctl(unsigned int cmd)
{
	unsigned int flags;

	return !drm_ioctl_flags(DRM_IOCTL_NR(cmd), &flags) || flags & DRM_RENDER_ALLOW;
}

static const struct {
	unsigned int nr;
	size_t at; /* of the number of syncobjs in the argument */
} syncobj_counts[] = {
	{ DRM_IOCTL_NR(DRM_IOCTL_SYNCOBJ_WAIT), offsetof(struct drm_syncobj_wait, count_handles) },
	{ DRM_IOCTL_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT),
	  offsetof(struct drm_syncobj_timeline_wait, count_handles) },
	{ DRM_IOCTL_NR(DRM_IOCTL_SYNCOBJ_RESET),
	  offsetof(struct drm_syncobj_array, count_handles) },
	{ DRM_IOCTL_NR(DRM_IOCTL_SYNCOBJ_SIGNAL),
	  offsetof(struct drm_syncobj_array, count_handles) },
	{ DRM_IOCTL_NR(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL),
	  offsetof(struct drm_syncobj_timeline_array, count_handles) },
	{ DRM_IOCTL_NR(DRM_IOCTL_SYNCOBJ_QUERY),
	  offsetof(struct drm_syncobj_timeline_array, count_handles) },
};

/*
 * DRM allocates for as many syncobjs as a call names, and the page allocator warns of a request
 * that no machine can meet. (A caller that changes the number during the call gets past this, and
 * sees DRM warn, once a boot.)
 */
static int check_syncobjs(unsigned int cmd, unsigned long arg)
{
	size_t size = _IOC_SIZE(cmd), at;
	int i;

	for (i = 0; i < ARRAY_SIZE(syncobj_counts); i++) {
		u32 n = 0;

		at = syncobj_counts[i].at;
		if (DRM_IOCTL_NR(cmd) != syncobj_counts[i].nr || size <= at)
			continue;
		/* DRM fills a number that is cut off up with zeros. */
		if (copy_from_user(&n, (const void __user *)(arg + at), min(size - at, sizeof(n))))
			return -EFAULT;
		if (n > RONDO_SYNCOBJS_MAX)
			return -EINVAL;
	}
	return 0;
}

static int check_ioctl(const struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct drm_file *file = filp->private_data;

	if (drm_dev_is_unplugged(file->minor->dev))
		return -ENODEV;
	if (!has_ioctl(cmd))
		return -EACCES;
	if (!has_room(cmd, arg))
		return -EFAULT;
	return check_syncobjs(cmd, arg);
}

static long file_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return check_ioctl(filp, cmd, arg) ?: drm_ioctl(filp, cmd, arg);
}

#ifdef CONFIG_COMPAT
static long file_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return check_ioctl(filp, cmd, arg) ?: drm_compat_ioctl(filp, cmd, arg);
}
#else
#define file_compat_ioctl NULL
#endif

/* DRM_ACCEL_FOPS, except that ioctls are checked first. */
static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = drm_release,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = file_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_driver drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.name = "rondo",
	.desc = "Rondo neural accelerator",
#ifdef HAVE_DRM_DRIVER_DATE
	.date = "2026",
#endif
	.major = 1,
	.minor = 1,
	.open = file_open,
	.postclose = file_close,
	.show_fdinfo = rondo_report_fdinfo,
	.ioctls = ioctls,
	.num_ioctls = ARRAY_SIZE(ioctls),
	.fops = &fops,
	.gem_create_object = rondo_gem_create_object,
	.gem_prime_import = rondo_gem_import,
};

static void destroy_workqueues(struct drm_device *drm, void *unused)
{
	struct rondo_device *rdev = to_rondo_device(drm);

	if (rdev->load_wq)
		destroy_workqueue(rdev->load_wq);
	if (rdev->wq)
		destroy_workqueue(rdev->wq);
	if (rdev->sched_wq)
		destroy_workqueue(rdev->sched_wq);
}

/* What needs no hardware, and lives as long as the last open file. */
static int init_software(struct rondo_device *rdev)
{
	int ret;

	rdev->state = RONDO_RESETTING;
	INIT_LIST_HEAD(&rdev->dma_list);
	init_waitqueue_head(&rdev->released);
	ret = drmm_mutex_init(&rdev->drm, &rdev->dma_lock);
	if (ret)
		return ret;
	rondo_reset_init(rdev);
	rondo_watch_init(rdev);
	rondo_tables_init(rdev);
	ret = drmm_mutex_init(&rdev->drm, &rdev->load_lock);
	if (ret)
		return ret;
	ret = rondo_users_init(rdev);
	if (ret)
		return ret;
	ret = rondo_admin_init(rdev);
	if (!ret)
		ret = rondo_dump_init(rdev);
	if (ret)
		return ret;

	rdev->sched_wq = alloc_ordered_workqueue("rondo-sched", WQ_MEM_RECLAIM);
	rdev->wq = alloc_ordered_workqueue("rondo", WQ_MEM_RECLAIM);
	rdev->load_wq = alloc_ordered_workqueue("rondo-load", WQ_MEM_RECLAIM);
	rondo_loads_init(rdev);
	ret = drmm_add_action_or_reset(&rdev->drm, destroy_workqueues, NULL);
	if (!ret && (!rdev->sched_wq || !rdev->wq || !rdev->load_wq))
		ret = -ENOMEM;
	return ret;
}

static int init_pci(struct rondo_device *rdev, struct pci_dev *pdev)
{
	struct device *dev = &pdev->dev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return dev_err_probe(dev, ret, "cannot enable the device\n");
	ret = rondo_hw_init(&rdev->hw, pdev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return dev_err_probe(dev, ret, "no 64-bit DMA\n");
	dma_set_max_seg_size(dev, UINT_MAX);
	dma_set_min_align_mask(dev, RONDO_PAGE_BYTES - 1);
	return 0;
}

/* Learns what the device is; refuses one that the verifier does not know. */
static int init_machine(struct rondo_device *rdev)
{
	rondo_hw_read_machine(&rdev->hw, &rdev->machine);
	rdev->object_memory = rondo_hw_memory(&rdev->hw);
	if (!rondo_machine_supported(&rdev->machine))
		return dev_err_probe(rdev->drm.dev, -ENODEV, "its machine is not supported\n");
	rdev->machine_hash = rondo_machine_hash(&rdev->machine);
	return 0;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct rondo_device *rdev;
	int ret;

	rdev = devm_drm_dev_alloc(&pdev->dev, &drm_driver, struct rondo_device, drm);
	if (IS_ERR(rdev))
		return PTR_ERR(rdev);
	pci_set_drvdata(pdev, rdev);
	ret = init_software(rdev);
	if (ret)
		return ret;
	ret = init_pci(rdev, pdev);
	if (ret)
		return ret;
	ret = init_machine(rdev);
	if (ret)
		return ret;

	ret = rondo_fw_load(rdev);
	if (!ret)
		ret = rondo_ring_init(rdev);
	if (ret)
		goto err_dma;
	rondo_reset_prime(rdev);
	ret = rondo_irq_init(rdev);
	if (ret)
		goto err_dma;
	ret = rondo_fw_boot(rdev);
	if (ret)
		goto err_irq;
	WRITE_ONCE(rdev->state, RONDO_LIVE);
	ret = rondo_report_init(rdev);
	if (ret)
		goto err_irq;
	ret = drm_dev_register(&rdev->drm, 0);
	if (ret)
		goto err_irq;
	pm_runtime_set_autosuspend_delay(&pdev->dev, RONDO_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(&pdev->dev);
	pm_runtime_allow(&pdev->dev);
	rondo_pm_put(rdev); /* what the bus holds during probe */
	return 0;

err_irq:
	rondo_reset_leave(rdev);
	rondo_irq_fini(rdev);
	cancel_work_sync(&rdev->reset_work); /* an interrupt may have asked for it */
	cancel_work_sync(&rdev->wedged_work);
	rondo_dump_fini(rdev);
err_dma:
	WRITE_ONCE(rdev->state, RONDO_GONE);
	rondo_dma_close(rdev);
	return ret;
}

/* Files may stay open: what they hold is taken from the device, and fails from now on. */
static void remove(struct pci_dev *pdev)
{
	struct rondo_device *rdev = pci_get_drvdata(pdev);

	pm_runtime_forbid(&pdev->dev);
	pm_runtime_dont_use_autosuspend(&pdev->dev);
	pm_runtime_get_noresume(&pdev->dev); /* what the bus puts */
	/* First, so that whoever finds the driver unbound knows that the device has stopped. */
	rondo_reset_leave(rdev);
	/* Waits for who uses the device; from here on no work is queued any more. */
	drm_dev_unplug(&rdev->drm);
	rondo_watch_fini(rdev);
	cancel_work_sync(&rdev->reset_work);
	cancel_work_sync(&rdev->wedged_work);
	rondo_irq_fini(rdev);
	rondo_dump_fini(rdev);
	rondo_dma_close(rdev);
}

/* Before and after a reset of the function, by sysfs or by the bus. */
static void reset_prepare(struct pci_dev *pdev)
{
	rondo_reset_pause(pci_get_drvdata(pdev));
}

static void reset_done(struct pci_dev *pdev)
{
	rondo_reset_resume(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers err_handlers = {
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};

/* Work in flight is given a moment to end; what has not begun then runs after the sleep. */
static int suspend(struct device *dev)
{
	struct rondo_device *rdev = dev_get_drvdata(dev);
	unsigned int i;

	for (i = 0; i < RONDO_SUSPEND_TRIES && atomic_read(&rdev->watch.jobs); i++)
		msleep(RONDO_SUSPEND_MS);
	rondo_reset_pause(rdev);
	return 0;
}

static int resume(struct device *dev)
{
	rondo_reset_resume(dev_get_drvdata(dev));
	return 0;
}

/* The device is idle: no job is under way. What is dead stays so. */
static int runtime_suspend(struct device *dev)
{
	struct rondo_device *rdev = dev_get_drvdata(dev);

	if (rondo_device_error(rdev))
		return -EBUSY;
	rondo_reset_pause(rdev);
	return 0;
}

static int runtime_resume(struct device *dev)
{
	rondo_reset_resume(dev_get_drvdata(dev));
	return 0;
}

/* clang-format off */
static const struct dev_pm_ops pm_ops = {
	SYSTEM_SLEEP_PM_OPS(suspend, resume)
	RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};

/* clang-format on */

static const struct pci_device_id pci_ids[] = { { PCI_DEVICE(RONDO_PCI_VENDOR, RONDO_PCI_DEVICE) },
						{} };
MODULE_DEVICE_TABLE(pci, pci_ids);

static struct pci_driver pci_driver = {
	.name = "rondo",
	.id_table = pci_ids,
	.probe = probe,
	.remove = remove,
	.dev_groups = rondo_report_groups,
	.err_handler = &err_handlers,
	.driver.pm = pm_ptr(&pm_ops),
};

static int __init rondo_module_init(void)
{
	int ret;

	rondo_release_wq = alloc_workqueue("rondo-release", WQ_UNBOUND, 0);
	if (!rondo_release_wq)
		return -ENOMEM;
	ret = pci_register_driver(&pci_driver);
	if (ret)
		destroy_workqueue(rondo_release_wq);
	return ret;
}

static void __exit rondo_module_exit(void)
{
	pci_unregister_driver(&pci_driver);
	destroy_workqueue(rondo_release_wq); /* objects of closed files may be on their way out */
	/*
	 * Who dropped the last reference to the module may have been preempted on his way out of
	 * it.
	 */
	synchronize_rcu_tasks();
}

module_init(rondo_module_init);
module_exit(rondo_module_exit);

MODULE_DESCRIPTION("Rondo neural accelerator");
MODULE_AUTHOR("Rondo contributors");
#ifdef RONDO_VERSION /* not in a kernel tree */
MODULE_VERSION(RONDO_VERSION);
#endif
/* MODULE_IMPORT_NS() takes a word or a string, depending on the kernel. */
MODULE_INFO(import_ns, "DMA_BUF");
MODULE_LICENSE("GPL");
