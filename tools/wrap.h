/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A bare program as a .rnd file. */
#ifndef TOOLS_WRAP_H
#define TOOLS_WRAP_H

#include <stddef.h>

/*
 * The .rnd file around @program, for free(): slot N that is read becomes the input "slotN", one
 * that is written the output "slotN", all of them bytes. 0; or a number of spec/errors.def if it is
 * no program, or -ENOMEM.
 */
int wrap_program(const void *program, size_t size, void **file, size_t *file_size);

#endif
