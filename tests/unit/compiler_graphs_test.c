/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The corpus of small graphs, tests/graphs/NAME.graph: each through the whole compiler and compared
 * with the interpreter, as tests/graph_case.h says. A new file is picked up by itself. With
 * arguments: those files.
 */
#include "compiler/compiler.h"
#include "tests/graph_case.h"
#include "tests/tap.h"

#include <dirent.h>

static int fitted; /* runs in less SRAM */

#define DIRECTORY "tests/graphs"

/* SRAM in which all but the smallest do not fit as they are. */
static const unsigned int sram[] = { 96 << 10, 24 << 10, 6 << 10 };

static void test_in(const char *text, const char *name, unsigned int bytes, bool rolled)
{
	char why[GRAPH_CASE_WHY];
	bool too_large;

	if (!tap_ok(graph_case_run_in(text, name, bytes, rolled, &too_large, why),
		    "%s in %u bytes%s", name, bytes, rolled ? ", tiles as loops" : ""))
		printf("# %s\n", why);
	fitted += !too_large;
}

/*
 * In one of the two smaller ones tiles are loops, of every second file in the other one. A case
 * that names its own SRAM is made for tiles, and large: half of that is enough.
 */
static void test_tiles(const char *text, const char *name)
{
	static size_t files;
	size_t rolled = 1 + files++ % 2;
	unsigned int own = graph_case_sram(text);

	if (own) {
		test_in(text, name, own / 2, true);
		return;
	}
	for (size_t i = 0; i < sizeof(sram) / sizeof(*sram); i++)
		test_in(text, name, sram[i], i == rolled);
}

static void test_file(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct compile_error err = { 0 };
	char why[GRAPH_CASE_WHY];
	void *bytes;
	size_t size;

	if (compile_read_file(path, &bytes, &size, &err)) {
		tap_ok(false, "%s", err.text);
		return;
	}
	((char *)bytes)[size] = 0; /* compile_read_file() leaves room for it */
	if (!tap_ok(graph_case_run(bytes, name, why), "%s", name))
		printf("# %s\n", why);
	test_tiles(bytes, name);
	free(bytes);
}

static int is_graph(const struct dirent *entry)
{
	const char *ending = strrchr(entry->d_name, '.');

	return ending && !strcmp(ending, ".graph");
}

int main(int argc, char **argv)
{
	struct dirent **names = NULL;
	char path[512];
	int n;

	for (int i = 1; i < argc; i++)
		test_file(argv[i]);
	if (argc > 1)
		return tap_done();
	n = scandir(DIRECTORY, &names, is_graph, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), DIRECTORY "/%s", names[i]->d_name);
		test_file(path);
		free(names[i]);
	}
	free(names);
	tap_ok(n > 0 && fitted >= n, "there are graphs in " DIRECTORY ", %d in less SRAM", fitted);
	return tap_done();
}
