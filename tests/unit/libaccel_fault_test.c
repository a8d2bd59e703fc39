// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The device under faults (emulator/device/faults.def): every one ends in its documented error,
 * and the device works again afterwards, is dead, or gone: libaccel_fault_test [DEVICE].
 */
#include "tests/unit/libaccel_faults.h"

#include "core/replay.h"

static const char failed_at[] = "a replay failed at bundle";
static const char failed[] = "a replay failed: ";
static const char reset[] = "resetting the device: ";

static void works_again(struct rig *r)
{
	rig_fill(r, 9);
	tap_ok(!rig_replay(r) && rig_correct(r, 9), "and the device works again");
}

/*
 * Whether @fence ends with @error for @result, and the error's text says so; and whether no bundle
 * is blamed if none is at fault.
 */
static void ends(struct accel_fence *fence, int error, u32 result, const char *name)
{
	struct accel_error e;
	int ret;

	rig_step();
	ret = accel_fence_wait(fence, ACCEL_FOREVER);
	if (!tap_ok(ret == error && accel_fence_error(fence, NULL, &e) == error &&
			    (!error ||
			     (e.reason == result && strstr(e.text, rondo_result_text(result)) &&
			      (rondo_result_has_bundle(result) || e.index == ACCEL_UNKNOWN))),
		    "%s", name))
		printf("# %d, reason %u at %u, '%s'\n", ret, e.reason, e.index, e.text);
	accel_fence_destroy(fence);
}

/*
 * That the device forgets a program or a binding is a command too, which comes some time after the
 * call that destroys it, and which a fault meant for something else may meet. So what a test of
 * such a fault needs is made first and destroyed last, and the tests that make more come last.
 */

static struct rig_counter counter;

/* The rig's program, bound the other way round: its result is its first operand. */
static struct accel_binding *swapped;

static void swapped_init(struct rig *r)
{
	struct accel_slot_binding slots[RIG_SLOTS] = { r->slots[2], r->slots[1], r->slots[0] };

	tap_eq(accel_binding_create(r->program, slots, RIG_SLOTS, &swapped, NULL), 0,
	       "a second binding");
}

/* Starts a replay of @binding and waits until the device holds it: 1, before it; 2, after it. */
static struct accel_fence *hold(struct rig *r, struct accel_binding *binding, u32 how)
{
	u32 hits = rig_fault_hits(r, "seq_work");
	struct accel_fence *fence = NULL;

	rig_step();
	rig_fault(r, "seq_work", how);
	tap_eq(accel_replay(r->queue, binding, &fence), 0, "a replay that is held");
	rig_fault_wait(r, "seq_work", hits);
	return fence;
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1 && p.revents == POLLIN;
}

static void test_fence(struct rig *r)
{
	struct accel_error error;
	struct accel_fence *fence = hold(r, r->binding, 1);
	int fd = accel_fence_fd(fence);

	tap_ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC),
	       "its fence has a file descriptor, which is closed on exec");
	tap_ok(!readable(fd, 0), "that is not readable");
	tap_eq(accel_fence_wait(fence, 0), -ETIMEDOUT, "waiting until long ago");
	tap_eq(accel_fence_wait(fence, rig_in_ms(10)), -ETIMEDOUT, "waiting a moment");
	tap_eq(accel_fence_error(fence, NULL, &error), -EAGAIN, "it has not ended");
	rig_fault(r, "seq_work", 0);
	tap_ok(readable(fd, -1), "let go: it becomes readable");
	tap_ok(readable(fd, 0), "and stays so");
	tap_eq(accel_fence_wait(fence, 0), 0, "no wait any more");
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "as often as wanted");
	tap_ok(!accel_fence_error(fence, NULL, &error) && !error.text[0], "nothing has failed");
	accel_fence_destroy(fence);
	accel_fence_destroy(NULL);
}

/* Until when a queue's work ends: without others, what it has and one that may have begun before.
 */
