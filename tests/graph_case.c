// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tests/graph_case.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/bound.h"
#include "compiler/compiler.h"
#include "compiler/eval.h"
#include "compiler/graph_text.h"
#include "compiler/host.h"
#include "compiler/passes.h"
#include "compiler/rondo_compile.h"
#include "core/machine.h"
#include "tests/network_run.h"

enum { TENSORS_MAX = 32 };

static const struct compile_options no_options;

/* One case while it runs. Outputs: as the model has the graph, normalised, of the program. */
struct graph_run {
	const char *text;
	char *why;
	struct compile_error err;
	struct graph *model, *normal;
	struct graph
		*cut; /* normalised, without what is on the host; NULL: all is in the program */
	unsigned int host_seed; /* 0: nothing is left to the host */
	bool bf16; /* products take bf16, as many as the machine has reason to */
	struct compiled program;
	struct tensor_data in[TENSORS_MAX], of_model[TENSORS_MAX], of_normal[TENSORS_MAX],
		of_program[TENSORS_MAX];
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct graph_run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, GRAPH_CASE_WHY, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- The text ------------------------------------------------------------------------------ */

/* The fixed sequence: number @i of the one that begins with @seed. */
static float sequence(uint32_t seed, int64_t i)
{
	uint32_t x = (seed + 1) * 2654435761u + (uint32_t)i * 2246822519u;

	x = (x ^ x >> 15) * 2246822519u;
	x = (x ^ x >> 13) * 3266489917u;
	return (float)((x >> 16) % 17) / 4 - 2;
}

/* What stands behind "#: @word %@id", or NULL; @id < 0: behind "#: @word". */
static const char *directive(const char *text, const char *word, int id)
{
	char begin[64];

	snprintf(begin, sizeof(begin), id < 0 ? "#: %s " : "#: %s %%%d ", word, id);
	for (; text; text = strchr(text, '\n'), text += !!text)
		if (!strncmp(text, begin, strlen(begin)))
			return text + strlen(begin);
	return NULL;
}

/* The number of the @i-th value that a line "@kind %NUMBER" names. */
static int value_number(const char *text, const char *kind, size_t i)
{
	char begin[64];

	snprintf(begin, sizeof(begin), "%s %%", kind);
	for (; text; text = strchr(text, '\n'), text += !!text)
		if (!strncmp(text, begin, strlen(begin)) && !i--)
			return atoi(text + strlen(begin));
	return -1;
}

/* Elements of the type on a line, "f32[2,3]". */
static int64_t elements(const char *line)
{
	const char *at = strstr(line, "\" ");
	int64_t n = 1;

	at = at ? strchr(at, '[') : NULL;
	while (at && *at != ']' && at[1] != ']')
		n *= strtoll(at + 1, (char **)&at, 10);
	return n;
}

/* "1 2 ..." as many values as the line's type has; @seed: of the sequence where there are none. */
static void expand(FILE *to, const char *line, const char *values, const char *dots, int seed)
{
	int64_t n = elements(line), i;
	const char *at = values;

	fprintf(to, "%.*s", (int)(values - line), line);
	for (i = 0; i < n; i++) {
		while (*at == ' ')
			at++;
		if (at == dots)
			at = values + strspn(values, " ");
		if (at == dots)
			fprintf(to, " %g", (double)sequence((uint32_t)seed, i));
		else
			fprintf(to, " %.*s", (int)strcspn(at, " "), at);
		at += at == dots ? 0 : strcspn(at, " ");
	}
}

/* The text with every "..." expanded; the caller frees it. */
static char *expanded(const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = strndup(text, len);
		const char *values = strstr(line, "= "), *dots = strstr(line, " ...");

		if (!strncmp(line, "const %", 7) && values && dots)
			expand(f, line, values + 1, dots + 1, atoi(line + 7));
		else
			fputs(line, f);
		fputc('\n', f);
		free(line);
		text += len + !!text[len];
	}
	fclose(f);
	return out;
}

/* ---- Tensors ------------------------------------------------------------------------------- */

static void set(struct tensor_data *t, int64_t i, const char *value, char **end)
{
	long long whole;

	if (t->dtype == DTYPE_F32) {
		((float *)t->bytes)[i] = strtof(value, end);
		return;
	}
	whole = strtoll(value, end, 10);
	memcpy((char *)t->bytes + (size_t)i * dtype_size(t->dtype), &whole, dtype_size(t->dtype));
}

