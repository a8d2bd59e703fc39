// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The rondo command that runs many command lines: "--serve" as its only argument makes it read them
 * from standard input and fork for each. With sanitizers a process takes far longer to start than
 * most commands take. With other arguments it is the command itself. To be linked with --wrap=main.
 *
 * A request is strings, each of which ends in a zero byte: the working directory; the files for
 * standard output and standard error, which may be one; how many assignments to the environment
 * follow, and they; how many arguments, and they. The answer is a line with the exit status.
 *
 * With RONDO_TEST_REFUSE in the environment the command runs without memory, see refuse_each();
 * with RONDO_TEST_LEAKS nobody looks for what it leaves, which takes ten times what short commands
 * take.
 */
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cli/refuse.h"

enum { STRINGS_MAX = 64 };

/* What a mutant may use. */
#define MUTANT_BYTES (4ull << 30)

int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);

/* The strings of one request. */
static char request[1 << 16];
static size_t request_size;

/* The next string; NULL at the end of input. */
static char *next(void)
{
	char *string = request + request_size;
	int c;

	while ((c = getchar()) > 0 && request_size < sizeof(request) - 1)
		request[request_size++] = c;
	if (c > 0)
		abort();
	request[request_size++] = 0;
	return c < 0 ? NULL : string;
}

/* A number, and as many strings. */
static int next_list(char **strings)
{
	const char *count = next();
	int n = count ? atoi(count) : -1;

	if (n < 0 || n > STRINGS_MAX)
		abort();
	for (int i = 0; i < n; i++)
		strings[i] = next();
	strings[n] = NULL;
	return n;
}

static void redirect(int to, const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(126);
	close(fd);
}

/* Bytes of memory that a process has. */
static unsigned long long resident(pid_t pid)
{
	unsigned long long pages = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*u %llu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/*
 * Waits for a child; returns waitpid()'s status. A mutant must not use up the host, and the thread
 * by which the sanitizer limits memory is not there after a fork, so it is watched from here.
 */
static int wait_for(pid_t pid)
{
	bool mutant = getenv("RONDO_MUTANT");
	int status;
	pid_t ended;

	while (!(ended = waitpid(pid, &status, mutant ? WNOHANG : 0))) {
		if (resident(pid) > MUTANT_BYTES)
			kill(pid, SIGKILL);
		usleep(2000);
	}
	if (ended != pid)
		abort();
	return status;
}

/* LeakSanitizer's, where the build has it. */
__attribute__((weak)) void __lsan_do_leak_check(void);
__attribute__((weak)) void __lsan_register_root_region(const void *begin, size_t size);
const char *__lsan_default_options(void);

/*
 * The sanitizers' own tables are most of the globals of the program and of their libraries, and
 * looking for pointers to the heap among them takes ten times what all the rest takes. So what only
 * a global of the command itself points to counts as a leak: it has none. Those of other libraries
 * are looked at (add_roots()).
 */
const char *__lsan_default_options(void)
{
	return "use_globals=0";
}

static int add_roots(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	if (!*info->dlpi_name || strstr(info->dlpi_name, "/libasan.") ||
	    strstr(info->dlpi_name, "/libubsan."))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD && segment->p_flags & PF_W)
			__lsan_register_root_region((void *)(info->dlpi_addr + segment->p_vaddr),
						    segment->p_memsz);
	}
	return 0;
}

/* Ends the process as exit() does, without what sanitizers do with their tables then. */
static void leave(int status)
{
	fflush(NULL);
	if (__lsan_do_leak_check && !getenv("RONDO_TEST_LEAKS"))
		__lsan_do_leak_check();
	_exit(status);
}

/* The content of the file behind @fd, cut at its end. */
static size_t content(int fd, char *bytes, size_t size)
{
	ssize_t n = pread(fd, bytes, size - 1, 0);

	bytes[n < 0 ? 0 : n] = 0;
	return n < 0 ? 0 : n;
}

/*
 * Runs the command once for each piece of memory that it asks for, which it does not get. Then it
 * says so and fails, or does without and prints the same; otherwise this prints what it did. In the
 * end it prints how many pieces there were.
 */
static int refuse_each(int argc, char **argv)
{
	static char whole[1 << 16], out[sizeof(whole)], err[1 << 12];
	int fds[2], n, status;
	pid_t pid;

	for (n = -1;; n++) {
		fds[0] = memfd_create("out", 0);
		fds[1] = memfd_create("err", 0);
		fflush(stdout);
		pid = fork();
		if (!pid) {
			dup2(fds[0], STDOUT_FILENO);
			dup2(fds[1], STDERR_FILENO);
			refuse_after(n);
			status = __real_main(argc, argv);
			refuse_after(-1);
			fflush(NULL);
			if (pieces_held() > 0)
				dprintf(STDERR_FILENO, "%ld pieces leak\n", pieces_held());
			_exit(pieces_held() > 0 ? 98 : refused_any() || n < 0 ? status : 99);
		}
		status = wait_for(pid);
		content(fds[0], n < 0 ? whole : out, sizeof(whole));
		content(fds[1], err, sizeof(err));
		close(fds[0]);
		close(fds[1]);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
			break;
		if (status && WIFEXITED(status) && WEXITSTATUS(status) == 1 && n >= 0 &&
		    strstr(err, "memory"))
			continue;
		if (status || (n >= 0 && strcmp(out, whole)))
			printf("piece %d: status %d, %s%s\n", n, status, out, err);
	}
	printf("%d pieces\n", n);
	fflush(stdout);
	return 0;
}

/* Runs a request that begins with @directory; its exit status. */
static int serve(char *program, const char *directory)
{
	const char *out = next(), *err = next();
	char *assignments[STRINGS_MAX + 1], *argv[STRINGS_MAX + 2] = { program };
	int argc, status;
	pid_t pid;

	next_list(assignments);
	argc = 1 + next_list(argv + 1);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
		redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
		redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
		if (chdir(directory))
			_exit(126);
		for (int i = 0; assignments[i]; i++)
			putenv(assignments[i]);
		leave(getenv("RONDO_TEST_REFUSE") ? refuse_each(argc, argv) :
						    __real_main(argc, argv));
	}
	status = wait_for(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int __wrap_main(int argc, char **argv)
{
	const char *directory;

	if (__lsan_register_root_region)
		dl_iterate_phdr(add_roots, NULL);
	if (argc != 2 || strcmp(argv[1], "--serve"))
		return __real_main(argc, argv);
	for (; (directory = next()); request_size = 0)
		dprintf(STDOUT_FILENO, "%d\n", serve(argv[0], directory));
	return 0;
}
