// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/lane.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "service/model.h"

enum {
	/* Best-effort runs that the device has: while one runs the next one is there already. */
	RUNS_AHEAD = 2,
	/* What the firmware takes for a run at most, in cycles of its device: usually 4000. */
	FIRMWARE_CYCLES = 20000,
};

struct lane {
	u32 number;
	char name[64];
	struct accel_device *device;
	struct accel_info info;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first, **last; /* what the device has, in its order */
	u32 running, waits; /* how many those are, and those in @line */
	struct waiting *line;
	u64 line_cycles; /* of all that waits */
	bool lost; /* the device is, and nothing is given to it */
	struct accel_device **gone; /* those that were lost; instances of clients' may have them */
	u32 gone_count;
	struct lanes *lanes;
	u64 free_at; /* when the device will have done all that it has, by its clock */
	bool stop;
};

struct lanes {
	u32 count, started;
	void (*lost)(void *context, const char *name);
	void *context;
	struct lane lane[LANES_MAX];
};

static u64 clock_of(const struct lane *lane)
{
	struct accel_clock clock = { 0 };

	accel_device_clock(lane->device, &clock);
	return clock.device_cycles;
}

static u64 later(u64 a, u64 b)
{
	return a > b ? a : b;
}

/*
 * Whether @status says that the device is lost. That a run failed says so only if the device has
 * gone; that one could not begin says more.
 */
static bool says_lost(int status, bool began)
{
	return status == -ENODEV || (status == -EIO && !began);
}

/* Takes note that the device that @model is on is lost. */
static void lose(struct lane *lane, const struct model *model)
{
	bool first;

	pthread_mutex_lock(&lane->lock);
	first = !lane->lost && model->on[lane->number] == lane->device;
	lane->lost = lane->lost || first;
	pthread_mutex_unlock(&lane->lock);
	if (first)
		lane->lanes->lost(lane->lanes->context, lane->name);
}

/* ---- A job on the device ------------------------------------------------------------------- */

static void copy_inputs(struct job *job)
{
	const struct signature *s = &job->model->signature;

	for (u32 i = 0; job->input && i < s->count[ACCEL_INPUT]; i++) {
		void *to;
		u64 bytes;

		if (!accel_instance_tensor(job->instance, ACCEL_INPUT, i, &to, &bytes))
			memcpy(to, job->input[i], bytes);
	}
}

static void copy_outputs(struct job *job)
{
	const struct signature *s = &job->model->signature;

	for (u32 i = 0; job->output && i < s->count[ACCEL_OUTPUT]; i++) {
		void *from;
		u64 bytes;

		if (!accel_instance_tensor(job->instance, ACCEL_OUTPUT, i, &from, &bytes))
			memcpy(job->output[i], from, bytes);
	}
}

static void give_back(struct job *job)
{
	if (!job->own)
		accel_instance_release(job->instance);
}

/* Gives @job to the device. 0; -ETIMEDOUT: no instance of its model is free. */
static int start_locked(struct lane *lane, struct job *job)
{
	int rc = 0;

	/* The model is of a device that was lost; this one has taken its place since. */
	if (job->model->on[lane->number] != lane->device)
		return -ENODEV;
	job->instance = job->own;
	if (!job->own)
		rc = accel_pool_acquire(job->model->pool[lane->number], 0, &job->instance);
	if (rc)
		return rc;
	copy_inputs(job);
	rc = accel_instance_start(job->instance);
	if (rc) {
		give_back(job);
		return rc;
	}
	/* From here on the device works until it has done this, however slow the host is. */
	job->given = clock_of(lane);
	lane->free_at = later(lane->free_at, job->given) + job->model->cycles + FIRMWARE_CYCLES;
	job->waiting.next = NULL;
	*lane->last = job;
	lane->last = (struct job **)&job->waiting.next;
	lane->running++;
	return 0;
}

