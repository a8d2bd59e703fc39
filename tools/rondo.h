/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The rondo command: one file for each subcommand, cmd_NAME.c.
 *
 * Results go to standard output, everything else to standard error as "rondo COMMAND: THING:
 * reason"; only errors of assembly text are "FILE:LINE:COLUMN: reason", as compilers have them.
 * Exit status: 0; 1 if the work could not be done or a result is not as expected; 2 if the
 * command line is wrong.
 */
#ifndef TOOLS_RONDO_H
#define TOOLS_RONDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "compiler/diag.h"
#include "spec/machine.h"

enum {
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,
};

/* Each gets its arguments, argv[0] being "rondo COMMAND", and returns the exit status. */
int cmd_asm(int argc, char **argv);
int cmd_bound(int argc, char **argv);
int cmd_cdi(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_debug(int argc, char **argv);
int cmd_dis(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_verify(int argc, char **argv);

/* Prints a line on standard error, after "rondo COMMAND: " and all that standard output has. */
__attribute__((format(printf, 1, 2))) void message(const char *fmt, ...);

/* Prints text of a file on standard output: control characters, which a terminal obeys, as "?". */
void print_text(const char *text);

/* Prints "rondo COMMAND: THING: reason" and returns STATUS_FAILED. */
__attribute__((format(printf, 2, 3))) int fail(const char *thing, const char *fmt, ...);

/* Prints what the compiler or a reader of files says, and returns STATUS_FAILED. */
int fail_with(const struct compile_error *err);

/* Says what is wrong with the command line, and where it is explained: STATUS_USAGE. */
__attribute__((format(printf, 1, 2))) int usage(const char *fmt, ...);

/* STATUS_FAILED, with a message, if writing to @output would destroy @input, or the report. */
int check_output(const char *input, const char *output);

/* Writes a whole file, as output_write(). A STATUS_*, with a message unless it is STATUS_OK. */
int write_file(const char *path, const void *bytes, size_t size);

/* Ends standard output: STATUS_FAILED, with a message, if something could not be written. */
int finish_output(int status);

/* The configuration called @name; false, with a message, if there is none. */
bool find_machine(const char *name, struct rondo_machine *machine);

/* Milliseconds of a clock that never goes back. */
double now_ms(void);

#endif
