// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A rondod whose device goes away on SIGUSR1: the one that was opened last; and whose date is
 * wrong by the seconds in RONDO_TEST_DATE. To be linked with
 * --wrap=accel_device_open,--wrap=accel_open,--wrap=clock_gettime.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "userspace/libaccel/accel.h"
#include "userspace/libaccel/local.h"

int __real_accel_device_open(const char *name, struct accel_device **device,
			     struct accel_error *error);
int __wrap_accel_device_open(const char *name, struct accel_device **device,
			     struct accel_error *error);
int __real_accel_open(const char *name, struct accel_device **device);
int __wrap_accel_open(const char *name, struct accel_device **device);

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);

static struct accel_device *_Atomic last;

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	const char *wrong = getenv("RONDO_TEST_DATE");
	int ret = __real_clock_gettime(clock, t);

	if (wrong && clock == CLOCK_REALTIME)
		t->tv_sec += strtol(wrong, NULL, 10);
	return ret;
}

int __wrap_accel_device_open(const char *name, struct accel_device **device,
			     struct accel_error *error)
{
	int ret = __real_accel_device_open(name, device, error);

	if (!ret)
		last = *device;
	return ret;
}

int __wrap_accel_open(const char *name, struct accel_device **device)
{
	int ret = __real_accel_open(name, device);

	if (!ret)
		last = *device;
	return ret;
}

static void *vanish(void *signals)
{
	int number;

	while (!sigwait(signals, &number))
		if (accel_local_fault(last, "vanish", 1))
			abort();
	return NULL;
}

/* All threads that begin later have the signal blocked, too. */
__attribute__((constructor)) static void take_signal(void)
{
	static sigset_t signals;
	pthread_t thread;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (pthread_create(&thread, NULL, vanish, &signals))
		abort();
	pthread_detach(thread);
}
