// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What accel.h promises of every function: errno stays as it is; a failure leaves outputs alone and
 * has words; in a forked child -EPERM, and destroying does nothing. Each symbol of accel.map has a
 * row here, or the test fails: libaccel_every_test MAP [DEVICE].
 */
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/unit/libaccel_rig.h"

#define SENTINEL ((void *)8)

/* Functions of the host's spoil errno, as they may even if they succeed: linked with --wrap. */
#define SPOILS(type, name, params, args)   \
	type __real_##name params;         \
	type __wrap_##name params;         \
	type __wrap_##name params          \
	{                                  \
		errno = EXDEV;             \
		return __real_##name args; \
	}

SPOILS(void *, calloc, (size_t n, size_t size), (n, size))
SPOILS(void *, aligned_alloc, (size_t align, size_t size), (align, size))
SPOILS(void, free, (void *p), (p))

/* One of everything, made before the fork. */
static struct all {
	struct rig rig;
	struct accel_model *model;
	struct accel_session *session, *idle;
	struct accel_fence *fence;
	struct accel_buffer *shared;
	int shared_fd;
	struct accel_pool *pool, *empty; /* of the latter nobody can acquire one */
	struct accel_instance *instance, *running, *another, *last, *timed;
} all;

/* Outputs, each still a sentinel after a failure. */
static union out {
	struct accel_device *device;
	struct accel_buffer *buffer;
	struct accel_program *program;
	struct accel_binding *binding;
	struct accel_queue *queue;
	struct accel_fence *fence;
	struct accel_model *model;
	struct accel_session *session;
	struct accel_pool *pool;
	struct accel_instance *instance;
	void *pointer;
} out;

static struct accel_error error;

enum row_kind {
	MODEL, /* of a model, which knows no device */
	VALUE, /* cannot fail */
	DEVICE, /* in a child: -EPERM */
	DESTROY, /* in a child: nothing */
	OPEN, /* in a child: as ever */
};

struct row {
	const char *name;
	enum row_kind kind;
	bool words; /* takes a struct accel_error */
	int (*call)(void); /* succeeds in the parent; destroys or makes what is not in @all */
	int (*fail)(void); /* or NULL, if no argument makes it fail */
};

/* What a call that succeeded has made. */
#define MADE(ret, destroy)       \
	({                       \
		int r_ = (ret);  \
		if (!r_)         \
			destroy; \
		r_;              \
	})

/* A row: a function, its kind, whether it has words, a call that succeeds and one that fails. */
#define CALL(name, expr)             \
	static int name##_call(void) \
	{                            \
		return expr;         \
	}
#define FAIL(name, expr)             \
	static int name##_fail(void) \
	{                            \
		return expr;         \
	}

static struct accel_info info;
static struct accel_clock clock_now;
static struct accel_energy energy;
static u64 queue_bound;
static struct accel_tensor tensor;
static struct accel_slot_info slot_info;
static struct accel_region region;
static u8 machine[ACCEL_MACHINE_BYTES];
static uint64_t bytes;
static size_t size;
static void *memory;
static const struct accel_job no_job;

#define R (&all.rig)

CALL(binding_create,
     MADE(accel_binding_create(R->program, R->slots, RIG_SLOTS, &out.binding, &error),
	  accel_binding_destroy(out.binding)))
FAIL(binding_create, accel_binding_create(R->program, R->slots, 1, &out.binding, &error))
CALL(binding_destroy, (accel_binding_destroy(NULL), 0))
CALL(buffer_create,
     MADE(accel_buffer_create(R->device, 1, &out.buffer), accel_buffer_destroy(out.buffer)))
FAIL(buffer_create, accel_buffer_create(R->device, 0, &out.buffer))
CALL(buffer_create_shared,
     MADE(accel_buffer_create_shared(R->device, 1, &out.buffer), accel_buffer_destroy(out.buffer)))
FAIL(buffer_create_shared, accel_buffer_create_shared(R->device, 0, &out.buffer))
CALL(buffer_destroy, (accel_buffer_destroy(NULL), 0))
static int exported;
CALL(buffer_export, MADE(accel_buffer_export(all.shared, &exported), close(exported)))
FAIL(buffer_export, accel_buffer_export(R->slots[0].buffer, &exported))
CALL(buffer_import, MADE(accel_buffer_import(R->device, all.shared_fd, &out.buffer),
			 accel_buffer_destroy(out.buffer)))
