/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the accel devices of this machine do, and for whom: of all drivers, from what the kernel
 * tells everybody. Device files of the accel subsystem are of major number 261, which monitors of
 * graphics (major 226) do not look at.
 *
 *	top_read.c	/sys/class/accel and /proc/PID/fdinfo
 *	top_rates.c	what happened between two readings
 *	top_print.c	as a table, as JSON, and as a text file for Prometheus
 *
 * Sources: Documentation/gpu/drm-usage-stats.rst for fdinfo,
 * Documentation/hwmon/sysfs-interface.rst for energy. Attributes busy_time_us, memory_bytes and
 * firmware_version of the device, and the key rondo-energy-compute of fdinfo, are those of our
 * driver; devices of other drivers lack them.
 */
#ifndef TOOLS_TOP_H
#define TOOLS_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "spec/env.h"

/* What is not known. */
#define TOP_UNKNOWN UINT64_MAX

struct top_device {
	char node[32]; /* "accel0" */
	char driver[32];
	char bus[32]; /* "0000:00:03.0" */
	char firmware[32]; /* empty: not known */
	u64 busy_us; /* of device time since the driver was loaded */
	u64 memory; /* bytes in use */
	u64 energy_uj; /* of all users; root may read it */
};

/* What a process has used of a device, through all its files of it. */
struct top_process {
	u32 device; /* index */
	u32 pid, uid;
	char command[32];
	/* Since the files were opened. Those that are not known are 0. */
	u64 engine_ns; /* of its busiest kind of engine */
	u64 cycles;
	u64 energy_nj;
	u64 total, resident, purgeable; /* bytes */
};

struct top_sample {
	u64 time_ns; /* CLOCK_MONOTONIC */
	struct top_device *devices;
	struct top_process *processes; /* by device, then by process id */
	size_t device_count, process_count;
	size_t hidden; /* processes whose files this user may not see */
};

/*
 * Reads @sample from the file systems at @sys and @proc ("/sys", "/proc"). A machine without accel
 * devices has none. Processes and devices that go away meanwhile are left out. -ENOMEM.
 */
int top_read(const char *sys, const char *proc, struct top_sample *sample);
void top_sample_fini(struct top_sample *sample);

/* What happened between two readings; NAN: not known. */
struct top_rate {
	double busy; /* share of the time, 0..1: device time by wall time */
	double cycles; /* a second */
	double watts;
};

struct top_rate top_device_rate(const struct top_sample *before, const struct top_sample *now,
				size_t device);
struct top_rate top_process_rate(const struct top_sample *before, const struct top_sample *now,
				 size_t process);

/* A table of at most @lines lines of @columns columns, each ended by a newline; 0: no limit. */
void top_print_table(FILE *out, const struct top_sample *before, const struct top_sample *now,
		     int lines, int columns);
/* An object on a line of its own. */
void top_print_json(FILE *out, const struct top_sample *before, const struct top_sample *now);
/* Prometheus' text format, for the textfile collector of node_exporter: counters and gauges. */
void top_print_metrics(FILE *out, const struct top_sample *now);

#endif
