// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Answers, byte for byte; and the best classes in them. */
#include <math.h>

#include "service/answer.h"
#include "tests/tap.h"

static const struct accel_tensor tensors[] = {
	{ .name = "f",
	  .kind = ACCEL_OUTPUT,
	  .dtype = ACCEL_F32,
	  .rank = 2,
	  .dim = { 2, 3 },
	  .bytes = 24 },
	{ .name = "q\"",
	  .kind = ACCEL_OUTPUT,
	  .dtype = ACCEL_S64,
	  .rank = 1,
	  .dim = { 1 },
	  .bytes = 8 },
	{ .name = "b", .kind = ACCEL_OUTPUT, .dtype = ACCEL_BOOL, .rank = 0, .bytes = 1 },
	{ .name = "s",
	  .kind = ACCEL_OUTPUT,
	  .dtype = ACCEL_S8,
	  .rank = 1,
	  .dim = { 3 },
	  .bytes = 3 },
	{ .name = "w",
	  .kind = ACCEL_OUTPUT,
	  .dtype = ACCEL_S32,
	  .rank = 1,
	  .dim = { 2 },
	  .bytes = 8 },
};

enum { OUTPUTS = sizeof(tensors) / sizeof(tensors[0]) };

static const float f[6] = { 1, NAN, 0.1f, 3, 3, -INFINITY };
static const s64 q[1] = { INT64_MIN };
static const u8 b[1] = { 1 };
static const s8 s[3] = { -128, 0, 127 };
static const s32 w[2] = { INT32_MIN, INT32_MAX };
static const void *const bytes[OUTPUTS] = { f, q, b, s, w };
static const struct signature signature = { { NULL, tensors }, { 0, OUTPUTS } };

/* The answer to a request for @wanted, of which @json are JSON. */
static char *make(const struct wanted_output *wanted, const char *id, size_t *json, size_t *size)
{
	static char *const labels[] = { (char *)"zero", (char *)"o\"ne" };
	struct infer_request request = { .output = (struct wanted_output *)wanted };
	const struct answer_source source = { "m",   7,	     &signature, &request,
					      bytes, labels, 2,		 { 1262, 7070, 0, 5 } };
	struct answer answer;
	struct refusal why;

	snprintf(request.id, sizeof(request.id), "%s", id);
	if (answer_make(&source, &answer, &why))
		return NULL;
	*json = answer.json;
	*size = answer.size;
	return answer.bytes;
}

static void is(const char *name, const struct wanted_output *wanted, const char *outputs)
{
	static const char head[] = "{\"model_name\":\"m\",\"model_version\":\"7\",\"parameters\":{"
				   "\"device_cycles\":1262,\"energy_nj\":7070,\"queue_us\":0,"
				   "\"device_us\":5},\"outputs\":[";
	size_t json, size, first = strlen(head), length = strlen(outputs);
	char *text = make(wanted, "", &json, &size);

	if (!tap_ok(text && json == first + length + 2 && !memcmp(text, head, first) &&
			    !memcmp(text + first, outputs, length) &&
			    !memcmp(text + first + length, "]}", 2),
		    "%s", name))
		printf("# %.*s\n", text ? (int)json : 0, text ? text : "");
	free(text);
}

static void test_json(void)
{
	struct wanted_output wanted[OUTPUTS] = { { true, false, 0 } };

	is("floats, and what is no number", wanted,
	   "{\"name\":\"f\",\"datatype\":\"FP32\",\"shape\":[2,3],"
	   "\"data\":[1,null,0.100000001,3,3,null]}");
	memset(wanted, 0, sizeof(wanted));
	wanted[1].wanted = wanted[2].wanted = wanted[3].wanted = wanted[4].wanted = true;
	is("integers to their ends, and a scalar", wanted,
	   "{\"name\":\"q\\\"\",\"datatype\":\"INT64\",\"shape\":[1],"
	   "\"data\":[-9223372036854775808]},"
	   "{\"name\":\"b\",\"datatype\":\"BOOL\",\"shape\":[],\"data\":[true]},"
	   "{\"name\":\"s\",\"datatype\":\"INT8\",\"shape\":[3],\"data\":[-128,0,127]},"
	   "{\"name\":\"w\",\"datatype\":\"INT32\",\"shape\":[2],"
	   "\"data\":[-2147483648,2147483647]}");
}

static void test_binary(void)
{
	struct wanted_output wanted[OUTPUTS] = {
		{ true, true, 0 }, { 0 }, { 0 }, { true, true, 0 }
	};
	size_t json = 0, size = 0;
	char *text = make(wanted, "", &json, &size);

	is("binary outputs tell their sizes", wanted,
	   "{\"name\":\"f\",\"datatype\":\"FP32\",\"shape\":[2,3],"
	   "\"parameters\":{\"binary_data_size\":24}},"
	   "{\"name\":\"s\",\"datatype\":\"INT8\",\"shape\":[3],"
	   "\"parameters\":{\"binary_data_size\":3}}");
	tap_ok(text && size == json + 27 && !memcmp(text + json, f, 24) &&
		       !memcmp(text + json + 24, s, 3),
	       "their bytes follow in order");
	free(text);
}

static void test_classes(void)
{
	struct wanted_output wanted[OUTPUTS] = { { true, false, 2 } };

	is("classes of each row: equal ones by number, NaN never", wanted,
	   "{\"name\":\"f\",\"datatype\":\"BYTES\",\"shape\":[2,2],"
	   "\"data\":[\"1:0:zero\",\"0.100000001:2\",\"3:0:zero\",\"3:1:o\\\"ne\"]}");
	wanted[0].classes = 100;
	is("no more classes than there are", wanted,
	   "{\"name\":\"f\",\"datatype\":\"BYTES\",\"shape\":[2,3],"
	   "\"data\":[\"1:0:zero\",\"0.100000001:2\",\"\",\"3:0:zero\",\"3:1:o\\\"ne\",\"-inf:2\"]"
	   "}");
	memset(wanted, 0, sizeof(wanted));
	wanted[3] = (struct wanted_output){ true, false, 1 };
	wanted[2] = (struct wanted_output){ true, false, 5 };
	is("of bytes with a sign, and of a scalar", wanted,
	   "{\"name\":\"b\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"1:0:zero\"]},"
	   "{\"name\":\"s\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"127:2\"]}");
}

static void test_id(void)
{
	struct wanted_output wanted[OUTPUTS] = { { 0 } };
	size_t json, size;
	char *text = make(wanted, "a\nb", &json, &size);

	tap_ok(text && strstr(text, ",\"id\":\"a\\u000ab\","), "the request's id comes back");
	free(text);
}

static void test_refusal(void)
{
	struct refusal why = { 503, "it \"is\" so", 0 };
	struct answer answer;

	answer_refusal(&why, &answer);
	tap_ok(!strcmp(answer.bytes, "{\"error\":\"it \\\"is\\\" so\"}"), "a refusal");
	free(answer.bytes);
	why.earliest_us = 22;
	answer_refusal(&why, &answer);
	tap_ok(!strcmp(answer.bytes,
		       "{\"error\":\"it \\\"is\\\" so\",\"parameters\":{\"earliest_us\":22}}"),
	       "with the earliest time");
	free(answer.bytes);
}

int main(void)
{
	test_json();
	test_binary();
	test_classes();
	test_id();
	test_refusal();
	return tap_done();
}
