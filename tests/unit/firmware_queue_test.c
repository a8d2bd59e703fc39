/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Replays: entries good and bad, results, accumulation, full event ring, abort, shares. */
#include "tests/tap.h"
#include "tests/unit/firmware_fake.h"

typedef struct rondo_fw_entry entry;

/* Booted, with binding 0 of 1000 cycles and queue 0. */
static void prepare(void)
{
	fake_boot();
	fake_bind(0, 1000);
	fake_create_queue(0, 1);
}

static struct rondo_fw_event next_event(void)
{
	struct rondo_fw_event event = { .type = ~0u };

	fake_event(&event);
	return event;
}

static void test_run(void)
{
	entry e = fake_entry(7, 0x1122334455667788);
	struct rondo_fw_event event;
	u64 before, begun;

	prepare();
	fake_bind(7, 1000);
	e.offsets = 2;
	e.slot[0] = 0;
	e.offset[0] = 0xffffffff;
	e.slot[1] = 63;
	e.offset[1] = 7;
	fake.held = true;
	fake_submit(0, &e);
	begun = fake.time;
	fake_run();
	tap_ok(fake.command == RONDO_SEQ_RUN && fake.args.binding == 7, "the replay starts");
	tap_eq(fake.args.bound, 1000 + RONDO_FW_BOUND_SLACK, "with its exact time as bound");
	tap_ok(fake.args.count == 2 && fake.args.offset[0].slot == 0 &&
		       fake.args.offset[0].offset == 0xffffffff && fake.args.offset[1].slot == 63 &&
		       fake.args.offset[1].offset == 7,
	       "and its offsets");
	tap_eq(fake.status->queue_head[0], 0, "it is not done yet");
	tap_eq(fake.status->running, 1, "the host is told that it runs");

	/* The host scribbles over what was copied. */
	memset(fake_queue(0), 0xff, sizeof(e));
	before = fake.time;
	fake_seq_end(RONDO_SEQ_OK, 1000, 0);
	fake_run();
	event = next_event();
	tap_ok(event.type == RONDO_FW_EVENT_DONE && event.result == RONDO_FW_OK &&
		       event.queue == 0 && event.seqno == e.seqno,
	       "DONE with its sequence number");
	tap_ok(event.cycles == 1000 && event.replays == 1, "cycles and replays");
	tap_ok(event.time > before && event.time <= fake.time, "the time when it was done");
	tap_ok(event.started > begun && event.started <= before, "and when it began");
	tap_eq(fake.status->queue_head[0], 1, "the head moved");
	tap_eq(fake.status->running, 0, "nothing runs");
}

/* An event tells when the first replay since the last one began, if one has. */
static void test_started(void)
{
	entry quiet = fake_entry(0, 1), loud = fake_entry(0, 2), bad = fake_entry(0, 3);
	struct rondo_fw_event event;
	u64 first;

	prepare();
	quiet.flags = 0;
	bad.type = 0;
	fake.held = true;
	fake_submit(0, &quiet);
	fake_run();
	first = fake.time;
	fake_submit(0, &loud);
	fake_seq_end(RONDO_SEQ_OK, 1000, 0);
	fake_run();
	fake_seq_end(RONDO_SEQ_OK, 1000, 0);
	fake_run();
	event = next_event();
	tap_ok(event.seqno == 2 && event.replays == 2 && event.started && event.started <= first &&
		       event.cycles == 2000,
	       "two replays and one event: when the first began");
	fake_submit(0, &bad);
	fake_run();
	event = next_event();
	tap_ok(event.seqno == 3 && !event.started, "what never begins has no such time");
	fake_submit(0, &loud);
	first = fake.time;
	fake_run();
	fake_seq_end(RONDO_SEQ_OK, 1000, 0);
	fake_run();
	event = next_event();
	tap_ok(event.started > first && event.started <= event.time, "the next one its own");
}

