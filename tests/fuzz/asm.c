// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Any bytes as assembly text: they are refused with at least one error, or the program's
 * disassembly assembles to the same bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/asm/asm.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void there_and_back(const void *program, u64 size)
{
	struct asm_errors errors;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	void *again;
	u64 again_size;

	if (!out || asm_disassemble(out, program, size))
		abort();
	fclose(out);
	if (asm_assemble(text, &again, &again_size, &errors))
		abort();
	if (again_size != size || memcmp(program, again, size))
		abort();
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct asm_errors errors;
	char *text = malloc(size + 1);
	void *program;
	u64 program_size;
	int ret;

	if (!text)
		return 0;
	memcpy(text, bytes, size);
	text[size] = '\0';
	ret = asm_assemble(text, &program, &program_size, &errors);
	if (ret == -EINVAL && !errors.count)
		abort();
	if (!ret) {
		there_and_back(program, program_size);
		free(program);
	}
	free(text);
	return 0;
}
