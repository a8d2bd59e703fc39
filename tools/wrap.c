// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/wrap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"

/* A tensor of @bytes bytes in slot @slot, called @name. */
static struct rondo_tensor slot_tensor(u8 kind, u32 slot, u32 name, u64 bytes)
{
	return (struct rondo_tensor){
		.name = name,
		.kind = kind,
		.dtype = RONDO_U8,
		.rank = 1,
		.slot = slot,
		.dim = { bytes },
	};
}

/* Tensors for every slot that is read, and every one that is written. */
static u32 slot_tensors(const struct rondo_program *p, struct rondo_tensor *tensors,
			char (*names)[8])
{
	u32 i, count = 0;

	for (i = 0; i < p->header->slots; i++) {
		const struct rondo_slot *slot = &p->slots[i];

		snprintf(names[i], sizeof(names[i]), "slot%u", i % RONDO_PROGRAM_SLOTS_MAX);
		if (slot->read_hi)
			tensors[count++] = slot_tensor(RONDO_TENSOR_INPUT, i, i * sizeof(names[0]),
						       slot->read_hi);
		if (slot->write_hi)
			tensors[count++] = slot_tensor(RONDO_TENSOR_OUTPUT, i, i * sizeof(names[0]),
						       slot->write_hi);
	}
	return count;
}

int wrap_program(const void *program, size_t size, void **file, size_t *file_size)
{
	struct rondo_tensor tensors[2 * RONDO_PROGRAM_SLOTS_MAX] = {};
	char names[RONDO_PROGRAM_SLOTS_MAX][8] = {};
	struct rondo_program p;
	u32 refused = rondo_program_open(&p, program, size);

	if (refused)
		return refused;

	const struct rondo_file_part parts[] = {
		{ RONDO_SECTION_PROGRAM, 0, program, size },
		{ RONDO_SECTION_STRINGS, 0, names, sizeof(names) },
		{ RONDO_SECTION_TENSORS, 0, tensors,
		  slot_tensors(&p, tensors, names) * sizeof(tensors[0]) },
	};
	enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

	*file_size = rondo_file_bytes(parts, PARTS);
	*file = malloc(*file_size);
	if (!*file)
		return -ENOMEM;
	rondo_file_write(*file, parts, PARTS);
	return 0;
}
