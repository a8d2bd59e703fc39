// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Functions that a model defines, by domain, name and overload: see onnx_body.h. Some of their
 * fields onnx.proto has not had from the first; its messages are unknown to an older one, and stand
 * there as they do in the file.
 */
#include "compiler/onnx_body.h"
#include "compiler/onnx_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_OVERLOAD = 8, FUNCTION_DEFAULTS = 11, FUNCTION_OVERLOAD = 13 };

/* The contents of @u, a field with its length before it. */
static struct onnx_text contents(const ProtobufCMessageUnknownField *u)
{
	size_t at = 0;

	while (at < u->len && u->data[at] & 0x80)
		at++;
	at++;
	return (struct onnx_text){ u->data + at, u->len - at };
}

static bool is_field(const ProtobufCMessageUnknownField *u, u32 number)
{
	return u->tag == number && u->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

/* The text that is field @number of @m. */
static struct onnx_text text_field(const ProtobufCMessage *m, u32 number)
{
	const ProtobufCFieldDescriptor *known =
		protobuf_c_message_descriptor_get_field(m->descriptor, number);
	struct onnx_text text = { NULL, 0 };

	if (known) {
		memcpy(&text.at, (const u8 *)m + known->offset, sizeof(text.at));
		text.n = text.at ? strlen((const char *)text.at) : 0;
	}
	for (unsigned int i = 0; i < m->n_unknown_fields; i++) {
		if (is_field(&m->unknown_fields[i], number))
			text = contents(&m->unknown_fields[i]);
	}
	return text;
}

struct onnx_text onnx_overload(const Onnx__NodeProto *p)
{
	return text_field(&p->base, NODE_OVERLOAD);
}

/* ---- Finding them ---------------------------------------------------------------------------- */

static int by_name(const struct onnx_function *a, const struct onnx_function *b)
{
	int order = strcmp(onnx_str(a->proto->name), onnx_str(b->proto->name));

	return order ? order : strcmp(onnx_str(a->proto->domain), onnx_str(b->proto->domain));
}

static int by_all(const void *one, const void *other)
{
	const struct onnx_function *a = one, *b = other;
	int order = by_name(a, b);
	size_t n = a->overload.n < b->overload.n ? a->overload.n : b->overload.n;

	if (!order && n)
		order = memcmp(a->overload.at, b->overload.at, n);
	return order ? order : (a->overload.n > b->overload.n) - (a->overload.n < b->overload.n);
}

static int by_name_only(const void *a, const void *b)
{
	return by_name(a, b);
}

static struct onnx_function *find(const struct onnx_bodies *b, const Onnx__NodeProto *p,
				  int (*order)(const void *, const void *))
{
	const Onnx__FunctionProto wanted = { .name = p->op_type, .domain = p->domain };
	const struct onnx_function key = { .proto = &wanted, .overload = onnx_overload(p) };

	return b->functions ? bsearch(&key, b->function, b->functions, sizeof(key), order) : NULL;
}

struct onnx_function *onnx_function(const struct onnx_bodies *b, const Onnx__NodeProto *p)
{
	return find(b, p, by_all);
}

bool onnx_has_overloads(const struct onnx_bodies *b, const Onnx__NodeProto *p)
{
	return find(b, p, by_name_only);
}

/* ---- Reading them ---------------------------------------------------------------------------- */

/* The operator set of ONNX whose operators @f uses. */
static s64 opset_of(const Onnx__FunctionProto *f)
{
	s64 opset = 0;

	for (size_t i = 0; i < f->n_opset_import; i++) {
		const char *domain = onnx_str(f->opset_import[i]->domain);

		if (!domain[0] || !strcmp(domain, "ai.onnx"))
			opset = f->opset_import[i]->version;
	}
	return opset;
}

static int refuse_twice(const struct graph *g, const struct onnx_function *f)
{
	const char *domain = onnx_str(f->proto->domain);

	return graph_fail(g, -EINVAL, "it defines the function %.80s%s%.80s%s%.*s%s twice", domain,
			  domain[0] ? "." : "", onnx_str(f->proto->name),
			  f->overload.n ? " (overload \"" : "",
			  (int)(f->overload.n < 80 ? f->overload.n : 80),
			  (const char *)f->overload.at, f->overload.n ? "\")" : "");
}

int onnx_read_functions(struct onnx_reader *r, const Onnx__ModelProto *model)
{
	struct onnx_bodies *b = r->bodies;

	b->functions = model->n_functions;
	b->function = graph_alloc(r->g, b->functions * sizeof(*b->function));
	if (!b->function)
		return r->g->err->code;
	for (size_t i = 0; i < b->functions; i++)
		b->function[i] = (struct onnx_function){
			.proto = model->functions[i],
			.overload = text_field(&model->functions[i]->base, FUNCTION_OVERLOAD),
			.opset = opset_of(model->functions[i]),
		};
	if (b->functions)
		qsort(b->function, b->functions, sizeof(*b->function), by_all);
	for (size_t i = 1; i < b->functions; i++) {
		if (!by_all(&b->function[i - 1], &b->function[i]))
			return refuse_twice(r->g, &b->function[i]);
	}
	return 0;
}

/* ---- Defaults -------------------------------------------------------------------------------- */

static void *alloc_in_graph(void *g, size_t size)
{
	return graph_alloc(g, size);
}

static void keep_in_graph(void *g, void *p)
{
	(void)g;
	(void)p;
}

static int add_default(struct graph *g, struct onnx_function *f, struct onnx_text message)
{
	ProtobufCAllocator allocator = { alloc_in_graph, keep_in_graph, g };
	const ProtobufCMessageDescriptor *type = &onnx__attribute_proto__descriptor;
	ProtobufCMessage *a;

	if (onnx_wire_check(type, message.at, message.n, g->err))
		return g->err->code;
	a = protobuf_c_message_unpack(type, &allocator, message.n, message.at);
	if (!a)
		return g->err->code ? g->err->code :
				      graph_fail(g, -EINVAL,
						 "function \"%.80s\": a default of an attribute is "
						 "damaged",
						 onnx_str(f->proto->name));
	f->defaults[f->n_defaults++] = (Onnx__AttributeProto *)a;
	return 0;
}

int onnx_read_defaults(struct graph *g, struct onnx_function *f)
{
	const ProtobufCMessage *m = &f->proto->base;
	const ProtobufCFieldDescriptor *known =
		protobuf_c_message_descriptor_get_field(m->descriptor, FUNCTION_DEFAULTS);
	int rc = 0;

	if (f->defaults)
		return 0;
	if (known) {
		memcpy(&f->n_defaults, (const u8 *)m + known->quantifier_offset,
		       sizeof(f->n_defaults));
		memcpy(&f->defaults, (const u8 *)m + known->offset, sizeof(f->defaults));
		return 0;
	}
	f->defaults = graph_alloc(g, (m->n_unknown_fields + 1) * sizeof(*f->defaults));
	if (!f->defaults)
		return g->err->code;
	for (unsigned int i = 0; i < m->n_unknown_fields && !rc; i++) {
		if (is_field(&m->unknown_fields[i], FUNCTION_DEFAULTS))
			rc = add_default(g, f, contents(&m->unknown_fields[i]));
	}
	return rc;
}