static void test_results(void)
{
	static const struct {
		enum rondo_seq_status status;
		enum rondo_fw_result result;
	} rows[] = {
		{ RONDO_SEQ_BAD_OFFSET, RONDO_FW_BAD_OFFSET },
		{ RONDO_SEQ_HOST_REFUSED, RONDO_FW_HOST_REFUSED },
		{ RONDO_SEQ_OVERRUN, RONDO_FW_OVERRUN },
		{ RONDO_SEQ_TRAPPED, RONDO_FW_TRAPPED },
		{ RONDO_SEQ_ABORTED, RONDO_FW_ABORTED },
	};
	entry quiet = fake_entry(0, 5);

	quiet.flags = 0;
	for (u32 i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rondo_fw_event event;

		prepare();
		fake.held = true;
		fake_submit(0, &quiet);
		fake_submit(0, &quiet);
		fake_run();
		fake_seq_end(rows[i].status, 123, 456);
		fake_run();
		event = next_event();
		tap_ok(event.result == rows[i].result && event.cycles == 123 &&
			       event.bundle == 456 && event.seqno == 5,
		       "status %d: result %d, although nobody asked", rows[i].status,
		       rows[i].result);
		tap_ok(fake.starts == 4 && fake.command == RONDO_SEQ_RUN,
		       "the next entry runs all the same");
	}
}

/* A replay that ended well, but by another path than the one that was proved. */
static void test_signature(void)
{
	static const u64 right = 0x0123456789abcdef;
	struct rondo_fw_admin bind = { .command = RONDO_FW_BIND,
				       .binding = 1,
				       .generation = 2,
				       .count = 2,
				       .cycles = 1000,
				       .signature = right };
	static const struct {
		u64 signature;
		enum rondo_seq_status status;
		enum rondo_fw_result result;
	} rows[] = {
		{ right, RONDO_SEQ_OK, RONDO_FW_OK },
		{ right ^ 1, RONDO_SEQ_OK, RONDO_FW_SIGNATURE },
		{ right ^ 1ull << 60, RONDO_SEQ_OK, RONDO_FW_SIGNATURE },
		{ 0, RONDO_SEQ_OK, RONDO_FW_SIGNATURE },
		{ 0, RONDO_SEQ_OVERRUN, RONDO_FW_OVERRUN },
	};
	entry e = fake_entry(1, 5);

	prepare();
	tap_eq(fake_call(bind), RONDO_FW_OK, "a binding with a signature");
	for (u32 i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rondo_fw_event event;

		fake.held = true;
		fake_submit(0, &e);
		fake_run();
		fake.signature = rows[i].signature;
		fake_seq_end(rows[i].status, 1000, 0);
		fake_run();
		event = next_event();
		tap_ok(event.result == rows[i].result && event.cycles == 1000 &&
			       event.signature ==
				       (event.result == RONDO_FW_SIGNATURE ? rows[i].signature : 0),
		       "signature %llx: result %u", (unsigned long long)rows[i].signature,
		       event.result);
	}
	e = fake_entry(0, 6);
	fake.held = false;
	fake.signature = right;
	fake_submit(0, &e);
	fake_run();
	tap_eq(next_event().result, RONDO_FW_OK, "a binding without one has any");
}

static void test_accumulate(void)
{
	entry e = fake_entry(0, 9);
	struct rondo_fw_event event;
	u32 irqs;

	prepare();
	irqs = fake.event_irqs;
	e.flags = 0;
	for (u32 i = 0; i < 5; i++)
		fake_submit(0, &e);
	e.flags = RONDO_FW_ENTRY_EVENT;
	fake_submit(0, &e);
	fake_run();
	event = next_event();
	tap_ok(event.cycles == 6000 && event.replays == 6, "one event for six replays");
	tap_eq(fake.event_irqs - irqs, 1, "one interrupt");
	tap_ok(!fake_event(&event), "no other event");
	tap_eq(fake.status->queue_head[0], 6, "all done");
	fake_submit(0, &e);
	fake_run();
	event = next_event();
	tap_ok(event.cycles == 1000 && event.replays == 1, "counting starts anew");
}

