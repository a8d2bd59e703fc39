// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs in the guest, for the script submit_size: submits a program of 100 bundles and one of
 * 100,000, in turn, CALLS times each, the ioctl between the markers of the instruction counter
 * (interval 0 the short one, 1 the long one). Both copy the same bytes between the same slots.
 *
 * The calling thread has a real-time priority, so that what it wakes does not run, and is not
 * counted, before it has left the ioctl.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/kselftest/rig.h"
#include "tests/plugin/marker.h"

/* rig_program_copy() makes so many bundles beside the extra ones. */
enum { COPY_BUNDLES = 4, SHORT = 100, LONG = 100000, BYTES = 4096 };

struct subject {
	uint32_t sync; /* its own: replacing a fence that is still in use is cheaper */
	struct drm_rondo_replay replay;
	struct drm_rondo_sync out;
	struct drm_rondo_submit submit;
};

static void prepare(struct subject *s, int fd, uint32_t queue, uint32_t bundles)
{
	struct rig_program program = rig_program_copy(BYTES, 0, bundles - COPY_BUNDLES);
	const struct rondo_program_header *header = program.data;
	uint32_t buffers[] = { make_bo(fd, BYTES, NULL), make_bo(fd, BYTES, NULL) };

	if (header->bundles != bundles) {
		fprintf(stderr, "the program has %u bundles, not %u\n", header->bundles, bundles);
		exit(EXIT_FAILURE);
	}
	s->sync = make_syncobj(fd);
	s->replay.binding = make_binding(fd, make_program(fd, program), buffers, 2);
	s->out.handle = s->sync;
	s->submit = (struct drm_rondo_submit){
		.queue = queue,
		.replays = (uintptr_t)&s->replay,
		.replay_count = 1,
		.replay_stride = sizeof(s->replay),
		.out_syncs = (uintptr_t)&s->out,
		.out_count = 1,
		.sync_stride = sizeof(s->out),
	};
}

static void check(int ret)
{
	if (ret) {
		fprintf(stderr, "a submission failed: %s\n", strerror(ret < 0 ? -ret : errno));
		exit(EXIT_FAILURE);
	}
}

/* An uncounted submission of a third program: whatever is counted comes after the same. */
static void settle(int fd, const struct subject *s)
{
	check(ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &s->submit));
	check(rig_result(fd, s->sync));
}

int main(int argc, char **argv)
{
	static struct subject before, small, large;
	int calls = argc > 1 ? atoi(argv[1]) : 400, fd = rig_open(), ret;
	struct sched_param priority = { .sched_priority = 1 };
	uint32_t queue;

	if (fd < 0 || sched_setscheduler(0, SCHED_FIFO, &priority)) {
		fprintf(stderr, "no device, or not root\n");
		return EXIT_FAILURE;
	}
	queue = make_queue(fd);
	prepare(&before, fd, queue, SHORT);
	prepare(&small, fd, queue, SHORT);
	prepare(&large, fd, queue, LONG);
	while (calls--) {
		settle(fd, &before);
		MARKER_BEGIN(0);
		ret = ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &small.submit);
		MARKER_END(0);
		check(ret);
		check(rig_result(fd, small.sync));

		settle(fd, &before);
		MARKER_BEGIN(1);
		ret = ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &large.submit);
		MARKER_END(1);
		check(ret);
		check(rig_result(fd, large.sync));
	}
	close(fd);
	return EXIT_SUCCESS;
}
