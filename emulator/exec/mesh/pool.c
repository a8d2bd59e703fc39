// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Host threads that share the tiles. Work is split statically: between two points where tiles
 * meet each thread has its part, and the caller is one of them.
 */
#include "emulator/exec/mesh/mesh.h"

#include <pthread.h>
#include <stdlib.h>

enum { LITTLE = 4 }; /* items that are not worth waking a thread for */

struct helper {
	struct mesh_pool *pool;
	pthread_t thread;
	u32 number;
	u64 seen; /* rounds */
};

struct mesh_pool {
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	u64 round;
	u32 busy;
	bool quit;
	mesh_part_fn *fn;
	void *ctx;
	u32 count;
	u32 helpers;
	struct helper helper[MESH_THREADS - 1];
};

/* The part of thread @number of all. */
static void work(struct mesh_pool *pool, u32 number)
{
	u64 count = pool->count, threads = pool->helpers + 1;

	pool->fn(pool->ctx, number, (u32)(count * number / threads),
		 (u32)(count * (number + 1) / threads));
}

static void *help(void *ctx)
{
	struct helper *h = ctx;
	struct mesh_pool *pool = h->pool;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (pool->round == h->seen && !pool->quit)
			pthread_cond_wait(&pool->begin, &pool->lock);
		if (pool->quit)
			break;
		h->seen = pool->round;
		pthread_mutex_unlock(&pool->lock);
		work(pool, h->number);
		pthread_mutex_lock(&pool->lock);
		if (!--pool->busy)
			pthread_cond_signal(&pool->end);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

struct mesh_pool *mesh_pool_create(u32 threads)
{
	struct mesh_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->begin, NULL);
	pthread_cond_init(&pool->end, NULL);
	while (pool->helpers + 1 < threads) {
		struct helper *h = &pool->helper[pool->helpers];

		h->pool = pool;
		h->number = pool->helpers + 1;
		if (pthread_create(&h->thread, NULL, help, h))
			break;
		pool->helpers++;
	}
	return pool;
}

void mesh_pool_destroy(struct mesh_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->quit = true;
	pthread_cond_broadcast(&pool->begin);
	pthread_mutex_unlock(&pool->lock);
	for (u32 i = 0; i < pool->helpers; i++)
		pthread_join(pool->helper[i].thread, NULL);
	pthread_cond_destroy(&pool->end);
	pthread_cond_destroy(&pool->begin);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void mesh_share(struct mesh_pool *pool, u32 count, mesh_part_fn *fn, void *ctx)
{
	if (count < LITTLE || !pool->helpers) {
		fn(ctx, 0, 0, count);
		return;
	}
	pthread_mutex_lock(&pool->lock);
	pool->fn = fn;
	pool->ctx = ctx;
	pool->count = count;
	pool->busy = pool->helpers;
	pool->round++;
	pthread_cond_broadcast(&pool->begin);
	pthread_mutex_unlock(&pool->lock);
	work(pool, 0);
	pthread_mutex_lock(&pool->lock);
	while (pool->busy)
		pthread_cond_wait(&pool->end, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}
