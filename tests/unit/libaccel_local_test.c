// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The local backend from inside: what it does with registers, events and rings that are wrong, how
 * often it looks before it gives up, which jobs wait for which, what is left when numbers run out.
 * The test stands between the library and its device (--wrap): registers read as it says, and the
 * library's thread lives in a time of its own, which passes only while the thread waits in vain.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "core/replay.h"
#include "tests/unit/libaccel_faults.h"

/*
 * Between the library and the device
 */

enum how {
	REAL,
	STILL, /* reads as the value */
	ONCE, /* does so once, and is real then */
	MOVES, /* reads as the value, which is one more each time */
};

static struct {
	_Atomic enum how how;
	atomic_uint value, reads; /* while it is not real */
	atomic_uint pause_at; /* the read after which the library stops until this is 0 */
} reg[64]; /* by offset / 4 */

static _Atomic(struct local_device *) watched; /* whose thread lives in the time of the test */
static _Thread_local bool opens; /* this thread does as well: it boots a device */
static _Thread_local bool in_device;
static atomic_bool hurry; /* waiting in vain takes none of the host's time */
static atomic_uint waited_ms; /* the time of the thread */
static atomic_uint reset_ms; /* when it reset the device last, which takes time */
static atomic_uint resets, bells; /* resets of the device; times that bell 0 was rung */
static void (*_Atomic before_reset)(void);

static bool in_thread(void)
{
	struct local_device *dev = watched;

	return opens || (dev && pthread_equal(pthread_self(), dev->thread));
}

u64 __real_emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size);
u64 __wrap_emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size);
u64 __wrap_emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size)
{
	enum how how = REAL;
	u64 value;

	if (bar == RONDO_BAR_REGS && offset / 4 < 64 && size == 4)
		how = reg[offset / 4].how;
	if (how == REAL) {
		in_device = true;
		value = __real_emu_mmio_read(dev, bar, offset, size);
		in_device = false;
		return value;
	}
	value = how == MOVES ? reg[offset / 4].value++ : reg[offset / 4].value;
	if (how == ONCE)
		reg[offset / 4].how = REAL;
	if (++reg[offset / 4].reads == reg[offset / 4].pause_at)
		while (reg[offset / 4].pause_at)
			poll(NULL, 0, 1);
	return value;
}

void __real_emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size);
void __wrap_emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size);
void __wrap_emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size)
{
	void (*hook)(void) = before_reset;

	if (bar == RONDO_BAR_BELLS && !offset)
		bells++;
	if (bar == RONDO_BAR_REGS && offset == RONDO_REG_HOST_CTRL &&
	    value == RONDO_FLD_HOST_CTRL_RESET) {
		reg[RONDO_REG_HOST_HEARTBEAT / 4].how = REAL;
		reg[RONDO_REG_HOST_PROGRESS / 4].how = REAL;
		hurry = false;
		reset_ms = waited_ms;
		resets++;
		before_reset = NULL;
		if (hook)
			hook();
	}
	in_device = true;
	__real_emu_mmio_write(dev, bar, offset, value, size);
	in_device = false;
}

int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	int ret;

	if (n != 1 || !in_thread())
		return __real_poll(fds, n, ms);
	ret = __real_poll(fds, n, hurry && ms > 0 ? 0 : ms);
	if (!ret)
		waited_ms += ms;
	return ret;
}

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	u32 ms = waited_ms;

	if (in_device || !in_thread())
		return __real_clock_gettime(id, t);
	t->tv_sec = 1000 + ms / 1000;
	t->tv_nsec = ms % 1000 * 1000000;
	return 0;
}

static void reads_as(u32 offset, enum how how, u32 value)
{
	reg[offset / 4].reads = 0;
	reg[offset / 4].value = value;
	reg[offset / 4].how = how;
}

static u32 reads_of(u32 offset)
{
	return reg[offset / 4].reads;
}

/*
 * What the tests are made of
 */

static struct local_device *local(struct rig *r)
{
	return (struct local_device *)r->device;
}

static bool init(struct rig *r)
{
	bool good = rig_init(r);

	if (good)
		watched = local(r);
	return good;
}

static void fini(struct rig *r)
{
	rig_fini(r);
	watched = NULL;
}

static void works(struct rig *r)
{
	rig_fault(r, "seq_work", 0);
	rig_fill(r, 9);
	tap_ok(!rig_replay(r) && rig_correct(r, 9), "and the device works");
}

static void wait_for_resets(u32 count)
{
	while (resets < count)
		poll(NULL, 0, 1);
}

static void wait_for_fault(struct rig *r, u32 hits)
{
	rig_fault_wait(r, "seq_work", hits);
}

/* Starts a job of @count replays of @binding and waits until the device holds the first. */
static struct accel_fence *hold(struct rig *r, struct accel_binding *binding, u32 count)
{
	static struct accel_replay replays[LOCAL_REPLAYS_MAX];
	struct accel_job job = { .replays = replays, .replay_count = count };
	u32 hits = rig_fault_hits(r, "seq_work"), i;
	struct accel_fence *fence = NULL;

	rig_step();
	for (i = 0; i < count; i++)
		replays[i].binding = binding;
	rig_fault(r, "seq_work", 1);
	tap_eq(accel_submit(r->queue, &job, &fence), 0, "a job that is held");
	wait_for_fault(r, hits);
	return fence;
}

/* Whether @fence ends with @error, for @result. */
static bool ended(struct accel_fence *fence, int error, u32 result)
{
	struct accel_error e;
	bool good;
	int ret;

	rig_step();
	ret = accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_error(fence, NULL, &e);
	good = ret == error && e.reason == result;
	if (!good)
		printf("# %d, reason %u: %s\n", ret, e.reason, e.text);
	accel_fence_destroy(fence);
	return good;
}

