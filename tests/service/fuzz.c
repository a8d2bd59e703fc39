// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hostile clients, numbered by seed: service_fuzz FIRST COUNT. Each of them says something to a
 * server in this process, over HTTP, gRPC or the Unix socket: what is right with a few bytes
 * changed, cut off, sent in pieces, on a connection that is then dropped. A sanitizer's report ends
 * the program; a message of the Unix socket without its one answer fails it, and so does a client
 * beside them that is not answered exactly what it was at the start. Run at the top of the source
 * tree.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "service/grpc.h"
#include "service/grpc_message.h"
#include "service/http.h"
#include "service/unixsock.h"
#include "service/wire.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { BYTES_MAX = 16384, PATIENCE_S = 120, ASK_EVERY = 64, TALK_MAX = 12, OPEN_CONNECTIONS = 128 };

static struct {
	struct server server;
	struct http *http;
	struct unixsock *unixsock;
	struct grpc *grpc;
	char directory[32], path[64];
	pthread_mutex_t lock;
	pthread_cond_t loaded;
	bool ready;
} s = { .lock = PTHREAD_MUTEX_INITIALIZER, .loaded = PTHREAD_COND_INITIALIZER };

struct bytes {
	char at[BYTES_MAX];
	size_t size;
};

static void die(const char *what, u64 seed)
{
	printf("Bail out! seed %llu: %s: %s\n", (unsigned long long)seed, what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- The server ---------------------------------------------------------------------------- */

static void loaded(void *context)
{
	(void)context;
	pthread_mutex_lock(&s.lock);
	s.ready = true;
	pthread_cond_signal(&s.loaded);
	pthread_mutex_unlock(&s.lock);
}

static void lost(void *context, const char *name)
{
	(void)context;
	(void)name;
}

static void start(void)
{
	static const char *const names[] = { "emu" };
	const struct http_options http = { .address = "127.0.0.1",
					   .threads = 2,
					   .connections = 4 * OPEN_CONNECTIONS,
					   .request_seconds = PATIENCE_S,
					   .body_max = 1 << 20 };
	const struct grpc_options grpc = { .address = "127.0.0.1",
					   .connections = http.connections,
					   .request_seconds = PATIENCE_S,
					   .body_max = 1 << 20 };
	struct registry_options registry = { .directory = "demo", .loaded = loaded };
	struct refusal why = { 0 };

	strcpy(s.directory, "/tmp/rondo-fuzz-XXXXXX");
	if (!mkdtemp(s.directory))
		die("no directory", 0);
	snprintf(s.path, sizeof(s.path), "%s/socket", s.directory);
	s.server.json_max = 1 << 18;
	s.server.memory_max = 1 << 24;
	if (lanes_open(names, 1, lost, NULL, &s.server.lanes, &why))
		die(why.text, 0);
	registry.loader = (struct model_loader){ .lanes = s.server.lanes, .instances = 4 };
	s.server.registry = registry_create(&registry);
	if (!s.server.registry || http_start(&http, &s.server, &s.http, &why) ||
	    unixsock_start(s.path, -1, &s.server, &s.unixsock, &why) ||
	    grpc_start(&grpc, &s.server, &s.grpc, &why))
		die(why.text, 0);
	pthread_mutex_lock(&s.lock);
	while (!s.ready)
		pthread_cond_wait(&s.loaded, &s.lock);
	pthread_mutex_unlock(&s.lock);
}

/* ---- What is right ------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct bytes *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	b->size += (size_t)vsnprintf(b->at + b->size, sizeof(b->at) - b->size, fmt, ap);
	va_end(ap);
}

static void infer_head(struct bytes *b, const char *fields, size_t length)
{
	say(b, "POST /v2/models/digits/infer HTTP/1.1\r\nHost: x\r\n%s", fields);
	if (length)
		say(b, "Content-Length: %zu\r\n", length);
	say(b, "\r\n");
}

static const struct accel_tensor *input(void)
{
	static struct accel_tensor t;
	struct refusal why;
	struct model *m = registry_find(s.server.registry, "digits", 0, &why);

	if (!m)
		die(why.text, 0);
	t = m->signature.tensor[ACCEL_INPUT][0];
	model_release(m);
	return &t;
}

static void infer_binary(struct bytes *b)
{
	const struct accel_tensor *t = input();
	char json[512], field[64];
	int length = snprintf(json, sizeof(json),
			      "{\"id\":\"a\",\"inputs\":[{\"name\":\"%s\",\"datatype\":\"FP32\","
			      "\"shape\":[1,1,28,28],\"parameters\":{\"binary_data_size\":3136}}],"
			      "\"parameters\":{\"binary_data_output\":true,\"priority\":3}}",
			      t->name);

	snprintf(field, sizeof(field), "Inference-Header-Content-Length: %d\r\n", length);
	infer_head(b, field, (size_t)length + 3136);
	say(b, "%s", json);
	memset(b->at + b->size, 0, 3136);
	b->size += 3136;
}

static void infer_json(struct bytes *b, bool chunked)
{
	static struct bytes body;

	body.size = 0;
	say(&body,
	    "{\"inputs\":[{\"name\":\"%s\",\"datatype\":\"FP32\",\"shape\":[1,1,28,28],"
	    "\"data\":[",
	    input()->name);
	for (int i = 0; i < 784; i++)
		say(&body, "%s%d", i ? "," : "", i % 7 == 3 ? i : 0);
	say(&body, "]}],\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":3}}],"
		   "\"parameters\":{\"timeout\":1000000}}");
	infer_head(b, chunked ? "Transfer-Encoding: chunked\r\n" : "", chunked ? 0 : body.size);
	for (size_t at = 0, piece; at < body.size; at += piece) {
		piece = !chunked ? body.size : body.size - at < 700 ? body.size - at : 700;
		if (chunked)
			say(b, "%zx\r\n", piece);
		memcpy(b->at + b->size, body.at + at, piece);
		b->size += piece;
		if (chunked)
			say(b, "\r\n");
	}
	if (chunked)
		say(b, "0\r\n\r\n");
}

static void make_http(u64 *random, struct bytes *b)
{
	static const char *const gets[] = { "GET /v2",
					    "GET /v2/health/ready",
					    "GET /v2/models/digits",
					    "GET /v2/models/digits/versions/1/stats",
					    "GET /v2/models/stats",
					    "POST /v2/repository/index",
					    "GET /metrics",
					    "HEAD /v2/health/live",
					    "OPTIONS *",
					    "POST /v2/models/a/infer" };

	switch (random_below(random, 6)) {
	case 0:
		infer_json(b, false);
		break;
	case 1:
		infer_json(b, true);
		break;
	case 2:
	case 3:
		infer_binary(b);
		break;
	default:
		for (u32 i = 0; i <= random_below(random, 3); i++)
			say(b, "%s HTTP/1.%d\r\nHost: x\r\nAccept: */*\r\n\r\n",
			    gets[random_below(random, sizeof(gets) / sizeof(gets[0]))],
			    random_below(random, 8) != 0);
	}
}

