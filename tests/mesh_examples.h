/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The programs of examples/mesh, run on any machine of the wafer's kind and compared with plain C:
 * by tests on a piece of the wafer, and by a bench on the whole one.
 */
#ifndef TESTS_MESH_EXAMPLES_H
#define TESTS_MESH_EXAMPLES_H

#include "core/machine.h"
#include "emulator/exec/exec.h"

enum { MESH_EXAMPLE_WHY = 256 };

enum mesh_example { MESH_HEAT, MESH_MATVEC, MESH_ALLREDUCE, MESH_EXAMPLES };

extern const char *const mesh_example_names[MESH_EXAMPLES];

struct mesh_example_run {
	u64 wrong; /* numbers that differ from plain C's */
	u64 numbers; /* that were compared */
	u64 cycles;
	double seconds; /* of processor time for the machine's creation, loading and running */
	char why[MESH_EXAMPLE_WHY];
};

/*
 * Runs the program @bytes once, on slots that @io reads and writes, and sets run->cycles. False,
 * and the reason in run->why, if it does not load or end in the promised cycles.
 */
typedef bool (*mesh_runner)(const struct rondo_machine *machine, const void *bytes, u64 size,
			    const struct exec_io *io, struct mesh_example_run *run);

/*
 * Runs @example from the source tree, which is the working directory, on @machine by @runner.
 * False, and the reason in run->why, if it does not assemble or @runner says so.
 */
bool mesh_example_by(enum mesh_example example, enum rondo_machine_id machine, mesh_runner runner,
		     struct mesh_example_run *run);

/* @count elements of the matrix of @rows rows that matvec multiplies, column by column from @first.
 */
void mesh_example_matrix(float *to, u64 first, u64 count, u64 rows);

/* The same by the executor, literally if @checks. */
bool mesh_example(enum mesh_example example, enum rondo_machine_id machine, bool checks,
		  struct mesh_example_run *run);

#endif
