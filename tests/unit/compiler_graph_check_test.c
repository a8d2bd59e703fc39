// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * graph_check() finds each way in which a pass could break a graph, and graph_sort() brings nodes
 * into an order of production without moving more than it must.
 */
#include "compiler/compiler.h"
#include "compiler/graph_sort.h"
#include "compiler/graph_text.h"
#include "tests/tap.h"

#include <errno.h>

static const char text[] = "graph \"g\" from \"m\"\n"
			   "input %0 \"x\" f32[4]\n"
			   "const %1 \"c\" f32[4] = 1 2 3 4\n"
			   "node %2 \"a\" ? = Relu \"a\" %0\n"
			   "node %3 \"b\" ? = Add \"b\" %2 %1\n"
			   "node %4 \"e\" ?, %5 \"mask\" ? = Dropout \"e\" %3\n"
			   "node %6 \"d\" ? = Clip \"d\" %4\n"
			   "output %5\noutput %6\n";

static struct graph *fresh(struct compile_error *err)
{
	static const struct compile_options no_options;
	struct graph *g = graph_parse(text, "m", err);

	if (!g || compile_run_passes(g, &no_options, "shape")) {
		printf("Bail out! %s\n", err->text);
		exit(1);
	}
	return g;
}

/* The nodes, and what is done to them. */
static struct node *relu(struct graph *g)
{
	return g->first;
}

static struct node *add(struct graph *g)
{
	return g->first->next;
}

static struct node *clip(struct graph *g)
{
	return g->last;
}

static void too_few_inputs(struct graph *g)
{
	add(g)->n_in = 1;
}

static void too_many_inputs(struct graph *g)
{
	node_set_in(relu(g), 1, add(g)->in[1].value);
}

static void no_output(struct graph *g)
{
	relu(g)->n_out = 0;
}

static void too_many_outputs(struct graph *g)
{
	relu(g)->n_out = 2;
}

static void no_first_output(struct graph *g)
{
	relu(g)->out[0] = NULL;
}

static void wrong_next(struct graph *g)
{
	relu(g)->next = clip(g);
}

static void wrong_prev(struct graph *g)
{
	clip(g)->prev = relu(g);
}

static void wrong_first(struct graph *g)
{
	g->first = add(g);
}

static void first_has_prev(struct graph *g)
{
	relu(g)->prev = add(g);
}

static void wrong_last(struct graph *g)
{
	g->last = add(g);
}

static void missing_input(struct graph *g)
{
	node_set_in(add(g), 0, NULL);
}

static void wrong_user(struct graph *g)
{
	add(g)->in[1].node = clip(g);
}

static void wrong_link(struct graph *g)
{
	static struct operand *none;

	add(g)->in[1].pprev = &none;
}

static void used_before(struct graph *g)
{
	node_set_in(relu(g), 0, clip(g)->out[0]);
}

static void twice(struct graph *g)
{
	add(g)->out[0] = relu(g)->out[0];
}

static void produced_input(struct graph *g)
{
	relu(g)->out[0]->is_input = true;
}

static void produced_constant(struct graph *g)
{
	relu(g)->out[0]->data = add(g)->in[1].value->data;
}

static void no_producer(struct graph *g)
{
	relu(g)->out[0]->producer = NULL;
}

static void untyped_input(struct graph *g)
{
	node_in(relu(g), 0)->typed = false;
}

static void no_attribute(struct graph *g)
{
	clip(g)->attrs.given[ATTR_hi] = false;
}

static void other_type(struct graph *g)
{
	relu(g)->out[0]->dtype = DTYPE_S32;
}

static void other_shape(struct graph *g)
{
	clip(g)->out[0]->shape.dim[0] = 5;
}

/* The second of two: the first decides whether the node has types at all. */
static void untyped_output(struct graph *g)
{
	clip(g)->prev->out[1]->typed = false;
}

static void no_output_flag(struct graph *g)
{
	clip(g)->out[0]->is_output = false;
}

static void lost_output(struct graph *g)
{
	struct value *v = clip(g)->out[0];

	graph_remove(g, clip(g));
	v->is_output = true;
}

