/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Every admin command, good and bad; the two lanes; what waits for the sequencer. */
#include "spec/program.h"
#include "tests/tap.h"
#include "tests/unit/firmware_fake.h"

typedef struct rondo_fw_admin cmd;

static const cmd good_load = {
	.command = RONDO_FW_PROGRAM_LOAD, .program = 5, .addr = 0x123456000, .size = 40
};
static const cmd good_bind = { .command = RONDO_FW_BIND,
			       .program = 5,
			       .binding = 9,
			       .generation = 77,
			       .addr = 0x200000008,
			       .count = 3,
			       .cycles = 1000 };
static const cmd good_queue = { .command = RONDO_FW_QUEUE_CREATE,
				.queue = 2,
				.addr = FAKE_BASE + FAKE_QUEUES,
				.count = 8,
				.weight = 1 };

/* The answer to @good with @size bytes of one field replaced by @value. */
static int call_with(cmd good, size_t offset, size_t size, u64 value)
{
	memcpy((u8 *)&good + offset, &value, size);
	return fake_call(good);
}

#define WITH(good, field, value) call_with(good, offsetof(cmd, field), sizeof((good).field), value)

static void test_simple(void)
{
	fake_boot();
	tap_eq(fake_call((cmd){ .command = RONDO_FW_PING }), RONDO_FW_OK, "ping");
	tap_eq(fake.event_irqs, 1, "one interrupt");
	tap_eq(fake_call((cmd){ 0 }), RONDO_FW_BAD_COMMAND, "command 0");
	tap_eq(fake_call((cmd){ .command = RONDO_FW_QUEUE_ABORT + 1 }), RONDO_FW_BAD_COMMAND,
	       "command one too high");
	tap_eq(fake_call((cmd){ .command = ~0u }), RONDO_FW_BAD_COMMAND, "command all ones");
}

static void test_programs(void)
{
	cmd unload = { .command = RONDO_FW_PROGRAM_UNLOAD, .program = 5 };
	cmd other = { .command = RONDO_FW_PROGRAM_LOAD, .program = 6, .size = 1 };

	fake_boot();
	tap_eq(fake_call(unload), RONDO_FW_BAD_NUMBER, "unload nothing");
	tap_eq(WITH(good_load, program, RONDO_PROGRAMS_MAX), RONDO_FW_BAD_NUMBER,
	       "load beyond the last number");
	tap_eq(WITH(good_load, program, ~0u), RONDO_FW_BAD_NUMBER, "load at a wild number");
	tap_eq(WITH(good_load, size, 0), RONDO_FW_BAD_COMMAND, "load nothing");
	tap_eq(WITH(good_load, size, RONDO_PROGRAM_BYTES_MAX + 1), RONDO_FW_BAD_COMMAND,
	       "load too much");
	tap_eq(WITH(good_load, addr, 0x123456008), RONDO_FW_BAD_COMMAND, "page list not on a page");
	tap_eq(fake.starts, 0, "none of these reached the sequencer");

	tap_eq(fake_call(good_load), RONDO_FW_OK, "load");
	tap_ok(fake.command == RONDO_SEQ_LOAD && fake.args.program == 5 &&
		       fake.args.addr == good_load.addr && fake.args.size == good_load.size,
	       "the sequencer got all of it");
	tap_eq(fake_call(good_load), RONDO_FW_BAD_NUMBER, "load twice");
	other.binding = other.queue = ~0u;
	tap_eq(fake_call(other), RONDO_FW_OK, "fields that load does not use");
	tap_eq(fake.args.binding, 0, "do not reach the sequencer");
	tap_eq(WITH(good_load, program, RONDO_PROGRAMS_MAX - 1), RONDO_FW_OK,
	       "load at the last number");
	tap_eq(fake_call(unload), RONDO_FW_OK, "unload");
	tap_ok(fake.command == RONDO_SEQ_UNLOAD && fake.args.program == 5, "by the sequencer");
	tap_eq(WITH(good_load, size, RONDO_PROGRAM_BYTES_MAX), RONDO_FW_OK, "the largest program");
	tap_eq(fake_call(unload), RONDO_FW_OK, "unload it");
	tap_eq(fake_call(unload), RONDO_FW_BAD_NUMBER, "unload twice");
}

