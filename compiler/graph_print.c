// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Graph -> text: see graph_text.h. */
#include "compiler/graph_text.h"
#include "core/fnv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void print_name(FILE *to, const char *name)
{
	fputc('"', to);
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

/* `%3 "name" f32[1,2]` */
static void print_value(FILE *to, const struct value *v)
{
	char text[SHAPE_TEXT_MAX];

	fprintf(to, "%%%u ", v->id);
	print_name(to, v->name);
	if (v->typed)
		fprintf(to, " %s%s", dtype_name(v->dtype), shape_text(&v->shape, text));
	else
		fprintf(to, " ?");
}

static void print_element(FILE *to, enum dtype dtype, const void *bytes, s64 i)
{
	switch (dtype) {
	case DTYPE_F32:
		fprintf(to, " %a", (double)((const float *)bytes)[i]);
		break;
	case DTYPE_U8:
	case DTYPE_BOOL:
		fprintf(to, " %u", ((const u8 *)bytes)[i]);
		break;
	case DTYPE_S8:
		fprintf(to, " %d", ((const s8 *)bytes)[i]);
		break;
	case DTYPE_S32:
		fprintf(to, " %" PRId32, ((const s32 *)bytes)[i]);
		break;
	case DTYPE_S64:
		fprintf(to, " %" PRId64, ((const s64 *)bytes)[i]);
		break;
	case DTYPE_COUNT:
		break;
	}
}

/* Whether each element survives as a number; a NaN's bits would not. */
static bool can_inline(const struct value *v, s64 elems)
{
	for (s64 i = 0; v->dtype == DTYPE_F32 && i < elems && i < GRAPH_TEXT_INLINE_MAX; i++) {
		if (isnan(((const float *)v->data)[i]))
			return false;
	}
	return elems <= GRAPH_TEXT_INLINE_MAX;
}

static void print_const(FILE *to, const struct value *v, bool data)
{
	s64 elems = shape_elems(&v->shape);
	size_t size = (size_t)elems * dtype_size(v->dtype);

	fprintf(to, "const ");
	print_value(to, v);
	if (can_inline(v, elems)) {
		fprintf(to, " =");
		for (s64 i = 0; i < elems; i++)
			print_element(to, v->dtype, v->data, i);
	} else {
		fprintf(to, " fnv %016" PRIx64, rondo_fnv(v->data, size));
		if (data)
			fprintf(to, " hex ");
		for (size_t i = 0; data && i < size; i++)
			fprintf(to, "%02x", ((const u8 *)v->data)[i]);
	}
	fputc('\n', to);
}

static void print_dims(FILE *to, const struct dims *d)
{
	for (int i = 0; i < d->n; i++)
		fprintf(to, "%s%" PRId64, i ? "," : "", d->v[i]);
}

/* The compiler's own attributes are not printed until a pass changes them. */
static bool is_untouched(const struct node *n, enum attr a)
{
	const struct attr_default *d = &attr_defaults[n->op][a];

	return d->rule == ATTR_OWN &&
	       *(const float *)((const char *)&n->attrs + attr_infos[a].offset) == d->value;
}

static void print_attrs(FILE *to, const struct node *n)
{
	for (int i = 0; i < ATTR_COUNT; i++) {
		const struct attr_info *info = &attr_infos[i];
		const char *at = (const char *)&n->attrs + info->offset;

		if (!n->attrs.given[i] || is_untouched(n, i))
			continue;
		fprintf(to, " %s=", info->name);
		switch (info->kind) {
		case ATTR_INT:
			fprintf(to, "%" PRId64, *(const s64 *)at);
			break;
		case ATTR_FLOAT:
			fprintf(to, "%a", (double)*(const float *)at);
			break;
		case ATTR_DIMS:
			print_dims(to, (const struct dims *)at);
			break;
		case ATTR_PAD:
			fprintf(to, "%s", auto_pad_names[*(const enum auto_pad *)at]);
			break;
		case ATTR_TEXT:
			print_name(to, *(const char *const *)at);
			break;
		}
	}
}

static void print_node(FILE *to, const struct node *n)
{
	fprintf(to, "node");
	for (int i = 0; i < n->n_out; i++) {
		fprintf(to, i ? ", " : " ");
		if (n->out[i])
			print_value(to, n->out[i]);
		else
			fprintf(to, "_");
	}
	fprintf(to, " = %s ", op_infos[n->op].name);
	print_name(to, n->name);
	for (int i = 0; i < n->n_in; i++) {
		if (node_in(n, i))
			fprintf(to, " %%%u", node_in(n, i)->id);
		else
			fprintf(to, " _");
	}
	print_attrs(to, n);
	fputc('\n', to);
}

/* Constants that something uses get numbers and lines; the others are gone from the graph. */
static u32 print_consts(FILE *to, const struct graph *g, u32 id, bool data)
{
	for (struct value *v = g->values; v; v = v->next) {
		if (!v->data || (!v->uses && !v->is_output))
			continue;
		v->id = id++;
		print_const(to, v, data);
	}
	return id;
}

/* What the elements of an input or output stand for; ends the line. */
static void print_meaning(FILE *to, const struct value *v)
{
	if (v->scale != 0)
		fprintf(to, " scale %a zero %d", (double)v->scale, v->zero_point);
	fputc('\n', to);
}

void graph_print(FILE *to, const struct graph *g, bool data)
{
	u32 id = 0;

	fprintf(to, "graph ");
	print_name(to, g->name);
	fprintf(to, " from ");
	print_name(to, g->source);
	if (g->opset != GRAPH_OPSET_MAX)
		fprintf(to, " opset %d", g->opset);
	fputc('\n', to);
	for (size_t i = 0; i < g->inputs.n; i++) {
		g->inputs.v[i]->id = id++;
		fprintf(to, "input ");
		print_value(to, g->inputs.v[i]);
		print_meaning(to, g->inputs.v[i]);
	}
	id = print_consts(to, g, id, data);
	for (const struct node *n = g->first; n; n = n->next) {
		for (int i = 0; i < n->n_out; i++) {
			if (n->out[i])
				n->out[i]->id = id++;
		}
		print_node(to, n);
	}
	for (size_t i = 0; i < g->outputs.n; i++) {
		fprintf(to, "output %%%u", g->outputs.v[i]->id);
		print_meaning(to, g->outputs.v[i]);
	}
}
