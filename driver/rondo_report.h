/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is told of the device outside of its file: sysfs, hwmon, debugfs, and fdinfo of a file.
 *
 * Everybody may know how busy the device is. What it has consumed, exactly, says something of the
 * data of whoever uses it, so energy is for root, and for a user that of his own files.
 */
#ifndef RONDO_REPORT_H
#define RONDO_REPORT_H

#include <linux/atomic.h>
#include <linux/types.h>

struct attribute_group;
struct drm_file;
struct drm_printer;
struct rondo_device;

/* What was done for somebody: a file, or all of them. */
struct rondo_usage {
	/** @cycles: exact device time */
	atomic64_t cycles;
	/** @energy_nj: nanojoules of the jobs that ended well */
	atomic64_t energy_nj;
};

extern const struct attribute_group *rondo_report_groups[];

/* Before the device is registered. */
int rondo_report_init(struct rondo_device *rdev);

void rondo_report_fdinfo(struct drm_printer *p, struct drm_file *file);

#endif