static void test_bindings(void)
{
	cmd unbind = { .command = RONDO_FW_UNBIND, .binding = 9 };
	cmd unload = { .command = RONDO_FW_PROGRAM_UNLOAD, .program = 5 };

	fake_boot();
	tap_eq(fake_call(good_bind), RONDO_FW_BAD_NUMBER, "bind no program");
	tap_eq(fake_call(unbind), RONDO_FW_BAD_NUMBER, "unbind nothing");
	fake_call(good_load);
	tap_eq(WITH(good_bind, program, RONDO_PROGRAMS_MAX), RONDO_FW_BAD_NUMBER,
	       "bind a program beyond the last");
	tap_eq(WITH(good_bind, binding, RONDO_BINDINGS_MAX), RONDO_FW_BAD_NUMBER,
	       "bind beyond the last number");
	tap_eq(WITH(good_bind, count, RONDO_PROGRAM_SLOTS_MAX + 1), RONDO_FW_BAD_COMMAND,
	       "bind too many slots");
	tap_eq(WITH(good_bind, addr, 0x200000004), RONDO_FW_BAD_COMMAND,
	       "slot bindings misaligned");
	tap_eq(WITH(good_bind, cycles, 0), RONDO_FW_BAD_COMMAND, "no cycles");
	tap_eq(WITH(good_bind, cycles, RONDO_CYCLES_MAX + 1), RONDO_FW_BAD_COMMAND,
	       "too many cycles");
	tap_eq(fake.starts, 1, "none of these reached the sequencer");

	tap_eq(fake_call(good_bind), RONDO_FW_OK, "bind");
	tap_ok(fake.command == RONDO_SEQ_BIND && fake.args.program == 5 && fake.args.binding == 9 &&
		       fake.args.addr == good_bind.addr && fake.args.count == 3,
	       "the sequencer got all of it");
	tap_eq(fake_call(good_bind), RONDO_FW_BAD_NUMBER, "bind twice");
	tap_eq(fake_call(unload), RONDO_FW_BAD_NUMBER, "unload a bound program");
	tap_eq(fake_call(unbind), RONDO_FW_OK, "unbind");
	tap_ok(fake.command == RONDO_SEQ_UNBIND && fake.args.binding == 9, "by the sequencer");
	tap_eq(WITH(good_bind, count, RONDO_PROGRAM_SLOTS_MAX), RONDO_FW_OK, "most slots");
	fake_call(unbind);
	tap_eq(WITH(good_bind, cycles, RONDO_CYCLES_MAX), RONDO_FW_OK, "most cycles");
	fake_call(unbind);
	tap_eq(WITH(good_bind, cycles, 1), RONDO_FW_OK, "least cycles");
	tap_eq(fake_call(unbind), RONDO_FW_OK, "unbind that");
	tap_eq(fake_call(unbind), RONDO_FW_BAD_NUMBER, "unbind twice");
	tap_eq(fake_call(unload), RONDO_FW_OK, "unload what is no longer bound");
}

