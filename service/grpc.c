// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/grpc.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/clock.h"
#include "service/grpc_call.h"
#include "service/grpc_message.h"
#include "service/listen.h"
#include "service/log.h"

enum {
	CALLS_MAX = 128, /* of a connection, with those that it has given up and a device has */
	HEADERS_MAX = 16 << 10, /* bytes of a call's headers */
	WINDOW = 1 << 20, /* bytes that a client may send ahead */
	BODY_START = 4 << 10,
	EVENTS = 64,
	SWEEP_MS = 250,
};

struct call {
	struct grpc_call call; /* first */
	struct grpc *grpc;
	struct peer *peer; /* NULL: it has gone */
	struct call *prev, *next; /* of its peer's, while that is there */
	struct call *next_done;
	s32 stream;
	u64 room; /* of its body */
	u32 headers; /* bytes */
	bool running; /* a device has it, or waits for it, or the registry */
	bool typed; /* its content is said to be gRPC's */
	bool answered;
	s64 turn_ns; /* when the client is to have done its part */
	/* For whoever asks whether it is given up: */
	atomic_bool gone;
	s64 deadline_ns; /* INT64_MAX: none */
	size_t sent; /* of the answer */
	s64 start_ns;
	char path[128]; /* for the log */
};

struct peer {
	struct peer *prev, *next;
	struct grpc *grpc;
	int fd;
	nghttp2_session *session;
	struct call calls; /* a ring */
	u32 count; /* of calls, with those that were given up */
	s64 turn_ns;
	const u8 *out; /* what is to be sent first */
	size_t out_size;
	bool closing, writes;
};

struct grpc {
	struct grpc_options options;
	struct server *server;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	int listen, epoll, wake;
	u32 port;
	pthread_t thread;
	struct peer peers; /* a ring */
	u32 count; /* of peers */
	bool listens, goes_away;

	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct call *done; /* whose job or order has ended */
	u64 active; /* calls */
	bool quiesce, stop;
};

static s64 turn(const struct grpc *g)
{
	return clock_now() + g->options.request_seconds * CLOCK_SECOND;
}

/* ---- Calls --------------------------------------------------------------------------------- */

static bool is_abandoned(struct exchange *e)
{
	const struct call *c = (const struct call *)e;

	return atomic_load(&c->gone) || clock_now() >= c->deadline_ns;
}

/* By the thread of a lane, or the registry's. */
static void call_done(struct exchange *e)
{
	struct call *c = (struct call *)e;
	struct grpc *g = c->grpc;

	pthread_mutex_lock(&g->lock);
	c->next_done = g->done;
	g->done = c;
	eventfd_write(g->wake, 1);
	pthread_mutex_unlock(&g->lock);
}

static struct call *make_call(struct peer *p, s32 stream)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->grpc = p->grpc;
	c->peer = p;
	c->stream = stream;
	c->start_ns = clock_now();
	c->turn_ns = turn(p->grpc);
	c->deadline_ns = INT64_MAX;
	c->call.exchange.server = p->grpc->server;
	c->call.exchange.abandoned = is_abandoned;
	c->call.exchange.done = call_done;
	c->next = &p->calls;
	c->prev = p->calls.prev;
	c->prev->next = c;
	p->calls.prev = c;
	p->count++;
	pthread_mutex_lock(&p->grpc->lock);
	p->grpc->active++;
	pthread_mutex_unlock(&p->grpc->lock);
	return c;
}

static void log_call(const struct call *c)
{
	const struct exchange *e = &c->call.exchange;

	log_line(LOG_INFO, "request", { "method", "gRPC", 0 }, { "path", c->path, 0 },
		 { "status", NULL, e->why.status ? e->why.status : 200 },
		 { "bytes_in", NULL, e->body_size }, { "bytes_out", NULL, e->answer.size },
		 { "us", NULL, (u64)(clock_now() - c->start_ns) / 1000 },
		 { "device_cycles", NULL, e->job.cost.device_cycles },
		 { "error", e->why.status ? e->why.text : "", 0 });
}

static void free_call(struct call *c)
{
	struct grpc *g = c->grpc;

	if (c->peer) {
		c->prev->next = c->next;
		c->next->prev = c->prev;
		c->peer->count--;
		c->peer->turn_ns = turn(g);
	}
	if (g->options.log_requests)
		log_call(c);
	grpc_call_fini(&c->call);
	free(c);
	pthread_mutex_lock(&g->lock);
	g->active--;
	pthread_cond_broadcast(&g->ended);
	pthread_mutex_unlock(&g->lock);
}

