/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * rondo verify --regions: the time and energy of each region of a file.
 */
#ifndef RONDO_TOOLS_VERIFY_REGIONS_H
#define RONDO_TOOLS_VERIFY_REGIONS_H

#include "core/program.h"
#include "core/verify.h"

/*
 * Prints the regions of the file at @path, what is outside of them, and what is cleared before.
 * Its program @p was accepted on @machine, with @facts. A STATUS_*, with a message unless it is
 * STATUS_OK.
 */
int verify_print_regions(const char *path, const struct rondo_machine *machine,
			 const struct rondo_program *p, const struct rondo_facts *facts);

#endif