/* Values up to the end of the line, repeated. How many there are; 0 if one is not a number. */
static int64_t read_values(struct tensor_data *t, const char *values)
{
	int64_t n = shape_elems(&t->shape), have = 0;
	const char *at = values;
	char *end;

	for (int64_t i = 0; i < n; i++) {
		set(t, i, at, &end);
		if (end == at)
			return 0;
		at = end + strspn(end, " ");
		if (!*at || *at == '\n') {
			have = have ? have : i + 1;
			at = values;
		}
	}
	return have ? have : at != values ? n + 1 : 0;
}

static bool fill_input(struct graph_run *r, size_t i)
{
	const struct value *v = r->model->inputs.v[i];
	int number = value_number(r->text, "input", i);
	const char *values = directive(r->text, "data", number);
	struct tensor_data *t = &r->in[i];

	if (!tensor_data_alloc(t, v->dtype, &v->shape))
		return wrong(r, "no memory");
	if (values)
		return read_values(t, values) || wrong(r, "data of %%%d is not numbers", number);
	for (int64_t k = 0; k < shape_elems(&t->shape); k++) {
		float f = sequence((uint32_t)number, k);

		if (t->dtype == DTYPE_F32)
			((float *)t->bytes)[k] = f;
		else /* a quarter becomes an integer */
			((uint8_t *)t->bytes)[k * (int64_t)dtype_size(t->dtype)] =
				t->dtype == DTYPE_BOOL ? f > 0 : (uint8_t)(int)(f * 4);
	}
	return true;
}

/* How far an output may be from another. */
struct tolerance {
	bool given; /* else the same bits */
	float absolute, relative;
};

/* The tolerance of all outputs, if they round after each of several steps. */
static struct tolerance rounding_of(const char *text)
{
	const char *values = directive(text, "rounded", -1);
	float most = values ? strtof(values, NULL) : 0;

	return (struct tolerance){ values, most, most };
}

static struct tolerance tolerance_of(const char *text, int number)
{
	const char *values = directive(text, "tolerance", number);
	struct tolerance t = { .given = values };
	char *end;

	if (values) {
		t.absolute = strtof(values, &end);
		t.relative = strtof(end, NULL);
	}
	return values ? t : rounding_of(text);
}

static bool is_near(float want, float have, struct tolerance t)
{
	if (!memcmp(&want, &have, sizeof(want)) || (isnan(want) && isnan(have)))
		return true;
	return t.given && fabsf(want - have) <= t.absolute + t.relative * fabsf(want);
}

/* Tensors of u8 or s8 whose elements differ by @most at most. */
static bool bytes_are_near(const struct tensor_data *want, const struct tensor_data *have,
			   float most)
{
	const u8 *x = want->bytes, *y = have->bytes;
	u8 flip = want->dtype == DTYPE_S8 ? 0x80 : 0;

	if (dtype_size(want->dtype) != 1)
		return false;
	for (size_t i = 0; i < want->size; i++) {
		if (abs((x[i] ^ flip) - (y[i] ^ flip)) > (int)most)
			return false;
	}
	return true;
}

/* Whether @have of @who is @want; what differs first is told. */
static bool is_same(struct graph_run *r, size_t output, const struct tensor_data *want,
		    const struct tensor_data *have, const char *who, struct tolerance t)
{
	const float *x = want->bytes, *y = have->bytes;

	if (want->dtype != have->dtype || !shape_equal(&want->shape, &have->shape))
		return wrong(r, "output %zu has another type or shape %s", output, who);
	if (want->dtype != DTYPE_F32)
		return !memcmp(want->bytes, have->bytes, want->size) ||
		       (t.given && bytes_are_near(want, have, t.absolute)) ||
		       wrong(r, "output %zu differs %s", output, who);
	for (int64_t i = 0; i < shape_elems(&want->shape); i++)
		if (!is_near(x[i], y[i], t))
			return wrong(r,
				     "output %zu, element %lld: %.9g by the interpreter, %.9g %s",
				     output, (long long)i, (double)x[i], (double)y[i], who);
	return true;
}

/* ---- The comparison ------------------------------------------------------------------------ */

static char *print(const struct graph *g)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	graph_print(f, g, true);
	fclose(f);
	return text;
}

/* Printing and parsing are each other's inverse. */
static bool round_trips(struct graph_run *r, const struct graph *g)
{
	char *once = print(g), *twice = NULL;
	struct graph *again = graph_parse(once, "print", &r->err);
	bool same;

	twice = again ? print(again) : NULL;
	same = twice && !strcmp(once, twice);
	free(once);
	free(twice);
	graph_free(again);
	return same || wrong(r, "a print does not parse to the same graph: %s", r->err.text);
}

