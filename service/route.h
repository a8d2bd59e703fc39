/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a method and a path ask for. A pure function. */
#ifndef SERVICE_ROUTE_H
#define SERVICE_ROUTE_H

#include <stdbool.h>

#include "service/refusal.h"

enum { MODEL_NAME_MAX = 128 };

enum endpoint {
	SERVER_METADATA, /* GET /v2 */
	SERVER_LIVE, /* GET /v2/health/live */
	SERVER_READY, /* GET /v2/health/ready */
	MODEL_METADATA, /* GET /v2/models/NAME[/versions/VERSION] */
	MODEL_READY, /* GET .../ready */
	MODEL_STATISTICS, /* GET .../stats */
	MODEL_INFER, /* POST .../infer */
	ALL_STATISTICS, /* GET /v2/models/stats */
	REPOSITORY_INDEX, /* POST /v2/repository/index */
	REPOSITORY_LOAD, /* POST /v2/repository/models/NAME/load */
	REPOSITORY_UNLOAD, /* POST /v2/repository/models/NAME/unload */
	METRICS, /* GET /metrics */
};

struct route {
	enum endpoint endpoint;
	char model[MODEL_NAME_MAX + 1]; /* empty: none is named */
	u32 version; /* 0: none is named */
};

/* Whether a model may be called @name: letters, digits, '_', '-' and '.', which it does not begin
 * with. */
bool model_name_valid(const char *name);

/* A version: 1..4294967295 in decimal, without zeros in front. 0: it is none. */
u32 model_version_parse(const char *text);

/* 0, or -1 and why: 404 or 405. @path is unescaped and has no query. */
int route_parse(const char *method, const char *path, struct route *route, struct refusal *why);

#endif
