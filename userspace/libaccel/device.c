// SPDX-License-Identifier: MIT
/* Devices: opening, references, queries; and the texts of struct accel_error. */
#define _GNU_SOURCE /* MADV_WIPEONFORK */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/verify.h"
#include "userspace/libaccel/backend.h"

static_assert(ACCEL_MACHINE_BYTES == sizeof(struct rondo_machine),
	      "size of the machine description");

void accel_error_clear(struct accel_error *error)
{
	if (error)
		memset(error, 0, sizeof(*error));
}

void accel_error_set(struct accel_error *error, const char *fmt, ...)
{
	va_list ap;

	if (!error)
		return;
	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
}

int accel_fail(struct accel_error *error, int ret)
{
	if (error && !error->text[0])
		accel_error_set(error, "%s",
				ret == -EPERM ? "it belongs to the parent of this process" :
						strerror(-ret));
	return ret;
}

void accel_error_refusal(struct accel_error *error, u32 reason, u32 index, u32 slot)
{
	const struct rondo_verdict verdict = { reason, index, slot };

	if (!error)
		return;
	accel_error_clear(error);
	error->reason = reason;
	error->index = index;
	error->slot = slot;
	rondo_verdict_text(&verdict, error->text, sizeof(error->text));
}

static int page_bytes(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* A page that tells the process that made it from its children. */
static const volatile u8 *owner_page(void)
{
	u8 *page = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, page_bytes(), MADV_WIPEONFORK)) {
		munmap(page, page_bytes());
		return NULL;
	}
	*page = 1;
	return page;
}

/* Opens the first that can be opened. */
struct first {
	struct accel_device **device;
	struct accel_error *error;
	int ret; /* what the first of all gave */
};

static bool try_node(void *ctx, const char *class, const char *path)
{
	struct first *first = ctx;
	int ret = accel_drm_open(path, first->device);

	(void)class;
	if (ret && first->ret == -ENODEV) {
		first->ret = ret;
		accel_error_set(first->error, "%s: %s", path, accel_open_reason(ret));
	}
	if (!ret)
		first->ret = 0;
	return !ret;
}

/*
 * A device that cannot be opened is no reason not to look at the next. If all are so, the first
 * one's error is the answer, and @error names it; -ENODEV if there is none.
 */
int accel_open_first(const char *sysfs, const char *dev, struct accel_device **device,
		     struct accel_error *error)
{
	struct first first = { .device = device, .error = error, .ret = -ENODEV };

	accel_error_set(error, "there is no device");
	accel_each_node(sysfs, dev, try_node, &first);
	if (!first.ret)
		accel_error_clear(error);
	return first.ret;
}

/* The emulated device of the machine called @name. */
static int open_emulated(const char *name, struct accel_device **device, struct accel_error *error)
{
	struct rondo_machine machine;
	int ret = accel_machine_named(name, &machine, error);

	return ret ? ret : accel_local_open(&machine, device, error);
}

static int open_any(const char *name, struct accel_device **device, struct accel_error *error)
{
	int ret;

	if (!name)
		return accel_open_first(ACCEL_SYSFS, ACCEL_DEV, device, error);
	if (!strcmp(name, "emu"))
		return open_emulated(rondo_machine_name(RONDO_MACHINE_edge), device, error);
	if (!strncmp(name, "emu:", 4))
		return open_emulated(name + 4, device, error);
	ret = accel_drm_open(name, device);
	if (ret)
		accel_error_set(error, "%s", accel_open_reason(ret));
	return ret;
}

ACCEL_EXPORT int accel_device_open(const char *name, struct accel_device **device,
				   struct accel_error *error)
{
	ACCEL_KEEP_ERRNO;
	const volatile u8 *owner = owner_page();
	struct accel_device *opened;
	int ret;

	accel_error_clear(error);
	ret = owner ? open_any(name, &opened, error) : -ENOMEM;
	if (ret) {
		if (owner)
			munmap((void *)owner, page_bytes());
		return accel_fail(error, ret);
	}
	atomic_init(&opened->refs, 1);
	opened->owner = owner;
	*device = opened;
	return 0;
}

ACCEL_EXPORT int accel_open(const char *name, struct accel_device **device)
{
	return accel_device_open(name, device, NULL);
}

struct accel_device *accel_device_get(struct accel_device *device)
{
	atomic_fetch_add(&device->refs, 1);
	return device;
}

void accel_device_put(struct accel_device *device)
{
	const volatile u8 *owner = device->owner;

	if (atomic_fetch_sub(&device->refs, 1) > 1)
		return;
	device->ops->close(device);
	munmap((void *)owner, page_bytes());
}

ACCEL_EXPORT void accel_close(struct accel_device *device)
{
	ACCEL_KEEP_ERRNO;
	if (device && !accel_forked(device))
		accel_device_put(device);
}

ACCEL_EXPORT int accel_device_fd(struct accel_device *device)
{
	ACCEL_KEEP_ERRNO;
	return accel_forked(device) ? -EPERM : device->ops->fd(device);
}

ACCEL_EXPORT int accel_device_info(struct accel_device *device, struct accel_info *info,
				   size_t size)
{
	if (accel_forked(device))
		return -EPERM;
	memset(info, 0, size);
	memcpy(info, &device->info, size < sizeof(*info) ? size : sizeof(*info));
	return 0;
}

ACCEL_EXPORT int accel_device_machine(struct accel_device *device, void *machine, size_t size)
{
	if (accel_forked(device))
		return -EPERM;
	if (size != sizeof(device->machine))
		return -EINVAL;
	memcpy(machine, &device->machine, size);
	return 0;
}

ACCEL_EXPORT int accel_device_clock(struct accel_device *device, struct accel_clock *clock)
{
	ACCEL_KEEP_ERRNO;
	return accel_forked(device) ? -EPERM : device->ops->clock(device, clock);
}