/* What the interpreter gives for output @i is what the case says, as exactly as f32 can. */
static bool is_expected(struct graph_run *r, size_t i)
{
	int number = value_number(r->text, "output", i);
	const char *values = directive(r->text, "expect", number);
	struct tensor_data *have = &r->of_model[i], want = { 0 };
	const struct tolerance steps = rounding_of(r->text);
	bool good;

	if (!values)
		return true;
	if (!tensor_data_alloc(&want, have->dtype, &have->shape))
		return wrong(r, "no memory");
	good = read_values(&want, values) == shape_elems(&want.shape) ||
	       wrong(r, "%%%d does not have as many values as expected", number);
	for (int64_t k = 0; good && want.dtype == DTYPE_F32 && k < shape_elems(&want.shape); k++) {
		float x = ((float *)want.bytes)[k], y = ((float *)have->bytes)[k];

		good = x == y || (isfinite(x) && isfinite(y) && nextafterf(x, y) == y) ||
		       (isnan(x) && isnan(y)) || is_near(x, y, steps) ||
		       wrong(r, "%%%d, element %lld: %.9g by the interpreter, %.9g expected",
			     number, (long long)k, (double)y, (double)x);
	}
	if (good && want.dtype != DTYPE_F32)
		good = !memcmp(want.bytes, have->bytes, want.size) ||
		       wrong(r, "%%%d is not what is expected", number);
	tensor_data_free(&want);
	return good;
}

static bool has_type(struct graph_run *r, size_t i)
{
	int number = value_number(r->text, "output", i);
	const char *want = directive(r->text, "type", number);
	const struct tensor_data *t = &r->of_model[i];
	char shape[SHAPE_TEXT_MAX], have[SHAPE_TEXT_MAX + 8];

	snprintf(have, sizeof(have), "%s%s\n", dtype_name(t->dtype), shape_text(&t->shape, shape));
	return !want || !strncmp(want, have, strlen(have)) ||
	       wrong(r, "%%%d has another type: %s", number, have);
}

static bool outputs_agree(struct graph_run *r, size_t i)
{
	struct tolerance t = tolerance_of(r->text, value_number(r->text, "output", i));
	const struct tolerance exact = { 0 };

	/* What is only near may round to another number of 8 bits. */
	if (r->bf16 && !directive(r->text, "bf16", -1) && t.absolute > 0)
		t.absolute = INFINITY;
	if (r->bf16)
		return is_same(r, i, &r->of_normal[i], &r->of_program[i], "by the program", t);

	/* Fusing may round otherwise; the program never does. */
	if (r->of_model[i].dtype != DTYPE_F32 &&
	    !is_same(r, i, &r->of_normal[i], &r->of_program[i], "by the program", exact))
		return false;
	return has_type(r, i) && is_expected(r, i) &&
	       is_same(r, i, &r->of_model[i], &r->of_normal[i], "by it after the passes", t) &&
	       is_same(r, i, &r->of_model[i], &r->of_program[i], "by the program", t);
}

/* Parses, runs passes up to @last. */
static struct graph *read_graph(struct graph_run *r, const char *name, const char *last)
{
	struct graph *g = graph_parse(r->text, name, &r->err);

	if (g && !strstr(r->text, "\n#: normalised\n") &&
	    compile_run_passes(g, &no_options, last)) {
		graph_free(g);
		g = NULL;
	}
	return g;
}

/* ---- Nodes on the host --------------------------------------------------------------------- */

static bool hangs_on_host(const struct node *n)
{
	for (int i = 0; i < n->n_in; i++) {
		const struct value *v = node_in(n, i);

		if (v && v->producer && !v->producer->host)
			return false;
	}
	return true;
}

static bool is_for_host(const struct node *n)
{
	for (int i = 0; i < n->n_out; i++) {
		const struct operand *use = n->out[i] ? n->out[i]->uses : NULL;

		for (; use; use = use->next) {
			if (!use->node->host)
				return false;
		}
	}
	return true;
}

/* Leaves about half of what may be at the edges to the host. */
static void leave_to_host(struct graph *g, unsigned int seed)
{
	uint32_t i = 0;

	for (struct node *n = g->first; n; n = n->next)
		n->host = hangs_on_host(n) && sequence(seed, i++) > 0 ? "of this test" : NULL;
	for (struct node *n = g->last; n; n = n->prev) {
		if (!n->host && is_for_host(n) && sequence(seed, i++) > 0)
			n->host = "of this test";
	}
}

