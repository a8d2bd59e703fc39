// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A device in the process that has a fault from when it is opened on: RONDO_TEST_FAULT=NAME=VALUE,
 * of emulator/device/faults.def. With RONDO_TEST_DEVICE in the environment, a host with one device,
 * which may not be opened. To be linked with --wrap=accel_device_open.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/cli/refuse.h"
#include "userspace/libaccel/accel.h"
#include "userspace/libaccel/local.h"

int __real_accel_device_open(const char *name, struct accel_device **device,
			     struct accel_error *error);
int __wrap_accel_device_open(const char *name, struct accel_device **device,
			     struct accel_error *error);

int __wrap_accel_device_open(const char *name, struct accel_device **device,
			     struct accel_error *error)
{
	const char *wanted = getenv("RONDO_TEST_FAULT");
	char fault[32];
	unsigned int value;
	int ret;

	if (!name && getenv("RONDO_TEST_DEVICE")) {
		snprintf(error->text, sizeof(error->text), "it is not for you");
		return -EACCES;
	}
	refuse_pause(true);
	ret = __real_accel_device_open(name, device, error);
	refuse_pause(false);
	if (!ret && wanted &&
	    (sscanf(wanted, "%31[^=]=%u", fault, &value) != 2 ||
	     accel_local_fault(*device, fault, value)))
		abort();
	return ret;
}
