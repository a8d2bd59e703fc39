/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Plans that were compiled before: files KEY.plan in one directory, each of which is whole or not
 * there. A key stands for all that a plan depends on: the compiler, byte for byte, the machine, and
 * the model's content. What a model has in files beside its own is not in the key, so that such a
 * plan must not be stored.
 */
#ifndef SERVICE_CACHE_H
#define SERVICE_CACHE_H

#include <stddef.h>

struct plan_key {
	char hex[65]; /* a SHA-256 */
};

/* -ENOTSUP: this program does not know who it is (it has no build ID), and caches nothing. */
int cache_key(const char *machine, const void *model, size_t size, struct plan_key *key);

/*
 * The plan of @key in @directory in *@plan, which is for free(). -ENOENT: there is none. -EBADMSG:
 * it is damaged. Others as open().
 */
int cache_load(const char *directory, const struct plan_key *key, void **plan, size_t *size);

/* Stores a plan; the directory is made, and its parent. 0, or a negative errno. */
int cache_store(const char *directory, const struct plan_key *key, const void *plan, size_t size);

#endif