/* Room for tensors of the types of @l. */
static bool make_room(struct graph_run *r, const struct value_list *l, size_t first,
		      struct tensor_data *t, void **bytes)
{
	for (size_t i = first; i < l->n; i++) {
		if (l->n - first > TENSORS_MAX ||
		    !tensor_data_alloc(&t[i - first], l->v[i]->dtype, &l->v[i]->shape))
			return wrong(r, "the program has too many tensors for this test");
		bytes[i - first] = t[i - first].bytes;
	}
	return true;
}

static bool run_parts(struct graph_run *r, const struct rondo_machine *machine,
		      struct tensor_data *in, struct tensor_data *out)
{
	struct rondo_host *h = r->program.host;
	size_t inputs = h->before->inputs.n;
	void *network[2][TENSORS_MAX], *program[2][TENSORS_MAX];
	char why[RUN_WHY_BYTES] = "";

	for (size_t i = 0; i < TENSORS_MAX; i++) {
		network[0][i] = r->in[i].bytes;
		network[1][i] = r->of_program[i].bytes;
	}
	if (!make_room(r, &h->before->outputs, 0, in, program[0]) ||
	    !make_room(r, &h->after->inputs, inputs, out, program[1]))
		return false;
	if (rondo_host_before(h, (const void *const *)network[0], program[0]))
		return wrong(r, "the host fails before the program");
	if (!network_run(&r->program, machine, in, out, why))
		return wrong(r, "the program fails: %s", why);
	return !rondo_host_after(h, (const void *const *)network[0],
				 (const void *const *)program[1], network[1]) ||
	       wrong(r, "the host fails behind the program");
}

/* Runs the program, and before and behind it what is left to the host. */
static bool run_all(struct graph_run *r, const struct rondo_machine *machine)
{
	struct tensor_data in[TENSORS_MAX] = { { 0 } }, out[TENSORS_MAX] = { { 0 } };
	char why[RUN_WHY_BYTES] = "";
	bool good;

	if (!r->program.host)
		return network_run(&r->program, machine, r->in, r->of_program, why) ||
		       wrong(r, "the program fails: %s", why);
	good = run_parts(r, machine, in, out);
	for (size_t i = 0; i < TENSORS_MAX; i++) {
		tensor_data_free(&in[i]);
		tensor_data_free(&out[i]);
	}
	return good;
}

static bool compare(struct graph_run *r, const char *name, const struct rondo_machine *machine)
{
	size_t outputs;

	r->model = read_graph(r, name, "shape");
	if (!r->model)
		return wrong(r, "%s", r->err.text);
	outputs = r->model->outputs.n;
	if (r->model->inputs.n > TENSORS_MAX || outputs > TENSORS_MAX || !outputs)
		return wrong(r, "inputs or outputs are none or too many for this test");
	if (outputs != r->normal->outputs.n || r->model->inputs.n != r->normal->inputs.n)
		return wrong(r, "the passes changed the number of inputs or outputs");
	for (size_t i = 0; i < r->model->inputs.n; i++)
		if (!fill_input(r, i))
			return false;
	for (size_t i = 0; i < outputs; i++)
		if (!tensor_data_alloc(&r->of_program[i], r->model->outputs.v[i]->dtype,
				       &r->model->outputs.v[i]->shape))
			return wrong(r, "no memory");
	if (graph_eval(r->model, r->in, r->of_model, &r->err) ||
	    graph_eval(r->normal, r->in, r->of_normal, &r->err))
		return wrong(r, "%s", r->err.text);
	if (!run_all(r, machine))
		return false;
	for (size_t i = 0; i < outputs; i++)
		if (!outputs_agree(r, i))
			return false;
	return true;
}

/* Lets as many products take bf16 as the case says. */
static bool narrow(struct graph_run *r, const struct rondo_machine *machine)
{
	const char *want = directive(r->text, "bf16", -1);
	int have = 0;

	if (!r->bf16)
		return true;
	if (pass_narrow(r->normal, machine))
		return false;
	for (const struct node *n = r->normal->first; n; n = n->next)
		have += (n->op == OP_CONV || n->op == OP_LINEAR) && node_in(n, 0)->bf16;
	return !want || have == atoi(want) ||
	       compile_fail(&r->err, -EIO, "%d products take bf16", have) > 0;
}

/* What a case is run with, and what it tells beside its failure. */
struct setting {
	u32 sram; /* 0: as the case says */
	bool roll; /* as compile_options.roll */
	bool bf16; /* also where the case says nothing of it */
	unsigned int host_seed;
	int code; /* of the error that it ended with */
	size_t hosted; /* nodes */
};

