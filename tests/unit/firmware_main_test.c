/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The firmware's life: handshake and its refusals, heartbeat, and every way to stop. */
#include "tests/tap.h"
#include "tests/unit/firmware_fake.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define READY "firmware " TEXT(RONDO_FW_MAJOR) "." TEXT(RONDO_FW_MINOR) ": ready\n"

static void test_boot(void)
{
	tap_ok(fake_boot(), "a good init boots");
	tap_eq(fake.version, RONDO_FW_VERSION, "version is shown");
	tap_eq(fake.state, RONDO_FW_STATE_READY, "state is READY");
	tap_ok(fake.heartbeats > 0, "a first heartbeat");
	tap_eq(fake.fault_irqs, 0, "no fault interrupt");
	tap_ok(fake_logged(READY), "the log says ready");
	tap_eq(fake.status->log_tail, strlen(READY), "log_tail counts its bytes");
}

static const struct {
	const char *name;
	size_t offset;
	u64 value;
	u32 size;
} bad_init[] = {
#define BAD(field, value)                                                          \
	{                                                                          \
#field " = " #value, offsetof(struct rondo_fw_init, field), value, \
			sizeof(((struct rondo_fw_init *)0)->field)                 \
	}
	BAD(magic, 0),
	BAD(version, (RONDO_FW_MAJOR + 1) << 16),
	BAD(version, 0),
	BAD(status, FAKE_BASE + FAKE_STATUS + 4),
	BAD(admin, FAKE_BASE + FAKE_ADMIN + 32),
	BAD(events, FAKE_BASE + FAKE_EVENTS + 1),
	BAD(log, FAKE_BASE + FAKE_LOG + 8),
	BAD(admin_count, 0),
	BAD(admin_count, 3),
	BAD(admin_count, RONDO_FW_ADMIN_ENTRIES_MAX * 2),
	BAD(event_count, 0),
	BAD(event_count, 12),
	BAD(event_count, RONDO_FW_EVENT_ENTRIES_MAX * 2),
	BAD(log_size, 0),
	BAD(log_size, RONDO_FW_LOG_BYTES_MIN / 2),
	BAD(log_size, 1000),
	BAD(log_size, RONDO_FW_LOG_BYTES_MAX * 2),
	BAD(reserved, 1),
#undef BAD
};

static void test_bad_init(void)
{
	for (size_t i = 0; i < sizeof(bad_init) / sizeof(*bad_init); i++) {
		fake_reset();
		memcpy((u8 *)fake.init + bad_init[i].offset, &bad_init[i].value, bad_init[i].size);
		tap_ok(!fw_boot(&fake_fw) && fake.state == RONDO_FW_STATE_BAD_INIT &&
			       fake.fault_irqs == 1 && fake.version == RONDO_FW_VERSION,
		       "refused: %s", bad_init[i].name);
	}

	fake_reset();
	fake.init_addr += 4;
	tap_ok(!fw_boot(&fake_fw) && fake.state == RONDO_FW_STATE_BAD_INIT,
	       "refused: its address misaligned");

	fake_reset();
	fake.init->admin_count = fake.init->event_count = 1;
	fake.init->log_size = RONDO_FW_LOG_BYTES_MIN;
	tap_ok(fw_boot(&fake_fw), "the smallest rings");
	fake_reset();
	fake.init->admin_count = RONDO_FW_ADMIN_ENTRIES_MAX;
	fake.init->event_count = RONDO_FW_EVENT_ENTRIES_MAX;
	fake.init->log_size = RONDO_FW_LOG_BYTES_MAX;
	tap_ok(fw_boot(&fake_fw), "the largest rings");

	fake_reset();
	fake.init->version = RONDO_FW_VERSION + 7;
	tap_ok(fw_boot(&fake_fw), "a host of a later minor version is served");
	fake_reset();
	fake.init->version = RONDO_FW_MAJOR << 16;
	tap_ok(fw_boot(&fake_fw), "so is one of the first");
}

