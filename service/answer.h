/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is answered: JSON, and behind it the bytes of outputs that were wanted so. Pure functions.
 */
#ifndef SERVICE_ANSWER_H
#define SERVICE_ANSWER_H

#include "service/request.h"

/* What a run took. */
struct run_cost {
	u64 device_cycles;
	u64 energy_nj;
	u64 queue_us; /* device time from its arrival to its start */
	u64 device_us; /* device time from its arrival to its end */
};

struct answer_source {
	const char *model;
	u32 version;
	const struct signature *signature;
	const struct infer_request *request;
	const void *const *output; /* the bytes of each output of the model */
	char *const *labels; /* of classes; NULL: there are none */
	u32 label_count;
	struct run_cost cost;
};

struct answer {
	void *bytes; /* for free() */
	size_t size;
	size_t json; /* of them; less than @size: binary data follows */
};

/* 0, or -1 and why. */
int answer_make(const struct answer_source *source, struct answer *answer, struct refusal *why);

/* The body that tells of @refusal. */
int answer_refusal(const struct refusal *refusal, struct answer *answer);

#endif
