// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo debug: where commands come from. What they do: tools/debug/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/debug/command.h"
#include "tools/debug_run.h"
#include "tools/options.h"
#include "tools/preprocess_options.h"
#include "tools/rondo.h"

static int take(void *context, enum option_id id, char *argument);

static const struct command debug_command = {
	.name = "debug",
	.usage = "debug MODEL [INPUT]... [OPTION]...",
	.about = "Goes to any cycle of a run, forwards and backwards, and shows what the machine "
		 "is like\n"
		 "there. MODEL and INPUT are as for rondo run; of several files for an input the "
		 "last one\n"
		 "counts. Commands are read from standard input; help lists them. Unless they are "
		 "typed at a\n"
		 "terminal, the first one that fails is the last one, and the status is 1: see "
		 "--keep-going.\n"
		 "The options --with... give another run, b, to compare with: what they leave out "
		 "is as in\n"
		 "the first.\n",
	.take = take,
	.takes = { MODEL_OPTIONS, PREPROCESS_OPTIONS, [OPTION_INPUT] = true, [OPTION_SEED] = true,
		   [OPTION_WITH] = true, [OPTION_WITH_INPUT] = true, [OPTION_WITH_SEED] = true,
		   [OPTION_COMMAND] = true, [OPTION_SCRIPT] = true, [OPTION_KEEP_GOING] = true,
		   [OPTION_UNVERIFIED] = true, [OPTION_BOUND] = true, [OPTION_MEMORY] = true },
};

enum { SCRIPTS_MAX = 64 };

/* Commands from the command line, in their order. */
struct script {
	const char *text; /* or */
	const char *file;
};

struct debug_options {
	struct model_options model;
	struct debug_run_options run, with;
	bool compare; /* `with` differs from `run` */
	const char *with_path;
	bool keep_going;
	u32 script_count;
	struct script script[SCRIPTS_MAX];
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* One command, which is echoed unless someone has just typed it; @where in a script, or NULL. */
static int command(struct debugger *d, const char *line, const char *where, bool echo)
{
	interrupted = 0;
	if (echo && line[strspn(line, " \t")])
		fprintf(d->out, "> %s\n", line);
	if (!debugger_command(d, line))
		return fail(where, "%s", d->error);
	return interrupted && echo ? fail(where, "interrupted") : STATUS_OK;
}

/* Commands from @file, which is called @name. */
static int read_commands(struct debugger *d, FILE *file, const char *name, bool keep_going)
{
	bool typed = isatty(fileno(file));
	char *line = NULL, where[300];
	size_t capacity = 0;
	int status = STATUS_OK, number = 0;

	while (!d->quit && (!status || keep_going || typed)) {
		ssize_t length;

		if (typed) {
			fputs("(rondo) ", d->out);
			fflush(d->out);
		}
		errno = 0;
		length = getline(&line, &capacity, file);
		if (length < 0 && errno == EINTR && typed) {
			clearerr(file);
			continue;
		}
		if (length < 0) {
			fputs(typed ? "\n" : "", d->out);
			break;
		}
		while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
			line[--length] = '\0';
		snprintf(where, sizeof(where), "%s:%d", name, ++number);
		if (command(d, line, typed ? NULL : where, !typed))
			status = STATUS_FAILED;
	}
	if (ferror(file))
		status = fail(name, "%s", strerror(errno));
	free(line);
	return typed ? STATUS_OK : status;
}

/* Commands with ; between. */
static int run_text(struct debugger *d, const char *text, bool keep_going)
{
	char *copy = strdup(text), *rest = copy, *line;
	int status = STATUS_OK;

	if (!copy)
		return fail(NULL, "no memory");
	while (!d->quit && (!status || keep_going) && (line = strsep(&rest, ";")))
		if (command(d, line + strspn(line, " \t"), NULL, true))
			status = STATUS_FAILED;
	free(copy);
	return status;
}

static int run_file(struct debugger *d, const char *path, bool keep_going)
{
	FILE *file = fopen(path, "r");
	int status;

	if (!file)
		return fail(path, "%s", strerror(errno));
	status = read_commands(d, file, path, keep_going);
	fclose(file);
	return status;
}

static int run_scripts(struct debugger *d, const struct debug_options *o)
{
	int status = STATUS_OK;
	u32 i;

	if (!o->script_count)
		return read_commands(d, stdin, "standard input", o->keep_going);
	for (i = 0; i < o->script_count && !d->quit && (!status || o->keep_going); i++) {
		const struct script *script = &o->script[i];
		int failed = script->text ? run_text(d, script->text, o->keep_going) :
					    run_file(d, script->file, o->keep_going);

		status = failed ? failed : status;
	}
	return status;
}

/* What the second run does not state is as in the first. */
static void complete_with(struct debug_options *o)
{
	struct debug_run_options with = o->run;
	u32 i;

	with.path = o->with_path ? o->with_path : o->run.path;
	if (o->with.random) {
		with.random = true;
		with.seed = o->with.seed;
	}
	for (i = 0; i < o->with.inputs.count && with.inputs.count < DEBUG_INPUTS_MAX; i++)
		with.inputs.at[with.inputs.count++] = o->with.inputs.at[i];
	o->with = with;
}

static int debug(struct debug_options *o)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct debug_run a = {}, b = {};
	struct debugger debugger;
	int status;

