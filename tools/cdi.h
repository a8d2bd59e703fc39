/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Devices as container engines want them told: a specification of the Container Device Interface.
 */
#ifndef TOOLS_CDI_H
#define TOOLS_CDI_H

#include <accel.h>
#include <stdio.h>

#include "spec/env.h"

/*
 * Prints the nodes of the kernel's driver among @entries, also those that cannot be opened here:
 * each as rondo/accel=NAME, and all of them as rondo/accel=all. Returns how many there are; if
 * none, nothing is printed, since engines take an empty specification for a broken one.
 */
u32 cdi_print(FILE *out, const struct accel_device_entry *entries, u32 count);

#endif
