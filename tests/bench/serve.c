// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What rondod adds to a replay of the demo model, for one client: serve_http_added_us over HTTP
 * with binary data, serve_shm_added_us over the Unix socket with shared memory; each is the median
 * of a request less that of a bare replay in this process, and a fixed reply (/v2/health/live)
 * stands beside. All four take turns, so that a busy host is as slow to each. Run at the top of the
 * source tree; rondod stands in build/release.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel.h"
#include "service/wire.h"
#include "tests/bench/paired.h"
#include "tests/digits_run.h"

enum { ROUNDS = 4000, WARM = 200, INPUT_BYTES = 28 * 28 * 4 };

struct serve {
	struct digits_run run; /* the bare replay */
	pid_t pid;
	char directory[32], path[64];
	int http, shm;
	char infer[INPUT_BYTES + 1024];
	size_t infer_size;
};

static bool fail(const char *what)
{
	fprintf(stderr, "bench_serve: %s\n", what);
	return false;
}

/* ---- The server ---------------------------------------------------------------------------- */

static void run_rondod(const struct serve *s, int log)
{
	dup2(log, STDERR_FILENO);
	execl("build/release/service/rondod", "rondod", "--model-repository", "demo", "--device",
	      "emu", "--port", "0", "--cache", "none", "--socket", s->path, (char *)NULL);
	_exit(127);
}

/* The port that its log tells, when it is ready; 0: it does not start. */
static int start_rondod(struct serve *s)
{
	int log[2], port = 0;
	bool ready = false;
	char line[4096], *found;
	FILE *in;

	strcpy(s->directory, "/tmp/rondo-bench-XXXXXX");
	if (!mkdtemp(s->directory) || pipe(log))
		return 0;
	snprintf(s->path, sizeof(s->path), "%s/socket", s->directory);
	s->pid = fork();
	if (!s->pid)
		run_rondod(s, log[1]);
	close(log[1]);
	in = fdopen(log[0], "r");
	while (in && (!port || !ready) && fgets(line, sizeof(line), in)) {
		found = strstr(line, "\"port\":");
		port = found ? atoi(found + 7) : port;
		ready = ready || strstr(line, "\"event\":\"ready\"");
	}
	return ready ? port : 0; /* the pipe stays open: its log goes nowhere */
}

static void stop_rondod(struct serve *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	rmdir(s->directory);
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static bool connect_http(struct serve *s, int port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	s->http = socket(AF_INET, SOCK_STREAM, 0);
	return !connect(s->http, (const struct sockaddr *)&to, sizeof(to)) &&
	       !setsockopt(s->http, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Sends @size bytes, and reads one answer. Whether that is good. */
static bool ask(struct serve *s, const char *request, size_t size)
{
	char answer[8192];
	size_t have = 0, all = 0;
	char *end, *length;

	if (write(s->http, request, size) != (ssize_t)size)
		return false;
	while (!all || have < all) {
		ssize_t n = read(s->http, answer + have, sizeof(answer) - 1 - have);

		if (n <= 0)
			return false;
		have += (size_t)n;
		answer[have] = 0;
		end = strstr(answer, "\r\n\r\n");
		length = strstr(answer, "Content-Length: ");
		if (!all && end && length)
			all = (size_t)(end + 4 - answer) + strtoul(length + 16, NULL, 10);
	}
	return !strncmp(answer, "HTTP/1.1 200", 12);
}

static bool make_infer(struct serve *s, const struct accel_tensor *t)
{
	char json[512];
	int length, head;

	length = snprintf(
		json, sizeof(json),
		"{\"inputs\":[{\"name\":\"%s\",\"datatype\":\"FP32\",\"shape\":[1,1,28,28],"
		"\"parameters\":{\"binary_data_size\":%d}}],"
		"\"parameters\":{\"binary_data_output\":true}}",
		t->name, INPUT_BYTES);
	head = snprintf(s->infer, sizeof(s->infer),
			"POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\n"
			"Inference-Header-Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s",
			length, length + INPUT_BYTES, json);
	s->infer_size = (size_t)head + INPUT_BYTES;
	return t->bytes == INPUT_BYTES;
}

/* ---- The Unix socket ----------------------------------------------------------------------- */

static bool answered(struct serve *s)
{
	static char message[WIRE_MESSAGE_MAX];
	struct wire_answer a = { .status = 1 };
	ssize_t size = recv(s->shm, message, sizeof(message), 0);

	if (size >= (ssize_t)sizeof(a))
		memcpy(&a, message, sizeof(a));
	return !a.status;
}

/* Binds memory to each slot that has tensors. */
static bool bind_slots(struct serve *s, const struct wire_slot *slots, u64 count)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(WIRE_SLOTS_MAX * sizeof(int))];
	} control = { 0 };
	struct wire_bind m = { WIRE_BIND, 0, 1, (u32)count, { { 0 } } };
	struct iovec bytes = { &m, offsetof(struct wire_bind, place) + count * sizeof(*m.place) };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
					 .cmsg_level = SOL_SOCKET,
					 .cmsg_type = SCM_RIGHTS };
	for (u64 i = 0; i < count; i++) {
		int fd = memfd_create("tensors", MFD_ALLOW_SEALING);

		if (ftruncate(fd, (off_t)((slots[i].size + 4095) & ~4095ull)) ||
		    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
			return false;
		m.place[i].slot = slots[i].slot;
		memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &fd, sizeof(fd));
	}
	return sendmsg(s->shm, &message, 0) > 0 && answered(s);
}