static void test_bound(struct rig *r)
{
	const u64 cycles = accel_program_cycles(r->program);
	struct accel_fence *first, *second = NULL;
	struct accel_queue *other;
	u64 bound = 1, alone;

	tap_ok(!accel_queue_bound(r->queue, &bound) && !bound, "an idle queue has no bound");
	first = hold(r, r->binding, 1);
	accel_queue_bound(r->queue, &bound);
	tap_eq(bound, 2 * cycles, "one replay");
	accel_replay(r->queue, r->binding, &second);
	accel_queue_bound(r->queue, &alone);
	tap_eq(alone, 4 * cycles, "two");
	tap_eq(accel_queue_create(r->device, 1, &other), 0, "another queue");
	accel_queue_bound(r->queue, &bound);
	tap_ok(bound > alone, "which may come between");
	tap_ok(!accel_queue_bound(other, &bound) && !bound, "but has nothing to do");
	accel_queue_destroy(other);
	rig_fault(r, "seq_work", 0);
	ends(first, 0, 0, "they run");
	ends(second, 0, 0, "both");
	tap_ok(!accel_queue_bound(r->queue, &bound) && !bound, "and the queue is idle again");
}

static void test_overrun(struct rig *r)
{
	struct accel_fence *fence;
	struct accel_error error;

	rig_expect(failed_at);
	rig_fault(r, "overrun", 1000);
	accel_replay(r->queue, r->binding, &fence);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -ETIME,
	       "a replay that exceeds its exact cycles");
	tap_eq(accel_fence_error(fence, NULL, &error), -ETIME, "which is how it ended");
	tap_ok(error.reason == RONDO_FW_OVERRUN && error.index != ACCEL_UNKNOWN &&
		       !strncmp(error.text, "the replay failed at bundle ", 28),
	       "at a bundle, as the error says");
	accel_fence_destroy(fence);
	works_again(r);
}

/* If one of several replays fails, it stops no other, and the job has its error. */
static void test_failing_job(struct rig *r)
{
	struct accel_replay replays[3];
	struct accel_job job = { .replays = replays, .replay_count = 3 };
	struct accel_fence *fence;
	struct accel_error error;
	int i;

	memset(counter.words, 0, 256);
	for (i = 0; i < 3; i++)
		replays[i] = (struct accel_replay){ .binding = counter.binding };
	rig_expect(failed_at);
	rig_fault(r, "overrun", 1000);
	accel_submit(r->queue, &job, &fence);
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), -ETIME, "the first of three replays fails");
	accel_fence_error(fence, NULL, &error);
	tap_ok(!strncmp(error.text, "replay 0 of 3 failed at bundle ", 31), "as the error says");
	tap_eq(counter.words[63], 3, "and stops no other");
	accel_fence_destroy(fence);

	/* The first is refused an access, the second (by then the fault is used up) overruns. */
	rig_expect(failed_at);
	rig_expect(failed_at);
	rig_fault(r, "seq_dma_fail", 1);
	rig_fault(r, "overrun", 1000);
	accel_submit(r->queue, &job, &fence);
	ends(fence, -EIO, RONDO_FW_HOST_REFUSED, "of two failures the job has the first");
	works_again(r);
}

/* Faults can be asked for later, as long as the queue remembers them: the last 16. */
static void test_many_faults(struct rig *r)
{
	enum { FAULTS = 17 };
	struct accel_fence *fence[FAULTS];
	struct accel_error error;
	u32 i, known = 0;

	for (i = 0; i < FAULTS; i++) {
		if (!i)
			rig_expect(failed_at);
		rig_fault(r, "overrun", 1000);
		accel_replay(r->queue, r->binding, &fence[i]);
		accel_fence_wait(fence[i], ACCEL_FOREVER);
	}
	for (i = FAULTS; i-- > 0;) {
		tap_eq(accel_fence_error(fence[i], NULL, &error), -ETIME, "an old failure");
		known += error.reason == RONDO_FW_OVERRUN && error.index != ACCEL_UNKNOWN;
		tap_ok(error.text[0], "has words");
		accel_fence_destroy(fence[i]);
	}
	tap_ok(known >= 16, "and its place, of 16 at least");
}

