// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as what a hostile host and a moody chip do to the firmware: it must neither crash nor
 * hang, ask the sequencer only for what it may, and stop at most once, with a reason.
 *
 * The bytes are a script, so that seeds are text. A letter is a step, what follows it are its
 * arguments, one byte each; other bytes do nothing.
 *
 *   I field value                 before the boot: changes struct rondo_fw_init
 *   A command program binding generation queue count weight addr size cycles signature
 *                                 writes an admin command and rings
 *   E queue type flags offsets binding generation slot slot offset
 *                                 writes a queue entry and rings
 *   X queue, Y                    the next 64 bytes are an entry, an admin command
 *   W index value                 writes any word of the indices and rings
 *   R                             runs, commands end well at once unless held
 *   H                             commands are held from now on, or no longer
 *   D status                      ends a held command
 *   C                             takes an event
 *   S                             lets time pass
 *   F n                           refuses copies
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/firmware_fake.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

struct script {
	const u8 *at, *end;
};

static u8 next(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

/* An argument: digits are themselves, small letters numbers at some limit, the rest its code. */
static u32 number(struct script *s)
{
	static const u32 limits[] = {
		10,   16,   32,	  63,	64,	  65,	      255,	  256,	      257,
		1023, 1024, 1025, 4096, 1u << 20, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff,
	};
	u8 c = next(s);

	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c < 'a' + sizeof(limits) / sizeof(*limits))
		return limits[c - 'a'];
	return c;
}

static void raw(struct script *s, void *to, size_t size)
{
	for (u8 *p = to; size--; p++)
		*p = next(s);
}

/* Any ring is this far ahead at most: beyond it the firmware stops, which W tries well enough. */
static bool room(u32 tail, u32 head, u32 count)
{
	return tail - head < count;
}

static void push_admin(const struct rondo_fw_admin *cmd)
{
	if (room(fake.status->admin_tail, fake.status->admin_head, FAKE_ADMIN_ENTRIES))
		fake_admin(cmd);
}

static void push_entry(u32 q, const struct rondo_fw_entry *entry)
{
	q %= 16;
	if (room(fake.status->queue_tail[q], fake.status->queue_head[q], FAKE_QUEUE_ENTRIES))
		fake_submit(q, entry);
}

static void numbers(struct script *s, u32 *n, u32 count)
{
	while (count--)
		*n++ = number(s);
}

static void admin(struct script *s)
{
	u32 n[11];

	numbers(s, n, 11);
	push_admin(&(struct rondo_fw_admin){
		.command = n[0],
		.cookie = fake.status->admin_tail,
		.program = n[1],
		.binding = n[2],
		.generation = n[3],
		.queue = n[4],
		.count = n[5],
		.weight = n[6],
		.addr = FAKE_BASE + FAKE_QUEUES + (u64)n[7] * RONDO_PAGE_BYTES,
		.size = n[8],
		.cycles = n[9],
		.signature = n[10],
	});
}

static void entry(struct script *s)
{
	u32 n[9];

	numbers(s, n, 9);
	push_entry(n[0], &(struct rondo_fw_entry){
				 .type = n[1],
				 .flags = n[2],
				 .offsets = n[3],
				 .binding = n[4],
				 .generation = n[5],
				 .slot = { n[6], n[7] },
				 .offset = { n[8] },
			 });
}

static void raw_step(struct script *s, bool is_entry)
{
	struct rondo_fw_entry e;
	struct rondo_fw_admin cmd;
	u32 q;

	if (is_entry) {
		q = number(s);
		raw(s, &e, sizeof(e));
		push_entry(q, &e);
	} else {
		raw(s, &cmd, sizeof(cmd));
		push_admin(&cmd);
	}
}

static void step(struct script *s, u8 c)
{
	struct rondo_fw_event event;
	u32 word;

	switch (c) {
	case 'A':
		admin(s);
		break;
	case 'E':
		entry(s);
		break;
	case 'X':
	case 'Y':
		raw_step(s, c == 'X');
		break;
	case 'W':
		word = number(s) % (sizeof(*fake.status) / sizeof(u32));
		((u32 *)fake.status)[word] = number(s);
		fake.bells = true;
		break;
	case 'R':
		fake_run();
		break;
	case 'H':
		fake.held = !fake.held;
		break;
	case 'D':
		word = number(s);
		if (fake.seq_status == RONDO_SEQ_BUSY && word != RONDO_SEQ_BUSY)
			fake_seq_end(word, fake.args.bound, word);
		break;
	case 'C':
		fake_event(&event);
		break;
	case 'S':
		fake_sleep(2 * FW_HEARTBEAT_NS);
		break;
	case 'F':
		fake.refuse = number(s) % 4;
		break;
	}
}

static void check(bool booted)
{
	bool stopped = fake.state != RONDO_FW_STATE_READY;

	if (fake.violations || fake.fault_irqs != stopped || fake_fw.state != fake.state)
		abort();
	if (stopped && (fw_turn(&fake_fw) || fake.timer))
		abort();
	if (!booted && !stopped)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct script s = { bytes, bytes + size };
	bool booted;

	fake_reset();
	while (s.at < s.end && *s.at == 'I') {
		next(&s);
		u32 field = number(&s) % (sizeof(*fake.init) / sizeof(u32));

		((u32 *)fake.init)[field] = number(&s);
	}
	booted = fw_boot(&fake_fw);
	while (booted && s.at < s.end) {
		step(&s, next(&s));
		check(booted);
	}
	check(booted);
	return 0;
}
