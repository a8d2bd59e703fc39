// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Merging and rolling against the plainest reading of a stream: random runs become bundles and
 * loops, these are executed one by one, and each bundle must have exactly what the runs say. Since
 * no bundle is made for a loop's sake, there are as many as the stream is long.
 */
#include "compiler/bundles.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

enum { STREAMS = 400, RUNS_MAX = 24, LENGTH = 3000 };

static u64 state;

static struct mir_ref ref;

/* ---- What the text executes -------------------------------------------------------------------
 */

struct walk {
	u64 index[RONDO_LOOP_DEPTH];
	int depth;
	u64 at; /* bundle of the stream that is next */
	const struct stream *s; /* flat */
	bool wrong;
};

static void place_of(const struct bundle_slot *s, struct walk *w, s64 *address, s64 *row)
{
	*address = s->address;
	*row = s->row;
	for (int d = 0; d < s->loops; d++) {
		w->wrong |= d >= w->depth && (s->step[d].bytes || s->step[d].rows);
		*address += (s64)w->index[d] * s->step[d].bytes;
		*row += (s64)w->index[d] * s->step[d].rows;
	}
}

/* What run @r does in bundle @at; false: nothing. */
static bool does(const struct stream_run *r, u64 at, s64 *address, s64 *row)
{
	u64 p = (at - r->start) / r->period;

	if (at < r->start || (at - r->start) % r->period || p >= stream_run_count(r))
		return false;
	stream_run_at(r, p, address, row);
	return true;
}

static void execute_bundle(const struct bundle_node *n, struct walk *w)
{
	int filled = 0, wanted = 0;

	for (int slot = 0; slot < RONDO_SLOTS_PER_BUNDLE; slot++)
		filled += n->slot[slot] != NULL;
	for (int i = 0; i < w->s->runs; i++) {
		const struct stream_run *r = &w->s->run[i];
		s64 address, row, want_address, want_row;

		if (!does(r, w->at, &want_address, &want_row))
			continue;
		wanted++;
		if (!n->slot[r->slot] || n->slot[r->slot]->run->op.op != r->op.op) {
			w->wrong = true;
			continue;
		}
		place_of(n->slot[r->slot], w, &address, &row);
		w->wrong |= address != want_address || (u16)row != (u16)want_row;
	}
	w->wrong |= filled != wanted || (n->nest && n->slot[RONDO_C]);
	w->at++;
}

static void execute(const struct bundle_list *l, struct walk *w);

/* The body of the loops that @opener opens, all trips of them. */
static void execute_nest(const struct bundle_node *opener, int level,
			 const struct bundle_list *body, struct walk *w)
{
	/* More than three is nothing, which the compiler does not know. */
	if (level == opener->nest || level == 3) {
		execute(body, w);
		return;
	}
	w->depth++;
	for (u64 i = 0; i < opener->nest_trips[level]; i++) {
		w->index[w->depth - 1] = i;
		execute_nest(opener, level + 1, body, w);
	}
	w->depth--;
}

static void execute(const struct bundle_list *l, struct walk *w)
{
	const struct bundle_node *opener = NULL;

	for (const struct bundle_node *n = l->first; n && !w->wrong; n = n->next) {
		if (n->kind == BUNDLE) {
			w->wrong |= opener && opener->nest && opener->next == n;
			execute_bundle(n, w);
			opener = n;
		} else if (n->kind == BUNDLE_LOOP) {
			w->wrong |= !opener || !opener->nest;
			if (!w->wrong)
				execute_nest(opener, 0, &n->body, w);
			opener = NULL;
		}
	}
}

/* ---- Random streams ---------------------------------------------------------------------------
 */

static void random_dims(struct stream_run *r, u64 room)
{
	for (int d = 0; d < 4; d++) {
		u64 trips = 2 + random_below(&state, 9);

		if (trips > room || !random_below(&state, 3))
			break;
		room /= trips;
		/* Made from inside out; a stride that continues nothing. */
		memmove(&r->dim[1], &r->dim[0], r->dims * sizeof(r->dim[0]));
		r->dim[0] = (struct run_dim){
			trips,
			(s32)random_below(&state, 2000) - 500 + 10000 * d,
			(s32)random_below(&state, 7) - 3,
		};
		r->dims++;
	}
}

