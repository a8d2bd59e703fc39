// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Functions of matrices: Einsum, Det. */
#include "compiler/expand.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* ---- Einsum: dimensions have letters; those of an ellipsis are the last digits up to 9 ------- */

enum { TERMS_MAX = 16 /* as functions.def has it */, LETTERS = 128 };

struct term {
	struct value *v;
	int n;
	char at[TENSOR_RANK_MAX + 1]; /* the letter of each dimension, then 0 */
};

struct einsum {
	struct expand *e;
	struct term in[TERMS_MAX], out;
	int terms, dots; /* dimensions of the longest ellipsis */
	s64 size[LETTERS];
};

static int bad_equation(const struct einsum *s)
{
	return expand_refuse(s->e, -EINVAL, "equation \"%.120s\" does not fit its inputs",
			     s->e->n->attrs.equation);
}

static bool has(const struct term *t, char letter)
{
	return strchr(t->at, letter) != NULL;
}

/* One term of at most @rank dimensions from @text on, an ellipsis of @dots; the end, or NULL. */
static const char *read_term(const char *text, int rank, int dots, struct term *t)
{
	t->n = 0;
	for (; *text && *text != ',' && *text != '-'; text++) {
		if (*text == ' ')
			continue;
		if (t->n + (*text == '.' ? dots : 1) > rank)
			return NULL;
		if (!strncmp(text, "...", 3)) {
			for (int i = 0; i < dots; i++)
				t->at[t->n++] = (char)('9' - dots + 1 + i);
			text += 2;
		} else if (isalpha((unsigned char)*text)) {
			t->at[t->n++] = *text;
		} else {
			return NULL;
		}
	}
	t->at[t->n] = '\0';
	return text;
}

/* Dimensions that the ellipsis of the term at @text stands for. */
static int dots_of(const char *text, int rank)
{
	bool ellipsis = false;

	for (; *text && *text != ',' && *text != '-'; text++) {
		ellipsis |= *text == '.';
		rank -= isalpha((unsigned char)*text) != 0;
	}
	return ellipsis && rank > 0 ? rank : 0;
}

/* Without "->": the ellipsis, then the letters that are there once, in their order. */
static void usual_output(struct einsum *s)
{
	for (int letter = '0'; letter < LETTERS; letter++) {
		int count = 0;

		for (int i = 0; i < s->terms; i++) {
			for (const char *c = s->in[i].at; *c; c++)
				count += *c == letter;
		}
		if ((count == 1 || (count && isdigit(letter))) && s->out.n < TENSOR_RANK_MAX)
			s->out.at[s->out.n++] = (char)letter;
	}
}

/* A size of 1 of an ellipsis broadcasts. */
static bool note_sizes(struct einsum *s, const struct term *t)
{
	for (int d = 0; d < t->n; d++) {
		s64 *size = &s->size[(int)t->at[d]], is = t->v->shape.dim[d];

		if (*size && *size != is &&
		    !(isdigit((unsigned char)t->at[d]) && (is == 1 || *size == 1)))
			return false;
		*size = is > *size ? is : *size;
		if (!is)
			return false;
	}
	return true;
}

static int read_equation(struct einsum *s)
{
	const char *at = s->e->n->attrs.equation;

	for (s->terms = 0; s->terms < s->e->n->n_in; s->terms++) {
		struct term *t = &s->in[s->terms];
		int rank, dots;

		t->v = ex_in(s->e, s->terms);
		if (!t->v || (s->terms && *at++ != ','))
			return bad_equation(s);
		rank = t->v->shape.rank;
		dots = dots_of(at, rank);
		s->dots = dots > s->dots ? dots : s->dots;
		at = read_term(at, rank, dots, t);
		if (!at || t->n != rank || !note_sizes(s, t))
			return bad_equation(s);
	}
	if (!*at)
		usual_output(s);
	else if (at[0] != '-' || at[1] != '>' ||
		 !(at = read_term(at + 2, TENSOR_RANK_MAX, s->dots, &s->out)) || *at)
		return bad_equation(s);
	for (const char *c = s->out.at; *c; c++) {
		if (!s->size[(int)*c] || strchr(c + 1, *c))
			return bad_equation(s);
	}
	return 0;
}

