// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondod: from the command line to the last answer. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "service/clock.h"
#include "service/grpc.h"
#include "service/http.h"
#include "service/log.h"
#include "service/notify.h"
#include "service/settings.h"
#include "service/unixsock.h"

enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

enum {
	DEVICES_MAX = 64,
	FIRST_SOCKET = 3,
	/* Descriptors for all but connections: devices, memory of clients while it is bound, files.
	 */
	DESCRIPTORS = 512,
};

/* Sockets that were given; -1: none was. */
struct given {
	int http, unix_;
};

struct daemon {
	struct settings settings;
	struct server server;
	struct http *http;
	struct unixsock *unixsock;
	struct grpc *grpc;
	char *cache;
	sigset_t signals; /* that the main thread waits for */
	atomic_uint reloads; /* that were ordered and are not done */
};

static int fail(const char *what, const char *why)
{
	log_line(LOG_ERROR, "failed", { "what", what, 0 }, { "error", why, 0 });
	return STATUS_FAILED;
}

/* ---- What the environment says ------------------------------------------------------------- */

/* The directory of the cache, for free(), in *@cache; NULL: there is to be none. */
static int choose_cache(const char *wanted, char **cache)
{
	const char *service = getenv("CACHE_DIRECTORY"), *user = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int rc = 0;

	*cache = NULL;
	if (wanted)
		rc = strcmp(wanted, "none") ? asprintf(cache, "%s", wanted) : 0;
	else if (service && *service)
		rc = asprintf(cache, "%.*s", (int)strcspn(service, ":"), service);
	else if (user && *user == '/')
		rc = asprintf(cache, "%s/rondo", user);
	else if (home && *home == '/')
		rc = asprintf(cache, "%s/.cache/rondo", home);
	if (rc < 0)
		*cache = NULL;
	return rc < 0 ? -ENOMEM : 0;
}

/* The first device of the kernel's driver that can be opened, else the emulator. */
static void choose_device(char name[64])
{
	struct accel_device_entry entries[DEVICES_MAX];
	u32 count = DEVICES_MAX;

	strcpy(name, "emu");
	if (accel_devices(entries, sizeof(entries[0]), &count))
		return;
	for (u32 i = 0; i < count && i < DEVICES_MAX; i++)
		if (strcmp(entries[i].backend, "emu") != 0 && !entries[i].error) {
			memcpy(name, entries[i].name, sizeof(entries[i].name));
			return;
		}
}

static void free_order(struct registry_order *order)
{
	free(order);
}

/* A device has gone, or is dead. */
static void lost(void *context, const char *name)
{
	struct registry_order *order = calloc(1, sizeof(*order));
	struct daemon *d = context;

	log_line(LOG_ERROR, "device_lost", { "device", name, 0 });
	if (!order)
		return;
	order->action = REGISTRY_REOPEN;
	order->done = free_order;
	registry_order(d->server.registry, order);
}

static int open_devices(struct daemon *d)
{
	const char *names[LANES_MAX + 1];
	char chosen[64], *rest = d->settings.device, *name;
	struct refusal why;
	u32 count = 0;

	if (!rest) {
		choose_device(chosen);
		rest = chosen;
	}
	while (count <= LANES_MAX && (name = strsep(&rest, ",")))
		names[count++] = name;
	if (lanes_open(names, count, lost, d, &d->server.lanes, &why))
		return fail("device", why.text);
	for (u32 i = 0; i < count; i++)
		log_line(LOG_INFO, "device", { "device", names[i], 0 },
			 { "machine", lanes_machine(d->server.lanes), 0 });
	return STATUS_OK;
}

/* ---- Starting ------------------------------------------------------------------------------ */

static void loaded(void *context)
{
	struct daemon *d = context;

	log_line(LOG_INFO, "ready", { "directory", d->settings.repository, 0 });
	notify_manager("READY=1");
}

static int start_registry(struct daemon *d)
{
	const struct registry_options options = {
		.directory = d->settings.repository,
		.loader = { .lanes = d->server.lanes,
			    .cache = d->cache,
			    .instances = d->settings.instances },
		.loaded = loaded,
		.context = d,
	};

	d->server.registry = registry_create(&options);
	return d->server.registry ? STATUS_OK : fail("models", "no memory or no threads");
}

