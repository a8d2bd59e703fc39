// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the host may refuse, one request after the other: each function of the library then fails
 * with the host's error, makes nothing and leaves nothing behind, and the device works as before.
 * Linked with --wrap of what asks the host for something.
 */
#define _GNU_SOURCE /* ppoll(), memfd_create() */
#include "tests/unit/libaccel_rig.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulator/frontend/inproc.h"
#include "tests/unit/rnd_file.h"

/* The next request of this thread with this number is refused; none if it is negative. */
static _Thread_local int refuse = -1;
static int refused_with; /* the error of the last refusal */

static bool refused(int error)
{
	if (refuse < 0 || refuse--)
		return false;
	refused_with = errno = error;
	return true;
}

/* A function of the host's, which returns @failed when it is refused with @error. */
#define REFUSABLE(type, name, params, args, failed, error)                   \
	type __real_##name params;                                           \
	type __wrap_##name params;                                           \
	type __wrap_##name params                                            \
	{                                                                    \
		return refused(error) ? (type)(failed) : __real_##name args; \
	}

REFUSABLE(void *, malloc, (size_t size), (size), NULL, ENOMEM)
REFUSABLE(void *, calloc, (size_t n, size_t size), (n, size), NULL, ENOMEM)
REFUSABLE(void *, realloc, (void *old, size_t size), (old, size), NULL, ENOMEM)
REFUSABLE(void *, aligned_alloc, (size_t align, size_t size), (align, size), NULL, ENOMEM)
REFUSABLE(void *, mmap, (void *at, size_t size, int prot, int flags, int fd, off_t offset),
	  (at, size, prot, flags, fd, offset), MAP_FAILED, ENOMEM)
REFUSABLE(int, madvise, (void *at, size_t size, int advice), (at, size, advice), -1, ENOMEM)
REFUSABLE(int, eventfd, (unsigned int count, int flags), (count, flags), -1, EMFILE)
REFUSABLE(int, memfd_create, (const char *name, unsigned int flags), (name, flags), -1, EMFILE)
REFUSABLE(int, ftruncate64, (int fd, off_t size), (fd, size), -1, ENOSPC)
REFUSABLE(int, pthread_create,
	  (pthread_t * thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg),
	  (thread, attr, start, arg), EAGAIN, EAGAIN)

static int shrinking = -1; /* a memfd that is shrunk and sealed when its seals are asked for */

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	if (fd == shrinking && command == F_GET_SEALS &&
	    (__real_ftruncate64(fd, 4096) || __real_fcntl64(fd, F_ADD_SEALS, F_SEAL_SHRINK)))
		abort();
	/* What only asks is answered. */
	if (command != F_GETFL && command != F_GET_SEALS && refused(EMFILE))
		return -1;
	return __real_fcntl64(fd, command, arg);
}

static int interrupted; /* so often is the next wait, or the next reading of a file */
static struct timespec *now; /* this is the time, if it is not NULL */
static struct timespec waits; /* what the last wait was allowed; tv_sec -1: for ever */

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (!now || id != CLOCK_MONOTONIC)
		return __real_clock_gettime(id, t);
	*t = *now;
	return 0;
}

int __real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *mask)
{
	if (interrupted) {
		interrupted--;
		errno = EINTR;
		return -1;
	}
	if (left)
		waits = *left;
	else
		waits.tv_sec = -1;
	if (now)
		return 0;
	return refused(ENOMEM) ? -1 : __real_ppoll(fds, n, left, mask);
}

REFUSABLE(int, fstat64, (int fd, struct stat *st), (fd, st), -1, EIO)

static size_t read_at_most = SIZE_MAX; /* at a time; 0: the file has shrunk */

ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size)
{
	struct stat st;
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (__real_fstat64(fd, &st) || !S_ISREG(st.st_mode))
		return __real_read(fd, to, size);
	if (at < 0 || size > (u64)st.st_size - at)
		abort(); /* there is room for what the file has, and no more */
	if (interrupted) {
		interrupted--;
		errno = EINTR;
		return -1;
	}
	return refused(EIO) ? -1 : __real_read(fd, to, size < read_at_most ? size : read_at_most);
}

