/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The HAL on the real management core: registers of spec/regs.def, space MGMT. */
#include "firmware/hal.h"

enum {
#define REG(space, name, offset, count, access, meaning) space##_##name = offset,
#define FLD(space, name, field, lo, width, meaning) space##_##name##_##field = 1 << lo,
#include "spec/regs.def"
};

enum {
	BELL_WORDS = RONDO_BELLS / 32,
	COPY_TO_CORE = 1,
	COPY_TO_HOST = 2,
	MIP_TIMER = 1 << 7,
};

static volatile u32 *reg(u32 offset)
{
	return (volatile u32 *)(RONDO_MGMT_BASE + offset);
}

static u64 read_pair(u32 offset)
{
	u32 lo = *reg(offset);

	return (u64)*reg(offset + 4) << 32 | lo;
}

static void write_pair(u32 offset, u64 value)
{
	*reg(offset) = value;
	*reg(offset + 4) = value >> 32;
}

/* Another master reads or writes memory that the compiler may hold in registers. */
static void memory_barrier(void)
{
	__asm__ volatile("fence" ::: "memory");
}

u64 hal_init_addr(void)
{
	return read_pair(MGMT_INIT_ADDR_LO);
}

void hal_set_version(u32 version)
{
	*reg(MGMT_FW_VERSION) = version;
}

void hal_set_state(enum rondo_fw_state state)
{
	*reg(MGMT_FW_STATE) = state;
}

void hal_heartbeat(void)
{
	*reg(MGMT_HEARTBEAT) = *reg(MGMT_HEARTBEAT) + 1;
}

void hal_irq_event(void)
{
	*reg(MGMT_HOST_IRQ) = HOST_IRQ_STATUS_EVENT;
}

void hal_irq_fault(void)
{
	*reg(MGMT_HOST_IRQ) = HOST_IRQ_STATUS_FAULT;
}

u64 hal_time(void)
{
	return read_pair(MGMT_TIME_LO);
}

void hal_timer_start(u64 ns)
{
	write_pair(MGMT_TIMER_LO, ns);
}

void hal_timer_stop(void)
{
	write_pair(MGMT_TIMER_LO, 0);
}

bool hal_timer_fired(void)
{
	u32 mip;

	__asm__ volatile(".option push\n\t"
			 ".option arch, +zicsr\n\t"
			 "csrr %0, mip\n\t"
			 ".option pop"
			 : "=r"(mip));
	return mip & MIP_TIMER;
}

bool hal_bells_take(void)
{
	u32 all = 0;

	for (u32 i = 0; i < BELL_WORDS; i++) {
		u32 rung = *reg(MGMT_BELL_PENDING + 4 * i);

		if (rung)
			*reg(MGMT_BELL_PENDING + 4 * i) = rung;
		all |= rung;
	}
	memory_barrier();
	return all;
}

static bool copy(const void *local, u64 addr, u32 size, u32 direction)
{
	write_pair(MGMT_COPY_ADDR_LO, addr);
	*reg(MGMT_COPY_LOCAL) = (uintptr_t)local;
	*reg(MGMT_COPY_SIZE) = size;
	memory_barrier();
	*reg(MGMT_COPY_GO) = direction;
	memory_barrier();
	return *reg(MGMT_COPY_STATUS) == 0;
}

bool hal_copy_in(void *local, u64 addr, u32 size)
{
	return copy(local, addr, size, COPY_TO_CORE);
}

bool hal_copy_out(u64 addr, const void *local, u32 size)
{
	return copy(local, addr, size, COPY_TO_HOST);
}

void hal_seq_start(enum rondo_seq_command command, const struct rondo_seq_args *args)
{
	*reg(MGMT_SEQ_ARGS) = (uintptr_t)args;
	memory_barrier();
	*reg(MGMT_SEQ_GO) = command;
}

void hal_seq_abort(void)
{
	*reg(MGMT_SEQ_GO) = RONDO_SEQ_ABORT;
}

void hal_seq_ack(void)
{
	*reg(MGMT_SEQ_ACK) = 1;
}

enum rondo_seq_status hal_seq_status(void)
{
	return *reg(MGMT_SEQ_STATUS);
}

u64 hal_seq_cycles(void)
{
	return read_pair(MGMT_SEQ_CYCLES_LO);
}

u64 hal_seq_signature(void)
{
	return read_pair(MGMT_SEQ_SIGNATURE_LO);
}

u32 hal_seq_bundle(void)
{
	return *reg(MGMT_SEQ_BUNDLE);
}

void hal_wait(void)
{
	__asm__ volatile("wfi" ::: "memory");
}
