// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Tensor files: what is written is read back, what is wrong is named, and no
 * truncation or bit flip of a file does more than be refused. Then every
 * tensor of the shared models loads.
 */
#include "tests/tap.h"
#include "tools/tensor_io.h"

#include "onnx.pb-c.h"

#include <errno.h>
#include <glob.h>
#include <math.h>
#include <unistd.h>

static struct compile_error err;

/* A .npy file of @header (padded to its length by nothing) and @data_size bytes of 1. */
static size_t make_npy(unsigned char *file, int version, const char *header, size_t data_size)
{
	size_t length = strlen(header), at = 0;

	memcpy(file, "\x93NUMPY", 6);
	file[6] = (unsigned char)version;
	file[7] = 0;
	for (at = 8; at < (version == 1 ? 10u : 12u); at++)
		file[at] = (unsigned char)(length >> 8 * (at - 8));
	memcpy(file + at, header, length);
	memset(file + at + length, 1, data_size);
	return at + length + data_size;
}

/*
 * Parses a copy of the @size bytes in a block of exactly that size, so that
 * the address sanitiser sees the first byte too far.
 */
static int parse(struct tensor_data *t, const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);
	int ret;

	if (size)
		memcpy(copy, bytes, size);
	err.code = 0;
	ret = tensor_parse("file", copy, size, t, &err);
	free(copy);
	return ret;
}

#define DICT(descr, order, shape) \
	"{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

/* Headers with the data that follows them, and how they are refused. */
static const struct {
	int version;
	const char *header;
	size_t data_size;
	int code;
	const char *why;
} bad_npy[] = {
	{ 1, DICT("'<f4'", "Maybe", "(2, 3)"), 24, -EINVAL, "neither True nor False" },
	{ 1, DICT("'<f8'", "False", "(3,)"), 24, -ENOTSUP, "'<f8' is not one of" },
	{ 1, DICT("'>f8'", "False", "(3,)"), 24, -ENOTSUP, "'>f8' is not one of" },
	{ 1, DICT("'<f2'", "False", "(6,)"), 24, -EINVAL, "24 bytes, its dimensions say 12" },
	{ 1, DICT("'<i2'", "False", "(12,)"), 24, -ENOTSUP, "'<i2' is not one of" },
	{ 1, DICT("'f'", "False", "(12,)"), 24, -EINVAL, "24 bytes, its dimensions say 48" },
	{ 1, DICT("'<float32'", "False", "(6,)"), 24, -ENOTSUP, "'<float32' is not one of" },
	{ 1, DICT("'<'", "False", "(6,)"), 24, -ENOTSUP, "'<' is not one of" },
	{ 1, DICT("''", "False", "(6,)"), 24, -ENOTSUP, "'' is not one of" },
	{ 1, DICT("' f4'", "False", "(6,)"), 24, -ENOTSUP, "' f4' is not one of" },
	{ 1, DICT("'f4 f'", "False", "(6,)"), 24, -ENOTSUP, "'f4 f' is not one of" },
	{ 1, DICT("'?f4'", "False", "(6,)"), 24, -ENOTSUP, "'?f4' is not one of" },
	{ 1, DICT("'<U1'", "False", "(6,)"), 24, -ENOTSUP, "'<U1' is not one of" },
	{ 1, DICT("[('a', '<f4')]", "False", "(6,)"), 24, -EINVAL, "not a plain one" },
	{ 1, DICT("'<f4'", "False", "(7,)"), 24, -EINVAL, "24 bytes, its dimensions say 28" },
	{ 1, DICT("'<f4'", "False", "(5,)"), 24, -EINVAL, "24 bytes, its dimensions say 20" },
	{ 1, DICT("'<f4'", "False", "(6)"), 24, -EINVAL, "not a tuple" },
	{ 1, DICT("'<f4'", "False", "6"), 24, -EINVAL, "not a tuple" },
	{ 1, DICT("'<f4'", "False", "(-6,)"), 24, -EINVAL, "dimension 0 is not a number" },
	{ 1, DICT("'<f4'", "False", "(1,1,1,1,1,1,1,1,6)"), 24, -EFBIG, "more than 8 dimensions" },
	{ 1, DICT("'<f4'", "False", "(9223372036854775808,)"), 24, -EINVAL, "out of range" },
	{ 1, DICT("'<f4'", "False", "(65536, 65536)"), 0, -EFBIG, "exceed" },
	{ 1, DICT("'<f4'", "False", "(0, 65536, 65536)"), 0, -EFBIG, "exceed" },
	{ 1, DICT("'<f4'", "False", "(2147483648,)"), 0, -EINVAL, "say 8589934592" },
	{ 1, DICT("'|b1'", "False", "(2, 3)") "x", 6, -EINVAL, "after the dictionary" },
	{ 1, "{'fortran_order': False, 'shape': (1,), }\n", 4, -EINVAL, "lacks" },
	{ 1, "{'descr': '<f4', 'shape': (1,), }\n", 4, -EINVAL, "lacks" },
	{ 1, "{'descr': '<f4', 'fortran_order': False, }\n", 4, -EINVAL, "lacks" },
	{ 1, "{'descr': '<f4', 'shape': (1,)", 4, -EINVAL, "does not end" },
	{ 1, "{'color': '<f4'}\n", 4, -EINVAL, "has a key other than" },
	{ 1, "('<f4', (1,))\n", 4, -EINVAL, "not a dictionary" },
	{ 1, "{7: '<f4', }\n", 4, -ENOTSUP, "not a dictionary of descr" },
	{ 1, "{descr: '<f4', }\n", 4, -ENOTSUP, "not a dictionary of descr" },
	{ 1, "{'descr, }\n", 4, -ENOTSUP, "not a dictionary of descr" },
	{ 1, "{'descr' '<f4', }\n", 4, -ENOTSUP, "not a dictionary of descr" },
	{ 4, DICT("'<f4'", "False", "(1,)"), 4, -ENOTSUP, "version 4.0" },
};