/* What a run took, and whether it was in time. */
static void account(struct lane *lane, struct job *job)
{
	struct accel_fence_times t = { 0 };
	u32 khz = lane->info.clock_khz;

	if (accel_instance_times(job->instance, &t, sizeof(t)))
		return;
	job->cost = (struct run_cost){
		.device_cycles = t.cycles,
		.energy_nj = (u64)(t.energy_j * 1e9 + 0.5),
		.queue_us = t.started > job->arrived ? (t.started - job->arrived) * 1000 / khz : 0,
		.device_us = t.ended > job->arrived ? cycles_to_us(t.ended - job->arrived, khz) : 0,
	};
	job->late = job->timeout_us && t.ended > job->given &&
		    t.ended - job->given > us_to_cycles(job->timeout_us, khz);
}

/* The device has done @job: the first one of those it has. */
static void end(struct lane *lane, struct job *job)
{
	job->status = accel_instance_wait(job->instance, ACCEL_FOREVER);
	if (job->status)
		accel_instance_error(job->instance, &job->error);
	else
		copy_outputs(job);
	account(lane, job);
	give_back(job);
}

/* ---- The line ------------------------------------------------------------------------------ */

static void count_locked(struct lane *lane, const struct job *job, bool more)
{
	lane->line_cycles += more ? job->model->cycles : -job->model->cycles;
	lane->waits += more ? 1 : -1;
}

static struct job *take_locked(struct lane *lane)
{
	struct job *job = (struct job *)lane->line;

	lane->line = job->waiting.next;
	count_locked(lane, job, false);
	return job;
}

/* Puts back what was taken. */
static void untake_locked(struct lane *lane, struct job *job)
{
	job->waiting.next = lane->line;
	lane->line = &job->waiting;
	count_locked(lane, job, true);
}

/* Gives the device what waits, as far as it has room. Those that it does not get go to *@ended. */
static void pump_locked(struct lane *lane, struct waiting **ended)
{
	while (lane->line && (lane->stop || lane->running < RUNS_AHEAD)) {
		struct job *job = take_locked(lane);

		if (lane->stop || (job->abandoned && job->abandoned(job)))
			job->status = -ECANCELED;
		else
			job->status = start_locked(lane, job);
		if (job->status == -ETIMEDOUT) { /* until one of those ends that have an instance */
			untake_locked(lane, job);
			return;
		}
		if (job->status) {
			job->waiting.next = *ended;
			*ended = &job->waiting;
		}
	}
}

static void end_all(struct lane *lane, struct waiting *ended)
{
	while (ended) {
		struct job *job = (struct job *)ended;

		ended = ended->next;
		if (says_lost(job->status, false))
			lose(lane, job->model);
		snprintf(job->error.text, sizeof(job->error.text), "%s", strerror(-job->status));
		job->done(job);
	}
}

static void *run_lane(void *argument)
{
	struct lane *lane = argument;

	pthread_mutex_lock(&lane->lock);
	while (!lane->stop || lane->first || lane->line) {
		struct waiting *ended = NULL;
		struct job *job = lane->first;

		if (!job && !lane->line) {
			pthread_cond_wait(&lane->wake, &lane->lock);
			continue;
		}
		if (job) {
			pthread_mutex_unlock(&lane->lock);
			end(lane, job);
			pthread_mutex_lock(&lane->lock);
			lane->first = (struct job *)job->waiting.next;
			if (!lane->first)
				lane->last = &lane->first;
			lane->running--;
		}
		pump_locked(lane, &ended);
		pthread_mutex_unlock(&lane->lock);
		if (job && says_lost(job->status, true))
			lose(lane, job->model);
		if (job)
			job->done(job);
		end_all(lane, ended);
		pthread_mutex_lock(&lane->lock);
	}
	pthread_mutex_unlock(&lane->lock);
	return NULL;
}

/* ---- Submission ---------------------------------------------------------------------------- */

