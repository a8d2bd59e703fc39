// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What is told of the device and its users outside of the device file: fdinfo, sysfs, hwmon,
 * debugfs, trace events. And to whom.
 */
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kselftest/harness.h"
#include "tests/kselftest/rig.h"

#define TRACING "/sys/kernel/tracing/"

enum { UID = 1000 };

FIXTURE(report)
{
	int fd;
	struct rig_copy copy;
};

FIXTURE_SETUP(report)
{
	if (rig_faults_present())
		rig_faults_clear();
	rig_debugfs_path(""); /* what follows looks for secrets there, too */
	mount("none", "/sys/kernel/tracing", "tracefs", 0, NULL);
	self->fd = rig_open();
	ASSERT_LE(0, self->fd);
	self->copy = make_copy(self->fd);
}

FIXTURE_TEARDOWN(report)
{
	EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	close(self->fd);
}

/* The file at @pattern, which must be one, as text; empty if it cannot be read. */
static const char *read_text(const char *pattern)
{
	static char text[1 << 16];
	glob_t found;
	ssize_t size = -1, more;
	int fd = -1;

	if (!glob(pattern, 0, NULL, &found)) {
		if (found.gl_pathc == 1)
			fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
		globfree(&found);
	}
	for (size = 0; fd >= 0 && size < (ssize_t)sizeof(text) - 1; size += more) {
		more = read(fd, text + size, sizeof(text) - 1 - size);
		if (more <= 0)
			break;
	}
	text[size] = '\0';
	close(fd);
	return text;
}

static const char *read_sysfs(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", rig_pci_path(), name);
	return read_text(path);
}

static unsigned long long number(const char *name)
{
	return strtoull(read_sysfs(name), NULL, 10);
}

/* The exact cycles of the file's replays, which are a nanosecond each on this machine. */
TEST_F(report, fdinfo)
{
	struct rig_program p = rig_program_copy(RIG_COPY_WORDS * 4, 0, 0);
	uint64_t cycles = ((struct rondo_program_header *)p.data)->cycles, energy = 0;
	unsigned long long purgeable;
	int run;

	for (run = 0; run < 3; run++) {
		EXPECT_EQ(run * cycles, rig_fdinfo(self->fd, "drm-cycles-compute"));
		EXPECT_EQ(run * cycles, rig_fdinfo(self->fd, "drm-engine-compute"));
		if (run == 1)
			energy = rig_fdinfo(self->fd, "rondo-energy-compute");
		EXPECT_EQ(run * energy, rig_fdinfo(self->fd, "rondo-energy-compute"));
		EXPECT_EQ(0, rig_copy_run(self->fd, &self->copy));
	}
	EXPECT_LT(0, energy);
	EXPECT_EQ(1000000, rig_fdinfo(self->fd, "drm-maxfreq-compute"));
	make_bo(self->fd, 4096, NULL); /* nobody has touched it */
	EXPECT_EQ(3 * 4096, rig_fdinfo(self->fd, "drm-total-memory") * 1024);
	EXPECT_EQ(2 * 4096, rig_fdinfo(self->fd, "drm-resident-memory") * 1024);
	/* Nothing is purgeable, of which newer kernels say nothing. */
	purgeable = rig_fdinfo(self->fd, "drm-purgeable-memory");
	EXPECT_TRUE(!purgeable || purgeable == ~0ull);
	free(p.data);
}

TEST_F(report, sysfs)
{
	struct drm_rondo_device_info info = rig_info(self->fd);
	unsigned long long memory = number("memory_bytes"), busy = number("busy_time_us");
	uint32_t binding, sync = make_syncobj(self->fd);
	char version[32];
	int other;

	snprintf(version, sizeof(version), "%u.%u\n", info.fw_version >> 16,
		 info.fw_version & 0xffff);
	EXPECT_STREQ(version, read_sysfs("firmware_version"));

	other = rig_open();
	make_bo(other, 1 << 20, NULL);
	EXPECT_EQ(memory + (1 << 20), number("memory_bytes"));
	close(other);
	EXPECT_EQ(memory, number("memory_bytes"));

	binding = make_binding(self->fd, make_program(self->fd, rig_program_of_cycles(5000000)),
			       NULL, 0);
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, sync));
	EXPECT_EQ(0, rig_result(self->fd, sync));
	EXPECT_LE(busy + 5000, number("busy_time_us"));
	EXPECT_GE(busy + 5001, number("busy_time_us"));
}

