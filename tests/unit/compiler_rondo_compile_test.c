// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The compiler as a library: what rondo_compile.h promises. That a lack of memory is an error, too,
 * is in compiler_memory_test.c.
 */
#include "compiler/rondo_compile.h"
#include "core/machine.h"
#include "tests/unit/compiler_onnx_rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one call saw through its callbacks. */
struct seen {
	unsigned long asked, stop_at; /* cancelled(): how often, and which answer is yes; 0: none */
	unsigned int steps, total;
	bool in_order;
	char notice[300];
	size_t dumped;
	int dump_answer;
	char location[40];
	int external_answer;
	unsigned int external_calls;
	pthread_t thread; /* that calls the compiler */
	bool elsewhere; /* a callback was called in another one */
};

static void look(struct seen *s)
{
	s->elsewhere |= !pthread_equal(s->thread, pthread_self());
}

static int asked(void *context)
{
	struct seen *s = context;

	look(s);
	return ++s->asked == s->stop_at;
}

static void progress(void *context, const char *step, unsigned int done, unsigned int total)
{
	struct seen *s = context;

	look(s);
	s->in_order = (s->steps == 0 || s->in_order) && step[0] && done == s->steps && done < total;
	s->steps++;
	s->total = total;
}

static void notice(void *context, const char *text)
{
	struct seen *s = context;

	look(s);
	snprintf(s->notice, sizeof(s->notice), "%s", text);
}

static int dumped(void *context, const char *text, size_t size)
{
	struct seen *s = context;

	look(s);
	s->dumped += text ? size : 0;
	return s->dump_answer;
}

static const float outside[] = { 9, 9, 1, 2, 3, 4 };

static int external(void *context, const char *location, uint64_t offset, uint64_t size,
		    void *bytes)
{
	struct seen *s = context;

	look(s);
	s->external_calls++;
	snprintf(s->location, sizeof(s->location), "%s", location);
	if (s->external_answer)
		return s->external_answer;
	if (offset > sizeof(outside) || size > sizeof(outside) - offset)
		return -ENODATA;
	if (bytes)
		memcpy(bytes, (const char *)outside + offset, size);
	return 0;
}

static struct rondo_compile_options options_for(struct seen *s)
{
	s->thread = pthread_self();
	return (struct rondo_compile_options){
		.size = sizeof(struct rondo_compile_options),
		.name = "m.onnx",
		.context = s,
		.external = external,
		.cancelled = asked,
		.progress = progress,
		.notice = notice,
		.dumped = dumped,
	};
}

/* x[n,4] + c, whose n is open; then a few more nodes, different for each @kind. */
static void *make_model(int kind, size_t *size)
{
	const struct shape x = { 2, { -1, 4 } }, c = { 2, { 4, 4 } };
	struct onnx_writer *w = onnx_writer_create("g", "", 13);
	void *bytes;

	onnx_write_input(w, "x", DTYPE_F32, &x);
	onnx_write_initializer(w, "c", DTYPE_F32, &c, floats);
	onnx_write_node(w, "MatMul", "product", "x c", "p");
	onnx_write_node(w, kind & 1 ? "Tanh" : "Sigmoid", "bend", "p", "b");
	onnx_write_node(w, kind & 2 ? "Softmax" : "Relu", "end", "b", "y");
	onnx_write_output(w, "y", DTYPE_F32, &x);
	bytes = onnx_writer_pack(w, size);
	onnx_writer_destroy(w);
	return bytes;
}

/* What does not fit at first, and then does: the error of the first attempt is none of the call. */
static void test_second_attempt(void)
{
	const struct shape x = { 2, { 1024, 1024 } };
	struct onnx_writer *w = onnx_writer_create("g", "", 13);
	struct rondo_compile_error error = { .code = 7 };
	struct rondo_compiled out = { 0 };
	void *model;
	size_t size;
	int rc;

	onnx_write_input(w, "x", DTYPE_F32, &x);
	onnx_write_node(w, "Tanh", "bend", "x", "y");
	onnx_write_output(w, "y", DTYPE_F32, &x);
	model = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	rc = rondo_compile(model, size, NULL, &out, &error);
	tap_ok(!rc && !error.code && !error.text[0] && !error.reason[0] && !error.node[0] &&
		       !error.op[0],
	       "no error is left of an attempt that failed: \"%s\"", error.text);
	rondo_compiled_free(&out);
	free(model);
}

