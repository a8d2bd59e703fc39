// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/http.h"

#include <fcntl.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/binary.h"
#include "service/clock.h"
#include "service/listen.h"
#include "service/log.h"

enum {
	/* A body is given room as it comes, however long it is said to be. */
	BODY_START = 16 << 10,
	/* In which connections end that are to. */
	END_SECONDS = 5,
};

/* A connection. */
struct link {
	struct link *prev, *next;
	int fd;
	_Atomic s64 deadline_ns; /* when the client is to have done what is its turn */
};

struct http {
	struct http_options options;
	struct server *server;
	struct MHD_Daemon *daemon;
	u32 port;
	pthread_t sweeper;
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a request has, or all are to */
	struct link links; /* a ring */
	u64 active; /* requests */
	bool stop, quiesced;
};

enum request_state { READING, RUNNING, ENDED };

struct request {
	struct exchange exchange; /* first */
	struct http *http;
	struct link *link;
	struct MHD_Connection *connection;
	enum request_state state;
	bool refused; /* while it is read */
	size_t room; /* for its body */
	s64 start_ns;
	char method[8], url[160]; /* for the log */
};

/* It is the client's turn, for as long as a request may take; or it is not. */
static void set_turn(struct http *http, struct link *link, bool client)
{
	atomic_store(&link->deadline_ns,
		     client ? clock_now() + http->options.request_seconds * CLOCK_SECOND :
			      INT64_MAX);
}

/* ---- Bodies -------------------------------------------------------------------------------- */

static void refuse_reading(struct request *r)
{
	r->refused = true;
	r->room = 0;
	free(r->exchange.body);
	r->exchange.body = NULL;
	exchange_release(&r->exchange, 0);
}

/* Room for @size bytes. */
static int make_room(struct request *r, size_t size)
{
	const struct http_options *o = &r->http->options;
	size_t room = r->room ? r->room : BODY_START;
	char *grown;

	if (size > o->body_max)
		return refuse(&r->exchange.why, 413, "the body is larger than %" PRIu64 " bytes",
			      o->body_max);
	while (room < size)
		room *= 2;
	if (room == r->room)
		return 0;
	if (exchange_hold(&r->exchange, room - r->room))
		return -1;
	grown = realloc(r->exchange.body, room);
	if (!grown)
		return refuse(&r->exchange.why, 503, "there is no memory for the request");
	r->exchange.body = grown;
	r->room = room;
	return 0;
}

static void take_body(struct request *r, const char *bytes, size_t size)
{
	struct exchange *e = &r->exchange;

	if (r->refused)
		return;
	if (make_room(r, e->body_size + size)) {
		refuse_reading(r);
		return;
	}
	memcpy(e->body + e->body_size, bytes, size);
	e->body_size += size;
}

/* ---- Answers ------------------------------------------------------------------------------- */

static void add_number(struct MHD_Response *response, const char *name, size_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", number);
	MHD_add_response_header(response, name, text);
}

static enum MHD_Result answer(struct request *r)
{
	struct exchange *e = &r->exchange;
	struct MHD_Response *response;
	enum MHD_Result rc;

