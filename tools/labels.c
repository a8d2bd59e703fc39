// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static int add_label(struct labels *labels, const char *line, struct compile_error *err)
{
	char **grown = realloc(labels->at, (labels->count + 1) * sizeof(*grown));
	char *label = strdup(line);

	if (grown)
		labels->at = grown;
	if (!grown || !label) {
		free(label);
		return compile_fail(err, -ENOMEM, "no memory");
	}
	grown[labels->count++] = label;
	return 0;
}

static int add_lines(struct labels *labels, char *line, struct compile_error *err)
{
	char *next;
	int rc = 0;

	for (; !rc && *line; line = next) {
		next = line + strcspn(line, "\r\n");
		next += !strncmp(next, "\r\n", 2) ? 2 : *next != '\0';
		line[strcspn(line, "\r\n")] = '\0';
		rc = add_label(labels, line, err);
	}
	return rc;
}

int labels_read(const char *path, struct labels *labels, struct compile_error *err)
{
	size_t size, mark = strlen(BYTE_ORDER_MARK);
	void *bytes;
	char *text;
	int rc;

	*labels = (struct labels){};
	if (compile_read_file(path, &bytes, &size, err))
		return err->code;
	text = bytes;
	text[size] = '\0'; /* it has room */
	if (strlen(text) != size)
		rc = compile_fail(err, -EINVAL, "it is not text: it has a zero byte");
	else
		rc = add_lines(labels, text + (strncmp(text, BYTE_ORDER_MARK, mark) ? 0 : mark),
			       err);
	free(bytes);
	if (rc) {
		compile_error_prefix(err, path);
		labels_free(labels);
	}
	return rc;
}

void labels_free(struct labels *labels)
{
	for (u32 i = 0; i < labels->count; i++)
		free(labels->at[i]);
	free(labels->at);
	*labels = (struct labels){};
}
