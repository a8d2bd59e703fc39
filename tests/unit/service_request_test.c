// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Requests as clients write them; those that are wrong are in tests/service/serve_test, too. */
#include <math.h>

#include "service/binary.h"
#include "service/request.h"
#include "tests/tap.h"

static const struct accel_tensor tensors[] = {
	{ .name = "x", .dtype = ACCEL_F32, .rank = 2, .dim = { 2, 2 }, .bytes = 16 },
	{ .name = "q", .dtype = ACCEL_S64, .rank = 0, .bytes = 8 },
	{ .name = "y",
	  .kind = ACCEL_OUTPUT,
	  .dtype = ACCEL_F32,
	  .rank = 1,
	  .dim = { 4 },
	  .bytes = 16 },
	{ .name = "z", .kind = ACCEL_OUTPUT, .dtype = ACCEL_U8, .rank = 0, .bytes = 1 },
};

static const struct signature signature = { { tensors, tensors + 2 }, { 2, 2 } };

/* Inputs as JSON, of which the tests change the rest. */
#define X "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2,2],\"data\":"
#define Q "{\"name\":\"q\",\"datatype\":\"INT64\",\"shape\":[],\"data\":[7]}"
#define XB                                                                                     \
	"{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2,2],\"parameters\":{\"binary_data_" \
	"size\":16}}"
#define QB                                                                                   \
	"{\"name\":\"q\",\"datatype\":\"INT64\",\"shape\":[],\"parameters\":{\"binary_data_" \
	"size\":8}}"
#define GOOD "\"inputs\":[" X "[1,2,3,4]}," Q "]"

static struct infer_request request;
static struct refusal why;

static int parse(const char *json, const char *binary, size_t size)
{
	why = (struct refusal){ 0 };
	return request_parse(&signature, json, strlen(json), binary, size, &request, &why);
}

/* A request that is read, with @good of it; it is given up. */
#define reads(name, json, good)                          \
	do {                                             \
		int rc_ = parse(json, NULL, 0);          \
		if (!tap_ok(!rc_ && (good), "%s", name)) \
			printf("# %s\n", why.text);      \
		if (!rc_)                                \
			request_fini(&request);          \
	} while (0)

static void refuses(const char *name, const char *json, const char *text)
{
	int rc = parse(json, NULL, 0);

	if (!tap_ok(rc == -1 && why.status == 400 && strstr(why.text, text), "%s", name))
		printf("# %d %s\n", rc, why.text);
	tap_ok(!request.input && !request.output && !request.store, "and nothing is left of it");
}

static float x(int i)
{
	return ((const float *)request.input[0])[i];
}

static s64 q(void)
{
	s64 value;

	memcpy(&value, request.input[1], sizeof(value));
	return value;
}

static void test_inputs(void)
{
	reads("flat data", "{" GOOD "}", x(0) == 1 && x(3) == 4 && q() == 7);
	reads("rows, in the other order", "{\"inputs\":[" Q "," X "[[1,2],[3,4.5]]}]}",
	      x(1) == 2 && x(3) == 4.5f && q() == 7);
	reads("the ends of FP32",
	      "{\"inputs\":[" X "[3.4028234e38,-3.4028234e38,1e-46,-0.0]}," Q "]}",
	      x(0) > 3.4e38f && x(1) < -3.4e38f && x(2) == 0 && signbit(x(3)));
	reads("the end of INT64",
	      "{\"inputs\":[" X "[1,2,3,4]},{\"name\":\"q\",\"datatype\":\"INT64\",\"shape\":[],"
	      "\"data\":[-9223372036854775808]}]}",
	      q() == INT64_MIN);
	refuses("a scalar of two",
		"{\"inputs\":[" X "[1,2,3,4]},{\"name\":\"q\",\"datatype\":"
		"\"INT64\",\"shape\":[],\"data\":[1,2]}]}",
		"does not have the shape");
	refuses("a fraction for an integer",
		"{\"inputs\":[" X "[1,2,3,4]},{\"name\":\"q\",\"datatype\":\"INT64\",\"shape\":[],"
		"\"data\":[1.5]}]}",
		"element 0 of a row is no INT64");
	refuses("rows of one too few", "{\"inputs\":[" X "[[1,2],[3]]}," Q "]}", "shape");
	refuses("a row too many", "{\"inputs\":[" X "[[1,2],[3,4],[5,6]]}," Q "]}", "shape");
	refuses("rows in rows", "{\"inputs\":[" X "[[[1],[2]],[3,4]]}," Q "]}", "element 0");
	refuses("true for a float", "{\"inputs\":[" X "[1,2,3,true]}," Q "]}", "element 3");
}