static void test_npy_refusals(void)
{
	unsigned char file[512];

	for (size_t i = 0; i < sizeof(bad_npy) / sizeof(bad_npy[0]); i++) {
		size_t size =
			make_npy(file, bad_npy[i].version, bad_npy[i].header, bad_npy[i].data_size);
		struct tensor_data t = { 0 };
		int rc = parse(&t, file, size);

		if (!tap_ok(rc == bad_npy[i].code && !strncmp(err.text, "file: ", 6) &&
				    strstr(err.text, bad_npy[i].why) && !t.bytes,
			    "npy refused: %s", bad_npy[i].why))
			printf("# returned %d, said: %s\n", rc, err.text);
		tensor_data_free(&t);
	}
}

static void test_npy_forms(void)
{
	unsigned char file[512];
	size_t size = make_npy(file, 2, DICT("'|b1'", "False", "(2, 3)"), 6);
	struct tensor_data t = { 0 };

	tap_ok(!parse(&t, file, size) && t.dtype == DTYPE_BOOL && t.shape.rank == 2 && t.size == 6,
	       "npy version 2 of bools");
	tensor_data_free(&t);
	file[size - 1] = 2;
	tap_ok(parse(&t, file, size) == -EINVAL && strstr(err.text, "element 5 is 2"),
	       "a bool of 2 is refused");
	size = make_npy(file, 3, DICT("'<f4'", "False", "()"), 4);
	tap_ok(!parse(&t, file, size) && t.shape.rank == 0 && t.size == 4,
	       "npy version 3 of a scalar");
	tensor_data_free(&t);
	size = make_npy(file, 1,
			"{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (1,)}\n", 4);
	tap_ok(!parse(&t, file, size) && t.dtype == DTYPE_F32 && t.shape.rank == 1,
	       "the other quotes of Python");
	tensor_data_free(&t);
	size = make_npy(file, 1, DICT("'<i8'", "False", "(3, 0, 2)"), 0);
	tap_ok(!parse(&t, file, size) && t.shape.rank == 3 && t.size == 0, "an empty tensor");
	tensor_data_free(&t);
	tap_ok(parse(&t, file, 0) == -EINVAL && strstr(err.text, "is empty"),
	       "an empty file is refused");
}

