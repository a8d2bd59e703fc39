// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Which device is opened when none is named: a tree like sysfs, and files like its devices. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "core/machine.h"
#include "spec/fw_abi.h"
#include "tests/tap.h"
#include "userspace/libaccel/backend.h"

static char top[] = "/tmp/rondo-choice-XXXXXX";

/* A node accel@n of driver @driver (NULL: of none), whose file is of a kind by @file. */
static void node(int n, const char *driver, const char *file)
{
	char path[PATH_MAX], to[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/class/accel%d", top, n);
	mkdir(path, 0755);
	strcat(path, "/device");
	mkdir(path, 0755);
	strcat(path, "/driver");
	snprintf(to, sizeof(to), "../../../../bus/pci/drivers/%s", driver ? driver : "");
	if (driver && symlink(to, path))
		tap_ok(false, "a link for the test");
	snprintf(path, sizeof(path), "%s/dev/accel%d", top, n);
	if (!strcmp(file, "fifo")) {
		mkfifo(path, 0600);
	} else if (!strcmp(file, "file")) {
		f = fopen(path, "w");
		if (f)
			fclose(f);
	} else if (file[0] == '/' && symlink(file, path)) {
		tap_ok(false, "a link for the test");
	}
}

/* What the driver tells everybody of node accel@n. */
static void firmware(int n, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/class/accel%d/device/firmware_version", top, n);
	f = fopen(path, "w");
	if (!f)
		return;
	fputs(text, f);
	fclose(f);
}

static dev_t opened; /* what the last choose() opened, and closed again */

static int choose(struct accel_error *error)
{
	struct accel_device *device = NULL;
	struct stat st = { 0 };
	char class[PATH_MAX], dev[PATH_MAX];
	int ret;

	snprintf(class, sizeof(class), "%s/class", top);
	snprintf(dev, sizeof(dev), "%s/dev", top);
	accel_error_clear(error);
	ret = accel_open_first(class, dev, &device, error);
	tap_ok(!device == !!ret, "a device is opened if there is no error");
	if (device) {
		fstat(device->ops->fd(device), &st);
		device->ops->close(device);
	}
	opened = st.st_rdev;
	return ret;
}

/* What libdrm says of the driver behind a file. */
static drmVersion version = { .name = (char *)"rondo" };

drmVersionPtr drmGetVersion(int fd)
{
	(void)fd;
	return &version;
}

void drmFreeVersion(drmVersionPtr v)
{
	(void)v;
}

/* And how it answers ioctls. */
static bool answers;

int drmIoctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)request;
	(void)arg;
	errno = ENOTTY;
	return answers ? 0 : -1;
}

/* Only a file of the driver called rondo is asked anything, and only in the version we know. */
static void test_versions(void)
{
	struct accel_device *device = (void *)8;
	struct accel_error error;

	version.version_major = 2;
	tap_eq(accel_device_open("/dev/null", &device, &error), -ENOTSUP, "a later driver");
	version.version_major = 0;
	tap_eq(accel_device_open("/dev/null", &device, &error), -ENOTSUP, "an earlier one");
	version = (drmVersion){ .name = (char *)"rondo2", .version_major = 1 };
	tap_eq(accel_device_open("/dev/null", &device, &error), -ENOTSUP, "another one");
	tap_ok(!strncmp(error.text, "not a device of this driver", 27), "in words: %s", error.text);
	version.name = (char *)"rondo";
	tap_eq(accel_device_open("/dev/null", &device, &error), -ENOTTY, "ours is asked");
	tap_ok(error.text[0] && device == (void *)8, "and answers in words: %s", error.text);
}

/* The first that can be opened, behind some that cannot. */
static void test_opened(void)
{
	struct accel_error error;
	struct stat null, zero;

	node(4, "rondo", "/dev/null");
	node(5, "rondo", "/dev/zero");
	tap_eq(choose(&error), -EISDIR, "two more that do not answer");
	answers = true;
	version.version_major = 1;
	tap_ok(!stat("/dev/null", &null) && !stat("/dev/zero", &zero) &&
		       null.st_rdev != zero.st_rdev,
	       "files of two devices");
	tap_ok(!choose(&error) && opened == null.st_rdev, "the first one that does is opened");
	tap_ok(!error.text[0], "then nothing is said of those before");
	tap_eq(choose(NULL), 0, "or asked");
	answers = false;
}

