/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one user may have and ask for. QUERY tells; nothing else promises it, but for
 * RONDO_SYNCOBJS_MAX, of which the UAPI promises this much.
 */
#ifndef RONDO_LIMITS_H
#define RONDO_LIMITS_H

#include "spec/limits.h"

#define RONDO_BO_SIZE_MAX RONDO_SLOT_BYTES_MAX

enum {
	/* For each open file. */
	RONDO_FILE_PROGRAMS_MAX = 64,
	RONDO_FILE_BINDINGS_MAX = 256,
	RONDO_FILE_QUEUES_MAX = 16,
	/* For each submission; syncs each way. */
	RONDO_JOB_REPLAYS_MAX = 1024,
	RONDO_JOB_SYNCS_MAX = 64,
	RONDO_JOB_DEPENDENCIES_MAX = 256, /* fences of other contexts that one job waits for */
	/* For each call on syncobjs: DRM allocates less than 32 KiB then, which never fails. */
	RONDO_SYNCOBJS_MAX = 256,
	/* For each queue. More than the default is for those who may raise a priority. */
	RONDO_WEIGHT_DEFAULT = 64,
	RONDO_WEIGHT_MAX = 1024,
	/* Faults that a queue remembers. */
	RONDO_QUEUE_FAULTS_MAX = 16,
};

#endif