/* The client is no longer there for @c. Whoever has it is told when he asks. */
static void leave_call(struct call *c)
{
	atomic_store(&c->gone, true);
	if (!c->running)
		free_call(c);
}

/* ---- Answers ------------------------------------------------------------------------------- */

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (u8 *)name, (u8 *)value, strlen(name), strlen(value), 0 };
}

/* Text as the trailer grpc-message has it. */
static void escape(const char *text, char *escaped, size_t size)
{
	size_t at = 0;

	for (; *text && at + 4 < size; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte < 0x7f && byte != '%')
			escaped[at++] = *text;
		else
			at += (size_t)sprintf(escaped + at, "%%%02X", byte);
	}
	escaped[at] = 0;
}

static int submit_refusal(struct call *c)
{
	const struct refusal *why = &c->call.exchange.why;
	u32 code = c->deadline_ns <= clock_now() ? GRPC_DEADLINE_EXCEEDED : grpc_status(why);
	char status[12], text[3 * sizeof(why->text) + 1], earliest[24];

	snprintf(status, sizeof(status), "%u", code);
	escape(why->text, text, sizeof(text));
	snprintf(earliest, sizeof(earliest), "%" PRIu64, why->earliest_us);
	const nghttp2_nv fields[] = { field(":status", "200"),
				      field("content-type", "application/grpc"),
				      field("grpc-status", status), field("grpc-message", text),
				      field("earliest-us", earliest) };
	return nghttp2_submit_response(c->peer->session, c->stream, fields,
				       why->earliest_us ? 5 : 4, NULL);
}

static ssize_t read_answer(nghttp2_session *session, s32 stream, u8 *to, size_t room, u32 *flags,
			   nghttp2_data_source *source, void *peer)
{
	struct call *c = source->ptr;
	const struct answer *a = &c->call.exchange.answer;
	size_t left = a->size - c->sent, size = left < room ? left : room;
	nghttp2_nv status = field("grpc-status", "0");

	(void)peer;
	memcpy(to, (const char *)a->bytes + c->sent, size);
	c->sent += size;
	if (c->sent == a->size) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		if (nghttp2_submit_trailer(session, stream, &status, 1))
			return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	return (ssize_t)size;
}

static int submit_answer(struct call *c)
{
	const nghttp2_nv fields[] = { field(":status", "200"),
				      field("content-type", "application/grpc") };
	const nghttp2_data_provider data = { .source.ptr = c, .read_callback = read_answer };

	return nghttp2_submit_response(c->peer->session, c->stream, fields, 2, &data);
}

/* Answers a call that has ended. */
static int answer(struct call *c)
{
	c->answered = true;
	c->turn_ns = turn(c->grpc);
	return grpc_call_finish(&c->call) ? submit_refusal(c) : submit_answer(c);
}

/* Refuses a call with what its exchange says, whatever else the client sends of it. */
static int refuse_call(struct call *c)
{
	c->answered = true;
	return submit_refusal(c);
}

/* ---- Requests ------------------------------------------------------------------------------ */

static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
	struct peer *p = context;
	struct call *c;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	c = p->count < CALLS_MAX ? make_call(p, frame->hd.stream_id) : NULL;
	if (!c)
		return nghttp2_submit_rst_stream(session, 0, frame->hd.stream_id,
						 NGHTTP2_REFUSED_STREAM);
	return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, c);
}

static bool is_called(const u8 *name, size_t size, const char *wanted)
{
	return size == strlen(wanted) && !memcmp(name, wanted, size);
}

static int take_header(nghttp2_session *session, const nghttp2_frame *frame, const u8 *name,
		       size_t name_size, const u8 *value, size_t value_size, u8 flags,
		       void *context)
{
	struct call *c = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct exchange *e = c ? &c->call.exchange : NULL;
	const char *text = (const char *)value; /* a zero follows */
	u64 us;

	(void)flags;
	(void)context;
	if (!c)
		return 0;
	c->headers += (u32)(name_size + value_size) + 32;
	if (c->headers > HEADERS_MAX)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (is_called(name, name_size, ":path")) {
		c->call.method = grpc_method_find(text);
		snprintf(c->path, sizeof(c->path), "%s", text);
		if (!c->call.method)
			refuse(&e->why, 405, "%.128s: there is no such method", text);
	} else if (is_called(name, name_size, "content-type")) {
		c->typed = !strncmp(text, "application/grpc", 16) &&
			   (!text[16] || text[16] == '+' || text[16] == ';');
	} else if (is_called(name, name_size, "grpc-encoding") && strcmp(text, "identity") != 0) {
		refuse(&e->why, 415, "grpc-encoding %.40s is not read", text);
	} else if (is_called(name, name_size, "grpc-timeout")) {
		if (grpc_parse_timeout(text, &us))
			c->deadline_ns = us < INT64_MAX / 4000 ? clock_now() + (s64)us * 1000 :
								 INT64_MAX;
		else
			refuse(&e->why, 400, "grpc-timeout %.40s is none", text);
	}
	return 0;
}