	r->state = ENDED;
	set_turn(r->http, r->link, true);
	response = MHD_create_response_from_buffer(e->answer.size, e->answer.bytes,
						   e->answer.bytes ? MHD_RESPMEM_MUST_FREE :
								     MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	e->answer.bytes = NULL;
	if (e->type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, e->type);
	if (e->answer.json < e->answer.size)
		add_number(response, BINARY_HEADER, e->answer.json);
	if (r->refused || atomic_load(&r->http->server->draining))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	rc = MHD_queue_response(r->connection, e->status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result answer_refused(struct request *r)
{
	exchange_refuse(&r->exchange);
	return answer(r);
}

/* ---- Requests ------------------------------------------------------------------------------ */

/* Whether the client has closed its side: whoever does that does not wait for an answer. */
static bool is_gone(struct exchange *e)
{
	const struct request *r = (const struct request *)e;
	struct pollfd fd = { .fd = r->link->fd, .events = POLLRDHUP };

	return poll(&fd, 1, 0) > 0 && fd.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

static void resume(struct exchange *e)
{
	struct request *r = (struct request *)e;

	MHD_resume_connection(r->connection);
}

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result count_length(void *lengths, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	(void)kind;
	(void)value;
	*(u32 *)lengths += !strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return MHD_YES;
}

/* How often the request tells the length of its body. */
static u32 lengths(const struct request *r)
{
	u32 count = 0;

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_length, &count);
	return count;
}

/* What can be told before the body comes. */
static int check_head(struct request *r, const char *method, const char *url)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *encoding = header(r, MHD_HTTP_HEADER_CONTENT_ENCODING);
	struct exchange *e = &r->exchange;

	if (route_parse(method, url, &e->route, &e->why))
		return -1;
	if (encoding && strcmp(encoding, "identity") != 0)
		return refuse(&e->why, 415, "Content-Encoding %.40s is not read", encoding);
	/* Two lengths: whoever stands before this server may have believed the other one. */
	if (length && (header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING) || lengths(r) > 1))
		return refuse(&e->why, 400, "the length of the body is told twice");
	if (length && strtoull(length, NULL, 10) > r->http->options.body_max)
		return refuse(&e->why, 413, "the body is larger than %" PRIu64 " bytes",
			      r->http->options.body_max);
	e->binary_header = header(r, BINARY_HEADER);
	return 0;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection,
			     const char *method, const char *url, void **context)
{
	struct link *link = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				    ->socket_context;
	struct request *r = link ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return MHD_NO;
	*context = r;
	r->http = http;
	r->connection = connection;
	r->start_ns = clock_now();
	r->exchange.server = http->server;
	r->exchange.abandoned = is_gone;
	r->exchange.done = resume;
	r->link = link;
	snprintf(r->method, sizeof(r->method), "%s", method);
	snprintf(r->url, sizeof(r->url), "%s", url);
	pthread_mutex_lock(&http->lock);
	http->active++;
	pthread_mutex_unlock(&http->lock);
	set_turn(http, r->link, true);
	if (!check_head(r, method, url))
		return MHD_YES;
	r->refused = true;
	return answer_refused(r);
}

/* The body is there. */
static enum MHD_Result run(struct request *r)
{
	struct exchange *e = &r->exchange;
	bool suspends = e->route.endpoint == MODEL_INFER || e->route.endpoint == REPOSITORY_LOAD ||
			e->route.endpoint == REPOSITORY_UNLOAD;

	if (r->refused)
		return answer_refused(r);
	set_turn(r->http, r->link, false);
	r->state = RUNNING;
	if (suspends)
		MHD_suspend_connection(r->connection);
	if (exchange_begin(e))
		return MHD_YES;
	r->state = ENDED;
	if (!suspends)
		return answer(r);
	MHD_resume_connection(r->connection);
	return MHD_YES;
}

static enum MHD_Result handle(void *http, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *body,
			      size_t *size, void **context)
{
	struct request *r = *context;

	(void)version;
	if (!r)
		return begin(http, connection, method, url, context);
	if (*size) {
		take_body(r, body, *size);
		*size = 0;
		return MHD_YES;
	}
	if (r->state == READING)
		return run(r);
	if (r->state == RUNNING)
		exchange_finish(&r->exchange);
	return answer(r);
}

static void log_request(const struct request *r)
{
	const struct exchange *e = &r->exchange;

	log_line(LOG_INFO, "request", { "method", r->method, 0 }, { "path", r->url, 0 },
		 { "status", NULL, e->status }, { "bytes_in", NULL, e->body_size },
		 { "bytes_out", NULL, e->answer.size },
		 { "us", NULL, (u64)(clock_now() - r->start_ns) / 1000 },
		 { "device_cycles", NULL, e->job.cost.device_cycles },
		 { "error", e->status >= 400 ? e->why.text : "", 0 });
}

static void completed(void *context, struct MHD_Connection *connection, void **request,
		      enum MHD_RequestTerminationCode code)
{
	struct request *r = *request;
	struct http *http = context;