/* The last job of the device. */
static struct local_job *last_job(struct local_device *dev)
{
	struct local_job *job = dev->jobs;

	while (job && job->next)
		job = job->next;
	return job;
}

/* How many replays of the last job stand in a ring. */
static u32 last_pushed(struct rig *r)
{
	u32 pushed;

	pthread_mutex_lock(&local(r)->lock);
	pushed = last_job(local(r))->pushed;
	pthread_mutex_unlock(&local(r)->lock);
	return pushed;
}

/* How many events the library has taken. */
static u32 event_head(struct rig *r)
{
	u32 head;

	pthread_mutex_lock(&local(r)->lock);
	head = local(r)->event_head;
	pthread_mutex_unlock(&local(r)->lock);
	return head;
}

static u32 event_tail(struct rig *r)
{
	return __atomic_load_n(&local(r)->shared->status.event_tail, __ATOMIC_ACQUIRE);
}

/* Waits until the firmware has written its events up to @tail. */
static void wait_for_events(struct rig *r, u32 tail)
{
	while ((s32)(event_tail(r) - tail) < 0)
		poll(NULL, 0, 1);
}

/* Waits until the firmware has answered all commands. */
static void wait_for_answers(struct local_device *dev)
{
	bool none = false;

	while (!none) {
		pthread_mutex_lock(&dev->lock);
		none = !dev->calls && !dev->backlog;
		pthread_mutex_unlock(&dev->lock);
		poll(NULL, 0, none ? 0 : 1);
	}
}

static struct rig_counter counter;

/*
 * Liveness
 */

/* How often the thread looks at register @offset, which stands still, until it resets the device.
 */
static u32 looks_until_reset(u32 offset)
{
	const u32 moves = offset == RONDO_REG_HOST_HEARTBEAT ? RONDO_REG_HOST_PROGRESS :
							       RONDO_REG_HOST_HEARTBEAT;
	u32 before = resets;

	reads_as(moves, MOVES, 7);
	reg[offset / 4].reads = 0;
	reg[offset / 4].how = STILL;
	hurry = true;
	wait_for_resets(before + 1);
	return reads_of(offset);
}

static const struct {
	const char *name;
	u32 offset, looks;
} counters[] = {
	{ "heartbeat", RONDO_REG_HOST_HEARTBEAT, LOCAL_WATCH_SILENT },
	{ "progress", RONDO_REG_HOST_PROGRESS, LOCAL_WATCH_STILL },
};

/* A counter that stands still for so many looks, four a second, is a reset; not for one less. */
static void test_still(struct rig *r)
{
	struct accel_fence *fence;
	u32 i, began, before, looks;

	for (i = 0; i < 2; i++) {
		fence = hold(r, r->binding, 1);
		reg[counters[i].offset / 4].value = 0xabcdef;
		began = waited_ms;
		looks = looks_until_reset(counters[i].offset);
		/* The first look sees that it has moved. */
		tap_eq(looks, 1 + counters[i].looks, "looks until a reset");
		tap_ok(reset_ms - began == looks * LOCAL_WATCH_MS, "by the %s: %u ms",
		       counters[i].name, reset_ms - began);
		rig_fault(r, "seq_work", 0);
		tap_ok(ended(fence, 0, 0), "after which the job runs");
	}
	/* What was seen of one job does not count for the next. */
	for (i = 0; i < 2; i++) {
		const u32 other = counters[1 - i].offset;

		fence = hold(r, r->binding, 1);
		before = resets;
		reads_as(other, MOVES, 7);
		reg[counters[i].offset / 4].pause_at = counters[i].looks;
		reads_as(counters[i].offset, STILL, 0xbcdef);
		hurry = true;
		while (reads_of(counters[i].offset) < counters[i].looks)
			poll(NULL, 0, 1);
		hurry = false;
		began = event_tail(r);
		rig_fault(r, "seq_work", 0);
		wait_for_events(r, began + 1);
		reg[counters[i].offset / 4].pause_at = 0;
		tap_ok(ended(fence, 0, 0) && resets == before, "one look less is none");
		fence = hold(r, r->binding, 1);
		tap_eq(looks_until_reset(counters[i].offset), counters[i].looks,
		       "after a pause it is as many again");
		rig_fault(r, "seq_work", 0);
		tap_ok(ended(fence, 0, 0), "and the job runs");
	}
	works(r);
}

/* Whatever tells that device or firmware have stopped: it is seen at the next look. */
static void test_stopped(struct rig *r)
{
	static const struct {
		const char *name;
		u32 offset, value;
	} rows[] = {
		{ "the device is dead", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_DEAD << RONDO_SHIFT_HOST_STATUS_STATE },
		{ "the device is off", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_OFF << RONDO_SHIFT_HOST_STATUS_STATE },
		{ "the firmware is not there", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_NONE },
		{ "the firmware has stopped", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_BAD_INIT },
		{ "the sequencer is stuck", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_STUCK },
	};
	u32 i, before, began;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct accel_fence *fence = hold(r, r->binding, 1);

		before = resets;
		began = waited_ms;
		reads_as(rows[i].offset, ONCE, rows[i].value);
		local_wake(local(r));
		wait_for_resets(before + 1);
		tap_ok(reset_ms - began < 2 * LOCAL_WATCH_MS, "%s: a reset at once", rows[i].name);
		rig_fault(r, "seq_work", 0);
		tap_ok(ended(fence, 0, 0) && resets == before + 1, "and one only");
	}
	works(r);
}

/*
 * Boot
 */