/* One byte of a good entry changed; each must fail alone, with its reason. */
static void test_bad_entries(void)
{
	static const struct {
		const char *name;
		size_t offset;
		u8 value;
		enum rondo_fw_result result;
	} rows[] = {
		{ "type 0", offsetof(entry, type), 0, RONDO_FW_BAD_COMMAND },
		{ "type 2", offsetof(entry, type), 2, RONDO_FW_BAD_COMMAND },
		{ "unknown flag", offsetof(entry, flags), 3, RONDO_FW_BAD_COMMAND },
		{ "reserved", offsetof(entry, reserved), 1, RONDO_FW_BAD_COMMAND },
		{ "reserved2", offsetof(entry, reserved2) + 3, 1, RONDO_FW_BAD_COMMAND },
		{ "nine offsets", offsetof(entry, offsets), 9, RONDO_FW_BAD_COMMAND },
		{ "255 offsets", offsetof(entry, offsets), 255, RONDO_FW_BAD_COMMAND },
		{ "unused slot", offsetof(entry, slot) + 2, 1, RONDO_FW_BAD_COMMAND },
		{ "unused offset", offsetof(entry, offset) + 31, 1, RONDO_FW_BAD_COMMAND },
		{ "slot 64", offsetof(entry, slot), 64, RONDO_FW_BAD_OFFSET },
		{ "slot 255", offsetof(entry, slot) + 1, 255, RONDO_FW_BAD_OFFSET },
		{ "slot twice", offsetof(entry, slot) + 1, 1, RONDO_FW_BAD_OFFSET },
		{ "absent binding", offsetof(entry, binding), 1, RONDO_FW_BAD_NUMBER },
		{ "binding 1024", offsetof(entry, binding) + 1, 4, RONDO_FW_BAD_NUMBER },
		{ "wild binding", offsetof(entry, binding) + 3, 255, RONDO_FW_BAD_NUMBER },
		{ "old generation", offsetof(entry, generation), 0, RONDO_FW_BAD_NUMBER },
		{ "wrong generation", offsetof(entry, generation) + 3, 1, RONDO_FW_BAD_NUMBER },
	};
	entry good = fake_entry(0, 2);

	good.offsets = 2;
	good.slot[0] = 1;
	good.slot[1] = 2;
	for (u32 i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rondo_fw_event event;
		entry bad = good;

		prepare();
		bad.seqno = 1;
		((u8 *)&bad)[rows[i].offset] = rows[i].value;
		fake_submit(0, &bad);
		fake_submit(0, &good);
		fake_run();
		event = next_event();
		tap_ok(event.type == RONDO_FW_EVENT_DONE && event.result == rows[i].result &&
			       event.seqno == 1 && !event.replays && !event.cycles,
		       "fails: %s", rows[i].name);
		event = next_event();
		tap_ok(event.result == RONDO_FW_OK && event.seqno == 2 && event.replays == 1,
		       "and only that one");
	}
	prepare();
	good.offsets = RONDO_REPLAY_OFFSETS_MAX;
	for (u32 i = 0; i < RONDO_REPLAY_OFFSETS_MAX; i++)
		good.slot[i] = 63 - i;
	fake_submit(0, &good);
	fake_run();
	tap_ok(next_event().result == RONDO_FW_OK && fake.args.count == RONDO_REPLAY_OFFSETS_MAX &&
		       fake.args.offset[RONDO_REPLAY_OFFSETS_MAX - 1].slot ==
			       64 - RONDO_REPLAY_OFFSETS_MAX,
	       "as many offsets as there may be");
}

static void test_unbind_waiting(void)
{
	struct rondo_fw_admin unbind = { .command = RONDO_FW_UNBIND, .cookie = 1 };
	entry e = fake_entry(0, 1);

	prepare();
	fake.held = true;
	fake_submit(0, &e);
	fake_run();
	fake_create_queue(1, 1);
	fake_submit(1, &e);
	fake_admin(&unbind);
	fake_run();
	fake_seq_end(RONDO_SEQ_OK, 1000, 0);
	fake_run();
	tap_eq(next_event().result, RONDO_FW_OK, "what ran ends well");
	tap_eq(fake.command, RONDO_SEQ_UNBIND, "then its binding goes");
	fake.held = false;
	fake_run();
	tap_eq(next_event().type, RONDO_FW_EVENT_ADMIN, "is gone");
	tap_eq(next_event().result, RONDO_FW_BAD_NUMBER, "what waited for it fails");
}