/* Room for @size bytes. */
static int make_room(struct call *c, u64 size)
{
	struct exchange *e = &c->call.exchange;
	u64 room = c->room ? c->room : BODY_START;
	char *grown;

	if (size > c->grpc->options.body_max + GRPC_PREFIX)
		return refuse(&e->why, 413, "the message is larger than %" PRIu64 " bytes",
			      c->grpc->options.body_max);
	while (room < size)
		room *= 2;
	if (room == c->room)
		return 0;
	if (exchange_hold(e, room - c->room))
		return -1;
	grown = realloc(e->body, room);
	if (!grown)
		return refuse(&e->why, 503, "there is no memory for the request");
	e->body = grown;
	c->room = room;
	return 0;
}

static int take_data(nghttp2_session *session, u8 flags, s32 stream, const u8 *bytes, size_t size,
		     void *context)
{
	struct call *c = nghttp2_session_get_stream_user_data(session, stream);
	struct exchange *e = c ? &c->call.exchange : NULL;

	(void)flags;
	(void)context;
	if (!c || c->answered || e->why.status)
		return 0; /* it is refused, at the latest at its end */
	if (make_room(c, e->body_size + size)) {
		free(e->body);
		e->body = NULL;
		exchange_release(e, 0);
		return refuse_call(c) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
	}
	memcpy(e->body + e->body_size, bytes, size);
	e->body_size += size;
	return 0;
}

/* All of a call is there. */
static int begin(struct call *c)
{
	struct exchange *e = &c->call.exchange;

	if (!c->call.method && !e->why.status)
		refuse(&e->why, 405, "there is no path");
	if (!c->typed && !e->why.status)
		refuse(&e->why, 415, "the content is not application/grpc");
	if (clock_now() >= c->deadline_ns && !e->why.status)
		refuse(&e->why, 503, "its time is over");
	if (e->why.status)
		return refuse_call(c);
	c->running = true;
	if (grpc_call_begin(&c->call))
		return 0;
	c->running = false;
	return answer(c);
}

static int take_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
	struct call *c;

	(void)context;
	if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	c = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (!c || c->answered || c->running)
		return 0;
	return begin(c) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int close_stream(nghttp2_session *session, s32 stream, u32 code, void *context)
{
	struct call *c = nghttp2_session_get_stream_user_data(session, stream);

	(void)code;
	(void)context;
	if (c)
		leave_call(c);
	return 0;
}

/* ---- Connections --------------------------------------------------------------------------- */

static int new_session(struct peer *p)
{
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, CALLS_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADERS_MAX },
	};

	if (nghttp2_session_server_new2(&p->session, p->grpc->callbacks, p, p->grpc->option))
		return -1;
	return nghttp2_submit_settings(p->session, 0, settings, 3) ||
	       nghttp2_session_set_local_window_size(p->session, 0, 0, 4 * WINDOW);
}

static void free_peer(struct peer *p)
{
	struct grpc *g = p->grpc;

	for (struct call *c = p->calls.next, *next; c != &p->calls; c = next) {
		next = c->next;
		c->peer = NULL;
		leave_call(c);
	}
	nghttp2_session_del(p->session);
	close(p->fd);
	p->prev->next = p->next;
	p->next->prev = p->prev;
	free(p);
	g->count--;
	atomic_fetch_sub(&g->server->connections, 1);
}

/*
 * All is said, and the client has been told so: it closes its side, and what it sends until then is
 * not read. If this side closed the connection, the client might never read what it was told.
 */
static bool hang_up(struct peer *p)
{
	if (p->closing)
		return true;
	p->closing = true;
	p->turn_ns = clock_now() + CLOCK_SECOND;
	return !shutdown(p->fd, SHUT_WR);
}

