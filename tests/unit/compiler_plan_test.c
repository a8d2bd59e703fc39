// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The checks between graph, stages and plans: what a pass may get wrong is done to a right stage or
 * plan, one thing at a time, and must be found. And which unit a product is planned for.
 */
#include "compiler/compiler.h"
#include "compiler/graph_text.h"
#include "compiler/passes.h"
#include "compiler/plan.h"
#include "core/machine.h"
#include "tests/tap.h"

#include <errno.h>

/* x[1,3,6,6] * w[4,3,3,3] + b[4], padded by one, then a sum with what broadcasts. */
static const char network[] =
	"graph \"g\" from \"m\"\n"
	"input %0 \"x\" f32[1,2,6,6]\n"
	"input %1 \"r\" f32[4,1,1]\n"
	"const %2 \"w\" f32[4,2,3,3] = 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 "
	"1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 "
	"1 2 3 4 5 6 7 8 9\n"
	"node %3 \"c\" ? = Conv \"c\" %0 %2 pads=1,1,1,1\n"
	"node %4 \"s\" ? = Add \"s\" %3 %1\n"
	"node %5 \"t\" ? = Concat \"t\" %4 %4 axis=1\n"
	"output %5\n";

struct rig {
	struct compile_error err;
	struct graph *g;
	struct rondo_machine machine;
	struct stages stages;
	struct plans plans;
};

static bool start(struct rig *r, const char *text)
{
	static const struct compile_options options;

	*r = (struct rig){ .g = NULL };
	rondo_machine_init(&r->machine, RONDO_MACHINE_edge);
	r->g = graph_parse(text, "m", &r->err);
	return r->g && !compile_run_passes(r->g, &options, NULL) &&
	       !stages_make(r->g, &r->stages) && !stages_check(r->g, &r->stages) &&
	       !plans_make(r->g, &r->stages, &r->machine, &r->plans) &&
	       !plans_check(r->g, &r->plans, &r->machine);
}

static void found(struct rig *r, int rc, const char *node, const char *what)
{
	char want[160];

	snprintf(want, sizeof(want), "m: node \"%s\" (%s): its %s", node,
		 *node == 'c' ? "Conv" :
		 *node == 's' ? "Add" :
				"Concat",
		 what);
	if (!tap_ok(rc == -ENOTRECOVERABLE && !strcmp(r->err.text, want), "%s", want))
		printf("# %d %s\n", rc, r->err.text);
	graph_free(r->g);
}

enum { CONV, SUM, PART, SECOND };
enum { N, G, Y, X, O, KY, KX, C };

static void test_stages(void)
{
	struct rig r;

	tap_ok(start(&r, network) && r.stages.count == 4, "a Concat is a stage for each part");
	r.stages.at[CONV]->size[Y]++;
	found(&r, stages_check(r.g, &r.stages), "c",
	      "stage is wrong: a coordinate outside of its value");
	start(&r, network);
	r.stages.at[CONV]->in[0].at[3]--;
	found(&r, stages_check(r.g, &r.stages), "c",
	      "stage is wrong: a coordinate outside of its value");
	start(&r, network);
	r.stages.at[CONV]->out.step[1][C] = 1;
	r.stages.at[CONV]->out.step[1][O] = 0;
	found(&r, stages_check(r.g, &r.stages), "c",
	      "stage is wrong: a reduced dimension that moves the result");
	start(&r, network);
	r.stages.at[CONV]->out.step[1][N] = 1;
	found(&r, stages_check(r.g, &r.stages), "c",
	      "stage is wrong: a dimension that moves two coordinates");
	start(&r, network);
	r.stages.at[SUM]->out.step[2][2] = 0;
	found(&r, stages_check(r.g, &r.stages), "s", "stage is wrong: two points with one result");
	start(&r, network);
	r.stages.at[SUM]->in[1].as.dim[0]++;
	found(&r, stages_check(r.g, &r.stages), "s",
	      "stage is wrong: a shape of another size than its value");
	start(&r, network);
	r.stages.at[SECOND]->out.at[1]++;
	found(&r, stages_check(r.g, &r.stages), "t",
	      "stage is wrong: a coordinate outside of its value");
	start(&r, network);
	r.stages.at[SUM]->in[1].step[5][0] = 1;
	found(&r, stages_check(r.g, &r.stages), "s",
	      "stage is wrong: a coordinate that its value does not have");
}