static void test_full_event_ring(void)
{
	entry e = fake_entry(0, 0);
	struct rondo_fw_event event;
	u32 sent = 0, got = 0, bad = 0;

	prepare();
	while (sent < 3 * FAKE_EVENT_ENTRIES &&
	       fake.status->queue_tail[0] - fake.status->queue_head[0] < FAKE_QUEUE_ENTRIES) {
		e.seqno = sent++;
		fake_submit(0, &e);
		fake_run();
	}
	tap_eq(fake.status->event_tail - fake.status->event_head, FAKE_EVENT_ENTRIES,
	       "the event ring fills");
	tap_eq(sent, FAKE_EVENT_ENTRIES + FAKE_QUEUE_ENTRIES, "and then the queue");
	tap_ok(fake_fw.polling, "the firmware looks often");
	fake_sleep(20000000);
	tap_eq(fake.state, RONDO_FW_STATE_READY, "and lives");
	next_event();
	got++;
	fake_sleep(1000000);
	tap_eq(fake.status->event_tail - fake.status->event_head, FAKE_EVENT_ENTRIES,
	       "room without a bell is found within a millisecond");

	/* No bell: the host only consumes. */
	for (u32 i = 0; i < 100; i++) {
		while (fake_event(&event)) {
			bad += event.seqno != got || event.result != RONDO_FW_OK;
			got++;
		}
		fake_sleep(2 * FW_POLL_NS);
	}
	tap_eq(got, sent, "no event is lost");
	tap_eq(bad, 0, "all in order");
	tap_ok(!fake_fw.polling, "the firmware sleeps again");
}

/* What cannot run needs room for its event as well. */
static void test_full_for_bad_entry(void)
{
	entry good = fake_entry(0, 0), bad = fake_entry(0, 0);
	struct rondo_fw_event event, first;
	u32 i;

	prepare();
	bad.type = 0;
	for (i = 0; i < FAKE_EVENT_ENTRIES; i++) {
		good.seqno = i;
		fake_submit(0, &good);
		fake_run();
	}
	first = fake.events[fake.status->event_head % FAKE_EVENT_ENTRIES];
	bad.seqno = i;
	fake_submit(0, &bad);
	fake_run();
	event = fake.events[fake.status->event_head % FAKE_EVENT_ENTRIES];
	tap_ok(!memcmp(&first, &event, sizeof(event)) &&
		       fake.status->event_tail - fake.status->event_head == FAKE_EVENT_ENTRIES,
	       "a wrong entry waits for room");
	for (i = 0; i < FAKE_EVENT_ENTRIES; i++)
		fake_event(&event);
	fake_sleep(2 * FW_POLL_NS);
	tap_ok(fake_event(&event) && event.seqno == i && event.result == RONDO_FW_BAD_COMMAND,
	       "and fails then");
}

/* A queue that took the number of another begins with no savings and no debts. */
static void test_no_inheritance(void)
{
	struct rondo_fw_admin destroy = { .command = RONDO_FW_QUEUE_DESTROY, .queue = 1 };
	entry e = fake_entry(0, 0);

	prepare();
	fake_create_queue(1, RONDO_FW_WEIGHT_MAX);
	fake.held = true;
	fake_submit(1, &e);
	fake_run();
	fake_admin(&destroy);
	fake_run();
	fake_seq_end(RONDO_SEQ_ABORTED, 10, 0);
	fake_run();
	fake.held = false;
	tap_ok(next_event().type == RONDO_FW_EVENT_DONE && next_event().result == RONDO_FW_OK &&
		       fake_fw.drr.queues.deficit[1],
	       "a queue is destroyed that has saved something");
	fake.status->queue_tail[1] = 0;
	fake_create_queue(1, 1);
	tap_eq(fake_fw.drr.queues.deficit[1], 0, "the next of its number has nothing of it");
}

/* How many interrupts the host has had when replays of @cycles each were waiting in @queues[]. */
static u32 interrupts(const u32 *queues, u32 n, u64 cycles)
{
	u32 before, i;

	prepare();
	fake_create_queue(1, 1);
	fake_bind(1, cycles);
	before = fake.event_irqs;
	for (i = 0; i < n; i++) {
		entry e = fake_entry(1, i);

		fake_submit(queues[i], &e);
	}
	fake_run();
	tap_ok(fake.status->event_tail - fake.status->event_head == n,
	       "%u replays of %llu cycles end", n, (unsigned long long)cycles);
	return fake.event_irqs - before;
}

