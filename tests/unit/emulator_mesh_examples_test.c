// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The programs of examples/mesh on a piece of the wafer, literally with all checks and in groups,
 * against plain C. What the wafer needs of a host's memory.
 */
#include "emulator/mesh.h"
#include "tests/mesh_examples.h"
#include "tests/tap.h"

static void examples(void)
{
	struct mesh_example_run run;
	u32 i, checks;

	for (i = 0; i < MESH_EXAMPLES; i++) {
		for (checks = 0; checks < 2; checks++) {
			const char *way = checks ? "literally, checked" : "in groups";

			if (!tap_ok(mesh_example(i, RONDO_MACHINE_patch, checks, &run),
				    "%s runs %s", mesh_example_names[i], way))
				printf("# %s\n", run.why);
			tap_ok(run.numbers && !run.wrong, "%s: all %llu numbers are those of C",
			       mesh_example_names[i], (unsigned long long)run.numbers);
		}
		printf("# %s: %llu cycles\n", mesh_example_names[i],
		       (unsigned long long)run.cycles);
	}
}

static void memory(void)
{
	char why[EXEC_REASON_BYTES] = "";
	struct rondo_machine wafer;

	rondo_machine_init(&wafer, RONDO_MACHINE_wafer);
	tap_ok(mesh_fits(&wafer, 32768, 400689ull * 32768, why), "what is there is enough");
	tap_ok(!mesh_fits(&wafer, 32768, 400689ull * 32768 - 1, why), "one byte less is not");
	tap_ok(!mesh_fits(&wafer, 32768, 1ull << 30, why), "a host with too little memory");
	tap_ok(!strcmp(why, "633 x 633 tiles of this program need 12.2 GiB, the host has 1.0 GiB: "
			    "181 x 181 would fit"),
	       "is told what is needed and what would fit");
	printf("# %s\n", why);
}

int main(void)
{
	examples();
	memory();
	return tap_done();
}
