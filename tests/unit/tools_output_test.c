// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Files are written whole or not at all: whatever goes wrong, what was there before is still there,
 * and nothing else lies in the directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"
#include "spec/env.h"
#include "tools/output.h"

static struct compile_error err;

static int write_text(const char *path, const char *a, const char *b)
{
	const struct output_part parts[] = { { a, strlen(a) }, { b, strlen(b) } };

	err = (struct compile_error){};
	return output_write(path, parts, 2, &err);
}

/* Whether the file has this text and the permissions @mode. */
static bool has(const char *path, const char *text, mode_t mode)
{
	char bytes[64] = "";
	struct stat st;
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	bytes[fread(bytes, 1, sizeof(bytes) - 1, f)] = '\0';
	fclose(f);
	return !strcmp(bytes, text) && !stat(path, &st) && (st.st_mode & 07777) == mode;
}

static int count_files(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count - 2; /* . and .. */
}

static void test_good(void)
{
	struct stat link;

	umask(027);
	tap_eq(write_text("new", "one", " two"), 0, "a new file");
	tap_ok(has("new", "one two", 0640), "has all parts, and the permissions of a new one");
	chmod("new", 0604);
	tap_eq(write_text("./new", "three", ""), 0, "a file that is there");
	tap_ok(has("new", "three", 0604), "has new content and its old permissions");
	mkdir("sub", 0777);
	tap_ok(!symlink("../new", "sub/link") && !symlink("sub/link", "link"), "a link to a link");
	tap_eq(write_text("link", "four", ""), 0, "is followed");
	tap_ok(has("new", "four", 0604) && !lstat("link", &link) && S_ISLNK(link.st_mode) &&
		       !lstat("sub/link", &link) && S_ISLNK(link.st_mode),
	       "to the file, and stays a link");
	tap_ok(!symlink("made", "sub/dangling"), "a link to nothing");
	tap_eq(write_text("sub/dangling", "five", ""), 0, "is followed");
	tap_ok(has("sub/made", "five", 0640), "to a new file");
	tap_ok(count_files(".") == 3 && count_files("sub") == 3, "nothing else is there");
}

/* Fails with @code, after which "new" is as it was. */
static void refused(const char *path, int code, const char *name)
{
	int ret = write_text(path, "six", "seven");

	if (!tap_ok(ret == code && err.code == code && !strncmp(err.text, path, strlen(path)) &&
			    strstr(err.text, strerror(-code)),
		    "%s", name))
		printf("# %d: %s\n", ret, err.text);
	tap_ok(has("new", "four", 0604) && count_files(".") == 3, "and nothing has changed");
}

static void limit(int resource, rlim_t most, rlim_t *before)
{
	struct rlimit r;

	getrlimit(resource, &r);
	if (before)
		*before = r.rlim_cur;
	r.rlim_cur = most;
	setrlimit(resource, &r);
}

static void test_bad(void)
{
	rlim_t before;

	refused("sub", -EISDIR, "a directory");
	refused("none/file", -ENOENT, "no directory");
	refused("new/file", -ENOTDIR, "a file as directory");
	refused("", -ENOENT, "no name");
	refused("/dev/full", -ENOSPC, "a device that is full");
	signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, 5, &before);
	refused("new", -EFBIG, "a limit of the size");
	refused("link", -EFBIG, "behind a link");
	limit(RLIMIT_FSIZE, before, NULL);
	limit(RLIMIT_NOFILE, 3, &before);
	err = (struct compile_error){};
	write_text("new", "six", "");
	limit(RLIMIT_NOFILE, before, NULL);
	tap_eq(err.code, -EMFILE, "no file descriptor is left");
	tap_ok(has("new", "four", 0604) && count_files(".") == 3, "and nothing has changed");
	tap_ok(!symlink("loop", "loop"), "a link to itself");
	tap_eq(write_text("loop", "six", ""), -ELOOP, "is followed for a while");
	unlink("loop");
	tap_eq(write_text("/dev/null", "six", ""), 0, "a device is written in place");
}

static void test_pipe(void)
{
	char bytes[16] = "", path[64];
	int ends[2];

	tap_ok(!pipe(ends), "a pipe");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	tap_eq(write_text(path, "through", " it"), 0, "is written in place");
	tap_ok(read(ends[0], bytes, sizeof(bytes) - 1) == 10 && !strcmp(bytes, "through it"),
	       "has the content");
	close(ends[0]);
	close(ends[1]);
}

enum { LARGE = 1 << 20, KILLS = 20 };

/* Writes a file of as and one of bs by turns until it is killed, and says so to @fd. */
static void write_for_ever(int fd)
{
	static char bytes[2][LARGE];
	u8 turn;

	memset(bytes[0], 'a', LARGE);
	memset(bytes[1], 'b', LARGE);
	for (turn = 0;; turn ^= 1) {
		const struct output_part part = { bytes[turn], LARGE };

		if (output_write("new", &part, 1, &err) || write(fd, &turn, 1) != 1)
			_exit(1);
	}
}

/* The content of "new" is one letter, LARGE times. */
static bool is_whole(void)
{
	static char bytes[LARGE + 1];
	FILE *f = fopen("new", "r");
	size_t size = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	if (f)
		fclose(f);
	return size == LARGE && !memcmp(bytes, bytes + 1, LARGE - 1);
}

static void test_interrupted(int end_by)
{
	const struct sigaction act = { .sa_handler = SIG_DFL };
	int kills, bad = 0, status;

	for (kills = 0; kills < KILLS; kills++) {
		int ends[2], turns = kills % 5 + 1;
		pid_t child;
		u8 turn;

		if (pipe(ends))
			abort();
		child = fork();
		if (!child) {
			close(ends[0]);
			sigaction(end_by, &act, NULL); /* whatever our parent did */
			write_for_ever(ends[1]);
		}
		close(ends[1]);
		while (turns--)
			bad += read(ends[0], &turn, 1) != 1;
		kill(child, end_by);
		waitpid(child, &status, 0);
		bad += !WIFSIGNALED(status) || WTERMSIG(status) != end_by || !is_whole() ||
		       count_files(".") != 3;
		close(ends[0]);
	}
	tap_ok(!bad, "ended by signal %d, a writer leaves a whole file and nothing else", end_by);
}

static void test_same_file(void)
{
	tap_ok(output_same_file("new", "./link"), "a file and a link to it are the same");
	tap_ok(!output_same_file("new", "sub/made"), "two files are not");
	tap_ok(!output_same_file("none", "none"), "nor are two that are not there");
}

int main(void)
{
	char path[] = "/tmp/tools_output_test_XXXXXX";

	if (!mkdtemp(path) || chdir(path))
		return 1;
	test_good();
	test_bad();
	test_pipe();
	test_interrupted(SIGTERM);
	test_interrupted(SIGINT);
	test_interrupted(SIGHUP);
	test_same_file();
	for (const char *const *name = (const char *const[]){ "sub/link", "sub/dangling",
							      "sub/made", "link", "new", NULL };
	     *name; name++)
		unlink(*name);
	rmdir("sub");
	tap_ok(!chdir("/") && !rmdir(path), "all is tidy again");
	return tap_done();
}