static void test_result(void)
{
	struct seen s = { 0 };
	struct rondo_compile_options o = options_for(&s);
	struct rondo_compile_error error = { .code = 7 };
	struct rondo_compiled out, plain;
	struct compile_error err = { 0 };
	struct compiled inside;
	struct rondo_machine machine;
	size_t size;
	void *model = make_model(0, &size);
	int rc = rondo_compile(model, size, &o, &out, &error);

	rondo_machine_init(&machine, RONDO_MACHINE_edge);
	compile_model(model, size, "m.onnx", NULL, &machine, &inside, &err);
	tap_ok(!rc && !error.code && !error.text[0] && out.size == inside.size &&
		       out.cycles == inside.cycles && !memcmp(out.file, inside.file, out.size),
	       "a file as by the compiler itself");
	compiled_free(&inside);
	tap_ok(s.in_order && s.steps == s.total && s.steps > 10, "%u steps, in order", s.steps);
	tap_ok(!s.elsewhere, "all in this thread");
	tap_ok(s.asked > s.steps, "asked %lu times whether to stop", s.asked);
	tap_ok(!strncmp(s.notice, "m.onnx: ", 8) && !strchr(s.notice, '\n'), "a notice: %s",
	       s.notice);
	rc = rondo_compile(model, size, NULL, &plain, NULL);
	tap_ok(!rc && plain.size == out.size && !memcmp(plain.file, out.file, out.size),
	       "the same without options and without an error");
	rondo_compiled_free(&plain);
	rondo_compiled_free(&plain);
	tap_ok(!plain.file && !plain.size, "what is freed can be freed");
	rondo_compiled_free(&out);
	free(model);
}

/* Whether @o is refused with @code and @text, at node @node of operator @op. */
static void refuse_model(const void *model, size_t size, const struct rondo_compile_options *o,
			 int code, const char *node, const char *op, const char *reason)
{
	struct rondo_compile_error e;
	struct rondo_compiled out = { .file = (void *)8, .size = 7 };
	int rc = rondo_compile(model, size, o, &out, &e);
	bool all = strstr(e.text, reason) && strlen(e.reason) <= strlen(e.text) &&
		   !strcmp(e.reason, e.text + strlen(e.text) - strlen(e.reason));

	if (!tap_ok(rc == code && e.code == code && !out.file && !out.size && all &&
			    !strcmp(e.node, node) && !strcmp(e.op, op) && !strcmp(e.reason, reason),
		    "refused: %s", e.text))
		printf("# %d \"%s\" \"%s\" \"%s\"\n", rc, e.node, e.op, e.reason);
}

