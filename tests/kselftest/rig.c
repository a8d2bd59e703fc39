// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/pci_regs.h>
#include <linux/sync_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>

#include "emulator/emulator.h"
#include "spec/device.h"
#include "tests/kselftest/rig.h"
#include "tests/unit/program_builder.h"

__attribute__((noreturn)) static void die(const char *what, int error)
{
	printf("# %s: %s\n", what, strerror(-error));
	fflush(stdout);
	_exit(1);
}

static void must(const char *what, int ret)
{
	if (ret < 0)
		die(what, ret);
}

double rig_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

bool rig_until(bool (*done)(void *), void *ctx)
{
	double end = rig_now() + RIG_WAIT_S;

	while (!done(ctx)) {
		if (rig_now() > end)
			return false;
		usleep(2000);
	}
	return true;
}

/* The device. */

int rig_open(void)
{
	glob_t found;
	int fd = -ENOENT;

	/* A fault that is waited for would wait for a device that sleeps. */
	if (!geteuid())
		rig_autosuspend(-1);
	/* The number changes when the driver is bound again while a file is open. */
	if (!glob("/dev/accel/accel*", 0, NULL, &found)) {
		fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
		globfree(&found);
	}
	return fd;
}

int rig_open_as(uid_t uid)
{
	int fd;

	chmod("/", 0755);
	chmod("/dev/accel/accel0", 0666);
	if (seteuid(uid))
		return -errno;
	fd = rig_open();
	if (seteuid(0))
		return -errno;
	return fd;
}

int rig_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : ret;
}

struct drm_rondo_device_info rig_info(int fd)
{
	struct drm_rondo_device_info info = {};
	struct drm_rondo_query args = {
		.type = DRM_RONDO_QUERY_DEVICE,
		.size = sizeof(info),
		.data = (uintptr_t)&info,
	};

	must("QUERY", rig_ioctl(fd, DRM_IOCTL_RONDO_QUERY, &args));
	return info;
}

/* Programs. */

/* Finishes @b: its bytes, with the claims that the verifier computes. */
static struct rig_program finish(struct builder *b)
{
	struct rig_program program;

	program.data = build_accepted(b, &program.size);
	if (!program.data)
		die(rondo_error_text(rondo_verify_verdict(b->verify)->code), -EINVAL);
	build_fini(b);
	return program;
}

static void transfer(struct builder *b, enum rondo_dma_dir dir, u32 slot, u32 bytes)
{
	build_start(
		b, 0,
		build_desc(b, (struct rondo_desc){ .dir = dir, .slot = slot, .row_bytes = bytes }),
		0);
}

struct rig_program rig_program_copy(uint32_t bytes, uint32_t flags, uint32_t extra)
{
	struct builder b;
	u32 in, out;

	build_init(&b);
	in = build_slot(&b, 0);
	out = build_slot(&b, 0);
	b.slots[in].flags = flags;
	b.slots[out].flags = flags;
	transfer(&b, RONDO_DMA_IN, in, bytes);
	build_wait(&b, 0, 0);
	transfer(&b, RONDO_DMA_OUT, out, bytes);
	while (extra--)
		build_bundle(&b);
	build_halt(&b);
	return finish(&b);
}

static void idle(struct builder *b, u32 bundles)
{
	while (bundles--)
		build_bundle(b);
}

/* Adds register 2 to the @words in SRAM at @entry, in 8 bundles. */
static void add_register(struct builder *b, u32 entry, u32 words)
{
	build_op(
		b, RONDO_L0,
		(struct rondo_op){ .op = RONDO_OP_ld_w, .dst = 1, .entry = entry, .count = words });
	idle(b, 3);
	build_op(b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_add, .dst = 3, .a = 1, .b = 2 });
	idle(b, 2);
	build_op(b, RONDO_S,
		 (struct rondo_op){ .op = RONDO_OP_st_w, .a = 3, .entry = entry, .count = words });
}

struct rig_program rig_program_increment(void)
{
	enum { WORDS = 16 };
	struct builder b;
	u32 slot, entry;

	build_init(&b);
	slot = build_slot(&b, 0);
	entry = build_entry(&b, (struct rondo_entry){ .base = 0 });
	transfer(&b, RONDO_DMA_IN, slot, WORDS * 4);
	build_wait(&b, 0, 0);
	build_put(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_movi, .dst = 2, .imm = 1 });
	add_register(&b, entry, WORDS);
	transfer(&b, RONDO_DMA_OUT, slot, WORDS * 4);
	build_halt(&b);
	return finish(&b);
}

