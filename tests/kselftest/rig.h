/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the tests of the driver share: the device file and its ioctls, programs to
 * replay, the device's fault interface, and what the kernel's log may say.
 *
 * Functions return 0 or a positive value, or -errno; those named make_* end the process
 * if they fail, saying why: for what a test only needs and does not test.
 */
#ifndef TESTS_KSELFTEST_RIG_H
#define TESTS_KSELFTEST_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <drm/rondo_accel.h>

#include "core/machine.h"
#include "core/verify.h"
#include "spec/program.h"

enum { RIG_WAIT_S = 120 }; /* longer than anything takes that ends by itself */

/* The device. */
int rig_open(void);
int rig_open_as(uid_t uid); /* as this user; for root, who lets everybody open it */
int rig_ioctl(int fd, unsigned long request, void *arg);
struct drm_rondo_device_info rig_info(int fd); /* its limits, above all */

/* Programs: bytes to be freed, with all claims right. */
struct rig_program {
	void *data;
	uint64_t size;
};

/* Copies @bytes from slot 0 to slot 1; @flags of both slots; @extra bundles that do nothing. */
struct rig_program rig_program_copy(uint32_t bytes, uint32_t flags, uint32_t extra);
/* Adds one to the first 16 words of slot 0, in place: not repeatable. */
struct rig_program rig_program_increment(void);
/* Counts in SRAM, @trips times, and writes the first 16 words of slot 0 after each. */
struct rig_program rig_program_count(uint64_t trips);
/* Reads the first 16 words of each of @slots slots. */
struct rig_program rig_program_read(uint32_t slots);
/* Touches no slot, and takes a little more than @cycles. */
struct rig_program rig_program_spin(uint64_t cycles);
/* The same, and exactly @cycles. */
struct rig_program rig_program_of_cycles(uint64_t cycles);
/* Reads from slot 0 and writes to slot 1, of one alias group. */
struct rig_program rig_program_alias(void);
/* So many of each, nothing done with them; within the limits or not. */
struct rig_program rig_program_tables(uint32_t slots, uint32_t entries, uint32_t descs,
				      uint32_t bundles);

int rig_program_create(int fd, const void *data, uint64_t size, uint32_t *id);
uint32_t make_program(int fd, struct rig_program program); /* frees the bytes */
uint32_t make_bo(int fd, uint64_t size, void **map); /* @map may be NULL */
uint32_t make_private_bo(int fd, uint64_t size, void **map);
int rig_bind(int fd, uint32_t program, const uint32_t *handles, uint32_t count, uint32_t *id);
uint32_t make_binding(int fd, uint32_t program, const uint32_t *handles, uint32_t count);
uint32_t make_queue(int fd);
/* One more of each, as long as that goes: 0 or -errno. Bindings are of program 1, made first. */
int rig_one_more_queue(int fd);
int rig_one_more_program(int fd);
int rig_one_more_binding(int fd);

/* Syncobjs and fences. */
uint32_t make_syncobj(int fd);
/* Replays @binding once; in_sync and out_sync may be 0. */
int rig_submit(int fd, uint32_t queue, uint32_t binding, uint32_t in_sync, uint32_t out_sync);
/* Waits until @syncobj has signalled: 0, or -ETIME after @seconds. */
int rig_wait(int fd, uint32_t syncobj, double seconds);
int rig_sync_file(int fd, uint32_t syncobj);
/* 0 while not signalled, 1 when it has, or its negative error. */
int rig_sync_file_status(int sync_file);
/* When it signalled, in nanoseconds of CLOCK_MONOTONIC. */
uint64_t rig_sync_file_time(int sync_file);
/* Waits until it is not 0; false after RIG_WAIT_S. */
bool rig_sync_file_wait(int sync_file);
/* rig_wait(), then the error of the fence, 0 if none. */
int rig_result(int fd, uint32_t syncobj);

/* A copy of 64 words ready to be replayed. */
struct rig_copy {
	uint32_t program, binding, queue, sync;
	uint32_t in_bo, out_bo;
	uint32_t *in, *out;
};

