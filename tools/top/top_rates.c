// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/top/top.h"

#include <math.h>
#include <string.h>

static const struct top_rate unknown = { NAN, NAN, NAN };

/* How much a counter grew each second; NAN: not known, or it began again. */
static double rate(u64 before, u64 now, double seconds)
{
	if (before == TOP_UNKNOWN || now == TOP_UNKNOWN || now < before || !(seconds > 0))
		return NAN;
	return (double)(now - before) / seconds;
}

static double seconds_between(const struct top_sample *before, const struct top_sample *now)
{
	return ((double)now->time_ns - (double)before->time_ns) * 1e-9;
}

struct top_rate top_process_rate(const struct top_sample *before, const struct top_sample *now,
				 size_t process)
{
	const struct top_process *p = &now->processes[process], *old;
	double seconds = seconds_between(before, now);

	for (size_t i = 0; i < before->process_count; i++) {
		old = &before->processes[i];
		/* Devices keep their places as long as none comes or goes; the name is what counts.
		 */
		if (old->pid == p->pid &&
		    !strcmp(before->devices[old->device].node, now->devices[p->device].node))
			return (struct top_rate){
				.busy = rate(old->engine_ns, p->engine_ns, seconds) * 1e-9,
				.cycles = rate(old->cycles, p->cycles, seconds),
				.watts = rate(old->energy_nj, p->energy_nj, seconds) * 1e-9,
			};
	}
	return unknown;
}

/* What is not told of a device is at least the sum of what is told of those who use it. */
static struct top_rate sum_of_processes(const struct top_sample *before,
					const struct top_sample *now, size_t device)
{
	struct top_rate sum = unknown;

	for (size_t i = 0; i < now->process_count; i++) {
		struct top_rate r;

		if (now->processes[i].device != device)
			continue;
		r = top_process_rate(before, now, i);
		if (isnan(r.busy))
			continue;
		if (isnan(sum.busy))
			sum = (struct top_rate){ 0, 0, 0 };
		sum.busy += r.busy;
		sum.cycles += r.cycles;
		sum.watts += r.watts;
	}
	return sum;
}

struct top_rate top_device_rate(const struct top_sample *before, const struct top_sample *now,
				size_t device)
{
	const struct top_device *d = &now->devices[device];
	struct top_rate r = sum_of_processes(before, now, device);
	double seconds = seconds_between(before, now);

	for (size_t i = 0; i < before->device_count; i++) {
		const struct top_device *old = &before->devices[i];
		double busy, watts;

		if (strcmp(old->node, d->node) != 0)
			continue;
		busy = rate(old->busy_us, d->busy_us, seconds) * 1e-6;
		watts = rate(old->energy_uj, d->energy_uj, seconds) * 1e-6;
		r.busy = isnan(busy) ? r.busy : busy;
		r.watts = isnan(watts) ? r.watts : watts;
	}
	return r;
}
