// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The local backend's rings: what it makes of events that are wrong or too many, of jobs that do
 * not fit, and which jobs wait for which.
 */
#include "tests/unit/libaccel_local_rig.h"

static struct rig_counter counter;

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

int main(void)
{
	struct rig r;

	if (init(&r)) {
		rig_counter_init(&r, &counter);
		test_events(&r);
		test_event_overrun(&r);
		test_event_ring_full(&r);
		test_one_event(&r);
		test_parts(&r);
		test_conflicts(&r);
		test_stopped_queue(&r);
		rig_counter_fini(&counter);
	}
	fini(&r);
	return tap_done();
}