	complete_with(o);
	status = debug_run_open(&a, &o->run);
	if (!status && o->compare)
		status = debug_run_open(&b, &o->with);
	if (!status) {
		sigaction(SIGINT, &action, NULL);
		debugger_init(&debugger, stdout, a.session, b.session);
		status = run_scripts(&debugger, o);
	}
	debug_run_close(&b);
	debug_run_close(&a);
	return status;
}

static int add_input(struct debug_inputs *inputs, const char *argument)
{
	if (inputs->count == DEBUG_INPUTS_MAX)
		return usage("too many inputs");
	inputs->at[inputs->count++] = argument;
	return STATUS_OK;
}

static int add_script(struct debug_options *o, struct script script)
{
	if (o->script_count == SCRIPTS_MAX)
		return usage("too many scripts and commands");
	o->script[o->script_count++] = script;
	return STATUS_OK;
}

static int take_seed(struct debug_run_options *run, enum option_id id, const char *argument)
{
	run->random = true;
	return option_number(id, argument, 0, UINT64_MAX, "a number", &run->seed);
}

static int take_memory(struct debug_run_options *run, const char *argument)
{
	int status =
		option_number(OPTION_MEMORY, argument, 0, 1 << 20, "a number of MiB", &run->memory);

	run->memory <<= 20;
	return status;
}

static int take(void *context, enum option_id id, char *argument)
{
	struct debug_options *o = context;

	switch (id) {
	case OPTION_INPUT:
		return add_input(&o->run.inputs, argument);
	case OPTION_SEED:
		return take_seed(&o->run, id, argument);
	case OPTION_WITH:
		o->compare = true;
		o->with_path = argument;
		return STATUS_OK;
	case OPTION_WITH_INPUT:
		o->compare = true;
		return add_input(&o->with.inputs, argument);
	case OPTION_WITH_SEED:
		o->compare = true;
		return take_seed(&o->with, id, argument);
	case OPTION_COMMAND:
		return add_script(o, (struct script){ .text = argument });
	case OPTION_SCRIPT:
		return add_script(o, (struct script){ .file = argument });
	case OPTION_KEEP_GOING:
		o->keep_going = true;
		return STATUS_OK;
	case OPTION_UNVERIFIED:
		o->run.unverified = true;
		return STATUS_OK;
	case OPTION_BOUND:
		return option_number(id, argument, 1, UINT64_MAX, "a number of cycles",
				     &o->run.bound);
	case OPTION_MEMORY:
		return take_memory(&o->run, argument);
	case OPTION_PREPROCESS:
	case OPTION_FIT:
	case OPTION_LAYOUT:
	case OPTION_COLOURS:
	case OPTION_MEAN:
	case OPTION_DEVIATION:
		return preprocess_take(&o->run.preprocess, id, argument);
	default:
		return model_options_take(&o->model, id, argument);
	}
}

static int parse_and_debug(int argc, char **argv, struct debug_options *o)
{
	int i, first, status;

	if (!options_read(&debug_command, argc, argv, o, &first, &status))
		return status;
	if (first >= argc)
		return usage("expected a model");
	o->run.path = argv[first];
	for (i = first + 1; i < argc && !status; i++)
		status = add_input(&o->run.inputs, argv[i]);
	return status ? status : debug(o);
}

int cmd_debug(int argc, char **argv)
{
	struct debug_options o = { .run = { .bound = RONDO_CYCLES_DEFAULT,
					    .memory = 256 << 20,
					    .interrupt = &interrupted } };
	int status;

	model_options_init(&o.model);
	preprocess_init(&o.run.preprocess);
	o.run.model = &o.model;
	status = parse_and_debug(argc, argv, &o);
	model_options_fini(&o.model);
	return status;
}
