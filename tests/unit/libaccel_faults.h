/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The fault interface (emulator/device/faults.def) of the device behind libaccel: of the one in
 * the process, or in the guest by BAR 4 of the PCI device, as root. Nothing here sleeps and hopes.
 */
#ifndef TESTS_LIBACCEL_FAULTS_H
#define TESTS_LIBACCEL_FAULTS_H

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulator/emulator.h"
#include "tests/unit/libaccel_rig.h"
#include "userspace/libaccel/local.h"

static inline void rig_give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The number in file @name of the PCI device at @path. */
static inline unsigned long rig_pci_number(const char *path, const char *name)
{
	char file[300], text[32] = "";
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	f = fopen(file, "r");
	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = 0;
		fclose(f);
	}
	return strtoul(text, NULL, 16);
}

/* The sysfs directory of the Rondo device. */
static inline const char *rig_pci_path(void)
{
	static char path[256];
	glob_t found;
	size_t i;

	if (path[0] || glob("/sys/bus/pci/devices/*", 0, NULL, &found))
		return path;
	for (i = 0; i < found.gl_pathc && !path[0]; i++)
		if (rig_pci_number(found.gl_pathv[i], "vendor") == RONDO_PCI_VENDOR &&
		    rig_pci_number(found.gl_pathv[i], "device") == RONDO_PCI_DEVICE)
			snprintf(path, sizeof(path), "%s", found.gl_pathv[i]);
	globfree(&found);
	return path;
}

static inline volatile u32 *rig_fault_bar(void)
{
	static volatile u32 *bar;
	char name[300];
	void *map;
	int fd;

	if (bar)
		return bar;
	snprintf(name, sizeof(name), "%s/resource%d", rig_pci_path(), RONDO_BAR_FAULTS);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		rig_give_up(name);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		rig_give_up(name);
	close(fd);
	bar = map;
	return bar;
}

/* Sets fault @name. */
static inline void rig_fault(struct rig *r, const char *name, u32 value)
{
	enum emu_fault fault = emu_fault_find(name);

	if (fault == EMU_FAULTS)
		tap_ok(false, "there is a fault called %s", name);
	else if (rig_emulated())
		accel_local_fault(r->device, name, value);
	else
		rig_fault_bar()[fault] = value;
}

/* How often it has acted. */
static inline u32 rig_fault_hits(struct rig *r, const char *name)
{
	if (rig_emulated())
		return accel_local_fault_hits(r->device, name);
	return rig_fault_bar()[EMU_FAULT_HITS / 4 + emu_fault_find(name)];
}

/* Waits until it has acted more often than @hits. */
static inline void rig_fault_wait(struct rig *r, const char *name, u32 hits)
{
	while (rig_fault_hits(r, name) <= hits)
		poll(NULL, 0, 1);
}

static inline void rig_write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		rig_give_up(name);
	close(fd);
}

/* Announces a line of the kernel's log at warning level or above; there is one per announcement. */
static inline void rig_expect(const char *regex)
{
	char line[256];

	if (rig_emulated())
		return;
	snprintf(line, sizeof(line), "<1>expect: rondo .*%s", regex);
	rig_write_file("/dev/kmsg", line);
}

/* Unbinds the driver from the device and binds it again, which cures one that is dead or gone. */
static inline void rig_rebind(void)
{
	const char *name = strrchr(rig_pci_path(), '/') + 1;

	if (rig_emulated())
		return;
	rig_write_file("/sys/bus/pci/drivers/rondo/unbind", name);
	rig_write_file("/sys/bus/pci/drivers/rondo/bind", name);
}

#endif