/* *@started becomes what the device said to it, if it was asked. */
static int admit_locked(struct lane *lane, struct job *job, int *started, struct refusal *why)
{
	u64 earliest, limit = us_to_cycles(job->timeout_us, lane->info.clock_khz);
	bool fits = admission_fits(job->arrived, lane->free_at,
				   job->model->cycles + FIRMWARE_CYCLES, limit, &earliest);

	*started = fits ? start_locked(lane, job) : 0;
	if (fits && !*started)
		return 0;
	if (fits && *started != -ETIMEDOUT)
		return refuse(why, 503, "%s: %s", lane->name, strerror(-*started));
	refuse(why, 503,
	       "model \"%s\": it cannot be done in %" PRIu64 " us, but in %" PRIu64
	       " us of device time%s",
	       job->model->name, job->timeout_us, cycles_to_us(earliest, lane->info.clock_khz),
	       fits ? ": all its instances are in use" : "");
	why->earliest_us = cycles_to_us(earliest, lane->info.clock_khz);
	return -1;
}

static int submit(struct lane *lane, struct job *job, struct refusal *why)
{
	struct waiting *ended = NULL;
	int rc = 0, started = 0;

	pthread_mutex_lock(&lane->lock);
	job->arrived = clock_of(lane);
	if (lane->stop) {
		rc = refuse(why, 503, "the server is stopping");
	} else if (lane->lost) {
		rc = refuse(why, 503, "%s: the device is gone", lane->name);
	} else if (job->timeout_us) {
		rc = admit_locked(lane, job, &started, why);
	} else {
		admission_wait(&lane->line, &job->waiting);
		count_locked(lane, job, true);
		pump_locked(lane, &ended);
	}
	pthread_cond_signal(&lane->wake);
	pthread_mutex_unlock(&lane->lock);
	if (says_lost(started, false))
		lose(lane, job->model);
	end_all(lane, ended);
	return rc;
}

/* The lane whose device will be free first. */
static struct lane *free_first(struct lanes *lanes)
{
	struct lane *best = &lanes->lane[0];
	u64 least = UINT64_MAX;

	for (u32 i = 0; i < lanes->count && lanes->count > 1; i++) {
		struct lane *lane = &lanes->lane[i];
		u64 now, ahead;

		pthread_mutex_lock(&lane->lock);
		now = clock_of(lane);
		ahead = lane->line_cycles + (lane->free_at > now ? lane->free_at - now : 0);
		ahead = lane->lost ? UINT64_MAX : ahead;
		pthread_mutex_unlock(&lane->lock);
		if (ahead < least) {
			least = ahead;
			best = lane;
		}
	}
	return best;
}

int lanes_submit(struct lanes *lanes, struct job *job, struct refusal *why)
{
	return submit(job->own ? &lanes->lane[job->lane] : free_first(lanes), job, why);
}

void lanes_load(struct lanes *lanes, u64 *waiting, u64 *running)
{
	*waiting = *running = 0;
	for (u32 i = 0; i < lanes->count; i++) {
		struct lane *lane = &lanes->lane[i];

		pthread_mutex_lock(&lane->lock);
		*waiting += lane->waits;
		*running += lane->running;
		pthread_mutex_unlock(&lane->lock);
	}
}

/* ---- Opening and closing ------------------------------------------------------------------- */

static int open_lane(struct lane *lane, const char *name, struct refusal *why)
{
	struct accel_error error = { 0 };
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
	int rc;

	*lane = (struct lane){ .lock = lock, .wake = wake, .last = &lane->first };
	snprintf(lane->name, sizeof(lane->name), "%s", name);
	rc = accel_device_open(name, &lane->device, &error);
	if (!rc)
		rc = accel_device_info(lane->device, &lane->info, sizeof(lane->info));
	if (rc)
		return refuse(why, 503, "%.200s: %s", name,
			      error.text[0] ? error.text : strerror(-rc));
	if (rondo_machine_find(lane->info.machine_hash) == RONDO_MACHINES)
		return refuse(why, 503, "%.200s: its machine is of a version that is not known",
			      name);
	return 0;
}

