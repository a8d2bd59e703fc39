// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The executor agrees with the reference on every example program and on networks.
 */
#include <dirent.h>

#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "core/machine.h"
#include "tests/agree.h"
#include "tests/models.h"
#include "tests/tap.h"
#include "tests/unit/program_builder.h"
#include "tools/asm/asm.h"

static void example(struct agree *a, const char *name)
{
	struct compile_error err = { 0 };
	struct asm_errors errors;
	char path[300], why[AGREE_WHY_BYTES] = "it does not assemble";
	void *text = NULL, *bytes = NULL;
	size_t length = 0;
	u64 size = 0;
	bool good = false;

	snprintf(path, sizeof(path), "tests/programs/%s", name);
	if (!compile_read_file(path, &text, &length, &err)) {
		((char *)text)[length] = '\0';
		if (!asm_assemble(text, &bytes, &size, &errors))
			good = agree_program(a, bytes, size, NULL, 1, why);
	}
	if (!tap_ok(good, "%s: executor and reference agree", name))
		printf("# %s\n", why);
	free(text);
	free(bytes);
}

static void examples(struct agree *a)
{
	DIR *dir = opendir("tests/programs");
	struct dirent *file;
	u32 count = 0;

	while (dir && (file = readdir(dir))) {
		const char *dot = strrchr(file->d_name, '.');

		if (!dot || strcmp(dot, ".rasm"))
			continue;
		example(a, file->d_name);
		count++;
	}
	if (dir)
		closedir(dir);
	tap_ok(count >= 5, "%u example programs", count);
}

/* The program and the contents of slots in a file that this compiler wrote. */
static const void *parts_of(const struct compiled *c, u64 *size, struct agree_content *content)
{
	const struct rondo_file_header *header = (const void *)c->file;
	const struct rondo_section *s = (const void *)(header + 1);
	const void *program = NULL;
	u32 i;

	for (i = 0; i < header->sections; i++) {
		const u8 *at = c->file + s[i].offset;

		if (s[i].type == RONDO_SECTION_SLOT_DATA)
			content[s[i].index] = (struct agree_content){ at, s[i].size };
		if (s[i].type != RONDO_SECTION_PROGRAM)
			continue;
		program = at;
		*size = s[i].size;
	}
	return program;
}

static void network(struct agree *a, const char *path)
{
	struct agree_content content[RONDO_PROGRAM_SLOTS_MAX] = { 0 };
	struct compile_error err = { 0 };
	struct compiled c = { 0 };
	struct graph *g = NULL;
	char why[AGREE_WHY_BYTES] = "it does not compile";
	void *model = NULL;
	size_t length = 0;
	u64 size = 0;
	const void *program;
	bool good = false;

	if (!compile_read_file(path, &model, &length, &err) &&
	    !compile_graph_from_onnx(model, length, path, NULL, &g, &err) &&
	    !backend_compile(g, &a->machine, NULL, &c)) {
		program = parts_of(&c, &size, content);
		good = agree_program(a, program, size, content, 2, why);
	}
	if (!tap_ok(good, "%s: executor and reference agree", strrchr(path, '/') + 1))
		printf("# %s %s\n", why, err.text);
	compiled_free(&c);
	graph_free(g);
	free(model);
}

int main(void)
{
	struct rondo_machine edge;
	char path[512];
	struct agree a;

	rondo_machine_init(&edge, RONDO_MACHINE_edge);
	if (!tap_ok(agree_init(&a, &edge), "both executors are there"))
		return tap_done();
	examples(&a);
	network(&a, "demo/digits.onnx");
	if (models_present("onnx/mnist/model.onnx"))
		network(&a, models_path(path, sizeof(path), "onnx/mnist/model.onnx"));
	else
		tap_skip("a published network", "$RONDO_MODELS is not there");
	agree_fini(&a);
	return tap_done();
}
