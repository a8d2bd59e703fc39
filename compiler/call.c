// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "compiler/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"

_Static_assert(RONDO_COMPILE_RANK_MAX == TENSOR_RANK_MAX, "dimensions are copied");

int compile_call_fail(struct compile_call *c, int code, const char *what, const char *name)
{
	compile_fail(&c->err, code, "%s%s%.120s%s", what, name ? " \"" : "", name ? name : "",
		     name ? "\"" : "");
	compile_error_prefix(&c->err, c->o.name);
	return code;
}

static bool cancelled(void *context)
{
	struct compile_call *c = context;

	return c->dump_error || (c->o.cancelled && c->o.cancelled(c->o.context));
}

/* ---- Options ------------------------------------------------------------------------------- */

static int copy_shape(struct compile_call *c, const char *name, unsigned int rank,
		      const int64_t *dim, struct shape *out)
{
	if (rank > TENSOR_RANK_MAX)
		return compile_call_fail(c, -EINVAL, "too many dimensions are given to", name);
	*out = (struct shape){ .rank = (int)rank };
	for (unsigned int i = 0; i < rank; i++)
		out->dim[i] = dim[i];
	return 0;
}

/* Sizes and shapes are compared with the model, which is where a wrong one is noticed. */
static void take_dims(struct compile_call *c)
{
	for (size_t i = 0; i < c->o.dim_count; i++)
		c->dims[i] = (struct compile_dim){ c->o.dims[i].name, c->o.dims[i].size };
}

static int take_shapes(struct compile_call *c)
{
	for (size_t i = 0; i < c->o.shape_count; i++) {
		const struct rondo_compile_shape *s = &c->o.shapes[i];

		c->shapes[i].name = s->name;
		if (copy_shape(c, s->name, s->rank, s->dim, &c->shapes[i].shape))
			return c->err.code;
	}
	return 0;
}

static int take_constants(struct compile_call *c)
{
	for (size_t i = 0; i < c->o.constant_count; i++) {
		const struct rondo_compile_constant *k = &c->o.constants[i];
		struct tensor_data *t = &c->constants[i];

		c->bakes[i] = (struct compile_bake){ k->name, t };
		if (copy_shape(c, k->name, k->rank, k->dim, &t->shape))
			return c->err.code;
		if (!dtype_from_number(k->type, &t->dtype))
			return compile_call_fail(c, -ENOTSUP, "no type is the one of the constant",
						 k->name);
		if (!shape_valid(&t->shape))
			return compile_call_fail(c, -EINVAL, "a dimension is wrong of the constant",
						 k->name);
		t->size = k->size;
		t->bytes = (void *)k->bytes; /* which nobody changes */
		if (t->size != (size_t)shape_elems(&t->shape) * dtype_size(t->dtype) ||
		    (t->size && !k->bytes))
			return compile_call_fail(c, -EINVAL, "bytes are missing in the constant",
						 k->name);
	}
	return 0;
}

static int take_precision(struct compile_call *c)
{
	const char *p = c->o.precision;

	if (p && strcmp(p, "f32") && strcmp(p, "bf16"))
		return compile_call_fail(c, -EINVAL, "there is no precision", p);
	return 0;
}

static int take_machine(struct compile_call *c)
{
	u32 id = c->o.machine ? rondo_machine_named(c->o.machine) : RONDO_MACHINE_edge;

	if (id == RONDO_MACHINES)
		return compile_call_fail(c, -EINVAL, "there is no machine", c->o.machine);
	rondo_machine_init(&c->machine, id);
	return 0;
}

/* The user's options may be of an older version of the library, and so fewer. */
static int take_options(struct compile_call *c, const struct rondo_compile_options *o)
{
	if (o && o->size <= sizeof(c->o))
		memcpy(&c->o, o, o->size);
	if (!c->o.name)
		c->o.name = "model";
	if (o && (o->size > sizeof(c->o) || o->size < sizeof(o->size)))
		return compile_call_fail(c, -EINVAL,
					 "the size of the options is of another version", NULL);
	c->dims = calloc(c->o.dim_count + 1, sizeof(*c->dims));
	c->shapes = calloc(c->o.shape_count + 1, sizeof(*c->shapes));
	c->bakes = calloc(c->o.constant_count + 1, sizeof(*c->bakes));
	c->constants = calloc(c->o.constant_count + 1, sizeof(*c->constants));
	if (!c->dims || !c->shapes || !c->bakes || !c->constants)
		return compile_call_fail(c, -ENOMEM, "no memory", NULL);
	take_dims(c);
	if (take_shapes(c) || take_constants(c) || take_precision(c))
		return c->err.code;
	return take_machine(c);
}

static void set_options(struct compile_call *c)
{
	c->stop = (struct arena_stop){ .asked = cancelled, .context = c };
	c->options = (struct compile_options){
		.bakes = c->bakes,
		.n_bakes = c->o.constant_count,
		.dims = c->dims,
		.n_dims = c->o.dim_count,
		.shapes = c->shapes,
		.n_shapes = c->o.shape_count,
		.dump_pass = c->o.dump,
		.notice = c->o.notice,
		.notice_context = c->o.context,
		.external = { .read = c->o.external, .context = c->o.context },
		.host_allowed = c->o.host,
		.bf16 = c->o.precision && !strcmp(c->o.precision, "bf16"),
		.stop = &c->stop,
		.progress = c->o.progress,
		.progress_context = c->o.context,
	};
}

int compile_call_init(struct compile_call *c, const struct rondo_compile_options *options)
{
	int rc;

	*c = (struct compile_call){ 0 };
	rc = take_options(c, options);
	if (!rc)
		set_options(c);
	return rc;
}

void compile_call_fini(struct compile_call *c)
{
	free(c->dims);
	free(c->shapes);
	free(c->bakes);
	free(c->constants);
}