struct rig_program rig_program_count(uint64_t trips)
{
	enum { WORDS = 16, BODY = 10 };
	struct builder b;
	u32 slot, entry;

	build_init(&b);
	slot = build_slot(&b, 0);
	entry = build_entry(&b, (struct rondo_entry){ .base = 0 });
	build_op(&b, RONDO_V0, (struct rondo_op){ .op = RONDO_OP_movi, .dst = 2, .imm = 1 });
	idle(&b, 4);
	build_loop(&b, trips, BODY);
	add_register(&b, entry, WORDS);
	transfer(&b, RONDO_DMA_OUT, slot, WORDS * 4);
	build_wait(&b, 0, 0);
	build_halt(&b);
	return finish(&b);
}

struct rig_program rig_program_read(uint32_t slots)
{
	struct builder b;

	build_init(&b);
	while (slots--) {
		transfer(&b, RONDO_DMA_IN, build_slot(&b, 0), 64);
		build_wait(&b, 0, 0);
	}
	build_halt(&b);
	return finish(&b);
}

struct rig_program rig_program_spin(uint64_t cycles)
{
	struct builder b;

	build_init(&b);
	while (cycles) {
		u64 trips = cycles < UINT32_MAX ? cycles : UINT32_MAX;

		build_loop(&b, trips, 1);
		build_bundle(&b);
		cycles -= trips;
	}
	build_halt(&b);
	return finish(&b);
}

struct rig_program rig_program_of_cycles(uint64_t cycles)
{
	struct rig_program p = rig_program_spin(cycles);
	uint64_t more = ((struct rondo_program_header *)p.data)->cycles - cycles;

	free(p.data);
	return rig_program_spin(cycles - more);
}

struct rig_program rig_program_alias(void)
{
	struct builder b;
	u32 in, out;

	build_init(&b);
	in = build_slot(&b, 1);
	out = build_slot(&b, 1);
	transfer(&b, RONDO_DMA_IN, in, 64);
	build_wait(&b, 0, 0);
	transfer(&b, RONDO_DMA_OUT, out, 64);
	build_halt(&b);
	return finish(&b);
}

struct rig_program rig_program_tables(uint32_t slots, uint32_t entries, uint32_t descs,
				      uint32_t bundles)
{
	struct rondo_program_header *h;
	struct rig_program program;
	struct rondo_machine machine;
	struct rondo_slot *slot;
	struct rondo_desc *desc;
	struct rondo_op halt = { .op = RONDO_OP_halt, .wait = { 1, 1, 1, 1 } };
	u64 *bundle;
	u32 i;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	program.data = h = calloc(1, sizeof(*h));
	*h = (struct rondo_program_header){
		.magic = RONDO_PROGRAM_MAGIC,
		.version = RONDO_PROGRAM_VERSION,
		.machine_hash = rondo_machine_hash(&machine),
		.cycles = bundles,
		.slots = slots,
		.entries = entries,
		.descs = descs,
		.bundles = bundles,
	};
	program.size = rondo_program_bytes(h);
	program.data = h = realloc(h, program.size);
	memset(h + 1, 0, program.size - sizeof(*h));
	slot = (struct rondo_slot *)(h + 1);
	for (i = 0; i < slots; i++)
		slot[i].align = RONDO_SLOT_ALIGN_MIN;
	desc = (struct rondo_desc *)((struct rondo_entry *)(slot + slots) + entries);
	for (i = 0; i < descs; i++) {
		desc[i].row_bytes = 1;
		desc[i].count[0] = desc[i].count[1] = desc[i].count[2] = 1;
	}
	bundle = (u64 *)(desc + descs);
	if (bundles)
		rondo_encode(&halt, &bundle[(u64)(bundles - 1) * RONDO_SLOTS_PER_BUNDLE + RONDO_C]);
	return program;
}

int rig_program_create(int fd, const void *data, uint64_t size, uint32_t *id)
{
	struct drm_rondo_program_create args = { .data = (uintptr_t)data, .size = size };
	int ret = rig_ioctl(fd, DRM_IOCTL_RONDO_PROGRAM_CREATE, &args);

	*id = args.id;
	return ret;
}

uint32_t make_program(int fd, struct rig_program program)
{
	uint32_t id;

	must("PROGRAM_CREATE", rig_program_create(fd, program.data, program.size, &id));
	free(program.data);
	return id;
}