/* Runs of one slot follow one another; those of period 2 and more leave bundles free. */
static void random_stream(struct stream *s, struct stream_run run[RUNS_MAX])
{
	static struct run_dim dims[RUNS_MAX][RONDO_LOOP_DEPTH];
	static const u64 periods[] = { 1, 1, 1, 2, 3, 4 };
	static const u8 ops[RONDO_SLOTS_PER_BUNDLE] = {
		RONDO_OP_wait, RONDO_OP_ld_w,	  RONDO_OP_ld_w, RONDO_OP_st_w,
		RONDO_OP_wl_w, RONDO_OP_push_f32, RONDO_OP_fadd, RONDO_OP_fadd,
	};
	u64 next[RONDO_SLOTS_PER_BUNDLE] = { 0 };

	*s = (struct stream){ .run = run, .length = LENGTH };
	while (s->runs < RUNS_MAX) {
		u8 slot = (u8)random_below(&state, RONDO_SLOTS_PER_BUNDLE);
		u64 start = next[slot] + random_below(&state, 40);
		struct stream_run *r = &run[s->runs];

		*r = (struct stream_run){ .slot = slot,
					  .start = start,
					  .transfer = -1,
					  .period = 1,
					  .op.op = ops[slot],
					  .dim = dims[s->runs],
					  .address = (s64)random_below(&state, 100000),
					  .row = (s64)random_below(&state, 500) };
		if (start >= LENGTH)
			break;
		r->ref = slot == RONDO_C ? NULL : &ref;
		if (slot != RONDO_C) {
			r->period = periods[random_below(&state, 6)];
			random_dims(r, (LENGTH - start) / r->period);
		}
		next[slot] = start + (stream_run_count(r) - 1) * r->period + 1;
		s->runs++;
	}
}

static bool executes(const struct stream *s, const struct bundle_list *l)
{
	struct walk w = { .s = s };

	execute(l, &w);
	return !w.wrong && w.at == s->length;
}

static void test_random(void)
{
	static struct stream_run run[RUNS_MAX];
	bool good = true;
	u64 text = 0;
	u32 seed;

	for (seed = 1; seed <= STREAMS && good; seed++) {
		struct arena arena = { 0 };
		struct bundle_maker m = { .arena = &arena };
		struct bundle_list l;
		struct stream s;

		state = random_seed(seed);
		random_stream(&s, run);
		l = bundles_merge(&m, &s);
		l = bundles_roll(&m, &l);
		good = !m.error && executes(&s, &l);
		text += bundles_count(&l);
		arena_free(&arena);
	}
	if (!tap_ok(good, "%d random streams are executed bundle by bundle", STREAMS))
		printf("# seed %u\n", seed - 1);
	tap_ok(text < (u64)STREAMS * LENGTH / 2, "by less than half of their bundles: %llu",
	       (unsigned long long)text);
}

/* ---- Known streams ----------------------------------------------------------------------------
 */

/* Its loops are in @dim. */
static struct stream_run simple_run(u8 slot, u64 start, u64 rows, u64 row, struct run_dim dim[2])
{
	struct stream_run r = { .slot = slot,
				.start = start,
				.period = 1,
				.transfer = -1,
				.ref = &ref,
				.dims = 2,
				.dim = dim };

	dim[0] = (struct run_dim){ rows, 7680, 28 };
	dim[1] = (struct run_dim){ row, 256, 1 };
	r.op.op = slot == RONDO_M ? RONDO_OP_push_f32 : RONDO_OP_st_w;
	return r;
}

/* The number of bundles in the text, and whether they are right. */
static u64 text_of(struct stream *s, bool *good)
{
	struct arena arena = { 0 };
	struct bundle_maker m = { .arena = &arena };
	struct bundle_list l = bundles_merge(&m, s);
	u64 text;

	l = bundles_roll(&m, &l);
	*good = !m.error && executes(s, &l);
	text = bundles_count(&l);
	arena_free(&arena);
	return text;
}

static void test_known(void)
{
	struct run_dim dim[2][2];
	struct stream_run run[2] = { simple_run(RONDO_M, 1, 18, 28, dim[0]) };
	struct stream s = { .run = run, .runs = 1, .length = 505 };
	bool good;
	u64 text = text_of(&s, &good), more;

	tap_ok(good && text == 2, "rows of 28: the bundle before opens two loops");
	run[0].dim[0].trips = 1 << 14;
	s.length = 1 + (1 << 14) * 28;
	more = text_of(&s, &good);
	tap_ok(good && more == text, "a thousand times as many rows are as many bundles of text");
	run[0].dim[0].trips = 18000;
	s.length = 1 + 18000 * 28;
	more = text_of(&s, &good);
	tap_ok(good && more == 3, "more trips than a nest can have are a loop of their own: %llu",
	       (unsigned long long)more);
	run[1] = simple_run(RONDO_S, 2, 18000, 28, dim[1]);
	s.runs = 2;
	s.length++;
	text = text_of(&s, &good);
	tap_ok(good && text <= 16, "stores one bundle behind the pushes: %llu",
	       (unsigned long long)text);
	run[1] = simple_run(RONDO_S, 2, 36000, 14, dim[1]);
	text = text_of(&s, &good);
	tap_ok(good && text <= 24, "rows of 28 beside rows of 14: %llu", (unsigned long long)text);
	run[1] = simple_run(RONDO_S, 2, 18000, 9, dim[1]);
	run[1].period = 3;
	s.length = 2 + 18000 * 28;
	text = text_of(&s, &good);
	tap_ok(good && text <= 500, "rows of 28 beside rows of 27: %llu", (unsigned long long)text);
	s = (struct stream){ .length = 100 };
	text = text_of(&s, &good);
	tap_ok(good && text == 2, "nothing for a hundred bundles");
}

