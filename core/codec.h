/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Slots between 64-bit words and struct rondo_op. The encoding is canonical:
 * a word decodes if and only if it is what its operation encodes to.
 */
#ifndef RONDO_CORE_CODEC_H
#define RONDO_CORE_CODEC_H

#include "core/isa.h"

/*
 * Decodes @word into *@op, which is written completely. Returns false if the
 * opcode is undefined or a bit outside its fields is set; @op->op is then the
 * opcode field. Does not judge field values: that is the verifier's part.
 */
bool rondo_decode(u64 word, struct rondo_op *op);

/*
 * Encodes *@op into *@word. Returns false, and leaves *@word alone, if the
 * operation is undefined or a field does not fit; fields that the format does
 * not have are ignored.
 */
bool rondo_encode(const struct rondo_op *op, u64 *word);

#endif
