/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef TESTS_READ_FILE_H
#define TESTS_READ_FILE_H

#include <stdio.h>

/* The whole text of a file, for free(); NULL if there is none. */
static inline char *read_file(const char *path)
{
	FILE *file = fopen(path, "r"), *copy;
	char *text = NULL;
	size_t size = 0;
	int c;

	if (!file)
		return NULL;
	copy = open_memstream(&text, &size);
	while ((c = fgetc(file)) != EOF)
		fputc(c, copy);
	fclose(copy);
	fclose(file);
	return text;
}

#endif