static void test_queue_commands(void)
{
	cmd destroy = { .command = RONDO_FW_QUEUE_DESTROY, .queue = 2 };
	cmd abort = { .command = RONDO_FW_QUEUE_ABORT, .queue = 2 };

	fake_boot();
	tap_eq(fake_call(destroy), RONDO_FW_BAD_NUMBER, "destroy nothing");
	tap_eq(fake_call(abort), RONDO_FW_BAD_NUMBER, "abort nothing");
	tap_eq(WITH(abort, queue, ~0u), RONDO_FW_BAD_NUMBER, "abort a wild number");
	tap_eq(WITH(good_queue, queue, RONDO_FW_QUEUES_MAX), RONDO_FW_BAD_NUMBER,
	       "create beyond the last number");
	tap_eq(WITH(good_queue, addr, FAKE_BASE + 32), RONDO_FW_BAD_COMMAND, "ring misaligned");
	tap_eq(WITH(good_queue, count, 0), RONDO_FW_BAD_COMMAND, "no entries");
	tap_eq(WITH(good_queue, count, 6), RONDO_FW_BAD_COMMAND, "entries no power of two");
	tap_eq(WITH(good_queue, count, RONDO_FW_QUEUE_ENTRIES_MAX * 2), RONDO_FW_BAD_COMMAND,
	       "too many entries");
	tap_eq(WITH(good_queue, weight, 0), RONDO_FW_BAD_COMMAND, "no weight");
	tap_eq(WITH(good_queue, weight, RONDO_FW_WEIGHT_MAX + 1), RONDO_FW_BAD_COMMAND,
	       "too much weight");
	tap_eq(WITH(good_queue, user, RONDO_FW_USERS_MAX), RONDO_FW_BAD_COMMAND, "no such user");
	fake.status->queue_tail[2] = 1;
	tap_eq(fake_call(good_queue), RONDO_FW_BAD_COMMAND, "a tail left from before");
	fake.status->queue_tail[2] = 0;
	tap_eq(fake_call(good_queue), RONDO_FW_OK, "create");
	tap_eq(fake_call(good_queue), RONDO_FW_BAD_NUMBER, "create twice");
	tap_eq(fake_call(abort), RONDO_FW_OK, "abort an idle queue");
	tap_eq(fake_call(destroy), RONDO_FW_OK, "destroy");
	tap_eq(fake_call(destroy), RONDO_FW_BAD_NUMBER, "destroy twice");
	tap_eq(WITH(good_queue, weight, RONDO_FW_WEIGHT_MAX), RONDO_FW_OK, "most weight");
	fake_call(destroy);
	tap_eq(WITH(good_queue, count, RONDO_FW_QUEUE_ENTRIES_MAX), RONDO_FW_OK, "most entries");
	fake_call(destroy);
	tap_eq(WITH(good_queue, count, 1), RONDO_FW_OK, "least entries");
}

/* The answer to @c, which the firmware lets pass and the sequencer ends with @status. */
static int refused_by_sequencer(cmd c, enum rondo_seq_status status)
{
	struct rondo_fw_event event;

	fake.held = true;
	fake_admin(&c);
	fake_run();
	fake_seq_end(status, 0, 0);
	fake_run();
	fake.held = false;
	return fake_event(&event) ? (int)event.result : -1;
}

/* What the sequencer says of a command, and that the tables follow only success. */
static void test_sequencer_results(void)
{
	static const struct {
		enum rondo_seq_status status;
		enum rondo_fw_result result;
	} rows[] = {
		{ RONDO_SEQ_BAD_NUMBER, RONDO_FW_BAD_NUMBER },
		{ RONDO_SEQ_BAD_PROGRAM, RONDO_FW_BAD_PROGRAM },
		{ RONDO_SEQ_HOST_REFUSED, RONDO_FW_HOST_REFUSED },
		{ RONDO_SEQ_ABORTED, RONDO_FW_ABORTED },
		{ RONDO_SEQ_NO_MEMORY, RONDO_FW_NO_MEMORY },
		{ RONDO_SEQ_IDLE, RONDO_FW_TRAPPED },
		{ RONDO_SEQ_ENDED + RONDO_FW_RESULTS, RONDO_FW_TRAPPED },
		{ 99, RONDO_FW_TRAPPED },
	};
	struct rondo_fw_event event;

	fake_boot();
	fake.held = true;
	for (u32 i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		fake_admin(&good_load);
		fake_run();
		tap_ok(!fake_event(&event), "no answer while the sequencer is busy");
		fake_seq_end(rows[i].status, 0, 0);
		fake_run();
		tap_ok(fake_event(&event) && event.result == rows[i].result,
		       "sequencer status %d becomes result %d", rows[i].status, rows[i].result);
	}
	fake.held = false;
	tap_eq(fake_call(good_bind), RONDO_FW_BAD_NUMBER, "a failed load loaded nothing");
	tap_eq(fake_call(good_load), RONDO_FW_OK, "its number is free");
	tap_eq(refused_by_sequencer(good_bind, RONDO_SEQ_BAD_COMMAND), RONDO_FW_BAD_COMMAND,
	       "slot bindings that do not fit the program are a bad command");
	tap_eq(fake_call(good_bind), RONDO_FW_OK, "a failed bind bound nothing");
	tap_eq(refused_by_sequencer((cmd){ .command = RONDO_FW_UNBIND, .binding = 9 },
				    RONDO_SEQ_BAD_NUMBER),
	       RONDO_FW_BAD_NUMBER, "a binding that the sequencer does not know");
}