static void test_errors(void)
{
	struct rondo_compile_options o = { .size = sizeof(o), .name = "m.onnx" };
	const struct rondo_compile_dim dim = { "batch", 2 };
	const struct rondo_compile_shape shape = { "x", 9, { 1 } };
	struct rondo_compile_constant c = { "x", 1, 1, { 4 }, floats, 12 };
	struct onnx_writer *w = start(13, &s1);
	size_t size;
	void *model;

	onnx_write_node(w, "Relu", "first", "x", "r");
	onnx_write_node(w, "Nonsense", "second", "r", "y");
	onnx_write_output(w, "y", DTYPE_F32, &s1);
	model = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	refuse_model(model, size, &o, -ENOTSUP, "second", "Nonsense",
		     "the operator is not supported");
	free(model);
	w = start(13, &s1);
	onnx_write_node(w, "Concat", "", "x x", "y");
	onnx_write_int(w, "axis", 5);
	onnx_write_output(w, "y", DTYPE_F32, &s1);
	model = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	refuse_model(model, size, &o, -EINVAL, "y", "Concat", "axis 5 is outside the 1 dimensions");
	refuse_model("\1\2\3", 3, &o, -EINVAL, "", "",
		     "damaged or truncated: a bad field number at byte 0");
	o.dims = &dim;
	o.dim_count = 1;
	refuse_model(model, size, &o, -EINVAL, "", "", "no input has a dimension \"batch\"");
	o.dim_count = 0;
	o.shapes = &shape;
	o.shape_count = 1;
	refuse_model(model, size, &o, -EINVAL, "", "", "too many dimensions are given to \"x\"");
	o.shape_count = 0;
	o.constants = &c;
	o.constant_count = 1;
	refuse_model(model, size, &o, -EINVAL, "", "", "bytes are missing in the constant \"x\"");
	c.type = 99;
	refuse_model(model, size, &o, -ENOTSUP, "", "", "no type is the one of the constant \"x\"");
	c.dim[0] = -1;
	c.type = 1;
	refuse_model(model, size, &o, -EINVAL, "", "",
		     "a dimension is wrong of the constant \"x\"");
	o.constant_count = 0;
	o.machine = "no such";
	refuse_model(model, size, &o, -EINVAL, "", "", "there is no machine \"no such\"");
	o.machine = NULL;
	o.precision = "f16";
	refuse_model(model, size, &o, -EINVAL, "", "", "there is no precision \"f16\"");
	o.precision = NULL;
	o.dump = "no such";
	refuse_model(model, size, &o, -EINVAL, "", "", "there is no pass \"no such\" to dump");
	o.dump = NULL;
	o.size++;
	o.name = NULL;
	refuse_model(model, size, &o, -EINVAL, "", "",
		     "the size of the options is of another version");
	o.size = 0;
	refuse_model(model, size, &o, -EINVAL, "", "",
		     "the size of the options is of another version");
	free(model);
}

/* The options of a version that ended before the callbacks. */
static void test_older(void)
{
	struct seen s = { 0 };
	struct rondo_compile_options o = options_for(&s);
	struct rondo_compiled out;
	size_t size;
	void *model = make_model(1, &size);

	o.size = offsetof(struct rondo_compile_options, context);
	tap_ok(!rondo_compile(model, size, &o, &out, NULL) && !s.asked && !s.steps,
	       "what an older program did not know is left alone");
	rondo_compiled_free(&out);
	free(model);
}

static void test_options(void)
{
	const struct shape two = { 2, { -1, 4 } };
	struct seen s = { 0 };
	struct rondo_compile_options o = options_for(&s);
	const struct rondo_compile_shape shape = { "x", 2, { 3, 4 } };
	const struct rondo_compile_constant c = { "c", 1, 2, { 1, 4 }, floats, 16 };
	struct onnx_writer *w = onnx_writer_create("g", "", 13);
	struct rondo_compile_error e;
	struct rondo_compiled out;
	size_t size;
	void *model;
	int rc;

	onnx_write_input(w, "x", DTYPE_F32, &two);
	onnx_write_input(w, "c", DTYPE_F32, &two);
	onnx_write_node(w, "Add", "sum", "x c", "y");
	onnx_write_output(w, "y", DTYPE_F32, &two);
	model = onnx_writer_pack(w, &size);
	onnx_writer_destroy(w);
	o.shapes = &shape;
	o.constants = &c;
	o.shape_count = o.constant_count = 1;
	o.dump = "final";
	rc = rondo_compile(model, size, &o, &out, &e);
	tap_ok(!rc && s.dumped > 20 && !s.elsewhere,
	       "a shape, a constant and a dump of %zu bytes: %s", s.dumped, e.text);
	rondo_compiled_free(&out);
	s = (struct seen){ .dump_answer = -EPIPE };
	rc = rondo_compile(model, size, &o, &out, &e);
	tap_ok(rc == -EPIPE && e.code == -EPIPE && !out.file, "a dump that nobody wants: %s",
	       e.text);
	free(model);
}

/* Whatever the question that is answered with yes: it ends there, and nothing is left. */
static void test_cancel(void)
{
	size_t size;
	void *model = make_model(2, &size);
	struct rondo_compile_error e;
	struct rondo_compiled out;
	unsigned long at = 0;
	bool good = true;
	int rc;

	do {
		struct seen s = { .stop_at = ++at };
		struct rondo_compile_options o = options_for(&s);

		rc = rondo_compile(model, size, &o, &out, &e);
		good = !rc || (rc == -ECANCELED && e.code == rc && !out.file && s.asked == at &&
			       !strcmp(e.text, "m.onnx: it was cancelled"));
	} while (good && rc);
	if (!tap_ok(good && at > 30, "cancelled at each of %lu questions", at - 1))
		printf("# %d %s\n", rc, e.text);
	rondo_compiled_free(&out);
	free(model);
}