/* How opening ends if register @offset reads as @value; and how long it waits. */
static int open_with(u32 offset, u32 value, u32 *ms, u32 *firmware)
{
	struct accel_device *device = (void *)8;
	struct accel_error error;
	struct accel_info info;
	u32 began = waited_ms;
	int ret;

	reads_as(offset, STILL, value);
	opens = true;
	hurry = true;
	ret = accel_device_open("emu", &device, &error);
	opens = false;
	hurry = false;
	reads_as(offset, REAL, 0);
	*ms = waited_ms - began;
	if ((device == (void *)8) != !!ret || !error.text[0] != !ret)
		return 1;
	if (!ret) {
		accel_device_info(device, &info, sizeof(info));
		*firmware = info.firmware;
		accel_close(device);
	}
	return ret;
}

static void test_boot(void)
{
	enum { ALL = 10000 }; /* ms that a boot may take */
	static const struct {
		const char *name;
		u32 offset, value;
		int error;
		bool waits; /* in vain */
	} rows[] = {
		{ "a device that is gone", RONDO_REG_HOST_ID, ~0u, -ENODEV, false },
		{ "one that dies", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_DEAD << RONDO_SHIFT_HOST_STATUS_STATE, -EIO, false },
		{ "one that stays off", RONDO_REG_HOST_STATUS,
		  RONDO_STATE_OFF << RONDO_SHIFT_HOST_STATUS_STATE, -EIO, true },
		{ "firmware that never comes", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_NONE, -EIO,
		  true },
		{ "firmware that stops", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_BAD_INIT, -EIO,
		  false },
		{ "firmware that traps", RONDO_REG_HOST_FW_STATE, RONDO_FW_STATE_TRAP, -EIO,
		  false },
		{ "an older major version", RONDO_REG_HOST_FW_VERSION,
		  (RONDO_FW_MAJOR - 1) << 16 | 0xffff, -EIO, false },
		{ "a newer one", RONDO_REG_HOST_FW_VERSION, (RONDO_FW_MAJOR + 1) << 16, -EIO,
		  false },
		{ "a newer minor version", RONDO_REG_HOST_FW_VERSION, RONDO_FW_MAJOR << 16 | 0xffff,
		  0, false },
	};
	u32 i, ms, firmware = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret = open_with(rows[i].offset, rows[i].value, &ms, &firmware);

		if (!tap_ok(ret == rows[i].error && (ms == ALL) == rows[i].waits && ms <= ALL, "%s",
			    rows[i].name))
			printf("# %d, %u ms\n", ret, ms);
	}
	tap_eq(firmware, RONDO_FW_MAJOR << 16 | 0xffff, "which is told");
}

/*
 * Events
 */

/* The completion of the first job's first replay. */
static struct rondo_fw_event completion(struct rig *r)
{
	struct rondo_fw_event event = { .type = RONDO_FW_EVENT_DONE };

	pthread_mutex_lock(&local(r)->lock);
	event.seqno = local(r)->jobs->seqno;
	event.queue = local(r)->jobs->queue->number;
	event.cookie = local(r)->cookie;
	pthread_mutex_unlock(&local(r)->lock);
	return event;
}

/* Puts @event into the ring as if it were the firmware's. */
static void forge(struct local_device *dev, const struct rondo_fw_event *event)
{
	pthread_mutex_lock(&dev->lock);
	dev->shared->event[dev->event_head % LOCAL_EVENT_ENTRIES] = *event;
	__atomic_store_n(&dev->shared->status.event_tail, dev->event_head + 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&dev->lock);
	local_wake(dev);
}

/*
 * Completions that make no sense are a reset, after which the job runs as if nothing had been; one
 * that does ends it as it says. The job has two replays, of which the first is held.
 */
static void test_events(struct rig *r)
{
	static const struct {
		const char *name;
		u32 type, result;
		int seqno, queue; /* beyond the job's */
		int error; /* 1: refused */
	} rows[] = {
		{ "of no type", 0, RONDO_FW_STALLED, 1, 0, 1 },
		{ "of an unknown type", RONDO_FW_EVENT_DONE + 1, RONDO_FW_STALLED, 1, 0, 1 },
		{ "of a command that is none", RONDO_FW_EVENT_ADMIN, RONDO_FW_OK, 1, 0, 1 },
		{ "of another queue", RONDO_FW_EVENT_DONE, RONDO_FW_STALLED, 1, 1, 1 },
		{ "of a replay before", RONDO_FW_EVENT_DONE, RONDO_FW_STALLED, -1, 0, 1 },
		{ "of a replay behind", RONDO_FW_EVENT_DONE, RONDO_FW_STALLED, 2, 0, 1 },
		{ "with a result that is none", RONDO_FW_EVENT_DONE, RONDO_FW_RESULTS, 1, 0, 1 },
		{ "with the last result there is", RONDO_FW_EVENT_DONE, RONDO_FW_STALLED, 1, 0,
		  -ETIME },
		{ "of the end", RONDO_FW_EVENT_DONE, RONDO_FW_OK, 1, 0, 0 },
	};
	u32 i, before;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rondo_fw_event event;
		struct accel_fence *fence;
		bool good;
		int ret;

		rig_fill(r, i);
		fence = hold(r, r->binding, 2);
		before = resets;
		event = completion(r);
		event.type = rows[i].type;
		event.result = rows[i].result;
		event.seqno += rows[i].seqno;
		event.queue += rows[i].queue;
		forge(local(r), &event);
		if (rows[i].error > 0) {
			wait_for_resets(before + 1);
			rig_fault(r, "seq_work", 0);
		}
		ret = accel_fence_wait(fence, ACCEL_FOREVER);
		good = rows[i].error > 0 ? !ret && rig_correct(r, i) :
					   ret == rows[i].error && !rig_correct(r, i);
		tap_ok(good, "a completion %s", rows[i].name);
		accel_fence_destroy(fence);
		/* The device, which knows nothing of it, is to run no replay any more. */
		before = resets;
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(r));
		wait_for_resets(before + 1);
		rig_fault(r, "seq_work", 0);
		rig_replay(r);
		works(r);
	}
}

