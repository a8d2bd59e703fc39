// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/repository.h"
#include "tests/tap.h"

static char root[] = "/tmp/rondo-repository-XXXXXX";

/* A file below the folder, with what stands before it. */
static void make(const char *name)
{
	char path[sizeof(root) + 512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *at = path + sizeof(root); (at = strchr(at, '/')); *at++ = '/') {
		*at = 0;
		mkdir(path, 0700);
	}
	f = fopen(path, "w");
	if (f)
		fclose(f);
}

/* "NAME VERSION FILE" of each model that is found, a line each. */
static char *found(const char *name)
{
	struct found_models f;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc = repository_scan(root, name, &f);

	if (rc)
		fprintf(out, "error %d\n", rc);
	for (size_t i = 0; i < f.count && !rc; i++)
		fprintf(out, "%s %u %s %s\n", f.model[i].name, f.model[i].version,
			f.model[i].path + sizeof(root), f.model[i].labels + sizeof(root));
	fclose(out);
	repository_free(&f);
	return text;
}

static void is(const char *what, const char *name, const char *wanted)
{
	char *text = found(name);

	if (!tap_ok(!strcmp(text, wanted), "%s", what))
		printf("# %s\n", text);
	free(text);
}

static void test_scan(void)
{
	static const char *const files[] = { "b/10/model.onnx", "b/2/model.tflite", "b/2/model.rnd",
					     "a.onnx", "a.rnd", "a/1/model.rnd", "c.d-e_f.tflite",
					     /* What is none. */
					     ".hidden.onnx", "b/.3/model.onnx", "b/03/model.onnx",
					     "b/0/model.onnx", "b/-1/model.onnx",
					     "b/4294967296/model.onnx", "b/4/other.onnx",
					     "b/5/model.txt", "b/6/model.onnx.bak",
					     "b/x/model.onnx", "model.txt", "w r o n g.onnx",
					     ".onnx", "deep/1/2/model.onnx", "b/labels.txt" };

	is("an empty folder", NULL, "");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make(files[i]);
	is("by name, then by version as a number, and twice what is there twice", NULL,
	   "a 1 a.onnx a.txt\n"
	   "a 1 a.rnd a.txt\n"
	   "a 1 a/1/model.rnd a/1/labels.txt\n"
	   "b 2 b/2/model.rnd b/2/labels.txt\n"
	   "b 2 b/2/model.tflite b/2/labels.txt\n"
	   "b 10 b/10/model.onnx b/10/labels.txt\n"
	   "c.d-e_f 1 c.d-e_f.tflite c.d-e_f.txt\n");
	is("one of a name", "b",
	   "b 2 b/2/model.rnd b/2/labels.txt\n"
	   "b 2 b/2/model.tflite b/2/labels.txt\n"
	   "b 10 b/10/model.onnx b/10/labels.txt\n");
	is("none of a name", "nobody", "");
	is("the beginning of a name is none", "c", "");
}

static void test_names(void)
{
	char path[512], name[200];

	memset(name, 'n', sizeof(name));
	for (int length = MODEL_NAME_MAX; length <= MODEL_NAME_MAX + 1; length++) {
		snprintf(path, sizeof(path), "%.*s.rnd", length, name);
		make(path);
		snprintf(path, sizeof(path), "%.*s.d/1/model.rnd", length, name);
		make(path);
	}
	name[MODEL_NAME_MAX] = 0;
	snprintf(path, sizeof(path), "%.128s 1 %.128s.rnd %.128s.txt\n", name, name, name);
	is("a name as long as it may be, and none that is longer", name, path);
}

static void test_identity(void)
{
	struct found_models before, after;
	struct file_identity id;
	char path[512];

	repository_scan(root, "b", &before);
	repository_scan(root, "b", &after);
	tap_ok(model_is_same(&before.model[0].identity, &after.model[0].identity),
	       "what nobody touches is the same");
	repository_free(&after);
	make("b/2/labels.txt");
	repository_scan(root, "b", &after);
	tap_ok(!model_is_same(&before.model[0].identity, &after.model[0].identity),
	       "labels that come make another one");
	tap_ok(model_is_same(&before.model[2].identity, &after.model[2].identity),
	       "of that version alone");
	repository_free(&before);
	snprintf(path, sizeof(path), "%s/b/2/model.rnd", root);
	unlink(path);
	repository_scan(root, "b", &before);
	tap_eq(before.count, 2, "what is removed is not found");
	repository_free(&before);
	make("b/2/model.rnd");
	repository_scan(root, "b", &before);
	tap_ok(!file_is_same(&before.model[0].identity.file, &after.model[0].identity.file),
	       "one in its place is another one");
	repository_free(&before);
	repository_free(&after);
	tap_eq(file_identify(root, &id), -EINVAL, "a folder is no regular file");
	tap_eq(file_identify("/nowhere/at/all", &id), -ENOENT, "what is not there");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

int main(void)
{
	if (!mkdtemp(root))
		return EXIT_FAILURE;
	test_scan();
	test_names();
	test_identity();
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	is("a folder that is not there is told", NULL, "error -2\n");
	return tap_done();
}
