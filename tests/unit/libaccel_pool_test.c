// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pools: what they make, who gets an instance and when, batches, runs that are given up, buffers of
 * the caller's, and many threads; libaccel_pool_test [DEVICE].
 */
#define _GNU_SOURCE /* gettid() */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "spec/fw_abi.h"
#include "tests/unit/libaccel_fake.h"
#include "tests/unit/libaccel_faults.h"

#define SENTINEL ((void *)8)

static struct rig rig; /* with a device */
static struct accel_model *model; /* c = a + 3 * i */

/* Inputs that depend on @seed. */
static void fill(struct accel_instance *instance, int seed)
{
	void *in, *out;
	int i;

	accel_instance_tensor(instance, ACCEL_INPUT, 0, &in, NULL);
	accel_instance_tensor(instance, ACCEL_OUTPUT, 0, &out, NULL);
	for (i = 0; i < RIG_ELEMENTS; i++) {
		((float *)in)[i] = i + seed;
		((float *)out)[i] = -1;
	}
}

static bool is_right(struct accel_instance *instance, int seed)
{
	void *out;
	int i;

	accel_instance_tensor(instance, ACCEL_OUTPUT, 0, &out, NULL);
	for (i = 0; i < RIG_ELEMENTS; i++)
		if (((float *)out)[i] != 4 * i + seed)
			return false;
	return true;
}

static bool runs(struct accel_instance *instance, int seed)
{
	fill(instance, seed);
	return !accel_instance_start(instance) && !accel_instance_wait(instance, ACCEL_FOREVER) &&
	       is_right(instance, seed);
}

static struct accel_pool *make_pool(u32 instances, u32 queues)
{
	const struct accel_pool_options options = { .instances = instances, .queues = queues };
	struct accel_pool *pool = NULL;
	struct accel_error error;

	rig_step();
	tap_ok(!accel_pool_create(rig.device, model, &options, &pool, &error) && !error.text[0],
	       "a pool of %u in %u queues", instances, queues);
	return pool;
}

static struct accel_instance *take(struct accel_pool *pool)
{
	struct accel_instance *instance = NULL;

	if (accel_pool_acquire(pool, 0, &instance))
		tap_ok(false, "an instance is free");
	return instance;
}

/* What the backend is asked for: one program and one buffer of weights, whatever there is else. */
static void test_made(void)
{
	static const struct accel_pool_options three = { .instances = 3, .queues = 2, .budget = 9 };
	enum { STEPS = 20 };
	struct accel_pool *pool = NULL;
	struct accel_error error;
	int i, wrong = 0;
	struct fake f;

	fake_init(&f);
	f.slots = 3;
	tap_ok(!accel_pool_create(&f.device, model, &three, &pool, NULL) &&
		       fake_was_asked(&f, " program buffer map queue queue"
					  " buffer map buffer map binding"
					  " buffer map buffer map binding"
					  " buffer map buffer map binding"),
	       "three instances share a program and the weights");
	tap_ok(f.budget == 9 && f.weight == ACCEL_WEIGHT_DEFAULT && f.count == 3,
	       "made as the options say");
	*fake_owner(&f) = 0;
	accel_pool_destroy(pool);
	tap_ok(fake_was_asked(&f, ""), "a child does not destroy them");
	*fake_owner(&f) = 1;
	accel_pool_destroy(pool);
	tap_ok(fake_was_asked(&f, " ~queue ~queue ~binding ~buffer ~buffer ~binding ~buffer ~buffer"
				  " ~binding ~buffer ~buffer ~buffer ~program") &&
		       f.device.refs == 1,
	       "and are given back, what runs first");
	pool = SENTINEL;
	for (i = 0; i < STEPS; i++) {
		fake_fails(&f, i, -ENOMEM);
		wrong += accel_pool_create(&f.device, model, &three, &pool, &error) != -ENOMEM ||
			 pool != SENTINEL || !error.text[0] || f.device.refs != 1;
		f.asked[0] = 0;
	}
	tap_eq(wrong, 0, "each step that fails leaves nothing");
	accel_close(&f.device);
}

