// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Buffers as file descriptors: exported, imported, from this process and another, and what must not
 * be imported; libaccel_share_test [DEVICE]. On the kernel's driver a memfd needs /dev/udmabuf.
 */
#define _GNU_SOURCE /* memfd_create() */
#include "tests/unit/libaccel_rig.h"

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define SENTINEL ((struct accel_buffer *)8)

/* Whether memfds can be imported here. */
static bool has_memfds(void)
{
	return rig_emulated() || !access("/dev/udmabuf", R_OK | W_OK);
}

/* Whether descriptors become @count: memory is let go when the device has forgotten bindings. */
static bool fds_again(int count)
{
	int tries;

	for (tries = 0; rig_count_fds() != count && tries < 10000; tries++)
		usleep(1000);
	return rig_count_fds() == count;
}

static int make_memfd(u64 size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) || (seals && fcntl(fd, F_ADD_SEALS, seals)))
		tap_ok(false, "a memfd for the test");
	return fd;
}

static void *map(int fd, u64 size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* The memory of a buffer, or NULL. */
static float *memory_of(struct accel_buffer *buffer)
{
	void *memory;

	return accel_buffer_map(buffer, &memory) ? NULL : memory;
}

/* Replays the rig's program on @slots, and whether the sum is right. */
static bool adds(struct rig *r, const struct accel_slot_binding *slots, int seed)
{
	struct accel_binding *binding = NULL;
	struct accel_fence *fence = NULL;
	float *in[2], *out = memory_of(slots[2].buffer);
	int i, ret;

	for (i = 0; i < 2; i++)
		in[i] = memory_of(slots[i].buffer);
	for (i = 0; i < RIG_ELEMENTS; i++) {
		in[0][i] = i + seed;
		in[1][i] = 2 * i;
		out[i] = -1;
	}
	ret = accel_binding_create(r->program, slots, RIG_SLOTS, &binding, NULL);
	if (!ret)
		ret = accel_replay(r->queue, binding, &fence);
	if (!ret)
		ret = accel_fence_wait(fence, ACCEL_FOREVER);
	accel_fence_destroy(fence);
	accel_binding_destroy(binding);
	for (i = 0; i < RIG_ELEMENTS && !ret; i++)
		ret = out[i] != 3 * i + seed;
	return !ret;
}

/* What binding the rig's slots with two others gives; *@index is the slot at fault. */
static int bind_two(struct rig *r, struct accel_buffer *first, struct accel_buffer *last,
		    u32 *index)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_binding *binding = NULL;
	struct accel_error error;
	int ret;

	memcpy(slots, r->slots, sizeof(slots));
	slots[0].buffer = first;
	slots[2].buffer = last;
	ret = accel_binding_create(r->program, slots, RIG_SLOTS, &binding, &error);
	accel_binding_destroy(binding);
	*index = error.index;
	return ret;
}

static void test_export(struct rig *r)
{
	struct accel_buffer *buffer = NULL;
	int fds = rig_count_fds(), fd = -7, again = -7;
	u32 *here, *there;

	tap_ok(accel_buffer_export(r->slots[0].buffer, &fd) == -EINVAL && fd == -7,
	       "a buffer that was not created for it is not exported");
	tap_ok(accel_buffer_create_shared(r->device, 0, &buffer) == -EINVAL && !buffer,
	       "no shared buffer of nothing");
	tap_eq(accel_buffer_create_shared(r->device, 5000, &buffer), 0, "a shared buffer");
	tap_eq(accel_buffer_size(buffer), 8192, "is whole pages");
	here = (u32 *)memory_of(buffer);
	tap_ok(here && !here[0] && !here[2047], "of zeros");
	tap_ok(!accel_buffer_export(buffer, &fd) && fd >= 0, "is exported");
	tap_ok(!accel_buffer_export(buffer, &again) && again >= 0 && again != fd, "twice");
	tap_ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "its descriptor is closed on exec");
	tap_eq(lseek(fd, 0, SEEK_END), 8192, "it has the buffer's size");
	if (rig_emulated())
		tap_ok(ftruncate(fd, 0) && errno == EPERM && ftruncate(fd, 1 << 20) &&
			       errno == EPERM,
		       "for ever");
	close(again);
	there = map(fd, 8192);
	if (there && here) {
		there[5] = 55;
		here[6] = 66;
	}
	tap_ok(there && here && here[5] == 55 && there[6] == 66, "it is the same memory");
	accel_buffer_destroy(buffer);
	if (there)
		there[7] = 77;
	tap_ok(there && there[6] == 66 && there[7] == 77, "also when the buffer is destroyed");
	if (there)
		munmap(there, 8192);
	close(fd);
	tap_ok(fds_again(fds), "no descriptor is left");
}

