// SPDX-License-Identifier: MIT
/* Which devices there are: nodes of the kernel's driver, and machines that can be emulated. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/verify.h"
#include "userspace/libaccel/backend.h"

/* Whether the accel node at @class, a directory of sysfs, is of our driver. */
static bool is_ours(const char *class)
{
	char link[PATH_MAX], driver[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "%s/device/driver", class);
	n = readlink(link, driver, sizeof(driver) - 1);
	if (n < 0)
		return false;
	driver[n] = 0;
	name = strrchr(driver, '/');
	return !strcmp(name ? name + 1 : driver, ACCEL_DRM_DRIVER);
}

const char *accel_open_reason(int ret)
{
	return ret == -ENOTSUP ? "not a device of this driver, or of a version that is not known" :
				 strerror(-ret);
}

void accel_each_node(const char *sysfs, const char *dev, accel_node_visitor visit, void *ctx)
{
	char pattern[PATH_MAX], path[PATH_MAX];
	bool done = false;
	glob_t found;
	char **node;

	snprintf(pattern, sizeof(pattern), "%s/accel*", sysfs);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (node = found.gl_pathv; *node && !done; node++) {
		if (!is_ours(*node))
			continue;
		snprintf(path, sizeof(path), "%s%s", dev, strrchr(*node, '/'));
		done = visit(ctx, *node, path);
	}
	globfree(&found);
}

int accel_machine_named(const char *name, struct rondo_machine *machine, struct accel_error *error)
{
	u32 id = rondo_machine_named(name);

	if (id == RONDO_MACHINES) {
		accel_error_set(error, "there is no machine of this name");
		return -ENOENT;
	}
	rondo_machine_init(machine, id);
	if (!rondo_machine_supported(machine)) {
		accel_error_set(error, "%s", rondo_error_text(RONDO_ERR_MACHINE_UNSUPPORTED));
		return -ENOTSUP;
	}
	return 0;
}

/* The caller's array, and how much of it is in use. */
struct list {
	u8 *entries;
	size_t size;
	u32 room, count;
};

static void add_entry(struct list *list, const struct accel_device_entry *entry)
{
	u8 *to = list->entries + list->count * list->size;

	if (list->count++ >= list->room)
		return;
	memset(to, 0, list->size);
	memcpy(to, entry, list->size < sizeof(*entry) ? list->size : sizeof(*entry));
}

static void set_reason(struct accel_device_entry *entry, int ret, const char *text)
{
	entry->error = ret;
	snprintf(entry->text, sizeof(entry->text), "%s", text);
}

static void set_machine(struct accel_device_entry *entry, u64 hash)
{
	struct rondo_machine machine;
	u32 id;

	entry->machine_hash = hash;
	for (id = 0; id < RONDO_MACHINES; id++) {
		rondo_machine_init(&machine, id);
		if (rondo_machine_hash(&machine) == hash)
			snprintf(entry->machine, sizeof(entry->machine), "%s",
				 rondo_machine_name(id));
	}
}

/* The firmware's version as the driver tells it to everybody; 0: it does not. */
static u32 firmware_of(const char *class)
{
	unsigned int major = 0, minor = 0;
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/device/firmware_version", class);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%u.%u", &major, &minor) != 2)
		major = minor = 0;
	fclose(f);
	return major << 16 | minor;
}

static bool add_node(void *ctx, const char *class, const char *path)
{
	struct accel_device_entry entry = { .backend = "drm" };
	struct accel_device *device;
	int ret = accel_drm_open(path, &device);

	snprintf(entry.name, sizeof(entry.name), "%s", path);
	entry.firmware = firmware_of(class);
	if (ret) {
		set_reason(&entry, ret, accel_open_reason(ret));
	} else {
		set_machine(&entry, device->info.machine_hash);
		entry.driver = device->driver;
		entry.firmware = device->info.firmware;
		device->ops->close(device);
	}
	add_entry(ctx, &entry);
	return false;
}

static void add_emulated(struct list *list, const char *name)
{
	struct accel_device_entry entry = { .backend = "emu" };
	struct accel_error error = { .text = "" };
	struct rondo_machine machine;
	int ret = accel_machine_named(name, &machine, &error);

	snprintf(entry.name, sizeof(entry.name), "emu:%s", name);
	snprintf(entry.machine, sizeof(entry.machine), "%s", name);
	entry.firmware = accel_local_firmware();
	if (!ret) {
		entry.machine_hash = rondo_machine_hash(&machine);
		ret = accel_local_fits(&machine, &error);
	}
	if (ret)
		set_reason(&entry, ret, error.text);
	add_entry(list, &entry);
}

int accel_list(const char *sysfs, const char *dev, struct accel_device_entry *entries, size_t size,
	       u32 *count)
{
	struct list list = { .entries = (u8 *)entries, .size = size, .room = *count };
	u32 id;

	accel_each_node(sysfs, dev, add_node, &list);
	for (id = 0; id < RONDO_MACHINES; id++)
		add_emulated(&list, rondo_machine_name(id));
	*count = list.count;
	return 0;
}

ACCEL_EXPORT int accel_devices(struct accel_device_entry *entries, size_t size, uint32_t *count)
{
	ACCEL_KEEP_ERRNO;
	return accel_list(ACCEL_SYSFS, ACCEL_DEV, entries, size, count);
}
