/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef TESTS_CLI_REFUSE_H
#define TESTS_CLI_REFUSE_H

#include <stdbool.h>

void refuse_after(long requests);
bool refused_any(void);
void refuse_pause(bool pause); /* or go on */
long pieces_held(void); /* less those that the C library allocates and the command frees */

#endif
