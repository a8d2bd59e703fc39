// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The API over the emulated device: the good path, and what it says of the device. */
#include <poll.h>

#include "core/machine.h"
#include "tests/unit/libaccel_rig.h"

static void test_replay(void)
{
	struct rig r;
	int i;

	if (rig_init(&r)) {
		for (i = 0; i < 3; i++) {
			rig_fill(&r, i);
			tap_eq(rig_replay(&r), 0, "a replay ends well");
			tap_ok(rig_correct(&r, i), "and its result is right");
		}
	}
	rig_fini(&r);
}

int main(void)
{
	test_replay();
	return tap_done();
}