/* Sends what there is, as far as the client takes it. False: the connection has ended. */
static bool send_all(struct peer *p)
{
	while (!p->closing) {
		ssize_t n = 0;

		if (!p->out_size) {
			n = nghttp2_session_mem_send(p->session, &p->out);
			p->out_size = n > 0 ? (size_t)n : 0;
		}
		if (n < 0)
			return false;
		if (!p->out_size)
			return nghttp2_session_want_read(p->session) ||
			       nghttp2_session_want_write(p->session) || hang_up(p);
		n = send(p->fd, p->out, p->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		p->out += n;
		p->out_size -= (size_t)n;
	}
	return true;
}

static bool receive_all(struct peer *p)
{
	u8 bytes[16 << 10];
	ssize_t n = recv(p->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n && (p->closing || nghttp2_session_mem_recv(p->session, bytes, (size_t)n) == n);
}

/* Sends; asks to be told when more can be sent, if there is more. */
static void serve_peer(struct peer *p, bool alive)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };

	if (!alive || !send_all(p)) {
		free_peer(p);
		return;
	}
	if ((p->out_size > 0) == p->writes)
		return;
	p->writes = p->out_size > 0;
	event.events |= p->writes ? EPOLLOUT : 0;
	epoll_ctl(p->grpc->epoll, EPOLL_CTL_MOD, p->fd, &event);
}

static void add_peer(struct grpc *g, int fd)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };
	int one = 1;

	if (!p) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	p->grpc = g;
	p->fd = fd;
	p->calls.next = p->calls.prev = &p->calls;
	p->turn_ns = turn(g);
	p->next = &g->peers;
	p->prev = g->peers.prev;
	p->prev->next = p;
	g->peers.prev = p;
	g->count++;
	atomic_fetch_add(&g->server->connections, 1);
	serve_peer(p, !new_session(p) && !epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &event));
}

/* It listens while there is room. */
static void set_listening(struct grpc *g, bool listens)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &g->listen };

	if (listens == g->listens)
		return;
	g->listens = listens;
	epoll_ctl(g->epoll, listens ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, g->listen, &event);
}

