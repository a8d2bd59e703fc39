// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Random functions that are made of products of matrices: recurrences, Einsum, samples. */
#include "tests/fuzz/graph_generate.h"
#include "tests/fuzz/graph_generator.h"

#include <string.h>

/* ---- Recurrences ----------------------------------------------------------------------------- */

/* An input that is left out, or a value of [@a, @b, @c], where 0 is no dimension. */
static int maybe(struct generator *g, u32 count, s64 a, s64 b, s64 c)
{
	struct shape s = { c ? 3 : b ? 2 : 1, { a, b, c } };

	return rarely(g, count) ? factor(g, &s) : -1;
}

static int lengths(struct generator *g, s64 batch, s64 steps)
{
	static const char *const few[] = { "1", "1 2 0", "3 1 2" };

	if (!rarely(g, 3))
		return -1;
	return new_numbers(g, &(struct shape){ 1, { batch } }, few[steps < 3 ? steps - 1 : 2], 3,
			   DTYPE_S32);
}

static void make_recurrence(struct generator *g, enum op op, s64 gates, const char *const forms[3])
{
	static const char *const ways[] = { "", " direction=\"reverse\"",
					    " direction=\"bidirectional\"" };
	s64 steps = 1 + (s64)pick(g, 4), batch = 1 + (s64)pick(g, 3), size = 1 + (s64)pick(g, 5);
	s64 inputs = small_size(g);
	u32 way = pick(g, 3);
	s64 n = way == 2 ? 2 : 1;
	bool batch_first = rarely(g, 3);
	struct shape x = { 3, { steps, batch, inputs } }, to = { 4, { steps, n, batch, size } };
	s64 a = batch_first ? batch : n, b = batch_first ? n : batch;
	int in[8];

	if (batch_first) {
		x = (struct shape){ 3, { batch, steps, inputs } };
		to = (struct shape){ 4, { batch, steps, n, size } };
	}
	in[0] = new_input(g, &x);
	in[1] = factor(g, &(struct shape){ 3, { n, gates * size, inputs } });
	in[2] = factor(g, &(struct shape){ 3, { n, gates * size, size } });
	in[3] = maybe(g, 2, n, 2 * gates * size, 0);
	in[4] = lengths(g, batch, steps);
	in[5] = maybe(g, 2, a, b, size);
	in[6] = op == OP_LSTM ? maybe(g, 2, a, b, size) : -1;
	in[7] = op == OP_LSTM ? maybe(g, 2, n, 3 * size, 0) : -1;
	begin_node(g, op, &to, made(DTYPE_F32, 1000, 1e-2));
	for (int i = 0; i < (op == OP_LSTM ? 8 : 6); i++) {
		if (in[i] < 0)
			fprintf(g->to, " _");
		else
			input(g, in[i]);
	}
	fprintf(g->to, "%s%s%s\n", ways[way], forms[pick(g, 3)], batch_first ? " layout=1" : "");
}

void make_RNN(struct generator *g)
{
	static const char *const forms[] = { "", " activations=\"HardSigmoid,HardSigmoid\"",
					     " clip=1" };

	make_recurrence(g, OP_RNN, 1, forms);
}

void make_GRU(struct generator *g)
{
	static const char *const forms[] = { "", " linear_before_reset=1",
					     " activations=\"Sigmoid,Softsign,Sigmoid,Tanh\"" };

	make_recurrence(g, OP_GRU, 3, forms);
}

void make_LSTM(struct generator *g)
{
	static const char *const forms[] = { "", " input_forget=1", " clip=2" };

	make_recurrence(g, OP_LSTM, 4, forms);
}

/* ---- Matrices -------------------------------------------------------------------------------- */

void make_EINSUM(struct generator *g)
{
	static const struct {
		const char *equation, *terms[3], *to;
	} forms[] = {
		{ "ij->ji", { "ij" }, "ji" },
		{ "iji->j", { "iji" }, "j" },
		{ "bij,bjk->bik", { "bij", "bjk" }, "bik" },
		{ "bhid,bhjd->bhij", { "bhid", "bhjd" }, "bhij" },
		{ "i,j", { "i", "j" }, "ij" },
		{ "ij,ik,il->jkl", { "ij", "ik", "il" }, "jkl" },
		{ "b...k,kd->...db", { "bhk", "kd" }, "hdb" },
		{ "ij,ij->", { "ij", "ij" }, "" },
	};
	u32 form = pick(g, sizeof(forms) / sizeof(forms[0]));
	s64 size[128];
	struct shape s = { 0 };
	int in[3], n = 0;

	for (int l = 0; l < 128; l++)
		size[l] = 0;
	for (; n < 3 && forms[form].terms[n]; n++) {
		s.rank = 0;
		for (const char *l = forms[form].terms[n]; *l; l++) {
			if (!size[(int)*l])
				size[(int)*l] = small_size(g);
			s.dim[s.rank++] = size[(int)*l];
		}
		in[n] = n ? factor(g, &s) : new_input(g, &s);
	}
	s.rank = 0;
	for (const char *l = forms[form].to; *l; l++)
		s.dim[s.rank++] = size[(int)*l];
	begin_node(g, OP_EINSUM, &s, made(DTYPE_F32, 2000, 0));
	for (int i = 0; i < n; i++)
		input(g, in[i]);
	fprintf(g->to, " equation=\"%s\"\n", forms[form].equation);
}

