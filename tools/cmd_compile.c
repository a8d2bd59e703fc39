// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo compile: from ONNX to .rnd. */
#include <stdlib.h>
#include <string.h>

#include "tools/rondo.h"
#include "tools/source.h"

static const char help[] =
	"usage: rondo compile MODEL.onnx [OPTION]...\n\n"
	"Compiles a model for one machine and writes the program, its weights and the names of\n"
	"its tensors into one file.\n\n"
	"  -o, --output FILE     where to write (default: MODEL with the ending .rnd)\n"
	"      --machine NAME    what to compile for (default: edge)\n"
	"      --bake NAME=FILE  make an input of the graph a constant (.npy, .pb)\n"
	"      --dim NAME=N      size of a symbolic dimension (default: 1)\n"
	"      --shape NAME=SxS  shape of an input that the model leaves open, such as 1x3x32x32\n"
	"      --dump PASS       print what the compiler has after this pass, or after all\n";

enum { OPT_MACHINE = 256, OPT_BAKE, OPT_DIM, OPT_SHAPE, OPT_DUMP };

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "bake", required_argument, NULL, OPT_BAKE },
	{ "dim", required_argument, NULL, OPT_DIM },
	{ "shape", required_argument, NULL, OPT_SHAPE },
	{ "dump", required_argument, NULL, OPT_DUMP },
	OPTION_HELP,
	{},
};

/* "dir/model.onnx" as "dir/model.rnd"; for free(). */
static char *default_output(const char *model)
{
	const char *dot = strrchr(model, '.');
	size_t stem = dot && !strchr(dot, '/') ? (size_t)(dot - model) : strlen(model);
	char *output = malloc(stem + 5);

	if (output)
		sprintf(output, "%.*s.rnd", (int)stem, model);
	return output;
}

static int compile(const char *model, const char *output, const struct source_options *o)
{
	char *own = output ? NULL : default_output(model);
	size_t size;
	void *file;
	u64 cycles;
	int status;

	output = output ? output : own;
	if (!output)
		return fail(model, "no memory");
	status = source_compile(model, o, &file, &size, &cycles);
	if (!status) {
		status = write_file(output, file, size);
		if (!status)
			printf("%s: %zu bytes, %llu cycles per replay (%.1f us)\n", output, size,
			       (unsigned long long)cycles, cycles * 1e3 / o->machine.clock_khz);
		free(file);
	}
	free(own);
	return status;
}

static int parse_and_compile(int argc, char **argv, struct source_options *o)
{
	const char *output = NULL;
	int c, status = STATUS_OK;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1 && !status) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case OPT_MACHINE:
			status = find_machine(optarg, &o->machine) ? STATUS_OK : STATUS_USAGE;
			break;
		case OPT_BAKE:
			status = source_add_bake(o, optarg);
			break;
		case OPT_DIM:
			status = source_add_dim(o, optarg);
			break;
		case OPT_SHAPE:
			status = source_add_shape(o, optarg);
			break;
		case OPT_DUMP:
			o->dump = optarg;
			break;
		default:
			return option_other(c, argv[0], help);
		}
	}
	if (status)
		return status;
	if (optind != argc - 1)
		return usage(argv[0], "it wants one model");
	return compile(argv[optind], output, o);
}

int cmd_compile(int argc, char **argv)
{
	struct source_options o;
	int status;

	source_options_init(&o);
	status = parse_and_compile(argc, argv, &o);
	source_options_fini(&o);
	return status;
}