/* A repetition between two streams executes what a flat stream does with all its trips. */
static void test_repetition(void)
{
	enum { TRIPS = 5, BEFORE = 5, INSIDE = 13 };
	struct run_dim dim[2][2];
	struct stream_run before = simple_run(RONDO_M, 0, 2, 2, dim[0]);
	struct stream_run inside = simple_run(RONDO_M, 0, 3, 4, dim[1]), all[1 + TRIPS];
	struct stream last = { .length = 1 };
	struct stream body = { .run = &inside, .runs = 1, .length = INSIDE };
	struct stream loop = { .next = &last, .trips = TRIPS, .body = &body };
	struct stream first = { .next = &loop, .run = &before, .runs = 1, .length = BEFORE };
	struct stream flat = { .run = all, .length = BEFORE + TRIPS * INSIDE + 1 };
	const struct mir_ref moves = { .stride = { 100000 }, .row_stride = { 7 } };
	struct arena arena = { 0 };
	struct bundle_maker m = { .arena = &arena };
	struct bundle_list l;

	inside.ref = &moves;
	all[flat.runs++] = before;
	for (u64 trip = 0; trip < TRIPS; trip++) {
		struct stream_run *r = &all[flat.runs++];

		*r = inside;
		r->start = BEFORE + trip * INSIDE;
		r->address += (s64)trip * 100000;
		r->row += (s64)trip * 7;
	}
	l = bundles_merge(&m, &first);
	l = bundles_roll(&m, &l);
	tap_ok(!m.error && executes(&flat, &l) && bundles_count(&l) < BEFORE + 3 * INSIDE,
	       "a repetition of a stream between two others");
	arena_free(&arena);
}

/* Bundles that @l executes, whose loops no bundle opens yet. */
static u64 executed(const struct bundle_list *l)
{
	u64 n = 0;

	for (const struct bundle_node *i = l->first; i; i = i->next)
		n += i->kind == BUNDLE	    ? 1 :
		     i->kind == BUNDLE_LOOP ? i->trips * executed(&i->body) :
					      0;
	return n;
}

/* Marks stand before the bundle of their number, and keep their order. */
static void test_marks(void)
{
	struct run_dim dim[2];
	struct stream_run run = simple_run(RONDO_M, 0, 4, 5, dim);
	struct stream_mark marks[] = { { 0, "a", NULL }, { 7, "b", NULL }, { 7, "c", NULL } };
	struct stream s = { .run = &run, .runs = 1, .length = 20, .mark = marks, .marks = 3 };
	struct arena arena = { 0 };
	struct bundle_maker m = { .arena = &arena };
	struct bundle_list l = bundles_merge(&m, &s);
	u64 at = 0, found[3] = { 9, 9, 9 };
	int n = 0;

	for (const struct bundle_node *i = l.first; i; i = i->next) {
		const struct bundle_list one = { .first = (struct bundle_node *)i };
		struct bundle_node *next = i->next;

		if (i->kind == BUNDLE_MARK && i->mark == &marks[n])
			found[n++] = at;
		one.first->next = NULL;
		at += executed(&one);
		one.first->next = next;
	}
	tap_ok(n == 3 && found[0] == 0 && found[1] == 7 && found[2] == 7 && at == 20,
	       "regions begin where they are marked");
	l = bundles_roll(&m, &l);
	n = 0;
	for (const struct bundle_node *i = l.first; i; i = i->next)
		n += i->kind == BUNDLE_MARK && i->mark == &marks[n];
	tap_ok(n == 3 && executes(&s, &l), "they stay in order when loops are opened");
	arena_free(&arena);
}

int main(void)
{
	test_random();
	test_known();
	test_repetition();
	test_marks();
	return tap_done();
}