/* A crash under a replay that is disjoint, and under one that is not; others wait behind. */
static void test_crash(struct rig *r)
{
	struct accel_fence *first, *second;
	u32 hits, looks;

	rig_fill(r, 4);
	first = hold(r, r->binding, 2);
	accel_replay(r->queue, r->binding, &second);
	rig_expect(reset);
	rig_fault(r, "fw_crash", 1);
	rig_fault(r, "seq_work", 0);
	ends(first, 0, 0, "a disjoint replay under which the firmware crashes is repeated");
	ends(second, 0, 0, "and what waits runs");
	tap_ok(rig_correct(r, 4), "with the right result");

	memset(counter.words, 0, 256);
	first = hold(r, counter.binding, 2);
	accel_replay(r->queue, counter.binding, &second);
	tap_eq(counter.words[0], !rig_sees_copies(),
	       "a replay that writes what it reads has done its work");
	rig_expect(reset);
	hits = rig_fault_hits(r, "fw_crash");
	rig_fault(r, "progress_stop", 1); /* which counts how often the host looks */
	rig_fault(r, "fw_crash", 1);
	rig_fault_wait(r, "fw_crash", hits);
	looks = rig_fault_hits(r, "progress_stop");
	ends(first, -EIO, RONDO_HOST_RESET, "it is not repeated");
	looks = rig_fault_hits(r, "progress_stop") - looks;
	rig_fault(r, "progress_stop", 0);
	tap_ok(looks < 8, "the crash is seen by itself, not by the silence: %u looks", looks);
	rig_fault(r, "seq_work", 0);
	ends(second, 0, 0, "the same behind it runs");
	tap_eq(counter.words[0], 2, "once");
	works_again(r);
}

/* Sets how the sequencer is held, and waits until it is, so that a command moves one step. */
static void step(struct rig *r, u32 how)
{
	u32 hits = rig_fault_hits(r, "seq_work");

	rig_fault(r, "seq_work", how);
	rig_fault_wait(r, "seq_work", hits);
}

/* A job that had begun is repeated once: it may be what kills the device. */
static void test_crash_twice(struct rig *r)
{
	struct accel_fence *fence = hold(r, r->binding, 1);
	u32 hits = rig_fault_hits(r, "seq_work");

	rig_expect(reset);
	rig_fault(r, "fw_crash", 1);
	/* Program and binding are loaded again, each held before and after it; then the replay. */
	rig_fault_wait(r, "seq_work", hits);
	step(r, 2);
	step(r, 1);
	step(r, 2);
	step(r, 1);
	tap_eq(accel_fence_wait(fence, 0), -ETIMEDOUT, "after a crash it begins again");
	rig_expect(reset);
	rig_fault(r, "fw_crash", 1);
	ends(fence, -EIO, RONDO_HOST_RESET, "and after the second crash no more");
	rig_fault(r, "seq_work", 0);
	works_again(r);
}

/* Jobs of several bindings are not repeated: one may read what another has written. */
static void test_crash_of_bindings(struct rig *r)
{
	struct accel_replay replays[2] = { { .binding = r->binding }, { .binding = swapped } };
	struct accel_job job = { .replays = replays, .replay_count = 2 };
	u32 hits = rig_fault_hits(r, "seq_work");
	struct accel_fence *fence;

	rig_fault(r, "seq_work", 2);
	accel_submit(r->queue, &job, &fence);
	rig_fault_wait(r, "seq_work", hits);
	rig_expect(reset);
	rig_fault(r, "fw_crash", 1);
	ends(fence, -EIO, RONDO_HOST_RESET, "a job of two bindings is not repeated");
	rig_fault(r, "seq_work", 0);
	works_again(r);
}

/* The replay that is held ends, and the event that says so is lost; the one behind it begins. */
static void lose_event(struct rig *r)
{
	rig_expect("an interrupt was lost");
	rig_expect(reset);
	rig_fault(r, "irq_lose", 1);
	rig_fault(r, "event_corrupt", 4);
	step(r, 2);
	step(r, 1);
}

/*
 * Jobs of a queue end in their order: what was started before a job that is given up ends with it,
 * though it might be repeated. Here the first has ended, and the event that says so is lost.
 */
static void test_given_up(struct rig *r)
{
	struct accel_fence *first = hold(r, r->binding, 1), *second;

	accel_replay(r->queue, counter.binding, &second);
	lose_event(r);
	ends(first, -EIO, RONDO_HOST_RESET, "a repeatable job before one that is given up");
	ends(second, -EIO, RONDO_HOST_RESET, "ends as that one does");
	rig_fault(r, "seq_work", 0);
	works_again(r);
}

