// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Runs a fuzz target once on every file of the directories given, as TAP: a crash, a sanitizer's
 * report or an abort in the target ends the program and so fails the test. Directories that do
 * not exist are passed over; no file at all is a failure.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The bytes of a file, exactly as many as it has, so that one read too far is seen. */
static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long end;

	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END) && (end = ftell(f)) >= 0 && !fseek(f, 0, SEEK_SET)) {
		*size = end;
		bytes = malloc(*size ? *size : 1);
		if (bytes && fread(bytes, 1, *size, f) != *size) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(f);
	return bytes;
}

static void replay(const char *path)
{
	size_t size;
	uint8_t *bytes = read_file(path, &size);

	if (!bytes) {
		tap_ok(false, "%s can be read", path);
		return;
	}
	LLVMFuzzerTestOneInput(bytes, size);
	tap_ok(true, "%s", path);
	free(bytes);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct dirent **entries;
		int n = scandir(argv[i], &entries, NULL, alphasort);

		for (int k = 0; k < n; k++) {
			char path[4096];

			snprintf(path, sizeof(path), "%s/%s", argv[i], entries[k]->d_name);
			if (entries[k]->d_name[0] != '.')
				replay(path);
			free(entries[k]);
		}
		if (n >= 0)
			free(entries);
	}
	if (!tap_count)
		tap_ok(false, "there is a corpus");
	return tap_done();
}