/* The front half and the back half; what they refuse is in r->err. */
static bool compile(struct graph_run *r, const char *name, const struct rondo_machine *machine,
		    const struct setting *with, u32 sram, bool *round_trip)
{
	const struct compile_options options = {
		.sram = sram, .roll = with->roll || directive(r->text, "roll", -1)
	};

	r->normal = read_graph(r, name, NULL);
	if (!r->normal)
		return false;
	if (!narrow(r, machine))
		return false;
	*round_trip = round_trips(r, r->normal);
	if (r->host_seed) {
		r->cut = read_graph(r, name, NULL);
		if (!r->cut)
			return false;
		leave_to_host(r->cut, r->host_seed);
		if (pass_host(r->cut) || graph_check(r->cut))
			return false;
	}
	return !backend_compile(r->cut ? r->cut : r->normal, machine, &options, &r->program);
}

/* What `rondo bound` says that no schedule can beat is not above what this one takes. */
static bool keeps_bound(struct graph_run *r, const struct rondo_machine *machine)
{
	struct bounds b;

	if (r->cut)
		return true; /* the host's part is in the graph, and not in the program */
	if (bounds_make(r->normal, machine, &b))
		return wrong(r, "%s", r->err.text);
	return (double)r->program.cycles >= b.provable ||
	       wrong(r, "%llu cycles, below the bound of %.1f",
		     (unsigned long long)r->program.cycles, b.provable);
}

unsigned int graph_case_sram(const char *text)
{
	const char *given = directive(text, "sram", -1);

	return given ? (unsigned int)strtoul(given, NULL, 10) : 0;
}

static bool run(struct graph_run *r, const char *name, const struct setting *with)
{
	struct rondo_machine machine;
	u32 sram = with->sram;
	const char *reason = directive(r->text, "refused", -1);
	bool round_trip = true, compiled;
	char *wanted;

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	if (!sram)
		sram = graph_case_sram(r->text);
	if (!sram)
		sram = machine.sram_bytes;
	compiled = compile(r, name, &machine, with, sram, &round_trip);
	if (!round_trip)
		return false;
	if (!reason)
		return compiled ? compare(r, name, &machine) && keeps_bound(r, &machine) :
				  wrong(r, "%s", r->err.text);
	if (compiled)
		return wrong(r, "it compiles, though it must not");
	wanted = strndup(reason, strcspn(reason, "\n"));
	compiled = !strstr(r->err.text, wanted);
	free(wanted);
	return !compiled || wrong(r, "refused for another reason: %s", r->err.text);
}

static bool run_in(const char *text, const char *name, struct setting *with,
		   char why[GRAPH_CASE_WHY])
{
	char *full = expanded(text);
	struct graph_run r = { .text = full,
			       .why = why,
			       .host_seed = with->host_seed,
			       .bf16 = with->bf16 || directive(full, "bf16", -1) };
	bool good;

	why[0] = 0;
	good = run(&r, name, with);
	with->code = directive(full, "refused", -1) ? 0 : r.err.code;
	with->hosted = r.program.host ? r.program.host->n_nodes : 0;
	for (size_t i = 0; i < TENSORS_MAX; i++) {
		tensor_data_free(&r.in[i]);
		tensor_data_free(&r.of_model[i]);
		tensor_data_free(&r.of_normal[i]);
		tensor_data_free(&r.of_program[i]);
	}
	compiled_free(&r.program);
	graph_free(r.model);
	graph_free(r.normal);
	graph_free(r.cut);
	free(full);
	return good;
}

bool graph_case_run(const char *text, const char *name, char why[GRAPH_CASE_WHY])
{
	return run_in(text, name, &(struct setting){ 0 }, why);
}

bool graph_case_run_in(const char *text, const char *name, unsigned int sram, bool roll,
		       bool *too_large, char why[GRAPH_CASE_WHY])
{
	struct setting with = { .sram = sram, .roll = roll };
	bool good = run_in(text, name, &with, why);

	*too_large = with.code == -EFBIG;
	return good || *too_large;
}

bool graph_case_run_bf16(const char *text, const char *name, unsigned int sram,
			 char why[GRAPH_CASE_WHY])
{
	struct setting with = { .sram = sram, .bf16 = true };

	return run_in(text, name, &with, why) || (sram && with.code == -EFBIG);
}

bool graph_case_run_hosted(const char *text, const char *name, unsigned int seed,
			   unsigned int *hosted, char why[GRAPH_CASE_WHY])
{
	struct setting with = { .host_seed = seed };
	bool good = run_in(text, name, &with, why);

	*hosted = (unsigned int)with.hosted;
	return good || with.code == -EFBIG || with.code == -ENOTSUP;
}
