// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "core/machine.h"
#include "core/verify.h"
#include "tools/asm/asm.h"
#include "tools/external.h"
#include "tools/file_kind.h"
#include "tools/rondo.h"
#include "tools/wrap.h"

/* A whole file. */
struct content {
	const char *path;
	void *bytes; /* for free(); with room for one more */
	size_t size;
	enum file_kind kind;
};

static int read_content(const char *path, struct content *c)
{
	struct compile_error err = {};

	*c = (struct content){ .path = path };
	if (compile_read_file(path, &c->bytes, &c->size, &err))
		return fail_with(&err);
	c->kind = file_kind(c->bytes, c->size);
	return STATUS_OK;
}

/* It is not what is read here: @wanted. */
static int refuse_kind(const struct content *c, const char *wanted)
{
	return fail(c->path, "it is %s; %s read", file_kind_name(c->bytes, c->size), wanted);
}

static bool is_model(const struct content *c)
{
	return c->kind == FILE_ONNX || c->kind == FILE_TFLITE;
}

static void notice(void *context, const char *text)
{
	(void)context;
	message("%s", text);
}

/* What the compiler dumps goes to standard output. */
static int dumped(void *context, const char *text, size_t size)
{
	(void)context;
	return fwrite(text, 1, size, stdout) == size ? 0 : -errno;
}

static struct rondo_compile_options compile_options(const char *path,
						    const struct model_options *options,
						    struct external_files *files,
						    struct rondo_host **host)
{
	return (struct rondo_compile_options){
		.size = sizeof(struct rondo_compile_options),
		.name = path,
		.machine = options->machine_name,
		.dims = options->dims,
		.dim_count = options->n_dims,
		.shapes = options->shapes,
		.shape_count = options->n_shapes,
		.constants = options->bakes,
		.constant_count = options->n_bakes,
		.context = files,
		.external = external_read,
		.notice = notice,
		.dump = options->dump,
		.dumped = dumped,
		.host = options->allow_host ? host : NULL,
		.precision = options->precision,
	};
}

static int compile(const struct content *c, const struct model_options *options, void **file,
		   size_t *size, u64 *cycles, struct rondo_host **host)
{
	struct external_files files = { .model = c->path };
	const struct rondo_compile_options o = compile_options(c->path, options, &files, host);
	struct rondo_compile_error err;
	struct rondo_compiled compiled;
	int rc = rondo_compile(c->bytes, c->size, &o, &compiled, &err);

	external_close(&files);
	if (rc) {
		message("%s", err.text);
		return STATUS_FAILED;
	}
	*file = compiled.file;
	*size = compiled.size;
	*cycles = compiled.cycles;
	return STATUS_OK;
}

/* A file that is one program cannot say what the host does. */
static int refuse_host(const char *path, struct rondo_host *host, void *file)
{
	struct rondo_host_node first;
	int status = STATUS_OK;

	if (!host)
		return STATUS_OK;
	if (!rondo_host_node(host, 0, &first))
		status = fail(path,
			      "node \"%s\" (%s) is for the host, but a .rnd file holds only what "
			      "the device does: rondo run %s --allow-host does both",
			      first.node, first.op, path);
	rondo_host_free(host);
	free(file);
	return status;
}

int source_compile(const char *path, const struct model_options *options, void **file, size_t *size,
		   u64 *cycles)
{
	struct rondo_host *host = NULL;
	struct content c;
	int status = read_content(path, &c);

	if (!status)
		status = is_model(&c) ? compile(&c, options, file, size, cycles, &host) :
					refuse_kind(&c, "ONNX and TensorFlow Lite models are");
	if (!status)
		status = refuse_host(path, host, *file);
	free(c.bytes);
	return status;
}

static int assemble(const struct content *c, void **program, size_t *size)
{
	struct asm_errors errors = {};
	u64 length;
	int ret;

	((char *)c->bytes)[c->size] = 0;
	ret = asm_assemble(c->bytes, program, &length, &errors);
	if (ret == -ENOMEM)
		return fail(c->path, "no memory");
	if (ret) {
		asm_print_errors(stderr, c->path, &errors);
		return STATUS_FAILED;
	}
	*size = length;
	return STATUS_OK;
}

static int read_graph(const struct content *c, const struct model_options *options,
		      struct source_graph *out)
{
	struct external_files files = { .model = c->path };
	const struct rondo_compile_options o = compile_options(c->path, options, &files, NULL);
	int rc = compile_call_init(&out->call, &o);

