// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/top/top.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* The major number of the accel subsystem's device files. */
enum { ACCEL_MAJOR = 261 };

static int by_device(const void *a, const void *b)
{
	const struct top_device *x = a, *y = b;

	return strverscmp(x->node, y->node);
}

static int by_process(const void *a, const void *b)
{
	const struct top_process *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* An array that grows: room for one element more at its end, all of it zero. */
static void *more(void **array, size_t *count, size_t size)
{
	char *grown = *array;

	if (!(*count & (*count - 1))) {
		grown = reallocarray(*array, *count ? *count * 2 : 1, size);
		if (!grown)
			return NULL;
		*array = grown;
	}
	return memset(grown + (*count)++ * size, 0, size);
}

/* ---- Files --------------------------------------------------------------------------------- */

/* The directory @name in the directory @at; NULL: there is none. */
static DIR *open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !directory)
		close(fd);
	return directory;
}

/* The text of the file @name in the directory @at; false: there is none. */
static bool read_text(int at, const char *name, char *text, size_t size)
{
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	*text = 0;
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

static void read_line(int at, const char *name, char *text, size_t size)
{
	read_text(at, name, text, size);
	text[strcspn(text, "\n")] = 0;
}

static u64 read_number(int at, const char *name)
{
	char text[32];

	return read_text(at, name, text, sizeof(text)) && isdigit((u8)*text) ?
		       strtoull(text, NULL, 10) :
		       TOP_UNKNOWN;
}

/* The last part of what the symbolic link @name says; empty: there is none. */
static void read_link(int at, const char *name, char *text, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(at, name, target, sizeof(target) - 1);
	const char *last;

	target[n > 0 ? n : 0] = 0;
	last = strrchr(target, '/');
	snprintf(text, size, "%.*s", (int)size - 1, last ? last + 1 : target);
}

/* ---- Devices ------------------------------------------------------------------------------- */

/* Energy of the first sensor that the device registered. */
static u64 read_energy(int device)
{
	DIR *directory = open_directory(device, "hwmon");
	u64 energy = TOP_UNKNOWN;
	struct dirent *entry;

	while (directory && energy == TOP_UNKNOWN && (entry = readdir(directory))) {
		DIR *sensor = *entry->d_name == '.' ?
				      NULL :
				      open_directory(dirfd(directory), entry->d_name);

		if (!sensor)
			continue;
		energy = read_number(dirfd(sensor), "energy1_input");
		closedir(sensor);
	}
	if (directory)
		closedir(directory);
	return energy;
}

static void read_device(struct top_device *d, int device)
{
	read_link(device, "driver", d->driver, sizeof(d->driver));
	read_line(device, "firmware_version", d->firmware, sizeof(d->firmware));
	d->busy_us = read_number(device, "busy_time_us");
	d->memory = read_number(device, "memory_bytes");
	d->energy_uj = read_energy(device);
}

/* The device behind the node @name of the directory @class. */
static int add_device(struct top_sample *s, int class, const char *name)
{
	struct top_device *d = more((void **)&s->devices, &s->device_count, sizeof(*d));
	char path[64];
	DIR *device;

	if (!d)
		return -ENOMEM;
	snprintf(d->node, sizeof(d->node), "%.31s", name);
	snprintf(path, sizeof(path), "%s/device", d->node);
	read_link(class, path, d->bus, sizeof(d->bus));
	device = open_directory(class, path);
	if (!device) { /* it has just gone */
		s->device_count--;
		return 0;
	}
	read_device(d, dirfd(device));
	closedir(device);
	return 0;
}

static int read_devices(struct top_sample *s, int sys)
{
	DIR *class = open_directory(sys, "class/accel");
	struct dirent *entry;
	int rc = 0;

	while (class && !rc && (entry = readdir(class))) {
		if (!strncmp(entry->d_name, "accel", 5) && isdigit((u8)entry->d_name[5]))
			rc = add_device(s, dirfd(class), entry->d_name);
	}
	if (class)
		closedir(class);
	if (s->device_count)
		qsort(s->devices, s->device_count, sizeof(*s->devices), by_device);
	return rc;
}

/* ---- Processes ----------------------------------------------------------------------------- */

/* A client of the kernel: one opening of a device file, which processes may share. */
struct client {
	u32 device;
	u64 id;
};

struct clients {
	struct client *seen;
	size_t count;
};

/* The device that descriptor @name of the directory @fds is a file of; -1: none. */
static int device_of(const struct top_sample *s, int fds, const char *name)
{
	char target[64];
	struct stat st;
	ssize_t n = readlinkat(fds, name, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = 0;
	/* The path tells most files from device files; but one of those may have any name. */
	if (strncmp(target, "/dev/", 5) != 0)
		return -1;
	if (strncmp(target, "/dev/accel/", 11) != 0) {
		if (fstatat(fds, name, &st, 0) || !S_ISCHR(st.st_mode) ||
		    major(st.st_rdev) != ACCEL_MAJOR)
			return -1;
		snprintf(target, sizeof(target), "/dev/accel/accel%u", minor(st.st_rdev));
	}
	for (size_t i = 0; i < s->device_count; i++)
		if (!strcmp(target + 11, s->devices[i].node))
			return (int)i;
	return -1;
}

/* A number of fdinfo in its base unit: bytes, or the unit that the key is documented in. */
static u64 number_of(const char *text)
{
	char *end;
	u64 value = strtoull(text, &end, 10);

	end += strspn(end, " \t");
	return value * (!strncmp(end, "KiB", 3) ? 1024 : !strncmp(end, "MiB", 3) ? 1 << 20 : 1);
}

/* Adds up what one client says of itself. */
struct usage {
	u64 id;
	u64 engine_ns, cycles, energy_nj, total, resident, purgeable;
};

static void take_line(struct usage *u, const char *key, const char *text)
{
	u64 value = number_of(text);

	if (!strcmp(key, "drm-client-id"))
		u->id = value;
	else if (!strncmp(key, "drm-engine-capacity-", 20))
		return;
	else if (!strncmp(key, "drm-engine-", 11))
		u->engine_ns = value > u->engine_ns ? value : u->engine_ns;
	else if (!strncmp(key, "drm-cycles-", 11))
		u->cycles = value > u->cycles ? value : u->cycles;
	else if (!strcmp(key, "rondo-energy-compute"))
		u->energy_nj = value;
	else if (!strncmp(key, "drm-total-", 10))
		u->total += value;
	else if (!strncmp(key, "drm-resident-", 13))
		u->resident += value;
	else if (!strncmp(key, "drm-purgeable-", 14))
		u->purgeable += value;
}

static bool read_usage(int infos, const char *name, struct usage *u)
{
	char text[4096], *line, *rest = text, *colon;

	*u = (struct usage){ .id = TOP_UNKNOWN };
	if (!read_text(infos, name, text, sizeof(text)))
		return false;
	while ((line = strsep(&rest, "\n"))) {
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon++ = 0;
		take_line(u, line, colon + strspn(colon, " \t"));
	}
	return true;
}

/* Whether the client of @device is new; what is shared counts for the process of the lowest number.
 */
static bool is_new(struct clients *clients, u32 device, u64 id, int *rc)
{
	struct client *c;
	size_t i;

	for (i = 0; i < clients->count; i++)
		if (clients->seen[i].device == device && clients->seen[i].id == id &&
		    id != TOP_UNKNOWN)
			return false;
	c = more((void **)&clients->seen, &clients->count, sizeof(*c));
	if (!c) {
		*rc = -ENOMEM;
		return false;
	}
	*c = (struct client){ device, id };
	return true;
}

/* The process @pid, whose directory is @at, as a user of @device: one of the last in the list. */
static struct top_process *process_of(struct top_sample *s, int at, u32 pid, u32 device)
{
	struct top_process *p;
	struct stat st;

	for (size_t i = s->process_count; i && s->processes[i - 1].pid == pid; i--)
		if (s->processes[i - 1].device == device)
			return &s->processes[i - 1];
	p = more((void **)&s->processes, &s->process_count, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->device = device;
	p->uid = fstat(at, &st) ? 0 : st.st_uid;
	read_line(at, "comm", p->command, sizeof(p->command));
	return p;
}

static int add_usage(struct top_process *p, const struct usage *u)
{
	if (!p)
		return -ENOMEM;
	p->engine_ns += u->engine_ns;
	p->cycles += u->cycles;
	p->energy_nj += u->energy_nj;
	p->total += u->total;
	p->resident += u->resident;
	p->purgeable += u->purgeable;
	return 0;
}

static int read_files(struct top_sample *s, struct clients *clients, int at, u32 pid)
{
	DIR *fds = open_directory(at, "fd"), *infos = fds ? open_directory(at, "fdinfo") : NULL;
	struct dirent *entry;
	struct usage usage;
	int device, rc = 0;

	s->hidden += !fds && errno == EACCES;
	while (infos && !rc && (entry = readdir(fds))) {
		device = device_of(s, dirfd(fds), entry->d_name);
		if (device >= 0 && read_usage(dirfd(infos), entry->d_name, &usage) &&
		    is_new(clients, (u32)device, usage.id, &rc))
			rc = add_usage(process_of(s, at, pid, (u32)device), &usage);
	}
	if (infos)
		closedir(infos);
	if (fds)
		closedir(fds);
	return rc;
}

static int is_number(const struct dirent *entry)
{
	return isdigit((u8)*entry->d_name);
}

static int read_processes(struct top_sample *s, const char *proc)
{
	struct clients clients = { 0 };
	struct dirent **pids = NULL;
	DIR *all = opendir(proc), *one;
	int n = all ? scandir(proc, &pids, is_number, versionsort) : 0, rc = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		one = rc ? NULL : open_directory(dirfd(all), pids[i]->d_name);
		if (one) {
			rc = read_files(s, &clients, dirfd(one),
					(u32)strtoul(pids[i]->d_name, NULL, 10));
			closedir(one);
		}
		free(pids[i]);
	}
	free(pids);
	free(clients.seen);
	if (all)
		closedir(all);
	if (s->process_count)
		qsort(s->processes, s->process_count, sizeof(*s->processes), by_process);
	return rc;
}

int top_read(const char *sys, const char *proc, struct top_sample *sample)
{
	DIR *root = opendir(sys);
	struct timespec t;
	int rc;

	*sample = (struct top_sample){ 0 };
	clock_gettime(CLOCK_MONOTONIC, &t);
	sample->time_ns = (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
	rc = root ? read_devices(sample, dirfd(root)) : 0;
	if (root)
		closedir(root);
	/* Without a device nobody uses one. */
	if (!rc && sample->device_count)
		rc = read_processes(sample, proc);
	if (rc)
		top_sample_fini(sample);
	return rc;
}

void top_sample_fini(struct top_sample *sample)
{
	free(sample->devices);
	free(sample->processes);
	*sample = (struct top_sample){ 0 };
}
