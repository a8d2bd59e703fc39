/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Lanes: the devices, and what they are to run. Whoever submits a job gives it to a device himself
 * if that has room; a thread for each lane waits for the ends, and gives the device what waits.
 */
#ifndef SERVICE_LANE_H
#define SERVICE_LANE_H

#include "accel.h"
#include "service/admission.h"
#include "service/answer.h"
#include "service/refusal.h"

enum { LANES_MAX = 16 };

struct model;
struct lanes;

/* A run of a model. */
struct job {
	struct waiting waiting; /* first */
	struct model *model; /* which the submitter holds until the job is done */
	struct accel_instance *own; /* to run on, of lane @lane; NULL: one of the model's */
	u32 lane;
	const void *const *input; /* the bytes of each input; NULL: whatever is there */
	void *const *output; /* where each output goes; NULL: nowhere */
	u64 timeout_us; /* of device time, from when the device has it; 0: none */
	bool (*abandoned)(struct job *job); /* asked before it is given to a device; or NULL */
	void (*done)(struct job *job); /* called once for what was submitted, by any thread */

	/* How it ended, for done(). */
	int status; /* 0, or a negative errno; -ECANCELED: it was not run */
	struct run_cost cost;
	struct accel_error error;
	bool late; /* it missed its timeout all the same */

	/* The lane's. */
	struct accel_instance *instance;
	u64 arrived, given; /* to this process, and to the device, by the device's clock */
};

/*
 * Opens the @count devices @names. 0, or -1 and why. When one is lost, because it has gone or is
 * dead, @lost is called (by any thread, which holds no lock), and nothing is submitted to it any
 * more.
 */
int lanes_open(const char *const *names, u32 count, void (*lost)(void *context, const char *name),
	       void *context, struct lanes **lanes, struct refusal *why);

/* Opens again those that were lost, without their programs. How many work now. */
u32 lanes_reopen(struct lanes *lanes);

/* Whether the device of @lane works, as far as it is known. */
bool lanes_works(struct lanes *lanes, u32 lane);

/* Cancels what waits, waits for what runs. What is submitted from now on is refused. */
void lanes_stop(struct lanes *lanes);
void lanes_close(struct lanes *lanes);

u32 lanes_count(const struct lanes *lanes);
struct accel_device *lanes_device(struct lanes *lanes, u32 lane);
const char *lanes_name(const struct lanes *lanes, u32 lane);

/* The machine that all devices are of. */
const char *lanes_machine(const struct lanes *lanes);

/* Requests that wait, and those that devices have. */
void lanes_load(struct lanes *lanes, u64 *waiting, u64 *running);

/*
 * Submits a job to the lane that will be free first. 0, and done() will be called; or -1 and why:
 * it cannot be in time (503, with the earliest time), or there are no lanes any more.
 */
int lanes_submit(struct lanes *lanes, struct job *job, struct refusal *why);

#endif
