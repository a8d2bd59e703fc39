/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The options of commands that say how images become inputs. */
#ifndef TOOLS_PREPROCESS_OPTIONS_H
#define TOOLS_PREPROCESS_OPTIONS_H

#include "tools/options.h"
#include "tools/preprocess.h"

/* For struct command.takes. */
#define PREPROCESS_OPTIONS                                                       \
	[OPTION_PREPROCESS] = true, [OPTION_FIT] = true, [OPTION_LAYOUT] = true, \
	[OPTION_COLOURS] = true, [OPTION_MEAN] = true, [OPTION_DEVIATION] = true

/* Takes one of them; a STATUS_*, with a message unless it is STATUS_OK. */
int preprocess_take(struct preprocess *p, enum option_id id, const char *argument);

#endif
