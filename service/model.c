// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/model.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "compiler/rondo_compile.h"
#include "core/machine.h"
#include "service/cache.h"
#include "service/dtype.h"
#include "service/log.h"
#include "spec/program.h"
#include "tools/external.h"
#include "tools/file_kind.h"

/* A load under way. */
struct load {
	const struct model_loader *loader;
	const struct found_model *found;
	struct external_files files;
	bool asked; /* the model has more files than its own */
	char *reason;
};

__attribute__((format(printf, 2, 3))) static int fail(struct load *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->reason, REASON_MAX, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- Files --------------------------------------------------------------------------------- */

/* Reads the whole file that was found, unless somebody writes it meanwhile. */
static int read_found(struct load *l, const char *path, const struct file_identity *found,
		      void **bytes, size_t *size)
{
	struct file_identity before, after;
	struct compile_error err = { 0 };

	if (file_identify(path, &before) == -EINVAL)
		return fail(l, "%.300s: it is not a regular file", path);
	if (compile_read_file(path, bytes, size, &err))
		return fail(l, "%s", err.text);
	if (!file_identify(path, &after) && file_is_same(&before, &after) &&
	    file_is_same(&before, found))
		return 0;
	free(*bytes);
	return fail(l, "%.300s: it has changed while it was read", path);
}

static void log_cache(const struct load *l, const char *event, int rc)
{
	log_line(LOG_WARNING, event, { "model", l->found->name, 0 },
		 { "version", NULL, l->found->version }, { "directory", l->loader->cache, 0 },
		 { "error", strerror(-rc), 0 });
}

/* ---- Compilation --------------------------------------------------------------------------- */

static int external(void *context, const char *location, uint64_t offset, uint64_t size,
		    void *bytes)
{
	struct load *l = context;

	l->asked = true;
	return external_read(&l->files, location, offset, size, bytes);
}

static int cancelled(void *context)
{
	struct load *l = context;

	return atomic_load(l->loader->stop);
}

static void notice(void *context, const char *text)
{
	struct load *l = context;

	log_line(LOG_INFO, "model_notice", { "model", l->found->name, 0 },
		 { "version", NULL, l->found->version }, { "text", text, 0 });
}

static int compile(struct load *l, const void *model, size_t model_size, void **plan, size_t *size)
{
	const struct rondo_compile_options options = {
		.size = sizeof(options),
		.name = l->found->path,
		.machine = lanes_machine(l->loader->lanes),
		.context = l,
		.external = external,
		.cancelled = cancelled,
		.notice = notice,
	};
	struct rondo_compile_error err;
	struct rondo_compiled compiled;
	int rc;

	l->files = (struct external_files){ .model = l->found->path };
	rc = rondo_compile(model, model_size, &options, &compiled, &err);
	external_close(&l->files);
	if (rc)
		return fail(l, "%s", err.text);
	*plan = compiled.file;
	*size = compiled.size;
	return 0;
}

/* The plan of a model: from the cache, or compiled. */
static int make_plan(struct load *l, const void *model, size_t model_size, void **plan,
		     size_t *size)
{
	const char *cache = l->loader->cache;
	struct plan_key key;
	int rc = cache ? cache_key(lanes_machine(l->loader->lanes), model, model_size, &key) :
			 -ENOTSUP;
	bool cached = !rc;

	if (cached) {
		rc = cache_load(cache, &key, plan, size);
		if (!rc)
			return 0;
		if (rc != -ENOENT)
			log_cache(l, "cache_unreadable", rc);
	}
	if (compile(l, model, model_size, plan, size))
		return -1;
	if (!cached || l->asked)
		return 0;
	rc = cache_store(cache, &key, *plan, *size);
	if (rc)
		log_cache(l, "cache_unwritable", rc);
	return 0;
}

static int parse_plan(struct load *l, const void *bytes, size_t size, struct model *m)
{
	struct accel_error error = { 0 };

	if (accel_model_parse(bytes, size, &m->file, &error))
		return fail(l, "%.300s: %s", l->found->path, error.text);
	return 0;
}

static int read_plan(struct load *l, struct model *m)
{
	void *bytes, *plan;
	size_t size, plan_size;
	int rc;

	if (read_found(l, l->found->path, &l->found->identity.file, &bytes, &size))
		return -1;
	switch (file_kind(bytes, size)) {
	case FILE_RND:
		rc = parse_plan(l, bytes, size, m);
		break;
	case FILE_ONNX:
	case FILE_TFLITE:
		rc = make_plan(l, bytes, size, &plan, &plan_size);
		if (rc)
			break;
		rc = parse_plan(l, plan, plan_size, m);
		free(plan);
		break;
	default:
		rc = fail(l, "%.300s: it is %s, and no model", l->found->path,
			  file_kind_name(bytes, size));
	}
	free(bytes);
	return rc;
}

/* ---- What it takes and gives --------------------------------------------------------------- */

static int make_signature(struct load *l, struct model *m)
{
	u32 inputs = accel_model_tensor_count(m->file, ACCEL_INPUT);
	u32 outputs = accel_model_tensor_count(m->file, ACCEL_OUTPUT);
	struct accel_tensor *t = calloc(inputs + outputs + 1, sizeof(*t));

	m->tensors = t;
	if (!t)
		return fail(l, "no memory");
	m->signature = (struct signature){ { t, t + inputs }, { inputs, outputs } };
	for (u32 i = 0; i < inputs + outputs; i++) {
		if (i < inputs)
			accel_model_tensor(m->file, ACCEL_INPUT, i, &t[i]);
		else
			accel_model_tensor(m->file, ACCEL_OUTPUT, i - inputs, &t[i]);
		if (!dtype_bytes(t[i].dtype))
			return fail(l, "%.300s: the protocol has no type for tensor \"%.100s\"",
				    l->found->path, t[i].name);
	}
	return 0;
}

/* One line more of the labels. */
static int add_label(struct load *l, struct model *m, const char *line, size_t length)
{
	char **grown = m->labels;

	if (!(m->label_count & (m->label_count - 1))) {
		grown = reallocarray(m->labels, m->label_count ? 2 * m->label_count : 1,
				     sizeof(*grown));
		if (!grown)
			return fail(l, "no memory");
		m->labels = grown;
	}
	grown[m->label_count] = strndup(line, length - (length && line[length - 1] == '\r'));
	if (!grown[m->label_count])
		return fail(l, "no memory");
	m->label_count++;
	return 0;
}

enum { LABELS_BYTES_MAX = 16 << 20 };

/* The names of classes, if there are any. */
static int read_labels(struct load *l, struct model *m)
{
	static const struct file_identity none;
	const struct file_identity *found = &l->found->identity.labels;
	const char *path = l->found->labels, *end;
	void *bytes;
	size_t size;
	int rc = 0;

	if (file_is_same(found, &none))
		return 0;
	if (found->size > LABELS_BYTES_MAX)
		return fail(l, "%.300s: it is larger than %d bytes", path, LABELS_BYTES_MAX);
	if (read_found(l, path, found, &bytes, &size))
		return -1;
	end = (const char *)bytes + size;
	for (const char *at = bytes, *next; !rc && at < end; at = next + 1) {
		next = memchr(at, '\n', (size_t)(end - at));
		next = next ? next : end;
		rc = add_label(l, m, at, (size_t)(next - at));
	}
	free(bytes);
	return rc;
}

/* ---- On the devices ------------------------------------------------------------------------ */

static int make_pool(struct load *l, struct model *m, u32 lane)
{
	const struct accel_pool_options options = {
		.instances = l->loader->instances,
		.flags = ACCEL_POOL_TIMES,
	};
	struct accel_device *device = lanes_device(l->loader->lanes, lane);
	const struct rondo_program_header *header;
	struct accel_error error = { 0 };
	const char *machine;
	size_t size;
	int rc;

	header = accel_model_program(m->file, &size);
	machine = rondo_machine_name(rondo_machine_find(header->machine_hash));
	if (machine && strcmp(machine, lanes_machine(l->loader->lanes)) != 0)
		return fail(l, "%.300s: it is for the machine %s; %s is of %s", l->found->path,
			    machine, lanes_name(l->loader->lanes, lane),
			    lanes_machine(l->loader->lanes));
	m->on[lane] = device;
	rc = accel_pool_create(device, m->file, &options, &m->pool[lane], &error);
	if (rc)
		return fail(l, "%.300s: %s: %s", l->found->path, lanes_name(l->loader->lanes, lane),
			    error.text[0] ? error.text : strerror(-rc));
	m->cycles = accel_program_cycles(accel_pool_program(m->pool[lane]));
	return 0;
}

/* The first run. */
struct first_run {
	struct job job;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done;
};

static void first_run_done(struct job *job)
{
	struct first_run *f = (struct first_run *)job;

	pthread_mutex_lock(&f->lock);
	f->done = true;
	pthread_cond_signal(&f->ended);
	pthread_mutex_unlock(&f->lock);
}

/*
 * A run on zeros, behind all that waits: what is slow the first time is not when a client asks, and
 * a model that fails is not served.
 */
static int warm_up(struct load *l, struct model *m)
{
	struct first_run f = {
		.job = { .model = m, .waiting.priority = UINT32_MAX, .done = first_run_done },
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
	};
	struct refusal why;

	if (lanes_submit(l->loader->lanes, &f.job, &why))
		return fail(l, "%.300s: %s", l->found->path, why.text);
	pthread_mutex_lock(&f.lock);
	while (!f.done)
		pthread_cond_wait(&f.ended, &f.lock);
	pthread_mutex_unlock(&f.lock);
	return f.job.status ?
		       fail(l, "%.300s: its first run: %s", l->found->path, f.job.error.text) :
		       0;
}

struct model *model_load(const struct model_loader *loader, const struct found_model *found,
			 struct statistics *statistics, char reason[REASON_MAX])
{
	struct load l = { .loader = loader, .found = found, .reason = reason };
	struct model *m = calloc(1, sizeof(*m));
	int rc = m ? 0 : fail(&l, "no memory");

	if (rc)
		return NULL;
	atomic_init(&m->users, 1);
	snprintf(m->name, sizeof(m->name), "%s", found->name);
	m->version = found->version;
	m->statistics = statistics;
	rc = read_plan(&l, m);
	if (!rc)
		rc = make_signature(&l, m);
	if (!rc)
		rc = read_labels(&l, m);
	for (u32 i = 0; !rc && i < lanes_count(loader->lanes); i++)
		rc = lanes_works(loader->lanes, i) ? make_pool(&l, m, i) : 0;
	if (!rc)
		rc = warm_up(&l, m);
	if (!rc)
		return m;
	model_release(m);
	return NULL;
}

struct model *model_use(struct model *model)
{
	atomic_fetch_add(&model->users, 1);
	return model;
}

void model_release(struct model *model)
{
	if (!model || atomic_fetch_sub(&model->users, 1) != 1)
		return;
	for (u32 i = 0; i < LANES_MAX; i++)
		accel_pool_destroy(model->pool[i]);
	accel_model_destroy(model->file);
	for (u32 i = 0; i < model->label_count; i++)
		free(model->labels[i]);
	free(model->labels);
	free(model->tensors);
	free(model);
}