/* An exported buffer comes back, and is counted. */
static void test_import_own(struct rig *r)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_buffer *made = NULL, *import[2] = {};
	int fds = rig_count_fds(), fd = -1, again = -1;
	float *memory;
	u32 index;

	memcpy(slots, r->slots, sizeof(slots));
	accel_buffer_create_shared(r->device, RIG_BYTES, &made);
	accel_buffer_export(made, &fd);
	tap_eq(accel_buffer_import(r->device, fd, &import[0]), 0, "imported where it was made");
	tap_eq(accel_buffer_import(r->device, fd, &import[1]), 0, "and once more");
	tap_ok(accel_buffer_size(import[0]) == RIG_BYTES, "with its size");
	memory = memory_of(made);
	memory[9] = 99;
	tap_ok(memory_of(import[0])[9] == 99 && memory_of(import[1])[9] == 99, "one memory");
	tap_ok(bind_two(r, made, import[0], &index) == -EBUSY && index == 2,
	       "read by one and written by the other: they overlap");
	tap_ok(bind_two(r, import[0], import[1], &index) == -EBUSY && index == 2,
	       "as do the two imports");
	tap_eq(bind_two(r, made, r->slots[2].buffer, &index), 0, "another is another");
	accel_buffer_destroy(import[1]);
	slots[0].buffer = import[0];
	tap_ok(adds(r, slots, 1), "an import works when another is destroyed");
	accel_buffer_destroy(import[0]);
	slots[0].buffer = made;
	tap_ok(adds(r, slots, 2), "and what was exported, when all imports are");
	tap_eq(accel_buffer_import(r->device, fd, &import[0]), 0, "it is imported again");
	accel_buffer_destroy(made);
	slots[0].buffer = import[0];
	tap_ok(adds(r, slots, 3), "and lives on in the import");
	tap_ok(!accel_buffer_export(import[0], &again) && again >= 0, "which can be exported");
	close(again);
	close(fd);
	tap_ok(adds(r, slots, 4), "needs no descriptor of the caller's");
	accel_buffer_destroy(import[0]);
	tap_ok(fds_again(fds), "and leaves none behind");
}

/* Two devices, as of two processes: what one writes the other reads. */
static void test_two_devices(struct rig *r)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_buffer *here = NULL, *there = NULL;
	struct rig other;
	int fd = -1;

	if (!rig_init(&other))
		return;
	accel_buffer_create_shared(r->device, RIG_BYTES, &here);
	accel_buffer_export(here, &fd);
	tap_eq(accel_buffer_import(other.device, fd, &there), 0, "imported to another device");
	close(fd);
	memcpy(slots, r->slots, sizeof(slots));
	slots[2].buffer = here;
	tap_ok(adds(r, slots, 5), "one writes it");
	memcpy(slots, other.slots, sizeof(slots));
	slots[1].buffer = there;
	tap_ok(memory_of(there)[10] == 35, "the other finds that");
	tap_ok(adds(&other, slots, 6), "and works with it");
	accel_buffer_destroy(here);
	tap_ok(adds(&other, slots, 7), "also when it is destroyed here");
	accel_buffer_destroy(there);
	rig_fini(&other);
}

/* In another process, with a device of its own: adds to what stands behind @fd. */
static int child(int fd)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_buffer *out = NULL;
	struct rig r;
	bool good;

	if (!freopen("/dev/null", "w", stdout) || !rig_init(&r) ||
	    accel_buffer_import(r.device, fd, &out))
		return 1;
	memcpy(slots, r.slots, sizeof(slots));
	slots[2].buffer = out;
	good = adds(&r, slots, 100);
	accel_buffer_destroy(out);
	rig_fini(&r);
	return !good;
}

static void test_two_processes(struct rig *r)
{
	struct accel_buffer *buffer = NULL;
	int fd = -1, status = -1;
	char number[16];
	float *memory;
	pid_t pid;

	accel_buffer_create_shared(r->device, RIG_BYTES, &buffer);
	accel_buffer_export(buffer, &fd);
	memory = memory_of(buffer);
	/* It goes on in a program of its own: this one once more. */
	snprintf(number, sizeof(number), "%d", fd);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		fcntl(fd, F_SETFD, 0);
		execl("/proc/self/exe", "child", rig_device, number, NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status), "another process imports it");
	tap_ok(memory[0] == 100 && memory[7] == 121, "and its results are here");
	close(fd);
	accel_buffer_destroy(buffer);
}