/* ---- What is wrong ------------------------------------------------------------------------- */

/* Puts @size bytes in the place of @old at @at. */
static void replace(struct bytes *b, size_t at, size_t old, const void *bytes, size_t size)
{
	if (b->size - old + size > sizeof(b->at))
		return;
	memmove(b->at + at + size, b->at + at + old, b->size - at - old);
	memcpy(b->at + at, bytes, size);
	b->size += size - old;
}

static void change(u64 *random, struct bytes *b)
{
	static const char *const words[] = { "18446744073709551616",
					     "-1",
					     "4294967296",
					     "\r\n\r\n",
					     "\r\n",
					     "\"",
					     "[[[[[[[[",
					     "null",
					     "{\"a\":",
					     "0",
					     "Content-Length: 7\r\n",
					     "\xff\xfe",
					     "1e999",
					     "%00",
					     "Transfer-Encoding: chunked\r\n",
					     "Expect: 100-continue\r\n",
					     "Connection: close\r\n",
					     "../",
					     "\\u0000",
					     ":" };
	/* Most of what is decided is decided early. */
	size_t range = random_below(random, 2) && b->size > 400 ? 400 : b->size;
	size_t at = random_below(random, range), left = b->size - at;
	const char *word = words[random_below(random, sizeof(words) / sizeof(words[0]))];
	char byte = (char)random_next(random);

	switch (random_below(random, 6)) {
	case 0:
		b->at[at] ^= (char)(1 << random_below(random, 8));
		break;
	case 1:
		replace(b, at, 1, &byte, 1);
		break;
	case 2: /* something is missing */
		replace(b, at, 1 + random_below(random, left < 40 ? left : 40), "", 0);
		break;
	case 3:
		replace(b, at, random_below(random, left < 8 ? left : 8), word, strlen(word));
		break;
	case 4: /* the end is */
		b->size = at + 1;
		break;
	default: /* something is there twice */
		left = 1 + random_below(random, left < 200 ? left : 200);
		replace(b, at, 0, memcpy((char[200]){ 0 }, b->at + at, left), left);
	}
}