/* Ranges of memory that the device may reach. */
static atomic_int reachable;

int __real_inproc_allow(struct inproc *host, void *p, u64 size, bool write);
int __wrap_inproc_allow(struct inproc *host, void *p, u64 size, bool write);
int __wrap_inproc_allow(struct inproc *host, void *p, u64 size, bool write)
{
	int ret = __real_inproc_allow(host, p, size, write);

	reachable += !ret;
	return ret;
}

int __real_inproc_forbid(struct inproc *host, void *p, u64 size);
int __wrap_inproc_forbid(struct inproc *host, void *p, u64 size);
int __wrap_inproc_forbid(struct inproc *host, void *p, u64 size)
{
	int ret = __real_inproc_forbid(host, p, size);

	reachable -= !ret;
	return ret;
}

/* Waits until they are @count: an object's are taken back when the device has forgotten it. */
static bool reachable_again(int count)
{
	int tries;

	for (tries = 0; reachable != count && tries < 10000; tries++)
		poll(NULL, 0, 1);
	return reachable == count;
}

/*
 * Functions that make something. Each is called with a request refused, and what it makes, if it
 * does, is destroyed again.
 */
static struct rnd_file file;
static char path[] = "/tmp/rondo-memory-XXXXXX"; /* of the same in a file */
static struct accel_model *model;
static int memfd; /* that can be imported */
static const struct accel_pool_options two_each = { .instances = 2, .queues = 2 };
static struct accel_pool *pool;

#define MAKES(function, type, arguments, destroy)                            \
	static int make_##function(struct rig *r, struct accel_error *error) \
	{                                                                    \
		struct accel_##type *made = NULL;                            \
		int ret = function arguments;                                \
		bool good = !made == !!ret;                                  \
                                                                             \
		(void)r;                                                     \
		(void)error;                                                 \
		refuse = refuse < 0 ? -1 : INT_MAX; /* whether none was */   \
		destroy(made);                                               \
		return good ? ret : 1;                                       \
	}

MAKES(accel_device_open, device, (rig_device, &made, error), accel_close)
MAKES(accel_buffer_create, buffer, (r->device, 5000, &made), accel_buffer_destroy)
MAKES(accel_buffer_create_shared, buffer, (r->device, 5000, &made), accel_buffer_destroy)
MAKES(accel_buffer_import, buffer, (r->device, memfd, &made), accel_buffer_destroy)
MAKES(accel_program_create, program, (r->device, r->code, r->code_bytes, 0, &made, error),
      accel_program_destroy)
MAKES(accel_binding_create, binding, (r->program, r->slots, RIG_SLOTS, &made, error),
      accel_binding_destroy)
MAKES(accel_queue_create, queue, (r->device, 1, &made), accel_queue_destroy)
MAKES(accel_replay, fence, (r->queue, r->binding, &made), accel_fence_destroy)
MAKES(accel_model_parse, model, (&file, sizeof(file), &made, error), accel_model_destroy)
MAKES(accel_model_load, model, (path, &made, error), accel_model_destroy)
MAKES(accel_session_create, session, (r->device, model, &made, error), accel_session_destroy)
MAKES(accel_pool_create, pool, (r->device, model, &two_each, &made, error), accel_pool_destroy)
MAKES(accel_instance_create, instance, (pool, NULL, 0, &made, error), accel_instance_release)

/* Two as one job, which can be started again. */
static int make_accel_pool_submit(struct rig *r, struct accel_error *error)
{
	struct accel_instance *instances[2];
	int kept = refuse, ret, i;

	(void)r;
	(void)error;
	refuse = -1;
	for (i = 0; i < 2; i++)
		if (accel_pool_acquire(pool, 0, &instances[i]))
			return 1;
	refuse = kept;
	ret = accel_pool_submit(pool, instances, 2);
	refuse = refuse < 0 ? -1 : INT_MAX;
	for (i = 0; i < 2; i++) {
		if (!ret && accel_instance_wait(instances[i], ACCEL_FOREVER))
			return 1;
		accel_instance_release(instances[i]);
	}
	return ret;
}

