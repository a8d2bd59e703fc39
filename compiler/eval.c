// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Running nodes and graphs: see eval.h. The operators: eval_math.c, eval_elementwise.c,
 * eval_move.c. */
#include "compiler/eval.h"
#include "compiler/eval_ops.h"
#include "compiler/window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The later of two initializers of one element counts. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static eval_fn *const eval_fns[OP_COUNT] = {
#define OP(id, name, min_in, max_in, max_out, flags, types, infer, eval, lower, doc) \
	[OP_##id] = eval_##eval,
#include "compiler/ops.def"
#define HOSTED(op, name) [OP_##op] = eval_hosted_##name,
#include "compiler/ops.def"
};
#pragma GCC diagnostic pop

void eval_node(const struct graph *g, const struct node *n, const void *const in[],
	       void *const out[NODE_OUT_MAX])
{
	float *y = out[0];
	s64 elems;

	eval_fns[n->op](g, n, in, out);
	if (!(op_infos[n->op].flags & OP_FLAG_CLAMP) || !node_clamps(n) || !y)
		return;
	elems = shape_elems(&n->out[0]->shape);
	for (s64 i = 0; i < elems; i++)
		y[i] = eval_clamp(y[i], n->attrs.lo, n->attrs.hi);
}

double eval_cost(const struct graph *g, const struct node *n)
{
	double cost = (double)shape_elems(&n->out[0]->shape);
	const struct value *b = node_in(n, 1);
	struct window w;

	switch (n->op) {
	case OP_CONV:
	case OP_CONVINTEGER:
		return cost * (double)shape_elems(&b->shape) / (double)b->shape.dim[0];
	case OP_LINEAR:
	case OP_MATMUL:
	case OP_MATMULINTEGER:
		return cost * (double)b->shape.dim[b->shape.rank > 1 ? b->shape.rank - 2 : 0];
	case OP_GEMM:
		return cost * (double)b->shape.dim[!!n->attrs.trans_b];
	case OP_MAXPOOL:
	case OP_AVGPOOL:
	case OP_SUMPOOL:
		if (window_of(g, n, &w))
			return INFINITY;
		return cost * (double)(w.axis[0].kernel * w.axis[1].kernel);
	default:
		return cost + (double)shape_elems(&node_in(n, 0)->shape);
	}
}

static int check_input(const struct graph *g, size_t i, const struct tensor_data *t,
		       struct compile_error *err)
{
	const struct value *v = g->inputs.v[i];
	char want[SHAPE_TEXT_MAX], have[SHAPE_TEXT_MAX];

	if (t->dtype == v->dtype && shape_equal(&t->shape, &v->shape))
		return 0;
	return compile_fail(err, -EINVAL, "input \"%s\" is %s%s, %s%s is needed", v->name,
			    dtype_name(t->dtype), shape_text(&t->shape, have), dtype_name(v->dtype),
			    shape_text(&v->shape, want));
}

/* The bytes of every value, by value id; owned where @owned says so. */
struct frame {
	void **bytes;
	bool *owned;
	size_t n;
};

static bool frame_init(struct frame *f, const struct graph *g, const struct tensor_data *inputs)
{
	*f = (struct frame){ 0 };
	for (struct value *v = g->values; v; v = v->next)
		v->id = (u32)f->n++;
	f->bytes = calloc(f->n + 1, sizeof(*f->bytes));
	f->owned = calloc(f->n + 1, sizeof(*f->owned));
	if (!f->bytes || !f->owned)
		return false;
	for (struct value *v = g->values; v; v = v->next)
		f->bytes[v->id] = (void *)v->data;
	for (size_t i = 0; i < g->inputs.n; i++)
		f->bytes[g->inputs.v[i]->id] = inputs[i].bytes;
	return true;
}

static void frame_free(struct frame *f)
{
	for (size_t i = 0; f->owned && i < f->n; i++) {
		if (f->owned[i])
			free(f->bytes[i]);
	}
	free(f->bytes);
	free(f->owned);
}

static int run_node(const struct graph *g, const struct node *n, struct frame *f,
		    struct compile_error *err)
{
	const void **in = calloc((size_t)n->n_in + 1, sizeof(*in));
	void *out[NODE_OUT_MAX] = { 0 };

	if (!in)
		return compile_fail(err, -ENOMEM, "no memory");
	for (int i = 0; i < n->n_in; i++)
		in[i] = node_in(n, i) ? f->bytes[node_in(n, i)->id] : NULL;
	for (int i = 0; i < n->n_out; i++) {
		struct tensor_data t;

		if (!n->out[i])
			continue;
		if (!tensor_data_alloc(&t, n->out[i]->dtype, &n->out[i]->shape)) {
			free(in);
			return compile_fail(err, -ENOMEM, "no memory for %zu bytes", t.size);
		}
		out[i] = f->bytes[n->out[i]->id] = t.bytes;
		f->owned[n->out[i]->id] = true;
	}
	eval_node(g, n, in, out);
	free(in);
	return 0;
}

int graph_eval(const struct graph *g, const struct tensor_data *inputs, struct tensor_data *outputs,
	       struct compile_error *err)
{
	struct frame f;
	size_t done = 0;
	int rc = 0;

	for (size_t i = 0; i < g->inputs.n && !rc; i++)
		rc = check_input(g, i, &inputs[i], err);
	if (rc)
		return rc;
	if (!frame_init(&f, g, inputs))
		rc = compile_fail(err, -ENOMEM, "no memory");
	for (const struct node *n = g->first; n && !rc; n = n->next)
		rc = run_node(g, n, &f, err);
	while (done < g->outputs.n && !rc) {
		const struct value *v = g->outputs.v[done];
		struct tensor_data *t = &outputs[done];

		if (!tensor_data_alloc(t, v->dtype, &v->shape)) {
			rc = compile_fail(err, -ENOMEM, "no memory for %zu bytes", t->size);
			break;
		}
		memcpy(t->bytes, f.bytes[v->id], t->size);
		done++;
	}
	while (rc && done)
		tensor_data_free(&outputs[--done]);
	frame_free(&f);
	return rc;
}
