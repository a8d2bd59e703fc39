// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "service/registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "service/clock.h"
#include "service/log.h"

/* A version that is, or was, in the folder. It stays, for its statistics. */
struct entry {
	struct entry *next;
	char name[MODEL_NAME_MAX + 1];
	u32 version;
	struct statistics statistics;

	/* The thread's. */
	struct model_identity identity; /* of what was loaded, or could not be */
	bool tried, seen, unwanted;

	/* Under the registry's lock. */
	enum model_state state;
	char reason[REASON_MAX];
	struct model *model; /* or NULL */
};

struct registry {
	struct registry_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct entry *entries;
	struct registry_order *orders, **last;
	bool ready;
	atomic_bool stop;
	struct registry_order first;
};

/* ---- Entries ------------------------------------------------------------------------------- */

/* The entry of @found; a new one if there is none. NULL: no memory. */
static struct entry *entry_of(struct registry *r, const struct found_model *found)
{
	struct entry **at = &r->entries, *e;
	int order;

	for (; (e = *at); at = &e->next) {
		order = strcmp(e->name, found->name);
		if (!order && e->version == found->version)
			return e;
		if (order > 0 || (!order && e->version > found->version))
			break;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(e->name, found->name, sizeof(e->name));
	e->version = found->version;
	e->state = MODEL_UNAVAILABLE;
	pthread_mutex_lock(&r->lock);
	e->next = *at;
	*at = e;
	pthread_mutex_unlock(&r->lock);
	return e;
}

static void set_state(struct registry *r, struct entry *e, enum model_state state,
		      const char *reason)
{
	pthread_mutex_lock(&r->lock);
	e->state = state;
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
	pthread_mutex_unlock(&r->lock);
}

/* Puts @model, or NULL, in the place of what is served. */
static void swap(struct registry *r, struct entry *e, struct model *model, const char *reason)
{
	struct model *old;

	pthread_mutex_lock(&r->lock);
	old = e->model;
	e->model = model;
	e->state = model ? MODEL_IS_READY : MODEL_UNAVAILABLE;
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
	pthread_mutex_unlock(&r->lock);
	model_release(old);
}

/* ---- Loading ------------------------------------------------------------------------------- */

static void load(struct registry *r, struct entry *e, const struct found_model *found)
{
	char reason[REASON_MAX] = "";
	s64 start = clock_now();
	struct model *model;

	if (!e->model)
		set_state(r, e, MODEL_LOADING, "");
	model = model_load(&r->options.loader, found, &e->statistics, reason);
	e->identity = found->identity;
	e->tried = true;
	if (model) {
		log_line(LOG_INFO, "model_ready", { "model", e->name, 0 },
			 { "version", NULL, e->version }, { "file", found->path, 0 },
			 { "cycles", NULL, model->cycles },
			 { "ms", NULL, (u64)(clock_now() - start) / 1000000 });
		swap(r, e, model, "");
		return;
	}
	log_line(LOG_ERROR, "model_failed", { "model", e->name, 0 },
		 { "version", NULL, e->version }, { "error", reason, 0 });
	/* What was served before goes on. */
	set_state(r, e, e->model ? MODEL_IS_READY : MODEL_UNAVAILABLE, reason);
}

static void unload(struct registry *r, struct entry *e, const char *reason)
{
	e->tried = false;
	if (!e->model) {
		set_state(r, e, MODEL_UNAVAILABLE, reason);
		return;
	}
	swap(r, e, NULL, reason);
	log_line(LOG_INFO, "model_unloaded", { "model", e->name, 0 },
		 { "version", NULL, e->version }, { "reason", reason, 0 });
}

/* Takes what a scan has found; two files that would be one version are none. */
static void take_found(struct registry *r, const struct found_models *found, size_t i, bool by_name)
{
	const struct found_model *f = &found->model[i];
	struct entry *e = entry_of(r, f);
	char reason[REASON_MAX];

	if (!e || atomic_load(&r->stop))
		return;
	e->unwanted = e->unwanted && !by_name;
	if (e->seen) {
		snprintf(reason, sizeof(reason), "%.400s and %.400s are the same version",
			 found->model[i - 1].path, f->path);
		log_line(LOG_WARNING, "model_twice", { "model", e->name, 0 },
			 { "version", NULL, e->version }, { "error", reason, 0 });
		return;
	}
	e->seen = true;
	if (e->unwanted ||
	    (e->tried && model_is_same(&e->identity, &f->identity) && (e->model || !by_name)))
		return;
	load(r, e, f);
}

/* Looks at the folder, for the model @name only if that is not NULL. 0, or a negative errno. */
static int look(struct registry *r, const char *name)
{
	struct found_models found;
	int rc = repository_scan(r->options.directory, name, &found);

	if (rc) {
		log_line(LOG_ERROR, "repository_unreadable",
			 { "directory", r->options.directory, 0 }, { "error", strerror(-rc), 0 });
		return rc;
	}
	for (struct entry *e = r->entries; e; e = e->next)
		e->seen = false;
	for (size_t i = 0; i < found.count; i++)
		take_found(r, &found, i, name);
	for (struct entry *e = r->entries; e; e = e->next)
		if (!e->seen && (e->model || e->tried) && (!name || !strcmp(e->name, name)))
			unload(r, e, "its file is gone");
	repository_free(&found);
	return 0;
}

/* ---- Devices that were lost ---------------------------------------------------------------- */

static void set_ready(struct registry *r, bool ready)
{
	pthread_mutex_lock(&r->lock);
	r->ready = ready;
	pthread_mutex_unlock(&r->lock);
}

/* Waits a second, or until all is to end. */
static void pause_a_second(struct registry *r)
{
	s64 until = clock_now() + CLOCK_SECOND;

	pthread_mutex_lock(&r->lock);
	while (!atomic_load(&r->stop) && clock_wait(&r->wake, &r->lock, until))
		;
	pthread_mutex_unlock(&r->lock);
}

/* Programs and weights have gone with a device: all models are loaded again, when one is there. */
static void reopen(struct registry *r)
{
	set_ready(r, false);
	for (struct entry *e = r->entries; e; e = e->next)
		if (e->model)
			unload(r, e, "a device is gone");
	while (!lanes_reopen(r->options.loader.lanes) && !atomic_load(&r->stop))
		pause_a_second(r);
	look(r, NULL);
	set_ready(r, true);
	log_line(LOG_INFO, "devices_back");
}

/* ---- Orders -------------------------------------------------------------------------------- */

static int load_by_name(struct registry *r, const char *name, struct refusal *why)
{
	bool known = false;
	int rc = look(r, name);

	if (rc)
		return refuse(why, 503, "%.200s: %s", r->options.directory, strerror(-rc));
	for (struct entry *e = r->entries; e; e = e->next) {
		if (strcmp(e->name, name) != 0 || !e->seen)
			continue;
		known = true;
		if (e->reason[0])
			return refuse(why, 400, "model \"%s\", version %u: %.400s", name,
				      e->version, e->reason);
	}
	return known ? 0 :
		       refuse(why, 404, "model \"%s\": the repository has none of this name", name);
}

static int unload_by_name(struct registry *r, const char *name, struct refusal *why)
{
	bool known = false;

	for (struct entry *e = r->entries; e; e = e->next) {
		if (strcmp(e->name, name) != 0)
			continue;
		known = true;
		e->unwanted = true;
		unload(r, e, "it was unloaded on request");
	}
	return known ? 0 : refuse(why, 404, "model \"%s\": there is none of this name", name);
}

static void carry_out(struct registry *r, struct registry_order *o)
{
	int rc = 0;

	if (atomic_load(&r->stop))
		rc = refuse(&o->why, 503, "the server is stopping");
	else if (o->action == REGISTRY_LOAD)
		rc = load_by_name(r, o->name, &o->why);
	else if (o->action == REGISTRY_UNLOAD)
		rc = unload_by_name(r, o->name, &o->why);
	else if (o->action == REGISTRY_REOPEN)
		reopen(r);
	else
		look(r, NULL);
	o->failed = rc != 0;
	o->done(o);
}

static void *run_registry(void *argument)
{
	struct registry *r = argument;
	struct registry_order *o;

	pthread_mutex_lock(&r->lock);
	while (r->orders || !atomic_load(&r->stop)) {
		o = r->orders;
		if (!o) {
			pthread_cond_wait(&r->wake, &r->lock);
			continue;
		}
		r->orders = o->next;
		if (!r->orders)
			r->last = &r->orders;
		pthread_mutex_unlock(&r->lock);
		carry_out(r, o);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

void registry_order(struct registry *r, struct registry_order *order)
{
	bool late;

	pthread_mutex_lock(&r->lock);
	late = atomic_load(&r->stop);
	if (!late) {
		order->next = NULL;
		*r->last = order;
		r->last = &order->next;
		pthread_cond_signal(&r->wake);
	}
	pthread_mutex_unlock(&r->lock);
	if (late)
		carry_out(r, order);
}

/* ---- Making -------------------------------------------------------------------------------- */

static void first_done(struct registry_order *order)
{
	struct registry *r = (struct registry *)((char *)order - offsetof(struct registry, first));

	set_ready(r, true);
	r->options.loaded(r->options.context);
}

struct registry *registry_create(const struct registry_options *options)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
	struct registry *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->options = *options;
	r->options.loader.stop = &r->stop;
	r->lock = lock;
	r->wake = wake;
	r->last = &r->orders;
	r->first = (struct registry_order){ .action = REGISTRY_RELOAD, .done = first_done };
	registry_order(r, &r->first);
	if (!pthread_create(&r->thread, NULL, run_registry, r))
		return r;
	free(r);
	return NULL;
}

void registry_stop(struct registry *r)
{
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->stop, true);
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
}

void registry_destroy(struct registry *r)
{
	struct entry *next;

	for (struct entry *e = r->entries; e; e = next) {
		next = e->next;
		model_release(e->model);
		free(e);
	}
	free(r);
}

/* ---- Looking ------------------------------------------------------------------------------- */

bool registry_ready(struct registry *r)
{
	bool ready;

	pthread_mutex_lock(&r->lock);
	ready = r->ready;
	pthread_mutex_unlock(&r->lock);
	return ready;
}

/* Why @e is not served. */
static int refuse_entry(const struct entry *e, struct refusal *why)
{
	if (e->state == MODEL_LOADING)
		return refuse(why, 503, "model \"%s\", version %u: it is being loaded", e->name,
			      e->version);
	return refuse(why, 503, "model \"%s\", version %u: %.400s", e->name, e->version, e->reason);
}

struct model *registry_find(struct registry *r, const char *name, u32 version, struct refusal *why)
{
	const struct entry *known = NULL, *best = NULL;
	struct model *model = NULL;

	pthread_mutex_lock(&r->lock);
	for (struct entry *e = r->entries; e; e = e->next) {
		if (strcmp(e->name, name) != 0 || (version && e->version != version))
			continue;
		known = e;
		if (e->model)
			best = e;
	}
	if (best)
		model = model_use(best->model);
	else if (known)
		refuse_entry(known, why);
	else if (version)
		refuse(why, 404, "model \"%s\": there is no version %u", name, version);
	else
		refuse(why, 404, "model \"%s\": there is none of this name", name);
	pthread_mutex_unlock(&r->lock);
	return model;
}

void registry_each(struct registry *r, void (*each)(void *context, const struct model_row *row),
		   void *context)
{
	pthread_mutex_lock(&r->lock);
	for (struct entry *e = r->entries; e; e = e->next) {
		struct model_row row = { e->name, e->version, e->state, e->reason, &e->statistics };

		each(context, &row);
	}
	pthread_mutex_unlock(&r->lock);
}
