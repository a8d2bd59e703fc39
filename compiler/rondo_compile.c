// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The library's face: what its users call. */
#define _GNU_SOURCE /* fopencookie() */
#include "compiler/rondo_compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/call.h"

#define RONDO_COMPILE_EXPORT __attribute__((visibility("default")))

static ssize_t dump_text(void *context, const char *text, size_t size)
{
	struct compile_call *c = context;

	if (!c->dump_error && c->o.dumped)
		c->dump_error = c->o.dumped(c->o.context, text, size);
	return (ssize_t)size;
}

static int compile(struct compile_call *c, const void *model, size_t size,
		   struct rondo_compiled *compiled)
{
	const cookie_io_functions_t dumps = { .write = dump_text };
	struct compiled out = { 0 };
	int rc;

	if (c->o.dump) {
		c->options.dump_to = fopencookie(c, "w", dumps);
		if (!c->options.dump_to)
			return compile_call_fail(c, -ENOMEM, "no memory", NULL);
	}
	rc = compile_model(model, size, c->o.name, &c->options, &c->machine, &out, &c->err);
	if (c->options.dump_to)
		fclose(c->options.dump_to);
	if (c->stop.stopped || c->dump_error) {
		/* Which the compiler took for a lack of memory. */
		compiled_free(&out);
		c->err = (struct compile_error){ 0 };
		if (!c->dump_error)
			return compile_call_fail(c, -ECANCELED, "it was cancelled", NULL);
		compile_fail(&c->err, c->dump_error, "its dump could not be written: %s",
			     strerror(-c->dump_error));
		compile_error_prefix(&c->err, c->o.name);
		return c->dump_error;
	}
	/* Most messages begin with the model; all are to name it. */
	if (rc && strncmp(c->err.text, c->o.name, strlen(c->o.name)) != 0)
		compile_error_prefix(&c->err, c->o.name);
	*compiled = (struct rondo_compiled){ out.file, out.size, out.cycles };
	if (c->o.host)
		*c->o.host = out.host;
	return rc;
}

static void report(const struct compile_call *c, struct rondo_compile_error *error)
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
	struct compile_call c;
	int rc = compile_call_init(&c, options);

	*compiled = (struct rondo_compiled){ 0 };
	if (c.o.host)
		*c.o.host = NULL;
	if (!rc)
		rc = compile(&c, model, size, compiled);
	if (error)
		report(&c, error);
	compile_call_fini(&c);
	return rc;
}

RONDO_COMPILE_EXPORT void rondo_compiled_free(struct rondo_compiled *compiled)
{
	free(compiled->file);
	*compiled = (struct rondo_compiled){ 0 };
}