/* Which of the sockets that were given is for what, by their kinds. */
static struct given take_sockets(void)
{
	struct given given = { -1, -1 };

	for (int fd = FIRST_SOCKET, end = fd + notify_sockets(); fd < end; fd++) {
		struct sockaddr at = { 0 };
		socklen_t size = sizeof(at);
		int *to = &given.http;

		if (!getsockname(fd, &at, &size) && at.sa_family == AF_UNIX)
			to = &given.unix_;
		if (*to >= 0)
			close(*to);
		*to = fd;
	}
	return given;
}

static int start_unixsock(struct daemon *d, int given)
{
	const char *path = given >= 0 ? NULL : d->settings.socket;
	struct refusal why;

	if (!path && given < 0)
		return STATUS_OK;
	if (unixsock_start(path, given, &d->server, &d->unixsock, &why))
		return fail("socket", why.text);
	log_line(LOG_INFO, "listening", { "path", path ? path : "a socket that was given", 0 });
	return STATUS_OK;
}

static int start_http(struct daemon *d, int given)
{
	const struct settings *s = &d->settings;
	const struct http_options options = {
		.address = given >= 0 ? NULL :
			   s->address ? s->address :
					"127.0.0.1",
		.port = s->port,
		.socket = given,
		.threads = s->threads < s->connections ? s->threads : s->connections,
		.connections = s->connections,
		.request_seconds = s->request_seconds,
		.body_max = (u64)s->body_mib << 20,
		.log_requests = s->log_requests,
	};
	struct refusal why;

	d->server.json_max = (u64)s->json_mib << 20;
	d->server.memory_max = (u64)s->memory_mib << 20;
	if (http_start(&options, &d->server, &d->http, &why))
		return fail("http", why.text);
	log_line(LOG_INFO, "listening",
		 { "address", given >= 0 ? "a socket that was given" : options.address, 0 },
		 { "port", NULL, http_port(d->http) });
	return STATUS_OK;
}

static int start_grpc(struct daemon *d)
{
	const struct settings *s = &d->settings;
	struct grpc_options options = {
		.address = s->address ? s->address : "127.0.0.1",
		.connections = s->connections,
		.request_seconds = s->request_seconds,
		.body_max = (u64)s->body_mib << 20,
		.log_requests = s->log_requests,
	};
	struct refusal why;
	char *end;

	if (!s->grpc_port)
		return STATUS_OK;
	options.port = (u32)strtoul(s->grpc_port, &end, 10);
	if (!*s->grpc_port || *end || strlen(s->grpc_port) > 5 || options.port > UINT16_MAX)
		return fail("grpc", "--grpc-port takes a number of 0 to 65535");
	if (grpc_start(&options, &d->server, &d->grpc, &why))
		return fail("grpc", why.text);
	log_line(LOG_INFO, "listening_grpc", { "address", options.address, 0 },
		 { "port", NULL, grpc_port(d->grpc) });
	return STATUS_OK;
}

/* ---- Running ------------------------------------------------------------------------------- */

struct reload {
	struct registry_order order; /* first */
	struct daemon *daemon;
};

static void reloaded(struct registry_order *order)
{
	struct reload *reload = (struct reload *)order;

	atomic_fetch_sub(&reload->daemon->reloads, 1);
	free(reload);
	log_line(LOG_INFO, "reloaded");
	notify_manager("READY=1");
}

static void reload(struct daemon *d)
{
	struct reload *reload;
	char state[64];

	/* One that has not begun will see what has changed since. */
	if (atomic_load(&d->reloads) > 1)
		return;
	reload = calloc(1, sizeof(*reload));
	if (!reload)
		return;
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_now() / 1000);
	notify_manager(state);
	atomic_fetch_add(&d->reloads, 1);
	reload->daemon = d;
	reload->order.action = REGISTRY_RELOAD;
	reload->order.done = reloaded;
	registry_order(d->server.registry, &reload->order);
}

