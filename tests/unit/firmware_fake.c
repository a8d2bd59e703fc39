/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A chip and a host for the firmware's tests. See firmware_fake.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/firmware_fake.h"

struct fake fake;
struct firmware fake_fw;

u64 hal_init_addr(void)
{
	return fake.init_addr;
}

void hal_set_version(u32 version)
{
	fake.version = version;
}

void hal_set_state(enum rondo_fw_state state)
{
	fake.state = state;
}

void hal_heartbeat(void)
{
	fake.heartbeats++;
}

void hal_progress(void)
{
	fake.progress++;
}

void hal_irq_event(void)
{
	fake.event_irqs++;
}

void hal_irq_fault(void)
{
	fake.fault_irqs++;
}

u64 hal_time(void)
{
	return ++fake.time;
}

void hal_timer_start(u64 ns)
{
	fake.violations += ns == 0;
	fake.timer = fake.wall + ns;
}

void hal_timer_stop(void)
{
	fake.timer = 0;
}

bool hal_timer_fired(void)
{
	return fake.timer && fake.timer <= fake.wall;
}

bool hal_bells_take(void)
{
	bool rung = fake.bells;

	fake.bells = false;
	return rung;
}

/* The host memory at @addr, NULL if not all of it is there or this copy is to fail. */
static u8 *host(u64 addr, u32 size)
{
	fake.copies++;
	if (fake.spare) {
		fake.spare--;
	} else if (fake.refuse) {
		fake.refuse--;
		return NULL;
	}
	if (addr < FAKE_BASE || size > FAKE_BYTES || addr - FAKE_BASE > FAKE_BYTES - size)
		return NULL;
	return fake.mem + (addr - FAKE_BASE);
}

bool hal_copy_in(void *local, u64 addr, u32 size)
{
	u8 *p = host(addr, size);

	if (p)
		memcpy(local, p, size);
	return p;
}

bool hal_copy_out(u64 addr, const void *local, u32 size)
{
	u8 *p = host(addr, size);

	if (p)
		memcpy(p, local, size);
	return p;
}

void hal_seq_start(enum rondo_seq_command command, const struct rondo_seq_args *args)
{
	fake.violations += fake.seq_status == RONDO_SEQ_BUSY;
	fake.violations += command < RONDO_SEQ_LOAD || command > RONDO_SEQ_RUN;
	fake.violations += args->program >= RONDO_PROGRAMS_MAX;
	fake.violations += args->binding >= RONDO_BINDINGS_MAX;
	fake.violations += command == RONDO_SEQ_RUN && args->count > RONDO_REPLAY_OFFSETS_MAX;
	/* A replay is announced before it starts. */
	fake.violations += command == RONDO_SEQ_RUN && !fake.status->running;
	fake.seq_status = RONDO_SEQ_BUSY;
	fake.command = command;
	fake.args = *args;
	fake.args_at = args;
	fake.starts++;
}

void hal_seq_abort(void)
{
	fake.aborts++;
}

void hal_seq_ack(void)
{
	fake.seq_irq = false;
}

enum rondo_seq_status hal_seq_status(void)
{
	return fake.seq_status;
}

u32 hal_seq_progress(void)
{
	return fake.seq_progress;
}

u64 hal_seq_cycles(void)
{
	return fake.cycles;
}

u64 hal_seq_signature(void)
{
	return fake.signature;
}

u32 hal_seq_bundle(void)
{
	return fake.bundle;
}

u64 hal_seq_memory(void)
{
	return fake.memory;
}

/* The loop is the test's own. */
void hal_wait(void)
{
}

void fake_reset(void)
{
	u32 violations = fake.violations;

	memset(&fake, 0, sizeof(fake));
	fake.violations = violations;
	memset(&fake_fw, 0, sizeof(fake_fw));
	fake.init = (void *)(fake.mem + FAKE_INIT);
	fake.status = (void *)(fake.mem + FAKE_STATUS);
	fake.admin = (void *)(fake.mem + FAKE_ADMIN);
	fake.events = (void *)(fake.mem + FAKE_EVENTS);
	fake.log = (char *)fake.mem + FAKE_LOG;
	fake.init_addr = FAKE_BASE + FAKE_INIT;
	*fake.init = (struct rondo_fw_init){
		.magic = RONDO_FW_IMAGE_MAGIC,
		.version = RONDO_FW_VERSION,
		.status = FAKE_BASE + FAKE_STATUS,
		.admin = FAKE_BASE + FAKE_ADMIN,
		.events = FAKE_BASE + FAKE_EVENTS,
		.log = FAKE_BASE + FAKE_LOG,
		.admin_count = FAKE_ADMIN_ENTRIES,
		.event_count = FAKE_EVENT_ENTRIES,
		.log_size = FAKE_LOG_BYTES,
	};
}

