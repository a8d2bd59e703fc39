// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs in the guest, for the script submit_size: submits four programs in turn, CALLS times each,
 * the ioctl between the markers of the instruction counter, in an interval for each. The first two
 * have 100 and 100,000 bundles, and copy the same bytes between the same slots. The others have 1
 * slot and 64, behind which stand private buffers, and are submitted with explicit sync.
 *
 * The calling thread has a real-time priority, so that what it wakes does not run, and is not
 * counted, before it has left the ioctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/kselftest/rig.h"
#include "tests/plugin/marker.h"

/* rig_program_copy() makes so many bundles beside the extra ones. */
enum { COPY_BUNDLES = 4, SHORT = 100, LONG = 100000, BYTES = 4096, SETTLE_SLEEPS = 5 };

struct subject {
	uint32_t sync;
	struct drm_rondo_replay replay;
	struct drm_rondo_sync out;
	struct drm_rondo_submit submit;
};

/* What replays @program with @slots of @buffers, submitted with @flags. */
static void prepare(struct subject *s, int fd, uint32_t queue, struct rig_program program,
		    const uint32_t *buffers, uint32_t slots, uint32_t flags)
{
	s->sync = make_syncobj(fd);
	s->replay.binding = make_binding(fd, make_program(fd, program), buffers, slots);
	s->out.handle = s->sync;
	s->submit = (struct drm_rondo_submit){
		.queue = queue,
		.flags = flags,
		.replays = (uintptr_t)&s->replay,
		.replay_count = 1,
		.replay_stride = sizeof(s->replay),
		.out_syncs = (uintptr_t)&s->out,
		.out_count = 1,
		.sync_stride = sizeof(s->out),
	};
}

static void prepare_bundles(struct subject *s, int fd, uint32_t queue, uint32_t bundles)
{
	struct rig_program program = rig_program_copy(BYTES, 0, bundles - COPY_BUNDLES);
	const struct rondo_program_header *header = program.data;
	uint32_t buffers[] = { make_bo(fd, BYTES, NULL), make_bo(fd, BYTES, NULL) };

	if (header->bundles != bundles) {
		fprintf(stderr, "the program has %u bundles, not %u\n", header->bundles, bundles);
		exit(EXIT_FAILURE);
	}
	prepare(s, fd, queue, program, buffers, 2, 0);
}

static void prepare_slots(struct subject *s, int fd, uint32_t queue, uint32_t slots)
{
	uint32_t buffers[RONDO_PROGRAM_SLOTS_MAX], i;

	for (i = 0; i < slots; i++)
		buffers[i] = make_private_bo(fd, BYTES, NULL);
	prepare(s, fd, queue, rig_program_read(slots), buffers, slots,
		DRM_RONDO_SUBMIT_EXPLICIT_SYNC);
}

static void check(int ret)
{
	if (ret) {
		fprintf(stderr, "a submission failed: %s\n", strerror(ret < 0 ? -ret : errno));
		exit(EXIT_FAILURE);
	}
}

static void set_policy(int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, policy, &param)) {
		perror("sched_setscheduler");
		exit(EXIT_FAILURE);
	}
}

/* Whether this thread is the only one that wants to run: field 4 of /proc/loadavg begins "1/". */
static bool alone(int loadavg)
{
	char text[64] = "";
	int runnable = 0;

	if (pread(loadavg, text, sizeof(text) - 1, 0) < 0 ||
	    sscanf(text, "%*s %*s %*s %d/", &runnable) != 1) {
		fprintf(stderr, "cannot read /proc/loadavg\n");
		exit(EXIT_FAILURE);
	}
	return runnable == 1;
}

/*
 * Lets the kernel clean up behind the last submission, so that all calls find the same state: a
 * worker that is awake already would make one cheaper. A thread of the idle policy goes on when
 * nobody else wants to; it sleeps more than once, as a timer may be late on a busy host.
 */
static void settle(int loadavg)
{
	int i;

	do {
		set_policy(SCHED_IDLE, 0);
		for (i = 0; i < SETTLE_SLEEPS; i++)
			usleep(200);
		set_policy(SCHED_FIFO, 1);
	} while (!alone(loadavg));
}

/* The place of a marker is code, so that each interval has its own. */
#define MEASURE(interval, s)                                           \
	do {                                                           \
		settle(loadavg);                                       \
		MARKER_BEGIN(interval);                                \
		ret = ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &(s)->submit); \
		MARKER_END(interval);                                  \
		check(ret);                                            \
		check(rig_result(fd, (s)->sync));                      \
	} while (0)

int main(int argc, char **argv)
{
	static struct subject small, large, one_slot, all_slots;
	int calls = argc > 1 ? atoi(argv[1]) : 400, fd = rig_open(), loadavg, ret;
	uint32_t queue;

	loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || loadavg < 0) {
		fprintf(stderr, "no device, or no /proc\n");
		return EXIT_FAILURE;
	}
	queue = make_queue(fd);
	prepare_bundles(&small, fd, queue, SHORT);
	prepare_bundles(&large, fd, queue, LONG);
	prepare_slots(&one_slot, fd, queue, 1);
	prepare_slots(&all_slots, fd, queue, RONDO_PROGRAM_SLOTS_MAX);
	while (calls--) {
		MEASURE(0, &small);
		MEASURE(1, &large);
		MEASURE(2, &one_slot);
		MEASURE(3, &all_slots);
	}
	close(loadavg);
	close(fd);
	return EXIT_SUCCESS;
}
