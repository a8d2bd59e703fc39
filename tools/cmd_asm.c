// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo asm and rondo dis: between assembly text and programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
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
	{"output", required_argument, NULL, 'o'},
	OPTION_HELP,
	{},
};

static const struct option dis_options[] = {
	OPTION_HELP,
	{},
};

static int assemble(const char *input, const char *output)
{
	struct compile_error err = {};
	struct asm_errors errors = {};
	void *bytes, *program;
	size_t size;
	u64 program_size;
	int ret;

	if (compile_read_file(input, &bytes, &size, &err)) {
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	((char *)bytes)[size] = 0; /* it has room */
	if (strlen(bytes) != size) {
		free(bytes);
		return fail(input, "not a text: it has a zero byte");
	}
	ret = asm_assemble(bytes, &program, &program_size, &errors);
	free(bytes);
	if (ret == -ENOMEM)
		return fail(input, "no memory");
	if (ret) {
		asm_print_errors(stderr, input, &errors);
		return STATUS_FAILED;
	}
	ret = write_file(output, program, program_size);
	if (!ret)
		printf("%s: %llu bytes, %llu cycles per replay\n", output,
		       (unsigned long long)program_size,
		       (unsigned long long)((struct rondo_program_header *)program)->cycles);
	free(program);
	return ret;
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
