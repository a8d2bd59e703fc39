// SPDX-License-Identifier: MIT
/* Runs a model once on the first device: cc example.c $(pkg-config --cflags --libs libaccel) */
#include <accel.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct accel_device *device;
	struct accel_model *model;
	struct accel_program *program;
	struct accel_binding *binding;
	struct accel_queue *queue;
	struct accel_fence *fence;
	struct accel_slot_info info;
	struct accel_slot_binding slots[64] = {};
	struct accel_error error;
	void *memory;
	size_t size;

	if (argc < 2)
		return puts("usage: example FILE.rnd [DEVICE]"), 2;
	if (accel_device_open(argv[2], &device, &error) ||
	    accel_model_load(argv[1], &model, &error))
		return puts(error.text), 1;
	const void *code = accel_model_program(model, &size);
	if (accel_program_create(device, code, size, 0, &program, &error))
		return puts(error.text), 1;
	for (uint32_t i = 0; !accel_model_slot(model, i, &info); i++) {
		if (!info.size)
			continue;
		if (accel_buffer_create(device, info.size, &slots[i].buffer) ||
		    accel_buffer_map(slots[i].buffer, &memory))
			return 1;
		memcpy(memory, info.data ? info.data : "", info.data_size);
	}
	if (accel_binding_create(program, slots, accel_model_slot_count(model), &binding, &error) ||
	    accel_queue_create(device, ACCEL_WEIGHT_DEFAULT, &queue) ||
	    accel_replay(queue, binding, &fence) || accel_fence_wait(fence, ACCEL_FOREVER))
		return 1;
	printf("%llu cycles\n", (unsigned long long)accel_program_cycles(program));
	return accel_close(device), 0;
}
