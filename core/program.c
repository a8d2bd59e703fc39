// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "core/program.h"
#include "core/verify.h"

u32 rondo_program_open(struct rondo_program *p, const void *data, u64 size)
{
	const struct rondo_program_header *h = data;

	if (size < sizeof(*h))
		return RONDO_ERR_SIZE;
	if (h->magic != RONDO_PROGRAM_MAGIC || h->version != RONDO_PROGRAM_VERSION)
		return RONDO_ERR_MAGIC;
	if (h->reserved)
		return RONDO_ERR_RESERVED;
	if (h->slots > RONDO_PROGRAM_SLOTS_MAX || h->entries > RONDO_ENTRIES_MAX ||
	    h->descs > RONDO_DESCS_MAX || h->bundles > RONDO_BUNDLES_MAX || !h->bundles)
		return RONDO_ERR_COUNT;
	if (size != rondo_program_bytes(h))
		return RONDO_ERR_SIZE;
	p->header = h;
	p->slots = (const void *)(h + 1);
	p->entries = (const void *)(p->slots + h->slots);
	p->descs = (const void *)(p->entries + h->entries);
	p->bundles = (const void *)(p->descs + h->descs);
	return RONDO_ERR_NONE;
}