/* The firmware has written more events than the ring has room for: none of them is believed. */
static void test_event_overrun(struct rig *r)
{
	struct local_device *dev = local(r);
	u32 before = resets, tail;
	struct accel_fence *fence;

	memset(counter.words, 0, 256);
	fence = hold(r, counter.binding, 1);
	pthread_mutex_lock(&dev->lock);
	tail = event_tail(r);
	rig_fault(r, "seq_work", 0);
	wait_for_events(r, tail + 1);
	__atomic_fetch_add(&dev->shared->status.event_tail, LOCAL_EVENT_ENTRIES, __ATOMIC_ACQ_REL);
	pthread_mutex_unlock(&dev->lock);
	wait_for_resets(before + 1);
	tap_ok(ended(fence, -EIO, RONDO_HOST_RESET) && counter.words[0] == 1,
	       "more events than there is room for");
	works(r);
}

/* As many events as there is room for: all are good, and the firmware is told of the room. */
static void test_event_ring_full(struct rig *r)
{
	static struct accel_fence *fence[LOCAL_EVENT_ENTRIES + 8];
	struct local_device *dev = local(r);
	u32 before = resets, n = LOCAL_EVENT_ENTRIES + 8, i, tail, rung, wrong = 0;

	/* The ring has one entry for each replay, so that all of these stand in it at once. */
	fence[0] = hold(r, r->binding, 1);
	for (i = 1; i < LOCAL_QUEUE_ENTRIES; i++)
		wrong += !!accel_replay(r->queue, r->binding, &fence[i]);
	tap_eq(last_pushed(r), 1, "a ring full of replays");
	for (; i < n; i++)
		wrong += !!accel_replay(r->queue, r->binding, &fence[i]);
	tap_eq(last_pushed(r), 0, "and some behind it that wait");
	rung = bells;
	pthread_mutex_lock(&dev->lock);
	tail = dev->event_head + LOCAL_EVENT_ENTRIES;
	rig_fault(r, "seq_work", 0);
	wait_for_events(r, tail);
	pthread_mutex_unlock(&dev->lock);
	for (i = 0; i < n; i++) {
		wrong += !!accel_fence_wait(fence[i], ACCEL_FOREVER);
		accel_fence_destroy(fence[i]);
	}
	tap_ok(!wrong && resets == before, "all of them end well, without a reset");
	tap_eq(bells - rung, 1, "the firmware is told once that there is room again");
	works(r);
}

/* However many replays a job has, it is one event, and none says that it has ended before. */
static void test_one_event(struct rig *r)
{
	struct accel_fence *fence = hold(r, r->binding, 5);
	u32 head = event_head(r);

	rig_fault(r, "seq_work", 0);
	tap_ok(ended(fence, 0, 0), "a job of five replays");
	tap_eq(event_head(r) - head, 1, "is one event");
}

/*
 * Queues
 */

/* A job that does not fit goes into the ring in parts, and nothing of its queue overtakes it. */
static void test_parts(struct rig *r)
{
	static struct accel_replay replays[LOCAL_REPLAYS_MAX];
	struct accel_job job = { .replays = replays, .replay_count = LOCAL_REPLAYS_MAX };
	struct accel_fence *fence[4];
	struct rig other = *r;
	u32 before = resets, i;

	for (i = 0; i < LOCAL_REPLAYS_MAX; i++)
		replays[i].binding = counter.binding;
	memset(counter.words, 0, 256);
	accel_queue_create(r->device, 1, &other.queue);
	fence[0] = hold(r, counter.binding, 1);
	accel_submit(r->queue, &job, &fence[1]);
	tap_eq(last_pushed(r), LOCAL_QUEUE_ENTRIES - 1, "all that fits of a job");
	accel_replay(r->queue, counter.binding, &fence[2]);
	tap_eq(last_pushed(r), 0, "nothing of the one behind it");
	accel_replay(other.queue, r->binding, &fence[3]);
	tap_eq(last_pushed(r), 1, "what has to do with none of them, in another queue");
	rig_fault(r, "seq_work", 0);
	for (i = 0; i < 4; i++)
		tap_ok(ended(fence[i], 0, 0), "ends well");
	tap_ok(counter.words[0] == LOCAL_REPLAYS_MAX + 2 && resets == before,
	       "each replay was done once, without a reset");
	accel_queue_destroy(other.queue);
}

/* Submits {nothing, @binding}, or the other way round if @first. */
static struct accel_fence *submit_two(struct accel_queue *queue, struct accel_binding *nothing,
				      struct accel_binding *binding, bool first)
{
	struct accel_replay replays[2] = { { .binding = first ? binding : nothing },
					   { .binding = first ? nothing : binding } };
	struct accel_job job = { .replays = replays, .replay_count = 2 };
	struct accel_fence *fence = NULL;

	accel_submit(queue, &job, &fence);
	return fence;
}

/* Whether a job of @later waits for one of @earlier, of another queue, that is held. */
static bool waits_for(struct rig *r, struct accel_queue *other, struct accel_binding *nothing,
		      struct accel_binding *earlier, struct accel_binding *later, bool first)
{
	u32 hits = rig_fault_hits(r, "seq_work"), pushed, bad;
	struct accel_fence *fence[2];

	rig_fault(r, "seq_work", 1);
	fence[0] = submit_two(r->queue, nothing, earlier, first);
	wait_for_fault(r, hits);
	fence[1] = submit_two(other, nothing, later, first);
	pushed = last_pushed(r);
	rig_fault(r, "seq_work", 0);
	bad = !ended(fence[0], 0, 0);
	bad += !ended(fence[1], 0, 0);
	if (bad || (pushed && pushed != 2))
		tap_ok(false, "both end well");
	return !pushed;
}