	if (!rc)
		rc = compile_read_graph(c->bytes, c->size, c->path, &out->call.options, &out->graph,
					&out->call.err);
	external_close(&files);
	if (rc)
		return fail_with(&out->call.err);
	for (const struct node *n = out->graph->first; n; n = n->next)
		out->nodes[n->op]++;
	rc = compile_run_passes(out->graph, &out->call.options, "outputs");
	return rc ? fail_with(&out->call.err) : STATUS_OK;
}

int source_graph(const char *path, const struct model_options *options, struct source_graph *out)
{
	struct content c;
	int status;

	*out = (struct source_graph){};
	status = read_content(path, &c);
	if (!status)
		status = is_model(&c) ? read_graph(&c, options, out) :
					refuse_kind(&c, "ONNX and TensorFlow Lite models are");
	free(c.bytes);
	if (status)
		source_graph_free(out);
	return status;
}

void source_graph_free(struct source_graph *graph)
{
	graph_free(graph->graph);
	compile_call_fini(&graph->call);
	graph->graph = NULL;
}

bool source_is_model(const char *path)
{
	struct compile_error err = {};
	struct content c = { .path = path };
	bool is = !compile_read_file(path, &c.bytes, &c.size, &err);

	if (is) {
		c.kind = file_kind(c.bytes, c.size);
		is = is_model(&c);
	}
	free(c.bytes);
	return is;
}

int source_assemble(const char *path, void **program, size_t *size)
{
	struct content c;
	int status = read_content(path, &c);

	if (!status)
		status = c.kind == FILE_TEXT ? assemble(&c, program, size) :
					       refuse_kind(&c, "assembly text is");
	free(c.bytes);
	return status;
}

static int parse(const char *path, const void *file, size_t size, struct source *source)
{
	struct accel_error error;
	int ret = accel_model_parse(file, size, &source->model, &error);

	return ret ? fail(path, "%s", error.text[0] ? error.text : strerror(-ret)) : STATUS_OK;
}

static int parse_program(const char *path, const void *program, size_t size, struct source *source)
{
	size_t file_size;
	void *file;
	int ret = wrap_program(program, size, &file, &file_size);

	if (ret)
		return fail(path, "%s", ret < 0 ? strerror(-ret) : rondo_error_text(ret));
	source->bare = true;
	ret = parse(path, file, file_size, source);
	free(file);
	return ret;
}

static int load_text(const struct content *c, struct source *source)
{
	void *program;
	size_t size;
	int status;

	/* Every program ends in it; what has none is some other text. */
	if (!memmem(c->bytes, c->size, "halt", 4))
		return fail(c->path,
			    "it is a text file, but not assembly, which would end in halt; "
			    ".rnd files, ONNX models, programs and assembly text are read");
	status = assemble(c, &program, &size);
	if (status)
		return status;
	status = parse_program(c->path, program, size, source);
	free(program);
	return status;
}

/* Nothing runs on the host unless it is told. */
static void tell_of_host(const char *path, const struct rondo_host *host)
{
	struct rondo_host_node n;

	for (u32 i = 0; host && !rondo_host_node(host, i, &n); i++)
		message("%s: node \"%s\" (%s) runs on the host: %s", path, n.node, n.op, n.reason);
}

static int load_model(const struct content *c, const struct model_options *options,
		      struct source *source)
{
	double start = now_ms();
	size_t size;
	void *file;
	u64 cycles;
	int status = compile(c, options, &file, &size, &cycles, &source->host);

	if (status)
		return status;
	tell_of_host(c->path, source->host);
	source->compiled = true;
	source->compile_ms = now_ms() - start;
	status = parse(c->path, file, size, source);
	free(file);
	return status;
}

static int load(const struct content *c, const struct model_options *options, struct source *source)
{
	switch (c->kind) {
	case FILE_RND:
		return parse(c->path, c->bytes, c->size, source);
	case FILE_PROGRAM:
		return parse_program(c->path, c->bytes, c->size, source);
	case FILE_TEXT:
		return load_text(c, source);
	case FILE_ONNX:
	case FILE_TFLITE:
		return load_model(c, options, source);
	default:
		return refuse_kind(c, ".rnd files, ONNX and TensorFlow Lite models, programs and "
				      "assembly text are");
	}
}

/* Whether @source, which was not compiled here, is what the options ask for. */
static int check_options(const char *path, const struct model_options *options,
			 const struct source *source)
{
	const struct rondo_program_header *header;
	const char *machine;
	size_t size;

	if (options->n_bakes)
		return fail(path, "it is compiled already: --bake is for ONNX models");
	if (options->n_dims)
		return fail(path, "it is compiled already: --dim is for ONNX models");
	if (options->n_shapes)
		return fail(path, "it is compiled already: --shape is for ONNX models");
	if (options->allow_host)
		return fail(path, "it is compiled already: --allow-host is for models");
	if (options->precision)
		return fail(path, "it is compiled already: --precision is for models");
	header = accel_model_program(source->model, &size);
	if (!options->machine_name || header->machine_hash == rondo_machine_hash(&options->machine))
		return STATUS_OK;
	machine = rondo_machine_name(rondo_machine_find(header->machine_hash));
	return fail(path, "it is made for %s, not for %s",
		    machine ? machine : "a machine that is not known", options->machine_name);
}