enum { RIG_COPY_WORDS = 64 };

struct rig_copy make_copy(int fd);
/* Replays it with new data and checks the result: 0, the error of the fence, or -EBADMSG. */
int rig_copy_run(int fd, struct rig_copy *copy);
/* The same in a new file: what must be true whatever happened before. */
int rig_new_file_works(void);

/* The fault interface: enum values are those of the device, RIG_FAULT_name. */
enum rig_fault {
#define FAULT(name, meaning) RIG_FAULT_##name,
#include "emulator/device/faults.def"
	RIG_FAULTS,
};

bool rig_faults_present(void);
void rig_fault(enum rig_fault fault, uint32_t value);
uint32_t rig_fault_hits(enum rig_fault fault);
/* Waits until @fault has been hit more often than @hits. */
bool rig_fault_wait(enum rig_fault fault, uint32_t hits);
void rig_faults_clear(void);

/* The device behind the driver's back. */
volatile uint32_t *rig_bar(int number); /* the first 4 KiB of a BAR; NULL: it has none */
void rig_bus_master(void); /* lets it reach memory without a driver */

/* Another driver with buffers: its file, or -1 if the kernel lacks it. */
int rig_vgem_open(void);

/* A buffer of that driver, which puts fences on it. */
struct rig_foreign {
	int vgem, dmabuf;
	uint32_t theirs, ours; /* handles */
};

/* Makes one and imports it to @fd; false if there is no such driver. Ends the test if that fails.
 */
bool rig_foreign_init(struct rig_foreign *f, int fd);
void rig_foreign_fini(struct rig_foreign *f);
/* A fence of one who reads the buffer, or writes it; and signals it. */
uint32_t rig_foreign_fence(struct rig_foreign *f, bool writes);
void rig_foreign_signal(struct rig_foreign *f, uint32_t fence);

/* The kernel. */
int rig_write(const char *name, const char *text); /* a file as a whole, as of sysfs */
void rig_expect(const char *regex); /* announces a line at warning level or above */
int rig_driver_bind(void);
int rig_driver_unbind(void);
int rig_pci_reset(void); /* of the function, with the driver bound */
/* How long the device stays awake without work, -1: for ever; rig_open() of root sets that. */
void rig_autosuspend(int ms);
/* Waits until it sleeps. */
bool rig_device_sleeps(void);
bool rig_device_is_asleep(void);
int rig_suspend(const char *test); /* the machine, to this stage of pm_test, and back */
int rig_module_load(void);
int rig_module_unload(void);
/* The same, again and again while something is just on its way out. */
bool rig_module_unload_soon(void);
/* Throws core dumps away. */
void rig_dump_discard(void);
/* Waits for a core dump and takes it: text, to be freed; NULL after RIG_WAIT_S. */
char *rig_dump_take(void);
/* Whether the device reaches only copies of buffers, as with swiotlb=force. */
bool rig_device_sees_copies(void);
/* Whether jobs of a queue come to the device one by one: buffers are synchronised around each. */
bool rig_jobs_come_singly(void);
/* Starts to trace the event, "system/name", and forgets what was traced; false if there is none. */
bool rig_trace(const char *event);
/* How many lines of the trace have @text. */
unsigned int rig_traced(const char *text);
/* The same of what schedulers hand to devices. */
bool rig_trace_jobs(void);
unsigned int rig_traced_jobs(void);
const char *rig_pci_path(void); /* the device's directory in sysfs, for ever */
const char *rig_debugfs_path(const char *name); /* its file @name there, until the next call */
double rig_now(void);
/* What fdinfo says of @key, or ~0. */
unsigned long long rig_fdinfo(int fd, const char *key);
/* Calls @done every few milliseconds until it is true; false after RIG_WAIT_S. */
bool rig_until(bool (*done)(void *), void *ctx);
/* Waits until process @pid sleeps inside the ioctl @request. */
bool rig_until_blocked(int pid, unsigned long request);

#endif
