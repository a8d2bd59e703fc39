// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The machine IR records what it cannot hold. */
#include "compiler/mir.h"
#include "tests/tap.h"

#include <errno.h>

static void test_loops(void)
{
	struct arena arena = { 0 };
	struct mir m;
	int depth;

	mir_init(&m, &arena);
	for (depth = 0; depth < RONDO_LOOP_DEPTH; depth++) {
		if (mir_loop(&m, 2) != depth)
			break;
	}
	tap_ok(depth == RONDO_LOOP_DEPTH && !m.error, "loops may nest %d deep", depth);
	tap_ok(mir_loop(&m, 2) < RONDO_LOOP_DEPTH && m.error == -E2BIG, "not deeper");
	for (; depth >= 0; depth--)
		mir_end(&m);
	tap_ok(!m.depth && mir_loop(&m, 2) == 0, "loops that have ended count no more");
	tap_ok(m.error == -E2BIG, "the first error stays");
	arena_free(&arena);
}

int main(void)
{
	test_loops();
	return tap_done();
}
