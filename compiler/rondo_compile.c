// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The library's face: what its users give and get, in the compiler's own terms. */
#define _GNU_SOURCE /* fopencookie() */
#include "compiler/rondo_compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/compiler.h"
#include "core/machine.h"

_Static_assert(RONDO_COMPILE_RANK_MAX == TENSOR_RANK_MAX, "dimensions are copied");

#define RONDO_COMPILE_EXPORT __attribute__((visibility("default")))

/* One call: its options, and what they become. */
struct call {
	struct rondo_compile_options o; /* all of them, of whatever size the user's are */
	struct compile_options options;
	struct rondo_machine machine;
	struct compile_dim *dims;
	struct compile_shape *shapes;
	struct compile_bake *bakes;
	struct tensor_data *constants;
	struct arena_stop stop;
	int dump_error; /* of dumped() */
	struct compile_error err;
};

static int fail(struct call *c, int code, const char *what, const char *name)
{
	compile_fail(&c->err, code, "%s%s%.120s%s", what, name ? " \"" : "", name ? name : "",
		     name ? "\"" : "");
	compile_error_prefix(&c->err, c->o.name);
	return code;
}

static bool cancelled(void *context)
{
	struct call *c = context;

	return c->dump_error || (c->o.cancelled && c->o.cancelled(c->o.context));
}

static ssize_t dump_text(void *context, const char *text, size_t size)
{
	struct call *c = context;

	if (!c->dump_error && c->o.dumped)
		c->dump_error = c->o.dumped(c->o.context, text, size);
	return (ssize_t)size;
}

/* ---- Options ------------------------------------------------------------------------------- */

static int copy_shape(struct call *c, const char *name, unsigned int rank, const int64_t *dim,
		      struct shape *out)
{
	if (rank > TENSOR_RANK_MAX)
		return fail(c, -EINVAL, "too many dimensions are given to", name);
	*out = (struct shape){ .rank = (int)rank };
	for (unsigned int i = 0; i < rank; i++)
		out->dim[i] = dim[i];
	return 0;
}

/* Sizes and shapes are compared with the model, which is where a wrong one is noticed. */
static void take_dims(struct call *c)
{
	for (size_t i = 0; i < c->o.dim_count; i++)
		c->dims[i] = (struct compile_dim){ c->o.dims[i].name, c->o.dims[i].size };
}

static int take_shapes(struct call *c)
{
	for (size_t i = 0; i < c->o.shape_count; i++) {
		const struct rondo_compile_shape *s = &c->o.shapes[i];

		c->shapes[i].name = s->name;
		if (copy_shape(c, s->name, s->rank, s->dim, &c->shapes[i].shape))
			return c->err.code;
	}
	return 0;
}

static int take_constants(struct call *c)
{
	for (size_t i = 0; i < c->o.constant_count; i++) {
		const struct rondo_compile_constant *k = &c->o.constants[i];
		struct tensor_data *t = &c->constants[i];

		c->bakes[i] = (struct compile_bake){ k->name, t };
		if (copy_shape(c, k->name, k->rank, k->dim, &t->shape))
			return c->err.code;
		if (!dtype_from_number(k->type, &t->dtype))
			return fail(c, -ENOTSUP, "no type is the one of the constant", k->name);
		if (!shape_valid(&t->shape))
			return fail(c, -EINVAL, "a dimension is wrong of the constant", k->name);
		t->size = k->size;
		t->bytes = (void *)k->bytes; /* which nobody changes */
		if (t->size != (size_t)shape_elems(&t->shape) * dtype_size(t->dtype) ||
		    (t->size && !k->bytes))
			return fail(c, -EINVAL, "bytes are missing in the constant", k->name);
	}
	return 0;
}

static int take_machine(struct call *c)
{
	u32 id = c->o.machine ? rondo_machine_named(c->o.machine) : RONDO_MACHINE_edge;

	if (id == RONDO_MACHINES)
		return fail(c, -EINVAL, "there is no machine", c->o.machine);
	rondo_machine_init(&c->machine, id);
	return 0;
}

