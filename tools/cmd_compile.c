// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo compile: from ONNX to .rnd. */
#include <stdlib.h>
#include <string.h>

#include "tools/options.h"
#include "tools/rondo.h"
#include "tools/source.h"

struct compile_command {
	const char *output;
	struct model_options model;
};

static int take(void *context, enum option_id id, char *argument)
{
	struct compile_command *c = context;

	if (id != OPTION_OUTPUT)
		return model_options_take(&c->model, id, argument);
	c->output = argument;
	return STATUS_OK;
}

static const struct command command = {
	.name = "compile",
	.usage = "compile MODEL.onnx [OPTION]...",
	.about = "Compiles a model for one machine and writes the program, its weights and the "
		 "names of\n"
		 "its tensors into one file: MODEL with the ending .rnd, unless --output says "
		 "where. A file\n"
		 "that was there stays as it is if anything fails.\n",
	.take = take,
	.takes = { MODEL_OPTIONS, [OPTION_ALLOW_HOST] = true, [OPTION_DUMP] = true,
		   [OPTION_OUTPUT] = true },
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

static int compile(const char *model, const char *output, const struct model_options *o)
{
	size_t size;
	void *file;
	u64 cycles;
	int status = check_output(model, output);

	if (!status)
		status = source_compile(model, o, &file, &size, &cycles);
	if (status)
		return status;
	status = write_file(output, file, size);
	if (!status)
		printf("%s: %zu bytes, %llu cycles per replay (%.1f us)\n", output, size,
		       (unsigned long long)cycles, cycles * 1e3 / o->machine.clock_khz);
	free(file);
	return status;
}

static int parse_and_compile(int argc, char **argv, struct compile_command *c)
{
	char *output;
	int first, status;

	if (!options_read(&command, argc, argv, c, &first, &status))
		return status;
	if (first != argc - 1)
		return usage("expected one model");
	if (c->output)
		return compile(argv[first], c->output, &c->model);
	output = default_output(argv[first]);
	status = output ? compile(argv[first], output, &c->model) : fail(argv[first], "no memory");
	free(output);
	return status;
}

int cmd_compile(int argc, char **argv)
{
	struct compile_command c = {};
	int status;

	model_options_init(&c.model);
	status = parse_and_compile(argc, argv, &c);
	model_options_fini(&c.model);
	return status;
}
