// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Executor against reference on generated programs: the first byte is the kind (enum
 * generate_kind, modulo two), the others are the generator's choices.
 */
#include "core/machine.h"
#include "tests/agree.h"
#include "tests/fuzz/generate.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct agree a;
	char why[AGREE_WHY_BYTES];
	struct builder b;
	u64 bytes;
	u8 *program;

	if (!size)
		return 0;
	build_init(&b);
	if (!a.reference && !agree_init(&a, &b.machine))
		abort();
	generate(&b, data[0] % 2, data + 1, size - 1);
	program = build_accepted(&b, &bytes);
	if (program &&
	    !agree_run(&a, program, bytes, rondo_verify_facts(b.verify), NULL, size, why)) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	free(program);
	build_fini(&b);
	return 0;
}