/* What a thread that waits for the compilation sees of it, and says to it. */
struct watch {
	atomic_uint done, total;
	atomic_bool stop;
};

static void watched(void *context, const char *step, unsigned int done, unsigned int total)
{
	struct watch *w = context;

	(void)step;
	atomic_store(&w->total, total);
	atomic_store(&w->done, done);
}

static int watched_stop(void *context)
{
	struct watch *w = context;

	return atomic_load(&w->stop);
}

/* Compiles until it is cancelled, for which it returns. */
static void *compile_again(void *argument)
{
	struct watch *w = argument;
	struct rondo_compile_options o = {
		.size = sizeof(o),
		.context = w,
		.cancelled = watched_stop,
		.progress = watched,
	};
	struct rondo_compiled out;
	size_t size;
	void *model = make_model(3, &size);
	int rc;

	do {
		rc = rondo_compile(model, size, &o, &out, NULL);
		rondo_compiled_free(&out);
	} while (!rc);
	free(model);
	return (void *)(intptr_t)rc;
}

/* Another thread sees how far it is, and stops it. */
static void test_watch(void)
{
	struct watch w = { 0 };
	pthread_t thread;
	void *rc = NULL;

	pthread_create(&thread, NULL, compile_again, &w);
	while (!atomic_load(&w.done))
		sched_yield();
	atomic_store(&w.stop, true);
	pthread_join(thread, &rc);
	tap_ok((intptr_t)rc == -ECANCELED && w.done < w.total,
	       "another thread saw step %u of %u, and cancelled", w.done, w.total);
}

static void move_outside(Onnx__ModelProto *m)
{
	static Onnx__StringStringEntryProto location = ONNX__STRING_STRING_ENTRY_PROTO__INIT,
					    offset = ONNX__STRING_STRING_ENTRY_PROTO__INIT;
	static Onnx__StringStringEntryProto *entries[] = { &location, &offset };
	Onnx__TensorProto *t = m->graph->initializer[0];

	location.key = (char *)"location";
	location.value = (char *)"dir/weights";
	offset.key = (char *)"offset";
	offset.value = (char *)"8";
	free(t->raw_data.data);
	t->has_raw_data = 0;
	t->raw_data = (ProtobufCBinaryData){ 0 };
	t->has_data_location = 1;
	t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	t->external_data = entries;
	t->n_external_data = 2;
}

/* x + c: with c in the model, or outside of it. */
static void *make_sum(bool inside, size_t *size)
{
	struct onnx_writer *w = start(13, &s1);
	Onnx__ModelProto *m;
	void *bytes;

	onnx_write_initializer(w, "c", DTYPE_F32, &s1, floats);
	onnx_write_node(w, "Add", "sum", "x c", "y");
	onnx_write_output(w, "y", DTYPE_F32, &s1);
	bytes = onnx_writer_pack(w, size);
	onnx_writer_destroy(w);
	if (inside)
		return bytes;
	m = onnx__model_proto__unpack(NULL, *size, bytes);
	move_outside(m);
	*size = onnx__model_proto__get_packed_size(m);
	bytes = realloc(bytes, *size);
	onnx__model_proto__pack(m, bytes);
	m->graph->initializer[0]->external_data = NULL; /* which is not protobuf's */
	m->graph->initializer[0]->n_external_data = 0;
	onnx__model_proto__free_unpacked(m, NULL);
	return bytes;
}