int lanes_open(const char *const *names, u32 count, void (*lost)(void *context, const char *name),
	       void *context, struct lanes **lanes, struct refusal *why)
{
	struct lanes *l = calloc(1, sizeof(*l));
	int rc = l ? 0 : refuse(why, 503, "no memory");

	if (count > LANES_MAX)
		rc = refuse(why, 503, "there are more than %d devices", LANES_MAX);
	for (u32 i = 0; i < count && !rc; i++) {
		rc = open_lane(&l->lane[l->count++], names[i], why);
		l->lane[i].number = i;
		l->lane[i].lanes = l;
		if (!rc && l->lane[i].info.machine_hash != l->lane[0].info.machine_hash)
			rc = refuse(why, 503, "%.200s and %.200s are of different machines",
				    names[0], names[i]);
	}
	if (l) {
		l->lost = lost;
		l->context = context;
	}
	for (; !rc && l->started < l->count; l->started++)
		if (pthread_create(&l->lane[l->started].thread, NULL, run_lane,
				   &l->lane[l->started])) {
			rc = refuse(why, 503, "the process may have no more threads");
			break;
		}
	if (rc && l) {
		lanes_stop(l);
		lanes_close(l);
	}
	*lanes = rc ? NULL : l;
	return rc;
}

/* Puts @device in the place of the one that was lost. False: there is no memory. */
static bool replace(struct lane *lane, struct accel_device *device)
{
	struct accel_device **grown =
		reallocarray(lane->gone, lane->gone_count + 1, sizeof(struct accel_device *));

	if (!grown)
		return false;
	lane->gone = grown;
	lane->gone[lane->gone_count++] = lane->device;
	pthread_mutex_lock(&lane->lock);
	lane->device = device;
	lane->free_at = 0; /* by another clock */
	lane->lost = false;
	pthread_mutex_unlock(&lane->lock);
	return true;
}

static bool reopen(struct lane *lane)
{
	struct accel_device *device;
	struct accel_info info;
	bool good;

	if (accel_open(lane->name, &device))
		return false;
	good = !accel_device_info(device, &info, sizeof(info)) &&
	       info.machine_hash == lane->info.machine_hash &&
	       info.clock_khz == lane->info.clock_khz && replace(lane, device);
	if (!good)
		accel_close(device);
	return good;
}

u32 lanes_reopen(struct lanes *lanes)
{
	u32 working = 0;

	for (u32 i = 0; i < lanes->count; i++)
		working += lanes_works(lanes, i) || reopen(&lanes->lane[i]);
	return working;
}

bool lanes_works(struct lanes *lanes, u32 lane)
{
	bool works;

	pthread_mutex_lock(&lanes->lane[lane].lock);
	works = !lanes->lane[lane].lost;
	pthread_mutex_unlock(&lanes->lane[lane].lock);
	return works;
}

void lanes_stop(struct lanes *lanes)
{
	for (u32 i = 0; i < lanes->started; i++) {
		pthread_mutex_lock(&lanes->lane[i].lock);
		lanes->lane[i].stop = true;
		pthread_cond_signal(&lanes->lane[i].wake);
		pthread_mutex_unlock(&lanes->lane[i].lock);
	}
	for (u32 i = 0; i < lanes->started; i++)
		pthread_join(lanes->lane[i].thread, NULL);
	lanes->started = 0;
}

void lanes_close(struct lanes *lanes)
{
	for (u32 i = 0; i < lanes->count; i++) {
		struct lane *lane = &lanes->lane[i];

		accel_close(lane->device);
		while (lane->gone_count)
			accel_close(lane->gone[--lane->gone_count]);
		free(lane->gone);
	}
	free(lanes);
}

u32 lanes_count(const struct lanes *lanes)
{
	return lanes->count;
}

struct accel_device *lanes_device(struct lanes *lanes, u32 lane)
{
	struct accel_device *device;

	pthread_mutex_lock(&lanes->lane[lane].lock);
	device = lanes->lane[lane].device;
	pthread_mutex_unlock(&lanes->lane[lane].lock);
	return device;
}

const char *lanes_name(const struct lanes *lanes, u32 lane)
{
	return lanes->lane[lane].name;
}

const char *lanes_machine(const struct lanes *lanes)
{
	return rondo_machine_name(rondo_machine_find(lanes->lane[0].info.machine_hash));
}
