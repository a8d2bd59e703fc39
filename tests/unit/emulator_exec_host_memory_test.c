// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The least of the limits on a host's memory, in directories that look like other hosts.
 */
#include <ftw.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulator/exec/host_memory.h"
#include "tests/tap.h"

static char root[] = "/tmp/rondo-host-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256], *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (slash = path + sizeof(root); (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(path, 0700);
	}
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f)) {
		printf("Bail out! %s cannot be written\n", path);
		exit(EXIT_FAILURE);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void clear(void)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	mkdir(root, 0700);
}

static void expect(u64 address_space, u64 bytes, const char *of, const char *what)
{
	struct host_memory memory = host_memory_of(root, address_space);

	if (!tap_ok(memory.bytes == bytes && !strcmp(memory.of, of), "%s", what))
		printf("# %s has %llu, expected %s and %llu\n", memory.of,
		       (unsigned long long)memory.bytes, of, (unsigned long long)bytes);
}

static void test_host(void)
{
	clear();
	expect(UINT64_MAX, UINT64_MAX, "the host", "a host that says nothing");
	put("proc/meminfo", "MemTotal:     9000 kB\nMemAvailableToo: 1 kB\n"
			    "MemAvailable:     8000 kB\n");
	expect(UINT64_MAX, 8000 << 10, "the host", "what is available");
	put("proc/self/cgroup", "nonsense\n\n7:\n0::\n");
	expect(UINT64_MAX, 8000 << 10, "the host", "lines that are none");
}

static void test_address_space(void)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);

	clear();
	put("proc/meminfo", "MemAvailable: 8000 kB\n");
	expect(4 << 20, 4 << 20, "the process", "a limit on address space");
	put("proc/self/statm", "99999 100 30 1 0 50 0\n");
	expect(4 << 20, (4 << 20) - 100 * page, "the process", "less what is resident");
	expect(page, 0, "the process", "more is resident than allowed");
	expect(1ull << 40, 8000 << 10, "the host", "a limit that is no limit");
}

static void test_version2(void)
{
	clear();
	put("proc/meminfo", "MemAvailable: 8000 kB\n");
	put("proc/self/cgroup", "0::/a.slice/b:c\n");
	expect(UINT64_MAX, 8000 << 10, "the host", "version 2: a group out of sight");
	put("sys/fs/cgroup/a.slice/b:c/memory.max", "max\n");
	put("sys/fs/cgroup/a.slice/b:c/memory.current", "1000000\n");
	expect(UINT64_MAX, 8000 << 10, "the host", "version 2: a group without limit");
	put("sys/fs/cgroup/a.slice/b:c/memory.max", "5000000\n");
	expect(UINT64_MAX, 4000000, "the control group", "version 2: a limit, less what is used");
	put("sys/fs/cgroup/a.slice/b:c/memory.stat",
	    "anon 500000\nfile 450000\nactive_file 300000\ninactive_file 100000\n");
	expect(UINT64_MAX, 4400000, "the control group", "version 2: caches can be had back");
	put("sys/fs/cgroup/a.slice/memory.max", "3000000\n");
	put("sys/fs/cgroup/a.slice/memory.current", "1000000\n");
	expect(UINT64_MAX, 2000000, "the control group", "version 2: the group around it has less");
	put("sys/fs/cgroup/memory.max", "1500000\n");
	put("sys/fs/cgroup/memory.current", "1000000\n");
	expect(UINT64_MAX, 500000, "the control group", "version 2: a container's root has less");
	put("sys/fs/cgroup/memory.current", "2000000\n");
	expect(UINT64_MAX, 0, "the control group", "version 2: it is full");
}

static void test_version1(void)
{
	clear();
	put("proc/meminfo", "MemAvailable: 8000 kB\n");
	put("proc/self/cgroup",
	    "3:cpu,cpuacct:/x\n2:memory_too:/x\n1:memory,freezer:/x/y\n0::/x\n");
	put("sys/fs/cgroup/memory/x/y/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/memory/x/y/memory.usage_in_bytes", "1000000\n");
	expect(UINT64_MAX, 8000 << 10, "the host", "version 1: a group without limit");
	put("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "5000000\n");
	put("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "1000000\n");
	expect(UINT64_MAX, 4000000, "the control group", "version 1: the group around it has less");
	put("sys/fs/cgroup/memory/x/memory.stat",
	    "active_file 1\ntotal_active_file 300000\ntotal_inactive_file 100000\n");
	expect(UINT64_MAX, 4400000, "the control group", "version 1: caches can be had back");
	put("sys/fs/cgroup/memory/x/y/memory.limit_in_bytes", "2000000\n");
	expect(UINT64_MAX, 1000000, "the control group", "version 1: the group itself has less");
	expect(1 << 19, 1 << 19, "the process", "and the process still less");
}

/* The real thing: whatever it says, it says something that can be. */
static void test_here(void)
{
	struct host_memory here = host_memory_available();

	tap_ok(here.bytes > 1 << 20, "this host has %.1f GiB, by what %s has", here.bytes * 0x1p-30,
	       here.of);
}

/* What a limit on address space leaves, for memory and for mappings. */
static void test_limit_here(void)
{
	enum { LEFT = 1 << 30, NEAR = 64 << 20 };
	struct host_memory memory;
	struct rlimit was, limit;
	u64 before, after, none, reserved, pages = 0;
	FILE *f;

	getrlimit(RLIMIT_AS, &was);
	limit = was;
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_AS, &limit);
	none = host_address_space();
	f = fopen("/proc/self/statm", "r");
	tap_ok(f && fscanf(f, "%" SCNu64, &pages) == 1, "what is mapped");
	if (f)
		fclose(f);
	before = pages * (u64)sysconf(_SC_PAGESIZE);
	limit.rlim_cur = before + LEFT;
	setrlimit(RLIMIT_AS, &limit);
	after = host_address_space();
	memory = host_memory_available();
	limit.rlim_cur = before / 2;
	setrlimit(RLIMIT_AS, &limit);
	reserved = host_address_space();
	setrlimit(RLIMIT_AS, &was);
	tap_eq(none, UINT64_MAX, "no limit on address space");
	tap_ok(after <= LEFT && after >= LEFT - NEAR, "one leaves what is not mapped yet");
	tap_ok(memory.bytes <= before + LEFT, "and no more memory: %.1f GiB, by what %s has",
	       memory.bytes * 0x1p-30, memory.of);
	tap_eq(reserved, 0, "more is mapped than allowed");
}

int main(void)
{
	if (!mkdtemp(root)) {
		printf("Bail out! no directory\n");
		return EXIT_FAILURE;
	}
	test_host();
	test_address_space();
	test_version2();
	test_version1();
	test_here();
	test_limit_here();
	clear();
	rmdir(root);
	return tap_done();
}
