// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/uaccess.h>

#include <drm/rondo_accel.h>

#include "driver/rondo_device.h"
#include "driver/rondo_limits.h"

/* The answer to any query. */
union answer {
	struct drm_rondo_device_info device;
	struct rondo_machine machine;
	struct drm_rondo_clock_info clock;
};

static void query_device(struct rondo_device *rdev, struct drm_rondo_device_info *info)
{
	*info = (struct drm_rondo_device_info){
		.machine_hash = rdev->machine_hash,
		.cycles_max = rondo_cycles_max(),
		.job_cycles_max = rondo_job_cycles_max(rdev),
		.bo_size_max = RONDO_BO_SIZE_MAX,
		.memory = rdev->object_memory,
		.clock_khz = rdev->machine.clock_khz,
		.fw_version = READ_ONCE(rdev->fw.version),
		.bundles_max = rdev->machine.bundles_max,
		.slots_max = RONDO_PROGRAM_SLOTS_MAX,
		.entries_max = RONDO_ENTRIES_MAX,
		.descs_max = RONDO_DESCS_MAX,
		.replays_max = RONDO_JOB_REPLAYS_MAX,
		.offsets_max = RONDO_REPLAY_OFFSETS_MAX,
		.syncs_max = RONDO_JOB_SYNCS_MAX,
		.faults_max = RONDO_QUEUE_FAULTS_MAX,
		.programs_max = RONDO_FILE_PROGRAMS_MAX,
		.bindings_max = RONDO_FILE_BINDINGS_MAX,
		.queues_max = RONDO_FILE_QUEUES_MAX,
		.weight_default = RONDO_WEIGHT_DEFAULT,
		.weight_max = RONDO_WEIGHT_MAX,
	};
}

/* Together means: nothing but the read of the other stands between. */
static int query_clock(struct rondo_device *rdev, struct drm_rondo_clock_info *info)
{
	int ret = rondo_pm_get(rdev);

	if (ret)
		return ret;
	preempt_disable();
	info->device_cycles = rondo_hw_time(&rdev->hw);
	info->monotonic_ns = ktime_get_ns();
	preempt_enable();
	rondo_pm_put(rdev);
	if (info->device_cycles == U64_MAX) /* all ones: nobody answers on the bus */
		return -ENODEV;
	return sizeof(*info);
}

/* Fills @answer; returns its size, or a negative error. */
static int answer_query(struct rondo_device *rdev, u32 type, union answer *answer)
{
	switch (type) {
	case DRM_RONDO_QUERY_DEVICE:
		query_device(rdev, &answer->device);
		return sizeof(answer->device);
	case DRM_RONDO_QUERY_MACHINE:
		answer->machine = rdev->machine;
		return sizeof(answer->machine);
	case DRM_RONDO_QUERY_CLOCK:
		return query_clock(rdev, &answer->clock);
	default:
		return -EINVAL;
	}
}

int rondo_ioctl_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct rondo_device *rdev = to_rondo_device(drm);
	struct drm_rondo_query *args = data;
	union answer answer;
	int idx, size;

	if (rondo_device_error(rdev) == -ENODEV || !drm_dev_enter(drm, &idx))
		return -ENODEV;
	size = answer_query(rdev, args->type, &answer);
	drm_dev_exit(idx);
	if (size < 0)
		return size;

	if (args->data) {
		size = min_t(u32, size, args->size);
		if (copy_to_user(u64_to_user_ptr(args->data), &answer, size))
			return -EFAULT;
	}
	args->size = size;
	return 0;
}
