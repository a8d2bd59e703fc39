// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "emulator/exec/host_memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A version of control groups: where they are, and their files' names. */
struct group_files {
	const char *mount, *limit, *used;
	const char *cache[2]; /* lines of memory.stat: what can be reclaimed */
};

static const struct group_files version1 = {
	.mount = "/sys/fs/cgroup/memory",
	.limit = "memory.limit_in_bytes",
	.used = "memory.usage_in_bytes",
	.cache = { "total_active_file", "total_inactive_file" },
};

static const struct group_files version2 = {
	.mount = "/sys/fs/cgroup",
	.limit = "memory.max",
	.used = "memory.current",
	.cache = { "active_file", "inactive_file" },
};

/* Files below a directory that is put together of three parts. */
struct place {
	const char *root, *mount, *path;
};

static FILE *open_file(const struct place *at, const char *name)
{
	char full[2 * PATH_MAX];
	int length;

	length = snprintf(full, sizeof(full), "%s%s%s/%s", at->root, at->mount, at->path, name);
	return length < 0 || (size_t)length >= sizeof(full) ? NULL : fopen(full, "r");
}

/*
 * The number after @key, which begins a line, in a file; without @key number @index of its first
 * line. False if there is none.
 */
static bool read_number(const struct place *at, const char *name, const char *key, u32 index,
			u64 *value)
{
	size_t length = key ? strlen(key) : 0;
	FILE *f = open_file(at, name);
	char line[256], *end;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *number = line + length;

		if (key && (strncmp(line, key, length) || !strchr(": ", line[length])))
			continue;
		number += key && *number == ':';
		do {
			*value = strtoull(number, &end, 10);
			found = end != number;
			number = end;
		} while (found && index--);
		if (!key)
			break;
	}
	if (f)
		fclose(f);
	return found;
}

static void lower(struct host_memory *memory, u64 limit, u64 used, const char *of)
{
	u64 left = limit > used ? limit - used : 0;

	if (left < memory->bytes)
		*memory = (struct host_memory){ left, of };
}

static void lower_to_group(struct host_memory *memory, const struct place *group,
			   const struct group_files *files)
{
	u64 limit, used, cache, reclaimable = 0;
	u32 i;

	/* "max" is no number. */
	if (!read_number(group, files->limit, NULL, 0, &limit) ||
	    !read_number(group, files->used, NULL, 0, &used))
		return;
	for (i = 0; i < 2; i++)
		if (read_number(group, "memory.stat", files->cache[i], 0, &cache))
			reclaimable += cache;
	lower(memory, limit, used > reclaimable ? used - reclaimable : 0, "the control group");
}

/* The group called @path and those around it. Inside a container they may not be in sight. */
static void lower_to_groups(struct host_memory *memory, const char *root, char *path,
			    const struct group_files *files)
{
	const struct place group = { root, files->mount, path };
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		if (slash[1])
			lower_to_group(memory, &group, files);
		*slash = '\0';
	}
	lower_to_group(memory, &group, files);
}

/* Whether the list @names, separated by commas, has "memory". */
static bool controls_memory(char *names)
{
	char *name, *rest = names;

	while ((name = strsep(&rest, ",")))
		if (!strcmp(name, "memory"))
			return true;
	return false;
}

/* A line of /proc/self/cgroup: number, controllers and path, between colons. */
static void lower_to_line(struct host_memory *memory, const char *root, char *line)
{
	char *path = line, *number = strsep(&path, ":"), *controllers = strsep(&path, ":");

	if (!path)
		return;
	path[strcspn(path, "\n")] = '\0';
	if (!strcmp(number, "0") && !*controllers)
		lower_to_groups(memory, root, path, &version2);
	else if (controls_memory(controllers))
		lower_to_groups(memory, root, path, &version1);
}

struct host_memory host_memory_of(const char *root, u64 address_space)
{
	const struct place proc = { root, "/proc", "" }, self = { root, "/proc", "/self" };
	struct host_memory memory = { UINT64_MAX, "the host" };
	char line[PATH_MAX + 256];
	u64 value;
	FILE *f;

	if (read_number(&proc, "meminfo", "MemAvailable", 0, &value))
		lower(&memory, value << 10, 0, "the host");
	f = open_file(&self, "cgroup");
	while (f && fgets(line, sizeof(line), f))
		lower_to_line(&memory, root, line);
	if (f)
		fclose(f);
	/* The second number of statm: pages that are resident. */
	if (!read_number(&self, "statm", NULL, 1, &value))
		value = 0;
	if (address_space != UINT64_MAX)
		lower(&memory, address_space, value * (u64)sysconf(_SC_PAGESIZE), "the process");
	return memory;
}

/* RLIMIT_AS, UINT64_MAX if there is none. */
static u64 address_space_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

u64 host_address_space(void)
{
	const struct place self = { "", "/proc", "/self" };
	u64 limit = address_space_limit(), used;

	if (limit == UINT64_MAX)
		return limit;
	/* The first number of statm: pages that are mapped. */
	if (!read_number(&self, "statm", NULL, 0, &used))
		used = 0;
	used *= (u64)sysconf(_SC_PAGESIZE);
	return limit > used ? limit - used : 0;
}

struct host_memory host_memory_available(void)
{
	return host_memory_of("", address_space_limit());
}