/*
 * A job waits for an earlier one of another queue if one of them writes what the other touches, and
 * not otherwise; and never for one of its own queue.
 */
static void test_conflicts(struct rig *r)
{
	static const char text[] = "machine edge\n"
				   "slot a\nslot b\nslot c\n"
				   "desc get in a row=64 sram=0\n"
				   "desc put out b row=64 sram=0\n"
				   "\tdma c0, get\n"
				   "\twait c0<=0\n"
				   "\tdma c1, put\n"
				   "\thalt c1<=0\n";
	/* Buffers that are read, written, and bound to a slot that is not touched. */
	static const u32 rows[][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 2, 1 },
				       { 2, 1, 0 }, { 1, 2, 0 }, { 2, 0, 1 } };
	enum { ROWS = 6 };
	struct accel_binding *binding[ROWS] = {}, *nothing = NULL;
	struct accel_program *program = NULL, *idle = NULL;
	struct accel_queue *other = NULL;
	struct accel_fence *fence[2];
	u64 size, idle_size;
	void *code = rig_assemble(text, &size);
	void *idle_code = rig_assemble("machine edge\n\thalt\n", &idle_size);
	u32 i, k, slot, wrong = 0;

	accel_queue_create(r->device, 1, &other);
	wrong += !!accel_program_create(r->device, code, size, 0, &program, NULL);
	wrong += !!accel_program_create(r->device, idle_code, idle_size, 0, &idle, NULL);
	wrong += !!accel_binding_create(idle, NULL, 0, &nothing, NULL);
	for (i = 0; i < ROWS; i++) {
		struct accel_slot_binding slots[3];

		for (slot = 0; slot < 3; slot++)
			slots[slot] = r->slots[rows[i][slot]];
		wrong += !!accel_binding_create(program, slots, 3, &binding[i], NULL);
	}
	tap_eq(wrong, 0, "bindings of three buffers");
	for (i = 0; i < ROWS; i++) {
		for (k = 0; k < ROWS; k++) {
			bool waits = rows[i][1] == rows[k][0] || rows[i][1] == rows[k][1] ||
				     rows[i][0] == rows[k][1];

			wrong += waits_for(r, other, nothing, binding[i], binding[k], true) !=
				 waits;
			wrong += waits_for(r, other, nothing, binding[i], binding[k], false) !=
				 waits;
		}
	}
	tap_eq(wrong, 0, "a job waits for an earlier one that writes what it touches");
	fence[0] = hold(r, binding[0], 1);
	accel_replay(r->queue, binding[0], &fence[1]);
	tap_eq(last_pushed(r), 1, "and not for one of its own queue");
	rig_fault(r, "seq_work", 0);
	wrong = !ended(fence[0], 0, 0);
	wrong += !ended(fence[1], 0, 0);
	tap_eq(wrong, 0, "which is done before it");
	for (i = 0; i < ROWS; i++)
		accel_binding_destroy(binding[i]);
	accel_binding_destroy(nothing);
	accel_program_destroy(program);
	accel_program_destroy(idle);
	accel_queue_destroy(other);
	free(code);
	free(idle_code);
	works(r);
}

/* The other queue's completion must not put more into a queue that is being destroyed. */
static void *destroy_queue(void *queue)
{
	accel_queue_destroy(queue);
	return NULL;
}

static void test_stopped_queue(struct rig *r)
{
	struct local_device *dev = local(r);
	struct rondo_fw_event event;
	struct accel_fence *first, *second;
	struct accel_queue *queue = NULL;
	pthread_t thread;
	bool stopped;

	accel_queue_create(r->device, 1, &queue);
	first = hold(r, r->binding, 1);
	accel_replay(queue, r->binding, &second);
	tap_eq(last_pushed(r), 0, "a job that waits for one of another queue");
	event = completion(r);
	rig_fault(r, "fw_silent", 1);
	pthread_create(&thread, NULL, destroy_queue, queue);
	do { /* until the thread waits for the firmware */
		pthread_mutex_lock(&dev->lock);
		stopped = ((struct local_queue *)queue)->stopped && dev->calls;
		pthread_mutex_unlock(&dev->lock);
	} while (!stopped);
	forge(dev, &event);
	tap_ok(ended(first, 0, 0), "which ends while its own queue is destroyed");
	pthread_mutex_lock(&dev->lock);
	tap_eq(((struct local_queue *)queue)->tail, 0, "does not go to the device");
	pthread_mutex_unlock(&dev->lock);
	rig_fault(r, "fw_silent", 0);
	rig_fault(r, "seq_work", 0);
	tap_ok(ended(second, -ECANCELED, RONDO_FW_ABORTED), "and is given up");
	pthread_join(thread, NULL);
	works(r);
}

/*
 * Resets
 */

static struct rig *held_rig;

/* The replay that is held ends, and its event is written; the library has not seen it. */
static void let_it_end(void)
{
	u32 tail = event_tail(held_rig);

	rig_fault(held_rig, "seq_work", 0);
	wait_for_events(held_rig, tail + 1);
}

static void vanish(void)
{
	rig_fault(held_rig, "vanish", 1);
}

/* What ends before the device has stopped has ended. */
static void test_ended_before_reset(struct rig *r)
{
	u32 before = resets;
	struct accel_fence *fence;

	memset(counter.words, 0, 256);
	fence = hold(r, counter.binding, 1);
	held_rig = r;
	before_reset = let_it_end;
	reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
	local_wake(local(r));
	tap_ok(ended(fence, 0, 0), "a job that ends before the device has stopped");
	wait_for_resets(before + 1);
	works(r);
	tap_ok(counter.words[0] == 1 && resets == before + 1, "is not repeated");
}