void make_DET(struct generator *g)
{
	s64 n = 1 + (s64)pick(g, 4);
	int x = new_input(g, &(struct shape){ 3, { small_size(g), n, n } });

	begin_node(g, OP_DET, &(struct shape){ 1, { shape_of(g, x)->dim[0] } },
		   made(DTYPE_F32, 400, 0));
	input(g, x);
	end_node(g);
}

/* ---- Samples --------------------------------------------------------------------------------- */

void make_GRIDSAMPLE(struct generator *g)
{
	static const char *const modes[] = { "", " mode=\"nearest\"", " mode=\"cubic\"" };
	static const char *const outside[] = { "", " padding_mode=\"border\"",
					       " padding_mode=\"reflection\"" };
	int spatial = 1 + (int)pick(g, 3), x, at;
	struct shape s = { 2 + spatial, { 1 + (s64)pick(g, 2), small_size(g) } }, grid = s, to = s;

	for (int d = 2; d < s.rank; d++) {
		s.dim[d] = 1 + (s64)pick(g, 5);
		grid.dim[d - 1] = to.dim[d] = 1 + (s64)pick(g, 4);
	}
	grid.dim[s.rank - 1] = spatial;
	x = new_input(g, &s);
	at = new_input(g, &grid);
	begin_node(g, OP_GRIDSAMPLE, &to, made(DTYPE_F32, 40, 1e-3));
	input(g, x);
	input(g, at);
	fprintf(g->to, "%s%s%s\n", modes[pick(g, 3)], outside[pick(g, 3)],
		rarely(g, 2) ? " align_corners=1" : "");
}

void make_AFFINEGRID(struct generator *g)
{
	bool deep = rarely(g, 2);
	int theta = new_input(g, &(struct shape){ 3, { 2, deep ? 3 : 2, deep ? 4 : 3 } });
	int size = new_numbers(g, &(struct shape){ 1, { deep ? 5 : 4 } },
			       deep ? "2 7 1 3 4" : "2 7 4 5", 7, DTYPE_S64);
	struct shape flat = { 4, { 2, 4, 5, 2 } }, cube = { 5, { 2, 1, 3, 4, 3 } };

	begin_node(g, OP_AFFINEGRID, deep ? &cube : &flat, made(DTYPE_F32, 8, 1e-4));
	input(g, theta);
	input(g, size);
	fprintf(g->to, "%s\n", rarely(g, 2) ? " align_corners=1" : "");
}

void make_MAXUNPOOL(struct generator *g)
{
	struct shape s = { 4, { 1 + (s64)pick(g, 2), small_size(g), 2, 3 } }, to = s;
	int x = new_input(g, &s), index = new_typed(g, &s, DTYPE_S64);

	to.dim[2] = 4;
	to.dim[3] = 6;
	begin_node(g, OP_MAXUNPOOL, &to, made(DTYPE_F32, 12, 0));
	input(g, x);
	input(g, index);
	fprintf(g->to, " kernel=2,2 strides=2,2\n");
}

/* ---- Caches ---------------------------------------------------------------------------------- */

void make_TENSORSCATTER(struct generator *g)
{
	s64 batch = 1 + (s64)pick(g, 3), places = 2 + (s64)pick(g, 6), more = 1 + (s64)pick(g, 2);
	struct shape s = { 3, { batch, places, small_size(g) } },
		     of = { 3, { batch, more, s.dim[2] } };
	int x = new_input(g, &s), update = new_input(g, &of), at = -1;

	if (rarely(g, 2))
		at = rarely(g, 2) ?
			     new_typed(g, &(struct shape){ 1, { batch } }, DTYPE_S64) :
			     new_numbers(g, &(struct shape){ 1, { batch } }, "0 1 2", 2, DTYPE_S64);
	begin_node(g, OP_TENSORSCATTER, &s, made(DTYPE_F32, 2, 0));
	input(g, x);
	input(g, update);
	if (at >= 0)
		input(g, at);
	fprintf(g->to, "%s\n", rarely(g, 2) ? " mode=\"circular\"" : "");
}

void make_OPTIONALGET(struct generator *g)
{
	int x = operand(g, 0, 4);
	struct shape s = *shape_of(g, x);

	begin_node(g, OP_OPTIONALGET, &s, g->value[x]);
	input(g, x);
	end_node(g);
}
