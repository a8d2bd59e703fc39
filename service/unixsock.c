// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "service/log.h"
#include "service/wire.h"

enum { MODELS_MAX = 16, BINDINGS_MAX = 64 };

/* A model on memory of a client's. */
struct binding {
	struct job job; /* first */
	struct client *client;
	u32 model; /* its place */
	u32 number, tag; /* of the answer */
	atomic_bool runs;
};

struct client {
	struct client *next;
	struct unixsock *unixsock;
	int fd;
	struct {
		struct model *model; /* NULL: free */
		u32 bindings;
	} model[MODELS_MAX];
	struct binding *binding[BINDINGS_MAX];
	atomic_bool gone;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	u32 running; /* jobs */
};

struct unixsock {
	struct server *server;
	char *path; /* to remove; or NULL */
	int fd, wake; /* an eventfd, which ends the thread */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t left; /* a client has */
	struct client *clients;
	u32 count, next_lane;
	bool stop;
};

/* ---- Answers ------------------------------------------------------------------------------- */

/* A client that does not read its answers is none. */
static void send_answer(struct client *c, const void *answer, size_t size)
{
	if (send(c->fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		shutdown(c->fd, SHUT_RDWR);
}

static void answer_refusal_to(struct client *c, u32 type, u32 tag, const struct refusal *why)
{
	struct {
		struct wire_answer head;
		char text[sizeof(why->text)];
	} m = { .head = { type, tag, why->status, 0, { why->earliest_us } } };
	size_t length = strlen(why->text);

	memcpy(m.text, why->text, length);
	send_answer(c, &m, sizeof(m.head) + length);
}

static void answer_number(struct client *c, const union wire_message *m, u32 number)
{
	const struct wire_answer a = { m->head.type, m->head.tag, 0, number, { 0 } };

	send_answer(c, &a, sizeof(a));
}

/* ---- Open ---------------------------------------------------------------------------------- */

/* What is written to a message, as far as it fits. */
struct writer {
	char *at;
	size_t left;
	bool full;
};

static void write_bytes(struct writer *w, const void *bytes, size_t size)
{
	if (size > w->left) {
		w->full = true;
		return;
	}
	memcpy(w->at, bytes, size);
	w->at += size;
	w->left -= size;
}

static bool has_tensor(const struct signature *s, u32 slot)
{
	for (int kind = ACCEL_INPUT; kind <= ACCEL_OUTPUT; kind++)
		for (u32 i = 0; i < s->count[kind]; i++)
			if (s->tensor[kind][i].slot == slot)
				return true;
	return false;
}

static u64 write_slots(struct writer *w, const struct model *model)
{
	struct accel_slot_info info;
	u64 count = 0;

	for (u32 i = 0; !accel_model_slot(model->file, i, &info); i++) {
		const struct wire_slot slot = { i, 0, info.size };

		if (!has_tensor(&model->signature, i))
			continue;
		write_bytes(w, &slot, sizeof(slot));
		count++;
	}
	return count;
}

static u64 write_tensors(struct writer *w, const struct signature *s)
{
	for (u32 kind = 0; kind < 2; kind++)
		for (u32 i = 0; i < s->count[kind]; i++) {
			const struct accel_tensor *t = &s->tensor[kind][i];
			struct wire_tensor tensor = { kind,  t->dtype,	t->slot, t->rank,
						      { 0 }, t->offset, t->bytes };

			memcpy(tensor.dim, t->dim, t->rank * sizeof(*t->dim));
			write_bytes(w, &tensor, sizeof(tensor));
		}
	for (u32 kind = 0; kind < 2; kind++)
		for (u32 i = 0; i < s->count[kind]; i++)
			write_bytes(w, s->tensor[kind][i].name,
				    strlen(s->tensor[kind][i].name) + 1);
	return s->count[0] + s->count[1];
}

static int answer_model(struct client *c, const union wire_message *m, u32 place,
			struct refusal *why)
{
	const struct model *model = c->model[place].model;
	struct wire_answer head = { m->head.type, m->head.tag, 0, place + 1, { model->cycles } };
	char *message = malloc(WIRE_MESSAGE_MAX);
	struct writer w = { message, WIRE_MESSAGE_MAX, false };
	int rc = message ? 0 : refuse(why, 503, "open: no memory");

	if (message) {
		write_bytes(&w, &head, sizeof(head));
		head.value[1] = write_slots(&w, model);
		head.value[2] = write_tensors(&w, &model->signature);
		memcpy(message, &head, sizeof(head));
		if (w.full)
			rc = refuse(why, 400, "open: model \"%s\" has too many tensors",
				    model->name);
		else
			send_answer(c, message, (size_t)(w.at - message));
	}
	free(message);
	return rc;
}

static int open_model(struct client *c, const union wire_message *m, struct refusal *why)
{
	u32 place = 0;
	int rc;

	while (place < MODELS_MAX && c->model[place].model)
		place++;
	if (place == MODELS_MAX)
		return refuse(why, 400, "open: a client has at most %d models", MODELS_MAX);
	c->model[place].model =
		registry_find(c->unixsock->server->registry, m->open.name, m->open.version, why);
	if (!c->model[place].model)
		return -1;
	rc = answer_model(c, m, place, why);
	if (rc) {
		model_release(c->model[place].model);
		c->model[place].model = NULL;
	}
	return rc;
}

/* ---- Bind ---------------------------------------------------------------------------------- */

static void run_done(struct job *job)
{
	struct binding *b = (struct binding *)job;
	struct client *c = b->client;
	const struct run_cost cost = job->cost;
	const struct wire_answer a = { WIRE_RUN,
				       b->tag,
				       0,
				       b->number,
				       { cost.device_cycles, cost.energy_nj, cost.queue_us,
					 cost.device_us } };
	const u32 tag = b->tag;
	struct refusal why;
	int status = job->status;

	server_count(job);
	if (status)
		refuse(&why,
		       status == -ENODEV || status == -ENOMEM || status == -ECANCELED ? 503 : 500,
		       "run: %.244s", job->error.text);
	atomic_store(&b->runs, false); /* who has the answer may run it again */
	if (status)
		answer_refusal_to(c, WIRE_RUN, tag, &why);
	else
		send_answer(c, &a, sizeof(a));
	pthread_mutex_lock(&c->lock);
	c->running--;
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->lock);
}

static bool run_abandoned(struct job *job)
{
	return atomic_load(&((struct binding *)job)->client->gone);
}

/* An instance on the memory behind @fds. */
static int make_instance(struct binding *b, const struct wire_bind *m, const int *fds,
			 struct refusal *why)
{
	struct accel_slot_buffer at[WIRE_SLOTS_MAX] = { 0 };
	struct lanes *lanes = b->client->unixsock->server->lanes;
	struct accel_error error = { 0 };
	int rc = 0;

	for (u32 i = 0; i < m->count && !rc; i++) {
		at[i].slot = m->place[i].slot;
		at[i].offset = m->place[i].offset;
		rc = accel_buffer_import(lanes_device(lanes, b->job.lane), fds[i], &at[i].buffer);
		if (rc)
			refuse(why, 400, "bind: the descriptor for slot %u: %s%s", at[i].slot,
			       strerror(-rc),
			       rc == -EINVAL ? ": a memfd in whole pages, sealed against "
					       "shrinking, or a dma-buf is wanted" :
					       "");
	}
	if (!rc) {
		rc = accel_instance_create(b->job.model->pool[b->job.lane], at, m->count,
					   &b->job.own, &error);
		if (rc)
			refuse(why, rc == -ENOSPC || rc == -ENOMEM ? 503 : 400, "bind: %s",
			       error.text[0] ? error.text : strerror(-rc));
	}
	for (u32 i = 0; i < m->count; i++)
		accel_buffer_destroy(at[i].buffer); /* which the instance has */
	return rc ? -1 : 0;
}

static int bind_memory(struct client *c, const union wire_message *m, const int *fds,
		       struct refusal *why)
{
	u32 model = m->bind.model - 1, place = 0;
	struct binding *b;

	if (model >= MODELS_MAX || !c->model[model].model)
		return refuse(why, 400, "bind: there is no model %u", m->bind.model);
	while (place < BINDINGS_MAX && c->binding[place])
		place++;
	if (place == BINDINGS_MAX)
		return refuse(why, 400, "bind: a client has at most %d bindings", BINDINGS_MAX);
	b = calloc(1, sizeof(*b));
	if (!b)
		return refuse(why, 503, "bind: no memory");
	b->client = c;
	b->model = model;
	b->number = place + 1;
	b->job.model = c->model[model].model;
	b->job.lane = c->unixsock->next_lane++ % lanes_count(c->unixsock->server->lanes);
	if (make_instance(b, &m->bind, fds, why)) {
		free(b);
		return -1;
	}
	c->binding[place] = b;
	c->model[model].bindings++;
	answer_number(c, m, place + 1);
	return 0;
}

/* ---- Run and close ------------------------------------------------------------------------- */

static struct binding *find_binding(struct client *c, u32 number)
{
	return number - 1 < BINDINGS_MAX ? c->binding[number - 1] : NULL;
}

static int run(struct client *c, const union wire_message *m, struct refusal *why)
{
	struct binding *b = find_binding(c, m->run.binding);
	struct accel_instance *own = b ? b->job.own : NULL;
	int rc;

	if (!b)
		return refuse(why, 400, "run: there is no binding %u", m->run.binding);
	if (atomic_exchange(&b->runs, true))
		return refuse(why, 400, "run: binding %u runs already", m->run.binding);
	b->tag = m->run.tag;
	b->job = (struct job){
		.waiting.priority = m->run.priority ? m->run.priority : REQUEST_PRIORITY_DEFAULT,
		.model = c->model[b->model].model,
		.own = own,
		.lane = b->job.lane,
		.timeout_us = m->run.timeout_us > REQUEST_TIMEOUT_MAX_US ? 0 : m->run.timeout_us,
		.abandoned = run_abandoned,
		.done = run_done,
	};
	pthread_mutex_lock(&c->lock);
	c->running++;
	pthread_mutex_unlock(&c->lock);
	rc = lanes_submit(c->unixsock->server->lanes, &b->job, why);
	if (!rc)
		return 0;
	if (why->earliest_us)
		atomic_fetch_add(&b->job.model->statistics->refused, 1);
	atomic_store(&b->runs, false);
	pthread_mutex_lock(&c->lock);
	c->running--;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static void free_binding(struct client *c, u32 place)
{
	struct binding *b = c->binding[place];

	c->binding[place] = NULL;
	c->model[b->model].bindings--;
	accel_instance_release(b->job.own);
	free(b);
}

static int close_one(struct client *c, const union wire_message *m, struct refusal *why)
{
	u32 model = m->close.model - 1;
	struct binding *b = find_binding(c, m->close.binding);

	if (m->close.binding && !b)
		return refuse(why, 400, "close: there is no binding %u", m->close.binding);
	if (b && atomic_load(&b->runs))
		return refuse(why, 400, "close: binding %u runs", m->close.binding);
	if (!b && (model >= MODELS_MAX || !c->model[model].model))
		return refuse(why, 400, "close: there is no model %u", m->close.model);
	if (!b && c->model[model].bindings)
		return refuse(why, 400, "close: model %u has bindings", m->close.model);
	if (b) {
		free_binding(c, m->close.binding - 1);
	} else {
		model_release(c->model[model].model);
		c->model[model].model = NULL;
	}
	answer_number(c, m, m->close.binding ? m->close.binding : m->close.model);
	return 0;
}

/* ---- Messages ------------------------------------------------------------------------------ */

static int obey(struct client *c, const union wire_message *m, const int *fds, struct refusal *why)
{
	switch (m->head.type) {
	case WIRE_OPEN:
		return open_model(c, m, why);
	case WIRE_BIND:
		return bind_memory(c, m, fds, why);
	case WIRE_RUN:
		return run(c, m, why);
	default:
		return close_one(c, m, why);
	}
}

/* The next message, and its descriptors. Its size; 0 or less: there is none any more. */
static ssize_t receive(struct client *c, union wire_message *m, int fds[WIRE_SLOTS_MAX], u32 *count,
		       bool *cut)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(WIRE_SLOTS_MAX * sizeof(int))];
	} control;
	struct iovec bytes = { m, sizeof(*m) };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t size;

	*count = 0;
	do
		size = recvmsg(c->fd, &message, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size <= 0)
		return size;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		*count = (u32)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(h), *count * sizeof(int));
	}
	*cut = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
	return size;
}

