// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The rondo command: finds the subcommand; and what all of them share. */
#include "tools/rondo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/machine.h"
#include "tools/output.h"

static int cmd_help(int argc, char **argv);

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "compile", cmd_compile, "an ONNX or TensorFlow Lite model into a .rnd file" },
	{ "run", cmd_run, "a model on inputs, on a device or the emulator" },
	{ "asm", cmd_asm, "assembly text into a program" },
	{ "dis", cmd_dis, "a program into assembly text" },
	{ "verify", cmd_verify, "prove a program; its exact cycles, energy and extents" },
	{ "debug", cmd_debug, "any cycle of a run, forwards and backwards" },
	{ "info", cmd_info, "what a file holds, or what a device is" },
	{ "bound", cmd_bound, "what a model takes at least, from its graph alone" },
	{ "top", cmd_top, "what the accel devices of this machine do, and for whom" },
	{ "cdi", cmd_cdi, "its devices of ours, for container engines" },
	{ "help", cmd_help, "this text, or that of a command" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* What messages begin with; "rondo run" once the command is known. */
static char speaker[32] = "rondo";

/* Prints a message of two parts, of which @thing may be NULL. */
static void print_message(const char *thing, const char *fmt, va_list ap, const char *end)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", speaker);
	if (thing)
		fprintf(stderr, "%s: ", *thing ? thing : "\"\"");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "%s\n", end);
}

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message(NULL, fmt, ap, "");
	va_end(ap);
}

void print_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++) {
		/* In UTF-8 those of 0x80 to 0x9f are two bytes. */
		bool control = *at < 0x20 || *at == 0x7f ||
			       (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);

		putchar(control ? '?' : *at);
		at += control && *at == 0xc2;
	}
}

int fail(const char *thing, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message(thing, fmt, ap, "");
	va_end(ap);
	return STATUS_FAILED;
}

int fail_with(const struct compile_error *err)
{
	message("%s", err->text);
	return STATUS_FAILED;
}

int usage(const char *fmt, ...)
{
	char end[64];
	va_list ap;

	snprintf(end, sizeof(end), "; see %s --help", speaker);
	va_start(ap, fmt);
	print_message(NULL, fmt, ap, end);
	va_end(ap);
	return STATUS_USAGE;
}

int check_output(const char *input, const char *output)
{
	struct stat in, out;

	if (stat(output, &out))
		return STATUS_OK;
	if (!stat(input, &in) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return fail(output, "it is the input: it would be overwritten");
	if (!S_ISCHR(out.st_mode) && !fstat(STDOUT_FILENO, &in) && in.st_dev == out.st_dev &&
	    in.st_ino == out.st_ino)
		return fail(output, "it is standard output, where the report goes");
	return STATUS_OK;
}

int write_file(const char *path, const void *bytes, size_t size)
{
	const struct output_part part = { bytes, size };
	struct compile_error err = {};

	return output_write(path, &part, 1, &err) ? fail_with(&err) : STATUS_OK;
}

int finish_output(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return fail("standard output", "%s", strerror(errno));
}

bool find_machine(const char *name, struct rondo_machine *machine)
{
	u32 id = rondo_machine_named(name);

	if (id == RONDO_MACHINES) {
		fail(name, "there is no machine of this name");
		return false;
	}
	rondo_machine_init(machine, id);
	return true;
}

double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

static void print_help(FILE *out)
{
	int i;

	fprintf(out, "usage: rondo COMMAND [ARGUMENT]...\n\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].what);
	fprintf(out, "\nrondo help COMMAND tells more, rondo --version the version. Exit status: "
		     "0, 1 if something failed, "
		     "2 if the command line is wrong.\n");
}

/*
 * A standard stream that is closed is opened so that using it fails; else the next file that is
 * opened would become it.
 */
static void open_standard_streams(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(STATUS_FAILED);
}

/* Runs the command that argv[0] names; a STATUS_*. */
static int run_command(int argc, char **argv)
{
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		snprintf(speaker, sizeof(speaker), "rondo %s", commands[i].name);
		argv[0] = speaker;
		return commands[i].run(argc, argv);
	}
	return usage("%s: there is no such command", argv[0]);
}

static int cmd_help(int argc, char **argv)
{
	char *of_command[] = { argv[1], "--help", NULL };

	if (argc > 2)
		return usage("expected one command");
	if (argc == 2 && strcmp(argv[1], "--help") && strcmp(argv[1], "-h") &&
	    strcmp(argv[1], "help"))
		return run_command(2, of_command);
	print_help(stdout);
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	open_standard_streams();
	/* What exceeds ulimit -f fails with EFBIG, as any error of a file. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(stdout);
		return finish_output(STATUS_OK);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("rondo " RONDO_VERSION);
		return finish_output(STATUS_OK);
	}
	return finish_output(run_command(argc - 1, argv + 1));
}
