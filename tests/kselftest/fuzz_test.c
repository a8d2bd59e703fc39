// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Random sequences of calls, by processes that are killed at random. Where the kernel tells what
 * of the driver a sequence runs through (KCOV), one that gets further than all before it is kept,
 * and others are made from it. Now and then the machine is suspended meanwhile. Nothing is expected
 * of a call but that it returns: the kernel's checks see the rest. Afterwards the device works.
 *
 * The environment says how much: FUZZ_CALLS, FUZZ_KILLS; and FUZZ_SEED.
 */
#include <fcntl.h>
#include <linux/kcov.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 3000 /* as long as one likes to fuzz */

enum {
	WORKERS = 2,
	KILLS_PER_SUSPEND = 16,
	STEPS = 64, /* of a sequence, at most; few would leave most of the time to open and close */
	KEPT = 1024, /* sequences */
	COVER = 64 << 10, /* places that one call may run through */
	PLACES = 1 << 16, /* slots of the table of all places */
	NAMES = 6, /* ids and handles that are tried: mostly 1..4 exist */
	UID = 1000,
	MEMORY = 8192,
};

/* One call: what it does, and numbers that its arguments are made of. */
struct step {
	uint8_t call, how;
	uint16_t small;
	uint32_t number;
};

struct sequence {
	uint32_t count;
	struct step step[STEPS];
};

/* What the processes share. A kill may come between any two writes, and does no harm. */
static struct shared {
	_Atomic uint64_t calls;
	_Atomic uint32_t kept, places;
	_Atomic uint8_t seen[PLACES];
	struct sequence sequence[KEPT];
} * shared;

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return below ? (state >> 33) % below : state >> 33;
}

/* The kernel's list of places; NULL if it keeps none. */
static unsigned long *cover;

static void cover_open(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, COVER))
		return;
	cover = mmap(NULL, COVER * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		cover = NULL;
}

static void cover_begin(void)
{
	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

/* How many places the call ran through where none was before. */
static uint32_t cover_new(void)
{
	unsigned long i, count = cover ? __atomic_load_n(&cover[0], __ATOMIC_RELAXED) : 0;
	uint32_t found = 0;

	for (i = 1; i <= count; i++) {
		_Atomic uint8_t *seen = &shared->seen[cover[i] * 0x9e3779b97f4a7c15u >> 48];

		if (!*seen) {
			*seen = 1;
			found++;
		}
	}
	shared->places += found;
	return found;
}

/* The files of a worker, and what its calls point to. */
struct worker {
	int fd[2], dmabuf;
	struct rig_program program[4];
	char *memory; /* arrays in MEMORY bytes; behind it there is nothing */
};

/* A value for a field: often one that exists or is allowed, sometimes any. */
static uint64_t value(const struct step *s, uint32_t usual)
{
	static const uint64_t others[] = { 0,	     1,	   UINT32_MAX, 1ull << 32, UINT64_MAX,
					   1u << 31, 4096, 4097,       1u << 30 };

	if (s->how & 1)
		return others[s->small % ARRAY_SIZE(others)];
	return usual ? s->number % usual : s->number;
}

static uint64_t pointer(struct worker *w, const struct step *s)
{
	switch (s->how >> 1 & 7) {
	case 0: /* where nothing is */
		return s->number & 1 ? (uintptr_t)w->memory + MEMORY : 0;
	case 1:
		return (uintptr_t)w->memory + MEMORY - s->small % 64;
	default:
		return (uintptr_t)w->memory + s->small % 16 * 256;
	}
}

static uint32_t count_of(const struct step *s)
{
	return s->how & 16 ? s->number : s->small % 4;
}

static uint32_t stride_of(const struct step *s, uint32_t size)
{
	return s->how & 32 ? s->number : size + (s->small % 3 ? 0 : 8);
}

static int call_program_create(struct worker *w, int fd, const struct step *s)
{
	struct rig_program *p = &w->program[s->small % ARRAY_SIZE(w->program)];
	struct drm_rondo_program_create args = { .data = (uintptr_t)p->data, .size = p->size };
	uint8_t *at = (uint8_t *)p->data + s->number % p->size;
	int ret;

	if (s->how & 1)
		args.size = value(s, 0);
	if (s->how & 2)
		*at ^= s->how;
	if (s->how & 4)
		args.budget = s->number;
	args.flags = s->how & 64 ? s->small : 0;
	ret = ioctl(fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, &args);
	if (s->how & 2)
		*at ^= s->how;
	return ret;
}

static int call_binding_create(struct worker *w, int fd, const struct step *s)
{
	struct drm_rondo_slot_binding slots[3] = {};
	struct drm_rondo_binding_create args = {
		.program = value(s, NAMES),
		.slots = s->how & 2 ? pointer(w, s) : (uintptr_t)slots,
		.slot_count = count_of(s),
		.slot_stride = s->how & 2 ? stride_of(s, sizeof(slots[0])) : sizeof(slots[0]),
		.flags = s->how & 64 ? s->small : 0,
	};
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		slots[i].handle = (s->number >> (8 + 4 * i)) % NAMES;
		slots[i].offset = s->how & 128 ? s->small & ~63u : 0;
	}
	return ioctl(fd, DRM_IOCTL_RONDO_BINDING_CREATE, &args);
}