static void serve_messages(struct client *c)
{
	int fds[WIRE_SLOTS_MAX];
	union wire_message m;
	struct refusal why;
	ssize_t size;
	u32 count;
	bool cut;

	for (;;) {
		int rc;

		memset(&m, 0, sizeof(m));
		size = receive(c, &m, fds, &count, &cut);
		if (size <= 0)
			return;
		rc = cut ? refuse(&why, 400, "the message is too long, or a descriptor was lost") :
			   wire_check(&m, (size_t)size, count, &why);
		if (!rc)
			rc = obey(c, &m, fds, &why);
		while (count)
			close(fds[--count]);
		if (rc)
			answer_refusal_to(c, m.head.type, m.head.tag, &why);
	}
}

/* ---- Clients ------------------------------------------------------------------------------- */

static void free_client(struct client *c)
{
	for (u32 i = 0; i < BINDINGS_MAX; i++)
		if (c->binding[i])
			free_binding(c, i);
	for (u32 i = 0; i < MODELS_MAX; i++)
		model_release(c->model[i].model);
	close(c->fd);
	free(c);
}

/* Takes @c from the list, whose lock is held. */
static void unlink_client(struct unixsock *u, struct client *c)
{
	struct client **at = &u->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

static void *run_client(void *argument)
{
	struct client *c = argument;
	struct unixsock *u = c->unixsock;

	serve_messages(c);
	pthread_mutex_lock(&c->lock);
	/* What waits is given up, unless it is the server that ends: then all is answered. */
	atomic_store(&c->gone, !atomic_load(&u->server->draining));
	while (c->running)
		pthread_cond_wait(&c->ended, &c->lock);
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_lock(&u->lock);
	unlink_client(u, c);
	pthread_mutex_unlock(&u->lock);
	free_client(c);
	pthread_mutex_lock(&u->lock);
	u->count--;
	pthread_cond_signal(&u->left);
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

/* Takes the client behind @fd; or closes it. */
static void take_client(struct unixsock *u, int fd)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
	struct client *c = calloc(1, sizeof(*c));
	pthread_t thread;

	pthread_mutex_lock(&u->lock);
	if (c && !u->stop && u->count < UNIXSOCK_CLIENTS_MAX) {
		c->fd = fd;
		c->unixsock = u;
		c->lock = lock;
		c->ended = ended;
		if (!pthread_create(&thread, NULL, run_client, c)) {
			pthread_detach(thread);
			c->next = u->clients;
			u->clients = c;
			u->count++;
			c = NULL;
			fd = -1;
		}
	}
	pthread_mutex_unlock(&u->lock);
	free(c);
	if (fd >= 0)
		close(fd);
}

/* The socket may be the service manager's, too: it stays open, and is not shut down. */
static void *accept_clients(void *argument)
{
	struct unixsock *u = argument;
	struct pollfd fds[] = { { u->fd, POLLIN, 0 }, { u->wake, POLLIN, 0 } };

	for (;;) {
		int fd;

		if (poll(fds, 2, -1) < 0 || fds[1].revents)
			return NULL;
		fd = accept4(u->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			take_client(u, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			poll(&fds[1], 1, 10); /* until somebody has left */
	}
}

/* ---- Starting and stopping ----------------------------------------------------------------- */

/*
 * Between seeing that nobody listens and listening, no other daemon may do the same: the directory
 * of @path is locked. -1: it cannot be, and there is none.
 */
static int lock_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		flock(fd, LOCK_EX);
	free(directory);
	return fd;
}

/* Removes the socket at @at if nobody listens. */
static void remove_deserted(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) && errno == ECONNREFUSED &&
	    !lstat(at->sun_path, &st) && S_ISSOCK(st.st_mode))
		unlink(at->sun_path);
	close(fd);
}

