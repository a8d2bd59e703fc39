// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo asm and rondo dis: between assembly text and programs. */
#include <stdlib.h>

#include "core/verify.h"
#include "spec/program.h"
#include "tools/asm/asm.h"
#include "tools/options.h"
#include "tools/rondo.h"
#include "tools/source.h"

static int take_output(void *context, enum option_id id, char *argument)
{
	const char **output = context;

	(void)id; /* it is the only one */
	*output = argument;
	return STATUS_OK;
}

static const struct command asm_command = {
	.name = "asm",
	.usage = "asm FILE.rasm -o PROGRAM",
	.about = "Assembles a program. What the text does not state of extents and cycles is "
		 "measured.\n"
		 "The result is a bare program: rondo run gives it a tensor of bytes for each "
		 "slot.\n",
	.take = take_output,
	.takes = { [OPTION_OUTPUT] = true },
};

static const struct command dis_command = {
	.name = "dis",
	.usage = "dis FILE",
	.about = "Prints the program in a .rnd file, or a bare program, as text that assembles to "
		 "the same\n"
		 "bytes.\n",
};

static int assemble(const char *input, const char *output)
{
	void *program;
	size_t size;
	int status = check_output(input, output);

	if (!status)
		status = source_assemble(input, &program, &size);
	if (status)
		return status;
	status = write_file(output, program, size);
	if (!status)
		printf("%s: %zu bytes, %llu cycles per replay\n", output, size,
		       (unsigned long long)((struct rondo_program_header *)program)->cycles);
	free(program);
	return status;
}

int cmd_asm(int argc, char **argv)
{
	const char *output = NULL;
	int first, status;

	if (!options_read(&asm_command, argc, argv, &output, &first, &status))
		return status;
	if (first != argc - 1 || !output)
		return usage("expected a file and -o PROGRAM");
	return assemble(argv[first], output);
}

int cmd_dis(int argc, char **argv)
{
	void *program;
	size_t size;
	u32 refused;
	int first, status;

	if (!options_read(&dis_command, argc, argv, NULL, &first, &status))
		return status;
	if (first != argc - 1)
		return usage("expected one file");
	status = source_program(argv[first], &program, &size);
	if (status)
		return status;
	refused = asm_disassemble(stdout, program, size);
	free(program);
	return refused ? fail(argv[first], "%s", rondo_error_text(refused)) : STATUS_OK;
}