static uint32_t make_bo_with(int fd, uint64_t size, uint32_t flags, void **map)
{
	struct drm_rondo_bo_create args = { .size = size, .flags = flags };
	struct drm_rondo_bo_mmap_offset mmap_args = {};

	must("BO_CREATE", rig_ioctl(fd, DRM_IOCTL_RONDO_BO_CREATE, &args));
	if (map) {
		mmap_args.handle = args.handle;
		must("BO_MMAP_OFFSET", rig_ioctl(fd, DRM_IOCTL_RONDO_BO_MMAP_OFFSET, &mmap_args));
		*map = mmap(NULL, args.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    mmap_args.offset);
		if (*map == MAP_FAILED)
			die("mmap of a buffer", -errno);
	}
	return args.handle;
}

uint32_t make_bo(int fd, uint64_t size, void **map)
{
	return make_bo_with(fd, size, 0, map);
}

uint32_t make_private_bo(int fd, uint64_t size, void **map)
{
	return make_bo_with(fd, size, DRM_RONDO_BO_PRIVATE, map);
}

int rig_bind(int fd, uint32_t program, const uint32_t *handles, uint32_t count, uint32_t *id)
{
	struct drm_rondo_slot_binding slots[RONDO_PROGRAM_SLOTS_MAX] = {};
	struct drm_rondo_binding_create args = {
		.program = program,
		.slots = (uintptr_t)slots,
		.slot_count = count,
		.slot_stride = sizeof(slots[0]),
	};
	uint32_t i;
	int ret;

	for (i = 0; i < count; i++)
		slots[i].handle = handles[i];
	ret = rig_ioctl(fd, DRM_IOCTL_RONDO_BINDING_CREATE, &args);
	*id = args.id;
	return ret;
}

uint32_t make_binding(int fd, uint32_t program, const uint32_t *handles, uint32_t count)
{
	uint32_t id;

	must("BINDING_CREATE", rig_bind(fd, program, handles, count, &id));
	return id;
}

uint32_t make_queue(int fd)
{
	struct drm_rondo_queue_create args = { .weight = 1 };

	must("QUEUE_CREATE", rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args));
	return args.id;
}

int rig_one_more_queue(int fd)
{
	struct drm_rondo_queue_create args = { .weight = 1 };

	return rig_ioctl(fd, DRM_IOCTL_RONDO_QUEUE_CREATE, &args);
}

int rig_one_more_program(int fd)
{
	struct rig_program p = rig_program_spin(1);
	uint32_t id;
	int ret = rig_program_create(fd, p.data, p.size, &id);

	free(p.data);
	return ret;
}

/* A binding of program 1, which is made first. */
int rig_one_more_binding(int fd)
{
	uint32_t id;
	int ret = rig_bind(fd, 1, NULL, 0, &id);

	if (ret != -ENOENT)
		return ret;
	ret = rig_one_more_program(fd);
	return ret ? ret : rig_bind(fd, 1, NULL, 0, &id);
}

/* Syncobjs and fences. */

uint32_t make_syncobj(int fd)
{
	uint32_t handle;

	must("SYNCOBJ_CREATE", drmSyncobjCreate(fd, 0, &handle) ? -errno : 0);
	return handle;
}

int rig_submit(int fd, uint32_t queue, uint32_t binding, uint32_t in_sync, uint32_t out_sync)
{
	struct drm_rondo_replay replay = { .binding = binding };
	struct drm_rondo_sync in = { .handle = in_sync }, out = { .handle = out_sync };
	struct drm_rondo_submit args = {
		.queue = queue,
		.replays = (uintptr_t)&replay,
		.replay_count = 1,
		.replay_stride = sizeof(replay),
		.in_syncs = (uintptr_t)&in,
		.in_count = !!in_sync,
		.out_syncs = (uintptr_t)&out,
		.out_count = !!out_sync,
		.sync_stride = sizeof(in),
	};

	return rig_ioctl(fd, DRM_IOCTL_RONDO_SUBMIT, &args);
}

int rig_wait(int fd, uint32_t syncobj, double seconds)
{
	int64_t end = (rig_now() + seconds) * 1e9;

	return drmSyncobjWait(fd, &syncobj, 1, end, 0, NULL);
}

int rig_sync_file(int fd, uint32_t syncobj)
{
	int sync_file;

	return drmSyncobjExportSyncFile(fd, syncobj, &sync_file) ? -errno : sync_file;
}

