/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Where a program's time and energy go: bundles, stalls and activity of each region of its text.
 * Sums of stalls have no closed form, so loops that contain transfers are stepped trip by trip;
 * the others count at once. The rules of time stand in core/timing.h. Activity has closed forms
 * for any part of the text: core/energy.h.
 */
#ifndef RONDO_TOOLS_REGION_TIME_H
#define RONDO_TOOLS_REGION_TIME_H

#include "core/energy.h"
#include "core/program.h"

/* Cycles. Each cycle of a replay, except those of clearing, is in one region and one of these. */
struct region_time {
	u64 bundles; /* executed */
	u64 wait[RONDO_DMA_CHANNELS]; /* stalls of waits, by the channel waited for */
	u64 full[RONDO_DMA_CHANNELS]; /* stalls of starts on a full channel */
};

/*
 * Adds up @time[r] for each region r < @regions, where @region_of[i] is the region of bundle i
 * (one that is not below @regions counts nowhere). The program is one that the verifier
 * accepted on @m. Returns 0 or -ENOMEM.
 */
int region_times(const struct rondo_machine *m, const struct rondo_program *program,
		 const u32 *region_of, u32 regions, struct region_time *time);

/*
 * Who is told what happens when. Times are cycles since the first bundle; a function that returns
 * something else than 0 ends the walk, which returns that.
 */
struct region_watch {
	void *context;
	/*
	 * Whether bundles are told in the order of time. If not, all trips of a loop without
	 * transfers count where the first one stands, also if it leads through several regions.
	 */
	bool in_order;
	int (*bundles)(void *context, u32 region, u64 begin, u64 count);
	/* A wait, or a start on a full channel, of a bundle that is told next. */
	int (*stall)(void *context, u32 region, u32 channel, bool full, u64 begin, u64 end);
	/* A bundle of @region has started a transfer; NULL: nobody asks. Empty ones are not told.
	 */
	int (*transfer)(void *context, u32 region, u32 channel, const struct rondo_desc *desc,
			u64 begin, u64 end);
};

/* Steps through a run of the program, as region_times(). */
int region_walk(const struct rondo_machine *m, const struct rondo_program *program,
		const u32 *region_of, const struct region_watch *watch);

/* Adds up @activity[r] in the same way. What is cleared before a replay is in no region. */
void region_activities(const struct rondo_machine *m, const struct rondo_program *program,
		       const u32 *region_of, u32 regions, struct rondo_activity *activity);

#endif