static void change_some(u64 *random, struct bytes *b)
{
	for (u32 count = random_below(random, 5); count && b->size > 1; count--)
		change(random, b);
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static int connect_port(u64 seed, u32 port)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const struct linger drop = { 1, 0 }; /* no port may wait for its end */
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + seed % 200) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &drop, sizeof(drop));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("bind", seed);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)port);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		die("connect", seed);
	return fd;
}

static void send_pieces(u64 *random, int fd, const struct bytes *b)
{
	for (size_t at = 0, piece; at < b->size; at += piece) {
		piece = random_below(random, 3) ? b->size - at :
						  1 + random_below(random, b->size - at);
		if (send(fd, b->at + at, piece, MSG_NOSIGNAL) != (ssize_t)piece)
			return; /* it has had enough */
	}
}

/* What has been answered so far is an answer, if anything has. */
static void drop(u64 seed, int fd)
{
	char answer[4096];
	ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);

	/* The first frame of HTTP/2 is SETTINGS. */
	if (n > 7 && memcmp(answer, "HTTP/1.", 7) != 0 && answer[3] != 4)
		die("an answer that is none", seed);
	while (n > 0)
		n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	close(fd);
}

static void add(struct bytes *b, const void *bytes, size_t size)
{
	memcpy(b->at + b->size, bytes, size);
	b->size += size;
}

static void add_frame(struct bytes *b, u8 type, u8 flags, u8 stream, const void *bytes, size_t size)
{
	const u8 head[9] = { 0, (u8)(size >> 8), (u8)size, type, flags, 0, 0, 0, stream };

	add(b, head, sizeof(head));
	add(b, bytes, size);
}

/* Headers, none of which is compressed. */
static void add_headers(struct bytes *b, const char *method, u8 stream)
{
	const char *const fields[][2] = { { ":method", "POST" },
					  { ":scheme", "http" },
					  { ":path", method },
					  { "content-type", "application/grpc" },
					  { "grpc-timeout", "10S" } };
	struct bytes block = { .size = 0 };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		say(&block, "%c%c%s%c%s", 16, (int)strlen(fields[i][0]), fields[i][0],
		    (int)strlen(fields[i][1]), fields[i][1]);
	add_frame(b, 1, 4, stream, block.at, block.size);
}

static void make_call(u64 *random, struct answer *call)
{
	static u8 data[3136];
	int64_t shape[] = { 1, 1, 28, 28 };
	ProtobufCBinaryData raw = { sizeof(data), data };
	Inference__InferRequest m = INFERENCE__INFER_REQUEST__INIT;
	Inference__Input in = INFERENCE__INPUT__INIT, *ins = &in;
	Inference__Parameter value = INFERENCE__PARAMETER__INIT;
	Inference__NamedParameter named = INFERENCE__NAMED_PARAMETER__INIT, *parameters = &named;
	struct refusal why;

	in.name = (char *)input()->name;
	in.datatype = (char *)"FP32";
	in.n_shape = 4;
	in.shape = shape;
	value.choice_case = INFERENCE__PARAMETER__CHOICE_INT64_PARAM;
	value.int64_param = random_below(random, 200);
	named.key = (char *)(random_below(random, 2) ? "priority" : "timeout");
	named.value = &value;
	m.model_name = (char *)"digits";
	m.n_inputs = m.n_raw_inputs = m.n_parameters = 1;
	m.inputs = &ins;
	m.raw_inputs = &raw;
	m.parameters = &parameters;
	if (grpc_pack(&m, call, &why))
		die(why.text, 0);
}

