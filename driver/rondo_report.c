// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/hwmon.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/sysfs.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_print.h>

#include "driver/rondo_device.h"
#include "driver/rondo_job.h"
#include "driver/rondo_queue.h"
#include "driver/rondo_report.h"
#include "driver/rondo_user.h"

/* sysfs */

static ssize_t busy_time_us_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct rondo_device *rdev = dev_get_drvdata(dev);
	u64 cycles = atomic64_read(&rdev->usage.cycles);

	return sysfs_emit(text, "%llu\n", mul_u64_u32_div(cycles, 1000, rdev->machine.clock_khz));
}
static DEVICE_ATTR_RO(busy_time_us);

static ssize_t memory_bytes_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct rondo_device *rdev = dev_get_drvdata(dev);

	return sysfs_emit(text, "%llu\n", (u64)atomic64_read(&rdev->memory));
}
static DEVICE_ATTR_RO(memory_bytes);

static ssize_t firmware_version_show(struct device *dev, struct device_attribute *attr, char *text)
{
	u32 version = READ_ONCE(((struct rondo_device *)dev_get_drvdata(dev))->fw.version);

	return sysfs_emit(text, "%u.%u\n", version >> 16, version & 0xffff);
}
static DEVICE_ATTR_RO(firmware_version);

static struct attribute *attrs[] = {
	&dev_attr_busy_time_us.attr,
	&dev_attr_memory_bytes.attr,
	&dev_attr_firmware_version.attr,
	NULL,
};

static const struct attribute_group group = { .attrs = attrs };
const struct attribute_group *rondo_report_groups[] = { &group, NULL };

/* hwmon */

#if IS_REACHABLE(CONFIG_HWMON)
static umode_t energy_visible(const void *data, enum hwmon_sensor_types type, u32 attr, int channel)
{
	return 0400;
}

/* In microjoules. */
static int energy_read(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel,
		       long *value)
{
	struct rondo_device *rdev = dev_get_drvdata(dev);

	*value = div_u64(atomic64_read(&rdev->usage.energy_nj), 1000);
	return 0;
}

static const struct hwmon_ops hwmon_ops = { .is_visible = energy_visible, .read = energy_read };

static const struct hwmon_channel_info *const hwmon_channels[] = {
	HWMON_CHANNEL_INFO(energy, HWMON_E_INPUT),
	NULL,
};

static const struct hwmon_chip_info rondo_hwmon = { .ops = &hwmon_ops, .info = hwmon_channels };

static int init_hwmon(struct rondo_device *rdev)
{
	return PTR_ERR_OR_ZERO(devm_hwmon_device_register_with_info(rdev->drm.dev, "rondo", rdev,
								    &rondo_hwmon, NULL));
}
#else
static int init_hwmon(struct rondo_device *rdev)
{
	return 0;
}
#endif

/* debugfs */

static struct rondo_device *of_file(struct seq_file *file)
{
	struct drm_debugfs_entry *entry = file->private;

	return to_rondo_device(entry->dev);
}

/* The last of what the firmware has logged. */
static int show_firmware_log(struct seq_file *file, void *unused)
{
	struct rondo_device *rdev = of_file(file);
	struct rondo_ring *ring = &rdev->ring;
	u32 at, tail;
	int idx;

	if (!drm_dev_enter(&rdev->drm, &idx))
		return -ENODEV;
	mutex_lock(&ring->event_lock); /* nobody empties it meanwhile */
	tail = READ_ONCE(ring->status->log_tail);
	for (at = tail - min_t(u32, tail, RONDO_LOG_BYTES); at != tail; at++)
		seq_putc(file, ring->log[at % RONDO_LOG_BYTES]);
	mutex_unlock(&ring->event_lock);
	drm_dev_exit(idx);
	return 0;
}

static void show_queue(struct seq_file *file, struct rondo_queue *queue)
{
	struct rondo_job *job;
	u32 jobs = 0;

	spin_lock(&queue->lock);
	list_for_each_entry(job, &queue->inflight, node)
		jobs++;
	seq_printf(file, "%5u %10u %6u %6u %12llu %8u %8u\n", queue->base.number,
		   __kuid_val(queue->base.user->uid), queue->weight, jobs, queue->seqno,
		   queue->tail, queue->faults);
	spin_unlock(&queue->lock);
}

static int show_queues(struct seq_file *file, void *unused)
{
	struct rondo_device *rdev = of_file(file);
	struct rondo_object *object;
	unsigned long number;

	seq_printf(file, "%5s %10s %6s %6s %12s %8s %8s\n", "queue", "uid", "weight", "jobs",
		   "entries", "tail", "faults");
	/* None of them goes meanwhile: see rondo_object_drop_number(). */
	mutex_lock(&rdev->ring.event_lock);
	xa_for_each(&rdev->table[RONDO_QUEUES], number, object)
		show_queue(file, to_rondo_queue(object));
	mutex_unlock(&rdev->ring.event_lock);
	return 0;
}

static const struct drm_debugfs_info files[] = {
	{ "firmware_log", show_firmware_log, 0, NULL },
	{ "queues", show_queues, 0, NULL },
};

/* Whatever is written resets the device. */
static ssize_t write_reset(struct file *file, const char __user *data, size_t size, loff_t *offset)
{
	struct rondo_device *rdev = file->private_data;
	int idx, ret;

	if (!drm_dev_enter(&rdev->drm, &idx))
		return -ENODEV;
	ret = rondo_pm_get(rdev);
	if (!ret) {
		rondo_reset_request(rdev, "asked for in debugfs");
		rondo_pm_put(rdev);
	}
	drm_dev_exit(idx);
	return ret ?: size;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = write_reset,
};

int rondo_report_init(struct rondo_device *rdev)
{
	drm_debugfs_add_files(&rdev->drm, files, ARRAY_SIZE(files));
	debugfs_create_file("reset", 0200, rdev->drm.debugfs_root, rdev, &reset_fops);
	return init_hwmon(rdev);
}

/* fdinfo: Documentation/gpu/drm-usage-stats.rst, and what is ours. */

void rondo_report_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct rondo_file *rfile = file->driver_priv;
	u32 clock_khz = rfile->rdev->machine.clock_khz;
	u64 cycles = atomic64_read(&rfile->usage.cycles);

	drm_printf(p, "drm-engine-compute:\t%llu ns\n",
		   mul_u64_u32_div(cycles, 1000000, clock_khz));
	drm_printf(p, "drm-cycles-compute:\t%llu\n", cycles);
	drm_printf(p, "drm-maxfreq-compute:\t%u KHz\n", clock_khz);
	drm_printf(p, "rondo-energy-compute:\t%llu nJ\n",
		   (u64)atomic64_read(&rfile->usage.energy_nj));
	drm_show_memory_stats(p, file);
}