FAIL(buffer_import, accel_buffer_import(R->device, -1, &out.buffer))
CALL(buffer_map, accel_buffer_map(R->slots[0].buffer, &memory))
CALL(buffer_size, (accel_buffer_size(R->slots[0].buffer), 0))
CALL(close, (accel_close(NULL), 0))
CALL(device_clock, accel_device_clock(R->device, &clock_now))
CALL(device_fd, accel_device_fd(R->device) == -EPERM ? -EPERM : 0)
CALL(device_info, accel_device_info(R->device, &info, sizeof(info)))
CALL(device_machine, accel_device_machine(R->device, machine, sizeof(machine)))
FAIL(device_machine, accel_device_machine(R->device, machine, 63))
CALL(device_open, MADE(accel_device_open(rig_device, &out.device, &error), accel_close(out.device)))
FAIL(device_open, accel_device_open("/dev/accel/none", &out.device, &error))
static struct accel_device_entry entry;
static uint32_t entries = 1;
CALL(devices, accel_devices(&entry, sizeof(entry), &entries))
CALL(fence_destroy, (accel_fence_destroy(NULL), 0))
CALL(fence_error, accel_fence_error(all.fence, NULL, &error))
CALL(fence_fd, accel_fence_fd(all.fence) < 0 ? accel_fence_fd(all.fence) : 0)
static struct accel_fence_times times;
CALL(fence_times, (accel_fence_wait(all.fence, ACCEL_FOREVER),
		   accel_fence_times(all.fence, &times, sizeof(times))))
CALL(fence_wait, accel_fence_wait(all.fence, ACCEL_FOREVER))
CALL(instance_create, MADE(accel_instance_create(all.pool, NULL, 0, &out.instance, &error),
			   accel_instance_release(out.instance)))
FAIL(instance_create, accel_instance_create(all.pool, &(struct accel_slot_buffer){ .slot = ~0u }, 1,
					    &out.instance, &error))
CALL(instance_error, accel_instance_error(all.instance, &error))
FAIL(instance_fd, accel_instance_fd(all.instance))
/* It has just been started. */
CALL(instance_fd, accel_instance_fd(all.running) < 0 ? accel_instance_fd(all.running) : 0)
CALL(instance_release, (accel_instance_release(NULL), 0))
CALL(instance_start, accel_instance_start(all.instance))
FAIL(instance_start, accel_instance_start(all.instance))
CALL(instance_tensor, accel_instance_tensor(all.instance, ACCEL_INPUT, 0, &memory, &bytes))
FAIL(instance_tensor, accel_instance_tensor(all.instance, ACCEL_INPUT, ~0u, &out.pointer, &bytes))
CALL(instance_times, accel_instance_times(all.timed, &times, sizeof(times)))
FAIL(instance_times, accel_instance_times(all.last, &times, sizeof(times)))
CALL(instance_wait, accel_instance_wait(all.instance, ACCEL_FOREVER))
FAIL(instance_wait, accel_instance_wait(all.instance, ACCEL_FOREVER))
static int make_model(struct accel_model **model);
CALL(model_destroy, MADE(make_model(&out.model), accel_model_destroy(out.model)))
CALL(model_find, accel_model_find(all.model, ACCEL_INPUT, "in", NULL, &tensor))
FAIL(model_find, accel_model_find(all.model, ACCEL_INPUT, "none", NULL, &tensor))
FAIL(model_load, accel_model_load("/nonexistent", &out.model, &error))
static int model_load_call(void)
{
	/* Neither a FIFO nor an endless file makes it wait. */
	int ret = accel_model_load("/dev/zero", &out.model, &error);

	return ret == -EINVAL && error.text[0] ? 0 : -1;
}
FAIL(model_parse, accel_model_parse("x", 1, &out.model, &error))
static int model_parse_call(void)
{
	int ret = accel_model_parse("", (1ull << 31) + 1, &out.model, &error);

	return ret == -EFBIG && error.text[0] ? 0 : -1;
}
CALL(model_program, accel_model_program(all.model, &size) ? 0 : -1)
CALL(model_region, accel_model_region(all.model, 0, &region))
FAIL(model_region, accel_model_region(all.model, ~0u, &region))
CALL(model_region_count, accel_model_region_count(all.model) ? 0 : -1)
CALL(model_slot, accel_model_slot(all.model, 0, &slot_info))
FAIL(model_slot, accel_model_slot(all.model, ~0u, &slot_info))
CALL(model_slot_count, accel_model_slot_count(all.model) ? 0 : -1)
CALL(model_tensor, accel_model_tensor(all.model, ACCEL_INPUT, 0, &tensor))
FAIL(model_tensor, accel_model_tensor(all.model, ACCEL_INPUT, ~0u, &tensor))
CALL(model_tensor_count, accel_model_tensor_count(all.model, ACCEL_INPUT) ? 0 : -1)
CALL(open, MADE(accel_open(rig_device, &out.device), accel_close(out.device)))
FAIL(open, accel_open("/dev/null", &out.device))
CALL(pool_acquire,
     MADE(accel_pool_acquire(all.pool, 0, &out.instance), accel_instance_release(out.instance)))
