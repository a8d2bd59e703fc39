/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The real image on the emulated device: header, boot and its refusals, commands,
 * replays with their bytes and exact cycles, and the faults that firmware reports.
 * The path of the image is the argument.
 */
#include "spec/fw_abi.h"
#include "tests/emulator/rig.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define READY "firmware " TEXT(RONDO_FW_MAJOR) "." TEXT(RONDO_FW_MINOR) ": ready\n"

enum { ENTRIES = 16, SLOT_BYTES = 2 * RONDO_PAGE_BYTES, BLOCK = 4096, WFI = 0x10500073 };

/* The host's side of everything. */
static struct host {
	struct rig rig;
	struct rondo_fw_init *init;
	struct rondo_fw_status *status;
	struct rondo_fw_admin *admin;
	struct rondo_fw_event *events;
	struct rondo_fw_entry *entries; /* of queue 0 */
	char *log;
	struct rondo_page_list *program, *pages[2]; /* of the program and two slots */
	u8 *program_bytes, *slot[2];
	struct rondo_slot_binding *slots;
	u64 program_size, cycles;
	void *allocated[16];
	u32 allocations;
} h;

static void *alloc(u64 bytes)
{
	return h.allocated[h.allocations++] = rig_alloc(&h.rig, bytes);
}

static u32 get(const u32 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void put(u32 *p, u32 value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static void list_pages(struct rondo_page_list *list, const u8 *p, u64 bytes)
{
	for (u64 at = 0; at < bytes; at += RONDO_PAGE_BYTES)
		list->page[at / RONDO_PAGE_BYTES] = inproc_bus(p + at);
}

/* BLOCK bytes from slot 0, which a replay may move, to slot 1. */
static void make_program(void)
{
	struct rondo_desc in = { .dir = RONDO_DMA_IN, .row_bytes = BLOCK };
	struct rondo_desc out = { .dir = RONDO_DMA_OUT, .slot = 1, .row_bytes = BLOCK };
	struct builder b;
	u8 *bytes;

	build_init(&b);
	b.slots[build_slot(&b, 0)].flags = RONDO_SLOT_DYNAMIC;
	build_slot(&b, 0);
	build_start(&b, 0, build_desc(&b, in), 0);
	build_wait(&b, 0, 0);
	build_start(&b, 0, build_desc(&b, out), 0);
	build_halt(&b);
	bytes = build_claimed(&b, &h.program_size);
	tap_eq(rondo_verify_verdict(b.verify)->code, 0, "the test's program is right");
	h.cycles = rondo_verify_facts(b.verify)->cycles;
	h.program_bytes = alloc(h.program_size);
	memcpy(h.program_bytes, bytes, h.program_size);
	free(bytes);
	build_fini(&b);
}

static void setup(const char *image)
{
	rig_init(&h.rig, image);
	h.init = (void *)h.rig.script;
	h.status = alloc(RONDO_PAGE_BYTES);
	h.admin = alloc(RONDO_PAGE_BYTES);
	h.events = alloc(RONDO_PAGE_BYTES);
	h.log = alloc(RONDO_PAGE_BYTES);
	h.entries = alloc(RONDO_PAGE_BYTES);
	h.slots = alloc(RONDO_PAGE_BYTES);
	make_program();
	h.program = alloc(RONDO_PAGE_BYTES);
	list_pages(h.program, h.program_bytes, h.program_size);
	for (u32 i = 0; i < 2; i++) {
		h.slot[i] = alloc(SLOT_BYTES);
		h.pages[i] = alloc(RONDO_PAGE_BYTES);
		list_pages(h.pages[i], h.slot[i], SLOT_BYTES);
		h.slots[i].pages = inproc_bus(h.pages[i]);
		h.slots[i].size = SLOT_BYTES;
	}
	for (u32 i = 0; i < SLOT_BYTES; i++)
		h.slot[0][i] = i * 31 + (i >> 8);
}

static void teardown(void)
{
	rig_fini(&h.rig);
	while (h.allocations)
		free(h.allocated[--h.allocations]);
}

/* Everything new, booted; the device was OFF. */
static enum rondo_fw_state boot(void)
{
	memset(h.status, 0, sizeof(*h.status));
	memset(h.log, 0, RONDO_PAGE_BYTES);
	memset(h.slot[1], 0, SLOT_BYTES);
	h.init->magic = RONDO_FW_IMAGE_MAGIC;
	h.init->version = RONDO_FW_VERSION;
	h.init->status = inproc_bus(h.status);
	h.init->admin = inproc_bus(h.admin);
	h.init->events = inproc_bus(h.events);
	h.init->log = inproc_bus(h.log);
	h.init->admin_count = h.init->event_count = ENTRIES;
	h.init->log_size = RONDO_PAGE_BYTES;
	rig_boot(&h.rig);
	return rig_read(&h.rig, RONDO_REG_HOST_FW_STATE);
}

static bool event_there(struct rig *rig, u32 unused)
{
	(void)rig;
	(void)unused;
	return get(&h.status->event_tail) != h.status->event_head;
}

static struct rondo_fw_event next_event(void)
{
	struct rondo_fw_event event;

	rig_until(event_there, &h.rig, 0);
	event = h.events[h.status->event_head % ENTRIES];
	put(&h.status->event_head, h.status->event_head + 1);
	return event;
}

static void send(struct rondo_fw_admin cmd, u32 cookie)
{
	cmd.cookie = cookie;
	h.admin[h.status->admin_tail % ENTRIES] = cmd;
	put(&h.status->admin_tail, h.status->admin_tail + 1);
	rig_bell(&h.rig, 0);
}

/* The result of @cmd, -1 if something else is answered. */
static int call(struct rondo_fw_admin cmd)
{
	static u32 cookie = 100;
	struct rondo_fw_event event;

	send(cmd, ++cookie);
	event = next_event();
	return event.type == RONDO_FW_EVENT_ADMIN && event.cookie == cookie ? (int)event.result :
									      -1;
}

static void submit(u64 seqno, u32 offset)
{
	h.entries[h.status->queue_tail[0] % ENTRIES] = (struct rondo_fw_entry){
		.type = RONDO_FW_ENTRY_REPLAY,
		.flags = RONDO_FW_ENTRY_EVENT,
		.offsets = 1,
		.binding = 4,
		.generation = 9,
		.seqno = seqno,
		.offset = { offset },
	};
	put(&h.status->queue_tail[0], h.status->queue_tail[0] + 1);
	rig_bell(&h.rig, 1);
}

static const struct rondo_fw_admin ping = { .command = RONDO_FW_PING };

/* Boots, loads, binds and creates queue 0. */
static bool ready(void)
{
	struct rondo_fw_admin load = { .command = RONDO_FW_PROGRAM_LOAD,
				       .program = 3,
				       .addr = inproc_bus(h.program),
				       .size = h.program_size };
	struct rondo_fw_admin bind = { .command = RONDO_FW_BIND,
				       .program = 3,
				       .binding = 4,
				       .generation = 9,
				       .addr = inproc_bus(h.slots),
				       .count = 2,
				       .cycles = h.cycles };
	struct rondo_fw_admin create = { .command = RONDO_FW_QUEUE_CREATE,
					 .addr = inproc_bus(h.entries),
					 .count = ENTRIES,
					 .weight = 1 };

	return boot() == RONDO_FW_STATE_READY && call(load) == RONDO_FW_OK &&
	       call(bind) == RONDO_FW_OK && call(create) == RONDO_FW_OK;
}

/* CRC-32 by its definition: the remainder of a division, bit by bit. */
static u32 crc32(const u8 *p, u32 size)
{
	u32 crc = ~0u;

	for (u32 i = 0; i < size * 8; i++)
		crc = crc >> 1 ^ ((crc ^ p[i / 8] >> i % 8) & 1 ? 0xedb88320u : 0);
	return ~crc;
}

static void test_header(void)
{
	struct rondo_fw_image *header = (void *)h.rig.image;
	u32 crc = header->crc;

	tap_eq(crc32((const u8 *)"123456789", 9), 0xcbf43926, "CRC-32 of its check string");
	tap_eq(header->magic, RONDO_FW_IMAGE_MAGIC, "image: magic");
	tap_eq(header->version, RONDO_FW_VERSION, "image: version");
	tap_eq(header->size, h.rig.image_bytes, "image: size");
	header->crc = 0;
	tap_eq(crc32(h.rig.image, h.rig.image_bytes), crc, "image: CRC");
	header->crc = crc;
}

static void test_boot(void)
{
	tap_eq(boot(), RONDO_FW_STATE_READY, "boots");
	tap_eq(rig_read(&h.rig, RONDO_REG_HOST_FW_VERSION), RONDO_FW_VERSION, "version");
	tap_ok(!strcmp(h.log, READY), "log");
	tap_eq(h.status->log_tail, strlen(h.log), "log_tail");
	tap_eq(call(ping), RONDO_FW_OK, "ping");
	rig_await_irq(&h.rig, 0, 1);
	tap_eq(rig_read(&h.rig, RONDO_REG_HOST_IRQ_STATUS), RONDO_FLD_HOST_IRQ_STATUS_EVENT,
	       "with an interrupt");
	tap_eq(call((struct rondo_fw_admin){ .command = 77 }), RONDO_FW_BAD_COMMAND,
	       "unknown command");
	rig_reset(&h.rig);
}

static void test_replay(void)
{
	struct rondo_fw_event event;

	tap_ok(ready(), "load, bind, create");
	submit(0x100000001, 0);
	event = next_event();
	tap_ok(event.type == RONDO_FW_EVENT_DONE && event.result == RONDO_FW_OK &&
		       event.seqno == 0x100000001,
	       "a replay is done");
	tap_eq(event.cycles, h.cycles, "in exactly the cycles of the verifier");
	tap_ok(!memcmp(h.slot[0], h.slot[1], BLOCK), "its bytes are there");
	submit(2, BLOCK / 64);
	tap_eq(next_event().result, RONDO_FW_OK, "with another offset");
	tap_ok(!memcmp(h.slot[0] + BLOCK, h.slot[1], BLOCK), "other bytes");
	submit(3, BLOCK / 64 + 1);
	submit(4, 0);
	tap_eq(next_event().result, RONDO_FW_BAD_OFFSET, "with an offset past the end");
	tap_eq(next_event().result, RONDO_FW_OK, "the next is none the worse");
	for (u32 i = 0; i < ENTRIES - 1; i++)
		submit(10 + i, 0);
	for (u32 i = 0; i < ENTRIES - 1; i++) {
		event = next_event();
		if (event.seqno != 10 + i || event.cycles != h.cycles)
			break;
	}
	tap_eq(event.seqno, 10 + ENTRIES - 2, "a full queue, in order");
	rig_reset(&h.rig);
}

static bool has_beaten(struct rig *rig, u32 until)
{
	return rig_read(rig, RONDO_REG_HOST_HEARTBEAT) >= until;
}

/*
 * An abort while as many commands wait for the sequencer as may: answered within 10 ms of the
 * device's time, which is what the firmware executes while a replay is held.
 */
static void test_abort_in_time(void)
{
	struct rondo_fw_admin load = { .command = RONDO_FW_PROGRAM_LOAD,
				       .program = 9,
				       .addr = inproc_bus(h.program),
				       .size = h.program_size };
	struct rondo_fw_admin abort = { .command = RONDO_FW_QUEUE_ABORT };
	struct rondo_fw_event event;
	u64 start;
	u32 i;

	ready();
	i = emu_fault_hits(h.rig.dev, EMU_FAULT_seq_work);
	emu_fault_set(h.rig.dev, EMU_FAULT_seq_work, 1);
	submit(3, 0);
	rig_await_hits(&h.rig, EMU_FAULT_seq_work, i + 1);
	for (i = 0; i < RONDO_FW_DEFERRED_MAX; i++) {
		send(load, 1000 + i);
		if (i % 8 == 7)
			call(ping);
	}
	start = rig_time(&h.rig);
	send(abort, 55);
	event = next_event();
	tap_ok(event.result == RONDO_FW_ABORTED && event.seqno == 3,
	       "abort behind %d commands that wait", RONDO_FW_DEFERRED_MAX);
	event = next_event();
	tap_ok(event.cookie == 55 && event.time - start < 10000000,
	       "is answered within 10 ms: %llu cycles", (unsigned long long)(event.time - start));
	emu_fault_set(h.rig.dev, EMU_FAULT_seq_work, 0);
	rig_reset(&h.rig);
}

static void test_faults(void)
{
	struct rondo_fw_admin abort = { .command = RONDO_FW_QUEUE_ABORT };
	struct rondo_fw_event event;

	ready();
	emu_fault_set(h.rig.dev, EMU_FAULT_overrun, 1);
	submit(1, 0);
	event = next_event();
	tap_ok(event.result == RONDO_FW_OVERRUN && event.cycles == h.cycles,
	       "one cycle more than promised is an overrun");

	emu_fault_set(h.rig.dev, EMU_FAULT_seq_dma_fail, 1);
	submit(2, 0);
	tap_eq(next_event().result, RONDO_FW_HOST_REFUSED, "a refused access to a slot");

	emu_fault_set(h.rig.dev, EMU_FAULT_seq_work, 1);
	submit(3, 0);
	submit(4, 0);
	rig_await_hits(&h.rig, EMU_FAULT_seq_work, 1);
	tap_eq(call(ping), RONDO_FW_OK, "ping during a replay");
	rig_until(has_beaten, &h.rig, rig_read(&h.rig, RONDO_REG_HOST_HEARTBEAT) + 2);
	tap_eq(get(&h.status->running), 1, "heartbeats during a replay");
	send(abort, 55);
	event = next_event();
	tap_ok(event.result == RONDO_FW_ABORTED && event.seqno == 3, "abort ends the replay");
	event = next_event();
	tap_ok(event.type == RONDO_FW_EVENT_ADMIN && event.cookie == 55, "then comes its answer");
	emu_fault_set(h.rig.dev, EMU_FAULT_seq_work, 0);
	submit(5, 0);
	tap_eq(next_event().seqno, 5, "and the queue goes on");
	rig_reset(&h.rig);
}

static bool fault_raised(struct rig *rig, u32 unused)
{
	(void)unused;
	return rig_read(rig, RONDO_REG_HOST_IRQ_STATUS) & RONDO_FLD_HOST_IRQ_STATUS_FAULT;
}

static enum rondo_fw_state stopped(void)
{
	rig_until(fault_raised, &h.rig, 0);
	return rig_read(&h.rig, RONDO_REG_HOST_FW_STATE);
}

static void test_stops(void)
{
	boot();
	put(&h.status->admin_tail, ENTRIES + 1);
	rig_bell(&h.rig, 0);
	tap_eq(stopped(), RONDO_FW_STATE_PROTOCOL, "a wrong index: PROTOCOL");
	tap_ok(strstr(h.log, "bad admin_tail 17, head 0\n"), "the log says so");
	rig_reset(&h.rig);

	boot();
	emu_fault_set(h.rig.dev, EMU_FAULT_copy_fail, 1);
	rig_bell(&h.rig, 0);
	tap_eq(stopped(), RONDO_FW_STATE_HOST_ERROR, "a refused copy: HOST_ERROR");
	rig_reset(&h.rig);

	tap_eq(boot(), RONDO_FW_STATE_READY, "boots after all that");
	rig_reset(&h.rig);
}

/* The firmware's sleep, the second wfi of the image, becomes an ebreak. */
static void test_trap(void)
{
	u8 *image = h.rig.image;
	u32 found = 0, wfi = WFI, ebreak = 0x00100073;

	for (u32 i = 0; i + 4 <= h.rig.image_bytes && found < 2; i += 2)
		if (!memcmp(image + i, &wfi, 4) && ++found == 2)
			memcpy(image + i, &ebreak, 4);
	tap_eq(found, 2, "the image sleeps in one place");
	boot();
	tap_eq(stopped(), RONDO_FW_STATE_TRAP, "a trap in the firmware: TRAP");
	tap_ok(strstr(h.log, "trap: cause 3 at 8000"), "the log says where");
	rig_reset(&h.rig);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return EXIT_FAILURE;
	setup(argv[1]);
	test_header();
	test_boot();
	test_replay();
	test_faults();
	test_abort_in_time();
	test_stops();
	test_trap();
	teardown();
	return tap_done();
}
