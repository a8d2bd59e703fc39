// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Messages about a graph, and the check of its invariants that runs after every pass. */
#include "compiler/graph.h"
#include "compiler/shape.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int graph_fail_at(const struct graph *g, const char *node, const char *op, int code,
		  const char *text)
{
	struct compile_error *err = g->err;
	char place[sizeof(err->node) + sizeof(err->op) + 16] = "";

	if (err->code)
		return err->code;
	if (op[0])
		snprintf(place, sizeof(place), "node \"%.120s\" (%.121s): ", node, op);
	else if (node[0])
		snprintf(place, sizeof(place), "node \"%.120s\": ", node);
	compile_fail(err, code, "%s: %s%s", g->source, place, text);
	compile_error_place(err, (unsigned int)(strlen(g->source) + 2 + strlen(place)), node, op);
	return code;
}

int graph_fail(const struct graph *g, int code, const char *fmt, ...)
{
	char text[sizeof(g->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return graph_fail_at(g, "", "", code, text);
}

void graph_notice(const struct graph *g, const char *fmt, ...)
{
	struct compile_error line = { 0 };
	char text[sizeof(line.text)];
	va_list ap;

	if (!g->notice)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	compile_fail(&line, 1, "%.100s: %s", g->source, text);
	g->notice(g->notice_context, line.text);
}

const char *node_label(const struct node *n)
{
	for (int i = 0; !n->name[0] && i < n->n_out; i++) {
		if (n->out[i])
			return n->out[i]->name;
	}
	return n->name;
}

int node_fail(const struct graph *g, const struct node *n, int code, const char *fmt, ...)
{
	char text[sizeof(g->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!n)
		return graph_fail_at(g, "", "", code, text);
	return graph_fail_at(g, node_label(n),
			     n->model_kind ? n->model_kind : op_infos[n->model_op].name, code,
			     text);
}

int graph_leave_to_host(struct graph *g, struct node *n)
{
	const char *reason = g->err->text + g->err->reason;

	if (!g->host_allowed)
		return -ENOTSUP;
	n->host = arena_strndup(&g->arena, reason, strlen(reason));
	*g->err = (struct compile_error){ 0 };
	return n->host ? 0 : graph_fail(g, -ENOMEM, "no memory");
}

static int broken(const struct graph *g, const struct node *n, const char *what)
{
	return node_fail(g, n, -ENOTRECOVERABLE, "the graph is broken: %s", what);
}

static int check_links(const struct graph *g, const struct node *n)
{
	const struct op_info *op = &op_infos[n->op];

	if (n->n_in < op->min_in || n->n_in > op->max_in || n->n_out < 1 ||
	    n->n_out > op->max_out || !n->out[0])
		return broken(g, n, "wrong number of inputs or outputs");
	if ((n->prev ? n->prev->next : g->first) != n || (n->next ? n->next->prev : g->last) != n)
		return broken(g, n, "the list of nodes is broken");
	for (int i = 0; i < n->n_in; i++) {
		const struct operand *o = &n->in[i];

		if (!o->value) {
			if (i < op->min_in)
				return broken(g, n, "a required input is missing");
			continue;
		}
		if (o->node != n || *o->pprev != o)
			return broken(g, n, "a use is not linked");
		if (!o->value->is_input && !o->value->data && o->value->id != 1)
			return broken(g, n, "an input is used before it is produced");
	}
	return 0;
}

static int check_types(const struct graph *g, const struct node *n)
{
	struct inferred out[NODE_OUT_MAX];
	int rc;

	if (!n->out[0]->typed)
		return 0;
	for (int i = 0; i < n->n_in; i++) {
		if (node_in(n, i) && !node_in(n, i)->typed)
			return broken(g, n, "an output has a type, an input has none");
	}
	for (int a = 0; a < ATTR_COUNT; a++) {
		if (op_has(n->op, a) && !n->attrs.given[a])
			return broken(g, n, "a typed node lacks an attribute");
	}
	rc = infer_node(g, n, out);
	if (rc)
		return rc;
	for (int i = 0; i < n->n_out; i++) {
		const struct value *v = n->out[i];

		if (v && (!v->typed || v->dtype != out[i].dtype ||
			  !shape_equal(&v->shape, &out[i].shape)))
			return broken(g, n, "a value's type is not what its operator gives");
	}
	return 0;
}

int graph_check(const struct graph *g)
{
	int rc = 0;

	for (struct value *v = g->values; v; v = v->next)
		v->id = 0; /* becomes 1 when the value's node has been seen */
	for (const struct node *n = g->first; n && !rc; n = n->next) {
		rc = check_links(g, n);
		if (!rc)
			rc = check_types(g, n);
		for (int i = 0; i < n->n_out; i++) {
			struct value *v = n->out[i];

			if (!v)
				continue;
			if (!rc && (v->producer != n || v->id || v->is_input || v->data))
				rc = broken(g, n, "an output is produced twice");
			v->id = 1;
		}
	}
	for (size_t i = 0; i < g->outputs.n && !rc; i++) {
		const struct value *v = g->outputs.v[i];

		if (!v->is_output || (!v->is_input && !v->data && !v->id))
			rc = graph_fail(g, -ENOTRECOVERABLE,
					"the graph is broken: output \"%s\" is lost", v->name);
	}
	return rc;
}