static void test_options(void)
{
	static const struct {
		struct accel_pool_options options;
		int ret;
	} rows[] = {
		{ { .flags = 1 << 31 }, -EINVAL },     { { .reserved = { 1, 0 } }, -EINVAL },
		{ { .reserved = { 0, 1 } }, -EINVAL }, { { .weight = 1025 }, -EINVAL },
		{ { .queues = 65 }, -ENOSPC },	       { { .queues = 17 }, -ENOSPC },
		{ { .instances = 257 }, -ENOSPC },     { { .instances = ~0u }, -ENOSPC },
		{ { .budget = 1 }, -EINVAL },
	};
	struct accel_pool *pool = SENTINEL;
	struct accel_error error;
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(accel_pool_create(rig.device, model, &rows[i].options, &pool, &error) ==
				       rows[i].ret &&
			       pool == SENTINEL && error.text[0],
		       "options %u: %s", i, error.text);
}

static void test_one(void)
{
	struct accel_pool *pool = make_pool(0, 0);
	struct accel_instance *instance = take(pool), *none = SENTINEL;
	struct pollfd fd = { .events = POLLIN };
	struct accel_error error;
	void *data = SENTINEL;
	u64 bytes;

	tap_eq(accel_program_cycles(accel_pool_program(pool)), accel_program_cycles(rig.program),
	       "of the model's program");
	tap_ok(accel_pool_acquire(pool, 0, &none) == -ETIMEDOUT &&
		       accel_pool_acquire(pool, rig_in_ms(1), &none) == -ETIMEDOUT &&
		       accel_pool_acquire(pool, INT64_MIN, &none) == -ETIMEDOUT && none == SENTINEL,
	       "has one instance if nobody says else");
	tap_ok(!accel_instance_tensor(instance, ACCEL_OUTPUT, 0, &data, &bytes) &&
		       bytes == RIG_BYTES,
	       "whose tensors have a place");
	data = SENTINEL;
	tap_ok(accel_instance_tensor(instance, ACCEL_INPUT, 1, &data, NULL) == -ENOENT &&
		       data == SENTINEL,
	       "and no others");
	tap_ok(accel_instance_wait(instance, 0) == -EINVAL &&
		       accel_instance_fd(instance) == -EINVAL &&
		       !accel_instance_error(instance, &error) && !error.text[0],
	       "nothing runs yet");
	fill(instance, 5);
	tap_eq(accel_instance_start(instance), 0, "a run");
	tap_ok(accel_instance_start(instance) == -EBUSY, "and one at a time");
	fd.fd = accel_instance_fd(instance);
	tap_ok(fd.fd >= 0 && poll(&fd, 1, -1) == 1, "is polled for");
	tap_ok(!accel_instance_wait(instance, 0) && is_right(instance, 5), "and right");
	tap_eq(accel_instance_wait(instance, 0), -EINVAL, "it ends once");
	tap_ok(runs(instance, 6), "and again");
	accel_instance_release(instance);
	instance = take(pool);
	tap_ok(instance && runs(instance, 7), "the next who takes it has it");
	accel_instance_release(instance);
	accel_instance_release(NULL);
	accel_pool_destroy(pool);
	accel_pool_destroy(NULL);
}

