// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/settings.h"
#include "tests/tap.h"

static char error[SETTINGS_ERROR_MAX];

/* A file of this text. */
static int parse(struct settings *s, const char *text)
{
	char copy[400];

	snprintf(copy, sizeof(copy), "%s", text);
	*error = 0;
	return settings_parse(s, "file", copy, error);
}

static void test_files(void)
{
	struct settings s;

	settings_init(&s);
	tap_eq(s.port, 8000, "numbers have defaults");
	tap_ok(!parse(&s,
		      "# a comment\n\n port = 1234\r\nmodel-repository= /a b \nlog-requests=true"),
	       "a file is read");
	tap_ok(s.port == 1234 && !strcmp(s.repository, "/a b") && s.log_requests, "all of it");
	tap_ok(!parse(&s, "port=5\nport=6\nlog-requests = false\nmodel-repository = c") &&
		       s.port == 6 && !s.log_requests && !strcmp(s.repository, "c"),
	       "what comes later counts");
	settings_fini(&s);
}

static void bad(const char *text, const char *reason)
{
	struct settings s;
	int rc;

	settings_init(&s);
	rc = parse(&s, text);
	if (!tap_ok(rc && strstr(error, reason), "%s", reason))
		printf("# %s\n", error);
	settings_fini(&s);
}

static void test_bad_files(void)
{
	bad("port=1\nnonsense", "file:2: it is not NAME = VALUE");
	bad("other = 1", "file:1: there is no option \"other\"");
	bad("port = 65536", "port takes a number of 0 to 65535, not \"65536\"");
	bad("port = -1", "not \"-1\"");
	bad("port = 1x", "not \"1x\"");
	bad("port =", "not \"\"");
	bad("port = 99999999999999999999999", "port takes a number");
	bad("instances = 1", "instances takes a number of 2");
	bad("address =", "address is empty");
	bad("log-requests = maybe", "log-requests is true or false");
}

static enum settings_action read_line(struct settings *s, int argc, const char *const *argv)
{
	settings_init(s);
	*error = 0;
	return settings_read(s, argc, (char **)argv, error);
}

static void test_command_lines(void)
{
	const char *const all[] = { "rondod", "--model-repository", "d", "--port=7",
				    "--log-requests" };
	const char *const short_[] = { "rondod", "--model-repository" };
	const char *const word[] = { "rondod", "d" };
	const char *const flag[] = { "rondod", "--log-requests=no" };
	const char *const help[] = { "rondod", "--model-repository", "d", "--help" };
	const char *const config[] = { "rondod", "--config", "/nonexistent" };
	struct settings s;

	tap_ok(read_line(&s, 5, all) == SETTINGS_SERVE && !strcmp(s.repository, "d") &&
		       s.port == 7 && s.log_requests,
	       "a command line is read");
	settings_fini(&s);
	tap_ok(read_line(&s, 1, all) == SETTINGS_WRONG && strstr(error, "is needed"),
	       "the folder is needed");
	settings_fini(&s);
	tap_ok(read_line(&s, 2, short_) == SETTINGS_WRONG && strstr(error, "needs an argument"),
	       "an argument is missing");
	settings_fini(&s);
	tap_ok(read_line(&s, 2, word) == SETTINGS_WRONG && strstr(error, "\"d\""),
	       "a word too many");
	settings_fini(&s);
	tap_ok(read_line(&s, 2, flag) == SETTINGS_WRONG, "a flag is true or false");
	settings_fini(&s);
	tap_ok(read_line(&s, 4, help) == SETTINGS_HELP, "help");
	settings_fini(&s);
	tap_ok(read_line(&s, 3, config) == SETTINGS_WRONG && strstr(error, "/nonexistent"),
	       "a file that is not there");
	settings_fini(&s);
}

int main(void)
{
	test_files();
	test_bad_files();
	test_command_lines();
	return tap_done();
}
