// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A program with names that libaccel has inside: for library_static_test. */
#include <accel.h>
#include <stdio.h>

int dma_start(int channel);
int rondo_encode(void);
int emu_create(void);

int dma_start(int channel)
{
	return channel + 1;
}

int rondo_encode(void)
{
	return 3;
}

int emu_create(void)
{
	return 4;
}

int main(void)
{
	struct accel_device *device;
	struct accel_error error;
	int ret = accel_device_open("emu", &device, &error);

	printf("%d %d %d %d\n", ret, dma_start(1), rondo_encode(), emu_create());
	accel_close(device);
	return 0;
}