/* In microjoules; for root alone. */
TEST_F(report, energy)
{
	uint32_t bo = make_bo(self->fd, 4096, NULL), binding, sync = make_syncobj(self->fd);
	unsigned long long before = number("hwmon/hwmon*/energy1_input"), mine;
	char path[300];
	struct stat st;
	glob_t found;

	EXPECT_STREQ("rondo\n", read_sysfs("hwmon/hwmon*/name"));
	snprintf(path, sizeof(path), "%s/hwmon/hwmon*/energy1_input", rig_pci_path());
	ASSERT_EQ(0, glob(path, 0, NULL, &found));
	ASSERT_EQ(0, stat(found.gl_pathv[0], &st));
	EXPECT_EQ(0400, st.st_mode & 0777);
	EXPECT_EQ(0, st.st_uid);
	globfree(&found);

	mine = rig_fdinfo(self->fd, "rondo-energy-compute");
	binding = make_binding(self->fd, make_program(self->fd, rig_program_count(5000)), &bo, 1);
	EXPECT_EQ(0, rig_submit(self->fd, self->copy.queue, binding, 0, sync));
	EXPECT_EQ(0, rig_result(self->fd, sync));
	mine = rig_fdinfo(self->fd, "rondo-energy-compute") - mine;
	EXPECT_LT(10000, mine);
	before = number("hwmon/hwmon*/energy1_input") - before;
	EXPECT_LE(mine / 1000, before);
	EXPECT_GE(mine / 1000 + 1, before);
}

TEST_F(report, debugfs)
{
	uint32_t hits = rig_fault_hits(RIG_FAULT_seq_work);

	if (access(rig_debugfs_path(""), F_OK))
		SKIP(return, "no debugfs");
	EXPECT_NE(NULL, strstr(read_text(rig_debugfs_path("firmware_log")), ": ready\n"));
	EXPECT_NE(NULL, strstr(read_text(rig_debugfs_path("queues")), "weight"));
	EXPECT_NE(NULL, strstr(read_text(rig_debugfs_path("queues")), "\n    0          0      1"));

	/* A reset that is asked for is one as any other: what may be repeated is. */
	if (!rig_faults_present())
		SKIP(return, "the device has no fault interface");
	rig_fault(RIG_FAULT_seq_work, 1);
	ASSERT_EQ(0,
		  rig_submit(self->fd, self->copy.queue, self->copy.binding, 0, self->copy.sync));
	ASSERT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits));
	rig_expect("rondo .*resetting the device: asked for in debugfs");
	EXPECT_EQ(0, rig_write(rig_debugfs_path("reset"), "1"));
	EXPECT_TRUE(rig_fault_wait(RIG_FAULT_seq_work, hits + 1));
	rig_fault(RIG_FAULT_seq_work, 0);
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
}

/* Every event of a job's life is traced, in order. */
TEST_F(report, trace)
{
	static const char *const events[] = {
		"rondo_program: ", "rondo_bind: ", "rondo_submit: ",
		"rondo_run: ",	   "rondo_done: ", "rondo_fault: ",
	};
	struct drm_rondo_replay replay = {};
	struct drm_rondo_sync out = { .handle = self->copy.sync };
	struct drm_rondo_submit args = {
		.queue = self->copy.queue,
		.replays = (uintptr_t)&replay,
		.replay_count = 1,
		.replay_stride = sizeof(replay),
		.out_syncs = (uintptr_t)&out,
		.out_count = 1,
		.sync_stride = sizeof(out),
		.tag = 424242,
	};
	const char *trace, *at;
	size_t i;

	if (access(TRACING "events/rondo", F_OK))
		SKIP(return, "no trace events");
	ASSERT_EQ(0, rig_write(TRACING "events/enable", "0")); /* those of other tests */
	ASSERT_EQ(0, rig_write(TRACING "events/rondo/enable", "1"));
	ASSERT_EQ(0, rig_write(TRACING "trace", ""));
	replay.binding =
		make_binding(self->fd, make_program(self->fd, rig_program_spin(100)), NULL, 0);
	EXPECT_EQ(0, rig_ioctl(self->fd, DRM_IOCTL_RONDO_SUBMIT, &args));
	EXPECT_EQ(0, rig_result(self->fd, self->copy.sync));
	rig_expect("rondo .*a replay failed at bundle [0-9]+: it took longer");
	rig_fault(RIG_FAULT_overrun, 1000);
	EXPECT_EQ(-ETIME, rig_copy_run(self->fd, &self->copy));
	ASSERT_EQ(0, rig_write(TRACING "events/rondo/enable", "0"));

	trace = at = read_text(TRACING "trace");
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		at = strstr(at, events[i]);
		EXPECT_NE(NULL, at) TH_LOG("%s", events[i]);
		if (!at)
			break;
	}
	EXPECT_NE(NULL, strstr(trace, "tag=424242 replays=1"));
	EXPECT_NE(NULL, strstr(trace, "tag=424242 result=0"));
	EXPECT_NE(NULL, strstr(trace, "result=5"));
}