int rig_sync_file_status(int sync_file)
{
	struct sync_file_info info = {};

	must("SYNC_IOC_FILE_INFO", rig_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info));
	return info.status;
}

uint64_t rig_sync_file_time(int sync_file)
{
	struct sync_fence_info fence = {};
	struct sync_file_info info = { .num_fences = 1, .sync_fence_info = (uintptr_t)&fence };

	must("SYNC_IOC_FILE_INFO", rig_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info));
	return fence.timestamp_ns;
}

static bool has_signalled(void *sync_file)
{
	return rig_sync_file_status(*(int *)sync_file);
}

bool rig_sync_file_wait(int sync_file)
{
	return rig_until(has_signalled, &sync_file);
}

int rig_result(int fd, uint32_t syncobj)
{
	int ret, sync_file;

	ret = rig_wait(fd, syncobj, RIG_WAIT_S);
	if (ret)
		return ret;
	sync_file = rig_sync_file(fd, syncobj);
	if (sync_file < 0)
		return sync_file;
	ret = rig_sync_file_status(sync_file);
	close(sync_file);
	return ret == 1 ? 0 : ret;
}

struct rig_copy make_copy(int fd)
{
	struct rig_copy copy;

	copy.program = make_program(fd, rig_program_copy(RIG_COPY_WORDS * 4, 0, 0));
	copy.in_bo = make_bo(fd, RIG_COPY_WORDS * 4, (void **)&copy.in);
	copy.out_bo = make_bo(fd, RIG_COPY_WORDS * 4, (void **)&copy.out);
	copy.binding = make_binding(fd, copy.program, (uint32_t[]){ copy.in_bo, copy.out_bo }, 2);
	copy.queue = make_queue(fd);
	copy.sync = make_syncobj(fd);
	return copy;
}

int rig_copy_run(int fd, struct rig_copy *copy)
{
	static uint32_t seed = 1;
	uint32_t i;
	int ret;

	for (i = 0; i < RIG_COPY_WORDS; i++)
		copy->in[i] = seed = seed * 1664525 + 1013904223;
	ret = rig_submit(fd, copy->queue, copy->binding, 0, copy->sync);
	if (!ret)
		ret = rig_result(fd, copy->sync);
	if (!ret && memcmp(copy->in, copy->out, RIG_COPY_WORDS * 4))
		ret = -EBADMSG;
	return ret;
}

int rig_new_file_works(void)
{
	struct rig_copy copy;
	int fd = rig_open(), ret;

	if (fd < 0)
		return fd;
	copy = make_copy(fd);
	ret = rig_copy_run(fd, &copy);
	close(fd);
	return ret;
}

/* The fault interface. */

const char *rig_pci_path(void)
{
	static char path[256];
	char name[300], id[16];
	glob_t found;
	size_t i;
	FILE *f;

	if (path[0])
		return path;
	glob("/sys/bus/pci/devices/*", 0, NULL, &found);
	for (i = 0; i < found.gl_pathc && !path[0]; i++) {
		snprintf(name, sizeof(name), "%s/device", found.gl_pathv[i]);
		f = fopen(name, "r");
		if (f && fgets(id, sizeof(id), f) && strtoul(id, NULL, 16) == RONDO_PCI_DEVICE)
			snprintf(path, sizeof(path), "%s", found.gl_pathv[i]);
		if (f)
			fclose(f);
	}
	globfree(&found);
	if (!path[0])
		die("no device", -ENODEV);
	return path;
}

volatile uint32_t *rig_bar(int number)
{
	static volatile uint32_t *bars[6];
	char name[300];
	void *map;
	int fd;

	if (bars[number])
		return bars[number];
	snprintf(name, sizeof(name), "%s/resource%d", rig_pci_path(), number);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	bars[number] = map == MAP_FAILED ? NULL : map;
	return bars[number];
}