static void make_grpc(u64 *random, struct bytes *b)
{
	static const char *const methods[] = { "ModelInfer", "ModelInfer", "ModelMetadata",
					       "ServerReady" };
	u32 calls = 1 + random_below(random, 3);
	char path[64];

	say(b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	add_frame(b, 4, 0, 0, "", 0);
	for (u32 i = 0; i < calls; i++) {
		u8 stream = (u8)(1 + 2 * i);
		struct answer call;

		snprintf(path, sizeof(path), "/inference.GRPCInferenceService/%s",
			 methods[random_below(random, 4)]);
		make_call(random, &call);
		add_headers(b, path, stream);
		add_frame(b, 0, 1, stream, call.bytes, call.size);
		free(call.bytes);
		if (!random_below(random, 4)) /* it gives it up at once */
			add_frame(b, 3, 0, stream, "\0\0\0\10", 4);
	}
}

/* A connection is dropped when OPEN_CONNECTIONS others have come, whatever the server makes of it.
 */
static void talk_tcp(u64 seed, u64 *random, u32 port, void (*make)(u64 *random, struct bytes *b))
{
	static int open_[OPEN_CONNECTIONS];
	static struct bytes b;
	int *fd = &open_[seed % OPEN_CONNECTIONS];

	if (*fd)
		drop(seed, *fd);
	*fd = connect_port(seed, port);
	b.size = 0;
	make(random, &b);
	change_some(random, &b);
	send_pieces(random, *fd, &b);
	if (!random_below(random, 4))
		shutdown(*fd, SHUT_WR);
}

/* ---- The Unix socket ----------------------------------------------------------------------- */

static int connect_unix(u64 seed)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, s.path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		die("connect", seed);
	return fd;
}

/* Memory of various kinds, and what is none. */
static int make_memory(u64 *random)
{
	int fd;

	if (!random_below(random, 8))
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	fd = memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (ftruncate(fd, random_below(random, 8) ? 4096 : random_below(random, 9000)))
		die("memfd", 0);
	if (random_below(random, 8))
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
	return fd;
}

static void make_message(u64 *random, struct bytes *b, u32 *descriptors)
{
	union wire_message m = { .head = { 1 + random_below(random, 4),
					   random_below(random, 100) } };
	const size_t sizes[] = { 0, sizeof(m.open), 0, sizeof(m.run), sizeof(m.close) };
	u32 number = random_below(random, 4);

	b->size = sizes[m.head.type];
	switch (m.head.type) {
	case WIRE_OPEN:
		strcpy(m.open.name, "digits");
		break;
	case WIRE_BIND:
		m.bind.model = number;
		m.bind.count = random_below(random, 3) ? 2 : random_below(random, 8);
		for (u32 i = 0; i < m.bind.count; i++)
			m.bind.place[i].slot = random_below(random, 8) ? i :
									 random_below(random, 4);
		b->size = offsetof(struct wire_bind, place) +
			  m.bind.count * sizeof(struct wire_place);
		*descriptors = m.bind.count;
		break;
	case WIRE_RUN:
		m.run.binding = number;
		m.run.priority = random_below(random, 3);
		break;
	default:
		m.close.binding = random_below(random, 2) ? number : 0;
		m.close.model = m.close.binding ? 0 : number;
	}
	memcpy(b->at, &m, b->size);
	if (!random_below(random, 4))
		change_some(random, b);
	b->size += !b->size; /* an empty one is the end */
	if (!random_below(random, 16))
		*descriptors = random_below(random, 8);
}

static void send_message(u64 seed, int fd, const struct bytes *b, const int *fds, u32 count)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec bytes = { (char *)b->at, b->size };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	}
	if (sendmsg(fd, &message, MSG_NOSIGNAL) != (ssize_t)b->size)
		die("a message that is not taken", seed);
}