static void test_plans(void)
{
	struct rig r;

	start(&r, network);
	tap_ok(r.plans.at[CONV].unit == PLAN_MATRIX && r.plans.at[SUM].unit == PLAN_VECTOR &&
		       r.plans.at[CONV].k.n == 1 && r.plans.at[CONV].k.k[0].count == 24 &&
		       r.plans.at[CONV].pixels[1] == 2 && r.plans.at[CONV].strip.w == 3 &&
		       r.plans.at[CONV].strip.h == 6 && r.plans.at[CONV].looped == 0 &&
		       r.plans.at[CONV].unrolled,
	       "one push takes the windows of two pixels, a strip all of them");
	r.plans.at[CONV].in[0].bytes--;
	found(&r, plans_check(r.g, &r.plans, &r.machine), "c",
	      "plan is wrong: an access outside of its layout");
	start(&r, network);
	r.plans.layout[r.stages.at[SUM]->out.value->id].base -= 4;
	found(&r, plans_check(r.g, &r.plans, &r.machine), "s",
	      "plan is wrong: an access outside of its layout");
	start(&r, network);
	r.plans.at[CONV].k.k[0].count--;
	found(&r, plans_check(r.g, &r.plans, &r.machine), "c",
	      "plan is wrong: pushes that do not take all rows");
	start(&r, network);
	r.plans.at[CONV].k.k[0].row++;
	found(&r, plans_check(r.g, &r.plans, &r.machine), "c",
	      "plan is wrong: a push of other rows than are next");
	start(&r, network);
	r.plans.at[CONV].strip.h = r.machine.acc_rows + 1;
	found(&r, plans_check(r.g, &r.plans, &r.machine), "c",
	      "plan is wrong: a strip that the accumulators do not hold");
	start(&r, network);
	r.plans.at[CONV].looped = 3;
	found(&r, plans_check(r.g, &r.plans, &r.machine), "c",
	      "plan is wrong: outer loops that the stage does not have");
}

/* A convolution of @groups groups, and a shuffle of two groups behind it. */
static void test_shuffle(int groups, bool stored)
{
	char text[600];
	struct rig r;

	snprintf(
		text, sizeof(text),
		"graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,4,2,2]\n"
		"const %%1 \"w\" f32[6,%d,1,1] = %s\nconst %%2 \"a\" s64[5] = 1 2 3 2 2\n"
		"const %%3 \"b\" s64[4] = 1 6 2 2\nnode %%4 \"c\" ? = Conv \"c\" %%0 %%1 group=%d\n"
		"node %%5 \"s\" ? = Reshape \"s\" %%4 %%2\n"
		"node %%6 \"t\" ? = Transpose \"t\" %%5 perm=0,2,1,3,4\n"
		"node %%7 \"j\" ? = Reshape \"j\" %%6 %%3\nnode %%8 \"p\" ? = MaxPool \"p\" %%7 "
		"kernel=2,2\noutput %%8\n",
		4 / groups,
		groups == 1 ? "1 2 3 4 1 2 3 4 1 2 3 4 1 2 3 4 1 2 3 4 1 2 3 4" :
			      "1 2 1 2 1 2 1 2 1 2 1 2",
		groups);
	if (!tap_ok(start(&r, text), "a shuffle behind %d groups", groups)) {
		printf("# %s\n", r.err.text);
		return;
	}
	stages_shuffle(&r.stages);
	tap_ok(r.stages.count == (stored ? 2 : 5) && !stages_check(r.g, &r.stages) &&
		       (!stored || r.stages.at[0]->out.value == r.stages.at[1]->in[0].value),
	       "it is %s", stored ? "stored as the pool reads it" : "left as it is");
	graph_free(r.g);
}

/* A convolution of @groups groups of one channel, with a window of @kernel cells in a row. */
static void test_unit(int groups, int kernel, enum plan_unit unit)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct rig r;

	fprintf(f, "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,%d,4,40]\n", groups);
	fprintf(f, "const %%1 \"w\" f32[%d,1,1,%d] =", groups, kernel);
	for (int i = 0; i < groups * kernel; i++)
		fprintf(f, " 1");
	fprintf(f, "\nnode %%2 \"c\" ? = Conv \"c\" %%0 %%1 group=%d\noutput %%2\n", groups);
	fclose(f);
	tap_ok(start(&r, text) && r.plans.at[0].unit == unit, "%d groups and %d taps: the %s",
	       groups, kernel, unit == PLAN_MATRIX ? "matrix unit" : "vector units");
	graph_free(r.g);
	free(text);
}