static void test_boot_refused(void)
{
	fake_reset();
	fake.refuse = 1;
	tap_ok(!fw_boot(&fake_fw) && fake.state == RONDO_FW_STATE_HOST_ERROR && fake.fault_irqs,
	       "init cannot be read: HOST_ERROR");
	fake_reset();
	fake.init->status = FAKE_BASE + FAKE_BYTES;
	tap_ok(!fw_boot(&fake_fw) && fake.state == RONDO_FW_STATE_HOST_ERROR && fake.fault_irqs,
	       "no status page: HOST_ERROR");
	fake_reset();
	fake.init->log = 0;
	tap_ok(fw_boot(&fake_fw), "a log that cannot be written stops nothing");
	tap_eq(fake.status->log_tail, 0, "and is empty");
	fake_reset();
	fake.status->admin_tail = FAKE_ADMIN_ENTRIES + 1;
	tap_ok(!fw_boot(&fake_fw) && fake.state == RONDO_FW_STATE_PROTOCOL,
	       "wrong indices before boot: PROTOCOL");
}

static void test_heartbeat(void)
{
	u32 before, copies;

	fake_boot();
	before = fake.heartbeats;
	fake_sleep(10ull * RONDO_FW_HEARTBEAT_MS * 1000000);
	tap_ok(fake.heartbeats >= before + 10, "heartbeats while idle");

	fake_bind(0, 100);
	fake_create_queue(0, 1);
	fake.held = true;
	fake_submit(0, &(struct rondo_fw_entry){ .type = RONDO_FW_ENTRY_REPLAY, .generation = 1 });
	fake_run();
	tap_eq(fake.command, RONDO_SEQ_RUN, "a replay runs");
	before = fake.heartbeats;
	fake_sleep(10ull * RONDO_FW_HEARTBEAT_MS * 1000000);
	tap_ok(fake.heartbeats >= before + 10, "heartbeats during a replay");
	tap_eq(fake_call((struct rondo_fw_admin){ .command = RONDO_FW_PING }), RONDO_FW_OK,
	       "a ping during a replay");

	copies = fake.copies;
	fake_run();
	tap_eq(fake.copies, copies, "a turn without a cause does not touch the host");
}

/* Each index one too far, and exactly at its limit. */
static void test_indices(void)
{
	fake_boot();
	fake.status->admin_tail = FAKE_ADMIN_ENTRIES;
	fake.bells = true;
	tap_ok(fake_run(), "a full admin ring is served");
	tap_eq(fake.status->admin_head, FAKE_ADMIN_ENTRIES, "all of it");

	fake.status->admin_tail = FAKE_ADMIN_ENTRIES * 2 + 1;
	fake.bells = true;
	tap_ok(!fake_run() && fake.state == RONDO_FW_STATE_PROTOCOL && fake.fault_irqs == 1,
	       "admin_tail one too far: PROTOCOL");
	tap_ok(fake_logged("bad admin_tail 17, head 8\n"), "the log says which");
	fake.bells = true;
	fake.status->admin_tail = 0;
	tap_ok(!fw_turn(&fake_fw), "stopped for good");

	fake_boot();
	fake.status->event_head = 1;
	fake.bells = true;
	tap_ok(!fake_run() && fake.state == RONDO_FW_STATE_PROTOCOL,
	       "event_head ahead of its tail");
	tap_ok(fake_logged("bad event_head 1, tail 0\n"), "the log says which");

	fake_boot();
	fake.status->queue_tail[3] = 4000000;
	fake.bells = true;
	tap_ok(fake_run(), "the tail of an absent queue is nobody's business");
	fake.status->queue_tail[3] = 0;
	fake_create_queue(3, 1);
	fake_create_queue(0, 1);
	fake.status->queue_tail[1] = 4000000;
	fake.bells = true;
	tap_ok(fake_run(), "so is that of one between others");
	fake.status->queue_tail[0] = FAKE_QUEUE_ENTRIES;
	fake.bells = true;
	tap_ok(fake_run(), "a full queue is served");
	fake.status->queue_tail[3] = FAKE_QUEUE_ENTRIES + 1;
	fake.bells = true;
	tap_ok(!fake_run() && fake.state == RONDO_FW_STATE_PROTOCOL, "queue_tail one too far");
	tap_ok(fake_logged("queue 3: bad tail 9, head 0\n"), "the log says which");

	fake_boot();
	fake_create_queue(0, 1);
	fake.status->queue_tail[0] = ~0u;
	fake.bells = true;
	tap_ok(!fake_run() && fake.state == RONDO_FW_STATE_PROTOCOL, "queue_tail behind its head");
}