static int call_submit(struct worker *w, int fd, const struct step *s)
{
	struct drm_rondo_slot_offset offset = { .slot = s->number >> 20 & 3,
						.offset = s->small & ~63u };
	struct drm_rondo_replay replays[3] = {};
	struct drm_rondo_sync syncs[2] = { { .handle = s->number >> 8 & 3 },
					   { .handle = s->number >> 10 & 3,
					     .point = s->number >> 12 & 3 } };
	struct drm_rondo_submit args = {
		.queue = value(s, NAMES),
		.flags = s->number >> 16 & 1 ? DRM_RONDO_SUBMIT_EXPLICIT_SYNC : 0,
		.replays = s->how & 2 ? pointer(w, s) : (uintptr_t)replays,
		.replay_count = count_of(s),
		.replay_stride = s->how & 2 ? stride_of(s, sizeof(replays[0])) : sizeof(replays[0]),
		.in_syncs = (uintptr_t)&syncs[0],
		.in_count = s->number >> 17 & 1,
		.out_syncs = (uintptr_t)&syncs[1],
		.out_count = s->number >> 18 & 1,
		.sync_stride = s->how & 64 ? stride_of(s, sizeof(syncs[0])) : sizeof(syncs[0]),
		.tag = s->small & 3,
	};
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(replays); i++) {
		replays[i].binding = s->number % NAMES;
		if (s->how & 128) {
			replays[i].offsets = (uintptr_t)&offset;
			replays[i].offset_count = 1;
			replays[i].offset_stride = sizeof(offset);
		}
	}
	return ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &args);
}

static int call_query(struct worker *w, int fd, const struct step *s)
{
	char answer[256];
	struct drm_rondo_query args = {
		.type = value(s, DRM_RONDO_QUERY_CLOCK + 2),
		.size = s->how & 2 ? s->number : s->small % 256,
		.data = s->how & 2 ? pointer(w, s) : (uintptr_t)answer,
	};

	return ioctl(fd, DRM_IOCTL_RONDO_QUERY, &args);
}

static int call_queue_fault(struct worker *w, int fd, const struct step *s)
{
	struct drm_rondo_queue_fault args = { .queue = value(s, NAMES),
					      .flags = s->small % 3,
					      .tag = s->small & 3 };

	(void)w;
	return ioctl(fd, DRM_IOCTL_RONDO_QUEUE_FAULT, &args);
}

static int call_queue_bound(struct worker *w, int fd, const struct step *s)
{
	struct drm_rondo_queue_bound args = { .queue = value(s, NAMES), .pad = !(s->small % 7) };

	(void)w;
	return ioctl(fd, DRM_IOCTL_RONDO_QUEUE_BOUND, &args);
}

static int call_fence_times(struct worker *w, int fd, const struct step *s)
{
	struct drm_rondo_fence_times args = { .queue = value(s, NAMES), .fd = s->small % 64 };

	(void)w;
	return ioctl(fd, DRM_IOCTL_RONDO_FENCE_TIMES, &args);
}