/* What must not be imported. */
static void test_refused(struct rig *r)
{
	static const struct {
		u64 size;
		int seals, ret;
		const char *what;
	} rows[] = {
		{ 4096, 0, -EINVAL, "a memfd that may shrink" },
		{ 4096, F_SEAL_GROW | F_SEAL_SEAL, -EINVAL, "one that will always be able to" },
		{ 0, F_SEAL_SHRINK, -EINVAL, "one without a byte" },
		{ 4095, F_SEAL_SHRINK, -EINVAL, "one of no whole page" },
		{ 4097, F_SEAL_SHRINK, -EINVAL, "one of a page and a byte" },
		{ (1ull << 30) + 4096, F_SEAL_SHRINK, -EINVAL, "one over the limit" },
		{ 4096, F_SEAL_SHRINK | F_SEAL_WRITE, -EACCES, "one that must not be written" },
		{ 4096, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE, -EACCES, "nor mapped for that" },
	};
	struct accel_buffer *buffer = SENTINEL;
	char path[64];
	int fd, only;
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fd = make_memfd(rows[i].size, rows[i].seals);
		tap_ok(accel_buffer_import(r->device, fd, &buffer) == rows[i].ret &&
			       buffer == SENTINEL,
		       "%s", rows[i].what);
		close(fd);
	}
	tap_ok(accel_buffer_import(r->device, fd, &buffer) == -EBADF && buffer == SENTINEL,
	       "no descriptor");
	fd = make_memfd(4096, F_SEAL_SHRINK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	only = open(path, O_RDONLY | O_CLOEXEC);
	tap_eq(accel_buffer_import(r->device, only, &buffer), -EACCES, "one open for reading");
	close(only);
	only = open(path, O_WRONLY | O_CLOEXEC);
	tap_eq(accel_buffer_import(r->device, only, &buffer), -EACCES, "or for writing");
	close(only);
	close(fd);
	fd = eventfd(0, EFD_CLOEXEC);
	tap_eq(accel_buffer_import(r->device, fd, &buffer), -EINVAL, "what is no memory");
	close(fd);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	tap_eq(accel_buffer_import(r->device, fd, &buffer), -EINVAL, "a device");
	close(fd);
	fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 && !ftruncate(fd, 4096))
		tap_eq(accel_buffer_import(r->device, fd, &buffer), -EINVAL, "a file");
	close(fd);
	tap_ok(buffer == SENTINEL, "nothing was made");
}

/* Memory of somebody else's: inputs and outputs without a copy. */
static void test_memfd(struct rig *r)
{
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_buffer *again = NULL;
	int fds = rig_count_fds(), fd[RIG_SLOTS], i;
	float *out;
	u32 index;

	memset(slots, 0, sizeof(slots));
	for (i = 0; i < RIG_SLOTS; i++) {
		fd[i] = make_memfd(RIG_BYTES, F_SEAL_SHRINK);
		tap_eq(accel_buffer_import(r->device, fd[i], &slots[i].buffer), 0, "a memfd");
	}
	out = map(fd[2], RIG_BYTES);
	tap_ok(adds(r, slots, 8) && out && out[11] == 41, "is used where it lies");
	tap_eq(accel_buffer_import(r->device, fd[2], &again), 0, "imported again");
	tap_ok(bind_two(r, again, slots[2].buffer, &index) == -EBUSY && index == 2,
	       "it overlaps itself");
	tap_eq(bind_two(r, slots[0].buffer, again, &index), 0, "and no other");
	accel_buffer_destroy(again);
	for (i = 0; i < RIG_SLOTS; i++)
		close(fd[i]);
	tap_ok(adds(r, slots, 9) && out && out[11] == 42, "its descriptor is not needed");
	for (i = 0; i < RIG_SLOTS; i++)
		accel_buffer_destroy(slots[i].buffer);
	if (out)
		munmap(out, RIG_BYTES);
	tap_ok(fds_again(fds), "and none is left");
}

/* A memfd that has grown is not the memory that was imported. */
static void test_grown(struct rig *r)
{
	struct accel_buffer *small = NULL, *large = SENTINEL;
	int fd = make_memfd(4096, F_SEAL_SHRINK);

	tap_eq(accel_buffer_import(r->device, fd, &small), 0, "one that can grow");
	tap_ok(!ftruncate(fd, 8192) && accel_buffer_import(r->device, fd, &large) == -EBUSY &&
		       large == SENTINEL,
	       "does, while it is imported");
	accel_buffer_destroy(small);
	tap_ok(!accel_buffer_import(r->device, fd, &large) && accel_buffer_size(large) == 8192,
	       "and is imported anew");
	accel_buffer_destroy(large);
	close(fd);
}

