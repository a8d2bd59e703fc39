// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What container engines are told of a machine: of nodes in a tree like sysfs, those of our driver.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"
#include "tools/cdi.h"
#include "userspace/libaccel/backend.h"

enum { ROOM = 32 };

static char sysfs[] = "/tmp/rondo-cdi-XXXXXX";

/* A node accel@n of @driver; its file is nowhere. */
static void node(int n, const char *driver)
{
	char path[PATH_MAX], to[PATH_MAX];

	snprintf(path, sizeof(path), "%s/accel%d", sysfs, n);
	mkdir(path, 0755);
	strcat(path, "/device");
	mkdir(path, 0755);
	strcat(path, "/driver");
	snprintf(to, sizeof(to), "../../../../bus/pci/drivers/%s", driver);
	if (symlink(to, path))
		tap_ok(false, "a link for the test");
}

static void forget(int n)
{
	char path[PATH_MAX];
	size_t size = sizeof(path);

	snprintf(path, size, "%s/accel%d/device/driver", sysfs, n);
	unlink(path);
	snprintf(path, size, "%s/accel%d/device", sysfs, n);
	rmdir(path);
	snprintf(path, size, "%s/accel%d", sysfs, n);
	rmdir(path);
}

static u32 printed(char *text, size_t size)
{
	static struct accel_device_entry entries[ROOM];
	u32 count = ROOM, nodes;
	FILE *out = fmemopen(text, size, "w");

	memset(text, 0, size);
	accel_list(sysfs, "/dev/accel", entries, sizeof(entries[0]), &count);
	nodes = cdi_print(out, entries, count);
	fclose(out);
	return nodes;
}

int main(void)
{
	char text[2048];

	if (!mkdtemp(sysfs))
		return 1;
	tap_ok(!printed(text, sizeof(text)) && !text[0], "without a device nothing is printed");
	node(1, "other");
	tap_ok(!printed(text, sizeof(text)) && !text[0], "nor of another driver's");
	node(900, "rondo");
	node(902, "rondo");
	tap_eq(printed(text, sizeof(text)), 2, "two of our driver's");
	tap_ok(!strcmp(text, "{\n"
			     "  \"cdiVersion\": \"0.3.0\",\n"
			     "  \"kind\": \"rondo/accel\",\n"
			     "  \"devices\": [\n"
			     "    {\"name\": \"accel900\", \"containerEdits\": {\"deviceNodes\": "
			     "[{\"path\": \"/dev/accel/accel900\", \"permissions\": \"rw\"}]}},\n"
			     "    {\"name\": \"accel902\", \"containerEdits\": {\"deviceNodes\": "
			     "[{\"path\": \"/dev/accel/accel902\", \"permissions\": \"rw\"}]}},\n"
			     "    {\"name\": \"all\", \"containerEdits\": {\"deviceNodes\": "
			     "[{\"path\": \"/dev/accel/accel900\", \"permissions\": \"rw\"}, "
			     "{\"path\": \"/dev/accel/accel902\", \"permissions\": \"rw\"}]}}\n"
			     "  ]\n"
			     "}\n"),
	       "each by its name, and all together");
	forget(1);
	forget(900);
	forget(902);
	rmdir(sysfs);
	return tap_done();
}
