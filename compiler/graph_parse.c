// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Text -> graph: see graph_text.h. A hand-written parser over one line at a time; the first thing
 * that does not fit ends it with the line's number.
 */
#include "compiler/graph_text.h"
#include "core/fnv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *at;
	const char *source;
	int line;
	struct graph *g;
	struct compile_error *err;
	struct value **values; /* by number */
	size_t n_values, room;
};

static int bad(struct parser *p, const char *what)
{
	return compile_fail(p->err, -EINVAL, "%s:%d: %s", p->source, p->line, what);
}

static void skip_blanks(struct parser *p)
{
	while (*p->at == ' ')
		p->at++;
}

static bool at_end(struct parser *p)
{
	skip_blanks(p);
	return !*p->at || *p->at == '\n';
}

/* Takes @word, which must end at something that is not part of a word. */
static bool take(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(p);
	if (strncmp(p->at, word, len))
		return false;
	if (isalnum((unsigned char)word[len - 1]) && isalnum((unsigned char)p->at[len]))
		return false;
	p->at += len;
	return true;
}

static size_t word_length(const char *s)
{
	size_t len = 0;

	while (isalnum((unsigned char)s[len]) || s[len] == '_')
		len++;
	return len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A pair of digits; -1 if there is none. */
static int hex_byte(const char *s)
{
	int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

	return low < 0 ? -1 : high << 4 | low;
}

/* A quoted name, undone into the arena; NULL on error. */
static const char *parse_name(struct parser *p)
{
	char *name, *to;
	size_t len;

	skip_blanks(p);
	if (*p->at != '"') {
		bad(p, "a quoted name is expected");
		return NULL;
	}
	p->at++;
	len = strcspn(p->at, "\"\n");
	name = to = graph_alloc(p->g, len + 1);
	if (!name)
		return NULL;
	while (*p->at != '"') {
		if (p->at[0] == '\\' && p->at[1] == 'x' && hex_byte(p->at + 2) > 0) {
			*to++ = (char)hex_byte(p->at + 2);
			p->at += 4;
		} else if (*p->at && *p->at != '\n' && *p->at != '\\') {
			*to++ = *p->at++;
		} else {
			bad(p, "a name does not end, or has a bad escape");
			return NULL;
		}
	}
	p->at++;
	*to = 0;
	return name;
}

static int parse_int(struct parser *p, s64 *out)
{
	char *end;

	skip_blanks(p);
	errno = 0;
	*out = strtoll(p->at, &end, 10);
	if (end == p->at || errno || isspace((unsigned char)*p->at))
		return bad(p, "a whole number is expected");
	p->at = end;
	return 0;
}

static int parse_float(struct parser *p, float *out)
{
	char *end;

	skip_blanks(p);
	*out = strtof(p->at, &end);
	if (end == p->at || *out != *out || isspace((unsigned char)*p->at))
		return bad(p, "a number is expected");
	p->at = end;
	return 0;
}

static int parse_dims(struct parser *p, struct dims *d)
{
	if (*p->at == ' ' || at_end(p))
		return 0;
	do {
		if (d->n == TENSOR_RANK_MAX)
			return bad(p, "a list of numbers is too long");
		if (parse_int(p, &d->v[d->n++]))
			return -EINVAL;
	} while (take(p, ","));
	return 0;
}

/* `?` or `f32[1,2]` */
static int parse_type(struct parser *p, struct value *v)
{
	struct shape shape = { 0 };
	struct dims d = { 0 };
	enum dtype dtype;
	size_t len;

	if (take(p, "?"))
		return 0;
	skip_blanks(p);
	len = word_length(p->at);
	if (!dtype_from_name(p->at, len, &dtype))
		return bad(p, "a type is expected");
	p->at += len;
	if (!take(p, "["))
		return bad(p, "[ is expected");
	if (!take(p, "]")) {
		if (parse_dims(p, &d))
			return -EINVAL;
		if (!take(p, "]"))
			return bad(p, "] is expected");
	}
	shape.rank = d.n;
	memcpy(shape.dim, d.v, sizeof(d.v));
	if (!shape_valid(&shape))
		return bad(p, "the shape is too large or negative");
	value_set_type(v, dtype, &shape);
	return 0;
}

/* `%3 "name" TYPE`, numbered in order of appearance. */
static struct value *parse_new_value(struct parser *p)
{
	struct value *v, **bigger;
	const char *name;
	s64 id;

	if (!take(p, "%") || parse_int(p, &id) || id != (s64)p->n_values) {
		bad(p, "the next %NUMBER is expected");
		return NULL;
	}
	name = parse_name(p);
	if (!name)
		return NULL;
	v = graph_value(p->g, name);
	if (!v || parse_type(p, v))
		return NULL;
	if (p->n_values == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		bigger = graph_alloc(p->g, p->room * sizeof(*bigger));
		if (!bigger)
			return NULL;
		if (p->n_values)
			memcpy(bigger, p->values, p->n_values * sizeof(*bigger));
		p->values = bigger;
	}
	p->values[p->n_values++] = v;
	return v;
}

static struct value *parse_old_value(struct parser *p)
{
	s64 id;

	if (!take(p, "%") || parse_int(p, &id) || id < 0 || id >= (s64)p->n_values) {
		bad(p, "the %NUMBER of a value above is expected");
		return NULL;
	}
	return p->values[id];
}

static int parse_element(struct parser *p, enum dtype dtype, void *bytes, s64 i)
{
	static const s64 lo[DTYPE_COUNT] = {
		[DTYPE_S8] = INT8_MIN, [DTYPE_S32] = INT32_MIN, [DTYPE_S64] = INT64_MIN
	};
	static const s64 hi[DTYPE_COUNT] = { [DTYPE_U8] = UINT8_MAX,
					     [DTYPE_BOOL] = 1,
					     [DTYPE_S8] = INT8_MAX,
					     [DTYPE_S32] = INT32_MAX,
					     [DTYPE_S64] = INT64_MAX };
	s64 v;

	if (dtype == DTYPE_F32)
		return parse_float(p, (float *)bytes + i);
	if (parse_int(p, &v))
		return -EINVAL;
	if (v < lo[dtype] || v > hi[dtype])
		return bad(p, "a number does not fit its type");
	memcpy((char *)bytes + (size_t)i * dtype_size(dtype), &v, dtype_size(dtype));
	return 0;
}

static int parse_hex(struct parser *p, u8 *bytes, size_t size)
{
	char *end;
	u64 hash = strtoull(p->at, &end, 16);

	p->at = end;
	if (!take(p, "hex"))
		return bad(p, "a constant's bytes are not in the text");
	skip_blanks(p);
	for (size_t i = 0; i < size; i++, p->at += 2) {
		int b = hex_byte(p->at);

		if (b < 0)
			return bad(p, "two hexadecimal digits are expected");
		bytes[i] = (u8)b;
	}
	if (rondo_fnv(bytes, size) != hash)
		return bad(p, "a constant's bytes do not have its hash");
	return 0;
}

static int parse_const(struct parser *p)
{
	struct value *v = parse_new_value(p);
	s64 elems;
	void *bytes;
	int rc = 0;

	if (!v)
		return -EINVAL;
	if (!v->typed)
		return bad(p, "a constant needs a type");
	elems = shape_elems(&v->shape);
	bytes = graph_const_room(p->g, v);
	if (!bytes)
		return p->err->code;
	if (take(p, "fnv")) {
		rc = parse_hex(p, bytes, (size_t)elems * dtype_size(v->dtype));
	} else if (take(p, "=")) {
		for (s64 i = 0; i < elems && !rc; i++)
			rc = parse_element(p, v->dtype, bytes, i);
	} else {
		rc = bad(p, "= or fnv is expected");
	}
	return rc;
}

static int parse_pad(struct parser *p, enum auto_pad *out)
{
	for (int i = 0; i < PAD_COUNT; i++) {
		if (take(p, auto_pad_names[i])) {
			*out = i;
			return 0;
		}
	}
	return bad(p, "a kind of padding is expected");
}

static int parse_attr(struct parser *p, struct node *n)
{
	size_t len = word_length(p->at);
	enum attr a = attr_from_name(n->op, p->at, len);
	void *to;

	if (a == ATTR_COUNT)
		return bad(p, "the operator has no such attribute");
	to = attr_at(&n->attrs, a);
	p->at += len;
	if (!take(p, "="))
		return bad(p, "= is expected");
	n->attrs.given[a] = true;
	switch (attr_infos[a].kind) {
	case ATTR_INT:
		return parse_int(p, to);
	case ATTR_FLOAT:
		return parse_float(p, to);
	case ATTR_DIMS:
		return parse_dims(p, to);
	case ATTR_PAD:
		return parse_pad(p, to);
	case ATTR_TEXT:
		*(const char **)to = parse_name(p);
		return *(const char **)to ? 0 : -EINVAL;
	}
	return 0;
}

/* `OPERATOR "NAME" INPUT ... ATTRIBUTE ...` behind the outputs. */
static struct node *parse_operator(struct parser *p)
{
	const char *name, *back;
	size_t len;
	struct node *n;
	enum op op;
	int n_in = 0;

	skip_blanks(p);
	len = word_length(p->at);
	if (!op_from_name(p->at, len, &op)) {
		bad(p, "an operator is expected");
		return NULL;
	}
	p->at += len;
	name = parse_name(p);
	if (!name)
		return NULL;
	for (back = p->at; take(p, "_") || (take(p, "%") && !parse_int(p, &(s64){ 0 })); n_in++)
		;
	p->at = back;
	if (n_in < op_infos[op].min_in || n_in > op_infos[op].max_in) {
		bad(p, "the operator has another number of inputs");
		return NULL;
	}
	n = graph_node(p->g, NULL, op, name, n_in);
	if (!n)
		return NULL;
	for (int i = 0; i < n_in; i++) {
		struct value *v = NULL;

		if (!take(p, "_") && !(v = parse_old_value(p)))
			return NULL;
		node_set_in(n, i, v);
	}
	while (!at_end(p)) {
		if (parse_attr(p, n))
			return NULL;
	}
	return n;
}

static int parse_node(struct parser *p)
{
	struct value *out[NODE_OUT_MAX] = { 0 };
	size_t before = p->n_values, after;
	struct node *n;
	int n_out = 0;

	do {
		if (n_out == NODE_OUT_MAX)
			return bad(p, "too many outputs");
		if (!take(p, "_") && !(out[n_out] = parse_new_value(p)))
			return -EINVAL;
		n_out++;
	} while (take(p, ","));
	if (!take(p, "="))
		return bad(p, "= is expected");
	after = p->n_values;
	p->n_values = before; /* a node must not use its own outputs */
	n = parse_operator(p);
	p->n_values = after;
	if (!n)
		return -EINVAL;
	if (n_out > op_infos[n->op].max_out)
		return bad(p, "too many outputs");
	for (int i = 0; i < n_out; i++) {
		if (out[i])
			node_set_out(n, i, out[i]);
	}
	return 0;
}

static int parse_header(struct parser *p)
{
	const char *name, *source;
	s64 opset;

	if (!take(p, "graph"))
		return bad(p, "the first line must be: graph \"NAME\" from \"FILE\"");
	name = parse_name(p);
	if (!name || !take(p, "from"))
		return bad(p, "from is expected");
	source = parse_name(p);
	if (!source)
		return -EINVAL;
	p->g->name = name;
	p->g->source = source;
	if (!take(p, "opset"))
		return 0;
	if (parse_int(p, &opset) || opset < GRAPH_OPSET_MIN || opset > GRAPH_OPSET_MAX)
		return bad(p, "an operator set is expected");
	p->g->opset = (int)opset;
	return 0;
}

/* What the elements of the input or output @v stand for. */
static int parse_meaning(struct parser *p, struct value *v)
{
	s64 zero;

	if (!take(p, "scale"))
		return 0;
	if (parse_float(p, &v->scale) || !(v->scale > 0 && v->scale < 1e30f) || !take(p, "zero") ||
	    parse_int(p, &zero) || zero < INT32_MIN || zero > INT32_MAX)
		return bad(p, "scale NUMBER zero NUMBER is expected");
	v->zero_point = (s32)zero;
	return 0;
}

static int parse_line(struct parser *p, bool first)
{
	struct value *v;

	if (first)
		return parse_header(p);
	if (take(p, "input")) {
		v = parse_new_value(p);
		return v && !parse_meaning(p, v) ? graph_add_input(p->g, v) : -EINVAL;
	}
	if (take(p, "const"))
		return parse_const(p);
	if (take(p, "node"))
		return parse_node(p);
	if (take(p, "output")) {
		v = parse_old_value(p);
		if (v && v->is_output)
			return bad(p, "the output is listed twice");
		return v && !parse_meaning(p, v) ? graph_add_output(p->g, v) : -EINVAL;
	}
	return bad(p, "input, const, node or output is expected");
}

struct graph *graph_parse(const char *text, const char *source, struct compile_error *err)
{
	struct parser p = { .at = text, .source = source, .line = 1, .err = err };
	bool first = true;
	int rc = 0;

	p.g = graph_new("", source, err);
	if (!p.g)
		return NULL;
	for (; *p.at && !rc; p.line++) {
		if (*p.at == '#') {
			p.at += strcspn(p.at, "\n");
		} else if (!at_end(&p)) {
			rc = parse_line(&p, first);
			first = false;
			if (!rc && !at_end(&p))
				rc = bad(&p, "the line goes on where it should end");
		}
		if (*p.at == '\n')
			p.at++;
	}
	if (!rc && first)
		rc = bad(&p, "there is no graph");
	if (!rc)
		rc = graph_check(p.g);
	if (rc == -ENOTRECOVERABLE)
		err->code = -EINVAL; /* what the text says is broken, not what a pass made of it */
	if (!rc)
		return p.g;
	graph_free(p.g);
	return NULL;
}