/* Those that name or make one thing. */
static int call_simple(struct worker *w, int fd, const struct step *s)
{
	static const unsigned long destroy[] = { DRM_IOCTL_RONDO_PROGRAM_DESTROY,
						 DRM_IOCTL_RONDO_BINDING_DESTROY,
						 DRM_IOCTL_RONDO_QUEUE_DESTROY };
	struct drm_rondo_queue_destroy id = { .id = value(s, NAMES) };
	struct drm_rondo_bo_create bo = { .size = value(s, 1 << 16), .flags = s->small & 1 };
	struct drm_rondo_queue_create queue = { .weight = value(s, 65) };

	(void)w;
	if (bo.size <= 1 << 30)
		bo.size &= 0xfffff; /* of those that can be made, only small ones */
	switch (s->how >> 1 & 3) {
	case 0:
		return ioctl(fd, destroy[s->small % ARRAY_SIZE(destroy)], &id);
	case 1:
		return ioctl(fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &queue);
	case 2:
		return drmCloseBufferHandle(fd, value(s, NAMES));
	default:
		return ioctl(fd, DRM_IOCTL_RONDO_BO_CREATE, &bo);
	}
}

/* Maps a buffer and writes into it. */
static int call_map(struct worker *w, int fd, const struct step *s)
{
	struct drm_rondo_bo_mmap_offset args = { .handle = value(s, NAMES) };
	uint32_t *map;

	(void)w;
	if (ioctl(fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &args))
		return -1;
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	if (map == MAP_FAILED)
		return -1;
	map[s->small % 1024] = s->number;
	return munmap(map, 4096);
}

static int call_syncobj(struct worker *w, int fd, const struct step *s)
{
	uint32_t handle = value(s, 4);

	(void)w;
	switch (s->small % 4) {
	case 0:
		return drmSyncobjCreate(fd, s->number & 1, &handle);
	case 1:
		return drmSyncobjDestroy(fd, handle);
	case 2:
		return drmSyncobjReset(fd, &handle, 1);
	default:
		return drmSyncobjWait(fd, &handle, 1, 0, s->number & 3, NULL);
	}
}

/* From one file to the other, or to itself. */
static int call_prime(struct worker *w, int fd, const struct step *s)
{
	uint32_t handle;

	if (w->dmabuf < 0)
		return drmPrimeHandleToFD(fd, value(s, NAMES),
					  DRM_CLOEXEC | (s->small & 1 ? DRM_RDWR : 0), &w->dmabuf);
	if (drmPrimeFDToHandle(fd, w->dmabuf, &handle))
		return -1;
	if (!(s->small & 2))
		return 0;
	close(w->dmabuf);
	w->dmabuf = -1;
	return 0;
}

static int call_fdinfo(struct worker *w, int fd, const struct step *s)
{
	(void)w;
	(void)s;
	return rig_fdinfo(fd, "drm-cycles-compute") == ~0ull;
}

/* Any number with any argument. */
static int call_any(struct worker *w, int fd, const struct step *s)
{
	unsigned long size = s->how & 127;

	return ioctl(fd,
		     _IOC(s->small >> 8 & 3, DRM_IOCTL_BASE,
			  s->how & 128 ? s->small & 255 : 0x40 + (s->small & 15), size),
		     pointer(w, s));
}

static int call_close(struct worker *w, int fd, const struct step *s)
{
	uint32_t i = s->small & 1;

	(void)fd;
	close(w->fd[i]);
	w->fd[i] = rig_open();
	return w->fd[i];
}

/* Those that have most to say stand more than once. */
static int (*const calls[])(struct worker *w, int fd, const struct step *s) = {
	call_program_create,
	call_program_create,
	call_binding_create,
	call_binding_create,
	call_binding_create,
	call_submit,
	call_submit,
	call_submit,
	call_submit,
	call_simple,
	call_simple,
	call_simple,
	call_map,
	call_syncobj,
	call_syncobj,
	call_query,
	call_queue_fault,
	call_queue_bound,
	call_prime,
	call_fdinfo,
	call_any,
	call_close,
	call_fence_times,
};

/* With these every sequence begins: things to name. */
static const struct step first[] = {
	{ 9, 7, 3, 8192 },   { 9, 7, 3, 8192 }, { 0, 0, 0, 0 },
	{ 2, 0, 2, 0x2101 }, { 9, 3, 1, 0 },	{ 13, 0, 0, 0 },
};

static struct step any_step(void)
{
	return (struct step){ draw(ARRAY_SIZE(calls)), draw(256), draw(1 << 16), draw(0) };
}