struct rondo_fw_entry *fake_queue(u32 q)
{
	return (void *)(fake.mem + FAKE_QUEUES + q * RONDO_PAGE_BYTES);
}

bool fake_boot(void)
{
	fake_reset();
	return fw_boot(&fake_fw);
}

bool fake_run(void)
{
	bool again;
	u32 turns = 0;

	do {
		if (++turns > FAKE_TURNS_MAX)
			abort();
		if (!fw_turn(&fake_fw))
			return false;
		again = fake_fw.more;
		if (fake.seq_status == RONDO_SEQ_BUSY && !fake.held) {
			fake_seq_end(RONDO_SEQ_OK, fake.args.bound, 0);
			again = true;
		}
	} while (again);
	/* Now the core sleeps; what is still pending would wake it at once, for ever. */
	fake.violations += fake.seq_irq || fake.bells || hal_timer_fired();
	return true;
}

void fake_seq_end(enum rondo_seq_status status, u64 cycles, u32 bundle)
{
	/* The real sequencer reads its arguments when it likes, until it is done. */
	fake.violations += memcmp(fake.args_at, &fake.args, sizeof(fake.args)) != 0;
	fake.seq_status = status;
	fake.seq_irq = true;
	fake.cycles = cycles;
	fake.bundle = bundle;
}

bool fake_sleep(u64 ns)
{
	u64 end = fake.wall + ns;

	while (fake.timer && fake.timer <= end) {
		fake.wall = fake.timer;
		if (!fake_run())
			return false;
	}
	fake.wall = end;
	return true;
}

void fake_admin(const struct rondo_fw_admin *cmd)
{
	fake.admin[fake.status->admin_tail % FAKE_ADMIN_ENTRIES] = *cmd;
	fake.status->admin_tail++;
	fake.bells = true;
}

void fake_submit(u32 q, const struct rondo_fw_entry *entry)
{
	fake_queue(q)[fake.status->queue_tail[q] % FAKE_QUEUE_ENTRIES] = *entry;
	fake.status->queue_tail[q]++;
	fake.bells = true;
}

bool fake_event(struct rondo_fw_event *event)
{
	if (fake.status->event_head == fake.status->event_tail)
		return false;
	*event = fake.events[fake.status->event_head % FAKE_EVENT_ENTRIES];
	fake.status->event_head++;
	return true;
}

bool fake_ask(struct rondo_fw_admin cmd, struct rondo_fw_event *event)
{
	static u32 cookie = 1000;

	cmd.cookie = ++cookie;
	fake_admin(&cmd);
	fake_run();
	return fake_event(event) && event->type == RONDO_FW_EVENT_ADMIN && event->cookie == cookie;
}

int fake_call(struct rondo_fw_admin cmd)
{
	struct rondo_fw_event event;

	return fake_ask(cmd, &event) ? (int)event.result : -1;
}

bool fake_bind(u32 binding, u64 cycles)
{
	struct rondo_fw_admin load = { .command = RONDO_FW_PROGRAM_LOAD, .size = 4096 };
	struct rondo_fw_admin bind = {
		.command = RONDO_FW_BIND,
		.binding = binding,
		.generation = binding + 1,
		.count = 2,
		.cycles = cycles,
	};

	if (!fake_fw.program[0].used && fake_call(load) != RONDO_FW_OK)
		return false;
	return fake_call(bind) == RONDO_FW_OK;
}

bool fake_create_queue(u32 q, u32 weight)
{
	return fake_call((struct rondo_fw_admin){
		       .command = RONDO_FW_QUEUE_CREATE,
		       .queue = q,
		       .addr = FAKE_BASE + FAKE_QUEUES + q * RONDO_PAGE_BYTES,
		       .count = FAKE_QUEUE_ENTRIES,
		       .weight = weight,
	       }) == RONDO_FW_OK;
}

struct rondo_fw_entry fake_entry(u32 binding, u64 seqno)
{
	return (struct rondo_fw_entry){
		.type = RONDO_FW_ENTRY_REPLAY,
		.flags = RONDO_FW_ENTRY_EVENT,
		.binding = binding,
		.generation = binding + 1,
		.seqno = seqno,
	};
}

bool fake_logged(const char *text)
{
	return strstr(fake.log, text);
}
