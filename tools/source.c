// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tools/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/machine.h"
#include "tools/asm/asm.h"
#include "tools/rondo.h"
#include "tools/tensor_io.h"

void source_options_init(struct source_options *options)
{
	memset(options, 0, sizeof(*options));
	rondo_machine_init(&options->machine, RONDO_MACHINE_edge);
}

void source_options_fini(struct source_options *options)
{
	size_t i;

	for (i = 0; i < options->n_bakes; i++)
		tensor_data_free(&options->baked[i]);
}

/* Cuts "NAME=VALUE" in two; NULL if it is not of that form. */
static char *cut(char *arg)
{
	char *value = strchr(arg, '=');

	if (!value || value == arg || !value[1])
		return NULL;
	*value = 0;
	return value + 1;
}

int source_add_bake(struct source_options *options, char *arg)
{
	struct tensor_data *tensor = &options->baked[options->n_bakes];
	struct compile_error err = {};
	char *file = cut(arg);

	if (!file) {
		fail(arg, "--bake wants NAME=FILE");
		return STATUS_USAGE;
	}
	if (options->n_bakes == SOURCE_BAKES_MAX)
		return fail(arg, "more than %d tensors to bake", SOURCE_BAKES_MAX);
	if (tensor_load(file, tensor, &err)) {
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	options->bakes[options->n_bakes++] = (struct compile_bake){ arg, tensor };
	return STATUS_OK;
}

int source_add_dim(struct source_options *options, char *arg)
{
	char *size = cut(arg), *end;
	long long n;

	if (!size) {
		fail(arg, "--dim wants NAME=N");
		return STATUS_USAGE;
	}
	errno = 0;
	n = strtoll(size, &end, 10);
	if (*end || errno || n < 1) {
		fail(arg, "%s is no size of a dimension", size);
		return STATUS_USAGE;
	}
	if (options->n_dims == SOURCE_DIMS_MAX)
		return fail(arg, "more than %d dimensions", SOURCE_DIMS_MAX);
	options->dims[options->n_dims++] = (struct compile_dim){ arg, n };
	return STATUS_OK;
}

int source_add_shape(struct source_options *options, char *arg)
{
	struct shape shape = {};
	char *text = cut(arg), *at = text, *end;

	if (!text) {
		fail(arg, "--shape wants NAME=NxNx...");
		return STATUS_USAGE;
	}
	for (;; at = end + 1) {
		long long n;

		errno = 0;
		n = strtoll(at, &end, 10);
		if (end == at || errno || n < 1 || (*end && *end != 'x') ||
		    shape.rank == TENSOR_RANK_MAX) {
			fail(arg, "%s is no shape: sizes with x between them, at most %d", text,
			     TENSOR_RANK_MAX);
			return STATUS_USAGE;
		}
		shape.dim[shape.rank++] = n;
		if (!*end)
			break;
	}
	if (options->n_shapes == SOURCE_DIMS_MAX)
		return fail(arg, "more than %d shapes", SOURCE_DIMS_MAX);
	options->shapes[options->n_shapes++] = (struct compile_shape){ arg, shape };
	return STATUS_OK;
}

static void notice(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "rondo: %s\n", text);
}

static int compile_bytes(const char *path, const void *bytes, size_t size,
			 const struct source_options *o, struct compiled *out,
			 struct compile_error *err)
{
	const struct compile_options options = {
		.bakes = o->bakes,
		.n_bakes = o->n_bakes,
		.dims = o->dims,
		.n_dims = o->n_dims,
		.shapes = o->shapes,
		.n_shapes = o->n_shapes,
		.dump_pass = o->dump,
		.notice = notice,
	};

	return compile_model(bytes, size, path, &options, &o->machine, out, err);
}