FAIL(pool_acquire, accel_pool_acquire(all.empty, 0, &out.instance))
CALL(pool_create, MADE(accel_pool_create(R->device, all.model, NULL, &out.pool, &error),
		       accel_pool_destroy(out.pool)))
FAIL(pool_create,
     accel_pool_create(R->device, all.model, &(struct accel_pool_options){ .flags = ~0u },
		       &out.pool, &error))
CALL(pool_destroy, (accel_pool_destroy(NULL), 0))
CALL(pool_program, accel_pool_program(all.pool) ? 0 : -1)
CALL(pool_submit, accel_pool_submit(all.pool, &all.another, 1))
FAIL(pool_submit, accel_pool_submit(all.pool, &all.another, 1))
CALL(program_create,
     MADE(accel_program_create(R->device, R->code, R->code_bytes, 0, &out.program, &error),
	  accel_program_destroy(out.program)))
FAIL(program_create,
     accel_program_create(R->device, (u8 *)R->code + 4, 64, 0, &out.program, &error))
CALL(program_cycles, (accel_program_cycles(R->program), 0))
CALL(program_destroy, (accel_program_destroy(NULL), 0))
CALL(program_energy, (accel_program_energy(R->program, &energy), 0))
CALL(queue_bound, accel_queue_bound(R->queue, &queue_bound))
CALL(queue_note_times, accel_queue_note_times(R->queue, 1))
CALL(queue_create,
     MADE(accel_queue_create(R->device, 1, &out.queue), accel_queue_destroy(out.queue)))
FAIL(queue_create, accel_queue_create(R->device, 1025, &out.queue))
CALL(queue_destroy, (accel_queue_destroy(NULL), 0))
CALL(replay, MADE(accel_replay(R->queue, R->binding, &out.fence), accel_fence_destroy(out.fence)))
CALL(session_create, MADE(accel_session_create(R->device, all.model, &out.session, &error),
			  accel_session_destroy(out.session)))
CALL(session_destroy, (accel_session_destroy(NULL), 0))
CALL(session_error, accel_session_error(all.session, &error))
CALL(session_program, accel_session_program(all.session) ? 0 : -1)
CALL(session_start, accel_session_start(all.session))
FAIL(session_start, accel_session_start(all.session)) /* it has just been started */
CALL(session_tensor, accel_session_tensor(all.session, ACCEL_INPUT, 0, &memory, &bytes))
FAIL(session_tensor, accel_session_tensor(all.session, ACCEL_INPUT, ~0u, &out.pointer, &bytes))
CALL(session_wait, accel_session_wait(all.session, ACCEL_FOREVER))
FAIL(session_wait, accel_session_wait(all.idle, ACCEL_FOREVER))
CALL(submit, MADE(accel_submit(R->queue,
			       &(struct accel_job){
				       .replays = &(struct accel_replay){ .binding = R->binding },
				       .replay_count = 1 },
			       &out.fence),
		  accel_fence_destroy(out.fence)))
FAIL(submit, accel_submit(R->queue, &no_job, &out.fence))

#define CAN_FAIL(kind, name, words)                                   \
	{                                                             \
		"accel_" #name, kind, words, name##_call, name##_fail \
	}
#define NO_FAIL(kind, name, words)                             \
	{                                                      \
		"accel_" #name, kind, words, name##_call, NULL \
	}

