// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A Linear of one image that windows have made is a convolution with a window as large as the
 * image: so it reads the image as it lies, channels last, and nobody brings it into another order.
 */
#include "compiler/passes.h"

/* The image [1,c,h,w] that @n reads as a row, and nobody else reads; NULL: there is none. */
static struct value *image_of(const struct node *n)
{
	const struct value *row = node_in(n, 0), *w = node_in(n, 1);
	struct value *image;

	if (n->op != OP_LINEAR || !value_is_const(w) || w->shape.rank != 2 || row->is_output ||
	    !row->producer || row->producer->op != OP_VIEW || value_only_user(row) != n)
		return NULL;
	image = node_in(row->producer, 0);
	if (image->is_output || image->shape.rank != 4 || image->shape.dim[0] != 1 ||
	    image->shape.dim[2] * image->shape.dim[3] == 1 ||
	    shape_elems(&row->shape) != w->shape.dim[0] || !image->producer ||
	    !op_is_window(image->producer->op) || value_only_user(image) != row->producer)
		return NULL;
	return image;
}

/* Weights [c*h*w,m] as those of a convolution, [m,c,h,w]. */
static struct value *kernels(struct graph *g, struct node *n, const struct value *image)
{
	static const int swap[] = { 1, 0 };
	struct value *w = pass_transpose(g, n, node_in(n, 1), swap);
	struct shape s = image->shape;

	if (!w)
		return NULL;
	s.dim[0] = w->shape.dim[0];
	return pass_view(g, n, w, &s);
}

static int to_conv(struct graph *g, struct node *n, struct value *image)
{
	struct value *w = kernels(g, n, image), *bias = node_in(n, 2), *y;
	struct node *conv = w ? graph_node(g, n, OP_CONV, n->name, n->n_in) : NULL;

	if (!conv)
		return g->err->code;
	node_set_in(conv, 0, image);
	node_set_in(conv, 1, w);
	if (bias)
		node_set_in(conv, 2, bias);
	node_set_dims(conv, ATTR_kernel,
		      (struct dims){ 2, { image->shape.dim[2], image->shape.dim[3] } });
	node_set_float(conv, ATTR_lo, n->attrs.lo);
	node_set_float(conv, ATTR_hi, n->attrs.hi);
	y = pass_finish_node(g, conv);
	y = y ? pass_view(g, n, y, &n->out[0]->shape) : NULL;
	return y ? pass_replace_by_value(g, n, y) : g->err->code;
}

int pass_flatten(struct graph *g)
{
	struct node *next;
	int rc = 0;

	for (struct node *n = g->first; n && !rc; n = next) {
		struct value *image = image_of(n);

		next = n->next;
		if (image)
			rc = to_conv(g, n, image);
	}
	if (!rc)
		graph_remove_dead(g);
	return rc;
}
