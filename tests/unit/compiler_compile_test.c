// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Reading a whole file: what is there, nothing else, and an error for what is no file. Messages
 * hold no control characters.
 */
#include "compiler/compiler.h"
#include "tests/tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void refused(const char *path, int code, const char *why)
{
	struct compile_error err = { 0 };
	void *bytes = (void *)8;
	size_t size = 7;
	int rc = compile_read_file(path, &bytes, &size, &err);

	if (!tap_ok(rc == code && err.code == code && !bytes &&
			    strstr(err.text, path) == err.text && strstr(err.text, why),
		    "refused: %s", why))
		printf("# %d, %s\n", rc, err.text);
}

static void read_as(const char *path, const char *want, size_t length)
{
	struct compile_error err = { 0 };
	void *bytes;
	size_t size;
	int rc = compile_read_file(path, &bytes, &size, &err);

	tap_ok(!rc && !err.code && size == length && !memcmp(bytes, want, length),
	       "a file of %zu bytes", length);
	if (!rc)
		((char *)bytes)[size] = 0; /* there is room for it */
	free(bytes);
}

static void test_printable(void)
{
	struct compile_error err = { 0 };

	compile_fail(&err, -EINVAL, "a\x1b[0m\nb\x7f \xc3\xa4~");
	compile_error_prefix(&err, "c\t");
	tap_ok(!strcmp(err.text, "c?: a?[0m?b? \xc3\xa4~"), "control characters are replaced: %s",
	       err.text);
}

int main(void)
{
	char directory[] = "/tmp/compile_test_XXXXXX", path[64];
	FILE *f;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/file", directory);
	refused(path, -ENOENT, "No such file");
	refused(directory, -EISDIR, "Is a directory");
	refused("/dev/null", -EINVAL, "not a regular file");
	if (mkfifo(path, 0600))
		return 1;
	refused(path, -EINVAL, "not a regular file"); /* nor waited for */
	unlink(path);
	f = fopen(path, "w");
	if (!f)
		return 1;
	fflush(f);
	read_as(path, "", 0);
	fwrite("a\0b", 1, 3, f);
	fclose(f);
	read_as(path, "a\0b", 3);
	close(0); /* so that the file gets the smallest number there is */
	read_as(path, "a\0b", 3);
	if (!truncate(path, (INT64_C(1) << 31) + 1))
		refused(path, -EFBIG, "larger than 2 GiB");
	unlink(path);
	rmdir(directory);
	test_printable();
	return tap_done();
}