/* What is given up in a queue ends no job of another, before it or behind it. */
static void test_crash_of_queues(struct rig *r)
{
	struct accel_fence *first, *second, *third;
	struct rig other = *r;

	accel_queue_create(r->device, 1, &other.queue);
	memset(counter.words, 0, 256);
	first = hold(r, counter.binding, 2);
	accel_replay(other.queue, r->binding, &second);
	accel_replay(r->queue, counter.binding, &third);
	rig_expect(reset);
	rig_fault(r, "fw_crash", 1);
	ends(first, -EIO, RONDO_HOST_RESET, "a replay that had begun");
	rig_fault(r, "seq_work", 0);
	ends(second, 0, 0, "one behind it, of another queue, runs");
	ends(third, 0, 0, "as does one of its own queue");
	tap_eq(counter.words[0], 2, "once");

	/* The first has ended, and the event that says so is lost; the second has begun. */
	first = hold(&other, r->binding, 1);
	accel_replay(r->queue, counter.binding, &second);
	lose_event(r);
	ends(second, -EIO, RONDO_HOST_RESET, "another one that had begun");
	rig_fault(r, "seq_work", 0);
	ends(first, 0, 0, "one before it, of another queue, is repeated");
	accel_queue_destroy(other.queue);
	works_again(r);
}

/* Progress that stands still while the firmware's heartbeat goes on, for sixteen looks. */
static void test_no_progress(struct rig *r)
{
	struct accel_fence *fence = hold(r, r->binding, 1);
	u32 hits = rig_fault_hits(r, "seq_work"), looks = rig_fault_hits(r, "progress_stop");

	rig_expect("resetting the device: the firmware makes no progress");
	rig_fault(r, "progress_stop", 1);
	/* The reset loads the program again, which is held. */
	rig_fault_wait(r, "seq_work", hits);
	looks = rig_fault_hits(r, "progress_stop") - looks;
	rig_fault(r, "progress_stop", 0);
	rig_fault(r, "seq_work", 0);
	tap_ok(looks >= 16, "progress that stands still in %u looks", looks);
	ends(fence, 0, 0, "is a reset, after which the replay runs");
	works_again(r);
}

/* A sequencer that stands still for ever: before a replay, after its work, in the middle of it. */
static void test_stall(struct rig *r)
{
	static const struct {
		u32 how;
		int error;
		u32 reason;
		const char *name;
	} rows[] = {
		{ 1, -ETIME, RONDO_FW_STALLED, "a replay that never starts" },
		{ 2, 0, 0, "one that has done its work" },
		{ 3, -ETIME, RONDO_FW_STALLED, "one that stands still in the middle" },
	};
	struct accel_fence *fence;

	rig_expect("a replay failed: the device stood still");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_fault(r, "seq_hold", rows[i].how);
		accel_replay(r->queue, r->binding, &fence);
		ends(fence, rows[i].error, rows[i].reason, rows[i].name);
		rig_fault(r, "seq_hold", 0);
		works_again(r);
	}
}

/* And does not even obey an abort. */
static void test_stuck(struct rig *r)
{
	struct accel_fence *fence;

	rig_expect(reset);
	rig_fault(r, "seq_hold", 4);
	tap_eq(accel_replay(r->queue, counter.binding, &fence), 0, "a replay that nothing ends");
	ends(fence, -EIO, RONDO_HOST_RESET, "ends with a reset");
	rig_fault(r, "seq_hold", 0);
	works_again(r);
}

static void test_silence(struct rig *r)
{
	struct accel_fence *fence;

	rig_fault(r, "fw_silent", 1);
	accel_replay(r->queue, r->binding, &fence);
	tap_eq(accel_fence_wait(fence, rig_in_ms(100)), -ETIMEDOUT, "firmware that is silent");
	rig_fault(r, "fw_silent", 0);
	ends(fence, 0, 0, "and speaks again in time");

	/* The fence signals when the device has stopped; it is booted when it may speak again. */
	memset(counter.words, 0, 256);
	fence = hold(r, counter.binding, 2);
	rig_expect(reset);
	rig_fault(r, "fw_silent", 1);
	ends(fence, -EIO, RONDO_HOST_RESET, "firmware that stays silent");
	rig_fault(r, "seq_work", 0);
	rig_fault(r, "fw_silent", 0);
	works_again(r);
}