	(void)connection;
	(void)code;
	if (!r)
		return;
	if (http->options.log_requests)
		log_request(r);
	set_turn(http, r->link, true); /* for the next request */
	exchange_fini(&r->exchange);
	free(r);
	*request = NULL;
	pthread_mutex_lock(&http->lock);
	http->active--;
	pthread_cond_broadcast(&http->ended);
	pthread_mutex_unlock(&http->lock);
}

/* ---- Connections --------------------------------------------------------------------------- */

static void add_link(struct http *http, struct MHD_Connection *connection, void **context)
{
	struct link *link = calloc(1, sizeof(*link));

	*context = link;
	if (!link)
		return;
	link->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	set_turn(http, link, true);
	atomic_fetch_add(&http->server->connections, 1);
	pthread_mutex_lock(&http->lock);
	link->next = &http->links;
	link->prev = http->links.prev;
	link->prev->next = link;
	http->links.prev = link;
	pthread_mutex_unlock(&http->lock);
}

static void remove_link(struct http *http, struct link *link)
{
	if (!link)
		return;
	pthread_mutex_lock(&http->lock);
	link->prev->next = link->next;
	link->next->prev = link->prev;
	pthread_cond_broadcast(&http->ended);
	pthread_mutex_unlock(&http->lock);
	atomic_fetch_sub(&http->server->connections, 1);
	free(link);
}

static void notify(void *http, struct MHD_Connection *connection, void **context,
		   enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_link(http, connection, context);
	else
		remove_link(http, *context);
}

/*
 * How much earlier than usual clients have to be done, so that those who do nothing leave room for
 * others: where three quarters of all connections are taken, a second is enough.
 */
static s64 hurry_ns(const struct http *http)
{
	if (atomic_load(&http->server->connections) < http->options.connections * UINT64_C(3) / 4)
		return 0;
	return (http->options.request_seconds - 1) * CLOCK_SECOND;
}

/* Ends connections of clients that are too slow, whatever they send meanwhile. */
static void *sweep(void *context)
{
	struct http *http = context;

	pthread_mutex_lock(&http->lock);
	while (!http->stop) {
		s64 now = clock_now(), until = now + hurry_ns(http);

		for (struct link *l = http->links.next; l != &http->links; l = l->next)
			if (atomic_load(&l->deadline_ns) < until)
				shutdown(l->fd, SHUT_RDWR);
		clock_wait(&http->ended, &http->lock, now + CLOCK_SECOND / 4);
	}
	pthread_mutex_unlock(&http->lock);
	return NULL;
}

/* ---- Starting and stopping ----------------------------------------------------------------- */

/* What the library would print tells nothing that the log has not. */
static void say_nothing(void *context, const char *fmt, va_list ap)
{
	(void)context;
	(void)fmt;
	(void)ap;
}

static int start_daemon(struct http *http, int fd, struct refusal *why)
{
	const struct http_options *o = &http->options;
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->connections, NULL },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, http },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notify, http },
		{ MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)say_nothing, NULL },
		{ o->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
		  (intptr_t)o->threads, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	http->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
						MHD_USE_ITC | MHD_USE_ERROR_LOG,
					0, NULL, NULL, handle, http, MHD_OPTION_ARRAY, options,
					MHD_OPTION_END);
	return http->daemon ? 0 : refuse(why, 503, "the HTTP server does not start");
}

int http_start(const struct http_options *options, struct server *server, struct http **http,
	       struct refusal *why)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
	struct http *h = calloc(1, sizeof(*h));
	int fd = options->address ? listen_tcp(options->address, options->port, why) :
				    options->socket;

	if (!h || fd < 0) {
		free(h);
		return fd < 0 ? -1 : refuse(why, 503, "no memory");
	}
	*h = (struct http){ .options = *options, .server = server, .lock = lock, .ended = ended };
	h->links.next = h->links.prev = &h->links;
	h->port = listen_port(fd);
	fcntl(fd, F_SETFL, O_NONBLOCK); /* one that was given may wait */
	if (pthread_create(&h->sweeper, NULL, sweep, h)) {
		close(fd);
		free(h);
		return refuse(why, 503, "the process may have no more threads");
	}
	if (start_daemon(h, fd, why)) {
		close(fd);
		http_stop(h);
		return -1;
	}
	*http = h;
	return 0;
}

u32 http_port(const struct http *http)
{
	return http->port;
}

void http_quiesce(struct http *http)
{
	int fd = http->quiesced ? -1 : MHD_quiesce_daemon(http->daemon);

	http->quiesced = true; /* the library would give the descriptor once more */
	if (fd >= 0)
		close(fd);
}

u64 http_drain(struct http *http, s64 until)
{
	u64 active;

	pthread_mutex_lock(&http->lock);
	while (http->active && clock_wait(&http->ended, &http->lock, until))
		;
	active = http->active;
	pthread_mutex_unlock(&http->lock);
	return active;
}

/*
 * Ends the connections before the library does: it reads NULL if it has to refuse a request that is
 * wrong while it stops (0.9.75: MHD_queue_response() then says yes and queues nothing).
 */
static void end_connections(struct http *http)
{
	s64 until = clock_now() + END_SECONDS * CLOCK_SECOND;

	pthread_mutex_lock(&http->lock);
	while (http->links.next != &http->links && clock_now() < until) {
		for (struct link *l = http->links.next; l != &http->links; l = l->next)
			shutdown(l->fd, SHUT_RDWR);
		clock_wait(&http->ended, &http->lock, clock_now() + CLOCK_SECOND / 100);
	}
	pthread_mutex_unlock(&http->lock);
}

void http_stop(struct http *http)
{
	if (http->daemon) {
		http_quiesce(http);
		end_connections(http);
		MHD_stop_daemon(http->daemon);
	}
	pthread_mutex_lock(&http->lock);
	http->stop = true;
	pthread_cond_broadcast(&http->ended);
	pthread_mutex_unlock(&http->lock);
	pthread_join(http->sweeper, NULL);
	free(http);
}
