// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The whole compiler, as one list of passes, and the loop that runs them. */
#include "compiler/passes.h"
#include "compiler/backend.h"
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "compiler/host.h"
#include "compiler/plan_cost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Where the back half keeps what it makes. */
struct code {
	struct graph *g;
	const struct rondo_machine *machine;
	u64 sram; /* bytes of it that the program may use, */
	bool fitted; /* plans are, into that; else everything is in SRAM */
	u8 *crowded; /* as plans.crowded */
	int attempts; /* at addresses of what is fitted, so far */
	bool roll; /* as compile_options.roll */
	bool may_roll; /* some tiles are text that could be loops */
	struct arena planned; /* stages and plans, */
	struct arena_mark mark; /* and before what the next attempt to fit makes anew */
	struct stages stages;
	struct plans plans;
	struct arena lowered; /* what is lowered */
	struct lowering l;
	struct arena made; /* what is made of that, at most twice */
	struct transfer_list transfers;
	struct stream *stream;
	struct bundle_list bundles;
	struct emitted program; /* the best so far */
	bool prefilled; /* by prefill() */
	struct compiled *out;
};

static int run_live(struct code *c)
{
	int rc = pass_live(c->g);

	return rc ? rc : graph_check(c->g);
}

static int run_split(struct code *c)
{
	int rc = pass_split(c->g, c->machine->lanes, c->sram);

	return rc ? rc : graph_check(c->g);
}

static int run_flatten(struct code *c)
{
	int rc = pass_flatten(c->g);

	return rc ? rc : graph_check(c->g);
}

static int run_crop(struct code *c)
{
	int rc = pass_crop(c->g);

	return rc ? rc : graph_check(c->g);
}

static int run_narrow(struct code *c)
{
	int rc = c->g->bf16 ? pass_narrow(c->g, c->machine) : 0;

	return rc ? rc : graph_check(c->g);
}

static int run_stage(struct code *c)
{
	int rc = lower_check_sizes(c->g);

	c->g->work = &c->planned;
	if (!rc)
		rc = stages_make(c->g, &c->stages);
	if (!rc)
		stages_shuffle(&c->stages);
	if (!rc)
		c->crowded = graph_alloc(c->g, (size_t)c->stages.count + 1);
	if (!rc && !c->crowded)
		rc = c->g->err->code;
	return rc ? rc : stages_check(c->g, &c->stages);
}

static bool may_roll_more(const struct code *c)
{
	bool may = false;

	for (int i = 0; i < c->stages.count && c->fitted; i++) {
		const struct plan *plan = &c->plans.at[i];

		may |= plan->tiled && !plan->rolled &&
		       plan_may_roll(&c->plans, c->stages.at[i], plan, plan->tile);
	}
	return may;
}

static int run_plan(struct code *c)
{
	int rc = arena_set_mark(&c->planned, &c->mark) ? 0 : graph_fail(c->g, -ENOMEM, "no memory");

	c->g->work = &c->planned;
	if (!rc)
		rc = plans_make(c->g, &c->stages, c->machine, &c->plans);
	if (!rc && !c->fitted && plans_exceed(&c->plans, c->g, c->sram))
		c->fitted = true;
	c->plans.crowded = c->crowded;
	c->plans.roll = c->roll;
	if (!rc && !c->fitted)
		rc = plans_settle(c->g, &c->plans, c->machine);
	if (!rc && c->fitted)
		rc = plans_fit(c->g, &c->plans, c->machine, c->sram);
	c->may_roll = !rc && may_roll_more(c);
	return rc ? rc : plans_check(c->g, &c->plans, c->machine);
}

static int run_lower(struct code *c)
{
	c->g->work = &c->lowered;
	return lower_graph(&c->l, c->g, &c->plans, c->machine, c->sram);
}

static int run_place(struct code *c)
{
	return place_buffers(&c->l);
}

static int run_transfer(struct code *c)
{
	int rc;

	c->l.plans = NULL;
	arena_free(&c->planned);
	arena_free(&c->made);
	c->g->work = &c->made;
	rc = transfers_make(&c->l, &c->transfers);
	return rc ? rc : transfers_check(&c->l, &c->transfers);
}

static int run_stream(struct code *c)
{
	int rc = stream_make(&c->l, &c->transfers, &c->stream);

	return rc ? rc : stream_check(&c->l, c->stream);
}