int source_load(const char *path, const struct model_options *options, struct source *source)
{
	double start = now_ms();
	struct content c;
	int status;

	*source = (struct source){};
	status = read_content(path, &c);
	if (!status)
		status = load(&c, options, source);
	if (!status && !source->compiled)
		status = check_options(path, options, source);
	if (status)
		source_free(source);
	free(c.bytes);
	source->load_ms = now_ms() - start - source->compile_ms;
	return status;
}

void source_free(struct source *source)
{
	accel_model_destroy(source->model);
	rondo_host_free(source->host);
	*source = (struct source){};
}

void source_regions(const struct accel_model *model, u32 *region_of, u32 bundles)
{
	u32 count = accel_model_region_count(model), i, j;
	struct accel_region region;

	for (i = 0; i < bundles; i++)
		region_of[i] = count;
	for (i = 0; !accel_model_region(model, i, &region); i++)
		for (j = 0; j < region.count && region.first + j < bundles; j++)
			region_of[region.first + j] = i;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* Bytes in SOURCE_HOST_SLOT before tensor @i of @kind: first the inputs, then the outputs. */
static u64 host_offset(const struct rondo_host *host, enum accel_kind kind, u32 i)
{
	enum { ALIGN = 8 };
	struct rondo_host_tensor t;
	u64 at = kind == ACCEL_OUTPUT ? host_offset(host, ACCEL_INPUT, UINT32_MAX) : 0;
	enum rondo_host_kind of = kind == ACCEL_OUTPUT ? RONDO_HOST_OUTPUT : RONDO_HOST_INPUT;

	for (u32 k = 0; k < i && !rondo_host_tensor(host, of, k, &t); k++)
		at += t.program < 0 ? (t.size + ALIGN - 1) / ALIGN * ALIGN : 0;
	return at;
}

u64 source_host_bytes(const struct source *source)
{
	return source->host ? host_offset(source->host, ACCEL_OUTPUT, UINT32_MAX) : 0;
}

int source_tensor(const struct source *source, enum accel_kind kind, u32 i,
		  struct accel_tensor *tensor)
{
	struct rondo_host_tensor t;

	if (!source->host)
		return accel_model_tensor(source->model, kind, i, tensor);
	if (rondo_host_tensor(source->host,
			      kind == ACCEL_INPUT ? RONDO_HOST_INPUT : RONDO_HOST_OUTPUT, i, &t))
		return -ENOENT;
	if (t.program >= 0)
		return accel_model_tensor(source->model, kind, (u32)t.program, tensor);
	*tensor = (struct accel_tensor){
		.name = t.name,
		.kind = kind,
		.dtype = (enum accel_dtype)t.type,
		.slot = SOURCE_HOST_SLOT,
		.rank = t.rank,
		.offset = host_offset(source->host, kind, i),
		.bytes = t.size,
		.scale = t.scale,
		.zero_point = t.zero_point,
	};
	for (u32 d = 0; d < t.rank; d++)
		tensor->dim[d] = (u64)t.dim[d];
	return 0;
}

u32 source_tensor_count(const struct source *source, enum accel_kind kind)
{
	struct accel_tensor t;
	u32 n = 0;

	while (!source_tensor(source, kind, n, &t))
		n++;
	return n;
}

/* A copy of the program in a .rnd file. */
static int copy_program(const struct content *c, void **program, size_t *size)
{
	struct source source = {};
	const void *bytes;
	int status = parse(c->path, c->bytes, c->size, &source);

	if (status)
		return status;
	bytes = accel_model_program(source.model, size);
	*program = malloc(*size);
	if (*program)
		memcpy(*program, bytes, *size);
	source_free(&source);
	return *program ? STATUS_OK : fail(c->path, "no memory");
}

int source_program(const char *path, void **program, size_t *size)
{
	struct content c;
	int status = read_content(path, &c);

	if (status)
		return status;
	if (c.kind == FILE_PROGRAM) {
		*program = c.bytes;
		*size = c.size;
		return STATUS_OK;
	}
	status = c.kind == FILE_RND ? copy_program(&c, program, size) :
				      refuse_kind(&c, ".rnd files and programs are");
	free(c.bytes);
	return status;
}