/* A job keeps its first failure, whatever comes behind that. */
static void test_first_failure(struct rig *r)
{
	u32 hits = rig_fault_hits(r, "seq_work"), tail = event_tail(r);
	struct accel_fence *fence;
	struct accel_error e;

	fence = hold(r, counter.binding, 3);
	rig_fault(r, "overrun", 1000);
	hits = rig_fault_hits(r, "seq_work");
	rig_fault(r, "seq_work", 2);
	rig_fault_wait(r, "seq_work", hits);
	hits = rig_fault_hits(r, "seq_work");
	rig_fault(r, "seq_work", 1);
	rig_fault_wait(r, "seq_work", hits);
	wait_for_events(r, tail + 1); /* the first has failed, the second has begun */
	rig_fault(r, "fw_crash", 1);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -ETIME, "a job whose first replay fails");
	accel_fence_error(fence, NULL, &e);
	tap_ok(e.reason == RONDO_FW_OVERRUN && e.index != ACCEL_UNKNOWN &&
		       !strncmp(e.text, "replay 0 of 3 failed at bundle ", 31),
	       "keeps that when the device is reset: %s", e.text);
	accel_fence_destroy(fence);
	works(r);
}

struct making {
	struct rig *rig;
	struct accel_program *program;
	struct accel_error error;
	int ret;
};

static void *make_program(void *p)
{
	struct making *m = p;

	m->ret = accel_program_create(m->rig->device, m->rig->code, m->rig->code_bytes, 0,
				      &m->program, &m->error);
	return NULL;
}

/* Sets how the sequencer is held, and waits until it is, so that a command moves one step. */
static void step(struct rig *r, u32 how)
{
	u32 hits = rig_fault_hits(r, "seq_work");

	rig_fault(r, "seq_work", how);
	rig_fault_wait(r, "seq_work", hits);
}

/* Programs and bindings that a reset loads again. */
static u32 live_objects(struct local_device *dev)
{
	u32 i, count = 0;

	pthread_mutex_lock(&dev->lock);
	for (i = 0; i < RONDO_PROGRAMS_MAX; i++)
		count += dev->program[i] && dev->program[i]->live;
	for (i = 0; i < RONDO_BINDINGS_MAX; i++)
		count += dev->binding[i] && dev->binding[i]->live;
	pthread_mutex_unlock(&dev->lock);
	return count;
}

/* The firmware crashes while a command is held; until the first command of the reset is. */
static void crash(struct rig *r)
{
	u32 hits = rig_fault_hits(r, "seq_work");

	rig_fault(r, "fw_crash", 1);
	rig_fault_wait(r, "seq_work", hits);
}

/* An operation is tried again after a reset, twice; a third one is its error. */
static void test_tries(struct rig *r)
{
	u32 crashes, objects = live_objects(local(r)), i, k, before;

	for (crashes = LOCAL_LOAD_TRIES - 1; crashes <= LOCAL_LOAD_TRIES; crashes++) {
		struct making m = { .rig = r };
		pthread_t thread;
		u32 hits;

		wait_for_answers(local(r));
		hits = rig_fault_hits(r, "seq_work");
		before = resets;
		rig_fault(r, "seq_work", 1);
		pthread_create(&thread, NULL, make_program, &m);
		rig_fault_wait(r, "seq_work", hits);
		for (i = 0; i < crashes; i++) {
			crash(r);
			/* What is loaded again, each held before and after its work; then ours. */
			for (k = 0; k < objects && i + 1 < crashes; k++) {
				step(r, 2);
				step(r, 1);
			}
		}
		rig_fault(r, "seq_work", 0);
		pthread_join(thread, NULL);
		tap_ok(m.ret == (crashes < LOCAL_LOAD_TRIES ? 0 : -EIO) &&
			       !m.error.text[0] == !m.ret && resets == before + crashes,
		       "a program that is loaded while the device is reset %u times: %d", crashes,
		       m.ret);
		accel_program_destroy(m.program);
	}
	works(r);
}

/* What a first try was told, a second one that succeeds does not say. */
static void test_refused_once(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_error error;
	u32 before = resets;

	rig_fault(r, "seq_no_memory", 1);
	rig_fault(r, "event_corrupt", 1);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error), 0,
	       "a program that is refused, which nobody hears, and loaded after a reset");
	tap_ok(resets == before + 1 && !error.text[0], "is no error");
	accel_program_destroy(program);
}

/* Destroyed while the device is down: the firmware is told when it serves again. */
static void test_destroyed_in_reset(struct rig *r)
{
	struct accel_program *program = NULL;
	struct local_device *dev = local(r);
	struct accel_fence *fence;
	u32 before = resets, number;

	accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL);
	number = ((struct local_program *)program)->number;
	fence = hold(r, r->binding, 1);
	reads_as(RONDO_REG_HOST_STATUS, STILL, RONDO_STATE_ON << RONDO_SHIFT_HOST_STATUS_STATE);
	reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
	local_wake(dev);
	wait_for_resets(before + 1);
	accel_program_destroy(program); /* the device does not stop until it reads so */
	rig_fault(r, "seq_work", 0);
	reads_as(RONDO_REG_HOST_STATUS, REAL, 0);
	tap_ok(ended(fence, 0, 0), "a program is destroyed while the device is reset");
	works(r);
	wait_for_answers(dev);
	pthread_mutex_lock(&dev->lock);
	tap_ok(!dev->program[number] && resets == before + 1, "and its number is free");
	pthread_mutex_unlock(&dev->lock);
}

