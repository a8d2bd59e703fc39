// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One call to verify: its verdict is that of the steps, it gives up when it is asked to, and it
 * says in words where the fault is.
 */
#include "tests/tap.h"
#include "tests/unit/program_builder.h"

#define OP(name, ...) ((struct rondo_op){ .op = RONDO_OP_##name, __VA_ARGS__ })

struct asked {
	u32 times, limit;
};

static bool stop(void *ctx)
{
	struct asked *asked = ctx;

	return ++asked->times == asked->limit;
}

/* @bundles empty bundles and halt. */
static u8 *program(struct builder *b, u32 bundles, u64 *size)
{
	build_init(b);
	while (bundles--)
		build_bundle(b);
	build_halt(b);
	return build_bytes(b, size);
}

static void test_run(void)
{
	struct builder b;
	u64 size;
	u8 *bytes = program(&b, 9999, &size);
	const struct rondo_verdict *verdict;
	struct asked never = { 0, 0 }, at_once = { 0, 1 };

	memset(b.verify, 0xa5, RONDO_VERIFY_BYTES);
	verdict = rondo_verify_run(b.verify, &b.machine, bytes, size, 0, NULL, NULL);
	tap_eq(verdict->code, RONDO_ERR_CYCLES, "a wrong claim is refused");
	tap_eq(((struct rondo_program_header *)bytes)->cycles, 0, "and left alone");
	memset(b.verify, 0xa5, RONDO_VERIFY_BYTES);
	tap_eq(rondo_measure_run(b.verify, &b.machine, bytes, size)->code, 0, "it is measured");
	tap_eq(rondo_verify_facts(b.verify)->cycles, 10000, "it takes a cycle for each bundle");
	tap_eq(((struct rondo_program_header *)bytes)->cycles, 10000, "which is written");
	verdict = rondo_verify_run(b.verify, &b.machine, bytes, size, 0, stop, &never);
	tap_ok(verdict && !verdict->code, "with the right claim it is accepted");
	tap_eq(never.times, 2, "it asked after each 4096 bundles whether to stop");
	tap_ok(!rondo_verify_run(b.verify, &b.machine, bytes, size, 0, stop, &at_once),
	       "when it is told to, there is no verdict");
	tap_eq(at_once.times, 1, "and it does not ask again");
	verdict = rondo_verify_run(b.verify, &b.machine, bytes, size, 9999, NULL, NULL);
	tap_eq(verdict->code, RONDO_ERR_BUDGET, "it is told the budget");
	memset(bytes + size - RONDO_BUNDLE_BYTES, 0, RONDO_BUNDLE_BYTES);
	((struct rondo_program_header *)bytes)->cycles = 7;
	tap_eq(rondo_measure_run(b.verify, &b.machine, bytes, size)->code, RONDO_ERR_HALT,
	       "what cannot be measured is refused");
	tap_eq(((struct rondo_program_header *)bytes)->cycles, 7, "and nothing is written");
	free(bytes);
	build_fini(&b);
}

static void says(u32 code, u32 index, u32 slot, const char *expected)
{
	const struct rondo_verdict verdict = { code, index, slot };
	char text[RONDO_VERDICT_TEXT_BYTES];
	size_t length = rondo_verdict_text(&verdict, text, sizeof(text));

	if (!tap_ok(!strcmp(text, expected) && length == strlen(expected), "%s", expected))
		printf("# it says: %s\n", text);
}

static void test_text(void)
{
	const struct rondo_verdict verdict = { RONDO_ERR_LANES, 12, RONDO_V1 };
	u32 code, longest = 0, length;
	char text[512] = "no";

	says(RONDO_ERR_NONE, 0, 0, "accepted");
	says(RONDO_ERR_SIZE, 5, 5, rondo_error_text(RONDO_ERR_SIZE));
	says(12345, 1, 1, "unknown error");
	snprintf(text, sizeof(text), "bundle 7, slot L0: %s", rondo_error_text(RONDO_ERR_LANES));
	says(RONDO_ERR_LANES, 7, RONDO_L0, text);
	snprintf(text, sizeof(text), "bundle 4294967295: %s", rondo_error_text(RONDO_ERR_LANES));
	says(RONDO_ERR_LANES, ~0u, 8, text);
	snprintf(text, sizeof(text), "address entry 0: %s",
		 rondo_error_text(RONDO_ERR_ENTRY_RESERVED));
	says(RONDO_ERR_ENTRY_RESERVED, 0, RONDO_M, text);
	snprintf(text, sizeof(text), "descriptor 10: %s", rondo_error_text(RONDO_ERR_DESC_FIELD));
	says(RONDO_ERR_DESC_FIELD, 10, 0, text);
	snprintf(text, sizeof(text), "buffer slot 63: %s", rondo_error_text(RONDO_ERR_SLOT_ALIGN));
	says(RONDO_ERR_SLOT_ALIGN, 63, 0, text);
	for (code = 0; code < 1000; code++) {
		const struct rondo_verdict v = { code, ~0u, RONDO_L0 };

		length = rondo_verdict_text(&v, text, sizeof(text));
		longest = length > longest ? length : longest;
	}
	tap_ok(longest < RONDO_VERDICT_TEXT_BYTES, "the longest text has %u characters", longest);
	tap_ok(rondo_verdict_text(&verdict, text, 10) == 9 && !strcmp(text, "bundle 12"),
	       "a text that does not fit is cut off");
	text[0] = 'x';
	tap_ok(!rondo_verdict_text(&verdict, text, 0) && text[0] == 'x', "no room, no text");
}

int main(void)
{
	test_run();
	test_text();
	return tap_done();
}