/* Until a signal says to end. */
static void run(struct daemon *d)
{
	int number;

	while (!sigwait(&d->signals, &number)) {
		if (number != SIGHUP)
			break;
		reload(d);
	}
	log_line(LOG_INFO, "stopping", { "signal", NULL, (u64)number });
}

/* For @seconds, or until the next signal that says to end. */
static void pause_for(const struct daemon *d, u32 seconds)
{
	struct timespec time = { .tv_sec = seconds };
	sigset_t ends = d->signals;

	sigdelset(&ends, SIGHUP);
	if (seconds)
		sigtimedwait(&ends, NULL, &time);
}

static void stop_unixsock(struct daemon *d)
{
	if (d->unixsock)
		unixsock_stop(d->unixsock);
	d->unixsock = NULL;
}

/* Requests that are under way are answered, and those that come on open connections. */
static void drain(struct daemon *d)
{
	s64 until;
	u64 left;

	notify_manager("STOPPING=1");
	atomic_store(&d->server.draining, true);
	pause_for(d, d->settings.delay_seconds);
	http_quiesce(d->http);
	if (d->grpc)
		grpc_quiesce(d->grpc);
	stop_unixsock(d);
	until = clock_now() + d->settings.drain_seconds * CLOCK_SECOND;
	left = http_drain(d->http, until);
	if (d->grpc)
		left += grpc_drain(d->grpc, until);
	if (left)
		log_line(LOG_WARNING, "given_up", { "requests", NULL, left });
}

static void stop(struct daemon *d)
{
	stop_unixsock(d);
	if (d->server.registry)
		registry_stop(d->server.registry);
	if (d->server.lanes)
		lanes_stop(d->server.lanes);
	if (d->http)
		http_stop(d->http);
	if (d->grpc)
		grpc_stop(d->grpc);
	if (d->server.registry)
		registry_destroy(d->server.registry);
	if (d->server.lanes)
		lanes_close(d->server.lanes);
}

/* Connections must not take the descriptors that models and devices need. */
static void raise_limit(const struct daemon *d)
{
	const rlim_t wanted = d->settings.connections + DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < wanted)
		log_line(LOG_WARNING, "few_descriptors", { "wanted", NULL, wanted });
}

static int serve(struct daemon *d)
{
	const struct given given = take_sockets();
	int status;

	raise_limit(d);
	if (choose_cache(d->settings.cache, &d->cache))
		return fail("cache", "no memory");
	status = open_devices(d);
	if (!status)
		status = start_registry(d);
	if (!status)
		status = start_http(d, given.http);
	if (!status)
		status = start_unixsock(d, given.unix_);
	if (!status)
		status = start_grpc(d);
	if (!status) {
		run(d);
		drain(d);
	}
	stop(d);
	free(d->cache);
	if (!status)
		log_line(LOG_INFO, "stopped");
	return status;
}

/*
 * A standard stream that is closed is opened so that using it fails; else the next file that is
 * opened would become it.
 */
static void open_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(STATUS_FAILED);
}

/* Signals are waited for by the main thread, and reach no other. */
static void take_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&d->signals);
	sigaddset(&d->signals, SIGTERM);
	sigaddset(&d->signals, SIGINT);
	sigaddset(&d->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &d->signals, NULL);
}

int main(int argc, char **argv)
{
	char error[SETTINGS_ERROR_MAX];
	static struct daemon d;
	int status;

	open_standard_streams();
	take_signals(&d);
	settings_init(&d.settings);
	switch (settings_read(&d.settings, argc, argv, error)) {
	case SETTINGS_SERVE:
		status = serve(&d);
		break;
	case SETTINGS_HELP:
		settings_print_help(stdout);
		status = STATUS_OK;
		break;
	case SETTINGS_VERSION:
		puts("rondod " RONDO_VERSION);
		status = STATUS_OK;
		break;
	default:
		fprintf(stderr, "rondod: %s; see rondod --help\n", error);
		status = STATUS_USAGE;
	}
	settings_fini(&d.settings);
	return status;
}
