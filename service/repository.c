// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/repository.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a scan is to find, and has found. */
struct scan {
	const char *directory, *only;
	struct found_models *found;
};

static const char *const endings[] = { ".onnx", ".tflite", ".rnd" };

static s64 nanoseconds(const struct timespec *t)
{
	return (s64)t->tv_sec * 1000000000 + t->tv_nsec;
}

int file_identify(const char *path, struct file_identity *identity)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	*identity = (struct file_identity){ st.st_dev, st.st_ino, (u64)st.st_size,
					    nanoseconds(&st.st_mtim), nanoseconds(&st.st_ctim) };
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

bool file_is_same(const struct file_identity *a, const struct file_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

bool model_is_same(const struct model_identity *a, const struct model_identity *b)
{
	return file_is_same(&a->file, &b->file) && file_is_same(&a->labels, &b->labels);
}

/* The length of @name without an ending of a model; 0: it has none, or nothing before it. */
static size_t stem(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t end = strlen(endings[i]);

		if (length > end && !strcmp(name + length - end, endings[i]))
			return length - end;
	}
	return 0;
}

/* One more, whose texts it owns from now on; they are NULL where there was no memory. */
static int add(struct scan *s, const char *name, u32 version, char *path, char *labels)
{
	struct found_models *f = s->found;
	struct found_model *grown = reallocarray(f->model, f->count + 1, sizeof(*grown));
	struct found_model *m;

	if (grown)
		f->model = grown;
	if (!grown || !path || !labels) {
		free(path);
		free(labels);
		return -ENOMEM;
	}
	m = &f->model[f->count];
	*m = (struct found_model){ .version = version, .path = path, .labels = labels };
	snprintf(m->name, sizeof(m->name), "%s", name);
	file_identify(labels, &m->identity.labels);
	/* What is no regular file is found all the same: whoever reads it says so. */
	if (file_identify(path, &m->identity.file) != -ENOENT) {
		f->count++;
		return 0;
	}
	free(path); /* it has just gone */
	free(labels);
	return 0;
}

__attribute__((format(printf, 1, 2))) static char *text(const char *fmt, ...)
{
	char *result;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&result, fmt, ap) < 0)
		result = NULL;
	va_end(ap);
	return result;
}

/* Calls @each for every name in the directory @path, if it is one. */
static int each_name(struct scan *s, const char *path, const char *model,
		     int (*each)(struct scan *s, const char *path, const char *model,
				 const char *name))
{
	DIR *directory = path ? opendir(path) : NULL;
	struct dirent *entry;
	int rc = 0;

	if (!path)
		return -ENOMEM;
	/* What cannot be told, as without descriptors, is not that there is nothing. */
	if (!directory)
		return errno == ENOTDIR || errno == ENOENT || errno == EACCES ? 0 : -errno;
	while (errno = 0, !rc && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			rc = each(s, path, model, entry->d_name);
	rc = rc ? rc : -errno;
	closedir(directory);
	return rc;
}

/* @path is NAME/VERSION. */
static int take_file(struct scan *s, const char *path, const char *model, const char *name)
{
	size_t length = stem(name);

	if (length != 5 || memcmp(name, "model", 5) != 0)
		return 0;
	return add(s, model, model_version_parse(strrchr(path, '/') + 1), text("%s/%s", path, name),
		   text("%s/labels.txt", path));
}

/* @path is NAME. */
static int take_version(struct scan *s, const char *path, const char *model, const char *name)
{
	char *inner = text("%s/%s", path, name);
	int rc = 0;

	if (!inner || model_version_parse(name))
		rc = each_name(s, inner, model, take_file);
	free(inner);
	return rc;
}

static int take_name(struct scan *s, const char *path, const char *model, const char *name)
{
	size_t length = stem(name);
	char *inner = text("%s/%s", path, name), plain[MODEL_NAME_MAX + 1];
	int rc = inner ? 0 : -ENOMEM;

	(void)model;
	if (length && length <= MODEL_NAME_MAX) {
		memcpy(plain, name, length);
		plain[length] = 0;
		if (!rc && model_name_valid(plain) && (!s->only || !strcmp(s->only, plain)))
			rc = add(s, plain, 1, strdup(inner), text("%s/%s.txt", path, plain));
	}
	if (!rc && model_name_valid(name) && (!s->only || !strcmp(s->only, name)))
		rc = each_name(s, inner, name, take_version);
	free(inner);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct found_model *x = a, *y = b;
	int names = strcmp(x->name, y->name);

	if (names || x->version == y->version)
		return names ? names : strcmp(x->path, y->path);
	return x->version < y->version ? -1 : 1;
}

int repository_scan(const char *directory, const char *name, struct found_models *found)
{
	struct scan s = { directory, name, found };
	DIR *there = opendir(directory);
	int rc;

	*found = (struct found_models){ 0 };
	if (!there)
		return -errno;
	closedir(there);
	rc = each_name(&s, directory, NULL, take_name);
	if (rc)
		repository_free(found);
	else if (found->count)
		qsort(found->model, found->count, sizeof(*found->model), by_name);
	return rc;
}

void repository_free(struct found_models *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->model[i].path);
		free(found->model[i].labels);
	}
	free(found->model);
	*found = (struct found_models){ 0 };
}
