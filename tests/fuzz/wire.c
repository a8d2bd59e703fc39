// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as a message of the Unix socket: the number of descriptors, and the message. It is
 * refused with a reason, or all that it counts is in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/route.h"
#include "service/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const union wire_message *m, size_t size, uint32_t descriptors)
{
	switch (m->head.type) {
	case WIRE_OPEN:
		if (!memchr(m->open.name, 0, WIRE_NAME) || !model_name_valid(m->open.name))
			abort();
		break;
	case WIRE_BIND:
		if (m->bind.count > WIRE_SLOTS_MAX || m->bind.count != descriptors ||
		    offsetof(struct wire_bind, place) + m->bind.count * sizeof(struct wire_place) !=
			    size)
			abort();
		break;
	case WIRE_RUN:
	case WIRE_CLOSE:
		if (descriptors)
			abort();
		break;
	default:
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct refusal why = { 0 };
	union wire_message *m;

	if (!size || size - 1 > sizeof(*m))
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return 0;
	memcpy(m, bytes + 1, size - 1);
	if (!wire_check(m, size - 1, *bytes, &why))
		check(m, size - 1, *bytes);
	else if (why.status != 400 || !why.text[0])
		abort();
	free(m);
	return 0;
}
