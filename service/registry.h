/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Which models there are. One thread loads and unloads, in the order in which it is asked; requests
 * go on meanwhile. A version that is replaced or unloaded is given up when the last request that
 * uses it has ended.
 */
#ifndef SERVICE_REGISTRY_H
#define SERVICE_REGISTRY_H

#include <stdio.h>

#include "service/model.h"

struct registry;

struct registry_options {
	const char *directory;
	struct model_loader loader; /* without its stop */
	void (*loaded)(
		void *context); /* called when all models were looked at for the first time */
	void *context;
};

/* Begins to load all models. NULL: no memory, or no threads. */
struct registry *registry_create(const struct registry_options *options);

/* Ends what is under way, with failure. Nothing is loaded from now on. */
void registry_stop(struct registry *registry);
void registry_destroy(struct registry *registry);

enum registry_action {
	REGISTRY_LOAD, /* the model, again if it has changed */
	REGISTRY_UNLOAD, /* the model, and it stays so until it is loaded by name */
	REGISTRY_RELOAD, /* what has changed in the folder */
	REGISTRY_REOPEN, /* all models, on devices of which one was lost */
};

/* Asks for something to be done. */
struct registry_order {
	struct registry_order *next;
	enum registry_action action;
	char name[MODEL_NAME_MAX + 1];
	void (*done)(struct registry_order *order); /* called once, by the registry's thread */
	bool failed;
	struct refusal why;
};

/* @order is the caller's again when it is done. */
void registry_order(struct registry *registry, struct registry_order *order);

/* Whether all models have been looked at, once or since a device was lost. */
bool registry_ready(struct registry *registry);

/*
 * The model @name, of version @version or if that is 0 the highest one that is ready. For
 * model_release(); NULL, and why: 404 or 503.
 */
struct model *registry_find(struct registry *registry, const char *name, u32 version,
			    struct refusal *why);

enum model_state { MODEL_LOADING, MODEL_IS_READY, MODEL_UNAVAILABLE };

/* What is known of a version. */
struct model_row {
	const char *name;
	u32 version;
	enum model_state state;
	const char *reason; /* empty: there is none to tell */
	struct statistics *statistics;
};

/* Calls @each for each version, by name, then by version, under the registry's lock. */
void registry_each(struct registry *registry,
		   void (*each)(void *context, const struct model_row *row), void *context);

#endif