/* Several instances as one job. */
static void test_batch(void)
{
	enum { COUNT = 5 };
	static struct accel_instance *many[1025];
	struct accel_pool *pool = make_pool(COUNT, 2), *other = make_pool(1, 1);
	struct accel_instance *in[COUNT], *theirs = take(other);
	int i, same = 0, right = 0;

	for (i = 0; i < COUNT; i++) {
		in[i] = take(pool);
		fill(in[i], 10 * i);
	}
	tap_eq(accel_pool_submit(pool, in, 0), -EINVAL, "a batch of none");
	tap_eq(accel_pool_submit(pool, &theirs, 1), -EINVAL, "one of another pool");
	for (i = 0; i < 1025; i++)
		many[i] = in[i % COUNT];
	tap_eq(accel_pool_submit(pool, many, COUNT + 1), -EINVAL, "one that stands there twice");
	tap_eq(accel_pool_submit(pool, many, 1025), -ENOSPC, "too many");
	tap_eq(accel_pool_submit(pool, in, COUNT), 0, "a batch");
	for (i = 1; i < COUNT; i++)
		same += accel_instance_fd(in[i]) == accel_instance_fd(in[0]);
	tap_eq(same, COUNT - 1, "is one job");
	tap_eq(accel_pool_submit(pool, in, 1), -EBUSY, "of instances that run");
	for (i = COUNT - 1; i >= 0; i--)
		right += !accel_instance_wait(in[i], ACCEL_FOREVER) && is_right(in[i], 10 * i);
	tap_eq(right, COUNT, "each is right");
	tap_ok(runs(in[0], 1), "and can be started alone");
	accel_pool_destroy(pool);
	accel_pool_destroy(other);
}

/* A batch of which one replay fails is told so to all, with the node. */
static void test_failing(void)
{
	struct accel_pool *pool = make_pool(2, 1);
	struct accel_instance *in[2] = { take(pool), take(pool) };
	struct accel_error error[2];
	int i;

	rig_expect("a replay failed at bundle");
	rig_fault(&rig, "overrun", 1000);
	accel_pool_submit(pool, in, 2);
	for (i = 0; i < 2; i++) {
		tap_eq(accel_instance_wait(in[i], ACCEL_FOREVER), -ETIME, "a batch that fails");
		tap_ok(accel_instance_error(in[i], &error[i]) == -ETIME &&
			       error[i].reason == RONDO_FW_OVERRUN &&
			       !strncmp(error[i].text, "replay 0 of 2 failed at bundle ", 31),
		       "is told to each: %s", error[i].text);
	}
	tap_ok(runs(in[1], 2) && !accel_instance_error(in[1], &error[1]) && !error[1].text[0],
	       "the next run is well");
	accel_instance_release(in[0]);
	in[0] = take(pool);
	tap_ok(!accel_instance_error(in[0], &error[0]) && !error[0].text[0],
	       "who gets the instance next is told nothing of it");
	accel_pool_destroy(pool);
}

/* Holds what the device does, until the test lets it go on. */
static void hold(void)
{
	rig_fault(&rig, "seq_work", 1);
}

static void let_go(void)
{
	rig_fault(&rig, "seq_work", 0);
}

/* A run that is given up: nobody gets the instance before its end. */
static void test_given_up(void)
{
	struct accel_pool *pool = make_pool(1, 1);
	struct accel_instance *instance = take(pool), *next = NULL;
	u32 hits = rig_fault_hits(&rig, "seq_work");

	hold();
	fill(instance, 20);
	tap_eq(accel_instance_start(instance), 0, "a run that takes a while");
	rig_fault_wait(&rig, "seq_work", hits);
	tap_eq(accel_instance_wait(instance, rig_in_ms(0)), -ETIMEDOUT, "and has not ended");
	accel_instance_release(instance);
	tap_ok(accel_pool_acquire(pool, 0, &next) == -ETIMEDOUT &&
		       accel_pool_acquire(pool, rig_in_ms(2), &next) == -ETIMEDOUT && !next,
	       "given up, it is nobody's");
	let_go();
	tap_eq(accel_pool_acquire(pool, ACCEL_FOREVER, &next), 0, "until the device is done");
	tap_ok(next && is_right(next, 20) && runs(next, 21), "and then it is like any other");
	accel_pool_destroy(pool);
}

