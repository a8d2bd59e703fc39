// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/wire.h"

#include <string.h>

#include "service/request.h"
#include "service/route.h"

static int check_open(const struct wire_open *m, struct refusal *why)
{
	size_t length = strnlen(m->name, sizeof(m->name));

	for (size_t i = length; i < sizeof(m->name); i++)
		if (m->name[i])
			return refuse(why, 400, "open: there is something behind the name");
	if (length == sizeof(m->name) || !model_name_valid(m->name))
		return refuse(why, 400, "open: it is no name of a model");
	return 0;
}

static int check_bind(const struct wire_bind *m, size_t size, u32 descriptors, struct refusal *why)
{
	size_t head = offsetof(struct wire_bind, place);

	if (m->count > WIRE_SLOTS_MAX || size != head + m->count * sizeof(m->place[0]))
		return refuse(why, 400, "bind: it has %zu bytes, and not those of %u places", size,
			      m->count);
	if (descriptors != m->count)
		return refuse(why, 400, "bind: it has %u descriptors for %u places", descriptors,
			      m->count);
	for (u32 i = 0; i < m->count; i++)
		if (m->place[i].reserved)
			return refuse(why, 400, "bind: what is reserved is not 0");
	return 0;
}

static int check_run(const struct wire_run *m, struct refusal *why)
{
	if (m->priority > REQUEST_PRIORITY_MAX)
		return refuse(why, 400, "run: priority %u is not one of 0 to %d", m->priority,
			      REQUEST_PRIORITY_MAX);
	return 0;
}

static int check_close(const struct wire_close *m, struct refusal *why)
{
	if (!m->model == !m->binding)
		return refuse(why, 400, "close: it names not one of a model and a binding");
	return 0;
}

int wire_check(const union wire_message *m, size_t size, u32 descriptors, struct refusal *why)
{
	static const size_t sizes[] = {
		[WIRE_OPEN] = sizeof(struct wire_open),
		[WIRE_BIND] = offsetof(struct wire_bind, place),
		[WIRE_RUN] = sizeof(struct wire_run),
		[WIRE_CLOSE] = sizeof(struct wire_close),
	};

	if (size < sizeof(m->head) || m->head.type < WIRE_OPEN || m->head.type > WIRE_CLOSE)
		return refuse(why, 400, "it is no message that is known");
	if (m->head.type == WIRE_BIND ? size < sizes[WIRE_BIND] : size != sizes[m->head.type])
		return refuse(why, 400, "a message of type %u has not %zu bytes", m->head.type,
			      size);
	if (descriptors && m->head.type != WIRE_BIND)
		return refuse(why, 400, "only bind has descriptors");
	switch (m->head.type) {
	case WIRE_OPEN:
		return check_open(&m->open, why);
	case WIRE_BIND:
		return check_bind(&m->bind, size, descriptors, why);
	case WIRE_RUN:
		return check_run(&m->run, why);
	default:
		return check_close(&m->close, why);
	}
}