static void test_parameters(void)
{
	reads("what is not said", "{" GOOD "}",
	      !request.id[0] && !request.timeout_us &&
		      request.priority == REQUEST_PRIORITY_DEFAULT && request.output[0].wanted &&
		      !request.output[0].binary && request.output[1].wanted);
	reads("what is",
	      "{\"id\":\"me\",\"parameters\":{\"timeout\":5,\"priority\":100,\"other\":{}}," GOOD
	      "}",
	      !strcmp(request.id, "me") && request.timeout_us == 5 && request.priority == 100);
	reads("a deadline is a timeout",
	      "{\"parameters\":{\"deadline\":5,\"priority\":0}," GOOD "}",
	      request.timeout_us == 5 && request.priority == REQUEST_PRIORITY_DEFAULT);
	reads("a day", "{\"parameters\":{\"timeout\":86400000000}," GOOD "}",
	      request.timeout_us == REQUEST_TIMEOUT_MAX_US);
	reads("more is none", "{\"parameters\":{\"timeout\":86400000001}," GOOD "}",
	      !request.timeout_us);
	refuses("two that differ", "{\"parameters\":{\"timeout\":5,\"deadline\":6}," GOOD "}",
		"differ");
	refuses("a deadline of nothing", "{\"parameters\":{\"deadline\":0}," GOOD "}", "of 1 to");
	refuses("a sequence", "{\"parameters\":{\"sequence_end\":true}," GOOD "}", "sequence_end");
}

static void test_outputs(void)
{
	reads("one output of two", "{" GOOD ",\"outputs\":[{\"name\":\"z\"}]}",
	      !request.output[0].wanted && request.output[1].wanted);
	reads("none named is all", "{" GOOD ",\"outputs\":[]}",
	      request.output[0].wanted && request.output[1].wanted);
	reads("binary unless it says otherwise",
	      "{" GOOD
	      ",\"parameters\":{\"binary_data_output\":true},\"outputs\":[{\"name\":\"y\"},"
	      "{\"name\":\"z\",\"parameters\":{\"binary_data\":false}}]}",
	      request.output[0].binary && !request.output[1].binary);
	reads("classes are never binary",
	      "{" GOOD ",\"parameters\":{\"binary_data_output\":true},\"outputs\":[{\"name\":\"y\","
	      "\"parameters\":{\"classification\":100}}]}",
	      request.output[0].classes == 100 && !request.output[0].binary);
	refuses("nor if that is asked for",
		"{" GOOD ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":1,"
		"\"binary_data\":true}}]}",
		"not binary");
	refuses("more classes than there may be",
		"{" GOOD ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":101}}]}",
		"of 0 to 100");
	refuses("an output twice", "{" GOOD ",\"outputs\":[{\"name\":\"y\"},{\"name\":\"y\"}]}",
		"twice");
}

static void test_id(void)
{
	char json[2 * REQUEST_ID_MAX + sizeof(GOOD)];

	for (int length = REQUEST_ID_MAX; length <= REQUEST_ID_MAX + 1; length++) {
		snprintf(json, sizeof(json), "{\"id\":\"%0*d\"," GOOD "}", length, 0);
		if (length == REQUEST_ID_MAX)
			reads("an id as long as it may be", json,
			      strlen(request.id) == REQUEST_ID_MAX);
		else
			refuses("one more", json, "at most 256 bytes");
	}
}

static void test_binary(void)
{
	static const char bytes[24] = "0123456789abcdefABCDEFGH";
	int rc = parse("{\"inputs\":[" QB "," XB "]}", bytes, 24);

	tap_ok(!rc && request.input[1] == bytes && request.input[0] == bytes + 8,
	       "binary data in the order of the JSON, where it is");
	request_fini(&request);
	rc = parse("{\"inputs\":[" XB "," Q "]}", bytes, 16);
	tap_ok(!rc && request.input[0] == bytes && q() == 7, "and beside JSON");
	request_fini(&request);
	tap_ok(parse("{\"inputs\":[" QB "," XB "]}", bytes, 23) &&
		       strstr(why.text, "has 15 of the 16"),
	       "one byte too few");
	tap_ok(parse("{\"inputs\":[" XB "," Q "]}", bytes, 17) &&
		       strstr(why.text, "1 bytes of binary"),
	       "one too many");
}

static void test_split(void)
{
	static const struct {
		const char *header;
		size_t size, json;
		int rc;
	} cases[] = {
		{ NULL, 10, 10, 0 },  { "0", 10, 0, 0 },    { "10", 10, 10, 0 },
		{ "11", 10, 0, -1 },  { "", 10, 0, -1 },    { "+1", 10, 0, -1 },
		{ "1 ", 10, 0, -1 },  { "0x1", 10, 0, -1 }, { "18446744073709551617", 10, 0, -1 },
		{ "0007", 10, 7, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t json = 99;
		int rc = binary_split(cases[i].header, cases[i].size, &json, &why);

		tap_ok(rc == cases[i].rc && (rc || json == cases[i].json), "header %s",
		       cases[i].header ? cases[i].header : "none");
	}
}

int main(void)
{
	test_inputs();
	test_parameters();
	test_outputs();
	test_id();
	test_binary();
	test_split();
	return tap_done();
}