/* A command on an idle device whose firmware is silent is watched like any other. */
static void *make_queue(void *p)
{
	struct making *m = p;
	struct accel_queue *queue = NULL;

	m->ret = accel_queue_create(m->rig->device, 1, &queue);
	accel_queue_destroy(queue);
	return NULL;
}

static void test_silent_when_idle(struct rig *r)
{
	struct making m = { .rig = r };
	u32 before = resets;
	pthread_t thread;

	rig_fault(r, "fw_silent", 1);
	hurry = true;
	pthread_create(&thread, NULL, make_queue, &m);
	wait_for_resets(before + 1);
	rig_fault(r, "fw_silent", 0);
	pthread_join(thread, NULL);
	tap_eq(m.ret, 0, "a queue is made although the firmware was silent");
	works(r);
}

/*
 * A device that fails again while it is told what it knew is dead: it is silent for as many looks
 * as ever, its completions make no sense, or it stops.
 */
static void test_fails_in_reset(void)
{
	static const struct {
		const char *name, *fault; /* or NULL: silence */
		u32 value;
	} rows[] = {
		{ "is silent", NULL, 0 },
		{ "says what makes no sense", "event_corrupt", 1 },
		{ "crashes", "fw_crash", 1 },
	};
	u32 i, before;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct accel_fence *fence;
		struct rig r;

		if (init(&r)) {
			fence = hold(&r, r.binding, 1);
			before = resets;
			crash(&r);
			if (!rows[i].fault) {
				reads_as(RONDO_REG_HOST_HEARTBEAT, STILL, 0xcdef);
				reads_as(RONDO_REG_HOST_PROGRESS, MOVES, 0);
				hurry = true;
			} else {
				rig_fault(&r, rows[i].fault, rows[i].value);
				rig_fault(&r, "seq_work", 0);
			}
			tap_ok(ended(fence, -EIO, RONDO_HOST_DEAD) && resets == before + 1,
			       "a device that %s while it is reset is dead", rows[i].name);
			if (!rows[i].fault)
				tap_eq(reads_of(RONDO_REG_HOST_HEARTBEAT), 1 + LOCAL_WATCH_SILENT,
				       "after so many looks");
			hurry = false;
			reads_as(RONDO_REG_HOST_HEARTBEAT, REAL, 0);
			reads_as(RONDO_REG_HOST_PROGRESS, REAL, 0);
			tap_eq(accel_replay(r.queue, r.binding, &fence), -EIO, "no replay");
			rig_fault(&r, "seq_work", 0);
		}
		fini(&r);
	}
}

/* One that does not stop, or that is gone by then. */
static void test_fails_to_stop(void)
{
	struct accel_fence *fence;
	struct rig r;
	u32 before = resets, began;

	if (init(&r)) {
		fence = hold(&r, r.binding, 1);
		began = waited_ms;
		rig_fault(&r, "reset_ignore", 1);
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		wait_for_resets(before + 1);
		hurry = true;
		tap_ok(ended(fence, -EIO, RONDO_HOST_DEAD), "a device that does not stop is dead");
		hurry = false;
		/* Interrupts are no waiting in vain. */
		tap_ok(waited_ms - began > 9900, "after ten seconds: %u ms", waited_ms - began);
		rig_fault(&r, "reset_ignore", 0);
		rig_fault(&r, "seq_work", 0);
	}
	fini(&r);
	if (init(&r)) {
		fence = hold(&r, r.binding, 1);
		held_rig = &r;
		before_reset = vanish;
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		tap_ok(ended(fence, -ENODEV, RONDO_HOST_GONE), "one that vanishes then is gone");
		tap_eq(accel_replay(r.queue, r.binding, &fence), -ENODEV, "no replay");
		rig_fault(&r, "vanish", 0);
	}
	fini(&r);
}

/* Who waits for an answer of a device that vanishes is told. */
static void test_vanishes_under_command(void)
{
	u32 hits;
	struct rig r;

	if (init(&r)) {
		struct making m = { .rig = &r };
		pthread_t thread;

		hits = rig_fault_hits(&r, "seq_work");
		rig_fault(&r, "seq_work", 1);
		pthread_create(&thread, NULL, make_program, &m);
		rig_fault_wait(&r, "seq_work", hits);
		rig_fault(&r, "vanish", 1);
		local_wake(local(&r));
		pthread_join(thread, NULL);
		tap_ok(m.ret == -ENODEV && !m.program && m.error.text[0],
		       "a program that is being loaded when the device vanishes");
		rig_fault(&r, "vanish", 0);
	}
	fini(&r);
}

/* Closing does not wait for a reset that takes for ever. */
static void test_closed_in_reset(void)
{
	struct rig r;
	u32 hits;

	if (init(&r)) {
		accel_queue_destroy(r.queue);
		r.queue = NULL;
		hits = rig_fault_hits(&r, "seq_work");
		rig_fault(&r, "seq_work", 1);
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		rig_fault_wait(&r, "seq_work", hits);
	}
	fini(&r);
	tap_ok(true, "a device is closed while it is reset");
}

/*
 * Numbers and descriptors
 */

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Has @queue keep its jobs, or run them. */
static void keep(struct rig *r, bool keeps)
{
	pthread_mutex_lock(&local(r)->lock);
	((struct local_queue *)r->queue)->stopped = keeps;
	local_queue_push_all(local(r));
	pthread_mutex_unlock(&local(r)->lock);
}

/*
 * Jobs keep programs and bindings that their user has destroyed, until the device has no number
 * for another one; when they have ended there is. The user makes @step at a time.
 */