static const struct row rows[] = {
	CAN_FAIL(DEVICE, binding_create, true),
	NO_FAIL(DESTROY, binding_destroy, false),
	CAN_FAIL(DEVICE, buffer_create, false),
	CAN_FAIL(DEVICE, buffer_create_shared, false),
	NO_FAIL(DESTROY, buffer_destroy, false),
	CAN_FAIL(DEVICE, buffer_export, false),
	CAN_FAIL(DEVICE, buffer_import, false),
	NO_FAIL(DEVICE, buffer_map, false),
	NO_FAIL(VALUE, buffer_size, false),
	NO_FAIL(DESTROY, close, false),
	NO_FAIL(DEVICE, device_clock, false),
	NO_FAIL(DEVICE, device_fd, false),
	NO_FAIL(DEVICE, device_info, false),
	CAN_FAIL(DEVICE, device_machine, false),
	CAN_FAIL(OPEN, device_open, true),
	NO_FAIL(OPEN, devices, false),
	NO_FAIL(DESTROY, fence_destroy, false),
	NO_FAIL(DEVICE, fence_error, true),
	NO_FAIL(DEVICE, fence_fd, false),
	NO_FAIL(DEVICE, fence_times, false),
	NO_FAIL(DEVICE, fence_wait, false),
	CAN_FAIL(DEVICE, instance_create, true),
	NO_FAIL(DEVICE, instance_error, true),
	CAN_FAIL(DEVICE, instance_fd, false),
	NO_FAIL(DESTROY, instance_release, false),
	CAN_FAIL(DEVICE, instance_start, false),
	CAN_FAIL(DEVICE, instance_tensor, false),
	CAN_FAIL(DEVICE, instance_times, false),
	CAN_FAIL(DEVICE, instance_wait, false),
	NO_FAIL(DESTROY, model_destroy, false),
	CAN_FAIL(MODEL, model_find, false),
	CAN_FAIL(MODEL, model_load, true),
	CAN_FAIL(MODEL, model_parse, true),
	NO_FAIL(MODEL, model_program, false),
	CAN_FAIL(MODEL, model_region, false),
	NO_FAIL(MODEL, model_region_count, false),
	CAN_FAIL(MODEL, model_slot, false),
	NO_FAIL(MODEL, model_slot_count, false),
	CAN_FAIL(MODEL, model_tensor, false),
	NO_FAIL(MODEL, model_tensor_count, false),
	CAN_FAIL(OPEN, open, false),
	CAN_FAIL(DEVICE, pool_acquire, false),
	CAN_FAIL(DEVICE, pool_create, true),
	NO_FAIL(DESTROY, pool_destroy, false),
	NO_FAIL(VALUE, pool_program, false),
	CAN_FAIL(DEVICE, pool_submit, false),
	CAN_FAIL(DEVICE, program_create, true),
	NO_FAIL(VALUE, program_cycles, false),
	NO_FAIL(DESTROY, program_destroy, false),
	NO_FAIL(VALUE, program_energy, false),
	NO_FAIL(DEVICE, queue_bound, false),
	NO_FAIL(DEVICE, queue_note_times, false),
	CAN_FAIL(DEVICE, queue_create, false),
	NO_FAIL(DESTROY, queue_destroy, false),
	NO_FAIL(DEVICE, replay, false),
	NO_FAIL(DEVICE, session_create, true),
	NO_FAIL(DESTROY, session_destroy, false),
	NO_FAIL(DEVICE, session_error, true),
	NO_FAIL(VALUE, session_program, false),
	CAN_FAIL(DEVICE, session_start, false),
	CAN_FAIL(DEVICE, session_tensor, false),
	CAN_FAIL(DEVICE, session_wait, false),
	CAN_FAIL(DEVICE, submit, false),
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Calls @call with an errno and outputs to keep; whether it kept errno. */
static bool calls(int (*call)(void), int *ret)
{
	memset(&error, 0x55, sizeof(error));
	out.pointer = SENTINEL;
	errno = ENOTTY;
	*ret = call();
	return errno == ENOTTY;
}

static bool has_words(const struct row *row)
{
	return !row->words || (error.text[0] && error.text[0] != 0x55 &&
			       memchr(error.text, 0, sizeof(error.text)));
}

static void test_row(const struct row *row)
{
	int ret;
	bool kept = calls(row->call, &ret);

	tap_ok(!ret && kept, "%s: %d, and errno as it was", row->name, ret);
	if (!row->fail)
		return;
	kept = calls(row->fail, &ret);
	tap_ok(ret < 0 && kept, "%s fails: %d, and errno as it was", row->name, ret);
	tap_ok(out.pointer == SENTINEL, "leaves its output alone");
	tap_ok(has_words(row), "and has words, if it can have any");
}

/* In a child: the number of the first row that does not do as it should, or ROWS. */
static int child(void)
{
	int i, ret;

	for (i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		bool kept;

		if (row->kind == OPEN || row->kind == MODEL)
			continue;
		kept = calls(row->call, &ret);
		if (!kept || ret != (row->kind == DEVICE ? -EPERM : 0) ||
		    (row->kind == DEVICE && (out.pointer != SENTINEL || !has_words(row))))
			return i;
	}
	accel_session_destroy(all.session);
	accel_fence_destroy(all.fence);
	accel_instance_release(all.another);
	accel_pool_destroy(all.pool);
	rig_fini(R);
	return ROWS;
}

static void test_child(void)
{
	int status, bad;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(child());
	waitpid(pid, &status, 0);
	bad = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	tap_ok(bad == ROWS, "in a child every function that needs the device gives EPERM%s%s",
	       bad < ROWS ? ", but not " : "", bad >= 0 && bad < ROWS ? rows[bad].name : "");
	/* The rows have started replays that nobody has waited for. */
	tap_eq(rig_replay(R), 0, "the parent's queue works on");
	rig_fill(R, 2);
	tap_ok(!rig_replay(R) && rig_correct(R, 2), "what the child destroyed lives on here");
}

/* Each symbol of @map has a row. */
static void test_map(const char *map)
{
	FILE *f = fopen(map, "r");
	char line[256], name[128];
	int i, count = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " accel_%100[a-z_]", name) != 1)
			continue;
		count++;
		for (i = 0; i < ROWS && strcmp(rows[i].name + 6, name); i++)
			;
		tap_ok(i < ROWS, "accel_%s has a row", name);
	}
	if (f)
		fclose(f);
	tap_eq(count, ROWS, "symbols and rows are as many");
}