static const struct {
	const char *name;
	int (*make)(struct rig *r, struct accel_error *error);
	bool tells; /* in struct accel_error */
} functions[] = {
	{ "accel_device_open", make_accel_device_open, true },
	{ "accel_buffer_create", make_accel_buffer_create, false },
	{ "accel_buffer_create_shared", make_accel_buffer_create_shared, false },
	{ "accel_buffer_import", make_accel_buffer_import, false },
	{ "accel_program_create", make_accel_program_create, true },
	{ "accel_binding_create", make_accel_binding_create, true },
	{ "accel_queue_create", make_accel_queue_create, false },
	{ "accel_replay", make_accel_replay, false },
	{ "accel_model_parse", make_accel_model_parse, true },
	{ "accel_model_load", make_accel_model_load, true },
	{ "accel_session_create", make_accel_session_create, true },
	{ "accel_pool_create", make_accel_pool_create, true },
	{ "accel_instance_create", make_accel_instance_create, true },
	{ "accel_pool_submit", make_accel_pool_submit, false },
};

static void test_refused(struct rig *r)
{
	struct accel_error error;
	u32 i;

	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int fds = rig_count_fds(), before = reachable, n, ret;
		u32 wrong = 0;

		for (n = 0;; n++) {
			refuse = n;
			ret = functions[i].make(r, &error);
			if (refuse >= 0)
				break;
			if (ret == -refused_with && (error.text[0] || !functions[i].tells))
				continue;
			printf("# request %d: %d instead of %d, '%s'\n", n, ret, -refused_with,
			       functions[i].tells ? error.text : "");
			wrong++;
		}
		refuse = -1;
		tap_ok(!ret && n > 0 && !wrong, "%s: each of %d requests is refused once",
		       functions[i].name, n);
		if (functions[i].make != make_accel_device_open)
			tap_ok(reachable_again(before),
			       "the device reaches no more memory than before");
		rig_fill(r, n);
		tap_ok(!rig_replay(r) && rig_correct(r, n) && rig_count_fds() == fds,
		       "then all is as before");
	}
}

/* A wait that a signal ends goes on; one that the host refuses tells so. */
static void test_wait(struct rig *r)
{
	struct accel_fence *fence;
	int ret;

	accel_replay(r->queue, r->binding, &fence);
	refuse = 0;
	ret = accel_fence_wait(fence, ACCEL_FOREVER);
	refuse = -1;
	tap_eq(ret, -ENOMEM, "a wait that the host refuses");
	interrupted = 3;
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "one that signals interrupt goes on");
	tap_eq(interrupted, 0, "after all of them");
	accel_fence_destroy(fence);
}

/* A wait lasts exactly until its deadline. */
static void test_deadline(struct rig *r)
{
	static const struct {
		int64_t now_s, now_ns, deadline, seconds, nanoseconds;
	} rows[] = {
		{ 1000, 5, 1000000000005, 0, 0 },
		{ 1000, 5, 1000000000004, 0, 0 },
		{ 1000, 5, 1000000000006, 0, 1 },
		{ 1000, 999999999, 1001000000000, 0, 1 },
		{ 1000, 5, 1001000000004, 0, 999999999 },
		{ 1000, 5, 1001000000005, 1, 0 },
		{ 1000, 5, 1007000000012, 7, 7 },
		{ 1000, 5, 0, 0, 0 },
		{ 1000, 5, INT64_MIN, 0, 0 },
		{ 1000, 5, ACCEL_FOREVER - 1, 9223372036 - 1000, 854775806 - 5 },
		{ 1000, 5, ACCEL_FOREVER, -1, 0 },
	};
	struct accel_fence *fence;
	u32 i, wrong = 0;

	accel_replay(r->queue, r->binding, &fence);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct timespec time = { rows[i].now_s, rows[i].now_ns };
		int ret;

		now = &time;
		ret = accel_fence_wait(fence, rows[i].deadline);
		now = NULL;
		if (ret == -ETIMEDOUT && waits.tv_sec == rows[i].seconds &&
		    (waits.tv_sec < 0 || waits.tv_nsec == rows[i].nanoseconds))
			continue;
		printf("# row %u: %d, %lld s, %ld ns\n", i, ret, (long long)waits.tv_sec,
		       waits.tv_nsec);
		wrong++;
	}
	tap_eq(wrong, 0, "a wait lasts until its deadline, to the nanosecond");
	tap_eq(accel_fence_wait(fence, ACCEL_FOREVER), 0, "and has an end");
	accel_fence_destroy(fence);
}