static void talk_unix(u64 seed, u64 *random)
{
	static char answer[WIRE_MESSAGE_MAX];
	static struct bytes b;
	int fd = connect_unix(seed), fds[8];
	u32 talk = 1 + random_below(random, TALK_MAX);

	for (u32 i = 0; i < talk; i++) {
		u32 descriptors = 0;

		make_message(random, &b, &descriptors);
		descriptors = descriptors < 8 ? descriptors : 8;
		for (u32 k = 0; k < descriptors; k++)
			fds[k] = make_memory(random);
		send_message(seed, fd, &b, fds, descriptors);
		while (descriptors)
			close(fds[--descriptors]);
		if (i + 1 == talk && random_below(random, 2))
			break; /* it goes before it is answered */
		if (recv(fd, answer, sizeof(answer), 0) < (ssize_t)sizeof(struct wire_answer))
			die("a message without an answer", seed);
	}
	close(fd);
}

/* ---- Who is beside them -------------------------------------------------------------------- */

/* The body of the answer to one good request on a connection that stays. */
static void ask(u64 seed, struct bytes *answer)
{
	static struct bytes question;
	static int fd = -1;
	char *end = NULL, *length = NULL;
	size_t wanted = SIZE_MAX;

	if (fd < 0) {
		infer_binary(&question);
		fd = connect_port(0, http_port(s.http));
	}
	if (send(fd, question.at, question.size, MSG_NOSIGNAL) != (ssize_t)question.size)
		die("a good client is cut off", seed);
	for (answer->size = 0; answer->size < wanted;) {
		ssize_t n = recv(fd, answer->at + answer->size,
				 sizeof(answer->at) - 1 - answer->size, 0);

		if (n <= 0)
			die("a good client is not answered", seed);
		answer->size += (size_t)n;
		answer->at[answer->size] = 0;
		end = strstr(answer->at, "\r\n\r\n");
		length = strstr(answer->at, "Content-Length: ");
		if (end && length)
			wanted = (size_t)(end + 4 - answer->at) + strtoul(length + 16, NULL, 10);
	}
	/* The outputs are at the end; times before them differ. */
	replace(answer, 0, answer->size - 40, "", 0);
}

/* ---- The end ------------------------------------------------------------------------------- */

static int late[2 * OPEN_CONNECTIONS];
static sem_t half; /* of them are sent */

/* Wrong requests at the moment at which the server ends. */
static void *send_late(void *unused)
{
	for (int i = 0; i < 2 * OPEN_CONNECTIONS; i++) {
		send(late[i], "BAD\r\n\r\n", 7, MSG_NOSIGNAL);
		if (i == OPEN_CONNECTIONS)
			sem_post(&half);
	}
	return unused;
}

static void stop(void)
{
	pthread_t thread;

	for (int i = 0; i < 2 * OPEN_CONNECTIONS; i++)
		late[i] = connect_port(0, http_port(s.http));
	atomic_store(&s.server.draining, true);
	http_quiesce(s.http);
	grpc_quiesce(s.grpc);
	unixsock_stop(s.unixsock);
	registry_stop(s.server.registry);
	lanes_stop(s.server.lanes);
	if (pthread_create(&thread, NULL, send_late, NULL))
		die("no thread", 0);
	sem_wait(&half);
	http_stop(s.http);
	grpc_stop(s.grpc);
	pthread_join(thread, NULL);
	registry_destroy(s.server.registry);
	lanes_close(s.server.lanes);
	rmdir(s.directory);
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	u64 first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	u64 count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1500;
	static struct bytes at_first, now;
	bool same = true;

	signal(SIGPIPE, SIG_IGN);
	sem_init(&half, 0, 0);
	raise_descriptors();
	start();
	ask(0, &at_first);
	for (u64 seed = first; seed < first + count; seed++) {
		u64 random = random_seed(seed);

		switch (random_below(&random, 8)) {
		case 0:
			talk_unix(seed, &random);
			break;
		case 1:
		case 2:
			talk_tcp(seed, &random, grpc_port(s.grpc), make_grpc);
			break;
		default:
			talk_tcp(seed, &random, http_port(s.http), make_http);
		}
		if (seed % ASK_EVERY)
			continue;
		ask(seed, &now);
		same = same && now.size == at_first.size && !memcmp(now.at, at_first.at, now.size);
	}
	tap_ok(same,
	       "beside %llu hostile clients from %llu on, a good one gets what it got at first",
	       (unsigned long long)count, (unsigned long long)first);
	stop();
	tap_ok(!atomic_load(&s.server.request_bytes) && !atomic_load(&s.server.connections),
	       "and nothing is left of them");
	return tap_done();
}