static int run_bundles(struct code *c)
{
	struct graph *g = c->g;
	struct bundle_maker m = { .arena = &c->made };
	const char *fault;

	c->bundles = bundles_merge(&m, c->stream);
	c->bundles = bundles_roll(&m, &c->bundles);
	if (m.error == -EFBIG) {
		bundle_mark(&m, NULL);
		return node_fail(g, m.largest->node, -EFBIG,
				 "more than %d bundles, of which it takes %d, the most of all",
				 BUNDLE_NODES_MAX, m.most);
	}
	if (m.error)
		return graph_fail(g, m.error, "no memory");
	fault = bundles_check(&c->bundles, c->stream);
	return fault ? graph_fail(g, -ENOTRECOVERABLE, "%s", fault) : 0;
}

static int run_emit(struct code *c)
{
	struct emitted program;
	int rc = emit(&c->l, &c->transfers, &c->bundles, &program);

	if (rc)
		return rc;
	if (c->prefilled && program.cycles >= c->program.cycles) {
		emitted_free(&program);
		return 0;
	}
	emitted_free(&c->program);
	c->program = program;
	return 0;
}

static int run_file(struct code *c)
{
	arena_free(&c->made);
	return emit_file(&c->l, &c->program, c->out);
}

/* ---- What dumps show ----------------------------------------------------------------------- */

static void print_graph(const struct code *c, FILE *to)
{
	graph_print(to, c->g, false);
}

static void print_stages(const struct code *c, FILE *to)
{
	stages_print(&c->stages, to);
}

static void print_plans(const struct code *c, FILE *to)
{
	plans_print(&c->plans, to);
}

static void print_mir(const struct code *c, FILE *to)
{
	mir_print(&c->l.mir, to);
}

static void print_transfers(const struct code *c, FILE *to)
{
	transfers_print(&c->transfers, to);
}

static void print_stream(const struct code *c, FILE *to)
{
	stream_print(c->stream, to);
}

static void print_bundles(const struct code *c, FILE *to)
{
	bundles_print(&c->bundles, to);
}

static void print_program(const struct code *c, FILE *to)
{
	fprintf(to, "%" PRIu64 " bytes, %" PRIu64 " cycles\n", c->program.program.size,
		c->program.cycles);
}

static void print_file(const struct code *c, FILE *to)
{
	fprintf(to, "%" PRIu64 " bytes, %" PRIu64 " cycles\n", c->out->size, c->out->cycles);
}

/* ---- The list ------------------------------------------------------------------------------ */

#define GRAPH(name, run, what)              \
	{                                   \
		name, what, run, NULL, NULL \
	}
#define CODE(name, run, print, what)         \
	{                                    \
		name, what, NULL, run, print \
	}

const struct pass passes[] = {
	GRAPH("shape", pass_shape, "every attribute, type and shape; what is constant is computed"),
	GRAPH("simplify", pass_simplify,
	      "what does nothing goes; reshapes to View, bounds to Clip"),
	GRAPH("quantise", pass_quantise, "what lies between bytes is done in integers"),
	GRAPH("window", pass_window, "two spatial dimensions, explicit pads, pools with a kernel"),
	GRAPH("batchnorm", pass_batchnorm, "BatchNormalization to Mul and Add"),
	GRAPH("matmul", pass_matmul, "Gemm and MatMul to Linear"),
	GRAPH("softmax", pass_softmax, "Softmax along the last dimension"),
	GRAPH("tidy", pass_simplify, "simplify again: what the passes so far undo of each other"),
	GRAPH("affine", pass_affine, "constant Mul and Add into the weights and bias before them"),
	GRAPH("clamp", pass_clamp, "Clip into the node before it"),
	GRAPH("refold", pass_fold, "compute what the passes left constant"),
	GRAPH("outputs", pass_outputs, "a node of its own for every output; nothing unused"),
	GRAPH("final", pass_final, "check that only what the machine maps is left"),
	GRAPH("host", pass_host, "what the machine does not map goes to the host, if that may be"),
	CODE("live", run_live, print_graph,
	     "weights known only at run time: products of two activations"),
	CODE("split", run_split, print_graph,
	     "what is reduced along more than SRAM holds, in parts"),
	CODE("flatten", run_flatten, print_graph,
	     "what is flattened behind windows is read as it lies"),
	CODE("crop", run_crop, print_graph, "what no window sees is not computed"),
	CODE("narrow", run_narrow, print_graph, "operands of products to bf16, if that is wanted"),
	CODE("stage", run_stage, print_stages, "what is computed: domains and affine accesses"),
	CODE("plan", run_plan, print_plans, "how: layouts, units and tiles"),
	CODE("lower", run_lower, print_mir, "loops over operations of the machine"),
	CODE("place", run_place, print_mir, "addresses in SRAM"),
	CODE("transfer", run_transfer, print_transfers, "which bytes come in and go out"),
	CODE("stream", run_stream, print_stream, "which operation executes when"),
	CODE("schedule", run_bundles, print_bundles, "bundles and loops"),
	CODE("emit", run_emit, print_program, "the program's bytes, measured"),
	CODE("file", run_file, print_file, "the file that holds it, with the weights"),
	{ NULL, NULL, NULL, NULL, NULL },
};