static void test_numbers(bool programs, u32 limit, u32 step)
{
	struct accel_fence *fence[64] = {};
	u32 i, n, made = 1, jobs = 0, before = resets, wrong = 0;
	struct accel_error error = {};
	struct rig r;
	int ret = 0;

	if (init(&r)) {
		keep(&r, true);
		while (!ret && made <= limit) {
			struct accel_replay replays[LOCAL_BINDINGS_MAX] = {};
			struct accel_program *program[LOCAL_BINDINGS_MAX] = {};
			struct accel_job job = { .replays = replays };

			for (n = 0; n < step && !ret; n++) {
				program[n] = NULL;
				if (programs)
					ret = accel_program_create(r.device, r.code, r.code_bytes,
								   0, &program[n], &error);
				if (!ret)
					ret = accel_binding_create(
						programs ? program[n] : r.program, r.slots,
						RIG_SLOTS, &replays[n].binding, &error);
				made += !ret;
				job.replay_count += !ret;
			}
			wrong += !!accel_submit(r.queue, &job, &fence[jobs++]);
			for (i = 0; i < n; i++) {
				accel_binding_destroy(replays[i].binding);
				accel_program_destroy(program[i]);
			}
		}
		tap_ok(ret == -ENOSPC && error.text[0] && !wrong && made == limit,
		       "no number is left when all are taken: %s", error.text);
		rig_fill(&r, 3);
		keep(&r, false);
		while (jobs--)
			wrong += !ended(fence[jobs], 0, 0);
		tap_ok(!wrong && rig_correct(&r, 3) && resets == before, "all of them run");
		works(&r);
		/* And a reset knows what there is. */
		reads_as(RONDO_REG_HOST_FW_STATE, ONCE, RONDO_FW_STATE_STUCK);
		local_wake(local(&r));
		wait_for_resets(before + 1);
		works(&r);
	}
	fini(&r);
}

/*
 * More commands than the ring to the firmware has room for, while it is silent; all of them are
 * done when it speaks again, or dropped when the device is closed.
 */
static void test_many_commands(bool closes)
{
	enum { COMMANDS = LOCAL_ADMIN_ENTRIES + 10 };
	struct accel_binding *binding[COMMANDS] = {};
	u32 i, before = resets, wrong = 0;
	struct local_device *dev;
	struct rig r;

	if (init(&r)) {
		dev = local(&r);
		for (i = 1; i < COMMANDS; i++)
			wrong += !!accel_binding_create(r.program, r.slots, RIG_SLOTS, &binding[i],
							NULL);
		accel_queue_destroy(r.queue);
		r.queue = NULL;
		rig_fault(&r, "fw_silent", 1);
		for (i = 1; i < COMMANDS; i++)
			accel_binding_destroy(binding[i]);
		pthread_mutex_lock(&dev->lock);
		tap_ok(!wrong && dev->backlog &&
			       dev->admin_tail - dev->shared->status.admin_head ==
				       LOCAL_ADMIN_ENTRIES,
		       "as many commands as there is room for, and more that wait");
		pthread_mutex_unlock(&dev->lock);
		if (!closes) {
			rig_fault(&r, "fw_silent", 0);
			wait_for_answers(dev);
			tap_eq(resets, before, "all are done, without a reset");
		}
	}
	fini(&r);
}

/* Descriptors are closed on exec, and what fails keeps none. */
static void test_descriptors(void)
{
	int fds = count_fds(), fd, open_before[64] = {}, kept = 0, made = 0;
	struct accel_fence *fence = NULL;
	struct rig r;

	for (fd = 0; fd < 64; fd++)
		open_before[fd] = fcntl(fd, F_GETFD) >= 0;
	if (init(&r)) {
		accel_replay(r.queue, r.binding, &fence);
		for (fd = 0; fd < 64; fd++) {
			if (open_before[fd] || fcntl(fd, F_GETFD) < 0)
				continue;
			made++;
			kept += !(fcntl(fd, F_GETFD) & FD_CLOEXEC) ||
				!(fcntl(fd, F_GETFL) & O_NONBLOCK);
		}
		tap_ok(made == 2 && !kept, "a device and a fence have a descriptor each, which no "
					   "program that is executed gets, and where nobody waits");
		accel_fence_wait(fence, ACCEL_FOREVER);
		accel_fence_destroy(fence);
		rig_fault(&r, "vanish", 1);
		local_wake(local(&r));
		while (accel_replay(r.queue, r.binding, &fence) != -ENODEV)
			accel_fence_destroy(fence);
		fd = count_fds();
		accel_replay(r.queue, r.binding, &fence);
		accel_replay(r.queue, r.binding, &fence);
		tap_eq(count_fds(), fd, "a replay that fails leaves none");
		rig_fault(&r, "vanish", 0);
	}
	fini(&r);
	tap_eq(count_fds(), fds, "all are closed in the end");
}

int main(void)
{
	struct rig r;

	test_boot();
	if (init(&r)) {
		test_tries(&r);
		test_refused_once(&r);
		rig_counter_init(&r, &counter);
		test_still(&r);
		test_stopped(&r);
		test_events(&r);
		test_event_overrun(&r);
		test_event_ring_full(&r);
		test_one_event(&r);
		test_parts(&r);
		test_conflicts(&r);
		test_stopped_queue(&r);
		test_ended_before_reset(&r);
		test_first_failure(&r);
		test_destroyed_in_reset(&r);
		test_silent_when_idle(&r);
		rig_counter_fini(&counter);
	}
	fini(&r);
	test_fails_in_reset();
	test_fails_to_stop();
	test_vanishes_under_command();
	test_closed_in_reset();
	test_numbers(true, RONDO_PROGRAMS_MAX, LOCAL_PROGRAMS_MAX / 2);
	test_numbers(false, RONDO_BINDINGS_MAX, LOCAL_BINDINGS_MAX / 2);
	test_many_commands(false);
	test_many_commands(true);
	test_descriptors();
	return tap_done();
}