/* A sequence of its own, or one that was kept with a few changes. */
static void make_sequence(struct sequence *q)
{
	uint8_t *bytes = (uint8_t *)q->step;
	uint32_t kept = shared->kept, i, n;

	if (!kept || !draw(4)) {
		q->count = 1 + draw(STEPS);
		for (i = 0; i < q->count; i++)
			q->step[i] = any_step();
		return;
	}
	*q = shared->sequence[draw(kept < KEPT ? kept : KEPT)];
	if (q->count > STEPS)
		q->count = 0;
	for (n = 1 + draw(4); n; n--) {
		if (q->count < STEPS && draw(2)) {
			i = draw(q->count + 1);
			memmove(&q->step[i + 1], &q->step[i], (q->count - i) * sizeof(q->step[0]));
			q->step[i] = any_step();
			q->count++;
		} else if (q->count) {
			bytes[draw(q->count * sizeof(q->step[0]))] ^= 1 << draw(8);
		}
	}
}

static void keep(const struct sequence *q)
{
	uint32_t i = shared->kept++;

	shared->sequence[i < KEPT ? i : draw(KEPT)] = *q;
}

static uint32_t run(struct worker *w, const struct step *step, uint32_t count)
{
	uint32_t i, found = 0;

	for (i = 0; i < count; i++) {
		int fd = w->fd[step[i].how >> 7 & !(step[i].number & 3)];

		cover_begin();
		calls[step[i].call % ARRAY_SIZE(calls)](w, fd, &step[i]);
		found += cover_new();
		shared->calls++;
	}
	return found;
}

/* Fuzzes until it is killed. */
__attribute__((noreturn)) static void work(uint64_t seed)
{
	static struct worker w;
	struct sequence q;
	size_t i;

	state = seed;
	w.memory = mmap(NULL, MEMORY + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	mprotect(w.memory + MEMORY, 4096, PROT_NONE);
	for (i = 0; i < MEMORY; i++)
		w.memory[i] = draw(4) ? 0 : draw(256);
	w.program[0] = rig_program_copy(RIG_COPY_WORDS * 4, 0, 0);
	w.program[1] = rig_program_increment();
	w.program[2] = rig_program_spin(1000);
	w.program[3] = rig_program_alias();
	w.dmabuf = -1;
	cover_open();
	if (draw(2))
		seteuid(UID);
	for (;;) {
		for (i = 0; i < ARRAY_SIZE(w.fd); i++)
			w.fd[i] = rig_open();
		if (w.fd[0] < 0)
			_exit(1);
		/* As root: in some rounds the device sleeps, or is about to, between calls. */
		rig_autosuspend(draw(8) ? -1 : 0);
		run(&w, first, ARRAY_SIZE(first));
		make_sequence(&q);
		if (run(&w, q.step, q.count))
			keep(&q);
		for (i = 0; i < ARRAY_SIZE(w.fd); i++)
			close(w.fd[i]);
	}
}

static uint64_t from_environment(const char *name, uint64_t usual)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : usual;
}

static bool has_called(void *calls)
{
	return shared->calls >= *(uint64_t *)calls;
}

TEST(fuzz)
{
	uint64_t all = from_environment("FUZZ_CALLS", 4000);
	uint64_t kills = from_environment("FUZZ_KILLS", 20);
	uint64_t seed = from_environment("FUZZ_SEED", 1), round, until;
	pid_t worker[WORKERS];
	int i, status;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ASSERT_NE(MAP_FAILED, shared);
	if (rig_faults_present())
		rig_faults_clear();
	close(rig_open_as(UID)); /* he may open it from now on */
	ASSERT_EQ(0, rig_new_file_works());
	for (round = 0; round < kills + WORKERS; round++) {
		i = round % WORKERS;
		if (round >= WORKERS) {
			until = all * (round - WORKERS + 1) / kills;
			ASSERT_TRUE(rig_until(has_called, &until));
			kill(worker[i], SIGKILL);
			ASSERT_EQ(worker[i], waitpid(worker[i], &status, 0));
			EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			{
				TH_LOG("a worker ended with status %x", status);
			}
		}
		worker[i] = fork();
		if (!worker[i])
			work(seed + round);
		if (round % KILLS_PER_SUSPEND == WORKERS)
			EXPECT_EQ(0, rig_suspend("devices"));
	}
	for (i = 0; i < WORKERS; i++) {
		kill(worker[i], SIGKILL);
		ASSERT_EQ(worker[i], waitpid(worker[i], &status, 0));
	}
	printf("# fuzz: %lu calls, %lu killed, %u places, %u sequences kept\n",
	       (unsigned long)shared->calls, (unsigned long)kills + WORKERS, shared->places,
	       shared->kept);
	EXPECT_EQ(0, rig_new_file_works());
}

TEST_HARNESS_MAIN
