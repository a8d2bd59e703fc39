// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/cdi.h"

#include <stdbool.h>
#include <string.h>

#include "tools/json.h"

/*
 * The version is the first one that was released: all that is said here is in it, and engines
 * refuse versions that they do not know.
 */
static const char head[] = "{\n"
			   "  \"cdiVersion\": \"0.3.0\",\n"
			   "  \"kind\": \"rondo/accel\",\n"
			   "  \"devices\": [";

static bool is_node(const struct accel_device_entry *entry)
{
	return !strcmp(entry->backend, "drm");
}

static void print_node(FILE *out, const char *path)
{
	fputs("{\"path\": ", out);
	json_string(out, path);
	fputs(", \"permissions\": \"rw\"}", out);
}

static void begin_device(FILE *out, const char *name)
{
	fputs("\n    {\"name\": ", out);
	json_string(out, name);
	fputs(", \"containerEdits\": {\"deviceNodes\": [", out);
}

u32 cdi_print(FILE *out, const struct accel_device_entry *entries, u32 count)
{
	u32 nodes = 0, i;

	for (i = 0; i < count; i++) {
		if (!is_node(&entries[i]))
			continue;
		fputs(nodes++ ? "" : head, out);
		begin_device(out, strrchr(entries[i].name, '/') + 1);
		print_node(out, entries[i].name);
		fputs("]}},", out);
	}
	if (!nodes)
		return 0;
	begin_device(out, "all");
	for (i = 0, nodes = 0; i < count; i++) {
		if (!is_node(&entries[i]))
			continue;
		fputs(nodes++ ? ", " : "", out);
		print_node(out, entries[i].name);
	}
	fputs("]}}\n  ]\n}\n", out);
	return nodes;
}