/* numpy.save() writes an array of columns as it lies: the first index is the fastest. */
static void test_npy_fortran(void)
{
	/* Element [i][j][k] is 100i + 10j + k. */
	static const s32 columns[] = { 0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121,
				       2, 102, 12, 112, 22, 122, 3, 103, 13, 113, 23, 123 };
	static const char *const shapes[] = { "(2, 3, 4)", "(2, 1, 3, 4)", "(24,)", "()",
					      "(0, 3)" };
	unsigned char file[512];
	char header[128];

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct tensor_data t = { 0 };
		const s32 *is;
		bool good;
		size_t size;

		snprintf(header, sizeof(header), DICT("'%ci4'", "True", "%s"), i == 1 ? '>' : '<',
			 shapes[i]);
		size = make_npy(file, 1, header, 0);
		for (int e = 0; e < (i < 3 ? 24 : i == 3); e++, size += 4) {
			u32 bits = (u32)columns[e];

			bits = i == 1 ? __builtin_bswap32(bits) : bits;
			memcpy(file + size, &bits, 4);
		}
		good = !parse(&t, file, size);
		is = t.bytes;
		for (int e = 0; good && e < (int)(t.size / 4); e++)
			good = is[e] ==
			       (i < 2 ? e / 12 * 100 + e / 4 % 3 * 10 + e % 4 : columns[e]);
		if (!tap_ok(good, "npy in Fortran order, shape %s", shapes[i]))
			printf("# %s\n", err.text);
		tensor_data_free(&t);
	}
}

/* A NUL byte in a header cuts nothing off, nor is it a byte order. */
static void test_npy_nul(void)
{
	static const char *const headers[] = {
		DICT("'<f4@'", "False", "(1,)"),
		DICT("'@f4'", "False", "(1,)"),
		DICT("'@'", "False", "(1,)"),
		DICT("'<f4'", "False@", "(1,)"),
		DICT("'<f4'", "False", "(1@,)"),
		"{'descr@': '<f4', 'fortran_order': False, 'shape': (1,), }\n",
		DICT("'<f4'", "False", "(1,)") "@",
		"@" DICT("'<f4'", "False", "(1,)"),
	};
	unsigned char file[512];

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t size = make_npy(file, 1, headers[i], 4);
		struct tensor_data t = { 0 };

		*(char *)memchr(file, '@', size) = 0;
		if (!tap_ok(parse(&t, file, size) == -EINVAL && (i > 2 || strstr(err.text, "NUL")),
			    "refused with NUL for @: %.*s", (int)strcspn(headers[i], "\n"),
			    headers[i]))
			printf("# %d %s\n", err.code, err.text);
		tensor_data_free(&t);
	}
}

/* Every spelling that numpy.dtype() takes for a type that there is. */
static const struct {
	const char *descr;
	enum dtype dtype;
} spellings[] = {
	{ "<f4", DTYPE_F32 },	   { "=f4", DTYPE_F32 },     { "|f4", DTYPE_F32 },
	{ ">f4", DTYPE_F32 },	   { "f4", DTYPE_F32 },	     { "f", DTYPE_F32 },
	{ "<f", DTYPE_F32 },	   { "float32", DTYPE_F32 }, { "single", DTYPE_F32 },
	{ "|u1", DTYPE_U8 },	   { "<u1", DTYPE_U8 },	     { ">u1", DTYPE_U8 },
	{ "=u1", DTYPE_U8 },	   { "u1", DTYPE_U8 },	     { "B", DTYPE_U8 },
	{ "|B", DTYPE_U8 },	   { "uint8", DTYPE_U8 },    { "ubyte", DTYPE_U8 },
	{ "|i1", DTYPE_S8 },	   { "<i1", DTYPE_S8 },	     { "b", DTYPE_S8 },
	{ "int8", DTYPE_S8 },	   { "byte", DTYPE_S8 },     { "<i4", DTYPE_S32 },
	{ ">i4", DTYPE_S32 },	   { "i", DTYPE_S32 },	     { "int32", DTYPE_S32 },
	{ "intc", DTYPE_S32 },	   { "<i8", DTYPE_S64 },     { ">i8", DTYPE_S64 },
	{ "q", DTYPE_S64 },	   { "l", DTYPE_S64 },	     { "int64", DTYPE_S64 },
	{ "longlong", DTYPE_S64 }, { "int", DTYPE_S64 },     { "|b1", DTYPE_BOOL },
	{ "<b1", DTYPE_BOOL },	   { "b1", DTYPE_BOOL },     { "?", DTYPE_BOOL },
	{ "bool", DTYPE_BOOL },	   { "bool_", DTYPE_BOOL },
};

