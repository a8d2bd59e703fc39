/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is counted, in Prometheus' text format and in that of the protocol. */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include <stdio.h>

#include "service/registry.h"

/* What is counted of the server as a whole. */
struct server_metrics {
	u64 waiting, running; /* requests */
	u64 connections; /* open */
	u64 request_bytes; /* of bodies, in memory */
	bool ready;
};

void metrics_print(FILE *out, struct registry *registry, const struct server_metrics *server);

/* Statistics of @name, version @version, as JSON; all if @name is empty, all versions if that is 0.
 */
void metrics_print_statistics(FILE *out, struct registry *registry, const char *name, u32 version);

#endif
