/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The published networks of models.h, and whether their programs give what is known of them: the
 * output that another implementation gave for an input, the results of goldens.json, or, where
 * nothing is published, what the interpreter gives for numbers at random.
 */
#ifndef TESTS_SHARED_NETWORK_H
#define TESTS_SHARED_NETWORK_H

#include "compiler/backend.h"
#include "compiler/bound.h"
#include "core/machine.h"
#include "tests/network_run.h"

enum { SHARED_PATH = 512, SHARED_OUTPUTS = 2, GOLDEN_NUMBERS = 1024 };

struct shared_network {
	const char *path; /* of the model, below models_root() */
	const char *in, *out[SHARED_OUTPUTS]; /* files beside it; NULL: not published */
	bool exact; /* quantised: bit for bit; else within 1e-5 + 1e-3 of the number */
	bool layer; /* only one: it is measured elsewhere (tests/bench/kernels.c) */
};

extern const struct shared_network shared_networks[];
extern const int shared_network_count;

/* The name of its directory. */
void shared_network_name(const struct shared_network *n, char *name, size_t room);

/* A model: its graph, normalised, and its program. */
struct shared_open {
	struct graph *g; /* NULL: there is no program; err says why */
	struct rondo_machine machine;
	struct bounds bounds; /* as rondo bound prints them: of what the back end has not changed */
	struct compiled program;
	struct compile_error err;
	bool bf16; /* as --precision bf16 */
};

/*
 * Reads and compiles the model @path for `edge`; false, and a message in err. The second with
 * operands of bf16, whose results are right within 2 % of the largest number.
 */
bool shared_open(struct shared_open *o, const char *path);
bool shared_open_bf16(struct shared_open *o, const char *path);
void shared_close(struct shared_open *o);

/* Whether the program of @n gives what is known; else why not, in @why. */
bool shared_network_right(struct shared_open *o, const struct shared_network *n,
			  char why[RUN_WHY_BYTES]);

/* A result of goldens.json: of a model on an input, and how it is said. */
struct golden {
	char model[SHARED_PATH], input[SHARED_PATH], check[128];
	long long expect[GOLDEN_NUMBERS];
	int n;
};

/* The text of goldens.json, for free(), or NULL; and the next result behind @at, or NULL. */
char *goldens_read(void);
const char *goldens_next(const char *at, struct golden *g);

/* Whether the program gives @g; the input and output, for tensor_data_free(). */
bool golden_right(struct shared_open *o, const struct golden *g, struct tensor_data *in,
		  struct tensor_data *out, char why[RUN_WHY_BYTES]);

#endif