/* One interrupt tells of several replays, if the last of them ends soon after the first. */
static void test_coalescing(void)
{
	static const u32 one[8], other[] = { 0, 1, 0, 1 };

	tap_eq(interrupts(one, 8, FW_COALESCE_CYCLES / 7), 1, "the last is soon enough");
	tap_eq(interrupts(one, 8, FW_COALESCE_CYCLES / 7 + 1), 2, "the last is too late");
	tap_eq(interrupts(one, 2, FW_COALESCE_CYCLES), 1, "just soon enough");
	tap_eq(interrupts(one, 2, FW_COALESCE_CYCLES + 1), 2, "too late by a cycle");
	tap_eq(interrupts(one, 8, FW_COALESCE_CYCLES / 2), 3, "each interrupt begins anew");
	tap_eq(interrupts(one, 3, UINT64_MAX), 3, "a sum that would overflow");
	tap_eq(interrupts(other, 4, 10), 2, "nobody waits for another queue");
}

/* The first of two replays has ended and its event waits: what ends the wait early. */
static void test_coalescing_ends(void)
{
	static const struct {
		const char *what;
		enum rondo_seq_status first;
		bool bad, ping;
		u64 sleep;
	} rows[] = {
		{ "the heartbeat of what hangs", .first = RONDO_SEQ_OK, .sleep = FW_HEARTBEAT_NS },
		{ "an answer", .first = RONDO_SEQ_OK, .ping = true },
		{ "a failure", .first = RONDO_SEQ_TRAPPED },
		{ "a wrong entry of another queue", .first = RONDO_SEQ_OK, .bad = true },
	};
	struct rondo_fw_admin ping = { .command = RONDO_FW_PING };
	entry e = fake_entry(0, 1), bad = fake_entry(0, 2);
	u32 before;

	bad.type = 0;
	for (u32 i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		prepare();
		fake_create_queue(1, 1);
		before = fake.event_irqs;
		fake.held = true;
		fake_submit(0, &e);
		fake_submit(0, &e);
		fake_run();
		if (rows[i].bad)
			fake_submit(1, &bad);
		fake_seq_end(rows[i].first, 1000, 0);
		fake_run();
		if (rows[i].sleep || rows[i].ping)
			tap_ok(fake.event_irqs == before && next_event().seqno == 1,
			       "an event waits, and can be seen");
		if (rows[i].ping)
			fake_admin(&ping);
		fake_run();
		fake_sleep(rows[i].sleep);
		tap_ok(fake.event_irqs - before == 1, "%s ends the wait", rows[i].what);
		fake_seq_end(RONDO_SEQ_OK, 1000, 0);
		fake_run();
		tap_eq(fake.event_irqs - before, 2, "the last does not wait");
	}
}

/* A command must wait for room as well, and is done once. */
static void test_full_for_admin(void)
{
	struct rondo_fw_admin ping = { .command = RONDO_FW_PING };
	struct rondo_fw_event event;
	u32 got = 0;

	prepare();
	for (u32 i = 0; i < FAKE_EVENT_ENTRIES + 4; i++) {
		ping.cookie = i;
		fake_admin(&ping);
		fake_run();
	}
	while (fake_event(&event))
		got += event.cookie == got;
	fake_sleep(2 * FW_POLL_NS);
	while (fake_event(&event))
		got += event.cookie == got;
	tap_eq(got, FAKE_EVENT_ENTRIES + 4, "each command is answered once, in order");
}