static void test_lost_interrupt(struct rig *r)
{
	u32 hits = rig_fault_hits(r, "irq_lose");

	rig_expect("an interrupt was lost");
	rig_fault(r, "irq_lose", 1);
	tap_eq(rig_replay(r), 0, "an interrupt that is lost");
	tap_ok(rig_fault_hits(r, "irq_lose") > hits, "it was");
	works_again(r);
}

/* Whatever word of a completion is wrong: it is noticed and the replay repeated, or it is nothing.
 */
static void test_corrupt_event(struct rig *r)
{
	u32 word, hits;

	for (word = 1; word <= 16; word++) {
		hits = rig_fault_hits(r, "event_corrupt");
		/* Type, result, queue and seqno decide what it is. */
		if (word == 1 || word == 2 || word == 4 || word == 5 || word == 6)
			rig_expect(reset);
		rig_fault(r, "event_corrupt", word);
		rig_fill(r, word);
		tap_eq(rig_replay(r), 0, "a completion with a wrong word");
		tap_ok(rig_correct(r, word) && rig_fault_hits(r, "event_corrupt") > hits,
		       "number %u", word);
	}
	works_again(r);
}

static void test_refused_access(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_queue *queue = NULL;
	struct accel_fence *fence;
	struct accel_error error;

	rig_expect(failed_at);
	rig_fault(r, "seq_dma_fail", 1);
	accel_replay(r->queue, r->binding, &fence);
	ends(fence, -EIO, RONDO_FW_HOST_REFUSED, "an access is refused in a replay");
	works_again(r);
	rig_expect("the firmware refuses command");
	rig_fault(r, "seq_dma_fail", 1);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error), -EIO,
	       "while a program is loaded");
	tap_ok(error.text[0], "which has words");
	works_again(r);
	rig_expect("the firmware refuses command");
	rig_fault(r, "seq_dma_fail", 1);
	tap_eq(accel_binding_create(r->program, r->slots, RIG_SLOTS, &binding, &error), -EIO,
	       "while a binding is made");
	tap_ok(error.text[0] && !strstr(error.text, "slot"), "which blames no slot");
	works_again(r);
	tap_ok(!program && !binding, "nothing was made");

	/*
	 * The firmware's own: it stops, the device is reset, and what was asked for is done, once:
	 * the reset repeats no command that its caller repeats.
	 */
	rig_expect(reset);
	rig_fault(r, "copy_fail", 1);
	tap_eq(accel_queue_create(r->device, 1, &queue), 0,
	       "the firmware's, while a queue is made");
	accel_queue_destroy(queue);
	rig_expect(reset);
	rig_fault(r, "copy_fail", 1);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error), 0,
	       "while a program is loaded");
	accel_program_destroy(program);
	rig_expect(reset);
	rig_fault(r, "copy_fail", 1);
	tap_eq(accel_binding_create(r->program, r->slots, RIG_SLOTS, &binding, &error), 0,
	       "while a binding is made");
	accel_binding_destroy(binding);
	rig_expect(reset);
	rig_fault(r, "copy_fail", 1);
	tap_eq(rig_replay(r), 0, "the firmware's, on a queue");
	works_again(r);
}

static void test_no_memory(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_error error;

	rig_fault(r, "seq_no_memory", 1);
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error),
	       -ENOMEM, "no memory on the device while a program is loaded");
	tap_ok(error.text[0] && !error.reason, "which has words");
	if (rig_emulated())
		tap_ok(!strcmp(error.text, "the fault seq_no_memory"), "the device's own");
	works_again(r);
	rig_fault(r, "seq_no_memory", 1);
	tap_eq(accel_binding_create(r->program, r->slots, RIG_SLOTS, &binding, NULL), -ENOMEM,
	       "while a binding is made");
	works_again(r);
	tap_ok(!program && !binding, "nothing was made");
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &error), 0,
	       "with memory there is a program");
	accel_program_destroy(program);
}

/* Whether the error of @fence blames the node that has @count bundles from @first on. */
static bool blamed(struct rig *r, struct accel_fence *fence, u32 first, u32 count)
{
	struct accel_model *model = rig_model(r, first, count);
	struct accel_error error;

	accel_fence_error(fence, model, &error);
	accel_model_destroy(model);
	return strstr(error.text, " (conv): ") != NULL;
}