/* A 5x5 convolution of [1,1,14,14] to @columns channels, and a pool of 3x3 in steps of 3. */
static bool start_pool(struct rig *r, int columns, const char *more)
{
	static const struct compile_options options;
	char text[400 + 25 * 2 * 64];
	int n = snprintf(text, sizeof(text),
			 "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[1,1,14,14]\n"
			 "const %%1 \"w\" f32[%d,1,5,5] =",
			 columns);

	for (int i = 0; i < columns * 25; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " 1");
	snprintf(text + n, sizeof(text) - (size_t)n,
		 "\nnode %%2 \"c\" ? = Conv \"c\" %%0 %%1 pads=2,2,2,2\n"
		 "node %%3 \"p\" ? = MaxPool \"p\" %%2 kernel=3,3 strides=3,3\n%soutput %%3\n",
		 more);
	*r = (struct rig){ .g = NULL };
	rondo_machine_init(&r->machine, RONDO_MACHINE_edge);
	r->g = graph_parse(text, "m", &r->err);
	return r->g && !compile_run_passes(r->g, &options, NULL) && !pass_crop(r->g) &&
	       !graph_check(r->g) && !stages_make(r->g, &r->stages) &&
	       !stages_check(r->g, &r->stages) &&
	       !plans_make(r->g, &r->stages, &r->machine, &r->plans) &&
	       !plans_check(r->g, &r->plans, &r->machine);
}

static void test_crop(void)
{
	struct rig r;

	tap_ok(start_pool(&r, 4, "") && r.stages.at[0]->size[Y] == 12 &&
		       r.stages.at[0]->size[X] == 12,
	       "what a pool does not see is not computed");
	graph_free(r.g);
	tap_ok(start_pool(&r, 4, "output %2\n") && r.stages.at[0]->size[Y] == 14,
	       "unless it is an output");
	graph_free(r.g);
}

/* How the weights lie, if all stay or not, of @rows x @row pixels of @columns channels. */
static void test_slides(s64 rows, s64 row, int columns, bool settled, struct plan_slide want)
{
	const s64 pixels[] = { rows, row };
	struct plan_slide slide = { 0 };
	struct stage packed;
	struct rig r;
	bool slides;

	start_pool(&r, columns, "");
	stage_pack(r.stages.at[0], pixels, &packed);
	slides = plan_slides(&packed, &r.machine, settled, &slide);
	tap_ok(slides == (want.columns > 0) &&
		       (!slides || (slide.columns == want.columns && slide.step == want.step &&
				    slide.before == want.before)),
	       "%lld rows of %lld pixels of %d channels: %lld columns in steps of %lld",
	       (long long)rows, (long long)row, columns, (long long)want.columns,
	       (long long)want.step);
	graph_free(r.g);
}

/* Very many tiles are loops: of images, then of strips. */
static void test_loops(s64 images, s64 rows, int looped, bool unrolled)
{
	char text[400];
	struct rig r;

	snprintf(text, sizeof(text),
		 "graph \"g\" from \"m\"\ninput %%0 \"a\" f32[%lld,%lld,4]\n"
		 "input %%1 \"b\" f32[%lld,4,4]\nnode %%2 \"y\" ? = MatMul \"m\" %%0 %%1\noutput "
		 "%%2\n",
		 (long long)images, (long long)rows, (long long)images);
	tap_ok(start(&r, text) && r.plans.at[0].looped == looped &&
		       r.plans.at[0].unrolled == unrolled,
	       "%lld matrices of %lld rows: %d outer loops, strips %s", (long long)images,
	       (long long)rows, looped, unrolled ? "unrolled" : "in a loop");
	graph_free(r.g);
}

/* Two convolutions with a sum behind: x and r are read twice, the values between are 48 KiB each.
 */
static const char large[] =
	"graph \"g\" from \"m\"\n"
	"input %0 \"x\" f32[1,3,32,32]\n"
	"const %1 \"w\" f32[12,3,1,1] = 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 "
	"1 2 3 4 5 6 7 8 9\n"
	"const %2 \"v\" f32[12,1,3,3] = 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 "
	"1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 "
	"1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 "
	"1 2 3 4 5 6 7 8 9\n"
	"node %3 \"a\" ? = Conv \"a\" %0 %1\n"
	"node %4 \"b\" ? = Conv \"b\" %3 %2 group=12 pads=1,1,1,1\n"
	"node %5 \"c\" ? = Add \"c\" %3 %4\n"
	"output %5\n";

