/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Calls of the Open Inference Protocol's gRPC: what they ask, and what is answered. */
#ifndef SERVICE_GRPC_CALL_H
#define SERVICE_GRPC_CALL_H

#include "service/server.h"

struct grpc_method;

/* The method of a path, or NULL. */
const struct grpc_method *grpc_method_find(const char *path);

/* A call; its exchange's body is its message, with the prefix. */
struct grpc_call {
	struct exchange exchange; /* first */
	const struct grpc_method *method;
	void *message; /* that is unpacked */
};

/* As exchange_begin(). False: it has ended, and grpc_call_finish() is next. */
bool grpc_call_begin(struct grpc_call *call);

/* 0, and @call->exchange.answer; or -1 and @call->exchange.why. */
int grpc_call_finish(struct grpc_call *call);

/* Frees all but @call itself. Not while it is under way. */
void grpc_call_fini(struct grpc_call *call);

/* Codes of gRPC. */
enum {
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_NOT_FOUND = 5,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
};

/* That of a refusal. */
u32 grpc_status(const struct refusal *why);

#endif
