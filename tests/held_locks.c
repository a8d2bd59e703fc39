// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Who holds which mutex: linked into tests with --wrap (tests/meson.build). A thread that unlocks
 * a mutex, or waits with one, that it does not hold, or that locks one twice, ends the test. The
 * C library lets the first two pass and hangs in the third. And locking spoils errno, as it may.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { HELD_MAX = 16 };

static _Thread_local pthread_mutex_t *held[HELD_MAX];

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
				  const struct timespec *until);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
				  const struct timespec *until);

/* Where @mutex, or NULL for a free place, stands in the list of the thread's. */
static pthread_mutex_t **find(pthread_mutex_t *mutex)
{
	int i;

	for (i = 0; i < HELD_MAX; i++)
		if (held[i] == mutex)
			return &held[i];
	return NULL;
}

static void must(int good, const char *wrong)
{
	if (good)
		return;
	fprintf(stderr, "held_locks: %s\n", wrong);
	abort();
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	pthread_mutex_t **place = find(NULL);

	must(!find(mutex), "a thread locks a mutex that it holds");
	must(place != NULL, "a thread holds too many mutexes");
	*place = mutex;
	errno = EDEADLK;
	return __real_pthread_mutex_lock(mutex);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	pthread_mutex_t **place = find(mutex);

	must(place != NULL, "a thread unlocks a mutex that it does not hold");
	*place = NULL;
	return __real_pthread_mutex_unlock(mutex);
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	must(find(mutex) != NULL, "a thread waits without its mutex");
	return __real_pthread_cond_wait(cond, mutex);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
				  const struct timespec *until)
{
	must(find(mutex) != NULL, "a thread waits without its mutex");
	return __real_pthread_cond_timedwait(cond, mutex, until);
}