int source_compile(const char *path, const struct source_options *options, void **file,
		   size_t *size, u64 *cycles)
{
	struct compile_error err = {};
	struct compiled compiled;
	size_t bytes_size;
	void *bytes;
	int ret;

	ret = compile_read_file(path, &bytes, &bytes_size, &err);
	if (!ret) {
		ret = compile_bytes(path, bytes, bytes_size, options, &compiled, &err);
		free(bytes);
	}
	if (ret) {
		fflush(stdout);
		/* Most messages begin with the file; all are to name it. */
		if (strncmp(err.text, path, strlen(path)))
			return fail(path, "%s", err.text);
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	*file = compiled.file;
	*size = compiled.size;
	*cycles = compiled.cycles;
	return STATUS_OK;
}

bool source_has_magic(const char *path, u32 magic)
{
	FILE *f = fopen(path, "rb");
	u32 found = 0;
	bool has;

	if (!f)
		return false;
	has = fread(&found, sizeof(found), 1, f) == 1 && found == magic;
	fclose(f);
	return has;
}

/* Parses a file that is in memory, and frees it. */
static int parse(const char *path, void *file, size_t size, struct source *source)
{
	struct accel_error error;
	int ret = accel_model_parse(file, size, &source->model, &error);

	free(file);
	return ret ? fail(path, "%s", error.text) : STATUS_OK;
}

static int load_rnd(const char *path, struct source *source)
{
	struct accel_error error;

	if (accel_model_load(path, &source->model, &error))
		return fail(path, "%s", error.text);
	return STATUS_OK;
}

int source_assemble(const char *path, void **program, u64 *size)
{
	struct compile_error err = {};
	struct asm_errors errors = {};
	size_t length;
	void *text;
	int ret;

	if (compile_read_file(path, &text, &length, &err)) {
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	((char *)text)[length] = 0; /* it has room */
	if (strlen(text) != length) {
		free(text);
		return fail(path, "not a text: it has a zero byte");
	}
	ret = asm_assemble(text, program, size, &errors);
	free(text);
	if (ret == -ENOMEM)
		return fail(path, "no memory");
	if (ret) {
		asm_print_errors(stderr, path, &errors);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* Wraps and parses a bare program that is in memory, and frees it. */
static int parse_bare(const char *path, void *program, size_t size, struct source *source)
{
	size_t file_size;
	void *file = source_wrap(program, size, &file_size);

	free(program);
	source->bare = true;
	return file ? parse(path, file, file_size, source) : fail(path, "the program is damaged");
}

int source_load_text(const char *path, struct source *source)
{
	void *program;
	u64 size;
	int status;

	*source = (struct source){};
	status = source_assemble(path, &program, &size);
	return status ? status : parse_bare(path, program, size, source);
}

static int load_bare(const char *path, struct source *source)
{
	struct compile_error err = {};
	void *program;
	size_t size;

	if (compile_read_file(path, &program, &size, &err)) {
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	return parse_bare(path, program, size, source);
}

static int load_onnx(const char *path, const struct source_options *options, struct source *source)
{
	double start = now_ms();
	size_t size;
	void *file;
	u64 cycles;
	int ret = source_compile(path, options, &file, &size, &cycles);

	if (ret)
		return ret;
	source->compiled = true;
	source->compile_ms = now_ms() - start;
	return parse(path, file, size, source);
}

int source_load(const char *path, const struct source_options *options, struct source *source)
{
	double start = now_ms();
	int ret;

	*source = (struct source){};
	if (source_has_magic(path, RONDO_FILE_MAGIC)) {
		ret = load_rnd(path, source);
	} else if (source_has_magic(path, RONDO_PROGRAM_MAGIC)) {
		ret = load_bare(path, source);
	} else {
		ret = load_onnx(path, options, source);
	}
	source->load_ms = now_ms() - start - source->compile_ms;
	return ret;
}

void source_free(struct source *source)
{
	accel_model_destroy(source->model);
	*source = (struct source){};
}

int source_program(const char *path, void **program, size_t *size)
{
	struct compile_error err = {};
	struct source source = {};
	const void *bytes;

	if (source_has_magic(path, RONDO_FILE_MAGIC)) {
		if (load_rnd(path, &source))
			return STATUS_FAILED;
		bytes = accel_model_program(source.model, size);
		*program = malloc(*size);
		if (*program)
			memcpy(*program, bytes, *size);
		source_free(&source);
		return *program ? STATUS_OK : fail(path, "no memory");
	}
	if (compile_read_file(path, program, size, &err)) {
		fprintf(stderr, "rondo: %s\n", err.text);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* A tensor of @bytes bytes in slot @slot, called @name. */
static struct rondo_tensor slot_tensor(u8 kind, u32 slot, u32 name, u64 bytes)
{
	return (struct rondo_tensor){
		.name = name,
		.kind = kind,
		.dtype = RONDO_U8,
		.rank = 1,
		.slot = slot,
		.dim = { bytes },
	};
}

/* Tensors for every slot that is read, and every one that is written. */
static u32 slot_tensors(const struct rondo_program *p, struct rondo_tensor *tensors,
			char (*names)[8])
{
	u32 i, count = 0;

	for (i = 0; i < p->header->slots; i++) {
		const struct rondo_slot *slot = &p->slots[i];

		snprintf(names[i], sizeof(names[i]), "slot%u", i % RONDO_PROGRAM_SLOTS_MAX);
		if (slot->read_hi)
			tensors[count++] = slot_tensor(RONDO_TENSOR_INPUT, i, i * sizeof(names[0]),
						       slot->read_hi);
		if (slot->write_hi)
			tensors[count++] = slot_tensor(RONDO_TENSOR_OUTPUT, i, i * sizeof(names[0]),
						       slot->write_hi);
	}
	return count;
}

void *source_wrap(const void *program, size_t size, size_t *file_size)
{
	struct rondo_tensor tensors[2 * RONDO_PROGRAM_SLOTS_MAX] = {};
	char names[RONDO_PROGRAM_SLOTS_MAX][8] = {};
	struct rondo_program p;
	void *file;

	if (rondo_program_open(&p, program, size))
		return NULL;
	const struct rondo_file_part parts[] = {
		{ RONDO_SECTION_PROGRAM, 0, program, size },
		{ RONDO_SECTION_STRINGS, 0, names, sizeof(names) },
		{ RONDO_SECTION_TENSORS, 0, tensors,
		  slot_tensors(&p, tensors, names) * sizeof(tensors[0]) },
	};
	*file_size = rondo_file_bytes(parts, 3);
	file = malloc(*file_size);
	if (file)
		rondo_file_write(file, parts, 3);
	return file;
}
