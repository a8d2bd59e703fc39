/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * gRPC over HTTP/2 without TLS: connections, streams, and their limits. One thread serves all of
 * them. What is asked for is in service/grpc_call.h.
 */
#ifndef SERVICE_GRPC_H
#define SERVICE_GRPC_H

#include "service/server.h"

struct grpc;

struct grpc_options {
	const char *address;
	u32 port; /* 0: any */
	u32 connections;
	u32 request_seconds; /* in which a request is to arrive, or an answer to be taken */
	u64 body_max; /* bytes */
	bool log_requests;
};

/* Begins to serve. 0, or -1 and why. */
int grpc_start(const struct grpc_options *options, struct server *server, struct grpc **grpc,
	       struct refusal *why);

/* The port it listens at. */
u32 grpc_port(const struct grpc *grpc);

/* Takes no more connections and calls; connections are closed when their calls have ended. */
void grpc_quiesce(struct grpc *grpc);

/* Waits until no call is under way, or for @until of clock_now(). How many there are. */
u64 grpc_drain(struct grpc *grpc, s64 until);

/* Ends all connections. Nothing of the server's may be waiting. */
void grpc_stop(struct grpc *grpc);

#endif