void rig_bus_master(void)
{
	uint16_t command = 0;
	char name[300];
	int fd;

	snprintf(name, sizeof(name), "%s/config", rig_pci_path());
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (pread(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		die(name, -errno);
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		die(name, -errno);
	close(fd);
}

static volatile uint32_t *faults(void)
{
	return rig_bar(RONDO_BAR_FAULTS);
}

bool rig_faults_present(void)
{
	return faults();
}

void rig_fault(enum rig_fault fault, uint32_t value)
{
	if (!faults())
		die("the device has no fault interface", -ENOENT);
	faults()[fault] = value;
}

uint32_t rig_fault_hits(enum rig_fault fault)
{
	return faults()[EMU_FAULT_HITS / 4 + fault];
}

struct hits {
	enum rig_fault fault;
	uint32_t hits;
};

static bool was_hit(void *ctx)
{
	struct hits *h = ctx;

	return rig_fault_hits(h->fault) > h->hits;
}

bool rig_fault_wait(enum rig_fault fault, uint32_t hits)
{
	return rig_until(was_hit, &(struct hits){ fault, hits });
}

/* drm/vgem_drm.h is not installed. */
struct vgem_fence_attach {
	uint32_t handle, flags, out_fence, pad;
};

struct vgem_fence_signal {
	uint32_t fence, flags;
};

#define VGEM_FENCE_WRITE 1
#define IOCTL_VGEM_FENCE_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct vgem_fence_attach)
#define IOCTL_VGEM_FENCE_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct vgem_fence_signal)

int rig_vgem_open(void)
{
	return system("modprobe vgem") ? -1 : open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
}

bool rig_foreign_init(struct rig_foreign *f, int fd)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 1, .bpp = 32 };

	f->vgem = rig_vgem_open();
	if (f->vgem < 0)
		return false;
	must("CREATE_DUMB", rig_ioctl(f->vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	f->theirs = dumb.handle;
	must("PRIME export",
	     drmPrimeHandleToFD(f->vgem, f->theirs, DRM_CLOEXEC | DRM_RDWR, &f->dmabuf));
	must("PRIME import", drmPrimeFDToHandle(fd, f->dmabuf, &f->ours));
	return true;
}

void rig_foreign_fini(struct rig_foreign *f)
{
	close(f->dmabuf);
	close(f->vgem);
}

uint32_t rig_foreign_fence(struct rig_foreign *f, bool writes)
{
	struct vgem_fence_attach attach = { .handle = f->theirs,
					    .flags = writes ? VGEM_FENCE_WRITE : 0 };

	must("FENCE_ATTACH", rig_ioctl(f->vgem, IOCTL_VGEM_FENCE_ATTACH, &attach));
	return attach.out_fence;
}

void rig_foreign_signal(struct rig_foreign *f, uint32_t fence)
{
	struct vgem_fence_signal signal = { .fence = fence };

	must("FENCE_SIGNAL", rig_ioctl(f->vgem, IOCTL_VGEM_FENCE_SIGNAL, &signal));
}

void rig_faults_clear(void)
{
	uint32_t i;

	for (i = 0; i < RIG_FAULTS; i++)
		rig_fault(i, 0);
}

const char *rig_debugfs_path(const char *name)
{
	static char path[300];

	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL); /* it may be already */
	snprintf(path, sizeof(path), "/sys/kernel/debug/accel/%s/%s",
		 strrchr(rig_pci_path(), '/') + 1, name);
	return path;
}

/* The kernel. */

int rig_write(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void rig_expect(const char *regex)
{
	char line[256];

	snprintf(line, sizeof(line), "<1>expect: %s", regex);
	must("/dev/kmsg", rig_write("/dev/kmsg", line));
}

int rig_driver_bind(void)
{
	return rig_write("/sys/bus/pci/drivers/rondo/bind", strrchr(rig_pci_path(), '/') + 1);
}

int rig_driver_unbind(void)
{
	return rig_write("/sys/bus/pci/drivers/rondo/unbind", strrchr(rig_pci_path(), '/') + 1);
}

void rig_autosuspend(int ms)
{
	char path[300], text[16];

	snprintf(path, sizeof(path), "%s/power/autosuspend_delay_ms", rig_pci_path());
	snprintf(text, sizeof(text), "%d", ms);
	rig_write(path, text); /* unless the driver is unbound */
}

bool rig_device_is_asleep(void)
{
	char path[300], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/power/runtime_status", rig_pci_path());
	f = fopen(path, "r");
	if (!f || !fgets(text, sizeof(text), f))
		die(path, -errno);
	fclose(f);
	return !strcmp(text, "suspended\n");
}

static bool is_asleep(void *unused)
{
	(void)unused;
	return rig_device_is_asleep();
}

bool rig_device_sleeps(void)
{
	return rig_until(is_asleep, NULL);
}

int rig_pci_reset(void)
{
	char name[300];

	snprintf(name, sizeof(name), "%s/reset", rig_pci_path());
	return rig_write(name, "1");
}

int rig_suspend(const char *test)
{
	int ret = rig_write("/sys/module/suspend/parameters/pm_test_delay", "0");

	if (!ret)
		ret = rig_write("/sys/power/pm_test", test);
	return ret ? ret : rig_write("/sys/power/state", "freeze");
}

int rig_module_load(void)
{
	return system("modprobe rondo") ? -EIO : 0;
}

int rig_module_unload(void)
{
	return syscall(SYS_delete_module, "rondo", O_NONBLOCK) ? -errno : 0;
}

static bool unloaded(void *unused)
{
	(void)unused;
	return !rig_module_unload();
}

bool rig_module_unload_soon(void)
{
	return rig_until(unloaded, NULL);
}

unsigned long long rig_fdinfo(int fd, const char *key)
{
	unsigned long long value = ~0ull;
	char name[64], line[128];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	f = fopen(name, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			value = strtoull(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

#define DUMPS "/sys/class/devcoredump/devcd*/data"

/*
 * The kernel removes a dump a little after it is told to, and last of all the link to it, which
 * the next dump must not find.
 */
static bool no_dump(void *unused)
{
	char link[300];
	glob_t found;
	size_t i;

	(void)unused;
	snprintf(link, sizeof(link), "%s/devcoredump", rig_pci_path());
	if (glob(DUMPS, 0, NULL, &found))
		return access(link, F_OK);
	for (i = 0; i < found.gl_pathc; i++)
		rig_write(found.gl_pathv[i], "1");
	globfree(&found);
	return false;
}

void rig_dump_discard(void)
{
	rig_until(no_dump, NULL);
}

static bool read_dump(void *text)
{
	size_t size = 0;
	glob_t found;
	FILE *f;

	if (glob(DUMPS, 0, NULL, &found))
		return false;
	f = fopen(found.gl_pathv[0], "r");
	globfree(&found);
	return f && getdelim(text, &size, 0, f) > 0 && !fclose(f);
}

char *rig_dump_take(void)
{
	char *text = NULL;

	if (rig_until(read_dump, &text))
		rig_dump_discard();
	return text;
}

bool rig_device_sees_copies(void)
{
	char line[4096] = "";
	FILE *f = fopen("/proc/cmdline", "r");

	if (!f || !fgets(line, sizeof(line), f))
		die("/proc/cmdline", -EIO);
	fclose(f);
	return strstr(line, "swiotlb=") && (strstr(line, "=force") || strstr(line, ",force"));
}

/* Behind an IOMMU it is only the check of DMA that asks for it. */
bool rig_jobs_come_singly(void)
{
	return rig_device_sees_copies() || (!access("/sys/class/iommu/dmar0", F_OK) &&
					    !access("/sys/kernel/debug/dma-api", F_OK));
}

#define TRACING "/sys/kernel/tracing/"

bool rig_trace(const char *event)
{
	char path[128];

	snprintf(path, sizeof(path), TRACING "events/%s/enable", event);
	return !rig_write(path, "1") && !rig_write(TRACING "trace", "");
}

unsigned int rig_traced(const char *text)
{
	FILE *f = fopen(TRACING "trace", "r");
	unsigned int found = 0;
	char line[512];

	if (!f)
		die(TRACING "trace", -errno);
	while (fgets(line, sizeof(line), f))
		found += !!strstr(line, text);
	fclose(f);
	return found;
}

/* Its name in 6.12, and since 6.16. */
bool rig_trace_jobs(void)
{
	return rig_trace("gpu_scheduler/drm_run_job") ||
	       rig_trace("gpu_scheduler/drm_sched_job_run");
}

unsigned int rig_traced_jobs(void)
{
	return rig_traced(" drm_run_job: ") + rig_traced(" drm_sched_job_run: ");
}

struct blocked {
	int pid;
	unsigned long request;
};

/* The number and arguments of a system call can be read while its process sleeps in it. */
static bool is_blocked(void *ctx)
{
	const struct blocked *b = ctx;
	unsigned long number = 0, fd, request = 0;
	char name[64];
	int found = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/syscall", b->pid);
	f = fopen(name, "r");
	if (f) {
		found = fscanf(f, "%lu %lx %lx", &number, &fd, &request);
		fclose(f);
	}
	return found == 3 && number == SYS_ioctl && request == b->request;
}

bool rig_until_blocked(int pid, unsigned long request)
{
	return rig_until(is_blocked, &(struct blocked){ pid, request });
}
