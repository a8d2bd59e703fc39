// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* rondo top: what the accel devices of this machine do, and for whom. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tools/options.h"
#include "tools/output.h"
#include "tools/rondo.h"
#include "tools/top/top.h"

struct top_command {
	u64 interval_ms;
	u64 count; /* readings that are shown; 0: no end */
	const char *textfile;
	bool batch;
};

static int take(void *context, enum option_id id, char *argument);

static const struct command command = {
	.name = "top",
	.usage = "top [OPTION]...",
	.about =
		"Shows every accel device of this machine, of whatever driver, and the processes "
		"that "
		"use\n"
		"them: share of the time (device time by wall time), cycles, power, energy and "
		"memory. On a\n"
		"terminal the table is drawn again until q is typed. What the kernel does not tell "
		"is \"-\":\n"
		"the energy of a whole device is root's to know, and so are the processes of "
		"others.\n",
	.take = take,
	.takes = { [OPTION_BATCH] = true,
		   [OPTION_INTERVAL] = true,
		   [OPTION_COUNT] = true,
		   [OPTION_TEXTFILE] = true },
};

static int take(void *context, enum option_id id, char *argument)
{
	struct top_command *c = context;

	switch (id) {
	case OPTION_INTERVAL:
		return option_number(id, argument, 10, 86400000, "10 to 86400000 milliseconds",
				     &c->interval_ms);
	case OPTION_COUNT:
		return option_number(id, argument, 1, UINT64_MAX, "a number of readings",
				     &c->count);
	case OPTION_TEXTFILE:
		c->textfile = argument;
		return STATUS_OK;
	default:
		c->batch = true;
		return STATUS_OK;
	}
}

/* ---- The terminal ---------------------------------------------------------------------------- */

static struct termios cooked;
static bool raw;

/* Signals end the program by way of this, so it calls nothing that a handler must not. */
static void leave_screen(void)
{
	static const char leave[] = "\033[?25h\033[?1049l";

	if (!raw)
		return;
	raw = false;
	tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	if (write(STDOUT_FILENO, leave, sizeof(leave) - 1) < 0)
		return;
}

static void leave_by_signal(int number)
{
	leave_screen();
	signal(number, SIG_DFL);
	raise(number);
}

/* A screen of its own, on which keys come one by one; nothing where this is no terminal. */
static void enter_screen(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct termios keys;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &cooked))
		return;
	keys = cooked;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], leave_by_signal);
	raw = true;
	tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	fputs("\033[?1049h\033[?25l", stdout);
}

/* Waits for the next reading; false: the user has typed q, or closed the terminal. */
static bool wait_for_key(u64 ms)
{
	struct pollfd keys = { .fd = raw ? STDIN_FILENO : -1, .events = POLLIN };
	char key = 0;

	fflush(stdout);
	if (poll(&keys, 1, (int)ms) <= 0)
		return true;
	return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q';
}

static void draw(const struct top_sample *before, const struct top_sample *now)
{
	struct winsize size = { 0 };

	if (!raw) {
		top_print_table(stdout, before, now, 0, 0);
		return;
	}
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	fputs("\033[H\033[2J", stdout);
	/* The last line stays empty: a newline there would move all up. */
	top_print_table(stdout, before, now, size.ws_row > 1 ? size.ws_row - 1 : 0, size.ws_col);
}

/* ---- Readings -------------------------------------------------------------------------------- */

static int write_metrics(const char *path, const struct top_sample *now)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int status;

	if (f)
		top_print_metrics(f, now);
	if (!f || fclose(f))
		status = fail(path, "%s", strerror(ENOMEM));
	else
		status = write_file(path, text, size);
	free(text);
	return status;
}

static int show(const struct top_command *c, const struct top_sample *before,
		const struct top_sample *now)
{
	if (c->textfile)
		return write_metrics(c->textfile, now);
	if (c->batch)
		top_print_json(stdout, before, now);
	else
		draw(before, now);
	return ferror(stdout) ? STATUS_FAILED : STATUS_OK;
}

static int read_now(struct top_sample *sample)
{
	int rc = top_read("/sys", "/proc", sample);

	return rc ? fail("reading what devices do", "%s", strerror(-rc)) : STATUS_OK;
}

/* The first reading only tells where counters stand, except where nothing else is wanted. */
static int watch(const struct top_command *c)
{
	struct top_sample before = { 0 }, now;
	int status = c->textfile ? STATUS_OK : read_now(&before);

	for (u64 n = 0; !status && (!c->count || n < c->count); n++) {
		if ((n || !c->textfile) && !wait_for_key(c->interval_ms))
			break;
		status = read_now(&now);
		if (status)
			break;
		status = show(c, &before, &now);
		top_sample_fini(&before);
		before = now;
	}
	top_sample_fini(&before);
	return status;
}

int cmd_top(int argc, char **argv)
{
	struct top_command c = { .interval_ms = 2000 };
	int first, status;

	if (!options_read(&command, argc, argv, &c, &first, &status))
		return status;
	if (first < argc)
		return usage("expected no argument, not \"%.80s\"", argv[first]);
	if (!c.batch && !c.textfile)
		enter_screen();
	status = watch(&c);
	leave_screen();
	return finish_output(status);
}