static void test_abort(void)
{
	struct rondo_fw_admin abort = { .command = RONDO_FW_QUEUE_ABORT, .cookie = 42 };
	struct rondo_fw_admin ping = { .command = RONDO_FW_PING, .cookie = 43 };
	struct rondo_fw_event event;
	entry e = fake_entry(0, 1);

	prepare();
	fake_create_queue(1, 1);
	fake.held = true;
	for (e.seqno = 1; e.seqno <= 5; e.seqno++)
		fake_submit(0, &e);
	fake_run();
	fake_submit(1, &e);
	fake_admin(&abort);
	fake_admin(&ping);
	fake_run();
	fake_run();
	tap_eq(fake.aborts, 1, "the running replay is aborted, once");
	tap_ok(!fake_event(&event), "no answer yet");
	fake_seq_end(RONDO_SEQ_ABORTED, 77, 0);
	fake_run();
	event = next_event();
	tap_ok(event.type == RONDO_FW_EVENT_DONE && event.result == RONDO_FW_ABORTED &&
		       event.seqno == 1 && event.cycles == 77,
	       "its own event");
	event = next_event();
	tap_ok(event.type == RONDO_FW_EVENT_ADMIN && event.cookie == 42 &&
		       event.result == RONDO_FW_OK,
	       "then the answer, and none for what was dropped");
	tap_eq(next_event().cookie, 43, "then the next command");
	tap_eq(fake.status->queue_head[0], 5, "head is tail");
	tap_ok(fake.command == RONDO_SEQ_RUN && fake.seq_status == RONDO_SEQ_BUSY &&
		       fake_fw.seq.queue == 1,
	       "the other queue goes on");
	fake_seq_end(RONDO_SEQ_OK, 1000, 0);
	fake_run();
	next_event();
	e.seqno = 6;
	fake.held = false;
	fake_submit(0, &e);
	fake_run();
	tap_eq(next_event().seqno, 6, "the aborted queue works again");
	fake.held = true;
	fake_submit(0, &e);
	fake_run();
	fake_admin(&abort);
	fake_run();
	tap_eq(fake.aborts, 2, "and is aborted again");
}

/* Indices that cannot be read drop nothing. */
static void test_abort_refused(void)
{
	struct rondo_fw_entry entry = fake_entry(0, 1);

	fake_boot();
	fake_bind(0, 100);
	fake_create_queue(0, 1);
	fake.held = true;
	fake_submit(0, &entry);
	fake_submit(0, &entry);
	fake_run();
	fake.refuse = 1;
	queue_drop(&fake_fw, 0);
	tap_ok(fake.state == RONDO_FW_STATE_HOST_ERROR && !fake_fw.status.queue_head[0],
	       "an abort whose indices the host refuses drops nothing");
}

static void test_abort_behind_load(void)
{
	struct rondo_fw_admin load = {
		.command = RONDO_FW_PROGRAM_LOAD, .program = 3, .cookie = 1, .size = 40
	};
	struct rondo_fw_admin destroy = { .command = RONDO_FW_QUEUE_DESTROY, .cookie = 2 };
	entry e = fake_entry(0, 1);

	prepare();
	fake.held = true;
	fake_submit(0, &e);
	fake_run();
	fake_admin(&load);
	fake_admin(&destroy);
	fake_run();
	tap_eq(fake.aborts, 1, "a load that waits for a replay does not delay its abort");
	/* It ended well just before. */
	fake_seq_end(RONDO_SEQ_OK, 1000, 0);
	fake_run();
	tap_eq(next_event().result, RONDO_FW_OK, "a replay that was done is done");
	tap_eq(next_event().cookie, 2, "the queue is destroyed");
	tap_eq(fake.command, RONDO_SEQ_LOAD, "then the load begins");
	fake_submit(0, &e);
	fake.held = false;
	fake_run();
	tap_eq(next_event().cookie, 1, "and is answered");
	tap_eq(next_event().type, ~0u, "a destroyed queue runs nothing");
}

/* What was copied while another queue runs is copied for good, until it is dropped. */
static void test_copied_once(void)
{
	struct rondo_fw_admin abort = { .command = RONDO_FW_QUEUE_ABORT, .queue = 1 };
	entry e = fake_entry(0, 1);

	for (u32 drop = 0; drop < 2; drop++) {
		prepare();
		fake_create_queue(1, 1);
		fake.held = true;
		e.seqno = 1;
		fake_submit(1, &e);
		fake_run();
		fake_submit(0, &e);
		fake_submit(1, &e);
		fake_run();
		fake_seq_end(RONDO_SEQ_OK, 1000, 0);
		fake_run(); /* both were copied; one runs */
		u32 other = !fake_fw.seq.queue;

		next_event();
		memset(&fake_queue(other)[other], 0xff, sizeof(e));
		abort.queue = other;
		if (drop) {
			tap_eq(fake_call(abort), RONDO_FW_OK, "a copied entry is dropped");
			e.seqno = 2;
			fake_submit(other, &e);
		}
		fake.held = false;
		fake_seq_end(RONDO_SEQ_OK, 1000, 0);
		fake_run();
		next_event();
		struct rondo_fw_event event = next_event();

		tap_ok(event.result == RONDO_FW_OK && event.queue == other &&
			       event.seqno == 1 + drop,
		       drop ? "the next one is not it" : "an entry is copied once");
	}
}

