// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo asm and rondo dis: between assembly text and programs. */
#include <stdlib.h>

#include "core/verify.h"
#include "spec/program.h"
#include "tools/asm/asm.h"
#include "tools/rondo.h"
#include "tools/source.h"

static const char asm_help[] =
	"usage: rondo asm FILE.rasm -o PROGRAM\n\n"
	"Assembles a program. What the text does not state of extents and cycles is measured.\n"
	"The result is a bare program: rondo run gives it a tensor of bytes for each slot.\n\n"
	"  -o, --output FILE  where to write\n";

static const char dis_help[] =
	"usage: rondo dis FILE\n\n"
	"Prints the program in a .rnd file, or a bare program, as text that assembles to the same\n"
	"bytes.\n";

static const struct option asm_options[] = {
	{ "output", required_argument, NULL, 'o' },
	OPTION_HELP,
	{},
};

static const struct option dis_options[] = {
	OPTION_HELP,
	{},
};

static int assemble(const char *input, const char *output)
{
	void *program;
	u64 size;
	int status = source_assemble(input, &program, &size);

	if (status)
		return status;
	status = write_file(output, program, size);
	if (!status)
		printf("%s: %llu bytes, %llu cycles per replay\n", output, (unsigned long long)size,
		       (unsigned long long)((struct rondo_program_header *)program)->cycles);
	free(program);
	return status;
}

int cmd_asm(int argc, char **argv)
{
	const char *output = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "o:h", asm_options, NULL)) != -1) {
		if (c != 'o')
			return option_other(c, argv[0], asm_help);
		output = optarg;
	}
	if (optind != argc - 1 || !output)
		return usage(argv[0], "it wants a file and -o PROGRAM");
	return assemble(argv[optind], output);
}

int cmd_dis(int argc, char **argv)
{
	void *program;
	size_t size;
	u32 refused;
	int c, status;

	while ((c = getopt_long(argc, argv, "h", dis_options, NULL)) != -1)
		return option_other(c, argv[0], dis_help);
	if (optind != argc - 1)
		return usage(argv[0], "it wants one file");
	status = source_program(argv[optind], &program, &size);
	if (status)
		return status;
	refused = asm_disassemble(stdout, program, size);
	free(program);
	return refused ? fail(argv[optind], "%s", rondo_error_text(refused)) : STATUS_OK;
}