/* @t with its dimensions in the order of @to, of the same letters. */
static void reorder(struct einsum *s, struct term *t, const char *to)
{
	int perm[TENSOR_RANK_MAX];

	for (int d = 0; d < t->n; d++)
		perm[d] = (int)(strchr(t->at, to[d]) - t->at);
	t->v = ex_transpose(s->e, t->v, perm);
	memcpy(t->at, to, (size_t)t->n);
}

/* A letter that is there twice: the elements at which both indices are one. */
static void take_diagonal(struct einsum *s, struct term *t, int a, int b)
{
	int perm[TENSOR_RANK_MAX], n = 0;
	char letter = t->at[a];
	struct shape flat;
	s64 size = t->v->shape.dim[a], first[TENSOR_RANK_MAX] = { 0 }, step[TENSOR_RANK_MAX];

	for (int d = 0; d < t->n; d++) {
		if (d == a || d == b)
			continue;
		t->at[n] = t->at[d];
		perm[n++] = d;
	}
	t->at[n] = letter;
	t->at[n + 1] = '\0';
	perm[n] = a;
	perm[n + 1] = b;
	t->n = n + 1;
	t->v = ex_transpose(s->e, t->v, perm);
	if (!t->v)
		return;
	flat = t->v->shape;
	flat.rank = t->n;
	flat.dim[n] = size * size;
	t->v = ex_view(s->e, t->v, &flat);
	for (int d = 0; d < t->n; d++)
		step[d] = d == n ? size + 1 : 1;
	flat.dim[n] = size;
	t->v = ex_part(s->e, t->v, first, step, &flat);
}

static void take_diagonals(struct einsum *s, struct term *t)
{
	for (int a = 0; a < t->n; a++) {
		const char *twin = strchr(t->at + a + 1, t->at[a]);

		if (twin && t->v) {
			take_diagonal(s, t, a, (int)(twin - t->at));
			a = -1;
		}
	}
}

/* Sums over the letters that @keep does not hold. */
static void sum_others(struct einsum *s, struct term *t, const bool keep[LETTERS])
{
	struct dims gone = { 0 };
	struct shape to = { 0 };
	int n = 0;

	for (int d = 0; d < t->n && t->v; d++) {
		if (!keep[(int)t->at[d]]) {
			gone.v[gone.n++] = d;
			continue;
		}
		to.dim[to.rank++] = t->v->shape.dim[d];
		t->at[n++] = t->at[d];
	}
	t->at[n] = '\0';
	t->n = n;
	t->v = ex_view(s->e, ex_over(s->e, OP_SUMOVER, t->v, &gone), &to);
}

/* Letters of two terms by what becomes of them. */
struct classes {
	char batch[TENSOR_RANK_MAX + 1], left[TENSOR_RANK_MAX + 1], right[TENSOR_RANK_MAX + 1];
	char inner[TENSOR_RANK_MAX + 1];
};

static void append(char *to, char letter)
{
	size_t n = strlen(to);

	to[n] = letter;
	to[n + 1] = '\0';
}

static void classify(const struct term *a, const struct term *b, const bool keep[LETTERS],
		     struct classes *c)
{
	*c = (struct classes){ 0 };
	for (const char *l = a->at; *l; l++)
		append(!has(b, *l) ? c->left : keep[(int)*l] ? c->batch : c->inner, *l);
	for (const char *l = b->at; *l; l++) {
		if (!has(a, *l))
			append(c->right, *l);
	}
}

static s64 size_of(const struct einsum *s, const char *letters)
{
	s64 size = 1;

	for (; *letters; letters++)
		size *= s->size[(int)*letters];
	return size;
}

/* @t as a stack of matrices, of the letters @rows and @columns, each of full size. */
static struct value *stack(struct einsum *s, struct term *t, const char *batch, const char *rows,
			   const char *columns)
{
	struct shape wide = { .rank = t->n };
	char order[3 * TENSOR_RANK_MAX + 1];

	snprintf(order, sizeof(order), "%s%s%s", batch, rows, columns);
	reorder(s, t, order);
	for (int d = 0; d < t->n; d++)
		wide.dim[d] = s->size[(int)order[d]];
	return ex_view(
		s->e, ex_stretch(s->e, t->v, &wide),
		&(struct shape){ 3, { size_of(s, batch), size_of(s, rows), size_of(s, columns) } });
}

