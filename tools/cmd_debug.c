// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo debug: where commands come from. What they do: tools/debug/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/debug/command.h"
#include "tools/debug_run.h"
#include "tools/rondo.h"

static const char help[] =
	"usage: rondo debug FILE [OPTION]...\n\n"
	"Goes to any cycle of a run, forwards and backwards, and shows what the machine is like\n"
	"there. FILE is a .rnd file, an ONNX model, a bare program or assembly text (.rasm).\n"
	"Commands are read from standard input; help lists them. Options of the second kind give\n"
	"another run, b, to compare with: what they leave out is as in the first.\n\n"
	"  -i, --input NAME=FILE       the content of an input (.npy, .pb)\n"
	"      --seed N                inputs without a file are random numbers, else zero\n"
	"      --with FILE, --with-input NAME=FILE, --with-seed N\n"
	"                              the run to compare with\n"
	"  -c, --command TEXT          a command, or several with ; between; then leave\n"
	"  -x, --script FILE           commands from a file; then leave\n"
	"  -k, --keep-going            go on with the script after a command that fails\n"
	"      --unverified            run a program that the verifier refuses, until it traps\n"
	"      --bound N               most cycles of such a run (default: 100000000)\n"
	"      --memory MIB            what checkpoints may take (default: 256)\n";

enum {
	OPT_SEED = 256,
	OPT_WITH,
	OPT_WITH_INPUT,
	OPT_WITH_SEED,
	OPT_UNVERIFIED,
	OPT_BOUND,
	OPT_MEMORY,
};

static const struct option options[] = {
	{ "input", required_argument, NULL, 'i' },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "with", required_argument, NULL, OPT_WITH },
	{ "with-input", required_argument, NULL, OPT_WITH_INPUT },
	{ "with-seed", required_argument, NULL, OPT_WITH_SEED },
	{ "command", required_argument, NULL, 'c' },
	{ "script", required_argument, NULL, 'x' },
	{ "keep-going", no_argument, NULL, 'k' },
	{ "unverified", no_argument, NULL, OPT_UNVERIFIED },
	{ "bound", required_argument, NULL, OPT_BOUND },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	OPTION_HELP,
	{},
};

enum { SCRIPTS_MAX = 64 };

/* Commands from the command line, in their order. */
struct script {
	const char *text; /* or */
	const char *file;
};

struct debug_options {
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

/* One command, which is echoed unless someone has just typed it. */
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
		if (command(d, line, typed ? "debug" : where, !typed))
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
		return fail("debug", "no memory");
	while (!d->quit && (!status || keep_going) && (line = strsep(&rest, ";")))
		if (command(d, line + strspn(line, " \t"), "debug", true))
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

static int add_input(const char *command, struct debug_inputs *inputs, const char *arg)
{
	if (!strchr(arg, '='))
		return usage(command, "an input wants NAME=FILE");
	if (inputs->count == DEBUG_INPUTS_MAX)
		return usage(command, "too many inputs");
	inputs->at[inputs->count++] = arg;
	return STATUS_OK;
}

static int add_script(const char *command, struct debug_options *o, struct script script)
{
	if (o->script_count == SCRIPTS_MAX)
		return usage(command, "too many scripts and commands");
	o->script[o->script_count++] = script;
	return STATUS_OK;
}

static bool parse_u64(const char *text, u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static int parse_seed(const char *command, struct debug_run_options *run, const char *arg)
{
	run->random = true;
	return parse_u64(arg, &run->seed) ? STATUS_OK : usage(command, "a seed is a number");
}

static int parse_option(int c, const char *command, struct debug_options *o)
{
	switch (c) {
	case 'i':
		return add_input(command, &o->run.inputs, optarg);
	case OPT_SEED:
		return parse_seed(command, &o->run, optarg);
	case OPT_WITH:
		o->compare = true;
		o->with_path = optarg;
		return STATUS_OK;
	case OPT_WITH_INPUT:
		o->compare = true;
		return add_input(command, &o->with.inputs, optarg);
	case OPT_WITH_SEED:
		o->compare = true;
		return parse_seed(command, &o->with, optarg);
	case 'c':
		return add_script(command, o, (struct script){ .text = optarg });
	case 'x':
		return add_script(command, o, (struct script){ .file = optarg });
	case 'k':
		o->keep_going = true;
		return STATUS_OK;
	case OPT_UNVERIFIED:
		o->run.unverified = true;
		return STATUS_OK;
	case OPT_BOUND:
		return parse_u64(optarg, &o->run.bound) && o->run.bound ?
			       STATUS_OK :
			       usage(command, "--bound wants a number of cycles");
	case OPT_MEMORY:
		if (!parse_u64(optarg, &o->run.memory) || o->run.memory > 1 << 20)
			return usage(command, "--memory wants a number of MiB");
		o->run.memory <<= 20;
		return STATUS_OK;
	}
	return STATUS_USAGE;
}

int cmd_debug(int argc, char **argv)
{
	struct debug_options o = { .run = { .bound = RONDO_CYCLES_DEFAULT,
					    .memory = 256 << 20,
					    .interrupt = &interrupted } };
	int c, status;

	while ((c = getopt_long(argc, argv, "i:c:x:kh", options, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return option_other(c, argv[0], help);
		status = parse_option(c, argv[0], &o);
		if (status)
			return status;
	}
	if (optind != argc - 1)
		return usage(argv[0], "it wants one file");
	o.run.path = argv[optind];
	return debug(&o);
}