static bool is_pass(const char *name)
{
	for (const struct pass *p = passes; p->name; p++) {
		if (!strcmp(p->name, name))
			return true;
	}
	return !strcmp(name, "read") || !strcmp(name, "all");
}

/* Where to print after @pass, or NULL. */
static FILE *wants_dump(const char *dump, FILE *to, const char *pass)
{
	if (!dump || (strcmp(dump, "all") && strcmp(dump, pass)))
		return NULL;
	to = to ? to : stdout;
	fprintf(to, "# after %s\n", pass);
	return to;
}

static int dump_graph(struct graph *g, const struct compile_options *o, const char *pass)
{
	FILE *to = wants_dump(o->dump_pass, o->dump_to, pass);

	if (to)
		graph_print(to, g, o->dump_data);
	return to && ferror(to) ? graph_fail(g, -EIO, "the graph cannot be printed") : 0;
}

/* Says that @p is next, and asks whether it is still to be done. */
static int begin_pass(const struct graph *g, const struct compile_options *o, const struct pass *p)
{
	const struct pass *end = p;

	while (end->name)
		end++;
	if (o->progress)
		o->progress(o->progress_context, p->name, (unsigned int)(p - passes),
			    (unsigned int)(end - passes));
	return arena_stopped(o->stop) ? graph_fail(g, -ENOMEM, "it is not to be compiled") : 0;
}

/* The message is of what a pass did wrong, not the model. */
static void own_fault(struct graph *g)
{
	compile_error_prefix(g->err, "internal error of the compiler");
}

int compile_run_passes(struct graph *g, const struct compile_options *options, const char *last)
{
	int rc;

	if (options->dump_pass && !is_pass(options->dump_pass))
		return graph_fail(g, -EINVAL, "there is no pass \"%.80s\" to dump",
				  options->dump_pass);
	g->host_allowed = options->host_allowed;
	rc = dump_graph(g, options, "read");
	for (const struct pass *p = passes; p->on_graph && !rc; p++) {
		rc = begin_pass(g, options, p);
		if (!rc)
			rc = p->on_graph(g);
		if (!rc)
			rc = graph_check(g);
		if (rc == -ENOTRECOVERABLE)
			own_fault(g);
		if (!rc)
			rc = dump_graph(g, options, p->name);
		if (last && !strcmp(p->name, last))
			break;
	}
	return rc;
}

/* ---- What does not fit into SRAM ------------------------------------------------------------- */

static const struct pass *pass_of(int (*on_code)(struct code *c))
{
	const struct pass *p = passes;

	while (p->on_code != on_code)
		p++;
	return p;
}

/* The stage that is made of @n, or @otherwise. */
static int stage_of(const struct stages *s, const struct node *n, int otherwise)
{
	for (int i = 0; i < s->count; i++) {
		if (s->at[i]->node == n)
			return i;
	}
	return otherwise;
}

/* Leaves more room at the stages between which the buffer lives that has no address, or at all. */
static void crowd(struct code *c, bool all)
{
	const struct mir *m = &c->l.mir;
	int end = c->stages.count - 1;
	int first = all ? 0 : stage_of(&c->stages, mir_user_of(m, c->l.unplaced), 0);
	int last = all ? end : stage_of(&c->stages, mir_last_user_of(m, c->l.unplaced), end);

	for (int i = first; i <= last; i++)
		c->crowded[i] += c->crowded[i] < PLAN_CROWDED_MAX;
}

enum { ATTEMPTS_APART = 8, ATTEMPTS = ATTEMPTS_APART + PLAN_CROWDED_MAX };