/* The node at fault is the one whose bundles the bundle is one of. */
static void test_blame(struct rig *r, struct accel_fence *fence)
{
	u32 bundles = ((struct rondo_program_header *)r->code)->bundles, bundle;
	struct accel_error error;

	accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_error(fence, NULL, &error);
	bundle = error.index;
	tap_ok(bundle > 0 && bundle < bundles - 1, "a bundle in the middle of the program");
	tap_ok(blamed(r, fence, bundle, 1) && blamed(r, fence, 0, bundle + 1) &&
		       blamed(r, fence, bundle, bundles - bundle),
	       "the error names the node that has the bundle");
	tap_ok(!blamed(r, fence, 0, bundle) && !blamed(r, fence, bundle + 1, 1),
	       "and not one before or behind it");
}

/* A fault of the device's program memory: the replay ends, and its signature tells. */
static void test_flipped_bit(struct rig *r)
{
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_fence *fence;

	/* In the base of the first address entry: 4 bytes further, or out of SRAM. */
	rig_expect(failed);
	rig_fault(r, "seq_flip_program", 2 + 1);
	accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL);
	accel_binding_create(program, r->slots, RIG_SLOTS, &binding, NULL);
	accel_replay(r->queue, binding, &fence);
	ends(fence, -EIO, RONDO_FW_SIGNATURE, "a flipped bit in the device's copy of a program");
	accel_binding_destroy(binding);
	accel_program_destroy(program);

	rig_expect(failed_at);
	rig_fault(r, "seq_flip_program", 31 + 1);
	accel_program_create(r->device, r->code, r->code_bytes, 0, &program, NULL);
	accel_binding_create(program, r->slots, RIG_SLOTS, &binding, NULL);
	accel_replay(r->queue, binding, &fence);
	test_blame(r, fence);
	ends(fence, -EIO, RONDO_FW_TRAPPED, "one that leads out of SRAM");
	accel_binding_destroy(binding);
	accel_program_destroy(program);
	works_again(r);

	rig_expect(failed);
	rig_fault(r, "seq_flip_address", 32 + 2);
	accel_replay(r->queue, r->binding, &fence);
	ends(fence, -EIO, RONDO_FW_SIGNATURE, "a flipped bit of an address");
	works_again(r);
}

static void test_queue_destroy(struct rig *r)
{
	struct accel_fence *fences[3];
	struct accel_queue *queue;
	u32 hits = rig_fault_hits(r, "seq_work");
	int i;

	accel_queue_create(r->device, 1, &queue);
	rig_fault(r, "seq_work", 1);
	for (i = 0; i < 3; i++)
		accel_replay(queue, r->binding, &fences[i]);
	rig_fault_wait(r, "seq_work", hits);
	accel_queue_destroy(queue);
	for (i = 0; i < 3; i++)
		ends(fences[i], -ECANCELED, RONDO_FW_ABORTED,
		     "a replay of a queue that is destroyed");
	rig_fault(r, "seq_work", 0);
	works_again(r);
}

/* When the device has many jobs, none is forgotten and none is done twice. */
static void test_crash_under_load(struct rig *r)
{
	enum { JOBS = 300 };
	struct accel_fence *fences[JOBS];
	int i, failures = 0, other = 0, ret;

	memset(counter.words, 0, 256);
	fences[0] = hold(r, counter.binding, 2);
	for (i = 1; i < JOBS; i++)
		accel_replay(r->queue, counter.binding, &fences[i]);
	rig_expect(reset);
	rig_fault(r, "fw_crash", 1);
	tap_eq(accel_fence_wait(fences[0], ACCEL_FOREVER), -EIO,
	       "the first of many jobs at a crash");
	rig_fault(r, "seq_work", 0);
	for (i = 0; i < JOBS; i++) {
		ret = accel_fence_wait(fences[i], ACCEL_FOREVER);
		failures += ret == -EIO;
		other += ret && ret != -EIO;
		accel_fence_destroy(fences[i]);
	}
	tap_ok(failures == 1 && !other, "fails; the others run after the reset");
	tap_eq(counter.words[5], JOBS, "each once");
	works_again(r);
}

