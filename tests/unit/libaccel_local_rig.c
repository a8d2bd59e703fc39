// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/unit/libaccel_local_rig.h"

struct local_rig_reg reg[64];
_Atomic(struct local_device *) watched;
_Thread_local bool opens;
atomic_bool hurry;
atomic_uint waited_ms, reset_ms, resets, bells;
void (*_Atomic before_reset)(void);

static _Thread_local bool in_device;

static bool in_thread(void)
{
	struct local_device *dev = watched;

	return opens || (dev && pthread_equal(pthread_self(), dev->thread));
}

u64 __real_emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size);
u64 __wrap_emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size);
u64 __wrap_emu_mmio_read(struct emu_device *dev, u32 bar, u64 offset, u32 size)
{
	enum how how = REAL;
	u64 value;

	if (bar == RONDO_BAR_REGS && offset / 4 < 64 && size == 4)
		how = reg[offset / 4].how;
	if (how == REAL) {
		in_device = true;
		value = __real_emu_mmio_read(dev, bar, offset, size);
		in_device = false;
		return value;
	}
	value = how == MOVES ? reg[offset / 4].value++ : reg[offset / 4].value;
	if (how == ONCE)
		reg[offset / 4].how = REAL;
	if (++reg[offset / 4].reads == reg[offset / 4].pause_at)
		while (reg[offset / 4].pause_at)
			poll(NULL, 0, 1);
	return value;
}

void __real_emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size);
void __wrap_emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size);
void __wrap_emu_mmio_write(struct emu_device *dev, u32 bar, u64 offset, u64 value, u32 size)
{
	void (*hook)(void) = before_reset;

	if (bar == RONDO_BAR_BELLS && !offset)
		bells++;
	if (bar == RONDO_BAR_REGS && offset == RONDO_REG_HOST_CTRL &&
	    value == RONDO_FLD_HOST_CTRL_RESET) {
		reg[RONDO_REG_HOST_HEARTBEAT / 4].how = REAL;
		reg[RONDO_REG_HOST_PROGRESS / 4].how = REAL;
		hurry = false;
		reset_ms = waited_ms;
		resets++;
		before_reset = NULL;
		if (hook)
			hook();
	}
	in_device = true;
	__real_emu_mmio_write(dev, bar, offset, value, size);
	in_device = false;
}

int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	int ret;

	if (n != 1 || !in_thread())
		return __real_poll(fds, n, ms);
	ret = __real_poll(fds, n, hurry && ms > 0 ? 0 : ms);
	if (!ret)
		waited_ms += ms;
	return ret;
}

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	u32 ms = waited_ms;

	if (in_device || !in_thread())
		return __real_clock_gettime(id, t);
	t->tv_sec = 1000 + ms / 1000;
	t->tv_nsec = ms % 1000 * 1000000;
	return 0;
}