/* Some room is lost everywhere; more of it where there was too little, while that helps. */
static bool is_for_all(int attempt)
{
	return !attempt || attempt > ATTEMPTS_APART;
}

/*
 * First everything is planned to be in SRAM. If that does not fit, plans are fitted; they know how
 * many bytes live at a time, but not what lies between them when they have addresses, so that the
 * next attempts leave more room between values, and then between tiles, too. False: that makes no
 * difference any more.
 */
static bool fit_into_less(struct code *c)
{
	if (c->attempts == ATTEMPTS)
		return false;
	if (c->fitted)
		crowd(c, is_for_all(c->attempts++));
	c->fitted = true;
	compile_error_clear(c->g->err);
	arena_back_to(&c->planned, &c->mark);
	arena_free(&c->lowered);
	return true;
}

/*
 * Whether tiles that were text may be loops instead: what is counted before tiles are lowered is
 * about right only.
 */
static bool roll_instead(struct code *c)
{
	if (c->roll || !c->may_roll || c->prefilled)
		return false;
	c->roll = true;
	c->attempts = 0;
	compile_error_clear(c->g->err);
	arena_free(&c->planned);
	arena_free(&c->lowered);
	arena_free(&c->made);
	return true;
}

/* Whether to make the program once more, which clears less. */
static bool clear_less(struct code *c)
{
	if (c->prefilled || !prefill(&c->l))
		return false;
	c->prefilled = true;
	return true;
}

/* Whether the program that was made before it was to clear less is the one: that is too large. */
static bool keep_first(struct code *c)
{
	if (!c->prefilled)
		return false;
	compile_error_clear(c->g->err);
	return true;
}

int backend_compile(struct graph *g, const struct rondo_machine *machine,
		    const struct compile_options *options, struct compiled *out)
{
	static const struct compile_options defaults;
	const struct compile_options *o = options ? options : &defaults;
	struct code c = { .g = g, .machine = machine, .out = out, .roll = o->roll };
	int rc = 0;

	*out = (struct compiled){ 0 };
	c.planned.stop = c.lowered.stop = c.made.stop = g->arena.stop;
	g->bf16 = g->bf16 || o->bf16;
	c.sram = o->sram && o->sram < machine->sram_bytes ? o->sram : machine->sram_bytes;
	if (machine->mesh_w > 1 || machine->mesh_h > 1)
		return graph_fail(g, -ENOTSUP,
				  "models are compiled for machines of one tile, not of %u x %u",
				  machine->mesh_w, machine->mesh_h);
	for (const struct pass *p = passes; p->name && !rc; p++) {
		FILE *to;

		if (p->on_graph)
			continue;
		rc = begin_pass(g, o, p);
		if (!rc)
			rc = p->on_code(&c);
		if (rc == -ENOTRECOVERABLE)
			own_fault(g);
		to = rc ? NULL : wants_dump(o->dump_pass, o->dump_to, p->name);
		if (to)
			p->print(&c, to);
		if (rc == -EFBIG && p->on_code == run_place && fit_into_less(&c)) {
			rc = 0;
			p = pass_of(run_plan) - 1;
		}
		if (rc == -EFBIG && p->on_code != run_plan && p->on_code != run_place &&
		    roll_instead(&c)) {
			rc = 0;
			p = pass_of(run_stage) - 1;
		}
		if (rc == -EFBIG && keep_first(&c)) {
			rc = 0;
			p = pass_of(run_emit);
		}
		if (!rc && p->on_code == run_emit && clear_less(&c))
			p = pass_of(run_transfer) - 1;
	}
	g->work = NULL;
	emitted_free(&c.program);
	arena_free(&c.made);
	free(c.l.weights);
	arena_free(&c.lowered);
	arena_free(&c.planned);
	if (!rc) {
		out->host = g->host;
		g->host = NULL;
	}
	return rc;
}

void compiled_free(struct compiled *c)
{
	free(c->file);
	host_free(c->host);
	*c = (struct compiled){ 0 };
}

int compile_model(const void *bytes, size_t size, const char *name,
		  const struct compile_options *options, const struct rondo_machine *machine,
		  struct compiled *out, struct compile_error *err)
{
	struct graph *g;
	int rc = compile_graph(bytes, size, name, options, &g, err);

	*out = (struct compiled){ 0 };
	if (rc)
		return rc;
	rc = backend_compile(g, machine, options, out);
	graph_free(g);
	return rc;
}