/* A new file in the place of one that is gone is not taken for it. */
static void test_others_number(struct rig *r)
{
	struct accel_buffer *buffer[2] = {};
	int i, fd[2];
	float *memory;

	for (i = 0; i < 2; i++) {
		fd[i] = make_memfd(4096, F_SEAL_SHRINK);
		accel_buffer_import(r->device, fd[i], &buffer[i]);
		close(fd[i]);
		memory = memory_of(buffer[i]);
		tap_ok(memory && !memory[0], "memory of a file that nobody else has is new");
		if (memory)
			memory[0] = 1;
	}
	for (i = 0; i < 2; i++)
		accel_buffer_destroy(buffer[i]);
}

/* A dma-buf of another driver, read and written by the emulated device, too. */
static void test_dmabuf(struct rig *r)
{
	int memfd = make_memfd(RIG_BYTES, F_SEAL_SHRINK), fd, device;
	struct udmabuf_create args = { .memfd = memfd, .size = RIG_BYTES };
	struct accel_slot_binding slots[RIG_SLOTS];
	struct accel_buffer *again = NULL;
	float *out = map(memfd, RIG_BYTES);
	u32 index;

	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	fd = ioctl(device, UDMABUF_CREATE, &args);
	close(device);
	memcpy(slots, r->slots, sizeof(slots));
	tap_eq(accel_buffer_import(r->device, fd, &slots[2].buffer), 0, "a dma-buf");
	tap_ok(accel_buffer_size(slots[2].buffer) == RIG_BYTES && adds(r, slots, 10) &&
		       out[11] == 43,
	       "is used where it lies");
	tap_eq(accel_buffer_import(r->device, fd, &again), 0, "imported again");
	tap_ok(bind_two(r, again, slots[2].buffer, &index) == -EBUSY && index == 2,
	       "it overlaps itself");
	accel_buffer_destroy(again);
	close(fd);
	tap_ok(adds(r, slots, 11) && out[11] == 44, "its descriptor is not needed");
	accel_buffer_destroy(slots[2].buffer);
	munmap(out, RIG_BYTES);
	close(memfd);
}

/* Threads that import one memory, use it and destroy it. */
enum { THREADS = 4, ROUNDS = 50 };

struct worker {
	pthread_t thread;
	struct rig *r;
	int fd, bad;
};

static void *import_and_destroy(void *ctx)
{
	struct worker *w = ctx;
	struct accel_buffer *buffer;
	float *memory;
	int i, fd;

	for (i = 0; i < ROUNDS; i++) {
		if (accel_buffer_import(w->r->device, w->fd, &buffer)) {
			w->bad++;
			continue;
		}
		memory = memory_of(buffer);
		w->bad += !memory || memory[3] != 33;
		if (accel_buffer_export(buffer, &fd))
			w->bad++;
		else
			close(fd);
		accel_buffer_destroy(buffer);
	}
	return NULL;
}

static void test_threads(struct rig *r)
{
	struct worker w[THREADS] = {};
	struct accel_buffer *buffer = NULL;
	int i, fd = -1, bad = 0;

	accel_buffer_create_shared(r->device, RIG_BYTES, &buffer);
	accel_buffer_export(buffer, &fd);
	memory_of(buffer)[3] = 33;
	for (i = 0; i < THREADS; i++) {
		w[i].r = r;
		w[i].fd = fd;
		pthread_create(&w[i].thread, NULL, import_and_destroy, &w[i]);
	}
	accel_buffer_destroy(buffer); /* sooner or later than the imports */
	for (i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		bad += w[i].bad;
	}
	close(fd);
	tap_eq(bad, 0, "threads import, export and destroy one memory");
}

int main(int argc, char **argv)
{
	struct rig r;

	if (argc > 1)
		rig_device = argv[1];
	if (argc > 2)
		return child(atoi(argv[2]));
	if (rig_init(&r)) {
		test_export(&r);
		test_import_own(&r);
		test_two_devices(&r);
		test_two_processes(&r);
		test_refused(&r);
		if (has_memfds()) {
			test_memfd(&r);
			test_grown(&r);
			test_others_number(&r);
		} else {
			tap_skip("memfds", "no /dev/udmabuf");
		}
		if (!access("/dev/udmabuf", R_OK | W_OK))
			test_dmabuf(&r);
		test_threads(&r);
		rig_fill(&r, 12);
		tap_ok(!rig_replay(&r) && rig_correct(&r, 12), "the device works as before");
	}
	rig_fini(&r);
	return tap_done();
}