/* Two queues with always full rings, weights 1 and 3, replays of 1000 and 7000 cycles. */
static void test_shares(void)
{
	u64 used[2] = { 0 };
	struct rondo_fw_event event;

	prepare();
	fake_bind(1, 7000);
	fake_create_queue(1, 3);
	for (u32 i = 0; i < 4000; i++) {
		for (u32 q = 0; q < 2; q++) {
			entry e = fake_entry(q, i);

			while (fake.status->queue_tail[q] - fake.status->queue_head[q] <
			       FAKE_QUEUE_ENTRIES)
				fake_submit(q, &e);
		}
		fw_turn(&fake_fw);
		if (fake.seq_status == RONDO_SEQ_BUSY)
			fake_seq_end(RONDO_SEQ_OK, fake.args.bound, 0);
		while (fake_event(&event))
			used[event.queue] += event.cycles;
	}
	tap_ok(used[0] > 1000000 && used[1] * 1000 > used[0] * 2970 &&
		       used[1] * 1000 < used[0] * 3030,
	       "weights 1:3 get %llu and %llu cycles", (unsigned long long)used[0],
	       (unsigned long long)used[1]);
}

/* Numbers with gaps, the highest, and one again. */
static void test_come_and_go(void)
{
	static const u32 create[] = { 5, 63, 2 }, destroy[] = { 63, 5, 2, 63 };
	entry e = fake_entry(0, 1);

	prepare();
	for (u32 i = 0; i < 3; i++)
		tap_ok(fake_create_queue(create[i], 1), "create queue %u", create[i]);
	for (u32 i = 0; i < 4; i++) {
		u32 q = destroy[i];

		if (i == 3)
			tap_ok(fake_create_queue(63, 1), "create queue 63 again");
		fake_submit(q, &e);
		fake_submit(0, &e);
		fake_run();
		tap_ok(next_event().result == RONDO_FW_OK && next_event().result == RONDO_FW_OK,
		       "queue %u and queue 0 run", q);
		tap_eq(fake_call((struct rondo_fw_admin){ .command = RONDO_FW_QUEUE_DESTROY,
							  .queue = q }),
		       RONDO_FW_OK, "destroy it");
		fake.status->queue_tail[q] = 0;
	}
	fake_create_queue(5, 1);
	tap_eq(fake.status->queue_head[5], 0, "a new queue begins at 0");
	e.flags = 0;
	fake_submit(5, &e);
	fake_run();
	tap_eq(fake.status->queue_head[5], 1, "a replay without an event moves the head");
	fake_call((struct rondo_fw_admin){ .command = RONDO_FW_QUEUE_DESTROY, .queue = 5 });
	fake.status->queue_tail[5] = 0;
	fake_create_queue(5, 1);
	e.flags = RONDO_FW_ENTRY_EVENT;
	fake_submit(5, &e);
	fake_run();
	tap_eq(next_event().replays, 1, "and with nothing of the last");
}

int main(void)
{
	test_run();
	test_started();
	test_results();
	test_signature();
	test_accumulate();
	test_bad_entries();
	test_unbind_waiting();
	test_full_event_ring();
	test_coalescing();
	test_coalescing_ends();
	test_full_for_admin();
	test_full_for_bad_entry();
	test_no_inheritance();
	test_abort();
	test_abort_refused();
	test_abort_behind_load();
	test_copied_once();
	test_shares();
	test_come_and_go();
	tap_eq(fake.violations, 0, "the sequencer was never asked for what it must not");
	return tap_done();
}