static void test_host_error(void)
{
	struct rondo_fw_entry entry = fake_entry(0, 1);

	fake_boot();
	fake.bells = true;
	fake.refuse = 1;
	tap_ok(!fake_run() && fake.state == RONDO_FW_STATE_HOST_ERROR && fake.fault_irqs == 1,
	       "a refused copy of the indices: HOST_ERROR");

	fake_boot();
	fake_bind(0, 100);
	fake_create_queue(0, 1);
	fake.held = true;
	fake_submit(0, &entry);
	fake_run();
	fake.bells = true;
	fake.refuse = 1;
	fake_run();
	tap_ok(fake.state == RONDO_FW_STATE_HOST_ERROR && fake.aborts == 1,
	       "a stop aborts what runs");
	tap_eq(fake.timer, 0, "and the timer, so that nothing wakes the core");
}

/* A command and a replay, with each of their copies refused in turn. */
static void test_each_copy(void)
{
	struct rondo_fw_entry entry = fake_entry(0, 1);
	struct rondo_fw_admin ping = { .command = RONDO_FW_PING };
	u32 i, copies, stopped = 0;

	for (i = 0;; i++) {
		fake_boot();
		fake_bind(0, 100);
		fake_create_queue(0, 1);
		copies = fake.copies;
		fake_submit(0, &entry);
		fake_admin(&ping);
		fake.spare = i;
		fake.refuse = 1;
		if (fake_run())
			break;
		stopped += fake.state == RONDO_FW_STATE_HOST_ERROR && fake.fault_irqs == 1 &&
			   !fw_turn(&fake_fw);
	}
	tap_ok(i >= 6 && stopped == i && fake.copies - copies == i,
	       "each of %u refused copies stops with HOST_ERROR", i);
}

/* What is refused is named in the log, with all of its address. */
static void test_refusals(void)
{
	fake_boot();
	fake.bells = true;
	fake.refuse = 1;
	fake_run();
	tap_ok(fake_logged("host refused read at 3:1000\n"), "the log says what cannot be read");

	fake_boot();
	fake_admin(&(struct rondo_fw_admin){ .command = RONDO_FW_PING });
	fake.spare = 2;
	fake.refuse = 1;
	fake_run();
	tap_ok(fake_logged("host refused write at 3:3000\n"), "or written");
}

/* A host that forgets its bell is found out by the next heartbeat. */
static void test_no_bell(void)
{
	fake_boot();
	fake_bind(0, 100);
	fake_create_queue(0, 1);
	fake_run();
	fake_queue(0)[0] = fake_entry(0, 1);
	fake.status->queue_tail[0] = 1;
	fake_run();
	tap_eq(fake.status->queue_head[0], 0, "an entry without a bell waits");
	fake_sleep(FW_HEARTBEAT_NS);
	tap_eq(fake.status->queue_head[0], 1, "for the next heartbeat");
}

/* A replay is in the sequencer, and stays there. */
static void hold_replay(void)
{
	struct rondo_fw_entry entry = fake_entry(0, 1);

	fake_bind(0, 100);
	fake_create_queue(0, 1);
	fake.held = true;
	fake_submit(0, &entry);
	fake_run();
}

/* One that stands still is aborted in time and not before; the ending says so. */
static void test_stall(void)
{
	struct rondo_fw_event event = {};
	u32 progress;

	fake_boot();
	hold_replay();
	for (u32 i = 0; i < 10; i++) {
		fake.seq_progress++;
		fake_sleep(FW_STALL_NS - FW_HEARTBEAT_NS);
	}
	tap_eq(fake.aborts, 0, "a replay that moves now and then is left alone");
	fake.seq_progress++;
	fake_sleep(FW_HEARTBEAT_NS);
	progress = fake.progress;
	fake_sleep(FW_STALL_NS - 2 * FW_HEARTBEAT_NS);
	tap_eq(fake.aborts, 0, "one that stands still is not, but it is given its time");
	fake_sleep(4 * FW_HEARTBEAT_NS);
	tap_eq(fake.aborts, 1, "and no more");
	tap_eq(fake.progress, progress, "the host sees no progress meanwhile");
	tap_ok(fake_logged("the sequencer stands still in command 5\n"), "the log says so");
	fake_seq_end(RONDO_SEQ_ABORTED, 7, 0);
	fake_run();
	tap_ok(fake_event(&event) && event.result == RONDO_FW_STALLED, "the replay ends STALLED");
	tap_ok(fake.progress > progress, "which is progress");
	fake.held = false;
	tap_eq(fake_call((struct rondo_fw_admin){ .command = RONDO_FW_UNBIND }), RONDO_FW_OK,
	       "and the sequencer goes on");
}