/* Those who wait. */
struct waiting {
	pthread_t thread;
	struct accel_pool *pool;
	atomic_int tid;
	atomic_bool done; /* it waits no more */
	int64_t deadline;
	int ret, place;
};

static atomic_int served;

static void *wait_and_run(void *ctx)
{
	struct waiting *w = ctx;
	struct accel_instance *instance;

	w->tid = gettid();
	w->ret = accel_pool_acquire(w->pool, w->deadline, &instance);
	w->place = served++;
	if (!w->ret) {
		w->ret = !runs(instance, w->place);
		accel_instance_release(instance);
	}
	w->done = true;
	return NULL;
}

/* Whether thread @tid of this process sleeps. */
static bool sleeps(int tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

static void start_waiting(struct waiting *w, struct accel_pool *pool, int64_t deadline)
{
	*w = (struct waiting){ .pool = pool, .deadline = deadline };
	pthread_create(&w->thread, NULL, wait_and_run, w);
	while (!w->done && (!w->tid || !sleeps(w->tid)))
		poll(NULL, 0, 1);
}

/* First come, first served: also behind one who gives up, and when what is left ends. */
static void test_order(bool left)
{
	enum { WAITING = 5 };
	struct accel_pool *pool = make_pool(1, 1);
	struct accel_instance *instance = take(pool);
	struct waiting w[WAITING], hasty;
	int i, in_order = 0;
	u32 hits = rig_fault_hits(&rig, "seq_work");

	served = 0;
	start_waiting(&hasty, pool, rig_in_ms(30));
	for (i = 0; i < WAITING; i++)
		start_waiting(&w[i], pool, ACCEL_FOREVER);
	if (left) {
		hold();
		accel_instance_start(instance);
		rig_fault_wait(&rig, "seq_work", hits);
		accel_instance_release(instance);
	}
	pthread_join(hasty.thread, NULL);
	tap_ok(hasty.ret == -ETIMEDOUT && hasty.place == 0, "one who does not wait long");
	if (left)
		let_go();
	else
		accel_instance_release(instance);
	for (i = 0; i < WAITING; i++) {
		pthread_join(w[i].thread, NULL);
		in_order += !w[i].ret && w[i].place == i + 1;
	}
	tap_eq(in_order, WAITING, "those behind him are served in the order they came in");
	accel_pool_destroy(pool);
}

static struct accel_slot_buffer slot_buffer(u32 slot, struct accel_buffer *buffer, u64 offset)
{
	return (struct accel_slot_buffer){ .slot = slot, .buffer = buffer, .offset = offset };
}

/* What making an instance of @buffers gives. */
static int try_create(struct accel_pool *pool, const struct accel_slot_buffer *buffers, u32 count,
		      struct accel_error *error)
{
	struct accel_instance *instance = SENTINEL;
	int ret = accel_instance_create(pool, buffers, count, &instance, error);

	if (!ret)
		accel_instance_release(instance);
	else if (instance != SENTINEL)
		return 1;
	return ret;
}

static void test_refused_buffers(struct accel_pool *pool, struct accel_buffer *buffer)
{
	struct accel_slot_buffer two[2] = { slot_buffer(0, buffer, 0), slot_buffer(0, buffer, 0) };
	struct accel_buffer *theirs = NULL;
	struct accel_device *device = NULL;
	const struct {
		struct accel_slot_buffer buffer;
		int ret;
	} rows[] = {
		{ slot_buffer(0, buffer, 0), 0 },
		{ slot_buffer(1, buffer, 0), -EINVAL },
		{ slot_buffer(3, buffer, 0), -EINVAL },
		{ slot_buffer(64, buffer, 0), -EINVAL },
		{ slot_buffer(2, buffer, 1 << 20), -ERANGE },
		{ slot_buffer(2, buffer, 32), -EINVAL },
		{ slot_buffer(2, buffer, RIG_BYTES + 64), -ERANGE },
		{ slot_buffer(2, buffer, -64ull), -ERANGE },
		{ { .slot = 0, .reserved = 1, .buffer = buffer }, -EINVAL },
	};
	struct accel_error error;
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(try_create(pool, &rows[i].buffer, 1, &error) == rows[i].ret &&
			       !error.text[0] == !rows[i].ret &&
			       (!rows[i].ret || error.index == rows[i].buffer.slot),
		       "buffer %u: %s", i, error.text);
	tap_eq(try_create(pool, two, 2, &error), -EINVAL, "a slot that is named twice");
	two[1].slot = 2;
	tap_ok(try_create(pool, two, 2, &error) == -EBUSY && error.index == 2,
	       "input and output in one place: %s", error.text);
	two[1].offset = RIG_BYTES;
	tap_eq(try_create(pool, two, 2, &error), 0, "or behind each other");
	accel_open(rig_device, &device);
	accel_buffer_create(device, RIG_BYTES, &theirs);
	two[0].buffer = theirs;
	tap_eq(try_create(pool, two, 1, NULL), -EINVAL, "a buffer of another device");
	accel_buffer_destroy(theirs);
	accel_close(device);
}

/* A network may leave some of its input unread; the buffer has to hold all of it. */
static void test_unread_input(struct accel_buffer *buffer, u64 bytes)
{
	struct accel_model *wide = rig_model_of(&rig, (u32)(bytes / sizeof(float)) + 1, 0, 0);
	const struct accel_slot_buffer input = slot_buffer(0, buffer, 0);
	struct accel_pool *pool = NULL;
	struct accel_error error;

	tap_eq(accel_pool_create(rig.device, wide, NULL, &pool, NULL), 0, "an unread element");
	tap_ok(try_create(pool, &input, 1, &error) == -ERANGE && error.index == 0 && error.text[0],
	       "for which the buffer has no room: %s", error.text);
	accel_pool_destroy(pool);
	accel_model_destroy(wide);
}

/* Inputs and outputs that somebody else has given: no copy. */
static void test_buffers(void)
{
	struct accel_pool *pool = make_pool(1, 1);
	struct accel_buffer *made = NULL, *buffer = NULL;
	struct accel_instance *instance = NULL, *more = NULL, *own;
	struct accel_slot_buffer slots[2];
	void *in = NULL, *out = NULL, *memory;
	int fd = -1, i;

	accel_buffer_create_shared(rig.device, 2 * RIG_BYTES, &made);
	accel_buffer_export(made, &fd);
	accel_buffer_import(rig.device, fd, &buffer);
	close(fd);
	test_refused_buffers(pool, buffer);
	test_unread_input(buffer, 2 * RIG_BYTES);
	slots[0] = slot_buffer(2, buffer, RIG_BYTES);
	slots[1] = slot_buffer(0, buffer, 0);
	tap_eq(accel_instance_create(pool, slots, 2, &instance, NULL), 0, "buffers of ours");
	tap_eq(accel_instance_create(pool, slots, 1, &more, NULL), 0, "for the output alone");
	accel_buffer_map(buffer, &memory);
	accel_instance_tensor(instance, ACCEL_INPUT, 0, &in, NULL);
	accel_instance_tensor(instance, ACCEL_OUTPUT, 0, &out, NULL);
	tap_ok(in == memory && out == (u8 *)memory + RIG_BYTES, "are where the tensors are");
	accel_buffer_map(made, &memory);
	accel_buffer_destroy(buffer);
	for (i = 0; i < RIG_ELEMENTS; i++)
		((float *)memory)[i] = 30 + i;
	tap_ok(!accel_instance_start(instance) && !accel_instance_wait(instance, ACCEL_FOREVER) &&
		       ((float *)memory)[RIG_ELEMENTS + 10] == 70,
	       "a run reads and writes them");
	own = take(pool);
	tap_ok(own && runs(own, 31) && ((float *)memory)[RIG_ELEMENTS + 10] == 70,
	       "the pool's instances have their own");
	accel_instance_start(more);
	accel_instance_release(more);
	accel_instance_release(instance);
	accel_pool_destroy(pool);
	accel_buffer_destroy(made);
}

/* Everything at once is destroyed: what is free, acquired, running, left, and the caller's. */
static void test_destroy(void)
{
	struct accel_pool *pool = make_pool(4, 2);
	struct accel_instance *in[4], *added = NULL;
	int fds = rig_count_fds(), i;
	u32 hits = rig_fault_hits(&rig, "seq_work");

	for (i = 0; i < 3; i++)
		in[i] = take(pool);
	accel_instance_create(pool, NULL, 0, &added, NULL);
	hold();
	accel_instance_start(in[0]);
	rig_fault_wait(&rig, "seq_work", hits);
	accel_pool_submit(pool, &in[1], 2);
	accel_instance_start(added);
	accel_instance_release(in[1]);
	accel_pool_destroy(pool);
	let_go();
	tap_ok(rig_count_fds() == fds - 1, "a pool is destroyed while all of it is in use");
	rig_fill(&rig, 3);
	tap_ok(!rig_replay(&rig) && rig_correct(&rig, 3), "the device works on");
}

/* The device may be closed first. */
static void test_closed(void)
{
	struct accel_device *device = NULL;
	struct accel_instance *instance = NULL;
	struct accel_pool *pool = NULL;

	accel_open(rig_device, &device);
	tap_eq(accel_pool_create(device, model, NULL, &pool, NULL), 0, "a pool");
	accel_close(device);
	tap_ok(!accel_pool_acquire(pool, 0, &instance) && runs(instance, 40),
	       "outlives the device's handle");
	accel_instance_release(instance);
	accel_pool_destroy(pool);
}

/* Threads that do everything at once. */
enum { THREADS = 8, ROUNDS = 25 };

struct worker {
	pthread_t thread;
	struct accel_pool *pool;
	int seed, wrong;
};

static void *work(void *ctx)
{
	struct worker *w = ctx;
	struct accel_instance *in[2];
	int i, k, count;

	for (i = 0; i < ROUNDS; i++) {
		count = 1;
		w->wrong += !!accel_pool_acquire(w->pool, ACCEL_FOREVER, &in[0]);
		if (i % 4 == 1 && !accel_pool_acquire(w->pool, 0, &in[1]))
			count = 2;
		for (k = 0; k < count; k++)
			fill(in[k], w->seed + 7 * i + k);
		w->wrong += !!accel_pool_submit(w->pool, in, count);
		for (k = 0; k < count; k++) {
			if (i % 5 != 2)
				w->wrong += accel_instance_wait(in[k], ACCEL_FOREVER) ||
					    !is_right(in[k], w->seed + 7 * i + k);
			accel_instance_release(in[k]);
		}
	}
	return NULL;
}

static void test_threads(void)
{
	struct accel_pool *pool = make_pool(3, 2);
	struct worker w[THREADS];
	int i, wrong = 0;

	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .pool = pool, .seed = 1000 * i };
		pthread_create(&w[i].thread, NULL, work, &w[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		wrong += w[i].wrong;
	}
	tap_eq(wrong, 0, "threads acquire, run, give up and release");
	accel_pool_destroy(pool);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rig_device = argv[1];
	if (rig_init(&rig)) {
		model = rig_model(&rig, 0, 0);
		test_made();
		test_options();
		test_one();
		test_batch();
		test_failing();
		test_given_up();
		test_order(false);
		test_order(true);
		test_buffers();
		test_destroy();
		test_closed();
		test_threads();
		rig_fill(&rig, 9);
		tap_ok(!rig_replay(&rig) && rig_correct(&rig, 9), "the device works as before");
		accel_model_destroy(model);
	}
	rig_fini(&rig);
	return tap_done();
}
