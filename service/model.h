/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A version of a model that is served: immutable, and there as long as anybody uses it. */
#ifndef SERVICE_MODEL_H
#define SERVICE_MODEL_H

#include <stdatomic.h>

#include "accel.h"
#include "service/lane.h"
#include "service/repository.h"
#include "service/request.h"
#include "service/statistics.h"

enum { REASON_MAX = 1024 };

struct model {
	atomic_uint users;
	char name[MODEL_NAME_MAX + 1];
	u32 version;
	struct accel_model *file;
	struct signature signature;
	struct accel_tensor *tensors; /* of the signature */
	struct accel_pool *pool[LANES_MAX]; /* on each lane; NULL: its device was lost */
	const struct accel_device *on[LANES_MAX]; /* which the pools are on */
	u64 cycles; /* of a run, exactly */
	char **labels;
	u32 label_count;
	struct statistics *statistics; /* which live longer */
};

/* How to load models. */
struct model_loader {
	struct lanes *lanes;
	const char *cache; /* a directory; NULL: none */
	u32 instances; /* of each model on each lane */
	const atomic_bool *stop; /* ends a compilation */
};

/*
 * Loads what @found tells of: reads, compiles (unless the cache has the plan), puts it on every
 * lane, and runs it once. NULL, and why in @reason.
 */
struct model *model_load(const struct model_loader *loader, const struct found_model *found,
			 struct statistics *statistics, char reason[REASON_MAX]);

struct model *model_use(struct model *model);
void model_release(struct model *model); /* NULL is nothing */

#endif