/* The user's options may be of an older version of the library, and so fewer. */
static int take_options(struct call *c, const struct rondo_compile_options *o)
{
	if (o && o->size <= sizeof(c->o))
		memcpy(&c->o, o, o->size);
	if (!c->o.name)
		c->o.name = "model";
	if (o && (o->size > sizeof(c->o) || o->size < sizeof(o->size)))
		return fail(c, -EINVAL, "the size of the options is of another version", NULL);
	c->dims = calloc(c->o.dim_count + 1, sizeof(*c->dims));
	c->shapes = calloc(c->o.shape_count + 1, sizeof(*c->shapes));
	c->bakes = calloc(c->o.constant_count + 1, sizeof(*c->bakes));
	c->constants = calloc(c->o.constant_count + 1, sizeof(*c->constants));
	if (!c->dims || !c->shapes || !c->bakes || !c->constants)
		return fail(c, -ENOMEM, "no memory", NULL);
	take_dims(c);
	if (take_shapes(c) || take_constants(c))
		return c->err.code;
	return take_machine(c);
}

static void set_options(struct call *c)
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
		.stop = &c->stop,
		.progress = c->o.progress,
		.progress_context = c->o.context,
	};
}

/* ---- Compiling ----------------------------------------------------------------------------- */

static int compile(struct call *c, const void *model, size_t size, struct rondo_compiled *compiled)
{
	const cookie_io_functions_t dumps = { .write = dump_text };
	struct compiled out = { 0 };
	int rc;

	set_options(c);
	if (c->o.dump) {
		c->options.dump_to = fopencookie(c, "w", dumps);
		if (!c->options.dump_to)
			return fail(c, -ENOMEM, "no memory", NULL);
	}
	rc = compile_model(model, size, c->o.name, &c->options, &c->machine, &out, &c->err);
	if (c->options.dump_to)
		fclose(c->options.dump_to);
	if (c->stop.stopped || c->dump_error) {
		/* Which the compiler took for a lack of memory. */
		compiled_free(&out);
		c->err = (struct compile_error){ 0 };
		return c->dump_error ?
			       fail(c, c->dump_error, "what was dumped was not wanted", NULL) :
			       fail(c, -ECANCELED, "it was cancelled", NULL);
	}
	/* Most messages begin with the model; all are to name it. */
	if (rc && strncmp(c->err.text, c->o.name, strlen(c->o.name)) != 0)
		compile_error_prefix(&c->err, c->o.name);
	*compiled = (struct rondo_compiled){ out.file, out.size, out.cycles };
	return rc;
}

static void report(const struct call *c, struct rondo_compile_error *error)
{
	*error = (struct rondo_compile_error){ .code = c->err.code };
	snprintf(error->node, sizeof(error->node), "%s", c->err.node);
	snprintf(error->op, sizeof(error->op), "%s", c->err.op);
	snprintf(error->reason, sizeof(error->reason), "%s", c->err.text + c->err.reason);
	snprintf(error->text, sizeof(error->text), "%s", c->err.text);
}

RONDO_COMPILE_EXPORT int rondo_compile(const void *model, size_t size,
				       const struct rondo_compile_options *options,
				       struct rondo_compiled *compiled,
				       struct rondo_compile_error *error)
{
	struct call c = { 0 };
	int rc = take_options(&c, options);

	*compiled = (struct rondo_compiled){ 0 };
	if (!rc)
		rc = compile(&c, model, size, compiled);
	if (error)
		report(&c, error);
	free(c.dims);
	free(c.shapes);
	free(c.bakes);
	free(c.constants);
	return rc;
}

RONDO_COMPILE_EXPORT void rondo_compiled_free(struct rondo_compiled *compiled)
{
	free(compiled->file);
	*compiled = (struct rondo_compiled){ 0 };
}