static bool is_outside(const struct rig *r, int stage)
{
	return r->plans.outside[r->stages.at[stage]->out.value->id];
}

static int maker_of(const struct rig *r, int stage)
{
	return r->plans.maker[r->stages.at[stage]->out.value->id];
}

/* Whether the weights of @row pixels of @columns columns come in once, and are stored for each. */
static void test_spreads(int columns, s64 row, bool want)
{
	const s64 pixels[] = { 1, row };
	char text[400 + 27 * 2 * 32];
	struct stage packed;
	struct rig r;
	int n = snprintf(text, sizeof(text),
			 "graph \"g\" from \"m\"\ninput %%0 \"x\" u8[1,3,9,33]\n"
			 "const %%1 \"w\" s8[%d,3,3,3] =",
			 columns);

	for (int i = 0; i < columns * 27; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " 1");
	snprintf(text + n, sizeof(text) - (size_t)n,
		 "\nnode %%2 \"c\" ? = ConvInteger \"c\" %%0 %%1 strides=2,2 pads=1,0,1,0\n"
		 "output %%2\n");
	start(&r, text);
	stage_pack(r.stages.at[0], pixels, &packed);
	tap_ok(plan_spreads(&packed, &r.machine, true) == want,
	       "weights of %lld pixels of %d columns of bytes%s come in once", (long long)row,
	       columns, want ? "" : " do not");
	graph_free(r.g);
}

/* Whether the tiles of a transpose of @n x @n are loops. */
static void test_many_tiles(int n, bool want)
{
	char text[160];
	struct rig r;

	snprintf(text, sizeof(text),
		 "graph \"g\" from \"m\"\ninput %%0 \"x\" f32[%d,%d]\n"
		 "node %%1 \"c\" ? = Transpose \"c\" %%0 perm=1,0\noutput %%1\n",
		 n, n);
	tap_ok(start(&r, text) && !plans_fit(r.g, &r.plans, &r.machine, 256 << 10) &&
		       r.plans.at[0].tiled && r.plans.at[0].rolled == want,
	       "tiles of %d x %d are %s", n, n, want ? "loops, since they are many" : "text");
	graph_free(r.g);
}

static void test_fit(void)
{
	enum { A, B, SUM_OF };
	struct rig r;
	const struct plan *b;

	tap_ok(start(&r, large) && !plans_exceed(&r.plans, r.g, 64 << 10) &&
		       plans_exceed(&r.plans, r.g, 48 << 10),
	       "the largest value has a halo");
	tap_ok(!plans_fit(r.g, &r.plans, &r.machine, 256 << 10) && !is_outside(&r, A) &&
		       !is_outside(&r, B) && !is_outside(&r, SUM_OF) && !r.plans.at[B].tiled,
	       "what fits stays as it is");
	graph_free(r.g);
	start(&r, large);
	tap_ok(!plans_fit(r.g, &r.plans, &r.machine, 120 << 10) &&
		       !plans_check(r.g, &r.plans, &r.machine) &&
		       is_outside(&r, A) + is_outside(&r, B) + is_outside(&r, SUM_OF) < 3,
	       "no more goes outside than must");
	graph_free(r.g);
	start(&r, large);
	b = &r.plans.at[B];
	tap_ok(!plans_fit(r.g, &r.plans, &r.machine, 40 << 10) && is_outside(&r, A) &&
		       r.plans.at[SUM_OF].tiled && r.plans.at[SUM_OF].buffers == 2 &&
		       b->buffers == 2 && b->tile[Y] < 32 && b->tile[X] == 32 && b->tile[G] == 12,
	       "tiles are whole rows of all channels, two at a time");
	tap_ok(maker_of(&r, A) == PLAN_NO_STAGE && maker_of(&r, B) == B,
	       "what only a sum reads is made for its tiles; what two read is not");
	graph_free(r.g);
	start(&r, large);
	tap_ok(plans_fit(r.g, &r.plans, &r.machine, 100) == -EFBIG, "%s", r.err.text);
	graph_free(r.g);
}

/* A product of two activations, [@m, @k] * [@k, @n]. */
static bool start_product(struct rig *r, int m, int k, int n)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "graph \"g\" from \"m\"\ninput %%0 \"a\" f32[%d,%d]\ninput %%1 \"b\" f32[%d,%d]\n"
		 "node %%2 \"y\" ? = MatMul \"m\" %%0 %%1\noutput %%2\n",
		 m, k, k, n);
	return start(r, text);
}

