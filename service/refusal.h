/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Why a request is not answered as asked: a status of HTTP and one line that names the thing. */
#ifndef SERVICE_REFUSAL_H
#define SERVICE_REFUSAL_H

#include "spec/env.h"

struct refusal {
	unsigned int status; /* 400..599 */
	char text[512]; /* one line */
	u64 earliest_us; /* the shortest timeout that would have been met; 0: that is not it */
};

/* Fills *@refusal and returns -1. */
__attribute__((format(printf, 3, 4))) int refuse(struct refusal *refusal, unsigned int status,
						 const char *fmt, ...);

#endif