/* All of them are listed, and behind them what can be emulated. */
static void test_list(void)
{
	struct accel_device_entry entry[16];
	struct accel_device_entry *emulated = NULL;
	struct rondo_machine edge;
	char class[PATH_MAX], dev[PATH_MAX];
	u32 count = 16, less = 1, none = 0, i;
	u64 small[2] = { 0, 77 };

	answers = true;
	version.version_minor = 2;
	snprintf(class, sizeof(class), "%s/class", top);
	snprintf(dev, sizeof(dev), "%s/dev", top);
	memset(entry, 0x55, sizeof(entry));
	tap_eq(accel_list(class, dev, entry, sizeof(entry[0]), &count), 0, "the list");
	tap_eq(count, 4 + RONDO_MACHINES, "has our nodes and all machines, and no others");
	for (i = 0; i < 4; i++)
		tap_ok(strstr(entry[i].name, "/dev/accel") && !strcmp(entry[i].backend, "drm") &&
			       entry[i].name[strlen(entry[i].name) - 1] == '2' + (char)i,
		       "%s: %s", entry[i].name, entry[i].text);
	tap_ok(entry[0].error == -EISDIR && entry[1].error == -ENOTSUP && entry[0].text[0] &&
		       !entry[0].machine[0] && !entry[0].driver,
	       "of those that cannot be opened, why");
	tap_eq(entry[0].firmware, 1 << 16 | 3, "and what everybody may know");
	tap_ok(!entry[2].error && !entry[2].text[0] && entry[2].driver == (1 << 16 | 2),
	       "of those that can, the driver");
	for (i = 4; i < count; i++)
		if (!strcmp(entry[i].name, "emu:edge"))
			emulated = &entry[i];
	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	tap_ok(emulated && !emulated->error && !strcmp(emulated->machine, "edge") &&
		       !strcmp(emulated->backend, "emu") &&
		       emulated->machine_hash == rondo_machine_hash(&edge) &&
		       emulated->firmware == RONDO_FW_VERSION && !emulated->driver,
	       "and of an emulated one its machine and firmware");
	accel_list(class, dev, entry, sizeof(entry[0]), &less);
	accel_list(class, dev, NULL, sizeof(entry[0]), &none);
	tap_ok(less == count && none == count, "without room for all it is as long");
	less = 1;
	accel_list(class, dev, (void *)small, 8, &less);
	tap_ok(!memcmp(small, entry[0].name, 8) && small[1] == 77,
	       "an earlier caller gets what it knows");
	answers = false;
}

/* As somebody who may not: the reason is told. */
static void test_no_right(void)
{
	char path[PATH_MAX];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/dev/accel3", top);
	chmod(path, 0);
	chmod(top, 0755);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct accel_device *device;
		struct accel_error error;
		int ret;

		if (!geteuid() && setuid(65534))
			_exit(2);
		ret = accel_device_open(path, &device, &error);
		_exit(ret == -EACCES && strstr(error.text, "Permission denied") ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status), "a file that the user may not open");
}

int main(void)
{
	struct accel_error error;
	char path[PATH_MAX];

	if (!mkdtemp(top))
		return 1;
	tap_eq(choose(&error), -ENODEV, "without sysfs there is no device");
	snprintf(path, sizeof(path), "%s/class", top);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/dev", top);
	mkdir(path, 0755);
	tap_eq(choose(&error), -ENODEV, "without a node neither");
	tap_ok(!strcmp(error.text, "there is no device"), "which is said");
	node(0, "qaic", "file");
	node(1, NULL, "file");
	tap_ok(choose(&error) == -ENODEV && !strcmp(error.text, "there is no device"),
	       "nodes of another driver, or of none, are not looked at");
	node(2, "rondo", "none");
	firmware(2, "1.3\n");
	tap_eq(choose(&error), -ENOENT, "a node of ours without a file is the reason");
	tap_ok(strstr(error.text, "/dev/accel2: No such file") != NULL, "named: %s", error.text);
	node(3, "rondo", "file");
	tap_eq(choose(&error), -ENOENT, "the first of two");
	snprintf(path, sizeof(path), "%s/dev/accel2", top);
	mkdir(path, 0755);
	tap_ok(choose(&error) == -EISDIR && strstr(error.text, "/dev/accel2: ") != NULL,
	       "a directory is no device: %s", error.text);
	test_opened();
	test_list();
	test_no_right();
	test_versions();
	snprintf(path, sizeof(path), "rm -r %s", top);
	return system(path) ? 1 : tap_done();
}