/* A replay runs: commands for the sequencer wait, in order; the others do not. */
static void test_lanes(void)
{
	struct rondo_fw_entry entry = fake_entry(0, 1);
	struct rondo_fw_event event;
	cmd load = good_load, bind = good_bind, bad = good_bind;

	fake_boot();
	fake_bind(0, 500);
	fake_create_queue(0, 1);
	fake.held = true;
	fake_submit(0, &entry);
	fake_submit(0, &entry);
	fake_run();
	load.cookie = 1;
	bind.cookie = 2;
	bad.cookie = 3;
	bad.count = 99;
	fake_admin(&load);
	fake_admin(&bind);
	fake_admin(&bad);
	fake_run();
	tap_ok(fake.command == RONDO_SEQ_RUN && !fake_event(&event), "all wait for the replay");
	tap_eq(fake_call((cmd){ .command = RONDO_FW_PING }), RONDO_FW_OK, "a ping does not");

	fake_seq_end(RONDO_SEQ_OK, 500, 0);
	fake_run();
	tap_ok(fake_event(&event) && event.type == RONDO_FW_EVENT_DONE, "the replay is done");
	tap_eq(fake.command, RONDO_SEQ_LOAD, "the load goes before the next replay");
	fake.held = false;
	fake_run();
	for (u32 cookie = 1; cookie <= 3; cookie++)
		tap_ok(fake_event(&event) && event.type == RONDO_FW_EVENT_ADMIN &&
			       event.cookie == cookie,
		       "answer %u in order", cookie);
	tap_eq(event.result, RONDO_FW_BAD_NUMBER, "the last one was wrong by then");
	tap_ok(fake_event(&event) && event.type == RONDO_FW_EVENT_DONE, "the next replay ran");
}

/* More commands for the sequencer than may wait: none is lost, and a full ring drains. */
static void test_many_deferred(void)
{
	struct rondo_fw_entry entry = fake_entry(0, 1);
	u32 sent = 0, answers = 0, bad = 0;
	struct rondo_fw_event event;

	fake_boot();
	fake_bind(0, 500);
	fake_create_queue(0, 1);
	fake.held = true;
	fake_submit(0, &entry);
	fake_run();
	while (sent < 2 * RONDO_FW_DEFERRED_MAX) {
		cmd load = { .command = RONDO_FW_PROGRAM_LOAD,
			     .program = 1 + sent,
			     .cookie = sent,
			     .size = 40 };

		if (fake.status->admin_tail - fake.status->admin_head == FAKE_ADMIN_ENTRIES)
			break;
		/* Every third is wrong, so that some leave without the sequencer. */
		if (sent % 3 == 0)
			load.size = 0;
		fake_admin(&load);
		sent++;
		fake_run();
	}
	tap_ok(sent > RONDO_FW_DEFERRED_MAX && sent < 2 * RONDO_FW_DEFERRED_MAX,
	       "%u commands fill the waiting line and the ring", sent);
	fake_seq_end(RONDO_SEQ_OK, 500, 0);
	fake.held = false;
	for (u32 i = 0; i < 100; i++) {
		fake_run();
		while (fake_event(&event)) {
			if (event.type != RONDO_FW_EVENT_ADMIN)
				continue;
			bad += event.cookie != answers;
			bad += event.result != (answers % 3 ? RONDO_FW_OK : RONDO_FW_BAD_COMMAND);
			answers++;
		}
		fake.bells = true;
	}
	tap_eq(answers, sent, "all are answered");
	tap_eq(bad, 0, "in order and rightly");
	tap_eq(fake.violations, 0, "the sequencer was never asked while busy");
}

/* What a command takes of the device's memory is told by its answer, if it ended well. */
static void test_memory(void)
{
	const u64 memory = 0x123456789a;
	struct rondo_fw_event event = { 0 };

	fake_boot();
	fake.memory = memory;
	tap_ok(fake_ask(good_load, &event) && event.memory == memory, "memory of a program");
	tap_ok(fake_ask(good_load, &event) && event.result == RONDO_FW_BAD_NUMBER && !event.memory,
	       "a program that is not loaded has none");
	tap_ok(fake_ask(good_bind, &event) && event.memory == memory, "memory of a binding");
	tap_ok(fake_ask(good_queue, &event) && !event.memory, "a queue has none");
}

int main(void)
{
	test_simple();
	test_memory();
	test_programs();
	test_bindings();
	test_queue_commands();
	test_sequencer_results();
	test_lanes();
	test_many_deferred();
	return tap_done();
}
