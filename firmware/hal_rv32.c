/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The HAL on the real management core: registers of spec/regs.def, space MGMT. */
#include "firmware/hal.h"
#include "spec/regs.h"

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
	return read_pair(RONDO_REG_MGMT_INIT_ADDR_LO);
}

void hal_set_version(u32 version)
{
	*reg(RONDO_REG_MGMT_FW_VERSION) = version;
}

void hal_set_state(enum rondo_fw_state state)
{
	*reg(RONDO_REG_MGMT_FW_STATE) = state;
}

void hal_heartbeat(void)
{
	*reg(RONDO_REG_MGMT_HEARTBEAT) = *reg(RONDO_REG_MGMT_HEARTBEAT) + 1;
}

void hal_progress(void)
{
	*reg(RONDO_REG_MGMT_PROGRESS) = *reg(RONDO_REG_MGMT_PROGRESS) + 1;
}

void hal_irq_event(void)
{
	*reg(RONDO_REG_MGMT_HOST_IRQ) = RONDO_FLD_HOST_IRQ_STATUS_EVENT;
}

void hal_irq_fault(void)
{
	*reg(RONDO_REG_MGMT_HOST_IRQ) = RONDO_FLD_HOST_IRQ_STATUS_FAULT;
}

u64 hal_time(void)
{
	return read_pair(RONDO_REG_MGMT_TIME_LO);
}

void hal_timer_start(u64 ns)
{
	write_pair(RONDO_REG_MGMT_TIMER_LO, ns);
}

void hal_timer_stop(void)
{
	write_pair(RONDO_REG_MGMT_TIMER_LO, 0);
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
		u32 rung = *reg(RONDO_REG_MGMT_BELL_PENDING + 4 * i);

		if (rung)
			*reg(RONDO_REG_MGMT_BELL_PENDING + 4 * i) = rung;
		all |= rung;
	}
	memory_barrier();
	return all;
}

static bool copy(const void *local, u64 addr, u32 size, u32 direction)
{
	write_pair(RONDO_REG_MGMT_COPY_ADDR_LO, addr);
	*reg(RONDO_REG_MGMT_COPY_LOCAL) = (uintptr_t)local;
	*reg(RONDO_REG_MGMT_COPY_SIZE) = size;
	memory_barrier();
	*reg(RONDO_REG_MGMT_COPY_GO) = direction;
	memory_barrier();
	return *reg(RONDO_REG_MGMT_COPY_STATUS) == 0;
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
	*reg(RONDO_REG_MGMT_SEQ_ARGS) = (uintptr_t)args;
	memory_barrier();
	*reg(RONDO_REG_MGMT_SEQ_GO) = command;
}

void hal_seq_abort(void)
{
	*reg(RONDO_REG_MGMT_SEQ_GO) = RONDO_SEQ_ABORT;
}

void hal_seq_ack(void)
{
	*reg(RONDO_REG_MGMT_SEQ_ACK) = 1;
}

enum rondo_seq_status hal_seq_status(void)
{
	return *reg(RONDO_REG_MGMT_SEQ_STATUS);
}

u32 hal_seq_progress(void)
{
	return *reg(RONDO_REG_MGMT_SEQ_PROGRESS);
}

u64 hal_seq_cycles(void)
{
	return read_pair(RONDO_REG_MGMT_SEQ_CYCLES_LO);
}

u64 hal_seq_signature(void)
{
	return read_pair(RONDO_REG_MGMT_SEQ_SIGNATURE_LO);
}

u32 hal_seq_bundle(void)
{
	return *reg(RONDO_REG_MGMT_SEQ_BUNDLE);
}

u64 hal_seq_memory(void)
{
	return read_pair(RONDO_REG_MGMT_SEQ_MEMORY_LO);
}

void hal_wait(void)
{
	__asm__ volatile("wfi" ::: "memory");
}
