/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the server answers, whatever brought the request. A request is begun with its whole body;
 * it is answered at once, or later, by another thread.
 */
#ifndef SERVICE_SERVER_H
#define SERVICE_SERVER_H

#include "service/answer.h"
#include "service/metrics.h"
#include "service/registry.h"
#include "service/route.h"

struct server {
	struct lanes *lanes;
	struct registry *registry;
	u64 json_max; /* bytes of JSON in a request */
	u64 memory_max; /* bytes of all requests and their answers */
	atomic_bool draining;
	_Atomic u64 connections, request_bytes;
};

/* A request, zero but for what its owner fills in. */
struct exchange {
	/* The owner's. */
	struct server *server;
	struct route route;
	char *body;
	size_t body_size;
	const char *binary_header; /* of binary.h; or NULL */
	bool (*abandoned)(struct exchange *e); /* whether nobody waits any more */
	void (*done)(struct exchange *e); /* called once if exchange_begin() says so */

	/* The answer, when it has ended. */
	unsigned int status;
	const char *type; /* of its content */
	struct answer answer;
	struct refusal why; /* if the status is 400 or more */

	/* The server's. */
	u64 held; /* bytes */
	struct model *model;
	struct infer_request request;
	struct job job;
	void **output;
	void *output_bytes;
	struct registry_order order;
};

/*
 * Begins. True: it is under way, and done() will be called, perhaps before this returns. False: it
 * has ended.
 */
bool exchange_begin(struct exchange *e);

/* After done(), before the answer is used: makes it. By whoever has time for that. */
void exchange_finish(struct exchange *e);

/* Counts @bytes more that the exchange needs. 0; or -1 and why: all would need too many. */
int exchange_hold(struct exchange *e, u64 bytes);

/* Gives back what it holds beyond @bytes. */
void exchange_release(struct exchange *e, u64 bytes);

/* Ends an exchange with @e->why, which is filled. */
void exchange_refuse(struct exchange *e);

/*
 * For what has a form of its own: runs @e->request on @e->model, both of which are there. 0, and
 * done() will be called; or -1 and @e->why.
 */
int exchange_run(struct exchange *e);

typedef int (*answer_maker)(const struct answer_source *source, struct answer *answer,
			    struct refusal *why);

/*
 * After done(): @e->answer as @make makes it, and nothing else of the run is kept; or -1 and
 * @e->why.
 */
int exchange_answer(struct exchange *e, answer_maker make);

/* Loads or unloads @e->route.model, as exchange_begin() does: done() will be called. */
void exchange_order(struct exchange *e, enum registry_action action);

/* Frees all but @e itself. Not while it is under way. */
void exchange_fini(struct exchange *e);

/* Counts how a job ended, in its model's statistics. */
void server_count(const struct job *job);

bool server_ready(struct server *server);

#endif