/* A socket that listens at @path, from where one is removed at which nobody listens. */
static int open_socket(const char *path, struct refusal *why)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, lock, rc;

	if (strlen(path) >= sizeof(at.sun_path))
		return refuse(why, 503, "%.200s: the path is too long", path);
	strcpy(at.sun_path, path);
	lock = lock_directory(path);
	remove_deserted(&at);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	rc = fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, SOMAXCONN);
	if (rc)
		refuse(why, 503, "%.200s: %s", path, strerror(errno));
	if (lock >= 0)
		close(lock);
	if (!rc)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int unixsock_start(const char *path, int fd, struct server *server, struct unixsock **unixsock,
		   struct refusal *why)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t left = PTHREAD_COND_INITIALIZER;
	struct unixsock *u = calloc(1, sizeof(*u));

	if (path)
		fd = open_socket(path, why);
	if (fd < 0 || !u) {
		free(u);
		return fd < 0 ? -1 : refuse(why, 503, "no memory");
	}
	*u = (struct unixsock){ .server = server, .fd = fd, .lock = lock, .left = left };
	u->path = path ? strdup(path) : NULL;
	u->wake = eventfd(0, EFD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (u->wake >= 0 && !pthread_create(&u->thread, NULL, accept_clients, u)) {
		*unixsock = u;
		return 0;
	}
	close(fd);
	if (u->wake >= 0)
		close(u->wake);
	free(u->path);
	free(u);
	return refuse(why, 503, "the process may have no more threads or descriptors");
}

void unixsock_stop(struct unixsock *u)
{
	if (u->path)
		unlink(u->path);
	eventfd_write(u->wake, 1);
	pthread_join(u->thread, NULL);
	close(u->fd);
	close(u->wake);
	pthread_mutex_lock(&u->lock);
	u->stop = true;
	for (struct client *c = u->clients; c; c = c->next)
		shutdown(c->fd, SHUT_RD);
	while (u->count)
		pthread_cond_wait(&u->left, &u->lock);
	pthread_mutex_unlock(&u->lock);
	free(u->path);
	free(u);
}