/* What fails on a device that is lost, and how: @error. */
static void test_lost(struct rig *r, int error)
{
	struct accel_program *program = NULL;
	struct accel_binding *binding = NULL;
	struct accel_fence *fence = NULL;
	struct accel_queue *queue = NULL;
	struct accel_error e;

	tap_eq(accel_replay(r->queue, r->binding, &fence), error, "no replay");
	tap_eq(accel_queue_create(r->device, 1, &queue), error, "no queue");
	tap_eq(accel_program_create(r->device, r->code, r->code_bytes, 0, &program, &e), error,
	       "no program");
	tap_ok(e.text[0], "which has words");
	tap_eq(accel_binding_create(r->program, r->slots, RIG_SLOTS, &binding, &e), error,
	       "no binding");
	tap_ok(e.text[0] && !strstr(e.text, "slot"), "which blames no slot");
	tap_ok(!fence && !queue && !program && !binding, "nothing was made");
}

static void test_vanish(void)
{
	struct accel_fence *fence;
	struct accel_clock clock;
	struct rig r;

	if (rig_init(&r)) {
		fence = hold(&r, r.binding, 1);
		rig_expect(reset);
		rig_fault(&r, "vanish", 1);
		ends(fence, -ENODEV, RONDO_HOST_GONE, "a replay whose device vanishes");
		test_lost(&r, -ENODEV);
		tap_eq(accel_device_clock(r.device, &clock), -ENODEV, "no clock");
		rig_fault(&r, "vanish", 0);
		rig_fault(&r, "seq_work", 0);
	}
	rig_fini(&r);
	rig_rebind();
}

/* Firmware that does not come back, by the fault @name. */
static void test_dead(const char *name, u32 value)
{
	struct accel_fence *fence;
	struct rig r;

	if (rig_init(&r)) {
		fence = hold(&r, r.binding, 1);
		rig_expect(reset);
		rig_expect("does not boot");
		rig_expect("the device is dead");
		rig_fault(&r, name, value);
		rig_fault(&r, "fw_crash", 1);
		ends(fence, -EIO, RONDO_HOST_DEAD, "a replay whose device dies");
		test_lost(&r, -EIO);
		rig_fault(&r, name, 0);
		rig_fault(&r, "fw_crash", 0); /* it may have failed of @name before */
		rig_fault(&r, "seq_work", 0);
	}
	rig_fini(&r);
	rig_rebind();
}

/* Everything is destroyed while replays run. */
static void test_close_while_running(void)
{
	struct accel_fence *fence = NULL;
	struct rig r;

	if (rig_init(&r))
		fence = hold(&r, r.binding, 1);
	rig_fini(&r);
	ends(fence, -ECANCELED, RONDO_FW_ABORTED,
	     "a replay whose queue, buffers and device are closed");
	if (!rig_emulated())
		rig_fault(NULL, "seq_work", 0);
}

int main(int argc, char **argv)
{
	struct rig r;

	if (argc > 1)
		rig_device = argv[1];
	if (rig_init(&r)) {
		test_bound(&r); /* before others have made longer programs */
		test_crash_twice(&r);
		rig_counter_init(&r, &counter);
		swapped_init(&r);
		test_fence(&r);
		test_overrun(&r);
		test_failing_job(&r);
		test_many_faults(&r);
		test_crash(&r);
		test_crash_of_bindings(&r);
		if (!rig_jobs_come_singly()) {
			test_given_up(&r);
			test_crash_of_queues(&r);
		}
		test_no_progress(&r);
		test_stall(&r);
		test_stuck(&r);
		test_silence(&r);
		test_lost_interrupt(&r);
		test_corrupt_event(&r);
		test_queue_destroy(&r);
		test_crash_under_load(&r);
		test_refused_access(&r);
		test_no_memory(&r);
		test_flipped_bit(&r);
		accel_binding_destroy(swapped);
		rig_counter_fini(&counter);
	}
	rig_fini(&r);
	test_close_while_running();
	test_dead("copy_fail", ~0u);
	if (rig_emulated())
		test_dead("fw_version", (RONDO_FW_MAJOR + 1)
						<< 16); /* it speaks another protocol */
	test_vanish();
	return tap_done();
}