/* A secret of one user, and whoever looks for it in what another can read. */

#define SECRET 0x5ec7e75ec7e7a1b5ull

static unsigned int seen, looked_at;

static bool holds_secret(const char *data, size_t size)
{
	const uint64_t secret = SECRET;
	char decimal[32], hex[32];

	snprintf(decimal, sizeof(decimal), "%llu", SECRET);
	snprintf(hex, sizeof(hex), "%llx", SECRET);
	return memmem(data, size, &secret, sizeof(secret)) ||
	       memmem(data, size, decimal, strlen(decimal)) || memmem(data, size, hex, strlen(hex));
}

static int look_at(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static char data[1 << 16];
	int fd;
	ssize_t size;

	(void)st;
	(void)ftw;
	fd = type == FTW_F ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	looked_at++;
	size = read(fd, data, sizeof(data));
	if (size > 0 && holds_secret(data, size)) {
		printf("# %s holds the secret\n", path);
		seen++;
	}
	if (strstr(path, "energy")) {
		printf("# %s can be read\n", path);
		seen++;
	}
	close(fd);
	return 0;
}

/* Everything that another user may read; how often the secret is there. */
static int hunt(pid_t owner)
{
	static const char *const places[] = {
		"/sys/class/accel/accel0/", "/sys/class/hwmon",	 "/sys/kernel/debug",
		"/sys/kernel/tracing",	    "/sys/module/rondo", "/sys/bus/pci/drivers/rondo",
	};
	struct rig_copy copy;
	char path[64];
	uint32_t i;
	int fd;

	if (setgid(UID + 1) || setuid(UID + 1))
		return -1;
	fd = rig_open();
	if (fd < 0)
		return -1;
	copy = make_copy(fd);
	for (i = 0; i < 64; i++) {
		void *map;

		make_bo(fd, 65536, &map);
		seen += holds_secret(map, 65536);
		looked_at++;
	}
	seen += holds_secret((char *)copy.out, 4096);
	nftw(rig_pci_path(), look_at, 16, FTW_PHYS);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		nftw(places[i], look_at, 16, FTW_PHYS);
	snprintf(path, sizeof(path), "/proc/%d", owner);
	nftw(path, look_at, 16, FTW_PHYS);
	close(fd);
	printf("# looked at %u files and buffers\n", looked_at);
	return looked_at > 100 ? (int)seen : -1;
}

/* Plants the secret: in a buffer, a program's constants, a tag, an offset; all of it still there.
 */
static void plant(int fd)
{
	struct rig_copy copy = make_copy(fd);
	struct drm_rondo_replay replay = { .binding = copy.binding };
	struct drm_rondo_submit args = {
		.queue = copy.queue,
		.replays = (uintptr_t)&replay,
		.replay_count = 1,
		.replay_stride = sizeof(replay),
		.tag = SECRET,
	};
	uint64_t secret = SECRET;
	uint32_t i;

	for (i = 0; i + 1 < RIG_COPY_WORDS; i += 2)
		memcpy(&copy.in[i], &secret, sizeof(secret));
	rig_ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &args);
	rig_submit(fd, copy.queue, copy.binding, 0, copy.sync);
	rig_result(fd, copy.sync);
}

TEST_F(report, secrets)
{
	int fd = rig_open_as(UID), status, ready[2];
	pid_t owner, hunter;
	char c;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(ready));
	owner = fork();
	if (!owner) {
		if (setgid(UID) || setuid(UID))
			_exit(1);
		plant(fd);
		(void)!write(ready[1], "", 1);
		pause();
	}
	close(fd);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	hunter = fork();
	if (!hunter) {
		int found = hunt(owner);

		fflush(stdout);
		_exit(found < 0 ? 255 : found);
	}
	ASSERT_EQ(hunter, waitpid(hunter, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
}

TEST_HARNESS_MAIN