static bool connect_shm(struct serve *s)
{
	struct {
		struct wire_answer head;
		struct wire_slot slot[WIRE_SLOTS_MAX];
		char rest[8192];
	} a = { 0 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct wire_open m = { WIRE_OPEN, 0, 0, "digits" };

	strcpy(to.sun_path, s->path);
	s->shm = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (connect(s->shm, (const struct sockaddr *)&to, sizeof(to)) ||
	    send(s->shm, &m, sizeof(m), 0) < 0 ||
	    recv(s->shm, &a, sizeof(a), 0) < (ssize_t)sizeof(a.head) || a.head.status ||
	    a.head.value[1] > WIRE_SLOTS_MAX)
		return false;
	return bind_slots(s, a.slot, a.head.value[1]);
}

/* ---- Turns --------------------------------------------------------------------------------- */

static bool replay(struct serve *s)
{
	return !accel_session_start(s->run.session) &&
	       !accel_session_wait(s->run.session, ACCEL_FOREVER);
}

static bool live(struct serve *s)
{
	static const char request[] = "GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n";

	return ask(s, request, sizeof(request) - 1);
}

static bool infer(struct serve *s)
{
	return ask(s, s->infer, s->infer_size);
}

static bool share(struct serve *s)
{
	const struct wire_run m = { WIRE_RUN, 0, 1, 0, 0 };

	return send(s->shm, &m, sizeof(m), 0) == sizeof(m) && answered(s);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double tail(const double *us)
{
	return us[ROUNDS - ROUNDS / 1000] / us[ROUNDS / 2];
}

static bool measure(struct serve *s)
{
	bool (*const sides[4])(struct serve *) = { replay, live, infer, share };
	static double us[4][ROUNDS];
	double start;

	for (int i = -WARM; i < ROUNDS; i++)
		for (int k = 0; k < 4; k++) {
			start = bench_s(CLOCK_MONOTONIC);
			if (!sides[k](s))
				return fail("a request failed");
			if (i >= 0)
				us[k][i] = (bench_s(CLOCK_MONOTONIC) - start) * 1e6;
		}
	for (int k = 0; k < 4; k++)
		qsort(us[k], ROUNDS, sizeof(double), compare);
	printf("# medians in us: replay %.1f, fixed reply %.1f, HTTP %.1f, shared memory %.1f\n",
	       us[0][ROUNDS / 2], us[1][ROUNDS / 2], us[2][ROUNDS / 2], us[3][ROUNDS / 2]);
	printf("# 99.9th percentiles over them: %.1f, %.1f, %.1f, %.1f\n", tail(us[0]), tail(us[1]),
	       tail(us[2]), tail(us[3]));
	bench_figure("serve_http_added_us", us[2][ROUNDS / 2] - us[0][ROUNDS / 2], "us");
	bench_figure("serve_shm_added_us", us[3][ROUNDS / 2] - us[0][ROUNDS / 2], "us");
	return true;
}

int main(void)
{
	static struct serve s;
	struct accel_tensor t;
	bool good = false;
	int port;

	if (!digits_run_init(&s.run, "demo/digits.onnx"))
		return EXIT_FAILURE;
	port = start_rondod(&s);
	if (!port)
		fail("build/release/service/rondod does not start");
	else if (!connect_http(&s, port) || !connect_shm(&s) ||
		 accel_model_tensor(s.run.model, ACCEL_INPUT, 0, &t) || !make_infer(&s, &t))
		fail("rondod does not answer");
	else
		good = measure(&s);
	stop_rondod(&s);
	digits_run_fini(&s.run);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