static void test_broken(void)
{
	static const struct {
		void (*spoil)(struct graph *g);
		const char *what;
	} rows[] = {
#define ROW(spoil, what) { spoil, what }
		ROW(too_few_inputs, "wrong number of inputs or outputs"),
		ROW(too_many_inputs, "wrong number of inputs or outputs"),
		ROW(no_output, "wrong number of inputs or outputs"),
		ROW(too_many_outputs, "wrong number of inputs or outputs"),
		ROW(no_first_output, "wrong number of inputs or outputs"),
		ROW(wrong_next, "the list of nodes is broken"),
		ROW(wrong_prev, "the list of nodes is broken"),
		ROW(wrong_first, "an input is used before it is produced"),
		ROW(first_has_prev, "the list of nodes is broken"),
		ROW(wrong_last, "the list of nodes is broken"),
		ROW(missing_input, "a required input is missing"),
		ROW(wrong_user, "a use is not linked"),
		ROW(wrong_link, "a use is not linked"),
		ROW(used_before, "an input is used before it is produced"),
		ROW(twice, "an output is produced twice"),
		ROW(produced_input, "an output is produced twice"),
		ROW(produced_constant, "an output is produced twice"),
		ROW(no_producer, "an output is produced twice"),
		ROW(untyped_input, "an output has a type, an input has none"),
		ROW(no_attribute, "a typed node lacks an attribute"),
		ROW(other_type, "a value's type is not what its operator gives"),
		ROW(other_shape, "a value's type is not what its operator gives"),
		ROW(untyped_output, "a value's type is not what its operator gives"),
		ROW(no_output_flag, "output \"d\" is lost"),
		ROW(lost_output, "output \"d\" is lost"),
#undef ROW
	};
	struct compile_error err = { 0 };
	struct graph *g = fresh(&err);

	tap_eq(graph_check(g), 0, "a graph that is whole");
	graph_free(g);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		g = fresh(&err);
		rows[i].spoil(g);
		if (!tap_ok(graph_check(g) && strstr(err.text, rows[i].what), "%zu: %s", i,
			    rows[i].what))
			printf("# %s\n", err.text);
		graph_free(g);
		err = (struct compile_error){ 0 };
	}
}

/* The names of the nodes in the order of the list; the names are single letters. */
static const char *order(const struct graph *g, char names[16])
{
	int n = 0;

	for (const struct node *node = g->first; node; node = node->next)
		names[n++] = node->name[0];
	names[n] = 0;
	return names;
}

/*
 * a and b need the input only, c needs a, d needs c and b: a sort that goes by what is ready would
 * turn "acbd" into "abcd".
 */
static void test_sort(void)
{
	static const struct {
		const char *nodes, *sorted;
	} rows[] = {
		{ "acbd", "acbd" }, { "abcd", "abcd" }, { "bacd", "bacd" }, { "dcba", "bacd" }
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct compile_error err = { 0 };
		struct graph *g = graph_new("g", "m", &err);
		const struct shape shape = { 1, { 4 } };
		struct value *v[5] = { graph_value(g, "x") };
		char names[16];

		value_set_type(v[0], DTYPE_F32, &shape);
		graph_add_input(g, v[0]);
		for (int k = 1; k < 5; k++)
			v[k] = graph_value(g, (char[]){ (char)('a' + k - 1), 0 });
		for (int k = 0; k < 4; k++) {
			char which = rows[i].nodes[k];
			struct node *n = graph_node(g, NULL, which == 'd' ? OP_ADD : OP_RELU,
						    (char[]){ which, 0 }, 1 + (which == 'd'));

			node_set_in(n, 0, which == 'd' ? v[3] : which == 'c' ? v[1] : v[0]);
			if (which == 'd')
				node_set_in(n, 1, v[2]);
			node_set_out(n, 0, v[which - 'a' + 1]);
		}
		graph_add_output(g, v[4]);
		tap_ok(!graph_sort(g) && !strcmp(order(g, names), rows[i].sorted) &&
			       !graph_check(g),
		       "%s becomes %s", rows[i].nodes, names);
		graph_free(g);
	}
}

int main(void)
{
	test_broken();
	test_sort();
	return tap_done();
}