/* @a becomes the product of both, of the letters that @keep holds. */
static int join(struct einsum *s, struct term *a, struct term *b, const bool keep[LETTERS])
{
	bool both[LETTERS];
	struct value *x, *y;
	struct shape to;
	struct classes c;

	for (int l = 0; l < LETTERS; l++)
		both[l] = keep[l] || (has(a, (char)l) && has(b, (char)l));
	sum_others(s, a, both);
	sum_others(s, b, both);
	classify(a, b, keep, &c);
	if (strlen(c.batch) + strlen(c.left) + strlen(c.right) > TENSOR_RANK_MAX)
		return expand_refuse(s->e, -EFBIG, "more than %d dimensions between",
				     TENSOR_RANK_MAX);
	x = stack(s, a, c.batch, c.left, c.inner);
	y = stack(s, b, c.batch, c.inner, c.right);
	a->v = ex2(s->e, c.inner[0] ? OP_MATMUL : OP_MUL, x, y);
	to = (struct shape){ 0 };
	a->at[0] = '\0';
	for (int part = 0; part < 3; part++) {
		for (const char *l = part == 0 ? c.batch : part == 1 ? c.left : c.right; *l; l++) {
			append(a->at, *l);
			to.dim[to.rank++] = s->size[(int)*l];
		}
	}
	a->n = to.rank;
	a->v = ex_view(s->e, a->v, &to);
	return a->v ? 0 : s->e->g->err->code;
}

/* The letters of the result, and of the inputs behind number @i. */
static void kept_letters(const struct einsum *s, int i, bool keep[LETTERS])
{
	for (int l = 0; l < LETTERS; l++) {
		keep[l] = has(&s->out, (char)l);
		for (int k = i + 1; k < s->terms; k++)
			keep[l] |= has(&s->in[k], (char)l);
	}
	keep[0] = false;
}

int expand_einsum(struct expand *e)
{
	struct einsum s = { .e = e };
	bool keep[LETTERS];
	struct shape to;
	int rc = read_equation(&s);

	for (int i = 0; i < s.terms && !rc; i++)
		take_diagonals(&s, &s.in[i]);
	for (int i = 1; i < s.terms && !rc; i++) {
		kept_letters(&s, i, keep);
		rc = join(&s, &s.in[0], &s.in[i], keep);
	}
	if (rc)
		return rc;
	kept_letters(&s, s.terms, keep);
	sum_others(&s, &s.in[0], keep);
	if (!s.in[0].v)
		return e->g->err->code;
	reorder(&s, &s.in[0], s.out.at);
	to = (struct shape){ .rank = s.out.n };
	for (int d = 0; d < s.out.n; d++)
		to.dim[d] = s.size[(int)s.out.at[d]];
	return expand_output(e, 0, ex_stretch(e, s.in[0].v, &to));
}

/* ---- Det
 * ----------------------------------------------------------------------------------------- */

enum { DET_MAX = 4 };

/* The determinant of the rows from @row on, without the columns in @gone: by its first row. */
static struct value *minor_of(struct expand *e, struct value *x, int row, u32 gone)
{
	int d = x->shape.rank - 1, n = (int)x->shape.dim[d];
	struct value *sum = NULL, *of_row = ex_slice(e, x, d - 1, row, 1);
	bool minus = false;

	for (int column = 0; column < n; column++) {
		struct value *t;

		if (gone >> column & 1)
			continue;
		t = ex_slice(e, of_row, d, column, 1);
		if (row + 1 < n)
			t = ex2(e, OP_MUL, t, minor_of(e, x, row + 1, gone | 1u << column));
		sum = !sum ? t : ex2(e, minus ? OP_SUB : OP_ADD, sum, t);
		if (!sum)
			return NULL;
		minus = !minus;
	}
	return sum;
}

int expand_det(struct expand *e)
{
	struct value *x = ex_in(e, 0);
	struct shape to = x->shape;

	if (to.rank < 2 || to.dim[to.rank - 1] != to.dim[to.rank - 2] || !to.dim[to.rank - 1])
		return expand_refuse(e, -EINVAL, "its input is no square matrix");
	if (to.dim[to.rank - 1] > DET_MAX)
		return expand_refuse(e, -ENOTSUP, "matrices of %lld rows; up to %d are mapped",
				     (long long)to.dim[to.rank - 1], DET_MAX);
	to.rank -= 2;
	x = minor_of(e, x, 0, 0);
	return expand_as(e, x == ex_in(e, 0) ? ex1(e, OP_IDENTITY, x) : x, &to);
}
