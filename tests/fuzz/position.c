// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What is refused is refused for the right reason, at the right place: the first byte is the kind
 * of a defect, the next two choose its place, the others are the choices of the generator of
 * right programs (tests/fuzz/generate.h).
 */
#include <stdio.h>

#include "tests/fuzz/defects.h"
#include "tests/fuzz/generate.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char why[DEFECT_WHY_BYTES];
	struct builder b;

	if (size < 3)
		return 0;
	build_init(&b);
	generate(&b, GENERATE_RIGHT, data + 3, size - 3);
	if (!build_verdict(&b, 0).code &&
	    defect_try(&b, data[0] % defect_kinds(), data[1] | data[2] << 8, why) ==
		    DEFECT_MISSED) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	build_fini(&b);
	return 0;
}
