// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service/cache.h"
#include "tests/tap.h"

enum { SIZE = 100000 };

static char root[] = "/tmp/rondo-cache-XXXXXX", cache[64], path[160];
static char plan[SIZE], other[SIZE / 2];
static struct plan_key key;

/* Names in the cache. */
static int count_names(void)
{
	DIR *directory = opendir(cache);
	struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	if (directory)
		closedir(directory);
	return count;
}

static bool loads(const char *bytes, size_t size)
{
	void *is = NULL;
	size_t has = 0;
	bool good = !cache_load(cache, &key, &is, &has) && has == size && !memcmp(is, bytes, size);

	free(is);
	return good;
}

static int load_code(void)
{
	void *is = NULL;
	size_t size;
	int rc = cache_load(cache, &key, &is, &size);

	free(is);
	return rc;
}

static void test_keys(void)
{
	struct plan_key same, machine, size, content;

	tap_eq(cache_key("edge", "model", 5, &key), 0, "a key");
	tap_ok(strlen(key.hex) == 64 && strspn(key.hex, "0123456789abcdef") == 64,
	       "which is a digest");
	cache_key("edge", "model", 5, &same);
	cache_key("edgy", "model", 5, &machine);
	cache_key("edge", "model", 4, &size);
	cache_key("edge", "mode1", 5, &content);
	tap_ok(!strcmp(key.hex, same.hex), "the same for the same");
	tap_ok(strcmp(key.hex, machine.hex) && strcmp(key.hex, size.hex) &&
		       strcmp(key.hex, content.hex),
	       "another one for another machine, size and content");
	cache_key("edgem", "odel", 4, &content);
	tap_ok(strcmp(key.hex, content.hex), "where the machine ends counts");
}

static void test_plans(void)
{
	struct stat st;

	tap_eq(load_code(), -ENOENT, "there is no cache");
	tap_eq(cache_store(cache, &key, plan, SIZE), 0, "it is made, and its parent");
	tap_ok(loads(plan, SIZE), "what was stored is there");
	tap_ok(!stat(path, &st) && !(st.st_mode & 077), "for nobody else");
	tap_eq(count_names(), 1, "and nothing beside it");
	tap_eq(cache_store(cache, &key, other, sizeof(other)), 0, "it is stored once more");
	tap_ok(loads(other, sizeof(other)), "and is what came last");
	tap_eq(count_names(), 1, "and nothing beside it");
	unlink(path);
	tap_eq(load_code(), -ENOENT, "what was removed is not there");
	cache_store(cache, &key, plan, 0);
	tap_ok(loads(plan, 0), "an empty plan");
}

static void change(long at, char to)
{
	FILE *f = fopen(path, "r+b");

	fseek(f, at, SEEK_SET);
	fputc(to, f);
	fclose(f);
}

static void test_damage(void)
{
	cache_store(cache, &key, plan, SIZE);
	change(0, 1);
	tap_eq(load_code(), -EBADMSG, "a digest that has changed");
	cache_store(cache, &key, plan, SIZE);
	change(SIZE + 31, 1);
	tap_eq(load_code(), -EBADMSG, "a last byte that has changed");
	cache_store(cache, &key, plan, SIZE);
	tap_ok(!truncate(path, SIZE) && load_code() == -EBADMSG, "an end that is missing");
	for (long size = 31; size >= 0; size -= 31)
		tap_ok(!truncate(path, size) && load_code() == -EBADMSG, "%ld bytes", size);
	tap_eq(cache_store(cache, &key, plan, SIZE), 0, "a good one takes its place");
	tap_ok(loads(plan, SIZE), "and is used");
}

/* Stores in a process that may write half of it: it is killed there, or is told. */
static int store_half(bool killed)
{
	const struct rlimit half = { SIZE / 2, SIZE / 2 }, none = { 0, 0 };
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		signal(SIGXFSZ, killed ? SIG_DFL : SIG_IGN);
		setrlimit(RLIMIT_CORE, &none);
		setrlimit(RLIMIT_FSIZE, &half);
		_exit(-cache_store(cache, &key, plan, SIZE));
	}
	waitpid(pid, &status, 0);
	return status;
}

static void test_half(void)
{
	int status;

	unlink(path);
	status = store_half(true);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ, "killed while it stores");
	tap_eq(count_names(), 0, "nothing is left behind");
	status = store_half(false);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == EFBIG, "a disk that is full is told");
	tap_eq(count_names(), 0, "and nothing is left behind");
	tap_eq(cache_store("/proc/none/cache", &key, plan, SIZE) < 0, 1, "where nothing can be");
}

int main(void)
{
	if (!mkdtemp(root) || cache_key("edge", "model", 5, &key))
		return EXIT_FAILURE;
	snprintf(cache, sizeof(cache), "%s/parent/cache", root);
	snprintf(path, sizeof(path), "%s/%s.plan", cache, key.hex);
	for (int i = 0; i < SIZE; i++)
		plan[i] = (char)(i * 7 + i / 251);
	test_keys();
	test_plans();
	test_damage();
	test_half();
	unlink(path);
	rmdir(cache);
	*strrchr(cache, '/') = 0;
	rmdir(cache);
	tap_eq(rmdir(root), 0, "all is gone");
	return tap_done();
}
