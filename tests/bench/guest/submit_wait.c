// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs in the guest, for the script submit_wait: from SUBMIT to the woken waiter, RUNS times in
 * turn for one job (interval 0), for DEPTH jobs of which the last is waited for (1), and for one
 * job of REPLAYS replays (2). All copy 64 words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <xf86drm.h>

#include "tests/kselftest/rig.h"
#include "tests/plugin/marker.h"

enum { DEPTH = 16, REPLAYS = 1000 };

static int fd;
static struct rig_copy copy;
static struct drm_rondo_replay replay[REPLAYS];
static struct drm_rondo_sync out;

/* Submits @jobs jobs of @replays replays and waits for the last. */
static void run(uint32_t jobs, uint32_t replays)
{
	struct drm_rondo_submit submit = {
		.queue = copy.queue,
		.replays = (uintptr_t)replay,
		.replay_count = replays,
		.replay_stride = sizeof(replay[0]),
		.out_syncs = (uintptr_t)&out,
		.out_count = 1,
		.sync_stride = sizeof(out),
	};
	uint32_t i;
	int ret = 0;

	for (i = 0; i < jobs; i++)
		ret |= ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &submit);
	ret |= drmSyncobjWait(fd, &copy.sync, 1, INT64_MAX, 0, NULL);
	if (ret) {
		perror("a job failed");
		exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 300, i;

	fd = rig_open();
	if (fd < 0) {
		fprintf(stderr, "no device\n");
		return EXIT_FAILURE;
	}
	copy = make_copy(fd);
	out.handle = copy.sync;
	for (i = 0; i < REPLAYS; i++)
		replay[i].binding = copy.binding;
	run(1, REPLAYS);
	while (runs--) {
		MARKER_BEGIN(0);
		run(1, 1);
		MARKER_END(0);
		MARKER_BEGIN(1);
		run(DEPTH, 1);
		MARKER_END(1);
		MARKER_BEGIN(2);
		run(1, REPLAYS);
		MARKER_END(2);
	}
	return EXIT_SUCCESS;
}
