/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What convolutions on the vector units share, of f32 and of bytes: channels lie in the lanes. */
#ifndef COMPILER_LOWER_DEPTHWISE_H
#define COMPILER_LOWER_DEPTHWISE_H

#include "compiler/lower.h"

enum { IMAGE, CHANNEL, ROW, COLUMN, OUT, KY, KX }; /* the dimensions of their domain */

/*
 * @a, which is at @at, from channel @first on, moved by the loops over images and pixels that begin
 * at depth @depth.
 */
struct mir_ref depthwise_ref(const struct stage_access *a, const struct operand_at *at, int depth,
			     s64 first);

#endif