/* Files are read up to 2 GiB, and so are models in memory; these here find no memory. */
static void test_largest(void)
{
	struct accel_model *made = NULL;
	struct accel_error error;
	int fd = open(path, O_RDWR | O_CLOEXEC), fits, larger;

	if (ftruncate(fd, 1ll << 31))
		tap_ok(false, "a large file");
	refuse = 2; /* behind fstat() and calloc() */
	fits = accel_model_load(path, &made, &error);
	refuse = -1;
	if (ftruncate(fd, (1ll << 31) + 1))
		tap_ok(false, "a larger file");
	larger = accel_model_load(path, &made, &error);
	tap_ok(fits == -ENOMEM && larger == -EFBIG && !strcmp(error.text, "File too large"),
	       "a file of 2 GiB may be a model, a larger one not: %s", error.text);
	refuse = 1; /* behind calloc() */
	fits = accel_model_parse(&file, 1ull << 31, &made, &error);
	refuse = -1;
	larger = accel_model_parse(&file, (1ull << 31) + 1, &made, &error);
	tap_ok(fits == -ENOMEM && larger == -EFBIG && !strcmp(error.text, "larger than 2 GiB"),
	       "and so with bytes in memory: %s", error.text);
	tap_ok(!made, "nothing is made");
	close(fd);
}

/* A file comes in pieces, with signals between them, and may shrink meanwhile. */
static void test_pieces(void)
{
	struct accel_model *made = NULL;
	struct accel_error error;
	struct accel_tensor t;

	read_at_most = 100;
	interrupted = 3;
	tap_eq(accel_model_load(path, &made, &error), 0, "a file that comes in pieces");
	tap_ok(!interrupted && made && !accel_model_find(made, ACCEL_INPUT, "y", NULL, &t),
	       "is the model all the same");
	accel_model_destroy(made);
	made = NULL;
	read_at_most = 0;
	tap_ok(accel_model_load(path, &made, &error) == -EIO && !made && error.text[0],
	       "one that shrinks is an error: %s", error.text);
	read_at_most = SIZE_MAX;
}

static void write_file(void)
{
	int fd = mkstemp(path);

	file = rnd_file_good();
	if (fd < 0 || write(fd, &file, sizeof(file)) != (ssize_t)sizeof(file))
		tap_ok(false, "a file for the test");
	close(fd);
}

/* Another process may change a memfd until it is sealed: its size counts after that only. */
static void test_shrinking(struct rig *r)
{
	struct accel_buffer *buffer = NULL;

	shrinking = memfd_create("shrinking", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (shrinking < 0 || ftruncate(shrinking, 8192))
		tap_ok(false, "a memfd for the test");
	tap_eq(accel_buffer_import(r->device, shrinking, &buffer), 0,
	       "a memfd that is shrunk and sealed while it is imported");
	tap_eq(buffer ? accel_buffer_size(buffer) : 0, 4096, "has the size that it keeps");
	accel_buffer_destroy(buffer);
	close(shrinking);
	shrinking = -1;
}

int main(void)
{
	struct rig r;

	write_file();
	memfd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ftruncate(memfd, 4096) || fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		tap_ok(false, "a memfd for the test");
	if (rig_init(&r)) {
		model = rig_model(&r, 0, 0);
		tap_eq(accel_pool_create(r.device, model, &two_each, &pool, NULL), 0, "a pool");
		test_refused(&r);
		test_wait(&r);
		test_deadline(&r);
		test_pieces();
		test_largest();
		test_shrinking(&r);
		accel_pool_destroy(pool);
		accel_model_destroy(model);
	}
	rig_fini(&r);
	unlink(path);
	return tap_done();
}
