/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * HTTP/1.1: connections, bodies and their limits. What is asked for is served by service/serve.h.
 *
 * A connection whose request waits for a device, or for a model to be loaded, costs no thread.
 */
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include "service/server.h"

struct http;

struct http_options {
	const char *address; /* to bind to; NULL: @socket is bound already */
	u32 port; /* 0: any */
	int socket; /* that listens; -1: none */
	u32 threads, connections;
	u32 request_seconds; /* in which a request is to arrive, or an answer to be taken */
	u64 body_max; /* bytes */
	bool log_requests;
};

/* Begins to serve. 0, or -1 and why. */
int http_start(const struct http_options *options, struct server *server, struct http **http,
	       struct refusal *why);

/* The port it listens at. */
u32 http_port(const struct http *http);

/* Takes no more connections; those there are are closed behind their next answer. */
void http_quiesce(struct http *http);

/* Waits until no request is under way, or for @until of clock_now(). How many there are. */
u64 http_drain(struct http *http, s64 until);

/* Ends all connections. Nothing of the server's may be waiting. */
void http_stop(struct http *http);

#endif