static void test_stall_of_a_command(void)
{
	struct rondo_fw_admin load = { .command = RONDO_FW_PROGRAM_LOAD, .size = 4096 };
	struct rondo_fw_event event = {};

	fake_boot();
	fake.held = true;
	fake_admin(&load);
	fake_run();
	fake_sleep(FW_STALL_NS + FW_HEARTBEAT_NS);
	fake_seq_end(RONDO_SEQ_ABORTED, 0, 0);
	fake_run();
	tap_ok(fake_event(&event) && event.result == RONDO_FW_STALLED && !fake_fw.program[0].used,
	       "a load that stands still ends STALLED, and nothing is loaded");
}

/* What ends just then, well or badly, has ended so. An older host does not know the result. */
static void test_stall_results(void)
{
	static const struct {
		u32 minor;
		enum rondo_fw_result result;
	} hosts[] = {
		{ 0, RONDO_FW_TRAPPED },
		{ RONDO_FW_MINOR_PROGRESS - 1, RONDO_FW_TRAPPED },
		{ RONDO_FW_MINOR_PROGRESS, RONDO_FW_STALLED },
		{ 0xffff, RONDO_FW_STALLED },
	};
	struct rondo_fw_event event = {};

	fake_boot();
	hold_replay();
	fake_sleep(FW_STALL_NS + FW_HEARTBEAT_NS);
	fake_seq_end(RONDO_SEQ_OK, 100, 0);
	fake_run();
	tap_ok(fake_event(&event) && event.result == RONDO_FW_OK, "it ends well after all");

	for (u32 i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		fake_reset();
		fake.init->version = RONDO_FW_MAJOR << 16 | hosts[i].minor;
		fw_boot(&fake_fw);
		hold_replay();
		fake_sleep(FW_STALL_NS + FW_HEARTBEAT_NS);
		fake_seq_end(RONDO_SEQ_ABORTED, 0, 0);
		fake_run();
		tap_ok(fake_event(&event) && event.result == hosts[i].result,
		       "a host of minor version %u is told %u", hosts[i].minor, event.result);
	}
}

/* Looks at the sequencer count for as long as they say. */
static void test_stall_exactly(void)
{
	fake_boot();
	hold_replay();
	fake.seq_progress++;
	seq_watch(&fake_fw, FW_STALL_NS);
	seq_watch(&fake_fw, FW_STALL_NS - 1);
	tap_eq(fake.aborts, 0, "a nanosecond before its time is over, nothing has stood still");
	seq_watch(&fake_fw, 1);
	tap_eq(fake.aborts, 1, "now it has");
	seq_watch(&fake_fw, FW_STALL_NS - 1);
	tap_eq(fake.state, RONDO_FW_STATE_READY, "the abort has a nanosecond left");
	seq_watch(&fake_fw, 1);
	tap_eq(fake.state, RONDO_FW_STATE_STUCK, "now it has none");
}

/* The event ring is full: an ended replay that nobody is told of does not stand still. */
static void test_no_stall_of_the_host(void)
{
	fake_boot();
	hold_replay();
	fake.status->event_head = fake.status->event_tail - FAKE_EVENT_ENTRIES;
	fake.bells = true;
	fake_run();
	fake_seq_end(RONDO_SEQ_OK, 100, 0);
	fake_run();
	fake_sleep(2ull * FW_STALL_NS);
	tap_ok(!fake.aborts && fake.state == RONDO_FW_STATE_READY,
	       "a host that takes no events stalls nobody");
}

static void test_stuck(void)
{
	fake_boot();
	hold_replay();
	fake_sleep(FW_STALL_NS + FW_HEARTBEAT_NS);
	fake.seq_progress++;
	fake_sleep(FW_STALL_NS - 2 * FW_HEARTBEAT_NS);
	tap_eq(fake.state, RONDO_FW_STATE_READY, "an abort has as long to be obeyed");
	fake_sleep(4 * FW_HEARTBEAT_NS);
	tap_ok(fake.state == RONDO_FW_STATE_STUCK && fake.fault_irqs == 1,
	       "a sequencer that does not obey stops the firmware");
	tap_ok(fake_logged("the sequencer does not obey abort\n"), "the log says so");
}