static void test_external(void)
{
	size_t size, outside_size;
	void *model = make_sum(true, &size), *without = make_sum(false, &outside_size);
	struct seen s = { 0 };
	struct rondo_compile_options o = options_for(&s);
	struct rondo_compiled a, b;

	rondo_compile(model, size, &o, &a, NULL);
	rondo_compile(without, outside_size, &o, &b, NULL);
	tap_ok(a.file && b.file && a.size == b.size && !memcmp(a.file, b.file, a.size) &&
		       !strcmp(s.location, "dir/weights") && s.external_calls == 2,
	       "a tensor outside of the model");
	rondo_compiled_free(&a);
	rondo_compiled_free(&b);
	s.external_answer = -ENODATA;
	s.external_calls = 0;
	refuse_model(without, outside_size, &o, -ENODATA, "", "",
		     "initializer \"c\": 16 bytes at 8 of \"dir/weights\": the file is shorter");
	tap_ok(s.external_calls == 1 && !s.elsewhere, "which is asked once");
	s.external_answer = -EACCES;
	refuse_model(without, outside_size, &o, -EACCES, "", "",
		     "initializer \"c\": 16 bytes at 8 of \"dir/weights\": Permission denied");
	o.external = NULL;
	refuse_model(without, outside_size, &o, -ENOTSUP, "", "",
		     "initializer \"c\": its data is in an external file, \"dir/weights\"");
	free(model);
	free(without);
}

/* ---- Threads -------------------------------------------------------------------------------- */

enum { THREADS = 2, ROUNDS = 6, KINDS = 4 };

static struct rondo_compiled expected[KINDS];
static pthread_barrier_t begin;

struct worker {
	pthread_t thread;
	int first;
	bool good;
};

/* Each its own models at the same time as the other, and one that fails in between. */
static void *work(void *argument)
{
	struct worker *w = argument;

	w->good = true;
	pthread_barrier_wait(&begin);
	for (int i = 0; i < ROUNDS; i++) {
		int kind = (w->first + i) % KINDS;
		struct seen s = { 0 };
		struct rondo_compile_options o = options_for(&s);
		struct rondo_compiled out;
		struct rondo_compile_error e;
		size_t size;
		void *model = make_model(kind, &size);

		w->good = w->good && !rondo_compile(model, size, &o, &out, &e) &&
			  out.size == expected[kind].size && s.in_order &&
			  !memcmp(out.file, expected[kind].file, out.size);
		rondo_compiled_free(&out);
		s.stop_at = s.asked + 10 + (unsigned long)i;
		w->good = w->good && rondo_compile(model, size, &o, &out, &e) == -ECANCELED;
		free(model);
	}
	return NULL;
}

static void test_threads(void)
{
	struct worker workers[THREADS];
	bool good = true;

	for (int kind = 0; kind < KINDS; kind++) {
		size_t size;
		void *model = make_model(kind, &size);

		good = good && !rondo_compile(model, size, NULL, &expected[kind], NULL);
		free(model);
	}
	pthread_barrier_init(&begin, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		workers[i].first = i;
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		good = good && workers[i].good;
	}
	pthread_barrier_destroy(&begin);
	for (int kind = 0; kind < KINDS; kind++)
		rondo_compiled_free(&expected[kind]);
	tap_ok(good, "%d threads at once give what one gives", THREADS);
}

/* All that it would print, with standard output and error in one file. */
static void test_silent(void)
{
	char path[] = "/tmp/rondo_compile_test_XXXXXX";
	int file = mkstemp(path), out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO);
	struct rondo_compile_options o = { .size = sizeof(o), .dump = "all" };
	struct rondo_compiled compiled;
	struct stat st = { .st_size = -1 };
	size_t size;
	void *model = make_model(3, &size);
	int rc, bad;

	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	rc = rondo_compile(model, size, &o, &compiled, NULL);
	rondo_compiled_free(&compiled);
	bad = rondo_compile("x", 1, &o, &compiled, NULL);
	fflush(stdout);
	fstat(file, &st);
	dup2(out, STDOUT_FILENO);
	dup2(error, STDERR_FILENO);
	close(file);
	close(out);
	close(error);
	unlink(path);
	free(model);
	tap_ok(!rc && bad && st.st_size == 0, "nothing is printed, not even what is dumped");
}

int main(void)
{
	test_result();
	test_second_attempt();
	test_errors();
	test_older();
	test_options();
	test_cancel();
	test_watch();
	test_external();
	test_threads();
	test_silent();
	return tap_done();
}