static void test_npy_spellings(void)
{
	unsigned char file[512], header[128];
	static const s64 values[] = { 1, 0 };

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		size_t bytes = dtype_size(spellings[i].dtype), size;
		struct tensor_data t = {};

		snprintf((char *)header, sizeof(header), DICT("'%s'", "False", "(2L,)"),
			 spellings[i].descr);
		size = make_npy(file, 1, (char *)header, 0);
		for (size_t k = 0; k < 2; k++, size += bytes) {
			memcpy(file + size, &values[k], bytes);
			for (size_t b = 0; spellings[i].descr[0] == '>' && b < bytes; b++)
				file[size + b] = ((const u8 *)&values[k])[bytes - 1 - b];
		}
		if (!tap_ok(!parse(&t, file, size) && t.dtype == spellings[i].dtype &&
				    !memcmp(t.bytes, &values[0], bytes) &&
				    !memcmp((u8 *)t.bytes + bytes, &values[1], bytes),
			    "npy of type %s", spellings[i].descr))
			printf("# %s\n", err.text);
		tensor_data_free(&t);
	}
}

/*
 * Numbers of 16 bits, in all of numpy's spellings: zeros, the least and the largest subnormal, the
 * least normal number, 1, the largest, infinity and NaN are the f32 that they mean.
 */
static void test_npy_halves(void)
{
	static const char *const descrs[] = { "<f2", ">f2", "=f2",     "f2",  "e",
					      "<e",  ">e",  "float16", "half" };
	static const u16 bits[] = { 0, 0x8000, 1, 0x83ff, 0x400, 0x3c00, 0xfbff, 0x7c00, 0x7e00 };
	static const float want[] = { 0,      -0.0f,	0x1p-24f, -0x1.ff8p-15f, 0x1p-14f, 1,
				      -65504, INFINITY, NAN };
	unsigned char file[512], header[128];

	for (size_t i = 0; i < sizeof(descrs) / sizeof(descrs[0]); i++) {
		struct tensor_data t = {};
		size_t size;
		bool good;

		snprintf((char *)header, sizeof(header), DICT("'%s'", "False", "(9,)"), descrs[i]);
		size = make_npy(file, 1, (char *)header, 0);
		for (size_t k = 0; k < 9; k++) {
			bool swapped = descrs[i][0] == '>';

			file[size++] = (u8)(swapped ? bits[k] >> 8 : bits[k]);
			file[size++] = (u8)(swapped ? bits[k] : bits[k] >> 8);
		}
		good = !parse(&t, file, size) && t.dtype == DTYPE_F32 && t.shape.dim[0] == 9;
		for (size_t k = 0; k < 8 && good; k++)
			good = !memcmp((float *)t.bytes + k, &want[k], sizeof(float));
		if (!tap_ok(good && isnan(((float *)t.bytes)[8]), "npy of type %s", descrs[i]))
			printf("# %s\n", err.text);
		tensor_data_free(&t);
	}
}

/* Two columns of three: 1 2 3 in the first, which Fortran has one behind the other. */
static void test_npy_halves_fortran(void)
{
	static const u16 bits[] = { 0x3c00, 0x4000, 0x4200, 0xbc00, 0xc000, 0xc200 };
	static const float want[] = { 1, -1, 2, -2, 3, -3 };
	unsigned char file[512];
	size_t size = make_npy(file, 1, DICT("'<f2'", "True", "(3, 2)"), 0);
	struct tensor_data t = {};

	memcpy(file + size, bits, sizeof(bits));
	tap_ok(!parse(&t, file, size + sizeof(bits)) && !memcmp(t.bytes, want, sizeof(want)),
	       "npy of 16 bits in Fortran order");
	tensor_data_free(&t);
}

/* Whether @a survives being written and read. */
static bool survives(const struct tensor_data *a, const char *path)
{
	struct tensor_data b = { 0 };
	bool same;

	err.code = 0;
	if (tensor_save_npy(path, a, &err) || tensor_load(path, &b, &err)) {
		printf("# %s\n", err.text);
		return false;
	}
	same = a->dtype == b.dtype && shape_equal(&a->shape, &b.shape) && a->size == b.size &&
	       !memcmp(a->bytes, b.bytes, a->size);
	tensor_data_free(&b);
	return same;
}

