// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the host may refuse, one request after the other: each function of the library then fails
 * with the host's error, makes nothing and leaves nothing behind, and the device works as before.
 * Linked with --wrap of what asks the host for something.
 */
#define _GNU_SOURCE /* ppoll() */
#include "tests/unit/libaccel_rig.h"

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "tests/unit/rnd_file.h"

/* Of this thread's next requests the one with this number is refused; none if it is negative. */
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
REFUSABLE(int, pthread_create,
	  (pthread_t * thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg),
	  (thread, attr, start, arg), EAGAIN, EAGAIN)

static int interrupted; /* so often is the next wait */

int __real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *left, const sigset_t *mask)
{
	if (interrupted) {
		interrupted--;
		errno = EINTR;
		return -1;
	}
	return refused(ENOMEM) ? -1 : __real_ppoll(fds, n, left, mask);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/*
 * Functions that make something. Each is called with a request refused, and what it makes, if it
 * does, is destroyed again.
 */
static struct rnd_file file;
static struct accel_model *model;

#define MAKES(name, call, destroy)                                         \
	static int make_##name(struct rig *r, struct accel_error *error)   \
	{                                                                  \
		struct accel_##name *made = NULL;                          \
		int ret = call;                                            \
		bool good = !made == !!ret;                                \
		(void)r;                                                   \
		(void)error;                                               \
		refuse = refuse < 0 ? -1 : INT_MAX; /* whether none was */ \
		destroy(made);                                             \
		return good ? ret : 1;                                     \
	}

MAKES(device, accel_device_open(rig_device, &made, error), accel_close)
MAKES(buffer, accel_buffer_create(r->device, 5000, &made), accel_buffer_destroy)
MAKES(program, accel_program_create(r->device, r->code, r->code_bytes, 0, &made, error),
      accel_program_destroy)
MAKES(binding, accel_binding_create(r->program, r->slots, RIG_SLOTS, &made, error),
      accel_binding_destroy)
MAKES(queue, accel_queue_create(r->device, 1, &made), accel_queue_destroy)
MAKES(fence, accel_replay(r->queue, r->binding, &made), accel_fence_destroy)
MAKES(model, accel_model_parse(&file, sizeof(file), &made, error), accel_model_destroy)
MAKES(session, accel_session_create(r->device, model, &made, error), accel_session_destroy)

static const struct {
	const char *name;
	int (*make)(struct rig *r, struct accel_error *error);
	bool tells; /* in struct accel_error */
} functions[] = {
	{ "accel_device_open", make_device, true },
	{ "accel_buffer_create", make_buffer, false },
	{ "accel_program_create", make_program, true },
	{ "accel_binding_create", make_binding, true },
	{ "accel_queue_create", make_queue, false },
	{ "accel_replay", make_fence, false },
	{ "accel_model_parse", make_model, true },
	{ "accel_session_create", make_session, true },
};

static void test_refused(struct rig *r)
{
	struct accel_error error;
	u32 i;

	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int fds = count_fds(), n, ret;
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
		rig_fill(r, n);
		tap_ok(!rig_replay(r) && rig_correct(r, n) && count_fds() == fds,
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

int main(void)
{
	struct rig r;

	file = rnd_file_good();
	if (rig_init(&r)) {
		model = rig_model(&r, 0, 0);
		test_refused(&r);
		test_wait(&r);
		accel_model_destroy(model);
	}
	rig_fini(&r);
	return tap_done();
}
