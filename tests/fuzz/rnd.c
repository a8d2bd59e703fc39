// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * .rnd files: the input damages a good file, four bytes for each change (where, low and high;
 * value; how: XOR, set, set four bytes, truncate). What is refused has a text; of what is accepted
 * everything that a model tells must be inside the file.
 */
#include <accel.h>
#include <stdlib.h>

#include "tests/unit/rnd_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Damages @file, of *@length bytes, as four bytes of the input say. */
static void damage(uint8_t *file, size_t *length, const uint8_t change[4])
{
	size_t at = (change[0] | change[1] << 8) % sizeof(struct rnd_file);

	switch (change[3] % 4) {
	case 0:
		file[at] ^= change[2];
		break;
	case 1:
		file[at] = change[2];
		break;
	case 2:
		memset(file + at / 4 * 4, change[2], 4);
		break;
	case 3:
		*length = at;
		break;
	}
}

/* Reads all that there is. */
static void walk(const struct accel_model *model)
{
	struct accel_slot_info slot;
	struct accel_region region;
	struct accel_tensor tensor;
	volatile uint64_t sum = 0;
	const uint8_t *program;
	uint32_t i, kind;
	size_t size;

	program = accel_model_program(model, &size);
	sum += program[size - 1];
	for (i = 0; !accel_model_slot(model, i, &slot); i++) {
		if (slot.data)
			sum += ((const uint8_t *)slot.data)[slot.data_size - 1];
		if (slot.size < slot.data_size)
			abort();
	}
	for (kind = ACCEL_INPUT; kind <= ACCEL_OUTPUT; kind++) {
		for (i = 0; !accel_model_tensor(model, kind, i, &tensor); i++) {
			sum += strlen(tensor.name);
			if (accel_model_slot(model, tensor.slot, &slot) ||
			    tensor.offset + tensor.bytes > slot.size)
				abort();
		}
	}
	for (i = 0; !accel_model_region(model, i, &region); i++)
		sum += strlen(region.name);
	(void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct rnd_file good = rnd_file_good();
	size_t length = sizeof(good), i;
	struct accel_error error;
	struct accel_model *model;
	uint8_t *file;

	for (i = 0; i + 4 <= size; i += 4)
		damage((uint8_t *)&good, &length, bytes + i);
	file = malloc(length ? length : 1);
	if (!file)
		return 0;
	memcpy(file, &good, length);
	if (!accel_model_parse(file, length, &model, &error)) {
		walk(model);
		accel_model_destroy(model);
	} else if (!error.text[0]) {
		abort();
	}
	free(file);
	return 0;
}