/* A model of the rig's program: an input, and a region that is all of it. */
static int make_model(struct accel_model **model)
{
	static const char strings[] = "in\0add";
	const struct rondo_tensor in = {
		.kind = RONDO_TENSOR_INPUT,
		.dtype = RONDO_F32,
		.rank = 1,
		.dim = { RIG_ELEMENTS },
	};
	const struct rondo_region all_of_it = { .name = 3, .count = 1 };
	const struct rondo_file_part parts[] = {
		{ RONDO_SECTION_PROGRAM, 0, R->code, R->code_bytes },
		{ RONDO_SECTION_TENSORS, 0, &in, sizeof(in) },
		{ RONDO_SECTION_REGIONS, 0, &all_of_it, sizeof(all_of_it) },
		{ RONDO_SECTION_STRINGS, 0, strings, sizeof(strings) },
	};
	u64 length = rondo_file_bytes(parts, 4);
	void *file = malloc(length);
	int kept = errno, ret;

	rondo_file_write(file, parts, 4);
	ret = accel_model_parse(file, length, model, NULL);
	free(file);
	errno = kept;
	return ret;
}

static int make_pools(void)
{
	const struct accel_pool_options five = { .instances = 5 };
	int ret = accel_pool_create(R->device, all.model, &five, &all.pool, NULL);

	if (!ret)
		ret = accel_pool_create(R->device, all.model, NULL, &all.empty, NULL);
	if (!ret)
		ret = accel_pool_acquire(all.empty, 0, &all.last);
	if (!ret)
		ret = accel_pool_acquire(all.pool, 0, &all.instance);
	if (!ret)
		ret = accel_pool_acquire(all.pool, 0, &all.another);
	if (!ret)
		ret = accel_pool_acquire(all.pool, 0, &all.running);
	if (!ret)
		ret = accel_instance_start(all.running);
	if (!ret)
		ret = accel_pool_acquire(all.pool, 0, &all.timed);
	if (!ret)
		ret = accel_instance_start(all.timed);
	return ret ? ret : accel_instance_wait(all.timed, ACCEL_FOREVER);
}

static int make_all(void)
{
	int ret = make_model(&all.model);

	if (!ret)
		ret = accel_session_create(R->device, all.model, &all.session, NULL);
	if (!ret)
		ret = accel_session_create(R->device, all.model, &all.idle, NULL);
	if (!ret)
		ret = accel_replay(R->queue, R->binding, &all.fence);
	if (!ret)
		ret = accel_buffer_create_shared(R->device, 1, &all.shared);
	if (!ret)
		ret = accel_buffer_export(all.shared, &all.shared_fd);
	return ret ? ret : make_pools();
}

int main(int argc, char **argv)
{
	int i;

	if (argc > 2)
		rig_device = argv[2];
	if (argc > 1)
		test_map(argv[1]);
	if (rig_init(R)) {
		tap_eq(make_all(), 0, "one of everything");
		for (i = 0; i < ROWS; i++)
			test_row(&rows[i]);
		test_child();
	}
	accel_fence_destroy(all.fence);
	accel_buffer_destroy(all.shared);
	close(all.shared_fd);
	accel_pool_destroy(all.pool);
	accel_pool_destroy(all.empty);
	accel_session_destroy(all.session);
	accel_session_destroy(all.idle);
	accel_model_destroy(all.model);
	rig_fini(R);
	return tap_done();
}