static void test_trap(void)
{
	u32 tail;

	fake_boot();
	tail = fake.status->log_tail;
	fw_trap(&fake_fw, 7, 0x80001234, 0xdeadbeef);
	tap_ok(fake.state == RONDO_FW_STATE_TRAP && fake.fault_irqs == 1, "a trap stops");
	tap_ok(fake_logged("trap: cause 7 at 80001234, value deadbeef\n"), "the log says where");
	tap_ok(fake.status->log_tail > tail, "and the host can know");
	fw_trap(&fake_fw, 7, 0, 0);
	tap_eq(fake.fault_irqs, 1, "stops once");
}

static void test_log_wrap(void)
{
	char end[8];

	fake_boot();
	for (u32 i = 0; i < 200; i++)
		fw_log(&fake_fw, "line %u of a long log %x", i, 0xffffffffu);
	fake_run();
	for (u32 i = 0; i < sizeof(end); i++)
		end[i] = fake.log[(fake.status->log_tail - sizeof(end) + i) % FAKE_LOG_BYTES];
	tap_ok(!memcmp(end, "fffffff\n", sizeof(end)), "the log wraps");
	tap_ok(!fake.mem[FAKE_LOG + FAKE_LOG_BYTES], "and stays in its ring");
	fw_log(&fake_fw, "%u: a line that is longer than the firmware cares to keep of it", 1u);
	fake_run();
	tap_eq(fake.log[(fake.status->log_tail - 1) % FAKE_LOG_BYTES], '\n', "a long line is cut");
}

static void test_log_lines(void)
{
	static const char cut[] = "0123456789012345678901234567890123456789012345678901234567890";
	const u32 line = 60; /* bytes of the longest, its end included */
	u32 tail;

	fake_boot();
	tail = fake.status->log_tail;
	fw_log(&fake_fw, "%u %x,%u", 0u, 0xfedcba98u, ~0u);
	fw_log(&fake_fw, cut);
	fw_log(&fake_fw, "0123456789012345678901234567890123456789012345678901234%u", 123456u);
	fake_run();
	tap_ok(!strncmp(fake.log + tail, "0 fedcba98,4294967295\n", 22), "numbers in both bases");
	tail += 22;
	tap_ok(!strncmp(fake.log + tail, cut, line - 1) && fake.log[tail + line - 1] == '\n',
	       "a text is cut");
	tail += line;
	tap_ok(!strncmp(fake.log + tail + line - 6, "41234\n", 6), "in the middle of a number too");
	tap_eq(fake.status->log_tail, tail + line, "and no byte follows");

	tail = fake.status->log_tail;
	fake.refuse = 1;
	fw_log(&fake_fw, "lost");
	fw_log(&fake_fw, "kept");
	fake_run();
	tap_ok(!strncmp(fake.log + tail, "kept\n", 5) && fake.status->log_tail == tail + 5,
	       "a line that the host refuses takes no place");
	fw_log(&fake_fw, "next");
	fake_run();
	tap_ok(!strncmp(fake.log + tail, "kept\nnext\n", 10) && fake.status->log_tail == tail + 10,
	       "an odd number of bytes has the next line right behind it");
}

/* A line around the end of the ring is whole, or not there at all. */
static void test_log_around(void)
{
	u32 tail, i;

	fake_boot();
	while (FAKE_LOG_BYTES - fake_fw.status.log_tail > 8)
		fw_log(&fake_fw, "12345");
	tail = fake_fw.status.log_tail;
	fake.spare = 1;
	fake.refuse = 1;
	fw_log(&fake_fw, "0123456789");
	tap_eq(fake_fw.status.log_tail, tail, "a line whose second half is refused is none");
	fw_log(&fake_fw, "0123456789");
	for (i = 0; i < 10; i++)
		if (fake.log[(tail + i) % FAKE_LOG_BYTES] != (char)('0' + i))
			break;
	tap_eq(i, 10, "both halves of a line are where they belong");
}

int main(void)
{
	test_boot();
	test_bad_init();
	test_boot_refused();
	test_heartbeat();
	test_stall();
	test_stall_of_a_command();
	test_stall_results();
	test_stall_exactly();
	test_no_stall_of_the_host();
	test_stuck();
	test_indices();
	test_host_error();
	test_each_copy();
	test_refusals();
	test_no_bell();
	test_trap();
	test_log_wrap();
	test_log_lines();
	test_log_around();
	tap_eq(fake.violations, 0, "the chip was never asked for what it must not");
	return tap_done();
}