static void test_round_trip(void)
{
	struct shape shape = { .dim = { 2, 1, 3, 1, 2, 1, 1, 2 } };
	char path[] = "/tmp/tensor_io_test_XXXXXX";
	int bad = 0;

	close(mkstemp(path));
	for (int type = 0; type < DTYPE_COUNT; type++)
		for (shape.rank = 0; shape.rank <= TENSOR_RANK_MAX; shape.rank++) {
			struct tensor_data t;

			if (!tensor_data_alloc(&t, (enum dtype)type, &shape))
				abort();
			for (size_t i = 0; i < t.size; i++)
				((unsigned char *)t.bytes)[i] =
					(unsigned char)(type == DTYPE_BOOL ? i & 1 : 37 * i);
			bad += !survives(&t, path);
			tensor_data_free(&t);
		}
	tap_eq(bad, 0, "every type and rank survives .npy");
	unlink(path);
}

static void load_refused(const char *path, int code, const char *name)
{
	struct tensor_data t = { 0 };

	err.code = 0;
	if (!tap_ok(tensor_load(path, &t, &err) == code && !strncmp(err.text, path, strlen(path)),
		    "%s", name))
		printf("# %d, %s\n", err.code, err.text);
}

/*
 * Every prefix and every flipped bit either loads as a sound tensor or is
 * refused with a reason; @whole prefixes load.
 */
static void mangle(const unsigned char *file, size_t size, int whole, const char *name)
{
	unsigned char copy[512];
	int silent = 0, unsound = 0, prefixes = 0;
	struct tensor_data t;

	for (size_t n = 0; n < size; n++)
		if (parse(&t, file, n)) {
			silent += strncmp(err.text, "file: ", 6) || !err.text[6];
		} else {
			prefixes++;
			tensor_data_free(&t);
		}
	for (size_t bit = 0; bit < 8 * size; bit++) {
		memcpy(copy, file, size);
		copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (parse(&t, copy, size)) {
			silent += strncmp(err.text, "file: ", 6) || !err.text[6];
			continue;
		}
		unsound += t.size > size ||
			   t.size != (size_t)shape_elems(&t.shape) * dtype_size(t.dtype);
		tensor_data_free(&t);
	}
	tap_eq(prefixes, whole, name);
	tap_eq(silent, 0, "every refusal of a mangled file gives a reason");
	tap_eq(unsound, 0, "what loads of a mangled file is within it");
}

static void test_mangled(void)
{
	unsigned char file[512];
	int64_t dims[] = { 2, 2 };
	float floats[] = { 1, 2, 3, 4 };
	Onnx__TensorProto p = ONNX__TENSOR_PROTO__INIT;
	size_t size = make_npy(file, 2, DICT("'<f4'", "False", "(2, 3)"), 24);

	mangle(file, size, 0, "no prefix of a .npy loads");
	p.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	p.has_data_type = 1;
	p.name = (char *)"x";
	p.dims = dims;
	p.n_dims = 2;
	p.float_data = floats;
	p.n_float_data = 4;
	size = onnx__tensor_proto__pack(&p, file);
	mangle(file, size, 1, "of a .pb only the prefix before the trailing name loads");
}

/* Every file that matches @pattern below the shared models loads. */
static void test_all(const char *models, const char *pattern)
{
	char path[4096];
	glob_t found;
	int bad = 0;

	snprintf(path, sizeof(path), "%s/%s", models, pattern);
	if (glob(path, 0, NULL, &found)) {
		tap_skip(pattern, "no such files under RONDO_MODELS");
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct tensor_data t;

		err.code = 0;
		if (!tensor_load(found.gl_pathv[i], &t, &err)) {
			tensor_data_free(&t);
			continue;
		}
		printf("# %s\n", err.text);
		bad++;
	}
	tap_ok(bad == 0, "all %zu files %s load", found.gl_pathc, pattern);
	globfree(&found);
}

int main(void)
{
	const char *models = getenv("RONDO_MODELS");

	if (!models)
		models = "../shared/models";
	test_npy_refusals();
	test_npy_forms();
	test_npy_spellings();
	test_npy_halves();
	test_npy_halves_fortran();
	test_npy_fortran();
	test_npy_nul();
	test_round_trip();
	load_refused("/tmp/no/such/file", -ENOENT, "a missing file is named");
	load_refused("/tmp", -EISDIR, "a directory is refused");
	test_mangled();
	test_all(models, "onnx-node/*/test_data_set_*/*.pb");
	test_all(models, "onnx/*/*.npy");
	return tap_done();
}