/* What is wrong in the plan of a product whose sums are cut, done by @spoil. */
static void spoiled(void (*spoil)(struct plan *), const char *what)
{
	struct rig r;
	char want[160];
	int rc;

	if (!start_product(&r, 600, 8192, 200) ||
	    plans_fit(r.g, &r.plans, &r.machine, r.machine.sram_bytes))
		printf("# %s\n", r.err.text);
	spoil(&r.plans.at[0]);
	rc = plans_check(r.g, &r.plans, &r.machine);
	snprintf(want, sizeof(want), "m: node \"m\" (MatMul): its plan is wrong: %s", what);
	if (!tap_ok(rc == -ENOTRECOVERABLE && !strcmp(r.err.text, want), "%s", want))
		printf("# %d %s\n", rc, r.err.text);
	graph_free(r.g);
}

enum { MX = 1, MO, MKY, MKX, MC }; /* of a product of matrices */

static void more_pixels(struct plan *p)
{
	p->tile[MX] = 513;
}

static void no_points(struct plan *p)
{
	p->tile[MC] = 0;
}

static void too_many_points(struct plan *p)
{
	p->tile[MC] = 8193;
}

static void half_a_push(struct plan *p)
{
	p->tile[MC] -= 32;
}

static void test_sums(void)
{
	struct rig r;
	const struct plan *p = NULL;

	if (tap_ok(start_product(&r, 600, 8192, 200) &&
			   !plans_fit(r.g, &r.plans, &r.machine, r.machine.sram_bytes) &&
			   !plans_check(r.g, &r.plans, &r.machine),
		   "a sum of 8192 products of activations fits"))
		p = &r.plans.at[0];
	else
		printf("# %s\n", r.err.text);
	tap_ok(p && p->cut_sums && p->buffers == 2 && p->tile[MC] % 64 == 0 && p->tile[MC] < 8192 &&
		       p->tile[MX] * ((p->tile[MO] + 63) / 64) <= 512 && p->k.n * 64 == p->tile[MC],
	       "by parts that are whole pushes, of as many results as the accumulators hold");
	graph_free(r.g);
	spoiled(more_pixels, "sums of a tile that the accumulators do not hold");
	spoiled(no_points, "a tile of other points than it has");
	spoiled(too_many_points, "a tile of other points than it has");
	spoiled(half_a_push, "a part of its sums that is no whole pushes");
}

/* What would take too much of the text as tiles is loops of tiles. */
static void test_rolled(s64 size, bool rolled)
{
	struct rig r;

	tap_ok(start_product(&r, size, size, size) &&
		       !plans_fit(r.g, &r.plans, &r.machine, r.machine.sram_bytes) &&
		       r.plans.at[0].tiled && r.plans.at[0].rolled == rolled,
	       "tiles of a product of %d x %d x %d are %s", (int)size, (int)size, (int)size,
	       rolled ? "loops" : "text");
	graph_free(r.g);
}

int main(void)
{
	test_sums();
	test_rolled(1024, false);
	test_rolled(8192, true);
	test_stages();
	test_plans();
	test_unit(5, 9, PLAN_MATRIX);
	test_unit(6, 9, PLAN_VECTOR);
	test_unit(64, 25, PLAN_VECTOR);
	test_unit(64, 26, PLAN_MATRIX);
	test_unit(65, 25, PLAN_VECTOR);
	test_shuffle(2, true);
	test_shuffle(1, false);
	test_crop();
	test_slides(1, 1, 4, true, (struct plan_slide){ 0 });
	test_slides(1, 4, 4, true, (struct plan_slide){ 4, 1, 3 });
	test_slides(2, 4, 4, true, (struct plan_slide){ 16, 8, 8 });
	test_slides(1, 6, 16, true, (struct plan_slide){ 16, 1, 5 });
	test_slides(1, 4, 24, true, (struct plan_slide){ 0 });
	test_slides(2, 4, 4, false, (struct plan_slide){ 0 });
	test_spreads(24, 8, true);
	test_spreads(24, 1, false);
	test_spreads(32, 2, false); /* they slide */
	test_spreads(24, 16, false); /* two pushes */
	test_fit();
	test_many_tiles(512, false);
	test_many_tiles(4096, true);
	test_loops(1365, 1, 0, true);
	test_loops(1366, 1, 1, true);
	test_loops(1, 512 * 1365, 0, true);
	test_loops(1, 512 * 1365 + 1, 1, false);
	return tap_done();
}