static void accept_peer(struct grpc *g)
{
	int fd = accept4(g->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		add_peer(g, fd);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		set_listening(g, false); /* until the next sweep */
}

/* ---- What else happens --------------------------------------------------------------------- */

static struct call *take_done(struct grpc *g)
{
	struct call *list;
	eventfd_t count;

	pthread_mutex_lock(&g->lock);
	list = g->done;
	g->done = NULL;
	eventfd_read(g->wake, &count);
	pthread_mutex_unlock(&g->lock);
	return list;
}

/* Its peer is there, unless it is given up. */
static void end_call(struct call *c)
{
	struct peer *p = c->peer;

	c->running = false;
	if (atomic_load(&c->gone))
		free_call(c);
	else
		serve_peer(p, !answer(c));
}

static void end_calls(struct grpc *g)
{
	struct call *next;

	for (struct call *c = take_done(g); c; c = next) {
		next = c->next_done;
		end_call(c);
	}
}

/* Whether @p has let its time pass: with a call, or without any. */
static bool is_late(const struct peer *p, s64 now)
{
	bool idle = true;

	for (const struct call *c = p->calls.next; c != &p->calls; c = c->next) {
		if (!c->running && c->turn_ns < now)
			return true;
		idle = false;
	}
	return idle && p->turn_ns < now;
}

static void each_peer(struct grpc *g, void (*each)(struct peer *p, s64 now), s64 now)
{
	struct peer *next;

	for (struct peer *p = g->peers.next; p != &g->peers; p = next) {
		next = p->next;
		each(p, now);
	}
}

static void send_away(struct peer *p, s64 now)
{
	(void)now;
	p->turn_ns = turn(p->grpc);
	nghttp2_submit_goaway(p->session, 0, nghttp2_session_get_last_proc_stream_id(p->session),
			      NGHTTP2_NO_ERROR, NULL, 0);
	serve_peer(p, true);
}

/* Who has nothing to say is told to go, and who does not do what he has begun is cut off. */
static void end_late(struct peer *p, s64 now)
{
	if (!is_late(p, now))
		return;
	if (p->count || p->closing || p->out_size)
		free_peer(p);
	else
		send_away(p, now);
}

/* Where three quarters of all connections are taken, a second is enough for who does nothing. */
static void sweep(struct grpc *g)
{
	s64 hurry = g->count < g->options.connections * UINT64_C(3) / 4 ?
			    0 :
			    (g->options.request_seconds - 1) * CLOCK_SECOND;

	each_peer(g, end_late, clock_now() + hurry);
	set_listening(g, !g->goes_away && g->count < g->options.connections);
}

/* What other threads have asked for. False: it is to end. */
static bool obey(struct grpc *g)
{
	bool quiesce, stop;

	pthread_mutex_lock(&g->lock);
	quiesce = g->quiesce;
	stop = g->stop;
	pthread_mutex_unlock(&g->lock);
	if (quiesce && !g->goes_away) {
		g->goes_away = true;
		set_listening(g, false);
		close(g->listen);
		each_peer(g, send_away, 0);
	}
	return !stop;
}

static void *serve(void *context)
{
	struct grpc *g = context;
	struct epoll_event events[EVENTS];
	s64 swept = 0;

	while (obey(g)) {
		int count = epoll_wait(g->epoll, events, EVENTS, SWEEP_MS);

		/* Connections first: what else happens may end them. */
		for (int i = 0; i < count; i++) {
			struct peer *p = events[i].data.ptr;

			if (events[i].data.ptr == &g->listen)
				accept_peer(g);
			else if (events[i].data.ptr != &g->wake)
				serve_peer(p,
					   !(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) ||
						   receive_all(p));
		}
		end_calls(g);
		if (clock_now() - swept > SWEEP_MS * CLOCK_SECOND / 1000 ||
		    g->count >= g->options.connections) {
			swept = clock_now();
			sweep(g);
		}
	}
	while (g->peers.next != &g->peers)
		free_peer(g->peers.next);
	end_calls(g);
	return NULL;
}

/* ---- Starting and stopping ----------------------------------------------------------------- */

static int make_callbacks(struct grpc *g)
{
	if (nghttp2_session_callbacks_new(&g->callbacks) || nghttp2_option_new(&g->option))
		return -1;
	nghttp2_session_callbacks_set_on_begin_headers_callback(g->callbacks, begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(g->callbacks, take_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(g->callbacks, take_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(g->callbacks, take_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(g->callbacks, close_stream);
	return 0;
}

static int make_descriptors(struct grpc *g)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &g->wake };

	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->epoll < 0 || g->wake < 0 || epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->wake, &event))
		return -1;
	set_listening(g, true);
	return 0;
}

static void free_grpc(struct grpc *g)
{
	nghttp2_session_callbacks_del(g->callbacks);
	nghttp2_option_del(g->option);
	if (!g->goes_away)
		close(g->listen);
	if (g->epoll >= 0)
		close(g->epoll);
	if (g->wake >= 0)
		close(g->wake);
	free(g);
}

int grpc_start(const struct grpc_options *options, struct server *server, struct grpc **grpc,
	       struct refusal *why)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
	struct grpc *g;
	int fd = listen_tcp(options->address, options->port, why);

	if (fd < 0)
		return -1;
	g = calloc(1, sizeof(*g));
	if (!g) {
		close(fd);
		return refuse(why, 503, "no memory");
	}
	*g = (struct grpc){ .options = *options,
			    .server = server,
			    .listen = fd,
			    .epoll = -1,
			    .wake = -1,
			    .port = listen_port(fd),
			    .lock = lock,
			    .ended = ended };
	g->peers.next = g->peers.prev = &g->peers;
	if (make_callbacks(g) || make_descriptors(g) ||
	    pthread_create(&g->thread, NULL, serve, g)) {
		free_grpc(g);
		return refuse(why, 503, "there is no memory for gRPC, or no thread");
	}
	*grpc = g;
	return 0;
}

u32 grpc_port(const struct grpc *grpc)
{
	return grpc->port;
}

static void tell(struct grpc *g, bool *what)
{
	pthread_mutex_lock(&g->lock);
	*what = true;
	eventfd_write(g->wake, 1);
	pthread_mutex_unlock(&g->lock);
}

void grpc_quiesce(struct grpc *grpc)
{
	tell(grpc, &grpc->quiesce);
}

u64 grpc_drain(struct grpc *grpc, s64 until)
{
	u64 active;

	pthread_mutex_lock(&grpc->lock);
	while (grpc->active && clock_wait(&grpc->ended, &grpc->lock, until))
		;
	active = grpc->active;
	pthread_mutex_unlock(&grpc->lock);
	return active;
}

void grpc_stop(struct grpc *grpc)
{
	tell(grpc, &grpc->stop);
	pthread_join(grpc->thread, NULL);
	free_grpc(grpc);
}
